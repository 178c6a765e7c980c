"""Networks whose weights are random signs, and their second moments: exact sums over all signs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.signs import MOST_WEIGHTS, every_sign_network, weight_count
from fixtures.problems.tapes import tapes

FITTING = {"identity": 1, "relu": 2}
"""By activation, the f with which weights of variance f/fan-in preserve the mean square."""
WIDTHS = sorted(
    (
        widths
        for L in range(1, 6)
        for widths in itertools.product((1, 2, 3, 4), repeat=L + 1)
        if weight_count(widths) <= MOST_WEIGHTS
    ),
    key=lambda widths: (len(widths), widths),
)
"""All widths (m_0, ..., m_L) up to 4 of one to five layers, with few enough weights to enumerate their signs."""


def mean_squares(
    widths: Sequence[int], x: np.ndarray, factors: Sequence[Fraction | int], activation: str
) -> list[list[Fraction]]:
    """E|h_l|^2/m_l, E|a_l|^2/m_l and |E a_l|^2/m_l for l = 0, ..., L, over all W_l = +-sqrt(f_l/m_{l-1}). Exact.

    The network is run in integers, with signs for weights. The factor f_l/m_{l-1} of each layer is multiplied in
    afterwards, as ReLU is homogeneous.
    """
    h = a = np.broadcast_to(x, (1, len(x)))
    size, squares = Fraction(1), [(Fraction(int(x @ x), len(x)),) * 3]
    for W, factor in zip(every_sign_network(widths), factors, strict=True):
        size *= Fraction(factor) / W.shape[-1]
        h = np.matvec(W, a)
        a = np.maximum(h, 0) if activation == "relu" else h
        kinds = (h, h.size), (a, a.size), (a.sum(0), a.size * len(a))
        squares.append([size * Fraction(int((v**2).sum()), count) for v, count in kinds])
    return [list(kind) for kind in zip(*squares, strict=True)]


@expects(positive="[0]")
@st.composite
def sign_networks(draw: st.DrawFn) -> tuple[tuple[int, ...], np.ndarray]:
    """Widths of one to five layers, up to 4 and of twelve weights in all, and an input x != 0. Shrinks to 1, 1 at 1."""
    tape = draw(tapes(2 + 4))
    widths = WIDTHS[(256 * tape.below(256) + tape.below(256)) % len(WIDTHS)]
    x = tape.integers(4, 3)[: widths[0]].astype(int)
    x[0] = x[0] or 1
    return widths, x
