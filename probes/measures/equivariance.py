"""How far an optimizer is from commuting with a transformation of the weights, and what explains it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from fixtures.precision import rounding
from fixtures.problems.interpolation import COLUMNS, ROWS
from fixtures.problems.transformed import LEFT, LENGTH, RIGHT, Transformed, read_transformed
from probes.measures.lower_precision import in_double, lower_precisions
from probes.measures.transformed_views import JITTER, View, as_problem, matrix_views, separable_view, vector_views
from probes.running.candidate import Candidate
from probes.running.problem import Effort
from probes.running.run import Trained, layout_of, search, train

KINDS = ("exact", "to rounding", "to lower precision", "up to epsilon", "violated")
"""What an equivariance can be, from the best; see `Run.kind`."""

OPERATIONS = 2 * (3 * COLUMNS + ROWS)
"""Roundings of one entry in one step: the gradient through two products with A and two with X, and as many again for
the optimizer's own arithmetic."""

SMALLER = 2.0**-20
"""By how much epsilon is made smaller. What epsilon causes falls by this factor, what it does not cause stays: the
geometric mean 2^-10 stands between."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What the runs on the transformed problems found, each number once for each instance.

    violations: by the name of the transformation, max_t |A w'_t + b - w_t| over the longer of the two ways from the
    start, so at most 2, which stands for a run that has diverged. bounds: what rounding explains of it. moved: how far
    the weights of the plain problem went. finite: whether they stayed finite.
    """

    step: float | None
    violations: dict[str, np.ndarray]
    bounds: dict[str, np.ndarray]
    moved: np.ndarray
    finite: bool

    def holds(self, name: str) -> bool:
        """Whether rounding explains the violation in every instance."""
        return bool((self.violations[name] <= self.bounds[name]).all())


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """The run as the optimizer is, the same in double precision and with a smaller epsilon, where these exist.

    lower: the lower precisions that the optimizer asks for.
    """

    plain: Run
    double: Run | None
    smaller_epsilon: Run | None
    lower: tuple[str, ...]

    def kind(self, name: str) -> str:
        """One of KINDS.

        exact: no bit differs. to rounding: no instance exceeds its bound. to lower precision: the same optimizer in
        double precision is equivariant to rounding. up to epsilon: with 2^-20 of its epsilon, each violation is
        explained by rounding or falls to 2^-10 of what it was.
        """
        if not self.plain.violations[name].any():
            return "exact"
        if self.plain.holds(name):
            return "to rounding"
        if self.double is not None and self.double.holds(name):
            return "to lower precision"
        smaller = self.smaller_epsilon
        if smaller is not None:
            falls = smaller.violations[name] <= SMALLER**0.5 * self.plain.violations[name]
            if (falls | (smaller.violations[name] <= smaller.bounds[name])).all():
                return "up to epsilon"
        return "violated"


@functools.lru_cache(maxsize=4)
def vector_fingerprint(candidate: Candidate, effort: Effort) -> Fingerprint:
    """How the optimizer commutes with the transformations of vectors."""
    return _fingerprint(candidate, effort, vector_views, (COLUMNS,))


@functools.lru_cache(maxsize=4)
def matrix_fingerprint(candidate: Candidate, effort: Effort) -> Fingerprint:
    """How the optimizer commutes with the rotations of matrices."""
    return _fingerprint(candidate, effort, matrix_views, (LEFT, RIGHT))


def coupling(candidate: Candidate, effort: Effort) -> tuple[np.ndarray, str]:
    """How far other entries of a matrix move when the term of the first one changes, and the layout of the batch.

    The loss is separable. The first number, one for each instance, is the largest difference of another entry over that
    of the first, at the end; the layout is one of `probes.running.run.LAYOUTS`.
    """
    separable = separable_view(effort.draw("equivariances", read_transformed, LENGTH))
    changed = dataclasses.replace(separable, y=separable.y + separable.X[:, 0])
    problem = as_problem([separable, changed], (LEFT, RIGHT))
    step = matrix_fingerprint(candidate, effort).plain.step
    trained = train(candidate, problem, steps=max(effort.steps // 125, 8), step=step, decay=False)
    one, other = np.split(trained.factors[0].reshape(problem.count, -1), 2)
    apart = np.abs(one - other)
    with np.errstate(all="ignore"):
        share = np.nan_to_num(apart[:, 1:].max(1) / apart[:, 0], posinf=np.inf)
    return share, layout_of(candidate, problem)


def _fingerprint(
    candidate: Candidate,
    effort: Effort,
    views_of: Callable[[Sequence[Transformed]], dict[str, View]],
    shape: tuple[int, ...],
) -> Fingerprint:
    views = views_of(effort.draw("equivariances", read_transformed, LENGTH))
    steps = max(effort.steps // 125, 8)
    lower = lower_precisions(candidate, as_problem([views["plain"]], shape).only(slice(0, 1)))
    precision = in_double if lower else contextlib.nullcontext
    with precision(set()):
        together = as_problem([views["plain"], views["jitter"]], shape)
        step = search(candidate, together, steps=steps, reached=_is_calm, decay=False).step
        calm = run_on(candidate, views, shape, steps, step)
    run = run_on(candidate, views, shape, steps, step) if lower else calm
    epsilon = _epsilon(candidate)
    smaller = run_on(candidate, views, shape, steps, step, {"eps": SMALLER * epsilon}) if epsilon else None
    return Fingerprint(run, calm if lower else None, smaller, lower)


def _is_calm(run: Trained) -> np.ndarray:
    """Whether the loss falls, and the jitter is amplified by less than the square root of what would be a change."""
    plain, jittered = np.split(run.factors[0].reshape(len(run.loss), -1), 2)
    calm = _length(plain - jittered) <= JITTER**0.5 * _length(plain)
    return run.finite & (run.loss < run.first_loss) & np.tile(calm, 2)


def _epsilon(candidate: Candidate) -> float | None:
    """The `eps` of the parameter groups where there is one, a number, the same in all groups."""
    import torch

    optimizer = candidate.build([torch.nn.Parameter(torch.zeros(2, 3, dtype=torch.float64, device=candidate.device))])
    found = {group.get("eps") if isinstance(group.get("eps"), float) else None for group in optimizer.param_groups}
    return found.pop() if len(found) == 1 else None


def run_on(
    candidate: Candidate,
    views: dict[str, View],
    shape: tuple[int, ...],
    steps: int,
    step: float | None,
    settings: dict[str, float] | None = None,
) -> Run:
    """Run all views at once and compare the transformed runs with the plain ones.

    The bound on what rounding explains: `steps` times OPERATIONS roundings, at the scale of the weights, times the
    sensitivity, which is how much farther than JITTER the runs of the jittered problems end from the plain ones.
    """
    problem = as_problem(list(views.values()), shape)
    A, b = (np.concatenate([getattr(view, name) for view in views.values()]) for name in ("A", "b"))
    times = sorted({2**k for k in range(steps.bit_length())} | {steps})

    def back(factors: list[np.ndarray]) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.matvec(A, factors[0].reshape(len(A), -1)) + b

    trained = train(
        candidate, problem, steps=steps, step=step, decay=False, settings=settings, watch=back, times=[0, *times]
    )
    with np.errstate(all="ignore"):
        path = np.array([trained.watched[time] for time in times if time in trained.watched])
        paths = dict(zip(views, np.split(path, len(views), axis=1), strict=True))
        starts = dict(zip(views, np.split(trained.watched[0], len(views)), strict=True))
        moved = {name: _length(paths[name] - starts[name]).max(0) for name in views}
        size = {name: _length(paths[name]).max(0) + _length(view.b) for name, view in views.items()}
        off = _length(paths["jitter"] - paths["plain"]).max(0) / (JITTER * size["plain"])
        sensitivity = max(1.0, np.nan_to_num(off, nan=1 / JITTER, posinf=1 / JITTER).max())
        violations, bounds = {}, {}
        for name in views:
            beside = "separable" if name == "scale-free" else "plain"
            way = np.maximum(moved[name], moved[beside])
            apart = _length(paths[name] - paths[beside]).max(0)
            violations[name] = np.nan_to_num(np.where(apart == 0, 0.0, apart / way), nan=2.0, posinf=2.0)
            bounds[name] = np.nan_to_num(rounding(steps * OPERATIONS, sensitivity * size[name] / way), posinf=0.0)
    return Run(step, violations, bounds, moved["plain"], bool(np.isfinite(paths["plain"]).all()))


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1)
