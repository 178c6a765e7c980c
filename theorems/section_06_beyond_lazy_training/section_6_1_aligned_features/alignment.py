"""Kernel alignment of the linear networks f = X W'a: its value, its limit on whitened data and the aligned kernel."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.rational import fractions
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.linear_targets import Target, misfit


def alignment(K: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A(K) = y'Ky/(|K|_F |y|^2), the cosine of K and yy', for K (..., n, n) and y (..., n)."""
    return np.vecdot(y, np.matvec(K, y)) / (norm(K, axis=(-2, -1)) * np.square(y).sum(-1))


def aligned_kernel(target: Target) -> np.ndarray:
    """XX' + yy'/|beta|^2."""
    y = target.y
    return target.X @ target.X.mT + y[..., :, None] * y[..., None, :] / target.length[..., None, None] ** 2


def anisotropy_on_whitened_data(target: Target, size: float | np.ndarray, eta: np.ndarray, steps: int) -> np.ndarray:
    """The x of an isotropic and silent start on whitened data after `steps` steps, from two scalar products.

    K is x times as large along the target as across it, so A(K) = `alignment_of_anisotropy`(x). Let w = W beta/|beta|.
    At the start w + a and w - a have the squared length c^2 + |a_0|^2. A step multiplies them by 1 - eta rho and 1 +
    eta rho, where rho = w.a - |beta|. G and D are the products of these factors so far.
    """
    c, a = size**2, (size * target.ratio) ** 2
    G, D = np.ones_like(eta), np.ones_like(eta)
    for _ in range(steps):
        rho = (c + a) * (G**2 - D**2) / 4 - target.length
        G, D = G * (1 - eta * rho), D * (1 + eta * rho)
    total, difference = (c + a) * (G**2 + D**2) / 2, (c - a) * G * D
    return total / (c + (total - difference) / 2)


def alignment_of_anisotropy(x: float | np.ndarray, target: Target) -> np.ndarray:
    """x/sqrt(x^2 + d - 1): the alignment of a kernel that is x times as large along the target as across it."""
    return x / np.sqrt(x**2 + target.dimension - 1)


def imbalance(net: TwoLayer) -> np.ndarray:
    """The nuclear norm of Delta = WW' - aa', the sum of its singular values."""
    Delta = net.W @ net.W.mT - net.a[..., :, None] * net.a[..., None, :]
    return np.abs(np.linalg.eigvalsh(Delta)).sum(-1)


def distance_to_aligned(net: TwoLayer, target: Target, e: float | np.ndarray, unseen: float | np.ndarray) -> np.ndarray:
    """An upper bound on |K/|a|^2 - XX' - yy'/|beta|^2|_F for a network with a != 0.

    e: an upper bound on the nuclear norm of Delta = WW' - aa'. unseen: an upper bound on |W_perp|, where W_perp is the
    part of W orthogonal to row(X). The largest singular value of X is at most 1.

    Proof. Let b = W'a, A = |a|^2 and Q the projection orthogonal to a. Then W'W = bb'/A + E with E >= 0 and tr E =
    tr Q Delta, and A^2 = |b|^2 - a'Delta a. So K/A - XX' = Xb(Xb)'/|b|^2 (1 + a'Delta a/A^2) + XEX'/A, where
    |a'Delta a|/A + tr Q Delta <= e. The part of b in row(X) differs from beta by r/sigma at most, and from the
    direction of beta by an angle of sine t at most. The other part of b has the length unseen |a| at most, and only
    makes |b| larger.
    """
    A, t = np.square(net.a).sum(-1), misfit(net, target) / (target.sigma * target.length)
    seen = target.length * np.maximum(1 - t, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        hidden = np.where(seen > 0, np.minimum(unseen**2 * A / seen**2, 1), 1)
    return e / A + np.sqrt(2) * t + hidden


def chord(distance: np.ndarray, K: np.ndarray) -> np.ndarray:
    """An upper bound on |A(K') - A(K)| for |K' - K|_F <= distance, both kernels positive semidefinite.

    The angle of K and K' is at most 90 degrees, and its sine at most s = distance/|K|. Then the unit matrices K/|K| and
    K'/|K'| have at most the distance s sqrt(2/(1 + sqrt(1 - s^2))).
    """
    s = np.minimum(distance / norm(K, axis=(-2, -1)), 1)
    return s * np.sqrt(2 / (1 + np.sqrt(1 - s**2)))


def squared_alignment(W: np.ndarray, a: np.ndarray, X: np.ndarray, y: np.ndarray) -> Fraction:
    """A(K)^2 at alpha = 1, exact for arrays of fractions. A(K) >= 0, because K is positive semidefinite."""
    K = X @ (W.T @ W + (a @ a) * fractions(np.eye(X.shape[1], dtype=int))) @ X.T
    return (y @ K @ y) ** 2 / ((K * K).sum() * (y @ y) ** 2)
