"""Models whose risk, loss and Hessian are rational, for witnesses against the printed bound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from fixtures.rational import fractions, leading_pivots
from properties.certificates import assert_identical


def half_square(f: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The loss (f - y)^2/2 of each sample."""
    return (f - y) ** 2 / 2


def atoms(count: int, epsilon: Fraction) -> np.ndarray:
    """The inputs epsilon e_i, one to a row. All are equally likely, and all have the target 1."""
    return epsilon * fractions(np.eye(count, dtype=int))


def mean_loss(X: np.ndarray, w: np.ndarray) -> Fraction:
    """The mean of (w'x - 1)^2/2 over the rows of X: the training loss on a sample, the risk on all atoms."""
    return half_square(X @ w, 1).sum() / len(X)


def exact_hessian(loss: Callable[[np.ndarray], Fraction], theta: np.ndarray) -> np.ndarray:
    """The Hessian of a polynomial of degree at most five, by the five-point formula, which is exact for it."""

    def along(v: np.ndarray) -> Fraction:
        values = [loss(theta + k * v) for k in (-2, -1, 0, 1, 2)]
        return np.array([-1, 16, -30, 16, -1]) @ values / Fraction(12)

    basis = fractions(np.eye(len(theta), dtype=int)) / 1000
    second = [[(along(v + w) - along(v - w)) / 4 for w in basis] for v in basis]
    return np.array(second) * 1000**2


def assert_sharpness(H: np.ndarray, S: Fraction) -> None:
    """Assert that S is the largest eigenvalue of H: S I - H is positive semidefinite and singular, exactly."""
    assert_identical(min(leading_pivots(S * fractions(np.eye(len(H), dtype=int)) - H)), 0, why="S = lambda_max(H)")
