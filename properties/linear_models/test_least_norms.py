"""Self-tests: least norms and divergences are enclosed, by hand, by duality, and by interpolants that have more."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF, factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.positive_interpolation import positive_interpolations
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from properties.linear_models.least_norms import least_hyperbolic_entropy, least_norm, least_relative_entropy

NORMS = [1, 2, np.inf]


def all_least(problem):
    """The five least values of a batch."""
    divergences = [
        least_relative_entropy(problem.X, problem.y, problem.w0),
        least_hyperbolic_entropy(problem.X, problem.y, problem.w0, 0.25),
    ]
    return [least_norm(order, problem.X, problem.y) for order in NORMS] + divergences


def slack(least):
    """What HiGHS and MINPACK may leave, relative: sqrt(u), as the feasibility that they are asked for."""
    return np.sqrt(UNIT_ROUNDOFF) * (1 + least.slope(least.w) * norm(least.w, axis=-1) / least.upper)


@pytest.mark.parametrize(("order", "value"), [(1, Fraction(1, 2)), (2, 5**-0.5), (np.inf, Fraction(1, 3))])
def test_the_least_norm_of_one_equation_by_hand(order, value):
    least = least_norm(order, np.array([[[1.0, 2]]]), np.array([[1.0]]))
    assert_equal_within(least.upper, float(value), rounding(factorization(1, 2)), why="w_1 + 2 w_2 = 1")
    assert_equal_within(least.lower, float(value), rounding(factorization(1, 2)), why="dual")


def test_the_least_divergences_of_one_equation_by_hand():
    # w_1 = 2 is all that is asked of (w_1, w_2): w_2 stays
    X, y, w0 = np.array([[[1.0, 0]]]), np.array([[2.0]]), np.array([[1.0, 3]])
    entropy, hyperbolic = least_relative_entropy(X, y, w0), least_hyperbolic_entropy(X, y, 0 * w0, 1.0)
    assert_equal_within(entropy.upper, 2 * np.log(2) - 1, np.sqrt(UNIT_ROUNDOFF), why="2 ln 2 - 2 + 1")
    assert_equal_within(hyperbolic.upper, 2 * np.arcsinh(2) - 5**0.5 + 1, np.sqrt(UNIT_ROUNDOFF), why="beta = 1")


@pytest.mark.slow
@given_batches(problem=positive_interpolations, size=20)
def test_a_primal_and_a_dual_point_enclose_each_least_value(problem):
    for least in all_least(problem):
        assert_at_most(np.abs(least.gap), slack(least), why=f"gap of {least.name}", instance=problem)
        residual = norm(np.matvec(problem.X, least.w) - problem.y, axis=-1)
        bound = rounding(factorization(6, 20), 6 * (1 + norm(least.w, axis=-1)))
        assert_at_most(residual, bound, why=f"the point of {least.name} interpolates")


@pytest.mark.slow
@given_batches(problem=positive_interpolations, size=20)
def test_no_interpolant_nearby_has_less(problem):
    for least in all_least(problem):
        for shift in problem.off_row_space(np.roll(problem.w_p, 1, axis=-1)), problem.off_row_space(problem.w0):
            for sign in (0.01, -0.01):
                other = least.value(least.w + sign * shift)
                assert_at_most(least.lower, np.where(np.isnan(other), np.inf, other) + slack(least), why="least")


@pytest.mark.slow
@given_batches(problem=positive_interpolations, size=20)
def test_the_divergences_of_the_start_are_zero_and_entropy_is_undefined_off_the_positive_weights(problem):
    entropy, hyperbolic = all_least(problem)[3:]
    assert_at_most(np.abs(hyperbolic.value(problem.w0)), rounding(200, 1 + norm(problem.w0, axis=-1)), why="from w_0")
    assert_identical(entropy.value(problem.w0), 0 * problem.y[:, 0], why="from w_0")
    assert_identical(np.isnan(entropy.value(-problem.w0)).all(), True, why="negative weights")


def test_hyperbolic_entropy_lies_between_l1_and_l2():
    X, y = np.array([[[1.0, 2, 0.5], [1, 0, 1]]]), np.array([[1.0, 0.7]])
    ends = [least_norm(order, X, y).w for order in (1, 2)]
    near = [least_hyperbolic_entropy(X, y, np.zeros((1, 3)), beta).w for beta in (1e-4, 1e3)]
    for end, other, point in zip(ends, ends[::-1], near, strict=True):
        assert_at_most(norm(point - end), norm(point - other) / 2, why="small and large beta")
