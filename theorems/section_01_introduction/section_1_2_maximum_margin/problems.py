"""Separable data of extreme scale, and every pair of classes of the digits."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from fixtures.datasets.digits import digits
from fixtures.problems.batches import stack
from fixtures.problems.separable import Separable, signed
from fixtures.problems.tapes import tapes


def pairs_of_digits() -> Separable:
    """Every two classes of digits as one batch of 45 problems."""
    images, digit = digits()
    pairs = [np.isin(digit, pair) for pair in itertools.combinations(range(10), 2)]
    return stack([signed(images[pair], np.where(digit[pair] == digit[pair].min(), 1.0, -1.0)) for pair in pairs])


@st.composite
def wide_separable(draw: st.DrawFn) -> Separable:
    """Signed points 2^k z with |k| up to 200 and integer entries in the hundreds, on one side of u = (1, +-1 to +-3).

    z . u is at least 1. It may be 1 although the entries are in the hundreds, so that the margin is small. w0 is
    2^-k times integers in [-3, 3], not all zero. Shrinks to Z = [[1]], u = [1], w0 = [1].
    """
    tape = draw(tapes(4 + 12 + 3 + 2 + 2))
    n, d, t = 1 + tape.below(4), 1 + tape.below(3), tape.time(201, least=1)
    scale = 2.0 ** tape.choice((0, 20, -20, 200, -200))
    z = tape.integers((n, d), 127)
    w0, u = tape.integers(d, 3), np.array([1.0, *(1 + tape.naturals(2, 3)) * (1 - 2.0 * tape.naturals(2, 2))])[:d]
    w0[0] += not w0.any()
    z[:, 0] += np.maximum(0, 1 - z @ u)
    return Separable(scale * z, np.ones(n, bool), u, scale / np.linalg.norm(u), w0 / scale, t, n, d)
