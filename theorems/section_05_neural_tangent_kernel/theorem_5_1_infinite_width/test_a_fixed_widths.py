r"""Theorem 5.1 (a) - the deviation from the limit at fixed widths, and the power of the bounds.

Setting     $f(x) = c \sum_j a_j s(w_j \cdot x)$ with $m$ neurons and a scale $c$, or two hidden layers of width $m$; no
            biases. $K_m$ is the kernel of all weights at the start, and $K^\infty$ its limit. Weights are standard
            normal; where a test says so, those of the last layer are random signs. Seeds are fixed.
Hypotheses  (H1) NTK parameterization: weights of order 1, and every layer but the first is divided by the root of the
            number of its inputs.
            (H2) The neurons are independent.
Idea        One hidden layer: $m K_m$ is a sum of independent terms of known moment generating function. For ReLU and
            $\|x\| = 1$, $m K_m(x, x)$ has a $\Gamma$ law, mixed over the number of active neurons. Two hidden layers:
            given the first layer, the other layers are a network with one hidden layer, and the share of the first
            layer is a Gaussian quadratic form. Power: an error of a stated size is missed with a stated probability.
Tolerance   Chernoff, Hoeffding and Dvoretzky-Kiefer-Wolfowitz (`properties.statistics.concentration`); for two hidden
            layers `wide_networks.deep_kernel`.
Chance      Each comparison fails by chance with probability $10^{-12}$.
"""

import dataclasses
import functools

import numpy as np
import pytest

from fixtures.kernels.infinite_width import erf_nngp, erf_ntk, relu_ntk
from fixtures.models.two_layer import two_layer
from properties.certificates import assert_at_most, assert_within, record_series
from properties.statistics.concentration import (
    detectable_error,
    dvoretzky_kiefer_wolfowitz,
    hoeffding,
    relu_ntk_deviations,
    relu_ntk_diagonal_cdf,
    sup_distance,
)
from theorems.ledger import under_hypotheses
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import (
    FIXED_DELTA,
    POINTS,
    independent_networks,
)
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_kernel import deep_relu_shares
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_network import deep_network
from theorems.section_05_neural_tangent_kernel.wide_networks.network_rounding import kernel_entry_rounding


@functools.cache
def deep_shares(width):
    """The shares of the kernel of one network of two hidden ReLU layers at POINTS, with their bounds at FIXED_DELTA."""
    return deep_relu_shares(deep_network(width, 2, width), POINTS, FIXED_DELTA)


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize("width", [16, 64])
def test_the_diagonal_of_a_relu_kernel_has_its_exact_law_and_so_variance_three_over_the_width(width):
    # given  4000 networks, |x| = 1
    samples = independent_networks(width, 4000).kernel(np.array([[0.6, 0.8]]))[:, 0, 0]
    # then   m K_m ~ Gamma(N, 2) with N ~ Bin(m, 1/2). DKW: P(sup > e) <= 2 exp(-2 count e^2), here e = 0.060
    bound = dvoretzky_kiefer_wolfowitz(4000, FIXED_DELTA)
    deviation = sup_distance(samples, lambda k: relu_ntk_diagonal_cdf(k, width))
    assert_at_most(deviation, bound, why="law of K_m(x, x), DKW")
    # and    power: the law for twice the width, with a deviation smaller by sqrt(2), is rejected
    other = sup_distance(samples, lambda k: relu_ntk_diagonal_cdf(k, 2 * width))
    assert_at_most(bound, other, why="the law of another width, DKW")


@under_hypotheses("H1", "H2")
def test_all_eight_kernels_of_a_width_are_within_a_bound_that_nearly_halves_at_four_times_the_width():
    # given  eight networks of each width; each side of each of 6 entries may fail with probability FIXED_DELTA
    widths, r = 4 ** np.arange(2, 7), np.clip(POINTS @ POINTS.T, -1, 1)
    # when   the largest deviation of an entry, and its bound
    off = np.array([np.abs(independent_networks(m, 8).kernel(POINTS) - relu_ntk(POINTS)).max((1, 2)) for m in widths])
    bound = np.array([np.max(dataclasses.astuple(relu_ntk_deviations(r, m, FIXED_DELTA))) for m in widths])
    # then
    assert_at_most(off.max(1), bound, why="largest entry of |K_m - K|")
    assert_at_most(1.9 * bound[1:], bound[:-1], why="the bound at four times the width")
    columns = {"least": off.min(1), "median": np.median(off, 1), "largest": off.max(1), "bound": bound}
    record_series("deviation of K_m", m=widths, **{name: column.round(5) for name, column in columns.items()})


@under_hypotheses("H1", "H2")
def test_a_quarter_of_a_million_relu_neurons_are_within_a_thirtieth_of_the_limit():
    # given  each side of each entry may fail with probability FIXED_DELTA
    net, r = two_layer("ntk", 2**18, 2, 18), np.clip(POINTS @ POINTS.T, -1, 1)
    allowed = relu_ntk_deviations(r, net.width, FIXED_DELTA)
    K, rounding = relu_ntk(POINTS), kernel_entry_rounding(net, POINTS)
    assert_within(K - allowed.below, net.kernel(POINTS), K + allowed.above, slack=rounding, why="entries of K_m")
    assert_at_most(np.maximum(allowed.above, allowed.below), 1 / 30, why="deviation that is allowed at this width")
    # and    power: an error of 1/15 is found. On the diagonal each layer has a share of 1/2
    found = detectable_error(lambda delta: relu_ntk_deviations(r, net.width, delta), FIXED_DELTA, FIXED_DELTA)
    assert_at_most(
        np.maximum(found.above, found.below), 1 / 15, why="error that is missed with probability FIXED_DELTA"
    )


@under_hypotheses("H1", "H2")
def test_a_quarter_of_a_million_erf_neurons_are_within_a_thirtieth_of_the_limit():
    # given  signs; each entry may fail with probability FIXED_DELTA
    net, spread = two_layer("ntk", 2**18, 2, 18, activation="erf", signs=True), 2 - np.eye(3) + 4 / np.pi
    gap, rounding = np.abs(net.kernel(POINTS) - erf_ntk(POINTS)), kernel_entry_rounding(net, POINTS)
    assert_at_most(gap, hoeffding(spread, net.width, FIXED_DELTA) + rounding, why="entries of K_m - K")
    assert_at_most(hoeffding(spread, net.width, FIXED_DELTA), 1 / 30, why="deviation that is allowed at this width")
    # and    power: a share of one layer that is wrong by a factor 1.3 is found
    found = np.diagonal(detectable_error(lambda delta: hoeffding(spread, net.width, delta), FIXED_DELTA, FIXED_DELTA))
    shares = erf_nngp(POINTS), erf_ntk(POINTS) - erf_nngp(POINTS)
    assert_at_most(
        found, 0.3 * np.diagonal(np.minimum(*shares)), why="error that is missed with probability FIXED_DELTA"
    )


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize(("trained", "size"), [("hidden", 1.0), ("output", 1.0), ("both", np.sqrt(2))])
def test_a_layer_at_rest_and_another_variance_are_seen_at_width_4096(trained, size):
    # given  one layer alone is trained, or the output weights have variance two: the kernel has another limit
    X, lengths, net = np.array([[1.0, 2], [2, 1]]), 5.0, two_layer("ntk", 4096, 2, 5)
    other = dataclasses.replace(net, a=size * net.a).kernel(X, train=trained)
    # then   every entry is farther from the limit than the bound at FIXED_DELTA allows
    allowed = relu_ntk_deviations(X @ X.T / lengths, net.width, FIXED_DELTA)
    off = np.abs(other - relu_ntk(X))
    assert_at_most(lengths * np.maximum(allowed.below, allowed.above), off, why="power against another network")


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize("width", [64, 1024])
def test_the_kernel_of_two_hidden_relu_layers_is_near_its_recursion_layer_by_layer(width):
    # given  12 comparisons for each of 6 entries, each at FIXED_DELTA
    # then   the inner products of the features, the kernel of the upper layers, the gates, the share of the first layer
    for share, why in zip(deep_shares(width), ("products of the features", "K_23", "gates", "K_1"), strict=True):
        assert_at_most(np.abs(share.value - share.limit), share.allowed, why=why)


@under_hypotheses("H1", "H2")
def test_sixteen_times_the_width_leaves_the_deep_kernel_a_third_of_its_deviation():
    allowed = np.array([[share.allowed for share in deep_shares(width)] for width in (64, 1024)])
    assert_at_most(3 * allowed[1].max((1, 2)), allowed[0].max((1, 2)), why="deviations that are allowed")
