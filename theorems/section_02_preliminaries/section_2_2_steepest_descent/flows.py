"""The gradient flow of least squares by matrix exponential, and the loss and the flow of one tanh unit."""

from __future__ import annotations

import numpy as np

from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.problems.regression import Regression


def flow_at(problem: Regression, start: np.ndarray, t: float | np.ndarray) -> np.ndarray:
    """The gradient flow of (1/2)|Xw - y|^2 from `start` at time t, by matrix exponential."""
    return affine_flow(problem.X.mT @ problem.X, np.vecmat(problem.y, problem.X), start, t)


def network_loss(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(1/2) sum_i (a tanh(b x_i) - y_i)^2 at w = (a, b, ...), with any leading axes."""
    return ((w[..., :1] * np.tanh(w[..., 1:2] * x) - y) ** 2).sum(-1) / 2


def network_field(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The time derivatives: of (a, b) it is -grad L, by the chain rule; of the third coordinate it is |grad L|^2."""
    a, hidden = w[..., :1], np.tanh(w[..., 1:2] * x)
    residual = a * hidden - y
    g = np.stack([(residual * hidden).sum(-1), (residual * a * x * (1 - hidden**2)).sum(-1)], axis=-1)
    return np.concatenate([-g, (g**2).sum(-1, keepdims=True)], axis=-1)
