"""The least nuclear norm in regression, completion and sensing, enclosed by dual certificates that are checked here.

By duality min {|W|_* : A(W) = y} = max {<y, nu> : |A*(nu)|_op <= 1}. Any nu, from any solver, gives the lower bound
<y, nu>/|A*(nu)|_op. Any exactly feasible W gives the upper bound |W|_*. No solver's status is believed.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import scipy.optimize

from fixtures.entries import in_float64
from fixtures.precision import factorization, rounding
from fixtures.problems.sensing import Completion
from properties.oracles import solved


def nuclear_norm(W: np.ndarray) -> np.ndarray:
    """The sum of the singular values, shape () or (B,)."""
    return np.linalg.norm(in_float64(W, "entries"), "nuc", axis=(-2, -1))


def operator_norm(W: np.ndarray) -> np.ndarray:
    """The largest singular value, shape () or (B,)."""
    return np.linalg.norm(in_float64(W, "entries"), 2, axis=(-2, -1))


def spectrum_rounding(W: np.ndarray) -> np.ndarray:
    """A bound on the error of the sum of the computed singular values of W (..., d, n): 32 d^2 u |W|_F for d = n.

    LAPACK's singular values are those of a nearby matrix (backward stability and Weyl's inequality). There are
    min(d, n) of them, and each rounds as a decomposition does.
    """
    values, size = min(W.shape[-2:]), np.linalg.norm(W, axis=(-2, -1))
    return rounding(values * factorization(*W.shape[-2:]), size)


@dataclasses.dataclass(frozen=True)
class Bracket:
    """lower <= min {|W|_* : W feasible} <= upper; numbers or (B,). `lower` comes from nu, `upper` from W."""

    lower: np.ndarray
    upper: np.ndarray
    W: np.ndarray
    nu: np.ndarray


def regression_dual(X: np.ndarray, Y: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """<Y, nu> with nu (d, n) scaled down to |nu X'|_op <= 1. For any nu it is a lower bound of |W|_* over WX = Y."""
    return (Y * nu).sum((-2, -1)) / np.maximum(1, operator_norm(nu @ X.mT))


def regression_bracket(X: np.ndarray, Y: np.ndarray, W: np.ndarray) -> Bracket:
    """Bounds on the least nuclear norm among the solutions of WX = Y, from the solution W = YX^+ with rows in col(X).

    The dual point is nu = K X^{+'}, where K is the polar factor of W. Then |nu X'|_op = |KP|_op <= 1 and
    <Y, nu> = <W, K> = |W|_*. X (d, n), Y (d, n), W (d, d), or batches.
    """
    X, Y, W = (in_float64(data, "entries") for data in (X, Y, W))
    left, _, right = np.linalg.svd(W)
    nu = left @ right @ np.linalg.pinv(X).mT
    return Bracket(lower=regression_dual(X, Y, nu), upper=nuclear_norm(W), W=W, nu=nu)


def completion_bracket(problem: Completion, iterations: int, gamma: float = 1.0) -> Bracket:
    """Bounds on the least nuclear norm of a completion, by Douglas-Rachford splitting; one problem or a batch.

    Let P(Z) be the completion nearest to Z. One iteration is Z <- Z + shrink(2 P(Z) - Z) - P(Z), where shrink lowers
    every singular value by gamma, but not below 0. P(Z) is an exact completion. (P(Z) - Z)/gamma vanishes off the mask
    and tends to a dual solution; rescaled to |.|_op = 1 it is feasible. gamma has the unit of W.
    """
    Z = problem.values.astype(float)
    for _ in range(iterations):
        fed = problem.fill(Z)
        left, s, right = np.linalg.svd(2 * fed - Z)
        Z = Z + (left * np.maximum(s - gamma, 0)[..., None, :]) @ right - fed
    W = problem.fill(Z)
    nu = problem.mask * (W - Z)
    size = operator_norm(nu)
    lower = np.divide((problem.values * nu).sum((-2, -1)), size, out=np.zeros_like(size), where=size > 0)
    return Bracket(lower=lower, upper=nuclear_norm(W), W=W, nu=nu)


def least_norm_of_completion(a: float | Fraction, b: float | Fraction) -> float | Fraction:
    """The least nuclear norm of [[a, b], [b, .]]: 2|b| if |a| <= |b|, else |a| + b^2/|a|; exact for Fractions.

    It is attained at W_22 = a in the first case and at W_22 = b^2/a in the second. Dual solutions, up to the signs of b
    and of a, are [[0, 1], [1, 0]] and [[1 - b^2/a^2, b/a], [b/a, 0]].
    """
    return 2 * abs(b) if abs(a) <= abs(b) else abs(a) + b * b / abs(a)


@dataclasses.dataclass(frozen=True)
class LeastTrace:
    """The linear program min {sum w : aw = y, w >= 0}: HiGHS's solution, with its feasibility and bound checked here.

    w (d,) >= 0. infeasibility (m,) = aw - y. lower: <y, nu>/max(1, max_j a_j'nu), at most the optimum by weak duality.
    """

    w: np.ndarray
    infeasibility: np.ndarray
    lower: float


def least_trace(a: np.ndarray, y: np.ndarray) -> LeastTrace:
    """The least trace of a positive semidefinite matrix measured by commuting A_i = Q diag(a_i) Q', as a program in w.

    a (m, d), y (m,). Replacing W by the diagonal of Q'WQ changes neither the trace nor the measurements, so a diagonal
    W is enough. The primal and dual points of HiGHS are changed here: w is cut off at 0, and nu is scaled down to
    a'nu <= 1. Raises OracleError where no w >= 0 fits, and ValueError for data that are not finite.
    """
    a, y = in_float64(a, "measurements"), in_float64(y, "targets")
    program = scipy.optimize.linprog(np.ones(a.shape[1]), A_eq=a, b_eq=y, method="highs")
    solution = solved(program, "the least trace")
    w = np.maximum(solution.x, 0)
    nu = solution.eqlin.marginals
    return LeastTrace(w=w, infeasibility=a @ w - y, lower=float(y @ nu) / max(1.0, float((nu @ a).max())))


def entropy(w: np.ndarray) -> np.ndarray:
    """The sum of w ln w - w over the last axis, with 0 ln 0 = 0. Each entry is at least -1."""
    w = in_float64(w, "weights")
    return (w * np.log(np.where(w > 0, w, 1)) - w).sum(-1)
