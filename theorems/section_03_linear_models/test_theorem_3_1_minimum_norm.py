r"""Theorem 3.1 - gradient descent from zero finds the interpolant of least l2 norm.

Section     3.1
Printed     $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$ and a sufficiently small learning rate imply
            $w_t \to w^* = \arg\min \|w\|_2^2 \ \text{s.t.}\ Xw = y$, with $w^* = X^\top (X X^\top)^{-1} y$
Setting     $L(w) = \frac12 \|Xw - y\|^2$ without a factor $1/n$; $w_{t+1} = w_t - \eta X^\top (X w_t - y)$;
            $X = U \operatorname{diag}(s) V^\top$, $s_1 \ge \dots \ge s_n > 0$
Hypotheses  (H1) rank X = n.  (H2) 0 < eta < 2/s_1^2, which is what sufficiently small means.
            (H3) w_0 in row(X), of which the printed w_0 = 0 is the case everybody uses.
Corrected   (C1) Beyond H1: for X of any rank, every y and 0 < eta < 2/s_1^2 the limit from zero is X^+ y, the
            interpolant of least norm where there is one, and else the least of the least-squares solutions.
Idea        Every gradient lies in row(X), so the null part of w_0 is never touched; on row(X) mode i of the error is
            multiplied by 1 - eta s_i^2 each step. This gives every iterate in closed form, not only the limit.
Source      Engl, Hanke, Neubauer (1996), Regularization of Inverse Problems (Landweber iteration, for C1 too);
            Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry
Tolerance   Limits are held to LAPACK's least squares by the a priori rate, and a posteriori by null drift and residual
            over s_n; iterates to the closed form, up to a first-order rounding analysis (properties.least_squares)
Findings    "Sufficiently small" can be taken as eta < 2/s_1^2: at 2/s_1^2 the error along v_1 never shrinks. Without H1
            only the printed closed form fails where an interpolant exists, as X X' is singular
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.datasets.digits import random_feature_digits
from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent, heavy_ball, steps_to_contract
from fixtures.dynamics.torch_training import train_linear
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import measured, regressions
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_certified, assert_identical, assert_keeps, assert_within
from properties.least_squares import distance_to_limit, iterate_rounding, spectral_iterate
from properties.limits import CONVERGED, contraction, interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed, corrected, necessity


def polyak(problem):
    """The step and the momentum of the fastest heavy ball, (2/(s_1 + s_n))^2 and ((s_1 - s_n)/(s_1 + s_n))^2."""
    total, gap = problem.sigma_max + problem.sigma_min, problem.sigma_max - problem.sigma_min
    return (2 / total) ** 2, (gap / total) ** 2


@as_printed
@given_batches(problem=regressions())
def test_from_zero_the_limit_is_the_interpolant_of_least_norm(problem):
    # given  H1 by construction; H2: the step 1/s_1^2; H3
    zero = np.zeros_like(problem.w0)
    # when
    limit = limit_of_descent(problem, zero, step=1.0)
    # then   the interpolant nearest to zero is the one of least norm: by what the run shows, and by its a priori rate
    least = nearest_interpolant(problem.X, problem.y, zero)
    assert_certified(distance_to_limit(problem, limit.run, zero, least))
    bound = limit.radius + interpolant_rounding(problem, zero)
    assert_at_most(norm(limit.w - least, axis=-1), bound, why="distance within the budget", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_from_zero_gradient_descent_fits_the_data_within_its_a_priori_budget(problem):
    # when   at the fastest step, 2/(s_1^2 + s_n^2)
    run = limit_of_descent(problem, np.zeros_like(problem.w0)).run
    # then   |r_t| <= rho^t |r_0|, up to s_1 = 1 times the rounding of the iterate
    residual = norm(np.matvec(problem.X, run.w) - problem.y, axis=-1)
    bound = CONVERGED * norm(problem.y, axis=-1) + iterate_rounding(problem, run)
    assert_at_most(residual, bound, why="the residual contracts within the budget", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_the_limit_has_the_printed_closed_form(problem):
    limit = limit_of_descent(problem, np.zeros_like(problem.w0))
    # then   X'(XX')^-1 y on the unpadded problem, whose Cholesky solve loses cond(X)^2
    gram = problem.X @ problem.X.mT + np.eye(problem.X.shape[1]) * (problem.s == 0)[..., None]
    closed_form = np.vecmat(np.linalg.solve(gram, problem.y[..., None])[..., 0], problem.X)
    scale = norm(problem.y, axis=-1) / problem.sigma_min
    solve = 8 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * problem.condition**2 * scale
    error = norm(limit.w - closed_form, axis=-1)
    assert_at_most(error, limit.radius + solve, why="the printed closed form", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_every_iterate_is_the_spectral_filter_of_the_data(problem):
    # given  H1; H2: any step below 2/s_1^2; H3: the row part of any start
    start = problem.in_row_space(problem.w0)
    # when   at the drawn time, long before the limit
    run = gradient_descent(problem.X, problem.y, start, problem.eta, problem.t)
    # then
    error = norm(run.w - spectral_iterate(problem, start, problem.eta, problem.t), axis=-1)
    assert_at_most(error, iterate_rounding(problem, run), why="iterate against closed form", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_the_distance_to_the_limit_shrinks_no_faster_and_no_slower_than_its_modes(problem):
    zero = np.zeros_like(problem.w0)
    limit = nearest_interpolant(problem.X, problem.y, zero)
    # when
    run = gradient_descent(problem.X, problem.y, zero, problem.eta, problem.t)
    # then
    modes = np.abs(contraction(problem, problem.eta)) ** problem.t[:, None]
    fastest = np.where(problem.s > 0, modes, np.inf).min(-1)
    assert_within(
        fastest * norm(limit, axis=-1),
        norm(run.w - limit, axis=-1),
        modes.max(-1) * norm(limit, axis=-1),
        slack=iterate_rounding(problem, run) + 32 * problem.condition * problem.construction * norm(limit, axis=-1),
        why="geometric contraction",
        instance=problem,
    )


@as_printed
@given_batches(problem=regressions())
def test_moving_the_limit_along_the_null_space_only_lengthens_it(problem):
    # given  every other interpolant is w + Nz; z is read off w0
    limit = limit_of_descent(problem, np.zeros_like(problem.w0))
    shift = problem.in_null_space(problem.w0)
    # then   |w + Nz|^2 = |w|^2 + |z|^2, that is <w, Nz> = 0
    cosine = np.abs(np.vecdot(limit.w, shift))
    rounding = (iterate_rounding(problem, limit.run) + problem.construction * norm(limit.w, axis=-1)) * norm(
        shift, axis=-1
    )
    assert_at_most(cosine, rounding, why="the limit is orthogonal to the null space", instance=problem)


@as_printed
def test_torch_users_reach_the_same_interpolant():
    # given  X = [[1, 2, 2], [0, 1, -1]], s^2 = (9, 2) since its rows are orthogonal; y = (3, 1)
    X, y = np.array([[1.0, 2, 2], [0, 1, -1]]), np.array([3.0, 1])
    steps = int(steps_to_contract(7 / 9, CONVERGED))
    # when   nn.Linear without bias, zero weights, float64, torch.optim.SGD with eta = 1/s_1^2
    w = train_linear(X, y, np.zeros(3), lr=1 / 9, steps=steps)
    # then   (1/3, 7/6, 1/6) = (3/9) (1, 2, 2) + (1/2) (0, 1, -1)
    distance = norm(w - np.array([1 / 3, 7 / 6, 1 / 6]))
    assert_at_most(distance, (CONVERGED + 200 * steps * UNIT_ROUNDOFF) * norm(w), why="torch.optim.SGD on nn.Linear")


@pytest.mark.slow
@as_printed
def test_random_features_of_digits_approach_the_least_norm_interpolant_as_fast_as_the_spectrum_allows():
    # given  100 digits, p = 1000: H1 holds with cond(XX') above 10^4
    problem = measured(*random_feature_digits(count=100, features=1000))
    X, y, zero = problem.X, problem.y, problem.w0
    # when   2000 steps at eta = 1/s_1^2, too few for the slowest modes
    run = gradient_descent(X, y, zero, problem.eta, 2000)
    # then   the iterate is what the closed form says
    error = norm(run.w - spectral_iterate(problem, zero, problem.eta, 2000))
    assert_at_most(error, iterate_rounding(problem, run), why="iterate against closed form, digits")
    # then   momentum, which stays in row(X) too, gets so far that the residual over s_n certifies 1 in 1000
    fast = heavy_ball(X, y, zero, *polyak(problem), steps=2000)
    certificate = distance_to_limit(problem, fast, zero, nearest_interpolant(X, y, zero))
    assert_certified(certificate)
    assert_at_most(certificate.bound, norm(fast.w) / 1000, why="what is certified, digits")


@pytest.mark.slow
@corrected("C1")
@given(problem=wide_regressions(full_rank=False))
def test_for_designs_of_any_rank_and_range_descent_from_zero_approaches_the_pseudo_inverse(problem):
    # given  exact arithmetic, repeated or dependent rows, targets that may contradict each other
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
    # then   the limit is X^+ y, and two residuals that differ by 2 have norm sqrt(2) or more
    limit = nearest_interpolant(X, y, zero)
    slack = CONVERGED * norm(limit, axis=-1) + 2 * iterate_rounding(problem, run)
    assert_at_most(norm(run.w - limit, axis=-1), slack, why="the least of the least-squares points", instance=problem)
    residual = norm(np.matvec(X, run.w) - y, axis=-1)
    rounding = 8 * problem.columns * UNIT_ROUNDOFF * (norm(run.w, axis=-1) + norm(y, axis=-1))
    assert_at_most(np.sqrt(2), residual + rounding, why="residual of contradictory rows", instance=problem)


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
def test_without_H2_a_mode_grows_just_if_its_own_multiplier_exceeds_one(problem, which):
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
