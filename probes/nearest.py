"""Which of several least values a result is nearest to, and when that may be said."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from probes.answers import Answering
from properties.least import Least

FACTOR = 10.0
"""A least value is named where the excess is at most 1/FACTOR of the separation, in every instance."""
NONE = "none of these"


@dataclasses.dataclass(frozen=True)
class Excess:
    """How far a result is above a least value, (B,), nan where it has not reached a minimum; and the separation.

    apart (B,): the least excess that the minimizer of another least value has, and at most 1.
    """

    name: str
    excess: np.ndarray
    apart: np.ndarray

    @property
    def worst_ratio(self) -> float:
        """The largest excess/apart of the instances; infinite where one is nan or not separated."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(self.apart > 0, self.excess / self.apart, np.nan)
        return float(np.max(np.where(np.isnan(ratio), math.inf, ratio)))


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
    the duality gap; its bound is the excess at which a minimizer would not be named any more.
    """
    excess, apart = excess_of_all(least, point), separation(least, others)
    resolution = least.resolution(np.where(np.isnan(point), least.w, point), error)
    with np.errstate(divide="ignore"):
        worst = np.max(np.abs(least.gap) / (apart / FACTOR))
    answer.measured(
        f"excess over the least {least.name}",
        excess,
        resolution=np.fmax.reduce(resolution),
        control=excess_of_all(least, control),
        certificate="duality gap of the least value",
        worst_ratio=float(worst),
    )
    return Excess(least.name, excess, apart)


def answer_nearest(answer: Answering, found: Sequence[Excess], told: str = "") -> None:
    """Name the least value whose excess is at most 1/FACTOR of its separation in every instance, or none.

    Where several qualify, the one of the least worst ratio. told: what is added to the sentence.
    """
    nearest = min(found, key=lambda one: one.worst_ratio)
    defined = [one for one in found if not np.isnan(one.excess).all()]
    excesses = "the excess is up to " + ", ".join(f"{np.nanmax(one.excess):.2g} ({one.name})" for one in defined)
    if nearest.worst_ratio <= 1 / FACTOR:
        answer.answered(
            nearest.name, f"{excesses}; that of another minimizer is at least {nearest.apart.min():.2g}{told}"
        )
    else:
        answer.answered(NONE, f"{excesses}{told}")
