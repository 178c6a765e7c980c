"""The exact recovery condition for a set of columns, and the rounding of weights on these columns."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.sparse import Recoverable
from fixtures.rational import solve


def recovery_coefficients(X: np.ndarray, A: list[int]) -> np.ndarray:
    """|X_A^+ x_j|_1 for every column j outside A, for independent columns A; exact recovery has all below 1. Exact."""
    X_A, others = X[:, A], np.delete(X, A, axis=1)
    return np.abs(solve(X_A.T @ X_A, X_A.T @ others)).sum(0)


def distance_rounding(problem: Recoverable) -> np.ndarray:
    """A bound on the rounding in |w - w*| for weights that are zero outside A: 64 (n + p) u (|y| + 3 k) / sigma_min^2.

    The residual of a computed w on A is off by (n + p) u (|w|_1 + |y|) with columns of norm at most 1 and |w|_1 <= 9;
    the factors of X_A are orthogonal to 36 n u, and sigma_min turns both into distances.
    """
    size = (problem.rows + problem.columns) * (norm(problem.y, axis=-1) + 3 * problem.sparsity)
    return 64 * size * UNIT_ROUNDOFF / problem.sigma_min**2
