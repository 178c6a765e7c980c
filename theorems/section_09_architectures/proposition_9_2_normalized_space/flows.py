"""Gradient flow of a direction v and a scale gamma up to the point where it has settled, and bounds of its limit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_flow import Flow, gradient_flow
from theorems.section_09_architectures.normalization.dynamics import weight_norm_slopes
from theorems.section_09_architectures.normalization.problems import DirectedRegression

FINAL_RESIDUAL = 1e-4
"""A flow ends where the largest residual |X beta - y| of the batch has fallen to this."""


def settled_flow(
    slopes: Callable[..., tuple[np.ndarray, np.ndarray]],
    lengths: Callable[[DirectedRegression, np.ndarray], np.ndarray],
    problem: DirectedRegression,
    times: np.ndarray,
) -> Flow:
    """The flow of (v, gamma) at these times, in units of 1/s_1^2, and at the end, where the batch has settled.

    It has settled where the largest |X beta - y| of the batch is FINAL_RESIDUAL. The predictor is
    beta = gamma v/lengths(problem, v).
    """

    def fields(state: np.ndarray) -> np.ndarray:
        dv, dgamma = slopes(problem, state[:, :-1], state[:, -1])
        return np.concatenate([dv, dgamma[:, None]], axis=1) / np.square(problem.sigma_max)[:, None]

    def excess_residual(state: np.ndarray) -> float:
        v, gamma = state[:, :-1], state[:, -1]
        beta = (gamma / lengths(problem, v))[:, None] * v
        return norm(np.matvec(problem.X, beta) - problem.y, axis=-1).max() - FINAL_RESIDUAL

    start = np.concatenate([problem.v, problem.gamma[:, None]], axis=1)
    return gradient_flow(fields, start, times, until=excess_residual)


def weight_norm_flow(problem: DirectedRegression, times: np.ndarray) -> Flow:
    """The flow of weight normalization, beta = gamma v/|v|, up to the point where it has settled."""
    return settled_flow(weight_norm_slopes, lambda _, v: norm(v, axis=-1), problem, times)


def limit_bounds(
    least: float | np.ndarray, gamma: float | np.ndarray, rho: float | np.ndarray, log_k: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of gamma^2 at the limit of weight normalization.

    least is |X^+ y|, gamma and rho are gamma_0 and |v_0|, and log_k is the logarithm of the share k of |v_0|^2 in
    null(X). The lower bound is the larger of |X^+ y|^2 and gamma_0^2 - rho^2 ln(1/k). The upper bound is
    M + rho^2 max(1, ln(1 + M/rho^2)), with M the larger of |X^+ y|^2 and gamma_0^2. For k = 0 both are |X^+ y|^2.
    """
    M = np.maximum(least, np.abs(gamma)) ** 2
    upper = M + rho**2 * np.maximum(1, np.log1p(M / rho**2))
    return np.maximum(least**2, gamma**2 + rho**2 * log_k), np.where(np.isneginf(log_k), least**2, upper)
