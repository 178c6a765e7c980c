"""Self-tests: clusters are mostly clean and stepped gently, and the awkward ones occur."""

from fractions import Fraction

import numpy as np
from hypothesis import given

from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_identical
from theorems.section_08_stochastic_gradient_descent.label_noise.clusters import clusters, is_clustered


def test_the_simplest_instance_can_be_done_by_hand():
    problem = simplest(clusters())
    assert_identical(problem.kernel, [[5, 4, 4], [4, 5, 4], [4, 4, 5]], why="4 (11' + I/4)")
    assert_identical(problem.noisy, [-1, 1, 1], why="the first label is flipped")
    assert_identical(problem.step * (4 * 3 + 1), Fraction(1, 2), why="eta(m + epsilon)")


@given(problem=clusters())
def test_every_cluster_is_mostly_clean_and_the_step_is_gentle(problem):
    assert problem.mostly_clean
    assert problem.gentle
    assert problem.flipped.any()


def test_kernels_of_clusters_are_recognized():
    problem = simplest(clusters())
    assert is_clustered(problem.kernel, problem.members)
    assert not is_clustered(problem.kernel, np.arange(3) > 1)
    assert not is_clustered(problem.kernel - 2 * np.eye(3, dtype=object), problem.members)
    assert not is_clustered(problem.kernel * np.multiply.outer([2, 1, 1], [2, 1, 1]), problem.members)


def test_a_sample_that_is_alone_and_a_window_that_is_empty_occur():
    require_occurrence(clusters(), lambda problem: 1 in problem.sizes)
    require_occurrence(clusters(), lambda problem: not problem.in_window(1))


def test_features_have_the_kernel():
    problem = simplest(clusters())
    features = problem.features(problem.epsilon * 2)
    assert_identical(4 * features @ features.T, problem.kernel, why="root = 1/2, epsilon = 1/4")
