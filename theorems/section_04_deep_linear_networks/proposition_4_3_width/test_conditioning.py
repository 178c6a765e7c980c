r"""Proposition 4.3 - conditioning and convergence at a larger width.

Reading     The optimization problem is conditioned like the Gram matrix of the gradients, $K_{ij} = \langle
            \nabla_\theta f(x_i), \nabla_\theta f(x_j) \rangle$, because a step of descent moves the residual by
            $e \mapsto (I - \eta K) e$ to first order. "Wider" compares two widths with the same data, layers drawn from
            one law and the same step, over the randomness of the start.
Setting     $f(x) = W_L \cdots W_1 x$ with one output, $n$ samples in the columns of $X$, of rank $n$. $K = X^\top M X$
            with $M = \sum_\ell \|W_L \cdots W_{\ell+1}\|^2 (W_{\ell-1} \cdots W_1)^\top (W_{\ell-1} \cdots W_1)$, and
            $\operatorname{cond} M$ is a ratio of eigenvalues on the span of the samples.
Hypotheses  (H1) The entries of the hidden layers are independent standard Gaussians.
            (H2) Every hidden width $m$ exceeds $(\sqrt{n} + t)^2$, where $2 e^{-t^2/2}$ bounds the probability that a
            layer has, on the span of its inputs, a singular value farther than $\sqrt{n} + t$ from $\sqrt{m}$.
            (H3) The step is chosen by the curvature, $\eta = 2/(\lambda_{\max} + \lambda_{\min})$ of $K$, not fixed
            beforehand.
Idea        Ostrowski: $\operatorname{cond}(X^\top X)/\operatorname{cond} M \le \operatorname{cond} K \le
            \operatorname{cond}(X^\top X) \operatorname{cond} M$, for any layers. On the span of $n$ samples a Gaussian
            layer of width $m$ has singular values within $\sqrt{m} \pm (\sqrt{n} + t)$. So $\operatorname{cond} M$ is
            at most the product over hidden layers of $(\frac{1 + d}{1 - d})^2$, $d = (\sqrt{n} + t)/\sqrt{m}$, which
            decreases to 1 as the width grows. Width removes what the layers add to the condition number of the data,
            and in the limit the condition number of the data is left. Counterexample: where $f$ is not divided by a
            power of the width, $K$ grows with the width on average. Then a step that suits the narrow network can be
            too long for the wide one.
Tolerance   Eigenvalues by LAPACK, with the rounding of $K$ to first order. Runs of descent start so near to an
            interpolant that the drift of $K$ is bounded beforehand by the second derivative of $f$, $\|X\|/\sqrt{m}$.
            Means over Gaussian layers are rational: moments of two independent $\chi^2$ variables.
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.problems.deep_linear import WideNetwork, wide_networks
from fixtures.problems.expectations import expecting
from properties.certificates import assert_at_most, assert_violates, assert_within, record_series
from properties.search import smallest_violation
from theorems.ledger import counterexample, under_hypotheses
from theorems.section_04_deep_linear_networks.deep_products.conditioning import (
    extreme_eigenvalues,
    tangent_gram,
    tangent_rounding,
)
from theorems.section_04_deep_linear_networks.proposition_4_3_width.gaussian_layers import (
    HIDDEN_WIDTHS,
    gaussian_condition,
)
from theorems.section_04_deep_linear_networks.proposition_4_3_width.mean_losses import mean_losses
from theorems.section_04_deep_linear_networks.proposition_4_3_width.networks import near_interpolant, slowed


@counterexample
def test_at_one_step_size_the_mean_loss_falls_in_the_narrow_network_and_rises_in_the_wide_one():
    r"""Gaussian $a, w$, $f = a^\top w$, $x = y = 1$, $\eta = 0.1$: a step takes $e = f - 1$ to $e (1 - \eta (\|a\|^2 +
    \|w\|^2) + \eta^2 e f)$. By powers of $\eta$ it makes $\mathbb{E} e^2$ equal to $2 - 1.6 + 0.8 - 0.216 + 0.028 =
    1.012$ at $m = 1$, where it was 2, and to $11 - 52 + 74.6 - 21.6 + 2.737 = 14.737$ at $m = 10$, where it was 11."""
    eta, y = Fraction(1, 10), Fraction(1)
    # when
    (narrow_before, narrow), (wide_before, wide) = (mean_losses(m, eta, y) for m in (1, 10))
    # then
    assert_at_most(narrow, narrow_before * Fraction(51, 100), why="mean loss at width 1, from 1 to 253/500")
    reads = "mean loss at width 10 after one step {value} > {limit} before"
    assert_violates(wide, wide_before, reads=reads, x=1, y=y, eta=eta)


@counterexample
def test_hypothesis_finds_a_width_and_a_step_that_only_the_narrow_network_stands():
    def rises(instance):
        m, tenths = instance
        (narrow_before, narrow), (before, after) = (mean_losses(k, Fraction(tenths, 10), 1) for k in (1, m))
        return narrow < narrow_before and after > before

    # when
    m, tenths = smallest_violation(st.tuples(st.integers(1, 12), st.integers(1, 4)), rises, budget=60)
    # then
    before, after = mean_losses(m, Fraction(tenths, 10), 1)
    assert_violates(after, before, reads="mean loss {value} after a step > {limit}", m=m, eta=Fraction(tenths, 10))


@under_hypotheses("H1", "H2")
@given(network=wide_networks(HIDDEN_WIDTHS))
def test_the_conditioning_approaches_that_of_the_data_as_the_layers_widen(network):
    # given  H1 and H2
    layers, bound = network.layers(), gaussian_condition(network.hidden, network.X.shape[1])
    # when
    least, largest = extreme_eigenvalues(tangent_gram(layers, network.X))
    # then   cond(X'X)/bound <= cond(K) <= cond(X'X) bound
    data, slack = network.data_condition, 4 * tangent_rounding(layers, network.X) / least
    lower, upper = data / bound * (1 - slack), data * bound * (1 + slack)
    assert_within(lower, largest / least, upper, why="conditioning in probability", instance=network)


@under_hypotheses("H1", "H2")
def test_the_wider_the_layer_the_nearer_eight_networks_are_to_the_condition_number_ten_of_the_data():
    # given  three orthogonal samples with cond(X'X) = 10, one hidden layer, eight seeds at each width
    s, widths = np.array([1, 0.5, 10**-0.5]), np.array([128, 512, 2048, 8192])
    networks = [[WideNetwork(np.diag(s), np.eye(3), s, (m,), seed, t=1) for seed in range(8)] for m in widths]
    # when
    grams = [[tangent_gram(network.layers(), network.X) for network in row] for row in networks]
    least, largest = np.moveaxis(np.array([[extreme_eigenvalues(gram) for gram in row] for row in grams]), -1, 0)
    condition, bound = largest / least, np.array([gaussian_condition((m,), 3) for m in widths])
    # then   between 10/bound and 10 bound, which is far from the rounding of K
    assert_within(10 / bound, condition.T, 10 * bound, why="condition number of eight networks")
    assert_at_most(bound[1:], bound[:-1], why="the bound from width to width")
    columns = {"least": condition.min(1), "median": np.median(condition, 1), "largest": condition.max(1)}
    columns |= {"lower": 10 / bound, "upper": 10 * bound}
    record_series("condition number", m=widths, **{name: column.round(4) for name, column in columns.items()})


@under_hypotheses("H1", "H2", "H3")
@given(network=expecting(wide_networks(((128,), (512,), (2048,))), single="hidden"))
def test_near_an_interpolant_the_extreme_modes_contract_as_the_conditioning_says(network):
    # given  H1 and H2; H3: the step is computed from the curvature at the start
    start, t = near_interpolant(network), network.t
    # when
    left = start.residual_after(t)
    # then   the residual is that for a constant K, up to the drift of K
    error = norm(left - start.residual_for_constant_kernel(t))
    assert_at_most(error, start.drift(t) + start.rounding(t), why="residual along the extreme modes", instance=network)


@under_hypotheses("H1", "H2", "H3")
@given(network=expecting(wide_networks(((128,), (512,), (2048,))), single="hidden"))
def test_a_run_contracts_at_least_as_fast_as_its_width_promises(network):
    # given  H3; the bound uses nothing of the run but its length t
    start, t = near_interpolant(network), network.t
    # when
    left = norm(start.residual_after(t))
    # then   the rate is (kappa - 1)/(kappa + 1) for the bound of kappa by the width, which decreases in the width
    promised = network.data_condition * gaussian_condition(network.hidden, network.X.shape[1])
    rate = (promised - 1) / (promised + 1)
    allowed = slowed(rate) ** t * start.size
    assert_at_most(left, allowed + start.rounding(t), why="contraction by width", instance=network)
