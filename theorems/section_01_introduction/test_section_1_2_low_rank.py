r"""Section 1.2: low-rank structure - from zero, a linear layer ends at a minimum of the least rank.

Section     1.2, item 3 of the list
Printed     The matrices of $\theta^*$ have a low effective rank, "often"
Reading     The list belongs to what "can be formalized": it reports no measurement, and "often" names no population. So
            it says that this happens under some conditions, and we supply them. "Low" compares with the other minima of
            the same loss. The rank is the number of singular values that are not zero, and no effective rank exceeds
            it. Section 4 and Experiment 2 speak of effective ranks
Setting     $L = \frac12 \|W X^\top - Y^\top\|_F^2$ for $f(x) = Wx$ with $k$ outputs. The rows of $X$ ($n \times d$) are
            the samples, $X$ has rank $n$ and the largest singular value $s_1(X)$, and $Y$ is $n \times k$
Hypotheses  (H1) the end-to-end matrix starts at $0$.  (H2) the network is one linear layer.  (H3)
            $0 < \eta < 2/s_1(X)^2$.
Corrected   (C1) In a two-layer ReLU network, descent with any step changes the first layer in $\operatorname{row}(X)$
            alone: $\operatorname{rank}(W_1(t) - W_1(0)) \le \operatorname{rank} X \le n$.
            (C2) From any $W_0$ under H2 and H3 the limit is $Y^\top (X^+)^\top + W_0 P$, where $P$ is the projection on
            $\operatorname{null}(X)$.
Idea        From $0$, $W_t = Y^\top p_t(X X^\top) X$ with a polynomial $p_t$, so
            $\operatorname{rank} W_t \le \operatorname{rank} Y$. Every minimum has $W X^\top = Y^\top$, so that its rank
            is at least $\operatorname{rank} Y$. The gradient in the first layer of a network is a sum over the samples
            of a vector times $x_i^\top$
Source      Gunasekar, Woodworth, Bhojanapalli, Neyshabur, Srebro (2017), Implicit Regularization in Matrix
            Factorization, NeurIPS, for what is conjectured of deep layers; the two bounds are elementary
Tolerance   Ranks are exact, by elimination on fractions. A limit in floating point is compared with LAPACK's
            minimum-norm solution, row by row
Findings    The part of the start in $\operatorname{null}(X)$ stays. So the limit can have full rank, as it has from
            $W_0 = \operatorname{diag}(2, 1)$ in the first counterexample. Two layers that start at $0$ and $I$ can fit
            the data with a first layer of full rank
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.linear_models.limits import interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses
from theorems.section_01_introduction.linear_layer import descend, limit, one_sample, rank, rationals

READS = "rank {value} of the limit > {limit} of another minimum"


@counterexample
def test_a_start_at_the_identity_keeps_its_rank():
    r"""With the sample $x = y = e_1$ every $W$ with $W e_1 = e_1$ is a minimum. From $W_0 = \operatorname{diag}(2, 1)$
    the gradient is $(W_0 e_1 - e_1) e_1^\top = \operatorname{diag}(1, 0)$, and a step of $\eta = 1$ ends at $W = I$, of
    rank 2. The print says that the rank is low. The minimum $\operatorname{diag}(1, 0)$ has rank 1."""
    X, Y = fractions([[1, 0]]), fractions([[1, 0]])
    W = descend(fractions([[2, 0], [0, 1]]), X, Y, Fraction(1), 1)
    assert_identical(W @ X.T, Y.T, why="a minimum")
    assert_violates(rank(W), rank(fractions([[1, 0], [0, 0]])), reads=READS, X=[[1, 0]], Y=[[1, 0]], W_0="diag(2, 1)")


@counterexample
def test_a_search_finds_a_start_that_ends_at_a_larger_rank_than_it_must():
    # given  one sample x; there is a minimum of rank at most 1
    problems = st.tuples(rationals(2, 2), rationals(1, 2).filter(lambda X: X.any()), rationals(1, 2))
    W, X, Y = smallest_violation(problems, lambda found: rank(limit(*found)) > rank(found[2]))
    assert_violates(rank(limit(W, X, Y)), rank(Y), reads=READS, X=X, Y=Y, W_0=W)


def designs():
    """X (2, 3) of rank 2 and Y (2, 3), of rank 0, 1 or 2."""
    return st.tuples(rationals(2, 3).filter(lambda X: rank(X) == 2), rationals(2, 3))


@under_hypotheses("H1", "H2", "H3")
@given(problem=designs(), steps=st.integers(1, 4))
def test_from_zero_the_rank_is_at_every_step_no_larger_than_that_of_the_targets(problem, steps):
    # given  H3: 1/tr XX' is below 1/s_1^2
    X, Y = problem
    # when
    W = descend(fractions([[0] * 3] * 3), X, Y, 1 / (X @ X.T).trace(), steps)
    # then
    assert_at_most(rank(W), rank(Y), why="the rank on the way")


@under_hypotheses("H1", "H2", "H3")
@given(problem=designs(), other=rationals(3).filter(lambda z: z.any()))
def test_the_limit_from_zero_has_the_rank_of_the_targets_and_no_minimum_has_less(problem, other):
    X, Y = problem
    # when
    selected = limit(fractions([[0] * 3] * 3), X, Y)
    # then   another minimum is the selected one plus a matrix times the null vector of X
    null = np.cross(X[0], X[1])
    another = selected + np.outer(other, null)
    assert_identical(another @ X.T, Y.T, why="another minimum")
    assert_identical(rank(selected), rank(Y), why="the rank of the targets")
    assert_at_most(rank(selected), rank(another), why="the least rank")


@corrected("C1")
@given(
    layers=st.tuples(rationals(3, 3), rationals(2, 3)),
    problem=st.tuples(rationals(2, 3), rationals(2, 2)),
    steps=st.integers(1, 3),
)
def test_the_first_layer_of_a_network_moves_in_the_row_space_of_the_data(layers, problem, steps):
    # given  W_2 relu(W_1 x) with two samples in three dimensions, and a step that need not be small
    (W_1, W_2), (X, Y) = layers, problem
    start = W_1
    # when   both layers descend on (1/2)|f(X) - Y|^2, exactly
    for _ in range(steps):
        hidden = np.maximum(W_1 @ X.T, 0)
        residual = W_2 @ hidden - Y.T
        gates = (W_2.T @ residual) * (W_1 @ X.T > 0)
        W_1, W_2 = W_1 - gates @ X / 4, W_2 - residual @ hidden.T / 4
    # then
    assert_identical(((W_1 - start) @ np.cross(X[0], X[1])).any(), False, why="no motion along the null vector of X")
    assert_at_most(rank(W_1 - start), rank(X), why="the rank of the change")


@corrected("C2")
@given_batches(problem=regressions())
def test_the_limit_from_any_start_is_the_least_minimum_plus_the_null_part_of_the_start(problem):
    # given  one output, so that W is one row; H3
    run = limit_of_descent(problem, problem.w0)
    # then
    predicted = nearest_interpolant(problem.X, problem.y, np.zeros_like(problem.w0))
    predicted = predicted + problem.in_null_space(problem.w0)
    slack = run.radius + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(run.w - predicted, axis=-1), slack, why="limit of a row", instance=problem)


@necessity("H1")
@given(start=rationals(2, 2), problem=one_sample)
def test_without_H1_the_null_part_of_the_start_adds_its_rank(start, problem):
    # given  one linear layer, one sample, and a start with rows orthogonal to it; every step of H3 has this limit
    X, Y = problem
    assert_keeps(H2=True, H3=(X @ X.T)[0, 0] > 0)
    null = fractions([[-X[0, 1], X[0, 0]]])
    W_0 = start @ null.T @ null
    # when
    W = limit(W_0, X, Y)
    # then   W = Y'x/|x|^2 + W_0, so that W and W_0 map the null vector to the same point
    assert_identical(W @ null.T, W_0 @ null.T, why="the null part stays")
    assert_at_most(rank(W_0), rank(W), why="at least the rank of the start")


@necessity("H2")
def test_without_H2_the_first_layer_can_keep_full_rank_although_rank_one_is_enough():
    # given  two layers from W_2 = 0 and W_1 = I, the sample e_1 with target e_1, and a step of length 1
    W_1, W_2, x, y = fractions([[1, 0], [0, 1]]), fractions([[0, 0], [0, 0]]), fractions([1, 0]), fractions([1, 0])
    assert_keeps(H1=not (W_2 @ W_1).any(), H3=0 < 1 < 2 / (x @ x))
    # when   one step interpolates
    residual = W_2 @ W_1 @ x - y
    W_1, W_2 = W_1 - np.outer(W_2.T @ residual, x), W_2 - np.outer(residual, W_1 @ x)
    assert_identical(W_2 @ W_1 @ x, y, why="a minimum")
    # then   W_1 = W_2 = diag(1, 0) is a minimum too
    assert_at_most(1 + rank(fractions([[1, 0], [0, 0]])), rank(W_1), why="a rank more than another minimum")


@necessity("H3")
@given(steps=st.integers(0, 8))
def test_without_H3_descent_reaches_no_minimum(steps):
    # given  one linear layer from zero, the sample e_1 with target e_1, and eta = 2/s_1^2
    X, Y, start = fractions([[1, 0]]), fractions([[1, 0]]), fractions([[0, 0], [0, 0]])
    assert_keeps(H1=not start.any(), H2=True)
    # when
    W = descend(start, X, Y, Fraction(2), steps)
    # then
    assert_identical(np.abs(W @ X.T - Y.T), fractions([[1], [0]]), why="the residual keeps its length")
