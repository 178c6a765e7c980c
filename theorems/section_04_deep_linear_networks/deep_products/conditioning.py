"""How well conditioned the training of a deep linear network is: the Gram matrix of its gradients."""

from __future__ import annotations

import numpy as np

from fixtures.dynamics.deep_linear import Layers, layer_gradients
from fixtures.precision import UNIT_ROUNDOFF
from properties.deep_linear import frobenius


def tangent_gram(layers: Layers, X: np.ndarray) -> np.ndarray:
    """K_ij = <df(x_i)/dtheta, df(x_j)/dtheta>, (n, n), for a network with one output; exact on Fractions.

    X (d, n): samples in columns. Gradient flow moves the residual by -Ke, and a step of descent by -eta Ke to first
    order.
    """
    slopes = layer_gradients(layers, lambda _: X.T[:, None, :])
    jacobian = np.concatenate([slope.reshape(X.shape[1], -1) for slope in slopes], axis=1)
    return jacobian @ jacobian.T


def tangent_core(layers: Layers) -> np.ndarray:
    """The M in K = X'MX, (d, d): the sum over l of |W_L ... W_{l+1}|^2 (W_{l-1} ... W_1)'(W_{l-1} ... W_1)."""
    identity = np.eye(layers[0].shape[1])
    inputs = [identity]
    for layer in layers[:-1]:
        inputs.append(layer @ inputs[-1])
    output, core = np.ones((1, 1)), np.zeros_like(identity)
    for layer, below in zip(reversed(layers), reversed(inputs), strict=True):
        core = core + (output**2).sum() * below.T @ below
        output = output @ layer
    return core


def layered_condition(ratios: np.ndarray) -> np.ndarray:
    """The bound on cond(M), restricted to a subspace, by the layers: the product of the ratios squared.

    ratios (L - 1,): of the largest to the least singular value of each hidden layer, on what the layers below make of
    the subspace. Every term of M but for its factor is (W_{l-1} ... W_1)'(W_{l-1} ... W_1), with a condition number of
    at most the product over k < l; a sum of such terms has at most the largest. Attained by layers that stretch the
    same directions under output weights of zero.
    """
    return np.prod(np.asarray(ratios) ** 2)


def extreme_eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """The least and the largest eigenvalue of a symmetric matrix, by LAPACK."""
    return np.linalg.eigvalsh(matrix)[[0, -1]]


def tangent_rounding(layers: Layers, X: np.ndarray) -> float:
    """How far an eigenvalue of the computed K = X'MX may be from the exact one.

    K sums over l the squares of products with Frobenius norm |X| prod_{k != l} |W_k|, each of L + 2 factors with inner
    dimensions at most m and taken twice; eigenvalues add 10 n^2 u |K|.
    """
    sizes = np.array([frobenius(layer) for layer in layers])
    scale = frobenius(X) ** 2 * sum(np.prod(np.delete(sizes, index)) ** 2 for index in range(len(sizes)))
    widest = max(*X.shape, *(dimension for layer in layers for dimension in layer.shape))
    return (2 * (len(layers) + 2) * widest + 10 * X.shape[1] ** 2) * UNIT_ROUNDOFF * scale
