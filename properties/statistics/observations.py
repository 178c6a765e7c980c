"""Measuring an empirical observation: the population it is about, and the share of runs that show it."""

from __future__ import annotations

import dataclasses

from properties.statistics.concentration import clopper_pearson
from properties.statistics.paired import LEVEL, Interval


@dataclasses.dataclass(frozen=True)
class Population:
    """The networks, data and starts that an observation is measured on.

    The ledger shows `title` beside the verdict. binding: whether the verdict that a docstring expects is about this
    population. printed: whether the paper names this population.
    """

    title: str
    binding: bool = True
    printed: bool = False


def share_interval(successes: int, count: int, *, level: float = LEVEL) -> Interval:
    """The share of independent runs that show something, with its interval (Clopper and Pearson 1934).

    Raises ValueError unless 0 <= successes <= count, count >= 1 and 0 < level < 1.
    """
    lower, upper = clopper_pearson(successes, count, 1 - level)
    return Interval(successes / count, float(lower), float(upper), level, count, "Clopper, Pearson")
