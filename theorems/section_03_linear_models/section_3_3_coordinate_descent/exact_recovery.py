"""The exact recovery condition for a set of columns, and the rounding of weights on these columns."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.sparse import Recoverable
from fixtures.rational import solve


def recovery_coefficients(X: np.ndarray, A: list[int]) -> np.ndarray:
    """|X_A^+ x_j|_1 for every column j outside A, for independent columns A; exact recovery has all below 1. Exact."""
    X_A, others = X[:, A], np.delete(X, A, axis=1)
    return np.abs(solve(X_A.T @ X_A, X_A.T @ others)).sum(0)


def distance_rounding(problem: Recoverable) -> np.ndarray:
    """A bound on the rounding in |w - w*| for weights that are zero outside A, where |w|_1 <= 3k.

    Columns of A have norm at most s_1. A computed residual of w on A has p + 1 roundings of s_1 |w|_1 + |y|, and its
    correlations have n, of s_1 times that; the factors of X_A are orthogonal to 36 n u. Over sigma_min^2 both are
    distances.
    """
    residual = norm(problem.y, axis=-1) + 3 * problem.sparsity * problem.sigma_max
    size = residual * problem.sigma_max / problem.sigma_min**2
    return rounding(19 * problem.rows + problem.columns + 1, size)
