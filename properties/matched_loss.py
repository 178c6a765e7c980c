"""Runs compared at a matched training loss, by interpolation between the moments at which they were measured.

A rule that stops a run at a training loss fires at the end of an epoch, by which time a fast run has overshot; what
falls with the loss then falls too far, and the more so the faster the run. So a run is measured on both sides of the
loss, and what was measured is interpolated, linearly in the logarithm of the loss. It is never extrapolated: a run
that was not measured on both sides is not matched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def at_matched_loss(
    losses: Sequence[float | None], values: Sequence[float | None], loss: float, *, logarithmic: bool = False
) -> float:
    """The value at this loss, or nan where the run was not measured on both sides of it.

    losses, values: of one length, a pair for each moment; None, infinities, nan and losses that are not positive leave
    their moment out, and so do values that are not positive if `logarithmic`, which interpolates log values. Of the
    moments on one side the one nearest in loss counts. Raises ValueError for a loss to match that is not positive.
    """
    if not 0 < loss < math.inf:
        raise ValueError(f"the loss to match is {loss!r}; it is a positive number")
    target, points = math.log(loss), []
    for own, value in zip(losses, values, strict=True):
        if own is None or value is None or not (0 < own < math.inf and math.isfinite(value)):
            continue
        if logarithmic and value <= 0:
            continue
        points.append((math.log(own), math.log(value) if logarithmic else float(value)))
    above = min((point for point in points if point[0] >= target), default=None)
    below = max((point for point in points if point[0] <= target), default=None)
    if above is None or below is None:
        return math.nan
    share = 0.0 if above[0] == below[0] else (target - below[0]) / (above[0] - below[0])
    value = (1 - share) * below[1] + share * above[1]
    return math.exp(value) if logarithmic else value


def matched_arms(*tables: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The arms that can be compared, and the tables (seeds, arms) cut to them and to the seeds that have them all.

    An arm is kept, True in the mask (arms,), where at least half of the seeds have it in every table; a seed, where it
    has every kept arm in every table. So the rows that are left are paired and complete. Raises ValueError for tables
    of different shapes.
    """
    if len({table.shape for table in tables}) != 1 or tables[0].ndim != 2:
        raise ValueError(f"tables of seeds by arms of one shape are paired, not {[table.shape for table in tables]}")
    finite = np.logical_and.reduce([np.isfinite(table) for table in tables])
    arms = 2 * finite.sum(axis=0) >= len(finite)
    seeds = finite[:, arms].all(axis=1)
    return arms, [table[seeds][:, arms] for table in tables]
