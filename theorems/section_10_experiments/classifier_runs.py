"""The runs of Experiments 4 and 5 in tables by seed and arm, and how their comparison is recorded as a finding."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fixtures.sweeps.settings import Setting
from properties.certificates import record_finding
from properties.statistics.matched_loss import matched_arms
from properties.statistics.paired import Finding, Interval, common
from theorems.section_10_experiments.classifier_plans import Arm
from theorems.section_10_experiments.measurements import WRONG_ANSWERS, Quantity, Result, Rule


class UnsoundError(ValueError):
    """Too few runs can be compared for a finding; the message is one line with the runs that are lost."""


@dataclasses.dataclass(frozen=True)
class Runs:
    """The results of a sweep, by arm and seed."""

    results: Mapping[tuple[Arm, int], Result]

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Runs:
        """The results in the records of ClassifierTrials. Raises ValueError for two of one arm and seed."""
        results: dict[tuple[Arm, int], Result] = {}
        for record in records:
            config = record["trial"]["fields"]["config"]
            arm = Arm(**{field.name: config[field.name] for field in dataclasses.fields(Arm)})
            if (arm, config["seed"]) in results:
                raise ValueError(f"there are two runs of {arm} with seed {config['seed']}")
            results[arm, config["seed"]] = record["result"]
        return cls(results)

    def _table(self, arms: Sequence[Arm], read: Callable[[Result], float]) -> np.ndarray:
        seeds = sorted({seed for arm, seed in self.results if arm in arms})
        nothing: Result = {"measurements": []}
        return np.array([[read(self.results.get((arm, seed), nothing)) for arm in arms] for seed in seeds])

    def by_rule(self, arms: Sequence[Arm], quantity: Quantity, rule: Rule) -> np.ndarray:
        """The quantity, (seeds, arms), seeds increasing; nan where a run did not come there, or is not matched."""
        return self._table(arms, lambda result: rule.read(result, quantity))

    def paired(self, arms: Sequence[Arm], rule: Rule, *quantities: Quantity) -> tuple[list[Arm], list[np.ndarray]]:
        """The arms that can be compared by this rule, and the quantities there, (seeds, arms), without gaps.

        Raises UnsoundError for fewer than two arms that half of the seeds bring there, or fewer than three seeds.
        """
        kept, tables = matched_arms(*(self.by_rule(arms, quantity, rule) for quantity in quantities))
        left = [arm for arm, stays in zip(arms, kept, strict=True) if stays]
        if len(left) < 2 or len(tables[0]) < 3:
            raise UnsoundError(f"{rule} only {len(tables[0])} seeds of {len(left)} arms can be compared")
        return left, tables

    def wrong_answers(self, arms: Sequence[Arm], rule: Rule) -> np.ndarray:
        """Which test images are answered wrongly, (seeds, arms, n), by the seeds that have all of these arms."""
        seeds = sorted({seed for arm, seed in self.results if arm in arms})
        rows = [[rule.read(self.results[arm, seed], WRONG_ANSWERS) for arm in arms] for seed in seeds]
        return np.array([row for row in rows if all(np.ndim(flags) for flags in row)])

    def rechecked(self, arms: Sequence[Arm]) -> tuple[list[Arm], np.ndarray]:
        """The arms with a sharpness measured on two samples at one moment, and both, (arms, 2), the larger one last."""
        found = [
            (arm, at["sharpness"]["value"], at["recheck"]["value"])
            for arm in arms
            for (other, _), result in self.results.items()
            if other == arm
            for at in result["measurements"]
            if at["sharpness"] is not None and at["recheck"] is not None
        ]
        return [arm for arm, *_ in found], np.array([values for _, *values in found]).reshape(-1, 2)

    def residuals(self, arms: Iterable[Arm]) -> np.ndarray:
        """Residual over |lambda| of every sharpness that was measured in these arms, (k,)."""
        chosen = set(arms)
        measured = [
            sharpness
            for (arm, _), result in self.results.items()
            if arm in chosen
            for at in result["measurements"]
            for sharpness in (at["sharpness"], at["recheck"])
            if sharpness is not None
        ]
        return np.array([found["residual"] / abs(found["value"]) for found in measured])


def estimate_and_ends(interval: Interval) -> tuple[float, float, float]:
    """The estimate and the two ends of an interval."""
    return interval.estimate, interval.lower, interval.upper


def record_by_rules(
    rules: Sequence[Rule],
    measure: Callable[[Rule], Interval],
    judged: Callable[[Interval], Finding],
    *,
    where: Setting,
    runs: int,
    reads: str,
    beside: str = "",
) -> None:
    """Record the common finding of all rules; where they disagree it is inconclusive, and says so.

    The interval of the first rule is the one recorded; the text has those of all. reads: the text before the numbers.
    beside: the text after them. runs: how many runs each rule uses.
    """
    first, *others = rules
    found = {rule: measure(rule) for rule in rules}
    told = [f"{{estimate}} [{{lower}}, {{upper}}] {first}"]
    told += [
        "{:.3g} [{:.3g}, {:.3g}]".format(*estimate_and_ends(found[rule])) + f" {rule.choice} it" for rule in others
    ]
    finding = common({rule.choice or str(rule): judged(found[rule]) for rule in rules})
    record_finding(finding, found[first], where=where, trials=runs, reads=f"{reads} {', '.join(told)}{beside}")
