"""Deep linear networks of five layers on fully observed targets, and three definitions of rank."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from fixtures.dynamics.deep_linear import deep_linear_descent, descent_path, end_to_end
from fixtures.dynamics.paths import at_time
from fixtures.rational import fractions
from properties.spectra.effective_rank import absolute_rank, entropic_rank, relative_rank
from theorems.section_10_experiments.experiment_2_deep_linear_rank.completions import DEPTH

DEFINITIONS = {
    "entropic": entropic_rank,
    "absolute": lambda s: absolute_rank(s, 1e-2),
    "relative": lambda s: relative_rank(s, 1e-2),
}


def two_modes(t: int) -> np.ndarray:
    """W after t exact steps of 3/10 from five layers I/2 towards Y = diag(1, 0), observed in full.

    Five layers at a mode of 1 shrink its distance by 1 - 5 eta = -1/2 a step in the end: well inside stability.
    """
    half, one, Y = (fractions(matrix) for matrix in ([["1/2", 0], [0, "1/2"]], [[1, 0], [0, 1]], [[1, 0], [0, 0]]))
    return end_to_end(deep_linear_descent([half] * DEPTH, one, Y, Fraction(3, 10), t))


def five_layers(alpha: float) -> list[np.ndarray]:
    """The start of the printed depth and dimension."""
    return [alpha * np.eye(50)] * DEPTH


@cache
def fully_observed_spectrum(alpha: float) -> np.ndarray:
    """Singular values (50,) after 250 steps of five 50 x 50 layers from alpha I to a projection of rank 8."""
    target = np.diag(np.repeat([1.0, 0.0], [8, 42]))
    W = end_to_end(deep_linear_descent(five_layers(alpha), np.eye(50), target, 0.15, 250))
    return np.linalg.svd(W, compute_uv=False)


def spectra_by_start(alphas: np.ndarray) -> np.ndarray:
    """The spectra (k, 50) of `fully_observed_spectrum` from k scales, of their two modes: as fast as one of them."""
    targets = np.tile([1.0, 0.0], len(alphas))[:, None, None]
    path = descent_path([np.repeat(alphas, 2)[:, None, None]] * DEPTH, lambda W: W - targets, 0.15)
    return np.repeat(end_to_end(at_time(path, 250)).reshape(-1, 2), [8, 42], axis=1)
