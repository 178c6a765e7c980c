"""The networks of Theorem 5.1, the fixed inputs of its tests, and the false-alarm probabilities of its comparisons."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fixtures.models.exact_relu import ExactReluNetwork, signed_network
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.rational import fractions
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import NetworkInputs, Training

DRAWN_DELTA, FIXED_DELTA = 1e-13, 1e-12
DIRECTION = np.array([0.6, -0.8])
POINTS = np.array([[1.0, 0], [0.6, 0.8], [-0.8, 0.6]])
SMOOTH = {"activation": "tanh", "signs": True, "antisymmetric": True}


def drawn_network(
    problem: NetworkInputs | Training, activation: str, parameterization: str = "ntk", **options: bool
) -> TwoLayer:
    """Networks of one hidden layer of the drawn widths and seeds."""
    shape = problem.width, problem.X.shape[-1], problem.seed
    return two_layer(parameterization, *shape, activation=activation, **options)


def independent_networks(width: int, count: int) -> TwoLayer:
    """`count` independent ReLU networks on the plane in the NTK parameterization, drawn as one wide network."""
    neurons = two_layer("ntk", count * width, 2, width)
    return TwoLayer(neurons.W.reshape(count, width, 2), neurons.a.reshape(count, width), "relu", width**-0.5)


def paper_network(k: int) -> ExactReluNetwork:
    """The paper's own network at width 8 * 4^k, f_0 = 0, with weights +-1 and +-sqrt(2/m), in fractions."""
    return signed_network(8 * 4**k, Fraction(1), Fraction(1, 2 ** (1 + k)))


def copies_of_one_neuron(net: TwoLayer, width: int) -> TwoLayer:
    """A network of `width` copies of the one neuron of `net`, in the NTK parameterization."""
    return TwoLayer(np.repeat(net.W, width, 0), np.repeat(net.a, width), net.activation, width**-0.5)


def is_ntk(net: TwoLayer | ExactReluNetwork) -> bool:
    """Whether all weights are at most 4 and the output layer is divided by the root of its m inputs."""
    sizes = np.abs(net.W).max(), np.abs(net.a).max()
    return max(sizes) <= 4 and net.scale**2 * len(net.a) == 1


# One neuron, w = (1, 1) and a = 1, at the inputs e_1 and e_2: K = [[2, 1], [1, 2]], f = (1, 1).
ONE_NEURON = ExactReluNetwork(fractions([[1, 1]]), fractions([1]), Fraction(1))
