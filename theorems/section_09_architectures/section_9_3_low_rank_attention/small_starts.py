"""The flow of factored attention weights W = K'Q from a small start, for a loss that is linear in W.

The start is K_0 = alpha E, Q_0 = alpha F. The force is M = -dL/dW = U diag(s) V' with s_1 = 1. With Y = EU + FV and
Z = EU - FV the flow is W = (alpha^2/4) U e^(st) N_t e^(st) V', N_t = (Y + Z e^(-2st))'(Y - Z e^(-2st)).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from theorems.section_09_architectures.attention.certificates import singular_values
from theorems.section_09_architectures.attention.dynamics import factored_linear_flow
from theorems.section_09_architectures.attention.low_rank_problems import SmallStart


def flow_weights(start: SmallStart) -> np.ndarray:
    """W of the flow at the time at which alpha e^(s_1 t) = 1, (B, 3, 3)."""
    scale = start.alpha[:, None, None]
    K, Q = factored_linear_flow(scale * start.E, scale * start.F, start.M, start.time)
    return K.mT @ Q


def flow_rounding(start: SmallStart) -> np.ndarray:
    """The rounding of `flow_weights` in the Frobenius norm, (B,): 2|K||Q| times the relative error of the exponential.

    The exponent tS is symmetric of norm t and size 6, so that its exponential has the condition number t. It takes six
    products and a solve, doubled by squarings. M is made of two rotations, of 54 operations each, and two products; W
    is one of four entries. As alpha e^t = 1, |K| and |Q| are at most |[E F]|.
    """
    size = norm(np.concatenate([start.E, start.F], -1), axis=(-2, -1)) ** 2
    operations = 7 * 6 + factorization(6, 6) + 2 * 54 + 2 * 3 + 4
    return rounding(operations, 2 * size * (1 + start.time))


def largest_growth(start: SmallStart) -> np.ndarray:
    """(|Y| + |Z|)^2, an upper bound of |N_t| at all times, (B,)."""
    return (singular_values(start.Y)[:, 0] + singular_values(start.Z)[:, 0]) ** 2


def has_top_mode(start: SmallStart) -> np.ndarray:
    """Whether H8 holds with a margin, (B,): the first column of Y is not 0."""
    return norm(start.Y[..., 0], axis=-1) >= 1 / 4 - rounding(factorization(4, 2) + 4)


def rank_law(start: SmallStart) -> np.ndarray:
    """The order of sigma_2/sigma_1 when alpha e^(s_1 t) = 1, up to constants: alpha^(2(1 - s_2/s_1)), (B,)."""
    return start.alpha ** (2 * (1 - start.s[:, 1]))


def balance_of_spectrum(W: np.ndarray) -> Fraction:
    """2 sigma_1 sigma_2/(sigma_1^2 + sigma_2^2) of a 2 x 2 array of fractions, as 2|det W|/|W|_F^2. Exact.

    It is 1 where sigma_1 = sigma_2, and 4/5 where sigma_1 = 2 sigma_2.
    """
    return 2 * abs(W[0, 0] * W[1, 1] - W[0, 1] * W[1, 0]) / (W * W).sum()
