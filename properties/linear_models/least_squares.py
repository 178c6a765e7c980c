"""Gradient descent on least squares: its closed form, and a certificate of the distance to its limit."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import Descent
from fixtures.precision import factorization, rounding
from fixtures.problems.regression import Regression
from properties.certificates import Certificate


def spectral_iterate(problem: Regression, start: np.ndarray, eta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The iterate w_t of gradient descent in closed form: w_0 + V diag((1 - (1 - eta s^2)^t)/s) U'(y - Xw_0)."""
    eta, t = np.asarray(eta)[..., None], np.asarray(t)[..., None]
    filtered = (1 - (1 - eta * problem.s**2) ** t) * problem.modes(problem.y - np.matvec(problem.X, start))
    return start + np.matvec(problem.V, problem.divide_by_s(filtered))


def iterate_rounding(problem: Regression, run: Descent) -> np.ndarray:
    """A bound on the distance of a computed iterate from the exact one of the constructed spectrum, first order in u.

    Notation: W = max |w_t|, Y = |y|/s_1, and eta s_1^2 <= 2. An entry of a step goes through n + p + 3 roundings: p + 1
    in Xw - y, n + 1 in eta X'r, one in the update. All results on the way are at most 2 sqrt(n)(W + Y), as |X|_F is at
    most sqrt(n) s_1. Replacing X by U diag(s) V' moves a step by at most 4 * 3 * construction * (W + Y). A step does
    not increase an earlier error, so the errors of T steps add up. The closed form itself costs one step's rounding
    times cond(X).
    """
    n, p = problem.rows, problem.columns
    scale = run.largest + norm(problem.y, axis=-1) / problem.sigma_max
    one_step = rounding(n + p + 3, 2 * np.sqrt(n)) + 12 * problem.construction
    return (run.steps + problem.condition) * one_step * scale


def residual_rounding(problem: Regression, w: np.ndarray) -> np.ndarray:
    """A bound on the error of a computed |Xw - y|: p + 1 roundings in an entry, n/2 + 1 in the norm.

    All results on the way are at most sqrt(n) s_1 |w| + |y|, as |X|_F is at most sqrt(n) s_1.
    """
    scale = np.sqrt(problem.rows) * problem.sigma_max * norm(w, axis=-1) + norm(problem.y, axis=-1)
    return rounding(problem.columns + problem.rows / 2 + 2, scale)


def oracle_rounding(problem: Regression, size: np.ndarray) -> np.ndarray:
    """A bound on the error of LAPACK's interpolant nearest to w_0, where `size` is |w_0| + |interpolant|.

    LAPACK solves a problem whose X and y - Xw_0 are both off by the rounding of a decomposition (backward stability of
    least squares). cond(X) turns either into a distance.
    """
    return rounding(factorization(problem.rows, problem.columns), 2 * problem.condition * size)


def distance_to_limit(problem: Regression, run: Descent, start: np.ndarray, limit: np.ndarray) -> Certificate:
    """The certificate |w - limit| <= |P_null(w - w_0)| + |Xw - y|/s_n, where `limit` is the interpolant nearest to w_0.

    Proof: the part of w - limit in null(X) is that of w - w_0. The part in row(X) has the residual as its image under
    X. Two rounding errors are added to the bound: that of the residual over s_n, and that of the computed limit. A run
    that has not converged gives a large bound and no false alarm, so assert convergence beside this certificate.
    """
    residual = norm(np.matvec(problem.X, run.w) - problem.y, axis=-1) + residual_rounding(problem, run.w)
    drift = norm(problem.in_null_space(run.w - start), axis=-1)
    oracle = oracle_rounding(problem, norm(start, axis=-1) + norm(limit, axis=-1))
    return Certificate(
        error=norm(run.w - limit, axis=-1),
        bound=drift + residual / problem.sigma_min + oracle,
        why="distance to the nearest interpolant is at most null drift plus residual over s_n",
        instance=problem,
    )
