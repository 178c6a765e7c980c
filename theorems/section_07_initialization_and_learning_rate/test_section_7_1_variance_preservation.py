r"""Section 7.1: variance preservation - in the mean, from the first layer on, with the factor of the activation.

Section     7.1
Printed     Xavier/Glorot: $W_\ell \sim \mathcal{N}(0, 1/m_{\ell-1})$; He: $W_\ell \sim \mathcal{N}(0, 2/m_{\ell-1})$.
            These preserve signal variance across layers
Reading     With $h_\ell = W_\ell a_{\ell-1}$, $a_0 = x$ and $a_\ell = s(h_\ell)$, the signal variance of layer l is
            $E \|h_\ell\|^2/m_\ell$: entries of h_l have mean zero. Preserved: the same in every layer, the input
            counted as $\|x\|^2/m_0$. The mean is over the weights: no single network is promised anything. No
            activation is printed: that of section 4, the identity, suits Xavier best, and ReLU suits He
Setting     Weights independent, symmetric about 0, of variance $f/m_{\ell-1}$, of any widths; a fixed input $x \ne 0$
Hypotheses  (H1) f fits the activation: 1 for the identity, 2 for ReLU.  (H2) with ReLU, the signal is counted in
            preactivations from h_1 on, or in second moments of what is passed on from x on.
Corrected   (C1) Of a single network with Gaussian weights, the width m and no activation,
            $\frac1L \ln(\|h_L\|^2/\|x\|^2) \to \psi(m/2) + \ln(2/m)$ almost surely, psi the digamma function; this is
            between -2/m and -1/m, and $-\gamma - \ln 2 = -1.270$ at m = 1: the typical signal dies.
            (C2) Of a ReLU layer of He's law at a unit input, $\frac{m_0}2 \|a_1\|^2$ is chi-square with
            Binomial(m, 1/2) degrees.
            (C3) With tanh and 1/fan-in the mean square falls from h_1 on, in every layer.
            (C4) With ReLU, $1/m_0$ in the first layer and 2/fan-in in the others preserve the mean square of
            preactivations from the input on
Idea        Given a_{l-1} the entries of h_l are independent with variance $f \|a_{\ell-1}\|^2/m_{\ell-1}$, and ReLU
            halves the mean square of anything symmetric. Nothing rectifies the input, so that f = 2 doubles it once.
            For Gaussian weights $m_{\ell-1}\|h_\ell\|^2/(f \|a_{\ell-1}\|^2)$ is a chi-square variable of m_l degrees,
            independent from layer to layer: its logarithm has a negative mean, so that the typical signal dies
Source      Glorot, Bengio (2010), Understanding the Difficulty of Training Deep Feedforward Neural Networks, AISTATS;
            He, Zhang, Ren, Sun (2015), Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet
            Classification, ICCV; LeCun, Bottou, Orr, Mueller (1998), Efficient BackProp, in Neural Networks: Tricks of
            the Trade, Springer; Hanin, Nica (2020), Products of Many Large Random Matrices and Gradients in Deep Neural
            Networks, Communications in Mathematical Physics 376 (spread)
Tolerance   Second moments are those of random signs of the same variance, and sums over all of these are exact. The
            Gaussian law itself is tested by its pivot. Closed forms against mpmath
Chance      1e-9 an example: one two-sided chi-square comparison of at least 4788 degrees in each of two hundred
            examples, three Chernoff bounds of 20 paths each and two of Dvoretzky, Kiefer and Wolfowitz: 2.1e-7 for the
            fast run, 2e-6 for 1,000 examples. Power: a factor of 5/4 or 4/5 is missed with a probability below 1e-6
            (self-tested, planted). Any dof below 510 would pass a factor of 2
Findings    N(0, 1/fan-in) is LeCun's; Glorot and Bengio have 2/(fan-in + fan-out), torch's xavier_normal_, and with
            the identity it multiplies by 2 m_{l-1}/(m_{l-1} + m_l), which is 1 at equal widths alone. torch's
            kaiming_normal_ has both printed laws, by the name of the activation. Per layer 1/fan-in leaves 1/2 under
            ReLU, 2/fan-in 2 without it; on the printed network, whose input no ReLU meets, He doubles in the first
            layer and preserves from there. What ReLU passes on has a preserved second moment; its variance is
            1 - 2^-l at width 1 from x = 1
Expected    holds under added hypotheses
"""

import dataclasses
import itertools
import math
import operator
from fractions import Fraction

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.signs import MOST_WEIGHTS, every_sign_network, weight_count
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.concentration import (
    chernoff,
    chi_square_interval,
    dvoretzky_kiefer_wolfowitz,
    each_of,
    sup_distance,
)
from properties.search import smallest_violation
from properties.signal_propagation import chi_square_pivot
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

FALSE_ALARM, DEGREES, PATHS, LAYERS = 1e-9, 4788, 20, 1000
FITTING = {"identity": 1, "relu": 2}
WIDTHS = sorted(
    (
        widths
        for L in range(1, 6)
        for widths in itertools.product((1, 2, 3, 4), repeat=L + 1)
        if weight_count(widths) <= MOST_WEIGHTS
    ),
    key=lambda widths: (len(widths), widths),
)


def mean_squares(widths, x, factors, activation):
    """E|h_l|^2/m_l, E|a_l|^2/m_l and |E a_l|^2/m_l for l = 0, ..., L, over all W_l = +-sqrt(f_l/m_{l-1}). Exact.

    The signs are run through the network in integers, and a factor f_l/m_{l-1} a layer is put in at the end: ReLU is
    homogeneous.
    """
    h = a = np.broadcast_to(x, (1, len(x)))
    size, squares = Fraction(1), [(Fraction(int(x @ x), len(x)),) * 3]
    for W, factor in zip(every_sign_network(widths), factors, strict=True):
        size *= Fraction(factor) / W.shape[-1]
        h = np.matvec(W, a)
        a = np.maximum(h, 0) if activation == "relu" else h
        kinds = (h, h.size), (a, a.size), (a.sum(0), a.size * len(a))
        squares.append([size * Fraction(int((v**2).sum()), count) for v, count in kinds])
    return [list(kind) for kind in zip(*squares, strict=True)]


@st.composite
def sign_networks(draw):
    """Widths of one to five layers, up to 4 and of twelve weights in all, and an input x != 0. Shrinks to 1, 1 at 1."""
    tape = draw(tapes(2 + 4))
    widths = WIDTHS[(256 * tape.below(256) + tape.below(256)) % len(WIDTHS)]
    x = tape.integers(4, 3)[: widths[0]].astype(int)
    x[0] = x[0] or 1
    return widths, x


@dataclasses.dataclass(frozen=True)
class GaussianNetworks:
    """Widths (m_0, ..., m_L), m_1 >= 32, an input, and a seed of the weights."""

    widths: tuple[int, ...]
    x: np.ndarray
    seed: int


@st.composite
def gaussian_networks(draw):
    """One to five layers of widths up to 8, the first of 32 to 64, and an integer input. Shrinks to 1, 32 at x = 1."""
    tape = draw(tapes(1 + 1 + 1 + 4 + 8))
    d, first, more = 1 + tape.below(8), 32 + tape.below(33), tape.below(5)
    widths = (d, first, *(1 + tape.naturals(4, 8)[:more]))
    x = tape.integers(8, 3)[:d]
    x[0] = x[0] or 1
    return GaussianNetworks(tuple(int(m) for m in widths), x, draw(st.integers(0, 2**32 - 1)))


def torch_weights(widths, networks, nonlinearity, seed):
    """Layers of `networks` networks as torch's own kaiming_normal_ draws them, (N, m_l, m_{l-1}).

    It looks at the fan-in alone, so that the rows of all networks are one matrix to it.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    layers = []
    for below, m in itertools.pairwise(widths):
        W = torch.empty(networks * m, below, dtype=torch.float64)
        torch.nn.init.kaiming_normal_(W, nonlinearity=nonlinearity, generator=generator)
        layers.append(W.numpy().reshape(networks, m, below))
    return layers


def mean_log(width):
    """E log(|h_l|^2 m_{l-1}/(m_l |h_{l-1}|^2)) with 1/fan-in and no activation: digamma(m/2) + log(2/m)."""
    return scipy.special.digamma(width / 2) + math.log(2 / width)


def mean_log_growth(weights):
    """The numbers log(|h_L|^2/|x|^2)/L from x = e_1, (N,); states are normalized on the way, so that none vanishes."""
    direction = np.zeros((len(weights[0]), weights[0].shape[-1]))
    direction[:, 0] = 1
    total = 0
    for W in weights:
        h = np.matvec(W, direction)
        size = norm(h, axis=-1, keepdims=True)
        direction, total = h / size, total + 2 * np.log(size[:, 0])
    return total / len(weights)


def relu_sum_cdf(value, width):
    """P(sum of relu(g_i)^2 <= value) for `width` standard normal g_i: chi-squares of Binomial(width, 1/2) degrees."""
    live = np.arange(1, width + 1)
    weights = scipy.stats.binom.pmf(live, width, 0.5)
    return 0.5**width * (value >= 0) + np.vecdot(scipy.stats.chi2.cdf(value[:, None], live), weights)


@under_hypotheses("H1", "H2")
@given(network=sign_networks())
def test_without_an_activation_one_over_fan_in_preserves_the_mean_square_from_the_input_on(network):
    widths, x = network
    L = len(widths) - 1
    h, *_ = mean_squares(widths, x, [FITTING["identity"]] * L, "identity")
    assert_identical(h, [h[0]] * (L + 1), why="E|h_l|^2/m_l = |x|^2/m_0")


@under_hypotheses("H1", "H2")
@given(network=sign_networks())
def test_with_relu_two_over_fan_in_preserves_the_mean_square_from_the_first_layer_on(network):
    widths, x = network
    L = len(widths) - 1
    h, a, _ = mean_squares(widths, x, [FITTING["relu"]] * L, "relu")
    # then   preactivations at twice the input's, and what is passed on at the input's
    assert_identical(h[1:], [2 * h[0]] * L, why="E|h_l|^2/m_l = 2|x|^2/m_0")
    assert_identical(a, [h[0]] * (L + 1), why="E|a_l|^2/m_l = |x|^2/m_0")


@pytest.mark.slow
@under_hypotheses("H1", "H2")
@pytest.mark.parametrize(("activation", "nonlinearity"), [("identity", "linear"), ("relu", "relu")])
@given(network=gaussian_networks())
def test_the_weights_that_torch_draws_pass_the_chi_square_pivot_of_every_layer(activation, nonlinearity, network):
    # given  as many networks as have DEGREES in their first layers alone: later ones may die
    networks = math.ceil(DEGREES / network.widths[1])
    weights = torch_weights(network.widths, networks, nonlinearity, network.seed)
    # when
    pivot, freedom = chi_square_pivot(weights, network.x, FITTING[activation], activation)
    # then
    least, most = chi_square_interval(freedom, FALSE_ALARM)
    rounding = 64 * UNIT_ROUNDOFF * freedom * (freedom + 16)
    assert_at_most(DEGREES, freedom, why="degrees of freedom, for the power that is claimed")
    assert_within(least, pivot, most, slack=rounding, why="the variances of all layers", instance=network)


@counterexample
def test_with_relu_the_variance_of_the_first_layer_is_eight_times_that_of_the_fourth_under_xavier():
    # given  1/fan-in, and one neuron to a layer
    h, *_ = mean_squares((1, 1, 1, 1, 1), np.array([1]), [1] * 4, "relu")
    assert_identical(h, [1, 1, Fraction(1, 2), Fraction(1, 4), Fraction(1, 8)], why="half of it a layer")
    assert_violates(h[1], h[4], reads="variance {value} of h_1 > {limit} of h_4", W="N(0, 1/m)", s="ReLU")


@counterexample
@pytest.mark.parametrize(("activation", "layer", "times"), [("identity", 4, 16), ("relu", 1, 2)])
def test_under_he_the_variance_grows_without_an_activation_and_above_the_input(activation, layer, times):
    h, *_ = mean_squares((1, 1, 1, 1, 1), np.array([1]), [2] * 4, activation)
    assert_identical(h[layer], times * h[0], why="2 a layer, or once")
    assert_violates(h[layer], h[0], reads="variance {value} > {limit} of the input", W="N(0, 2/m)", layer=layer)


@counterexample
def test_hypothesis_finds_a_network_whose_variance_changes():
    printed = st.tuples(st.integers(1, 3), st.sampled_from(["identity", "relu"]), st.sampled_from([1, 2]))

    def variances(instance):
        depth, activation, factor = instance
        return mean_squares((1,) * (depth + 1), np.array([1]), [factor] * depth, activation)[0]

    found = smallest_violation(printed, lambda instance: len(set(variances(instance))) > 1)
    h = variances(found)
    assert_violates(max(h), min(h), reads="variance {value} > {limit} in another layer", L_s_f=found)


@necessity("H1")
@given(network=sign_networks())
def test_without_H1_every_layer_multiplies_the_variance_by_two_or_by_one_half(network):
    widths, x = network
    L = len(widths) - 1
    # given  H2: preactivations are counted
    assert_keeps(H2=True)
    # when   He without an activation, and Xavier with ReLU
    he, *_ = mean_squares(widths, x, [2] * L, "identity")
    xavier, *_ = mean_squares(widths, x, [1] * L, "relu")
    # then
    assert_identical(he, [he[0] * 2**layer for layer in range(L + 1)], why="2^L")
    assert_identical(xavier[1:], [xavier[0] / 2**layer for layer in range(L)], why="2^-(L-1)")


@necessity("H1")
@given(network=sign_networks())
def test_without_H1_the_factor_of_glorot_and_bengio_preserves_at_equal_widths_alone(network):
    widths, x = network
    # given  H2: there is no ReLU
    assert_keeps(H2=True)
    factors = [Fraction(2 * below, below + m) for below, m in itertools.pairwise(widths)]
    # when   the variance 2/(fan-in + fan-out), as a factor of 1/fan-in
    h, *_ = mean_squares(widths, x, factors, "identity")
    # then
    assert_identical(h, list(itertools.accumulate(factors, initial=h[0], func=operator.mul)), why="2m/(m + m')")
    assert_identical(len(set(h)) == 1, len(set(widths)) == 1, why="preserved at equal widths, and at no others")


@necessity("H1")
@pytest.mark.parametrize(("below", "m", "factor"), [(10, 6, 1.25), (6, 9, 0.8)])
def test_without_H1_the_pivot_sees_the_factor_of_torchs_xavier_normal(below, m, factor):
    import torch

    # given  2/(fan-in + fan-out) is 5/4 or 4/5 of 1/fan-in at these widths, in one layer; H2: there is no ReLU
    assert_keeps(H2=True)
    generator, networks = torch.Generator().manual_seed(71), math.ceil(DEGREES / m)
    layers = torch.empty(networks, m, below, dtype=torch.float64)
    drawn = [torch.nn.init.xavier_normal_(layer, generator=generator).numpy() for layer in layers]
    # when   taken for the printed law, and for what it is
    values = [chi_square_pivot([np.stack(drawn)], np.arange(1.0, below + 1), f, "identity")[0] for f in (1.0, factor)]
    # then
    least, most = chi_square_interval(networks * m, FALSE_ALARM)
    assert_at_most(1, max(least / values[0], values[0] / most), why="not the printed variance")
    assert_within(least, values[1], most, why="the variance of Glorot and Bengio")


@necessity("H2")
@given(network=sign_networks())
def test_without_H2_he_doubles_the_input_once(network):
    # given  the signal from the input to the first preactivations
    (widths, x), factor = network, 2
    assert_keeps(H1=factor == FITTING["relu"])
    h, *_ = mean_squares(widths[:2], x, [factor], "relu")
    assert_identical(h[1], 2 * h[0], why="E|h_1|^2/m_1 = 2|x|^2/m_0")


@corrected("C4")
@given(network=sign_networks())
def test_with_one_over_fan_in_in_the_first_layer_relu_preserves_from_the_input_on(network):
    widths, x = network
    L = len(widths) - 1
    h, *_ = mean_squares(widths, x, [1] + [2] * (L - 1), "relu")
    assert_identical(h, [h[0]] * (L + 1), why="E|h_l|^2/m_l")


@necessity("H2")
def test_without_H2_the_variance_of_what_relu_passes_on_grows():
    # given  He's variance at width 1 and x = 1: a_l^2 is 2^l with the probability 2^-l, and else zero
    factors = [2] * 5
    assert_keeps(H1=np.array(factors) == FITTING["relu"])
    _, a, mean = mean_squares((1,) * 6, np.array([1]), factors, "relu")
    # then   Var a_l = 1 - 2^-l
    variance = [second - square for second, square in zip(a, mean, strict=True)]
    assert_identical(variance, [1 - Fraction(1, 2**layer) for layer in range(6)], why="Var a_l")


@corrected("C1")
@pytest.mark.parametrize("width", [1, 2, 4])
def test_the_signal_of_every_sampled_path_dies_at_its_own_rate(width):
    # given  the mean square is preserved, and PATHS networks of LAYERS layers without an activation
    weights = torch_weights((width,) * (LAYERS + 1), PATHS, "linear", 711)
    # when   log(|h_L|^2/|x|^2), a layer
    drift = mean_log_growth(weights)
    # then   log(chi^2_m/m) has the cumulant generating function below
    m = width
    law = chernoff(
        lambda s: s * math.log(2 / m) + scipy.special.gammaln(m / 2 + s) - scipy.special.gammaln(m / 2),
        mean_log(m),
        LAYERS,
        each_of(FALSE_ALARM, 2 * PATHS),
        domain=(-m / 2, np.inf),
    )
    assert_within(mean_log(m) - law.below, drift, mean_log(m) + law.above, why="log|h_L|^2/L")
    assert_at_most(mean_log(m) + law.above, -1 / (4 * m), why="|h_L|^2 < exp(-L/(4m)) but for the false alarm")


@corrected("C1")
def test_the_typical_signal_falls_by_gamma_plus_log_two_at_width_one_and_by_one_over_m_at_width_m():
    import mpmath

    # given  -1/x < digamma(x) - log(x) < -1/(2x) at x = m/2
    m = np.unique(np.geomspace(1, 1e6, 200).astype(int))
    drift = mean_log(1), np.array([mean_log(width) for width in m])
    by_mpmath = -mpmath.euler - mpmath.log(2)
    # then
    assert_within(float(by_mpmath), drift[0], float(by_mpmath), slack=8 * UNIT_ROUNDOFF, why="-gamma - log 2")
    assert_within(-1.2704, float(by_mpmath), -1.2703, why="-1.270 a layer")
    assert_within(-2 / m, drift[1], -1 / m, slack=64 * UNIT_ROUNDOFF, why="E log of a layer")


@corrected("C2")
@pytest.mark.parametrize("width", [1, 6])
def test_a_relu_layer_keeps_the_mean_through_a_mixture_of_chi_squares(width):
    # given  one layer of He's, at a unit input
    count = 4000
    (W,) = torch_weights((3, width), count, "relu", 712)
    h = np.matvec(W, np.array([2.0, -2.0, 1.0]) / 3)
    # when   (m_0/2)|a_1|^2
    samples = 1.5 * np.square(np.maximum(h, 0)).sum(-1)
    # then   with an atom of 2^-m at zero: the layer is dead
    distance = sup_distance(samples, lambda v: relu_sum_cdf(v, width), lambda v: relu_sum_cdf(v, width) * (v > 0))
    assert_at_most(distance, dvoretzky_kiefer_wolfowitz(count, FALSE_ALARM), why="the law of |a_1|^2")


@corrected("C3")
@given(network=sign_networks())
def test_with_tanh_the_mean_square_falls_in_every_layer_after_the_first(network):
    # given  Xavier's variance, over all signs
    (widths, x), h, a = network, [], np.broadcast_to(network[1], (1, len(network[1])))
    for W in every_sign_network(widths):
        h.append(np.matvec(W, a) / math.sqrt(W.shape[-1]))
        a = np.tanh(h[-1])
    squares = [np.square(layer).mean() for layer in h]
    # then   |tanh| < |.|, and h_1 is not zero for all signs
    assert_within(x @ x / len(x), squares[0], x @ x / len(x), slack=64 * UNIT_ROUNDOFF * (x @ x), why="of h_1")
    falls = [0, *squares[1:]], [1, *(np.array(squares[:-1]) * (1 - 64 * UNIT_ROUNDOFF))]
    assert_at_most(*falls, why="E|h_l|^2/m_l falls, by more than rounding")
