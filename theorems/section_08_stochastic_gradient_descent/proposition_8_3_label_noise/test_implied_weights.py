r"""Proposition 8.3 - the weights of the problem that the stopped run solves.

Reading     The weights are implicit: they are those of a weighted problem that the stopped run solves. "Approximating"
            admits the pull towards the start that stopping early brings: from $\theta_0$ the problem is $|\theta -
            \theta_0|^2 + \sum_i w_i (f_i - \tilde y_i)^2$. Where the features are independent it has one solution $w$:
            $w_i = \eta \sum_{s<t} r_i(s)/r_i(t)$, $r = \tilde y - f$. As printed, the corrupted samples weigh less than
            the clean ones in the mean, with at least one step taken
Setting     $f_{t+1} = f_t + \eta K (\tilde y - f_t)$ from $f_0 = 0$. Labels are $-1$ and 1, and a corrupted one is
            flipped. Clusters $c$ have $m_c$ samples with one clean label, the share $\tau_c$ of them corrupted, with $K
            = \operatorname{blockdiag}(\mathbf{1}\mathbf{1}^\top) + \epsilon I$;
            $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$; $\phi_i$ are the features
Hypotheses  (H1) the samples are clustered as in the setting, or $K$ is near such a kernel: how near may depend on $t$.
            (H2) $\tau_c < 1/2$.  (H3) $\eta(m_c + \epsilon) < 1$.  (H4) every step uses all samples, or the mean over
            their orders is meant.
Idea        Descent from 0 has $\theta_t = \eta \sum_i (r_i(0) + \dots + r_i(t-1)) \phi_i$, and the problem with the
            weights $w$ has $\theta = \sum_i w_i r_i \phi_i$. In a cluster the mean is fitted at the rate
            $m + \epsilon$, and the differences within it at the rate $\epsilon$. Let $q = 1 - \eta\epsilon$. A clean
            residual is $(1 - 2\tau)(1 - A_t) + 2\tau q^t$ and falls by more than the factor $q$ in a step. A corrupted
            one is $2(1 - \tau) q^t - (1 - 2\tau)(1 - A_t)$ and falls by less
Tolerance   Exact: kernels, steps and labels are fractions
Findings    The weights are found from the residuals at the time of stopping. In a cluster those are larger for the
            corrupted samples
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_08_stochastic_gradient_descent.label_noise.clusters import Clusters, clusters, is_clustered
from theorems.section_08_stochastic_gradient_descent.label_noise.kernel_descent import (
    implied_weights,
    kernel_descent,
    single_sample_predictions,
)
from theorems.section_08_stochastic_gradient_descent.stopped_runs import STEPS, descent, weights


def mean_weights(K, flipped, step, t):
    """The mean weights of the flipped and of the other samples after t steps, whose clean labels are all 1."""
    labels = np.where(flipped, -1, 1).astype(object)
    w = implied_weights(kernel_descent(K, labels, step, t), labels, step)[-1]
    return sum(w[flipped]) / sum(flipped.tolist()), sum(w[~flipped]) / sum((~flipped).tolist())


@counterexample
def test_a_corrupted_sample_that_is_alone_and_longer_weighs_more():
    r"""$K = \operatorname{diag}(4, 1, 1)$, labels $(-1, 1, 1)$ of which the first is flipped, $\eta = \frac18$, one
    step: $f_1 = (-\frac12, \frac18, \frac18)$, and the residuals are $r_1 = (-\frac12, \frac78, \frac78)$. The weights
    $\eta r_0/r_1$ are $\frac14$ for the corrupted sample and only $\frac17$ for the clean ones."""
    K = np.diag(np.array([4, 1, 1], object))
    corrupted, clean = mean_weights(K, np.array([True, False, False]), Fraction(1, 8), 1)
    # then
    assert_identical([corrupted, clean], fractions(["1/4", "1/7"]), why="eta r_0/r_1")
    reads = "mean weight {value} of the corrupted > {limit}, that of the clean"
    assert_violates(corrupted, clean, reads=reads, K="diag(4, 1, 1)", labels=[-1, 1, 1], eta="1/8", t=1)


@counterexample
def test_hypothesis_finds_a_kernel_for_which_the_corrupted_sample_weighs_more():
    # given  four samples of one clean label, one of them flipped, K = I + dd'
    flipped = np.array([True, False, False, False])

    def means(d):
        K = np.eye(4, dtype=int).astype(object) + np.outer(d, d).astype(object)
        return mean_weights(K, flipped, Fraction(1, 64), 2)

    found = smallest_violation(st.tuples(*[st.integers(-3, 3)] * 4), lambda d: means(d)[0] > means(d)[1])
    corrupted, clean = means(found)
    assert_violates(corrupted, clean, reads="mean weight {value} of the corrupted > {limit} of the clean", d=found)


@under_hypotheses("H1", "H2", "H3", "H4")
@given(problem=clusters(), t=st.integers(1, STEPS))
def test_the_stopped_run_solves_a_ridge_regression_that_weighs_every_corrupted_sample_less(problem, t):
    # given  H1 to H3 by the strategy; H4: full steps
    path = descent(problem, t)
    # when   theta = sum alpha_i phi_i, alpha = eta (r(0) + ... + r(t - 1)) and w = alpha/r
    alpha, left = problem.step * (t * problem.noisy - sum(path[:-1])), problem.noisy - path[-1]
    w = implied_weights(path, problem.noisy, problem.step)[-1]
    # then   f = K alpha and alpha = w (y - f): the gradient of a problem that is strictly convex, as all w > 0
    assert_identical(problem.kernel @ alpha, path[-1], why="f_t from theta_t")
    assert_identical(w * left, alpha, why="theta + sum w_i (f_i - y_i) phi_i = 0")
    assert_at_most(float(problem.step / 2), float(min(w)), why="weights: step r_0/r_t, r_0 = 1 and r_t < 2 in size")
    lightest, heaviest = min(w[~problem.flipped]), max(w[problem.flipped])
    assert_at_most(float(heaviest / lightest), 1 - 2.0**-40, why="a corrupted sample's weight over a clean one's")


@under_hypotheses("H1", "H2", "H3", "H4")
@given(problem=clusters(), tape=tapes(20))
def test_near_a_clustered_kernel_corrupted_samples_still_weigh_less(problem, tape):
    # given  K + dd'/2^20 for a drawn d (n, 2), and a slightly smaller step: around every K lies an open set of kernels
    d, q = tape.integers((len(problem.members), 2), 2).astype(int).astype(object), problem.epsilon.denominator
    K, eta = 2**20 * problem.kernel + q * (d @ d.T), problem.step / 2**20 * Fraction(99, 100)
    # when
    w = implied_weights(kernel_descent(K, problem.noisy, eta, 2), problem.noisy, eta)[-1]
    # then
    lightest, heaviest = min(w[~problem.flipped]), max(w[problem.flipped])
    assert_at_most(float(heaviest / lightest), 1 - 2.0**-20, why="a corrupted sample's weight over a clean one's")


@necessity("H1")
def test_without_H1_a_corrupted_sample_that_is_longer_than_the_others_of_its_cluster_weighs_more():
    # given  a cluster of three, the first flipped, whose features are twice as long: a diagonal that is not constant
    problem = Clusters((3,), (1,), (1,), Fraction(1, 4), Fraction(1, 8))
    K = problem.kernel * np.multiply.outer([2, 1, 1], [2, 1, 1])
    assert_keeps(H2=problem.mostly_clean, H3=problem.gentle and problem.step * np.trace(K) < 1, H4=True)
    assert_identical(is_clustered(K, problem.members), False, why="H1 fails")
    # when   residuals 7/8 and 31/32 after one step
    corrupted, clean = mean_weights(K, problem.flipped, problem.step, 1)
    # then
    assert_identical(corrupted / clean, Fraction(31, 28), why="weights")


@necessity("H2")
@given(tape=tapes(3))
def test_without_H2_corrupted_samples_weigh_as_much_or_more(tape):
    # given  tau >= 1/2
    m = 2 + tape.below(5)
    j = (m + 1) // 2 + tape.below(m // 2)
    problem = Clusters((m,), (j,), (1,), Fraction(1, 4), 1 / (m + Fraction(1)))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H3=problem.gentle, H4=True)
    assert_identical(problem.mostly_clean, False, why="H2 fails")
    # then
    sides = [(float(min(w[problem.flipped])), float(max(w[~problem.flipped]))) for w in weights(problem, 4)]
    assert_at_most([clean for _, clean in sides], [corrupted for corrupted, _ in sides], why="weights")


@necessity("H3")
def test_without_H3_the_corrupted_sample_weighs_more_after_the_second_step():
    # given  m = 3, tau = 1/3, epsilon = 1/10 and eta(m + epsilon) = 19/10
    problem = Clusters((3,), (1,), (1,), Fraction(1, 10), Fraction(19, 31))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H2=problem.mostly_clean, H4=True)
    assert_identical(problem.gentle, False, why="H3 fails")
    # when
    corrupted, clean, _ = weights(problem, 2)[1]
    # then   1.73 and 0.96
    assert_at_most(float(3 * clean / 2), float(corrupted), why="half as much again")


@necessity("H4")
def test_without_H4_the_one_sample_that_was_used_has_all_the_weight_and_may_be_the_corrupted_one():
    # given  one cluster of three, the first label flipped, epsilon = 1/16, eta = 1/4 for the mean
    problem = Clusters((3,), (1,), (1,), Fraction(1, 16), Fraction(1, 4))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H2=problem.mostly_clean, H3=problem.gentle)
    # when   one step of SGD on the first sample: f = 3 eta K y_1 e_1
    runs = single_sample_predictions(problem.features(Fraction(1, 4)), problem.noisy, 3 * problem.eta, 1)
    K = problem.kernel / Fraction(problem.epsilon.denominator)
    # then   theta = w_1 r_1 phi_1: the other samples have the weight 0
    assert_identical(runs[0], -3 * problem.eta * K[:, 0], why="the prediction after a step on the corrupted sample")
    used = 3 * problem.eta / (1 - 3 * problem.eta * K[0, 0])
    assert_at_most(1.0, float(used), why="its weight, where the clean ones have 0")
