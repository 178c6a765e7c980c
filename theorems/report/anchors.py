"""Addresses: the permalinks of the page, made of labels alone, and the way from the page to the checkout."""

from __future__ import annotations

import os
import re
import urllib.parse
from pathlib import Path


def anchor_of(label: str, part: str | None = None) -> str:
    """The anchor of a claim, `theorem-4-1`, or of a part of it, `theorem-4-1-a`."""
    words = f"{label} {part}" if part else label
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def way_up(root: Path, directory: Path) -> str:
    """The address of the checkout, relative to the folder of the page; absolute where that is on another drive."""
    try:
        return f"{urllib.parse.quote(Path(os.path.relpath(root, directory)).as_posix())}/"
    except ValueError:
        return f"{root.resolve().as_uri()}/"
