"""The sharpness of two-layer networks that interpolate: enclosed by autograd, and given by the tangent kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import factorization, rounding
from properties.curvature.lanczos import Enclosure
from properties.curvature.sharpness import sharpness

if TYPE_CHECKING:
    import torch


WIDTH, DIMENSION, SAMPLES, NETWORKS = 5, 3, 4, 12
PARAMETERS = WIDTH * (DIMENSION + 1)
ACCURACY = 1e-9


def enclosed_sharpness(net: TwoLayer, X: np.ndarray, y: np.ndarray, M: np.ndarray) -> Enclosure:
    """The sharpness of (1/2n)|f(X) - y|^2 in coordinates phi of both layers, theta = M phi: autograd and Cholesky."""
    import torch

    inputs, targets, activation = torch.as_tensor(X), torch.as_tensor(y), getattr(torch, net.activation)
    phi = torch.tensor(np.linalg.solve(M, net.parameters()), requires_grad=True)

    def loss() -> torch.Tensor:
        theta = torch.as_tensor(M) @ phi
        W, a = theta[: net.W.size].reshape(net.W.shape), theta[net.W.size :]
        return (float(net.scale) * activation(inputs @ W.T) @ a - targets).square().mean() / 2

    return sharpness(loss, [phi], accuracy=ACCURACY)


def at_interpolation(seed: int, activation: str, M: np.ndarray | None = None) -> tuple[float, float, float, float]:
    """A random network with targets y = f(X): the enclosed sharpness, and lambda_max(K)/n.

    Returns the lower end, lambda_max(K)/n, the upper end, and the rounding between the two computations. M (p, p): the
    sharpness is in the coordinates phi, theta = M phi; a multiple of an orthogonal matrix, the identity unless given.
    """
    rng = np.random.default_rng(seed)
    net, X = two_layer("ntk", WIDTH, DIMENSION, seed, activation=activation), rng.standard_normal((SAMPLES, DIMENSION))
    M = np.eye(PARAMETERS) if M is None else M
    found, K = enclosed_sharpness(net, X, net.predict(X), M), net.kernel(X)
    # The residual should be zero. It is the rounding of f, where |s| <= 1, and of the coordinates, where
    # |grad f|^2 <= tr K; in the Hessian it multiplies the second derivatives of f.
    # f is computed twice, with two inner products; the coordinates are solved for and multiplied back.
    residual = rounding(2 * (WIDTH + DIMENSION + 2), net.scale * np.abs(net.a).sum())
    residual += rounding(factorization(PARAMETERS) + PARAMETERS, norm(net.parameters()) * np.sqrt(np.trace(K)))
    length = norm(X, axis=1).max()
    second = net.scale * (net.nonlinearity.curvature * np.abs(net.a).max() * length**2 + 2 * length)
    kernel = rounding(WIDTH + 2 * DIMENSION + 8 + factorization(SAMPLES), np.trace(K) / SAMPLES)
    return found.lower, np.linalg.eigvalsh(K)[-1] / SAMPLES, found.upper, residual * second + kernel
