"""Runs of gradient descent for Theorem 5.1: the networks of a path, and how far weights and kernel have moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.two_layer import network_path
from fixtures.models.two_layer import TwoLayer
from properties.lazy_training import spectral
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import DIRECTION, POINTS
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_network import DeepNetwork, deep_network


def sampled_path(
    period: int, start: TwoLayer, X: np.ndarray, y: np.ndarray, eta: float | np.ndarray, train: str, steps: int
) -> list[TwoLayer]:
    """The networks at the times 0, period, 2 * period, ..., steps of gradient descent."""
    return list(islice(network_path(start, X, y, eta, train), 0, steps + 1, period))


def path_distances(path: Sequence[TwoLayer], X: np.ndarray, y: np.ndarray, train: str) -> Iterator[np.ndarray]:
    """|theta_t - theta_0|, |K_t - K_0| and |r_t| along a path, each (..., T)."""
    K_0, theta_0 = path[0].kernel(X, train=train), path[0].parameters(train)
    moved = [norm(net.parameters(train) - theta_0, axis=-1) for net in path]
    drift = [spectral(net.kernel(X, train=train) - K_0) for net in path]
    return (np.stack(x, axis=-1) for x in (moved, drift, [norm(net.predict(X) - y, axis=-1) for net in path]))


def kernel_change(size: float | np.ndarray, turned: float | np.ndarray) -> float | np.ndarray:
    """The bound 2 |J_0| c + c^2 on |K - K_0|, where |J_0| is `size` and the Jacobian turns by at most c = Lip d."""
    return 2 * size * turned + turned**2


def deep_run(width: int, size: float, step: float, steps: int = 30) -> tuple[list[DeepNetwork], float]:
    """Tanh networks of two hidden layers along descent to targets at a distance `size` from f_0; eta = step/|K_0|."""
    X, net = POINTS[:2], deep_network(width, 2, width, activation="tanh")
    y, eta = net.predict(X) + size * DIRECTION, step / spectral(net.kernel(X))
    states = [net]
    for _ in range(steps):
        states.append(states[-1].moved(X, states[-1].predict(X) - y, -eta))
    return states, eta
