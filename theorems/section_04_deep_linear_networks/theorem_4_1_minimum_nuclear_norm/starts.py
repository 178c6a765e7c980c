"""The starts of Theorem 4.1: three decreasing values of alpha, and the misfit at which a run stops as fitted."""

from __future__ import annotations

import numpy as np

FIT_TOLERANCE = 1e-6
ALPHAS = np.array([1e-1, 1e-2, 1e-3])


def shrinking(alpha: np.ndarray) -> np.ndarray:
    """Whether the starts alpha (B, ...) decrease: each is at most a third of the one before. It stands for H3."""
    return alpha[1:] <= alpha[:-1] / 3
