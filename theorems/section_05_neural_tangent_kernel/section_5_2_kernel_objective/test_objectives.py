"""Self-tests: objective and minimizer of two inputs by hand, and what the rounding of a solve may be at most."""

from fractions import Fraction

import numpy as np

from fixtures.precision import rounding
from fixtures.problems.kernel_inputs import KernelInputs
from fixtures.rational import fractions
from properties.certificates import assert_equal_within, assert_identical
from theorems.section_05_neural_tangent_kernel.section_5_2_kernel_objective.objectives import (
    minimizer,
    objective,
    solve_rounding,
    stationarity_rounding,
)

K = np.array([[[2.0, 1, 0], [1, 2, 0], [0, 0, 2]]])
PADDED = KernelInputs(
    X=np.zeros((1, 3, 2)),
    y=np.array([[1.0, 0, 0]]),
    Z=np.zeros((1, 3, 2)),
    f0=np.zeros((1, 3)),
    step=np.ones(1),
    t=np.zeros(1, int),
    rows=np.array([2]),
)
"""Two inputs with K = (2, 1; 1, 2), and a third row that is padding."""


def test_the_objective_of_two_inputs_and_one_more_center_by_hand():
    # given  f = K(., x_1) + K(., z) with the values (3, 1) on the inputs, and y = (1, 1)
    joint = fractions([[2, 1, 1], [1, 2, 0], [1, 0, 3]])
    value = objective(joint, fractions([1, 1]), fractions([1, 0, 1]), Fraction(1, 2), 2)
    # then   the mean of 4 and 0, and half of |f|^2 = 2 + 2 + 3
    assert_identical(value, Fraction(11, 2), why="(1/n)|f(X) - y|^2 + lambda |f|^2")


def test_the_minimizer_counts_the_inputs_before_padding():
    # given  (K + 2/2 I)^-1 (1, 0)
    alpha = minimizer(PADDED, K, 0.5)[0, :2]
    assert_equal_within(alpha, [3 / 8, -1 / 8], solve_rounding(PADDED, K, 0.5), why="(K + n lambda I)^-1 y for n = 2")


def test_the_rounding_of_a_solve_is_that_of_fifty_operations_times_the_condition():
    # given  eigenvalues 1, 2 and 3, and n lambda = 1: the condition is 2, the largest eigenvalue 4
    assert_equal_within(solve_rounding(PADDED, K, 0.5), rounding(48, 2), rounding(1, rounding(48, 2)), why="solve")
    alpha = np.array([[0.0, 3, 4]])
    left = stationarity_rounding(PADDED, K, alpha, 0.5)
    assert_equal_within(left, rounding(48, 20), rounding(8, rounding(48, 20)), why="residual of size 4 |alpha|")
