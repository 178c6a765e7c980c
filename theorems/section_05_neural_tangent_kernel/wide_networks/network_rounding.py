"""Rounding error of the values and tangent kernels of a two-layer network: bounds with their derivation."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import UNIT_ROUNDOFF


def kernel_entry_rounding(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """A bound on the error of a computed entry of K_m or of its limit, (..., n, n): 4(m + d + 32)u sqrt(K_ii K_jj).

    For ReLU and erf. The largest squared length of an input is added to the diagonals K_ii, so that the bound covers
    the limit as well. An entry sums m nonnegative products of computed factors. Rounding may also change the sign of
    w . x, which is an event of probability about u and is left out. The closed forms of the limit are good to some
    dozens of u.
    """
    diagonal = np.sqrt(np.diagonal(net.kernel(X), axis1=-2, axis2=-1))
    sizes = diagonal[..., :, None] * diagonal[..., None, :] + norm(X, axis=-1).max(-1)[..., None, None] ** 2
    return 4 * (net.width + X.shape[-1] + 32) * UNIT_ROUNDOFF * sizes


def value_rounding(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """A bound on the error of the computed values (n,), in norm, shape (...,).

    It is sqrt(n) (m + d + 32) u scale sum |a_j| (1 + |w||x|). Here |w||x| stands for its largest value. For activations
    with |s|, |s'| <= 1, such as tanh. A value sums m terms, each at most |a_j| in size. The preactivation of each term
    is off by d u |w||x|, and |s'| <= 1 does not increase this error.
    """
    steep = 1 + norm(net.W, axis=-1).max(-1) * norm(X, axis=-1).max(-1)
    units = (net.width + X.shape[-1] + 32) * np.sqrt(X.shape[-2]) * UNIT_ROUNDOFF
    return units * net.scale * np.abs(net.a).sum(-1) * steep
