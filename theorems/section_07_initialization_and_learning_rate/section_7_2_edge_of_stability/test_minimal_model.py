"""Self-tests: the sharpness of the minimal model by hand, its runs, and the sizes that count as settled."""

import numpy as np

from fixtures.precision import factorization, rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.section_07_initialization_and_learning_rate.section_7_2_edge_of_stability.minimal_model import (
    CONVERGED,
    SETTLED,
    just_above_the_edge,
    settle,
    sharpness_at,
)


def test_the_sharpness_off_the_diagonal_and_off_the_minima_by_hand():
    # H = [[v^2, 2uv - 1], [2uv - 1, u^2]]: [[1/4, 1], [1, 4]], and [[1, -5], [-5, 4]] with the root of 9 + 100
    found = sharpness_at(np.array([2.0, 2.0]), np.array([0.5, -1.0]))
    expected = np.array([17 / 4, (5 + np.sqrt(109)) / 2])
    assert_at_most(np.abs(found - expected), rounding(factorization(2), expected), why="the largest eigenvalue")


def test_a_run_is_followed_to_the_step_before_it_lands():
    # given  (-2, 1) with eta = 1/2, whose step lands on (-1/2, -2)
    at, end, converged = settle(*(np.array([value]) for value in (-2.0, 1.0, 0.5)))
    assert_identical([*at, *end, converged], [[-2], [1], [-0.5], [-2], [True]], why="before, after and whether")


def test_starts_above_the_edge_are_where_they_say():
    u, v, eta, delta = just_above_the_edge(1e-3)
    assert_at_most(np.abs(u * v - 1 - 1e-3), rounding(8, 2), why="uv = 1 + r")
    assert_at_most(np.abs(eta * (u**2 + v**2) - 2 - delta), rounding(16, 3), why="eta S = 2 + delta")


def test_settled_is_a_hundred_millionth_and_converged_a_billionth():
    assert_at_most([SETTLED, CONVERGED], [1e-8, 1e-9], why="|r|")
