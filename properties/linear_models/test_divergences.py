"""Self-tests: relative entropy against a computation with a hundred digits, and its certificates."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import PositiveSystem, positive_systems
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.divergences import (
    curvature_bound,
    entropy,
    multiplier,
    null_part_of_log,
    radius_of_projection,
    relative_entropy,
    relative_entropy_rounding,
)
from properties.oracles import nearest_in_relative_entropy

pytestmark = pytest.mark.slow


def exact_relative_entropy(w, change):
    """KL(w + change || w) of two floats, computed with a hundred digits."""
    with localcontext(prec=100):
        w, change = Decimal(w), Decimal(change)
        v = w + change
        return float(v * (v / w).ln() - change) if v else float(w)


@given(k=st.integers(-4, 4), exponent=st.integers(-60, 3), mantissa=st.floats(1, 2), sign=st.sampled_from([1, -1]))
def test_relative_entropy_is_accurate_relative_to_itself(k, exponent, mantissa, sign):
    w = 2.0**k
    change = max(sign * w * mantissa * 2.0**exponent, -w)
    computed, exact = relative_entropy(np.array([w]), np.array([change])), exact_relative_entropy(w, change)
    assert_at_most(abs(computed - exact), 300 * UNIT_ROUNDOFF * exact, why="KL against a hundred digits")


def test_relative_entropy_is_infinite_outside_the_orthant():
    assert relative_entropy(np.array([1.0, 1.0]), np.array([-1.5, 0])) == np.inf


def test_the_rounding_bound_is_below_a_trillionth_of_the_mass():
    v, w = np.array([1.0, 2, 0]), np.array([2.0, 1, 0])
    assert_at_most(relative_entropy_rounding(v, w), 1e-12 * (v + w).sum(), why="300 u (1 + ln 2)")


def test_padding_adds_nothing_to_entropies():
    assert relative_entropy(np.array([1.0, 0.0]), np.zeros(2)) == 0
    assert entropy(np.array([1.0, 0.0])) == 0


@given_batches(problem=positive_systems())
def test_the_multiplier_of_a_start_of_the_row_space_is_recovered(problem):
    nu = multiplier(problem, np.vecmat(problem.mu, problem.X))
    bound = 8 * problem.construction * (1 / problem.sigma_max + norm(problem.mu, axis=-1))
    assert_at_most(norm(nu - problem.mu, axis=-1), bound, why="nu")


@given_batches(problem=positive_systems())
def test_the_radius_covers_the_distance_of_any_positive_point_on_the_dual_path(problem):
    oracle = nearest_in_relative_entropy(problem.X, problem.y, problem.w0)
    # a point w_0 exp(X'nu) that is not the projection, as near to it as its correction stays positive
    w = oracle * np.exp(np.vecmat(problem.mu, problem.X) / 8)
    distance = norm(np.sqrt(w) - np.sqrt(oracle), axis=-1)
    radius = radius_of_projection(problem, problem.w0, w) + radius_of_projection(problem, problem.w0, oracle)
    assert_at_most(distance, radius, why="distance to the projection")


@given_batches(problem=positive_systems())
def test_the_radius_covers_the_distance_of_an_interpolant_off_the_dual_path(problem):
    # the projection w' of the start w_0 exp(delta), delta of length below 1/4 in null(X): Xw' = y, so the gap is zero
    z = problem.in_null_space(problem.w0)
    delta = z / (4 * (1 + norm(z, axis=-1, keepdims=True)))
    oracle, w = (nearest_in_relative_entropy(problem.X, problem.y, problem.w0 * np.exp(d)) for d in (0 * delta, delta))
    distance = norm(np.sqrt(w) - np.sqrt(oracle), axis=-1)
    # <w' - w*, delta> <= |sqrt w' - sqrt w*| |delta| (2 |sqrt w'| + |sqrt w' - sqrt w*|): the orders beyond the first
    radius = radius_of_projection(problem, problem.w0, w) / (1 - norm(delta, axis=-1) / 4)
    radius += radius_of_projection(problem, problem.w0, oracle)
    assert_at_most(distance, radius, why="distance to the projection of another start")


def test_far_above_a_small_interpolant_the_curvature_bound_is_the_curvature_at_the_start():
    # X = [[1, 0]], w_p = (2^-k, 2^-k), w_0 = (1, 2^-k): the curvature X diag(w_0) X' is 1
    for k in (10, 40):
        problem = regression_of_design(np.array([[1.0, 0]]), np.array([2.0**-k]))
        system = PositiveSystem(**vars(problem), w_p=np.full(2, 2.0**-k), mu=np.zeros(1), exponent=0)
        bound = curvature_bound(system, np.array([1.0, 2.0**-k]))
        assert_within(1, bound, (1 + 2.0 ** (1 - k / 2)) ** 2, why="Lambda against the curvature at the start")


@given_batches(problem=positive_systems())
def test_the_null_part_of_a_changed_start_is_seen(problem):
    z = problem.in_null_space(problem.w0)
    seen = null_part_of_log(problem, problem.w0 * np.exp(z / 4), problem.w0)
    assert_at_most(norm(seen - z / 4, axis=-1), 16 * problem.construction * (1 + norm(z, axis=-1)), why="null part")
