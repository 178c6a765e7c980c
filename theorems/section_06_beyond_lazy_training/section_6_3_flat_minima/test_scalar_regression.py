"""Self-tests: sharpness and balance of small ReLU networks by hand."""

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import factorization, rounding
from properties.certificates import assert_at_most
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.scalar_regression import (
    FITTED,
    balanced,
    sharpness_of_network,
)


def test_the_sharpness_of_one_neuron_on_two_samples_by_hand():
    # w = (3, 4), a = 2 at e_1 and e_2: K = [[4 + 9, 12], [12, 4 + 16]], of the eigenvalues 29 and 4
    net = TwoLayer(np.array([[3.0, 4.0]]), np.array([2.0]), "relu", 1.0)
    error = abs(sharpness_of_network(net, np.eye(2)) - 29 / 2)
    assert_at_most(error, rounding(factorization(2, 2), 29 / 2), why="29/n")


def test_balanced_neurons_have_one_length_in_both_layers():
    # w = (3, 4), a = -20 becomes the length 10 in both; a = 0 leaves an inert neuron
    net = balanced(TwoLayer(np.array([[3.0, 4], [1, 0]]), np.array([-20.0, 0]), "relu", 1.0))
    assert_at_most(np.abs(norm(net.W, axis=1) - [10, 0]), rounding(8, 10), why="|w_j|")
    assert_at_most(np.abs(net.a - [-10, 0]), rounding(4, 10), why="a_j")


def test_a_fitted_network_misses_by_a_thousandth_and_a_half():
    assert_at_most(np.sqrt(2 * FITTED), 1.5e-3, why="|f - y|")
