r"""Definition 2.1 - the set of interpolants: where it is a manifold, where it is empty, a point or a cross.

Printed     For $p \ge n$ the set $M = \{\theta : L(\theta) = 0\}$ of the interpolants, $f(x_i; \theta) = y_i$ for all
            $i$, is infinite and a manifold
Reading     "Overparameterized" is $p \ge n$, as Section 2.1 defines it. That there are several interpolants is what is
            asserted, so that $p = n$ is a case of it
Setting     $F(\theta) = (f(x_i; \theta) - y_i)_i$ from $\mathbb R^p$ to $\mathbb R^n$, with Jacobian $J$;
            $L = \frac{1}{2n} \|F\|^2$
Hypotheses  (H1) $p > n$, where the print has $p \ge n$.
            (H2) $M$ is not empty, $F$ is twice differentiable near $M$, and $J$ has rank $n$ on $M$.
Idea        Under H2 zero is a regular value of $F$. So $M$ is a manifold of dimension $p - n$ with tangent space
            $\operatorname{null}(J)$, and it is infinite under H1
Tolerance   Counterexamples are rational. For the linear model the slack is the rounding of LAPACK's least squares and
            of a residual
Findings    One sample $x \ne 0$ of $f(x) = wx$ leaves one interpolant. The zero set of $w_2 w_1 x$, $x \ne 0$, is a
            cross, and a cross is no manifold. For two samples $x_1, x_2 > 0$ with targets off a line through $0$, no
            ReLU network without biases interpolates, and $M$ is empty; such samples form an open set (claim of Section
            2.1)
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, under_hypotheses


@counterexample
def test_one_parameter_and_one_sample_leave_one_interpolant():
    r"""$f(x) = wx$ with the sample $(2, 1)$, so that $p = n = 1$: the loss $\frac12 (2w - 1)^2$ vanishes at
    $w = \frac12$ alone. The print says that $M$ is infinite. It is one point."""
    moves = [Fraction(h, 7) for h in range(-2, 3)]
    losses = [(2 * (Fraction(1, 2) + h) - 1) ** 2 / 2 for h in moves]
    # then   the loss is a quadratic, which three values determine, and it vanishes once
    assert_identical(losses, [2 * h**2 for h in moves], why="loss at and off w = 1/2")
    assert_violates(2, losses.count(0), reads="at least {value} by the print > {limit} interpolant", f="wx", x=2, y=1)


@counterexample
def test_a_sample_at_the_origin_leaves_no_interpolant():
    # given  f(x) = w_2 w_1 x, (x, y) = (0, 1), p = 2 > n = 1
    losses = {(w2 * w1 * 0 - 1) ** 2 / Fraction(2) for w1 in range(-3, 4) for w2 in range(-3, 4)}
    assert_identical(list(losses), [Fraction(1, 2)], why="loss whatever the parameters")
    assert_violates(min(losses), 0, reads="least loss {value} > {limit}", f="w_2 w_1 x", x=0, y=1)


@counterexample
def test_hypothesis_finds_an_interpolant_at_which_M_is_a_cross():
    # given  f(x) = w_2 w_1 x with an integer sample, x > 0, and integer parameters
    numbers = st.integers(-3, 3)
    instances = st.tuples(st.integers(1, 3), numbers, numbers, numbers)

    def is_singular(instance):
        x, y, w1, w2 = instance
        return w2 * w1 * x == y and (w2 * x, w1 * x) == (0, 0)

    x, y, w1, w2 = smallest_violation(instances, is_singular)
    # then   both axes through the interpolant lie in M, and the diagonal does not. So M has two tangents that span the
    #        plane, while a manifold of dimension p - n = 1 has one
    h, directions = Fraction(1, 1000), [(1, 0), (0, 1), (1, 1)]
    residuals = [(w2 + j * h) * (w1 + i * h) * x - y for i, j in directions]
    assert_identical(residuals, [0, 0, x * h**2], why="residual along the axes and the diagonal")
    tangents = [direction for direction, residual in zip(directions, residuals, strict=True) if residual == 0]
    span, reads = int(np.linalg.matrix_rank(tangents)), "tangents span {value} dimensions > p - n = {limit}"
    assert_violates(span, len(directions[0]) - 1, reads=reads, f="w_2 w_1 x", x=x, y=y, w=[w1, w2])


@under_hypotheses("H1", "H2")
@given(regressions())
def test_interpolants_of_a_linear_model_are_an_affine_space_of_dimension_p_minus_n(problem):
    # given  H2: J = X has rank n; an interpolant and a basis of null(X), both by LAPACK
    w, basis = scipy.linalg.lstsq(problem.X, problem.y)[0], scipy.linalg.null_space(problem.X)
    assert_identical(basis.shape[1], problem.columns - problem.rows, why="dimension")
    # when   w moves by integer coordinates along the basis of null(X), and across it in row(X)
    along = basis @ problem.w0[problem.rows :]
    across = problem.V @ (1 + np.abs(problem.w0[: problem.rows]))
    # then
    # a backward error of LAPACK in w and in the basis, p + 2 in the residual
    n, p, length = problem.rows, problem.columns, norm(across)
    scale = problem.sigma_max * (norm(w) + norm(along) + length) + norm(problem.y)
    slack, left = rounding(factorization(n, p) + p + 2, scale), problem.X @ (w + along) - problem.y
    assert_at_most(norm(left), slack, why="w + null(X) interpolates", instance=problem)
    off = norm(problem.X @ (w + along + across) - problem.y)
    bounds = problem.sigma_min * length, problem.sigma_max * length
    assert_within(bounds[0], off, bounds[1], slack=slack, why="and nothing else does", instance=problem)


@necessity("H1")
@given(regressions())
def test_without_H1_there_is_one_interpolant(problem):
    # given  p = n: the design XV, square and of rank n
    X, move = problem.X @ problem.V, 1 + np.abs(problem.w0[: problem.rows])
    assert_keeps(H2=np.linalg.svd(X).S[-1] >= problem.sigma_min)
    w = np.linalg.solve(X, problem.y)
    # then   a move away from w leaves a residual in proportion to the move, up to a backward error of LAPACK, p in XV
    #        and n + 2 in the residual
    n, scale = problem.rows, problem.sigma_max * (norm(w) + norm(move)) + norm(problem.y)
    slack = rounding(factorization(n, n) + problem.columns + n + 2, scale)
    residual = norm(X @ (w + move) - problem.y)
    bounds = problem.sigma_min * norm(move), problem.sigma_max * norm(move)
    assert_within(
        bounds[0], residual, bounds[1], slack=slack, why="residual off the only interpolant", instance=problem
    )


@necessity("H2")
@given(st.integers(1, 1000), st.integers(1, 9))
def test_without_H2_a_sum_of_tangents_is_no_tangent(C, x):
    # given  f = w_2 w_1 x, one sample, y = 0: J = 0 at the origin, and M consists of both axes
    p, n = 2, 1
    assert_keeps(H1=p > n)
    h = Fraction(1, 2 * C)
    assert_identical([h * 0 * x, 0 * h * x, h * h * x], [0, 0, x * h**2], why="residuals along axes and diagonal")
    # then   (h, h), a sum of two tangents, has distance h from M, and no C h^2 bounds this
    distance_squared = min((h - foot[0]) ** 2 + (h - foot[1]) ** 2 for foot in ((h, 0), (0, h), (0, 0)))
    assert_violates(distance_squared, (C * h**2) ** 2, reads="squared distance {value} > {limit}", x=x, y=0, C=C, h=h)
