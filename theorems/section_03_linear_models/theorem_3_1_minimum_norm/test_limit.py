r"""Theorem 3.1 - the limit of gradient descent from zero, and each iterate on the way.

Printed     $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$ and a sufficiently small learning rate imply $w_t \to w^* =
            \operatorname{argmin} \|w\|_2^2 \ \text{s.t.}\ Xw = y$, with $w^* = X^\top (X X^\top)^{-1} y$
Setting     $L(w) = \frac12 \|Xw - y\|^2$ without a factor $1/n$; $w_{t+1} = w_t - \eta X^\top (X w_t - y)$;
            $X = U \operatorname{diag}(s) V^\top$, $s_1 \ge \dots \ge s_n > 0$
Hypotheses  (H1) $\operatorname{rank} X = n$.
            (H2) $0 < \eta < 2/s_1^2$. This is what we take "sufficiently small" to mean.
            (H3) $w_0 \in \operatorname{row}(X)$. The printed start $w_0 = 0$ is the usual case.
Idea        Every gradient lies in $\operatorname{row}(X)$, so the component of $w_0$ in $\operatorname{null}(X)$ never
            changes. On $\operatorname{row}(X)$, each step multiplies mode $i$ of the error by $1 - \eta s_i^2$. So
            every iterate is known in closed form, and the limit too.
Tolerance   The limit is compared with LAPACK's least squares, by two bounds: the a priori rate of convergence, and,
            after the run, the drift in $\operatorname{null}(X)$ plus the residual over $s_n$. Iterates are compared
            with their closed form, up to a first-order rounding analysis (`properties.linear_models.least_squares`).
Findings    The step may be as large as $\eta < 2/s_1^2$. At $\eta = 2/s_1^2$ the error along $v_1$ never shrinks.
Expected    holds
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.datasets.digits import random_feature_digits
from fixtures.dynamics.gradient_descent import gradient_descent, heavy_ball, steps_to_contract
from fixtures.dynamics.torch_training import train_linear
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regression_of_design, regressions
from properties.certificates import assert_at_most, assert_certified, assert_equal_within, assert_within, record_series
from properties.linear_models.least_squares import distance_to_limit, iterate_rounding, spectral_iterate
from properties.linear_models.limits import CONVERGED, contraction, interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed


def polyak_parameters(problem):
    """The step and the momentum of the fastest heavy ball, (2/(s_1 + s_n))^2 and ((s_1 - s_n)/(s_1 + s_n))^2."""
    total, difference = problem.sigma_max + problem.sigma_min, problem.sigma_max - problem.sigma_min
    return (2 / total) ** 2, (difference / total) ** 2


@as_printed
@given_batches(problem=regressions())
def test_from_zero_the_limit_is_the_interpolant_of_least_norm(problem):
    # given  H1 by construction; H2: the step 1/s_1^2; H3
    zero = np.zeros_like(problem.w0)
    # when
    limit = limit_of_descent(problem, zero, step=1.0)
    # then   the interpolant nearest to zero has the least norm. Two bounds: a posteriori, and by the a priori rate
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
    # then   X'(XX')^-1 y on the unpadded problem, whose solve loses cond(X)^2; p in XX' and n in the product with X'
    gram = problem.X @ problem.X.mT + np.eye(problem.X.shape[1]) * (problem.s == 0)[..., None]
    closed_form = np.vecmat(np.linalg.solve(gram, problem.y[..., None])[..., 0], problem.X)
    scale = norm(problem.y, axis=-1) / problem.sigma_min
    n, p = problem.rows, problem.columns
    solve = rounding(factorization(n, n) + n + p, problem.condition**2 * scale)
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
def test_two_steps_on_two_orthogonal_rows_by_hand():
    # given  s^2 = (9, 2), y = (3, 1), from zero with eta = 1/9: the modes of the error are multiplied by 0 and 7/9
    problem = regression_of_design(np.array([[1.0, 2, 2], [0, 1, -1]]), np.array([3.0, 1]))
    zero = np.zeros(3)
    # when
    run = gradient_descent(problem.X, problem.y, zero, 1 / 9, 2)
    # then   (1/3)(1, 2, 2) + (1 - 49/81)(1/2)(0, 1, -1), and 81 times that is (27, 70, 38)
    slack = iterate_rounding(problem, run)
    exact = np.array([27, 70, 38]) / 81
    assert_equal_within(run.w, exact, slack, why="the run")
    assert_equal_within(spectral_iterate(problem, zero, 1 / 9, 2), exact, slack, why="the closed form")


@as_printed
def test_three_modes_shrink_by_their_own_factors():
    # given  orthogonal rows with s^2 = (9, 2, 1/4), from zero with eta = 1/5: the factors are -4/5, 3/5 and 19/20
    problem = regression_of_design(np.array([[1, 2, 2, 0], [0, 1, -1, 0], [0, 0, 0, 1 / 2]]), np.array([3, 1, 1 / 2]))
    zero, steps = np.zeros(4), np.arange(0, 61, 2)
    limit = nearest_interpolant(problem.X, problem.y, zero)
    # when
    runs = [gradient_descent(problem.X, problem.y, zero, 1 / 5, t) for t in steps]
    # then
    modes = np.abs([problem.V.T @ (run.w - limit) for run in runs]) / np.abs(problem.V.T @ limit)
    exact = np.array([4 / 5, 3 / 5, 19 / 20]) ** steps[:, None]
    slack = iterate_rounding(problem, runs[-1]) + interpolant_rounding(problem, zero)
    assert_at_most(np.abs(modes - exact), 2 * slack, why="each mode, over its initial size")  # which is above 1/2
    names = ("s^2 = 9", "s^2 = 2", "s^2 = 1/4")
    record_series("modes of the error", t=steps, **dict(zip(names, exact.T, strict=True)))


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
    # given  every other interpolant is w + Nz; the null part of w_0 serves as Nz
    limit = limit_of_descent(problem, np.zeros_like(problem.w0))
    shift = problem.in_null_space(problem.w0)
    # then   |w + Nz|^2 = |w|^2 + |z|^2, that is <w, Nz> = 0
    cosine = np.abs(np.vecdot(limit.w, shift))
    drift = iterate_rounding(problem, limit.run) + problem.construction * norm(limit.w, axis=-1)
    slack = drift * norm(shift, axis=-1)
    assert_at_most(cosine, slack, why="the limit is orthogonal to the null space", instance=problem)


@as_printed
def test_torch_users_reach_the_same_interpolant():
    # given  X = [[1, 2, 2], [0, 1, -1]], s^2 = (9, 2) since its rows are orthogonal; y = (3, 1)
    X, y = np.array([[1.0, 2, 2], [0, 1, -1]]), np.array([3.0, 1])
    steps = int(steps_to_contract(7 / 9, CONVERGED))
    # when   nn.Linear without bias, zero weights, float64, torch.optim.SGD with eta = 1/s_1^2
    w = train_linear(X, y, np.zeros(3), lr=1 / 9, steps=steps)
    # then   (1/3, 7/6, 1/6) = (3/9) (1, 2, 2) + (1/2) (0, 1, -1)
    # 4 roundings in a residual, 2 in its products, the step and the update: of at most |w| + eta s_1^2 |w|
    bound = (CONVERGED + rounding(8 * steps, 2)) * norm(w)
    assert_equal_within(w, [1 / 3, 7 / 6, 1 / 6], bound, why="torch.optim.SGD on nn.Linear")


@pytest.mark.slow
@as_printed
def test_random_features_of_digits_approach_the_least_norm_interpolant_as_fast_as_the_spectrum_allows():
    # given  100 digits, p = 1000: H1 holds with cond(XX') above 10^4
    problem = regression_of_design(*random_feature_digits(count=100, features=1000))
    X, y, zero = problem.X, problem.y, problem.w0
    # when   2000 steps at eta = 1/s_1^2, too few for the slowest modes
    run = gradient_descent(X, y, zero, problem.eta, 2000)
    # then   the iterate is what the closed form says
    error = norm(run.w - spectral_iterate(problem, zero, problem.eta, 2000))
    assert_at_most(error, iterate_rounding(problem, run), why="iterate against closed form, digits")
    # then   momentum stays in row(X) too, and is faster: its residual over s_n certifies a relative error of 1/1000
    fast = heavy_ball(X, y, zero, *polyak_parameters(problem), steps=2000)
    certificate = distance_to_limit(problem, fast, zero, nearest_interpolant(X, y, zero))
    assert_certified(certificate)
    assert_at_most(certificate.bound, norm(fast.w) / 1000, why="what is certified, digits")
