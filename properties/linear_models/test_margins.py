"""Self-tests: enclosures of the largest margin contain it, and weights outside the simplex are refused."""

import numpy as np
import pytest

from fixtures.dynamics.steepest_descent import steepest_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.separable import separable_data, signed
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.linear_models.margins import (
    angle_bound,
    dual_bound,
    largest_margin,
    normalized_margin,
    radius,
    run_rounding,
)

ROUNDING = 2.0**-44
"""A thousand roundings of numbers below 3, more than any enclosure here needs."""


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, 2])
@given_batches(problem=separable_data())
def test_the_enclosure_is_tight_and_lies_above_the_planted_margin(problem, order):
    best = largest_margin(problem, order)
    assert_at_most(best.upper - best.lower, ROUNDING, why="width of the enclosure", instance=problem)
    assert_at_most(problem.certified_margin(order), best.upper, why="planted margin", instance=problem)
    length = np.linalg.norm(best.direction, order, axis=-1)
    assert_at_most(np.abs(length - 1), ROUNDING, why="unit direction", instance=problem)


def test_known_margins():
    # two orthonormal points: 1/sqrt 2 in l2, 1/2 in l1. (3, 4), (6, 9): the first is the only support vector, 5 in l2
    orthonormal, nested = signed(np.eye(2), np.ones(2)), signed(np.array([[3.0, 4], [6, 9]]), np.ones(2))
    for problem, order, known in (
        (orthonormal, 2, 0.5**0.5),
        (orthonormal, 1, 0.5),
        (nested, 2, 5.0),
        (nested, 1, 4.0),
    ):
        best = largest_margin(problem, order)
        assert_at_most(best.lower, known, why="lower end")
        assert_at_most(known, best.upper, why="upper end")
        assert_at_most(best.upper - best.lower, 4 * ROUNDING, why="width")


@pytest.mark.parametrize("angle", [0.01, 0.5, 1.0])
def test_for_a_single_point_the_bound_on_the_angle_is_attained(angle):
    best = largest_margin(signed(np.array([[1.0, 0]]), np.ones(1)), 2)
    # the margin of (cos a, sin a) is cos a, and its distance from (1, 0) is 2 sin(a/2)
    bound, exact = angle_bound(1 - np.cos(angle), best), 2 * np.sin(angle / 2)
    slack = np.sqrt(2 * (best.upper - best.lower) / best.lower) + ROUNDING / angle
    assert_within(exact, bound, exact, slack=slack, why="distance of directions")


@pytest.mark.slow
@given_batches(problem=separable_data())
def test_the_rounding_allowed_for_a_run_of_a_hundred_steps_stays_below_a_billionth(problem):
    lengths = np.full((len(problem.u), 100), 0.1) / np.abs(problem.Z).max((1, 2))[:, None]
    run = steepest_descent(problem.Z, problem.present, np.zeros_like(problem.u), lengths, 1)
    assert_at_most(run_rounding(problem, run, 1), 1e-9, why="rounding of a hundred steps", instance=problem)


@pytest.mark.parametrize(("order", "longest"), [(2, 5.0), (1, 4.0)])
def test_the_radius_is_the_dual_length_of_the_longest_point(order, longest):
    problem = signed(np.array([[3.0, 4], [0, 1], [1, 0]]), np.array([1.0, -1, 1]))
    assert_identical(radius(problem, order), longest, why="R = max |z_i|_*, and no mean of them")


@pytest.mark.slow
def test_scikit_learn_finds_no_larger_margin():
    from sklearn.svm import SVC

    # each point with its mirror image, labels 1 and -1: by symmetry the hard-margin machine has no intercept
    Z = np.array([[2.0, 1], [1, -0.5], [0.5, 3], [1, 1]])
    machine = SVC(kernel="linear", C=1e6, tol=1e-9).fit(np.vstack([Z, -Z]), np.repeat([1, -1], len(Z)))
    problem = signed(Z, np.ones(4))
    best, theirs = largest_margin(problem, 2), normalized_margin(problem, machine.coef_[0], 2)
    assert_at_most(theirs, best.upper, why="weak duality")
    assert_at_most(theirs - ROUNDING, best.lower, why="nobody does better than ours")
    # scikit-learn stops at a KKT violation of 1e-9, for a margin of 1
    assert_at_most(best.lower * (1 - 1e-8), theirs, why="nor much worse")


@pytest.mark.slow
@pytest.mark.parametrize("power", [-1000, -40, 40, 1000])
@pytest.mark.parametrize("order", [1, 2])
def test_a_power_of_two_scales_the_enclosure_exactly(order, power):
    plain, scaled = (
        largest_margin(signed(np.ldexp([[3.0, 1], [1, 4], [2, 2.5]], k), np.ones(3)), order) for k in (0, power)
    )
    ends = [[best.lower, best.upper] for best in (plain, scaled)]
    assert_identical(ends[1], np.ldexp(ends[0], power), why="both ends")
    assert_identical(scaled.direction, plain.direction, why="direction")


@pytest.mark.parametrize("order", [1, 2])
def test_a_margin_below_the_tolerance_of_the_solver_has_a_true_enclosure(order):
    # given  (1, h) and (-1, h): the largest margin is h, in either norm, at (0, 1)
    h = 1e-12
    best = largest_margin(signed(np.array([[1.0, h], [-1, h]]), np.ones(2)), order)
    assert_within(best.lower, h, best.upper, why="h")


def test_data_that_no_hyperplane_separates_have_no_angle():
    best = largest_margin(signed(np.array([[1.0, 0], [-1, 0]]), np.ones(2)), 2)
    assert_within(best.lower, 0, best.upper, why="no margin")
    with pytest.raises(ValueError, match="no positive margin"):
        angle_bound(0.1, best)


def test_weights_outside_the_simplex_are_refused():
    problem = signed(np.eye(2), np.ones(2))
    with pytest.raises(ValueError, match="outside the simplex"):
        dual_bound(problem, np.array([1.5, -0.5]), 2)
