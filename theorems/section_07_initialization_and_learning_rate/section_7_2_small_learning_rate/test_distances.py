"""Self-tests: a mode of a quadratic loss by hand, and the sizes that count as converged and as negligible."""

import numpy as np

from fixtures.precision import rounding
from fixtures.problems.batches import stack
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most
from theorems.section_07_initialization_and_learning_rate.section_7_2_small_learning_rate.distances import (
    CONVERGED,
    NEGLIGIBLE,
    mode_distance,
)


def test_the_distance_of_two_modes_after_one_step_by_hand():
    # given  s = (2, 1), the targets (2, 3) from zero and eta = 1/8: x = (1/2, 1/8), and the modes start at (1, 3)
    problem = stack([regression_of_design(np.array([[2.0, 0, 0], [0, 1, 0]]), np.array([2.0, 3.0]))])
    x, first = np.array([1 / 2, 1 / 8]), np.array([1.0, 3.0])
    for order, rate in [(1, x), (2, x + x**2 / 2)]:
        lower, distance, upper, _ = mode_distance(problem, order)
        # then   |(1 - x) - e^-z|, e^-z (1 - e^(-x^p/p)) and e^-z (1 - e^(-x^p/(p (1 - x)))), p = order + 1
        decay, p = first * np.exp(-rate), order + 1
        expected = np.stack([1 - np.exp(-(x**p) / p), 1 - np.exp(-(x**p) / (p * (1 - x)))]) * decay
        slack = rounding(64, 3)
        assert_at_most(np.abs(np.concatenate([lower, upper]) - expected), slack, why="the bounds")
        assert_at_most(np.abs(distance[0] - np.abs(first * (1 - x) - decay)), slack, why="the distance")


def test_converged_is_a_billionth_and_a_negligible_error_a_thousandth():
    assert_at_most([CONVERGED, 1000], [1e-9, NEGLIGIBLE], why="the sizes of the docstrings")
