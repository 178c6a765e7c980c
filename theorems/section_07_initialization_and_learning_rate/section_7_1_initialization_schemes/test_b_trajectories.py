r"""Section 7.1: initialization schemes (b) - they induce different trajectories.

Printed     Section 7.1, after the list of schemes: Xavier's and He's start give different optimization trajectories
Reading     The outputs on the way differ. Compared are He's scheme and Xavier's with the same draws: He's start is
            $\sqrt2$ times Xavier's. Network, data and rate are the same
Setting     One neuron $f(x) = a \max(0, w^\top x)$ with one sample $(x, y)$, $y > 0$, under gradient flow from
            $a_0 > 0$ and $s_0 > 0$, where $s = w^\top x/\|x\|$, $c = a_0^2 - s_0^2$, $Y = y/\|x\|$. And ReLU networks
            of $L$ layers without biases
Corrected   (C2) Descent on a network of degree $L$, from $k \theta_0$ with the targets $y$ and the rate $\eta$, is $k$
            times the descent from $\theta_0$ with the targets $y/k^L$ and the rate $k^{2L-2} \eta$. So He's run is
            Xavier's run on targets that are $2^{L/2}$ times smaller, at $2^{L-1}$ times the rate.
            (C3) The larger start need not be the lazier one: with $a_0 = s_0 = 1$ and $Y = 1$ Xavier's parameters rest,
            and He's shrink by the factor $2^{-1/2}$.
Idea        At $k \theta_0$ a network of degree $L$ has $k^L$ times the outputs and $k^{L-1}$ times the Jacobian. The
            neuron's flow conserves $a^2 - s^2$, which is $c$ from Xavier's start and $2c$ from He's
Tolerance   Flows bring their own error estimate. Torch's Jacobians are exact up to rounding. Scaling by two is exact in
            floating point
Expected    holds
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import as_printed, corrected
from theorems.section_07_initialization_and_learning_rate.section_7_1_initialization_schemes.neuron import (
    NEURONS,
    SCHEMES,
    neuron_flow,
)
from theorems.section_07_initialization_and_learning_rate.section_7_1_initialization_schemes.relu_networks import (
    drawn_network,
    predict,
    trained,
)


@as_printed
def test_the_paths_of_the_neuron_never_meet():
    # given  the starts with a_0 != s_0
    a, s, Y = (axis[NEURONS[0] != NEURONS[1]] for axis in NEURONS)
    flows = [neuron_flow(k * a, k * s, k + 0 * a, Y, np.array([0.1, 0.5, 2.0, 20.0])) for k in SCHEMES.values()]
    # when   a^2 - s^2 along both
    kept = [flow.states[:, 0] ** 2 - flow.states[:, 1] ** 2 for flow in flows]
    size = max(np.abs(flow.states).max() for flow in flows)
    slack = 4 * size * sum(flow.error.max() for flow in flows) + rounding(4, size**2)
    # then   it is c and 2c at all times
    assert_at_most(np.abs(kept[0] - (a**2 - s**2)).max(), slack, why="Xavier's keeps c")
    assert_at_most(np.abs(kept[1] - 2 * (a**2 - s**2)).max(), slack, why="He's keeps 2c")
    assert_at_most(10**6 * slack, np.abs(a**2 - s**2).min(), why="c and 2c are apart")


@corrected("C3")
def test_a_larger_start_may_move_its_parameters_and_the_smaller_one_not():
    # given  a_0 = s_0 = k, so that c = 0, and Y = 1: k = 1 interpolates at the start
    k = np.array(list(SCHEMES.values()))
    flow = neuron_flow(k, k, 0 * k, 1.0, np.array([40.0]))
    # then   both end at (1, 1)
    slack = 16 * flow.error[0] + rounding(4)
    assert_at_most(np.abs(flow.states[0, :2] / k - [1, 2**-0.5]).max(), slack, why="a and s over their starts")


@as_printed
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_he_starts_with_other_outputs_and_another_tangent_kernel_than_xavier(depth):
    import torch

    # given  torch's own initialization from one seed, by the names of its two activations
    outputs, kernels = [], []
    for nonlinearity in ("linear", "relu"):
        weights, X = drawn_network(depth, 713, nonlinearity)
        J = torch.autograd.functional.jacobian(lambda *w, X=X: predict(w, X), tuple(weights))
        J = torch.cat([block.flatten(1) for block in J], dim=1)
        outputs, kernels = [*outputs, predict(weights, X).numpy()], [*kernels, (J @ J.T).numpy()]
    # then   2^{L/2} times the outputs, not zero, and 2^{L-1} times the kernel
    f, K = norm(outputs[0]), norm(kernels[0])
    relative = rounding(2 * (8 * depth + J.shape[1]))  # outputs and J by layers of width 8, JJ' by its columns, twice
    missed = norm(outputs[1] - 2 ** (depth / 2) * outputs[0]), norm(kernels[1] - 2 ** (depth - 1) * kernels[0])
    assert_at_most(missed, [relative * 2 ** (depth / 2) * f, relative * 2 ** (depth - 1) * K], why="outputs and kernel")
    assert_at_most([f / 2, K / 2], [norm(outputs[1] - outputs[0]), norm(kernels[1] - kernels[0])], why="they differ")


@corrected("C2")
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_start_of_twice_the_size_is_trained_like_smaller_targets_bit_for_bit(depth):
    # given  k = 2, with which floating point scales exactly
    weights, X = drawn_network(depth, 714, "linear")
    y, eta = X[:, 0] + 1, 2.0**-8
    # when
    large = trained([2 * W for W in weights], X, y, eta, 3)
    small = trained(weights, X, y / 2**depth, 2 ** (2 * depth - 2) * eta, 3)
    # then
    for left, right in zip(large, small, strict=True):
        assert_identical(left, 2 * right, why="a layer after three steps")
