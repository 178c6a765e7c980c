r"""Section 7.1: variance preservation - single networks, one ReLU layer, tanh, and a changed first layer.

Setting     $h_\ell = W_\ell a_{\ell-1}$, $a_0 = x \ne 0$ and $a_\ell = s(h_\ell)$ for layers $\ell = 1, \ldots, L$ of
            widths $m_\ell$. Fan-in is $m_{\ell-1}$; He's law has weights of variance $2/\text{fan-in}$
Corrected   (C1) Of a single network with Gaussian weights of variance $1/\text{fan-in}$, the width $m$ and no
            activation, $\frac1L \ln(\|h_L\|^2/\|x\|^2) \to \psi(m/2) + \ln(2/m)$ almost surely, $\psi$ the digamma
            function; this is between $-2/m$ and $-1/m$, and $-\gamma - \ln 2 = -1.270$ at $m = 1$: the typical signal
            dies.
            (C2) Of a ReLU layer of He's law at a unit input, $\frac{m_0}2 \|a_1\|^2$ is $\chi^2$ with
            $\operatorname{Binomial}(m, \frac12)$ degrees, $m$ its width.
            (C3) With $\tanh$ and $1/\text{fan-in}$ the mean square falls from $h_1$ on, in every layer.
            (C4) With ReLU, $1/m_0$ in the first layer and $2/\text{fan-in}$ in the others preserve the mean square of
            preactivations from the input on.
Idea        For Gaussian weights of variance $f/m_{\ell-1}$ and no activation, $m_{\ell-1}\|h_\ell\|^2/(f
            \|h_{\ell-1}\|^2)$ is a $\chi^2$ variable of $m_\ell$ degrees, independent from layer to layer. The mean of
            $\ln(\chi^2_m/m)$ is negative, so that the typical signal dies
Tolerance   Gaussian networks by Chernoff's bound and by that of Dvoretzky, Kiefer and Wolfowitz. Closed forms against
            mpmath. Exact sums over all signs of the weights
Chance      $10^{-9}$ for each of three Chernoff bounds, of 20 paths, and of two bounds of Dvoretzky, Kiefer and
            Wolfowitz
"""

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given

from fixtures.precision import rounding
from fixtures.problems.signs import every_sign_network
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from properties.statistics.concentration import chernoff, dvoretzky_kiefer_wolfowitz, sup_distance, union_bound_share
from theorems.ledger import corrected
from theorems.section_07_initialization_and_learning_rate.section_7_1_variance_preservation.gaussian_networks import (
    FALSE_ALARM,
    LAYERS,
    PATHS,
    mean_log,
    mean_log_growth,
    relu_sum_cdf,
    torch_weights,
)
from theorems.section_07_initialization_and_learning_rate.section_7_1_variance_preservation.sign_networks import (
    mean_squares,
    sign_networks,
)


@corrected("C4")
@given(network=sign_networks())
def test_with_one_over_fan_in_in_the_first_layer_relu_preserves_from_the_input_on(network):
    widths, x = network
    L = len(widths) - 1
    h, *_ = mean_squares(widths, x, [1] + [2] * (L - 1), "relu")
    assert_identical(h, [h[0]] * (L + 1), why="E|h_l|^2/m_l")


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
        union_bound_share(FALSE_ALARM, 2 * PATHS),
        domain=(-m / 2, np.inf),
    )
    fall, typical = -drift, -mean_log(m)
    assert_within(typical - law.above, fall, typical + law.below, why="-log|h_L|^2/L")
    assert_at_most(1 / (4 * m), typical - law.above, why="|h_L|^2 < exp(-L/(4m)) but for the false alarm")


@corrected("C1")
def test_the_typical_signal_falls_by_gamma_plus_log_two_at_width_one_and_by_one_over_m_at_width_m():
    import mpmath

    # given  -1/x < digamma(x) - log(x) < -1/(2x) at x = m/2
    m = np.unique(np.geomspace(1, 1e6, 200).astype(int))
    fall, falls = -mean_log(1), -np.array([mean_log(width) for width in m])
    by_mpmath = float(mpmath.euler + mpmath.log(2))
    # then
    assert_equal_within(fall, by_mpmath, rounding(4, 2), why="gamma + log 2")
    assert_within(1.2703, by_mpmath, 1.2704, why="1.270 a layer")
    assert_within(1 / m, falls, 2 / m, slack=rounding(4, 1 + np.log(m)), why="-E log of a layer")


@corrected("C2")
@pytest.mark.parametrize("width", [1, 6])
def test_a_relu_layer_keeps_the_mean_through_a_mixture_of_chi_squares(width):
    # given  one layer of He's, at a unit input
    count = 4000
    (W,) = torch_weights((3, width), count, "relu", 712)
    h = np.matvec(W, np.array([2.0, -2.0, 1.0]) / 3)
    # when   (m_0/2)|a_1|^2
    samples = 1.5 * np.square(np.maximum(h, 0)).sum(-1)
    # then   the law has an atom of 2^-m at zero, where all neurons of the layer are inactive
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
    # then   h_1 costs an inner product, and a mean of 2^12 networks at most is summed in pairs
    relative = rounding(len(x) + 2 + 2 * 12)
    assert_equal_within(squares[0], x @ x / len(x), relative * (x @ x) / len(x), why="of h_1")
    falls = [0, *squares[1:]], [1, *(np.array(squares[:-1]) * (1 - relative))]
    assert_at_most(*falls, why="E|h_l|^2/m_l falls, by more than rounding")
