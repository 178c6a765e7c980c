"""The curve of interpolants Q_alpha, from least l1 to least l2, on which a diagonal network from u = v = alpha 1 ends.

Q_alpha is the w with Xw = y of least sum_j w_j asinh(w_j/(2 alpha^2)) - sqrt(w_j^2 + 4 alpha^4) (Woodworth et al. 2020,
for gradient flow on u^2 - v^2). The flow has u = alpha exp(X'nu/2) and v = alpha exp(-X'nu/2), hence w = 2 alpha^2
sinh(X'nu), and a w of this form that fits is the minimizer: nu are its multipliers, and the objective is strictly
convex. As alpha falls to 0 the w tends to the least l1 norm, as alpha grows to the least l2 norm.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from fixtures.entries import in_float64
from fixtures.precision import UNIT_ROUNDOFF
from properties.oracles import OracleError

GRID = 2.0 ** np.arange(3, -13, -1)
"""The alpha at which a search for the nearest point of the curve looks first, falling."""

_NEWTON, _GOLDEN = 200, 40
_SHARE = (np.sqrt(5) - 1) / 2

TOLERANCE = 2.0**-25
"""The error of log2 of the nearest alpha: half of what 40 golden sections leave of two octaves, and more than rounding
leaves where the distance is flat, sqrt(u) = 2^-26.5."""


def least_hypentropy(X: np.ndarray, y: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The minimizer w (B, p) and its multipliers nu (B, n): X (B, n, p), y (B, n), alpha (B,).

    Newton's method on the concave dual <nu, y> - sum 2 alpha^2 cosh(X'nu). With a
    step d and m = max |X'd| its curvature along td is at most e^(mt) times that at t = 0, so the dual rises up to
    t = ln(1 + m)/m at least; that is the step taken, and it tends to d.
    The dual rises in each step, but the misfit need not fall: it ends when that is small and falls no more.
    Raises OracleError where |Xw - y| is above sqrt(u) (|X||w| + |y|) at the end.
    """
    X, y, alpha = in_float64(X, "features"), in_float64(y, "targets"), in_float64(alpha, "starts")
    size, nu = 2 * alpha[:, None] ** 2, np.zeros_like(y)
    best, enough = np.full(len(y), np.inf), np.sqrt(UNIT_ROUNDOFF) * np.linalg.norm(y, axis=-1)
    for _ in range(_NEWTON):
        theta = np.vecmat(nu, X)
        residual = y - np.matvec(X, size * np.sinh(theta))
        misfit = np.linalg.norm(residual, axis=-1)
        if (misfit <= enough).all() and not (misfit < best).any():
            break
        best = np.minimum(misfit, best)
        curvature = (X * (size * np.cosh(theta))[:, None]) @ X.mT
        step = np.linalg.solve(curvature, residual[..., None])[..., 0]
        reach = np.abs(np.vecmat(step, X)).max(-1, keepdims=True)
        nu = nu + step * np.log1p(reach) / np.maximum(reach, np.finfo(float).tiny)
    w = size * np.sinh(np.vecmat(nu, X))
    misfit = np.linalg.norm(np.matvec(X, w) - y, axis=-1)
    scale = np.linalg.norm(X, axis=(-2, -1)) * np.linalg.norm(w, axis=-1) + np.linalg.norm(y, axis=-1)
    if not np.all(misfit <= np.sqrt(UNIT_ROUNDOFF) * scale):
        raise OracleError(f"no interpolant of least hypentropy was found at alpha = {alpha[np.argmax(misfit / scale)]}")
    return w, nu


@dataclasses.dataclass(frozen=True)
class OnTheCurve:
    """The point of the curve nearest to each w: alpha (B,), w (B, p), and its distance (B,) from the given point.

    speed (B,): |dw/d log2 alpha| there, by which a small change of the given point along the curve moves log2 alpha.
    """

    alpha: np.ndarray
    w: np.ndarray
    distance: np.ndarray
    speed: np.ndarray


def nearest_on_the_curve(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> OnTheCurve:
    """The Q_alpha nearest to w (B, p), alpha within GRID; X (B, n, p), y (B, n).

    The best of GRID, then golden section between its neighbors in ln alpha, to TOLERANCE.
    """
    w = in_float64(w, "weights")
    distances = [np.linalg.norm(least_hypentropy(X, y, np.full(len(w), alpha))[0] - w, axis=-1) for alpha in GRID]
    best = np.argmin(distances, axis=0)
    low, high = (np.log(GRID[np.clip(best + side, 0, len(GRID) - 1)]) for side in (1, -1))
    away = lambda logs: np.linalg.norm(least_hypentropy(X, y, np.exp(logs))[0] - w, axis=-1)  # noqa: E731
    left, right = high - _SHARE * (high - low), low + _SHARE * (high - low)
    at_left, at_right = away(left), away(right)
    for _ in range(_GOLDEN):
        below = at_left <= at_right
        low, high = np.where(below, low, left), np.where(below, right, high)
        new = np.where(below, high - _SHARE * (high - low), low + _SHARE * (high - low))
        at_new = away(new)
        left, right = np.where(below, new, right), np.where(below, left, new)
        at_left, at_right = np.where(below, at_new, at_right), np.where(below, at_left, at_new)
    alpha = np.exp((low + high) / 2)
    point, nu = least_hypentropy(X, y, alpha)
    return OnTheCurve(alpha, point, np.linalg.norm(point - w, axis=-1), speed(X, y, alpha, nu))


def speed(X: np.ndarray, y: np.ndarray, alpha: np.ndarray, nu: np.ndarray) -> np.ndarray:
    """|dw/d log2 alpha| (B,) at the point of the curve with these multipliers.

    In ln alpha, w = 2 alpha^2 sinh(X'nu) moves by 2w + CX'nu' with C = 2 alpha^2 diag(cosh(X'nu)), and Xw = y stays:
    XCX'nu' = -2y.
    """
    size, theta = 2 * alpha[:, None] ** 2, np.vecmat(nu, X)
    weights = size * np.cosh(theta)
    turned = np.linalg.solve((X * weights[:, None]) @ X.mT, -2 * y[..., None])[..., 0]
    return np.log(2) * np.linalg.norm(2 * size * np.sinh(theta) + weights * np.vecmat(turned, X), axis=-1)
