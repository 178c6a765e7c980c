"""Self-tests: the four quantities of a movement, by hand on small networks."""

import numpy as np

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.section_06_beyond_lazy_training.features.movement import movement, relative_kernel_change


def test_a_kernel_that_rotates_with_a_constant_norm_has_changed():
    # given  two inputs at a right angle, and one ReLU neuron that turns from the first to the second: K = 2 ee'
    start, end = (TwoLayer(np.array([w]), np.ones(1), "relu", 1.0) for w in ([1.0, 0], [0.0, 1]))
    assert_identical(relative_kernel_change(start, end, np.eye(2)), 1.0, why="|diag(-2, 2)|/2")


def test_norms_of_kernels_are_spectral():
    # given  one ReLU neuron for each of two inputs, whose first output weight doubles: diag(2, 2), diag(5, 2)
    start, end = (TwoLayer(np.eye(2), np.array([a, 1.0]), "relu", 1.0) for a in (1.0, 2.0))
    assert_identical(relative_kernel_change(start, end, np.eye(2)), 3 / 2, why="|diag(3, 0)|/|diag(2, 2)|")


def test_the_movement_of_one_linear_neuron_by_hand():
    # given  f = 2 a w x from (w, a) = (3, 4) to (3, 10) at x = 1, y = 124: K = 4 (a^2 + w^2), r_0 = 100
    start, end = (TwoLayer(np.array([[3.0]]), np.array([a]), "identity", 2.0) for a in (4.0, 10.0))
    found = movement(start, end, np.ones((1, 1)), np.array([124.0]))
    assert_identical([found.moved, found.relative], [6, 6 / 5], why="the way from a = 4 to 10, over |theta_0| = 5")
    assert_identical(found.kernel, 84 / 25, why="4 (109 - 25)/(4 * 25)")
    assert_at_most(np.abs(found.linear - 10), rounding(12, 10), why="|r_0|/sqrt(K) = 100/10")
