"""One run from zero and from a positive start, on the same least-squares problems: two questions look at its end."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import stack
from fixtures.problems.positive_interpolation import LENGTH, PositiveInterpolation, read_positive_interpolation
from probes.question_1_interpolation import reached
from probes.running.candidate import Candidate
from probes.running.problem import Effort, least_squares
from probes.running.run import search
from properties.least import Least
from properties.linear_models.least_norms import least_hyperbolic_entropy, least_norm, least_relative_entropy
from properties.oracles import nearest_interpolant

STARTS = ("zero", "w_0")
BETA = 2.0**-6
"""The scale of hyperbolic entropy, where the least l2 norm is between 1/3 and 3: between its limits, l1 and l2."""


@dataclasses.dataclass(frozen=True)
class Landing:
    """Where a run from one start w0 (B, p) ended: w (B, p), nan where it has not reached a minimum.

    name: that of the start. What is computed from w is nan where w is.
    """

    name: str
    drawn: PositiveInterpolation
    w0: np.ndarray
    w: np.ndarray

    @property
    def reached(self) -> np.ndarray:
        """Whether w has reached a minimum, (B,)."""
        return ~np.isnan(self.w).any(-1)

    @functools.cached_property
    def projection(self) -> np.ndarray:
        """The interpolant nearest to w0, (B, p), by LAPACK."""
        return nearest_interpolant(self.drawn.X, self.drawn.y, self.w0)

    @functools.cached_property
    def interpolant(self) -> np.ndarray:
        """The interpolant nearest to w, (B, p), by LAPACK."""
        nearest = nearest_interpolant(self.drawn.X, self.drawn.y, np.nan_to_num(self.w))
        return np.where(np.isnan(self.w), np.nan, nearest)

    @property
    def left(self) -> np.ndarray:
        """|Xw - y|/s_n, (B,): a bound on the distance of w from `interpolant`, with the rounding of LAPACK."""
        residual = norm(np.matvec(self.drawn.X, self.w) - self.drawn.y, axis=-1)
        return residual / self.drawn.s.min(-1) + self.oracle_rounding

    @property
    def oracle_rounding(self) -> np.ndarray:
        """A bound on the error of `projection` and `interpolant`, (B,); see `least_squares.oracle_rounding`."""
        size = norm(self.w0, axis=-1) + norm(np.nan_to_num(self.w), axis=-1) + norm(self.projection, axis=-1)
        return rounding(factorization(*self.drawn.X.shape[1:]), 2 / self.drawn.s.min(-1) * size)


@dataclasses.dataclass(frozen=True)
class TwoStarts:
    """The landings from zero and from w_0, in this order. step: the learning rate. steps: how many were taken."""

    landings: tuple[Landing, Landing]
    step: float | None
    steps: int

    @property
    def from_w0(self) -> Landing:
        """The landings from w_0."""
        return self.landings[1]

    @property
    def converged(self) -> list[Landing]:
        """The landings that have reached a minimum in every instance."""
        return [landed for landed in self.landings if landed.reached.all()]

    @property
    def told(self) -> str:
        """Which runs have not reached a minimum: nothing, or the end of a sentence."""
        counts = {landed.name: landed.reached for landed in self.landings if not landed.reached.all()}
        return "".join(f"; from {name}, {ok.sum()} of {len(ok)} reach a minimum" for name, ok in counts.items())


_RUNS: dict[tuple[int, Effort], tuple[Candidate, TwoStarts]] = {}


@functools.lru_cache(maxsize=4)
def problems(effort: Effort) -> PositiveInterpolation:
    """The instances, as a batch."""
    return stack(effort.draw("two starts", read_positive_interpolation, LENGTH))


def two_starts(candidate: Candidate, effort: Effort) -> TwoStarts:
    """The run of the candidate from both starts. It is made once for a candidate and an effort."""
    key = (id(candidate), effort)
    if key not in _RUNS:
        _RUNS[key] = (candidate, _run(candidate, effort))
    return _RUNS[key][1]


def _run(candidate: Candidate, effort: Effort) -> TwoStarts:
    drawn = problems(effort)
    starts = np.concatenate([0 * drawn.w0, drawn.w0])
    problem = least_squares(np.concatenate([drawn.X] * 2), np.concatenate([drawn.y] * 2), starts)
    run = search(candidate, problem, steps=effort.steps, reached=reached)
    ends = np.where(reached(run)[:, None], run.factors[0], np.nan)
    halves = zip(STARTS, np.split(starts, 2), np.split(ends, 2), strict=True)
    landings = tuple(Landing(name, drawn, *half) for name, *half in halves)
    return TwoStarts(landings, run.step, run.steps)


@functools.lru_cache(maxsize=4)
def candidates(effort: Effort) -> tuple[list[Least], list[Least]]:
    """What may be least: from zero l1, l2, l-infinity and hypentropy; from w_0 entropy, and hypentropy as a rival."""
    drawn = problems(effort)
    X, y, zero, w0 = drawn.X, drawn.y, 0 * drawn.w0, drawn.w0
    from_zero = [*(least_norm(order, X, y) for order in (1, 2, np.inf)), least_hyperbolic_entropy(X, y, zero, BETA)]
    return from_zero, [least_relative_entropy(X, y, w0), least_hyperbolic_entropy(X, y, w0, BETA)]
