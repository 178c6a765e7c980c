r"""Section 8.3: robustness to label noise - what fails without each hypothesis.

Setting     $f_{t+1} = f_t + \eta K (\tilde y - f_t)$ from $f_0 = 0$. Clusters $c$ of $m_c$ samples, the share $\tau_c$
            of them corrupted, with $K = \operatorname{blockdiag}(\mathbf{1}\mathbf{1}^\top) + \epsilon I$;
            $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$ and $E_t = 1 - (1 - \eta\epsilon)^t$
Hypotheses  (H1) the samples are clustered as in the setting, or $K$ is near such a kernel: how near may depend on $t$.
            (H2) the run is stopped in time: $2(1 - \tau_c) E_t < (1 - 2\tau_c) A_t$ for every cluster with a corrupted
            sample; so $\tau_c < 1/2$.  (H3) $\eta(m_c + \epsilon) < 1$.  (H4) every step uses all samples, or the mean
            over their orders is meant.
Tolerance   Exact: kernels, steps and labels are fractions
Findings    It is the mean of SGD that is robust, and not every run. If the first of three samples of a cluster is
            corrupted and is used first, the whole cluster has the wrong sign
"""

from fractions import Fraction

import numpy as np
from hypothesis import given

from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps
from theorems.ledger import necessity
from theorems.section_08_stochastic_gradient_descent.label_noise.clusters import Clusters, is_clustered
from theorems.section_08_stochastic_gradient_descent.label_noise.kernel_descent import (
    kernel_descent,
    single_sample_predictions,
)
from theorems.section_08_stochastic_gradient_descent.stopped_runs import descent


@necessity("H1")
def test_without_H1_the_sign_of_the_noise_is_learned_where_the_corrupted_sample_is_the_longer_one():
    # given  a cluster of three, the first flipped, whose features are twice as long: a diagonal that is not constant
    problem = Clusters((3,), (1,), (1,), Fraction(1, 4), Fraction(1, 8))
    K = problem.kernel * np.multiply.outer([2, 1, 1], [2, 1, 1])
    assert_keeps(H2=problem.in_window(1), H3=problem.gentle and problem.step * np.trace(K) < 1, H4=True)
    assert_identical(is_clustered(K, problem.members), False, why="H1 fails")
    # then
    f = kernel_descent(K, problem.noisy, problem.step, 1)[1]
    assert_identical(f, fractions(["-1/8", "1/32", "1/32"]), why="the flipped label too")


@necessity("H2")
@given(tape=tapes(3))
def test_without_H2_the_corrupted_majority_is_fitted_first(tape):
    # given  tau >= 1/2, for which no time is in the window
    m = 2 + tape.below(5)
    j = (m + 1) // 2 + tape.below(m // 2)
    problem = Clusters((m,), (j,), (1,), Fraction(1, 4), 1 / (m + Fraction(1)))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H3=problem.gentle, H4=True)
    assert_identical([problem.in_window(t) for t in range(1, 5)], [False] * 4, why="H2 fails")
    # when
    path = descent(problem, 4)
    # then
    assert_identical([problem.recovers(f) for f in path], [False] * 5, why="clean signs")
    flipped, clean = ([float(np.abs(y - f[i])) for f in path] for i, y in ((0, -1), (-1, 1)))
    assert_at_most(flipped, clean, why="the residuals of the clean are the larger ones")


@necessity("H2")
@given(tape=tapes(5))
def test_without_H2_a_clean_majority_does_not_keep_the_noise_from_being_memorized(tape):
    # given  epsilon = 1 and 16 steps, which is too late
    m = 3 + tape.below(3)
    problem = Clusters((m, 3), (1 + tape.below((m - 1) // 2), 1), (1, -1), Fraction(1), Fraction(1, m + 2))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H3=problem.gentle, H4=True)
    assert_identical([problem.mostly_clean, problem.in_window(16)], [True, False], why="H2 fails by the time alone")
    # when
    f = descent(problem, 16)[16]
    # then   f y = E_t +- (A_t - E_t)(1 - 2 tau) >= 1 - 2(1 - eta epsilon)^t, which is 0.82 or more
    least = 1 - 2 * (1 - problem.eta) ** 16
    assert_at_most(float(least), (f * problem.noisy).astype(float), why="every label is fitted, the flipped ones too")


@necessity("H3")
def test_without_H3_a_large_clean_cluster_has_the_wrong_sign():
    # given  clusters of three, one flipped, and of nine, epsilon = 1/16 and eta = 1/4: eta(9 + epsilon) > 2
    problem = Clusters((3, 9), (1, 0), (1, 1), Fraction(1, 16), Fraction(1, 4))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H2=problem.in_window(2), H4=True)
    assert_identical(problem.gentle, False, why="H3 fails")
    # then
    predictions = -descent(problem, 2)[2].astype(float)[3:]
    assert_at_most(1 / 2, predictions, why="predictions of the clean cluster, whose label is 1, with the sign turned")


@necessity("H3")
def test_without_H3_the_times_of_H2_are_not_one_interval_so_that_clean_signs_are_lost_and_come_back():
    # given  m = 3, tau = 1/3, epsilon = 1/10 and eta(m + epsilon) = 19/10
    problem = Clusters((3,), (1,), (1,), Fraction(1, 10), Fraction(19, 31))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H4=True)
    assert_identical(problem.gentle, False, why="H3 fails")
    # when
    recovered = [problem.recovers(f) for f in descent(problem, 3)[1:]]
    # then
    assert_identical(recovered, [True, False, True], why="clean signs at t = 1, 2, 3")
    assert_identical([problem.in_window(t) for t in (1, 2, 3)], recovered, why="H2 at t = 1, 2, 3")


@necessity("H4")
def test_without_H4_a_run_may_give_a_whole_cluster_the_wrong_sign_where_its_mean_does_not():
    # given  one cluster of three, the first label flipped, epsilon = 1/16, eta = 1/4 for the mean
    problem = Clusters((3,), (1,), (1,), Fraction(1, 16), Fraction(1, 4))
    assert_keeps(H1=is_clustered(problem.kernel, problem.members), H2=problem.in_window(1), H3=problem.gentle)
    # when   one step of SGD
    runs = single_sample_predictions(problem.features(Fraction(1, 4)), problem.noisy, 3 * problem.eta, 1)
    wrong = Fraction(sum(int((f < 0).all()) for f in runs), len(runs))
    # then
    assert_identical(problem.recovers(descent(problem, 1)[1]), True, why="the mean has clean signs")
    assert_identical(wrong, Fraction(1, 3), why="chance of the wrong sign throughout")
