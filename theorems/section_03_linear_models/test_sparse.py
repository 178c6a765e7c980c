"""Self-tests: sparse designs satisfy the conditions that they promise."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most, assert_identical
from properties.linear_models.sparsity import satisfies_positive_cone
from theorems.section_03_linear_models.sparse import RECOVERY, planes, positive_cones, recoverable_problems


@given(recoverable_problems())
def test_columns_off_the_support_are_recovered_with_weights_of_l1_norm_below_one(problem):
    support = problem.w_star != 0
    X_A = problem.X[:, support]
    rounding = 256 * (problem.rows + problem.columns) * UNIT_ROUNDOFF
    weights = np.linalg.pinv(X_A) @ problem.X[:, ~support]
    assert_identical(support.sum(), problem.sparsity, why="|A| = k")
    assert_at_most(np.abs(weights).sum(0).max(), RECOVERY + 16 * rounding, why="|X_A^+ x_j|_1")
    assert_at_most(np.linalg.norm(X_A, 2), 1 + rounding, why="largest singular value of X_A")
    assert_at_most(problem.sigma_min, np.linalg.norm(X_A, -2), why="least singular value of X_A")
    assert_at_most(np.linalg.norm(problem.y - problem.X @ problem.w_star), 16 * rounding, why="y = X w*")


@given(recoverable_problems())
def test_the_dual_point_takes_the_signs_of_the_solution_on_its_support_and_less_elsewhere(problem):
    correlation = problem.dual @ problem.X
    support = problem.w_star != 0
    rounding = 256 * (problem.rows + problem.columns) * UNIT_ROUNDOFF
    assert_at_most(np.abs(correlation - np.sign(problem.w_star))[support].max(), 4 * rounding, why="signs on A")
    assert_at_most(np.abs(correlation)[~support].max(), RECOVERY + 16 * rounding, why="off A")


@pytest.mark.slow
@given(positive_cones())
def test_positive_cones_are_what_they_are_called(design):
    X, y = design
    assert_identical(satisfies_positive_cone(X), True, why="G^-1 1 >= 0 for every signed subset")
    lengths = sorted(set((X * X).sum(0)))
    assert_at_most(lengths[-1] * Fraction(14, 15) ** 2, lengths[0], why="columns of nearly one length")
    assert_identical(y.any(), True, why="a target")


@given(planes())
def test_planes_have_unit_columns_no_two_of_them_on_a_line(problem):
    gram = np.abs(problem.X.T @ problem.X)
    p = len(gram)
    assert_at_most(np.abs(np.diag(gram) - 1).max(), 8 * UNIT_ROUNDOFF, why="unit columns")
    assert_at_most(gram[~np.eye(p, dtype=bool)].max(), problem.coherence + 8 * UNIT_ROUNDOFF, why="coherence")
    assert_at_most(problem.coherence, 12 / 13 + 8 * UNIT_ROUNDOFF, why="separation")


@pytest.mark.parametrize("angle", range(0, 180, 5))
def test_some_column_of_any_three_directions_is_within_67_and_a_half_degrees(angle):
    # three neighbouring lines leave the widest gap: those at 157.4, 0 and 22.6 degrees
    X = np.array([[1, 12 / 13, -12 / 13], [0, 5 / 13, 5 / 13]])
    r = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    assert_at_most(0.38, np.abs(r @ X).max(), why="largest correlation")


def test_the_simplest_instances_can_be_done_by_hand():
    problem = simplest(recoverable_problems())
    assert (problem.X.tolist(), problem.w_star.tolist()) == ([[1, 0, 0], [0, 0, 0]], [1, 0, 0])
    plane = simplest(planes())
    assert (plane.X.tolist(), plane.y.tolist()) == ([[1, 0, 0.6], [0, 1, 0.8]], [1, 0])


@pytest.mark.parametrize(
    "corner",
    [
        lambda problem: problem.sparsity == 3 and len(set(np.abs(problem.w_star[problem.w_star != 0]))) == 3,
        lambda problem: problem.w_star[0] == 0 and problem.sparsity >= 2,
        lambda problem: problem.sparsity >= 2 and abs(problem.X[:, :2].T @ problem.X[:, :2])[0, 1] > 0.2,
        lambda problem: np.abs(problem.dual @ problem.X)[problem.w_star == 0].max() > 0.74 and problem.sparsity == 3,
        lambda problem: problem.sparsity == problem.rows == 3,
    ],
    ids=["three weights", "support not first", "correlated columns", "recovery near its cap", "an open set of data"],
)
def test_interesting_corners_occur(corner):
    require_occurrence(recoverable_problems(), corner)


def test_designs_in_space_and_of_five_columns_occur():
    require_occurrence(positive_cones(), lambda design: design[0].shape == (3, 4))
    require_occurrence(positive_cones(), lambda design: design[0].shape == (2, 5))
    require_occurrence(positive_cones(), lambda design: len(set((design[0] ** 2).sum(0))) == 2)
