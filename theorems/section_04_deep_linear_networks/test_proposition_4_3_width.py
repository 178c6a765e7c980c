r"""Proposition 4.3 - width improves the conditioning of training, in probability and up to that of the data.

Section     4.3
Printed     Wider layers improve the conditioning of the optimization problem, which accelerates convergence to the
            implicitly regularized solution
Reading     The optimization problem is conditioned like the Gram matrix of the gradients, $K_{ij} = \langle
            \nabla_\theta f(x_i), \nabla_\theta f(x_j) \rangle$, by which a step of descent moves the residual:
            $e \mapsto (I - \eta K) e$ to first order. "Wider" compares two widths with the same data, layers drawn from
            one law and the same step, over the randomness of the start.
Readings    [pathwise] every added neuron improves the conditioning, whatever its weights: "wider layers" without a word
            about chance - refuted
Setting     $f(x) = W_L \cdots W_1 x$ with one output, n samples in the columns of X (rank n);
            $K = X^\top M X$, $M = \sum_\ell \|W_L \cdots W_{\ell+1}\|^2 (W_{\ell-1} \cdots W_1)^\top
            (W_{\ell-1} \cdots W_1)$, and $\operatorname{cond} M$ on the span of the samples, a ratio of eigenvalues
Hypotheses  (H1) the entries of the hidden layers are independent standard Gaussians.
            (H2) every hidden width m exceeds (sqrt(n) + t)^2, 2 exp(-t^2/2) the probability that a layer fails.
            (H3) the step is chosen by the curvature, eta = 2/(lambda_max + lambda_min) of K, not fixed beforehand.
Corrected   (C1) With two layers and $f/\sqrt{m}$ in place of f, a network in which every neuron is doubled has the K of
            the network before, for any weights and data: then width alone changes no rate.
Idea        Ostrowski: cond(X'X)/cond(M) <= cond(K) <= cond(X'X) cond(M), for any layers. On the span of n samples a
            Gaussian layer of width m has singular values within sqrt(m) +- (sqrt(n) + t), so cond(M) is at most the
            product over hidden layers of ((1 + d)/(1 - d))^2, d = (sqrt(n) + t)/sqrt(m), which decreases to 1 as the
            width grows. So width removes what the layers add to the condition number of the data, and in the limit it
            leaves that of the data. Without the scaling by the width, K grows with the width on average, so descent
            at one fixed step diverges once the network is wide enough.
Source      Horn, Johnson (2013), Matrix Analysis, 2nd edition, Cambridge University Press (Ostrowski's theorem);
            Davidson, Szarek (2001), Local Operator Theory, Random Matrices and Banach Spaces, in: Handbook of the
            Geometry of Banach Spaces, volume 1; Edelman (1988), Eigenvalues and Condition Numbers of Random Matrices,
            SIAM Journal on Matrix Analysis and Applications 9; Massart (1990), The Tight Constant in the
            Dvoretzky-Kiefer-Wolfowitz Inequality, Annals of Probability 18; Du, Hu (2019), Width Provably Matters in
            Optimization for Deep Linear Neural Networks, ICML
Tolerance   Eigenvalues by LAPACK, with the rounding of K to first order. Runs of descent start so near to an
            interpolant that the drift of K is bounded beforehand by the second derivative of f, |X|/sqrt(m). Means over
            Gaussian layers are rational: moments of two independent chi-squares.
Chance      t = 7.5: each Gaussian matrix breaks its bound with probability below 2 exp(-t^2/2) = 1.3e-12, and the fast
            run makes fewer than 600. For one and for two samples the true probability is known, and lies below that.
            At t = 2 the share of matrices that break it is tested by Hoeffding, and the law of the condition number by
            Dvoretzky-Kiefer-Wolfowitz with Massart's constant, each at 1e-9. Seeds are fixed or drawn by Hypothesis.
Findings    Read pathwise the print is false: one more neuron can raise cond(K) from 1 to 13/4. For two samples the
            improvement has a law: the eigenvalue ratio of W'W, W Gaussian of width m, exceeds x^2 with probability
            (2x/(1 + x^2))^(m - 1), which decreases in m for every x > 1.
Expected    holds under added hypotheses
"""

import dataclasses
import functools
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import deep_linear_descent, end_to_end
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.deep_linear import wide_networks
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.conditioning import extreme_eigenvalues, layered_condition, tangent_gram, tangent_rounding
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

T = 7.5
FALSE_ALARM = 1e-9
WIDE = ((128,), (512,), (100, 160), (2048,))


def spread(n, t=T):
    """How far the singular values of a Gaussian layer on n samples may be from sqrt(m), but for 2 exp(-t^2/2)."""
    return np.sqrt(n) + t


def gaussian_condition(hidden, n, t=T):
    """The bound on cond(M) in probability for n samples: a layer of width m spreads by at most (1 + d)/(1 - d)."""
    d = spread(n, t) / np.sqrt(hidden)
    return float(layered_condition((1 + d) / (1 - d)))


def share_beyond(condition, m):
    """P(lambda_1/lambda_2 of W'W > condition) for a Gaussian W of shape (m, 2), m >= 2: (2x/(1 + x^2))^(m - 1)."""
    x = np.sqrt(condition)
    return (2 * x / (1 + x * x)) ** (m - 1)


@functools.cache
def mean_losses(m, eta, y):
    """E (f - y)^2/2 before and after one step, f = sum_i a_i w_i with m standard Gaussian pairs, x = 1; exact.

    With A = sum (a_i + w_i)^2/2 and B = sum (a_i - w_i)^2/2, independent chi-squares of m degrees of freedom, f is
    (A - B)/2, and the step leads to f + eta^2 e^2 f - eta e (A + B) for e = f - y.
    """
    moments = np.cumprod([Fraction(1), *(Fraction(m + 2 * k) for k in range(6))])
    one, A, B = (fractions(np.zeros((7, 7), int)) for _ in range(3))
    one[0, 0] = A[1, 0] = B[0, 1] = Fraction(1)

    def times(p, q):
        product = fractions(np.zeros((7, 7), int))
        for i, j in np.argwhere(p):
            product[i:, j:] += p[i, j] * q[: 7 - i, : 7 - j]
        return product

    f = (A - B) / 2
    e = f - y * one
    after = e + eta**2 * times(times(e, e), f) - eta * times(e, A + B)
    return [(moments @ times(p, p) @ moments) / 2 for p in (e, after)]


def squared_trace_over_determinant(gram):
    """(lambda_1 + lambda_2)^2/(lambda_1 lambda_2) of a rational (2, 2) matrix, which grows with its condition."""
    determinant = gram[0, 0] * gram[1, 1] - gram[0, 1] * gram[1, 0]
    return np.trace(gram) ** 2 / determinant if determinant else None


def two_layers(neurons):
    """W_1 with these neurons as rows, and W_2 of ones."""
    return [fractions(neurons), fractions([[1] * len(neurons)])]


@dataclasses.dataclass(frozen=True)
class NearInterpolant:
    """A two-layer network in NTK scaling, X/sqrt(m), whose residual is shared by the slowest and the fastest mode of K.

    modes (n, 2): the two, of length one. eta: 2/(lambda_max + lambda_min). rho = (kappa - 1)/(kappa + 1). size: |e_0|,
    see `near_interpolant`.
    """

    layers: list
    X: np.ndarray
    modes: np.ndarray
    eta: float
    rho: float
    size: float

    @property
    def Y(self):
        """Targets that the network misses by the residual."""
        return end_to_end(self.layers) @ self.X - self.residual(0)

    def residual(self, t):
        """What is left of it after t steps if K stands still: rho^t of the slowest mode, (-rho)^t of the fastest."""
        return self.modes @ np.array([self.rho, -self.rho]) ** t * self.size / np.sqrt(2)

    def left(self, t):
        """The residual after a run of t steps, (n,)."""
        return (end_to_end(deep_linear_descent(self.layers, self.X, self.Y, self.eta, t)) @ self.X - self.Y)[0]

    def rounding(self, t):
        """How far rounding takes the residual in t steps, to first order: one evaluation of f and one update a step.

        f rounds by (m + d) u |W_2||W_1 X| and d u |W_1||X||W_2|, and u |theta| of an update moves it by |X||theta|.
        """
        (W, a), (d, _) = self.layers, self.X.shape
        weights = norm(W) ** 2 + norm(a) ** 2
        outputs = (len(W) + d) * (norm(a) * norm(W @ self.X) + norm(self.Y))
        spectrum = t * self.eta * tangent_rounding(self.layers, self.X) * self.size
        return 4 * (t + 2) * UNIT_ROUNDOFF * (outputs + 2 * d * norm(self.X) * weights) + spectrum


def near_interpolant(network):
    """A start from which descent contracts by rho up to (1 - rho)/200 at every step.

    f is bilinear in (W_1, W_2), with second derivative at most x = |X/sqrt(m)|. Within R of the start |K_t - K_0| is at
    most 3 j x R for j^2 = lambda_max and x R <= j, and a step errs by 2 x (eta j |e|)^2 more. The run moves the weights
    by at most R = 2.2 eta j |e_0|/(1 - rho), so both together change the factor by less than 8.6 x eta^2 j^2
    |e_0|/(1 - rho): that is (1 - rho)/200 at the |e_0| chosen here.
    """
    layers, X = network.layers(), network.X / np.sqrt(network.hidden[0])
    eigenvalues, vectors = np.linalg.eigh(tangent_gram(layers, X))
    eta, kappa = 2 / (eigenvalues[0] + eigenvalues[-1]), eigenvalues[-1] / eigenvalues[0]
    rho = (kappa - 1) / (kappa + 1)
    size = (1 - rho) ** 2 / (1720 * norm(X, 2) * eta**2 * eigenvalues[-1])
    return NearInterpolant(layers, X, vectors[:, [0, -1]], eta, rho, size)


@counterexample
def test_at_one_step_size_the_mean_loss_falls_in_the_narrow_network_and_rises_in_the_wide_one():
    # given  x = 1, y = 1, eta = 1/10, all weights standard Gaussian
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


@counterexample(reading="pathwise")
def test_one_more_neuron_can_spoil_perfect_conditioning():
    # given  X = I and W_1 = I, W_2 = (1, 1): K = 3I; then the neuron (3, 0) with output weight 1
    X = fractions(np.eye(2, dtype=int))
    narrow, wide = (tangent_gram(two_layers(rows), X) for rows in ([[1, 0], [0, 1]], [[1, 0], [0, 1], [3, 0]]))
    # then   K = diag(3, 3) and diag(13, 4)
    assert_identical([narrow[0, 1], wide[0, 1], narrow[0, 0]], [0, 0, narrow[1, 1]], why="diagonal Gram matrices")
    condition = wide[0, 0] / wide[1, 1]
    assert_violates(condition, 1, reads="cond K {value} > {limit} without the neuron", X="I", W_1="I", neuron=[3, 0])


@counterexample(reading="pathwise")
def test_one_more_random_feature_can_spoil_perfect_conditioning():
    # given  only the output layer is trained, so that K = W_1'W_1 at X = I
    W = fractions([[1, 0], [0, 1], [3, 0]])
    gram = W.T @ W
    # then
    assert_violates(gram[0, 0] / gram[1, 1], 1, reads="cond W_1'W_1 {value} > {limit}", W_1="I", neuron=[3, 0])


@counterexample(reading="pathwise")
def test_hypothesis_finds_a_neuron_that_worsens_the_conditioning():
    # given  two neurons and a third one of small integers, output weights 1, X = I
    neuron, X = st.tuples(st.integers(-3, 3), st.integers(-3, 3)), fractions(np.eye(2, dtype=int))

    def spread(neurons):
        return squared_trace_over_determinant(tangent_gram(two_layers(neurons), X))

    # when
    found = smallest_violation(st.lists(neuron, min_size=3, max_size=3), lambda rows: spread(rows) > spread(rows[:2]))
    # then   (cond + 1)^2/cond has grown
    names = {"neurons": found[:2], "new": found[2]}
    assert_violates(spread(found), spread(found[:2]), reads="tr^2/det {value} > {limit} before", **names)


@under_hypotheses("H1", "H2")
@given(network=wide_networks(WIDE))
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
@given(network=wide_networks(WIDE))
def test_gaussian_layers_are_nearly_isometric_on_the_samples(network):
    # given  the first hidden layer of width m
    W, root = network.layers()[0], np.sqrt(network.hidden[0])
    # when
    singular = np.linalg.svd(W @ network.Q, compute_uv=False)[[-1, 0]]
    # then   Davidson and Szarek
    allowed = spread(network.X.shape[1])
    slack = 100 * network.hidden[0] * UNIT_ROUNDOFF * root
    assert_within(root - allowed, singular, root + allowed, slack=slack, why="Davidson-Szarek", instance=network)


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize("t", [2, T])
@pytest.mark.parametrize("m", [128, 512, 2048])
def test_for_one_and_two_samples_a_layer_fails_less_often_than_promised(m, t):
    # given  one sample: the singular value of the layer is a chi variable of m degrees of freedom
    law, root = scipy.stats.chi(m), np.sqrt(m)
    one = law.sf(root + spread(1, t)) + law.cdf(root - spread(1, t))
    # when   two samples: the law of the condition number
    two = share_beyond(gaussian_condition((m,), 2, t), m)
    # then   2 exp(-t^2/2); beyond half of t a layer of one sample fails more often than that
    promised = 2 * np.exp(-(t**2) / 2)
    assert_at_most([one, two], promised, why="probability beyond the bound against the promised one")
    nearer = law.sf(root + spread(1, t / 2)) + law.cdf(root - spread(1, t / 2))
    assert_at_most(promised if t == T else 0, nearer, why="the promised probability against that of half of t")


@under_hypotheses("H1", "H2")
def test_the_bound_is_less_than_twice_what_one_layer_shows():
    # given  X = I, n = 200, m = 800, t = 2, and output weights of zero
    layer = np.random.default_rng(7).standard_normal((800, 200))
    # then
    bound, condition = gaussian_condition((800,), 200, t=2), np.linalg.cond(layer.T @ layer)
    assert_within(bound / 2, condition, bound, why="the bound on the condition number is nearly met")


@under_hypotheses("H1", "H2")
def test_the_bound_is_broken_no_more_often_than_stated_and_no_larger_than_the_square_of_what_occurs():
    # given  X = I, n = 50, m = 200 and t = 2; the output weights are zero, so that K = W_1'W_1 has all the spread
    layers = np.random.default_rng(7).standard_normal((100, 200, 50))
    bound = gaussian_condition((200,), 50, t=2)
    # when
    conditions = np.linalg.cond(layers.mT @ layers)
    # then   Hoeffding, for a hundred layers; without its square the bound would break on nearly all of them
    allowed = 2 * np.exp(-2) + np.sqrt(np.log(1 / FALSE_ALARM) / 200)
    assert_at_most((conditions > bound).mean(), allowed, why="share of layers beyond the bound, Hoeffding")
    assert_at_most(bound, conditions.min() ** 2, why="the bound against the square of the least condition number")


@under_hypotheses("H1", "H2")
@pytest.mark.parametrize("m", [2, 3, 8])
def test_for_two_samples_the_condition_number_of_a_layer_has_a_law_that_improves_with_the_width(m):
    # given  4000 layers of width m on two samples
    layers = np.random.default_rng(m).standard_normal((4000, m, 2))
    singular = np.linalg.svd(layers, compute_uv=False)
    # when   a distribution function at its own variable, which is uniform on [0, 1]
    uniform = share_beyond((singular[:, 0] / singular[:, 1]) ** 2, m)
    # then   P(sup > e) <= 2 exp(-2 N e^2)
    deviation = scipy.stats.kstest(uniform, "uniform").statistic
    assert_at_most(deviation, np.sqrt(np.log(2 / FALSE_ALARM) / 8000), why="law of the condition number, DKW")


@under_hypotheses("H1", "H2", "H3")
@given(network=wide_networks(((128,), (512,), (2048,))))
def test_near_an_interpolant_the_extreme_modes_contract_as_the_conditioning_says(network):
    # given  H1 and H2; H3: the step from the curvature at the start
    start, t = near_interpolant(network), network.t
    # when
    left = start.left(t)
    # then   up to the drift of K
    drift = ((start.rho + (1 - start.rho) / 200) ** t - start.rho**t) * start.size
    error = norm(left - start.residual(t))
    assert_at_most(error, drift + start.rounding(t), why="residual along the extreme modes", instance=network)


@under_hypotheses("H1", "H2", "H3")
@given(network=wide_networks(((128,), (512,), (2048,))))
def test_a_run_contracts_at_least_as_fast_as_its_width_promises(network):
    # given  H3, and nothing of the run but its length
    start, t = near_interpolant(network), network.t
    # when
    left = norm(start.left(t))
    # then   (kappa - 1)/(kappa + 1) at the kappa that the width allows, which decreases in the width
    promised = network.data_condition * gaussian_condition(network.hidden, network.X.shape[1])
    rate = (promised - 1) / (promised + 1)
    allowed = (rate + (1 - rate) / 200) ** t * start.size
    assert_at_most(left, allowed + start.rounding(t), why="contraction by width", instance=network)


@corrected("C1")
@given(network=wide_networks(((2,), (3,), (16,))))
def test_neurons_that_are_doubled_change_nothing_in_ntk_scaling(network):
    # given  every neuron twice, f divided by the square root of the width
    W, a = network.layers()
    widths = len(W), 2 * len(W)
    # when
    narrow = tangent_gram([W, a], network.X / np.sqrt(widths[0]))
    wide = tangent_gram([np.tile(W, (2, 1)), np.tile(a, 2)], network.X / np.sqrt(widths[1]))
    # then   the same K, so the same contraction at the same step
    rounding = 4 * tangent_rounding([W, a], network.X / np.sqrt(widths[0]))
    assert_at_most(norm(wide - narrow), rounding, why="K of the doubled network", instance=network)


@necessity("H1")
def test_without_H1_no_width_cures_neurons_that_repeat_each_other():
    # given  W_1 = I and the neuron (3, 0) 998 times more, output weights 1, X = I: K = diag(9983, 1001)
    X, m = fractions(np.eye(2, dtype=int)), 1000
    gram = tangent_gram(two_layers([[1, 0], [0, 1], *[[3, 0]] * (m - 2)]), X)
    # then   H2 holds, and the condition number is above what H1 would promise
    assert_at_most(spread(2) ** 2, m, why="H2: the width exceeds (sqrt(n) + t)^2")
    condition, limit = gram[0, 0] / gram[1, 1], gaussian_condition((m,), 2)
    assert_violates(condition, limit, reads="cond K {value} > {limit} at m = 1000", X="I", W_1="I", neuron=[3, 0])


@necessity("H2")
@pytest.mark.parametrize("condition", [1e4, 1e8])
def test_without_H2_no_condition_number_is_improbable(condition):
    # given  H1: a Gaussian layer of width m = n = 2, X = I, output weights of zero
    m, promised = 2, 2 * np.exp(-(T**2) / 2)
    assert_at_most(m, 2, why="H2 fails for every t: m <= n")
    # then   P(cond > x^2) = 2x/(1 + x^2) by the law for two samples
    reads = f"P(cond K > {condition:.3g}) = {{value}} > {{limit}} as promised"
    assert_violates(share_beyond(condition, m), promised, reads=reads, n=2, m=m)


@necessity("H3")
def test_without_H3_the_wider_network_diverges_at_the_step_that_suits_the_narrow_one():
    # given  H1: all weights standard Gaussian, x = y = 1; H2 at both widths, as 100 > (1 + 7.5)^2; eta = 1/400
    eta, widths = Fraction(1, 400), (100, 10_000)
    assert_at_most(spread(1) ** 2, min(widths), why="H2: both widths exceed (sqrt(n) + t)^2")
    # when
    (narrow_before, narrow), (wide_before, wide) = (mean_losses(m, eta, 1) for m in widths)
    # then
    assert_at_most(narrow, narrow_before / 4, why="mean loss of the narrow network after one step")
    reads = "mean loss {value} after one step > a thousand times {limit} before"
    assert_violates(wide / 1000, wide_before, reads=reads, m=10_000, x=1, y=1, eta=eta)
