"""Which of several least values a result is nearest to, and when that may be said."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from probes.profiles.answers import Answering, Status
from properties.least import Least

FACTOR = 10.0
"""A least value is named where the excess is at most 1/FACTOR of the separation, in every instance."""
NONE = "none of these"


@dataclasses.dataclass(frozen=True)
class Excess:
    """How far a result is above a least value, (B,), nan where it has not reached a minimum; and the separation.

    apart (B,): the least excess that the minimizer of another least value has, and at most 1. resolution (B,): what the
    duality gap and rounding leave of the excess.
    """

    name: str
    excess: np.ndarray
    apart: np.ndarray
    resolution: np.ndarray

    @property
    def tells(self) -> np.ndarray:
        """Whether an instance can tell this least value from others, (B,): 1/FACTOR of `apart` exceeds `resolution`."""
        return self.apart / FACTOR > self.resolution

    @property
    def fits(self) -> bool:
        """Whether the excess is at most 1/FACTOR of `apart`, and at most `resolution` in an instance that tells not."""
        return bool((self.excess <= np.maximum(self.apart / FACTOR, self.resolution)).all())

    @property
    def worst_ratio(self) -> float:
        """The largest excess/apart of the instances that tell; infinite where there is none."""
        ratio = self.excess[self.tells] / self.apart[self.tells]
        return float(ratio.max()) if ratio.size else math.inf


def separation(least: Least, others: Sequence[Least]) -> np.ndarray:
    """The least of 1 and of the excesses over `least` at the others' minimizers, (B,); an undefined one is no rival."""
    rivals = [np.nan_to_num(least.excess(other.w), nan=np.inf) for other in others if other is not least]
    return np.minimum.reduce([np.ones(len(least.upper)), *rivals])


def excess_of_all(least: Least, point: np.ndarray) -> np.ndarray:
    """The excess at the points (B, ...), nan where a point is; nan for all where it is undefined at any other point.

    A few values, of those instances alone whose weights are positive, would be a biased sample of a random size.
    """
    excess = least.excess(point)
    is_point = ~np.isnan(point.reshape(len(point), -1)).any(-1)
    return np.full_like(excess, np.nan) if np.isnan(excess[is_point]).any() else excess


def measure_excess(
    answer: Answering,
    least: Least,
    others: Sequence[Least],
    point: np.ndarray,
    control: np.ndarray,
    error: np.ndarray,
) -> Excess:
    """Measure the excess over a least value at the minima `point` and `control` (B, ...), which may be nan.

    others: the least values that it is told from. error: a bound on the l2 error of `point`, (B,). The certificate is
    the duality gap; its bound is the excess at which a minimizer would not be named any more, where instances tell.
    """
    resolution = least.resolution(np.where(np.isnan(point), least.w, point), error)
    found = Excess(least.name, excess_of_all(least, point), separation(least, others), resolution)
    gap, bound = np.abs(least.gap)[found.tells], found.apart[found.tells] / FACTOR
    answer.measured(
        f"excess over the least {least.name}",
        found.excess,
        resolution=np.fmax.reduce(resolution),
        control=excess_of_all(least, control),
        certificate="duality gap of the least value",
        worst_ratio=np.max(gap / bound, initial=0),
    )
    return found


def answer_nearest(answer: Answering, found: Sequence[Excess], told: str = "") -> None:
    """Name the least value that fits, of the least worst ratio where several do; or none.

    Not identifiable where it fits, but fewer than half of the instances tell it from others. told: what is added to the
    sentence.
    """
    nearest = min((one for one in found if one.fits), key=lambda one: one.worst_ratio, default=None)
    defined = [one for one in found if not np.isnan(one.excess).all()]
    excesses = "the excess is up to " + ", ".join(f"{np.nanmax(one.excess):.2g} ({one.name})" for one in defined)
    if nearest is None:
        answer.answered(NONE, f"{excesses}{told}")
    elif 2 * nearest.tells.sum() < len(nearest.tells):
        reason = f"{nearest.name} fits, but {(~nearest.tells).sum()} of {len(nearest.tells)} instances do not tell it"
        answer.unanswered(Status.NOT_IDENTIFIABLE, f"{reason}{told}")
    else:
        apart = nearest.apart[nearest.tells].min()
        answer.answered(nearest.name, f"{excesses}; that of another minimizer is at least {apart:.2g}{told}")
