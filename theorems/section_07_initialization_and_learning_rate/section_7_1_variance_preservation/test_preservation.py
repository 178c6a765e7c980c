r"""Section 7.1: variance preservation - each law preserves it with one activation and not with another.

Reading     Let $h_\ell = W_\ell a_{\ell-1}$, $a_0 = x$ and $a_\ell = s(h_\ell)$. Weights have the variance
            $f/m_{\ell-1}$, $f = 1$ for Xavier and 2 for He. Preserved is $E \|h_\ell\|^2/m_\ell$, from layer to layer,
            where the mean is over the weights and the input counts as $\|x\|^2/m_0$. Activations are the identity, as
            in section 4, and ReLU
Hypotheses  (H1) $f$ fits the activation: 1 for the identity, 2 for ReLU. (H2) with ReLU, the signal is counted in
            preactivations from $h_1$ on, or in second moments of $a_\ell$ from $x$ on.
Idea        Given $a_{\ell-1}$, the entries of $h_\ell$ are independent with variance $f \|a_{\ell-1}\|^2/m_{\ell-1}$.
            ReLU halves the mean square of a symmetric variable, and $f = 2$ doubles it again. No ReLU acts on the
            input: so the first layer of He doubles the variance
Tolerance   Second moments depend on the variance of the weights alone. So the weights are random signs of this
            variance, and the sum over all signs is exact. The Gaussian law itself is tested by a $\chi^2$ pivot
Chance      $10^{-9}$ for each $\chi^2$ comparison of at least 4788 degrees
Findings    $N(0, 1/\text{fan-in})$ is LeCun's law. Torch's `kaiming_normal_` has both printed laws, by the name of the
            activation. Per layer, $1/\text{fan-in}$ leaves $\frac12$ of the variance under ReLU, and $2/\text{fan-in}$
            multiplies it by 2 without ReLU. On the printed network no ReLU meets the input: He doubles the variance in
            the first layer and preserves it from there
Expected    holds under added hypotheses
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within, record_series
from properties.search import smallest_violation
from properties.statistics.concentration import chi_square_interval
from theorems.ledger import counterexample, observed, under_hypotheses
from theorems.section_07_initialization_and_learning_rate.section_7_1_variance_preservation.gaussian_networks import (
    DEGREES,
    FALSE_ALARM,
    gaussian_networks,
    torch_weights,
)
from theorems.section_07_initialization_and_learning_rate.section_7_1_variance_preservation.sign_networks import (
    FITTING,
    mean_squares,
    sign_networks,
)
from theorems.section_07_initialization_and_learning_rate.signal_propagation import chi_square_pivot


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
    # given  so many networks that their first layers alone have DEGREES degrees of freedom: later layers may be dead
    networks = math.ceil(DEGREES / network.widths[1])
    weights = torch_weights(network.widths, networks, nonlinearity, network.seed)
    # when
    pivot, freedom = chi_square_pivot(weights, network.x, FITTING[activation], activation)
    # then
    least, most = chi_square_interval(freedom, FALSE_ALARM)
    slack = rounding(freedom + 2 * max(network.widths) + 8, pivot)  # one sum, of squares of inner products
    assert_at_most(DEGREES, freedom, why="degrees of freedom, for the power that is claimed")
    assert_within(least, pivot, most, slack=slack, why="the variances of all layers", instance=network)


@counterexample
def test_with_relu_the_variance_of_the_first_layer_is_eight_times_that_of_the_fourth_under_xavier():
    r"""One ReLU neuron to a layer, $x = 1$, Xavier: all weights have variance $1$. Then $E h_1^2 = 1$. ReLU sets half
    of a symmetric $h_\ell$ to zero, so that $E h_{\ell+1}^2 = E a_\ell^2 = \frac12 E h_\ell^2$. The print says that the
    variance stays; it is $1$ in layer 1 and $\frac18$ in layer 4."""
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


@observed
def test_over_eight_layers_each_law_preserves_the_mean_square_with_its_own_activation_alone():
    # given  one neuron to a layer, x = 1, both laws without an activation and with ReLU
    kinds = {(s, f): mean_squares((1,) * 9, np.array([1]), [f] * 8, s)[0] for s in ("identity", "relu") for f in (1, 2)}
    columns = {f"{s}_{'xavier' if f == 1 else 'he'}": np.array(h, float) for (s, f), h in kinds.items()}
    record_series("mean square against depth", layer=np.arange(9), **columns)
    # then
    assert_identical(kinds["identity", 1], [1] * 9, why="Xavier without an activation")
    assert_identical(kinds["relu", 2], [1] + [2] * 8, why="He with ReLU")
    assert_identical(kinds["identity", 2], [2**k for k in range(9)], why="He without an activation")
    assert_identical(kinds["relu", 1][1:], [Fraction(1, 2**k) for k in range(8)], why="Xavier with ReLU")
