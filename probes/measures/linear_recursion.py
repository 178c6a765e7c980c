"""The linear recursion of an optimizer on a quadratic, read off its runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.quadratic import SIZE, Quadratic
from probes.running.candidate import Candidate
from probes.running.problem import Problem
from probes.running.run import train

if TYPE_CHECKING:
    import torch

MEMORY = 12
"""Steps of a run from which a linear map is read: a recursion of order two is fitted to half of them."""

TOLERANCE = UNIT_ROUNDOFF**0.5
"""The relative error that a linear recursion may have: a run that is not linear is off by more, rounding by less."""


def quadratic_problem(drawn: Quadratic, curvature: np.ndarray, starts: np.ndarray) -> Problem:
    """The losses (1/2) h w'Hw, with h = curvature (B,), from starts (B, p)."""
    import torch

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:  # noqa: ARG001
        h, H = data
        return 0.5 * h * (factors[0] * torch.einsum("bpq,bq->bp", H, factors[0])).sum(1)

    return Problem((starts,), (np.asarray(curvature, float), drawn.H), loss)


@dataclasses.dataclass(frozen=True)
class Map:
    """A linear recursion w_{t+1} = A w_t + B w_{t-1} that was read off a run, one for each instance.

    radius (B,): the spectral radius of [[A, B], [I, 0]] on what the run reaches. residual (B,): how far, relatively,
    the rest of the run and the run of another start are from it.
    """

    radius: np.ndarray
    residual: np.ndarray


def linear_map(candidate: Candidate, drawn: Quadratic, curvature: np.ndarray, step: float | None) -> Map:
    """The recursion of the optimizer on these quadratics, from the runs of all e_j and of one other start."""
    count = len(drawn.H)
    basis = np.broadcast_to(np.eye(SIZE), (count, SIZE, SIZE))
    starts = np.concatenate([basis, drawn.start[:, None]], axis=1).reshape(-1, SIZE)
    repeated = Quadratic(*(np.repeat(getattr(drawn, f.name), SIZE + 1, axis=0) for f in dataclasses.fields(drawn)))
    problem = quadratic_problem(repeated, np.repeat(curvature, SIZE + 1), starts)
    run = train(candidate, problem, steps=MEMORY, step=step, decay=False, watch=lambda f: f[0], times=range(MEMORY + 1))
    path = np.array([run.watched[t] for t in range(MEMORY + 1)]).reshape(MEMORY + 1, count, SIZE + 1, SIZE)
    maps = [_fit(path[:, i].mT) for i in range(count)]
    return Map(*(np.array(column) for column in zip(*maps, strict=True)))


def _fit(path: np.ndarray) -> tuple[float, float]:
    """The spectral radius and the residual of the recursion of least order of one path (T + 1, p, p + 1).

    The columns of path[t] are w_t from e_1, ..., e_p and from the other start. A recursion of order one is fitted
    first, then one of order two; each to the first half of the path and to the e_j, and compared with all of it.
    """
    if not np.isfinite(path).all():
        return np.inf, np.inf
    found = (np.inf, np.inf)
    for order in (1, 2):
        past = np.concatenate([path[order - k : len(path) - k] for k in range(1, order + 1)], axis=1)[1:]
        new = path[order:][1:]
        size = np.linalg.norm(past, axis=1, keepdims=True)
        past, new = past / np.where(size > 0, size, 1.0), new / np.where(size > 0, size, 1.0)
        half = len(new) // 2
        X = np.concatenate(list(past[:half, :, :-1]), axis=1)
        Y = np.concatenate(list(new[:half, :, :-1]), axis=1)
        fitted = np.linalg.lstsq(X.T, Y.T, rcond=TOLERANCE)[0].T
        residual = float(np.abs(fitted @ past - new).max() / max(1.0, np.abs(new).max()))
        if residual < found[1]:
            companion = np.concatenate([fitted, np.eye((order - 1) * SIZE, order * SIZE)])
            found = (float(np.abs(np.linalg.eigvals(companion)).max()), residual)
        if residual <= TOLERANCE:
            break
    return found
