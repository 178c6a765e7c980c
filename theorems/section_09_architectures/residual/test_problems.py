"""Self-tests: residual problems shrink to one scalar layer, and the asymmetric ones occur."""

import numpy as np

from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_identical
from theorems.section_09_architectures.residual.problems import (
    linear_residual_problems,
    positive_targets,
    residual_problems,
    start_directions,
)


def test_they_shrink_to_one_scalar_layer():
    problem, linear, target = (
        simplest(strategy) for strategy in (residual_problems(), linear_residual_problems(), positive_targets())
    )
    assert_identical([problem.W.item(), problem.U.item(), problem.x.item()], [0, 0, 1], why="F(h) = 0 at 1")
    assert_identical([linear.A.item(), linear.X.item(), linear.Y.item()], [0, 1, 0], why="0 at 1 towards 0")
    assert_identical(target.spectrum, np.ones(3), why="R = I")


def test_deep_networks_of_unequal_shapes_whose_branches_do_not_commute_occur():
    def asymmetric(problem):
        J = [U @ W for U, W in zip(problem.U, problem.W, strict=True)]
        odd = len(J) > 2 and problem.W.shape[1] != problem.W.shape[2]
        return odd and not np.array_equal(J[0], J[0].T) and not np.array_equal(J[0] @ J[1], J[1] @ J[0])

    require_occurrence(residual_problems(), asymmetric)


def test_directions_that_are_well_conditioned_and_directions_with_a_singular_layer_occur():
    def spread(start):
        return np.linalg.svdvals(start.A)

    require_occurrence(start_directions(), lambda start: start.depth > 2 and 0 < np.ptp(spread(start)) < 1)
    require_occurrence(start_directions(), lambda start: spread(start).min() == 0 or spread(start).max() > 4)


def test_targets_off_the_axes_with_distinct_eigenvalues_occur():
    require_occurrence(
        positive_targets(),
        lambda target: target.depth > 2 and len(set(target.spectrum)) == 3 and np.count_nonzero(target.Q) == 9,
    )
