"""What an empirical observation is measured on and by: a population with a name, and the share of runs that show it."""

from __future__ import annotations

import dataclasses

from properties.statistics.concentration import clopper_pearson
from properties.statistics.paired import LEVEL, Interval


@dataclasses.dataclass(frozen=True)
class Population:
    """The networks, data and starts that an observation is measured on; the ledger shows the title beside the verdict.

    binding: the verdict that a docstring expects is about this population. printed: the paper names it.
    """

    title: str
    binding: bool = True
    printed: bool = False


def share_interval(successes: int, count: int, *, level: float = LEVEL) -> Interval:
    """The share of runs that show something, with the interval of Clopper and Pearson (1934), for independent runs.

    Raises ValueError unless 0 <= successes <= count, count >= 1 and 0 < level < 1.
    """
    lower, upper = clopper_pearson(successes, count, 1 - level)
    return Interval(successes / count, float(lower), float(upper), level, count, "Clopper, Pearson")
