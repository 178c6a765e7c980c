"""Numbers as a reader wants them: the two sides of a witness, fractions with their decimals, ratios in three digits."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from fractions import Fraction

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:/\d+)?"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A witness taken apart. instance: what is given. pieces: the comparison as (text, is_number), in order."""

    instance: str
    pieces: list[tuple[str, bool]]


def comparison_of(witness: str, templates: Iterable[str] = ()) -> Comparison:
    """The instance of a witness, and its comparison with the two numbers that are compared marked.

    templates: the certificates of its test, in which {value} and {limit} stand for the numbers. A witness that fits no
    template has its comparison whole, without marks.
    """
    instance, colon, told = witness.rpartition(": ")
    for template in templates:
        if "{value}" in template and (match := _pattern(template).search(witness)):
            return Comparison(witness[: match.start()].rstrip(": "), _marked(match))
    return Comparison(instance if colon else "", [(told, False)])


def _pattern(template: str) -> re.Pattern[str]:
    escaped = re.escape(template)
    for name in ("value", "limit"):
        escaped = escaped.replace(rf"\{{{name}\}}", f"(?P<{name}>{_NUMBER})", 1)
    return re.compile(f"{escaped}$")


def _marked(match: re.Match[str]) -> list[tuple[str, bool]]:
    text, start, pieces = match.string, match.start(), []
    for begin, end in sorted(match.span(name) for name in match.re.groupindex):
        pieces += [(text[start:begin], False), (text[begin:end], True)]
        start = end
    pieces.append((text[start : match.end()], False))
    return [(piece, is_number) for piece, is_number in pieces if piece]


def decimal(number: str) -> str | None:
    """A fraction as a decimal of three digits, with the sign that says whether it is exact; None for what is none."""
    if "/" not in number:
        return None
    exact = Fraction(number)
    rounded = f"{float(exact):.3g}"
    return f"= {rounded}" if Fraction(rounded) == exact else f"≈ {rounded}"


def ratio_text(ratio: float | None) -> str:
    """A ratio in three digits, or a dash where there is none."""
    return "–" if ratio is None else f"{ratio:.3g}"
