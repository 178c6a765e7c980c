"""Self-tests: runs on a product of two numbers by hand, and the sizes at which they count as settled and converged."""

from fractions import Fraction

import numpy as np

from properties.certificates import assert_at_most, assert_identical
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.product_loss import (
    CONVERGED,
    SETTLED,
    ProductRun,
    settle,
    sharpness_bound,
    sharpness_of_product,
)


def test_the_bound_and_the_sharpness_by_hand():
    # r = 1/3, y = 1/2, eta = 1/4: 8 + (1/4)(1/3)(5/6)
    assert_identical(sharpness_bound(Fraction(1, 3), Fraction(1, 2), Fraction(1, 4)), 8 + Fraction(5, 72), why="bound")
    assert_identical(sharpness_of_product(Fraction(3), Fraction(-2)), 13, why="u^2 + v^2")


def test_a_run_settles_one_step_before_its_residual_is_small():
    # given  (2, 0), y = 1 and eta = 1/4, which fits in one step and rests in (2, 1/2)
    start = ProductRun(*(np.array([value]) for value in (2.0, 0.0, 1.0, 0.25)))
    (u, v), left = settle(start)
    assert_identical([u, v, left], [[2.0], [0.0], [0.0]], why="the state before the step that fits")


def test_settled_is_a_millionth_and_converged_a_thousandth_of_that():
    # eta |r| (r + y) eta of the bound is then at most SETTLED for eta y <= 1/4: the bound is 2/eta to a millionth
    assert_at_most([SETTLED, CONVERGED], [1e-6, 1e-9], why="eta |r|")
