"""Self-tests: the bound on a change of the kernel is attained, chances add up, and predicates can be false."""

import numpy as np

from fixtures.models.two_layer import two_layer
from properties.certificates import assert_at_most, assert_identical
from properties.lazy_training import spectral
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import (
    DRAWN_DELTA,
    FIXED_DELTA,
    is_ntk,
    paper_network,
)
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.runs import kernel_change


def test_a_jacobian_that_grows_along_itself_attains_the_bound_on_the_change_of_its_kernel():
    # given  J_0 = (3, 0; 0, 4), of norm 4, and J = (3/2) J_0, which has turned by 2
    J_0 = np.diag([3.0, 4])
    J = 1.5 * J_0
    # then   K - K_0 = (5/4) diag(9, 16)
    assert_identical(kernel_change(4, 2), 20, why="2 * 4 * 2 + 2^2")
    assert_identical(spectral(J @ J.T - J_0 @ J_0.T), 20, why="|K - K_0|")


def test_the_chances_of_all_comparisons_add_up_to_less_than_ten_to_the_minus_eight():
    # given  two tests of at most 1100 instances with 30 comparisons each, and 250 comparisons with fixed seeds
    assert_at_most(2 * 1100 * 30 * DRAWN_DELTA + 250 * FIXED_DELTA, 1e-8, why="the chance of Theorem 5.1")


def test_the_ntk_parameterization_is_told_from_others():
    nets = [two_layer(name, 16, 2, 1) for name in ("ntk", "standard", "mean-field")]
    assert_identical([is_ntk(net) for net in nets], [True, False, False], why="three parameterizations")
    assert_identical([is_ntk(paper_network(k)) for k in (0, 2)], [False, False], why="the paper's own network")
