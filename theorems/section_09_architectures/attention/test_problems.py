"""Self-tests of the strategies: their hypotheses hold, they shrink to what they promise, and corners occur."""

import numpy as np
import pytest

from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most, assert_identical
from theorems.section_09_architectures.attention.low_rank_problems import (
    choices,
    reflecting_forces,
    small_starts,
    stacks,
    tasks,
)
from theorems.section_09_architectures.attention.sparse_problems import duels, selections


def test_the_simplest_instances_are_those_promised():
    assert_identical(simplest(stacks()).X, np.zeros((4, 3)), why="tokens")
    assert_identical(simplest(small_starts()).M, np.diag([1, 0.5, 0.25]), why="force")
    assert_identical(simplest(tasks()).keys, np.eye(1, 3) * np.ones((4, 1)), why="keys")
    assert_identical(simplest(selections()).gamma, [1, 0], why="rewards")
    assert_identical(simplest(choices()).rewards, np.array([[0, 1, 0]] * 3), why="rewards for three queries")
    assert_identical(simplest(choices()).lead, [1, 1, 1], why="lead of the best tokens")
    assert_identical(simplest(duels()).gamma, [1, 0], why="duel")


def test_a_reflecting_force_has_a_negative_determinant_and_dependent_columns_of_Y():
    force = simplest(reflecting_forces())
    assert_at_most(1 / 4, -np.linalg.det(force.M), why="-det M")
    assert_identical(force.Y, np.diag([2, 0]), why="Y = U + V for U = I and V = diag(1, -1)")


@pytest.mark.slow
def test_starts_that_are_not_aligned_and_weights_that_are_not_symmetric_occur():
    require_occurrence(small_starts(), lambda start: np.abs(start.Y.T @ start.Z).max() > 1 / 2)
    require_occurrence(small_starts(), lambda start: np.linalg.det(start.U.T @ start.V) < 0)
    require_occurrence(stacks(), lambda stack: np.abs(stack.W - stack.W.T).max() > 1 / 2)
    require_occurrence(tasks(), lambda task: len(np.unique(task.queries, axis=0)) == 2)
    require_occurrence(choices(), lambda problem: problem.selected.any(0).sum() == 2 and np.ptp(problem.lead) > 0)
    require_occurrence(selections(), lambda task: task.best > 0 and len(task.gamma) == 6)
