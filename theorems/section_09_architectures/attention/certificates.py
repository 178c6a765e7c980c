"""What attention does to the spread of tokens, and the shape in which factored attention weights grow.

Everything takes batches with a leading axis.
"""

from __future__ import annotations

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF


def singular_values(matrix: np.ndarray) -> np.ndarray:
    """In descending order, along the last axis."""
    return np.linalg.svd(matrix, compute_uv=False)


def oscillation(X: np.ndarray) -> np.ndarray:
    """Max - min over the tokens, the rows of X (T, d), for every column: (d,)."""
    return np.ptp(X, axis=-2)


def contraction_coefficient(P: np.ndarray) -> np.ndarray:
    """Delta(P), the largest distance in total variation of two rows of P (n, T) (Dobrushin, 1956).

    osc(PX) <= delta(P) osc(X) in every column, for the difference of two rows of P sums to 0.
    """
    return np.abs(P[..., :, None, :] - P[..., None, :, :]).sum(-1).max((-2, -1)) / 2


def logit_diameter(A: np.ndarray) -> np.ndarray:
    """Max over i, j of the range over k of A_ik - A_jk.

    It bounds the contraction of the softmax: delta <= tanh(diameter/4). Let p = rq with m <= r <= M = m e^D, E_q r = 1.
    The total variation E_q (r - 1)^+ is at most its chord, (M - 1)(1 - m)/(M - m), and this is largest at
    m = e^(-D/2), where it is tanh(D/4).
    """
    return np.ptp(A[..., :, None, :] - A[..., None, :, :], axis=-1).max((-2, -1))


def averaging_rounding(X: np.ndarray) -> np.ndarray:
    """How far a computed osc(PX) may exceed delta(P) osc(X), all computed, in each column: 16 T u max |X|.

    The bound is absolute: a column whose range is tiny against its entries is averaged with an error that does not
    know the range. In units of u max |X|, to first order: each of two rows of PX is a sum of T products, T; each sum
    of weights is off 1 by T, which moves delta by as much, and delta itself is summed with T, both times osc <= 2;
    the last subtractions, 4. In all 2T + 2T + 4T + 4 <= 16 T.
    """
    return 16 * X.shape[-2] * UNIT_ROUNDOFF * np.abs(X).max(-2)


def logit_rounding(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    """How far a logit of self-attention may be computed from x_j' W x_i: 4 d u max_i |x_i|_1^2 max |W|."""
    return 4 * X.shape[-1] * UNIT_ROUNDOFF * np.abs(X).sum(-1).max(-1) ** 2 * np.abs(W).max((-2, -1))


def softmax_rounding(A: np.ndarray) -> np.ndarray:
    """How far, in l1, a computed row of a softmax may be from that of the same logits (n, T): 4(T + 2) u.

    Relative to its weight an exponential is off by u(2 + |a|), a its distance to the largest logit; weights are at most
    e^-|a|, so |a| times the weight is below 1/2 and the T of them add T/2. Sum and quotient add T + 1, all of it twice
    for the normalization.
    """
    return 4 * (A.shape[-1] + 2) * UNIT_ROUNDOFF


def layer_rounding(W: np.ndarray, X: np.ndarray, A: np.ndarray) -> np.ndarray:
    """How far an entry of a computed layer PX may be from the exact one: max |X| times the l1 error of a row of P.

    Logits (T, T) off by e change a row of P by 2e at most; the sums of T products add 2T u.
    """
    row = softmax_rounding(A) + 2 * logit_rounding(W, X) + 2 * X.shape[-2] * UNIT_ROUNDOFF
    return row * np.abs(X).max((-2, -1))


def two_token_bound(omega: np.ndarray, beta: np.ndarray, depth: int) -> np.ndarray:
    """What self-attention leaves of an oscillation omega (B,): b_0 = omega, b <- b tanh(beta b^2/4), (B, depth).

    No stack without skip connections is wider if its weights have sum |W_ab| <= beta (B,), and two scalar tokens +-r
    are as wide. b tanh(beta b^2/4) rises in b, so b_l <= tanh(beta b_0^2/4)^l b_0 at any start, and near collapse
    c b_l <= (c b_0)^(3^l) with c = sqrt(beta)/2.
    """
    bounds = [omega]
    for _ in range(depth - 1):
        bounds.append(bounds[-1] * np.tanh(beta * bounds[-1] ** 2 / 4))
    return np.stack(bounds, 1)


def growth_of_the_leading_minors(Y: np.ndarray, Z: np.ndarray, s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """N_t = (Y + ZD)'(Y - ZD) with D = exp(-2st), the shape of K'Q under the flow of -<M, K'Q>, M = U diag(s) V'.

    From K = alpha E, Q = alpha F, with Y = EU + FV and Z = EU - FV (m, d), the flow is
    K'Q = (alpha^2/4) U e^(st) N_t e^(st) V', because S = [[0, M], [M', 0]] has the eigenvectors (u, v) and (u, -v) with
    the eigenvalues s and -s.
    """
    decayed = Z * np.exp(-2 * s * np.asarray(t)[..., None])[..., None, :]
    return (Y + decayed).mT @ (Y - decayed)
