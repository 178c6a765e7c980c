"""Self-tests: each condition of the rule separates runs at the edge from others."""

import numpy as np
import pytest

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.edge_rule import (
    beneficial,
    edge_report,
    often,
)
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.sharpness_path import SharpnessPath


def path(ratio, loss, eta=0.5):
    """One run with the given eta S/2 at every tenth step and the given losses."""
    return SharpnessPath(
        np.array([eta]), np.arange(0, len(loss), 10), np.array([ratio]) * 2 / eta, np.array([loss], float)
    )


AT_EDGE = [0.5, 0.9, 1.0, 1.01, 0.99, 1.0, 1.02]
RISING = np.where(np.arange(61) % 5, 1.0, 1.1)
REFERENCE = path([0.1, 0.3], np.ones(11), eta=0.1)  # at most 0.3 * 2/0.1 = 6, which is 1.5 * 2/0.5


@pytest.mark.parametrize(
    ("ratio", "loss", "at_edge"),
    [
        (AT_EDGE, RISING, True),
        (AT_EDGE, np.linspace(1, 0, 61), False),
        ([0.5, 0.9, 1.0, 0.8, 0.8, 0.8, 1.0], RISING, False),
        ([0.5, 0.9, 1.0, 1.2, 1.2, 1.2, 1.0], RISING, False),
        (AT_EDGE, np.where(np.arange(61) == 30, 2000.0, RISING), False),
        (AT_EDGE, np.where(np.arange(61) == 30, np.nan, RISING), False),
        ([0.5, 0.9, 1.0, 0.89, 0.89, 0.89, 1.0], RISING, False),
        ([0.5, 0.9, 1.0, 0.91, 0.91, 0.91, 1.0], RISING, True),
        ([0.5, 0.9, 1.0, 1.14, 1.14, 1.14, 1.0], RISING, True),
        ([0.5, 0.9, 1.0, 1.16, 1.16, 1.16, 1.0], RISING, False),
        (AT_EDGE, np.where(np.arange(61) < 50, RISING, 1.0), False),
        (AT_EDGE, np.where(np.arange(61) < 51, RISING, 1.0), True),
        (AT_EDGE, np.where(np.arange(61) == 30, 1099.0, RISING), True),
        (AT_EDGE, np.where(np.arange(61) == 30, 1101.0, RISING), False),
    ],
)
def test_a_run_at_the_edge_needs_the_median_of_the_tail_rises_and_no_divergence(ratio, loss, at_edge):
    assert_identical(edge_report(path(ratio, loss), REFERENCE).at_edge, [at_edge], why="at the edge")


@pytest.mark.parametrize(
    ("start", "reference", "eligible"),
    [(0.5, 0.3, True), (1.1, 0.3, False), (0.5, 0.2, False), (0.99, 0.261, True), (0.5, 0.259, False)],
)
def test_a_run_is_eligible_if_it_starts_below_the_edge_and_its_reference_run_would_cross_it(start, reference, eligible):
    report = edge_report(path([start, *AT_EDGE[1:]], RISING), path([0.1, reference], np.ones(11), eta=0.1))
    assert_identical(report.eligible, [eligible], why="eligible")


def test_the_tail_begins_after_a_third():
    report = edge_report(path([9.0, 9.0, 9.0, 1.0, 2.0, 3.0, 4.0], RISING), REFERENCE)
    assert_identical([report.median[0], report.largest[0]], [2.5, 9.0], why="median of the last four of seven")


@pytest.mark.parametrize(
    ("count", "finding"), [(23, "reproduced"), (22, "inconclusive"), (10, "inconclusive"), (9, "not reproduced")]
)
def test_twenty_three_of_thirty_two_runs_at_the_edge_are_often(count, finding):
    found, interval = often(np.arange(32) < count)
    assert_identical([found, interval.estimate], [finding, count / 32], why="often")


@pytest.mark.parametrize(
    ("ratios", "finding"),
    [([0.9, 0.8, 0.8], "reproduced"), ([1.2, 0.8, 0.7], "inconclusive"), ([1.2, 1.2, 1.3], "not reproduced")],
)
def test_a_lower_held_out_error_than_that_of_the_reference_is_a_benefit(ratios, finding):
    found, interval = beneficial(2 * np.array(ratios), np.full(3, 2.0))
    mean = np.log(ratios).mean()
    assert_identical(found, finding, why="beneficial")
    assert_at_most(abs(interval.estimate - mean), rounding(4), why="the mean of the logarithms")
