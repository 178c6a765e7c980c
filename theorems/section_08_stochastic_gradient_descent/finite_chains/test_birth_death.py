"""Self-tests: chains by hand, in fractions and in floats, and the chains that are refused."""

import numpy as np
import pytest

from fixtures.precision import rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_08_stochastic_gradient_descent.finite_chains.birth_death import (
    stationary_weights,
    three_point_descent,
    torus_walk,
    transition_matrix,
    weights_rounding,
)

UP, DOWN = fractions(["1/2", "1/3"]), fractions(["1/4", "2/3"])


def test_a_chain_of_three_states_by_hand():
    pi = stationary_weights(UP, DOWN)
    assert_identical(pi, fractions(["1/4", "1/2", "1/4"]), why="1 : 2 : 1")
    P = transition_matrix(UP, DOWN)
    assert_identical(P, fractions([["1/2", "1/2", 0], ["1/4", "5/12", "1/3"], [0, "2/3", "1/3"]]), why="P")
    assert_identical(pi @ P, pi, why="pi P = pi")


def test_in_floats_a_law_over_six_hundred_orders_of_magnitude_neither_overflows_nor_loses_its_top():
    # given  1000 states, four times as likely to go down as up
    pi = stationary_weights(np.full(999, 0.1), np.full(999, 0.4))
    exact = 0.75 * 0.25 ** np.arange(500.0)
    bound = weights_rounding(1000, 1000 * np.log(4))
    assert_at_most(np.abs(pi[:500] / exact - 1), bound, why="(3/4) 4^-i")
    assert_at_most(bound, rounding(5 * 1000, 1000), why="ceiling")
    # and    ten states of 2 * 3 + 2 operations, and twice as many sums of logarithms up to 4, and of one
    assert_identical(weights_rounding(10, 4, given=3) / rounding(1), 10 * 8 + 20 * 5, why="operations")


def test_three_gradients_by_hand():
    # given  mean 1/2 and variance 1/4, of second moment 1/2: (1/2 - 1)/8 up
    with pytest.raises(ValueError, match="no gradient with the values -2, 0, 2"):
        three_point_descent(fractions(["1/2"]), fractions(["1/4"]), 2)
    # and    with variance 7/4, of second moment 2: (2 - 1)/8 up and (2 + 1)/8 down
    up, down = three_point_descent(fractions(["1/2"] * 2), fractions(["7/4"] * 2), 2)
    assert_identical([*up, *down], fractions(["1/8", "3/8"]), why="up and down")


def test_on_a_torus_a_step_has_the_covariance_that_is_asked_for():
    D = fractions([[["1/4", "1/2", "1/8", "1/3"]] * 4, [["1/2", "1/8", "1/8", "1/3"]] * 4])
    P = torus_walk(D).reshape(4, 4, 4, 4)
    assert_identical(P.sum((-2, -1)), fractions(np.ones((4, 4), int)), why="rows")
    # from (0, 1): along x to (1, 1) and (3, 1), along y to (0, 2) and (0, 0)
    moves = [P[0, 1, 1, 1], P[0, 1, 3, 1], P[0, 1, 0, 2], P[0, 1, 0, 0]]
    assert_identical(moves, fractions(["1/4", "1/4", "1/16", "1/16"]), why="moves from (0, 1)")


@pytest.mark.parametrize(("up", "down"), [(np.array([0.0]), np.array([0.5])), (np.array([0.5]), np.array([-0.1]))])
def test_a_chain_that_falls_apart_is_refused(up, down):
    with pytest.raises(ValueError, match="the chain falls apart"):
        stationary_weights(up, down)


def test_a_state_cannot_be_left_with_more_than_certainty():
    with pytest.raises(ValueError, match="probability above one"):
        transition_matrix(np.array([0.5, 0.7]), np.array([0.4, 0.5]))
