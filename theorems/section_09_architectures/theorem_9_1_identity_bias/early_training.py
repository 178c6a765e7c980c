"""The first steps of gradient descent on linear branches that start at zero, and bounds of how far they move.

The loss is L(A) = (1/2)|prod_l (I + c A_l) X - Y|_F^2, and T is STEPS.
"""

from __future__ import annotations

import dataclasses
from itertools import islice

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import regression_loss
from fixtures.precision import rounding
from properties.deep_linear import loss_rounding, monotone_rate
from theorems.section_09_architectures.residual.dynamics import residual_descent_path, residual_layers
from theorems.section_09_architectures.residual.problems import LinearResidualProblem

STEPS = 12
"""How many steps count as early training."""
STEP_DIVISOR = 64
"""The step is 1/STEP_DIVISOR of one for which descent is proved, so that eta beta <= 1/STEP_DIVISOR."""


@dataclasses.dataclass(frozen=True)
class EarlyRun:
    """Descent from zero branches: A (STEPS + 1, B, L, d, d), losses (STEPS + 1, B), their rounding (B,), eta (B,)."""

    A: np.ndarray
    losses: np.ndarray
    loss_error: np.ndarray
    eta: np.ndarray


def early_run(problem: LinearResidualProblem) -> EarlyRun:
    """STEPS steps of gradient descent from zero branches (H2).

    Step size (H4): 1/STEP_DIVISOR of a step for which descent is proved, in the metric of A.
    """
    zero = 0 * problem.A
    layers = residual_layers(zero, problem.scale)
    eta = monotone_rate(layers, problem.X, problem.Y, STEPS) / (STEP_DIVISOR * problem.scale**2)
    path = residual_descent_path(zero, problem.X, problem.Y, eta, problem.scale, problem.depth)
    A = np.stack(list(islice(path, STEPS + 1)))
    at = [residual_layers(weights, problem.scale) for weights in A]
    losses = np.stack([regression_loss(layers, problem.X, problem.Y) for layers in at])
    loss_error = np.max([loss_rounding(layers, problem.X, problem.Y) for layers in at], axis=0)
    return EarlyRun(A, losses, loss_error, eta)


def path_length_bound(problem: LinearResidualProblem, run: EarlyRun) -> np.ndarray:
    """A bound, (B,), of the length of the path of one A_l: STEPS times eta times the largest possible gradient.

    A gradient is at most c |X|(|X| + |Y|), times 2^(L-1) while the other layers are within 1 of I.
    """
    x, y = norm(problem.X, axis=(-2, -1)), norm(problem.Y, axis=(-2, -1))
    return STEPS * run.eta * problem.scale * x * (x + y) * 2.0 ** (problem.depth - 1)


def path_rounding(problem: LinearResidualProblem, run: EarlyRun) -> np.ndarray:
    """The rounding of A after STEPS steps, (B,).

    A gradient takes L + 2 products of inner products of three entries, and six operations with the scale, the residual
    and the step.
    """
    return rounding(3 * (problem.depth + 2) + 6, path_length_bound(problem, run))


def movement_bound(problem: LinearResidualProblem, run: EarlyRun) -> tuple[np.ndarray, np.ndarray]:
    """An upper bound of sum_l |A_l(T)|^2, and the rounding of both sides, (B,) each.

    The bound is eta T (L_0 - L_T)/(1 - eta beta/2), with eta beta <= 1/STEP_DIVISOR.
    """
    most = run.eta * STEPS / (1 - 0.5 / STEP_DIVISOR)
    steps = 2 * path_length_bound(problem, run) * path_rounding(problem, run)
    return most * (run.losses[0] - run.losses[-1]), 2 * most * run.loss_error + steps


def relative_drift(q: float) -> float:
    """How far T steps may be from T times the first step, relative to the latter: ((1 + q)^T - 1)/(qT) - 1.

    q is an upper bound of eta beta. The gradient changes by at most beta times the distance moved so far.
    """
    return ((1 + q) ** STEPS - 1) / (q * STEPS) - 1
