r"""Section 8.3: robustness to label noise - stopped in time, descent on clustered data predicts the clean labels.

Section     8.3
Printed     SGD exhibits implicit robustness to label noise (the sentence before Proposition 8.3)
Reading     The labels are those of Proposition 8.3: -1 and 1, some of them flipped. Robust is a run that can be stopped
            (8.3: "early stopping") at a time t >= 1 at which all its predictions have the sign of the clean label,
            those of the corrupted samples too
Setting     Kernel descent on $\frac12 \sum_i (f(x_i) - \tilde y_i)^2$ from $f_0 = 0$: $f_{t+1} = f_t + \eta K (\tilde y
            - f_t)$; clusters c of $m_c$ samples with one clean label, of which $j_c = \tau_c m_c$ are corrupted; $K =
            \operatorname{blockdiag}(1 1^\top) + \epsilon I$. $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$, $E_t = 1 - (1 -
            \eta\epsilon)^t$
Hypotheses  (H1) the samples are clustered as in the setting, or K is near such a kernel: how near may depend on t.
            (H2) the run is stopped in time: $2(1 - \tau_c) E_t < (1 - 2\tau_c) A_t$ for every cluster with a corrupted
            sample; so $\tau_c < 1/2$.  (H3) $\eta(m_c + \epsilon) < 1$.  (H4) every step uses all samples, or the mean
            over their orders is meant.
Corrected   (C1) For clusters as in the setting, with H3, H4, the signs are the clean ones exactly at the times of H2.
            These are $1 \le t \le t^*$; there are none exactly if $2(1 - \tau_c) \epsilon \ge (1 - 2\tau_c) (m_c +
            \epsilon)$ for a cluster with a corrupted sample.  (C2) For such clusters, with H3, H4 and $\tau < 1/2$, a
            fresh sample of a cluster, K(x, x_i) = 1 for its members, has the prediction $\frac{m}{m + \epsilon} A_t (1
            - 2\tau)$ times the clean label: the clean sign at every t >= 1.  (C3) For another kernel K + E with $0 \le
            \eta K, \eta(K + E) \le 2$ predictions move by $t \eta |E| \sqrt n$ at most.  (C4) SGD in single samples,
            with the step $n\eta$ on the mean loss, has this recursion as its mean over all orders
Idea        The mean of a cluster is fitted at the rate m + epsilon and what differs within it at the rate epsilon: slow
            is the disagreement. A corrupted sample is predicted as $(1 - 2\tau) A_t - 2(1 - \tau) E_t$ times its clean
            label
Source      Li, Soltanolkotabi, Oymak (2020), Gradient Descent with Early Stopping is Provably Robust to Label Noise for
            Overparameterized Neural Networks, AISTATS (the clusters); the exact window and the witnesses are ours
Tolerance   Exact: kernels, steps and labels are fractions, and a time at the edge of the window is decided by comparing
            fractions
Findings    Fresh predictions do not need early stopping in this model: they are clean at every time, also where the
            noise is memorized on the samples. It is the mean of SGD that is robust, and not every run: if the first of
            three samples of a cluster is corrupted and is used first, the whole cluster has the wrong sign
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.kernel_descent import kernel_descent, single_sample_predictions
from fixtures.problems.clusters import Clusters, clusters, is_clustered
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

STEPS = 8


def descent(problem, steps=STEPS):
    """The path of `kernel_descent` on the noisy labels."""
    return kernel_descent(problem.kernel, problem.noisy, problem.step, steps)


def wrong_signs(K, flipped, eta, steps):
    """The least share of wrong signs at t = 1 ... steps, of samples whose clean labels are all 1."""
    labels = np.where(flipped, -1, 1).astype(object)
    path = kernel_descent(K, labels, eta, steps)[1:]
    return min(Fraction(int(np.sum(f <= 0)), len(f)) for f in path)


@under_hypotheses("H1", "H2", "H3", "H4")
@given(problem=clusters())
def test_all_predictions_have_the_clean_sign_exactly_in_the_window(problem):
    # given  H1, H3 by the strategy; H4: full steps
    recovered = [problem.recovers(f) for f in descent(problem)[1:]]
    # then   at every time, with ties decided in fractions
    window = [problem.in_window(t) for t in range(1, STEPS + 1)]
    assert_identical(recovered, window, why="clean signs, and H2")


@under_hypotheses("H1", "H2", "H3", "H4")
def test_near_a_clustered_kernel_a_margin_beyond_the_perturbation_recovers_the_clean_signs():
    # given  two clusters of three, one label of each flipped, and E that ties them together and splits one of them:
    #        all kernels as near as this one, an open set, share the bound
    problem = Clusters((3, 3), (1, 1), (1, -1), Fraction(1, 16), Fraction(1, 4))
    assert_identical([problem.in_window(2), problem.gentle], [True] * 2, why="H2, H3")
    d = np.array([[1, 1], [1, -1], [1, 0], [1, 0], [1, 0], [0, 1]], object)  # E = dd'/256, and epsilon = 16/256
    # when   at t = 2
    K, E = 16 * problem.kernel, d @ d.T
    f, g = (kernel_descent(kernel, problem.noisy, problem.eta / 256, 2)[2] for kernel in (K, K + E))
    # then
    lost = movement(K, E, problem.noisy, problem.eta / 256, 2)[1]
    assert_at_most(float(lost), float(min(f * problem.clean) ** 2), why="t eta |E| sqrt(n), squared, and the margin")
    assert_identical(problem.recovers(g), True, why="clean signs under K + E")


@corrected("C1", "H1", "H3", "H4")
@given(problem=clusters())
def test_the_window_is_one_stretch_from_the_first_step_on_or_empty(problem):
    window = [problem.in_window(t) for t in range(1, STEPS + 4)]
    assert_identical(window, sorted(window, reverse=True), why="1 ... t*")
    # and    E_1/A_1 = epsilon/(m + epsilon)
    m, tau, epsilon = fractions(problem.sizes), problem.tau, problem.epsilon
    is_open = (2 * (1 - tau) * epsilon < (1 - 2 * tau) * (m + epsilon)) | (tau == 0)
    assert_identical(window[0], is_open.all(), why="t = 1")


@corrected("C1")
def test_a_window_may_close_after_four_steps():
    # given  m = 3, tau = 1/3, epsilon = 1/4 and eta = 1/4: E_t/A_t = 0.228 and 0.276 at t = 4 and 5, against 1/4
    problem = Clusters((3,), (1,), (-1,), Fraction(1, 4), Fraction(1, 4))
    # when
    recovered = [problem.recovers(f) for f in descent(problem)[1:]]
    # then
    assert_identical(recovered, [True] * 4 + [False] * 4, why="clean signs at t = 1 ... 8")


@corrected("C1")
def test_a_cluster_without_a_corrupted_sample_has_no_window_to_miss():
    # given  five samples with one flipped beside two clean ones, epsilon = 5/2 and t = 1: E/A = 1/3 and 5/9
    problem = Clusters((5, 2), (1, 0), (1, -1), Fraction(5, 2), Fraction(1, 8))
    # then   3/8 and 1/2 are the bounds of E/A, which the clean pair need not meet
    assert_identical([problem.in_window(1), problem.recovers(descent(problem, 1)[1])], [True, True], why="clean signs")


@corrected("C2")
@given(problem=clusters())
def test_a_fresh_sample_has_the_clean_sign_at_every_time(problem):
    # given  one unlabeled sample of each cluster
    (K, labels), n = problem.with_fresh_samples(), len(problem.members)
    # when
    path = kernel_descent(K, labels, problem.step, STEPS)
    # then
    m, signs = fractions(problem.sizes), fractions(problem.signs)
    expected = [m / (m + problem.epsilon) * problem.fitted(t)[0] * (1 - 2 * problem.tau) for t in range(STEPS + 1)]
    assert_identical([f[n:] * signs for f in path], expected, why="fresh predictions")
    assert_identical([f[:n] for f in path], descent(problem), why="they change nothing for the samples")


def movement(K, E, y, step, t):
    """|f'_t - f_t|^2 for the kernels K + E and K, and its bound (t eta |E| |y|)^2, |E| at most its largest row sum."""
    f, g = (kernel_descent(kernel, y, step, t)[t] for kernel in (K, K + E))
    return ((f - g) ** 2).sum(), (t * step * max(np.abs(E).sum(1))) ** 2 * (y @ y)


@corrected("C3")
@given(problem=clusters(), tape=tapes(25), t=st.integers(0, STEPS))
def test_for_a_kernel_that_is_nearly_clustered_the_predictions_hardly_move(problem, tape, t):
    # given  E = dd'/1024 for a drawn d (n, 2), |E| at most its largest sum of a row, and a step at which both contract
    q = 1024 * problem.epsilon.denominator
    d = tape.integers((len(problem.members), 2), 2).astype(int).astype(object)
    E, K = d @ d.T * problem.epsilon.denominator, 1024 * problem.kernel
    eta = 1 / (max(problem.sizes) + problem.epsilon + Fraction(max(np.abs(E).sum(1)), q))
    # then
    moved, bound = movement(K, E, problem.noisy, eta / q, t)
    assert_at_most(float(moved), float(bound), why="|f' - f|^2")


@corrected("C3")
def test_a_kernel_that_moves_along_the_labels_moves_the_first_step_by_the_whole_bound():
    # given  E = yy', |E| = 5
    problem = Clusters((3, 2), (1, 0), (1, -1), Fraction(1), Fraction(1, 10))
    # then   eta E y = 5 eta y
    moved = movement(problem.kernel, np.outer(problem.noisy, problem.noisy), problem.noisy, problem.step, 1)
    assert_identical(moved, [Fraction(5, 4)] * 2, why="|f' - f|^2 and (eta |E|)^2 n")
    # and    for E = e_1 e_1' by eta^2 |y_1|^2: its largest row counts, not the mean of them
    corner = np.zeros((5, 5), object)
    corner[0, 0] = 1
    assert_at_most(*map(float, movement(problem.kernel, corner, problem.noisy, problem.step, 1)), why="one entry")


@corrected("C4")
@given(tape=tapes(6))
def test_the_mean_of_sgd_over_all_orders_is_kernel_descent(tape):
    # given  two to four samples, epsilon = 1/4, 1/9 or 1, and the step n eta of SGD
    sizes, root = tape.choice([(3,), (2, 1), (2,), (3, 1)]), Fraction(1, tape.choice((2, 3, 1)))
    corrupted = (tape.below(2), tape.below(2))[: len(sizes)]
    problem = Clusters(sizes, corrupted, (1, -1)[: len(sizes)], root**2, Fraction(1, 2 + tape.below(8)))
    features, n = problem.features(root), sum(sizes)
    # when
    runs = single_sample_predictions(features, problem.noisy, n * problem.eta, 2)
    # then
    assert_identical(root.denominator**2 * features @ features.T, problem.kernel, why="the kernel of the features")
    assert_identical(runs.sum(0) / len(runs), descent(problem, 2)[2], why="E f_2")


@counterexample
def test_a_corrupted_sample_that_is_alone_has_the_wrong_sign_at_every_time():
    # given  K = I and one of three labels flipped: f_t = (1 - 2^-t) times the labels
    share = wrong_signs(np.eye(3, dtype=int).astype(object), np.array([True, False, False]), Fraction(1, 2), STEPS)
    reads = "share {value} of wrong signs at the best of t = 1 ... 8 > {limit}"
    assert_violates(share, 0, reads=reads, K="I", labels=[-1, 1, 1], eta="1/2")


@counterexample
def test_hypothesis_finds_a_kernel_for_which_no_time_to_stop_is_right():
    # given  four samples of one clean label, one of them flipped, K = I + dd'
    def share(d):
        K = np.eye(4, dtype=int).astype(object) + np.outer(d, d).astype(object)
        return wrong_signs(K, np.array([True, False, False, False]), Fraction(1, 64), STEPS)

    found = smallest_violation(st.tuples(*[st.integers(-3, 3)] * 4), lambda d: share(d) > 0)
    assert_violates(share(found), 0, reads="share {value} of wrong signs > {limit}", d=found)


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
    ahead = [float(np.abs(1 - f[-1]) - np.abs(-1 - f[0])) for f in path]
    assert_at_most(0, ahead, why="the residuals of the clean are the larger ones")


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
    assert_at_most(descent(problem, 2)[2].astype(float)[3:], -1 / 2, why="predictions of the clean cluster")


@necessity("H3")
def test_without_H3_the_times_of_H2_are_not_one_stretch_so_that_clean_signs_are_lost_and_found_again():
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
