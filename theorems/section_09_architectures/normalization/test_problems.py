"""Self-tests: no feature is constant, and the starts are where their docstring says."""

import numpy as np
import pytest
from numpy.linalg import norm, svd

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from theorems.section_09_architectures.normalization.problems import (
    basis_without_constants,
    directed_regressions,
    normalized_problems,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("rows", [4, 6])
def test_the_basis_is_orthonormal_without_constants_and_reaches_every_row(rows):
    Q = basis_without_constants(rows, 3)
    slack = rounding(factorization(rows, 4) + rows)  # by QR, and an inner product
    assert_at_most(norm(Q.T @ Q - np.eye(3)), slack, why="orthonormal")
    assert_at_most(np.abs(Q.sum(0)).max(), np.sqrt(rows) * slack, why="orthogonal to constants")
    assert_at_most(0.1, norm(Q, axis=1).min(), why="every row")


@pytest.mark.parametrize("name", ["X", "W"])
@given_batches(problem=normalized_problems())
def test_modulo_constants_the_columns_are_independent(name, problem):
    data = getattr(problem, name)
    s = svd(data - data.mean(1, keepdims=True), compute_uv=False)
    # then   a basis by QR, two reflections of 3 (3 + 4) operations, an SVD; means of up to six entries are taken away
    slack = rounding(factorization(6, 4) + 2 * 3 * 7 + factorization(6, 3)) + rounding(6 + 4, norm(data, axis=(1, 2)))
    assert_within(0.1, s.min(1), 1, slack=slack, why="least singular value after centering")
    assert_within(0.1, s.max(1), 1, slack=slack, why="largest")


def test_means_that_cancel_and_both_signs_of_k_occur():
    assert simplest(normalized_problems()).k == 0
    require_occurrence(normalized_problems(), lambda problem: norm(problem.X.mean(0)) > 4 and problem.k == -8)
    require_occurrence(normalized_problems(), lambda problem: norm(problem.W.mean(0)) > 4 and problem.k == 8)


@given_batches(problem=directed_regressions())
def test_a_start_has_a_part_in_the_row_space_that_correlates_with_the_target(problem):
    output = problem.gamma[:, None] * np.matvec(problem.X, problem.v)
    assert_at_most(1 / 8, (output * problem.y).sum(-1) / norm(output, axis=-1), why="cosine of gamma Xv and y")
    assert_equal_within(norm(problem.y, axis=-1), 1, rounding(2 * 3 + 4), why="|y|")


def test_starts_with_a_larger_scale_than_the_least_norm_and_a_null_part_occur():
    def condition(problem):
        null = norm(problem.in_null_space(problem.v)) > norm(problem.in_row_space(problem.v))
        return null and problem.rows > 1 and abs(problem.gamma) > problem.least_norm > norm(problem.v)

    assert_identical(simplest(directed_regressions()).v, [0.5, 0], why="the simplest direction")
    require_occurrence(directed_regressions(), condition)
