"""The least nuclear, Frobenius and spectral norm among the matrices with given measurements, enclosed by duality.

By duality min {|W| : <A_i, W> = y_i} = max {<y, nu> : |sum_i nu_i A_i|_* <= 1} for a norm |.| with dual norm |.|_*. Any
nu gives the lower bound <y, nu>/|sum_i nu_i A_i|_*, and any feasible W the upper bound |W|. So the solver below is not
believed: the bounds tell how far it came.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from numpy.linalg import norm

from fixtures.entries import in_float64
from properties.least import Least
from properties.oracles import nearest_interpolant

Singular = np.ndarray
RELAXATION = 1.5


@dataclasses.dataclass(frozen=True)
class InvariantNorm:
    """A unitarily invariant norm, as a norm of the singular values s (..., r), which descend.

    norm, dual: it and its dual norm, functions of s. shrink: argmin over x of norm(x) + |x - s|^2/(2 gamma), a function
    of s and gamma (..., 1). longest: a bound on the l2 length of a subgradient, a function of r.
    """

    name: str
    norm: Callable[[Singular], np.ndarray]
    dual: Callable[[Singular], np.ndarray]
    shrink: Callable[[Singular, np.ndarray], Singular]
    longest: Callable[[int], float]

    def of(self, W: np.ndarray) -> np.ndarray:
        """The norm of W (B, d, n), (B,)."""
        return self.norm(singular_values(W))

    def dual_of(self, W: np.ndarray) -> np.ndarray:
        """The dual norm of W (B, d, n), (B,)."""
        return self.dual(singular_values(W))


def singular_values(W: np.ndarray) -> Singular:
    """The singular values of W (B, d, n), (B, min(d, n)), and nan for an instance with an entry that is nan."""
    present = ~np.isnan(W).any(axis=(-2, -1))
    s = np.linalg.svd(np.where(present[:, None, None], W, 0), compute_uv=False)
    return np.where(present[:, None], s, np.nan)


def cut_off(s: Singular, total: np.ndarray) -> Singular:
    """The s (..., r), which descend, cut off at a common level, so that `total` (..., 1) is taken off in sum.

    What is taken off is the projection of s onto {x >= 0 : sum x <= total}, so the rest is the proximal point of
    total * max (Moreau). The level is 0 where the sum of s is at most `total`.
    """
    levels = (np.cumsum(s, axis=-1) - total) / np.arange(1, s.shape[-1] + 1)
    return np.minimum(s, np.maximum(0, levels.max(-1, keepdims=True)))


def _total(s: Singular) -> np.ndarray:
    return s.sum(-1)


def _largest(s: Singular) -> np.ndarray:
    return s[..., 0]


def _soft(s: Singular, gamma: np.ndarray) -> Singular:
    return np.maximum(s - gamma, 0)


NUCLEAR = InvariantNorm("nuclear", _total, _largest, _soft, longest=lambda r: r**0.5)
SPECTRAL = InvariantNorm("spectral", _largest, _total, cut_off, longest=lambda _: 1.0)


def least_frobenius_norm(A: np.ndarray, y: np.ndarray) -> Least:
    """The least Frobenius norm over {W : <A_i, W> = y_i}, A (B, m, d, n) of independent A_i, y (B, m), by LAPACK."""
    flat = in_float64(A, "measurements").reshape(*A.shape[:2], -1)
    w = nearest_interpolant(flat, y, np.zeros((len(flat), flat.shape[-1])))
    nu = np.linalg.solve(flat @ flat.mT, in_float64(y, "targets")[..., None])[..., 0]
    lower = np.vecdot(y, nu) / norm(np.vecmat(nu, flat), axis=-1)
    value = functools.partial(norm, axis=(-2, -1))
    return Least("Frobenius", value, lambda W: np.ones(len(W)), w.reshape(-1, *A.shape[2:]), norm(w, axis=-1), lower)


def least_invariant_norm(A: np.ndarray, y: np.ndarray, invariant: InvariantNorm, iterations: int) -> Least:
    """The least norm over {W : <A_i, W> = y_i}, A (B, m, d, n), y (B, m), by Douglas-Rachford splitting.

    Let P(Z) be the nearest feasible matrix. One iteration is Z <- Z + 1.5 (shrink(2 P(Z) - Z) - P(Z)), from P(0). Then
    (P(Z) - Z)/gamma is a combination of the A_i and tends to a dual solution. gamma is the dual norm of P(0), so that
    the scale of y has no effect. The A_i are independent, and y is not zero.
    """
    A, y = in_float64(A, "measurements"), in_float64(y, "targets")
    flat, shape = A.reshape(*A.shape[:2], -1), A.shape[2:]
    inverse = np.linalg.pinv(flat)

    def nearest(Z: np.ndarray) -> np.ndarray:
        Z = Z.reshape(len(Z), -1)
        return (Z + np.matvec(inverse, y - np.matvec(flat, Z))).reshape(-1, *shape)

    Z = nearest(np.zeros((len(y), *shape)))
    gamma = invariant.dual_of(Z)[:, None]
    for _ in range(iterations):
        fed = nearest(Z)
        left, s, right = np.linalg.svd(2 * fed - Z, full_matrices=False)
        Z = Z + RELAXATION * ((left * invariant.shrink(s, gamma)[:, None, :]) @ right - fed)
    W = nearest(Z)
    nu = np.vecmat((W - Z).reshape(len(y), -1), inverse)
    lower = np.vecdot(y, nu) / invariant.dual_of(np.vecmat(nu, flat).reshape(-1, *shape))
    longest = invariant.longest(min(shape))
    return Least(invariant.name, invariant.of, lambda W: np.full(len(W), longest), W, invariant.of(W), lower)
