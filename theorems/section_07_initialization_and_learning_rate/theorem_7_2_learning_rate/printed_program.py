"""The printed program of Theorem 7.2: instances, and its optimality conditions as a linear system."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions

problems = regressions(max_rows=4, max_excess=4).map(gently_conditioned)


def optimality_system(
    X: np.ndarray, y: np.ndarray, theta0: np.ndarray, coefficient: float | Fraction
) -> tuple[np.ndarray, np.ndarray]:
    """The matrix and right-hand side of the stationary (theta, multiplier) of the printed program.

    2(theta - theta_0) + 2 coefficient H theta + X'mu = 0 and X theta = y; the print has coefficient eta/2.
    """
    n, p = X.shape
    matrix = np.block([[2 * np.eye(p, dtype=int) + 2 * coefficient * X.T @ X, X.T], [X, np.zeros((n, n), int)]])
    return matrix, np.concatenate([2 * theta0, y])


@expects(integer="[0], [1], [2]")
@st.composite
def programs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, Fraction]:
    """X (2, 3) of rank 2, y, theta_0 in integers, and a coefficient in quarters in [-8, 8]."""
    tape = draw(tapes(6 + 2 + 3 + 1))
    X = tape.integers((2, 3), 3).astype(int)
    X[0, 0], X[1, 0], X[1, 1] = 1 + abs(X[0, 0]), 0, 1 + abs(X[1, 1])
    data = (tape.integers(size, 4).astype(int).tolist() for size in (2, 3))
    return fractions(X.tolist()), *map(fractions, data), Fraction(int(tape.integers(1, 32)[0]), 4)
