"""Self-tests: moments of kernels of two neurons by hand, and medians of means of a short sample."""

import numpy as np

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_equal_within
from properties.statistics.concentration import relu_ntk_deviations
from theorems.section_05_neural_tangent_kernel.section_5_1_neural_tangent_kernel.moments import (
    mean_at_opposite_inputs,
    variance_at_opposite_inputs,
)
from theorems.section_05_neural_tangent_kernel.section_5_1_neural_tangent_kernel.samples import (
    INPUTS,
    NEURONS,
    median_of_means,
    tolerances,
)


def test_the_mean_of_two_neurons_at_opposite_inputs_by_hand():
    # given  m = 2: with chance 1/2 one neuron of the first layer is active at x and the other at -x, so that |p||q| has
    #        the mean 2/pi. K_m = |p||q|/m^2 times a sum of two products of half-Gaussians, each of mean 1/(2 pi)
    assert_equal_within(mean_at_opposite_inputs(2), 1 / (4 * np.pi**2), rounding(40, 1 / 40), why="E K_2(x, -x)")


def test_the_variance_of_two_neurons_at_opposite_inputs_by_hand():
    # given  E |p|^2|q|^2 = 1/2, and the squared sum of two products has the mean 2/4 + 2/(2 pi)^2
    exact = (1 / 2 + 1 / (2 * np.pi**2)) / 2 / 16 - 1 / (16 * np.pi**4)
    assert_equal_within(variance_at_opposite_inputs(2), exact, rounding(60, 1 / 40), why="variance of K_2(x, -x)")


def test_the_median_of_four_means_of_two_by_hand():
    # given  P(Bin(4, 1/4) >= 2) = 0.262 and P(Bin(2, 1/4) >= 1) = 0.438, so four groups for a chance of 0.3
    median, radius = median_of_means(np.array([0.0, 1, 2, 3, 4, 5, 16, 17]), variance=8.0, false_alarm=0.3)
    assert_equal_within(median, 3.5, rounding(4, 3.5), why="the median of 1/2, 5/2, 9/2 and 33/2")
    assert_equal_within(radius, 4.0, rounding(4, 4), why="2 sqrt(variance/2)")


def test_the_rounding_of_a_mean_of_2560_neurons_is_less_than_that_of_ten_thousand_operations():
    sides, allowed = relu_ntk_deviations(np.clip(INPUTS @ INPUTS.T, -1, 1), NEURONS, 0.01), tolerances(0.01)
    assert_at_most(allowed.above - sides.above, rounding(10_000), why="slack above")
    assert_at_most(allowed.below - sides.below, rounding(10_000), why="slack below")
