"""Gradient descent on W = UU' from alpha I under measurements that commute, and the bounds of Theorem 4.1 (c).

A is the list of measurements, w the eigenvalues of W; in their common basis row i of a has the eigenvalues of A_i.
"""

from __future__ import annotations

import numpy as np

from fixtures.dynamics.paths import at_time, until_fitted
from fixtures.precision import rounding
from fixtures.problems.sensing import CommutingSensing, Sensing
from properties.spectra.nuclear_norm import entropy, operator_norm
from theorems.section_04_deep_linear_networks.deep_products.matrix_sensing import Factored, factored_path
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.starts import ALPHAS, FIT_TOLERANCE


def descend_tied_layers(problem: CommutingSensing, t: int) -> tuple[Factored, np.ndarray]:
    """Gradient descent on W = UU' from alpha I at time t: the state, and the absolute rounding of its eigenvalues.

    To first order in u. In a step U goes through d roundings for UU', d^2 for a measurement, m <= 2 for the gradient, d
    for the move, and 4 for products and differences. The eigenvectors of the measurements are known to 40 d u. A row of
    Q'UQ is multiplied only by its own factors, whose product is at most |U|/alpha. W is quadratic in U.
    """
    state = at_time(factored_path(problem.gradient, problem.start(), problem.step()), t)
    size = operator_norm(state.W) + problem.alpha**2
    d = problem.dimension
    step = d**2 + 2 * d + 6 + 40 * d
    return state, rounding(2 * (t + 1) * step, size * (1 + np.sqrt(size) / problem.alpha))


def bound_on_D(state: Factored) -> np.ndarray:
    """The upper bound 2 sum_t |2 eta G_t|_F^2 of D, by which finite steps lower the logarithms of the eigenvalues."""
    return 2 * state.squared


def excess_of_trace(w_1: np.ndarray, w: np.ndarray, state: Factored, alpha: float | np.ndarray) -> np.ndarray:
    """[K(w_1) - K(w) + |D| tr w_1]/ln(1/alpha^2), an upper bound of the trace of w less that of w_1."""
    return (entropy(w_1) - entropy(w) + bound_on_D(state) * w_1.sum(-1)) / np.log(1 / alpha**2)


def eigenvalues_of_descent(problem: CommutingSensing, t: int) -> np.ndarray:
    """The eigenvalues w (B, d) of W_t: w_j <- w_j (1 - 2 eta a_j'(aw - y))^2 from alpha^2."""
    w = problem.alpha[:, None] ** 2 * problem.inside
    for _ in range(t):
        residual = np.matvec(problem.a, w) - problem.y
        w = w * (1 - 2 * problem.step()[:, None] * np.vecmat(residual, problem.a)) ** 2
    return w


def descend_to_a_fit(a: np.ndarray, y: float, eta: float) -> Factored:
    """The states at which W = UU' fits <diag(a), W> = y, one for each start of ALPHAS; a (2,), or (3, 2) by start."""
    problem = Sensing(A=(a[..., None] * np.eye(2))[..., None, :, :] * np.ones((3, 1, 1, 1)), y=np.full((3, 1), y))
    path = factored_path(problem.gradient, ALPHAS[:, None, None] * np.eye(2), np.full(3, eta))
    return until_fitted(path, lambda state: np.abs(problem.measure(state.W) - y)[:, 0], FIT_TOLERANCE, 3000)
