"""A rule, fixed before the runs, that says whether runs of gradient descent operate at the edge of stability.

The rule for one run of T steps with step size eta; the sharpness S is known at every few steps, the loss at every step:

    tail        the last two thirds: steps after T/3;
    diverged    the loss is somewhere not finite, or above DIVERGED times its start;
    eligible    (1) eta S_0/2 < 1: the run starts below the edge. (2) A reference run from the same start meets a
                sharpness of at least HEADROOM 2/eta. The reference run has a much smaller step. It stands for gradient
                flow while it is below its own edge;
    at edge     the run has not diverged, the median of eta S/2 over the tail lies in [LOWEST, HIGHEST], and at least
                RISES steps of the run raise the loss.

An eligible run that diverges counts against the edge. How many runs are eligible is reported.

The rules for a population of independent runs, which all count, eligible or not:

    often       more than half of the runs are at the edge. The interval of Clopper and Pearson at 95 % for the
                probability of being at the edge lies above one half (reproduced), below it (not reproduced), or
                contains it (inconclusive);
    beneficial  the held-out error is smaller than that of a reference run at a quarter of the step after the same time.
                Student's interval at 95 % for the mean of the logarithm of the ratio lies below zero (reproduced),
                above zero (not reproduced), or contains zero (inconclusive).

The numbers were chosen on other seeds than those that are judged. The tail is a share of the run, and its median is
robust to oscillation. No step raises the loss unless the sharpness exceeds 2/eta somewhere along it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from properties.statistics.observations import share_interval
from properties.statistics.paired import Finding, Interval, judge, student_interval
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.sharpness_path import SharpnessPath

DIVERGED, HEADROOM, LOWEST, HIGHEST, RISES = 1000.0, 1.3, 0.9, 1.15, 10


@dataclasses.dataclass(frozen=True)
class EdgeReport:
    """Measurements of B runs, each (B,): of eta S/2 and of the loss.

    start: eta S_0/2.
    reference: eta/2 times the largest sharpness of the reference run.
    median: the median of eta S/2 over the tail.
    largest: the largest eta S/2 of the run.
    rises: the number of steps of the run that raise the loss.
    diverged: as the rule of this module defines it.
    """

    start: np.ndarray
    reference: np.ndarray
    median: np.ndarray
    largest: np.ndarray
    rises: np.ndarray
    diverged: np.ndarray

    @property
    def eligible(self) -> np.ndarray:
        """Which runs are eligible under the rule, (B,)."""
        return (self.start < 1) & (self.reference >= HEADROOM)

    @property
    def at_edge(self) -> np.ndarray:
        """Which runs operate at the edge, (B,), eligible or not."""
        return ~self.diverged & (self.median >= LOWEST) & (self.median <= HIGHEST) & (self.rises >= RISES)


def edge_report(run: SharpnessPath, reference: SharpnessPath) -> EdgeReport:
    """The measurements of `run` beside those of the reference run from the same starts."""
    third = (run.loss.shape[1] - 1) / 3
    ratio, loss = run.ratio, run.loss
    with np.errstate(invalid="ignore"):
        rises = np.diff(loss, axis=1) > 0
    return EdgeReport(
        start=ratio[:, 0],
        reference=run.eta * reference.sharpness.max(1) / 2,
        median=np.median(ratio[:, run.steps > third], axis=1),
        largest=ratio.max(1),
        rises=rises.sum(1),
        diverged=~(loss <= DIVERGED * loss[:, :1]).all(1),
    )


def often(at_edge: np.ndarray) -> tuple[Finding, Interval]:
    """Whether more than half of a population of independent runs is at the edge, from at_edge (B,)."""
    interval = share_interval(int(np.sum(at_edge)), len(at_edge))
    return judge(interval, null=1 / 2, direction=1), interval


def beneficial(error: np.ndarray, reference: np.ndarray) -> tuple[Finding, Interval]:
    """Whether the held-out errors (B,) are smaller than those of the reference runs, in the mean of log ratios.

    Raises ValueError where an error is not positive and finite.
    """
    interval = student_interval(np.log(np.asarray(error) / np.asarray(reference)))
    return judge(interval, null=0.0, direction=-1), interval
