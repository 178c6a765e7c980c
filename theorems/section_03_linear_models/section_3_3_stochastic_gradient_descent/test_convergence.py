"""Self-tests: contractions by hand, how far the runs go, and how large the rounding of limits and steps may be."""

import numpy as np

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.convergence import (
    CHANCE,
    SAMPLED_WITHIN,
    SHUFFLED_WITHIN,
    contraction,
    epoch_contraction,
)
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.runs import (
    limit_rounding,
    longest_row_squared,
    problems,
    shortest_row_squared,
    steps_rounding,
)


def test_the_contractions_of_two_rows_that_are_not_orthogonal_by_hand():
    # given  XX' = [[2, 1], [1, 2]] with s_n = 1, n = 2 and max |x_i|^2 = 2; eta = 1/4
    design = regression_of_design(np.array([[1.0, 0, 1], [1, 1, 0]]), np.zeros(2))
    # then   1 - (1/4)(3/2)/2 for a row, and 1 - (3/8)/(1 + 1/4)^2 for an epoch; sigma_min has a margin
    slack = 6 * design.construction + rounding(40)
    assert_equal_within(contraction(design, 1 / 4), 13 / 16, slack, why="a single row")
    assert_equal_within(epoch_contraction(design, 1 / 4), 19 / 25, slack, why="an epoch")


def test_the_longest_and_the_shortest_row_by_hand():
    design = regression_of_design(np.array([[1.0, 0, 1], [1, 2, 0]]), np.zeros(2))
    assert_identical(longest_row_squared(design), 5, why="1 + 4")
    assert_identical(shortest_row_squared(design), 2, why="1 + 1")


def test_what_the_runs_may_leave_of_the_way_to_the_limit():
    assert_at_most(max(SAMPLED_WITHIN, SHUFFLED_WITHIN), 1e-3, why="a thousandth of the way")
    assert_at_most(1000 * CHANCE, 1e-9, why="false alarms of a fast run")


@given_batches(problem=problems)
def test_limits_and_ten_steps_are_rounded_by_less_than_a_trillionth_of_their_size(problem):
    size = np.linalg.norm(problem.y, axis=-1) / problem.sigma_min + np.linalg.norm(problem.w0, axis=-1)
    assert_at_most(limit_rounding(problem, problem.w0), 1e-12 * size, why="a limit of the length of w_0")
    assert_at_most(steps_rounding(problem, 9, size), 1e-12 * size, why="nine steps")
