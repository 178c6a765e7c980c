"""Self-tests: the printed bounds of C4 by hand, on inputs of several sizes and signs."""

from fractions import Fraction

import numpy as np

from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_07_initialization_and_learning_rate.theorem_7_2_learning_rate.scale_shrinkage import (
    CONVERGED,
    bounds_of_C4,
    share_of_C4,
)

X, Y, ETA = fractions([1, -3, 2]), Fraction(5), Fraction(1, 40)


def test_the_bounds_on_the_shrinkage_by_hand():
    # b = 2 (1/40) 15 = 3/4, 1 - b^2 = 7/16, delta = (9/16)/(21/16) = 3/7, 4 eta y^2 = 5/2
    found = bounds_of_C4(ETA, X, Y, Fraction(2), Fraction(3))
    expected = [Fraction(1, 20) * Fraction(7, 10), Fraction(11, 80) * Fraction(16, 7)]
    assert_identical(found, expected, why="S_i/x_i^2")


def test_the_share_of_the_scales_by_hand():
    # 1 - (1/40) 9 (7/8 + 5/2)
    assert_identical(share_of_C4(ETA, X, Y, Fraction(7, 8)), 1 - Fraction(9, 40) * Fraction(27, 8), why="P")


def test_a_converged_run_leaves_a_billionth_of_the_target():
    assert_at_most(CONVERGED, np.float64(1e-9), why="what is left of the area is the square of it")
