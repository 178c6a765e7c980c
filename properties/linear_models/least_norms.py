"""What an interpolant may have least: a norm, or a divergence from a start. The least value is enclosed by duality.

Any interpolant gives an upper bound. Any nu gives a lower bound: <y, nu>/|X'nu|_* for a norm with dual norm |.|_*, and
D(nu) = <nu, y> - sum_j [phi*(theta_j) - phi*(theta0_j)] with theta = theta0 + X'nu for the Bregman divergence of phi
from w0, theta0 = phi'(w0). So no solver is believed: LAPACK, HiGHS and MINPACK only propose a point w and a nu.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.mirror_descent import ENTROPY, MirrorMap, hyperbolic_entropy
from properties import oracles
from properties.least import Least
from properties.linear_models.divergences import relative_entropy

Weights = np.ndarray


def least_norm(order: float, X: np.ndarray, y: np.ndarray) -> Least:
    """The least l1, l2 or l-infinity norm among the interpolants; order 1, 2 or inf; X (B, n, p), y (B, n)."""
    if order == 2:
        w = oracles.nearest_interpolant(X, y, np.zeros((len(X), X.shape[-1])))
        nu = np.linalg.solve(X @ X.mT, y[..., None])[..., 0]
    else:
        w, nu = (oracles.least_l1_norm if order == 1 else oracles.least_max_norm)(X, y)
    name, dual, longest = {
        1: ("l1", np.inf, X.shape[-1] ** 0.5),
        2: ("l2", 2, 1.0),
        np.inf: ("l-infinity", 1, 1.0),
    }[order]
    lower = np.vecdot(y, nu) / norm(np.vecmat(nu, X), dual, axis=-1)
    value = functools.partial(norm, ord=order, axis=-1)
    return _at_interpolant(name, X, y, w, value, lambda w: np.full(len(w), longest), lower)


def least_relative_entropy(X: np.ndarray, y: np.ndarray, w0: Weights) -> Least:
    """The least KL(w || w0) among the nonnegative interpolants, w0 (B, p) positive. No value where w is not positive.

    KL is the Bregman divergence of phi(w) = sum w ln w - w, and phi* = sum exp.
    """

    def inside(w: Weights) -> np.ndarray:
        return np.where((w > 0).all(-1, keepdims=True), w, np.nan)

    def value(w: Weights) -> np.ndarray:
        return relative_entropy(w0, inside(w) - w0)

    w = oracles.nearest_in_relative_entropy(X, y, w0)
    lower = _dual_value(X, y, w0, w, ENTROPY, lambda w: w.sum(-1))
    return _at_interpolant("entropy", X, y, w, value, lambda w: norm(np.log(inside(w) / w0), axis=-1), lower)


def least_hyperbolic_entropy(X: np.ndarray, y: np.ndarray, w0: Weights, beta: float) -> Least:
    """The least Bregman divergence of hyperbolic entropy from w0 (B, p) among the interpolants.

    phi(w) = sum w asinh(w/beta) - sqrt(w^2 + beta^2), and phi*(theta) = sum beta cosh theta = sum sqrt(w^2 + beta^2).
    """

    def gradient(w: Weights) -> np.ndarray:
        return np.arcsinh(w / beta) - np.arcsinh(w0 / beta)

    def conjugate(w: Weights) -> np.ndarray:
        return np.hypot(w, beta).sum(-1)

    def value(w: Weights) -> np.ndarray:
        return np.vecdot(w, gradient(w)) - conjugate(w) + conjugate(w0)

    w = oracles.nearest_in_hyperbolic_entropy(X, y, w0, beta)
    lower = _dual_value(X, y, w0, w, hyperbolic_entropy(beta), conjugate)
    return _at_interpolant("hypentropy", X, y, w, value, lambda w: norm(gradient(w), axis=-1), lower)


def _dual_value(
    X: np.ndarray,
    y: np.ndarray,
    w0: Weights,
    w: Weights,
    mirror: MirrorMap,
    conjugate: Callable[[Weights], np.ndarray],
) -> np.ndarray:
    """D(nu), (B,), at the nu for which X'nu is nearest to phi'(w) - phi'(w0). conjugate: phi*(theta) in w = phi*'."""
    theta0 = mirror.to_dual(w0)
    nu = np.linalg.solve(X @ X.mT, np.matvec(X, mirror.to_dual(w) - theta0)[..., None])[..., 0]
    return np.vecdot(nu, y) - conjugate(mirror.to_primal(theta0 + np.vecmat(nu, X))) + conjugate(w0)


def _at_interpolant(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    w: Weights,
    value: Callable[[Weights], np.ndarray],
    slope: Callable[[Weights], np.ndarray],
    lower: np.ndarray,
) -> Least:
    """The bracket whose upper end is the value at the interpolant nearest to w, which may fit up to rounding only."""
    w = oracles.nearest_interpolant(X, y, w)
    return Least(name, value, slope, w, value(w), lower)
