"""Self-tests: residuals and the curvature of planted networks by hand, and how large their rounding may be."""

import numpy as np
from hypothesis import given

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_02_preliminaries.definition_2_1_interpolation.planted_networks import (
    TANH_CURVATURE,
    PlantedNetwork,
    planted_networks,
)


def two_samples():
    """Units a = (1, 2), B = diag(1, 1) on the samples (1, 0) and (0, 2)."""
    X, theta = np.diag([1.0, 2]), np.array([1.0, 2, 1, 0, 0, 1])
    return PlantedNetwork(X, theta, np.ones(4) / 2, 1 / 64)


def test_residuals_vanish_at_the_planted_parameters_and_are_the_change_of_the_outputs_elsewhere():
    network = two_samples()
    assert_identical(network.F(network.theta), [0, 0], why="planted")
    doubled = network.F(network.theta * [2, 2, 1, 1, 1, 1])
    assert_equal_within(doubled, [np.tanh(1), 2 * np.tanh(2)], rounding(6, 4), why="a doubled")


def test_the_curvature_of_two_samples_by_hand():
    # given  |x| = 1 and 2, max |a| + radius = 3
    exact = np.hypot(1 + 3 * TANH_CURVATURE, 2 + 12 * TANH_CURVATURE)
    curvature = two_samples().curvature(two_samples().theta, 1)
    assert_equal_within(curvature, exact, rounding(8, exact), why="Lipschitz")


@given(planted_networks())
def test_the_rounding_of_a_residual_is_below_a_trillionth(network):
    assert_at_most(network.residual_rounding(network.theta), 1e-12, why="at most 15 roundings of outputs below 100")
