r"""Section 1.2: smooth representations - from the row space, descent selects the map of least Lipschitz constant.

Section     1.2, item 4 of the list
Printed     The features learned by $\theta^*$ vary smoothly with perturbations of the input, "often"
Reading     The list belongs to what "can be formalized": it reports no measurement, and "often" names no population. So
            it says that this happens under some conditions, and we supply them. The features are the $k$ outputs of
            $f(x) = Wx$. "Smoothly" compares their Lipschitz constant $\|W\|_{op}$ with that of the other minima of the
            same loss
Readings    [hidden features] the features are those of a hidden layer of a linear network, for which no condition is
            enough: halving them and doubling the layer after them gives a smoother minimum - refuted
Setting     $L = \frac12 \|W X^\top - Y^\top\|_F^2$ with the samples in the rows of $X$ ($n \times d$), of rank $n < d$
            and largest singular value $s_1(X)$. $P$ is the projection on $\operatorname{null}(X)$, which the columns of
            $N$ span
Hypotheses  (H1) the rows of $W_0$ lie in $\operatorname{row}(X)$.  (H2) $0 < \eta < 2/s_1(X)^2$.
Corrected   (C1) Under H2 the limit $W$ from any $W_0$ and every other minimum $V$ have
            $V V^\top - (W - W_0 P)(W - W_0 P)^\top \succeq 0$: the limit without the null part of its start stretches
            no combination of outputs more than $V$ does.
Idea        Let $W$ be the limit under H1. Another minimum is $V = W + Z N^\top$ and $W N = 0$, so
            $V V^\top = W W^\top + Z N^\top N Z^\top$. In the order of symmetric matrices this is at least $W W^\top$.
            So the Lipschitz constants of one output, of a combination of outputs and of the whole map are ordered in
            the same way
Source      Bubeck, Sellke (2021), A Universal Law of Robustness via Isoperimetry, NeurIPS, for what is asked of
            networks; the order of linear maps is elementary
Tolerance   The order of matrices is exact, by the pivots of an elimination on fractions. Operator norms are compared by
            their squares. A limit in floating point is compared with LAPACK's minimum-norm solution
Findings    For kernels smoothness is measured by the RKHS norm: Theorem 5.2. A hidden layer has no smoothness of its
            own: halving it and doubling the next layer changes neither the function nor the loss, for ReLU as well
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.rational import fractions, leading_pivots
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_not_negative, assert_violates
from properties.linear_models.limits import interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses
from theorems.section_01_introduction.linear_layer import columns, limit, rationals

READS = "squared Lipschitz constant {value} of the selected map > {limit} of another minimum"


def squared_constant(w):
    """The squared Lipschitz constant of x -> w . x, for W of one row."""
    return (w @ w.T)[0, 0]


def designs():
    """X (2, 3) of rank 2 and Y (2, 2)."""
    return st.tuples(rationals(2, 3).filter(lambda X: np.cross(X[0], X[1]).any()), rationals(2, 2))


def descend_from_ones(y, steps):
    """Exact descent on (1/2)(aw - y)^2 from a = w = 1 with the step 1/8: both layers, which stay equal."""
    a, w = Fraction(1), Fraction(1)
    for _ in range(steps):
        a, w = a - (a * w - y) * w / 8, w - (a * w - y) * a / 8
    return a, w


@counterexample
def test_a_start_off_the_row_space_ends_at_a_rougher_map():
    r"""On $w_1 + 2 w_2 = 5$ from $W_0 = (2, -1)$ the gradient is $-5 (1, 2)$, and a step of $\eta = \frac15$ ends at
    the minimum $(3, 1)$, with the squared Lipschitz constant $\|W\|^2 = 10$. The minimum $(1, 2)$ is smoother: it has
    $5$."""
    X, Y, W_0 = fractions([[1, 2]]), fractions([[5]]), fractions([[2, -1]])
    # when
    rough, smooth = limit(W_0, X, Y), fractions([[1, 2]])
    assert_identical([rough @ X.T, smooth @ X.T], [Y, Y], why="two minima")
    # then
    assert_violates(squared_constant(rough), squared_constant(smooth), reads=READS, X=X, Y=Y, W_0=W_0)


@counterexample
def test_a_search_finds_a_start_that_ends_at_a_rougher_map():
    # given  one output; the map from zero is the other minimum
    problems = st.tuples(rationals(1, 2), rationals(1, 2).filter(lambda X: X.any()), rationals(1, 1))

    def sides(W, X, Y):
        return squared_constant(limit(W, X, Y)), squared_constant(limit(0 * W, X, Y))

    W, X, Y = smallest_violation(problems, lambda found: sides(*found)[0] > sides(*found)[1])
    rough, smooth = sides(W, X, Y)
    assert_violates(rough, smooth, reads=READS, X=X, Y=Y, W_0=W)


@under_hypotheses("H1", "H2")
@given(problem=designs(), B=rationals(2, 2), Z=columns)
def test_from_the_row_space_every_other_minimum_stretches_at_least_as_much(problem, B, Z):
    # given  H1: W_0 = BX
    X, Y = problem
    selected = limit(B @ X, X, Y)
    other = selected + Z @ fractions([np.cross(X[0], X[1]).tolist()])
    assert_identical(other @ X.T, Y.T, why="another minimum")
    # then   the difference of the squares is positive semidefinite
    pivots = leading_pivots(other @ other.T - selected @ selected.T)
    assert_not_negative(min(pivots), why="order of the squared maps")


@under_hypotheses("H1", "H2")
@given_batches(problem=regressions())
def test_from_the_row_space_descent_ends_at_the_least_lipschitz_constant(problem):
    # given  H1, H2; one output, whose Lipschitz constant is |w|
    start = problem.in_row_space(problem.w0)
    # when
    run = limit_of_descent(problem, start)
    # then
    least = norm(nearest_interpolant(problem.X, problem.y, np.zeros_like(start)), axis=-1)
    slack = run.radius + interpolant_rounding(problem, start)
    assert_at_most(np.abs(norm(run.w, axis=-1) - least), slack, why="the least constant", instance=problem)


@corrected("C1")
@given(problem=designs(), W_0=rationals(2, 3), Z=columns)
def test_without_the_null_part_of_its_start_the_limit_stretches_least(problem, W_0, Z):
    X, Y = problem
    null = fractions([np.cross(X[0], X[1]).tolist()])
    projection = null.T @ null / (null @ null.T)[0, 0]
    # when
    cleaned = limit(W_0, X, Y) - W_0 @ projection
    other = limit(W_0, X, Y) + Z @ null
    # then
    assert_identical(cleaned @ X.T, Y.T, why="a minimum")
    pivots = leading_pivots(other @ other.T - cleaned @ cleaned.T)
    assert_not_negative(min(pivots), why="order of the squared maps")


@counterexample(reading="hidden features")
@given(layers=st.tuples(rationals(2, 2), rationals(2, 2).filter(lambda W: W.any())))
def test_every_hidden_feature_is_rougher_than_that_of_a_rescaled_network(layers):
    # given  f = V W x with any layers, at a minimum of any loss that depends on f alone
    V, W = layers
    assert_identical((2 * V) @ (W / 2), V @ W, why="the rescaled network is the same function")
    # then   |(W/2)x|^2 is a quarter of |Wx|^2 for every x
    assert_identical((W / 2).T @ (W / 2) * 4, W.T @ W, why="a quarter of every squared stretch")


@counterexample(reading="hidden features")
def test_the_hidden_feature_of_a_balanced_network_is_rougher_than_that_of_a_rescaled_one():
    r"""$f = awx$, $x = 1$, $y = 2$: a step of $\frac18$ from $a = w = 1$ leads to $a = w = \frac98$. The layers $2a$,
    $w/2$ are the same function. Their feature has the squared constant $\frac{81}{256}$, and $wx$ has $\frac{81}{64}$.
    In the limit $a = w = \sqrt 2$ it is $\frac12$ against $2$."""
    a, w = descend_from_ones(Fraction(2), 1)
    assert_identical((2 * a) * (w / 2), a * w, why="the rescaled network is the same function")
    # then
    assert_violates(w**2, (w / 2) ** 2, reads=READS, x=1, y=2, start=[1, 1])


@counterexample(reading="hidden features")
def test_a_search_finds_a_rescaled_network_with_a_smoother_hidden_feature():
    a, w = descend_from_ones(Fraction(2), 1)
    c = smallest_violation(st.integers(1, 4), lambda c: Fraction(w, c) ** 2 < w**2)
    assert_identical((c * a) * Fraction(w, c), a * w, why="the same function")
    assert_violates(w**2, Fraction(w, c) ** 2, reads=READS, x=1, y=2, rescaled_by=c)


@necessity("H1")
@given(problem=designs(), B=rationals(2, 2), z=columns)
def test_without_H1_the_map_is_rougher_by_what_the_start_does_to_the_null_vector(problem, B, z):
    # given  a start with the part z N' in the null space; every step of H2 has this limit
    X, Y = problem
    assert_keeps(H2=(X @ X.T).trace() > 0)
    null = fractions([np.cross(X[0], X[1]).tolist()])
    # when
    rough, smooth = limit(B @ X + z @ null, X, Y), limit(B @ X, X, Y)
    # then   the squared maps differ by z z' |N|^2, which is not zero
    excess = rough @ rough.T - smooth @ smooth.T
    assert_identical(excess, z @ z.T * (null @ null.T)[0, 0], why="excess of the squared maps")
    # and    |z| is at least 1/3 and |N| at least 1/9, as entries are integers over at most 3
    assert_at_most(Fraction(1, 729), excess.trace(), why="not zero")


@necessity("H2")
@given(steps=st.integers(0, 8))
def test_without_H2_descent_reaches_no_minimum(steps):
    # given  the equation w_1 = 1 in two unknowns, from zero, at eta = 2/s_1^2
    w = fractions([0, 0])
    assert_keeps(H1=not w.any())
    for _ in range(steps):
        w = w - 2 * (w[0] - 1) * fractions([1, 0])
    assert_identical(abs(w[0] - 1), Fraction(1), why="the residual keeps its length")
