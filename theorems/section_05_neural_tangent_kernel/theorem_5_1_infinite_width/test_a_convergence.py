r"""Theorem 5.1 (a) - convergence of K_m.

Printed     (Theorem 5.1, first sentence) $K_m \to K^\infty$ as $m \to \infty$, and $K^\infty$ is deterministic
Reading     $K_m$ is the kernel of one network of width $m$, drawn at random. Section 5 assumes an initialization scheme
            (5.3, item 3) and names none.
Readings    [printed expectation] $K$ is the mean over starts of Section 5.1, for one hidden layer - vacuous
Setting     $f(x) = c \sum_j a_j s(w_j \cdot x)$ with $m$ neurons, an activation $s$, a scale $c$ and no biases.
            $K_m(x, x')$ is the inner product of the gradients of $f(x)$ and $f(x')$ in all weights, at the start.
            Weights are standard normal; where a test says so, those of the last layer are random signs.
Hypotheses  (H1) NTK parameterization: weights of order 1, and every layer but the first is divided by the root of the
            number of its inputs.
            (H2) The neurons are independent.
Idea        $m K_m$ is a sum of $m$ independent terms whose moment generating function is known. So every entry of
            $K_m - K^\infty$ obeys a Chernoff bound. Counterexample: in the paper's own parameterization ($c = 1$,
            variances $2/d$ and $2/m$, $d$ the dimension of $x$) the mean of $K_m(x, x)$ is $\|x\|^2 (1 + m/d)$, which
            has no limit.
Tolerance   Chernoff for ReLU and Hoeffding for erf, whose terms are bounded (`properties.statistics.concentration`),
            and the rounding of the entries (`wide_networks.network_rounding`). Witnesses are rational.
Chance      A bound fails by chance with probability $10^{-13}$ for each entry and side of a generated instance, and
            $10^{-12}$ for each comparison with a fixed seed.
Findings    Convergence is shown for one hidden layer of ReLU or erf, and for two of ReLU.
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.kernels.infinite_width import erf_ntk, relu_ntk
from fixtures.models.exact_relu import signed_network
from fixtures.models.two_layer import two_layer
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.search import smallest_violation
from properties.statistics.concentration import chernoff, hoeffding, relu_ntk_deviations
from theorems.ledger import counterexample, necessity, under_hypotheses, vacuous
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import (
    DRAWN_DELTA,
    FIXED_DELTA,
    copies_of_one_neuron,
    drawn_network,
    is_ntk,
    paper_network,
)
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import network_inputs
from theorems.section_05_neural_tangent_kernel.wide_networks.network_rounding import kernel_entry_rounding


@under_hypotheses("H1", "H2")
@given_batches(start=network_inputs())
def test_every_entry_of_a_relu_kernel_is_within_its_exact_deviation_of_the_limit(start):
    # given  each side of each entry may fail with probability DRAWN_DELTA
    net = drawn_network(start, "relu")
    allowed = relu_ntk_deviations(start.gram / start.lengths, start.width[:, None, None], DRAWN_DELTA)
    # then   the deviation for unit vectors times |x||x'|, above and below the limit
    gap, rounding = net.kernel(start.X) - relu_ntk(start.X), kernel_entry_rounding(net, start.X)
    assert_at_most(gap, start.lengths * allowed.above + rounding, why="K_m above its limit", instance=start)
    assert_at_most(-gap, start.lengths * allowed.below + rounding, why="K_m below its limit", instance=start)


@under_hypotheses("H1", "H2")
@given_batches(start=network_inputs())
def test_every_entry_of_an_erf_kernel_with_signs_is_within_hoeffdings_deviation(start):
    # given  a neuron adds erf(w.x) erf(w.x'), in [-1, 1] and on the diagonal in [0, 1], and x.x' times a number that
    #        lies between 0 and 4/pi
    net = drawn_network(start, "erf", signs=True)
    spread = 2 - np.eye(start.X.shape[-2]) + 4 / np.pi * np.abs(start.gram)
    # then   each entry may fail with probability DRAWN_DELTA. The bound is 0.27 or more at width 1024, so a small error
    #        is seen only in the test of a quarter of a million neurons
    gap = np.abs(net.kernel(start.X) - erf_ntk(start.X))
    bound = hoeffding(spread, start.width[:, None, None], DRAWN_DELTA) + kernel_entry_rounding(net, start.X)
    assert_at_most(gap, bound, why="erf kernel, Hoeffding", instance=start)


@vacuous(reading="printed expectation")
def test_with_the_printed_expectation_there_is_nothing_to_converge():
    # given  H1: scale 1/sqrt(m). With weights +-1 the kernel at e_1 equals its expectation
    nets = [signed_network(4**k, Fraction(1, 2**k), Fraction(1)) for k in (2, 3, 4)]
    # then   E K_m is the same at every width: that of one neuron
    kernels = [net.kernel(fractions([[1, 0]]))[0, 0] for net in nets]
    assert_identical(kernels, [1, 1, 1], why="E K_m(e_1, e_1) = 1, widths 16 to 256")


@counterexample
def test_the_kernel_of_the_papers_own_network_grows_with_its_width():
    r"""ReLU, $c = 1$, $d = 2$, $x = e_1$, $w_j$ of variance $\frac2d = 1$ and $a_j$ of variance $\frac2m$. On average
    half of the neurons are active: $\mathbb{E} K_m(x, x) = \frac{m}{2} (\frac2m + 1) = 1 + \frac{m}{2}$. If it had a
    limit, its differences would vanish. But from $m = 8$ to $32$ it grows by $12$, and from $128$ to $512$ by $192$."""
    # given  weights +-1 and +-sqrt(2/m) have these variances, and the expected kernel at e_1 depends on nothing else
    kernels = [net.kernel(fractions([[1, 0]]))[0, 0] for net in map(paper_network, range(4))]
    # then
    assert_identical(kernels, [1 + Fraction(m, 2) for m in (8, 32, 128, 512)], why="E K_m = 1 + m/d")
    steps = kernels[1] - kernels[0], kernels[3] - kernels[2]
    assert_violates(steps[1], steps[0], reads="K_512 - K_128 = {value} > K_32 - K_8 = {limit}", x=[1, 0], d=2)


@counterexample
def test_a_search_finds_a_width_from_which_the_kernel_is_off_any_limit():
    # given  a candidate limit and an exponent. E K_m = |x|^2 (1 + m/2) increases in m. If it exceeds the candidate by
    #        more than one at one width, it does so at all larger widths, and the candidate is no limit
    def exceeds(instance):
        limit, exponent, x = instance
        return paper_network(exponent).kernel(fractions([[x, 0]]))[0, 0] - limit > 1

    found = smallest_violation(st.tuples(st.integers(9, 40), st.integers(0, 3), st.integers(1, 2)), exceeds, budget=60)
    assert_identical(found, (9, 0, 2), why="|x|^2 (1 + m/2) = 20 at x = 2 e_1 and width 8, less 9")


@necessity("H1")
def test_without_H1_the_kernel_over_the_width_converges_instead():
    # given  the standard parameterization with Gaussian weights, d = 2, |x| = 1, m = 4096
    x, width, (c, b) = np.array([[0.6, 0.8]]), 4096, (1.0, 2 / 4096)
    net = two_layer("standard", width, 2, 64)
    assert_keeps(H2=len(np.unique(net.W, axis=0)) == len(np.unique(net.a)) == width)
    kernel = net.kernel(x)[0, 0]
    # then   K_std(x, x) is a sum of terms 1(u > 0)(c u^2 + b v^2) of mean (c + b)/2, for c = 2/d and b = 2/m
    mean, ends = (c + b) / 2, (-np.inf, 1 / (2 * c))
    allowed = chernoff(
        lambda s: np.log(0.5 + 0.5 / np.sqrt((1 - 2 * c * s) * (1 - 2 * b * s))), mean, width, FIXED_DELTA, domain=ends
    )
    assert_within(mean - allowed.below, kernel / width, mean + allowed.above, why="K_std(x, x)/m")
    assert_at_most(1000 * relu_ntk(x)[0, 0], kernel, why="the kernel against its limit under H1")
    # and    power: Xavier's variances halve the terms. They would be missed with probability FIXED_DELTA
    assert_at_most(allowed.below + allowed.above / 2, mean / 2, why="half the mean is found")


@necessity("H2")
def test_without_H2_neurons_that_repeat_one_another_have_no_deterministic_limit():
    # given  copies of one neuron. At x it is inactive for the first seed and active for the second
    x, seeds, widths = np.array([[1.0, 2]]), (0, 11), (1, 64, 1024)
    nets = [[copies_of_one_neuron(two_layer("ntk", 1, 2, seed), m) for m in widths] for seed in seeds]
    assert_keeps(H1=[is_ntk(net) for row in nets for net in row])
    own = np.array([[net.kernel(x)[0, 0] for net in row] for row in nets])
    # then   at every width the kernel is that of the one neuron: 0 for the first seed, 3 times the limit for the second
    slack = rounding(2 * (1024 + 34), own[:, :1])  # two sums of at most 1024 neurons, with 34 roundings for each
    assert_at_most(np.abs(own - own[:, :1]), slack, why="kernel of one neuron, whatever the width")
    assert_at_most(2 * relu_ntk(x)[0, 0], own[1] - own[0], why="difference of two seeds, against the limit")
