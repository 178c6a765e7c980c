"""How rounding enters the rise of a quadratic loss around one of its minima."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.regression import Regression


def rise_rounding(problem: Regression, w: np.ndarray) -> np.ndarray:
    """Rounding of the rise of (1/2n)|Xw - y|^2 from a minimum to a point |w_0| + 1 away, at a computed minimum w (p,).

    A residual costs n + p for w, p for Xw and 6(n + p) for the construction, times cond(X); the square doubles this.
    """
    moved = norm(w, axis=-1) + norm(problem.w0, axis=-1) + 1
    size = (problem.sigma_max * moved + norm(problem.y, axis=-1)) ** 2 / problem.rows
    return rounding(2 * 8 * (problem.rows + problem.columns) + problem.rows, problem.condition * size)
