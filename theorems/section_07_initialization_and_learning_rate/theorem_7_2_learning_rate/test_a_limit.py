r"""Theorem 7.2 (a) - the limit minimizes the printed objective.

Printed     On a convex quadratic loss, the limit of descent at the rate $\eta$ is $\operatorname{argmin}_\theta
            \|\theta - \theta_0\|_2^2 + \frac\eta2 \theta^\top H \theta \ \text{s.t.}\ L(\theta) = 0$
Reading     As printed
Setting     $L(\theta) = \frac12 \|X\theta - y\|^2$, $H = X^\top X$, $\lambda$ its nonzero eigenvalues
Hypotheses  (H1) $0 < \eta < 2/\lambda_{\max}$. (H2) some $\theta$ solves $X \theta = y$. (H3) the steps are multiples
            of the Euclidean gradient.
Idea        On $\{\theta : X \theta = y\}$ the quadratic form $\theta^\top H \theta$ is $\|y\|^2$, a constant. So the
            printed minimizer exists and is the limit, but the term has no effect on it
Tolerance   Limits in balls of known radius (`properties.linear_models.limits`), and the printed program by LAPACK on
            its optimality conditions; or all in rational arithmetic
Expected    vacuous
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import lines
from fixtures.rational import fractions, solve
from properties.certificates import assert_at_most, assert_identical, assert_keeps, record_series
from properties.linear_models.limits import interpolant_rounding, limit_of_descent
from theorems.ledger import necessity, observed, under_hypotheses, vacuous
from theorems.section_07_initialization_and_learning_rate.theorem_7_2_learning_rate.printed_program import (
    optimality_system,
    problems,
    programs,
)


@under_hypotheses("H1", "H2", "H3")
@given_batches(problem=problems)
def test_the_limit_is_the_minimizer_of_the_printed_objective(problem):
    # given  H1: eta lambda_max in {1, 1/2, 3/2, 1.9, 1/10}
    step = np.maximum(problem.step, 0.1)
    limit = limit_of_descent(problem, problem.w0, step)
    # when   LAPACK on the printed program, one by one
    sizes = zip(problem.rows, problem.columns, strict=True)
    data = zip(problem.X, problem.y, problem.w0, step, sizes, strict=True)
    systems = [optimality_system(X[:n, :p], y[:n], w0[:p], eta / 2) for X, y, w0, eta, (n, p) in data]
    minimizers = [np.linalg.solve(*system)[:p] for system, p in zip(systems, problem.columns, strict=True)]
    # then   the system's condition number is at most 16 cond(X)^2, as 2 <= 2 + eta lambda < 4
    distance = [norm(w[: len(theta)] - theta) for w, theta in zip(limit.w, minimizers, strict=True)]
    rounding = 16 * problem.condition * interpolant_rounding(problem, problem.w0)
    assert_at_most(distance, limit.radius + rounding, why="distance to the printed minimizer", instance=problem)


@vacuous
@given(programs())
def test_any_coefficient_of_either_sign_gives_the_same_minimizer(program):
    X, y, theta0, coefficient = program
    # when   exact arithmetic; the objective is strictly convex on {X theta = y} whatever the coefficient
    with_term = solve(*optimality_system(X, y, theta0, coefficient))[:3]
    nearest = theta0 + X.T @ solve(X @ X.T, y - X @ theta0)
    # then
    assert_identical(with_term, nearest, why="the interpolant nearest to theta_0, with the term as without it")


@vacuous
@given(programs(), st.integers(-5, 5))
def test_at_every_interpolant_the_quadratic_form_is_the_square_of_the_targets(program, k):
    # given  theta with the targets y = X theta, and another: the null vector of X is the cross product of its rows
    X, _, theta, _ = program
    y, other = X @ theta, theta + k * np.cross(X[0], X[1])
    assert_identical(X @ other, y, why="X theta = y")
    # then
    assert_identical(other @ (X.T @ X) @ other, y @ y, why="theta'H theta")


@necessity("H1")
@given(lines())
def test_without_H1_at_two_over_lambda_max_descent_has_period_two(line):
    # given  H2: a row that is not zero; H3: descent
    assert_keeps(H2=line.curvature > 0, H3=True)
    run = exact_descent(line.X, line.y, line.w0, 2 / line.curvature, 2)
    # then
    assert_identical(run[2], run[0], why="theta_2 = theta_0")
    assert_identical(line.residual(run[1]), -line.residual(run[0]), why="the residual turns its sign")


@necessity("H1")
@given(lines(), st.integers(1, 8))
def test_without_H1_beyond_two_over_lambda_max_a_residual_grows_unless_it_is_zero(line, k):
    # given  eta lambda_max = 2 + k/4; among the starts are some on {L = 0}
    assert_keeps(H2=line.curvature > 0, H3=True)
    run = exact_descent(line.X, line.y, line.w0, (2 + Fraction(k, 4)) / line.curvature, 3)
    # then
    residuals = [line.residual(theta) for theta in run]
    grown = [(-1 - Fraction(k, 4)) ** t * residuals[0] for t in range(4)]
    assert_identical(residuals, grown, why="|r_t| = (1 + k/4)^t |r_0|")


@necessity("H1")
@given(st.integers(-2, 2), st.integers(1, 3), st.integers(1, 3))
def test_without_H1_a_residual_without_a_part_along_the_top_eigenvector_still_converges(top, other, t):
    # given  X = diag(2, 1), eta = 3/4, so that eta lambda = 3 and 3/4, and the targets (top, other)
    X, y = fractions([[2, 0], [0, 1]]), fractions([top, other])
    assert_keeps(H2=X @ (y / fractions([2, 1])) == y, H3=True)
    # when
    theta = exact_descent(X, y, fractions([0, 0]), Fraction(3, 4), t)[-1]
    # then   the first mode is multiplied by -2 and rests if it is zero, the second one by 1/4
    assert_identical(X @ theta - y, [-((-2) ** t) * top, -Fraction(other, 4**t)], why="the residuals")


@necessity("H2")
@given(st.integers(-3, 3), st.integers(1, 5))
def test_without_H2_descent_converges_though_no_point_has_zero_loss(a, gap):
    # given  two samples with one input (1, 0) and the targets a and a + gap, and a step of 1/2
    X, y, eta = fractions([[1, 0], [1, 0]]), fractions([a, a + gap]), Fraction(1, 2)
    assert_keeps(H1=0 < eta * (X.T @ X)[0, 0] < 2, H3=True)
    theta = exact_descent(X, y, fractions([7, 7]), eta, 2)
    # then   it rests at the mean, with L = gap^2/4, the least there is
    assert_identical(theta[1:, 0], [a + Fraction(gap, 2)] * 2, why="the mean of the targets")
    assert_identical(sum((X @ theta[1] - y) ** 2) / 2, Fraction(gap * gap, 4), why="the least loss")


@necessity("H3")
def test_without_H3_a_preconditioned_step_ends_at_a_larger_objective():
    # given  X = [1, 2], y = 1, theta_0 = 0, D = diag(4, 1) and the rate 1/8: one step of eta D X'y with XDX' = 8
    X, y, D, eta = fractions([[1, 2]]), fractions([1]), fractions([4, 1]), Fraction(1, 8)
    theta = eta * D * (X.T @ y)
    assert_keeps(H1=0 < eta * (X[0] @ X[0]) < 2, H2=X @ theta == y)
    best = solve(*optimality_system(X, y, fractions([0, 0]), Fraction(1, 16)))[:2]
    # then   (1/2, 1/4) against (1/5, 2/5)
    assert_identical([theta, best], fractions([["1/2", "1/4"], ["1/5", "2/5"]]), why="the two limits")
    assert_at_most(best @ best + Fraction(1, 10), theta @ theta, why="|theta - theta_0|^2, the term being constant")


@observed
def test_three_rates_take_three_paths_to_one_limit():
    # given  X = diag(2, 1), y = (2, 2) from (0, 0), with the limit (1, 2); eta lambda_max = 1/5, 1 and 19/10
    X, y, limit = fractions([[2, 0], [0, 1]]), fractions([2, 2]), fractions([1, 2])
    for name, rate in (("slow", Fraction(1, 20)), ("one", Fraction(1, 4)), ("fast", Fraction(19, 40))):
        path = np.array([limit * (1 - (1 - rate * fractions([4, 1])) ** t) for t in range(121)])
        run = exact_descent(X, y, fractions([0, 0]), rate, 3)
        record_series(f"path at {name}", **dict(zip(("first", "second"), path[:61].astype(float).T, strict=True)))
        # then   modes in closed form
        assert_identical(run, path[:4], why=f"three steps of descent, {name}")
        assert_at_most(abs(path[-1] - limit), [Fraction(1, 100)] * 2, why=f"distance to the limit, {name}")
