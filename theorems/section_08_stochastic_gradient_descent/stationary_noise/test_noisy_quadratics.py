"""Self-tests: noisy quadratics are what they say, and neither isotropic nor commuting."""

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import eigvalsh, norm

from fixtures.precision import factorization, rounding
from fixtures.problems.examples import require_occurrence, simplest
from properties.certificates import assert_at_most
from theorems.section_08_stochastic_gradient_descent.stationary_noise.noisy_quadratics import (
    basis_rounding,
    noisy_quadratics,
)

pytestmark = pytest.mark.slow

problems = noisy_quadratics(sizes=(1 / 2, 1.9))


def test_the_simplest_problem_can_be_done_by_hand():
    problem = simplest(problems)
    assert (problem.H.tolist(), problem.C.tolist(), problem.eta, problem.steps) == ([[1 / 8]], [[1 / 4]], 4.0, 1)


@given(problem=problems)
def test_the_spectrum_is_the_one_drawn_and_the_noise_reaches_every_direction(problem):
    p, formed = len(problem.h), basis_rounding(problem)
    found = rounding(factorization(p, p))  # by LAPACK
    assert_at_most(
        np.abs(eigvalsh(problem.H) - np.sort(problem.h)),
        found * problem.h.max() + formed * norm(problem.h),
        why="spectrum of H",
    )
    assert_at_most(1 / 4, eigvalsh(problem.C)[0] + found * norm(problem.C), why="least noise")
    assert_at_most(formed, rounding(36 * p), why="ceiling: that of the drawn rotation")


def test_curvature_and_noise_that_do_not_commute_occur_in_three_dimensions():
    def do_not_commute(problem):
        return len(problem.H) == 3 and norm(problem.H @ problem.C - problem.C @ problem.H) > 1 and problem.eta > 1

    require_occurrence(problems, do_not_commute)
