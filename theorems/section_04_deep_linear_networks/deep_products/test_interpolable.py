"""Self-tests: interpolable regressions are what their docstring promises."""

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.problems.batches import given_batches
from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most
from theorems.section_04_deep_linear_networks.deep_products.interpolable import interpolables


@given(interpolables())
def test_the_factors_are_a_singular_value_decomposition_and_S_interpolates(problem):
    n = problem.samples
    defects = [problem.X - (problem.C * problem.s) @ problem.R.T, problem.C.T @ problem.C - np.eye(n)]
    defects += [problem.R.T @ problem.R - np.eye(n), problem.Y - problem.S @ problem.X]
    size = max(1, norm(problem.S))
    assert_at_most([norm(defect) for defect in defects], problem.construction * size, why="construction error")


@pytest.mark.slow
@given(interpolables(targets=("positive", "commuting")))
def test_positive_targets_have_the_eigenvectors_and_eigenvalues_they_name(problem):
    rebuilt = (problem.basis * problem.lam) @ problem.basis.T
    assert_at_most(norm(problem.S - rebuilt), problem.construction, why="S = basis diag(lam) basis'")
    assert_at_most(1 / 4, problem.lam, why="the least eigenvalue")


@given_batches(problem=interpolables())
def test_a_batch_has_the_pseudo_inverse_of_each_of_its_members(problem):
    fitted = problem.X @ problem.pseudo_inverse @ problem.X - problem.X
    assert_at_most(norm(fitted, axis=(-2, -1)), 8 * problem.construction, why="X X^+ X = X", instance=problem)
    unseen = np.trace(problem.off_the_data, axis1=-2, axis2=-1)
    assert_at_most(np.abs(unseen - 4 + problem.samples), problem.construction, why="trace of I - P", instance=problem)


def test_the_simplest_one_maps_the_first_unit_vector_to_itself():
    problem = simplest(interpolables(targets=("positive",)))
    assert (problem.X.ravel().tolist(), problem.Y.ravel().tolist()) == ([1, 0, 0, 0], [1, 0, 0, 0])
    assert (problem.alpha, problem.t) == (0.2, 0)


@pytest.mark.parametrize(
    "corner",
    [
        lambda problem: problem.samples == 3 and norm(problem.S - problem.S.T) > 1,
        lambda problem: np.linalg.eigvalsh(problem.S + problem.S.T)[0] < -1,
        lambda problem: norm(problem.S @ problem.off_the_data - problem.off_the_data @ problem.S) > 0.1,
    ],
    ids=["far from symmetric", "indefinite", "data and target do not commute"],
)
def test_interesting_corners_occur(corner):
    require_occurrence(interpolables(), corner)
