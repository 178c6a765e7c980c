"""Gradients and losses round by less than is said, and the monotone rate is monotone."""

from itertools import islice

import numpy as np
from hypothesis import given

from fixtures.dynamics.deep_linear import descent_path, gradients, regression_gradient, regression_loss
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.deep_linear import deep_regressions
from fixtures.rational import to_fractions
from properties.certificates import assert_at_most
from properties.deep_linear import frobenius, gradient_rounding, loss_rounding, monotone_rate

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
