"""Self-tests: quantities are read at a stop or at a matched loss, runs are paired by seed, and choices may disagree.

No network is trained: records are made up, with the fields that a trial gives them.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from fixtures.sweeps.settings import Setting
from fixtures.training.config import Stop
from properties.certificates import assert_at_most, assert_identical, observed_by
from properties.statistics.matched_loss import CHOICES
from properties.statistics.paired import judge, student_interval
from theorems.section_10_experiments.classifier_plans import Arm
from theorems.section_10_experiments.classifier_runs import Runs, UnsoundError, record_by_rules
from theorems.section_10_experiments.measurements import SHARPNESS, TEST_ERROR, at_loss, at_loss_by_choice, at_stop

pytestmark = pytest.mark.slow


def moment(loss, error, sharpness=1.0, rule="loss", at=0.1, wrong="2:40"):
    found = {"value": sharpness, "loss": loss / 2, "residual": 0.01, "squared_norm": 2.0}
    measured = {"train_loss": loss, "test_error": error, "test_wrong": wrong, "sharpness": found, "recheck": None}
    return {"rule": rule, "at": at, **measured}


def around(above, below):
    """The two measurements around the loss 0.1, each as (loss, error, sharpness)."""
    return moment(*above, rule="before loss"), moment(*below)


def record(eta, seed, *moments):
    config = {"eta": eta, "batch": 8, "label_noise": 0.0, "seed": seed}
    return {"trial": {"fields": {"config": config}}, "result": {"measurements": list(moments)}}


def test_error_and_sharpness_are_those_of_the_two_epochs_around_the_loss():
    result = record(0.1, 0, *around((0.2, 0.4, 8.0), (0.05, 0.2, 2.0)), moment(0.01, 0.9, rule="epochs", at=9))[
        "result"
    ]
    found = {of: [at_loss(result, of, 0.1, choice) for choice in CHOICES] for of in (TEST_ERROR, SHARPNESS)}
    # then   half way between two losses, in logarithms: the mean of errors, the geometric mean of lambdas
    assert_at_most(np.abs(np.array(found[TEST_ERROR]) - [30, 20, 40]), 64 * 2.0**-48, why="test error in percent")
    assert_at_most(np.abs(np.array(found[SHARPNESS]) - [4, 2, 8]), 64 * 2.0**-50, why="lambda")
    # then   a loss that was not a stop was measured on no side
    assert math.isnan(at_loss(result, TEST_ERROR, 0.15, CHOICES[0]))


def test_a_stop_is_found_by_its_rule_and_where_it_is():
    result = record(0.1, 0, *around((0.2, 0.4), (0.1, 0.2)), moment(0.3, 0.6, rule="epochs", at=2))["result"]
    read = [at_stop(result, TEST_ERROR, stop) for stop in (Stop("loss", 0.1), Stop("epochs", 2), Stop("epochs", 3))]
    assert np.array_equal(read, [20.0, 60.0, math.nan], equal_nan=True)


def test_answers_are_weighted_as_errors_are():
    # given  two images, the first wrong above the loss and the second below it
    above, below = moment(0.2, 0.5, rule="before loss", wrong="2:80"), moment(0.05, 0.5, wrong="2:40")
    runs = Runs.of([record(0.25, seed, above, below) for seed in (1, 2)] + [record(0.25, 3, above)])
    wrong = [runs.wrong_answers([Arm(0.25, 8)], rule) for rule in at_loss_by_choice(0.1)]
    # then   the seed that did not come to the loss is left out
    assert_at_most(np.abs(wrong[0] - 0.5), 64 * 2.0**-52, why="between: half of each")
    assert_identical(wrong[1:], [[[[0.0, 1.0]]] * 2, [[[1.0, 0.0]]] * 2], why="below, above")


def test_residuals_are_read_beside_the_size_of_the_eigenvalue():
    runs = Runs.of([record(0.25, 0, *around((0.2, 0.2, -2.0), (0.1, 0.2, 4.0))), record(0.5, 0, moment(1, 1))])
    assert_identical(runs.residuals([Arm(0.25, 8)]), np.array([0.005, 0.0025]), why="0.01 of 2 and of 4")


def test_tables_are_paired_by_seed_whatever_the_order_of_the_records():
    arms, (_, rule, _) = [Arm(0.25, 8), Arm(0.5, 8)], at_loss_by_choice(0.1)
    records = [
        record(eta, seed, *around((0.2, 0.0), (0.1, seed + eta)))
        for eta, seed in ((0.5, 3), (0.25, 1), (0.25, 3), (0.5, 1))
    ]
    runs = Runs.of([*records, record(0.25, 2)])
    table = runs.by_rule(arms, TEST_ERROR, rule)
    assert np.array_equal(table, [[125, 150], [math.nan, math.nan], [325, 350]], equal_nan=True)
    with pytest.raises(UnsoundError, match=r"at or below training loss 0\.1 only 2 seeds of 2 arms"):
        runs.paired(arms, rule, TEST_ERROR)
    with pytest.raises(ValueError, match="two runs of"):
        Runs.of([*records, records[0]])


def test_a_finding_that_hangs_on_the_choice_of_a_moment_is_inconclusive():
    # given  differences of three seeds that are positive at the first epoch at or below the loss alone
    told = []
    notebook = SimpleNamespace(found=told.append)
    gaps = dict(zip(CHOICES, ([-1.0, 0, 1], [1.0, 2, 3], [-1.0, 0, 1]), strict=True))
    with observed_by(notebook):
        record_by_rules(
            at_loss_by_choice(0.1),
            lambda rule: student_interval(gaps[rule.choice], level=0.5),
            lambda gap: judge(gap, null=0, direction=1),
            where=Setting("smoke", "digits", "cpu"),
            runs=6,
            reads="gap",
        )
    (finding,) = told
    assert finding["finding"] == "inconclusive"
    assert finding["reads"].startswith(
        "gap 0 [-0.471, 0.471] between the epochs around training loss 0.1, 2 [1.53, 2.47] at the first epoch"
    )
    assert "at the first epoch at or below: reproduced, excludes 0" in finding["reads"]
