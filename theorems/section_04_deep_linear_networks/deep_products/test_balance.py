"""Self-tests: the velocity of the imbalance is its exact derivative, and the drift covers the whole run."""

import numpy as np

from fixtures.dynamics.deep_linear import deep_linear_descent, gradients
from fixtures.precision import rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from properties.deep_linear import frobenius
from theorems.section_04_deep_linear_networks.deep_products.balance import (
    drift_of_descent,
    imbalance_velocities,
    imbalances,
    step_rounding,
)

LAYERS = [fractions([[1, -2], [0, 3], [2, 1]]), fractions([[1, 0, -1], [2, 1, 1]]), fractions([[3, 1]])]


def test_balanced_layers_have_no_imbalance():
    turn = fractions([[0, -1], [1, 0]])
    for imbalance in imbalances([turn, turn, turn]):
        assert_identical(imbalance, fractions([[0, 0], [0, 0]]), why="imbalance of rotations")


def test_the_velocity_of_the_imbalance_is_its_central_difference():
    # given  D_l is quadratic along a line, so that its central difference is exact
    velocities = [W[::-1] + 1 for W in LAYERS]
    ends = [imbalances([W + s * V for W, V in zip(LAYERS, velocities, strict=True)]) for s in (1, -1)]
    for rate, ahead, behind in zip(imbalance_velocities(LAYERS, velocities), *ends, strict=True):
        assert_identical(rate, (ahead - behind) / 2, why="derivative of the imbalance")


def test_the_drift_is_that_of_the_whole_run():
    layers = [np.array(W, float) for W in LAYERS]
    X, Y, eta = np.array([[1.0, 2], [-1, 1]]), np.array([[2.0, -3]]), 1e-3
    # when
    drift, end = drift_of_descent(layers, X, Y, eta, 5), deep_linear_descent(layers, X, Y, eta, 5)
    # then
    for observed, last, first, error in zip(
        drift.observed, imbalances(end), imbalances(layers), drift.rounding, strict=True
    ):
        assert_at_most(frobenius(observed - (last - first)), error, why="drift over five steps")


def test_the_sums_of_two_steps_are_those_of_their_gradients():
    # given  scalars W_1 = 1, W_2 = 0, x = 1, y = 2, eta = 1/2: g = (0, -2), then W = (1, 1) and g = (-1, -1)
    layers, one = [np.array([[1.0]]), np.array([[0.0]])], np.array([[1.0]])
    drift = drift_of_descent(layers, one, 2 * one, np.array(0.5), 2)
    # then   eta^2 sum |g|^2 = (4 + 2)/4; D_1 goes from -1 to 0 and stays, as g_2^2 - g_1^2 = 4 and 0
    assert_identical(drift.squared_steps, 3 / 2, why="squared steps of both layers")
    assert_identical([drift.observed[0][0, 0], drift.predicted[0][0, 0]], [1, 1], why="D_1 at the end less the start")
    # then   errors of at most 30 operations of size 3 times steps of length 1 and less
    assert_at_most(drift.descent_rounding, rounding(2 * 2 * 2 * 30, 3), why="what the descent lemma loses by rounding")


def test_a_step_that_is_off_by_two_to_the_minus_36_is_beyond_its_rounding():
    # given  a step that is exact, in powers of two, except in one entry of the first layer
    layers, ones, eta = [np.ones((2, 2))] * 3, np.ones((2, 2)), 2.0**-10
    slopes = gradients(layers, ones, -ones)
    after = [W - eta * slope for W, slope in zip(layers, slopes, strict=True)]
    after[0][0, 0] += 2.0**-36
    # when
    terms = zip(imbalances(after), imbalances(layers), imbalances(slopes), strict=True)
    gap = [frobenius(end - start - eta**2 * second) for end, start, second in terms]
    # then
    assert_at_most(step_rounding(layers, after, slopes, ones, -ones, eta)[0], gap[0], why="a planted error in D_1")
