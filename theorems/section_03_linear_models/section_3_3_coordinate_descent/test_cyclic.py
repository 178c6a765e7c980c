r"""Section 3.3: coordinate descent - the cyclic rule can miss the least l1 norm.

Setting     $\frac12 \|Xw - y\|^2$ with $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$, the columns $x_j$ of $X$ and
            the residual $r = y - Xw$. Exact: each step minimizes the loss over one coordinate. Cyclic: the coordinates
            are taken in turn. Greedy: the coordinate of the largest $|x_j \cdot r|$. Scaled: that of the largest
            $|x_j \cdot r| / \|x_j\|$. Small steps: the coordinate of the largest $|x_j \cdot r|$ moves by $\epsilon$.
Readings    [cyclic] the coordinates are taken in turn, as "coordinate descent" without a rule often means; the
            conditions are those of Theorem 3.1 alone, as no others are printed - refuted
Corrected   (C1) The iterates of exact cyclic descent from zero are those of Gauss and Seidel, and linear functions of
            $y$. For $X = \begin{pmatrix} 1 & 0 & 1 \\ 0 & 1 & 1 \end{pmatrix}$ no linear function of $y$ attains the
            least l1 norm for every $y$.
            (C3) For one equation with $x_1 \ne 0$ and $y \ne 0$, exact cyclic descent ends in $(y/x_1, 0, \dots, 0)$,
            which has the least l1 norm if and only if $|x_1|$ is the largest $|x_j|$.
Idea        The first coordinate fits as much as it can, however short its column is. The limit is linear in $y$, and
            the interpolant of least l1 norm is not.
Tolerance   Refutations use fractions, without tolerance. The comparison with Gauss and Seidel counts the roundings of
            every update.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.coordinate_descent import correlations, cyclic
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.sparse import planes, positive_cones
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, record_series
from properties.linear_models.sparsity import l1_norm, least_l1_norm_exactly
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_03_linear_models.section_3_3_coordinate_descent.l1_excess import READS, excess, small_designs


def gauss_seidel(X, y, sweeps):
    """Take w <- w + L^-1 X'(y - Xw) `sweeps` times, L the lower triangle of X'X with 1 for padding; (B, p)."""
    lower = np.tril(X.mT @ X) + np.eye(X.shape[-1]) * (X == 0).all(axis=-2)[..., None]
    w = np.zeros(X.shape[:-2] + X.shape[-1:])
    for _ in range(sweeps):
        w = w + np.linalg.solve(lower, correlations(X, y, w)[..., None])[..., 0]
    return w


@counterexample(reading="cyclic")
def test_the_cyclic_rule_fits_with_whichever_coordinate_comes_first():
    r"""On $w_1 + 2 w_2 = 1$ the first step sets $w_1 = 1$. The residual is $0$ from then on, so the limit is $(1, 0)$,
    with the l1 norm $1$. It is not the least: the interpolant $(0, \frac12)$ has $\frac12$."""
    X, y = fractions([[1, 2]]), fractions([1])
    # when
    w = cyclic(X, y, sweeps=1)
    # then
    assert_identical(X @ w, y, why="one sweep interpolates")
    assert_violates(l1_norm(w), Fraction(1, 2), reads=READS, X=X, y=y)
    record_series("one sweep", w_1=[0, w[0]], w_2=[0, w[1]])


@counterexample(reading="cyclic")
@given(K=st.integers(2, 1000))
def test_no_constant_times_the_least_norm_bounds_the_cyclic_limit(K):
    # given  w_1 + K w_2 = K
    X, y = fractions([[1, K]]), fractions([K])
    # when
    w = cyclic(X, y, sweeps=1)
    # then   (K, 0) has the l1 norm K, and (0, 1) has 1
    assert_identical(l1_norm(w), K * least_l1_norm_exactly(X, y), why="K times the least norm")


@counterexample(reading="cyclic")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_every_order_the_cyclic_rule_misses_one_of_three_targets(order):
    # given  e_1, e_2 and e_1 + e_2 as columns and as targets: each is one of the columns, so the least norms are 1
    X = fractions([[1, 0, 1], [0, 1, 1]])
    permuted = X[:, list(order)]
    # when
    limits = [cyclic(permuted, y, sweeps=2) for y in X.T]
    # then
    assert_identical([permuted @ w for w in limits], X.T, why="two sweeps interpolate")
    total = sum(l1_norm(w) for w in limits)
    assert_violates(total, Fraction(3), reads="l1 norms sum to {value} > {limit} of the columns", X=permuted)


@counterexample(reading="cyclic")
def test_a_search_finds_a_cyclic_run_with_too_large_an_l1_norm():
    X, y = smallest_violation(
        small_designs(3), lambda found: excess(*found, cyclic(fractions(found[0]), fractions(found[1]), sweeps=2)) > 0
    )
    w = cyclic(fractions(X), fractions(y), sweeps=2)
    assert_violates(l1_norm(w), least_l1_norm_exactly(X, y), reads=READS, X=X, y=y)


@corrected("C1")
@given(design=positive_cones(), sweeps=st.integers(1, 2))
def test_the_cyclic_iterate_is_a_linear_function_of_the_targets(design, sweeps):
    # given
    X, y = design
    # when   for the targets e_1, ..., e_n and for y
    columns = [cyclic(X, e, sweeps) for e in fractions(np.eye(len(y), dtype=int))]
    # then
    assert_identical(cyclic(X, y, sweeps), y @ np.array(columns), why="superposition at every time")


@corrected("C1")
@given_batches(problem=planes())
def test_the_cyclic_iterate_is_the_gauss_seidel_iterate_at_every_sweep(problem):
    # given  at most 5 unit columns
    sweeps = 5
    # when
    path = [cyclic(problem.X, problem.y, done) for done in range(sweeps + 1)]
    # then   an update has p + 1 roundings in a residual, 2 in its product with a column, a quotient and a sum. It
    #        disturbs each later one by no more, as none expands the residual. The reference does the same sums in
    #        another order. Within a sweep each weight is one of those before and after it
    N, longest = 5 * sweeps, np.max([l1_norm(w) for w in path], axis=0)
    slack = 2 * rounding(N**2 / 2 * (5 + 5), norm(problem.y, axis=-1) + 2 * longest)
    error = norm(path[-1] - gauss_seidel(problem.X, problem.y, sweeps), axis=-1)
    assert_at_most(error, slack, why="Gauss-Seidel on the normal equations", instance=problem)


@corrected("C1")
def test_no_linear_function_attains_the_least_l1_norm_for_three_targets():
    # given  e_1, e_2 and e_1 + e_2, each of which is a column; nu = (1, -1/2) and (-1/2, 1) for the first two
    X, nu = fractions([[1, 0, 1], [0, 1, 1]]), fractions([[1, "-1/2"], ["-1/2", 1]])
    # when   <nu, y> = 1 and |<nu, x_j>| = 1/2 for the other columns: no second interpolant has l1 norm 1
    correlations_of_duals = np.abs(nu @ X)
    assert_identical(
        correlations_of_duals, fractions([[1, "1/2", "1/2"], ["1/2", 1, "1/2"]]), why="e_1, e_2 are unique"
    )
    # then   a linear function that attains the least norm for e_1 and e_2 has their sum (1, 1, 0) for e_1 + e_2
    superposed = fractions([1, 1, 0])
    assert_identical(X @ superposed, X[:, 2], why="it interpolates")
    assert_identical(excess(X, X[:, 2], superposed), Fraction(1), why="2 where the third column alone has 1")


@corrected("C3")
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=4), st.integers(1, 9), st.integers(1, 9))
def test_with_one_equation_the_cyclic_rule_attains_the_least_norm_exactly_if_its_first_column_is_longest(
    others, x_1, y
):
    X, target = fractions([[x_1, *others]]), fractions([y])
    # when   one sweep, after which the residual is zero for good
    w = cyclic(X, target, sweeps=1)
    # then   the least norm is y over the longest column
    assert_identical(w, fractions([Fraction(y, x_1)] + [0] * len(others)), why="the first column takes all")
    longest = max(map(abs, others)) <= x_1
    assert_identical(l1_norm(w) == least_l1_norm_exactly(X, target), longest, why="least just if |x_1| is largest")
