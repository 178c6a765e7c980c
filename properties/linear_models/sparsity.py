"""The l1 norm of an interpolant: certificates that it is least, and a condition under which it is."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

from fixtures.dynamics.coordinate_descent import Array, correlations
from fixtures.rational import solve, to_fractions


def l1_norm(w: Array) -> Array:
    """The sum of |w_j| along the last axis, for floats or fractions."""
    return np.abs(w).sum(-1)


def dual_value(X: Array, y: Array, nu: Array) -> Array:
    """<nu, y> / max(1, |X'nu|_inf). For any nu (n,) it is a lower bound on the l1 norm of every w with Xw = y."""
    return np.vecdot(nu, y) / np.maximum(1, np.abs(np.vecmat(nu, X)).max(-1))


def least_l1_norm_exactly(X: Array, y: Array) -> Fraction:
    """The least l1 norm over {w : Xw = y}, exact.

    X (n, p) has rank n. The minimum is attained on n independent columns, so all of these choices are tried.
    """
    X, y = to_fractions(X), to_fractions(y)
    n, p = X.shape
    solutions = (solve(X[:, list(basis)], y) for basis in itertools.combinations(range(p), n))
    return min(l1_norm(solution) for solution in solutions if solution is not None)


def lasso_gap(X: Array, y: Array, w: Array) -> Array:
    """The duality gap of the lasso at w: lambda |w|_1 - <w, X'r> with r = y - Xw and lambda = |X'r|_inf.

    It is zero if and only if w solves the lasso at lambda. It is the duality gap of (1/2)|Xw - y|^2 + lambda |w|_1 at w
    and r/lambda, so it is never negative. Use: let the gap be at most D |w|_1. Since <w, X'r> = <Xw, r>, this says
    (1 - D/lambda) |w|_1 <= <Xw, r/lambda>. The right side is at most the least l1 norm of all weights with the same
    fitted values Xw.

    After steps of epsilon on unit columns of the plane, D = epsilon (1 + mu) as long as |r| > 2 epsilon/(1 - mu), where
    mu is the coherence. Proof, while only one or two coordinates have moved: the step goes to the larger of their two
    correlations and changes their difference by epsilon (1 - x_i . x_j), so the correlations differ by at most D. The
    two columns lie on either side of r. Suppose a third column were chosen. It would lie on a side that one of the two
    columns is on, nearer to r than that column; the cosine of the angle between them is at most mu. Then its
    correlation would be larger by at least |r| (1 - mu) > 2 epsilon.
    """
    c = correlations(X, y, w)
    return np.abs(c).max(-1) * l1_norm(w) - np.vecdot(w, c)


def satisfies_positive_cone(X: Array) -> bool:
    """Whether G^-1 1 >= 0 for the Gram matrix G of every independent set of columns, under every choice of signs.

    This is the positive cone condition (Efron, Hastie, Johnstone, Tibshirani, 2004). Exact, by enumeration, so only for
    designs with a few columns.
    """
    X = to_fractions(X)
    n, p = X.shape
    subsets = itertools.chain.from_iterable(itertools.combinations(range(p), size) for size in range(1, n + 1))
    return all(
        solution is None or (solution >= 0).all()
        for subset in subsets
        for signs in itertools.product((1, -1), repeat=len(subset) - 1)
        for solution in [_equiangular(X[:, list(subset)] * np.array((1, *signs)))]
    )


def _equiangular(columns: Array) -> Array | None:
    return solve(columns.T @ columns, np.full(columns.shape[1], Fraction(1)))
