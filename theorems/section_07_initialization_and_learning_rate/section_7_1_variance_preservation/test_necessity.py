r"""Section 7.1: variance preservation - without a fitting factor, or counted otherwise, the variance changes.

Setting     $h_\ell = W_\ell a_{\ell-1}$, $a_0 = x$ and $a_\ell = s(h_\ell)$ with the identity or ReLU for $s$. Weights
            are independent, symmetric about 0, of variance $f/m_{\ell-1}$
Hypotheses  (H1) $f$ fits the activation: 1 for the identity, 2 for ReLU. (H2) with ReLU, the signal is counted in
            preactivations from $h_1$ on, or in second moments of $a_\ell$ from $x$ on.
Idea        Each layer multiplies the mean square by $f$, or by $f/2$ with ReLU. No ReLU acts on the input
Tolerance   Exact sums over all signs of the weights. The Gaussian draws of torch are tested by a $\chi^2$ pivot
Chance      $10^{-9}$ for each $\chi^2$ comparison of at least 4788 degrees
Findings    Glorot and Bengio, and torch's `xavier_normal_`, have the variance $2/(\text{fan-in} + \text{fan-out})$.
            With the identity it multiplies by $2 m_{\ell-1}/(m_{\ell-1} + m_\ell)$, which is 1 at equal widths alone.
            The second moment of ReLU's output is preserved by He; its variance is $1 - 2^{-\ell}$ at width 1 from
            $x = 1$
"""

import itertools
import math
import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_within
from properties.statistics.concentration import chi_square_interval
from theorems.ledger import necessity
from theorems.section_07_initialization_and_learning_rate.section_7_1_variance_preservation.gaussian_networks import (
    DEGREES,
    FALSE_ALARM,
)
from theorems.section_07_initialization_and_learning_rate.section_7_1_variance_preservation.sign_networks import (
    FITTING,
    mean_squares,
    sign_networks,
)
from theorems.section_07_initialization_and_learning_rate.signal_propagation import chi_square_pivot


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
    # when   the pivot for the printed variance, and for the variance that torch uses
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


@necessity("H2")
def test_without_H2_the_variance_of_what_relu_passes_on_grows():
    # given  He's variance at width 1 and x = 1: a_l^2 is 2^l with the probability 2^-l, and else zero
    factors = [2] * 5
    assert_keeps(H1=np.array(factors) == FITTING["relu"])
    _, a, mean = mean_squares((1,) * 6, np.array([1]), factors, "relu")
    # then   Var a_l = 1 - 2^-l
    variance = [second - square for second, square in zip(a, mean, strict=True)]
    assert_identical(variance, [1 - Fraction(1, 2**layer) for layer in range(6)], why="Var a_l")
