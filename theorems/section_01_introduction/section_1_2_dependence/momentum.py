"""Heavy ball and Nesterov's method on least squares: the iterates in closed form, and the rounding of a run."""

from __future__ import annotations

import dataclasses

import numpy as np

from fixtures.dynamics.gradient_descent import Descent, heavy_ball, nesterov
from fixtures.problems.regression import Regression
from properties.linear_models.least_squares import iterate_rounding

MOMENTUM = 0.85
RELATIVE_STEP = 0.9
"""The step eta s_1^2 of both methods; with s_i >= 0.1 s_1 all z = eta s_i^2 lie in [0.009, 0.9]."""
RECURRENCE = {
    heavy_ball: lambda z: (1 + MOMENTUM - z, MOMENTUM),
    nesterov: lambda z: ((1 + MOMENTUM) * (1 - z), MOMENTUM * (1 - z)),
}
"""Sum b and product q^2 of the roots of the error's recurrence e_{t+1} = b e_t - q^2 e_{t-1}, at z = eta s_i^2."""
AMPLIFICATION = 250
"""A bound on 1/(sin(angle)(1 - q)) of the roots q exp(+-i angle) of either method for z >= 0.009."""


def polar(sum_of_roots: np.ndarray, product_of_roots: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Modulus q and angle of the roots q exp(+-i angle) of the recurrence e_{t+1} = b e_t - q^2 e_{t-1}."""
    q = np.sqrt(product_of_roots)
    return q, np.arccos(sum_of_roots / (2 * q))


def momentum_modes(z: np.ndarray, q: np.ndarray, angle: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The factor e_t/e_0 of the recurrence with roots q exp(+-i angle) and e_1 = (1 - z) e_0."""
    return q**t * (np.cos(t * angle) + ((1 - z) / q - np.cos(angle)) * np.sin(t * angle) / np.sin(angle))


def momentum_iterate(problem: Regression, factors: np.ndarray) -> np.ndarray:
    """The iterate w_0 + V diag((1 - factors)/s) U'(y - Xw_0), with factors (B, n)."""
    modes = (1 - factors) * problem.modes(problem.y - np.matvec(problem.X, problem.w0))
    return problem.w0 + np.matvec(problem.V, problem.divide_by_s(modes))


def momentum_rounding(problem: Regression, run: Descent) -> np.ndarray:
    """How far an iterate with momentum may be from the exact one, to first order in u.

    In null(X) an error of one step is multiplied, in all later steps, by at most 1/(1 - 0.85). In row(X) its multiples
    q^t sin((t + 1) angle)/sin(angle) add up to at most 1/(sin(angle)(1 - q)) <= AMPLIFICATION. This bound is largest at
    z = 0.009. For heavy ball it is 228.2 there, with sin(angle) = 0.0561 and q = 0.9220. For Nesterov it is 246.2, with
    sin(angle) = 0.0494 and q = 0.9178. The closed form rounds by as much. Momentum doubles the operations of a step.
    """
    return 2 * iterate_rounding(problem, dataclasses.replace(run, steps=run.steps / (1 - MOMENTUM) + AMPLIFICATION))
