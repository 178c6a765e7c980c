"""Minimizers computed by external solvers, independent of our dynamics and closed forms.

Data may be of any real type, such as uint8 or float32. They are converted to float64 at the entry of each function, and
refused (ValueError) where they are not finite. Where a solver returns no point, the error is an OracleError.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.sparse

from fixtures.entries import in_float64
from fixtures.precision import UNIT_ROUNDOFF


class OracleError(RuntimeError):
    """A solver has returned no point: the problem is infeasible or beyond it. One line, with the solver's own words."""


def solved(program: scipy.optimize.OptimizeResult, what: str) -> scipy.optimize.OptimizeResult:
    """A linear program of scipy that has a point. Raises OracleError where it has none, such as an infeasible one."""
    if program.x is None:
        raise OracleError(f"{what} has no solution: {' '.join(program.message.split())}")
    return program


def nearest_interpolant(X: np.ndarray, y: np.ndarray, w0: np.ndarray) -> np.ndarray:
    """The point of {w : Xw = y} nearest to w0, by LAPACK's least squares; shape (p,) or (B, p).

    With w0 = 0 it is the min-norm interpolant. Singular values below max(n, p) eps s_1 count as zero, so for a
    rank-deficient X the result is the nearest least-squares solution.
    """
    X, y, w0 = in_float64(X, "features"), in_float64(y, "targets"), in_float64(w0, "weights")
    if X.ndim == 2:
        return w0 + scipy.linalg.lstsq(X, y - X @ w0, cond=max(X.shape) * np.finfo(float).eps)[0]
    return np.stack([nearest_interpolant(*problem) for problem in zip(X, y, w0, strict=True)])


def least_squares_map(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """YX^+, by LAPACK: the W of least Frobenius norm among those of least |WX - Y|_F; X (d, n), Y (k, n), or batches.

    Zero columns are the padding of a batch and have no effect.
    """
    X, Y = in_float64(X, "features"), in_float64(Y, "targets")
    if X.ndim == 2:
        return scipy.linalg.lstsq(X.T, Y.T, cond=max(X.shape) * np.finfo(float).eps)[0].T
    return np.stack([least_squares_map(*problem) for problem in zip(X, Y, strict=True)])


def ridge(X: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Argmin |Xw - y|^2 + penalty |w|^2 by scikit-learn's SVD solver; shape (p,) or (B, p)."""
    from sklearn.linear_model import Ridge

    X, y = in_float64(X, "features"), in_float64(y, "targets")
    if X.ndim == 2:
        return Ridge(alpha=penalty, fit_intercept=False, solver="svd").fit(X, y).coef_
    return np.stack([ridge(rows, targets, penalty) for rows, targets in zip(X, y, strict=True)])


def nearest_point_of_hull(Z: np.ndarray) -> np.ndarray:
    """The weights q (n,) of the point Z'q nearest to zero in the convex hull of the rows, by nonnegative least squares.

    Minimizing |Z'a|^2 + (1'a - 1)^2 over a >= 0 minimizes |Z'q| over q = a/1'a. Shape (n,), or (B, n) when Z has a
    leading axis. Rows of zeros are padding and get weight 0. Z'q over its norm is the hard-margin direction. Raises
    OracleError where all rows are zero, and where nnls gives up.
    """
    Z = in_float64(Z, "points")
    if Z.ndim == 3:
        return np.stack([nearest_point_of_hull(points) for points in Z])
    rows = np.flatnonzero(Z.any(axis=1))
    if not len(rows):
        raise OracleError("the hull of no points has no nearest point: all rows are zero")
    try:
        a, _ = scipy.optimize.nnls(np.vstack([Z[rows].T, np.ones(len(rows))]), np.append(np.zeros(Z.shape[1]), 1.0))
    except RuntimeError as error:
        raise OracleError(f"nonnegative least squares gives up on {len(rows)} points: {error}") from None
    q = np.zeros(len(Z))
    q[rows] = a / a.sum()
    return q


def largest_l1_margin(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The w (B, d) with |w|_1 <= 1 that maximizes min_i z_i . w, and the dual weights q (B, n), by HiGHS.

    Rows of zeros of Z (B, n, d) are padding and get weight 0. One linear program solves the whole batch. Raises
    OracleError where all rows of an instance are zero, because then no point limits the margin.
    """
    Z = in_float64(Z, "points")
    if not Z.any(axis=(1, 2)).all():
        raise OracleError("the largest margin of no points has no solution: all rows are zero")
    count, n, d = Z.shape
    present = Z.any(axis=2)
    # variables of one problem: w+ (d), w- (d), gamma
    blocks = [
        scipy.sparse.coo_array(
            np.vstack([np.hstack([-points[kept], points[kept], np.ones((kept.sum(), 1))]), [*np.ones(2 * d), 0.0]])
        )
        for points, kept in zip(Z, present, strict=True)
    ]
    limits = np.concatenate([np.append(np.zeros(kept.sum()), 1.0) for kept in present])
    cost = np.tile(np.append(np.zeros(2 * d), -1.0), count)
    bounds = np.tile([[0, np.inf]] * (2 * d) + [[-np.inf, np.inf]], (count, 1))
    program = scipy.optimize.linprog(cost, scipy.sparse.block_diag(blocks, format="csc"), limits, bounds=bounds)
    program = solved(program, "the largest margin in l1")
    split = program.x.reshape(count, 2 * d + 1)
    q = np.zeros((count, n))
    is_point = np.concatenate([np.append(np.ones(kept.sum(), bool), False) for kept in present])
    q[present] = np.maximum(-program.ineqlin.marginals[is_point], 0)
    return split[:, :d] - split[:, d : 2 * d], q


def largest_max_norm_margin(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The w (B, d) with |w_j| <= 1 that maximizes min_i z_i . w, and the dual weights q (B, n), by HiGHS.

    Z (B, n, d) without padding. One linear program solves the whole batch. Raises OracleError where HiGHS has no point.
    """
    Z = in_float64(Z, "points")
    count, n, d = Z.shape
    # variables of one problem: w (d), gamma
    blocks = [scipy.sparse.coo_array(np.hstack([-points, np.ones((n, 1))])) for points in Z]
    cost = np.tile(np.append(np.zeros(d), -1.0), count)
    bounds = np.tile([[-1, 1]] * d + [[-np.inf, np.inf]], (count, 1))
    constraints = scipy.sparse.block_diag(blocks, format="csc")
    program = scipy.optimize.linprog(cost, constraints, np.zeros(count * n), bounds=bounds)
    program = solved(program, "the largest margin in the maximum norm")
    w = program.x.reshape(count, d + 1)[:, :d]
    return w, np.maximum(-program.ineqlin.marginals, 0).reshape(count, n)


def largest_schatten_margin(Z: np.ndarray, order: float) -> tuple[np.ndarray, np.ndarray]:
    """The W (B, k, p) of least spectral (order inf) or nuclear (order 1) norm with <Z_i, W> >= 1, by Clarabel.

    Z (B, n, k, p). W over its norm has the largest margin in that norm. Also the multipliers q (B, n), which are not
    normalized. Raises OracleError where the points are not separable, ModuleNotFoundError without the extra `oracles`,
    and ValueError for another order.
    """
    import cvxpy

    if order not in (1, np.inf):
        raise ValueError(f"order {order} is neither 1, the nuclear norm, nor inf, the spectral norm")
    Z = in_float64(Z, "points")
    count, n, *shape = Z.shape
    found = np.zeros((count, *shape)), np.zeros((count, n))
    for index, points in enumerate(Z.reshape(count, n, -1)):
        W = cvxpy.Variable(tuple(shape))
        separates = points @ cvxpy.vec(W, order="C") >= 1
        program = cvxpy.Problem(cvxpy.Minimize(cvxpy.normNuc(W) if order == 1 else cvxpy.sigma_max(W)), [separates])
        program.solve(solver="CLARABEL")
        if W.value is None:
            raise OracleError(f"the largest margin in the Schatten norm of order {order} has no solution")
        found[0][index], found[1][index] = W.value, np.maximum(separates.dual_value, 0)
    return found


def least_l1_norm(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The w (B, p) of least l1 norm with Xw = y, and the dual nu (B, n) of that program, by HiGHS.

    One linear program solves the whole batch X (B, n, p), y (B, n). Padding with zeros does no harm. Raises OracleError
    where an instance has no w with Xw = y.
    """
    X, y = in_float64(X, "features"), in_float64(y, "targets")
    count, _, p = X.shape
    blocks = [scipy.sparse.coo_array(np.hstack([rows, -rows])) for rows in X]
    constraints = scipy.sparse.block_diag(blocks, format="csc")
    program = scipy.optimize.linprog(np.ones(count * 2 * p), A_eq=constraints, b_eq=y.ravel())
    program = solved(program, "the interpolant of least l1 norm")
    split = program.x.reshape(count, 2, p)
    return split[:, 0] - split[:, 1], program.eqlin.marginals.reshape(y.shape)


def least_max_norm(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The w (B, p) of least l-infinity norm with Xw = y, and the dual nu (B, n) of that program, by HiGHS.

    One linear program solves the whole batch X (B, n, p), y (B, n): minimize the sum of t with -t <= w_j <= t. The dual
    is max <y, nu> over |X'nu|_1 <= 1. Padding with zeros does no harm. Raises OracleError where an instance has no w
    with Xw = y.
    """
    X, y = in_float64(X, "features"), in_float64(y, "targets")
    count, n, p = X.shape
    # variables of one problem: w (p), t
    bounded = np.block([[np.eye(p), -np.ones((p, 1))], [-np.eye(p), -np.ones((p, 1))]])
    program = scipy.optimize.linprog(
        np.tile(np.append(np.zeros(p), 1.0), count),
        A_ub=scipy.sparse.block_diag([scipy.sparse.coo_array(bounded)] * count, format="csc"),
        b_ub=np.zeros(count * 2 * p),
        A_eq=scipy.sparse.block_diag(
            [scipy.sparse.coo_array(np.hstack([rows, np.zeros((n, 1))])) for rows in X], format="csc"
        ),
        b_eq=y.ravel(),
        bounds=(None, None),
    )
    program = solved(program, "the interpolant of least l-infinity norm")
    return program.x.reshape(count, p + 1)[:, :p], program.eqlin.marginals.reshape(y.shape)


def nearest_in_relative_entropy(X: np.ndarray, y: np.ndarray, w0: np.ndarray) -> np.ndarray:
    """Argmin KL(w || w0) over {w >= 0 : Xw = y}, by MINPACK's root of its optimality system; shape (p,) or (B, p).

    The minimizer is w0 exp(X'nu) with X w0 exp(X'nu) = y. It exists where some w > 0 solves Xw = y. Raises OracleError
    where the root is off by more than sqrt(u) of |X||w| + |y|: Newton's steps, which converge quadratically, would then
    not have ended.
    """
    X, y, w0 = in_float64(X, "features"), in_float64(y, "targets"), in_float64(w0, "weights")
    if X.ndim == 3:
        return np.stack([nearest_in_relative_entropy(*problem) for problem in zip(X, y, w0, strict=True)])
    w = _root_of_the_dual(X, y, lambda theta: w0 * np.exp(theta), lambda w: w)
    if w is None:
        raise OracleError("no positive solution of Xw = y was found, so there is no projection in relative entropy")
    return w


def nearest_in_hyperbolic_entropy(X: np.ndarray, y: np.ndarray, w0: np.ndarray, beta: float) -> np.ndarray:
    """Argmin of the Bregman divergence of hyperbolic entropy from w0 over {w : Xw = y}; shape (p,) or (B, p).

    The potential is sum w asinh(w/beta) - sqrt(w^2 + beta^2) (Ghai, Hazan, Singer 2020). The minimizer is
    beta sinh(asinh(w0/beta) + X'nu), by MINPACK's root in nu. Raises OracleError as `nearest_in_relative_entropy` does.
    """
    X, y, w0 = in_float64(X, "features"), in_float64(y, "targets"), in_float64(w0, "weights")
    if X.ndim == 3:
        return np.stack([nearest_in_hyperbolic_entropy(*problem, beta) for problem in zip(X, y, w0, strict=True)])
    theta0 = np.arcsinh(w0 / beta)
    w = _root_of_the_dual(X, y, lambda theta: beta * np.sinh(theta0 + theta), lambda w: np.hypot(w, beta))
    if w is None:
        raise OracleError("no solution of Xw = y was found, so there is no projection in hyperbolic entropy")
    return w


def _root_of_the_dual(X: np.ndarray, y: np.ndarray, to_primal: Callable, slope: Callable) -> np.ndarray | None:
    """The w = to_primal(X'nu) with Xw = y; `slope` is the derivative of to_primal as a function of w. None if off."""
    with np.errstate(over="ignore", invalid="ignore"):  # a trial step may overflow; MINPACK then takes a shorter one
        nu = scipy.optimize.root(
            lambda nu: X @ to_primal(nu @ X) - y,
            np.zeros_like(y),
            jac=lambda nu: (X * slope(to_primal(nu @ X))) @ X.T,
            method="lm",
            options={"xtol": 1e-15, "ftol": 1e-15},
        ).x
    w = to_primal(nu @ X)
    scale = np.linalg.norm(X) * np.linalg.norm(w) + np.linalg.norm(y)
    return w if np.linalg.norm(X @ w - y) <= np.sqrt(UNIT_ROUNDOFF) * scale else None


def weight_norm_limit(target: np.ndarray, gamma: np.ndarray, rho: np.ndarray, null: np.ndarray) -> np.ndarray:
    """The |gamma|, (B,), at which the flow of w = gamma v/|v| has a row part of norm `target`, by Brent's method.

    The flow starts at gamma with |v| = rho, and the part of v in the null space has length null < rho; all (B,). When
    gamma^2 has become q, the null part of v has been multiplied by exp(-(q - gamma^2)/(2 rho^2)). So q solves q
    (1 - (null/rho)^2 exp((gamma^2 - q)/rho^2)) = target^2. The left side is increasing where it is positive.
    """
    return np.array([_weight_norm_limit(*map(float, one)) for one in zip(target, gamma, rho, null, strict=True)])


def _weight_norm_limit(target: float, gamma: float, rho: float, null: float) -> float:
    if null == 0:
        return target
    log_k = 2 * np.log(null / rho)

    def excess(q: float) -> float:
        return q * (1 - np.exp(log_k + (gamma**2 - q) / rho**2)) - target**2

    lowest = max(target**2, gamma**2 + rho**2 * log_k)
    # if q exceeds both squares by delta, the left side is at least q (1 - exp(-delta/rho^2))
    largest = max(target**2, gamma**2)
    highest = largest + rho**2 * max(1.0, np.log1p(largest / rho**2))
    if excess(lowest) >= 0:
        return float(np.sqrt(lowest))
    return float(np.sqrt(scipy.optimize.brentq(excess, lowest, 2 * highest, xtol=1e-15, rtol=1e-14)))
