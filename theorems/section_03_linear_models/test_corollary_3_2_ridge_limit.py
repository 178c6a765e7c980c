r"""Corollary 3.2 - the min-norm interpolant is the limit of ridge regression.

Section     3.1
Printed     $w^* = \lim_{\lambda \to 0^+} (X^\top X + \lambda I)^{-1} X^\top y$
Setting     $w_\lambda = \operatorname{argmin} \|Xw - y\|^2 + \lambda \|w\|^2$; $X = U \operatorname{diag}(s) V^\top$ of
            rank $n < p$; $w^*$ is the min-norm interpolant of Theorem 3.1
Hypotheses  (H1) $\lambda > 0$: the print is a limit, and not the value at $\lambda = 0$
Corrected   (C1) Rank $n$ is not needed. For every $X \ne 0$ and $y$, $\|w_\lambda - X^+ y\| \le \lambda/(s_r^2 +
            \lambda) \|X^+ y\|$, where $s_r$ is the least singular value that is not zero. So the limit is the
            least-squares solution of least norm.
            (C2) In every mode, gradient flow from zero at time $t$ is between $1$ and $1.29843$ times ridge at penalty
            $1/t$.
Idea        $w^* - w_\lambda = V \operatorname{diag}(\lambda/(s^2 + \lambda)) V^\top w^*$: ridge shrinks each mode by a
            known factor. So the distance is known exactly, and the rate from both sides: $\lambda/(s_1^2 + \lambda)
            \|w^*\| \le \|w_\lambda - w^*\| \le \lambda/(s_n^2 + \lambda) \|w^*\|$.
Source      Tikhonov (1963), Solution of Incorrectly Formulated Problems and the Regularization Method, Soviet
            Mathematics Doklady 4; Ali, Kolter, Tibshirani (2019), A Continuous-Time View of Early Stopping for Least
            Squares Regression, for gradient flow at time 1/lambda
Tolerance   $w^*$ comes from LAPACK's least squares; $w_\lambda$ from scikit-learn or from the $n \times n$ dual system.
            The slack is the rounding of backward stable solves. Their condition number is at most
            $(s_1^2 + \lambda)/(s_n^2 + \lambda)$, and in the printed $p \times p$ form $(s_1^2 + \lambda)/\lambda$. The
            search of wide range is exact.
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.datasets.digits import random_feature_digits
from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regression_of_design, regressions
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, solve
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within, record_series
from properties.linear_models.least_squares import oracle_rounding
from properties.linear_models.limits import flow_rounding
from properties.oracles import nearest_interpolant, ridge
from theorems.ledger import as_printed, corrected, necessity

PENALTIES = 10.0 ** np.arange(1, -13, -1)
# The largest value of (1 - exp(-z))(1 + z)/z over z > 0, attained at z = 1.793 where its derivative changes sign.
FLOW_OVER_RIDGE = 1.29843


def dual_ridge(problem, penalty):
    """X'(XX' + lambda I)^-1 y, whose condition number stays bounded as lambda -> 0; shape (p,) or (B, p)."""
    gram = problem.X @ problem.X.mT + penalty * np.eye(problem.X.shape[-2])
    return np.vecmat(np.linalg.solve(gram, problem.y[..., None])[..., 0], problem.X)


def least_norm(problem):
    """The min-norm interpolant, computed by LAPACK."""
    return nearest_interpolant(problem.X, problem.y, np.zeros_like(problem.w0))


def shrinkage(problem, penalty):
    """The factors lambda/(s_i^2 + lambda) by which ridge shortens the modes of w*; 0 in the padding."""
    return np.where(problem.s > 0, penalty / (problem.s**2 + penalty), 0)


def solve_rounding(problem, w):
    """Rounding of the dual solve, whose XX' + lambda I has p + 1 and whose X'(...) has n, and of LAPACK's w*."""
    n, p, size = problem.rows, problem.columns, norm(w, axis=-1)
    return rounding(factorization(n, n) + n + p + 1, problem.condition**2 * size) + oracle_rounding(problem, size)


@as_printed
@pytest.mark.parametrize("penalty", PENALTIES)
@given_batches(problem=regressions())
def test_the_distance_to_the_limit_is_the_shrinkage_of_its_modes(problem, penalty):
    limit = least_norm(problem)
    # when
    distance = norm(dual_ridge(problem, penalty) - limit, axis=-1)
    # then   exactly, mode by mode
    exact = norm(shrinkage(problem, penalty) * np.vecmat(limit, problem.V), axis=-1)
    slack = solve_rounding(problem, limit)
    assert_at_most(np.abs(distance - exact), slack, why="distance to the ridge limit", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_the_distance_to_the_limit_is_linear_in_the_penalty_from_both_sides(problem):
    limit, penalty = least_norm(problem), 1e-5
    distance = norm(dual_ridge(problem, penalty) - limit, axis=-1)
    # then
    slowest, fastest = (penalty / (s**2 + penalty) for s in (problem.sigma_max, problem.sigma_min))
    lower, upper = slowest * norm(limit, axis=-1), fastest * norm(limit, axis=-1)
    slack = solve_rounding(problem, limit)
    assert_within(lower, distance, upper, slack=slack, why="two-sided rate", instance=problem)


@pytest.mark.slow
@as_printed
@pytest.mark.parametrize("penalty", [1.0, 1e-2])
@given_batches(problem=regressions(), size=25)
def test_the_filtered_minimizer_is_what_scikit_learn_calls_ridge(problem, penalty):
    limit = least_norm(problem)
    filtered = limit - np.matvec(problem.V, shrinkage(problem, penalty) * np.vecmat(limit, problem.V))
    # then   the objective |Xw - y|^2 + lambda |w|^2 has no factor 1/n on its loss
    error = norm(filtered - ridge(problem.X, problem.y, penalty), axis=-1)
    assert_at_most(error, solve_rounding(problem, limit), why="scikit-learn's Ridge", instance=problem)


@as_printed
@pytest.mark.parametrize("penalty", [1.0, 1e-3, 1e-6])
@given(problem=regressions())
def test_the_printed_formula_is_the_ridge_minimizer_up_to_its_conditioning(problem, penalty):
    X, p = problem.X, problem.columns
    printed = np.linalg.solve(X.T @ X + penalty * np.eye(p), X.T @ problem.y)
    # then   the p x p matrix has condition number (s_1^2 + lambda)/lambda
    condition = (problem.sigma_max**2 + penalty) / penalty
    slack = rounding(factorization(p, p) + problem.rows + 1, condition * norm(least_norm(problem)))
    slack += solve_rounding(problem, least_norm(problem))
    assert_at_most(norm(printed - dual_ridge(problem, penalty)), slack, why="printed form", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_a_smaller_penalty_gives_a_longer_minimizer_inside_the_row_space(problem):
    large, small = dual_ridge(problem, 0.1), dual_ridge(problem, 0.01)
    slack = solve_rounding(problem, least_norm(problem))
    # then   the length grows as lambda falls, and the minimizer lies in row(X)
    assert_at_most(norm(large, axis=-1), norm(small, axis=-1) + slack, why="length grows", instance=problem)
    leaving = norm(problem.in_null_space(small), axis=-1)
    assert_at_most(leaving, slack, why="no component in the null space", instance=problem)


def modes_of_flow_and_ridge(problem, time):
    """The modes (n,) of gradient flow from zero on (1/2)|Xw - y|^2 at this time, and of ridge at penalty 1/time."""
    X, p = problem.X, problem.columns
    flow = affine_flow(X.T @ X, X.T @ problem.y, np.zeros(p), time)
    return [np.abs(problem.V.T @ w) for w in (flow, dual_ridge(problem, 1 / time))]


@pytest.mark.slow
@corrected("C2")
@pytest.mark.parametrize("time", [0.3, 1.793, 10.0, 300.0])
@given(problem=regressions())
def test_gradient_flow_stopped_at_time_t_is_ridge_at_penalty_1_over_t_up_to_thirty_percent(problem, time):
    # given  a time in units of 1/s_1^2
    t = time / problem.sigma_max**2
    # when
    flow, ridge = modes_of_flow_and_ridge(problem, t)
    # then   in every mode the flow is ahead of ridge, by at most the factor 1.29843
    slack = flow_rounding(problem, np.zeros(problem.columns), t) + solve_rounding(problem, least_norm(problem))
    assert_within(ridge, flow, FLOW_OVER_RIDGE * ridge, slack=slack, why="flow against ridge", instance=problem)


@corrected("C2")
@pytest.mark.parametrize("s", [1.0, 3.0])
def test_the_factor_of_the_flow_over_ridge_is_attained(s):
    # given  X = [s, 0], y = 1: the quotient is (1 - exp(-z))(1 + z)/z with z = s^2 t, and largest at z = 1.793
    flow, ridge = modes_of_flow_and_ridge(regression_of_design(np.array([[s, 0]]), np.ones(1)), 1.793 / s**2)
    assert_within(FLOW_OVER_RIDGE - 1e-5, flow / ridge, FLOW_OVER_RIDGE, why="the five digits of the factor")


@as_printed
def test_the_shrinkage_of_two_modes_by_hand():
    # given  orthogonal rows with s^2 = (9, 2) and y = (3, 1): w* has the modes 1 and 1/2^(1/2); lambda = 1
    problem = regression_of_design(np.array([[1.0, 2, 2], [0, 1, -1]]), np.array([3.0, 1]))
    shrunk = shrinkage(problem, 1.0) * np.abs(problem.V.T @ least_norm(problem))
    # then   1/10 of one, and 1/3 of the other
    exact = [1 / 10, np.sqrt(1 / 2) / 3]
    assert_equal_within(shrunk, exact, solve_rounding(problem, shrunk), why="1/(s^2 + 1) of each mode")


@as_printed
def test_random_features_of_digits_have_the_same_rate():
    # given  100 digits, p = 1000; cond(XX') is above 10^4
    problem = regression_of_design(*random_feature_digits(count=100, features=1000))
    limit, penalties = least_norm(problem), 10.0 ** np.arange(-6, 7)
    # when
    distance = np.array([norm(dual_ridge(problem, penalty) - limit) for penalty in penalties])
    # then   mode by mode, and between the rates of the first and of the last mode
    exact = norm(np.array([shrinkage(problem, penalty) for penalty in penalties]) * (problem.V.T @ limit), axis=1)
    slack = solve_rounding(problem, limit)
    assert_at_most(np.abs(distance - exact), slack, why="distance to the ridge limit, digits")
    lower, upper = (penalties / (s**2 + penalties) for s in (problem.sigma_max, problem.sigma_min))
    rates = {"lower": lower, "distance": distance / norm(limit), "upper": upper}
    assert_within(*(rate * norm(limit) for rate in rates.values()), slack=slack, why="two-sided rate, digits")
    record_series("distance of ridge to the interpolant", penalty=penalties, **rates)


@pytest.mark.slow
@corrected("C1")
@given(problem=wide_regressions(full_rank=False), penalty=st.sampled_from([0, 20, -20, -400]))
def test_for_designs_of_any_rank_and_range_the_distance_to_the_pseudo_inverse_has_its_two_bounds(problem, penalty):
    # given  exact arithmetic; lambda is a multiple of |X|_F^2 >= s_1^2
    X, limit = problem.X, problem.pseudo_inverse(problem.y)
    size, least = problem.largest_curvature, problem.least_curvature
    lam = size * Fraction(2) ** penalty
    # when   the printed form
    w = solve(X.T @ X + lam * fractions(np.eye(len(limit), dtype=int)), X.T @ problem.y)
    # then   |X|_F^2 stands for s_1^2, and a lower bound on s_r^2 for s_r^2: at rank one both are equalities
    squared, scale = (w - limit) @ (w - limit), limit @ limit
    lower, upper = ((lam / (curvature + lam)) ** 2 * scale for curvature in (size, least))
    assert_within(lower, squared, upper, why="squared distance to X^+ y", instance=problem)


@corrected("C1")
@given(problem=regressions())
def test_contradictory_targets_lead_to_the_least_of_the_least_squares_solutions(problem):
    # given  the first row twice, with different targets: no interpolant exists, and XX' is singular
    X, y = np.vstack([problem.X, problem.X[:1]]), np.append(problem.y, problem.y[0] + 2)
    limit, penalty = nearest_interpolant(X, y, np.zeros(problem.columns)), 1e-3
    # then   the duplicated row at most doubles s_1^2 and does not lower s_n
    distance = norm(ridge(X, y, penalty) - limit)
    # two backward errors of LAPACK, of which those in X meet a residual of at most |y|; and the singular value 0 of X,
    # rounded, passes through the filter s/(s^2 + lambda) with the slope 1/lambda
    doubled = 2 * problem.condition**2 / problem.sigma_max + 2 * problem.sigma_max / penalty
    slack = rounding(2 * factorization(problem.rows + 1, problem.columns), doubled * norm(y))
    upper = penalty / (problem.sigma_min**2 + penalty) * norm(limit)
    lower = penalty / (2 * problem.sigma_max**2 + penalty) * norm(limit)
    assert_within(lower, distance, upper, slack=slack, why="limit X^+ y", instance=problem)


@necessity("H1")
@pytest.mark.parametrize("penalty", [0, -5])
def test_without_H1_the_printed_inverse_need_not_exist(penalty):
    # given  X = [1, 2]: X'X has the eigenvalues 0 and 5. For p > n, X'X always has the eigenvalue 0
    shifted = fractions([[1], [2]]) @ fractions([[1, 2]]) + penalty * fractions([[1, 0], [0, 1]])
    determinant = shifted[0, 0] * shifted[1, 1] - shifted[0, 1] * shifted[1, 0]
    assert_identical(determinant, 0, why="X'X + lambda I is singular")
