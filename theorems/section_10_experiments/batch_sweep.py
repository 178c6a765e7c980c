"""The plans, arms and trials of Experiment 5. The conclusion of Section 10.5 rests on the same trials."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fixtures.sweeps.settings import Setting
from fixtures.training.config import Stop
from properties.statistics.held_out import describe_test_set_error
from properties.statistics.paired import Finding, Interval, student_interval
from theorems.section_10_experiments.classifier import ClassifierTrial
from theorems.section_10_experiments.classifier_plans import Arm, Plan
from theorems.section_10_experiments.classifier_runs import Runs, record_by_rules
from theorems.section_10_experiments.measurements import TEST_ERROR, Quantity, Rule, at_loss_by_choice

PRINTED_DATA = ("cifar10",)
BATCHES = (32, 128, 512, 2048, 8192)
FIRST_ETA, NOISE, PRINTED_GAP = 0.05, 0.2, 3.0

PLANS = {
    "digits": Plan(800, 4, loss=0.1, epochs=10, steps=150, cap_epochs=250, seeds=7, sample=250, recheck=800),
    "smoke": Plan(300, 4, loss=0.5, epochs=10, steps=40, cap_epochs=120, seeds=3, sample=100, recheck=200),
    "reduced": Plan(10_000, 16, loss=0.5, epochs=10, steps=200, cap_epochs=1000, seeds=3, sample=1000, recheck=2000),
    "paper": Plan(50_000, 64, loss=0.3, epochs=12, steps=400, cap_epochs=550, seeds=3, sample=2000, recheck=5000),
}
"""The caps are chosen so that every batch size comes to the loss. On digits the full batch takes 0.41 of the steps of
B = 32 at the same eta, and 0.12 of them under the printed rule. If 0.41 holds for 8192 images too, the largest batch
takes 105 times the epochs: then the cap of `paper` is enough where B = 32 needs 5 epochs at most, and that of `reduced`
where it needs 9. An arm that does not come to the loss is left out of a finding, which lists its batch sizes. Without
the fixed eta Section 10.5 has no comparison, and fails in one line.

On an H100 a step of width 16 takes 2 ms, or what its images need at 0.2 GFLOP each: `reduced` is 24 runs of 5 to 15 s,
two minutes more for each of three at the fixed eta, and a few sharpnesses of 2 s, 12 minutes. At width 64 an epoch
takes 2 s for large batches and 4.5 s for 32, and a sharpness 13 s: `paper` is 15 runs of 100 to 210 s under the printed
rule, 3 of 18 minutes at the fixed eta, and 6 of 3 to 8 minutes with label noise, about 2 hours. Where the noise is not
fitted before the cap, it is up to 2 hours more. To fit them, `paper` has three seeds and no augmentation. `reduced`
measures lambda on half the images of `paper`.
"""


def plan_of(setting: Setting) -> Plan:
    """The plan that a setting runs."""
    return PLANS["digits" if setting.data == "digits" else setting.scale]


def model_of(setting: Setting) -> str:
    """What is trained, in words."""
    return plan_of(setting).model(setting)


def arms_at_root_rate(plan: Plan, label_noise: float = 0.0) -> list[Arm]:
    """The printed batch sizes, as far as the training set allows, at eta proportional to sqrt(B)."""
    sizes = dict.fromkeys(min(batch, plan.size) for batch in BATCHES)
    return [Arm(FIRST_ETA * math.sqrt(batch / BATCHES[0]), batch, label_noise) for batch in sizes]


def printed_arms(setting: Setting) -> list[Arm]:
    """The printed batch sizes under the printed rule."""
    return arms_at_root_rate(plan_of(setting))


def smallest_and_largest(arms: list[Arm]) -> list[Arm]:
    """The smallest batch and the largest."""
    return [arms[0], arms[-1]]


def arms_at_one_rate(plan: Plan) -> list[Arm]:
    """The smallest batch and the largest, at the eta of the smallest."""
    smallest, largest = smallest_and_largest(arms_at_root_rate(plan))
    return [smallest, Arm(smallest.eta, largest.batch)]


def trials(setting: Setting) -> list[ClassifierTrial]:
    """All runs of the experiment in this setting."""
    plan = plan_of(setting)
    arms = [*arms_at_root_rate(plan), *arms_at_one_rate(plan), *smallest_and_largest(arms_at_root_rate(plan, NOISE))]
    return plan.trials(setting, dict.fromkeys(arms))


def matched(setting: Setting) -> list[Rule]:
    """The rules of the matched training loss."""
    return at_loss_by_choice(plan_of(setting).loss)


def equal_epochs(setting: Setting) -> list[Rule]:
    """The rule of a fixed number of epochs."""
    return [Rule(Stop("epochs", plan_of(setting).epochs))]


def equal_steps(setting: Setting) -> list[Rule]:
    """The rule of a fixed number of steps."""
    return [Rule(Stop("steps", plan_of(setting).steps))]


def sizes_of(arms: list[Arm]) -> list[int]:
    """The batch sizes of these arms."""
    return [arm.batch for arm in arms]


def paired_difference(table: np.ndarray) -> Interval:
    """The interval of the last arm less the first of a table (seeds, arms), paired by seed."""
    return student_interval(table[:, -1] - table[:, 0])


def paired_difference_by_rule(
    runs: Runs, arms: list[Arm], quantity: Quantity, scale: Callable[[np.ndarray], np.ndarray] = np.asarray
) -> Callable[[Rule], Interval]:
    """A function of a stopping rule: the largest batch less the smallest, of this quantity in this scale."""
    return lambda rule: paired_difference(scale(runs.paired(smallest_and_largest(arms), rule, quantity)[1][0]))


def error_of_test_set(runs: Runs, arms: list[Arm], rule: Rule) -> str:
    """In words: the standard error of the gap in test error that is due to the test images."""
    wrong = 100 * runs.wrong_answers(smallest_and_largest(arms), rule)
    return describe_test_set_error(wrong, lambda table: (table[:, -1] - table[:, 0]).mean(), " points")


def record_difference(
    runs: Runs,
    arms: list[Arm],
    rules: list[Rule],
    quantity: Quantity,
    judged: Callable[[Interval], Finding],
    *,
    where: Setting,
    reads: str,
    scale: Callable[[np.ndarray], np.ndarray] = np.asarray,
    beside: str = "",
) -> None:
    """Record the finding about the largest batch less the smallest, of this quantity in this scale, by these rules."""
    record_by_rules(
        rules,
        paired_difference_by_rule(runs, arms, quantity, scale),
        judged,
        where=where,
        runs=runs.paired(smallest_and_largest(arms), rules[0], TEST_ERROR)[1][0].size,
        reads=reads,
        beside=beside,
    )
