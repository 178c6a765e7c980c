"""Self-tests: the learning rate of two equations by hand, and how large the rounding of runs may be."""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.mirror_descent import ENTROPY, mirror_descent
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import PositiveSystem, positive_systems
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_equal_within
from theorems.section_03_linear_models.section_3_3_mirror_descent.runs import (
    backtracked_rounding,
    learning_rate,
    logarithm,
    one_step_rounding,
    radius_when_converged,
    run_to_convergence,
    trajectory_rounding,
)


def test_the_learning_rate_of_two_equations_by_hand():
    # given  rows (1, 2, 2) and (0, 1, -1), s_1^2 = 9, and a start at w_p = (1, 2, 4), so that Lambda = 9 * 7
    X, w_p = np.array([[1.0, 2, 2], [0, 1, -1]]), np.array([1.0, 2, 4])
    design = vars(regression_of_design(X, X @ w_p)) | {"step": 1.5}
    rate = learning_rate(PositiveSystem(**design, w_p=w_p, mu=np.zeros(2), exponent=0), w_p)
    assert_equal_within(rate, 1.5 / 63, rounding(60, 1.5 / 63), why="3/2 over 63")


@given_batches(problem=positive_systems())
def test_one_step_keeps_twelve_digits_and_ten_steps_keep_nine(problem):
    run = mirror_descent(ENTROPY, problem.X, problem.y, problem.w0, learning_rate(problem, problem.w0), 10)
    size = 1 + norm(logarithm(problem.w0), axis=-1) + run.largest
    assert_at_most(one_step_rounding(problem, run), 1e-13 * size, why="one step in ln w")
    assert_at_most(trajectory_rounding(problem, run), 1e-10 * size, why="ten steps in ln w")


@given_batches(problem=positive_systems())
def test_a_run_that_converged_has_eight_digits(problem):
    run = run_to_convergence(problem, problem.w0)
    assert_at_most(backtracked_rounding(problem, run), 1e-12 * (1 + run.steps), why="null part of ln w")
    size = norm(np.sqrt(run.w), axis=-1)
    assert_at_most(radius_when_converged(problem, run), 1e-8 * size, why="distance to the limit")
