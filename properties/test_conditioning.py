"""The Gram matrix of the gradients is X'MX, exactly, and the gradients are those of the network's outputs."""

import numpy as np

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from properties.conditioning import extreme_eigenvalues, tangent_core, tangent_gram, tangent_rounding

LAYERS = [fractions([[1, -2], [0, 3], [2, 1]]), fractions([[1, 0, -1], [2, 1, 1]]), fractions([[3, 1]])]
X = fractions([[1, 2], [-1, 1]])


def test_the_gram_matrix_is_that_of_the_derivatives_of_the_outputs():
    # given  the output is linear in one entry of one layer, so that its difference is its derivative
    def derivative(index, entry):
        moved = [W.copy() for W in LAYERS]
        moved[index][entry] += 1
        return ((end_to_end(moved) - end_to_end(LAYERS)) @ X)[0]

    rows = [derivative(index, entry) for index, W in enumerate(LAYERS) for entry in np.ndindex(W.shape)]
    jacobian = np.array(rows, dtype=object)
    assert_identical(tangent_gram(LAYERS, X), jacobian.T @ jacobian, why="K = J J'")


def test_the_gram_matrix_factors_through_its_core():
    layers, inputs = [np.array(W, float) for W in LAYERS], np.array(X, float)
    gap = np.abs(inputs.T @ tangent_core(layers) @ inputs - tangent_gram(layers, inputs)).max()
    assert_at_most(gap, tangent_rounding(layers, inputs), why="K = X'MX")


def test_extreme_eigenvalues_are_the_least_and_the_largest():
    assert_identical(extreme_eigenvalues(np.diag([2.0, 5.0, 1.0])), np.array([1.0, 5.0]), why="ends of a spectrum")
