"""Problems with noise that every run sees alike, and what is measured of the iterates at a constant step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.dynamics.stochastic import with_replacement
from fixtures.problems.interpolation import Interpolation
from fixtures.problems.outlying import Outlying
from probes.running.candidate import GRID, Candidate
from probes.running.problem import Problem
from probes.running.run import train

if TYPE_CHECKING:
    import torch

Number = Callable[[list[np.ndarray]], np.ndarray]
EVERY = 10
"""The iterates are looked at after each multiple of this many steps."""


def with_label_noise(drawn: Outlying, batches: Sequence[int], steps: int, rng: np.random.Generator) -> Problem:
    """(1/2)|(W - A)X' - Xi_t|^2 from A, once for each batch size: len(batches) B instances, A moved to zero.

    Xi_t has independent normal entries of variance 1/batch: a mean of that many labels, drawn anew in each step. All
    batch sizes see the same standard normal numbers.
    """
    count = len(batches)
    noise = rng.standard_normal((len(drawn.A), steps, *drawn.A.shape[-2:]))
    shares = np.repeat(np.asarray(batches, float) ** -0.5, len(drawn.A))

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:
        X, xi, share = data
        return 0.5 * (factors[0] @ X.mT - share[:, None, None] * xi[:, t]).square().sum((1, 2))

    start = np.zeros((count * len(drawn.A), *drawn.A.shape[-2:]))
    return Problem((start,), (np.tile(drawn.X, (count, 1, 1)), np.tile(noise, (count, 1, 1, 1)), shares), loss)


def with_minibatches(drawn: Interpolation, batch: int, steps: int, rng: np.random.Generator) -> Problem:
    """(n/2b) times the squared error of b rows, drawn with replacement in each step, from zero."""
    rows = drawn.X.shape[-2]
    order = with_replacement(rng, np.full(len(drawn.X), rows), steps, batch)

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:
        X, y, order = data
        residual = (X @ factors[0][..., None])[..., 0] - y
        return rows / (2 * batch) * residual.gather(1, order[:, t]).square().sum(1)

    return Problem((0 * drawn.w0,), (drawn.X, drawn.y, order), loss)


@dataclasses.dataclass(frozen=True)
class Series:
    """A nonnegative number of each instance along a run at a constant step: values (times, B). finite: (B,).

    step: the learning rate. The first eighth of the run is left out.
    """

    values: np.ndarray
    finite: np.ndarray
    step: float | None

    @property
    def level(self) -> np.ndarray:
        """The mean over time, (B,)."""
        return self.values.mean(0)

    @property
    def late(self) -> np.ndarray:
        """The mean over the last quarter of the times, (B,)."""
        return self.values[-(len(self.values) // 4) :].mean(0)

    @property
    def trend(self) -> np.ndarray:
        """The logarithm to base 2 of the mean of the second half of the times over that of the first, (B,)."""
        half = len(self.values) // 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log2(self.values[half:].mean(0) / self.values[:half].mean(0))


def series(
    candidate: Candidate,
    problem: Problem,
    steps: int,
    step: float | None,
    number: Callable[[list[np.ndarray]], np.ndarray],
) -> Series:
    """What `number` (a function of the factors) is along a run of this many steps at a constant learning rate."""
    times = range(steps // 8, steps + 1, EVERY)
    run = train(candidate, problem, steps=steps, step=step, decay=False, watch=number, times=times)
    missing = np.full(problem.count, np.nan)
    values = np.stack([run.watched.get(time, missing) for time in times])
    return Series(values, run.finite & np.isfinite(values).all(0), run.step)


def squared_length(factors: Sequence[np.ndarray]) -> np.ndarray:
    """|W|_F^2 of the first factor, (B,)."""
    return np.square(factors[0]).sum(tuple(range(1, factors[0].ndim)))


def steps_under_noise(candidate: Candidate, *grid: float) -> tuple[float | None, ...]:
    """The learning rates to try: the user's alone; else the optimizer's own if it is above GRID, and these."""
    found = candidate.steps_to_try()
    return found if len(found) == 1 else tuple(step for step in found if step > GRID[0]) + grid


def gradient_descent_variance(h: np.ndarray, rows: int, step: float, batch: float, steps: int) -> np.ndarray:
    """E|W_t|_F^2 of gradient descent with label noise from zero, the mean over the times of `series`; (B,). Exact.

    A mode of eigenvalue h is z <- (1 - eta h) z + eta sqrt(h/batch) xi. The discrete Lyapunov equation has the solution
    eta/(batch (2 - eta h)), and z_t has this times 1 - (1 - eta h)^(2t). Each of the rows has the same modes.
    """
    times = np.arange(steps // 8, steps + 1, EVERY)
    stationary = step / (batch * (2 - step * h))
    reached = 1 - (1 - step * h[..., None]) ** (2 * times)
    return rows * (stationary * reached.mean(-1)).sum(-1)
