"""The expected risk of the min-norm interpolant, and the bound that the paper prints for it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

Invert = Callable[[np.ndarray], np.ndarray]
Norm = Callable[[np.ndarray], Any]


def expected_risk(X: np.ndarray, w_star: np.ndarray, Sigma: np.ndarray, variance: Any, invert: Invert) -> Any:
    """The mean over the noise of R(X^+ y), the squared loss without 1/2; exact if the arguments and `invert` are."""
    pseudo_inverse = X.T @ invert(X @ X.T)
    bias = w_star - pseudo_inverse @ (X @ w_star)
    return bias @ Sigma @ bias + variance * np.trace(pseudo_inverse.T @ Sigma @ pseudo_inverse) + variance


def printed_bound(X: np.ndarray, w_star: np.ndarray, Sigma: np.ndarray, variance: Any, invert: Invert) -> Any:
    """The printed right-hand side with tr((XX')^-1), called (A)."""
    return w_star @ w_star * np.trace(Sigma) * np.trace(invert(X @ X.T)) / len(X) + variance


def corrected_bound(
    X: np.ndarray, w_star: np.ndarray, Sigma: np.ndarray, variance: Any, invert: Invert, operator_norm: Norm
) -> Any:
    """The right-hand side of C2, with this operator norm of symmetric matrices."""
    mismatch = operator_norm(Sigma - X.T @ X / len(X))
    return w_star @ w_star * mismatch + variance * (1 + operator_norm(Sigma) * np.trace(invert(X @ X.T)))


def largest_of_diagonal(matrix: np.ndarray) -> Any:
    """The operator norm of a diagonal matrix, exact."""
    return np.abs(matrix.diagonal()).max()


def mean_inverse_trace(n: int, p: int) -> Fraction:
    """E tr (XX')^-1 for standard Gaussian rows and p > n + 1, as test_gaussian_designs.py shows."""
    return Fraction(n, p - n - 1)


def mean_risk(n: int, p: int, signal: Any, variance: Any) -> Any:
    """The mean risk of C3 over standard Gaussian rows, with signal = |w_*|^2."""
    return signal * (1 - Fraction(n, p)) + variance * mean_inverse_trace(n, p) + variance


def mean_printed_bound(n: int, p: int, signal: Any, variance: Any) -> Any:
    """The mean of (A) over standard Gaussian rows, with signal = |w_*|^2."""
    return signal * p * mean_inverse_trace(n, p) / n + variance


def threshold(n: int, p: int) -> Fraction:
    """The |w_*|^2/sigma^2 of C3 from which on the mean risk is at most the mean of (A)."""
    return Fraction(n * p, (2 * n + 1) * p - n * (n + 1))
