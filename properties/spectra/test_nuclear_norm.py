"""Self-tests: brackets enclose the least nuclear norm where it is known, and an infeasible dual gives a valid bound."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.interpolable import interpolables
from fixtures.problems.sensing import low_rank_completions, one_missing_entry
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.spectra.nuclear_norm import (
    completion_bracket,
    entropy,
    least_norm_of_completion,
    least_trace,
    nuclear_norm,
    regression_bracket,
    regression_dual,
    spectrum_rounding,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("entries", [(1, 2), (2, 1), (0, 1), (-3, 2), (1, 0), (-1, -1)], ids=str)
def test_the_bracket_of_a_corner_encloses_its_exact_least_norm(entries):
    problem = one_missing_entry(*map(float, entries))
    bracket = completion_bracket(problem, iterations=400, gamma=0.3)
    exact = float(least_norm_of_completion(*map(Fraction, entries)))
    assert_within(bracket.lower, exact, bracket.upper, slack=spectrum_rounding(bracket.W), why="least nuclear norm")
    assert_at_most(bracket.upper - bracket.lower, exact / 200, why="width after 400 iterations")


@given(st.integers(1, 5), st.integers(-5, 5), st.integers(-20, 20))
def test_no_completion_of_a_corner_has_less_than_its_least_norm(a, b, quarters):
    W = np.array([[a, b], [b, quarters / 4]])
    assert_at_most(float(least_norm_of_completion(a, b)), nuclear_norm(W) + spectrum_rounding(W), why="|W|_*")


def test_brackets_of_a_batch_are_those_of_its_members():
    problem, planted = low_rank_completions(3, 5, 1, 0.6, np.random.default_rng(0))
    together = completion_bracket(problem, iterations=50)
    assert_at_most(together.lower, together.upper, why="weak duality")
    assert_at_most(together.lower, nuclear_norm(planted) + spectrum_rounding(planted), why="the planted matrix fits")
    alone = completion_bracket(type(problem)(problem.mask[1], problem.values[1]), iterations=50)
    assert_at_most(abs(alone.upper - together.upper[1]), 50 * spectrum_rounding(planted)[1], why="alone and together")


@given_batches(problem=interpolables())
def test_a_regression_bracket_stays_below_every_interpolant(problem):
    # given  a wrong primal: S instead of YX^+
    bracket = regression_bracket(problem.X, problem.Y, problem.S)
    rounding = 8 * problem.condition * spectrum_rounding(problem.S)
    assert_at_most(bracket.lower, nuclear_norm(problem.least_squares_map) + rounding, why="weak duality")


@given_batches(problem=interpolables())
def test_an_infeasible_dual_is_scaled_down_until_it_bounds(problem):
    # given  1000 times a dual solution
    bracket = regression_bracket(problem.X, problem.Y, problem.least_squares_map)
    lower = regression_dual(problem.X, problem.Y, 1000 * bracket.nu)
    rounding = 8 * problem.condition * spectrum_rounding(problem.S)
    assert_at_most(lower, bracket.upper + rounding, why="weak duality")
    assert_at_most(bracket.lower, lower + rounding, why="scaling is all that it needs")


def test_the_rounding_of_a_spectrum_is_two_hundred_units_for_two_ones():
    # given  32 * 4 * sqrt(2) units
    assert_within(180, spectrum_rounding(np.eye(2)) / UNIT_ROUNDOFF, 182, why="spectrum_rounding(I)")


def test_the_least_trace_of_one_measurement_sits_on_its_largest_eigenvalue():
    program = least_trace(np.array([[2.0, 3, -1]]), np.array([6.0]))
    assert_identical(program.w, [0, 2, 0], why="6 = 3 * 2")
    assert_within(program.lower, 2, program.w.sum(), why="primal and dual meet")


def test_entropy_is_least_at_one_and_zero_at_zero():
    assert_identical(entropy(np.array([[1.0, 1], [0, 0]])), [-2, 0], why="sum of w ln w - w")


@pytest.mark.slow
def test_an_interior_point_solver_encloses_the_same_least_nuclear_norm():
    cvxpy = pytest.importorskip("cvxpy", reason="needs the extra 'oracles'")
    problem, _ = low_rank_completions(1, 6, 1, 0.6, np.random.default_rng(0))
    mask, values = problem.mask[0], problem.values[0]
    # when   Clarabel solves it; we complete its point exactly and scale its multipliers to |nu|_op = 1
    W = cvxpy.Variable((6, 6))
    fits = cvxpy.multiply(mask, W) == values
    cvxpy.Problem(cvxpy.Minimize(cvxpy.normNuc(W)), [fits]).solve(solver="CLARABEL")
    upper, nu = nuclear_norm(values + (1 - mask) * W.value), mask * fits.dual_value
    lower = abs((values * nu).sum()) / np.linalg.norm(nu, 2)
    # then   both enclosures contain the least nuclear norm: ours to 1/1000, Clarabel's to its tolerance of 1e-8
    ours, rounding = completion_bracket(problem, iterations=2000, gamma=0.3), spectrum_rounding(values)
    assert_at_most(ours.lower[0], upper + rounding, why="our dual against Clarabel's primal")
    assert_at_most(lower, ours.upper[0] + rounding, why="Clarabel's dual against our primal")
    assert_at_most(ours.upper[0] - ours.lower[0], upper / 1000, why="width of our enclosure")
    assert_at_most(upper - lower, 100 * 1e-8 * upper, why="width of Clarabel's enclosure")
