"""A directed search for a counterexample: Hypothesis finds one and shrinks it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

from properties.certificates import report_search

Instance = TypeVar("Instance")


def smallest_violation(
    instances: SearchStrategy[Instance], violates: Callable[[Instance], bool], *, budget: int = 2000
) -> Instance:
    """The simplest instance on which `violates` is true, in the shrinking order of the strategy.

    The search is derandomized and keeps no database, so the same strategy and predicate give the same instance on every
    run. Raises AssertionError when `budget` instances show no violation.
    """
    tried = 0

    def counted(instance: Instance) -> bool:
        nonlocal tried
        tried += 1
        return bool(violates(instance))

    # A search needs one instance and has its own budget. Slow or rejected draws are no defect of a theorem.
    rules = settings(
        max_examples=budget,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
    )
    try:
        found = find(instances, counted, settings=rules, random=Random(0))
    except NoSuchExample:
        raise AssertionError(f"no violation among {tried} instances: the search refutes nothing") from None
    report_search(tried)
    return found
