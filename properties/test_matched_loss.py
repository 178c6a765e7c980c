"""Self-tests: values at a matched loss lie between the measurements on both sides of it, and nothing is made up."""

import math

import numpy as np
import pytest

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical
from properties.matched_loss import at_matched_loss, matched_arms


def test_the_value_is_linear_in_log_loss_between_the_nearest_two():
    # given  moments in no order, the farther ones off the line through (4, 20) and (1, 10)
    losses, values = [4.0, 0.01, 1.0, 64.0], [20.0, 99.0, 10.0, -99.0]
    # then   2 is half way in the logarithm
    error = abs(at_matched_loss(losses, values, 2.0) - 15)
    assert_at_most(error, 8 * 20 * UNIT_ROUNDOFF, why="half way between 10 and 20")
    assert_identical(at_matched_loss(losses, values, 4.0), 20.0, why="at a measurement it is the measurement")


def test_logarithmic_values_are_on_a_power_law():
    # given  lambda = 3 loss^2
    losses = [0.3, 0.07]
    found = at_matched_loss(losses, [3 * loss**2 for loss in losses], 0.1, logarithmic=True)
    # then   each of about ten roundings of logarithms up to 5 comes through the exponential as it is
    assert_at_most(abs(found / 0.03 - 1), 100 * UNIT_ROUNDOFF, why="3 loss^2 at 0.1")


@pytest.mark.parametrize(
    ("losses", "values"),
    [
        ([0.3, 0.2], [1.0, 2.0]),  # never reached
        ([0.05, 0.02], [1.0, 2.0]),  # passed before it was measured
        ([], []),
        ([0.3, 0.05], [1.0, None]),
        ([0.3, 0.05], [1.0, math.nan]),
        ([None, 0.05], [1.0, 2.0]),
        ([math.inf, 0.05], [1.0, 2.0]),
        ([0.3, 0.0], [1.0, 2.0]),
    ],
)
def test_a_run_without_measurements_on_both_sides_is_not_matched(losses, values):
    assert math.isnan(at_matched_loss(losses, values, 0.1))


def test_a_logarithm_leaves_out_what_is_not_positive():
    assert math.isnan(at_matched_loss([0.3, 0.05], [1.0, -1.0], 0.1, logarithmic=True))
    with pytest.raises(ValueError, match="the loss to match is 0"):
        at_matched_loss([0.3, 0.05], [1.0, 1.0], 0)


def test_arms_that_half_of_the_seeds_lack_are_dropped_before_seeds_are():
    table = np.arange(12.0).reshape(4, 3)
    table[:3, 0] = math.nan  # one seed of four
    table[1, 2] = math.nan
    other = table + 100
    arms, (left, right) = matched_arms(table, other)
    assert_identical(arms, [False, True, True], why="arms kept")
    assert_identical(left, table[[0, 2, 3]][:, 1:], why="complete rows, in order")
    assert_identical(right, left + 100, why="the same seeds in both tables")
    half = np.array([[math.nan, 1.0], [math.nan, 2.0], [3.0, 4.0], [5.0, 6.0]])
    arms, (left,) = matched_arms(half)
    assert_identical(arms, [True, True], why="half of the seeds is enough")
    assert_identical(left, half[2:], why="the seeds that have both arms")
    with pytest.raises(ValueError, match="of one shape"):
        matched_arms(table, table[:, :2])
