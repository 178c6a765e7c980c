"""Self-tests: the bounds of tied layers by hand, and what their rounding may be at most."""

import numpy as np

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.sensing import commuting_sensing
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_04_deep_linear_networks.deep_products.matrix_sensing import Factored
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.tied_layers import (
    bound_on_D,
    descend_tied_layers,
    excess_of_trace,
)


def test_the_bounds_of_three_eigenvalues_by_hand():
    # given  w_1 = (1, 1, 0) and w = (1, 0, 0), alpha^2 = e^-4, and a sum of (2 eta |G|)^2 of 3/8: D is at most 3/4
    state = Factored(np.eye(3), np.zeros((3, 3)), squared=np.array(3 / 8), largest=np.array(1 / 2))
    assert_identical(bound_on_D(state), 3 / 4, why="2 sum (2 eta |G|_F)^2")
    # then   K(w_1) = -2 and K(w) = -1, so (-2 + 1 + (3/4) 2)/4
    bound = excess_of_trace(np.array([1.0, 1, 0]), np.array([1.0, 0, 0]), state, np.exp(-2))
    assert_equal_within(bound, 1 / 8, rounding(8, 3 / 4), why="[K(w_1) - K(w) + |D| tr w_1]/ln(1/alpha^2)")


@given_batches(problem=commuting_sensing())
def test_before_the_first_step_the_allowed_rounding_is_a_few_thousand_operations(problem):
    # given  t = 0 and d <= 5: W = alpha^2 I, and 2 (d^2 + 42 d + 6) operations of size 2 alpha^2 (1 + sqrt(2))
    allowed = descend_tied_layers(problem, 0)[1]
    assert_at_most(allowed, rounding(2500, problem.alpha**2), why="rounding of the start", instance=problem)
