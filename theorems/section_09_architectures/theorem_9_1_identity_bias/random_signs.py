"""Branches whose entries are independent random signs: the mean square of the states, summed over all signs."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.signs import every_sign_network
from fixtures.problems.tapes import tapes


def mean_square_of_signs(d: int, L: int, s: Fraction, x: np.ndarray) -> tuple[Fraction, Fraction]:
    """E|h_L|^2 and E|h_1 - h_0|^2 for h_{l+1} = h_l + s A_l h_l, the mean over all sign matrices A_l (d, d). Exact."""
    p, q = s.numerator, s.denominator
    h = np.broadcast_to(x, (2 ** (L * d * d), d))
    layers = every_sign_network((d,) * (L + 1))
    first = p * np.matvec(layers[0], h)
    for A in layers:
        h = q * h + p * np.matvec(A, h)
    count = len(h)
    return Fraction(int((h**2).sum()), count * q ** (2 * L)), Fraction(int((first**2).sum()), count * q**2)


@expects(positive="[0], [1], [2], [3]")
@st.composite
def random_branches(draw: st.DrawFn) -> tuple[int, int, Fraction, np.ndarray]:
    """A dimension d, a depth L, the scale s of the signs, and an integer input x (d,).

    There are at most twelve signs, and L d s^2 <= 1.
    """
    tape = draw(tapes(5))
    d, L = tape.choice([(1, 1), (1, 2), (2, 1), (2, 2), (1, 5), (2, 3), (1, 9), (3, 1)])
    return d, L, Fraction(1, math.isqrt(L * d - 1) + 1 + tape.below(4)), 1 + tape.naturals(3, 3)[:d]
