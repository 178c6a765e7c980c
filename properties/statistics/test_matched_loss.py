"""Self-tests: values at a matched loss lie between the measurements on both sides; nothing is extrapolated."""

import math

import numpy as np
import pytest

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical
from properties.statistics.matched_loss import ABOVE, AT_OR_BELOW, BETWEEN, CHOICES, at_matched_loss, matched_arms


def test_the_three_choices_give_three_values():
    # given  20 at loss 4 and 10 at loss 1; loss 2 is half way in the logarithm
    found = [at_matched_loss((4.0, 20.0), (1.0, 10.0), 2.0, choice) for choice in (AT_OR_BELOW, BETWEEN, ABOVE)]
    assert_identical(found[::2], [10.0, 20.0], why="the epoch that comes to the loss, and the one before")
    assert_at_most(abs(found[1] - 15), 8 * 20 * UNIT_ROUNDOFF, why="half way between 10 and 20")
    # then   the value is nearer to the measurement whose loss is nearer
    quarter = at_matched_loss((16.0, 20.0), (1.0, 10.0), 2.0, BETWEEN)
    assert_at_most(abs(quarter - 12.5), 8 * 20 * UNIT_ROUNDOFF, why="a quarter of the way")


def test_at_the_loss_itself_two_choices_are_the_measurement():
    found = [at_matched_loss((4.0, 20.0), (1.0, 10.0), 1.0, choice) for choice in CHOICES]
    assert_identical(found, [10.0, 10.0, 20.0], why="between, at or below, above")


def test_logarithmic_values_are_on_a_power_law():
    # given  lambda = 3 loss^2
    found = at_matched_loss((0.3, 3 * 0.3**2), (0.07, 3 * 0.07**2), 0.1, BETWEEN, logarithmic=True)
    # then   about ten roundings of logarithms up to 5 become relative errors of the exponential
    assert_at_most(abs(found / 0.03 - 1), 100 * UNIT_ROUNDOFF, why="3 loss^2 at 0.1")


def test_arrays_are_matched_by_entry():
    found = at_matched_loss((4.0, np.array([1.0, 0.0])), (1.0, np.array([0.0, 0.0])), 2.0, BETWEEN)
    assert_at_most(np.abs(found - [0.5, 0.0]), 8 * UNIT_ROUNDOFF, why="half of each")


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize(
    ("above", "below"),
    [
        ((0.2, 1.0), (0.15, 2.0)),  # never reached
        ((0.1, 1.0), (0.05, 2.0)),  # already reached at the first measurement
        ((0.3, 1.0), (0.05, None)),
        ((0.3, None), (0.05, 1.0)),
        ((0.3, 1.0), (0.05, math.nan)),
        ((0.3, np.array([1.0, math.inf])), (0.05, np.array([1.0, 1.0]))),
        ((None, 1.0), (0.05, 1.0)),
        ((math.inf, 1.0), (0.05, 1.0)),
        ((0.3, 1.0), (0.0, 1.0)),
        ((0.05, 1.0), (0.3, 2.0)),  # losses in the wrong order
    ],
)
def test_a_run_that_was_not_measured_on_both_sides_is_not_matched(above, below, choice):
    assert math.isnan(at_matched_loss(above, below, 0.1, choice))


def test_values_without_a_logarithm_are_not_matched_and_bad_arguments_are_refused():
    assert math.isnan(at_matched_loss((0.3, 1.0), (0.05, -1.0), 0.1, BETWEEN, logarithmic=True))
    with pytest.raises(ValueError, match="the loss to match is 0"):
        at_matched_loss((0.3, 1.0), (0.05, 1.0), 0, BETWEEN)
    with pytest.raises(ValueError, match="not by 'nearest'"):
        at_matched_loss((0.3, 1.0), (0.05, 1.0), 0.1, "nearest")


def test_arms_that_more_than_half_of_the_seeds_lack_are_dropped_before_seeds_are():
    table = np.arange(12.0).reshape(4, 3)
    table[:3, 0] = math.nan  # only one seed of four has this arm
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
