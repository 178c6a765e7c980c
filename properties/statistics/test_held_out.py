"""Self-tests: the jackknife of a mean is its standard error; it is paired by image and independent of the seeds."""

import math

import numpy as np
import pytest

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most
from properties.statistics.held_out import standard_error_of_test_set


def test_the_error_of_one_run_is_binomial():
    # given  3 wrong answers of 12
    wrong = np.zeros((1, 1, 12))
    wrong[..., :3] = 1
    error = abs(standard_error_of_test_set(wrong, lambda errors: errors[0, 0]) - math.sqrt(0.25 * 0.75 / 11))
    assert_at_most(error, 64 * UNIT_ROUNDOFF, why="sqrt(p(1 - p)/(n - 1))")


def test_a_difference_is_paired_by_image():
    # given  two runs that are wrong on the same three images of twelve, the second on one more
    wrong = np.zeros((1, 2, 12))
    wrong[..., :3] = 1
    wrong[0, 1, 3] = 1
    found = standard_error_of_test_set(wrong, lambda errors: errors[0, 1] - errors[0, 0])
    # then   the common images cancel: a share of 1/12 that is 1 on one image
    assert_at_most(abs(found - math.sqrt(11 / 144 / 11)), 64 * UNIT_ROUNDOFF, why="sqrt(p(1 - p)/(n - 1)), p = 1/12")


def test_more_seeds_do_not_narrow_the_error_of_the_test_set():
    wrong = np.zeros((1, 1, 12))
    wrong[..., :3] = 1
    one, four = (standard_error_of_test_set(np.repeat(wrong, k, axis=0), lambda errors: errors.mean()) for k in (1, 4))
    assert_at_most(abs(one - four), 64 * UNIT_ROUNDOFF, why="one seed and four equal ones")


def test_a_test_set_of_one_image_is_refused():
    with pytest.raises(ValueError, match="image by image"):
        standard_error_of_test_set(np.zeros((2, 2, 1)), np.mean)
