r"""Theorem 5.1 (c) - the function-space ODE.

Printed     (Theorem 5.1, display) $\frac{df(x_i)}{dt} = -\sum_{j=1}^n K(x_i, x_j)(f(x_j) - y_j)$
Reading     $K$ is the kernel $K_t$ of the moment, which by Theorem 5.1 (b) is nearly $K_0$. The loss is the squared
            loss of Section 3.1, $\frac12 \sum_i (f(x_i) - y_i)^2$: for it the equation needs no factor.
Readings    [mean loss] the loss is that of Section 2.1, with $\frac{1}{2n}$ - refuted
Setting     One to three hidden layers of any width, no biases, all weights trained; $r = f(X) - y$; $J$ is the Jacobian
            of $f(X)$, and $K_t = J J^\top$ at time $t$.
Corrected   (C2) Under the loss with $\frac{1}{2n}$: $\frac{df(X)}{dt} = -\frac1n K_t (f(X) - y)$.
Idea        The chain rule: $\frac{df(X)}{dt} = J \dot\theta$ and $\dot\theta = -J^\top r$. A loss with $\frac{1}{2n}$
            has the gradient $J^\top r / n$.
Tolerance   Witnesses are rational. Elsewhere the derivative is taken by a complex step, which has no truncation error,
            and the bound is the rounding of the products.
Findings    The equation is shown for one, two and three hidden layers.
Expected    holds
"""

import dataclasses
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.two_layer import gradients, network_path
from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import (
    ONE_NEURON,
    POINTS,
    drawn_network,
)
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_network import deep_network
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import trainings


def flow_rate(net, X, y):
    """D f(X)/dt under the flow of (1/2n)|f(X) - y|^2, exact: a central difference of a function quadratic in h."""
    velocity = -((net.predict(X) - y) @ net.jacobian(X)) / len(X)
    h = Fraction(1, 2**20)
    return (net.moved(velocity, h).predict(X) - net.moved(velocity, -h).predict(X)) / (2 * h)


@counterexample(reading="mean loss")
def test_the_printed_equation_runs_n_times_too_fast():
    r"""One neuron $w = (1, 1)$, $a = 1$ at $x_1 = e_1$, $x_2 = e_2$: $f = (1, 1)$, $K_{ij} = x_i \cdot x_j + 1$. For
    $y = (0, 1)$ the residual is $r = (1, 0)$, and the print has $\dot f = -K r = -(2, 1)$. The flow of $\|r\|^2/(2n)$,
    $n = 2$, has $\dot\theta = -J^\top r/2$, so $\dot f = -(2, 1)/2$: the speed of $f(x_1)$ is 1, and 2 in the print."""
    X, y = fractions([[1, 0], [0, 1]]), fractions([0, 1])
    printed = -ONE_NEURON.kernel(X) @ (ONE_NEURON.predict(X) - y)
    # when
    rate = flow_rate(ONE_NEURON, X, y)
    # then
    assert_identical(printed, 2 * rate, why="the printed rate is n times the rate of the flow")
    reads = "printed speed of f(x_1) {value} > speed of the flow {limit}"
    assert_violates(-printed[0], -rate[0], reads=reads, K=[[2, 1], [1, 2]], r=[1, 0], n=2)


@counterexample(reading="mean loss")
def test_a_search_finds_the_lost_factor_and_needs_two_samples_for_it():
    def misses(instance):
        (w, a), y = instance
        X = fractions([[1, 0], [0, 1]])[: len(y)]
        net = ExactReluNetwork(fractions([w]), fractions([a]), Fraction(1))
        r = net.predict(X) - fractions(list(y))
        return np.any(flow_rate(net, X, fractions(list(y))) != -net.kernel(X) @ r)

    network = st.tuples(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(0, 2))
    targets = st.lists(st.integers(0, 2), min_size=1, max_size=2).map(tuple)
    found = smallest_violation(st.tuples(network, targets), misses, budget=200)
    assert_identical(len(found[1]), 2, why="the smallest violation has two samples")


@as_printed
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@given_batches(problem=trainings(log_widths=range(1, 5)))
def test_at_every_width_the_values_move_by_the_kernel_of_the_moment(problem, activation):
    # given  both layers are trained; the network after two steps of descent, so not at its start
    start = drawn_network(problem, activation)
    *_, net = islice(network_path(start, problem.X, problem.y, problem.step / 40), 3)
    r = net.predict(problem.X) - problem.y
    # when   the derivative of f along -grad L by a complex step, which has no error but rounding
    in_W, in_a = gradients(net, problem.X, r)
    h = 1e-30
    beside = dataclasses.replace(net, W=net.W - 1j * h * in_W, a=net.a - 1j * h * in_a)
    rate = beside.predict(problem.X).imag / h
    # then   the gradient, the derivative and the kernel sum over m neurons, d entries and n inputs each, with
    #        activations of 8 operations; `steep` is for the slopes s' at a rounded w.x
    expected = -np.matvec(net.kernel(problem.X), r)
    size = norm(net.jacobian(problem.X), axis=(-2, -1)) ** 2 * norm(r, axis=-1)
    steep = 1 + norm(net.W, axis=-1).max(-1) * norm(problem.X, axis=-1).max(-1)
    slack = rounding(3 * (net.width + sum(problem.X.shape[1:]) + 8), size * steep)
    assert_at_most(norm(rate - expected, axis=-1), slack, why="df/dt = -K_t r", instance=problem)


@as_printed
@pytest.mark.parametrize("hidden_layers", [2, 3])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_in_deeper_networks_too_the_values_move_by_the_kernel_of_the_moment(activation, hidden_layers):
    # given  all layers are trained; the network after two steps of descent; three inputs
    y, net = np.array([1.0, -1, 0.5]), deep_network(16, 2, 16, hidden_layers=hidden_layers, activation=activation)
    for _ in range(2):
        net = net.moved(POINTS, net.predict(POINTS) - y, -0.1)
    # when   the derivative of f along -J'r by a complex step
    r, h = net.predict(POINTS) - y, 1e-30
    rate = net.moved(POINTS, r, -1j * h).predict(POINTS).imag / h
    # then   the step, the derivative and the kernel go through all layers; each sums 16 terms, with an activation of 8
    #        operations. A product of three entries is last
    slack = rounding(3 * (hidden_layers + 1) * (16 + 8) + 3, norm(net.jacobian(POINTS)) ** 2 * norm(r))
    assert_equal_within(rate, -net.kernel(POINTS) @ r, slack, why="df/dt = -K_t r")


@corrected("C2")
def test_under_the_mean_loss_the_rate_is_one_nth_of_that():
    # given  three inputs of one exact network
    net = ExactReluNetwork(fractions([[1, 2], [2, -1]]), fractions([1, 3]), Fraction(1))
    X, y = fractions([[1, 0], [3, 4], [-4, 3]]), fractions([1, -2, 0])
    assert_identical(flow_rate(net, X, y), -net.kernel(X) @ (net.predict(X) - y) / 3, why="df/dt = -(1/n) K_t r")
