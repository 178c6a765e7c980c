"""Self-tests: the bounds of Theorem 7.1 (b) by hand, the certificate of a run, and what counts as solved."""

import numpy as np
import pytest

from fixtures.models.diagonal import DiagonalNetwork
from fixtures.precision import UNIT_ROUNDOFF, rounding
from fixtures.problems.batches import stack
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_identical
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.bounds import (
    bounds_on_growth,
    most_l1,
    relative_kernel_change,
    stretch,
)
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.minimizer import (
    CONVERGED,
    SOLVED,
    assert_ends_at_the_minimizer,
    certified_minimizer,
    dual_rounding,
    slack_in_dual,
)

PROBLEM = stack([regression_of_design(np.array([[2.0, 0, 1], [0, 1, -1]]), np.array([3.0, 1.0]))])


def test_the_bounds_on_growth_by_hand():
    # D = 2, p = 3, alpha = 1/2: t = 2/(2 * 3/4) = 4/3 and sqrt(1 + t^2) - 1 = 2/3; m^2/(8 * 3/16) = 6 for m = 3
    lower, upper = bounds_on_growth(2, 0.5, 3, 2.0, 3.0)
    assert_at_most(np.abs(np.array([lower, upper]) - [2 / 3, 6]), rounding(12, np.array([1, 6])), why="G at D = 2")
    # D = 3, p = 2, alpha = 1/2: 8^(2/3)/(2 * 2/4) - 1 = 3, and 3^2/(12 * 2/64) = 24
    lower, upper = bounds_on_growth(3, 0.5, 2, 8.0, 3.0)
    assert_at_most(np.abs(np.array([lower, upper]) - [3, 24]), rounding(12, np.array([4, 24])), why="G at D = 3")


def test_the_bound_on_the_l1_norm_by_hand():
    # D = 2, p = 2, alpha^2 = 1/2, N = 3, M = 5/2: 5/2 (1 + ln(2 (1 + 1/6))/ln 3)
    error = abs(most_l1(2, np.sqrt(0.5), 2, 3.0, 2.5) - 2.5 * (1 + np.log(7 / 3) / np.log(3)))
    assert_at_most(error, rounding(16, 5), why="N at D = 2")
    # D = 4, p = 9, alpha = 1/2, N = 4, M = 7/2: 7/2 + (1/4) 9^(1/2) 4^(1/2)
    assert_at_most(abs(most_l1(4, 0.5, 9, 4.0, 3.5) - 5), rounding(12, 5), why="N at D = 4")


def test_stretch_and_kernel_change_by_hand():
    # D = 4, alpha = 1: w = (1 - z)^-2 - (1 + z)^-2 has the slope 4 at 0; 32/9/(4/2) = 16/9 at z = 1/2, 1 at z = 0
    potential = DiagonalPotential(4, 1.0)
    assert_at_most(abs(stretch(potential, np.array([0.5, 0, 0])) - 16 / 9), rounding(16, 2), why="rho")
    # U^6 + V^6 = 8 + 8/27 at z = 1/2, so q = 85/27; X diag(q, 0, 0) X' = 4 q e_1 e_1', XX' = [[5, -1], [-1, 2]]
    found = relative_kernel_change(PROBLEM.X[0], 4, 1.0, np.array([0.5, 0, 0]))
    assert_at_most(abs(found - 4 * 85 / 27 / np.sqrt(31)), rounding(32, 3), why="|K - K_0|/|K_0|")


@pytest.mark.parametrize(("depth", "slack"), [(2, 1), (4, 8)])
def test_the_slack_of_the_dual_point_by_hand(depth, slack):
    # 2 (1/8) max(D - 2, 1) alpha^(D - 2)/v^(D - 1) for the least factor v = 1/4 and alpha = 1/2
    network = DiagonalNetwork(np.array([[1.0, 2]]), np.array([[0.25, 3]]), depth)
    assert_identical(slack_in_dual(network, np.array([0.5]), np.array([1 / 8])), [slack], why="twice the derivative")


def test_an_interpolant_off_the_minimizer_by_a_thousandth_is_refused():
    # given  the minimizer w at alpha = 1, and w + N/1000, which interpolates too, both with uv = 1
    potential = DiagonalPotential(2, np.ones((1, 1)))
    w = certified_minimizer(potential, PROBLEM).w
    networks = [DiagonalNetwork(*potential.factors(np.arcsinh(at / 2))) for at in (w, w + PROBLEM.N[:, :, 0] / 1000)]
    assert_ends_at_the_minimizer(PROBLEM, potential, networks[0], np.zeros(1))
    with pytest.raises(AssertionError, match="distance to the minimizer of Q"):
        assert_ends_at_the_minimizer(PROBLEM, potential, networks[1], np.zeros(1))


def test_a_run_has_converged_to_a_millionth_and_the_dual_is_solved_to_a_hundred_thousandth():
    assert_at_most([CONVERGED, SOLVED], [1e-6, 1e-5], why="shares of |y| and of |w|")
    assert_at_most(dual_rounding(PROBLEM, np.zeros((1, 3))), 100 * UNIT_ROUNDOFF, why="16 (n + p) units")
