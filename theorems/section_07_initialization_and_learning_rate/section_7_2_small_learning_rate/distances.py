"""The distances between the iterates of gradient descent and a flow, and the bounds on them.

A flow of order 1 is gradient flow, one of order 2 is the flow of L + (eta/4)|grad L|^2.
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.precision import rounding
from fixtures.problems.regression import Regression
from fixtures.problems.separable import Separable
from properties.linear_models.least_squares import iterate_rounding
from properties.linear_models.limits import flow_rounding
from theorems.section_07_initialization_and_learning_rate.modified_flow import RidgeSum, flow_of_order, logistic

STEPS, MORE_STEPS = 12, 32
"""Numbers of steps of a run: on convex losses, and on quartics."""
CONVERGED = 1e-9
"""The size of uv - 1 down to which a run on (uv - 1)^2/2 goes."""
NEGLIGIBLE = 1000
"""The largest distance to an integrated flow is at least so many times the error of this flow."""


def iterates(loss: RidgeSum, w0: np.ndarray, eta: np.ndarray, steps: int) -> np.ndarray:
    """Gradient descent on a RidgeSum after 0, 1, ..., `steps` steps, (steps + 1, B, d)."""
    return np.stack(list(accumulate(range(steps), lambda w, _: w - eta[:, None] * loss.gradient(w), initial=w0)))


def parabola(curvature: float) -> RidgeSum:
    """L = curvature w^2/2 on the line, as a RidgeSum."""
    return RidgeSum(np.ones((1, 1, 1)), lambda s: (curvature * s, curvature + 0 * s, 0 * s))


def convex_distance(problem: Separable, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descent on a logistic loss from w_0, compared with the flow of this order after each step.

    The step eta is 0.1 to 1.9 over beta. Returns the distances (B, STEPS), the bounds on them, and the error: that of
    the flow and the rounding of the steps, inner products of d and n entries and twelve operations for each.
    """
    loss = logistic(problem.Z, problem.present, problem.rows)
    eta = (1 + problem.t % 19) / 10 * 4 * problem.rows / np.linalg.eigvalsh(problem.Z.mT @ problem.Z)[:, -1]
    flow, w = flow_of_order(order, loss, problem.w0, eta, STEPS), iterates(loss, problem.w0, eta, STEPS)
    size = norm(problem.w0, axis=-1) + STEPS * eta * norm(loss.gradient(problem.w0), axis=-1)
    slack = rounding(STEPS * (problem.rows + problem.columns + 12), size)
    return norm(w - flow.w, axis=-1)[1:].T, flow.missed[1:].T, flow.error[1:] + slack[:, None]


def mode_distance(problem: Regression, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Descent on a quadratic loss at eta = step/(2 s_1^2), compared with the flow of this order mode by mode.

    Returns (lower, distance, upper, slack), (B, n) each: the bounds on the distance and the rounding of both sides. The
    drawn time is shifted right by up to 7 bits, so that modes of every rate are seen before they have decayed.
    """
    t, eta, p = 1 + (problem.t >> problem.t % 8), problem.eta / 2, order + 1
    k = t[:, None]
    rate = (order - 1) * eta[:, None] / 2
    H, pull = problem.X.mT @ problem.X, np.vecmat(problem.y, problem.X)
    A, b = H + rate[..., None] * (H @ H), pull + rate * np.matvec(H, pull)
    # when
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, t)
    flow = affine_flow(A, b, problem.w0, t * eta)
    # the modes at the start, and x = eta s^2
    x = eta[:, None] * problem.s**2
    first = np.abs(np.vecmat(problem.w0, problem.V) - problem.divide_by_s(problem.modes(problem.y)))
    decay = first * np.exp(-k * (x + (order - 1) * x**2 / 2))
    lower, upper = -decay * np.expm1(-k * x**p / p), -decay * np.expm1(-k * x**p / (p * (1 - x)))
    slack = iterate_rounding(problem, run) + 2 * flow_rounding(problem, problem.w0, t * eta)
    return lower, np.abs(np.vecmat(run.w - flow, problem.V)), upper, slack[:, None]
