"""Self-tests: the Gram matrix of the gradients is X'MX; data and layers bound its condition number."""

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.precision import factorization, rounding
from fixtures.problems.deep_linear import wide_networks
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_04_deep_linear_networks.deep_products.conditioning import (
    extreme_eigenvalues,
    layered_condition,
    tangent_core,
    tangent_gram,
    tangent_rounding,
)

LAYERS = [fractions([[1, -2], [0, 3], [2, 1]]), fractions([[1, 0, -1], [2, 1, 1]]), fractions([[3, 1]])]
X = fractions([[1, 2], [-1, 1]])


def test_the_gram_matrix_is_the_product_of_the_jacobian_with_itself():
    # given  the output is linear in one entry of one layer, so that its difference is its derivative
    def derivative(index, entry):
        moved = [W.copy() for W in LAYERS]
        moved[index][entry] += 1
        return ((end_to_end(moved) - end_to_end(LAYERS)) @ X)[0]

    rows = [derivative(index, entry) for index, W in enumerate(LAYERS) for entry in np.ndindex(W.shape)]
    jacobian = np.array(rows, dtype=object)
    assert_identical(tangent_gram(LAYERS, X), jacobian.T @ jacobian, why="K = J J'")


def test_the_gram_matrix_factors_through_its_core():
    # given  integers, whose products are exact in floating point
    layers, inputs = [np.array(W, float) for W in LAYERS], np.array(X, float)
    factored = inputs.T @ tangent_core(layers) @ inputs
    assert_identical(factored, tangent_gram(layers, inputs), why="K = X'MX")


def test_extreme_eigenvalues_are_the_least_and_the_largest():
    assert_identical(extreme_eigenvalues(np.diag([2.0, 5.0, 1.0])), np.array([1.0, 5.0]), why="ends of a spectrum")


def spreads(network):
    """The ratio of extreme singular values of each hidden layer, on the image of the samples' span."""
    ratios, basis = [], network.Q
    for W in network.layers()[:-1]:
        singular = np.linalg.svd(W @ basis, compute_uv=False)
        ratios.append(singular[0] / singular[-1])
        basis = np.linalg.qr(W @ basis).Q
    return np.array(ratios)


@pytest.mark.slow
@given(wide_networks(((1,), (2,), (3, 5), (16,), (4, 2, 6), (100, 160))))
def test_any_layers_change_the_conditioning_of_the_data_by_at_most_their_own(network):
    # given  layers of depth two to four, as narrow as one neuron
    layers, X = network.layers(), network.X
    K, core = tangent_gram(layers, X), network.Q.T @ tangent_core(layers) @ network.Q
    # when
    eigenvalues, (least, largest) = extreme_eigenvalues(K), extreme_eigenvalues(core)
    # then   Ostrowski: theta sigma_i^2 with theta in [least, largest], for the first and the last eigenvalue. Both
    #        spectra round; X was made from its factors in as many operations as K is made from X
    squares = network.s[[-1, 0]] ** 2
    slack = 2 * (tangent_rounding(layers, X) + tangent_rounding(layers, network.Q))
    assert_within(least * squares, eigenvalues, largest * squares, slack=slack, why="Ostrowski", instance=network)


@given(wide_networks(((3,), (4, 6), (16,), (5, 3, 6), (100, 160))))
def test_the_core_is_conditioned_no_worse_than_the_product_of_the_spreads_squared(network):
    layers, ratios = network.layers(), spreads(network)
    least, largest = extreme_eigenvalues(network.Q.T @ tangent_core(layers) @ network.Q)
    # then   a product, its QR and its SVD make a ratio of two singular values, which is squared. An eigenvalue rounds
    #        as in K
    m, n = max(network.hidden), network.X.shape[1]
    bound = layered_condition(ratios) * (1 + 4 * rounding(m + 2 * factorization(m, n), ratios.sum()))
    slack = (1 + bound) * tangent_rounding(layers, network.Q)
    assert_at_most(largest, bound * least + slack, why="cond M by the layers", instance=network)


def test_layers_that_stretch_the_same_direction_attain_that_product_if_the_output_weights_are_zero():
    layers = [fractions([[2, 0], [0, 1]]), fractions([[3, 0], [0, 1]]), fractions([[0, 0]])]
    core = tangent_core(layers)
    assert_identical(core[0, 0] / core[1, 1], layered_condition([2, 3]), why="cond M at W_3 = 0")


def test_the_rounding_of_the_gram_matrix_is_at_most_two_hundred_units_of_its_size():
    # given  layers and samples of ones: the norm of each product is the product of the norms
    layers, ones = [np.ones((3, 3)), np.ones((3, 3)), np.ones((1, 3))], np.ones((3, 2))
    largest = extreme_eigenvalues(tangent_gram(layers, ones))[-1]
    assert_at_most(tangent_rounding(layers, ones), rounding(100, largest), why="rounding against |K|")
