"""Entropy and relative entropy of positive vectors, and certificates by relative entropy.

Vectors are (p,) or (B, p). A zero coordinate in the padding of a batch contributes nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm
from scipy.special import entr

from fixtures.precision import rounding
from fixtures.problems.positive import PositiveSystem
from fixtures.problems.regression import Regression
from properties.linear_models.least_squares import residual_rounding

SERIES_BELOW = 2.0**-6
TERM = 6 / SERIES_BELOW
"""The roundings of one term of KL. At the least d of log1p, (1+d)ln(1+d) has three and is 2/d times the term."""


def entropy(w: np.ndarray) -> np.ndarray:
    """H(w) = -sum w ln w of a nonnegative vector, which need not sum to one."""
    return entr(np.asarray(w, float)).sum(-1)


def relative_entropy(w: np.ndarray, change: np.ndarray) -> np.ndarray:
    """KL(w + change || w) = sum v ln(v/w) - v + w with v = w + change. Infinite where v < 0.

    It is computed as sum w h(change/w) with h(d) = (1+d)ln(1+d) - d: by the series sum_k (-d)^k/(k(k-1)) for |d| below
    1/64, and by log1p above. The terms do not cancel, so each is accurate to TERM roundings of itself. The textbook
    formula is accurate to u |w| absolutely.
    """
    w, change = np.asarray(w, float), np.asarray(change, float)
    d = np.divide(change, w, out=np.zeros_like(w), where=w > 0)
    inside = np.maximum(d, -1)
    series = np.zeros_like(d)
    for k in range(10, 1, -1):
        series = (-1) ** k / (k * (k - 1)) + d * series
    with np.errstate(divide="ignore", invalid="ignore"):
        direct = np.where(inside > -1, (1 + inside) * np.log1p(inside), 0) - inside
    terms = w * np.where(np.abs(d) < SERIES_BELOW, d**2 * series, direct)
    return np.where(d < -1, np.inf, terms).sum(-1)


def relative_entropy_rounding(v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """A bound on the error of a computed KL(v || w) when v - w was itself rounded.

    The error is at most that of TERM roundings of each term, and of four of |v - w| |ln(v/w)|. Both are at most
    (v + w)(1 + |ln(v/w)|), entry by entry.
    """
    v, w = np.asarray(v, float), np.asarray(w, float)
    logarithm = np.abs(np.log(np.divide(v, w, out=np.ones_like(w), where=(w > 0) & (v > 0))))
    return rounding(TERM + 4, ((v + w) * (1 + logarithm)).sum(-1))


def null_part_of_log(problem: Regression, w: np.ndarray, w0: np.ndarray) -> np.ndarray:
    """The component of ln w - ln w0 in null(X), (p,). It is zero exactly where w = w0 exp(X'nu) for some nu."""
    quotient = np.divide(w, w0, out=np.ones_like(w), where=w0 > 0)
    return problem.in_null_space(np.log(quotient))


def multiplier(problem: Regression, shift: np.ndarray) -> np.ndarray:
    """The nu (n,) for which X'nu is the component of `shift` (p,) in row(X)."""
    return np.matvec(problem.U, problem.divide_by_s(np.vecmat(shift, problem.V)))


def residual_with_rounding(problem: Regression, w: np.ndarray) -> np.ndarray:
    """|Xw - y|, plus the error of computing it."""
    return norm(np.matvec(problem.X, w) - problem.y, axis=-1) + residual_rounding(problem, w)


def weighted_gram(problem: Regression, w: np.ndarray) -> np.ndarray:
    """X diag(w) X', (n, n), with ones on the diagonal of a batch's padding. It is the curvature of the dual D at w."""
    return (problem.X * w[..., None, :]) @ problem.X.mT + np.eye(problem.X.shape[-2]) * (problem.s == 0)[..., None]


def radius_of_projection(problem: Regression, w0: np.ndarray, w: np.ndarray) -> np.ndarray:
    """A bound on |sqrt w - sqrt w*| from w alone, where w* is the interpolant with the least KL(w* || w0).

    Duality gap: let w = w0 exp(X'nu), and let v = w + diag(w)X'z >= 0 be the interpolant with X diag(w) X'z = y - Xw.
    The gap of v and nu is KL(v || w0) - D(nu) = KL(v || w). It is at least D* - D(nu) = KL(w* || w) >= |sqrt w* - sqrt
    w|^2. The gap is infinite if w is so far off that v has a negative entry.
    Defect: ln w - ln w0 has a component delta in null(X), at best by rounding. Then w belongs to the start w0
    exp(delta). The projections w' and w* of the two starts satisfy 4 |sqrt w' - sqrt w*|^2 <= <w' - w*, delta>. So they
    are at most |delta| |sqrt w| / 2 apart, to first order in delta.
    Rounding: that of the residual, over the square root of the least eigenvalue of X diag(w) X', and 2 construction
    (1 + |ln w| + |ln w0|) for delta.
    """
    gram = weighted_gram(problem, w)
    z = np.linalg.solve(gram, (problem.y - np.matvec(problem.X, w))[..., None])[..., 0]
    defect = norm(null_part_of_log(problem, w, w0), axis=-1)
    logs = np.abs(np.log(w, out=np.zeros_like(w), where=w > 0)) + np.abs(np.log(w0, out=np.zeros_like(w), where=w0 > 0))
    defect += 2 * problem.construction * (1 + norm(logs, axis=-1))
    gap = np.sqrt(relative_entropy(w, w * np.vecmat(z, problem.X)))
    gap += residual_rounding(problem, w) / np.sqrt(least_curvature(problem, w))
    return gap + defect * (np.sqrt(w.sum(-1)) + gap) / 2


def least_curvature(problem: Regression, w: np.ndarray) -> np.ndarray:
    """The least eigenvalue of X diag(w) X'. In a batch with padding it is at most 1."""
    return np.linalg.eigvalsh(weighted_gram(problem, w))[..., 0]


def curvature_bound(problem: PositiveSystem, w0: np.ndarray) -> np.ndarray:
    """Lambda = s_1^2 (sqrt(sum w_p) + sqrt(KL(w_p || w0)))^2, a bound on the curvature of the dual during descent.

    Proof: while KL(w_p || w) <= KL(w_p || w0) = K, the totals satisfy (sqrt(sum w) - sqrt(sum w_p))^2 <= K. So every
    eigenvalue of X diag(w) X' is at most s_1^2 max w <= Lambda. A step eta < 2/Lambda cannot leave this level set: on
    the segment inside it, D rises at least as a parabola of curvature Lambda, which returns to its start at 2/Lambda.
    """
    K = relative_entropy(w0, problem.w_p - w0)
    return problem.sigma_max**2 * (np.sqrt(problem.w_p.sum(-1)) + np.sqrt(K)) ** 2
