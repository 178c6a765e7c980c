"""Self-tests of attention: its bounds are attained, the absolute rounding bound is needed, growth is as defined."""

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_09_architectures.attention.certificates import (
    attention_growth_shape,
    averaging_rounding,
    contraction_coefficient,
    logit_diameter,
    oscillation,
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
    assert_within(bound, delta, bound, slack=16 * UNIT_ROUNDOFF, why="delta = tanh(Delta/4)")
    recursion = two_token_bound(oscillation(X), np.array([0.75]), 2)[0]
    after = oscillation(softmax(A) @ X)[0]
    assert_within(recursion[1], after, recursion[1], slack=32 * UNIT_ROUNDOFF, why="one layer of the recursion")


def test_correct_averages_violate_a_relative_tolerance_and_satisfy_the_absolute_one():
    # given  seven equal values 1/3 and random weights: the exact oscillation is 0, before and after
    rng = np.random.default_rng(7)
    values, P = np.full((7, 1), 1 / 3), softmax(rng.standard_normal((200, 7, 7)))
    after = oscillation(P @ values)[:, 0]
    # then
    assert_at_most(UNIT_ROUNDOFF / 8, after.max(), why="a computed oscillation that no relative tolerance allows")
    assert_at_most(after, averaging_rounding(values)[0], why="within the absolute bound")


def test_the_growth_at_time_zero_and_at_late_times_is_as_defined():
    Y, Z = np.array([[1.0, 2], [0, 1], [3, 1]]), np.array([[1.0, 0], [1, -1], [0, 2]])
    s = np.array([1.0, 0.5])
    start = attention_growth_shape(Y, Z, s, np.array(0.0))
    assert_identical(start, (Y + Z).T @ (Y - Z), why="N_0 = (Y + Z)'(Y - Z)")
    late = attention_growth_shape(Y, Z, s, np.array(100.0))
    assert_at_most(np.abs(late - Y.T @ Y).max(), 64 * UNIT_ROUNDOFF, why="N_t tends to Y'Y")
