"""Self-tests: the pivot finds a wrong variance, and dead layers add nothing to it."""

import itertools

import numpy as np
import pytest

from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.statistics.concentration import chi_square_interval, chi_square_power
from theorems.section_07_initialization_and_learning_rate.signal_propagation import chi_square_pivot

FALSE_ALARM, MISSED = 1e-9, 1e-6
X = np.array([2.0, -1.0, 3.0])


def layers(networks, widths, factor, seed):
    """Gaussian layers with variance factor/fan-in."""
    rng = np.random.default_rng(seed)
    shapes = [(networks, m, below) for below, m in itertools.pairwise(widths)]
    return [rng.standard_normal(shape) * np.sqrt(factor / shape[-1]) for shape in shapes]


@pytest.mark.parametrize(("freedom", "factor"), [(510, 2.0), (4788, 1.25), (26087, 1.1)])
def test_these_degrees_of_freedom_are_the_least_that_find_a_wrong_variance(freedom, factor):
    missed = [1 - chi_square_power(count, FALSE_ALARM, [factor, 1 / factor]).min() for count in (freedom, freedom - 1)]
    assert_within(missed[0], MISSED, missed[1], why="the probability of a miss")


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["identity", "relu"])
@pytest.mark.parametrize(("networks", "planted"), [(40, 2.0), (40, 0.5), (400, 1.25), (400, 0.8)])
def test_a_planted_factor_is_caught_in_every_one_of_twenty_samples(networks, planted, activation):
    # given  13 degrees of freedom from the first layer of each network, which never dies, and 21 at most in all
    widths, right = (3, 13, 1, 5, 2), {"identity": 1.0, "relu": 2.0}[activation]
    pivots = [
        chi_square_pivot(layers(networks, widths, right * planted, seed), X, right, activation) for seed in range(20)
    ]
    least, most = np.transpose([chi_square_interval(freedom, FALSE_ALARM) for _, freedom in pivots])
    values = np.array([value for value, _ in pivots])
    assert_at_most(510 if networks == 40 else 4788, min(freedom for _, freedom in pivots), why="degrees of freedom")
    assert_at_most(1, np.abs(np.sign(values - least) - np.sign(most - values)).min(), why="outside the interval")


def test_the_pivot_of_signed_inputs_and_weights_by_hand():
    # given  x = (2, -1, 3): h_1 = (4, -2), then a = (4, 0) and h_2 = 8
    first, second = np.array([[[1.0, 1, 1], [1, 1, -1]]]), np.array([[[2.0, 5.0]]])
    one = chi_square_pivot([first], X, 1.0, "identity")
    assert_identical([one[0], one[1]], [60 / 14, 2], why="3 (4^2 + 2^2)/14")
    # then   3 (4^2 + 2^2)/(2 14), and 2 8^2/(2 4^2)
    two = chi_square_pivot([first, second], X, 2.0, "relu")
    assert_identical([two[0], two[1]], [60 / 28 + 4, 3], why="two layers with ReLU between")


def test_layers_above_a_dead_layer_add_nothing_to_the_pivot():
    # given  one network with an active hidden neuron, and one whose single hidden neuron is dead
    first, second = np.array([[[1.0]], [[-1.0]]]), np.array([[[3.0], [4.0]], [[3.0], [4.0]]])
    pivot = chi_square_pivot([first, second], np.array([2.0]), 2.0, "relu")
    # then   2^2/(2 2^2) twice, and (6^2 + 8^2)/(2 2^2) once
    assert_identical(pivot, (0.5 + 0.5 + 12.5, 1 + 1 + 2), why="a dead layer adds neither value nor freedom")
