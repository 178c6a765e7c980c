"""The permalinks of the page: an anchor for each claim, part and test, made of its label alone."""

from __future__ import annotations

import re


def anchor_of(label: str, part: str | None = None) -> str:
    """The anchor of a claim, `theorem-4-1`, or of a part of it, `theorem-4-1-a`."""
    words = f"{label} {part}" if part else label
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
