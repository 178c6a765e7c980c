r"""Proposition 4.3 - how near a Gaussian layer is to an isometry on the samples.

Setting     One hidden layer $W$ of width $m$ with standard Gaussian entries, restricted to the span of $n$ samples. $K$
            is the Gram matrix of the gradients of $f(x) = a^\top W x$; where $a = 0$ and $X = I$ it is $W^\top W$.
Hypotheses  (H1) The entries of the hidden layers are independent standard Gaussians.
            (H2) Every hidden width $m$ exceeds $(\sqrt{n} + t)^2$, where $2 e^{-t^2/2}$ bounds the probability that a
            layer has, on the span of its inputs, a singular value farther than $\sqrt{n} + t$ from $\sqrt{m}$.
Idea        Davidson and Szarek: the singular values of $W$ are within $\sqrt{n} + t$ of $\sqrt{m}$, but for the
            probability $2 e^{-t^2/2}$. For one sample they have a $\chi$ law. For two samples the ratio of the
            eigenvalues of $W^\top W$ exceeds $x^2$ with probability $(\frac{2x}{1 + x^2})^{m - 1}$, which decreases in
            $m$ for every $x > 1$.
Tolerance   Singular values by LAPACK; Hoeffding and Dvoretzky-Kiefer-Wolfowitz at $10^{-9}$ for shares and laws.
Findings    The comparison of two widths was observed: with Gaussian weights in both layers, two or three samples and
            $\operatorname{cond}(X^\top X) = 1, 4, 100$ and $10{,}000$, the mean of $\ln(\operatorname{cond} K)$ over
            5,000 networks fell from each of the widths 2, 4, 16 and 64 to the next.
"""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given

from fixtures.precision import factorization, rounding
from fixtures.problems.deep_linear import wide_networks
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import observed, under_hypotheses
from theorems.section_04_deep_linear_networks.proposition_4_3_width.gaussian_layers import (
    FALSE_ALARM,
    HIDDEN_WIDTHS,
    T,
    gaussian_condition,
    spread,
    tail_probability,
)


@under_hypotheses("H1", "H2")
@given(network=wide_networks(HIDDEN_WIDTHS))
def test_gaussian_layers_are_nearly_isometric_on_the_samples(network):
    # given  the first hidden layer of width m
    W, root = network.layers()[0], np.sqrt(network.hidden[0])
    # when
    singular = np.linalg.svd(W @ network.Q, compute_uv=False)[[-1, 0]]
    # then   the bound of Davidson and Szarek. A product with d terms is decomposed
    (d, n), allowed = network.X.shape, spread(network.X.shape[1])
    slack = rounding(d + factorization(network.hidden[0], n), root + allowed)
    assert_within(root - allowed, singular, root + allowed, slack=slack, why="Davidson-Szarek", instance=network)


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize("t", [2, T])
@pytest.mark.parametrize("m", [128, 512, 2048])
def test_for_one_and_two_samples_a_layer_fails_less_often_than_promised(m, t):
    # given  one sample: the singular value of the layer has a chi law of m degrees of freedom
    law, root = scipy.stats.chi(m), np.sqrt(m)
    one = law.sf(root + spread(1, t)) + law.cdf(root - spread(1, t))
    # when   two samples: the law of the condition number is known
    two = tail_probability(gaussian_condition((m,), 2, t), m)
    # then   both probabilities are at most 2 exp(-t^2/2)
    assert_at_most([one, two], 2 * np.exp(-(t**2) / 2), why="probability beyond the bound against the promised one")


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize("m", [128, 512, 2048])
def test_with_half_of_t_in_the_bound_one_sample_would_break_the_promise(m):
    law, root, half = scipy.stats.chi(m), np.sqrt(m), spread(1, T / 2)
    nearer = law.sf(root + half) + law.cdf(root - half)
    assert_at_most(2 * np.exp(-(T**2) / 2), nearer, why="the promised probability against that of half of t")


@under_hypotheses("H1", "H2")
def test_the_bound_is_less_than_twice_what_one_layer_shows():
    # given  X = I, n = 200, m = 800, t = 2, and output weights of zero
    layer = np.random.default_rng(7).standard_normal((800, 200))
    # then
    bound, condition = gaussian_condition((800,), 200, t=2), np.linalg.cond(layer.T @ layer)
    assert_within(bound / 2, condition, bound, why="the bound on the condition number is nearly met")


@under_hypotheses("H1", "H2")
def test_the_bound_is_broken_no_more_often_than_stated_and_no_larger_than_the_square_of_what_occurs():
    # given  X = I, n = 50, m = 200 and t = 2. The output weights are zero, so K = W_1'W_1
    layers = np.random.default_rng(7).standard_normal((100, 200, 50))
    bound = gaussian_condition((200,), 50, t=2)
    # when
    conditions = np.linalg.cond(layers.mT @ layers)
    # then   Hoeffding: of a hundred layers no more are beyond the bound than allowed. And the bound is at most the
    #        square of the least condition number
    allowed = 100 * (2 * np.exp(-2) + np.sqrt(np.log(1 / FALSE_ALARM) / 200))
    assert_at_most(np.sort(conditions)[: 100 - int(allowed)], bound, why="layers within the bound, Hoeffding")
    assert_at_most(bound, conditions.min() ** 2, why="the bound against the square of the least condition number")


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize("m", [2, 3, 8])
def test_for_two_samples_the_condition_number_of_a_layer_has_a_law_that_improves_with_the_width(m):
    # given  4000 layers of width m on two samples
    layers = np.random.default_rng(m).standard_normal((4000, m, 2))
    singular = np.linalg.svd(layers, compute_uv=False)
    # when   the law is evaluated at each sample; if the law is right, these values are uniform on [0, 1]
    uniform = tail_probability((singular[:, 0] / singular[:, 1]) ** 2, m)
    # then   P(sup > e) <= 2 exp(-2 N e^2)
    deviation = scipy.stats.kstest(uniform, "uniform").statistic
    assert_at_most(deviation, np.sqrt(np.log(2 / FALSE_ALARM) / 8000), why="law of the condition number, DKW")


@pytest.mark.slow
@observed
@pytest.mark.parametrize("n", [2, 3])
def test_the_mean_logarithm_of_the_condition_number_falls_from_width_to_width(n):
    # given  X = diag, with cond(X'X) = 1, 4, 100 and 10,000
    rng, X = np.random.default_rng(n), np.geomspace(1, [1, 0.5, 0.1, 0.01], n).T[:, None, :]
    means = []
    for m in (2, 4, 16, 64):
        W, a = rng.standard_normal((5000, m, n)), rng.standard_normal((5000, m))
        M = W.mT @ W + (a**2).sum(-1)[:, None, None] * np.eye(n)
        means.append(np.log(np.linalg.cond(X[..., None] * M * X[..., None, :])).mean(-1))
    # then   the mean over the drawn sample falls from each width to the next
    assert_at_most(np.array(means[1:]), np.array(means[:-1]), why="mean of ln cond(K) from width to width")
