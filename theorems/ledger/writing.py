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


_SPLIT = 4
"""How many levels of a document have a line for each entry; what lies deeper stands in one line, for a short file."""


def write_json(target: Path, document: dict[str, Any]) -> None:
    """Write a document as JSON, as `write_text` does. Raises OSError; then the file is as it was."""
    write_text(target, _as_lines(document, 0) + "\n")


def _as_lines(value: Any, level: int) -> str:
    if level == _SPLIT or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {_as_lines(entry, level + 1)}" for key, entry in value.items()]
    else:
        entries = [_as_lines(entry, level + 1) for entry in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    indent = "\n" + " " * (level + 1)
    return opening + indent + f",{indent}".join(entries) + indent[:-1] + closing


def read_json(file: Path) -> Any:
    """The document in a file. Raises OSError, and ValueError for what is no JSON in UTF-8, such as NaN."""
    return json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def write_text(target: Path, text: str) -> None:
    """Write a file completely or not at all; the folder is made if need be, and permissions follow the umask.

    Each call has a temporary file of its own, of a name that nobody can foresee, and does not follow a link of that
    name: several runs may write one file, and a reader sees one of them whole.
    Raises OSError, which names the file; then the file is as it was.
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
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(target)) from None
        raise
