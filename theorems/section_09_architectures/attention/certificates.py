"""Attention: how it shrinks the spread of tokens, bounds on its rounding, and the growth of factored attention weights.

All functions take batches with a leading axis.
"""

from __future__ import annotations

import numpy as np

from fixtures.precision import rounding


def singular_values(matrix: np.ndarray) -> np.ndarray:
    """The singular values in descending order, along the last axis."""
    return np.linalg.svd(matrix, compute_uv=False)


def oscillation(X: np.ndarray) -> np.ndarray:
    """The range (max - min) over the tokens, which are the rows of X (T, d), for every column: (d,)."""
    return np.ptp(X, axis=-2)


def contraction_coefficient(P: np.ndarray) -> np.ndarray:
    """delta(P), the largest total variation distance of two rows of P (n, T) (Dobrushin, 1956).

    osc(PX) <= delta(P) osc(X) holds in every column, because the difference of two rows of P sums to 0.
    """
    return np.abs(P[..., :, None, :] - P[..., None, :, :]).sum(-1).max((-2, -1)) / 2


def logit_diameter(A: np.ndarray) -> np.ndarray:
    """The maximum over i, j of the range over k of A_ik - A_jk.

    It bounds the contraction of the softmax: delta <= tanh(diameter/4). Proof: let p and q be two rows of the softmax,
    p = rq with m <= r <= M = m e^D and E_q r = 1. Their total variation E_q (r - 1)^+ is at most its chord,
    (M - 1)(1 - m)/(M - m). The chord is largest at m = e^(-D/2), and there it is tanh(D/4).
    """
    return np.ptp(A[..., :, None, :] - A[..., None, :, :], axis=-1).max((-2, -1))


def averaging_rounding(X: np.ndarray) -> np.ndarray:
    """A bound on how far a computed osc(PX) may exceed a computed delta(P) osc(X), in each column.

    The bound is absolute, because the error of an average does not depend on the range of the column: a column may have
    a range that is tiny relative to its entries. In units of u max |X|, to first order:

    - each of two rows of PX is a sum of T products: T for each row;
    - each sum of weights differs from 1 by T, which changes delta by as much, times osc <= 2;
    - delta itself is summed with an error of T, times osc <= 2;
    - the last subtractions: 4.

    In all 2T + 2T + 4T + 4 operations.
    """
    return rounding(8 * X.shape[-2] + 4, np.abs(X).max(-2))


def logit_rounding(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    """A bound on the error of a computed logit x_j' W x_i of self-attention: 2d products on max_i |x_i|_1^2 max |W|."""
    return rounding(2 * X.shape[-1], np.abs(X).sum(-1).max(-1) ** 2 * np.abs(W).max((-2, -1)))


def softmax_rounding(A: np.ndarray) -> np.ndarray:
    """A bound on the l1 error of a computed row of the softmax of given logits (n, T): 2T + 5 operations.

    An exponential is off by u(2 + |a|) relative to its weight, where a is its distance to the largest logit. Its weight
    is at most e^-|a|, so |a| times the weight is below 1/2, and the T terms add T/2. This counts twice because of the
    normalization. Sum and quotient add T + 1.
    """
    return rounding(2 * A.shape[-1] + 5)


def layer_rounding(W: np.ndarray, X: np.ndarray, A: np.ndarray) -> np.ndarray:
    """A bound on the error of an entry of a computed layer PX: max |X| times the l1 error of a row of P.

    Logits (T, T) that are off by e change a row of P by at most 2e. The sums are of T products.
    """
    row = softmax_rounding(A) + 2 * logit_rounding(W, X) + rounding(X.shape[-2])
    return row * np.abs(X).max((-2, -1))


def two_token_bound(omega: np.ndarray, beta: np.ndarray, depth: int) -> np.ndarray:
    """Bounds (B, depth) on the oscillation of tokens in self-attention, layer by layer, from omega (B,) at the start.

    The bounds are b_0 = omega and b <- b tanh(beta b^2/4). They hold for stacks without skip connections whose weights
    have sum |W_ab| <= beta (B,). Two scalar tokens +-r attain them. Since b tanh(beta b^2/4) increases in b,
    b_l <= tanh(beta b_0^2/4)^l b_0 at any start. Near collapse, c b_l <= (c b_0)^(3^l) with c = sqrt(beta)/2.
    """
    bounds = [omega]
    for _ in range(depth - 1):
        bounds.append(bounds[-1] * np.tanh(beta * bounds[-1] ** 2 / 4))
    return np.stack(bounds, 1)


def attention_growth_shape(Y: np.ndarray, Z: np.ndarray, s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """N_t = (Y + ZD)'(Y - ZD) with D = exp(-2st): the shape of K'Q under the flow of -<M, K'Q>, where M = U diag(s) V'.

    Let K = alpha E, Q = alpha F, Y = EU + FV and Z = EU - FV (m, d). Then the flow is
    K'Q = (alpha^2/4) U e^(st) N_t e^(st) V'. Proof: S = [[0, M], [M', 0]] has the eigenvectors (u, v) and (u, -v), with
    the eigenvalues s and -s.
    """
    decayed = Z * np.exp(-2 * s * np.asarray(t)[..., None])[..., None, :]
    return (Y + decayed).mT @ (Y - decayed)
