"""Self-tests: coefficients of exact recovery by hand, and how large the rounding of weights may be."""

import dataclasses

from hypothesis import given
from numpy.linalg import norm

from fixtures.problems.sparse import recoverable_problems
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_03_linear_models.section_3_3_coordinate_descent.exact_recovery import (
    distance_rounding,
    recovery_coefficients,
)
from theorems.section_03_linear_models.section_3_3_coordinate_descent.l1_excess import excess


def test_the_coefficients_of_two_columns_by_hand():
    # given  A = {1, 2} with x_1 = (1, 1), x_2 = (0, 2); x_3 = x_1 - x_2/4, and x_4 = -x_1/3 + x_2
    X = fractions([[1, 0, 1, "-1/3"], [1, 2, "1/2", "5/3"]])
    assert_identical(recovery_coefficients(X, [0, 1]), fractions(["5/4", "4/3"]), why="1 + 1/4 and 1/3 + 1")


def test_the_excess_of_an_interpolant_by_hand():
    # given  w_1 + 2 w_2 = 2 and w_3 = 1: the least is 1 + 1
    X, y = fractions([[1, 2, 0], [0, 0, 1]]), fractions([2, 1])
    assert_identical(excess(X, y, fractions([2, 0, 1])), 1, why="3 - 2")
    assert_identical(excess(X, y, fractions([5, 0, 1])), 0, why="no interpolant")


@given(recoverable_problems())
def test_the_rounding_of_weights_is_below_a_tenth_of_a_trillionth_of_their_size(problem):
    size = (norm(problem.y) / problem.sigma_max + 3 * problem.sparsity) * problem.condition**2
    assert_at_most(distance_rounding(problem), 1e-13 * size, why="at most 123 roundings")


@given(recoverable_problems())
def test_the_rounding_of_weights_does_not_depend_on_the_unit_of_features_and_targets(problem):
    scaled = {name: 8 * getattr(problem, name) for name in ("X", "y", "sigma_max", "sigma_min")}
    other = dataclasses.replace(problem, **scaled)
    assert_identical(distance_rounding(other), distance_rounding(problem), why="X and y eight times as large")
