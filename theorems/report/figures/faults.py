"""What a reader would complain about in a drawn figure, as far as it can be measured.

Boxes of texts are those of DejaVu Sans, one of the widest fonts: a text that fits in it fits in others.
"""

from __future__ import annotations

import itertools
import re

from theorems.report.figures.drawing import Drawn
from theorems.report.figures.svg import LEAST_TYPE, PHONE, Label

LARGEST = 40_000
"""Bytes of a figure at most: a page holds many."""
TOUCH = 1.0
"""Units by which two boxes may overlap, or one may reach out: letters do not fill their boxes."""


def faults(drawn: Drawn) -> list[str]:
    """One line each: type below 9 px on a phone, texts that are cut or overlap, a figure of too many bytes."""
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', drawn.svg).groups())
    found = [f"is of {len(drawn.svg)} bytes"] if len(drawn.svg) > LARGEST else []
    for label in drawn.labels:
        size = label.size * PHONE / width
        if size < LEAST_TYPE - 1e-6:
            found.append(f"{label.words!r} has type of {size:.1f} px on a phone")
        left, top, right, bottom = label.box
        if min(left, top, width - right, height - bottom) < -TOUCH:
            found.append(f"{label.words!r} is beyond the figure")
    pairs = itertools.combinations(drawn.labels, 2)
    found += [f"{one.words!r} and {other.words!r} overlap" for one, other in pairs if _overlap(one, other)]
    return [f"{drawn.name}: {fault}" for fault in found]


def _overlap(one: Label, other: Label) -> bool:
    return all(min(one.box[i + 2], other.box[i + 2]) - max(one.box[i], other.box[i]) > TOUCH for i in (0, 1))
