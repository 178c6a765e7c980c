r"""Proposition 8.3 - how weights, residuals and losses tell corrupted samples from clean ones.

Setting     $f_{t+1} = f_t + \eta K (\tilde y - f_t)$ from $f_0 = 0$; the weights are those of the ridge regression that
            the run solves at the time $t$. Labels are $-1$ and 1, and a corrupted one is flipped. Clusters $c$ have
            $m_c$ samples with one clean label, the share $\tau_c$ of them corrupted, with $K =
            \operatorname{blockdiag}(\mathbf{1}\mathbf{1}^\top) + \epsilon I$. $r_t = \tilde y - f_t$,
            $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$, $E_t = 1 - (1 - \eta\epsilon)^t$
Hypotheses  (H2) $\tau_c < 1/2$.  (H3) $\eta(m_c + \epsilon) < 1$.  (H4) every step uses all samples, or the mean over
            their orders is meant.
Corrected   (C1) For clusters as in the setting, with H2, H3, H4 and at every $t \ge 1$, all weights of corrupted
            samples lie below $((1 - \eta\epsilon)^{-t} - 1)/\epsilon$ and all weights of clean samples above it.  (C2)
            For such clusters, with H2 and H3, where one has a corrupted sample the mean of the fitted fraction
            $1 - |r_t|/|r_0|$ over the clean samples exceeds that over the corrupted ones by exactly
            $2(1 - 2\tau)(A_t - E_t)$.  (C4) One cluster, $\epsilon = 0$, any $f_0$, $\eta m \le 1$: $f_t$ also
            minimizes $\sum_i (f - \tilde y_i)^2 + m \frac{1 - A_t}{A_t} (f - f_0)^2$, with equal weights.  (C5) Where
            $0 < f < 1$ a step on the logistic loss $l$ is one on squares with the weight $|l'|/|f - \tilde y|$, smaller
            for the label $-1$ than for 1
Tolerance   Exact: kernels, steps and labels are fractions. The exponential is enclosed by partial sums
Findings    Where $f$ is one number for the whole cluster ($\epsilon = 0$) the weights are not determined, and equal
            ones do as well (C4). For the logistic loss the weights of C5 come from the loss, not from stopping: at
            $f = \frac35$ they are 0.40 for the label $-1$ and 0.89 for the label 1
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.problems.tapes import tapes
from fixtures.rational import exponential_of_minus
from properties.certificates import assert_at_most, assert_identical, record_series
from theorems.ledger import corrected
from theorems.section_08_stochastic_gradient_descent.label_noise.clusters import Clusters, clusters
from theorems.section_08_stochastic_gradient_descent.label_noise.kernel_descent import kernel_descent
from theorems.section_08_stochastic_gradient_descent.stopped_runs import STEPS, descent, weights


def separating_weight(q, epsilon, t):
    """The number of C1 that separates the weights of corrupted and clean samples after t steps, q = 1 - eta epsilon."""
    return (q**-t - 1) / epsilon


@corrected("C1")
@given(problem=clusters(), t=st.integers(1, STEPS))
def test_one_number_lies_between_the_weights_of_corrupted_and_of_clean_samples(problem, t):
    # given  the number of C1 is eta (1/q + ... + 1/q^t), q = 1 - eta epsilon
    w, q = weights(problem, t)[-1], 1 - problem.eta * problem.epsilon
    between = separating_weight(q, problem.epsilon, t)
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
    # then   the weights over the number of C1
    between = separating_weight(q, epsilon, t)
    assert_at_most(1, [float(w / between) for w in clean], why="clean samples")
    assert_at_most([float(w / between) for w in corrupted], 1, why="corrupted samples")


@corrected("C1")
def test_for_a_large_epsilon_both_weights_are_near_the_separating_weight():
    # given  epsilon = 1000 for m = 3, one step with eta(m + epsilon) = 1/2
    problem = Clusters((3,), (1,), (1,), Fraction(1000), Fraction(1, 2006))
    corrupted, clean, _ = weights(problem, 1)[0]
    # then
    between = separating_weight(1 - 1000 * problem.eta, 1000, 1)
    assert_at_most(float(between - corrupted), float(between) / 500, why="the corrupted sample's is near")
    assert_at_most(float(clean - between), float(between) / 500, why="a clean one's is near")


@corrected("C1")
def test_in_a_cluster_of_three_the_separating_weight_lies_between_in_every_step():
    # given  epsilon = eta = 1/4, one of three labels flipped
    problem = Clusters((3,), (1,), (1,), Fraction(1, 4), Fraction(1, 4))
    times = range(1, STEPS + 1)
    # when
    corrupted, clean, _ = np.transpose(weights(problem))
    between = [separating_weight(Fraction(15, 16), problem.epsilon, t) for t in times]
    record_series("weights of the samples", t=times, corrupted=corrupted, clean=clean, between=between)
    # then
    assert_at_most((corrupted / between).astype(float), 1 - 1 / 32, why="the corrupted sample's")
    assert_at_most(1 + 1 / 32, (clean / between).astype(float), why="a clean one's")


@corrected("C2")
@given(problem=clusters())
def test_clean_samples_are_fitted_before_corrupted_ones_by_the_difference_of_C2(problem):
    # given  the first cluster
    first = problem.members == 0
    clean, flipped = first & ~problem.flipped, first & problem.flipped
    for_all_t = range(STEPS + 1)
    # when
    fractions_fitted = [1 - np.abs(problem.noisy - f) for f in descent(problem)]  # |r_0| = 1
    differences = [fitted[clean].mean() - fitted[flipped].mean() for fitted in fractions_fitted]
    # then
    A, E = np.array([(problem.fitted(t)[0][0], problem.fitted(t)[1]) for t in for_all_t]).T
    assert_identical(differences, 2 * (1 - 2 * problem.tau[0]) * (A - E), why="2(1 - 2 tau)(A_t - E_t)")
    # and    A_t - E_t >= eta m (1 - eta epsilon)^(t - 1), with equality at t = 1
    q, share = 1 - problem.eta * problem.epsilon, 2 * (1 - 2 * problem.tau[0]) * problem.eta * problem.sizes[0]
    least = [float(share * q ** (t - 1)) for t in for_all_t[1:]]
    assert_at_most(least, [float(d) for d in differences[1:]], why="the clean are ahead")


@corrected("C4")
@given(tape=tapes(6))
def test_in_one_cluster_without_epsilon_equal_weights_have_the_same_minimizer(tape):
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
def test_a_logistic_step_is_one_on_squares_with_the_smaller_weight_for_the_corrupted_sample(tape):
    # given  0 < f < 1, |l'| = 1/(1 + exp(y f)), y = 1 for the clean sample and -1 for the corrupted one
    f = Fraction(1 + tape.below(31), 32)
    low, high = exponential_of_minus(f, terms=6)
    # then   times 1 + exp(-f) the weights are exp(-f)/(1 - f) for the clean sample, 1/(1 + f) for the corrupted one
    assert_at_most(float(1 / (1 + f)), float(low / (1 - f)), why="|l'|/|f - y|")
    assert_at_most(float(high), 1.0, why="|l'|, of the clean sample and of the corrupted one")
