"""Self-tests: the bounds of the flow and the charge of its steps by hand, and a ceiling of the rounding of a run."""

import numpy as np

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import UNIT_ROUNDOFF, rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.flow_bounds import (
    charge_of_steps,
    growth_allowed,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import (
    largest_kernel,
    linear_movement,
    residual_scale,
    run_descent,
    run_rounding,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.tasks import WIDE_X

NET = TwoLayer(np.full((1, 4, 1), 0.5), np.array([[0.5, 0.5, -0.5, -0.5]]), "relu", 1.0)


def test_the_growth_that_the_flow_allows_by_hand():
    assert_identical(growth_allowed(2, 3, 2), 7, why="(3 - 2)(3 + 2^2)")


def test_the_charge_of_one_step_by_hand():
    # given  A_0 = 1, K_0 = 2 and the step 1/2 that fits y = 1: A_T = 5/4, K_T = 5/2 and a step of squared length 1/2
    X, y = np.ones((1, 1, 1)), np.ones((1, 1))
    run = run_descent(NET, X, y, np.array([0.5]), 1)
    rho, charge = charge_of_steps(run, X, y, np.array([0.5]), np.array([1.0]))
    # then   eta K_T/2 + |X| length/(2 s), and A_T (eta g)^2 A_0 + A_0 |W_0|^2 (eta g)^2
    assert_at_most(abs(rho - (5 / 8 + np.sqrt(1 / 2) / 2)), rounding(24), why="rho")
    assert_at_most(abs(charge - (5 / 16 + 1 / 4)), rounding(24), why="the charge")


def test_scales_of_values_and_kernels_by_hand():
    # c^2 |theta|^2 |X|^2 = 2 * 9 and |y| + c |a| |W| |X| = 4 + 1 * 1 * 3
    X, y = 3 * np.ones((1, 1, 1)), 4 * np.ones((1, 1))
    assert_at_most(np.abs(largest_kernel(NET, X) - 18), rounding(16, 18), why="|K|")
    assert_at_most(np.abs(residual_scale(NET, X, y) - 7), rounding(16, 7), why="the scale of a residual")


def test_the_movement_of_two_modes_by_hand():
    # k = 0 and 1/4 with the modes 3 and 2, eta = 2: after two steps (1 - 1/4) 2/sqrt(1/4) = 3; the mode 0 rests
    moved = linear_movement(np.array([[0.0, 0.25]]), np.array([[3.0, 2.0]]), np.array([2.0]), 2)
    assert_at_most(np.abs(moved[:, 0] - [0, 2, 3]), rounding(8, 3), why="the movement of the linearized network")


def test_the_rounding_of_a_step_is_a_few_units_for_each_neuron():
    wide = TwoLayer(np.zeros((1, 128, 4)), np.zeros((1, 128)), "tanh", 1.0)
    assert_at_most(run_rounding(wide, WIDE_X, 11), 12 * 128 * 5 * UNIT_ROUNDOFF, why="4 (m + d + n) units a step")
