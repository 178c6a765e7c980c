"""Which margin a run maximizes: its margin in several norms beside the largest ones, and when a norm is named."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from probes.profiles.answers import Answering, Status
from probes.running.candidate import Candidate, needs_closure
from probes.running.problem import Problem
from probes.running.run import Trained, train
from properties.linear_models.margins_in_norms import NORMS, largest_margins, margin

if TYPE_CHECKING:
    import torch

WORST = 2.0
"""A norm is named where the deficit in it is at most 1/WORST of the separation on every instance."""

FACTOR = 4.0
"""And at most 1/FACTOR of it on average over the instances.

On a segment of points of margin 1 from the maximizer of l2, |w|^2 is a quadratic, least at the start, and 1 - 1/|w| is
concave in it. At the share t of the way the deficit is at least t^2 of that at the end. So t <= 1/2."""

NONE = "none named"

INNER = 100
"""An optimizer that calls its closure takes T/INNER steps: one of L-BFGS takes up to 25 gradients. Its weights reach
1e5 to 1e20 within 20 steps, since the loss has no minimum, and then keep their direction."""

GAP = 1e-6
"""The relative width that an enclosure of a largest margin may have: 100 tolerances of Clarabel, 10 of HiGHS."""


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Points Z (B, n, *shape) and their largest margins in K norms.

    largest (K, B): upper bounds. gap (K, B): the relative width of the enclosures. separation (K, B): how much less
    than the largest margin in norm k the maximizers of the other norms reach in it, the least of these, as a share.
    reach (K, B): max_i |Z_i|_* / gamma*, by how many times the largest margin a unit step can change a margin.
    """

    Z: np.ndarray
    names: tuple[str, ...]
    largest: np.ndarray
    gap: np.ndarray
    separation: np.ndarray
    reach: np.ndarray

    def deficit(self, W: np.ndarray) -> np.ndarray:
        """1 - margin(W)/(|W| gamma*), (K, B), in each norm: 1 where W is 0 or not finite, above 1 if not separated."""
        flat = W.reshape(len(W), -1)
        usable = flat.any(1) & np.isfinite(flat).all(1)
        safe = np.where(usable[:, None], flat, 1.0).reshape(W.shape)
        reached = [margin(self.Z, safe) / NORMS[name].of(safe) for name in self.names] / self.largest
        return 1 - np.where(usable, reached, 0)


def geometry_of(Z: np.ndarray, names: Sequence[str]) -> Geometry:
    """The largest margins of points Z (B, n, *shape) in the norms of these names, and their separation."""
    found = [largest_margins(NORMS[name], Z) for name in names]
    largest = np.stack([each.upper for each in found])
    gap = 1 - np.stack([each.lower for each in found]) / largest
    blank = Geometry(Z, tuple(names), largest, gap, gap, gap)
    # [j, k]: the deficit in norm k of the maximizer in norm j
    deficits = np.stack([blank.deficit(each.W) for each in found])
    others = np.where(np.eye(len(names), dtype=bool)[:, :, None], np.inf, deficits).min(0)
    points = Z.reshape(-1, *Z.shape[2:])
    duals = np.stack([NORMS[name].dual(points).reshape(Z.shape[:2]).max(1) for name in names])
    return dataclasses.replace(blank, separation=others, reach=duals / largest)


def log_exponential_loss(Z: np.ndarray) -> Problem:
    """The loss ln mean_i exp(-<Z_i, W>) from W = 0, of points Z (B, n, *shape).

    The gradient has the direction of that of the exponential loss, and does not vanish as the margins grow.
    """

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:  # noqa: ARG001
        margins = (data[0] * factors[0][:, None]).flatten(2).sum(2)
        return (-margins).logsumexp(1) - math.log(margins.shape[1])

    return Problem((np.zeros((len(Z), *Z.shape[2:])),), (Z,), loss)


@dataclasses.dataclass(frozen=True)
class Reading:
    """A run, read in K norms on B instances.

    steps: T, which counts the resolution. The run may have been shorter: where the optimizer evaluates the loss itself
    (INNER), when it diverged or did not move. deficit, early (K, B): at the end, and after a tenth of its steps.
    separated (B,): whether all margins are positive and finite at the end. share (K,): the mean of the deficit over
    that of the separation; nearest: the index of the norm with the least.
    named: that norm's name where the rule of `read_run` holds, otherwise None.
    """

    run: Trained
    steps: int
    deficit: np.ndarray
    early: np.ndarray
    separated: np.ndarray
    share: np.ndarray
    nearest: int
    named: str | None


def read_run(geometry: Geometry, run: Trained, steps: int) -> Reading:
    """The run in the norms of the geometry; one that diverged before a tenth of its steps has nan for `early`.

    A norm is named if three things hold. On every instance the deficit is at most 1/WORST of the separation: it is
    nearer to the largest margin than to what any maximizer of another norm has. On average it is at most 1/FACTOR of
    the separation. It is so also after growing once more by what it grew in the last decade of steps, if it did.
    """
    deficit = geometry.deficit(run.factors[0])
    early = next(iter(run.watched.values())) if run.watched else np.full_like(deficit, np.nan)
    separated = run.finite & (deficit < 1).all(0)
    at_first, at_last, apart = (each.mean(1) for each in (early, deficit, geometry.separation))
    share = at_last / apart
    ahead = np.maximum(at_last, 2 * at_last - at_first) / apart
    is_near = (WORST * deficit <= geometry.separation).all(1) & (share <= 1 / FACTOR) & (ahead <= 1 / FACTOR)
    nearest = int(np.argmin(np.nan_to_num(share, nan=np.inf)))
    named = geometry.names[nearest] if separated.all() and is_near.sum() == 1 and is_near[nearest] else None
    return Reading(run, steps, deficit, early, separated, share, nearest, named)


def run_towards_a_margin(candidate: Candidate, geometry: Geometry, steps: int) -> Reading:
    """Run at a constant step: the largest that the candidate tries and, if no norm is named there, a tenth of it.

    The weights grow without end, so that a step of constant length turns their direction less and less: no decay. The
    first of the two runs that names a norm, otherwise the first that separates all instances, otherwise the first.
    """
    first, *others = candidate.steps_to_try()
    tried = [first, *[step for step in others if step <= 0.101 * first][:1]]
    problem, readings = log_exponential_loss(geometry.Z), []
    length = max(steps // INNER, 1) if calls_its_closure(candidate) else steps
    for step in tried:
        at = {"steps": length, "step": step, "times": (max(length // 10, 1),)}
        run = train(candidate, problem, decay=False, watch=lambda factors: geometry.deficit(factors[0]), **at)
        readings.append(read_run(geometry, run, steps))
        if readings[-1].named:
            return readings[-1]
    return next((reading for reading in readings if reading.separated.all()), readings[0])


def calls_its_closure(candidate: Candidate) -> bool:
    """Whether the optimizer evaluates the loss itself, as L-BFGS does."""
    import torch

    return needs_closure(candidate.build([torch.nn.Parameter(torch.zeros(2, 3, device=candidate.device))]))


def report_margins(answer: Answering, geometry: Geometry, found: Reading, control: Reading) -> None:
    """Store the ratios in every norm, the rise of the nearest in the last decade of steps, and the separations.

    Resolution: a step of average length, a share 1/T of W, changes a ratio by at most (reach + 1)/T. The gap of the
    enclosure is added.
    """
    answer.step = found.run.step
    resolution = (geometry.reach + 1) / found.steps + geometry.gap
    certificate = {"certificate": "primal and dual points", "worst_ratio": float(geometry.gap.max() / GAP)}
    for k, name in enumerate(geometry.names):
        answer.measured(
            f"{name} margin / largest",
            np.where(found.separated, 1 - found.deficit[k], np.nan),
            resolution=resolution[k].max(),
            control=np.where(control.separated, 1 - control.deficit[k], np.nan),
            **certificate,
        )
    k = found.nearest
    answer.measured(
        "rise from T/10 to T of the nearest",
        np.where(found.separated, found.early[k] - found.deficit[k], np.nan),
        resolution=11 * resolution[k].max(),
    )
    for k, name in enumerate(geometry.names):
        answer.measured(f"separation in {name}", geometry.separation[k], resolution=2 * geometry.gap[k].max())


def conclude(answer: Answering, geometry: Geometry, found: Reading) -> None:
    """Name a norm, or say why there is none."""
    count, k = len(found.separated), found.nearest
    unclear = geometry.separation / FACTOR < (geometry.reach + 1) / found.steps + GAP
    if geometry.gap.max() > GAP or unclear.any():
        answer.unanswered(Status.NOT_IDENTIFIABLE, "largest margins of these norms have maximizers too near each other")
    elif not found.separated.all():
        answer.unanswered(Status.NOT_CONVERGED, f"{found.separated.sum()} of {count} instances are separated")
    else:
        worst, share = 1 - found.deficit[k].max(), found.share[k]
        near = f"nearest {geometry.names[k]}, at least {worst:.3f} of the largest margin"
        answer.answered(found.named or NONE, f"{near}; mean deficit {share:.2f} of the separation")
