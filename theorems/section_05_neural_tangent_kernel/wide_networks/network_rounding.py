"""How far computed values and kernels of a two-layer network may be off, by an analysis of their rounding."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import UNIT_ROUNDOFF


def kernel_entry_rounding(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """How far a computed entry of K_m or of its limit may be off, (..., n, n): 4(m + d + 32)u sqrt(K_ii K_jj).

    For ReLU and erf; the inputs' largest square is added to the diagonals, for the limit. An entry sums m nonnegative
    products of computed factors. That rounding decides on the sign of w . x is an event of probability about u; the
    closed forms are good to some dozens of u.
    """
    diagonal = np.sqrt(np.diagonal(net.kernel(X), axis1=-2, axis2=-1))
    sizes = diagonal[..., :, None] * diagonal[..., None, :] + norm(X, axis=-1).max(-1)[..., None, None] ** 2
    return 4 * (net.width + X.shape[-1] + 32) * UNIT_ROUNDOFF * sizes


def value_rounding(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """How far the computed values (n,) may be off, in norm (...,): (m + d + 32)u times scale sum |a_j| (1 + |w||x|).

    For |s|, |s'| <= 1, as of tanh. A value sums m terms below |a_j| in size, each with a preactivation off by
    d u |w||x|, and tanh does not expand; |w||x| stands for its largest value.
    """
    steep = 1 + norm(net.W, axis=-1).max(-1) * norm(X, axis=-1).max(-1)
    units = (net.width + X.shape[-1] + 32) * np.sqrt(X.shape[-2]) * UNIT_ROUNDOFF
    return units * net.scale * np.abs(net.a).sum(-1) * steep
