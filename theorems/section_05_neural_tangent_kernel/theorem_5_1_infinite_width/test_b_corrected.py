r"""Theorem 5.1 (b) - how far Jacobian and kernel can move.

Setting     One or two hidden layers of tanh, loss $\frac12 \|r\|^2$ with $r = f(X) - y$. $J$ is the Jacobian of $f(X)$
            in the trained weights (all, or the hidden weights $W$ alone), $K = J J^\top$, and $d$ the distance of the
            weights from their start. $\mathrm{Lip}$ bounds $\|J - J_0\|/d$ up to this $d$; `turning_rate` computes it
            for one hidden layer and `deep_turning_rate` for two.
Corrected   (C1) For tanh, one or two hidden layers, and any step, width and targets: $\|J - J_0\| \le \mathrm{Lip}\, d$
            and $\|K - K_0\| \le 2 \|J_0\|\, \mathrm{Lip}\, d + (\mathrm{Lip}\, d)^2$.
Idea        The derivative of tanh is at most 1, and its second derivative is bounded. So $J$ changes by at most
            $\mathrm{Lip}\, d$. The bound for $K = J J^\top$ follows by the triangle inequality.
Tolerance   Rounding of the kernel (`kernel_rounding`), and for two hidden layers that of sums over both layers
            (`tangent_rounding`).
"""

import dataclasses

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most
from properties.lazy_training import kernel_drift, kernel_rounding, spectral, turning_rate
from theorems.ledger import corrected
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import POINTS, drawn_network
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.runs import (
    deep_run,
    kernel_change,
    path_distances,
    sampled_path,
)
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_kernel import deep_turning_rate
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_network import deep_network
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import trainings
from theorems.section_05_neural_tangent_kernel.wide_networks.network_rounding import tangent_rounding


@corrected("C1")
@pytest.mark.parametrize("train", ["hidden", "both"])
@given_batches(problem=trainings())
def test_at_every_step_jacobian_and_kernel_have_moved_no_further_than_the_weights_allow(problem, train):
    # given  tanh and signs; a step below 2/|K_0|, any width, any targets. No hypothesis makes the movement small
    start, X = drawn_network(problem, "tanh", signs=True), problem.X
    eta, J_0 = problem.step / spectral(start.kernel(X, train=train)), start.jacobian(X, train)
    # when   thirty steps of gradient descent
    path = sampled_path(6, start, X, problem.y, eta, train, 30)
    moved, drift, _ = path_distances(path, X, problem.y, train)
    # then
    turn = np.stack([spectral(net.jacobian(X, train) - J_0) for net in path], axis=-1)
    rounding = sum(kernel_rounding(net, X, train) for net in path)
    allowed = turning_rate(start, X, train)[:, None] * moved + (rounding / spectral(J_0))[:, None]
    assert_at_most(turn, allowed, why="|J_t - J_0|", instance=problem)
    bound = kernel_drift(start, X, moved.T, train) + rounding
    assert_at_most(drift, bound.T, why="|K_t - K_0|", instance=problem)


@corrected("C1")
@pytest.mark.parametrize("width", [4, 64])
def test_two_hidden_layers_move_no_further_than_their_weights_allow_either(width):
    # given  tanh, targets at distance 1, eta |K_0| = 1. Lip is taken for the largest distance d of the run
    states, _ = deep_run(width, size=1.0, step=1.0)
    start, moved = states[0], np.array([net.distance(states[0]) for net in states])
    # then
    change = deep_turning_rate(start, POINTS[:2], moved.max()) * moved
    difference = [norm(net.jacobian(POINTS[:2]) - start.jacobian(POINTS[:2])) for net in states]
    K_0 = start.kernel(POINTS[:2])
    drift = np.array([spectral(net.kernel(POINTS[:2]) - K_0) for net in states])
    slack = tangent_rounding(width, K_0)
    assert_at_most(difference, change + slack, why="|J_t - J_0|")
    assert_at_most(drift, kernel_change(np.sqrt(spectral(K_0)), change) + slack, why="|K_t - K_0|")


def jacobian_change_over_bound(seed, hidden_layers):
    """|J - J_0| over its bound Lip d with rounding, for weights, inputs and moves of extreme sizes; tanh.

    Widths 1 to 6. The weights of a layer have a size from 10^-3 to 10^2, or are zero in one case of five. Up to four
    inputs of sizes 10^-3 to 10^3, equal or in general position. The move has a length from 10^-4 to 10^2, and its
    direction is random or along the Jacobian. Rounding: weights move in 2 operations of size |theta|, and an entry of J
    goes through sums over three layers of m and d terms with activations of 8 operations.
    """
    rng = np.random.default_rng(seed)
    n, d, m, reach = 1 + rng.integers(4), 1 + rng.integers(4), 1 + rng.integers(6), 10 ** rng.uniform(-4, 2)
    X = 10 ** rng.uniform(-3, 3) * [rng.standard_normal((n, d)), np.ones((n, 1)) * rng.standard_normal(d)][seed % 2]
    net = deep_network(m, d, seed, hidden_layers=hidden_layers, activation="tanh")
    sizes = 10 ** rng.uniform(-3, 2, len(net.layers)) * (rng.random(len(net.layers)) < 0.8)
    net = dataclasses.replace(net, layers=tuple(size * W for size, W in zip(sizes, net.layers, strict=True)))
    random = deep_network(m, d, seed + 1, hidden_layers=hidden_layers, activation="tanh").layers
    along = [g.T @ h for g, h in net.signals(X)] if seed % 3 else random
    length = np.sqrt(sum(np.sum(step**2) for step in along)) or 1.0
    moved = tuple(W + reach / length * step for W, step in zip(net.layers, along, strict=True))
    other = dataclasses.replace(net, layers=moved)
    shallow = TwoLayer(net.layers[0], net.layers[-1][0], "tanh", m**-0.5)
    rate = turning_rate(shallow, X) if hidden_layers == 1 else deep_turning_rate(net, X, reach)
    theta = np.sqrt(sum(np.sum(W**2) for W in (*net.layers, *other.layers)))
    J, J_0 = other.jacobian(X), net.jacobian(X)
    slack = rounding(2, rate * theta) + rounding(3 * (m + d + 8), norm(J) + norm(J_0))
    turn = norm(J - J_0) if hidden_layers == 2 else spectral(J - J_0)
    return turn / (rate * net.distance(other) + slack + np.finfo(float).tiny)


@corrected("C1")
@pytest.mark.slow
@pytest.mark.parametrize("hidden_layers", [1, 2])
def test_weights_inputs_and_distances_of_any_size_turn_the_jacobian_no_faster(hidden_layers):
    ratios = [jacobian_change_over_bound(seed, hidden_layers) for seed in range(1000)]
    assert_at_most(ratios, 1, why="|J - J_0| <= Lip d")
    assert_at_most(1 / 2, max(ratios), why="the largest ratio is at least one half")
