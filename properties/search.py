"""A directed search for a counterexample: Hypothesis finds one and shrinks it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample
from hypothesis.strategies import SearchStrategy

from properties.certificates import fail, report_search

Instance = TypeVar("Instance")


def smallest_violation(
    instances: SearchStrategy[Instance],
    violates: Callable[[Instance], bool],
    *,
    spared: Instance | None = None,
    budget: int = 2000,
) -> Instance:
    """The simplest instance on which `violates` is true, in the shrinking order of the strategy.

    A predicate that is true of everything refutes nothing. So the search first shows an instance on which `violates` is
    false: `spared` if given, for a strategy that draws violations only; otherwise one of the strategy.

    The search is derandomized and keeps no database, so the same strategy and predicate give the same instance on every
    run. Raises AssertionError when `budget` instances show no violation, and when no instance is spared.
    """
    _show_spared(instances, violates, spared, budget)
    tried = 0

    def counted(instance: Instance) -> bool:
        nonlocal tried
        tried += 1
        return bool(violates(instance))

    try:
        found = find(instances, counted, settings=_rules(budget, Phase.generate, Phase.shrink), random=Random(0))
    except NoSuchExample:
        fail(f"no violation among {tried} instances: the search refutes nothing")
    report_search(tried)
    return found


def _show_spared(
    instances: SearchStrategy[Instance],
    violates: Callable[[Instance], bool],
    spared: Instance | None,
    budget: int,
) -> None:
    if spared is not None:
        if violates(spared):
            fail(f"the spared instance {spared} is a violation too: the predicate may be true of all")
        return
    try:
        find(
            instances,
            lambda instance: not violates(instance),
            settings=_rules(budget, Phase.generate),
            random=Random(0),
        )
    except NoSuchExample:
        fail("every instance is a violation: name an instance that is `spared`")


def _rules(budget: int, *phases: Phase) -> settings:
    """A search needs one instance and has its own budget. Slow or rejected draws are no defect of a theorem."""
    return settings(
        max_examples=budget,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
    )
