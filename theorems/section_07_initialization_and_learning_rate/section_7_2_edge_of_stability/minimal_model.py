"""The minimal model of the edge of stability, L(u, v) = (uv - 1)^2/2: its sharpness, its runs, and grids of starts.

Write r = uv - 1. At a minimum, where uv = 1, the sharpness is u^2 + v^2.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from fixtures.dynamics.factored_descent import product_step

SETTLED = 1e-8
"""A run is followed to its last step with |r| of at least this size."""
CONVERGED = 1e-9
"""A run with |r| of at most this size at the end has converged."""
BUDGET = 300
"""The number of steps of a run."""


def sharpness_at(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The largest eigenvalue of the Hessian [[v^2, 2uv - 1], [2uv - 1, u^2]] of (1/2)(uv - 1)^2, by LAPACK."""
    H = np.array([[v * v, 2 * u * v - 1], [2 * u * v - 1, u * u]])
    return np.linalg.eigvalsh(np.moveaxis(H, (0, 1), (-2, -1)))[..., -1]


def product_path(u: Any, v: Any, eta: Any, steps: int) -> list[tuple[Any, Any]]:
    """The states (u, v) after 0, 1, ..., `steps` steps; exact on fractions."""
    return list(accumulate(range(steps), lambda state, _: product_step(*state, 1, eta), initial=(u, v)))


def dyadic_starts(offset: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All u, v in [-3, 3] that are multiples of 1/4, with eta in {1/8, 1/4, 1/2, 3/4}: u, v and eta (2500,).

    u and v are moved by multiples of `offset` that are irrational, so that no run lands exactly on a minimum.
    """
    quarters = np.arange(-12, 13) / 4
    u, v, eta = (axis.ravel() for axis in np.meshgrid(quarters, quarters, [1 / 8, 1 / 4, 1 / 2, 3 / 4]))
    return u + offset * np.sqrt(2), v - offset * np.sqrt(3) / 2, eta


def just_above_the_edge(r: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Starts with uv = 1 + r and eta (u^2 + v^2) = 2 + delta: u, v, eta, delta (9,)."""
    delta, eta = (axis.ravel() for axis in np.meshgrid([0.02, 0.05, 0.1], [0.1, 0.25, 0.5]))
    S = (2 + delta) / eta
    u = np.sqrt((S + np.sqrt(S**2 - 4 * (1 + r) ** 2)) / 2)
    return u, (1 + r) / u, eta, delta


def settle(
    u: np.ndarray, v: np.ndarray, eta: np.ndarray, steps: int = BUDGET
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Run descent; u, v and eta are (B,).

    Returns the states (u, v) at the last step with |r| >= SETTLED, the states after `steps` steps, and whether |r| is
    at most CONVERGED then.
    """
    at = (u, v)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            far = np.abs(u * v - 1) >= SETTLED
            at = tuple(np.where(far, here, kept) for here, kept in zip((u, v), at, strict=True))
            u, v = product_step(u, v, 1.0, eta)
        return at, (u, v), np.abs(u * v - 1) <= CONVERGED
