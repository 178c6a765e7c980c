r"""Theorem 3.1 - what fails without each hypothesis, and the limit for X of any rank.

Setting     $L(w) = \frac12 \|Xw - y\|^2$ without a factor $1/n$; $w_{t+1} = w_t - \eta X^\top (X w_t - y)$;
            $X = U \operatorname{diag}(s) V^\top$, $s_1 \ge \dots \ge s_n > 0$
Hypotheses  (H1) $\operatorname{rank} X = n$.
            (H2) $0 < \eta < 2/s_1^2$. This is what we take "sufficiently small" to mean.
            (H3) $w_0 \in \operatorname{row}(X)$. The printed start $w_0 = 0$ is the usual case.
Corrected   (C1) H1 is not needed for a limit: for $X$ of any rank, every $y$ and $0 < \eta < 2/s_1^2$, the limit from
            zero is $X^+ y$. This is the interpolant of least norm if an interpolant exists. If none exists, it is the
            least-squares solution of least norm.
Idea        Without H1, $X X^\top$ can be singular, so the printed closed form divides by zero; and contradictory
            targets have no interpolant. Without H2 the factor $1 - \eta s_1^2$ can be below $-1$. Without H3 the
            component of $w_0$ in $\operatorname{null}(X)$ stays in the limit.
Tolerance   C1 is checked in exact arithmetic. The other runs are compared with their closed form, up to a first-order
            rounding analysis (`properties.linear_models.least_squares`).
Findings    If an interpolant exists, then without H1 only the printed closed form fails, because $X X^\top$ is
            singular.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent, steps_to_contract
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, record_series
from properties.linear_models.least_squares import iterate_rounding
from properties.linear_models.limits import CONVERGED, interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from theorems.ledger import corrected, necessity


@pytest.mark.slow
@corrected("C1")
@given(problem=wide_regressions(full_rank=False))
def test_for_designs_of_any_rank_and_range_descent_from_zero_approaches_the_pseudo_inverse(problem):
    # given  exact arithmetic; rows may be repeated or dependent, and targets may contradict each other
    limit, zero = problem.pseudo_inverse(problem.y), 0 * problem.w0
    # when
    errors = exact_descent(problem.X, problem.y, zero, problem.eta, 3) - limit
    # then   the error stays in row(X), and shrinks by a factor below one
    assert_identical([problem.in_row_space(e) for e in errors], errors, why="e_t lies in row(X)")
    squares = (errors**2).sum(1)
    assert_at_most(squares[1:], problem.contraction * squares[:-1], why="|e|^2 contracts", instance=problem)
    assert_at_most(problem.contraction, 1 - Fraction(1, 2**200), why="a factor below one")
    # and    X^+ y solves the normal equations, and every other solution X^+ y + z is longer, as <X^+ y, z> = 0
    assert_identical(problem.X.T @ (problem.X @ limit - problem.y), zero, why="least squares")
    z = problem.w0 - problem.in_row_space(problem.w0)
    assert_identical((limit + z) @ (limit + z), limit @ limit + z @ z, why="the least of them")


@necessity("H1")
@given_batches(problem=regressions(max_excess=3))
def test_without_H1_contradictory_targets_lead_to_least_squares_and_to_no_interpolant(problem):
    # given  the first row of X twice, with targets y_1 and y_1 + 2: s_1^2 at most doubles, s_n does not fall
    X = np.concatenate([problem.X, problem.X[:, :1]], axis=1)
    y, zero = np.concatenate([problem.y, problem.y[:, :1] + 2], axis=1), np.zeros_like(problem.w0)
    steps = steps_to_contract(1 - problem.sigma_min**2 / (2 * problem.sigma_max**2), CONVERGED)
    eta = 0.5 / problem.sigma_max**2
    assert_keeps(H2=eta * norm(X, 2, axis=(1, 2)) ** 2 < 2, H3=~zero.any(-1))
    # when
    run = gradient_descent(X, y, zero, eta, steps)
    # then   the limit is X^+ y. The residuals of the two equal rows differ by 2, so their norm is at least sqrt(2)
    limit = nearest_interpolant(X, y, zero)
    slack = CONVERGED * norm(limit, axis=-1) + 2 * iterate_rounding(problem, run)
    assert_at_most(norm(run.w - limit, axis=-1), slack, why="the least of the least-squares points", instance=problem)
    residual, scale = norm(np.matvec(X, run.w) - y, axis=-1), norm(X, axis=(1, 2)) * norm(run.w, axis=-1)
    hidden = rounding(problem.columns + problem.rows + 2, scale + norm(y, axis=-1))
    assert_at_most(np.sqrt(2), residual + hidden, why="residual of contradictory rows", instance=problem)


@necessity("H1")
def test_without_H1_the_printed_closed_form_divides_by_zero_where_a_least_norm_interpolant_exists():
    # given  one equation twice, w_1 + 2 w_2 = 5: (1, 2) interpolates and lies in row(X), so it is the least
    X, y, least = fractions([[1, 2], [1, 2]]), fractions([5, 5]), fractions([1, 2])
    assert_identical(X @ least, y, why="(1, 2) interpolates")
    # when   eta = 1/s_1^2 = 1/10, in exact arithmetic; s_1^2 is the trace of XX', as its rank is one
    gram, zero, eta = X @ X.T, fractions([0, 0]), Fraction(1, 10)
    assert_keeps(H2=eta * np.trace(gram) < 2, H3=not zero.any())
    assert_identical(zero - eta * X.T @ (X @ zero - y), least, why="one step from zero")
    # then
    assert_identical(gram[0, 0] * gram[1, 1] - gram[0, 1] * gram[1, 0], 0, why="XX' is singular")


@necessity("H2")
@pytest.mark.parametrize("which", ["first", "last"])
@given_batches(problem=regressions())
def test_without_H2_a_mode_grows_exactly_if_its_own_multiplier_exceeds_one(problem, which):
    # given  eta s_1^2 = 2.02, and a start off the limit by exactly one right singular vector v_i
    index = np.zeros_like(problem.rows) if which == "first" else problem.rows - 1
    v = np.take_along_axis(problem.V, index[:, None, None], axis=2)[..., 0]
    s = np.take_along_axis(problem.s, index[:, None], axis=1)[:, 0]
    zero, eta, t = np.zeros_like(problem.w0), 2.02 / problem.sigma_max**2, 1 + problem.t
    start = nearest_interpolant(problem.X, problem.y, zero) + v
    off = norm(problem.in_null_space(start), axis=-1)
    assert_keeps(H1=problem.sigma_min > 0, H3=off <= interpolant_rounding(problem, v) + problem.construction)
    # when
    run = gradient_descent(problem.X, problem.y, start, eta, t)
    # then   the error of that mode is (1 - eta s_i^2)^t: 1.02^t for s_1, and small where eta s_i^2 < 2
    mode = np.vecdot(run.w - start, v) + 1
    slack = 1.02**t * iterate_rounding(problem, run)
    assert_at_most(np.abs(mode - (1 - eta * s**2) ** t), slack, why="one mode of the error", instance=problem)


@necessity("H2")
@given_batches(problem=regressions())
def test_at_the_boundary_of_H2_the_top_mode_oscillates_for_ever(problem):
    zero, eta = np.zeros_like(problem.w0), 2 / problem.sigma_max**2
    limit = nearest_interpolant(problem.X, problem.y, zero)
    start = limit + problem.V[:, :, 0]
    off = norm(problem.in_null_space(start), axis=-1)
    assert_keeps(H1=problem.sigma_min > 0, H3=off <= interpolant_rounding(problem, start) + problem.construction)
    # when
    run = gradient_descent(problem.X, problem.y, start, eta, problem.t)
    # then
    slack = iterate_rounding(problem, run) + 32 * problem.condition * problem.construction * norm(limit, axis=-1)
    assert_at_most(1.0, norm(run.w - limit, axis=-1) + slack, why="eta = 2/s_1^2 never contracts", instance=problem)


@necessity("H3")
def test_without_H3_descent_in_the_plane_ends_at_the_interpolant_nearest_its_start():
    # given  w_1 + 2 w_2 = 5 in exact arithmetic: (1, 2) is the least interpolant, and (2, -1) spans the null space
    X, y, null = fractions([[1, 2]]), fractions([5]), fractions([2, -1])
    starts, eta = fractions([[0, 0], [4, -1], [-3, 1], [4, 3], [0, 4]]), Fraction(1, 10)
    assert_keeps(H1=X.any(), H2=eta * (X @ X.T) < 2)
    # when
    runs = np.array([exact_descent(X, y, start, eta, 8) for start in starts])
    record_series(
        "descent in the plane", start=np.repeat(range(5), 9), w_1=runs[..., 0].ravel(), w_2=runs[..., 1].ravel()
    )
    # then   the null part is kept, and the residual is halved: the limit is the orthogonal projection of the start
    assert_identical(runs @ null, np.outer(starts @ null, [1] * 9), why="<(2, -1), w_t> never changes")
    halved = np.outer(starts @ X[0] - 5, [Fraction(1, 2**t) for t in range(9)])
    assert_identical(runs @ X[0] - 5, halved, why="each step halves the residual")
    limits = starts - np.outer(starts @ X[0] - 5, X[0]) / 5
    assert_identical(limits[0], [1, 2], why="from zero, the least interpolant")
    lengths = (limits**2).sum(1)
    reads = "|w|^2 = {value} of the shortest limit from another start > {limit} of the least interpolant"
    assert_violates(min(lengths[1:]), lengths[0], reads=reads, X=X, y=y)


@necessity("H3")
@given_batches(problem=regressions())
def test_without_H3_the_null_part_of_the_start_is_kept_for_ever(problem):
    # given  eta = 2/(s_1^2 + s_n^2)
    eta_s2 = 2 * problem.sigma_max**2 / (problem.sigma_max**2 + problem.sigma_min**2)
    assert_keeps(H1=problem.sigma_min > 0, H2=eta_s2 < 2)
    # when   from any start, to convergence
    limit = limit_of_descent(problem, problem.w0)
    least = nearest_interpolant(problem.X, problem.y, np.zeros_like(problem.w0))
    # then   the limit is off the least-norm interpolant by exactly the null part of the start
    null_part = norm(problem.in_null_space(problem.w0), axis=-1)
    excess = norm(limit.w - least, axis=-1)
    slack = limit.radius + interpolant_rounding(problem, problem.w0)
    assert_at_most(np.abs(excess - null_part), slack, why="distance to the least norm", instance=problem)
