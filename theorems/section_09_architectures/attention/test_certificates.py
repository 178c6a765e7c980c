"""Self-tests of attention: its bounds are attained, the absolute rounding bound is needed, growth is as defined."""

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_09_architectures.attention.certificates import (
    attention_growth_shape,
    averaging_rounding,
    contraction_coefficient,
    layer_rounding,
    logit_diameter,
    logit_rounding,
    oscillation,
    softmax_rounding,
    two_token_bound,
)
from theorems.section_09_architectures.attention.model import logits, softmax


def test_the_contraction_coefficient_is_one_for_the_identity_and_zero_for_averages():
    assert_identical(contraction_coefficient(np.eye(3)), 1.0, why="identity")
    assert_identical(contraction_coefficient(np.full((3, 3), 0.25)), 0.0, why="equal rows")
    assert_identical(contraction_coefficient(np.array([[0.5, 0.25, 0.25], [0, 0.25, 0.75]])), 0.5, why="by hand")


def test_two_centered_tokens_attain_every_bound():
    # given  the tokens 1 and -1 and W = 3/4, so that Delta is W osc^2 = 3
    X, W = np.array([[1.0], [-1.0]]), np.array([[0.75]])
    A = logits(W, X, X)
    delta, bound = contraction_coefficient(softmax(A)), np.tanh(3 / 4)
    assert_identical(logit_diameter(A), 3.0, why="diameter of the logits")
    assert_equal_within(delta, bound, softmax_rounding(A) + rounding(4), why="delta = tanh(Delta/4)")
    recursion = two_token_bound(oscillation(X), np.array([0.75]), 2)[0]
    after = oscillation(softmax(A) @ X)[0]
    assert_equal_within(after, recursion[1], 2 * softmax_rounding(A) + rounding(8), why="one layer of the recursion")


def test_correct_averages_violate_a_relative_tolerance_and_satisfy_the_absolute_one():
    # given  seven equal values 1/3 and random weights: the exact oscillation is 0, before and after
    rng = np.random.default_rng(7)
    values, P = np.full((7, 1), 1 / 3), softmax(rng.standard_normal((200, 7, 7)))
    after = oscillation(P @ values)[:, 0]
    # then
    assert_at_most(rounding(1) / 16, after.max(), why="a computed oscillation that no relative tolerance allows")
    assert_at_most(after, averaging_rounding(values)[0], why="within the absolute bound")


def test_the_growth_at_time_zero_and_at_late_times_is_as_defined():
    Y, Z = np.array([[1.0, 2], [0, 1], [3, 1]]), np.array([[1.0, 0], [1, -1], [0, 2]])
    s = np.array([1.0, 0.5])
    start = attention_growth_shape(Y, Z, s, np.array(0.0))
    assert_identical(start, (Y + Z).T @ (Y - Z), why="N_0 = (Y + Z)'(Y - Z)")
    # then   N_t - Y'Y = Z'Y - Y'Z and Z'Z, decayed by e^(-2st) <= e^-10 on a side
    left, decayed = attention_growth_shape(Y, Z, s, np.array(10.0)) - Y.T @ Y, np.exp(-10) * norm(Z)
    assert_at_most(norm(left), 2 * norm(Y) * decayed + decayed**2, why="N_t tends to Y'Y")


def test_the_roundings_are_the_counts_that_are_derived():
    # given  four tokens of two entries of size 1, W = I: 8T + 4, 2d on |x|_1^2 = 4, 2T + 5, and the sum of the layer
    X, W = np.ones((4, 2)), np.eye(2)
    found = [averaging_rounding(X)[0], logit_rounding(W, X), softmax_rounding(X @ X.T), layer_rounding(W, X, X @ X.T)]
    assert_identical(np.array(found) / rounding(1), [36, 16, 13, 13 + 2 * 16 + 4], why="operations")
