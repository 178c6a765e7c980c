"""Self-tests: directions are as far apart as promised, singular families are singular, and corners occur."""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.kernels.infinite_width import relu_ntk, relu_rounding
from fixtures.kernels.regression import working_precision
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most
from theorems.section_05_neural_tangent_kernel.wide_networks.kernel_inputs import kernel_inputs, lines, singular_inputs


@pytest.mark.parametrize(("dimension", "cosine"), [(2, 0.9**0.5), (3, (2 / 3) ** 0.5), (4, 0.75**0.5)])
def test_lines_are_apart(dimension, cosine):
    points = lines(dimension)
    units = points / norm(points, axis=1)[:, None]
    overlap = np.abs(units @ units.T - np.eye(len(units)))
    assert_at_most(overlap.max(), cosine + 16 * UNIT_ROUNDOFF, why="cosine between two lines")
    assert len(points) >= 8


@given_batches(problem=kernel_inputs())
def test_the_kernel_of_separated_inputs_is_positive_definite_and_padding_leaves_its_spectrum(problem):
    K = problem.gram(relu_ntk)
    w = np.linalg.eigvalsh(K)
    own = [np.linalg.eigvalsh(relu_ntk(X[:n]))[[0, -1]] for X, n in zip(problem.X, problem.rows, strict=True)]
    rounding = 40 * UNIT_ROUNDOFF * w[:, -1]
    assert_at_most(np.abs(w[:, [0, -1]] - own).max(-1), rounding, why="extreme eigenvalues", instance=problem)
    entries = relu_rounding(problem.X).max((1, 2))
    assert_at_most(working_precision(K, entries), w[:, 0], why="positive definite", instance=problem)


@given_batches(problem=singular_inputs())
def test_the_null_vector_of_a_singular_family_is_one(problem):
    K, bound = relu_ntk(problem.X), relu_rounding(problem.X) + 16 * UNIT_ROUNDOFF * np.abs(relu_ntk(problem.X))
    error = np.abs(np.matvec(K, problem.null))
    assert_at_most(error.max(-1), np.matvec(bound, np.abs(problem.null)).max(-1), why="K null = 0", instance=problem)
    assert_at_most(1, np.abs(problem.null).max(-1), why="null is not zero", instance=problem)


def test_the_simplest_inputs_are_two_unit_vectors():
    problem = simplest(kernel_inputs())
    assert (problem.X.tolist(), problem.y.tolist(), problem.step, problem.t) == ([[1, 0], [0, 1]], [1, 0], 1, 0)


def test_the_simplest_singular_inputs_repeat_the_first():
    problem = simplest(singular_inputs())
    assert (problem.X.tolist(), problem.null.tolist()) == ([[1, 0], [0, 1], [1, 0]], [1, 0, -1])


@pytest.mark.parametrize(
    ("strategy", "interesting"),
    [
        (kernel_inputs(), lambda p: p.rows > p.X.shape[1] and p.f0.any() and p.step > 1 and p.t > 9),
        (kernel_inputs(), lambda p: np.ptp(norm(p.X, axis=1)) > 1),
        (kernel_inputs(), lambda p: np.ptp(norm(p.X, axis=1)) < 1e-9 and np.abs(np.diff(p.X)).min() > 0),
        (singular_inputs(), lambda p: p.kind == 2 and np.ptp(np.abs(p.null)) > 0),
        (singular_inputs(), lambda p: p.kind == 1 and p.fits.any()),
    ],
    ids=["more inputs than dimensions", "unequal lengths", "unit rows", "opposite pairs", "a double"],
)
def test_interesting_corners_occur(strategy, interesting):
    require_occurrence(strategy, interesting)
