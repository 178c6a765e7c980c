"""Self-tests: bounds for Gaussian layers and mean losses by hand, and what the rounding of a run may be at most."""

from fractions import Fraction

import numpy as np
from hypothesis import given

from fixtures.precision import rounding
from fixtures.problems.deep_linear import wide_networks
from fixtures.problems.expectations import expecting
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_04_deep_linear_networks.proposition_4_3_width.gaussian_layers import (
    FALSE_ALARM,
    T,
    gaussian_condition,
    spread,
    tail_probability,
)
from theorems.section_04_deep_linear_networks.proposition_4_3_width.mean_losses import mean_losses
from theorems.section_04_deep_linear_networks.proposition_4_3_width.networks import near_interpolant, slowed


def test_the_bound_of_two_layers_of_unequal_widths_by_hand():
    # given  four samples, t = 2 and widths 100 and 400: d = 4/10 and 4/20
    assert_identical(spread(4, t=2), 4, why="sqrt(n) + t")
    # then   ((14/6)(12/8))^2 = (7/2)^2
    bound = gaussian_condition((100, 400), 4, t=2)
    assert_equal_within(bound, 49 / 4, rounding(12, 49 / 4), why="product of the squared ratios")
    assert_equal_within(tail_probability(4.0, 3), 16 / 25, rounding(6, 16 / 25), why="(2x/(1 + x^2))^(m - 1), x = 2")


def test_six_hundred_gaussian_matrices_break_their_bounds_with_a_chance_below_one_false_alarm():
    # given  each breaks its bound with probability below 2 exp(-t^2/2)
    assert_at_most(600 * 2 * np.exp(-(T**2) / 2), FALSE_ALARM, why="the chance of the fast run")
    assert_at_most(FALSE_ALARM, 1e-9, why="the chance of one comparison")


def test_the_mean_losses_of_two_neurons_are_their_integrals():
    # given  m = 2, y = 3, eta = 1/8. The loss after a step has degree 12 in the weights, and seven nodes integrate 13
    nodes, weights = np.polynomial.hermite_e.hermegauss(7)
    theta = np.stack(np.meshgrid(*[nodes] * 4, indexing="ij"))
    W, a, mass = theta[:2], theta[2:], np.einsum("i,j,k,l->ijkl", *[weights / weights.sum()] * 4)
    error = (a * W).sum(0) - 3
    after = ((a - error * W / 8) * (W - error * a / 8)).sum(0) - 3
    # then   (m + y^2)/2 before the step
    before, then = mean_losses(2, Fraction(1, 8), 3)
    assert_identical(before, Fraction(11, 2), why="mean loss at the start")
    exact, scale = (mass * after**2).sum() / 2, (mass * (np.abs(error) + 10) ** 2).sum()
    assert_equal_within(float(then), exact, rounding(7**4 + 100, scale), why="mean loss after a step")


@given(network=expecting(wide_networks(((128,), (512,), (2048,))), single="hidden"))
def test_the_rounding_of_a_run_is_below_a_thousandth_of_the_residual_at_its_start(network):
    start = near_interpolant(network)
    assert_at_most(10**3 * start.rounding(network.t), start.size, why="rounding against |e_0|", instance=network)


def test_a_contraction_by_a_half_may_lose_a_two_hundredth_of_the_other_half():
    assert_equal_within(slowed(0.5), 0.5 + 0.5 / 200, rounding(3), why="rho + (1 - rho)/200")
