"""Self-tests: covariances of noisy descent and their rounding by hand."""

from fractions import Fraction

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import stack
from fixtures.problems.regression import regression_of_design
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.noisy_quadratics import (
    covariance_of_run,
    entropy_rounding,
    exact_covariances,
    hessian_and_rates,
    run_count,
)


def test_two_steps_of_noisy_descent_by_hand():
    # H = [[2, 1], [1, 1]] and eta = 1/4: I - eta H = [[2, -1], [-1, 3]]/4, and C_2 = (1/2)(I + (I - eta H)^2)
    path = exact_covariances(fractions([[2, 1], [1, 1]]), Fraction(1, 4), 2)
    expected = fractions([["21/32", "-5/32"], ["-5/32", "13/16"]])
    assert_identical(path, [0 * expected, fractions([["1/2", 0], [0, "1/2"]]), expected], why="C_0, C_1, C_2")
    # at beta = 2 the covariance is half as large; all numbers are dyadic
    found = covariance_of_run(np.array([[[2.0, 1], [1, 1]]]), np.array([0.25]), np.array([2.0]), 2)
    error = np.abs(found[0] - expected.astype(float) / 2).max()
    assert_at_most(error, 8 * UNIT_ROUNDOFF, why="the run whose noise is fed")


def test_the_rates_of_a_problem_of_two_samples_by_hand():
    # X'X = diag(4, 1, 0), weight decay 1/4, step 1: eta = 1/(4 + 1/4) and beta = 1/2 + 2
    problem = stack([regression_of_design(np.array([[2.0, 0, 0], [0, 1, 0]]), np.ones(2))])
    H, eta, beta = hessian_and_rates(problem)
    assert_identical(H, [np.diag([4.25, 1.25, 0.25])], why="H")
    assert_identical([eta, beta], [[4 / 17], [2.5]], why="eta and beta")


def test_the_rounding_of_entropies_and_runs_is_a_few_hundred_units_for_each_dimension():
    assert_at_most(entropy_rounding(6, 2.0), 600 * 6 * UNIT_ROUNDOFF, why="48 p units for each of p logarithms")
    assert_at_most(run_count(6, 10), 100, why="p + 4 a step")
