"""By how much descent shrinks the scales of a diagonal network with one sample: a run and the proved bounds."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.diagonal import DiagonalRun, descend_to_residual
from fixtures.models.diagonal import uniform
from fixtures.precision import rounding
from fixtures.problems.regression import Regression, one_sample_regressions
from properties.certificates import assert_at_most
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential, minimize

CONVERGED = 1e-9
SCALES = (1 / 2, 1.0, 1 / 30, 2.0, 1 / 10)
"""The start alpha over sqrt(|y|/|x|)."""
one_sample = one_sample_regressions(max_excess=4)


def bounds_of_C4(
    eta: np.ndarray, x: np.ndarray, y: np.ndarray, J: np.ndarray, J_P: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds eta J/(1 + delta) and eta (J_P + 4 eta y^2)/(1 - b^2) of C4 on S_i/x_i^2; x (B, p), others (B,)."""
    b = 2 * eta * np.abs(x).max(-1) * np.abs(y)
    delta = b**2 / (3 - 3 * b**2)
    return eta * J / (1 + delta), eta * (J_P + 4 * eta * y**2) / (1 - b**2)


def share_of_C4(eta: np.ndarray, x: np.ndarray, y: np.ndarray, J_half: np.ndarray) -> np.ndarray:
    """P = 1 - eta max x_i^2 (J_{1/2} + 4 eta y^2) of C4, the share of the scales that is left at least."""
    return 1 - eta * np.abs(x).max(-1) ** 2 * (J_half + 4 * eta * y**2)


def shrinkage_and_bounds(
    problem: Regression, share: np.ndarray, scale: np.ndarray
) -> tuple[DiagonalRun, np.ndarray, np.ndarray, np.ndarray]:
    """Descent on u^2 - v^2 from alpha = scale sqrt(|y|/|x|) at the rate share/K, bounds on S_i/x_i^2, and P, (B,).

    Proof, for y > 0 and x >= 0 (else swap u_i and v_i, or all of them). eta K <= 1/2 keeps rho_t = -r_t positive: a
    step multiplies it by 1 - eta K_t + O(eta^2) in [0, 1], K_t the kernel. With b_t = 2 eta x_i rho_t,
    u_i is multiplied by 1 + b_t and v_i by 1 - b_t, S_i = -sum ln(1 - b_t^2) lies between 1 and 1/(1 - b^2) times
    sum b_t^2 = eta x_i^2 A, A = sum rho_t dnu_t, nu_t = 4 eta sum_{s<t} rho_s. Let f(nu) = sum x_i 2 alpha^2
    sinh(x_i nu), so that J, the area below y - f above zero, is the value of the dual of Q. As 2 sum artanh b_s is
    between 1 and 1 + delta times x_i nu_t, P f(nu_t) <= y - rho_t <= f((1 + delta) nu_t) while e^-S_i >= P. Both sides
    fall as nu grows: A, a sum of left ends, is at least J/(1 + delta); less 4 eta y^2 it is at most the sum of right
    ends, at most the area J_P above zero below y - P f. And A <= J_{1/2} + 4 eta y^2 by induction, which is
    what P is made from, as long as P >= 1/2, which is asserted. Stopping at |r_T| leaves at most
    4 r_T^2/(8 alpha^2 |x|^2) of A.

    The bounds are near: J_P - J <= ln(1/P) J_P, as dJ/d ln(alpha^2) = -Q* and J >= Q*, both at the maximizer; and
    4 eta y^2 <= 2 eta K J, as the convex f of slope K/4 at most leaves an area of 2 y^2/K. So (J_P + 4 eta y^2)/J is
    at most 1/(1 - ln(1/P)) + 2 eta K: for P >= 2/3 and eta K <= 1/16 below 2 (1 - b^2)/(1 + delta) of the doubled rate.
    """
    x, y = problem.X[:, 0], problem.y[:, 0]
    alpha = scale * np.sqrt(np.abs(y) / norm(x, axis=-1))
    widest = np.abs(x).max(-1)
    eta = share / (8 * alpha**2 * norm(x, axis=-1) ** 2 + 4 * np.abs(y) * widest)
    run = descend_to_residual(problem.X, problem.y, uniform(alpha, x), eta, CONVERGED * np.abs(y))
    left = np.abs(np.vecdot(run.network.w, x) - y)
    assert_at_most(left, 2 * CONVERGED * np.abs(y), why="the run has converged", instance=problem)

    def least_value(scale: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        potential = DiagonalPotential(2, (alpha * np.sqrt(scale))[:, None])
        best = minimize(potential, problem)
        value = np.vecdot(best.w, best.z) - potential.conjugate(best.z)
        hidden = rounding(2 * problem.columns + 8, np.vecdot(best.w, best.z) * (1 + norm(best.z, axis=-1)))
        return value, best.gap + hidden

    half, more = least_value(0.5)
    P = share_of_C4(eta, x, y, half + more)
    assert_at_most(0.5, P, why="the scales keep one half", instance=problem)
    (J, less), (J_P, more) = least_value(1.0), least_value(P)
    tail = (CONVERGED * y) ** 2 / (2 * alpha**2 * norm(x, axis=-1) ** 2)
    lower, upper = bounds_of_C4(eta, x, y, J - less, J_P + more)
    return run, lower - eta * tail, upper, P
