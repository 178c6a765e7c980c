"""Gradient flow of one ReLU neuron on one sample, from Xavier's start and from He's.

The neuron is f(x) = a max(0, w.x), and s is the component of w along x. All starts have a > 0 and s > 0.
"""

from __future__ import annotations

import numpy as np

from fixtures.dynamics.gradient_flow import Flow, gradient_flow

SCHEMES = {"Xavier": 1.0, "He": np.sqrt(2)}
"""The start of each scheme, as a multiple of Xavier's start."""


def neuron_flow(a: np.ndarray, s: np.ndarray, across: np.ndarray, Y: np.ndarray | float, times: np.ndarray) -> Flow:
    """Gradient flow of a max(0, w.x) on the sample x = (1, 0), y = Y, from w = (s, across).

    States (T, 3, B): a, s and across at these times.
    """

    def field(state: np.ndarray) -> np.ndarray:
        a, s, across = state
        r = a * np.maximum(s, 0) - Y
        return -np.stack([r * s, r * a * (s > 0), 0 * across])

    return gradient_flow(field, np.stack([a, s, across]), times)


def limit_of_a(c: np.ndarray, Y: np.ndarray | float) -> np.ndarray:
    """The limit of a > 0: it solves as = Y and a^2 - s^2 = c. Computed without cancellation."""
    root = np.hypot(c, 2 * Y)
    return np.where(c > 0, np.sqrt((c + root) / 2), Y * np.sqrt(2 / (root - np.minimum(c, 0))))


NEURONS = [axis.ravel() for axis in np.meshgrid([0.5, 1.0, 2.0], [0.25, 1.0, 3.0], [0.5, 2.0, 4.0])]
"""a_0, s_0 and Y of 27 neurons, (27,) each."""
