"""Self-tests: time laws by hand, and what their rounding may be at most."""

import numpy as np

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.races import time_law, time_law_rounding


def test_the_time_laws_of_four_depths_by_hand():
    # given  lambda = 4 and s = 1: -ln 3, ln(1/3)/4, ln(3^2/3)/8 - 1/2 and ln(1/3)/16 - 1/4
    laws = [time_law(p, np.array(4.0), np.array(1.0)) for p in (0, 1, 1.5, 2)]
    exact = np.log(3) * np.array([-1, -1 / 4, 1 / 8, -1 / 16]) - [0, 0, 1 / 2, 1 / 4]
    assert_equal_within(laws, exact, rounding(8, np.abs(exact)), why="antiderivatives of r^-p/(lambda - r)")


def test_the_rounding_of_a_time_law_is_that_of_forty_operations_at_sizes_of_order_one():
    # given  p = 1, lambda = 2, from 1/2 to 1: the laws are -ln(3)/2 and 0, and twice the inverse of 1/2 is added
    allowed = time_law_rounding(1, np.array(2.0), np.array(0.5), np.array(1.0))
    assert_at_most(allowed, rounding(40), why="8 operations of size 4.55")
    assert_identical(allowed > rounding(32), True, why="of size above 4")
