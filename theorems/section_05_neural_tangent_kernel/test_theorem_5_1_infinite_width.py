r"""Theorem 5.1 - in the limit of infinite width training is kernel regression with a fixed kernel.

Section     5.1
Printed     (Theorem 5.1) $K_m \to K^\infty$, which is deterministic, as $m \to \infty$; $K_t \approx K_0$ in training;
            $\frac{df(x_i)}{dt} = -\sum_{j=1}^n K(x_i, x_j)(f(x_j) - y_j)$; and all this is "identical" to kernel ridge
            regression with K
Reading     Loss, kernels and limit are those of the section (its __init__). (a), (b) K_m and K_t are kernels of one
            drawn network. Section 5 assumes an initialization scheme (5.3, item 3) and names none. (b)
            Training is the flow, whose equation is printed, or descent with small steps. (c) K is the kernel K_t of the
            moment, which by (b) is nearly K_0. (d) Ridge regression is that of Section 5.2, in the limit $\lambda \to
            0^+$, so training is followed to its end
Readings    (a) [printed expectation] K is the mean over starts of Section 5.1, for one hidden layer - vacuous
            (b) [fixed rate] training is descent, as in Section 2.2, at one rate for all widths - refuted
            (c) [mean loss] the loss is that of Section 2.1, with 1/(2n) - refuted
            (d) [every time] "identical" is said of the evolution, so each time t has a lambda > 0 of its own - refuted
Setting     $f(x) = \text{scale} \sum_j a_j s(w_j \cdot x)$, or more hidden layers of one width; no biases. J: the
            Jacobian of f(X); r = f(X) - y; $k_x = K(x, X)$; s_0: the least singular value of J_0; d: the distance of
            the weights from their start; lin: the network linearized at its start. Lip: a bound on |J - J_0|/d up to
            this d, as `turning_rate` and `deep_turning_rate` compute it. All layers are trained unless W alone is
            named. (a) Weights are standard normal, or those of the last layer signs. (d) lin is trained, by the flow or
            by descent with $\eta |K_0| < 2$
Hypotheses  (a) (H1) NTK parameterization: weights of order 1, and every layer but the first is divided by the root of
            the number of its inputs.  (H2) The neurons are independent.
            (b) (H3) 0 < eta |K_0| <= 1/3; the flow is the limit eta -> 0.  (H4) The network is smooth, and wide for its
            data: Lip * 8 |r_0| <= s_0^2 for d up to 4 |r_0|/s_0. For ReLU, W alone, H1 and H2 stand in place of H4.
            (d) (H5) f_0 = 0
Corrected   (C1) (b) For tanh, one or two hidden layers, and any step, width and targets: $|J - J_0| \le Lip\, d$ and
            $|K - K_0| \le 2 |J_0| Lip\, d + (Lip\, d)^2$.
            (C2) (c) Under the loss with 1/(2n): $\frac{df(X)}{dt} = -\frac1n K_t (f(X) - y)$.
            (C3) (c) For tanh or erf with W trained alone, or two hidden layers of tanh, and descent with $\eta |K_0|
            \le 2$: $\|r_t - r_t^{lin}\| \le \eta \sum_{s<t} Lip\, [\frac{d_s + d_{s+1}}{2} \|J_s\| + d_s \|J_0\|]
            \|r_s\|$.
            (C4) (c) After t steps of any size lin is $f_0(x) + k_x V \operatorname{diag}((1 - (1 - \eta w)^t)/w) V^\top
            (y - f_0(X))$, for $K_0 = V \operatorname{diag}(w) V^\top$; at w = 0 the quotient is eta t.
            (C5) (d) Where K_0 is invertible training ends at $k_x K_0^{-1} y + f_0(x) - k_x K_0^{-1} f_0(X)$.
            (C6) (d) One hidden ReLU layer, $c = (1, -K^{-1} k_x)$ for $K = K^\infty$, and f_0 taken at x and X: the
            offset $c^\top f_0$ has the variance $c^\top \Sigma c$ at every width, $\Sigma$ the limiting covariance of
            f_0; given the hidden weights it is normal, with their empirical covariance.
            (C7) (d) From f_0 = 0, t steps leave mode w off ridge's by $\lambda/(w + \lambda) - (1 - \eta w)^t$.
            (C8) (d) From f_0 = 0, for every true function and centred noise of any covariance, the expected in-sample
            risk of the flow at time t is at most 1.6861 times that of ridge at $\lambda = 1/t$; no constant below
            1.6858 will do
Parts       (a) convergence of K_m - holds under added hypotheses
            (b) constancy in training - holds under added hypotheses
            (c) the function-space ODE - holds
            (d) identical to kernel ridge regression - holds under added hypotheses
Idea        (a) m K_m is a sum of m independent terms of known moment generating function. Given the first of two hidden
            layers, the others are a network with one; the share of the first is a Gaussian quadratic form. (b) The
            weights stay within 4 |r_0|/s_0 of their start, where J turns little. With W trained alone, a ReLU kernel
            changes only by neurons that pass zero. (c) The chain rule. (d) Either method fits every mode w > 0 in the
            end, at rates with no common lambda
Source      Jacot, Gabriel, Hongler (2018), Neural Tangent Kernel: Convergence and Generalization in Neural Networks,
            NeurIPS 31; Cho, Saul (2009), Kernel Methods for Deep Learning, NeurIPS 22; Williams (1997), Computing with
            Infinite Networks, NIPS 9; Glorot, Bengio (2010), Understanding the Difficulty of Training Deep Feedforward
            Neural Networks, AISTATS; Lee, Xiao, Schoenholz, Bahri, Novak, Sohl-Dickstein, Pennington (2019), Wide
            Neural Networks of Any Depth Evolve as Linear Models Under Gradient Descent, NeurIPS 32; Chizat, Oyallon,
            Bach (2019), On Lazy Training in Differentiable Programming, NeurIPS 32; Oymak, Soltanolkotabi (2019),
            Overparameterized Nonlinear Learning: Gradient Descent Takes the Shortest Path?, ICML; Du, Zhai, Poczos,
            Singh (2019), Gradient Descent Provably Optimizes Over-parameterized Neural Networks, ICLR, for ReLU; Ali,
            Kolter, Tibshirani (2019), A Continuous-Time View of Early Stopping for Least Squares Regression, AISTATS
Tolerance   Witnesses are rational; exponentials are enclosed. (a) Chernoff, Hoeffding and DKW; (b), (c) deterministic
            inequalities and rounding (properties.concentration, properties.deep_kernel, properties.lazy_training)
Chance      Below 1e-8 for the file, under `fast` and `thorough`: 1e-13 for each of 30 comparisons an instance of (a),
            and 1e-12 for each of 250 comparisons with fixed seeds, four of them of (b)
Findings    Shown: (a) for one hidden layer, and two of ReLU; (b) for one, smooth or ReLU, and two of tanh; (c) for up
            to three. In (b) the displacement of a ReLU neuron is read off the run. Observed with frozen seeds: at 64
            times the width the kernel of a tanh network moves by less than 1/8, and that of a ReLU network by more than
            1/64, of what it did; at the fixed rate 1/10 wide networks of Section 2.1 are lost, with tanh by overflow,
            with ReLU because all neurons leave the data
Expected    holds under added hypotheses
"""

import dataclasses
import functools
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from hypothesis import strategies as st
from numpy.linalg import norm
from scipy.special import erf

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.paths import NonFiniteLossError
from fixtures.dynamics.two_layer import fit, gradients, network_path
from fixtures.kernels.infinite_width import erf_nngp, erf_ntk, relu_nngp, relu_ntk
from fixtures.kernels.regression import descent_filter, interpolant_coefficients, ridge_coefficients
from fixtures.models.deep_network import deep_network
from fixtures.models.exact_relu import ExactReluNetwork, signed_network
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs
from fixtures.problems.network_inputs import network_inputs, trainings
from fixtures.rational import exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.concentration import (
    chernoff,
    chi_square_interval,
    chi_square_power,
    detectable,
    dvoretzky_kiefer_wolfowitz,
    hoeffding,
    relu_ntk_deviations,
    relu_ntk_diagonal_cdf,
    sup_distance,
)
from properties.deep_kernel import deep_lazy_radius, deep_relu_shares, deep_turning_rate
from properties.lazy_training import (
    LAZY_STEP,
    kernel_drift,
    kernel_rounding,
    lazy_radius,
    linearization_gap,
    linearization_sum,
    spectral,
    turning_rate,
)
from properties.network_rounding import kernel_entry_rounding, value_rounding
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, observed, under_hypotheses, vacuous

EACH, ONCE = 1e-13, 1e-12
DIRECTION = np.array([0.6, -0.8])
SUPREMUM = Fraction(16861, 10000)
POINTS = np.array([[1.0, 0], [0.6, 0.8], [-0.8, 0.6]])
SMOOTH = {"activation": "tanh", "signs": True, "antisymmetric": True}


def drawn_network(problem, activation, parameterization="ntk", **options):
    """The networks of the drawn widths and seeds."""
    shape = problem.width, problem.X.shape[-1], problem.seed
    return two_layer(parameterization, *shape, activation=activation, **options)


def networks_of(width, count):
    """So many independent ReLU networks on the plane in the NTK parameterization, drawn as one wide network."""
    neurons = two_layer("ntk", count * width, 2, width)
    return TwoLayer(neurons.W.reshape(count, width, 2), neurons.a.reshape(count, width), "relu", width**-0.5)


def standard_network(k):
    """The paper's own network at width 8 * 4^k, f_0 = 0, with weights +-1 and +-sqrt(2/m), in fractions."""
    return signed_network(8 * 4**k, Fraction(1), Fraction(1, 2 ** (1 + k)))


def repeated(net, width):
    """So many copies of one neuron, in the NTK parameterization."""
    return TwoLayer(np.repeat(net.W, width, 0), np.repeat(net.a, width), net.activation, width**-0.5)


def is_ntk(net):
    """Whether all weights are at most 4 and the output layer is divided by the root of its m inputs."""
    sizes = np.abs(net.W).max(), np.abs(net.a).max()
    return max(sizes) <= 4 and net.scale**2 * len(net.a) == 1


def every(period, start, X, y, eta, train, steps):
    """The networks at t = 0, period, 2 * period, ..., steps of gradient descent."""
    return list(islice(network_path(start, X, y, eta, train), 0, steps + 1, period))


def watched(path, X, y, train):
    """|theta_t - theta_0|, |K_t - K_0| and |r_t| along a path, each (..., T)."""
    K_0, theta_0 = path[0].kernel(X, train=train), path[0].parameters(train)
    moved = [norm(net.parameters(train) - theta_0, axis=-1) for net in path]
    drift = [spectral(net.kernel(X, train=train) - K_0) for net in path]
    return (np.stack(x, axis=-1) for x in (moved, drift, [norm(net.predict(X) - y, axis=-1) for net in path]))


@functools.cache
def deep_shares(width):
    """What one network of two hidden ReLU layers has at POINTS, share by share, at ONCE."""
    return deep_relu_shares(deep_network(width, 2, width), POINTS, ONCE)


def deep_run(width, size, step, steps=30):
    """Tanh networks of two hidden layers along descent to targets at a distance `size` from f_0; eta = step/|K_0|."""
    X, net = POINTS[:2], deep_network(width, 2, width, activation="tanh")
    y, eta = net.predict(X) + size * DIRECTION, step / spectral(net.kernel(X))
    states = [net]
    for _ in range(steps):
        states.append(states[-1].moved(X, states[-1].predict(X) - y, -eta))
    return states, eta


def sorted_changes(activation, widths, eta):
    """The relative kernel changes of nine networks of each width that have learned three samples, in order."""
    X, y = np.array([[1.0, 0.5], [-0.5, 1], [1, -1]]), np.array([1.0, -1, 0.5])
    for width in widths:
        start = two_layer("ntk", np.repeat(width, 9), 2, np.arange(9), activation=activation, antisymmetric=True)
        K_0, K = start.kernel(X), fit(start, X, y, eta, loss=1e-3, budget=2000).kernel(X)
        yield np.sort(spectral(K - K_0) / spectral(K_0))


# (a) convergence of K_m


@under_hypotheses("H1", "H2", part="(a)")
@given_batches(start=network_inputs())
def test_every_entry_of_a_relu_kernel_is_within_its_exact_deviation_of_the_limit(start):
    # given  delta = EACH a side
    net = drawn_network(start, "relu")
    allowed = relu_ntk_deviations(start.gram / start.lengths, start.width[:, None, None], EACH)
    # then   |x||x'| times the deviation for unit vectors, either side
    gap, rounding = net.kernel(start.X) - relu_ntk(start.X), kernel_entry_rounding(net, start.X)
    assert_at_most(gap, start.lengths * allowed.above + rounding, why="K_m above its limit", instance=start)
    assert_at_most(-gap, start.lengths * allowed.below + rounding, why="K_m below its limit", instance=start)


@under_hypotheses("H1", "H2", part="(a)")
@given_batches(start=network_inputs())
def test_every_entry_of_an_erf_kernel_with_signs_is_within_hoeffdings_deviation(start):
    # given  a neuron adds erf erf in [-1, 1], or [0, 1] on the diagonal, and x.x' times a number in [0, 4/pi]
    net = drawn_network(start, "erf", signs=True)
    spread = 2 - np.eye(start.X.shape[-2]) + 4 / np.pi * np.abs(start.gram)
    # then   delta = EACH an entry, which allows 0.27 and more at width 1024: the power is that of wide networks
    gap = np.abs(net.kernel(start.X) - erf_ntk(start.X))
    bound = hoeffding(spread, start.width[:, None, None], EACH) + kernel_entry_rounding(net, start.X)
    assert_at_most(gap, bound, why="erf kernel, Hoeffding", instance=start)


@under_hypotheses("H1", "H2", part="(a)")
@pytest.mark.parametrize("width", [16, 64])
def test_the_diagonal_of_a_relu_kernel_has_its_exact_law_and_so_variance_three_over_the_width(width):
    # given  4000 networks, |x| = 1
    samples = networks_of(width, 4000).kernel(np.array([[0.6, 0.8]]))[:, 0, 0]
    # then   m K_m ~ Gamma(N, 2), N ~ Bin(m, 1/2), up to P(sup > e) <= 2 exp(-2 count e^2), e = 0.060
    bound = dvoretzky_kiefer_wolfowitz(4000, ONCE)
    deviation = sup_distance(samples, lambda k: relu_ntk_diagonal_cdf(k, width))
    assert_at_most(deviation, bound, why="law of K_m(x, x), DKW")
    # and    power: the law of twice the width, where the deviation is smaller by sqrt(2), is told apart
    other = sup_distance(samples, lambda k: relu_ntk_diagonal_cdf(k, 2 * width))
    assert_at_most(bound, other, why="the law of another width, DKW")


@under_hypotheses("H1", "H2", part="(a)")
def test_a_quarter_of_a_million_relu_neurons_are_within_a_thirtieth_of_the_limit():
    # given  delta = ONCE a side and entry
    net, r = two_layer("ntk", 2**18, 2, 18), np.clip(POINTS @ POINTS.T, -1, 1)
    allowed = relu_ntk_deviations(r, net.width, ONCE)
    gap, rounding = net.kernel(POINTS) - relu_ntk(POINTS), kernel_entry_rounding(net, POINTS)
    assert_within(-allowed.below, gap, allowed.above, slack=rounding, why="entries of K_m - K")
    assert_at_most(np.maximum(allowed.above, allowed.below), 1 / 30, why="deviation that is allowed at this width")
    # and    power: on the diagonal either layer has a share of 1/2
    found = detectable(lambda delta: relu_ntk_deviations(r, net.width, delta), ONCE, ONCE)
    assert_at_most(np.maximum(found.above, found.below), 1 / 15, why="error that is missed with probability ONCE")


@under_hypotheses("H1", "H2", part="(a)")
def test_a_quarter_of_a_million_erf_neurons_are_within_a_thirtieth_of_the_limit():
    # given  signs; delta = ONCE an entry
    net, spread = two_layer("ntk", 2**18, 2, 18, activation="erf", signs=True), 2 - np.eye(3) + 4 / np.pi
    gap, rounding = np.abs(net.kernel(POINTS) - erf_ntk(POINTS)), kernel_entry_rounding(net, POINTS)
    assert_at_most(gap, hoeffding(spread, net.width, ONCE) + rounding, why="entries of K_m - K")
    assert_at_most(hoeffding(spread, net.width, ONCE), 1 / 30, why="deviation that is allowed at this width")
    # and    power, against a layer whose share is wrong by a factor 1.3
    found = np.diagonal(detectable(lambda delta: hoeffding(spread, net.width, delta), ONCE, ONCE))
    shares = erf_nngp(POINTS), erf_ntk(POINTS) - erf_nngp(POINTS)
    assert_at_most(found, 0.3 * np.diagonal(np.minimum(*shares)), why="error that is missed with probability ONCE")


@under_hypotheses("H1", "H2", part="(a)")
@pytest.mark.parametrize(("trained", "size"), [("hidden", 1.0), ("output", 1.0), ("both", np.sqrt(2))])
def test_a_layer_at_rest_and_another_variance_are_seen_at_width_4096(trained, size):
    # given  one layer alone, or output weights of variance two: another limit
    X, lengths, net = np.array([[1.0, 2], [2, 1]]), 5.0, two_layer("ntk", 4096, 2, 5)
    other = dataclasses.replace(net, a=size * net.a).kernel(X, train=trained)
    # then   every entry falls out of its deviation at ONCE
    allowed = relu_ntk_deviations(X @ X.T / lengths, net.width, ONCE)
    off = np.abs(other - relu_ntk(X))
    assert_at_most(lengths * np.maximum(allowed.below, allowed.above), off, why="power against another network")


@under_hypotheses("H1", "H2", part="(a)")
@pytest.mark.parametrize("width", [64, 1024])
def test_the_kernel_of_two_hidden_relu_layers_is_near_its_recursion_layer_by_layer(width):
    # given  12 comparisons of delta = ONCE for each of 6 entries
    # then   the products of the features, the kernel above them, the gates, and the share of the first layer
    for share, why in zip(deep_shares(width), ("products of the features", "K_23", "gates", "K_1"), strict=True):
        assert_at_most(np.abs(share.value - share.limit), share.allowed, why=why)


@under_hypotheses("H1", "H2", part="(a)")
def test_sixteen_times_the_width_leaves_the_deep_kernel_a_third_of_its_deviation():
    allowed = np.array([[share.allowed for share in deep_shares(width)] for width in (64, 1024)])
    assert_at_most(3 * allowed[1].max((1, 2)), allowed[0].max((1, 2)), why="deviations that are allowed")


@vacuous(part="(a)", reading="printed expectation")
def test_with_the_printed_expectation_there_is_nothing_to_converge():
    # given  H1: scale 1/sqrt(m), and weights +-1, whose kernel at e_1 is the expectation
    nets = [signed_network(4**k, Fraction(1, 2**k), Fraction(1)) for k in (2, 3, 4)]
    # then   E K_m is that of one neuron at every width
    kernels = [net.kernel(fractions([[1, 0]]))[0, 0] for net in nets]
    assert_identical(kernels, [1, 1, 1], why="E K_m(e_1, e_1) = 1, widths 16 to 256")


@counterexample(part="(a)")
def test_the_kernel_of_the_papers_own_network_grows_with_its_width():
    # given  scale 1, weights of He's variances 2/d = 1 and 2/m: weights +-1 and +-sqrt(2/m) have them, and the kernel
    #        at e_1 depends on nothing else in expectation
    kernels = [net.kernel(fractions([[1, 0]]))[0, 0] for net in map(standard_network, range(4))]
    # then   E K_m(x, x) = |x|^2 (1 + m/d): the differences grow where a limit would make them vanish
    assert_identical(kernels, [1 + Fraction(m, 2) for m in (8, 32, 128, 512)], why="E K_m = 1 + m/d")
    steps = kernels[1] - kernels[0], kernels[3] - kernels[2]
    assert_violates(steps[1], steps[0], reads="K_512 - K_128 = {value} > K_32 - K_8 = {limit}", x=[1, 0], d=2)


@counterexample(part="(a)")
def test_a_search_finds_a_width_from_which_the_kernel_is_off_any_limit():
    # given  a candidate limit and an exponent; E K_m = |x|^2 (1 + m/2) increases in m, so that a width at which it
    #        exceeds the candidate by more than one refutes it for good
    def exceeds(instance):
        limit, exponent, x = instance
        return standard_network(exponent).kernel(fractions([[x, 0]]))[0, 0] - limit > 1

    found = smallest_violation(st.tuples(st.integers(9, 40), st.integers(0, 3), st.integers(1, 2)), exceeds, budget=60)
    assert_identical(found, (9, 0, 2), why="|x|^2 (1 + m/2) = 20 at x = 2 e_1 and width 8, less 9")


@necessity("H1", part="(a)")
def test_without_H1_the_kernel_over_the_width_converges_instead():
    # given  the standard parameterization with Gaussian weights, d = 2, |x| = 1, m = 4096
    x, width, (c, b) = np.array([[0.6, 0.8]]), 4096, (1.0, 2 / 4096)
    net = two_layer("standard", width, 2, 64)
    assert_keeps(H2=len(np.unique(net.W, axis=0)) == len(np.unique(net.a)) == width)
    kernel = net.kernel(x)[0, 0]
    # then   K_std(x, x) is a sum of 1(u > 0)(c u^2 + b v^2), c = 2/d and b = 2/m, of mean (c + b)/2
    mean, ends = (c + b) / 2, (-np.inf, 1 / (2 * c))
    allowed = chernoff(
        lambda s: np.log(0.5 + 0.5 / np.sqrt((1 - 2 * c * s) * (1 - 2 * b * s))), mean, width, ONCE, domain=ends
    )
    assert_within(mean - allowed.below, kernel / width, mean + allowed.above, why="K_std(x, x)/m")
    assert_at_most(1000 * relu_ntk(x)[0, 0], kernel, why="which is off the limit under H1")
    # and    power: Xavier's variances, which halve the terms, are missed with probability ONCE
    assert_at_most(allowed.below + allowed.above / 2, mean / 2, why="half the mean is found")


@necessity("H2", part="(a)")
def test_without_H2_neurons_that_repeat_one_another_have_no_deterministic_limit():
    # given  copies of one neuron, which rests at x for one seed and is active for the other
    x, seeds, widths = np.array([[1.0, 2]]), (0, 11), (1, 64, 1024)
    nets = [[repeated(two_layer("ntk", 1, 2, seed), m) for m in widths] for seed in seeds]
    assert_keeps(H1=[is_ntk(net) for row in nets for net in row])
    own = np.array([[net.kernel(x)[0, 0] for net in row] for row in nets])
    # then   the kernel is that of the one neuron at every width: 0, and three times the limit
    rounding = 4 * (1024 + 34) * UNIT_ROUNDOFF * own[:, :1]
    assert_at_most(np.abs(own - own[:, :1]), rounding, why="kernel of one neuron, whatever the width")
    assert_at_most(2 * relu_ntk(x)[0, 0], own[1] - own[0], why="difference of two seeds, against the limit")


# (b) constancy in training


@corrected("C1", part="(b)")
@pytest.mark.parametrize("train", ["hidden", "both"])
@given_batches(problem=trainings())
def test_at_every_step_jacobian_and_kernel_have_moved_no_further_than_the_weights_allow(problem, train):
    # given  tanh and signs; any legal step, any width, any targets: nothing is small here
    start, X = drawn_network(problem, "tanh", signs=True), problem.X
    eta, J_0 = problem.step / spectral(start.kernel(X, train=train)), start.jacobian(X, train)
    # when   thirty steps of gradient descent
    path = every(6, start, X, problem.y, eta, train, 30)
    moved, drift, _ = watched(path, X, problem.y, train)
    # then
    turn = np.stack([spectral(net.jacobian(X, train) - J_0) for net in path], axis=-1)
    rounding = sum(kernel_rounding(net, X, train) for net in path)
    allowed = turning_rate(start, X, train)[:, None] * moved + (rounding / spectral(J_0))[:, None]
    assert_at_most(turn, allowed, why="|J_t - J_0|", instance=problem)
    bound = kernel_drift(start, X, moved.T, train) + rounding
    assert_at_most(drift, bound.T, why="|K_t - K_0|", instance=problem)


@corrected("C1", part="(b)")
@pytest.mark.parametrize("width", [4, 64])
def test_two_hidden_layers_move_no_further_than_their_weights_allow_either(width):
    # given  tanh, far targets, eta |K_0| = 1; the largest distance of the run as reach
    states, _ = deep_run(width, size=1.0, step=1.0)
    start, moved = states[0], np.array([net.distance(states[0]) for net in states])
    # then
    change = deep_turning_rate(start, POINTS[:2], moved.max()) * moved
    turned = [norm(net.jacobian(POINTS[:2]) - start.jacobian(POINTS[:2])) for net in states]
    K_0 = start.kernel(POINTS[:2])
    drift = np.array([spectral(net.kernel(POINTS[:2]) - K_0) for net in states])
    rounding = 64 * width * UNIT_ROUNDOFF * spectral(K_0)
    assert_at_most(turned, change + rounding, why="|J_t - J_0|")
    assert_at_most(drift, 2 * np.sqrt(spectral(K_0)) * change + change**2 + rounding, why="|K_t - K_0|")


def wild_turn(seed, hidden_layers):
    """How far a tanh Jacobian turns, over its bound with rounding, from anything to anywhere.

    Widths 1 to 6, every layer of a size from 10^-3 to 10^2, one in five at rest; up to four inputs of sizes 10^-3 to
    10^3, repeated, parallel or in general position; distances from 10^-4 to 10^2, at random or along the Jacobian.
    Rounding is like that of a move by 64(m + d)u |theta|, and of as many roundings of J itself.
    """
    rng = np.random.default_rng(seed)
    n, d, m, reach = 1 + rng.integers(4), 1 + rng.integers(4), 1 + rng.integers(6), 10 ** rng.uniform(-4, 2)
    X = 10 ** rng.uniform(-3, 3) * [rng.standard_normal((n, d)), np.ones((n, 1)) * rng.standard_normal(d)][seed % 2]
    net = deep_network(m, d, seed, hidden_layers=hidden_layers, activation="tanh")
    sizes = 10 ** rng.uniform(-3, 2, len(net.layers)) * (rng.random(len(net.layers)) < 0.8)
    net = dataclasses.replace(net, layers=tuple(size * W for size, W in zip(sizes, net.layers, strict=True)))
    random = deep_network(m, d, seed + 1, hidden_layers=hidden_layers, activation="tanh").layers
    along = [g.T @ h for g, h in net.signals(X)] if seed % 3 else random
    length = np.sqrt(sum(np.sum(step**2) for step in along)) or 1.0
    moved = tuple(W + reach / length * step for W, step in zip(net.layers, along, strict=True))
    other = dataclasses.replace(net, layers=moved)
    shallow = TwoLayer(net.layers[0], net.layers[-1][0], "tanh", m**-0.5)
    rate = turning_rate(shallow, X) if hidden_layers == 1 else deep_turning_rate(net, X, reach)
    theta = np.sqrt(sum(np.sum(W**2) for W in (*net.layers, *other.layers)))
    J, J_0 = other.jacobian(X), net.jacobian(X)
    rounding = 64 * (m + d) * UNIT_ROUNDOFF * (rate * theta + norm(J) + norm(J_0))
    turn = norm(J - J_0) if hidden_layers == 2 else spectral(J - J_0)
    return turn / (rate * net.distance(other) + rounding + np.finfo(float).tiny)


@corrected("C1", part="(b)")
@pytest.mark.slow
@pytest.mark.parametrize("hidden_layers", [1, 2])
def test_weights_inputs_and_distances_of_any_size_turn_the_jacobian_no_faster(hidden_layers):
    ratios = [wild_turn(seed, hidden_layers) for seed in range(1000)]
    assert_at_most(ratios, 1, why="|J - J_0| <= Lip d")
    assert_at_most(1 / 2, max(ratios), why="and half of it is turned by one of them")


@under_hypotheses("H3", "H4", part="(b)")
@pytest.mark.parametrize(("width", "relative"), [(64, 1 / 5), (512, 1 / 12)])
def test_a_network_of_two_hidden_layers_keeps_its_kernel_for_ever(width, relative):
    # given  tanh, all layers, H1, H3, and targets 1/200 from f_0
    X = POINTS[:2]
    states, eta = deep_run(width, size=1 / 200, step=LAZY_STEP)
    start, K_0 = states[0], states[0].kernel(X)
    known = deep_lazy_radius(start, X, start.predict(X) + 1 / 200 * DIRECTION)
    assert_at_most(known.laziness, 1, why="H4")
    # then   what is known at the start bounds every step
    change = known.laziness * known.least / 2
    bound, rounding = 2 * np.sqrt(spectral(K_0)) * change + change**2, 64 * width * UNIT_ROUNDOFF * spectral(K_0)
    misfit = [norm(net.predict(X) - start.predict(X) - 1 / 200 * DIRECTION) for net in states]
    rate = [known.residual_factor(eta, t) for t in range(len(states))]
    assert_at_most([net.distance(start) for net in states], known.radius, why="|theta_t - theta_0|")
    assert_at_most([spectral(net.kernel(X) - K_0) for net in states], bound + rounding, why="|K_t - K_0|")
    assert_at_most(misfit, np.array(rate) / 200 + rounding, why="|r_t|")
    assert_at_most(bound / spectral(K_0), relative, why="relative change that is allowed for ever")


@under_hypotheses("H1", "H2", "H3", part="(b)")
def test_a_random_relu_network_keeps_its_kernel_but_for_the_neurons_that_start_near_zero():
    # given  signs, W alone, f_0 = 0, half the neurons independent; widths 2^10 and 2^14; R: how far a flow
    #        with the limit's kernel moves a neuron at most, of order 1/sqrt(m)
    X, y, widths = POINTS[:2], np.array([0.03, -0.04]), np.array([2**10, 2**14])
    start = two_layer("ntk", widths, 2, np.array([1, 2]), signs=True, antisymmetric=True)
    least = np.linalg.eigvalsh(relu_ntk(X) - relu_nngp(X))[0]
    R = spectral(X) * norm(y) / (least * np.sqrt(widths))
    # when   sixty steps, in which the network learns
    path = every(4, start, X, y, LAZY_STEP / spectral(start.kernel(X, train="hidden")), "hidden", 60)
    farthest = np.max([norm(net.W - start.W, axis=-1).max(-1) for net in path], axis=0)
    assert_at_most(farthest, R, why="displacement of a neuron")
    assert_at_most(norm(path[-1].predict(X) - y, axis=-1), norm(y) / 20, why="|r_t| after sixty steps")
    # then   only a neuron with |w . x| <= R|x| at the start can pass zero, of which there are m P(|g| <= R) in the mean
    passing = (np.abs(X @ start.W.mT) <= R[:, None, None]) & np.any(start.W, axis=-1)[:, None]
    share = passing.sum(-1) / widths[:, None]
    drift = np.stack([np.abs(net.kernel(X, train="hidden") - start.kernel(X, train="hidden")) for net in path]).max(0)
    rounding = 64 * widths[:, None, None] * UNIT_ROUNDOFF
    assert_at_most(drift, np.abs(X @ X.T) * (share[:, :, None] + share[:, None, :]) + rounding, why="|K_t - K_0|")
    chance = erf(R / np.sqrt(2))
    allowed = chernoff(lambda s: np.log1p(chance * np.expm1(s)), chance, widths / 2, ONCE, domain=(-700, 700))
    most = chance + allowed.above
    assert_at_most(share, most[:, None], why="share of the neurons near zero")
    assert_at_most(most[1], most[0] / 4, why="which falls at sixteen times the width")


@under_hypotheses("H3", "H4", part="(b)")
@pytest.mark.parametrize(("parameterization", "train"), [("ntk", "hidden"), ("standard", "both")])
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_what_is_known_at_the_start_bounds_the_kernel_and_the_loss_for_ever(problem, parameterization, train):
    # given  H3, and H4 by construction: f_0 = 0, and targets shrunk; the paper's own network among them
    start, X = drawn_network(problem, "tanh", parameterization, signs=True, antisymmetric=True), problem.X
    y = problem.y / (1 + lazy_radius(start, X, problem.y, train).laziness)[:, None]
    known, K_0 = lazy_radius(start, X, y, train), spectral(start.kernel(X, train=train))
    eta = LAZY_STEP * np.minimum(problem.step, 1) / K_0
    assert_at_most(known.laziness, 1, why="H4", instance=problem)
    # when
    moved, drift, misfit = watched(every(8, start, X, y, eta, train, 40), X, y, train)
    # then   at every step, the first included
    slack = 2 * kernel_rounding(start, X, train) / K_0
    radius = (1 + slack) * known.radius
    assert_at_most(moved, radius[:, None], why="|theta_t - theta_0|", instance=problem)
    bound = kernel_drift(start, X, radius, train) + 4 * slack * K_0
    assert_at_most(drift, bound[:, None], why="|K_t - K_0| for ever", instance=problem)
    rate = np.stack([known.residual_factor(eta, t) for t in range(0, 41, 8)], axis=-1)
    rounding = 41 * slack * norm(y, axis=-1) + value_rounding(start, X)
    assert_at_most(misfit, rate * norm(y, axis=-1)[:, None] + rounding[:, None], why="|r_t|", instance=problem)


@under_hypotheses("H3", "H4", part="(b)")
def test_the_papers_own_network_keeps_its_kernel_at_a_rate_that_falls_with_its_width():
    # given  the standard parameterization, tanh, both layers, f_0 = 0; widths 2^8 and 2^12
    X, y = POINTS[:2], np.array([0.5, -0.5])
    start = two_layer("standard", np.array([2**8, 2**12]), 2, np.array([1, 2]), **SMOOTH)
    known, K_0 = lazy_radius(start, X, y, "both"), spectral(start.kernel(X))
    assert_at_most(known.laziness, 1, why="H4")
    # when   H3: eta = 1/(3|K_0|), of order 1/m
    _, drift, misfit = watched(every(100, start, X, y, LAZY_STEP / K_0, "both", 200), X, y, "both")
    # then   a priori, and like 1/m
    bound = kernel_drift(start, X, known.radius, "both") / K_0
    assert_at_most(drift.max(-1) / K_0, bound, why="relative change of the kernel")
    assert_at_most(bound[1], 1 / 20, why="bound at width 4096")
    assert_at_most(bound[1], bound[0] / 8, why="bound at sixteen times the width")
    assert_at_most(misfit[:, -1], known.residual_factor(LAZY_STEP / K_0, 200) * norm(y), why="while it learns")


@under_hypotheses("H1", "H2", "H3", "H4", part="(b)")
def test_the_kernel_stays_near_its_infinite_limit_and_four_times_the_width_halves_the_bound():
    # given  erf, f_0 = 0, targets of length 1/20; widths 2^12 and 2^14, of which half the neurons are independent
    X, y, widths = POINTS[:2], np.array([0.03, -0.04]), np.array([2**12, 2**14])
    start = two_layer("ntk", widths, 2, np.array([1, 2]), **{**SMOOTH, "activation": "erf"})
    limit = erf_ntk(X) - erf_nngp(X)
    # given  |K_0 - K| <= h but for a probability ONCE, hence s_0, |J_0| and the radius before anything is drawn
    h = norm(hoeffding(4 / np.pi * np.abs(X @ X.T), widths[:, None, None] / 2, ONCE / 4), axis=(-2, -1))
    least, largest = np.linalg.eigvalsh(limit)
    turn = turning_rate(start, X, "hidden") * 4 * norm(y) / np.sqrt(least - h)
    assert_at_most(turn, np.sqrt(least - h) / 2, why="H4")
    # when   H3
    eta = LAZY_STEP / (largest + h)
    _, drift, misfit = watched(every(20, start, X, y, eta, "hidden", 40), X, y, "hidden")
    # then   training moves the kernel by far less than the draw does
    moved = 2 * np.sqrt(largest + h) * turn + turn**2
    assert_at_most(spectral(start.kernel(X, train="hidden") - limit), h, why="|K_0 - K|")
    assert_at_most(drift.max(-1), moved, why="|K_t - K_0|")
    assert_at_most(moved, h / 4, why="what training may change, against the draw")
    assert_at_most((h + moved)[1], (h + moved)[0] / 2, why="|K_t - K| at four times the width")
    assert_at_most(misfit[:, -1], (1 - 0.3 * eta * (least - h)) ** 20 * norm(y), why="|r_t| after 40 steps")


@observed(part="(b)")
def test_the_kernel_of_a_smooth_network_moves_much_less_than_the_square_root_of_the_width_says():
    # given  tanh, both layers trained, nine frozen seeds at widths 64 and 4096: slope -1/2 would divide by 8
    narrow, wide = sorted_changes("tanh", (64, 4096), eta=0.3)
    # then   medians are further apart but for a probability 0.04: order statistics 2 and 8 of 9 enclose one
    assert_at_most(wide[7], narrow[1] / 8, why="relative kernel change at 64 times the width")


@observed(part="(b)")
def test_the_kernel_of_a_relu_network_moves_more_than_one_over_the_width_says():
    # given  ReLU, both layers trained, nine frozen seeds at widths 256 and 16384: slope -1 would divide by 64
    narrow, wide = sorted_changes("relu", (256, 16384), eta=0.1)
    # then   sign flips keep the medians nearer, but for a probability 0.04
    assert_at_most(narrow[7] / 64, wide[1], why="relative kernel change at 64 times the width")


def after_flow(net, g):
    """The network at a time of its flow, trained at e_1 alone, all layers; g = e^s says at which. Exact.

    Where w_1 > 0, both da/ds = w_1 and dw_1/ds = a for one s that all neurons share: the integral of -r.
    """
    w, plus, minus = net.W[:, 0], g * (net.a + net.W[:, 0]), (net.a - net.W[:, 0]) / g
    W = np.stack([np.where(w > 0, (plus - minus) / 2, w), net.W[:, 1]], axis=1)
    return dataclasses.replace(net, W=W, a=np.where(w > 0, (plus + minus) / 2, net.a))


def change_by_the_flow(k, g):
    """The relative change of K(e_1, e_1) in the flow until f = 2(g^2 - g^-2), at width 8 * 4^k and weights +-2^-k."""
    x, size = fractions([[1, 0]]), Fraction(1, 2**k)
    start = signed_network(8 * 4**k, Fraction(1), size)
    start = dataclasses.replace(start, W=size * start.W)
    end = after_flow(start, g)
    assert_identical([start.kernel(x)[0, 0], end.predict(x)[0]], [8, 2 * (g**2 - g**-2)], why="K_m and f(e_1)")
    kept = [net.a**2 - np.sum(net.W**2, axis=1) for net in (start, end)]
    assert_identical(*kept, why="a^2 - |w|^2, which the flow conserves")
    return end.kernel(x)[0, 0] / 8 - 1


@counterexample(part="(b)")
def test_from_variances_of_order_one_over_the_width_in_both_layers_the_flow_more_than_doubles_the_kernel():
    # given  the paper's own network with the variances 8/m, of the order of those of Glorot and Bengio, 2/(d + m) and
    #        2/(m + 1), so that K_m has a limit; f_0 = 0; x = e_1, y = 15/2, which the flow reaches at g = 2
    changes = [change_by_the_flow(k, Fraction(2)) for k in range(4)]
    # then   K is multiplied by (g^2 + g^-2)/2, whatever m
    assert_identical(changes, [Fraction(9, 8)] * 4, why="relative change of K, widths 8 to 512")
    reads = "relative change of K under the flow {value} at every width > {limit} if it stays constant"
    assert_violates(changes[-1], 0, reads=reads, x=[1, 0], y="15/2", variances="8/m", m=512)


@counterexample(part="(b)")
def test_a_search_finds_a_target_whose_flow_changes_the_kernel_whatever_the_width():
    def persists(instance):
        k, g = instance
        narrow, wide = change_by_the_flow(k, Fraction(g)), change_by_the_flow(k + 1, Fraction(g))
        return wide >= narrow > Fraction(1, 10)

    found = smallest_violation(st.tuples(st.integers(0, 1), st.integers(1, 3)), persists, budget=30)
    assert_identical(found, (0, 2), why="y = 15/2 at widths 8 and 32")


@counterexample(part="(b)", reading="fixed rate")
def test_at_a_fixed_rate_the_kernel_of_the_papers_own_network_changes_by_a_quarter_in_one_step_at_every_width():
    # given  the network of (a), f_0 = 0; x = e_1, y = 2, eta = 1/4
    x, y, eta, starts = fractions([[1, 0]]), fractions([2]), Fraction(1, 4), [standard_network(k) for k in range(4)]
    # when
    ends = [net.descend(x, y, eta) for net in starts]
    # then   (a, w.x) -> (a + eta y w.x, w.x + eta y a) multiplies K by 1 + (eta y)^2, whatever m
    changes = [(end.kernel(x) / net.kernel(x))[0, 0] - 1 for net, end in zip(starts, ends, strict=True)]
    assert_identical(changes, [(eta * y[0]) ** 2] * 4, why="relative change of K, widths 8 to 512")
    reads = "relative change of K in one step {value} at every width > {limit} if it stays constant"
    assert_violates(changes[-1], 0, reads=reads, x=[1, 0], y=2, eta=eta, m=512)


@counterexample(part="(b)", reading="fixed rate")
def test_a_search_finds_a_target_for_which_the_kernel_change_does_not_shrink_with_the_width():
    def persists(instance):
        exponent, y = instance
        x, eta, starts = fractions([[1, 0]]), Fraction(1, 4), map(standard_network, (exponent, exponent + 1))
        grown = [(net.descend(x, fractions([y]), eta).kernel(x) / net.kernel(x))[0, 0] for net in starts]
        return min(grown) > Fraction(11, 10) and grown[1] >= grown[0]

    found = smallest_violation(st.tuples(st.integers(0, 2), st.integers(-4, 4)), persists, budget=60)
    assert_identical(found, (0, 2), why="y = 2 at widths 8 and 32: the smallest with (y/4)^2 > 1/10")


@necessity("H1", part="(b)")
@pytest.mark.parametrize("width", [64, 4096])
def test_without_H1_a_relu_network_of_the_mean_field_changes_its_kernel_by_two_fifths(width):
    # given  the scale 1/m; signs, W alone, f_0 = 0, half the neurons independent
    X, y = np.array([[1.0, 0.5], [-0.5, 1]]), np.array([2.0, -2])
    start = two_layer("mean-field", width, 2, 11, signs=True, antisymmetric=True)
    K_0 = start.kernel(X, train="hidden")
    eta = 0.3 / spectral(K_0)
    assert_keeps(H2=len(np.unique(start.W, axis=0)) == width // 2, H3=0 < eta * spectral(K_0) <= LAZY_STEP)
    # when   it learns
    end = fit(start, X, y, eta, loss=1e-3, budget=2000, train="hidden")
    # then
    change = spectral(end.kernel(X, train="hidden") - K_0) / spectral(K_0)
    assert_at_most(2 / 5, change, why="relative kernel change")


@necessity("H2", part="(b)")
@pytest.mark.parametrize("k", [1, 2, 3])
def test_without_H2_a_relu_network_of_any_width_loses_half_of_its_kernel_in_one_step(k):
    # given  m = 4^k neurons w = (1/(8 sqrt(m)), 1), a = +-1, barely active at x = e_1; W alone
    m, x, c, eta = 4**k, fractions([[1, 0]]), Fraction(1, 2**k), Fraction(1, 4)
    start = ExactReluNetwork(fractions([[c / 8, 1]] * m), fractions([1] * (m // 2) + [-1] * (m // 2)), c)
    to_W = start.jacobian(x)[0, : 2 * m]
    K_0 = to_W @ to_W
    assert_keeps(H1=is_ntk(start), H3=0 < eta * K_0 <= Fraction(1, 3))
    # when   towards y = -1: a step of 1/(4 sqrt(m)) puts the half with a = 1 to rest
    end = start.moved(np.concatenate([to_W, 0 * start.a]), -eta * (start.predict(x)[0] + 1))
    K_1 = np.sum(end.jacobian(x)[0, : 2 * m] ** 2)
    assert_violates(
        1 - K_1 / K_0, Fraction(1, 3), reads="relative kernel change {value} > {limit}", m=m, x=[1, 0], y=-1
    )


@necessity("H3", part="(b)")
def test_without_H3_a_rate_that_trains_a_narrow_network_makes_a_wide_one_overflow():
    # given  the standard network, tanh, eta = 1/10, where |K_0| is near 0.6 m
    X, y = POINTS[:2], np.array([0.5, -0.5])
    narrow, wide = (two_layer("standard", m, 2, 7, **SMOOTH) for m in (8, 1024))
    assert_keeps(H4=lazy_radius(wide, X, y, "both").laziness <= 1)
    # then   the run that is lost says where
    end = fit(narrow, X, y, 0.1, loss=1e-6, budget=2000)
    assert_at_most(0.5 * norm(end.predict(X) - y) ** 2, 1e-6, why="loss at width 8")
    with pytest.raises(NonFiniteLossError, match=r"instance 0 has misfit (inf|nan) after \d+ steps"):
        fit(wide, X, y, 0.1, loss=1e-6, budget=2000)


@observed(part="(b)")
def test_a_fixed_rate_kills_wide_relu_networks_of_the_paper_and_their_kernels_with_them():
    # given  the standard network, ReLU, eta = 1/10; ten frozen seeds at width 8192
    X, y = POINTS[:2], np.array([0.5, -0.5])
    start = two_layer("standard", np.repeat(8192, 10), 2, np.arange(10))
    *_, end = islice(network_path(start, X, y, 0.1), 21)
    # then   the steps throw every neuron off the data: f = 0 and J = 0 exactly, so that nothing ever moves again
    assert_identical(end.predict(X), np.zeros((10, 2)), why="values after twenty steps")
    assert_identical(end.kernel(X), np.zeros((10, 2, 2)), why="kernel after twenty steps")


@necessity("H4", part="(b)")
@pytest.mark.parametrize(
    ("parameterization", "width", "y"), [("ntk", 4, 1.8), ("mean-field", 64, 0.7), ("mean-field", 4096, 0.7)]
)
def test_without_H4_a_network_that_learns_changes_its_kernel_by_half(parameterization, width, y):
    # given  targets near the largest values that W alone can give: tanh, where the narrow NTK network stays below 2,
    #        and the mean field below 1 at every width
    X, y = np.array([[1.0, 0.5], [-0.5, 1]]), np.array([y, -y])
    start = two_layer(parameterization, width, 2, 11, **SMOOTH)
    K_0 = start.kernel(X, train="hidden")
    eta = 0.3 / spectral(K_0)
    assert_keeps(H3=0 < eta * spectral(K_0) <= LAZY_STEP)
    assert_at_most(8, lazy_radius(start, X, y).laziness, why="Lip 8|r_0|/s_0^2: H4 fails by far")
    # when
    end = fit(start, X, y, eta, loss=1e-3, budget=20000, train="hidden")
    # then
    change = spectral(end.kernel(X, train="hidden") - K_0) / spectral(K_0)
    assert_at_most(1 / 2, change, why="relative kernel change of a network that learned")


# (c) the function-space equation

# One neuron, w = (1, 1) and a = 1, at the inputs e_1 and e_2: K = [[2, 1], [1, 2]], f = (1, 1).
ONE_NEURON = ExactReluNetwork(fractions([[1, 1]]), fractions([1]), Fraction(1))


def flow_rate(net, X, y):
    """D f(X)/dt under the flow of (1/2n)|f(X) - y|^2, exact: a central difference of a function quadratic in h."""
    velocity = -((net.predict(X) - y) @ net.jacobian(X)) / len(X)
    h = Fraction(1, 2**20)
    return (net.moved(velocity, h).predict(X) - net.moved(velocity, -h).predict(X)) / (2 * h)


@counterexample(part="(c)", reading="mean loss")
def test_the_printed_equation_runs_n_times_too_fast():
    # given  r = (1, 0)
    X, y = fractions([[1, 0], [0, 1]]), fractions([0, 1])
    printed = -ONE_NEURON.kernel(X) @ (ONE_NEURON.predict(X) - y)
    # when
    rate = flow_rate(ONE_NEURON, X, y)
    # then   (2, 1) against (2, 1)/2, for the loss with 1/(2n)
    assert_identical(printed, 2 * rate, why="the print is n times the rate of the flow")
    reads = "printed speed of f(x_1) {value} > speed of the flow {limit}"
    assert_violates(-printed[0], -rate[0], reads=reads, K=[[2, 1], [1, 2]], r=[1, 0], n=2)


@counterexample(part="(c)", reading="mean loss")
def test_a_search_finds_the_lost_factor_and_needs_two_samples_for_it():
    def misses(instance):
        (w, a), y = instance
        X = fractions([[1, 0], [0, 1]])[: len(y)]
        net = ExactReluNetwork(fractions([w]), fractions([a]), Fraction(1))
        r = net.predict(X) - fractions(list(y))
        return np.any(flow_rate(net, X, fractions(list(y))) != -net.kernel(X) @ r)

    network = st.tuples(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(0, 2))
    targets = st.lists(st.integers(0, 2), min_size=1, max_size=2).map(tuple)
    found = smallest_violation(st.tuples(network, targets), misses, budget=200)
    assert_identical(len(found[1]), 2, why="the smallest violation has two samples")


@as_printed(part="(c)")
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@given_batches(problem=trainings(log_widths=range(1, 5)))
def test_at_every_width_the_values_move_by_the_kernel_of_the_moment(problem, activation):
    # given  both layers, away from the start: after two steps of descent
    start = drawn_network(problem, activation)
    *_, net = islice(network_path(start, problem.X, problem.y, problem.step / 40), 3)
    r = net.predict(problem.X) - problem.y
    # when   the derivative of f along -grad L by a complex step: exact but for rounding
    in_W, in_a = gradients(net, problem.X, r)
    h = 1e-30
    beside = dataclasses.replace(net, W=net.W - 1j * h * in_W, a=net.a - 1j * h * in_a)
    rate = beside.predict(problem.X).imag / h
    # then   eight roundings of a product, for m + d + n products, and for slopes that see a rounded w.x
    expected = -np.matvec(net.kernel(problem.X), r)
    size = norm(net.jacobian(problem.X), axis=(-2, -1)) ** 2 * norm(r, axis=-1)
    steep = 1 + norm(net.W, axis=-1).max(-1) * norm(problem.X, axis=-1).max(-1)
    rounding = 8 * (net.width + sum(problem.X.shape[1:]) + 8) * UNIT_ROUNDOFF * size * steep
    assert_at_most(norm(rate - expected, axis=-1), rounding, why="df/dt = -K_t r", instance=problem)


@as_printed(part="(c)")
@pytest.mark.parametrize("hidden_layers", [2, 3])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_in_deeper_networks_too_the_values_move_by_the_kernel_of_the_moment(activation, hidden_layers):
    # given  all layers, away from the start: after two steps of descent; three inputs
    y, net = np.array([1.0, -1, 0.5]), deep_network(16, 2, 16, hidden_layers=hidden_layers, activation=activation)
    for _ in range(2):
        net = net.moved(POINTS, net.predict(POINTS) - y, -0.1)
    # when   the derivative of f along -J'r by a complex step
    r, h = net.predict(POINTS) - y, 1e-30
    rate = net.moved(POINTS, r, -1j * h).predict(POINTS).imag / h
    # then   a value is a path of products over the layers, each of 16 terms
    rounding = 64 * 16 * (hidden_layers + 1) * UNIT_ROUNDOFF * norm(net.jacobian(POINTS)) ** 2 * norm(r)
    assert_at_most(norm(rate + net.kernel(POINTS) @ r), rounding, why="df/dt = -K_t r")


@corrected("C2", part="(c)")
def test_under_the_mean_loss_the_rate_is_one_nth_of_that():
    # given  three inputs of one exact network
    net = ExactReluNetwork(fractions([[1, 2], [2, -1]]), fractions([1, 3]), Fraction(1))
    X, y = fractions([[1, 0], [3, 4], [-4, 3]]), fractions([1, -2, 0])
    assert_identical(flow_rate(net, X, y), -net.kernel(X) @ (net.predict(X) - y) / 3, why="df/dt = -(1/n) K_t r")


@corrected("C4", part="(c)")
@given_batches(problem=trainings(log_widths=range(2, 6)))
def test_the_linearized_network_follows_its_closed_form_at_all_times_and_off_the_data(problem):
    # given  tanh, both layers; the drawn step h < 2/|K_0| and time
    start, X, Z, t = drawn_network(problem, "tanh"), problem.X, problem.Z, problem.t
    J, J_Z, r_0 = start.jacobian(X), start.jacobian(Z), problem.y - start.predict(X)
    h = problem.step / spectral(start.kernel(X))
    # when   gradient descent in the weights of f_0 + J (theta - theta_0)
    run = gradient_descent(J, r_0, np.zeros((len(J), J.shape[-1])), h, t)
    # then   f_0(x) + k_x V diag((1 - (1 - hw)^t)/w) V'(y - f_0), by the eigenvectors of the kernel
    w, V = np.linalg.eigh(start.kernel(X))
    filtered = np.matvec(start.kernel(Z, X), np.matvec(V, descent_filter(w, h, t) * np.vecmat(r_0, V)))
    error = norm(np.matvec(J_Z, run.w) - filtered, axis=-1)
    # the filter's derivative in K is at most (ht)^2/2, and K and each step are known to (m + d + n)u |J|^2
    size, reach = norm(J, axis=(-2, -1)), norm(J_Z, axis=(-2, -1))
    units = 8 * (start.width + sum(X.shape[1:]) + 8) * UNIT_ROUNDOFF * (1 + h * t * size**2) * (1 + t)
    assert_at_most(error, units * h * reach * size * norm(r_0, axis=-1), why="linearized network", instance=problem)


@corrected("C4", part="(c)")
def test_the_closed_form_holds_for_steps_that_diverge_too():
    # given  K_0 = [[2, 1], [1, 2]]: w = 3 and 1, with the projections P; eta |K_0| = 6
    X, x, y, eta, t = fractions([[1, 0], [0, 1]]), fractions([[2, 1]]), fractions([3, -1]), Fraction(2), 4
    J, r_0, moved = ONE_NEURON.jacobian(X), y - ONE_NEURON.predict(X), fractions([0, 0, 0])
    # when
    for _ in range(t):
        moved = moved + eta * (r_0 - J @ moved) @ J
    # then   sum over w of (1 - (1 - eta w)^t)/w P
    modes = {3: fractions([["1/2", "1/2"], ["1/2", "1/2"]]), 1: fractions([["1/2", "-1/2"], ["-1/2", "1/2"]])}
    filtered = sum((1 - (1 - eta * w) ** t) / w * P @ r_0 for w, P in modes.items())
    assert_identical(ONE_NEURON.jacobian(x) @ moved, ONE_NEURON.kernel(x, X) @ filtered, why="beside the inputs")


@corrected("C3", part="(c)")
@given_batches(problem=trainings(log_widths=range(4, 9)))
def test_a_finite_network_is_no_further_from_its_linearization_than_its_own_path_shows(problem):
    # given  tanh and the drawn step, below 2/|K_0|
    start, X, y = drawn_network(problem, "tanh", signs=True), problem.X, problem.y
    K_0 = start.kernel(X, train="hidden")
    eta = problem.step / spectral(K_0)
    # when   twenty steps of the network, and of its linearization
    states = list(islice(network_path(start, X, y, eta, "hidden"), 21))
    linear = start.predict(X) - y
    contraction = np.eye(X.shape[-2]) - eta[:, None, None] * K_0
    linear = np.matvec(np.linalg.matrix_power(contraction, 20), linear)
    # then
    gap = norm(states[-1].predict(X) - y - linear, axis=-1)
    rounding = 40 * kernel_rounding(start, X) / spectral(K_0) * norm(start.predict(X) - y, axis=-1)
    bound = linearization_gap(states, X, y, eta) + rounding + 2 * value_rounding(states[-1], X)
    assert_at_most(gap, bound, why="network against its linearization", instance=problem)


@corrected("C3", part="(c)")
def test_beyond_twice_the_inverse_kernel_the_distance_from_the_linearization_outgrows_that_sum():
    # given  one tanh neuron, |r_0| = 1/10, eta |K_0| = 3: the linearization doubles what was added before
    X, start = np.ones((1, 1)), TwoLayer(np.arctanh([[3**-0.5]]), np.ones(1), "tanh", 1.0)
    y, K_0 = start.predict(X) + 0.1, start.kernel(X, train="hidden")[0, 0]
    eta = 3 / K_0
    states = list(islice(network_path(start, X, y, eta, "hidden"), 4))
    # then   r_3^lin = (1 - eta K_0)^3 r_0
    gap = np.abs(states[-1].predict(X) - y - (1 - eta * K_0) ** 3 * (start.predict(X) - y))
    assert_at_most(2 * linearization_gap(states, X, y, eta), gap, why="twice the sum, after three steps")


@corrected("C3", part="(c)")
def test_a_wide_network_is_certified_to_follow_its_linearization_within_a_tenth_of_the_residual():
    # given  2^14 erf neurons, f_0 = 0
    X, y = POINTS[:2], np.array([0.3, -0.4])
    start = two_layer("ntk", 2**14, 2, 14, **{**SMOOTH, "activation": "erf"})
    eta = 1 / spectral(start.kernel(X, train="hidden"))
    states = list(islice(network_path(start, X, y, eta, "hidden"), 30))
    # then   certified, while the linearization contracts by 1 - lambda_min/lambda_max a step, to a twentieth
    gap, w = linearization_gap(states, X, y, eta), np.linalg.eigvalsh(start.kernel(X, train="hidden"))
    left = (1 - w[0] / w[-1]) ** (len(states) - 1) * norm(y)
    assert_at_most(gap, norm(y) / 10, why="certified distance over thirty steps")
    assert_at_most(left, norm(y) / 20, why="residual of the linearization after thirty steps")
    assert_at_most(norm(states[-1].predict(X) - y), left + gap, why="residual of the network")


def linearization_gap_of_two_hidden_layers(width, size):
    """How far tanh networks end from their linearization, all layers trained at eta |K_0| = 1, and its bound by C3."""
    X = POINTS[:2]
    states, eta = deep_run(width, size, step=1.0)
    start, r = states[0], [net.predict(X) - states[0].predict(X) - size * DIRECTION for net in states]
    linear = np.linalg.matrix_power(np.eye(2) - eta * start.kernel(X), len(states) - 1) @ r[0]
    d, J = np.array([net.distance(start) for net in states]), [np.sqrt(spectral(net.kernel(X))) for net in states]
    gap = linearization_sum(deep_turning_rate(start, X, d.max()), eta, d, np.array(J), norm(r, axis=1))
    return norm(r[-1] - linear), gap


@corrected("C3", part="(c)")
@pytest.mark.parametrize(("width", "size"), [(64, 1.0), (512, 1 / 100)], ids=["far targets", "near targets"])
def test_two_hidden_layers_are_no_further_from_their_linearization_than_their_path_shows(width, size):
    distance, gap = linearization_gap_of_two_hidden_layers(width, size)
    assert_at_most(distance, gap + 4096 * width * UNIT_ROUNDOFF * size, why="deep network, linearization")
    if size < 1:
        assert_at_most(gap, size / 5, why="which certifies that near targets are learned alike")


# (d) identical to kernel ridge regression


@counterexample(part="(d)")
def test_with_targets_zero_the_network_predicts_what_it_started_with_and_ridge_predicts_zero():
    # given  two ReLU neurons (1, 0) and (0, 1), a = (1, 1); one sample (2, -1) with y = 0: K = 9
    net = ExactReluNetwork(fractions([[1, 0], [0, 1]]), fractions([1, 1]), Fraction(1))
    X, x = fractions([[2, -1]]), fractions([[1, 1]])
    K, k, f_0 = net.kernel(X)[0, 0], net.kernel(x, X)[0, 0], net.predict(X)[0]
    # when   the linearized network takes one step of eta = 1/K, which ends its descent
    theta = -f_0 / K * net.jacobian(X)[0]
    assert_identical(f_0 + net.jacobian(X)[0] @ theta, 0, why="the sample is fitted")
    limit = (net.predict(x) + net.jacobian(x) @ theta)[0]
    # then   f_0(x) - k K^-1 f_0(X) = 2 - 3/9 * 2, while k (K + lambda)^-1 y = 0 for every lambda
    assert_identical(limit, net.predict(x)[0] - k / K * f_0, why="the offset")
    assert_violates(limit, 0, reads="prediction {value} > ridge's {limit}", X=[[2, -1]], y=0, x=[1, 1], w="e_1, e_2")


@counterexample(part="(d)", reading="every time")
def test_from_zero_no_penalty_gives_the_fit_at_time_one_of_two_modes():
    # given  K = diag(1, 4), y = (1, 1), f_0 = 0, gradient flow at t = 1: the fit is 1 - e^{-k}
    fits = [(1 - high, 1 - low) for low, high in (exponential_of_minus(1), exponential_of_minus(4))]
    middle = Fraction(4133, 10000)
    # then   ridge's k/(k + lambda) falls with lambda: below the middle mode 1 is too large, above it mode 4 too small
    too_large, too_small = 1 / (1 + middle) - fits[0][1], fits[1][0] - 4 / (4 + middle)
    reads = "worst mode of ridge is off by at least {value} > {limit} at every lambda"
    assert_violates(min(too_large, too_small), Fraction(3, 40), reads=reads, K="diag(1, 4)", t=1)


@counterexample(part="(d)", reading="every time")
def test_a_search_finds_two_eigenvalues_without_a_common_penalty():
    # given  eigenvalues and a time; descent with h = 1/5 has the filter q = 1 - (1 - h k)^t, which ridge has for
    #        lambda = k (1 - q)/q
    def disagree(instance):
        eigenvalues, t = instance
        left = [(1 - Fraction(k, 5)) ** t for k in eigenvalues]
        return len({k * rest / (1 - rest) for k, rest in zip(eigenvalues, left, strict=True)}) > 1

    spectra = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
    found = smallest_violation(st.tuples(spectra, st.integers(1, 3)), disagree, budget=200)
    assert_identical(sorted(found[0]), [1, 2], why="the smallest spectrum without a penalty")


@counterexample(part="(d)")
def test_a_search_finds_a_start_that_ridge_does_not_know():
    # given  one neuron w with a = 1, trained at e_1 for y = 0: at e_2 its linearization ends at f_0 - k/K f_0(e_1)
    def remembered(w):
        net, X, x = ExactReluNetwork(fractions([list(w)]), fractions([1]), Fraction(1)), [[1, 0]], [[0, 1]]
        K, k = net.kernel(fractions(X))[0, 0], net.kernel(fractions(x), fractions(X))[0, 0]
        return K and net.predict(fractions(x))[0] != k / K * net.predict(fractions(X))[0]

    found = smallest_violation(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), remembered, budget=60)
    assert_identical(found, (1, 1), why="the smallest neuron that is active at both")


@under_hypotheses("H5", part="(d)")
@given_batches(problem=trainings(log_widths=range(5, 8)))
def test_from_zero_training_ends_at_the_limit_of_ridge_beside_the_inputs_too(problem):
    # given  ReLU, both layers, neurons in opposite pairs; lambda = w_1/10^k
    start, X, Z, y = drawn_network(problem, "relu", antisymmetric=True), problem.X, problem.Z, problem.y
    J, K, k = start.jacobian(X), problem.gram(lambda inputs: start.kernel(inputs)), start.kernel(Z, X)
    w = np.linalg.eigvalsh(K)
    penalty = w[:, 0] * 10.0 ** -(problem.t % 7)
    # when   LAPACK finds the end of descent in the weights, the interpolant nearest to theta_0
    end = np.matvec(start.jacobian(Z), nearest_interpolant(J, y, np.zeros((len(J), J.shape[-1]))))
    ridge = np.matvec(k, ridge_coefficients(K, y, penalty / K.shape[-1]))
    # then   |f_lambda - f*|_H <= lambda/(w_1 + lambda) |f*|_H, and |f(z)| <= |J(z)| |f|_H
    reach, length = norm(start.jacobian(Z), axis=(-2, -1)), np.sqrt(np.vecdot(interpolant_coefficients(K, y), y))
    units = 8 * (start.width + sum(X.shape[1:]) + 8) * UNIT_ROUNDOFF * (w[:, -1] / w[:, 0]) ** 1.5
    bound = reach * (penalty / (w[:, 0] + penalty) * length + units * norm(y, axis=-1) / np.sqrt(w[:, 0]))
    assert_at_most(norm(end - ridge, axis=-1), bound, why="end of training against ridge", instance=problem)


@necessity("H5", part="(d)")
@pytest.mark.parametrize("k", [2, 3, 4])
def test_without_H5_the_value_opposite_the_only_input_stays_at_every_width(k):
    # given  the network of width 4^k with weights +-1, scaled by 2^-k; of the signs of neurons that are active at -e_1
    #        2^(k-1) are turned, as many as chance would turn, so that f_0(-e_1) = 1
    net, x = signed_network(4**k, Fraction(1, 2**k), Fraction(1)), fractions([[1, 0]])
    turned = np.flatnonzero((net.W[:, 0] < 0) & (net.a < 0))[: 2 ** (k - 1)]
    net = dataclasses.replace(net, a=np.where(np.isin(np.arange(4**k), turned), -net.a, net.a))
    # then   no neuron is active at both, so that neither training at e_1 nor any ridge moves the value at -e_1
    assert_identical(net.kernel(x, -x), [[0]], why="K_0(x, -x)")
    assert_identical(net.predict(-x), [1], why="f_0(-x), which is kept, while ridge has 0")


@corrected("C5", part="(d)")
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_the_limit_is_the_interpolant_of_least_norm_plus_what_the_start_leaves(problem):
    # given  ReLU, both layers, any start
    start, X, Z = drawn_network(problem, "relu"), problem.X, problem.Z
    J, f_0 = start.jacobian(X), start.predict(X)
    # when   LAPACK finds the limit of descent in the weights of the linearized network, the one nearest to theta_0
    theta = nearest_interpolant(J, problem.y - f_0, np.zeros((len(J), J.shape[-1])))
    limit = start.predict(Z) + np.matvec(start.jacobian(Z), theta)
    # then   k_x K^-1 y + f_0(x) - k_x K^-1 f_0(X)
    K, k = problem.gram(lambda inputs: start.kernel(inputs)), start.kernel(Z, X)
    offset = start.predict(Z) - np.matvec(k, interpolant_coefficients(K, f_0))
    error = norm(limit - np.matvec(k, interpolant_coefficients(K, problem.y)) - offset, axis=-1)
    w = np.linalg.eigvalsh(K)
    scale = norm(start.jacobian(Z), axis=(-2, -1)) * (norm(problem.y, axis=-1) + norm(f_0, axis=-1)) / np.sqrt(w[:, 0])
    rounding = 8 * (start.width + sum(X.shape[1:]) + 8) * UNIT_ROUNDOFF * w[:, -1] / w[:, 0] * scale
    assert_at_most(error, rounding, why="limit against interpolant and offset", instance=problem)


def offsets_of_networks(width):
    """The offset at the last of POINTS for the others as c'f_0, over 2^18 neurons in networks of this width.

    Returns c = (1, -K^-1 k_x), the points x and X, the networks, and v = c' Sigma_m c, an offset's variance given W.
    """
    points, nets = POINTS[[2, 0, 1]], networks_of(width, 2**18 // width)
    c = np.append(1, -interpolant_coefficients(relu_ntk(points[1:]), relu_ntk(points)[0, 1:]))
    return c, points, nets, np.vecdot(nets.kernel(points, train="output") @ c, c)


@corrected("C6", part="(d)")
@pytest.mark.parametrize("width", [8, 64])
def test_given_the_hidden_weights_the_offset_is_gaussian_with_the_empirical_variance(width):
    c, points, nets, v = offsets_of_networks(width)
    # then   c'f_0 ~ N(0, v) given W; delta = ONCE for the sum of squares over v and for the law. One network in thirty
    #        thousand of width 8 rests at all points, with v = 0
    active = v > 0
    offsets, count = (nets.predict(points) @ c)[active] / np.sqrt(v[active]), active.sum()
    inside, bound = chi_square_interval(count, ONCE), dvoretzky_kiefer_wolfowitz(count, ONCE)
    assert_within(inside[0], np.sum(offsets**2), inside[1], why="squares of the offsets over their variances")
    assert_at_most(sup_distance(offsets, scipy.stats.norm.cdf), bound, why="their law, DKW")
    # and    power; signs for a would be seen at width 8
    found = chi_square_power(count, ONCE, [1 / 1.3, 1.3])
    assert_at_most(1 - 1e-5, found, why="chance that a variance wrong by a factor 1.3 is seen")


@corrected("C6", part="(d)")
@pytest.mark.parametrize("width", [16, 64])
def test_the_offset_of_the_limiting_predictor_has_the_same_exact_variance_at_every_width(width):
    c, points, _, v = offsets_of_networks(width)
    variance, G = c @ relu_nngp(points) @ c, (np.abs(c) @ norm(points, axis=1)) ** 2
    ends = (-np.inf, 1 / (2 * G))

    # given  v is a mean of |w|^2 g with |w|^2/2 exponential and independent of g in [0, G], E g = variance/2, whose
    #        moment generating function E 1/(1 - 2sg) is convex in g, hence largest for g in {0, G}
    def deviations(delta):
        return chernoff(
            lambda s: np.log1p(variance * s / (1 - 2 * s * G)), variance, v.size * width, delta, domain=ends
        )

    # then
    allowed, found = deviations(ONCE), detectable(deviations, ONCE, ONCE)
    assert_within(variance - allowed.below, v.mean(), variance + allowed.above, why="mean variance of the offset")
    assert_at_most(max(found.below, found.above), 2 / 5 * variance, why="error that is missed with probability ONCE")
    assert_at_most(1 / 3, variance, why="c' Sigma c: nothing that width would make small")


@corrected("C7", part="(d)")
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_from_an_antisymmetric_start_descent_is_off_ridge_by_the_difference_of_their_filters(problem):
    # given  f_0 = 0; the drawn time, and lambda = 1/(ht), ridge in the loss without 1/n
    start, X, y = drawn_network(problem, "relu", antisymmetric=True), problem.X, problem.y
    J, K, t = start.jacobian(X), problem.gram(lambda inputs: start.kernel(inputs)), problem.t + 1
    w = np.linalg.eigvalsh(K)
    h = problem.step / w[:, -1]
    penalty = 1 / (h * t)
    # when
    fitted = np.matvec(J, gradient_descent(J, y, np.zeros((len(J), J.shape[-1])), h, t).w)
    ridge = np.matvec(K, ridge_coefficients(K, y, penalty / K.shape[-1]))
    # then   no further and no nearer than the modes are; both vanish as t -> infinity and lambda -> 0
    modes = np.abs((1 - h[:, None] * w) ** t[:, None] - penalty[:, None] / (w + penalty[:, None]))
    rounding = 8 * (start.width + sum(X.shape[1:]) + 8) * UNIT_ROUNDOFF * (1 + t) ** 2 * norm(y, axis=-1)
    lower, upper = modes.min(-1) * norm(y, axis=-1), modes.max(-1) * norm(y, axis=-1)
    error = norm(fitted - ridge, axis=-1)
    assert_within(lower, error, upper, slack=rounding, why="descent against ridge", instance=problem)


def excess(s, bound):
    """Bounds below and above bound * s - (1 + s)(1 - e^{-s}), which is positive where the ratio of fits is < bound."""
    low, high = exponential_of_minus(s)
    return bound * s - (1 + s) * (1 - low), bound * s - (1 + s) * (1 - high)


@corrected("C8", part="(d)")
def test_the_ratio_of_the_variances_of_flow_and_ridge_has_its_supremum_enclosed():
    # given  s = kt, lambda = 1/t: the ratio is phi^2, phi = (1 - e^{-s})(1 + s)/s; bound^2 < 1.6861
    bound, s = Fraction(129848, 100000), Fraction(17933, 10000)
    low, high = exponential_of_minus(s)
    assert_at_most(bound**2, SUPREMUM, why="square of the bound on phi")
    ratio, nearly = ((1 - high) * (1 + s) / s) ** 2, SUPREMUM - Fraction(3, 10000)
    assert_violates(ratio, nearly, reads="phi(s)^2 {value} > {limit}", s=s)
    # then   g = bound s - (1 + s)(1 - e^{-s}) has g'' = (s - 1)e^{-s}: concave up to 1 with g(0) = 0 and g(1) >= 0
    assert_at_most(0, excess(Fraction(1), bound)[0], why="g(1)")
    # and    convex from 1 on, with g' = bound - 1 - s e^{-s} changing its sign between 1.79 and 1.80, so that the least
    #        value beyond 1 is at least g(s) - |g'| 0.007 there
    near, far = Fraction(179, 100), Fraction(180, 100)
    assert_at_most(bound - 1, near * exponential_of_minus(near)[0], why="g' < 0 at 1.79")
    assert_at_most(far * exponential_of_minus(far)[1], bound - 1, why="g' > 0 at 1.80")
    slope = max(abs(bound - 1 - s * low), abs(bound - 1 - s * high))
    assert_at_most(slope * (far - near), excess(s, bound)[0], why="g at 1.7933 against its slope")


@corrected("C8", part="(d)")
@given_batches(problem=kernel_inputs())
def test_flow_at_time_t_risks_at_most_the_supremum_times_ridge_at_one_over_t(problem):
    # given  f_0 = 0, a true function with values y at X, centred noise; t K_11 from 2^-10 to 2^5
    K = problem.gram(relu_ntk)
    t = 2.0 ** (problem.t % 32 / 2 - 10) / K[:, 0, 0]
    # when   the matrices that take targets to fits, by scipy's expm and by a solve
    identity = np.eye(K.shape[-1])
    flow_rest = scipy.linalg.expm(-t[:, None, None] * K)
    ridge_rest = np.linalg.solve(identity + t[:, None, None] * K, np.broadcast_to(identity, K.shape))
    bias, ridge_bias = (norm(np.matvec(rest, problem.y), axis=-1) for rest in (flow_rest, ridge_rest))
    flow, ridge = identity - flow_rest, identity - ridge_rest
    # then   bias by bias, and variance by variance for every covariance C: tr(flow C flow) against tr(ridge C ridge)
    units = 64 * K.shape[-1] * UNIT_ROUNDOFF * (1 + t * norm(K, axis=(-2, -1)))
    assert_at_most(bias, ridge_bias + units * norm(problem.y, axis=-1), why="bias of flow", instance=problem)
    left = np.linalg.eigvalsh(float(SUPREMUM) * ridge.mT @ ridge - flow.mT @ flow)[:, 0]
    assert_at_most(-left, units * (1 + 4 * norm(flow, axis=(-2, -1)) ** 2), why="variance of flow", instance=problem)
