r"""Section 8.3: robustness to label noise - TODO.

Expected    TODO
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.kernel_descent import kernel_descent, single_sample_predictions
from fixtures.problems.clusters import Clusters, clusters
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import corrected
from theorems.section_08_stochastic_gradient_descent.stopped_runs import (
    STEPS,
    descent,
    movement,
)


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
