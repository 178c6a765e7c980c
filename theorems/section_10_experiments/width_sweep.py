"""The widths of Experiment 3: its plans and its trials, on which the conclusion of Section 10.3 rests too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fixtures.sweeps.settings import Setting
from fixtures.sweeps.trials import Trial
from fixtures.training.answers import unpack_answers
from properties.certificates import assert_at_most, record_finding
from properties.statistics.held_out import told_of_test_set
from properties.statistics.paired import Finding, Interval, student_interval
from theorems.section_10_experiments.width import InfiniteKernelTrial, NetworkTrial

PRINTED_DATA = ("cifar10", "mnist")
WIDTHS, NARROW, WIDE = (10, 100, 1000, 10_000), (10, 100), (1000, 10_000)
PARAMETERIZATIONS = ("standard", "ntk", "mean-field")
FIRST_SEED = 500
"""Of the seeds that decide: those from 100 to 104 were run before the parts of the claim were what they are now."""

ACCURACIES = ("test", "best_test")


@dataclasses.dataclass(frozen=True)
class Plan:
    """Images of the three splits and of the linearizations, the training loss, steps at most, seeds, the batch."""

    size: int
    validation: int
    test: int
    linear: int
    target: float
    cap: int
    seeds: int
    batch: int | None = None


PLANS = {
    "digits": Plan(200, 300, 797, linear=200, target=0.05, cap=3000, seeds=5),
    "smoke": Plan(200, 300, 2000, linear=200, target=0.05, cap=1000, seeds=5),
    "reduced": Plan(10_000, 2000, 10_000, linear=500, target=0.5, cap=1000, seeds=3, batch=2000),
    "paper": Plan(45_000, 5000, 10_000, linear=1000, target=0.6, cap=3000, seeds=5, batch=4500),
}
"""A step of a batch of 2000 at m = 10,000 on CIFAR-10 is 0.4 Tflop, some 10 ms of an H100's float32: `reduced` has 12
such runs of 1000 steps, 2 minutes, and `paper` 20 runs of 3000 steps of twice that, 20 minutes; the rest is less."""


def plan_of(setting: Setting) -> Plan:
    """The plan that a setting runs."""
    return PLANS["digits" if setting.data == "digits" else setting.scale]


def model_of(setting: Setting) -> str:
    """What is trained, in words; images are counted where there are more of them."""
    few = "" if setting.data == "digits" or setting.printed else f", {plan_of(setting).size:,} images"
    return f"two-layer networks{few}"


def seeds_of(setting: Setting) -> range:
    """The seeds of a setting."""
    return range(FIRST_SEED, FIRST_SEED + plan_of(setting).seeds)


def network(
    setting: Setting,
    width: int,
    seed: int,
    parameterization: str = "standard",
    *,
    random: bool = False,
    linear: bool = False,
) -> NetworkTrial:
    """One trial. random: an ordinary start, with its f_0. linear: on as few images as linearizations take."""
    plan = plan_of(setting)
    size = plan.linear if linear else plan.size
    kernels = (WIDE[0],) if random else (*NARROW, WIDE[0])
    return NetworkTrial(
        data=setting.data,
        size=size,
        validation=plan.validation,
        test=plan.test,
        parameterization=parameterization,
        width=width,
        seed=seed,
        target=plan.target,
        cap=plan.cap,
        antisymmetric=not random,
        batch=None if linear else plan.batch,
        linearize=size == plan.linear and parameterization == "standard" and width in kernels,
        device=setting.device,
    )


def infinite(setting: Setting, seed: int) -> InfiniteKernelTrial:
    """The trial of the infinitely wide kernel."""
    plan = plan_of(setting)
    return InfiniteKernelTrial(setting.data, plan.size, plan.validation, plan.test, seed, setting.device)


def trials(setting: Setting) -> list[Trial]:
    """Every trial once: three parameterizations and a random start, small ones for linearizations, the kernel."""
    found = []
    for seed in seeds_of(setting):
        found += [network(setting, m, seed, name) for name in PARAMETERIZATIONS for m in WIDTHS]
        found += [network(setting, m, seed, random=True) for m in WIDTHS]
        found += [network(setting, m, seed, linear=True) for m in (*NARROW, WIDE[0])]
        found += [network(setting, WIDE[0], seed, random=True, linear=True)]
        found += [infinite(setting, seed)]
    return list(dict.fromkeys(found))


class Results:
    """What the trials of a setting came to; tables have a row for each seed, accuracies are in percent."""

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
        return 100 * np.array(
            [
                [
                    self._of[network(self.setting, m, seed, random=random, linear=True)][f"linearization{kept}"]["test"]
                    for m in widths
                ]
                for seed in seeds_of(self.setting)
            ],
        )

    def infinite(self) -> np.ndarray:
        """(seeds,) of the test accuracy of the infinitely wide kernel."""
        return 100 * np.array([self._of[infinite(self.setting, seed)]["test"] for seed in seeds_of(self.setting)])

    def ridgeless(self) -> str:
        """The share of seeds whose infinite kernel is at its best with the least ridge, in words."""
        edges = [self._of[infinite(self.setting, seed)]["at_edge"] for seed in seeds_of(self.setting)]
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
        """(seeds, widths, n): the same of the centered linearizations of antisymmetric networks."""
        found = [
            [self._of[network(self.setting, m, seed, linear=True)]["linearization"] for m in widths]
            for seed in seeds_of(self.setting)
        ]
        return np.array([[unpack_answers(told["test_wrong"]) for told in row] for row in found])

    def wrong_infinite(self) -> np.ndarray:
        """(seeds, 1, n): the same of the infinitely wide kernel."""
        found = [self._of[infinite(self.setting, seed)]["test_wrong"] for seed in seeds_of(self.setting)]
        return np.array([[unpack_answers(text)] for text in found])

    def narrow_less_wide(self, parameterization: str = "standard", **options: bool) -> np.ndarray:
        """(seeds,) of the gain of narrow networks over wide ones."""
        narrow, wide = (self.networks("best_test", m, parameterization, **options) for m in (NARROW, WIDE))
        return narrow.mean(1) - wide.mean(1)


def record_gain(
    better: np.ndarray,
    worse: np.ndarray,
    judged: Callable[[Interval], Finding],
    *,
    where: Setting,
    reads: str,
) -> None:
    """Record the gain in test accuracy of one kind of learner over another, the mean over arms, paired by seed.

    better, worse: their wrong answers (seeds, arms, n), 0 or 1. What the test set adds to the uncertainty is told too.
    """
    seeds, arms, _ = better.shape

    def gains(errors: np.ndarray) -> np.ndarray:
        return errors[:, arms:].mean(1) - errors[:, :arms].mean(1)

    wrong = 100 * np.concatenate([better, worse], axis=1)
    interval = student_interval(gains(wrong.mean(2)))
    beside = told_of_test_set(wrong, lambda errors: gains(errors).mean(), " points")
    told = f"{reads}: {{estimate}} points [{{lower}}, {{upper}}] of test accuracy{beside}"
    record_finding(judged(interval), interval, where=where, trials=seeds, reads=told)


def assert_sound(results: Results, **options: Any) -> None:
    """Wide networks came to the loss that all are matched at, and no network diverged."""
    assert_at_most(results.networks("diverged", **options).sum(), 0, why="networks that diverged")
    assert_at_most(1, results.networks("reached", WIDE, **options).min(), why="wide networks came to the loss")
