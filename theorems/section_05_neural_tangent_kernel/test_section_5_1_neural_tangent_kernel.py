r"""Section 5.1: neural tangent kernel - the mean inner product of gradients at a random start.

Section     5.1
Printed     $K(x, x') = E_{\theta_0} \langle \nabla_\theta f(x; \theta_0), \nabla_\theta f(x'; \theta_0) \rangle$
            (Section 5.1, first display)
Reading     A definition: the expectation is finite, and it is a kernel, symmetric and positive semidefinite. That the
            kernel K_m of one draw of the weights comes near to it is Theorem 5.1 (a)
Setting     Networks of width m in the NTK parameterization, $f = m^{-1/2} \sum_j a_j s(h_j)$ with independent weights,
            standard normal unless said otherwise; for one hidden layer h_j = w_j . x, for two $h = m^{-1/2} W_2
            s(W_1 x)$. K_m: the kernel of one network
Corrected   (C1) One hidden layer, neurons of one law, independent or not: $E K_m$ is the same at every width. (C2) Two
            hidden ReLU layers at opposite inputs of length 1: $E K_m$ is below its limit of infinite width by at least
            $\frac{3}{8 \pi (m + 2)}$ and at most twice that: the latter is attained at m = 1, the former nearly at m =
            300. (C3) Two hidden ReLU layers at one input of length 1: $E K_m = 3/4$, which is the limit, at every
            width, and the variance of K_m is $\frac{29}{8m} + \frac{113}{16 m^2}$
Idea        An expectation of Gram matrices is one. (C1) K_m is a mean over m neurons. (C2) At opposite
            inputs no neuron of the first layer is active for both, so only the output weights count: $E K_m(x, -x) =
            E[|p||q|]/(2 \pi m)$, where |p|^2 and |q|^2 share a chi-square of m degrees of freedom by coin flips. With B
            the share of p, $|p||q|$ is the sum times $\sqrt{B(1 - B)}$, which lies between 1/2 less 2(B - 1/2)^2 and
            1/2 less (B - 1/2)^2, and Var B = 3/(4(m + 2)). (C3) The gates of one input are coins that are independent
            of all lengths, so that the law of K_m(x, x) is that of a polynomial in chi-squares
Source      Jacot, Gabriel, Hongler (2018), Neural Tangent Kernel: Convergence and Generalization in Neural Networks,
            NeurIPS 31; Cho, Saul (2009), Kernel Methods for Deep Learning, NeurIPS 22; Hanin, Nica (2020), Finite Depth
            and Width Corrections to the Neural Tangent Kernel, ICLR, who treat the diagonal, which has no bias
Tolerance   Expectations over finite laws are sums of fractions. Gaussian ones are closed forms; their rounding is that
            of 2m gamma functions
Chance      (C1) Chernoff bounds with the exact moment generating function, 1e-8 for 100 examples and 1e-7 for 1,000,
            2.5e-12 for each entry, side and width; (C2), (C3) two medians of means, 1e-9 each. Power: for (C1) a kernel
            without the share of either layer, or half as large, is missed with a probability below 1e-9 at unit inputs
            and either width; for (C2) the limit in place of the mean, for (C3) a layer left out. An output weight |a|
            in place of a^2 moves (C1) by a tenth, and would need 2^14 neurons or more
Findings    By (C1) the limit of infinite width adds nothing to the printed expectation of one hidden layer; for two it
            does, by (C2). Observed at width 4: at an obtuse angle, for two and three hidden layers, the mean is below
            its limit; at an acute one, for three, it is above; on the diagonal nothing is seen
Expected    holds
"""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from fixtures.kernels.empirical import relu_network_ntk
from fixtures.kernels.infinite_width import erf_ntk, erf_rounding, relu_nngp, relu_ntk
from fixtures.kernels.regression import working_precision
from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import singular_inputs
from fixtures.problems.tapes import tapes
from fixtures.rational import to_fractions
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.concentration import Deviations, detectable, each_of, relu_ntk_deviations
from theorems.ledger import as_printed, corrected, observed

FALSE_ALARM = 1e-9
OPPOSITE = np.array([[1.0, 0.0], [-1.0, 0.0]])
# Unit inputs at 0, 60, 110 and 180 degrees.
DIRECTIONS = np.exp(1j * np.radians([0, 60, 110, 180]))
INPUTS = np.stack([DIRECTIONS.real, DIRECTIONS.imag], axis=1)
DEEP = functools.partial(relu_ntk, hidden_layers=3)
NEURONS, WIDTHS = 2560, (4, 256)
# A hundred examples of 10 different entries at each width, from above and from below.
COMPARISONS = 100 * 10 * len(WIDTHS) * 2


@st.composite
def neuron_laws(draw):
    """Two neurons (w, a) of integers in [-2, 2] with weights k/(k + l), and two or three inputs of integers."""
    tape = draw(tapes(4 + 6 + 6))
    first, second = 1 + tape.below(3), 1 + tape.below(3)
    chances = [Fraction(first, first + second), Fraction(second, first + second)]
    X, neurons = tape.integers((2 + tape.below(2), 2), 2), tape.integers((2, 3), 2)
    return chances, to_fractions(neurons.astype(int)), to_fractions(X.astype(int))


def mean_kernel(law, width, copies=1):
    """E K_m over `width` independent neurons of this law, each so many times: a sum over all networks, exact."""
    chances, neurons, X = law
    total = 0
    for drawn in np.ndindex(*[2] * width):
        chance = np.prod([chances[i] for i in drawn])
        chosen = neurons[np.repeat(drawn, copies)]
        # scale 1: the factor m^-1/2 of the network, squared, is put in as 1/m
        total = total + chance * ExactReluNetwork(chosen[:, :2], chosen[:, 2], Fraction(1)).kernel(X) / len(chosen)
    return total


def mean_at_opposite_inputs(width):
    """E K_m(x, -x) for |x| = 1 and two hidden layers: E chi_N E chi_{m-N}/(2 pi m) over N ~ Binomial(m, 1/2)."""
    active = np.arange(1, width)
    both = scipy.special.poch(active / 2, 0.5) * scipy.special.poch((width - active) / 2, 0.5)
    return scipy.stats.binom.pmf(active, width, 0.5) @ (2 * both) / (2 * np.pi * width)


def variance_at_opposite_inputs(width):
    """The variance of K_m(x, -x), from E|p|^2|q|^2 = m(m - 1)/4, m squares and m(m - 1) products of half-Gaussians."""
    m = width
    spread = m * (m - 1) / 4 / m**2
    return (m * spread / 4 + m * (m - 1) * spread / (4 * np.pi**2)) / m**2 - mean_at_opposite_inputs(m) ** 2


def variance_at_one_input(width):
    """The variance of K_m(x, x) for |x| = 1 and two hidden layers, whose mean is 3/4 at every width.

    m^2 K_m = P(G + A) + B^2 + A C: N and M neurons of the two layers are active, Binomial(m, 1/2) each; P and C are
    chi-squares of N and N - 1 degrees of freedom, the squared length of the first layer's values and what is left of it
    beside their direction; G = sum g_j^2 and A = sum a_j^2 over the M neurons of the second layer with preactivations
    proportional to g_j; B = sum a_j g_j. The mean square given N and M is
    M(M + 2) N(N + 6) + 4 M(M + 1) N(2N + 1), whose factors have the means m(m + 5)/4, m(m + 13)/4, m(m + 3)/4 and
    m(m + 2)/2.
    """
    return 29 / (8 * width) + 113 / (16 * width**2)


def median_of_means(samples, variance, false_alarm):
    """The median of the means of g groups, and how far it is from the mean but for `false_alarm`: 2 sqrt(g variance/R).

    A group of R/g is off by more than twice its own deviation with probability at most 1/4 (Chebyshev), and the median
    only if half of the groups are; g is the least even number for which that has probability at most `false_alarm`.
    """
    groups = next(g for g in range(2, 1000, 2) if scipy.stats.binom.sf(g / 2 - 1, g, 0.25) <= false_alarm)
    size = len(samples) // groups
    means = samples[: groups * size].reshape(groups, size).mean(axis=1)
    return np.median(means), 2 * np.sqrt(variance / size)


def deep_kernels(width, hidden_layers, replicates, X, seed):
    """Kernels (replicates, n, n) of independent networks of equal hidden widths on inputs of the plane."""
    rng = np.random.default_rng(seed)
    shapes = [(width, 2), *[(width, width)] * (hidden_layers - 1), (1, width)]
    return relu_network_ntk([rng.standard_normal((replicates, *shape)) for shape in shapes], X)


@functools.cache
def tolerances(chance):
    """What each entry of a mean over NEURONS neurons may be off on either side, in networks of whatever width."""
    sides, rounding = relu_ntk_deviations(np.clip(INPUTS @ INPUTS.T, -1, 1), NEURONS, chance), NEURONS * UNIT_ROUNDOFF
    return Deviations(below=sides.below + 16 * rounding, above=sides.above + 16 * rounding)


def mean_of_networks(width, seed):
    """The mean kernel at INPUTS, (4, 4), of NEURONS/width networks of this width."""
    neurons = two_layer("ntk", NEURONS, 2, seed)
    nets = TwoLayer(neurons.W.reshape(-1, width, 2), neurons.a.reshape(-1, width), "relu", width**-0.5)
    return nets.kernel(INPUTS).mean(axis=0)


@as_printed
@pytest.mark.parametrize("kernel", [relu_ntk, DEEP, erf_ntk], ids=["ReLU", "3 x ReLU", "erf"])
@given_batches(problem=singular_inputs())
def test_the_gaussian_mean_is_positive_semidefinite_where_it_is_singular_too(kernel, problem):
    # given  parallel or opposite inputs; that it is definite at inputs apart is in Theorem 5.2
    K = kernel(problem.X)
    # then   but for what rounding makes of 0: that of the eigensolver and that of the entries, largest for erf
    bound = working_precision(K, erf_rounding(problem.X).max((1, 2)))
    assert_at_most(-np.linalg.eigvalsh(K)[:, 0], bound, why="least eigenvalue", instance=problem)


@corrected("C1")
@given(law=neuron_laws())
def test_the_mean_of_one_hidden_layer_is_the_same_at_every_width(law):
    # given  two independent neurons, and two copies of one
    one = mean_kernel(law, width=1)
    assert_identical(mean_kernel(law, width=2), one, why="E K_2 = E K_1")
    assert_identical(mean_kernel(law, width=1, copies=2), one, why="E K_2 = E K_1, copies")


@corrected("C1")
@given(seed=st.integers(0, 2**24))
def test_gaussian_networks_of_width_4_average_to_the_infinitely_wide_kernel_as_those_of_width_256_do(seed):
    # given  640 networks of width 4 and 10 of width 256: 2560 neurons each
    means = np.stack([mean_of_networks(width, 2 * seed + k) for k, width in enumerate(WIDTHS)])
    # then   the mean of R kernels of width m is one of R m neurons
    allowed = tolerances(each_of(1e-8, COMPARISONS))
    assert_at_most(means - relu_ntk(INPUTS), allowed.above, why="entries from above")
    assert_at_most(relu_ntk(INPUTS) - means, allowed.below, why="entries from below")


@corrected("C1")
@pytest.mark.parametrize("without", ["hidden", "output"])
def test_the_averages_would_see_a_layer_that_is_missing(without):
    # given  the share of one layer alone, at the first input and itself, in place of the mean
    K, output = relu_ntk(INPUTS)[0, 0], relu_nngp(INPUTS)[0, 0]
    planted = output if without == "hidden" else K - output
    # then   a mean that is too large or too small by so much is found at either width, but for 1e-9: half of K
    found = detectable(tolerances, each_of(1e-8, COMPARISONS), FALSE_ALARM)
    assert_at_most(max(found.above[0, 0], found.below[0, 0]), K - planted, why="what is detectable")
    assert_identical(K - planted, K / 2, why="the share of either layer")


@corrected("C2")
def test_the_mean_of_two_hidden_layers_at_opposite_inputs_nears_its_limit_like_one_over_the_width():
    # given  every width up to 300
    widths = np.arange(1, 301)
    limit = relu_ntk(OPPOSITE, hidden_layers=2)[0, 1]
    # when
    left = 2 * np.pi * (limit - np.array([mean_at_opposite_inputs(width) for width in widths]))
    # then   Var B and twice it
    upper = 3 / (2 * (widths + 2))
    slack = 64 * widths * UNIT_ROUNDOFF
    assert_within(upper / 2, left, upper, slack=slack, why="distance from the limit, times 2 pi")
    # and    equality from above at m = 1, where no neuron serves both inputs, and nearly so from below at m = 300
    assert_at_most(upper[0] - left[0], slack[0], why="attained at width 1")
    assert_at_most(left[-1], 1.01 * upper[-1] / 2, why="within a hundredth at width 300")
    # and    what is taken from the mean square of K_m is the square of that mean: little is left
    assert_at_most(variance_at_opposite_inputs(300), 1 / 300, why="variance at width 300")


@corrected("C2")
def test_networks_of_width_3_average_to_that_mean_and_not_to_the_limit():
    # given  40,000 networks of two hidden layers
    width, replicates = 3, 40_000
    samples = deep_kernels(width, 2, replicates, OPPOSITE, seed=3)[:, 0, 1]
    # when
    median, radius = median_of_means(samples, variance_at_opposite_inputs(width), FALSE_ALARM)
    # then   the limit is so far that it would be taken for the mean with a probability of 1e-9
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
    # then   the mean is the limit, 1/4 for each of three layers; one left out is missed with a probability of 1e-9
    limit = relu_ntk(x, hidden_layers=2)[0, 0]
    assert_at_most(abs(median - limit), radius, why="median of means")
    assert_at_most(2 * radius, limit / 3, why="power against a layer that is left out")


@corrected("C3")
def test_the_variance_at_one_input_is_the_sum_over_how_many_neurons_are_active():
    # given  the mean square of m^2 K_m given N and M active neurons, summed over both, in fractions
    def mean_square(m):
        coins = [Fraction(math.comb(m, k), 2**m) for k in range(m + 1)]
        given = lambda n, k: k * (k + 2) * n * (n + 6) + 4 * k * (k + 1) * n * (2 * n + 1)  # noqa: E731
        return sum(p * q * given(n, k) for n, p in enumerate(coins) for k, q in enumerate(coins))

    sums = [mean_square(m) / Fraction(m) ** 4 - Fraction(9, 16) for m in (1, 2, 3, 8)]
    assert_identical([variance_at_one_input(Fraction(m)) for m in (1, 2, 3, 8)], sums, why="variance of K_m(x, x)")
    # and    at m = 1 the kernel is u^2 g^2 + u^2 a^2 + a^2 g^2 or, three times in four, 0: mean square 45/4
    assert_identical(sums[0], Fraction(45, 4) - Fraction(9, 16), why="variance at width 1")


def bias_at(cosine, hidden_layers, draws):
    """The mean kernel less its limit at two unit vectors, and its standard error: 20,000 networks of width 4 a draw."""
    X = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]])
    kernels = np.concatenate([deep_kernels(4, hidden_layers, 20_000, X, seed) for seed in range(draws)])
    limit = relu_ntk(X, hidden_layers=hidden_layers)
    return kernels.mean(axis=0) - limit, kernels.std(axis=0) / np.sqrt(len(kernels))


@observed
@pytest.mark.parametrize("hidden_layers", [2, 3])
def test_at_an_obtuse_angle_the_bias_is_of_that_order_too_and_the_diagonal_has_none(hidden_layers):
    bias, deviation = bias_at(-0.6, hidden_layers, draws=1)
    # then   below the limit beside the diagonal, by more than six standard errors
    assert_at_most(6 * deviation[0, 1], -bias[0, 1], why="bias off the diagonal")
    assert_at_most(np.abs(np.diagonal(bias)), 6 * np.diagonal(deviation), why="no bias on the diagonal")


@observed
@pytest.mark.slow
def test_at_an_acute_angle_three_hidden_layers_have_a_bias_of_the_other_sign():
    bias, deviation = bias_at(0.3, 3, draws=20)
    assert_at_most(6 * deviation[0, 1], bias[0, 1], why="bias off the diagonal")
    assert_at_most(np.abs(np.diagonal(bias)), 6 * np.diagonal(deviation), why="no bias on the diagonal")
