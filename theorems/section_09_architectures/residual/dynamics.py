"""Training residual networks: linear ones by descent, tanh ones by gradient flow, equal layers mode by mode."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from fixtures.dynamics.deep_linear import layer_gradients, regression_gradient
from fixtures.dynamics.gradient_flow import Flow, gradient_flow
from theorems.section_09_architectures.residual.model import ResidualNetwork

Number = TypeVar("Number")


def residual_layers(A: np.ndarray, scale: float | np.ndarray) -> list[np.ndarray]:
    """I + c A_l for every l, A (..., L, d, d): the layers of the plain network that computes the same function."""
    identity = np.eye(A.shape[-1], dtype=A.dtype)
    return [identity + np.asarray(scale)[..., None, None] * A[..., layer, :, :] for layer in range(A.shape[-3])]


def residual_gradients(A: np.ndarray, X: np.ndarray, Y: np.ndarray, scale: float | np.ndarray = 1) -> np.ndarray:
    """The gradient of (1/2)|prod_l (I + c A_l) X - Y|_F^2 in every A_l, (..., L, d, d); exact on fractions."""
    in_layers = layer_gradients(residual_layers(A, scale), regression_gradient(X, Y))
    return np.asarray(scale)[..., None, None, None] * np.stack(in_layers, axis=-3)


def residual_descent_path(
    A: np.ndarray,
    X: np.ndarray,
    Y: np.ndarray,
    eta: float | np.ndarray,
    scale: float | np.ndarray = 1,
    depth: int | np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """A at t = 0, 1, 2, ... of gradient descent on (1/2)|prod_l (I + c A_l) X - Y|_F^2, without end.

    A (..., L, d, d), X and Y (..., d, n). depth: how many layers are trained, L unless given; the rest is padding.
    """
    trained = np.arange(A.shape[-3]) < np.asarray(A.shape[-3] if depth is None else depth)[..., None]
    rate = np.asarray(eta)[..., None, None, None] * trained[..., None, None]
    while True:
        yield A
        A = A - rate * residual_gradients(A, X, Y, scale)


def shared_layer_step(b: Number, target: Number, depth: int | np.ndarray, eta: Number) -> Number:
    """One step of an eigenvalue b of L equal symmetric layers towards an eigenvalue of the target, exact on fractions.

    b <- b - eta b^{L-1} (b^L - target), gradient descent on (b^L - target)^2/(2L). From I + A_l = I and
    for X = I, layers that are trained together towards a symmetric target stay equal, with its eigenvectors, and each
    of their eigenvalues does just that.
    """
    return b - eta * b ** (depth - 1) * (b**depth - target)


def shared_layer_descent(
    b: np.ndarray, target: np.ndarray, depth: np.ndarray, eta: np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """`steps` steps of `shared_layer_step` on arrays of one shape; an entry stops after its own number of steps."""
    for t in range(int(np.max(steps, initial=0))):
        b = np.where(t < steps, shared_layer_step(b, target, depth, eta), b)
    return b


def shared_layer_flow(
    b: np.ndarray, target: np.ndarray, depth: np.ndarray, times: np.ndarray, speed: float | np.ndarray = 1.0
) -> Flow:
    """The gradient flow db/dt = -speed b^{L-1}(b^L - target) of `shared_layer_step`, on arrays of one shape.

    speed: what each entry's time is multiplied by; 1/curvature makes a batch of them alike, and none of them stiff.
    """
    return gradient_flow(lambda at: -speed * at ** (depth - 1) * (at**depth - target), b, times)


def network_flow(
    network: ResidualNetwork, x: np.ndarray, y: np.ndarray, times: np.ndarray
) -> tuple[list[ResidualNetwork], np.ndarray]:
    """Gradient flow of (1/2)|h_L - y|^2 in all of W and U: the networks at these times, and the error (T,) of each.

    The error is Euclidean, over all weights of a batch together, as in `gradient_flow`. Raises as `gradient_flow` does.
    """
    shapes, split = (network.W.shape, network.U.shape), network.W.size

    def unpack(flat: np.ndarray) -> ResidualNetwork:
        return dataclasses.replace(network, W=flat[:split].reshape(shapes[0]), U=flat[split:].reshape(shapes[1]))

    def field(flat: np.ndarray) -> np.ndarray:
        slopes = unpack(flat).gradients(x, y)
        return -np.concatenate([slopes.in_W.ravel(), slopes.in_U.ravel()])

    run = gradient_flow(field, np.concatenate([network.W.ravel(), network.U.ravel()]), times)
    return [unpack(flat) for flat in run.states], run.error
