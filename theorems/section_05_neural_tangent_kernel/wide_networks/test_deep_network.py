"""Self-tests: values, Jacobian and kernel of a deep network are those of the torch module of the same weights."""

import numpy as np
import pytest

from fixtures.kernels.empirical import empirical_ntk, relu_network_ntk
from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding
from properties.certificates import assert_at_most
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_network import deep_network

X = np.array([[1.0, 2, -1], [0, 1, 1], [3, -1, 0.5]])
OPERATIONS = 2 * 4 * (7 + 3 + 16)
"""Two computations in at most four layers: sums of at most 7 and of 3 terms, and an activation."""


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden_layers", [1, 2, 3])
def test_values_and_kernel_are_those_of_the_torch_module_with_the_same_weights(activation, hidden_layers):
    import torch

    from fixtures.models.fully_connected import fully_connected

    net = deep_network(5, 3, 1, hidden_layers=hidden_layers, activation=activation)
    widths = [3, *[5] * hidden_layers, 1]
    module = fully_connected(widths, torch.Generator(), activation=activation, parameterization="ntk")
    with torch.no_grad():
        for layer, W in zip(module.layers, net.layers, strict=True):
            layer.weight.copy_(torch.as_tensor(W))
        values = module(torch.as_tensor(X))[:, 0].numpy()
    K = empirical_ntk(module, X)
    slack = rounding(OPERATIONS, np.abs(K).max())
    assert_at_most(np.abs(net.predict(X) - values).max(), slack, why="values")
    assert_at_most(np.abs(net.kernel(X) - K).max(), slack, why="kernel")
    assert_at_most(np.abs(net.jacobian(X) @ net.jacobian(X).T - K).max(), slack, why="J J'")


def test_the_kernel_is_that_of_the_batched_relu_networks_and_of_two_layers():
    net = deep_network(7, 3, 2)
    slack = rounding(OPERATIONS, np.abs(net.kernel(X)).max())
    assert_at_most(np.abs(net.kernel(X) - relu_network_ntk(net.layers, X)).max(), slack, why="relu_network_ntk")
    shallow = deep_network(7, 3, 2, hidden_layers=1, activation="tanh")
    same = TwoLayer(shallow.layers[0], shallow.layers[1][0], "tanh", 7**-0.5)
    assert_at_most(np.abs(shallow.kernel(X) - same.kernel(X)).max(), slack, why="TwoLayer")


def test_a_step_along_the_jacobian_moves_values_by_the_kernel():
    net, weights = deep_network(6, 3, 3, activation="tanh"), np.array([1.0, -1, 0.5])
    h = 1e-30
    rate = net.moved(X, weights, 1j * h).predict(X).imag / h
    slack = rounding(OPERATIONS, np.abs(net.kernel(X)).max())
    assert_at_most(np.abs(rate - net.kernel(X) @ weights).max(), slack, why="J J' weights")
    assert_at_most(
        abs(net.distance(net.moved(X, weights, 0.1)) - 0.1 * np.sqrt(weights @ net.kernel(X) @ weights)),
        slack,
        why="length of the step",
    )
