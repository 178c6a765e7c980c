r"""Proposition 4.3 - what the gain of width needs.

Setting     Two layers, $f(x) = a^\top W x$ with $m$ neurons, $n$ samples; $K$ is the Gram matrix of the gradients of
            $f$. Under H1 and H2 $\operatorname{cond} K$ is at most $\operatorname{cond}(X^\top X)$ times a factor that
            tends to 1 as $m$ grows, in probability. Under H3 descent contracts accordingly.
Hypotheses  (H1) The entries of the hidden layers are independent standard Gaussians.
            (H2) Every hidden width $m$ exceeds $(\sqrt{n} + t)^2$, where $2 e^{-t^2/2}$ bounds the probability that a
            layer has, on the span of its inputs, a singular value farther than $\sqrt{n} + t$ from $\sqrt{m}$.
            (H3) The step is chosen by the curvature, $\eta = 2/(\lambda_{\max} + \lambda_{\min})$ of $K$, not fixed
            beforehand.
Idea        (H1) Neurons that are parallel add to $K$ in one direction only, at every width. (H2) A square Gaussian
            matrix can have any condition number. (H3) $K$ grows with the width, so a fixed step becomes too long.
Tolerance   Exact, or a law that is known.
"""

from fractions import Fraction

import numpy as np
import pytest

from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_keeps, assert_violates
from theorems.ledger import necessity
from theorems.section_04_deep_linear_networks.deep_products.conditioning import tangent_gram
from theorems.section_04_deep_linear_networks.proposition_4_3_width.gaussian_layers import (
    T,
    gaussian_condition,
    spread,
    tail_probability,
)
from theorems.section_04_deep_linear_networks.proposition_4_3_width.mean_losses import mean_losses
from theorems.section_04_deep_linear_networks.proposition_4_3_width.networks import two_layers


@necessity("H1")
def test_without_H1_no_width_cures_neurons_that_repeat_each_other():
    # given  W_1 has the rows (1, 0), (0, 1) and 998 times (3, 0); output weights 1, X = I: K = diag(9983, 1001)
    X, m = fractions(np.eye(2, dtype=int)), 1000
    assert_keeps(H2=m > spread(2) ** 2)
    gram = tangent_gram(two_layers([[1, 0], [0, 1], *[[3, 0]] * (m - 2)]), X)
    # then   the condition number is above the bound that holds under H1
    condition, limit = gram[0, 0] / gram[1, 1], gaussian_condition((m,), 2)
    assert_violates(condition, limit, reads="cond K {value} > {limit} at m = 1000", X="I", W_1="I", neuron=[3, 0])


@necessity("H2")
@pytest.mark.parametrize("condition", [1e4, 1e8])
def test_without_H2_no_condition_number_is_improbable(condition):
    # given  width m = n = 2, so H2 fails for every t; X = I, output weights zero
    m, promised = 2, 2 * np.exp(-(T**2) / 2)
    assert_at_most(m, spread(2, t=0) ** 2, why="H2 fails for every t")
    # then   P(cond > x^2) = 2x/(1 + x^2) by the law for two samples of a Gaussian layer
    assert_keeps(H1=True)
    reads = f"P(cond K > {condition:.3g}) = {{value}} > {{limit}} as promised"
    assert_violates(tail_probability(condition, m), promised, reads=reads, n=2, m=m)


@necessity("H3")
def test_without_H3_the_wider_network_diverges_at_the_step_that_suits_the_narrow_one():
    # given  the mean over standard Gaussian weights, x = y = 1, and eta = 1/400 at two widths
    eta, widths = Fraction(1, 400), (100, 10_000)
    assert_keeps(H1=True, H2=np.array(widths) > spread(1) ** 2)
    # when
    (narrow_before, narrow), (wide_before, wide) = (mean_losses(m, eta, 1) for m in widths)
    # then
    assert_at_most(narrow, narrow_before / 4, why="mean loss of the narrow network after one step")
    reads = "mean loss {value} after one step > a thousand times {limit} before"
    assert_violates(wide / 1000, wide_before, reads=reads, m=10_000, x=1, y=1, eta=eta)
