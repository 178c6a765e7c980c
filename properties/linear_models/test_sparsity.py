"""Self-tests: certificates of the least l1 norm agree with each other and with calculations by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.sparse import planes, positive_cones
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from properties.linear_models.sparsity import (
    dual_value,
    l1_norm,
    lasso_gap,
    least_l1_norm_exactly,
    satisfies_positive_cone,
)
from properties.oracles import least_l1_norm


@pytest.mark.slow
@given_batches(problem=planes())
def test_linear_programming_and_enumeration_agree(problem):
    w, nu = least_l1_norm(problem.X, problem.y)
    rounding = 256 * UNIT_ROUNDOFF * np.linalg.norm(problem.y, axis=-1)
    real = [X[:, X.any(axis=0)] for X in problem.X]
    exactly = [float(least_l1_norm_exactly(X, y)) for X, y in zip(real, problem.y, strict=True)]
    assert_at_most(np.abs(l1_norm(w) - exactly), 4 * rounding, why="HiGHS, primal", instance=problem)
    assert_at_most(np.abs(dual_value(problem.X, problem.y, nu) - exactly), 4 * rounding, why="HiGHS, dual")


@pytest.mark.slow
@given(positive_cones())
def test_no_dual_point_exceeds_the_least_norm(design):
    X, y = design
    assert_at_most(dual_value(X, y, y), least_l1_norm_exactly(X, y), why="weak duality at nu = y")


def test_the_least_norm_by_hand():
    assert_identical(least_l1_norm_exactly([[1, 2]], [1]), Fraction(1, 2), why="the larger entry")
    assert_identical(least_l1_norm_exactly([[1, 0, 1], [0, 1, 1]], [2, 1]), 2, why="e_1 + e_3")


def test_the_lasso_gap_is_zero_at_the_lasso_and_positive_elsewhere():
    # (1/2)(w_1 + 2 w_2 - 1)^2: at (0, 1/4) correlations are (1/2, 1), so lambda = 1; at (1/2, 0) they are the same
    X, y = fractions([[1, 2]]), fractions([1])
    assert_identical(lasso_gap(X, y, fractions([0, "1/4"])), 0, why="a solution")
    assert_identical(lasso_gap(X, y, fractions(["1/2", 0])), Fraction(1, 4), why="1 * 1/2 - 1/2 * 1/2")


def test_the_positive_cone_condition_by_hand():
    # in the plane it fails where |x_1|^2 < |x_1 . x_2|. With products 0, 6, 6 and norms 3, G^-1 1 is (1, 1, -1)/3
    assert satisfies_positive_cone([[1, 0], [0, 5]])
    assert not satisfies_positive_cone([[1, 3], [0, 1]])
    assert not satisfies_positive_cone([[3, 0, 2], [0, 3, 2], [0, 0, 1]])
