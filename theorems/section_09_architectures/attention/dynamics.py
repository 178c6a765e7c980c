"""Tokens through layers of self-attention, and gradient dynamics of the weights of one such layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy.linalg

from theorems.section_09_architectures.attention.model import attention, softmax, through_softmax

WeightGradient = Callable[[np.ndarray], np.ndarray]


def self_attention_path(X: np.ndarray, W: np.ndarray, *, skip: bool = False) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The tokens X (T, d) before layer 1, 2, 3, ..., each with the attention weights P (T, T) of that layer.

    Every layer has the weights W (d, d), the identity for values and no other parts: X <- PX, and X <- X + PX with a
    skip connection. One stack, or a batch with a leading axis.
    """
    while True:
        P = attention(W, X, X)
        yield X, P
        X = X + P @ X if skip else P @ X


def weight_path(W: np.ndarray, gradient: WeightGradient, eta: float | np.ndarray) -> Iterator[np.ndarray]:
    """W after 0, 1, 2, ... steps of gradient descent on W itself; gradient: W -> dL/dW. eta: a number or (B,)."""
    rate = np.asarray(eta)[..., None, None]
    while True:
        yield W
        W = W - rate * gradient(W)


def logit_path(gamma: np.ndarray, start: np.ndarray, eta: float | np.ndarray) -> Iterator[np.ndarray]:
    """Logits p (T,) after 0, 1, 2, ... steps of gradient ascent on gamma . softmax(p).

    These are the logits X W q of gradient ascent on W in gamma . softmax(X W q), for orthonormal rows of X and a unit
    query q. Logits of minus infinity do not move: they are the padding of a batch. eta: a number or (B,).
    """
    rate, p = np.asarray(eta)[..., None], start
    while True:
        yield p
        p = p + rate * through_softmax(softmax(p), gamma)


def factored_gradients(K: np.ndarray, Q: np.ndarray, G: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dL/dK = QG' and dL/dQ = KG for W = K'Q, from G = dL/dW (d_k, d_q); exact on Fractions."""
    return Q @ G.mT, K @ G


def factored_weight_path(
    K: np.ndarray, Q: np.ndarray, gradient: WeightGradient, eta: float | np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(K, Q) after 0, 1, 2, ... steps of gradient descent on (K, Q) -> L(K'Q); gradient: W -> dL/dW.

    With Z = [K Q] and M = -dL/dW one step is Z <- Z(I + eta S), S = [[0, M], [M', 0]]; exact on Fractions.
    """
    rate = np.asarray(eta)[..., None, None]
    while True:
        yield K, Q
        to_K, to_Q = factored_gradients(K, Q, gradient(K.mT @ Q))
        K, Q = K - rate * to_K, Q - rate * to_Q


def factored_linear_flow(
    K: np.ndarray, Q: np.ndarray, M: np.ndarray, t: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(K, Q) at time t of gradient flow on the linear loss -<M, K'Q>, which is [K Q] expm(tS), as it is linear.

    K (m, d_k), Q (m, d_q), M (d_k, d_q), t a number, or batches with t (B,); S = [[0, M], [M', 0]]. Exact up to the
    rounding of a matrix exponential (Pade and squaring, scipy).
    """
    S = np.concatenate([np.concatenate([0 * M @ M.mT, M], -1), np.concatenate([M.mT, 0 * M.mT @ M], -1)], -2)
    Z = np.concatenate([K, Q], -1) @ scipy.linalg.expm(np.asarray(t)[..., None, None] * S)
    return Z[..., : K.shape[-1]], Z[..., K.shape[-1] :]
