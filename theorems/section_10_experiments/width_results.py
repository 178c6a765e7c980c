"""The results of the trials of Experiment 3, in tables by seed and width, and how a gain in accuracy is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fixtures.kernels.tuned_ridge import LIMITS, RATIOS
from fixtures.sweeps.settings import Setting
from fixtures.training.answers import unpack_answers
from properties.certificates import assert_at_most, assert_identical, record_finding
from properties.statistics.held_out import describe_test_set_error
from properties.statistics.paired import Finding, Interval, student_interval
from theorems.section_10_experiments.width_sweep import WIDE, WIDTHS, infinite, network, seeds_of, trials

ACCURACIES = ("test", "best_test")


class Results:
    """The results of the trials of a setting. Tables have a row for each seed; accuracies are in percent."""

    def __init__(self, setting: Setting, records: Iterable[Mapping[str, Any]]) -> None:
        self.setting = setting
        self._of = {trial: record["result"] for trial, record in zip(trials(setting), records, strict=True)}

    def networks(
        self, key: str, widths: Sequence[int] = WIDTHS, parameterization: str = "standard", **options: bool
    ) -> np.ndarray:
        """(seeds, widths) of one result of networks."""
        unit = 100 if key in ACCURACIES else 1
        return unit * np.array(
            [
                [self._of[network(self.setting, m, seed, parameterization, **options)][key] for m in widths]
                for seed in seeds_of(self.setting)
            ],
            float,
        )

    def linearizations(self, widths: Sequence[int], *, kept: str = "", random: bool = False) -> np.ndarray:
        """(seeds, widths) of the test accuracy of linearizations; kept: "_with_f0" for those that keep f_0."""
        key = f"linearization{kept}"
        return 100 * np.array(
            [
                [
                    tuned(self._of[network(self.setting, m, seed, random=random, linear=True)][key])["test"]
                    for m in widths
                ]
                for seed in seeds_of(self.setting)
            ],
        )

    def infinite(self) -> np.ndarray:
        """(seeds,) of the test accuracy of the infinitely wide kernel."""
        return 100 * np.array(
            [tuned(self._of[infinite(self.setting, seed)])["test"] for seed in seeds_of(self.setting)]
        )

    def ridgeless(self) -> str:
        """The share of seeds whose infinite kernel is at its best with the least ridge, in words."""
        edges = [tuned(self._of[infinite(self.setting, seed)])["at_edge"] for seed in seeds_of(self.setting)]
        return f"best without a ridge in {edges.count('lowest')} of {len(edges)} seeds"

    def wrong_networks(self, widths: Sequence[int], parameterization: str = "standard", **options: bool) -> np.ndarray:
        """(seeds, widths, n): which test images networks answer wrongly at their best step, 0 or 1."""
        return np.array(
            [
                [
                    unpack_answers(
                        self._of[network(self.setting, m, seed, parameterization, **options)]["best_test_wrong"]
                    )
                    for m in widths
                ]
                for seed in seeds_of(self.setting)
            ]
        )

    def wrong_linearizations(self, widths: Sequence[int]) -> np.ndarray:
        """(seeds, widths, n): wrong answers of the centered linearizations of antisymmetric networks, 0 or 1."""
        found = [
            [tuned(self._of[network(self.setting, m, seed, linear=True)]["linearization"]) for m in widths]
            for seed in seeds_of(self.setting)
        ]
        return np.array([[unpack_answers(told["test_wrong"]) for told in row] for row in found])

    def wrong_infinite(self) -> np.ndarray:
        """(seeds, 1, n): wrong answers of the infinitely wide kernel, 0 or 1."""
        found = [tuned(self._of[infinite(self.setting, seed)])["test_wrong"] for seed in seeds_of(self.setting)]
        return np.array([[unpack_answers(text)] for text in found])


def tuned(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of a tuned regression, as `regression_result` tells it, if its ridge was tuned indeed.

    Raises AssertionError unless the grid that was tried holds RATIOS, and its ends are not the best: the chosen ridge
    has another one on either side, or is the least of LIMITS, which stands for no ridge.
    """
    grid, ratio = told["ratios"], told["ratio"]
    assert_identical(sorted(set(RATIOS) - set(grid)), [], why="ridges of the grid that were not tried")
    least = ratio == min(grid) == LIMITS[0] and told["at_edge"] == "lowest"
    assert_identical(min(grid) < ratio < max(grid) or least, True, why="the best ridge lies inside the grid")
    return told


def record_gain(
    better: np.ndarray,
    worse: np.ndarray,
    judged: Callable[[Interval], Finding],
    *,
    where: Setting,
    reads: str,
) -> None:
    """Record the gain in test accuracy of one kind of learner over another, the mean over arms, paired by seed.

    better, worse: their wrong answers (seeds, arms, n), 0 or 1. The standard error that is due to the test images is
    told beside the interval.
    """
    seeds, arms, _ = better.shape

    def gains(errors: np.ndarray) -> np.ndarray:
        return errors[:, arms:].mean(1) - errors[:, :arms].mean(1)

    wrong = 100 * np.concatenate([better, worse], axis=1)
    interval = student_interval(gains(wrong.mean(2)))
    beside = describe_test_set_error(wrong, lambda errors: gains(errors).mean(), " points")
    told = f"{reads}: {{estimate}} points [{{lower}}, {{upper}}] of test accuracy{beside}"
    record_finding(judged(interval), interval, where=where, trials=seeds, reads=told)


def assert_sound(results: Results, **options: Any) -> None:
    """No network diverged, and wide networks came to the loss at which all are compared."""
    assert_identical(results.networks("diverged", **options).sum(), 0, why="networks that diverged")
    assert_at_most(1, results.networks("reached", WIDE, **options).min(), why="wide networks came to the loss")
