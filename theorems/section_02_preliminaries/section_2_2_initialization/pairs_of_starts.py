"""A second start beside the drawn one, and the difference of two runs as a formula."""

from __future__ import annotations

import numpy as np

from fixtures.problems.regression import Regression


def another_start(problem: Regression) -> np.ndarray:
    """The start X'y - w_0.

    It differs from w_0 by X'y - 2 P_row w_0 in row(X) and by -2 P_null w_0 in null(X). Either part may be zero.
    """
    return np.vecmat(problem.y, problem.X) - problem.w0


def difference_at(problem: Regression, difference: np.ndarray, decay: np.ndarray) -> np.ndarray:
    """The difference w_0 - w'_0 after its modes in row(X) have been multiplied by `decay` (B, n)."""
    return problem.in_null_space(difference) + np.matvec(problem.V, decay * np.vecmat(difference, problem.V))
