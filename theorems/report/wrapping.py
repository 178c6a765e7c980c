"""Formulas that fit a narrow screen: browsers do not break the lines of MathML, so a long formula becomes several.

A formula is cut where a typesetter would cut it: before a relation, after a comma, and, where that is not enough,
before a sum's sign; never inside brackets or a norm. A piece that is still wide scrolls by itself.
"""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

NARROW = 18.0
"""The width, in letters, that always fits: some 270 px, which a clause has on a phone of 375 px."""

Break = Callable[[list[ET.Element], int], bool]

_MATH = re.compile(r"([(\[]*)(<math .*?</math>)([.,;:!?)\]]*)", re.DOTALL)
"""A formula with the brackets before it and the punctuation behind it, from which no line break may part it."""
_RELATIONS = frozenset("=<>≤≥≠∼≈≃≅≡→⟶⇒⟹⇔⟺∈⊂⊆∝≪≫↦∣")
_SIGNS = frozenset("+−±∓")
_OPENING, _CLOSING = frozenset("([{⟨⌊⌈"), frozenset(")]}⟩⌋⌉")
_BARS = ("|", "‖", "∥")
_SMALL = 0.7
"""The size of a script beside its base."""


def fitted(markup: str) -> str:
    """The HTML with each formula of it cut into pieces that a phone can show, without what HTML does not need."""
    return _MATH.sub(lambda match: _with_marks(match[1], _pieces(match[2]), match[3]), markup)


def _with_marks(before: str, pieces: tuple[str, ...], after: str) -> str:
    """The pieces of a formula with a possible line break between them, and none between a piece and its marks."""
    marked = list(pieces)
    marked[0] = before + marked[0]
    marked[-1] += after
    kept = (f'<span class="kept">{new}</span>' if new != old else old for new, old in zip(marked, pieces, strict=True))
    return "<wbr>".join(kept)


@functools.cache
def _pieces(element: str) -> tuple[str, ...]:
    math = ET.fromstring(element.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "", 1))
    math.attrib.pop("display", None)
    if width(math) <= NARROW:
        return (ET.tostring(math, encoding="unicode"),)
    row = list(math[0]) if len(math) == 1 and math[0].tag == "mrow" else list(math)
    cut = [part for piece in _cut(row, _ends_clause) for part in _cut_if_wide(piece)]
    return tuple(map(_as_math, cut))


def _cut_if_wide(row: list[ET.Element]) -> Iterator[list[ET.Element]]:
    if sum(map(width, row)) <= NARROW:
        yield row
    else:
        yield from _cut(row, _is_sign)


def _cut(row: list[ET.Element], is_break: Break) -> Iterator[list[ET.Element]]:
    """The row in pieces, cut before each child at which there is a break outside of brackets and norms."""
    piece: list[ET.Element] = []
    for index, (child, is_inside) in enumerate(zip(row, _insides(row), strict=True)):
        if piece and not is_inside and is_break(row, index) and sum(map(width, piece)) > 1:
            yield piece
            piece = []
        piece.append(child)
    yield piece


def _insides(row: list[ET.Element]) -> Iterator[bool]:
    """For each child, whether it stands inside of brackets, or between two bars of a kind that come in pairs."""
    marks = [_mark(child) for child in row]
    paired = [bar for bar in _BARS if marks.count(bar) % 2 == 0]
    depth, opened = 0, set()
    for mark in marks:
        yield depth > 0 or bool(opened)
        depth += (mark in _OPENING) - (mark in _CLOSING)
        opened ^= {mark} & set(paired)


def _ends_clause(row: list[ET.Element], index: int) -> bool:
    return _text(row[index]) in _RELATIONS or _text(row[index - 1]) in {",", ";"}


def _is_sign(row: list[ET.Element], index: int) -> bool:
    return _text(row[index]) in _SIGNS and row[index].get("form") != "prefix"


def _mark(child: ET.Element) -> str:
    """The bracket or bar that a child is, with or without an exponent, or another sign, or nothing."""
    return _text(child[0] if child.tag.startswith("ms") and len(child) else child)


def _text(element: ET.Element) -> str:
    return (element.text or "").strip() if element.tag in {"mo", "mi"} else ""


def _as_math(row: list[ET.Element]) -> str:
    if _text(row[0]) in _RELATIONS | _SIGNS:
        row[0].tag = "mo"
        row[0].set("form", "infix")  # as the first of its row it would be a prefix, without spaces
    math = ET.Element("math")
    math.extend(row)
    markup = ET.tostring(math, encoding="unicode")
    is_wide = sum(map(width, row)) > NARROW
    return f'<span class="wide" tabindex="0">{markup}</span>' if is_wide else markup


def width(element: ET.Element) -> float:
    """About how wide a MathML element is, in letters."""
    tag, parts = element.tag, [width(child) for child in element]
    if not parts:
        text = element.text or ""
        return len(text) + (1.0 if text in _RELATIONS | _SIGNS else 0.0)
    if tag in {"msub", "msup"}:
        return parts[0] + _SMALL * parts[1]
    if tag in {"msubsup", "munder", "mover", "munderover"}:
        return parts[0] + _SMALL * max(parts[1:])
    if tag == "mfrac":
        return _SMALL * max(parts) + 0.5
    if tag == "mtable":
        return max(parts)
    return sum(parts)
