"""Self-tests: the hypotheses of the climb hold by construction, and the corners occur."""

import numpy as np

from fixtures.problems.batches import given_batches
from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most, assert_identical
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.gentle_products import gentle_products


def test_the_simplest_start_is_the_one_promised():
    start = simplest(gentle_products())
    assert_identical([start.u, start.v, start.theta, start.t], [1 / 4, 15 / 4, 15 / 16, 0], why="the simplest start")


@given_batches(start=gentle_products())
def test_the_steps_are_within_the_hypotheses_of_the_climb(start):
    assert_at_most(start.theta + start.theta**2 / 16, 1.0, why="theta + theta^2/16")
    assert_at_most(start.eta, start.theta / 2, why="eta is theta/2 at most")
    assert_at_most(np.abs(start.contraction - 0.5), 0.5, why="the contraction lies in [0, 1]")
    assert_at_most(np.abs(start.u * start.v - 0.5), 0.4375, why="uv lies in [1/16, 15/16]")


def test_balanced_and_very_unbalanced_starts_occur():
    require_occurrence(gentle_products(), lambda start: start.u == start.v)
    require_occurrence(gentle_products(), lambda start: start.u > 10 * start.v)
