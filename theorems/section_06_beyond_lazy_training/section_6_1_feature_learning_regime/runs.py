"""Runs of gradient descent on two-layer networks: movement and misfit at every step, and the rounding of both."""

from __future__ import annotations

import dataclasses
from itertools import islice

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.two_layer import network_path
from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding


@dataclasses.dataclass(frozen=True)
class Run:
    """Gradient descent at t = 0, ..., T.

    networks: T + 1 batches of B networks. moved (T + 1, B): |theta_t - theta_0|. lengths (T, B): the lengths of the
    steps, |theta_{t+1} - theta_t|. misfit (T + 1, B): |f_t - y|.
    """

    networks: list[TwoLayer]
    moved: np.ndarray
    lengths: np.ndarray
    misfit: np.ndarray


def run_descent(
    net: TwoLayer, X: np.ndarray, y: np.ndarray, eta: float | np.ndarray, steps: int, train: str = "both"
) -> Run:
    """Run gradient descent from `net` for `steps` steps."""
    networks = list(islice(network_path(net, X, y, eta, train), steps + 1))
    theta = np.array([at.parameters() for at in networks])
    moved, lengths = norm(theta - theta[0], axis=-1), norm(np.diff(theta, axis=0), axis=-1)
    return Run(networks, moved, lengths, np.array([norm(at.predict(X) - y, axis=-1) for at in networks]))


def linear_movement(k: np.ndarray, modes: np.ndarray, eta: np.ndarray, steps: int) -> np.ndarray:
    """The movement of a linearized network at t = 0, ..., steps, (steps + 1, B).

    It is sqrt(sum_i modes_i^2 (1 - (1 - eta k_i)^t)^2/k_i) for a kernel with the eigenvalues k_i >= 0. As k_i -> 0 a
    summand tends to modes_i^2 eta^2 t^2 k_i, so the formula is evaluated without a division by k_i.
    """
    added = eta[:, None] * (1 - eta[:, None] * k) ** np.arange(steps)[:, None, None]
    growth = np.concatenate([0 * k[None], np.cumsum(added, axis=0)])
    return np.sqrt(np.sum(modes**2 * k * growth**2, axis=-1))


def largest_kernel(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """c^2 |theta|^2 |X|^2: a positive upper bound on |K| for ReLU or identity with both layers trained."""
    return (net.scale * norm(net.parameters(), axis=-1) * norm(X, 2, axis=(-2, -1))) ** 2


def run_rounding(net: TwoLayer, X: np.ndarray, steps: int) -> float:
    """Relative rounding error of values, kernels and movements after `steps` steps at X (..., n, d).

    A step forms values and gradients, with inner products of m, d and n entries in both. What is computed at the end
    costs as much once more.
    """
    return rounding(2 * (net.width + sum(X.shape[-2:])) * (1 + steps))


def residual_scale(net: TwoLayer, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The scale of the rounding error of a residual: |y| + c |a| |W| |X|.

    It bounds the sum of the absolute values of the terms of the residual.
    """
    terms = norm(net.a, axis=-1) * norm(net.W, axis=(-2, -1)) * norm(X, 2, axis=(-2, -1))
    return norm(y, axis=-1) + net.scale * terms
