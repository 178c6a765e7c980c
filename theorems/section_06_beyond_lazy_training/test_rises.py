"""Self-tests: the rounding of a rise grows as its square, and is small."""

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import stack
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_equal_within
from theorems.section_06_beyond_lazy_training.rises import rise_rounding


def test_the_rounding_of_a_rise_is_that_of_its_scale_by_hand():
    # n = 2, p = 3, s = (4, 2), |w| = 3, |y| = 5: (4 (3 + 0 + 1) + 5)^2/2 at the condition 2, 16 * 5 + 2 roundings
    problem = stack([regression_of_design(np.array([[4.0, 0, 0], [0, 2, 0]]), np.array([3.0, 4]))])
    found = rise_rounding(problem, np.array([[1.0, 2, 2]]))
    assert_at_most(found, 1.001 * 2 * 82 * 21**2 * UNIT_ROUNDOFF, why="82 roundings, twice")
    # doubling X and y multiplies it by four
    double = stack([regression_of_design(2 * problem.X[0], 2 * problem.y[0])])
    larger = rise_rounding(double, np.array([[1.0, 2, 2]]))
    assert_equal_within(larger, 4 * found, found / 10**9, why="four times a loss")
