"""How far training moved a network: in its weights, in its tangent kernel, and compared with its linearization."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from properties.lazy_training import spectral


def relative_kernel_change(start: TwoLayer, end: TwoLayer, X: np.ndarray, train: str = "both") -> np.ndarray:
    """|K_T - K_0|/|K_0| of the tangent kernel K at X (..., n, d), in spectral norms; shape (...)."""
    K = start.kernel(X, train=train)
    return spectral(end.kernel(X, train=train) - K) / spectral(K)


@dataclasses.dataclass(frozen=True)
class Movement:
    """Quantities that are used to tell the lazy from the rich regime; each has shape (...).

    moved = |theta_T - theta_0|.
    relative = moved/|theta_0|.
    kernel = |K_T - K_0|/|K_0|.
    linear = sqrt(r_0' K_0^-1 r_0): how far the linearized network moves until it fits the targets.
    """

    moved: np.ndarray
    relative: np.ndarray
    kernel: np.ndarray
    linear: np.ndarray


def movement(start: TwoLayer, end: TwoLayer, X: np.ndarray, y: np.ndarray) -> Movement:
    """The movement of both layers from `start` to `end`, for a network trained on X (..., n, d), y (..., n)."""
    moved, r_0 = norm(end.parameters() - start.parameters(), axis=-1), y - start.predict(X)
    solved = np.linalg.solve(start.kernel(X), r_0[..., None])[..., 0]
    relative = moved / norm(start.parameters(), axis=-1)
    return Movement(moved, relative, relative_kernel_change(start, end, X), np.sqrt(np.vecdot(r_0, solved)))
