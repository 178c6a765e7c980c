"""The expected risk of the min-norm interpolant, and the bound that the paper prints for it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Invert = Callable[[np.ndarray], np.ndarray]


def expected_risk(X: np.ndarray, w_star: np.ndarray, Sigma: np.ndarray, variance: Any, invert: Invert) -> Any:
    """The mean over the noise of R(X^+ y), the squared loss without 1/2; exact if the arguments and `invert` are."""
    pseudo_inverse = X.T @ invert(X @ X.T)
    bias = w_star - pseudo_inverse @ (X @ w_star)
    return bias @ Sigma @ bias + variance * np.trace(pseudo_inverse.T @ Sigma @ pseudo_inverse) + variance


def printed_bound(X: np.ndarray, w_star: np.ndarray, Sigma: np.ndarray, variance: Any, invert: Invert) -> Any:
    """The printed right-hand side with tr((XX')^-1), called (A)."""
    return w_star @ w_star * np.trace(Sigma) * np.trace(invert(X @ X.T)) / len(X) + variance


def mean_inverse_trace(n: int, p: int) -> Fraction:
    """E tr (XX')^-1 for standard Gaussian rows and p > n + 1, as test_gaussian_designs.py shows."""
    return Fraction(n, p - n - 1)
