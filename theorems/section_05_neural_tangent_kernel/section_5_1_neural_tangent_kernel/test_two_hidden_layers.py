r"""Section 5.1: neural tangent kernel - for two hidden layers the expectation depends on the width.

Setting     Two hidden ReLU layers of width $m$ in the NTK parameterization, $f(x) = m^{-1/2} \sum_j a_j s(h_j)$ with
            $h = m^{-1/2} W_2 s(W_1 x)$ and independent standard normal weights; $K_m$ is the kernel of one network.
Corrected   (C2) Two hidden ReLU layers at opposite inputs of length 1: $\mathbb{E} K_m$ is below its limit of infinite
            width by at least $\frac{3}{8 \pi (m + 2)}$ and at most twice that: the latter is attained at $m = 1$, the
            former nearly at $m = 300$.
            (C3) Two hidden ReLU layers at one input of length 1: $\mathbb{E} K_m = \frac34$, which is the limit, at
            every width, and the variance of $K_m$ is $\frac{29}{8m} + \frac{113}{16 m^2}$.
Idea        (C2) At opposite inputs no neuron of the first layer is active for both, so only the output weights count:
            $\mathbb{E} K_m(x, -x) = \mathbb{E}[\|p\| \|q\|]/(2 \pi m)$ for $p = s(W_1 x)$ and $q = s(-W_1 x)$. Here
            $\|p\|^2$ and $\|q\|^2$ share a $\chi^2$ variable of $m$ degrees of freedom by coin flips. With $B$ the
            share of $\|p\|^2$, $\|p\| \|q\| = (\|p\|^2 + \|q\|^2) \sqrt{B(1 - B)}$. The root lies between
            $\frac12 - 2(B - \frac12)^2$ and $\frac12 - (B - \frac12)^2$, and
            $\operatorname{Var} B = \frac{3}{4(m + 2)}$. (C3) The gates of one input are coins that are independent of
            all lengths, so $K_m(x, x)$ is distributed like a polynomial in $\chi^2$ variables.
Tolerance   Closed forms, with the rounding of $2m$ values of $\Gamma$; variances are exact; medians of means by
            Chebyshev's inequality.
Chance      Two medians of means fail by chance with probability $10^{-9}$ each. Power: for C2 the limit is told from
            the mean, and for C3 a layer that is left out is seen; each is missed with a probability of at most
            $10^{-9}$.
Findings    For two hidden layers the limit of infinite width changes the expectation, by C2. Observed at width 4: at an
            obtuse angle, for two and three hidden layers, the mean is below its limit; at an acute one, for three, it
            is above; on the diagonal no bias is seen.
"""

import math
from fractions import Fraction

import numpy as np
import pytest

from fixtures.kernels.infinite_width import relu_ntk
from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical, assert_within, record_series
from theorems.ledger import corrected, observed
from theorems.section_05_neural_tangent_kernel.section_5_1_neural_tangent_kernel.moments import (
    mean_at_opposite_inputs,
    variance_at_one_input,
    variance_at_opposite_inputs,
)
from theorems.section_05_neural_tangent_kernel.section_5_1_neural_tangent_kernel.samples import (
    FALSE_ALARM,
    deep_kernels,
    median_of_means,
)

OPPOSITE = np.array([[1.0, 0.0], [-1.0, 0.0]])


@corrected("C2")
def test_the_mean_of_two_hidden_layers_at_opposite_inputs_nears_its_limit_like_one_over_the_width():
    # given  every width up to 300
    widths = np.arange(1, 301)
    limit = relu_ntk(OPPOSITE, hidden_layers=2)[0, 1]
    # when
    left = 2 * np.pi * (limit - np.array([mean_at_opposite_inputs(width) for width in widths]))
    # then   the distance, times 2 pi, lies between Var B = 3/(4(m + 2)) and twice this
    upper = 3 / (2 * (widths + 2))
    slack = rounding(16 * widths)  # a sum of terms with gamma functions of up to m/2, of 16 roundings for each unit
    assert_within(upper / 2, left, upper, slack=slack, why="distance from the limit, times 2 pi")
    # and    the upper bound is attained at m = 1, and the lower bound within a hundredth at m = 300
    assert_at_most(upper[0] - left[0], slack[0], why="attained at width 1")
    assert_at_most(left[-1], 1.01 * upper[-1] / 2, why="within a hundredth at width 300")
    # and    the variance, in which this mean enters, is small at m = 300
    assert_at_most(variance_at_opposite_inputs(300), 1 / 300, why="variance at width 300")
    shown = np.array([1, 2, 3, 5, 8, 14, 25, 45, 80, 150, 300]) - 1
    columns = {"distance": left, "lower": upper / 2, "upper": upper}
    columns = {name: (column[shown] / (2 * np.pi)).round(7) for name, column in columns.items()}
    record_series("limit less mean", m=widths[shown], **columns)


@corrected("C2")
def test_networks_of_width_3_average_to_that_mean_and_not_to_the_limit():
    # given  40,000 networks of two hidden layers
    width, replicates = 3, 40_000
    samples = deep_kernels(width, 2, replicates, OPPOSITE, seed=3)[:, 0, 1]
    # when
    median, radius = median_of_means(samples, variance_at_opposite_inputs(width), FALSE_ALARM)
    # then   the distance of the limit is more than twice the radius, so it would be accepted with probability 1e-9
    mean, limit = mean_at_opposite_inputs(width), relu_ntk(OPPOSITE, hidden_layers=2)[0, 1]
    assert_at_most(abs(median - mean), radius, why="median of means")
    assert_at_most(2 * radius, limit - mean, why="power against the limit")


@corrected("C3")
def test_networks_of_width_8_average_to_the_limit_at_one_input_and_would_not_without_a_layer():
    # given  24,000 networks of two hidden layers; |x| = 1
    x, width = np.array([[0.6, 0.8]]), 8
    samples = deep_kernels(width, 2, 24_000, x, seed=8)[:, 0, 0]
    # when
    median, radius = median_of_means(samples, variance_at_one_input(width), FALSE_ALARM)
    # then   the mean is the limit, 1/4 for each of three layers. A layer left out would be missed with probability 1e-9
    limit = relu_ntk(x, hidden_layers=2)[0, 0]
    assert_at_most(abs(median - limit), radius, why="median of means")
    assert_at_most(2 * radius, limit / 3, why="power against a layer that is left out")


@corrected("C3")
def test_the_variance_at_one_input_is_the_sum_over_how_many_neurons_are_active():
    # given  the mean square of m^2 K_m for N and M active neurons, summed over N and M in fractions
    def mean_square(m):
        coins = [Fraction(math.comb(m, k), 2**m) for k in range(m + 1)]
        given = lambda n, k: k * (k + 2) * n * (n + 6) + 4 * k * (k + 1) * n * (2 * n + 1)  # noqa: E731
        return sum(p * q * given(n, k) for n, p in enumerate(coins) for k, q in enumerate(coins))

    sums = [mean_square(m) / Fraction(m) ** 4 - Fraction(9, 16) for m in (1, 2, 3, 8)]
    assert_identical([variance_at_one_input(Fraction(m)) for m in (1, 2, 3, 8)], sums, why="variance of K_m(x, x)")
    # and    at m = 1 the kernel is u^2 g^2 + u^2 a^2 + a^2 g^2 with probability 1/4 and else 0, of mean square 45/4
    assert_identical(sums[0], Fraction(45, 4) - Fraction(9, 16), why="variance at width 1")


def bias_at(cosine, hidden_layers, draws):
    """The mean kernel of 20,000 `draws` networks of width 4 at two unit vectors, less its limit; its standard error."""
    X = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]])
    kernels = np.concatenate([deep_kernels(4, hidden_layers, 20_000, X, seed) for seed in range(draws)])
    limit = relu_ntk(X, hidden_layers=hidden_layers)
    return kernels.mean(axis=0) - limit, kernels.std(axis=0) / np.sqrt(len(kernels))


@observed
@pytest.mark.parametrize("hidden_layers", [2, 3])
def test_at_an_obtuse_angle_the_bias_is_of_that_order_too_and_the_diagonal_has_none(hidden_layers):
    bias, deviation = bias_at(-0.6, hidden_layers, draws=1)
    # then   off the diagonal the mean is below the limit by more than six standard errors
    assert_at_most(6 * deviation[0, 1], -bias[0, 1], why="bias off the diagonal")
    assert_at_most(np.abs(np.diagonal(bias)), 6 * np.diagonal(deviation), why="no bias on the diagonal")


@observed
@pytest.mark.slow
def test_at_an_acute_angle_three_hidden_layers_have_a_bias_of_the_other_sign():
    bias, deviation = bias_at(0.3, 3, draws=20)
    assert_at_most(6 * deviation[0, 1], bias[0, 1], why="bias off the diagonal")
    assert_at_most(np.abs(np.diagonal(bias)), 6 * np.diagonal(deviation), why="no bias on the diagonal")
