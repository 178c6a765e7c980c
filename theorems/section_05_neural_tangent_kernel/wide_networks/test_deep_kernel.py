"""Self-tests: the deviations of a deep kernel hold and are not much too wide, and its turning rate is a valid bound."""

import dataclasses

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from numpy.linalg import norm

from fixtures.kernels.infinite_width import arc_cosine_0, arc_cosine_1, relu_ntk
from fixtures.models.activations import ACTIVATIONS
from fixtures.precision import factorization, rounding
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from properties.statistics.concentration import relu_nngp_log_mgf
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_kernel import (
    _given_the_values,
    deep_lazy_radius,
    deep_relu_shares,
    deep_turning_rate,
)
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_network import DeepNetwork, deep_network

X = np.array([[1.0, 2, -1], [0, 1, 1], [3, -1, 0.5]])


def recursion(products):
    """The kernel |phi||phi'| k_1(r_1) + k_0(r_1)(phi.phi' + x.x' k_0(r)), from the products of the features at X."""
    sizes, lengths = np.sqrt(np.diagonal(products)), norm(X, axis=1)
    r = np.clip(X @ X.T / (lengths[:, None] * lengths), -1, 1)
    r_1 = np.clip(products / (sizes[:, None] * sizes), -1, 1)
    return sizes[:, None] * sizes * arc_cosine_1(r_1) + arc_cosine_0(r_1) * (products + (X @ X.T) * arc_cosine_0(r))


def test_the_two_contributions_add_up_to_the_kernel_and_their_limits_to_the_recursion():
    net = deep_network(64, 3, 1)
    products, upper, gates, lower = deep_relu_shares(net, X, 0.01)
    # then   two sums over 64 neurons and one over 3 inputs on each side
    K = net.kernel(X)
    slack = rounding(2 * (2 * 64 + 3), np.abs(K).max())
    assert_equal_within(upper.value + lower.value, K, slack, why="K_23 + K_1")
    assert_identical(lower.limit, (X @ X.T) * gates.value, why="x.x' times the gates")
    # then   at the limit of the products, the limits of the infinitely wide network; acos near 1 costs the square root
    #        of eight roundings
    root = np.sqrt(rounding(8)) * np.abs(K).max()
    limits = upper.limit + (X @ X.T) * gates.limit
    assert_at_most(np.abs(limits - recursion(products.value)), root, why="limits given the features")
    assert_at_most(np.abs(recursion(products.limit) - relu_ntk(X, hidden_layers=2)), root, why="the recursion")


@pytest.mark.slow
def test_deviations_at_one_in_twenty_are_exceeded_less_often_and_every_matrix_reaches_half_of_them():
    # given  40 networks of width 64 at two inputs
    def ratios(shares):
        return [(np.abs(share.value - share.limit) / share.allowed)[[0, 0, 1], [0, 1, 1]] for share in shares]

    found = np.array([ratios(deep_relu_shares(deep_network(64, 3, seed), X[:2], 1 / 20)) for seed in range(40)])
    # then   an entry has 2, 2, 4 and 4 comparisons
    assert_at_most((found > 1).mean((0, 2)), [1 / 10, 1 / 10, 1 / 5, 1 / 5], why="how often the deviation is passed")
    assert_at_most(1 / 2, found.max((0, 2)), why="the largest share of its deviation")


def test_the_deviation_of_the_first_layer_is_that_of_a_chi_square_and_two_normal_variables():
    # given  equal inputs, Phi = e_1, values H = 0: sum_k q_k^2 = |v|^2 times a chi-square of m - 1 degrees, |v|^2 = m
    m, alarm, e = 200, 1e-6, np.eye(200)[0]
    sums = rounding(m, m**2)  # sums of m terms, of size m^2
    Phi, v, G = np.stack([e, e], axis=1), np.ones((2, m)), np.ones(m)
    mean, known, deviation = _given_the_values(Phi, 0 * Phi, v, G, alarm)
    assert_within(m * (m - 1), mean, m * (m - 1), slack=sums, why="v.v' tr(Pi G)")
    assert_within(m, known, m, slack=sums, why="what Pi takes")
    exact = m * (scipy.stats.chi2(m - 1).isf(alarm) - (m - 1))
    assert_within(exact, deviation, 1.2 * exact, why="quantile of the chi-square")
    # and    orthogonal v, v' of length sqrt(m): a sum of m products of independent normals, for which E exp(s n n') =
    #        (1 - s^2)^(-1/2); the best exponent is searched on a grid
    *_, product = _given_the_values(
        Phi, 0 * Phi, np.stack([np.ones(m), np.where(np.arange(m) % 2, 1.0, -1.0)]), G, alarm
    )
    s = np.linspace(1e-3, 1, 10**4, endpoint=False)
    least = m * np.min((np.log(1 / alarm) - m / 2 * np.log1p(-(s**2))) / s)
    assert_within(least * (1 - 1e-4), product, least, slack=sums, why="products of independent normals")
    # and    values H = (1, ..., 1) at Phi = (1, ..., 1)/sqrt(m), half of the neurons active: p = sqrt(m)(1, ..., 1) and
    #        |Pi G p| = m/2; the two terms linear in N have deviation |v| m/2 each
    Phi, G = np.ones((m, 2)) / np.sqrt(m), np.arange(m) % 2 * 1.0
    (mean, _, more), (_, _, less) = (_given_the_values(Phi, H, v, G, alarm) for H in (np.ones((m, 2)), 0 * Phi))
    assert_within(
        m**2 / 2 + m * (m - 1) / 2, mean, m**2 / 2 + m * (m - 1) / 2, slack=sums, why="p'Gp' + |v|^2 tr(Pi G)"
    )
    linear = 2 * np.sqrt(2 * np.log(2 / alarm)) * np.sqrt(m) * m / 2
    assert_within(linear, more - less, linear, slack=sums, why="two normal variables")


@pytest.mark.parametrize(("r", "s"), [(-0.6, 0.7), (0.0, -2.0), (0.3, 0.5), (1.0, 0.2), (1.0, -3.0)])
def test_the_moment_generating_function_of_a_product_of_relus_is_its_integral(r, s):
    spread = np.sqrt(1 - r**2)

    def given(u):
        # E[exp(s u v); v > 0] for v normal with mean r u and variance 1 - r^2
        shifted = (r * u + s * u * spread**2) / spread if spread else np.inf
        return np.exp(s * r * u**2 + (s * u * spread) ** 2 / 2 - u**2 / 2 + scipy.special.log_ndtr(shifted))

    active, error = scipy.integrate.quad(given, 0, 60, epsabs=1e-13)
    exact = 1 - arc_cosine_0(r) + active / np.sqrt(2 * np.pi)
    assert_at_most(abs(np.exp(relu_nngp_log_mgf(r, s)) - exact), error + rounding(20, exact), why="E exp(s u+ v+)")


def moved(net, by, rng):
    steps = [rng.standard_normal(W.shape) for W in net.layers]
    length = np.sqrt(sum(np.sum(step**2) for step in steps))
    return dataclasses.replace(
        net, layers=tuple(W + by / length * step for W, step in zip(net.layers, steps, strict=True))
    )


@pytest.mark.parametrize("reach", [1e-3, 0.1, 3.0])
def test_the_jacobian_turns_no_faster_between_any_two_points_within_reach(reach):
    rng, net = np.random.default_rng(5), deep_network(4, 3, 5, activation="tanh")
    rate = deep_turning_rate(net, X, reach)
    pairs = [(moved(net, reach * rng.random(), rng), moved(net, reach * rng.random(), rng)) for _ in range(100)]
    change = np.array([norm(first.jacobian(X) - second.jacobian(X)) for first, second in pairs])
    lengths = np.array([first.distance(second) for first, second in pairs])
    assert_at_most(change, rate * lengths, why="|J - J'| <= C |theta - theta'|")


def test_every_term_of_the_turning_rate_by_hand():
    # given  W_1 = 0, so that phi = 0 and h = 0; W_2 = 2 everywhere, of norm 8; a = 3, so that |v| = 6 and q = 24; x = 1
    net = DeepNetwork((np.zeros((4, 1)), np.full((4, 4), 2.0), np.full((1, 4), 3.0)), "tanh")
    L, near = ACTIVATIONS["tanh"].curvature, 1e-9
    # then   e_1 = e, e_2 = 8/2 e, e_3 = (1 + 3 L 4)e, e_4 = (6 + 8(1 + 12 L))e
    blocks = (14 + 96 * L + 24 * L) / 4, 6 / 4, 4 / 2
    assert_within(norm(blocks), deep_turning_rate(net, np.ones((1, 1)), near), norm(blocks) * (1 + 100 * near), why="C")


def test_the_block_of_a_layer_that_does_not_move_turns_at_exactly_its_part_of_the_rate():
    # given  a = 3, W_2 = 2 and one neuron in each layer: W_1 = h instead of 0 turns s(h_2) by 2 h, and v phi' by 3 h
    net, h = DeepNetwork((np.zeros((1, 1)), np.full((1, 1), 2.0), np.full((1, 1), 3.0)), "tanh"), 1e-4
    other = dataclasses.replace(net, layers=(np.full((1, 1), h), *net.layers[1:]))
    change = (other.jacobian(np.ones((1, 1))) - net.jacobian(np.ones((1, 1))))[0] / h
    assert_within([3 - h, 2 - h], change[1:], [3, 2], why="v phi'/m and s(h)/sqrt(m)")


def test_the_radius_is_four_residuals_over_the_least_singular_value_and_other_networks_are_refused():
    net = deep_network(4, 3, 5, activation="tanh")
    known, least = (
        deep_lazy_radius(net, X[:2], net.predict(X[:2]) + np.array([0.03, 0.04])),
        norm(net.jacobian(X[:2]), -2),
    )
    # then   s_0 by an SVD of J (2, 32) against the root of an eigenvalue of K, whose condition is the square
    units = rounding(32 + 2 * factorization(2, 32), (norm(net.jacobian(X[:2]), 2) / least) ** 2)
    assert_equal_within(known.radius, 0.2 / least, units * known.radius, why="4 |r_0|/s_0")
    laziness = deep_turning_rate(net, X[:2], known.radius) * known.radius * 2 / least
    assert_equal_within(known.laziness, laziness, units * laziness, why="C radius/(s_0/2)")
    with pytest.raises(ValueError, match="no turning rate is known for 3 layers of weights and relu"):
        deep_turning_rate(deep_network(4, 3, 5), X, 1.0)
