"""At which curvature an optimizer stops being stable on a quadratic: from its linear map, or from its growth."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import stack
from fixtures.problems.quadratic import LENGTH, SIZE, Quadratic, read_quadratic
from probes.candidate import Candidate
from probes.problem import Effort, Problem
from probes.run import train

if TYPE_CHECKING:
    import torch

MEMORY = 12
"""Steps of a run from which a linear map is read: a recursion of order two is fitted to half of them."""

LADDER = tuple(4.0**k for k in range(-2, 7, 2))
"""Curvatures times the step that are tried first, 1/16 to 4096."""

HALVINGS, COARSE = 28, 12
"""How often a bracket is halved, on the scale of logarithms: that of a linear optimizer, and that of another one."""

TOLERANCE = UNIT_ROUNDOFF**0.5
"""The relative error that a linear recursion may have: a run that is not linear is off by more, rounding by less."""

SIDES = 2.0**-6
"""The relative distance from the border at which runs must fall below it and grow above it."""


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


def diverges(
    candidate: Candidate, drawn: Quadratic, curvature: np.ndarray, step: float | None, steps: int
) -> np.ndarray:
    """Whether the run of each instance grows without end, (B,).

    It does if it is not finite, or if |w_t| ends above its start, doubles in the last half of the run, and grows in the
    last quarter by no less than in the quarter before. Runs that another instance cuts short are run again without it.
    """
    grows, left = np.zeros(len(curvature), bool), np.arange(len(curvature))
    times = [0, steps // 2, 3 * steps // 4, steps]
    while len(left):
        part = _only(drawn, left)
        problem = quadratic_problem(part, curvature[left], part.start)
        run = train(candidate, problem, steps=steps, step=step, decay=False, watch=_lengths, times=times)
        if set(times) <= set(run.watched):
            start, middle, late, end = (run.watched[t] for t in times)
            grows[left] = ~run.finite | ((end > start) & (end > 2 * middle) & (end - late >= late - middle))
            break
        grows[left[~run.finite]] = True
        left = left[run.finite]
    return grows


def _only(drawn: Quadratic, instances: np.ndarray | slice) -> Quadratic:
    return Quadratic(*(getattr(drawn, field.name)[instances] for field in dataclasses.fields(drawn)))


def _lengths(factors: list[np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.linalg.norm(factors[0], axis=-1)


@dataclasses.dataclass(frozen=True)
class Border:
    """The step times the curvature at which each instance stops being stable.

    values (B,): nan where it is stable up to `highest`. width: the relative width of the brackets. linear: whether the
    border is that of a linear recursion. fault: why there is no border, or "".
    """

    step: float | None
    values: np.ndarray
    width: float
    linear: bool
    highest: float
    fault: str = ""


@functools.lru_cache(maxsize=4)
def border_of(candidate: Candidate, effort: Effort) -> Border:
    """The border of stability of the optimizer at the first step that it would try; a step of 1 where it has none.

    A run whose growth is watched must double in half of `steps` steps: at the multiplier 1 - eta h of gradient descent
    that takes a curvature beyond the border by 2 log 2/steps, relatively up to half of it, which joins the width.
    """
    drawn, step = stack(effort.draw("stable step", read_quadratic, LENGTH)), candidate.steps_to_try()[0]
    eta, steps, one = step or 1.0, max(effort.steps // 20, 48), np.ones(len(drawn.H))

    def grows(scaled: np.ndarray) -> np.ndarray:
        return diverges(candidate, drawn, scaled / eta, step, steps)

    def expands(scaled: np.ndarray) -> np.ndarray:
        return linear_map(candidate, drawn, scaled / eta, step).radius > 1

    linear = _is_linear(candidate, _only(drawn, slice(0, 3)), step)
    unstable = expands if linear else grows
    rungs = np.array([unstable(scaled * one) for scaled in LADDER])
    if not rungs.any():
        return Border(step, np.nan * one, 0.0, linear, LADDER[-1])
    if rungs[0].any():
        return Border(step, np.nan * one, 0.0, linear, LADDER[-1], f"unstable already at {LADDER[0]:g} over the step")
    above = np.where(rungs.any(0), rungs.argmax(0), len(LADDER) - 1)
    low, high = bisected(unstable, np.array(LADDER)[above - 1], np.array(LADDER)[above], HALVINGS if linear else COARSE)
    values, width = np.where(rungs.any(0), np.sqrt(low * high), np.nan), float((high / low).max() - 1)
    if not linear:
        return Border(step, values, width + np.log(2) / steps, False, LADDER[-1])
    agrees = not grows(low * (1 - SIDES)).any() and grows(high * (1 + SIDES)).all()
    fault = "" if agrees else "the runs beside the border of the recursion do not agree with it"
    return Border(step, values, width, True, LADDER[-1], fault)


def _is_linear(candidate: Candidate, drawn: Quadratic, step: float | None) -> bool:
    """Whether a recursion explains the runs at the first rungs, and contracts at the first one."""
    one = np.ones(len(drawn.H)) / (step or 1.0)
    first = linear_map(candidate, drawn, LADDER[0] * one, step)
    if not ((first.radius < 1 - TOLERANCE) & (first.residual <= TOLERANCE)).all():
        return False
    return all(linear_map(candidate, drawn, rung * one, step).residual.max() <= TOLERANCE for rung in LADDER[1:3])


def bisected(
    unstable: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, halvings: int
) -> tuple[np.ndarray, np.ndarray]:
    """The brackets (low, high) of the least curvature that is unstable, after halving them on a logarithmic scale."""
    for _ in range(halvings):
        middle = np.sqrt(low * high)
        wrong = unstable(middle)
        low, high = np.where(wrong, low, middle), np.where(wrong, middle, high)
    return low, high
