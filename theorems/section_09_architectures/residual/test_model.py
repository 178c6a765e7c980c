"""Self-tests: residual networks against torch's derivatives, and their bounds."""

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_09_architectures.residual.model import ResidualNetwork
from theorems.section_09_architectures.residual.rounding import (
    branch_operations,
    derivative_rounding,
    gradient_rounding,
)


def example(depth=3, d=2, m=3):
    """A tanh network of unequal shapes, an input and a unit direction."""
    rng = np.random.default_rng(91)
    W, U = rng.standard_normal((depth, m, d)) / 2, rng.standard_normal((depth, d, m)) / 2
    return ResidualNetwork(W, U, 0.5, "tanh"), rng.standard_normal(d), np.array([0.6, -0.8])


def torch_line(net, x, v):
    """h_L along t -> x + t v as torch would compute it, with its first and second derivative at 0."""
    import torch

    W, U = torch.as_tensor(net.W), torch.as_tensor(net.U)
    t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    h = torch.as_tensor(x) + t * torch.as_tensor(v)
    for layer in range(net.depth):
        h = h + net.scale * U[layer] @ torch.tanh(W[layer] @ h)
    first = [torch.autograd.grad(entry, t, create_graph=True)[0] for entry in h]
    second = [torch.autograd.grad(slope, t, retain_graph=True)[0] for slope in first]
    return h.detach().numpy(), *(np.array([float(entry.detach()) for entry in part]) for part in (first, second))


def test_values_and_two_derivatives_are_those_of_torch():
    net, x, v = example()
    value, first, second = torch_line(net, x, v)
    # both round
    slack = 2 * derivative_rounding(net)
    assert_equal_within(net.states(x)[-1], value, slack, why="h_L")
    assert_at_most(norm(net.jacobian(x) @ v - first), slack, why="Dh_L v")
    assert_at_most(norm(net.second_derivative(x, v) - second), slack, why="D^2 h_L[v, v]")
    assert_at_most(1 / 100, norm(second), why="the line is bent")


def test_the_roundings_of_three_layers_are_below_some_hundred_thousand_units():
    # given  branches that are half as steep as the identity
    net, x, _ = example()
    assert_identical(branch_operations(net), 2 + 3 + 8, why="operations of a layer")
    # then
    assert_at_most(derivative_rounding(net), rounding(3 * 19 * 100), why="values and derivatives")
    assert_at_most(gradient_rounding(net, x, x), rounding(100_000), why="gradients")


def test_the_branch_jacobians_are_not_symmetric_and_do_not_commute():
    net, x, _ = example()
    J = net.branch_jacobians(net.states(x))
    assert_at_most(1 / 1000, norm(J[0] - J[0].T), why="a transpose would be seen")
    assert_at_most(1 / 1000, norm(J[0] @ J[1] - J[1] @ J[0]), why="an order of layers would be seen")


def test_the_lipschitz_bound_is_in_the_spectral_norm():
    two = 2 * np.eye(2)[None]
    assert_identical(ResidualNetwork(two, two, 0.5, "identity").branch_lipschitz(), [2], why="c |U| |W| of 2I and 2I")


def test_an_empty_layer_or_neuron_changes_nothing():
    net, x, _ = example()
    padded = ResidualNetwork(
        np.pad(net.W, ((0, 1), (0, 1), (0, 0))), np.pad(net.U, ((0, 1), (0, 0), (0, 1))), 0.5, "tanh"
    )
    # a sum with zeros in it may be added up in another order
    last = np.broadcast_to(net.states(x)[-1], (2, 2))
    assert_equal_within(padded.states(x)[-2:], last, 2 * derivative_rounding(net), why="padding of a batch")
