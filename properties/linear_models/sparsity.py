"""What can be true of an interpolant's l1 norm: certificates of least norm, and the conditions that promise it."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

from fixtures.dynamics.coordinate_descent import Array, correlations
from fixtures.rational import solve, to_fractions


def l1_norm(w: Array) -> Array:
    """Sum of |w_j| along the last axis, of floats or fractions."""
    return np.abs(w).sum(-1)


def dual_value(X: Array, y: Array, nu: Array) -> Array:
    """<nu, y> / max(1, |X'nu|_inf), a lower bound on the l1 norm of every w with Xw = y, for any nu (n,)."""
    return np.vecdot(nu, y) / np.maximum(1, np.abs(np.vecmat(nu, X)).max(-1))


def least_l1_norm_exactly(X: Array, y: Array) -> Fraction:
    """The least l1 norm over {w : Xw = y}, exact: it is attained with n independent columns. X (n, p) has rank n."""
    X, y = to_fractions(X), to_fractions(y)
    n, p = X.shape
    solutions = (solve(X[:, list(basis)], y) for basis in itertools.combinations(range(p), n))
    return min(l1_norm(solution) for solution in solutions if solution is not None)


def lasso_gap(X: Array, y: Array, w: Array) -> Array:
    """Lambda |w|_1 - <w, X'r> with r = y - Xw and lambda = |X'r|_inf; zero if and only if w solves the lasso at lambda.

    It is the duality gap of (1/2)|Xw - y|^2 + lambda |w|_1 at w and r/lambda, and never negative. As <w, X'r> is
    <Xw, r>, a gap of at most D |w|_1 says that (1 - D/lambda) |w|_1 <= <Xw, r/lambda> is at most the least l1 norm of
    any weights that fit what w has fitted, X w.

    After steps of epsilon on unit columns of the plane, D is epsilon (1 + mu) with mu the coherence, as long as
    |r| > 2 epsilon/(1 - mu). While one or two coordinates have moved, their correlations differ by D at most, as the
    larger one is chosen and a step changes the difference by epsilon (1 - x_i . x_j). They lie on either side of r. A
    third column chosen would lie on a side already taken, nearer to r than that one by an angle of cosine at most mu,
    so that its correlation were larger by |r| (1 - mu) > 2 epsilon at least.
    """
    c = correlations(X, y, w)
    return np.abs(c).max(-1) * l1_norm(w) - np.vecdot(w, c)


def satisfies_positive_cone(X: Array) -> bool:
    """Whether G^-1 1 >= 0 for the Gram matrix G of every independent set of columns under every choice of signs.

    Exact, by enumeration: for designs of a few columns (Efron, Hastie, Johnstone, Tibshirani, 2004).
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
