r"""Proposition 8.3 - other readings of what a weight is.

Readings    [influence] the weight of a sample is what its label does to a prediction, as in a weighted mean: a
            corrupted label "downweighted" moves $f$ by $\frac{99}{100}$ of what a clean one does at most - refuted
            [no pull] the problem is the printed sum alone, without the pull towards the start: with $p \ge n$ its least
            value is 0 for all weights, and the stopped run is at it for some positive ones - refuted
Setting     $f_{t+1} = f_t + \eta K (\tilde y - f_t)$ from $f_0 = 0$. Clusters of $m$ samples with one clean label, some
            of them flipped, with $K = \operatorname{blockdiag}(\mathbf{1}\mathbf{1}^\top) + \epsilon I$;
            $A_t = 1 - (1 - \eta(m + \epsilon))^t$. The influence of a label is how far $f_t$ moves where the label is
            raised by one
Corrected   (C3) Whatever the kernel, the influence of a label on a prediction does not depend on the labels; in a
            cluster all have the same, $A_t/(m + \epsilon)$ on a fresh sample
Idea        $f_t = (I - (I - \eta K)^t) \tilde y$ is linear in the labels. So no label has a say in how much another one
            moves $f$
Tolerance   Exact: kernels, steps and labels are fractions
Findings    The reading by influence and the reading by the weights of a problem hold different things fixed. The
            influence is found by changing a label. The weights of a problem are found from the residuals at the time of
            stopping
"""

import operator
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_08_stochastic_gradient_descent.label_noise.clusters import Clusters, clusters
from theorems.section_08_stochastic_gradient_descent.label_noise.kernel_descent import kernel_descent
from theorems.section_08_stochastic_gradient_descent.stopped_runs import descent

INFLUENCE_RATIO = Fraction(99, 100)
"""In the reading of influence a corrupted label moves a prediction by at most this multiple of a clean label."""


def label_influences(problem, t):
    """How far f_t moves on the fresh sample of the first cluster where one of its labels is raised by one, (m,)."""
    (K, labels), n = problem.with_fresh_samples(), len(problem.members)
    raised = np.eye(len(K), dtype=object)[:, :n][:, problem.members == 0]
    base, moved = (kernel_descent(K, y, problem.step, t)[t][n] for y in (labels[:, None], labels[:, None] + raised))
    return moved - base


@counterexample(reading="influence")
def test_a_corrupted_label_has_the_influence_of_a_clean_one():
    r"""One cluster of three, $K_{ij} = 1$, labels $(-1, 1, 1)$ of which the first is flipped, $\eta = \frac16$: $f_1$
    is a sixth of the sum of the labels. A label that is raised by 1 moves $f_1$ by $\frac16$, the corrupted one too;
    the reading allows $\frac{99}{100}$ of that."""
    problem = Clusters((3,), (1,), (1,), Fraction(0), Fraction(1, 6))
    # when
    influence = label_influences(problem, 1)
    # then
    assert_identical(influence, fractions(["1/6"] * 3), why="influence on f_1, a sixth of the sum of the labels")
    assert_identical(INFLUENCE_RATIO * influence[1], Fraction(33, 200), why="99/100 of a sixth")
    reads = "influence {value} of the corrupted label > {limit}, 99/100 of that of a clean one"
    assert_violates(
        influence[0], INFLUENCE_RATIO * influence[1], reads=reads, labels=[-1, 1, 1], K="11'", eta="1/6", t=1
    )


@counterexample(reading="influence")
def test_hypothesis_finds_a_cluster_in_which_no_label_has_less_influence():
    # given  0 to 3 steps; before the first one no label has an influence
    def sides(instance):
        influence = label_influences(*instance)
        return influence[0], INFLUENCE_RATIO * influence[-1]

    found = smallest_violation(st.tuples(clusters(), st.integers(0, 3)), lambda instance: operator.gt(*sides(instance)))
    corrupted, limit = sides(found)
    reads = "influence {value} of a corrupted label > {limit}"
    assert_violates(corrupted, limit, reads=reads, found=found[0], t=found[1])


@counterexample(reading="no pull")
def test_no_weighted_sum_of_squares_alone_is_least_where_the_run_was_stopped():
    r"""$K_{ij} = 1$ and $K_{ii} = \frac54$, labels $(-1, 1, 1)$, $\eta = \frac14$: $f_1 = \frac1{16}(3, 5, 5)$, $f_2 =
    \frac1{256}(41, 103, 103)$. Stopped at $f_2$, each $(\tilde y_i - f_i)^2$ is $(\frac{153}{256})^2$ or more. But $f =
    \tilde y$ is possible, as $K$ has rank 3: the least $\sum_i w_i (f_i - \tilde y_i)^2$ is 0, for all $w_i > 0$."""
    problem = Clusters((3,), (1,), (1,), Fraction(1, 4), Fraction(1, 4))
    squares = (problem.noisy - descent(problem, 2)[2]) ** 2
    # then
    reads = "every square is {value} or more > {limit} in the sum's least value, for all positive weights"
    assert_violates(min(squares), 0, reads=reads, labels=[-1, 1, 1], K="11' + I/4", eta="1/4", t=2)


@counterexample(reading="no pull")
def test_hypothesis_finds_a_stopped_run_that_leaves_every_square_positive():
    def least(problem):
        return min((problem.noisy - descent(problem, 1)[1]) ** 2)

    # given  a step that fits a single sample exactly is spared
    fitted = Clusters((1,), (0,), (1,), Fraction(0), Fraction(1))
    found = smallest_violation(clusters(), lambda problem: least(problem) > 0, spared=fitted)
    assert_violates(least(found), 0, reads="every square is {value} or more > {limit}", found=found)


@corrected("C3")
@given(problem=clusters())
def test_all_labels_of_a_cluster_have_the_same_influence(problem):
    # then   all influences are A_t/(m + epsilon)
    influence = problem.fitted(3)[0][0] / (problem.sizes[0] + problem.epsilon)
    assert_identical(
        label_influences(problem, 3), [influence] * problem.sizes[0], why="influence on a fresh prediction"
    )


@corrected("C3")
@given(tape=tapes(24))
def test_under_any_kernel_the_influence_of_a_label_does_not_depend_on_the_labels(tape):
    # given  a kernel without clusters, and two sets of labels
    d, labels = tape.integers((4, 3), 2).astype(int).astype(object), 1 - 2 * tape.naturals((4, 2), 2).astype(object)
    K, eta, raised = d @ d.T, Fraction(1, 16), np.array([[1], [0], [0], [0]], object)
    # when
    before, after = (kernel_descent(K, y, eta, 3)[3] for y in (labels, labels + raised))
    # then
    moves = (after - before).T
    assert_identical(*moves, why="what raising a label does to the predictions")
