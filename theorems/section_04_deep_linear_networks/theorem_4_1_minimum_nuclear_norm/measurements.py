"""Linear measurements for Theorem 4.1 (c): three that do not commute, and a check whether given ones commute."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.sensing import Sensing

NON_COMMUTING = Sensing(
    A=np.array(
        [[[2, 0, -1], [0, -2, 0], [-1, 0, 1]], [[0, 2, 1], [2, 2, 1], [1, 1, -1]], [[1, 2, -2], [2, -1, 1], [-2, 1, 1]]]
    ),
    y=np.array([12, -12, 12]),
)


def commute(A: np.ndarray) -> np.ndarray:
    """Whether the measurements A (..., m, d, d) are symmetric and commute, up to rounding."""
    products = A[..., :, None, :, :] @ A[..., None, :, :, :]
    commutators = products - products.swapaxes(-4, -3)
    # Q diag(a) Q' with Q of three reflections, in the three matrices of a commutator; its products and difference
    d = A.shape[-1]
    allowed = rounding(3 * (3 * 4 + 2 * d) + 2 * d + 1, norm(A, axis=(-2, -1)).max(-1))
    return (norm(A - A.mT, axis=(-2, -1)).max(-1) <= allowed) & (
        norm(commutators, axis=(-2, -1)).max((-2, -1)) <= allowed * norm(A, axis=(-2, -1)).max(-1)
    )
