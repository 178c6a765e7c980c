"""Conditioning of the training of a deep linear network: the Gram matrix of its gradients (its tangent kernel)."""

from __future__ import annotations

import numpy as np

from fixtures.dynamics.deep_linear import Layers, layer_gradients
from fixtures.precision import factorization, rounding
from properties.deep_linear import frobenius


def tangent_gram(layers: Layers, X: np.ndarray) -> np.ndarray:
    """K_ij = <df(x_i)/dtheta, df(x_j)/dtheta>, (n, n), for a network with one output; exact on Fractions.

    X (d, n): samples in columns. Gradient flow changes the residual e at the rate -Ke. One step of gradient descent
    changes it by -eta Ke, to first order.
    """
    slopes = layer_gradients(layers, lambda _: X.T[:, None, :])
    jacobian = np.concatenate([slope.reshape(X.shape[1], -1) for slope in slopes], axis=1)
    return jacobian @ jacobian.T


def tangent_core(layers: Layers) -> np.ndarray:
    """The matrix M with K = X'MX, (d, d): the sum over l of |W_L ... W_{l+1}|^2 (W_{l-1} ... W_1)'(W_{l-1} ... W_1)."""
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
    """A bound on the condition number of M on a subspace, from the hidden layers: the product of the squared ratios.

    ratios (L - 1,): for each hidden layer, the ratio of its largest to its least singular value on the image of the
    subspace under the layers below. Up to a factor, each term of M is (W_{l-1} ... W_1)'(W_{l-1} ... W_1), whose
    condition number is at most the product over k < l. A sum of such terms has at most the largest of their condition
    numbers. The bound is attained by layers that stretch the same directions under output weights of zero.
    """
    return np.prod(np.asarray(ratios) ** 2)


def extreme_eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """The least and the largest eigenvalue of a symmetric matrix, by LAPACK."""
    return np.linalg.eigvalsh(matrix)[[0, -1]]


def tangent_rounding(layers: Layers, X: np.ndarray) -> float:
    """A bound on the error of an eigenvalue of the computed K = X'MX.

    K sums, over l, squares of products with Frobenius norm |X| prod_{k != l} |W_k|. Each product has L + 2 factors with
    inner dimensions at most m and occurs twice. An entry of K sums over all weights. A decomposition of K follows.
    """
    sizes = np.array([frobenius(layer) for layer in layers])
    scale = frobenius(X) ** 2 * sum(np.prod(np.delete(sizes, index)) ** 2 for index in range(len(sizes)))
    widest = max(*X.shape, *(dimension for layer in layers for dimension in layer.shape))
    operations = 2 * (len(layers) + 2) * widest + sum(layer.size for layer in layers)
    return rounding(operations + factorization(X.shape[1], X.shape[1]), scale)
