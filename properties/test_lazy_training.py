"""Self-tests: the constants of lazy training are attained where they can be, and refuse what they do not cover."""

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
    jacobian_lipschitz,
    kernel_drift,
    kernel_rounding,
    lazy_radius,
    linearization_gap,
    spectral,
)

X, y = np.array([[1.0, 0.5, 0], [0, 1, -1]]), np.array([1.0, -0.5])


def test_the_lipschitz_constant_of_the_jacobian_is_attained_where_the_curvature_is_largest():
    # given  one neuron where the slope of tanh is steepest, moved by h along its input: s''' = 0, |s''''| <= 12
    u, h = np.arctanh(1 / np.sqrt(3)), 1e-3
    one, moved = (TwoLayer(np.array([[at, 0.0]]), np.array([-3.0]), "tanh", 0.5) for at in (u, u + h))
    inputs = np.array([[1.0, 0]])
    change = norm(moved.jacobian(inputs, "hidden") - one.jacobian(inputs, "hidden"))
    lip = jacobian_lipschitz(one, inputs)
    # then
    assert_within(lip * h * (1 - 12 * h**2), change, lip * h, slack=64 * UNIT_ROUNDOFF, why="change of the Jacobian")


@pytest.mark.parametrize("activation", ["tanh", "erf"])
def test_jacobian_and_kernel_move_no_further_than_their_bounds(activation):
    start = two_layer("ntk", np.array([4, 16, 64]), 3, np.arange(3), activation=activation, signs=True)
    other = dataclasses.replace(start, W=1.2 * start.W)
    distance = displacement(other, start)
    change = norm(other.jacobian(X, "hidden") - start.jacobian(X, "hidden"), axis=(-2, -1))
    assert_at_most(change, jacobian_lipschitz(start, X) * distance, why="change of the Jacobian")
    drift = spectral(other.kernel(X, train="hidden") - start.kernel(X, train="hidden"))
    bound = kernel_drift(start, X, distance) + kernel_rounding(start, X) + kernel_rounding(other, X)
    assert_at_most(drift, bound, why="change of the kernel")


def test_a_linear_network_is_its_own_linearization():
    # given  the identity has curvature 0, so that Lip = 0 and the gap is 0
    start = two_layer("ntk", 8, 3, 1, activation="identity", signs=True)
    states = list(islice(network_path(start, X, y, 0.05, "hidden"), 20))
    assert_at_most(linearization_gap(states, X, y, 0.05), 0, why="gap of a linear network")
    assert_at_most(lazy_radius(start, X, y).laziness, 0, why="laziness of a linear network")


def test_the_path_of_a_lazy_network_is_as_long_as_its_radius_says_within_a_factor_of_eight():
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
        jacobian_lipschitz(two_layer("ntk", 8, 3, 1), X)
    twice = np.stack([X, X[[0, 0]]])
    with pytest.raises(ValueError, match="the kernel of instance 1 is singular"):
        lazy_radius(two_layer("ntk", np.array([8, 8]), 3, np.arange(2), activation="tanh", signs=True), twice, y)
