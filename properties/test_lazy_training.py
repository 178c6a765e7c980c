"""Self-tests: the bounds of lazy training hold, are attained in examples, and refuse networks they do not cover."""

import dataclasses
from itertools import islice

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.two_layer import network_path
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_within
from properties.lazy_training import (
    LAZY_STEP,
    displacement,
    kernel_drift,
    kernel_rounding,
    lazy_radius,
    linearization_gap,
    movement_error,
    path_error,
    spectral,
    turning_rate,
)

X, y = np.array([[1.0, 2, -1], [0, 1, 1], [3, -1, 0.5]]), np.array([1.0, -0.5, 0.25])
ROUNDING = 256 * UNIT_ROUNDOFF


def displaced(net, dW, da):
    return dataclasses.replace(net, W=net.W + dW, a=net.a + da)


@pytest.mark.slow
@pytest.mark.parametrize("train", ["hidden", "both"])
@pytest.mark.parametrize("activation", ["tanh", "erf", "identity"])
def test_the_jacobian_turns_no_faster_than_its_rate_at_short_and_long_distances(activation, train):
    # given  displacements of lengths from 1/1000 to 1000, in 200 random directions
    rng = np.random.default_rng(3)
    net = two_layer("ntk", 5, 3, np.arange(200), activation=activation)
    lengths = 10.0 ** np.linspace(-3, 3, 200)
    dW, da = rng.standard_normal((200, 5, 3)), rng.standard_normal((200, 5)) * (train == "both")
    scale = lengths / np.sqrt(norm(dW, axis=(-2, -1)) ** 2 + norm(da, axis=-1) ** 2)
    moved = displaced(net, scale[:, None, None] * dW, scale[:, None] * da)
    change = norm(moved.jacobian(X, train) - net.jacobian(X, train), 2, axis=(-2, -1))
    assert_at_most(
        change, turning_rate(net, X, train) * lengths * (1 + ROUNDING), why="|J - J_0| <= C |theta - theta_0|"
    )


def test_the_rate_is_attained_by_a_linear_neuron_and_by_tanh_where_it_bends_most():
    x = np.array([[0.6, 0.8]])
    linear = TwoLayer(np.array([[0.5, -1.0]]), np.array([2.0]), "identity", 1.5, inner=2.0)
    change = norm(displaced(linear, 0.3 * x, 0.4).jacobian(x) - linear.jacobian(x))
    assert_within(3 * 0.5, change, turning_rate(linear, x) * 0.5, slack=ROUNDING, why="scale inner |x| d")
    # given  u = artanh(1/sqrt(3)), where |s''| is largest; |s''''| <= 24
    bent, h = TwoLayer(np.arctanh(3**-0.5) * x, np.array([-2.0]), "tanh", 3.0), 1e-3
    change = norm(displaced(bent, h * x, 0.0).jacobian(x, "hidden") - bent.jacobian(x, "hidden"))
    bound = turning_rate(bent, x, "hidden") * h
    assert_within(bound - 6 * 24 / 6 * h**3, change, bound, slack=ROUNDING, why="scale |a| L |x|^2 d")


def test_the_rate_of_both_layers_must_exceed_the_larger_of_its_two_parts():
    # given  the point where |s''| is largest, with |a| L = 1 and s' = 2/3: J turns by [[1, 2/3], [2/3, 0]] (dw, da),
    #        which has norm 4/3 along (2, 1); the second derivatives of J are below 4
    net = TwoLayer(np.arctanh([[3**-0.5]]), np.array([-(3**1.5) / 4]), "tanh", 1.0)
    one, h = np.ones((1, 1)), 1e-3
    change = norm(displaced(net, 2 * h / 5**0.5, h / 5**0.5).jacobian(one) - net.jacobian(one))
    assert_within(4 / 3 * h - 2 * h**2, change, turning_rate(net, one) * h, why="more than max(r, S) = 1 times h")


def test_the_drift_of_the_kernel_is_attained_where_the_jacobian_grows_along_itself():
    # given  a linear neuron with w along x; w and a, and so J, are multiplied by 3/2
    x = np.array([[0.6, 0.8]])
    net = TwoLayer(2 * x, np.array([2.0]), "identity", 3.0)
    moved = displaced(net, x, 1.0)
    drift = (moved.kernel(x) - net.kernel(x))[0, 0]
    bound = kernel_drift(net, x, 2**0.5)
    assert_within(bound, drift, bound, slack=ROUNDING * bound, why="2 |J_0| C d + (C d)^2")


def test_the_error_of_the_movement_is_attained_along_the_diagonal_of_a_product():
    # given  f = a w at a = w = 1, moved to a = w = 1 + h: sqrt(v' K_0^-1 v) = sqrt(2) (h + h^2/2), |J_0| = sqrt(2)
    h = 0.25
    error = abs(2**0.5 * h - 2**0.5 * (h + h**2 / 2))
    bound = movement_error(1.0, 2**0.5, 0.0, np.array([0, 2**0.5 * h]), np.array([1.0, 0.0]))[1]
    assert_within(bound, error, bound, slack=ROUNDING, why="C d^2/(2 sigma)")


def test_the_part_of_the_error_off_the_row_space_is_attained_at_a_saddle():
    # given  f = 3 a w at a = 1, w = 0, where J turns at a right angle; two steps with eta = 1/36 towards y = 3
    net, x, y, eta = TwoLayer(np.zeros((1, 1)), np.ones(1), "identity", 3.0), np.ones((1, 1)), np.array([3.0]), 1 / 36
    path = list(islice(network_path(net, x, y, eta), 3))
    D = np.array([[at.W[0, 0], at.a[0] - 1] for at in path])
    moved, misfit = norm(D, axis=1), np.array([abs(at.predict(x)[0] - 3) for at in path])
    # then   linearized descent stays at a = 1 with w_1 = 1/4, w_2 = 7/16; the network's a moves by eta C d_1 |r_1|
    off_row = movement_error(3.0, 3.0, eta, moved, misfit)[2] - moved[2] ** 2 / 2
    assert_within(abs(D[2, 1]), off_row, abs(D[2, 1]), slack=ROUNDING, why="eta C sum d |r|")
    error = norm(D - [[0, 0], [1 / 4, 0], [7 / 16, 0]], axis=1)
    bound = path_error(3.0, 3.0, eta, moved, norm(np.diff(D, axis=0), axis=1), misfit)
    assert_at_most(error, bound + ROUNDING, why="distance to the linearized path")
    off_row = bound[2] - moved[1] ** 2 / 2
    assert_within(abs(D[2, 1]), off_row, abs(D[2, 1]), slack=ROUNDING, why="eta C sum d |r|, once more")


@pytest.mark.slow
def test_the_part_of_the_path_error_from_curvature_is_attained_at_the_end_and_does_not_grow_with_time():
    # given  f = a w at a = w = 1 and eta = 4/9: one step moves both weights to 5/4 and f to y = 25/16, its limit
    net, one, eta = TwoLayer(np.ones((1, 1)), np.ones(1), "identity", 1.0), np.ones((1, 1)), 4 / 9
    path = list(islice(network_path(net, one, np.array([25 / 16]), eta), 1001))
    weights, misfit = (
        np.array([at.parameters() for at in path]),
        np.array([at.predict(one)[0] - 25 / 16 for at in path]),
    )
    # then   the linearization still has a residual of 1/16, and each step removes 8/9 of its residual
    moved, lengths = norm(weights - weights[0], axis=1), norm(np.diff(weights, axis=0), axis=1)
    bound = path_error(1.0, 2**0.5, eta, moved, lengths, np.abs(misfit))
    error = 2**-0.5 / 16 * (1 - 9.0 ** -np.arange(1000))
    assert_within(8 / 9 * bound[2:], error[1:], bound[2:], slack=ROUNDING, why="C d^2/(2 sigma) from then on")
    assert_within(bound[1000], error[-1], bound[1000], slack=ROUNDING, why="attained in the end")
    assert_at_most(bound[1], 0, why="the first step is that of the linearization")


@pytest.mark.parametrize("activation", ["tanh", "erf"])
def test_jacobian_and_kernel_move_no_further_than_their_bounds(activation):
    start = two_layer("ntk", np.array([4, 16, 64]), 3, np.arange(3), activation=activation, signs=True)
    other = dataclasses.replace(start, W=1.2 * start.W)
    distance = displacement(other, start)
    change = norm(other.jacobian(X, "hidden") - start.jacobian(X, "hidden"), axis=(-2, -1))
    assert_at_most(change, turning_rate(start, X, "hidden") * distance, why="change of the Jacobian")
    drift = spectral(other.kernel(X, train="hidden") - start.kernel(X, train="hidden"))
    bound = kernel_drift(start, X, distance, "hidden") + kernel_rounding(start, X) + kernel_rounding(other, X)
    assert_at_most(drift, bound, why="change of the kernel")
    assert_at_most(kernel_rounding(other, X), 1e-10 * spectral(other.kernel(X, train="hidden")), why="small roundings")


def test_the_rounding_of_the_kernel_of_both_layers_counts_the_output_weights():
    # given  a = 0, so the kernel of the hidden layer is exactly 0; the exact kernel is computed in extended precision
    net = two_layer("ntk", 64, 3, 1, activation="tanh")
    net = dataclasses.replace(net, a=0 * net.a)
    exact = dataclasses.replace(net, W=net.W.astype(np.longdouble)).kernel(X)
    error = spectral((net.kernel(X) - exact).astype(float))
    assert_at_most(error, kernel_rounding(net, X, "both"), why="rounding of both layers")
    assert_at_most(kernel_rounding(net, X), error / 2, why="which that of the hidden layer, 0, does not cover")


@pytest.mark.parametrize("t", [1, 2])
def test_steps_towards_larger_slopes_attain_every_term_of_the_distance_from_the_linearization(t):
    # given  one tanh neuron where its slope 2/3 grows fastest: s''' = 0, |s''''| <= 12. The target is so far away that
    #        the neuron moves by 1/20 in a step, although eta K_0 is 4/9000
    one, y, eta = np.ones((1, 1)), np.array([-75.0]), 1e-3
    start = TwoLayer(np.arctanh([[3**-0.5]]), np.ones(1), "tanh", 1.0)
    states = list(islice(network_path(start, one, y, eta, "hidden"), t + 1))
    contraction = 1 - eta * start.kernel(one, train="hidden")[0, 0]
    # then   J grows by at least L d - 2 d^3, and an error shrinks by the contraction in each later step
    gap = abs(states[t].predict(one)[0] - y[0] - contraction**t * (start.predict(one)[0] - y[0]))
    bound = linearization_gap(states, one, y, eta)
    third_order = 1 - 2 * displacement(states[t], start) ** 2 / (4 / (3 * 3**0.5))
    assert_within(third_order * contraction * bound, gap, bound, slack=75 * ROUNDING, why="eta sum of three products")


def test_a_linear_network_is_its_own_linearization():
    # given  the identity has curvature 0, so the turning rate and the gap are 0
    start = two_layer("ntk", 8, 3, 1, activation="identity", signs=True)
    states = list(islice(network_path(start, X, y, 0.05, "hidden"), 20))
    assert_at_most(linearization_gap(states, X, y, 0.05), 0, why="gap of a linear network")
    assert_at_most(lazy_radius(start, X, y).laziness, 0, why="laziness of a linear network")


def test_the_constants_of_the_radius_by_hand():
    # given  f = -3 tanh(w . x) at w = 0, two inputs at a right angle and a row of padding: J_0 has the singular values
    #        3 and 12, C = 3 * 4 * 4 L, and |r_0| = 3/16
    start = TwoLayer(np.zeros((1, 2)), np.array([-1.0]), "tanh", 3.0)
    inputs, targets = np.array([[1.0, 0], [0, 4], [0, 0]]), np.array([9 / 80, -12 / 80, 0])
    known = lazy_radius(start, inputs, targets)
    assert_within(0.25, known.radius, 0.25, slack=ROUNDING, why="4 |r_0|/s_0")
    laziness = 3 * 4 * 4 * 4 / (3 * 3**0.5) * 0.25 / 1.5
    assert_within(laziness, known.laziness, laziness, slack=ROUNDING * laziness, why="C radius/(s_0/2)")
    # then   (1 - (6/5) eta s_0^2/4)^(t/2)
    assert_within(0.9, known.residual_factor(1 / 27, 2), 0.9, slack=ROUNDING, why="two steps at eta s_0^2 = 1/3")


def test_the_constant_six_fifths_of_the_proof_holds_up_to_the_largest_step_and_not_two_percent_above_it():
    # given  C|r| <= s_0^2/8 for laziness 1, and |J^| <= (3/2)|J_0|
    def bracket(step):
        return 2 - step / 8 - step * 9 / 4

    assert_within(bracket(1.02 * LAZY_STEP), 6 / 5, bracket(LAZY_STEP), why="2 - eta C|r| - eta|J^|^2")


def test_the_laziness_of_both_layers_by_hand():
    # given  f = -tanh(w) at w = 0 and |r_0| = 1/8, so that s_0 = 1, R = 1/2 and |a| <= 3/2: r = L 3/2 = 2/sqrt(3)
    start, one = TwoLayer(np.zeros((1, 1)), np.array([-1.0]), "tanh", 1.0), np.ones((1, 1))
    known = lazy_radius(start, one, np.array([1 / 8]), "both")
    # then   C = (r + sqrt(r^2 + 4))/2 = sqrt(3), and C R/(s_0/2) = C
    assert_within(3**0.5, known.laziness, 3**0.5, slack=ROUNDING, why="C radius/(s_0/2), both layers")


@pytest.mark.slow
def test_the_movement_of_a_lazy_network_is_its_radius_within_a_factor_of_eight():
    # given  a wide network with small targets
    start = two_layer("ntk", 4096, 3, 5, activation="erf", signs=True, antisymmetric=True)
    targets = y / 20
    known = lazy_radius(start, X, targets)
    assert_at_most(known.laziness, 1, why="the theorem applies")
    # when
    eta = LAZY_STEP / spectral(start.kernel(X, train="hidden"))
    *_, end = islice(network_path(start, X, targets, eta, "hidden"), 60)
    # then   the shortest path to a fit is |J_0^+ r_0| >= |r_0|/|J_0|, and the radius is 4|r_0|/s_0
    assert_within(known.radius / 8, displacement(end, start), known.radius, why="displacement of a lazy network")
    residual = norm(end.predict(X) - targets)
    assert_at_most(residual, known.residual_factor(eta, 59) * norm(targets), why="residual")


def test_a_slope_that_jumps_and_a_singular_kernel_are_refused():
    with pytest.raises(ValueError, match="the slope of relu jumps"):
        turning_rate(two_layer("ntk", 8, 3, 1), X, "hidden")
    twice = np.stack([X, X[[0, 0, 1]]])
    with pytest.raises(ValueError, match="the kernel of instance 1 is singular"):
        lazy_radius(two_layer("ntk", np.array([8, 8]), 3, np.arange(2), activation="tanh", signs=True), twice, y)
    # given  one neuron with one weight: it cannot take three independent values
    with pytest.raises(ValueError, match="the kernel of instance 0 is singular"):
        lazy_radius(TwoLayer(np.ones((1, 1)), np.ones(1), "tanh", 1.0), X[:, :1], y)
