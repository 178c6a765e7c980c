r"""Text with formulas between dollar signs, as HTML with MathML.

The docstrings write formulas in LaTeX between dollar signs, and names of code between backquotes; everything else is
plain text. Needs latex2mathml (extra `report`).
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from typing import Literal

Kind = Literal["text", "formula", "code"]

_BAR = re.compile(r"<mo(?: [a-z]+=\"false\")*>(&#x0007C;|&#x02016;)</mo>")
_BEFORE = (
    r"&#x00028;|\[|&#x0007B;|&#x0002C;|&#x0003D;|&#x02264;|&#x02265;|&lt;|&gt;|&#x02192;"  # ( [ { , = <= >= < > ->
)
_OPENING = r"<mrow>|<mo(?: [^>]*)?>(?:&#x00028;|\[|&#x0007B;)</mo>|<mi>&#x027E8;</mi>"
_NAME = re.compile(
    rf"(?P<opening>{_OPENING})?<mo>(?P<name>[A-Za-z]{{2,}})</mo>(?P<bracket><mo(?: [^>]*)?>&#x00028;</mo>)?"
)
_SIGN = re.compile(rf"(<mo(?: [^>]*)?>(?:{_BEFORE})</mo>)<mo>(&#x02212;|&#x0002B;|&#x000B1;)</mo>")

_PIECE = re.compile(r"\$(?P<formula>[^$]+)\$|`(?P<code>[^`]+)`")


class FormulaError(ValueError):
    """A formula that is not closed, or that latex2mathml cannot convert; the message quotes it."""


def pieces(text: str) -> Iterator[tuple[Kind, str]]:
    """The text cut into plain text, formulas and code, in order, without their marks.

    Raises FormulaError for a dollar sign that is left over.
    """
    start = 0
    for match in _PIECE.finditer(text):
        yield from _plain(text[start : match.start()], text)
        kind: Kind = "formula" if match["formula"] else "code"
        yield kind, match[kind]
        start = match.end()
    yield from _plain(text[start:], text)


def _plain(words: str, text: str) -> Iterator[tuple[Kind, str]]:
    if "$" in words:
        raise FormulaError(f"a dollar sign has no partner in {text[:60]!r}")
    if words:
        yield "text", words


@functools.cache
def as_mathml(formula: str) -> str:
    """The formula, LaTeX without its dollar signs, as a MathML element in a line.

    Raises FormulaError where a command is left: latex2mathml passes on what it does not know.
    """
    from latex2mathml.converter import convert

    try:
        element = convert(formula.strip())
    except Exception as error:  # its exceptions have no common base
        raise FormulaError(f"${formula}$ does not convert ({type(error).__name__})") from None
    if left := re.search(r"\\\s*\w*", element):
        raise FormulaError(f"${formula}$ does not convert: {left[0]} is left")
    return _spaced(element)


def _spaced(element: str) -> str:
    """The element with the spaces of print.

    There is none beside a bar or a slash, between a sign and its number or a name and its bracket, and before a name
    that opens a formula or a bracket. A browser takes all of them for operators between two terms, since latex2mathml
    puts a formula into one row.
    """
    element = _BAR.sub(r'<mo fence="false" stretchy="false" lspace="0" rspace="0">\1</mo>', element)
    element = element.replace("<mo>&#x0002F;</mo>", '<mo lspace="0" rspace="0">&#x0002F;</mo>')
    element = _NAME.sub(_name, element)
    return _SIGN.sub(r'\1<mo form="prefix">\2</mo>', element)


def _name(match: re.Match[str]) -> str:
    opening, bracket = match["opening"] or "", match["bracket"] or ""
    spaces = ' lspace="0"' * bool(opening) + ' rspace="0"' * bool(bracket)
    return f"{opening}<mo{spaces}>{match['name']}</mo>{bracket}"


def as_html(text: str) -> str:
    """The text as HTML: escaped, its formulas as MathML, its code in `code` elements. Raises FormulaError."""
    made = {"text": html.escape, "formula": as_mathml, "code": lambda code: f"<code>{html.escape(code)}</code>"}
    return "".join(made[kind](words) for kind, words in pieces(text))
