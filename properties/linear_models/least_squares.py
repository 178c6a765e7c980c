"""What can be true of a point that a least-squares dynamics reached: certificates, and their rounding analysis."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import Descent
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.regression import Regression
from properties.certificates import Certificate


def spectral_iterate(problem: Regression, start: np.ndarray, eta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Gradient descent's iterate at time t in closed form, w_0 + V diag((1 - (1 - eta s^2)^t)/s) U'(y - Xw_0)."""
    eta, t = np.asarray(eta)[..., None], np.asarray(t)[..., None]
    filtered = (1 - (1 - eta * problem.s**2) ** t) * problem.modes(problem.y - np.matvec(problem.X, start))
    return start + np.matvec(problem.V, problem.divide_by_s(filtered))


def iterate_rounding(problem: Regression, run: Descent) -> np.ndarray:
    """How far a computed iterate may be from the exact one of the constructed spectrum, to first order in u.

    With W = max |w_t|, Y = |y|/s_1 and eta s_1^2 <= 2, one step rounds by at most
    u[2(p+2)(sqrt(n) W + Y) + 2(n+3) sqrt(n)(W + Y) + W] <= 2 sqrt(n)(n+p+6) u (W + Y), and replacing X by
    U diag(s) V' moves it by at most 4 * 3 * construction * (W + Y). Steps do not expand errors, so T of them add up.
    The closed form itself costs one step's worth over s_n.
    """
    n, p = problem.rows, problem.columns
    scale = run.largest + norm(problem.y, axis=-1) / problem.sigma_max
    one_step = 2 * np.sqrt(n) * (n + p + 6) * UNIT_ROUNDOFF + 12 * problem.construction
    return (run.steps + problem.condition) * one_step * scale


def distance_to_limit(problem: Regression, run: Descent, start: np.ndarray, limit: np.ndarray) -> Certificate:
    """|w - limit| <= |P_null(w - w_0)| + |Xw - y|/s_n, for the interpolant `limit` nearest to w_0.

    Proof: w - limit has the null part of w - w_0, and a row part whose image under X is the residual. What is added is
    the rounding of the residual, (n+p)u(s_1|w| + |y|)/s_n, and the error of the computed limit, 32(n+p)u cond(X)
    (|w_0| + |limit|), as backward stable least squares has it. An unconverged run gives a large bound, not a false
    alarm; assert convergence beside it.
    """
    n, p = problem.rows, problem.columns
    residual = norm(np.matvec(problem.X, run.w) - problem.y, axis=-1)
    residual += (n + p) * UNIT_ROUNDOFF * (problem.sigma_max * norm(run.w, axis=-1) + norm(problem.y, axis=-1))
    drift = norm(problem.in_null_space(run.w - start), axis=-1)
    oracle = 32 * (n + p) * UNIT_ROUNDOFF * problem.condition * (norm(start, axis=-1) + norm(limit, axis=-1))
    return Certificate(
        error=norm(run.w - limit, axis=-1),
        bound=drift + residual / problem.sigma_min + oracle,
        why="distance to the nearest interpolant is at most null drift plus residual over s_n",
        instance=problem,
    )
