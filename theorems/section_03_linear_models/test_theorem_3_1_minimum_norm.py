r"""Theorem 3.1 - gradient descent from zero finds the interpolant of least l2 norm.

Section     3.1
Printed     $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$ and a sufficiently small learning rate imply
            $w_t \to w^* = \arg\min \|w\|_2^2 \ \text{s.t.}\ Xw = y$, with $w^* = X^\top (X X^\top)^{-1} y$
Setting     $L(w) = \frac12 \|Xw - y\|^2$ without a factor $1/n$; $w_{t+1} = w_t - \eta X^\top (X w_t - y)$;
            $X = U \operatorname{diag}(s) V^\top$, $s_1 \ge \dots \ge s_n > 0$
Hypotheses  (H1) rank X = n.  (H2) 0 < eta < 2/s_1^2, which is what sufficiently small means.
            (H3) w_0 in row(X), of which the printed w_0 = 0 is the case everybody uses.
Idea        Every gradient lies in row(X), so the null part of w_0 is never touched; on row(X) mode i of the error is
            multiplied by 1 - eta s_i^2 each step. This gives every iterate in closed form, not only the limit.
Source      Engl, Hanke, Neubauer (1996), Regularization of Inverse Problems, section 6.1 (Landweber iteration);
            Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry
Tolerance   Limits are certified a posteriori by null drift and residual over s_n against LAPACK's least squares;
            iterates against the closed form, up to a first-order rounding analysis (properties.least_squares)
Findings    p > n is not needed (p = n is the case of one interpolant), and eta may go up to 2/s_1^2
Expected    holds
"""

import numpy as np
from numpy.linalg import norm

from fixtures.datasets.digits import random_feature_digits
from fixtures.dynamics.gradient_descent import gradient_descent, steps_to_contract
from fixtures.dynamics.torch_training import train_linear
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import measured, regressions
from properties.certificates import assert_at_most, assert_certified, assert_within
from properties.least_squares import distance_to_limit, iterate_rounding, spectral_iterate
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed, necessity

CONVERGED = 1e-11


def contractions(problem, eta):
    """The factors |1 - eta s_i^2| by which a step multiplies the modes of the error, (B, n); 0 in the padding."""
    return np.where(problem.s > 0, np.abs(1 - np.asarray(eta)[..., None] * problem.s**2), 0)


def run_to_convergence(problem, start, eta):
    """Gradient descent for the steps after which its slowest mode has shrunk by CONVERGED."""
    steps = steps_to_contract(contractions(problem, eta).max(-1), CONVERGED)
    return gradient_descent(problem.X, problem.y, start, eta, steps)


@as_printed
@given_batches(problem=regressions())
def test_from_zero_the_limit_is_the_interpolant_of_least_norm(problem):
    # given  H1 by construction; H2: the step 1/s_1^2; H3
    zero = np.zeros_like(problem.w0)
    # when
    run = run_to_convergence(problem, zero, 1 / problem.sigma_max**2)
    # then   the interpolant nearest to zero is the one of least norm
    assert_certified(distance_to_limit(problem, run, zero, nearest_interpolant(problem.X, problem.y, zero)))


@as_printed
@given_batches(problem=regressions())
def test_from_zero_gradient_descent_converges_within_its_a_priori_budget(problem):
    zero = np.zeros_like(problem.w0)
    run = run_to_convergence(problem, zero, 2 / (problem.sigma_max**2 + problem.sigma_min**2))
    residual = norm(np.matvec(problem.X, run.w) - problem.y, axis=-1)
    # then   |r_t| <= rho^t |r_0|, up to s_1 = 1 times the rounding of the iterate
    bound = CONVERGED * norm(problem.y, axis=-1) + iterate_rounding(problem, run)
    assert_at_most(residual, bound, why="the residual contracts within the budget", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_the_limit_has_the_printed_closed_form(problem):
    zero = np.zeros_like(problem.w0)
    run = run_to_convergence(problem, zero, 1 / problem.sigma_max**2)
    # then   X'(XX')^-1 y on the unpadded problem, whose Cholesky solve loses cond(X)^2
    gram = problem.X @ problem.X.mT + np.eye(problem.X.shape[1]) * (problem.s == 0)[..., None]
    closed_form = np.vecmat(np.linalg.solve(gram, problem.y[..., None])[..., 0], problem.X)
    scale = norm(problem.y, axis=-1) / problem.sigma_min
    solve = 8 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * problem.condition**2 * scale
    bound = CONVERGED * scale + iterate_rounding(problem, run) + solve
    assert_at_most(norm(run.w - closed_form, axis=-1), bound, why="the printed closed form", instance=problem)


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
    modes = contractions(problem, problem.eta) ** problem.t[:, None]
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
    zero = np.zeros_like(problem.w0)
    run = run_to_convergence(problem, zero, 1 / problem.sigma_max**2)
    shift = problem.in_null_space(problem.w0)
    # then   |w + Nz|^2 = |w|^2 + |z|^2, that is <w, Nz> = 0
    cosine = np.abs(np.vecdot(run.w, shift))
    rounding = (iterate_rounding(problem, run) + problem.construction * norm(run.w, axis=-1)) * norm(shift, axis=-1)
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


@as_printed
def test_random_features_of_digits_approach_the_least_norm_interpolant_as_fast_as_the_spectrum_allows():
    # given  100 digits, p = 1000: H1 holds with cond(XX') above 10^4
    X, y = random_feature_digits(count=100, features=1000)
    problem = measured(X, y)
    zero = np.zeros(1000)
    # when
    run = gradient_descent(X, y, zero, problem.eta, 2000)
    # then   what 2000 steps certify is the residual over s_n, and it is what the closed form predicts
    assert_certified(distance_to_limit(problem, run, zero, nearest_interpolant(X, y, zero)))
    error = norm(run.w - spectral_iterate(problem, zero, problem.eta, 2000))
    assert_at_most(error, iterate_rounding(problem, run), why="iterate against closed form, digits")


@necessity("H1")
@given_batches(problem=regressions(max_excess=3))
def test_without_H1_contradictory_targets_leave_a_residual_and_no_interpolant(problem):
    # given  the first row of X twice, with targets y_1 and y_1 + 2: rank n, n + 1 rows
    X = np.concatenate([problem.X, problem.X[:, :1]], axis=1)
    y = np.concatenate([problem.y, problem.y[:, :1] + 2], axis=1)
    # when
    run = gradient_descent(X, y, np.zeros_like(problem.w0), 0.5 / problem.sigma_max**2, problem.t)
    # then   (r_1, r_{n+1}) are two numbers that differ by 2: |r|^2 >= 2 at every time
    residual = norm(np.matvec(X, run.w) - y, axis=-1)
    slack = 8 * problem.columns * UNIT_ROUNDOFF * (norm(run.w, axis=-1) + norm(y, axis=-1))
    assert_at_most(np.sqrt(2), residual + slack, why="the residual of contradictory rows", instance=problem)


@necessity("H2")
@given_batches(problem=regressions())
def test_without_H2_the_top_mode_grows_like_its_multiplier(problem):
    # given  eta s_1^2 = 2.02, and a start off the limit by exactly the first right singular vector
    zero, eta, t = np.zeros_like(problem.w0), 2.02 / problem.sigma_max**2, 1 + problem.t
    start = nearest_interpolant(problem.X, problem.y, zero) + problem.V[:, :, 0]
    # when
    run = gradient_descent(problem.X, problem.y, start, eta, t)
    # then   the error of that mode is (1 - 2.02)^t
    mode = np.vecdot(run.w - start, problem.V[:, :, 0]) + 1
    slack = 1.02**t * iterate_rounding(problem, run)
    assert_at_most(np.abs(mode - (-1.02) ** t), slack, why="divergence of the top mode", instance=problem)


@necessity("H2")
@given_batches(problem=regressions())
def test_at_the_boundary_of_H2_the_top_mode_oscillates_for_ever(problem):
    zero, eta = np.zeros_like(problem.w0), 2 / problem.sigma_max**2
    limit = nearest_interpolant(problem.X, problem.y, zero)
    # when
    run = gradient_descent(problem.X, problem.y, limit + problem.V[:, :, 0], eta, problem.t)
    # then
    slack = iterate_rounding(problem, run) + 32 * problem.condition * problem.construction * norm(limit, axis=-1)
    assert_at_most(1.0, norm(run.w - limit, axis=-1) + slack, why="eta = 2/s_1^2 never contracts", instance=problem)


@necessity("H3")
@given_batches(problem=regressions())
def test_without_H3_the_null_part_of_the_start_is_kept_for_ever(problem):
    # when   from any start, to convergence
    run = run_to_convergence(problem, problem.w0, 1 / problem.sigma_max**2)
    least = nearest_interpolant(problem.X, problem.y, np.zeros_like(problem.w0))
    # then   |limit|^2 - |w*|^2 = |P_null w_0|^2: longer than the least norm by exactly the null part
    null_part = norm(problem.in_null_space(problem.w0), axis=-1)
    excess = norm(run.w - least, axis=-1)
    slack = (CONVERGED + 32 * problem.condition * problem.construction) / problem.sigma_min * (
        norm(problem.y, axis=-1) + norm(problem.w0, axis=-1)
    ) + iterate_rounding(problem, run)
    assert_at_most(np.abs(excess - null_part), slack, why="distance to the least norm", instance=problem)
