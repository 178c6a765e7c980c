"""At which curvature an optimizer stops being stable on a quadratic: from its linear map, or from its growth."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from fixtures.problems.batches import stack
from fixtures.problems.quadratic import LENGTH, Quadratic, read_quadratic
from probes.measures.linear_recursion import TOLERANCE, linear_map, quadratic_problem
from probes.running.candidate import Candidate
from probes.running.problem import Effort
from probes.running.run import train

LADDER = tuple(4.0**k for k in range(-2, 7, 2))
"""Curvatures times the step that are tried first, 1/16 to 4096."""

HALVINGS, COARSE = 28, 12
"""How often a bracket is halved, on the scale of logarithms: that of a linear optimizer, and that of another one."""

WATCHED, LONG = 200, 1000
"""The lengths of runs whose growth is watched: at the rungs and beside a border, and while a bracket is halved."""

SIDES = 2.0**-6
"""The relative distance from the border at which runs must fall below it and grow above it."""


def diverges(
    candidate: Candidate, drawn: Quadratic, curvature: np.ndarray, step: float | None, steps: int
) -> np.ndarray:
    """Whether the run of each instance grows without end, (B,).

    It does if it is not finite, or if the largest |w_t| of the last quarter is above the start, and above that of the
    quarter before by a factor that doubles it in two quarters. Runs that another instance cuts short are run again
    without it.
    """
    grows, left = np.zeros(len(curvature), bool), np.arange(len(curvature))
    times = [0, *range(steps // 2 + 1, steps + 1)]
    while len(left):
        part = _only(drawn, left)
        problem = quadratic_problem(part, curvature[left], part.start)
        run = train(candidate, problem, steps=steps, step=step, decay=False, watch=_lengths, times=times)
        if set(times) <= set(run.watched):
            before, after = np.split(np.array([run.watched[t] for t in times[1:]]), 2)
            grows[left] = ~run.finite | (after.max(0) > np.maximum(run.watched[0], 2**0.5 * before.max(0)))
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

    A run whose growth is watched must double in half of LONG steps, and exceed its start, of which the share of the
    growing direction is known. At the multiplier 1 - eta h of gradient descent this takes a curvature that is beyond
    the border by log(1/share)/LONG, and at least 2 log 2/LONG, over eta. Half of that joins the relative width.
    """
    drawn, step = stack(effort.draw("stable step", read_quadratic, LENGTH)), candidate.steps_to_try()[0]
    eta, one = step or 1.0, np.ones(len(drawn.H))

    def grows(scaled: np.ndarray, steps: int = LONG) -> np.ndarray:
        return diverges(candidate, drawn, scaled / eta, step, steps)

    def expands(scaled: np.ndarray) -> np.ndarray:
        return linear_map(candidate, drawn, scaled / eta, step).radius > 1

    linear = _is_linear(candidate, _only(drawn, slice(0, 3)), step)
    unstable = expands if linear else grows
    rungs = np.array([expands(scaled * one) if linear else grows(scaled * one, WATCHED) for scaled in LADDER])
    if not rungs.any():
        return Border(step, np.nan * one, 0.0, linear, LADDER[-1])
    if rungs[0].any():
        return Border(step, np.nan * one, 0.0, linear, LADDER[-1], f"unstable already at {LADDER[0]:g} over the step")
    above = np.where(rungs.any(0), rungs.argmax(0), len(LADDER) - 1)
    low, high = bisected(unstable, np.array(LADDER)[above - 1], np.array(LADDER)[above], HALVINGS if linear else COARSE)
    values, width = np.where(rungs.any(0), np.sqrt(low * high), np.nan), float((high / low).max() - 1)
    if not linear:
        top = np.abs(np.vecmat(drawn.start, drawn.V))[np.arange(len(one)), drawn.curvatures.argmax(1)]
        late = max(2 * np.log(2), np.log(np.linalg.norm(drawn.start, axis=1) / top).max()) / LONG
        return Border(step, values, width + late / 2, False, LADDER[-1])
    agrees = not grows(low * (1 - SIDES), WATCHED).any() and grows(high * (1 + SIDES), WATCHED).all()
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
    """The brackets (low, high) of the least number that is unstable, after halving them on a logarithmic scale."""
    for _ in range(halvings):
        middle = np.sqrt(low * high)
        wrong = unstable(middle)
        low, high = np.where(wrong, low, middle), np.where(wrong, middle, high)
    return low, high
