"""Self-tests: commuting measurements are told from others, decreasing starts too, and a fit is near to every start."""

import numpy as np

from fixtures.problems.batches import given_batches
from fixtures.problems.sensing import commuting_sensing
from properties.certificates import assert_at_most, assert_identical
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.measurements import (
    NON_COMMUTING,
    commute,
)
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.starts import (
    ALPHAS,
    FIT_TOLERANCE,
    shrinking,
)


@given_batches(problem=commuting_sensing())
def test_commuting_measurements_commute_and_slightly_turned_or_skewed_ones_do_not(problem):
    # given  a matrix that is off by 10^-9 in one entry, or in two symmetric entries with unequal diagonals
    A, skewed = problem.A, problem.A.copy()
    skewed[:, 0, 0, 1] += 1e-9
    turned = np.stack([A[:, 0], A[:, 0] + np.diag(np.arange(A.shape[-1]))], axis=1)
    off = np.abs(A[:, 0] - np.eye(A.shape[-1]) * A[:, 0]).max((-2, -1)) > 1e-9
    # then
    assert_identical(commute(A), np.full(len(A), True), why="A_i of common eigenvectors")
    assert_identical(commute(skewed), np.full(len(A), False), why="an entry without its mirror image")
    assert_identical(commute(turned)[off], np.full(off.sum(), False), why="A_1 and A_1 + diag(0, 1, ...)")


def test_the_measurements_of_the_refutation_do_not_commute():
    assert_identical(commute(NON_COMMUTING.A), False, why="three symmetric matrices")


def test_starts_shrink_if_each_is_at_most_a_third_of_the_one_before():
    assert_identical(shrinking(np.array([0.9, 0.3, 0.09])), [True, True], why="thirds or less")
    assert_identical(shrinking(np.array([0.9, 0.31, 0.05])), [False, True], why="more than a third, and less")


def test_the_misfit_of_a_fit_is_a_thousandth_of_the_least_start():
    # given  Theorem 4.1 compares excesses of order alpha
    assert_at_most(500 * FIT_TOLERANCE, ALPHAS.min(), why="misfit at which a run stops, against alpha")
