"""Self-tests of the dynamics of attention: closed forms against integration, descent against powers of a matrix."""

from fractions import Fraction

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.dynamics.paths import at_time
from fixtures.precision import factorization, rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_09_architectures.attention.dynamics import (
    factored_gradients,
    factored_linear_flow,
    factored_weight_path,
    logit_path,
    self_attention_path,
    weight_path,
)
from theorems.section_09_architectures.attention.model import softmax_of_powers

K, Q = np.array([[1.0, 0, 2], [0, 1, -1]]), np.array([[0.5, 1, 0], [0, 1, 1]])
M = np.array([[1.0, 0.5, 0], [0, -1, 0.25], [0.5, 0, 0.5]])


def test_the_linear_flow_is_what_an_integrator_finds():
    run = gradient_flow(lambda KQ: -np.stack(factored_gradients(*KQ, -M)), np.stack([K, Q]), np.array([0.5, 1.5]))
    for t, state, error in zip(run.times, run.states, run.error, strict=True):
        # an exponential of size 6: six products and a solve, doubled by squarings, and a product
        grown = np.exp(t * norm(M, 2)) * norm([K, Q])
        slack = rounding(7 * 6 + factorization(6, 6), (1 + 2 * t * norm(M)) * grown)
        assert_at_most(norm(np.stack(factored_linear_flow(K, Q, M, t)) - state), error + slack, why="(K, Q)")


def test_descent_on_a_linear_loss_multiplies_by_powers_of_one_matrix():
    eta, force, zero = Fraction(1, 8), fractions(M), fractions(np.zeros((3, 3), int))
    step = fractions(np.eye(6, dtype=int)) + eta * np.block([[zero, force], [force.T, zero]])
    moved = at_time(factored_weight_path(fractions(K), fractions(Q), lambda _: -force, eta), 3)
    start = np.concatenate([fractions(K), fractions(Q)], 1)
    assert_identical(np.concatenate(moved, 1), start @ step @ step @ step, why="[K Q] after three steps")


def test_descent_on_the_weights_themselves_steps_along_the_gradient():
    assert_identical(at_time(weight_path(M, lambda W: W, 1 / 2), 2), M / 4, why="two steps of eta = 1/2")


def test_a_layer_averages_the_tokens_and_a_skip_connection_adds_them():
    # given  the tokens 0 and 1 and W = log 2, whose weights are (1/2, 1/2) and (1/3, 2/3)
    X, W = np.array([[0.0], [1.0]]), np.array([[np.log(2)]])
    exact = softmax_of_powers(np.array([[0, 0], [0, 1]])).astype(float)
    for skip, expected in ((False, [1 / 2, 2 / 3]), (True, [1 / 2, 5 / 3])):
        after, _ = at_time(self_attention_path(X, W, skip=skip), 1)
        assert_equal_within(after[:, 0], expected, rounding(9 + 4, 2), why="after one layer")
    # and    a softmax of two tokens has nine operations, the logarithm one
    P = next(self_attention_path(X, W))[1]
    assert_equal_within(P, exact, rounding(9 + 1), why="attention weights")


def test_a_step_in_the_logits_is_proportional_to_weight_and_advantage():
    # given  two tokens with rewards 1 and 0, a third in the padding; gradient (1/4, -1/4)
    start = np.array([0.0, 0.0, -np.inf])
    after = at_time(logit_path(np.array([1.0, 0.0, 0.0]), start, 2.0), 1)
    assert_identical(after, [1 / 2, -1 / 2, -np.inf], why="logits after a step")
