"""Rounding error of the values and tangent kernels of a two-layer network: bounds with their derivation."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import factorization, rounding


def kernel_entry_rounding(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """A bound on the error of a computed entry of K_m and of its limit, (..., n, n): 4(m + d + 32)u sqrt(K_ii K_jj).

    For ReLU and erf. An entry sums m nonnegative products of factors that sum d products and have an activation: m + d
    + 32 roundings. The closed forms of the limit have no more. Their size is the largest squared length of an input,
    which is added to the diagonals K_ii. Rounding may also change the sign of w . x, which is an event of probability
    about u and is left out.
    """
    diagonal = np.sqrt(np.diagonal(net.kernel(X), axis1=-2, axis2=-1))
    sizes = diagonal[..., :, None] * diagonal[..., None, :] + norm(X, axis=-1).max(-1)[..., None, None] ** 2
    return rounding(2 * (net.width + X.shape[-1] + 32), sizes)


def tangent_rounding(width: int, K: np.ndarray) -> np.ndarray:
    """A bound on the error of |K - K'| for computed kernels of two hidden layers of one width, K (n, n) one of them.

    An entry sums m products in each of three layers, whose factors sum m products and have an activation of 8
    operations. The two kernels are of one size, and so are a Jacobian and a residual of at most this size.
    """
    return rounding(2 * 3 * (2 * width + 8), norm(K, 2))


def share_rounding(width: int, dimension: int) -> float:
    """A bound on the error of a share of a deep kernel (`deep_relu_shares`), relative to |x||x'|.

    Two sums over the neurons of a layer, one over the entries of an input, a pseudo-inverse (m, 2) and its use.
    """
    return rounding(2 * width + dimension + 2 * factorization(width, 2))


def value_rounding(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """A bound on the error of the computed values (n,), in norm, shape (...,).

    It is 2 sqrt(n) (m + d + 32) u scale sum |a_j| (1 + |w||x|). Here |w||x| stands for its largest value. For
    activations with |s|, |s'| <= 1, such as tanh. A value sums m terms, each at most |a_j| in size. The preactivation
    of each term sums d products of size |w||x|, and |s'| <= 1 does not increase this error.
    """
    steep = 1 + norm(net.W, axis=-1).max(-1) * norm(X, axis=-1).max(-1)
    return rounding(net.width + X.shape[-1] + 32, np.sqrt(X.shape[-2]) * net.scale * np.abs(net.a).sum(-1) * steep)
