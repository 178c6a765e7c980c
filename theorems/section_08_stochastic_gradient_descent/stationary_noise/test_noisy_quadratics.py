"""Self-tests: noisy quadratics are what they say, and neither isotropic nor commuting."""

import numpy as np
from hypothesis import given
from numpy.linalg import eigvalsh, norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most
from theorems.section_08_stochastic_gradient_descent.stationary_noise.noisy_quadratics import noisy_quadratics

problems = noisy_quadratics(sizes=(1 / 2, 1.9))


def test_the_simplest_problem_can_be_done_by_hand():
    problem = simplest(problems)
    assert (problem.H.tolist(), problem.C.tolist(), problem.eta, problem.steps) == ([[1 / 8]], [[1 / 4]], 4.0, 1)


@given(problem=problems)
def test_the_spectrum_is_the_one_drawn_and_the_noise_reaches_every_direction(problem):
    rounding = 200 * UNIT_ROUNDOFF * problem.h.max()
    assert_at_most(np.abs(eigvalsh(problem.H) - np.sort(problem.h)), rounding, why="spectrum of H")
    assert_at_most(1 / 4 - 200 * UNIT_ROUNDOFF * norm(problem.C), eigvalsh(problem.C)[0], why="least noise")


def test_curvature_and_noise_that_do_not_commute_occur_in_three_dimensions():
    def do_not_commute(problem):
        return len(problem.H) == 3 and norm(problem.H @ problem.C - problem.C @ problem.H) > 1 and problem.eta > 1

    require_occurrence(problems, do_not_commute)
