"""Directions of the flow and of the shortest path for two diagonal layers, exactly; sums of squares of layers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from properties.certificates import assert_violates
from properties.search import smallest_violation

Pair = tuple[Fraction, Fraction]


def complex_product(z: Pair, w: Pair) -> Pair:
    """The product of two complex numbers, pairs of fractions."""
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def area_between_directions(alpha: Fraction, end: Pair, power: int) -> Fraction:
    """The cross product of the directions of the flow and of the shortest path at v = alpha (1, 1), two layers; exact.

    end: the square roots of the two targets. power: q of the weight |v|^q. The shortest path is a segment of z^(q+1):
    its direction is (end^(q+1) - start^(q+1)) times the conjugate of start^q, that is, of (1 + i)^q.
    """
    start, q = (alpha, alpha), power
    first, last, factor = start, end, (Fraction(1), Fraction(0))
    for _ in range(q):
        first, last, factor = (
            complex_product(first, start),
            complex_product(last, end),
            complex_product(factor, (Fraction(1), Fraction(-1))),
        )
    shortest = complex_product((last[0] - first[0], last[1] - first[1]), factor)
    flow = [target**2 - alpha**2 for target in end]
    return shortest[0] * flow[1] - shortest[1] * flow[0]


def squares(layers: Sequence[np.ndarray]) -> Any:
    """Sum of |W_l|_F^2, over the last two axes of every layer."""
    return sum((W**2).sum((-2, -1)) for W in layers)


def assert_a_search_finds_another_direction(power: int) -> None:
    """Search alpha = 1/k and targets (1, (b/4)^2) for which the flow leaves the shortest path at once."""

    def area(instance: tuple[int, int]) -> Fraction:
        k, b = instance
        return abs(area_between_directions(Fraction(1, k), (Fraction(1), Fraction(b, 4)), power))

    found = smallest_violation(st.tuples(st.integers(2, 6), st.integers(0, 4)), lambda pair: area(pair) > 0, budget=60)
    names = {"alpha": Fraction(1, found[0]), "v": [1, Fraction(found[1], 4)]}
    assert_violates(area(found), 0, reads="area between the directions {value} > {limit}", **names)
