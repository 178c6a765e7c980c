r"""Proposition 8.3 - stopped early, descent recovers clean labels of clustered data, and weighs no sample down.

Section     8.3
Printed     Under label noise $\tilde y_i = y_i + \epsilon_i$ with $P(\epsilon_i \ne 0) = \tau$, SGD with early stopping
            implicitly downweights noisy examples, approximating $\min_\theta \sum_i w_i (f(x_i; \theta) - \tilde
            y_i)^2$, where w_i is smaller for likely corrupted examples
Reading     Labels are -1 and 1, a corrupted one is flipped. The loss is the squared one of the print: a step of SGD has
            equal weights in the mean. For the weights of a run we look at its labels: where f is one number for a
            cluster, weighted squares have their minimum at the weighted mean of the labels, or at a part of it if f is
            drawn to f_0 besides, so that the influence of a label on f is in proportion to its weight. As printed, a
            corrupted label weighs q < 1 times as much as a clean one at most, with one q for all problems, 99/100 say
Setting     Kernel descent on $\frac12 \sum_i (f(x_i) - \tilde y_i)^2$ from $f_0 = 0$: $f_{t+1} = f_t + \eta K (\tilde y
            - f_t)$; clusters c of $m_c$ samples with one clean label, of which $j_c = \tau_c m_c$ are corrupted;
            $K = \operatorname{blockdiag}(1 1^\top) + \epsilon I$. $A_t = 1 - (1 - \eta(m_c + \epsilon))^t$, $E_t = 1 -
            (1 - \eta\epsilon)^t$
Hypotheses  Of the corrected statement: (H1) the samples are clustered as in the setting, and no sample is alone.  (H2)
            $\tau_c < 1/2$.  (H3) the run is stopped in time: $E_t/A_t < (1 - 2\tau_c)/(2(1 - \tau_c))$.  (H4) $\eta(m_c
            + \epsilon) \le 1$.  (H5) every step uses all samples, or the mean over their orders is meant.
Corrected   All predictions of corrupted clusters have the clean sign if and only if (H3) holds, which by (H4) is for $1
            \le t \le t^*$, or never. A sample's fitted fraction is $1 - |r_t|/|r_0|$, and its mean over the clean
            samples exceeds that over the corrupted ones by exactly $2(1 - 2\tau)(A_t - E_t)$. A fresh sample of a
            cluster has the prediction $\frac{m}{m + \epsilon} A_t (1 - 2\tau)$ times the clean label: the clean sign at
            every t. For epsilon = 0 and any $f_0$, $f_t$ minimizes $\sum_i (f - \tilde y_i)^2 + m \frac{1 - A_t}{A_t}
            (f - f_0)^2$: with equal weights. For another kernel K + E, with $\eta|K|, \eta|K + E| \le 2$, predictions
            move by $t \eta |E| \sqrt n$ at most. SGD in single samples has this recursion as its mean over all orders,
            and only that (H5)
Idea        f_t = (I - (I - \eta K)^t) times the labels, so that no label has a say in how much another one counts: the
            weights know the inputs only. The mean of a cluster is fitted at the rate m + epsilon and what differs
            within it at the rate epsilon: what is slow is the disagreement, not the corrupted sample.
Source      Li, Soltanolkotabi, Oymak (2020), Gradient Descent with Early Stopping is Provably Robust to Label Noise for
            Overparameterized Neural Networks (the clusters, and what holds of residuals); the exact window and the
            witnesses are ours
Tolerance   Exact: kernels, steps and labels are fractions, and a time at the edge of the window is decided by comparing
            fractions. exp is enclosed by partial sums
Findings    Stopping early shrinks towards f_0 and weighs nothing. The gradient of a corrupted sample is the larger one
            in the window. With logistic loss it is that of a square whose weight $|l'|/|f - \tilde y|$ is smaller for
            the corrupted sample while 0 < f < 1, at f = 3/5 0.40 for 0.89: by the choice of the loss, not by stopping
            or by SGD. In this model it is not stopping early that makes fresh predictions clean: they are so at every
            time, though the noise is memorized on the samples. If the first step of SGD is on a corrupted sample, it
            gives the whole cluster the wrong sign
Expected    refuted
"""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.minibatch_law import minibatch_gradients
from fixtures.problems.tapes import tapes
from fixtures.rational import exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity

STEPS = 8
WEIGHED_DOWN = Fraction(99, 100)
"""The factor q by which a corrupted label is said to weigh less."""
exact = np.vectorize(Fraction, otypes=[object])


@dataclasses.dataclass(frozen=True)
class Clusters:
    """Clusters of `sizes`, the first `corrupted` labels of each flipped from its sign; epsilon and the step eta."""

    sizes: tuple[int, ...]
    corrupted: tuple[int, ...]
    signs: tuple[int, ...]
    epsilon: Fraction
    eta: Fraction

    @property
    def members(self):
        """To which cluster each sample belongs, (n,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def kernel(self):
        """Q (blockdiag(11') + epsilon I), q the denominator of epsilon: whole numbers, (n, n)."""
        same = (self.members[:, None] == self.members).astype(object)
        return self.epsilon.denominator * same + self.epsilon.numerator * np.eye(len(same), dtype=object)

    @property
    def step(self):
        """Eta/q, the step for that multiple of the kernel."""
        return self.eta / self.epsilon.denominator

    @property
    def clean(self):
        """The clean labels, (n,), in Python's integers."""
        return np.array(self.signs, object)[self.members]

    @property
    def flipped(self):
        """Which samples are corrupted, (n,)."""
        return np.concatenate([np.arange(m) < j for m, j in zip(self.sizes, self.corrupted, strict=True)])

    @property
    def noisy(self):
        """The labels that are trained on, (n,)."""
        return np.where(self.flipped, -self.clean, self.clean)

    @property
    def tau(self):
        """The corrupted fraction of each cluster."""
        return fractions([Fraction(j, m) for m, j in zip(self.sizes, self.corrupted, strict=True)])

    def fitted(self, t):
        """A_t of each cluster, and E_t."""
        mean = 1 - (1 - self.eta * (fractions(self.sizes) + self.epsilon)) ** t
        return mean, 1 - (1 - self.eta * self.epsilon) ** t

    def in_window(self, t):
        """H3, for every cluster with a corrupted sample: 2(1 - tau) E_t < (1 - 2 tau) A_t."""
        A, E = self.fitted(t)
        inside = 2 * (1 - self.tau) * E < (1 - 2 * self.tau) * A
        return bool(np.all(inside | (self.tau == 0)))

    def recovers(self, f):
        """Whether every prediction has the clean sign."""
        return bool(np.all(f * self.clean > 0))


@st.composite
def clusters(draw):
    """One or two clusters of 3 to 5 and 2 to 5 samples, with a majority of clean labels, H1, H2 and H4.

    Shrinks to one cluster of three, one of them corrupted, epsilon = 1/4 and eta = 1/(m + epsilon).
    """
    tape = draw(tapes(8))
    sizes = (3 + tape.below(3), 2 + tape.below(4))[: 1 + tape.below(2)]
    corrupted = (1 + tape.below((sizes[0] - 1) // 2), tape.below((sizes[-1] - 1) // 2 + 1))[: len(sizes)]
    epsilon = tape.choice([Fraction(1, q) for q in (4, 1, 2, 8, 16, 64, 1000)] + [Fraction(5, 2)])
    eta = tape.choice((Fraction(1), Fraction(1, 2), Fraction(3, 4), Fraction(1, 8))) / (max(sizes) + epsilon)
    return Clusters(sizes, corrupted, (tape.choice((1, -1)), -1)[: len(sizes)], epsilon, eta)


def kernel_descent(K, y, eta, steps):
    """F_0 = 0 ... f_steps of f <- f + eta K(y - f), exact, for a kernel and labels (n,) or (n, k) of whole numbers.

    In integers D^t f_t, D the denominator of eta: fractions are reduced only at the end.
    """
    N, D = eta.numerator * K, eta.denominator
    scaled = [0 * y]
    for t in range(steps):
        scaled.append(D * scaled[-1] + N @ (D**t * y - scaled[-1]))
    return [exact(F, D**t) for t, F in enumerate(scaled)]


def descent(problem, steps=STEPS):
    """The path of `kernel_descent` on the noisy labels."""
    return kernel_descent(problem.kernel, problem.noisy, problem.step, steps)


def with_fresh_samples(problem):
    """The kernel of the samples and of one fresh one for each cluster: its column is zero, its label is not used."""
    n, c = len(problem.members), len(problem.sizes)
    same = (np.arange(c)[:, None] == problem.members).astype(object)
    K = np.zeros((n + c, n + c), object)
    K[:n, :n], K[n:, :n] = problem.kernel, problem.epsilon.denominator * same
    return K, np.concatenate([problem.noisy, np.zeros(c, object)])


def label_weights(problem, t):
    """What raising each label of the first cluster by one, (m,), does to the prediction f_t of its fresh sample."""
    (K, labels), n = with_fresh_samples(problem), len(problem.members)
    raised = np.eye(len(K), dtype=object)[:, :n][:, problem.members == 0]
    base, moved = (kernel_descent(K, y, problem.step, t)[t][n] for y in (labels[:, None], labels[:, None] + raised))
    return moved - base


@corrected
@given(problem=clusters())
def test_all_predictions_have_the_clean_sign_exactly_in_the_window(problem):
    # when
    recovered = [problem.recovers(f) for f in descent(problem)[1:]]
    # then   at every time, with ties decided in fractions
    window = [problem.in_window(t) for t in range(1, STEPS + 1)]
    assert_identical(recovered, window, why="clean signs, and H3")
    assert_identical(window, sorted(window, reverse=True), why="by H4 the window is 1 ... t*, or empty")


@corrected
def test_a_window_may_close_after_three_steps():
    # given  m = 3, tau = 1/3, epsilon = 1/4 and eta(m + epsilon) = 1: A_t = 1, E_t = 1 - (12/13)^t against 1/4
    problem = Clusters((3,), (1,), (-1,), Fraction(1, 4), Fraction(4, 13))
    # when
    recovered = [problem.recovers(f) for f in descent(problem)[1:]]
    # then
    assert_identical(recovered, [True] * 3 + [False] * 5, why="clean signs at t = 1 ... 8")


@corrected
def test_a_cluster_without_a_corrupted_sample_has_no_window_to_miss():
    # given  five samples with one flipped beside two clean ones, epsilon = 5/2 and t = 1: E/A = 1/3 and 5/9
    problem = Clusters((5, 2), (1, 0), (1, -1), Fraction(5, 2), Fraction(2, 15))
    # then   3/8 and 1/2 are the bounds of H3, which the clean pair need not meet
    assert_identical([problem.in_window(1), problem.recovers(descent(problem, 1)[1])], [True, True], why="clean signs")


@corrected
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


@corrected
@given(problem=clusters())
def test_a_fresh_sample_has_the_clean_sign_at_every_time(problem):
    # given  one unlabeled sample of each cluster
    (K, labels), n = with_fresh_samples(problem), len(problem.members)
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


@corrected
@given(problem=clusters(), tape=tapes(25))
def test_for_a_kernel_that_is_nearly_clustered_the_predictions_hardly_move(problem, tape):
    # given  E = dd'/1024 for a drawn d (n, 2), |E| at most its largest sum of a row, and a step at which both contract
    q = 1024 * problem.epsilon.denominator
    d = tape.integers((len(problem.members), 2), 2).astype(int).astype(object)
    E, K = d @ d.T * problem.epsilon.denominator, 1024 * problem.kernel
    eta = 1 / (max(problem.sizes) + problem.epsilon + Fraction(max(np.abs(E).sum(1)), q))
    # then
    moved, bounds = np.array([movement(K, E, problem.noisy, eta / q, t) for t in range(STEPS + 1)], float).T
    assert_at_most(moved, bounds, why="|f' - f|^2")


@corrected
def test_a_margin_beyond_the_perturbation_recovers_the_clean_signs():
    # given  two clusters of three, one label of each flipped, and E that ties them together and splits one of them
    problem = Clusters((3, 3), (1, 1), (1, -1), Fraction(1, 16), Fraction(1, 4))
    d = np.array([[1, 1], [1, -1], [1, 0], [1, 0], [1, 0], [0, 1]], object)  # E = dd'/256, and epsilon = 16/256
    # when   at t = 2
    K, E = 16 * problem.kernel, d @ d.T
    f, g = (kernel_descent(kernel, problem.noisy, problem.eta / 256, 2)[2] for kernel in (K, K + E))
    # then
    lost = movement(K, E, problem.noisy, problem.eta / 256, 2)[1]
    assert_at_most(float(lost), float(min(f * problem.clean) ** 2), why="t eta |E| sqrt(n), squared, and the margin")
    assert_identical(problem.recovers(g), True, why="clean signs under K + E")


@corrected
def test_a_kernel_that_moves_along_the_labels_moves_the_first_step_by_the_whole_bound():
    # given  E = yy', |E| = 5
    problem = Clusters((3, 2), (1, 0), (1, -1), Fraction(1), Fraction(1, 10))
    # then   eta E y = 5 eta y
    moved = movement(problem.kernel, np.outer(problem.noisy, problem.noisy), problem.noisy, problem.step, 1)
    assert_identical(moved, [Fraction(5, 4)] * 2, why="|f' - f|^2 and (eta |E|)^2 n")


def sgd_predictions(features, labels, eta, steps):
    """The predictions (n^steps, n) after every order of single samples, from weights 0."""
    w = np.zeros_like(features[:1])
    for _ in range(steps):
        w = (w[:, None, :] - eta * minibatch_gradients(features, labels, w, 1, True)).reshape(-1, features.shape[1])
    return w @ features.T


def clustered_features(problem, root):
    """Indicators of the clusters beside `root` times the identity: features of the kernel with epsilon = root^2."""
    n = len(problem.members)
    indicators = np.where(problem.members[:, None] == np.arange(len(problem.sizes)), Fraction(1), Fraction(0))
    return np.concatenate([indicators, root * np.eye(n, dtype=int)], axis=1)


@corrected
@given(tape=tapes(6))
def test_the_mean_of_sgd_over_all_orders_is_kernel_descent(tape):
    # given  two to four samples, epsilon = 1/4, 1/9 or 1, and the step n eta of SGD
    sizes, root = tape.choice([(3,), (2, 1), (2,), (3, 1)]), Fraction(1, tape.choice((2, 3, 1)))
    corrupted = (tape.below(2), tape.below(2))[: len(sizes)]
    problem = Clusters(sizes, corrupted, (1, -1)[: len(sizes)], root**2, Fraction(1, 2 + tape.below(8)))
    features, n = clustered_features(problem, root), sum(sizes)
    # when
    runs = sgd_predictions(features, problem.noisy, n * problem.eta, 2)
    # then
    assert_identical(root.denominator**2 * features @ features.T, problem.kernel, why="the kernel of the features")
    assert_identical(runs.sum(0) / len(runs), descent(problem, 2)[2], why="E f_2")


@counterexample
def test_a_corrupted_label_weighs_what_a_clean_one_does():
    # given  one cluster of three, the first label flipped, epsilon = 0
    problem = Clusters((3,), (1,), (1,), Fraction(0), Fraction(1, 6))
    # when
    weights = label_weights(problem, 1)
    # then
    assert_identical(weights, fractions(["1/6"] * 3), why="influence on f_1, a sixth of the sum of the labels")
    reads = "weight {value} of the corrupted label > {limit}, 99/100 of that of a clean one"
    assert_violates(weights[0], WEIGHED_DOWN * weights[1], reads=reads, labels=[-1, 1, 1], K="11'", eta="1/6", t=1)


@counterexample
def test_hypothesis_finds_a_cluster_in_which_no_label_is_weighed_down():
    def ends(problem):
        return label_weights(problem, 2)[[0, -1]]

    found = smallest_violation(clusters(), lambda problem: ends(problem)[0] > WEIGHED_DOWN * ends(problem)[1])
    corrupted, clean = ends(found)
    assert_violates(corrupted, WEIGHED_DOWN * clean, reads="weight {value} of a corrupted label > {limit}", found=found)


@counterexample
@given(problem=clusters())
def test_a_corrupted_label_has_the_influence_of_a_clean_one(problem):
    # then   A_t/(m + epsilon), for all labels of the cluster
    influence = problem.fitted(3)[0][0] / (problem.sizes[0] + problem.epsilon)
    assert_identical(label_weights(problem, 3), [influence] * problem.sizes[0], why="influence on a fresh prediction")


@counterexample
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


@corrected
@given(tape=tapes(6))
def test_stopped_descent_has_equal_weights_and_is_drawn_to_where_it_started(tape):
    # given  one cluster, epsilon = 0, and any start
    m, start = 3 + tape.below(5), tape.below(5) - 2
    j, step = 1 + tape.below((m - 1) // 2), Fraction(1 + tape.below(8), 8)
    problem = Clusters((m,), (j,), (1,), Fraction(0), step / m)
    # when
    path = [start + f for f in kernel_descent(problem.kernel, problem.noisy - start, problem.step, 5)]
    # then   the minimum of sum_i (f - y_i)^2 + penalty (f - f_0)^2
    penalties = [m * (1 - step) ** t / (1 - (1 - step) ** t) for t in range(1, 6)]
    minima = [(sum(problem.noisy) + penalty * start) / (m + penalty) for penalty in penalties]
    assert_identical(path[1:], [[f] * m for f in minima], why="the minimizer with equal weights")


@corrected
@given(tape=tapes(1))
def test_the_squares_of_a_logistic_step_have_the_smaller_weight_for_the_corrupted_sample(tape):
    # given  0 < f < 1, |l'| = 1/(1 + exp(y f)), y = 1 for the clean sample and -1 for the corrupted one
    f = Fraction(1 + tape.below(31), 32)
    low, high = exponential_of_minus(f, terms=6)
    # then   both times 1 + exp(-f): exp(-f)/(1 - f) for the clean sample, 1/(1 + f) for the corrupted one
    assert_at_most(float(1 / (1 + f)), float(low / (1 - f)), why="|l'|/|f - y|")
    assert_at_most(float(high), 1.0, why="|l'|, of the clean sample and of the corrupted one")


@necessity("H1")
@given(tape=tapes(7))
def test_without_H1_corrupted_and_clean_are_fitted_alike(tape):
    # given  samples that are alone: K = (1 + epsilon) I
    labels, step = 1 - 2 * tape.naturals(5, 2).astype(object), Fraction(1 + tape.below(16), 16)
    # when   K = 5/4 I, of which five times the identity is the fourfold
    path = kernel_descent(5 * np.eye(5, dtype=object), labels, step / 5, 4)
    # then   no gap, and the sign of the noise
    assert_identical([f * labels for f in path], [[1 - (1 - step) ** t] * 5 for t in range(5)], why="fitted fractions")


@necessity("H2")
@given(tape=tapes(3))
def test_without_H2_the_corrupted_majority_is_fitted_first(tape):
    # given  tau >= 1/2
    m = 2 + tape.below(5)
    j = (m + 1) // 2 + tape.below(m // 2)
    problem = Clusters((m,), (j,), (1,), Fraction(1, 4), 1 / (m + Fraction(1, 4)))
    # when
    path = descent(problem, 4)
    # then
    assert_identical([problem.recovers(f) for f in path], [False] * 5, why="clean signs")
    ahead = [float(np.abs(1 - f[-1]) - np.abs(-1 - f[0])) for f in path]
    assert_at_most(0, ahead, why="the residuals of the clean are the larger ones")


@necessity("H3")
@given(tape=tapes(5))
def test_without_H3_the_noise_is_memorized(tape):
    # given  epsilon = 1 and 16 steps
    m = 3 + tape.below(3)
    problem = Clusters((m, 3), (1 + tape.below((m - 1) // 2), 1), (1, -1), Fraction(1), Fraction(1, m + 1))
    # when
    f = descent(problem, 16)[16]
    # then   f y = E_t +- (A_t - E_t)(1 - 2 tau) >= 1 - 2(1 - eta epsilon)^t, which is 0.89 or more
    least = 1 - 2 * (1 - problem.eta) ** 16
    assert_identical([problem.in_window(16), problem.recovers(f)], [False, False], why="the window is over")
    assert_at_most(float(least), (f * problem.noisy).astype(float), why="every label is fitted, the flipped ones too")


@necessity("H4")
def test_without_H4_the_clean_signs_are_lost_and_found_again():
    # given  m = 3, tau = 1/3, epsilon = 1/10 and eta(m + epsilon) = 19/10
    problem = Clusters((3,), (1,), (1,), Fraction(1, 10), Fraction(19, 31))
    # when
    recovered = [problem.recovers(f) for f in descent(problem, 3)[1:]]
    # then
    assert_identical(recovered, [True, False, True], why="clean signs at t = 1, 2, 3")


@necessity("H5")
def test_without_H5_a_run_may_give_a_whole_cluster_the_wrong_sign_where_its_mean_does_not():
    # given  one cluster of three, the first label flipped, epsilon = 1/16, eta = 1/4 for the mean
    problem = Clusters((3,), (1,), (1,), Fraction(1, 16), Fraction(1, 4))
    # when   one step of SGD
    runs = sgd_predictions(clustered_features(problem, Fraction(1, 4)), problem.noisy, 3 * problem.eta, 1)
    wrong = Fraction(sum(int((f < 0).all()) for f in runs), len(runs))
    # then
    assert_identical(problem.recovers(descent(problem, 1)[1]), True, why="the mean has clean signs")
    assert_identical(wrong, Fraction(1, 3), why="chance of the wrong sign throughout")
