r"""Section 8.3: robustness to label noise - fresh samples, other kernels, and the mean of SGD.

Setting     $f_{t+1} = f_t + \eta K (\tilde y - f_t)$ from $f_0 = 0$. Clusters of $m$ samples, the share $\tau$ of them
            corrupted, with $K = \operatorname{blockdiag}(\mathbf{1}\mathbf{1}^\top) + \epsilon I$;
            $A_t = 1 - (1 - \eta(m + \epsilon))^t$
Hypotheses  (H3) $\eta(m_c + \epsilon) < 1$.  (H4) every step uses all samples, or the mean over their orders is meant.
Corrected   (C2) For clusters as in the setting, with H3, H4 and $\tau < 1/2$, a fresh sample $x$ of a cluster,
            $K(x, x_i) = 1$ for its members, has the prediction $\frac{m}{m + \epsilon} A_t (1 - 2\tau)$ times the clean
            label: the clean sign at every $t \ge 1$.  (C3) For another kernel $K + E$ with $0 \le \eta K \le 2$ and
            $0 \le \eta(K + E) \le 2$ predictions move by $t \eta |E| \sqrt n$ at most.  (C4) SGD in single samples,
            with the step $n\eta$ on the mean loss, has this recursion as its mean over all orders
Idea        Fresh samples see the mean of their cluster, and not what differs within it. Each step contracts, so that
            the effect of another kernel adds up over the steps. A step on single samples is, in the mean, a step on all
Tolerance   Exact: kernels, steps and labels are fractions
Findings    Fresh predictions do not need early stopping in this model: they are clean at every time, also where the
            noise is memorized on the samples
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import corrected
from theorems.section_08_stochastic_gradient_descent.label_noise.clusters import Clusters, clusters
from theorems.section_08_stochastic_gradient_descent.label_noise.kernel_descent import (
    kernel_descent,
    single_sample_predictions,
)
from theorems.section_08_stochastic_gradient_descent.stopped_runs import STEPS, descent, displacement_and_bound


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
def test_for_a_kernel_that_is_nearly_clustered_the_predictions_move_by_the_bound_at_most(problem, tape, t):
    # given  E = dd'/1024 for a drawn d (n, 2), |E| at most its largest row sum, and a step at which both contract
    q = 1024 * problem.epsilon.denominator
    d = tape.integers((len(problem.members), 2), 2).astype(int).astype(object)
    E, K = d @ d.T * problem.epsilon.denominator, 1024 * problem.kernel
    eta = 1 / (max(problem.sizes) + problem.epsilon + Fraction(max(np.abs(E).sum(1)), q))
    # then
    moved, bound = displacement_and_bound(K, E, problem.noisy, eta / q, t)
    assert_at_most(float(moved), float(bound), why="|f' - f|^2")


@corrected("C3")
def test_a_perturbation_along_the_labels_attains_the_bound_in_the_first_step():
    # given  E = yy', |E| = 5
    problem = Clusters((3, 2), (1, 0), (1, -1), Fraction(1), Fraction(1, 10))
    # then   eta E y = 5 eta y
    moved = displacement_and_bound(
        problem.kernel, np.outer(problem.noisy, problem.noisy), problem.noisy, problem.step, 1
    )
    assert_identical(moved, [Fraction(5, 4)] * 2, why="|f' - f|^2 and (eta |E|)^2 n")
    # and    E = e_1 e_1' moves f by eta |y_1|: the largest row sum counts, not the mean row sum
    single_entry = np.zeros((5, 5), object)
    single_entry[0, 0] = 1
    assert_at_most(
        *map(float, displacement_and_bound(problem.kernel, single_entry, problem.noisy, problem.step, 1)),
        why="one entry",
    )


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
