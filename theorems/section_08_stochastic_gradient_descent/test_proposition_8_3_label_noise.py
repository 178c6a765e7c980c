r"""Proposition 8.3 - stopped early, descent solves a ridge regression with smaller weights for corrupted samples.

Section     8.3
Printed     Under label noise $\tilde y_i = y_i + \epsilon_i$ with $P(\epsilon_i \ne 0) = \tau$, SGD with early stopping
            implicitly downweights noisy examples, approximating $\min_\theta \sum_i w_i (f(x_i; \theta) - \tilde
            y_i)^2$, where w_i is smaller for likely corrupted examples
Reading     The weights are implicit: those of a weighted problem that the stopped run solves. "Approximating" admits
            the pull towards the start that stopping early brings: from $\theta_0$ the problem is $|\theta - \theta_0|^2
            + \sum_i w_i (f_i - \tilde y_i)^2$. Where the features are independent it has one solution w: $w_i = \eta
            \sum_{s<t} r_i(s)/r_i(t)$, $r = \tilde y - f$. As printed, the corrupted samples weigh less than the clean
            ones in the mean, with at least one step taken. Labels are -1 and 1, and a corrupted one is flipped
Readings    [influence] the weight of a sample is what its label does to a prediction, as in a weighted mean: a
            corrupted label "downweighted" moves f by 99/100 of what a clean one does at most - refuted
            [no pull] the problem is the printed sum alone, without the pull towards the start: with p >= n its least
            value is 0 for all weights, and the stopped run is at it for some positive ones - refuted
Setting     Kernel descent on $\frac12 \sum_i (f(x_i) - \tilde y_i)^2$ from $f_0 = 0$: $f_{t+1} = f_t + \eta K (\tilde y
            - f_t)$; clusters c of $m_c$ samples with one clean label, of which $j_c = \tau_c m_c$ are corrupted; $K =
            \operatorname{blockdiag}(1 1^\top) + \epsilon I$. $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$, $E_t = 1 - (1 -
            \eta\epsilon)^t$
Hypotheses  (H1) the samples are clustered as in the setting, or K is near such a kernel: how near may depend on t.
            (H2) $\tau_c < 1/2$.  (H3) $\eta(m_c + \epsilon) < 1$.  (H4) every step uses all samples, or the mean over
            their orders is meant.
Corrected   (C1) For clusters as in the setting, with H2, H3, H4 and at every t >= 1, all weights of corrupted samples
            lie below $((1 - \eta\epsilon)^{-t} - 1)/\epsilon$ and all weights of clean samples above it.  (C2) For such
            clusters, with H2 and H3, where one has a corrupted sample the mean of the fitted fraction $1 - |r_t|/|r_0|$
            over the clean samples exceeds that over the corrupted ones by exactly $2(1 - 2\tau)(A_t - E_t)$.  (C3)
            Whatever the kernel, the influence of a label on a prediction does not depend on the labels; in a cluster
            all have the same, $A_t/(m + \epsilon)$ on a fresh sample.  (C4) One cluster, epsilon = 0, any f_0, $\eta m
            \le 1$: f_t also minimizes $\sum_i (f - \tilde y_i)^2 + m \frac{1 - A_t}{A_t} (f - f_0)^2$, with equal
            weights.  (C5) Where 0 < f < 1 a step on the logistic loss is one on squares with the weight $|l'|/|f -
            \tilde y|$, smaller for the label -1 than for 1
Idea        Descent from 0 has $\theta_t = \eta \sum_i (r_i(0) + \dots + r_i(t-1)) \phi_i$, and the problem with the
            weights w has $\theta = \sum_i w_i r_i \phi_i$. The mean of a cluster is fitted at the rate m + epsilon, and
            what differs within it at the rate epsilon. So with $q = 1 - \eta\epsilon$ a clean residual, $(1 - 2\tau) (1
            - A_t) + 2\tau q^t$, falls by more than the factor q in a step, and a corrupted one, $2(1 - \tau) q^t - (1 -
            2\tau)(1 - A_t)$, by less. But $f_t = (I - (I - \eta K)^t) \tilde y$ is linear in the labels: no label has a
            say in how much another one moves f
Source      Li, Soltanolkotabi, Oymak (2020), Gradient Descent with Early Stopping is Provably Robust to Label Noise for
            Overparameterized Neural Networks, AISTATS (the clusters, and what holds of residuals); the weights, their
            bound and the witnesses are ours
Tolerance   Exact: kernels, steps and labels are fractions. exp is enclosed by partial sums
Findings    The two readings differ in what they hold fixed. The weights are found from the residuals at the time of
            stopping, which are larger for the corrupted samples of a cluster (C2). The influence is found by changing a
            label. Where f is one number for the whole cluster (epsilon = 0) the weights are not determined, and equal
            ones do as well (C4). For the logistic loss the weights of C5 come from the loss, not from stopping: at f =
            3/5 they are 0.40 and 0.89
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.kernel_descent import implied_weights, kernel_descent, single_sample_predictions
from fixtures.problems.clusters import Clusters, clusters, is_clustered
from fixtures.problems.tapes import tapes
from fixtures.rational import exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

STEPS = 8
WEIGHED_DOWN = Fraction(99, 100)
"""The factor by which a corrupted label is said to move a prediction less, in the reading of influence."""


def descent(problem, steps=STEPS):
    """The path of `kernel_descent` on the noisy labels."""
    return kernel_descent(problem.kernel, problem.noisy, problem.step, steps)


def weights(problem, steps=STEPS):
    """The implied weights (n,) of the kernel blockdiag(11') + epsilon I after 1 ... steps steps."""
    scaled = implied_weights(descent(problem, steps), problem.noisy, problem.step)
    return [problem.epsilon.denominator * w for w in scaled]


def weight_between(q, epsilon, t):
    """The number of C1, between the weights of corrupted and of clean samples after t steps, q = 1 - eta epsilon."""
    return (q**-t - 1) / epsilon


def mean_weights(K, flipped, step, t):
    """The mean weights of the flipped and of the other samples after t steps, whose clean labels are all 1."""
    labels = np.where(flipped, -1, 1).astype(object)
    w = implied_weights(kernel_descent(K, labels, step, t), labels, step)[-1]
    return sum(w[flipped]) / sum(flipped.tolist()), sum(w[~flipped]) / sum((~flipped).tolist())


def label_weights(problem, t):
    """What raising each label of the first cluster by one, (m,), does to the prediction f_t of its fresh sample."""
    (K, labels), n = problem.with_fresh_samples(), len(problem.members)
    raised = np.eye(len(K), dtype=object)[:, :n][:, problem.members == 0]
    base, moved = (kernel_descent(K, y, problem.step, t)[t][n] for y in (labels[:, None], labels[:, None] + raised))
    return moved - base


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
    assert_at_most(2.0**-40, float(min(w)), why="positive weights")
    lightest, heaviest = min(w[~problem.flipped]), max(w[problem.flipped])
    assert_at_most(float(heaviest / lightest), 1 - 2.0**-40, why="a corrupted sample's weight over a clean one's")


@under_hypotheses("H1", "H2", "H3", "H4")
@given(problem=clusters(), tape=tapes(20))
def test_near_a_clustered_kernel_corrupted_samples_still_weigh_less(problem, tape):
    # given  K + dd'/2^20 for a drawn d (n, 2), at a slightly smaller step: an open set of kernels lies about every K
    d, q = tape.integers((len(problem.members), 2), 2).astype(int).astype(object), problem.epsilon.denominator
    K, eta = 2**20 * problem.kernel + q * (d @ d.T), problem.step / 2**20 * Fraction(99, 100)
    # when
    w = implied_weights(kernel_descent(K, problem.noisy, eta, 2), problem.noisy, eta)[-1]
    # then
    lightest, heaviest = min(w[~problem.flipped]), max(w[problem.flipped])
    assert_at_most(float(heaviest / lightest), 1 - 2.0**-20, why="a corrupted sample's weight over a clean one's")


@corrected("C1")
@given(problem=clusters(), t=st.integers(1, STEPS))
def test_one_number_lies_between_the_weights_of_corrupted_and_of_clean_samples(problem, t):
    # given  eta (1/q + ... + 1/q^t), q = 1 - eta epsilon
    w, q = weights(problem, t)[-1], 1 - problem.eta * problem.epsilon
    between = weight_between(q, problem.epsilon, t)
    # then
    assert_at_most(float(max(w[problem.flipped]) / between), 1 - 2.0**-40, why="corrupted samples")
    assert_at_most(1 + 2.0**-40, float(min(w[~problem.flipped]) / between), why="clean samples")


@corrected("C1")
@pytest.mark.slow
@given(seed=st.integers(0, 2**32 - 1))
def test_for_large_clusters_and_extreme_epsilon_too_one_number_lies_between_the_weights(seed):
    # given  up to four clusters of 1 to 200 samples, epsilon in 1e-6 ... 1e6, eta(m + epsilon) in 1/1000 ... 999/1000
    rng = np.random.default_rng(seed)
    m = [int(size) for size in rng.integers(1, 1 + rng.choice([1, 3, 9, 200]), rng.integers(1, 5))]
    tau = [Fraction(int(rng.integers(0, (size - 1) // 2 + 1)), size) for size in m]
    epsilon, t = Fraction(10) ** int(rng.integers(-6, 7)), int(rng.choice([1, 2, 5, 40]))
    eta = Fraction(int(rng.integers(1, 1000)), 1000) / (max(m) + epsilon)
    # when   residuals in closed form, with u = (1 - 2 tau) p^s: u + 2 tau q^s of the clean, 2(1 - tau) q^s - u
    s, q = np.arange(t + 1).astype(object), 1 - eta * epsilon
    u = [(1 - 2 * share) * (1 - eta * (size + epsilon)) ** s for size, share in zip(m, tau, strict=True)]
    clean, corrupted = (
        [eta * sum(r[:-1]) / r[-1] for r in residuals]
        for residuals in (
            [a + 2 * share * q**s for a, share in zip(u, tau, strict=True)],
            [2 * (1 - share) * q**s - a for a, share in zip(u, tau, strict=True)],
        )
    )
    # then   over the number between
    between = weight_between(q, epsilon, t)
    assert_at_most(1, [float(w / between) for w in clean], why="clean samples")
    assert_at_most([float(w / between) for w in corrupted], 1, why="corrupted samples")


@corrected("C1")
def test_nearly_alone_both_weights_are_near_that_number():
    # given  epsilon = 1000 for m = 3, one step with eta(m + epsilon) = 1/2
    problem = Clusters((3,), (1,), (1,), Fraction(1000), Fraction(1, 2006))
    corrupted, clean, _ = weights(problem, 1)[0]
    # then
    between = weight_between(1 - 1000 * problem.eta, 1000, 1)
    assert_at_most(float(between - corrupted), float(between) / 500, why="the corrupted sample's is near")
    assert_at_most(float(clean - between), float(between) / 500, why="a clean one's is near")


@corrected("C2")
@given(problem=clusters())
def test_the_clean_are_fitted_before_the_corrupted_by_the_gap(problem):
    # given  a cluster, the first
    first = problem.members == 0
    clean, flipped = first & ~problem.flipped, first & problem.flipped
    for_all_t = range(STEPS + 1)
    # when
    fractions_fitted = [1 - np.abs(problem.noisy - f) for f in descent(problem)]  # |r_0| = 1
    gaps = [fitted[clean].mean() - fitted[flipped].mean() for fitted in fractions_fitted]
    # then
    A, E = np.array([(problem.fitted(t)[0][0], problem.fitted(t)[1]) for t in for_all_t]).T
    assert_identical(gaps, 2 * (1 - 2 * problem.tau[0]) * (A - E), why="2(1 - 2 tau)(A_t - E_t)")
    assert_at_most(2.0**-24, float(min(gaps[1:])), why="the clean are ahead")


@counterexample
def test_a_corrupted_sample_that_is_alone_and_longer_weighs_more():
    # given  K = diag(4, 1, 1), the first label flipped, eta = 1/8: residuals 1/2, 7/8, 7/8 after one step
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


@counterexample(reading="influence")
def test_a_corrupted_label_has_the_influence_of_a_clean_one():
    # given  one cluster of three, the first label flipped, epsilon = 0
    problem = Clusters((3,), (1,), (1,), Fraction(0), Fraction(1, 6))
    # when
    influence = label_weights(problem, 1)
    # then
    assert_identical(influence, fractions(["1/6"] * 3), why="influence on f_1, a sixth of the sum of the labels")
    reads = "influence {value} of the corrupted label > {limit}, 99/100 of that of a clean one"
    assert_violates(influence[0], WEIGHED_DOWN * influence[1], reads=reads, labels=[-1, 1, 1], K="11'", eta="1/6", t=1)


@counterexample(reading="influence")
def test_hypothesis_finds_a_cluster_in_which_no_label_has_less_influence():
    def ends(problem):
        return label_weights(problem, 2)[[0, -1]]

    found = smallest_violation(clusters(), lambda problem: ends(problem)[0] > WEIGHED_DOWN * ends(problem)[1])
    corrupted, clean = ends(found)
    assert_violates(
        corrupted, WEIGHED_DOWN * clean, reads="influence {value} of a corrupted label > {limit}", found=found
    )


@counterexample(reading="no pull")
def test_no_weighted_sum_of_squares_alone_is_least_where_the_run_was_stopped():
    # given  one cluster of three, features of rank 3: f = y has the sum 0 whatever the weights are
    problem = Clusters((3,), (1,), (1,), Fraction(1, 4), Fraction(1, 4))
    squares = (problem.noisy - descent(problem, 2)[2]) ** 2
    # then
    reads = "every square is {value} or more > {limit} in the sum's least value, for all positive weights"
    assert_violates(min(squares), 0, reads=reads, labels=[-1, 1, 1], K="11' + I/4", eta="1/4", t=2)


@counterexample(reading="no pull")
def test_hypothesis_finds_a_stopped_run_that_leaves_every_square_positive():
    def least(problem):
        return min((problem.noisy - descent(problem, 1)[1]) ** 2)

    found = smallest_violation(clusters(), lambda problem: least(problem) > 0)
    assert_violates(least(found), 0, reads="every square is {value} or more > {limit}", found=found)


@corrected("C3")
@given(problem=clusters())
def test_all_labels_of_a_cluster_have_the_same_influence(problem):
    # then   A_t/(m + epsilon)
    influence = problem.fitted(3)[0][0] / (problem.sizes[0] + problem.epsilon)
    assert_identical(label_weights(problem, 3), [influence] * problem.sizes[0], why="influence on a fresh prediction")


@corrected("C3")
@given(tape=tapes(24))
def test_under_any_kernel_the_influence_of_a_label_does_not_know_the_labels(tape):
    # given  a kernel without clusters, and two sets of labels
    d, labels = tape.integers((4, 3), 2).astype(int).astype(object), 1 - 2 * tape.naturals((4, 2), 2).astype(object)
    K, eta, raised = d @ d.T, Fraction(1, 16), np.array([[1], [0], [0], [0]], object)
    # when
    before, after = (kernel_descent(K, y, eta, 3)[3] for y in (labels, labels + raised))
    # then
    moves = (after - before).T
    assert_identical(*moves, why="what raising a label does to the predictions")


@corrected("C4")
@given(tape=tapes(6))
def test_in_one_cluster_without_epsilon_equal_weights_do_as_well(tape):
    # given  one cluster, epsilon = 0, and any start
    m, start = 1 + tape.below(7), tape.below(5) - 2
    j, step = tape.below(m + 1), Fraction(1 + tape.below(8), 8)
    problem = Clusters((m,), (j,), (1,), Fraction(0), step / m)
    # when
    path = [start + f for f in kernel_descent(problem.kernel, problem.noisy - start, problem.step, 5)]
    # then   the minimum of sum_i (f - y_i)^2 + penalty (f - f_0)^2
    penalties = [m * (1 - step) ** t / (1 - (1 - step) ** t) for t in range(1, 6)]
    minima = [(sum(problem.noisy) + penalty * start) / (m + penalty) for penalty in penalties]
    assert_identical(path[1:], [[f] * m for f in minima], why="the minimizer with equal weights")


@corrected("C5")
@given(tape=tapes(1))
def test_the_squares_of_a_logistic_step_have_the_smaller_weight_for_the_corrupted_sample(tape):
    # given  0 < f < 1, |l'| = 1/(1 + exp(y f)), y = 1 for the clean sample and -1 for the corrupted one
    f = Fraction(1 + tape.below(31), 32)
    low, high = exponential_of_minus(f, terms=6)
    # then   both times 1 + exp(-f): exp(-f)/(1 - f) for the clean sample, 1/(1 + f) for the corrupted one
    assert_at_most(float(1 / (1 + f)), float(low / (1 - f)), why="|l'|/|f - y|")
    assert_at_most(float(high), 1.0, why="|l'|, of the clean sample and of the corrupted one")


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
    # then   theta = w_1 r_1 phi_1, and nothing of the others
    assert_identical(runs[0], -3 * problem.eta * K[:, 0], why="the prediction after a step on the corrupted sample")
    used = 3 * problem.eta / (1 - 3 * problem.eta * K[0, 0])
    assert_at_most(1.0, float(used), why="its weight, where the clean ones have 0")
