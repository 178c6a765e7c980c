"""Rounding error of the gradients of a residual network: a bound with its derivation."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from theorems.section_09_architectures.residual.model import ResidualNetwork


def gradient_rounding(net: ResidualNetwork, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A bound on the error of each computed gradient of (1/2)|h_L - y|^2, to first order in u, shape (...,).

    Notation: b_l = c |U_l|_F |W_l|_F, P = prod (1 + b_l), r = P|x| + |y|. A state (forward) is at most P|x|, and a
    signal (backward) is at most P r.

    Forward: a layer rounds by g = (d + 2m + 16) u relative to its input, times 1 + b_l. So the states are off by at
    most L g P |x|.
    Backward: a layer rounds by the same relative amount. In addition, the slope s' is taken at a state that is off. It
    is off by sup |s''| < 1 times |W_l| times the error of the state. This adds b_l |W_l| (L + 1) g P |x| of the signal.
    Together the signals are off by at most s = (2L + 2) g P r (1 + max b_l |W_l| P |x|) (L + 1). A gradient is a signal
    times states; the states contribute at most (1 + P|x|)(1 + |U_l| + |W_l|). Its error is at most twice s times this,
    once for each factor.
    """
    L, m, d = net.W.shape[-3:]
    size_W, size_U = norm(net.W, axis=(-2, -1)), norm(net.U, axis=(-2, -1))
    b = np.asarray(net.scale)[..., None] * size_U * size_W
    P = np.prod(1 + b, axis=-1)
    reach = P * norm(x, axis=-1)
    unit = (d + 2 * m + 16) * UNIT_ROUNDOFF
    signal = (2 * L + 2) * (L + 1) * unit * P * (reach + norm(y, axis=-1)) * (1 + (b * size_W).max(-1) * reach)
    return 2 * signal * (1 + reach) * (1 + size_U.max(-1) + size_W.max(-1))
