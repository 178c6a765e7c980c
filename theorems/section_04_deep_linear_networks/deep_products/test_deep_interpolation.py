"""Self-tests: the split and the modes agree with calculations by hand."""

import dataclasses
from functools import cache

import numpy as np

from fixtures.dynamics.deep_linear import deep_linear_descent
from fixtures.precision import UNIT_ROUNDOFF, factorization, rounding
from fixtures.problems.batches import batches
from fixtures.problems.examples import simplest
from fixtures.problems.interpolable import interpolables
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from theorems.section_04_deep_linear_networks.deep_products.deep_interpolation import (
    condition,
    modes_of_descent,
    null_drift,
    split_distance,
)

E_1 = np.array([[1.0], [0.0]])


def test_the_split_of_the_start_is_its_misfit_and_its_unseen_part():
    # given  alpha = 1/2, L = 2, x = y = e_1: W = I/4 is off by 3/4 on e_1 and keeps 1/4 on e_2
    split = split_distance([np.eye(2) / 2] * 2, E_1, E_1, 0.5, 0.0)
    quarters = 4 * np.array([split.fitted, split.unseen, split.ceiling])
    assert_equal_within(quarters, np.array([3, 1, 1]), rounding(16), why="3, 1, 1 quarters, of four operations each")
    assert_equal_within(split.distance, np.sqrt(10) / 4, rounding(4), why="|W - YX^+|_F")
    # then   16/2 + 96 * 3/2 units: 8 roundings of products of size 1/2, 48 of least squares of size 3/2, doubled
    assert_within(151, split.rounding / UNIT_ROUNDOFF, 153, why="rounding of the split, in units")
    # then   a drift of 1 adds |W_2|_F = 1/sqrt(2)
    drifted = split_distance([np.eye(2) / 2] * 2, E_1, E_1, 0.5, 1.0).rounding
    assert_at_most(abs(drifted - np.sqrt(0.5)), rounding(77), why="what a drift of 1 is charged")


def test_the_split_of_two_samples_of_unequal_length_by_hand():
    # given  X = diag(2, 1), a third dimension off the data, W_1 = I/2, W_2 = diag(1, 2, 4) and Y = (1, 2; 3, 0; 0, 1)
    X, Y = np.array([[2.0, 0], [0, 1], [0, 0]]), np.array([[1.0, 2], [3, 0], [0, 1]])
    split = split_distance([np.eye(3) / 2, np.diag([1.0, 2, 4])], X, Y, 0.5, 0.0)
    # then   WX - Y = (0, -2; -3, 1; 0, -1), whose first column X^+ halves: 9/4 + 4 + 1 + 1. Off the data 4/2 is left
    assert_equal_within(split.fitted**2, 33 / 4, rounding(factorization(3, 2), 33 / 4), why="|(WX - Y)X^+|_F^2")
    found = np.array([split.unseen, split.ceiling])
    assert_equal_within(found, 2, rounding(factorization(3, 2), 2), why="alpha |W_2 (I - P)| and alpha |W_2|")


def test_padding_does_not_count_in_the_condition():
    X = np.array([[[3.0, 0, 0], [0, 2, 0]], [[1, 0, 0], [0, 0, 0]]])
    assert_equal_within(condition(X), np.array([1.5, 1.0]), rounding(4), why="3/2 and 1")


def test_before_the_first_step_the_drift_is_only_rounding():
    assert_at_most(null_drift(E_1, E_1, 0.5, 2, 0.1, 0), rounding(4), why="drift after no step")


def test_a_long_step_drifts_in_proportion_to_its_length():
    # given  one step of length 1000 from W_1 = W_2 = I, along two dimensions that are not axes
    rng = np.random.default_rng(0)
    X, Y = np.linalg.qr(rng.standard_normal((4, 4)))[0][:, :2], 1e6 * rng.standard_normal((4, 2))
    layers = deep_linear_descent([np.eye(4)] * 2, X, Y, 1e-3, 1)
    drift = np.linalg.norm((layers[0] - np.eye(4)) @ (np.eye(4) - X @ X.T))
    # then   the rounding of the start is charged 12 units, and the drift is about a thousand
    assert_at_most(10 * null_drift(X, Y, 1.0, 2, 1e-3, 0), drift, why="the drift is not that of the start")
    bound = null_drift(X, Y, 1.0, 2, 1e-3, 1)
    assert_within(drift, bound, 1e5 * drift, why="bound of the drift after a long step")


@cache
def simplest_commuting():
    """X = e_1 and S = I, d = 4, alpha = 1/5, a batch of one."""
    return simplest(batches(interpolables(targets=("commuting",)), 1))


def test_the_error_of_the_modes_covers_the_growth_of_a_difference_and_stays_small():
    # given  two starts at a distance h; v_1 rises from 1/5 to 1, and differences double on the way
    problem, h, eta = simplest_commuting(), 2.0**-20, np.array([0.25])
    start, middle, end = (modes_of_descent(problem, 2, eta, np.array([t])) for t in (0, 6, 50))
    other = modes_of_descent(dataclasses.replace(problem, alpha=problem.alpha + h), 2, eta, np.array([6]))
    # then
    apart = np.abs(other.v - middle.v).max() / h
    assert_at_most(3 / 2, apart, why="growth of a difference in six steps")
    assert_at_most(apart, middle.error / (7 * start.error), why="the amplification covers it")
    assert_at_most(end.error, 1e-9, why="error after 50 steps, of |W| = 1")


def test_one_step_moves_only_the_modes_in_the_span_of_the_samples():
    # given  X = e_1, S = I, alpha = 1/5, L = 2, eta = 1/4: v_1 = 1/5 + (1 - 1/25)/20
    problem = simplest_commuting()
    modes = modes_of_descent(problem, 2, np.array([0.25]), np.array([1]))
    assert_equal_within(modes.v[0, 0], 0.248, rounding(4), why="v_1 after one step")
    assert_identical(modes.v[0, 1:], [0.2] * 3, why="the other modes rest")
