"""The limit of gradient descent on least squares: a point, and a radius within which the limit lies."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import Descent, gradient_descent, steps_to_contract
from fixtures.precision import factorization, rounding
from fixtures.problems.regression import Regression
from properties.linear_models.least_squares import iterate_rounding, oracle_rounding

CONVERGED = 1e-11


@dataclasses.dataclass(frozen=True)
class Limit:
    """The limit of a run lies within `radius` of `w` (p,), in the Euclidean norm; `run` is the run that ended at w."""

    w: np.ndarray
    radius: np.ndarray
    run: Descent


def contraction(problem: Regression, eta: float | np.ndarray) -> np.ndarray:
    """The factors 1 - eta s_i^2 by which one step multiplies the modes of the error, (B, n); 0 in the padding."""
    return np.where(problem.s > 0, 1 - np.asarray(eta)[..., None] * problem.s**2, 0)


def limit_of_descent(problem: Regression, start: np.ndarray, step: float | None = None) -> Limit:
    """Run gradient descent for a number of steps fixed beforehand: its slowest mode then has shrunk by CONVERGED.

    step: eta s_1^2 in (0, 2), or None for the fastest step, eta = 2/(s_1^2 + s_n^2).
    Radius: CONVERGED |w_0 - limit| <= CONVERGED |Xw_0 - y|/s_n, plus the rounding of the iterate.
    """
    fastest = 2 / (problem.sigma_max**2 + problem.sigma_min**2)
    eta = fastest if step is None else step / problem.sigma_max**2
    steps = steps_to_contract(np.abs(contraction(problem, eta)).max(-1), CONVERGED)
    run = gradient_descent(problem.X, problem.y, start, eta, steps)
    left = CONVERGED * norm(np.matvec(problem.X, start) - problem.y, axis=-1) / problem.sigma_min
    return Limit(run.w, left + iterate_rounding(problem, run), run)


def interpolant_rounding(problem: Regression, start: np.ndarray) -> np.ndarray:
    """A bound on the error of LAPACK's interpolant nearest to `start`, with |interpolant| <= 2|w_0| + |y|/s_n."""
    return oracle_rounding(problem, 3 * norm(start, axis=-1) + norm(problem.y, axis=-1) / problem.sigma_min)


def flow_rounding(problem: Regression, start: np.ndarray, t: float | np.ndarray) -> np.ndarray:
    """A bound on the error of a computed flow of (1/2)|Xw - y|^2, of a decomposition's count times 1 + t s_1^2.

    Scaling and squaring is backward stable: the computed matrix exponential is exact for a generator M of which X'X and
    X'y are both off by the rounding of a decomposition. The flow contracts, so the effect of the perturbation is at
    most t times that. scale: |w_0| + |y|/s_n, which bounds |w| along the flow. cond(X) covers X'y relative to X'X in
    the generator.
    """
    scale = norm(start, axis=-1) + norm(problem.y, axis=-1) / problem.sigma_min
    steps = 1 + np.asarray(t) * problem.sigma_max**2
    return rounding(factorization(problem.rows, problem.columns), 2 * steps * problem.condition * scale)
