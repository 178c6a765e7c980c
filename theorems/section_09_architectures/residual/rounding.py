"""How far computed gradients of a residual network may be off, by an analysis of their rounding."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from theorems.section_09_architectures.residual.model import ResidualNetwork


def gradient_rounding(net: ResidualNetwork, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far each computed gradient of (1/2)|h_L - y|^2 is from the exact one, to first order in u, (...,).

    With b_l = c |U_l|_F |W_l|_F and P = prod (1 + b_l), a state is at most P|x| and a signal at most P r,
    r = P|x| + |y|. A layer rounds by g = (d + 2m + 16) u of what it takes in, times 1 + b_l, forward or backward, so
    that states are off by L g P |x|. Backward, a slope is off by sup |s''| < 1 times |W_l| that error, which adds
    b_l |W_l| (L + 1) g P |x| of the signal. Signals are off by s = (2L + 2) g P r (1 + max b_l |W_l| P |x|) (L + 1) at
    most, and products with the states and with 1 + |U_l| + |W_l| by twice that, once for each factor.
    """
    L, m, d = net.W.shape[-3:]
    size_W, size_U = norm(net.W, axis=(-2, -1)), norm(net.U, axis=(-2, -1))
    b = np.asarray(net.scale)[..., None] * size_U * size_W
    P = np.prod(1 + b, axis=-1)
    reach = P * norm(x, axis=-1)
    unit = (d + 2 * m + 16) * UNIT_ROUNDOFF
    signal = (2 * L + 2) * (L + 1) * unit * P * (reach + norm(y, axis=-1)) * (1 + (b * size_W).max(-1) * reach)
    return 2 * signal * (1 + reach) * (1 + size_U.max(-1) + size_W.max(-1))
