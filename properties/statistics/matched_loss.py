"""Runs compared at a matched training loss: two measurements around it, and three ways to choose a moment.

Each run is measured at two moments: at the end of the first epoch whose training loss is at most the target, and at the
end of the epoch before, whose loss was above the target. Runs with different steps overshoot the target by different
amounts within an epoch. So each of three choices of a moment is one that another author could make:

    between the epochs around it        interpolated linearly in the logarithm of the loss
    at the first epoch at or below it   as a rule that stops at a training loss; who overshoots has fitted more
    at the last epoch above it          the epoch before; who is about to overshoot has fitted less

Nothing is extrapolated. A run that was not measured on both sides of the target is not matched, by any choice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

BETWEEN, AT_OR_BELOW, ABOVE = "between the epochs around", "at the first epoch at or below", "at the last epoch above"
CHOICES = (BETWEEN, AT_OR_BELOW, ABOVE)
"""Each is worded so that "training loss 0.1" can follow it."""


def at_matched_loss(
    above: tuple[float | None, Any],
    below: tuple[float | None, Any],
    loss: float,
    choice: str,
    *,
    logarithmic: bool = False,
) -> Any:
    """The value at this loss by one of CHOICES, or nan where the run was not measured on both sides of the loss.

    above, below: pairs (loss, value) at the two moments. A value is a number or an array; arrays are interpolated entry
        by entry.
    logarithmic: interpolate the logarithms of the values.

    Whatever the choice, the result is nan in these cases: a loss or a value is None or not finite; a loss is not
    positive; `logarithmic` is set and a value is not positive; not below[0] <= loss < above[0].
    Raises ValueError for a loss to match that is not positive, and for an unknown choice.
    """
    if not 0 < loss < math.inf:
        raise ValueError(f"the loss to match is {loss!r}; it is a positive number")
    if choice not in CHOICES:
        raise ValueError(f"a moment is chosen by {', '.join(CHOICES)}, not by {choice!r}")
    if any(entry is None for entry in (*above, *below)) or not 0 < below[0] <= loss < above[0] < math.inf:
        return math.nan
    ends = [np.asarray(value, float) for _, value in (below, above)]
    if not all(np.isfinite(end).all() and (not logarithmic or (end > 0).all()) for end in ends):
        return math.nan
    if choice == BETWEEN:
        share = math.log(loss / below[0]) / math.log(above[0] / below[0])
        ends = [np.log(end) for end in ends] if logarithmic else ends
        value = (1 - share) * ends[0] + share * ends[1]
        value = np.exp(value) if logarithmic else value
    else:
        value = ends[0] if choice == AT_OR_BELOW else ends[1]
    return value if value.ndim else float(value)


def matched_arms(*tables: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The arms that can be compared, and the tables (seeds, arms) cut to them and to the seeds that have them all.

    An arm is kept (True in the mask (arms,)) where at least half of the seeds have it in every table. A seed is kept
    where it has every kept arm in every table. So the rows that remain are paired and complete. Raises ValueError for
    tables of different shapes.
    """
    if len({table.shape for table in tables}) != 1 or tables[0].ndim != 2:
        raise ValueError(f"tables of seeds by arms of one shape are paired, not {[table.shape for table in tables]}")
    finite = np.logical_and.reduce([np.isfinite(table) for table in tables])
    arms = 2 * finite.sum(axis=0) >= len(finite)
    seeds = finite[:, arms].all(axis=1)
    return arms, [table[seeds][:, arms] for table in tables]
