"""Self-tests: gradients and losses stay within their rounding bounds, and the monotone rate is monotone and tight."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.deep_linear import descent_path, gradients, regression_gradient, regression_loss
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.deep_linear import deep_regressions
from fixtures.rational import to_fractions
from properties.certificates import assert_at_most, assert_identical
from properties.deep_linear import frobenius, gradient_rounding, loss_rounding, monotone_rate

pytestmark = pytest.mark.slow

SMALL = 0.45


@given(deep_regressions())
def test_gradients_and_losses_round_by_no_more_than_their_bounds(problem):
    # given  layers that are no integers, and the same numbers as fractions
    layers, X, Y = problem.rectangular()
    rounded = [SMALL * W for W in layers]
    exact = [to_fractions(W) for W in rounded], to_fractions(X), to_fractions(Y)
    # then
    pairs = zip(gradients(rounded, X, Y), gradients(*exact), strict=True)
    errors = np.array([frobenius(to_fractions(slope) - true) for slope, true in pairs])
    assert_at_most(errors, np.array(gradient_rounding(rounded, X, Y)), why="rounding of the gradients")
    error = abs(float(regression_loss(*exact) - to_fractions(regression_loss(rounded, X, Y)).item()))
    assert_at_most(error, loss_rounding(rounded, X, Y), why="rounding of the loss")


@given(deep_regressions())
def test_at_the_monotone_rate_every_step_lowers_the_loss_by_half_the_step_times_the_squared_gradient(problem):
    layers, X, Y = problem.rectangular()
    eta = monotone_rate(layers, X, Y, steps=5)
    path = list(islice(descent_path(layers, regression_gradient(X, Y), eta), 6))
    # then
    losses = np.array([regression_loss(W, X, Y) for W in path])
    promised = [eta / 2 * sum(frobenius(g) ** 2 for g in gradients(W, X, Y)) for W in path[:-1]]
    rounding = 2 * max(loss_rounding(W, X, Y) for W in path) + 100 * UNIT_ROUNDOFF * losses[0]
    assert_at_most(losses[1:] - losses[:-1] + promised, rounding, why="the descent lemma")


def test_the_rounding_bounds_are_at_most_a_hundred_units_of_what_they_bound():
    # given  layers and data of ones and targets of -1, so that the norm of every product is the product of the norms
    layers, ones = [np.ones((3, 3))] * 3, np.ones((3, 2))
    sizes = np.array([frobenius(slope) for slope in gradients(layers, ones, -ones)])
    bounds, loss = np.array(gradient_rounding(layers, ones, -ones)), regression_loss(layers, ones, -ones)
    # then
    assert_at_most(bounds, 100 * UNIT_ROUNDOFF * sizes, why="rounding against the gradients")
    assert_at_most(loss_rounding(layers, ones, -ones), 100 * UNIT_ROUNDOFF * loss, why="rounding against the loss")


def test_for_a_single_weight_the_monotone_rate_is_the_largest_with_that_descent():
    # given  one weight 1, x = 4, y = 3: at 1/x^2 the first step fits, and lowers the loss by (eta/2) g^2 exactly
    layers, X, Y = [np.array([[1.0]])], np.array([[4.0]]), np.array([[3.0]])
    # then
    assert_identical(monotone_rate(layers, X, Y, steps=1), 1 / 16, why="one over the curvature")


def test_for_two_weights_the_monotone_rate_is_one_over_the_bound_on_the_curvature():
    # given  two weights 1, x = y = 1, so that M = 2 and beta = 2 M^2 + M^2 + 1
    layers, one = [np.array([[1.0]])] * 2, np.array([[1.0]])
    # then
    assert_identical(monotone_rate(layers, one, one, steps=1), 1 / 13, why="one over the curvature")


def test_the_monotone_rate_of_many_steps_keeps_their_lengths_within_the_radius():
    # given  one weight 0, x = 1, y = 4: the loss is 8, and 2 steps eta 8 = radius^2
    layers, X, Y = [np.array([[0.0]])], np.array([[1.0]]), np.array([[4.0]])
    # then
    assert_identical(monotone_rate(layers, X, Y, steps=4, radius=0.5), 1 / 256, why="one over the reach")
