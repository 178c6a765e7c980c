"""The letters of a label of a figure, as text that flows: plain words, or matplotlib's formulas.

matplotlib gives every letter of a formula a place, in its own font. In a narrower font the letters would stand apart.
So a formula in one row becomes runs of letters, each shifted against the one before; only fractions, roots and stacked
scripts keep their places.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any

CLOSE, OVERLAP = 0.12, 0.25
"""Gaps between letters, in sizes of type: below CLOSE they are one run, below -OVERLAP they are not in a row."""


@dataclasses.dataclass(frozen=True)
class Letter:
    """One letter at (x, y), y upwards, which is `advance` wide."""

    letter: str
    size: float
    italic: bool
    bold: bool
    x: float
    y: float
    advance: float


@dataclasses.dataclass(frozen=True)
class Run:
    """Letters of one style. x, y: their place, or dx, dy: their shift against the run before; y downwards."""

    words: str
    size: float | None
    italic: bool
    bold: bool
    place: dict[str, float]

    def attributes(self) -> dict[str, str]:
        """Those of its `tspan`; sizes and places that change nothing are left out."""
        found = {key: f"{value:.2f}" for key, value in self.place.items() if abs(value) >= 0.005}
        found |= {} if self.size is None else {"font-size": f"{self.size:g}"}
        found |= {"font-style": "italic"} if self.italic else {}
        return found | ({"font-weight": "bold"} if self.bold else {})


@dataclasses.dataclass(frozen=True)
class Formula:
    """A text: its runs, and the bars of fractions and roots (x, y, width, height), y downwards.

    size: of the type; least: of the smallest letters. absolute: whether the runs have places of their own.
    """

    runs: tuple[Run, ...]
    size: float
    least: float
    bold: bool = False
    absolute: bool = False
    bars: tuple[tuple[float, float, float, float], ...] = ()


def plain(words: str, font: Any) -> Formula:
    """A text without formulas."""
    size = font.get_size_in_points()
    italic = font.get_style() != "normal"
    return Formula((Run(words, None, italic, False, {}),), size, size, bold=font.get_weight() in ("bold", 700))


def set_formula(words: str, font: Any, least: float) -> Formula:
    """A text with formulas between dollar signs, none of its letters smaller than `least`."""
    from matplotlib.mathtext import MathTextParser

    parsed = MathTextParser("path").parse(words, 72, font)
    size = font.get_size_in_points()
    # matplotlib 3.11 has put the index of the glyph between the letter and its place
    letters = [_letter(glyph[0], glyph[1], glyph[2], *glyph[-2:]) for glyph in parsed.glyphs]
    bars = tuple((x, -y - height, width, height) for x, y, width, height in parsed.rects)
    ordered = sorted(letters, key=lambda letter: letter.x)
    gaps = [b.x - a.x - a.advance for a, b in itertools.pairwise(ordered)]
    in_a_row = not bars and all(gap > -OVERLAP * a.size for gap, a in zip(gaps, ordered, strict=False))
    runs = _flowing(ordered, [0.0, *gaps], size, least) if in_a_row else _placed(letters, size, least)
    smallest = min((max(letter.size, least) for letter in letters), default=size)
    return Formula(runs, size, smallest, absolute=not in_a_row, bars=bars)


def _letter(font: Any, size: float, code: int, x: float, y: float) -> Letter:
    slant, weight = _style(font.fname)
    font.set_size(size, 72)
    advance = font.load_char(code).linearHoriAdvance / 65536
    return Letter("\u00a0" if code == 32 else chr(code), size, slant, weight, x, y, advance)


@functools.cache
def _style(path: str) -> tuple[bool, bool]:
    from matplotlib.font_manager import get_font, ttfFontProperty

    entry = ttfFontProperty(get_font(path))
    return entry.style != "normal", entry.weight not in (400, "normal")


def _flowing(letters: Sequence[Letter], gaps: Sequence[float], size: float, least: float) -> tuple[Run, ...]:
    """Runs that follow each other; `gaps` before each letter."""
    runs: list[Run] = []
    before = None
    for letter, gap in zip(letters, gaps, strict=True):
        if before is not None and _continues(letter, before):
            runs[-1] = dataclasses.replace(runs[-1], words=runs[-1].words + letter.letter)
        else:
            shift = {"dx": gap if gap >= CLOSE * letter.size else 0.0, "dy": (before.y if before else 0) - letter.y}
            runs.append(_run(letter, shift, size, least))
        before = letter
    return tuple(runs)


def _placed(letters: Sequence[Letter], size: float, least: float) -> tuple[Run, ...]:
    """Runs that keep their places."""
    runs: list[Run] = []
    before = None
    for letter in letters:
        if before is not None and _continues(letter, before):
            runs[-1] = dataclasses.replace(runs[-1], words=runs[-1].words + letter.letter)
        else:
            runs.append(_run(letter, {"x": letter.x, "y": -letter.y}, size, least))
        before = letter
    return tuple(runs)


def _continues(letter: Letter, before: Letter) -> bool:
    """Whether a letter follows another one in the same style and row, without a gap."""
    looks = [(one.size, one.italic, one.bold, one.y) for one in (letter, before)]
    return looks[0] == looks[1] and abs(letter.x - before.x - before.advance) < CLOSE * letter.size


def _run(letter: Letter, place: dict[str, float], size: float, least: float) -> Run:
    own = None if letter.size == size else max(letter.size, least)
    return Run(letter.letter, own, letter.italic, letter.bold, place)
