"""Self-tests: the strategy of finite distributions keeps its promises."""

import numpy as np
import pytest
from hypothesis import given

from fixtures.problems.examples import simplest
from properties.certificates import assert_identical
from properties.search import smallest_violation
from theorems.section_02_preliminaries.finite_distributions import finite_distributions

pytestmark = pytest.mark.slow


@given(finite_distributions())
def test_probabilities_add_up_and_the_noise_of_each_atom_has_mean_zero(law):
    assert_identical(law.expectation(lambda _, __: 1), 1, why="total probability")
    assert_identical((law.noise * law.noise_weights).sum(1), 0 * law.weights, why="mean of the noise given x")
    assert_identical(any(law.atoms[0]), True, why="first atom not zero")


def test_the_simplest_distribution_is_one_atom_without_noise():
    instance = simplest(finite_distributions())
    assert_identical(instance.atoms, [[1, 0]], why="atoms")
    assert_identical([*instance.w_star, *instance.noise[0]], [0] * 4, why="truth and noise")


def test_second_moments_that_are_no_multiple_of_the_identity_occur_with_uneven_noise():
    def is_uneven(law):
        Sigma = law.expectation(lambda x, _: np.outer(x, x))
        return Sigma[0, 1] != 0 and Sigma[0, 0] != Sigma[1, 1] and len({tuple(values) for values in law.noise}) > 1

    assert_identical(is_uneven(smallest_violation(finite_distributions(), is_uneven)), True, why="found")


def test_a_sample_consists_of_atoms_and_their_targets():
    law = smallest_violation(finite_distributions(), lambda law: any(law.noise[0]) and any(law.w_star))
    X, y = law.sample(200, np.random.default_rng(0))
    possible = {
        (*map(float, x), float(law.w_star @ x + value))
        for x, values in zip(law.atoms, law.noise, strict=True)
        for value in values
    }
    assert_identical(
        {(*x, target) for x, target in zip(X.tolist(), y.tolist(), strict=True)} <= possible, True, why="support"
    )
