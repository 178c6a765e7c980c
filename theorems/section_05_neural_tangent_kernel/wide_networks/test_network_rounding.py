"""Self-tests: results in extended precision lie within the rounding bounds, and an error in one weight does not."""

import dataclasses

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.models.two_layer import two_layer
from fixtures.precision import rounding
from properties.certificates import assert_at_most
from properties.lazy_training import kernel_rounding
from theorems.section_05_neural_tangent_kernel.wide_networks.network_rounding import (
    kernel_entry_rounding,
    share_rounding,
    tangent_rounding,
    value_rounding,
)

X = np.array([[1.0, 2, -1], [0, 1, 1], [3, -1, 0.5]])


def extended(net):
    """The same network in long doubles."""
    return dataclasses.replace(net, W=net.W.astype(np.longdouble), a=net.a.astype(np.longdouble))


@pytest.mark.parametrize("width", [4, 4096])
def test_values_of_a_tanh_network_are_within_their_rounding(width):
    net = two_layer("ntk", width, 3, 1, activation="tanh")
    exact = extended(net).predict(X)
    assert_at_most(norm((net.predict(X) - exact).astype(float)), value_rounding(net, X), why="values")
    # then   a relative error of 1e-7 in one output weight would be found
    other = dataclasses.replace(net, a=net.a * np.where(np.arange(width) == 0, 1 + 1e-7, 1))
    assert_at_most(value_rounding(net, X), norm((other.predict(X) - exact).astype(float)), why="power")


@pytest.mark.parametrize("width", [4, 4096])
def test_entries_of_a_relu_kernel_are_within_their_rounding(width):
    net = two_layer("ntk", width, 3, 1)
    exact = extended(net).kernel(X)
    assert_at_most(np.abs(net.kernel(X) - exact).astype(float), kernel_entry_rounding(net, X), why="entries")
    assert_at_most(kernel_entry_rounding(net, X), 1e-9 * np.diagonal(exact).astype(float).min(), why="power")


def test_the_rounding_of_deep_kernels_is_that_of_a_hundred_operations_at_width_four():
    # given  |K| = 3 for an asymmetric spectrum
    assert_at_most(tangent_rounding(4, np.diag([1.0, 3])), rounding(100, 3), why="6 (2 * 4 + 8) operations")
    assert_at_most(share_rounding(4, 2), rounding(110), why="10 + 2 * 48 operations")


@pytest.mark.parametrize("train", ["hidden", "both"])
def test_the_rounding_of_a_smooth_kernel_is_that_of_a_hundred_operations_for_each_neuron(train):
    # given  n = 3, so that |J|_F^2 = tr K is at most three times |K|
    net = two_layer("ntk", 64, 3, 1, activation="tanh")
    K = net.kernel(X, train=train)
    assert_at_most(kernel_rounding(net, X, train), rounding(100 * 64, norm(K, 2)), why="kernel_rounding against |K|")
