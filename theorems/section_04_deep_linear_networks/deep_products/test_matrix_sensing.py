"""Self-tests: factored descent is the descent of a two-layer network whose layers stay transposes of each other."""

from fractions import Fraction

import numpy as np

from fixtures.dynamics.deep_linear import descent_path, end_to_end
from fixtures.dynamics.paths import at_time
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.sensing import Sensing, commuting_sensing, one_missing_entry
from properties.certificates import assert_at_most, assert_identical
from theorems.section_04_deep_linear_networks.deep_products.matrix_sensing import factored_path

HALF = np.array([[Fraction(1, 2), Fraction(0)], [Fraction(0), Fraction(1, 2)]])


def test_factored_descent_is_two_tied_layers_at_twice_the_step():
    problem = one_missing_entry(Fraction(1), Fraction(2))
    tied = at_time(factored_path(problem.residual, HALF, Fraction(1, 8)), 3).W
    layers = at_time(descent_path([HALF, HALF], problem.residual, Fraction(1, 4)), 3)
    assert_identical(tied, end_to_end(layers), why="W = UU' is W_2 W_1")


def test_the_sums_kept_along_a_path_are_those_of_its_gradients():
    # given  W = w, observed as y = 2, from u = 1 with eta = 1/8: G = w - 2
    path = factored_path(lambda W: W - 2, np.array([[Fraction(1)]]), Fraction(1, 8))
    state = at_time(path, 1)
    assert_identical([state.U[0, 0], state.pushed[0, 0]], [Fraction(5, 4), Fraction(1, 2)], why="u and -4 eta G")
    assert_identical([state.squared, state.largest], [Fraction(1, 16), Fraction(1, 4)], why="(2 eta G)^2, 2 eta |G|")


@given_batches(size=20, problem=commuting_sensing())
def test_a_batch_moves_as_its_members_do_alone(problem):
    last = Sensing(problem.A[-1], problem.y[-1])
    together = at_time(factored_path(problem.gradient, problem.start(), problem.step()), 5).W[-1]
    alone = at_time(factored_path(last.gradient, problem.start()[-1], problem.step()[-1]), 5).W
    # then   a step sums d products for UU', d^2 for a measurement, m for the gradient and d for the move, on both sides
    (m, d), steps = last.A.shape[:2], 5
    slack = rounding(2 * steps * (d**2 + 2 * d + m + 2), 1 + np.linalg.norm(alone))
    assert_at_most(np.linalg.norm(together - alone), slack, why="five steps, together and alone")
