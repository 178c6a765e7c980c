"""Self-tests: descent by hand, and the weights that it implies against a solver of weighted ridge regression."""

from fractions import Fraction

import numpy as np
import pytest

from fixtures.rational import fractions, inverse
from properties.certificates import assert_identical
from theorems.section_08_stochastic_gradient_descent.label_noise.kernel_descent import (
    implied_weights,
    kernel_descent,
    single_sample_predictions,
)

K, y = np.array([[2, 1, 0], [1, 3, 1], [0, 1, 2]], object), np.array([1, -1, 1], object)


def test_two_steps_by_hand():
    path = kernel_descent(np.array([[2]], object), np.array([1], object), Fraction(1, 4), 2)
    assert_identical(np.concatenate(path), fractions([0, "1/2", "3/4"]), why="1 - 2^-t")


def test_labels_in_columns_go_by_themselves():
    both = kernel_descent(K, np.stack([y, 2 * y], axis=1), Fraction(1, 8), 3)[3]
    alone = kernel_descent(K, y, Fraction(1, 8), 3)[3]
    assert_identical(both, np.stack([alone, 2 * alone], axis=1), why="f is linear in the labels")


@pytest.mark.parametrize("t", [1, 2, 5])
def test_ridge_regression_with_the_implied_weights_predicts_what_the_stopped_run_does(t):
    path = kernel_descent(K, y, Fraction(1, 8), t)
    w = implied_weights(path, y, Fraction(1, 8))[-1]
    ridge = K @ inverse(K + np.diag(1 / w)) @ y
    assert_identical(ridge, path[t], why="K(K + W^-1)^-1 y")


def test_a_single_sample_by_hand():
    runs = single_sample_predictions(fractions([[1], [2]]), fractions([1, 0]), Fraction(1, 2), 1)
    assert_identical(runs, fractions([["1/2", 1], [0, 0]]), why="one step on either sample")
