"""Files and evidence that leave a process: a file is written completely or not at all, and evidence is plain JSON."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np


def as_plain(evidence: dict[str, Any]) -> dict[str, Any]:
    """The evidence in types that every process knows: those of JSON, without their subclasses, and numpy's numbers.

    Raises TypeError for anything else, such as a fraction or a set.
    """
    return json.loads(json.dumps(evidence, default=_number))


def _number(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"evidence is plain JSON, and {value!r} is a {type(value).__name__}")


def write_json(target: Path, document: dict[str, Any]) -> None:
    """Write a document as JSON, as `write_text` does. Raises OSError; then the file is as it was."""
    write_text(target, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(target: Path, text: str) -> None:
    """Write a file completely or not at all; the folder is made if need be, and permissions follow the umask.

    Each call has a temporary file of its own, of a name that nobody can foresee, and does not follow a link of that
    name: several runs may write one file, and a reader sees one of them whole.
    Raises OSError; then the file is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            # A lone surrogate has no UTF-8, and its escape is JSON.
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())  # a full disk may be told only now
        partial.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
