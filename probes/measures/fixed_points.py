"""Where weight decay can lead: the points that theory names, for a batch of `Outlying`, and which is near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.problems.outlying import DECAY, Outlying
from probes.running.problem import Problem
from probes.running.run import Trained
from properties.linear_models.norm_balls import NORMS, minimum_in_ball, ridge_map

if TYPE_CHECKING:
    import torch

POINTS = ("no effect", "ridge", "l-infinity ball", "spectral ball", "l2 ball", "zero")
"""A itself; the ridge solution; the minimum in the ball of radius 1/DECAY, of three norms; and zero."""


def fixed_points(drawn: Outlying) -> tuple[dict[str, np.ndarray], float]:
    """The POINTS, each (B, k, d), and a bound on the error of those in balls, in the Frobenius norm."""
    in_balls = {f"{norm} ball": minimum_in_ball(drawn.A, drawn.H, 1 / DECAY, norm) for norm in NORMS}
    points = {"no effect": drawn.A, "ridge": ridge_map(drawn.A, drawn.H, DECAY), "zero": 0 * drawn.A}
    points |= {name: found[0] for name, found in in_balls.items()}
    return {name: points[name] for name in POINTS}, max(float(found[1].max()) for found in in_balls.values())


def two_starts(drawn: Outlying) -> Problem:
    """The problem from W0 and again from -W0: 2B instances."""
    return _of_targets(
        np.concatenate([drawn.W0, -drawn.W0]), np.concatenate([drawn.A] * 2), np.tile(drawn.X, (2, 1, 1))
    )


def with_an_unused_column(drawn: Outlying) -> Problem:
    """The problem from W0, where the loss does not depend on the first column of W."""
    unused = drawn.X.copy()
    unused[..., 0] = 0
    return _of_targets(drawn.W0, drawn.A, unused)


def _of_targets(start: np.ndarray, A: np.ndarray, X: np.ndarray) -> Problem:

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:  # noqa: ARG001
        A, X = data
        return 0.5 * ((factors[0] - A) @ X.mT).square().sum((1, 2))

    return Problem((start,), (A, X), loss)


def ends(run: Trained) -> np.ndarray:
    """Where a run of `two_starts` ended: (2, B, k, d)."""
    W = run.factors[0]
    return W.reshape(2, -1, *W.shape[1:])


def distances(W: np.ndarray, points: dict[str, np.ndarray]) -> np.ndarray:
    """The Frobenius distance of W (2, B, k, d) from each of the points, over |A|: (points, 2, B)."""
    size = np.linalg.norm(points["no effect"], axis=(-2, -1))
    return np.stack([np.linalg.norm(W - point, axis=(-2, -1)) / size for point in points.values()])


def nearest_by(distance: np.ndarray, factor: float) -> np.ndarray:
    """The index of the nearest point, (2, B); -1 where the next one is not `factor` times as far."""
    ranked = np.sort(distance, axis=0)
    return np.where(factor * ranked[0] <= ranked[1], distance.argmin(0), -1)
