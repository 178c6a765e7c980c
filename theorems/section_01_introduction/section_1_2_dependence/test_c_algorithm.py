r"""Section 1.2: dependence on initialization, learning rate and algorithm (c) - algorithm.

Printed     The limit $\theta^* \in M = \{\theta : L(\theta) = 0\}$ depends on the dynamics of the algorithm
Reading     The loss is least squares, as "given a training loss" admits. The limit depends on the algorithm if two
            algorithms have two limits from one start. The start is off $M$
Setting     $L(w) = \frac12 \|Xw - y\|^2$ with $\operatorname{rank} X = n < p$
Hypotheses  (H4) The steps of the algorithm leave $\operatorname{row}(X)$, as those of another metric or of Adam do.
Corrected   (C4) Descent in the metric of $D^{-1}$ with $0 < \eta < 2/\lambda_{\max}(X D X^\top)$ ends in
            $w_0 + D X^\top (X D X^\top)^{-1} (y - X w_0)$.
Idea        By (C4), for a start off $M$, $D$ can be chosen so that the limit moves by a given unit vector of
            $\operatorname{null}(X)$. With $\epsilon = 0$, Adam's steps from zero on one sample $x$ without zeros have
            the direction $\operatorname{sign}(x)$
Tolerance   The limit of plain descent is enclosed in a ball (`properties.linear_models.limits`). The limit in a metric
            is compared with it, and with LAPACK's least squares, up to the rounding of both runs. What is rational is
            exact
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent, preconditioned_descent
from fixtures.dynamics.torch_training import train_linear
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, solve
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from properties.linear_models.least_squares import iterate_rounding
from properties.linear_models.limits import CONVERGED, interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed, corrected

ONE_EQUATION = np.array([[1.0, 2.0]]), np.array([1.0]), np.zeros(2)
"""X, y and w_0 of the problem x = (1, 2), y = 1 from zero."""


def metric_that_adds_a_null_vector(problem):
    """L and k of a metric D = LL' in which descent from w_0 ends at the nearest interpolant plus the null vector N_1.

    L = VV' + NN' + N_1 k'V' with k = c/|c|^2, where c are the modes of the move from w_0 to the nearest interpolant.
    XDX' = XX', so that steps and contraction are those of plain descent. |k| <= 1, since w_0 is off M by at least 1.
    """
    way = nearest_interpolant(problem.X, problem.y, problem.w0) - problem.w0
    modes = np.vecmat(way, problem.V)
    k = np.matvec(problem.V, modes) / (modes**2).sum(-1, keepdims=True)
    identity = problem.V @ problem.V.mT + problem.N @ problem.N.mT
    return identity + problem.N[:, :, 0, None] * k[:, None, :], k


@as_printed
def test_descent_in_the_metric_4_1_finds_one_half_and_one_quarter():
    # given  x = (1, 2), y = 1, D = diag(4, 1). Exact descent on XD^(1/2) = (2, 2) reaches its limit in one step of 1/8
    inner = exact_descent(fractions([[2, 2]]), fractions([1]), fractions([0, 0]), Fraction(1, 8), 1)[1]
    plain = exact_descent(fractions([[1, 2]]), fractions([1]), fractions([0, 0]), Fraction(1, 5), 1)[1]
    # then   the limit in the metric is D X'(XDX')^-1 y, and that of plain descent is X'(XX')^-1 y
    assert_identical(inner * [2, 1], fractions(["1/2", "1/4"]), why="limit in the metric")
    assert_identical(plain, fractions(["1/5", "2/5"]), why="limit of plain descent")
    run = preconditioned_descent(*ONE_EQUATION, 1 / 16, np.diag([4.0, 1]), 40)
    # 3 roundings in a residual, 4 in its products with X' and D, the step and the update; no step expands them
    goal = norm([0.5, 0.25])
    bound = 2.0**-40 * goal + rounding(40 * 9, goal)
    assert_at_most(norm(run.w - [0.5, 0.25]), bound, why="forty halvings of the distance")


@as_printed
def test_adam_and_sgd_of_torch_find_different_minima():
    # given  x = (1, 2), y = 1 from zero; eps = 0, so that Adam's step does not depend on the scale of a coordinate
    adam = train_linear(*ONE_EQUATION, optimizer="Adam", steps=600, lr=0.1, eps=0.0)
    sgd = train_linear(*ONE_EQUATION, steps=40, lr=0.1)
    # then   Adam moves along (1, 1), bit for bit. This line meets M in (1/3, 1/3) only, and the residual says how far
    #        off the run still is
    assert_identical(adam[0], adam[1], why="both coordinates take the same steps")
    residual = abs(3 * adam[0] - 1)
    assert_equal_within(3 * adam[0], 1, CONVERGED, why="Adam converges")
    # 3a, 3a - 1, 1/3 and the difference are rounded
    assert_equal_within(adam[0], 1 / 3, residual / 3 + rounding(4), why="torch.optim.Adam")
    # 3 roundings in a residual, one in its product with x, the step and the update; no step expands them
    goal = norm([0.2, 0.4])
    assert_at_most(norm(sgd - [0.2, 0.4]), 2.0**-40 * goal + rounding(40 * 6, goal), why="torch.optim.SGD")


@pytest.mark.slow
@corrected("C4")
@given(wide_regressions(), tapes(7))
def test_in_any_metric_descent_of_wide_range_approaches_the_point_of_the_formula(problem, tape):
    # given  exact arithmetic; D = diag(d) + aa' with d from 2^-20 to 2^20; a step in units of 1/tr(XDX')
    X, y, w, p = problem.X, problem.y, problem.w0, problem.X.shape[1]
    d = [Fraction(2) ** tape.choice((0, 1, 20, -20)) for _ in range(p)]
    D = np.diag(d) + fractions(np.outer(np.arange(p), np.arange(p)))
    gram = X @ D @ X.T
    eta = problem.eta * problem.largest_curvature / np.trace(gram)
    limit = w + D @ X.T @ solve(gram, y - X @ w)
    # when   one step
    moved = w - eta * D @ X.T @ (X @ w - y)
    # then   the limit interpolates, and w - limit stays in D row(X). The squared norm r'(XDX')^-1 r of w - limit
    #        shrinks
    assert_identical(X @ limit, y, why="the limit interpolates")
    r, after = X @ w - y, X @ moved - y
    assert_identical(moved - limit, D @ X.T @ solve(gram, after), why="w - limit lies in D row(X)")
    fall = eta * (2 - eta * np.trace(gram)) * (r @ r)
    assert_at_most(after @ solve(gram, after) + fall, r @ solve(gram, r), why="descent in the metric", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_some_metric_moves_the_limit_by_a_given_unit_null_vector(problem):
    # given  a start off M, and a metric that is made to end at the nearest interpolant plus the unit null vector N_1
    problem = off_the_minima(problem)
    L, k = metric_that_adds_a_null_vector(problem)
    eta = 1.5 / problem.sigma_max**2
    plain = limit_of_descent(problem, problem.w0, 1.5)
    # when
    run = preconditioned_descent(problem.X, problem.y, problem.w0, eta, L @ L.mT, plain.run.steps)
    # then   |D| <= 4, and a product with D rounds as often as the products with X and X'
    slack = 16 * (plain.radius + interpolant_rounding(problem, problem.w0))
    moved = norm(run.w - plain.w - problem.N[:, :, 0], axis=-1)
    assert_at_most(moved, slack, why="limit moved by the null vector", instance=problem)
    # and    the limit is the interpolant nearest to w_0 in the metric: LAPACK on XL from L^-1 w_0 = w_0 - N_1 k'w_0
    inner = problem.w0 - np.vecdot(k, problem.w0)[:, None] * problem.N[:, :, 0]
    nearest = np.matvec(L, nearest_interpolant(problem.X @ L, problem.y, inner))
    assert_at_most(norm(run.w - nearest, axis=-1), slack, why="projection in the metric", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_that_metric_moves_every_iterate_in_proportion_to_the_way_gone(problem):
    problem = off_the_minima(problem)
    L, k = metric_that_adds_a_null_vector(problem)
    # when   at the drawn step and time
    plain = gradient_descent(problem.X, problem.y, problem.w0, problem.eta, problem.t)
    run = preconditioned_descent(problem.X, problem.y, problem.w0, problem.eta, L @ L.mT, problem.t)
    # then
    share = np.vecdot(k, plain.w - problem.w0)
    error = norm(run.w - plain.w - share[:, None] * problem.N[:, :, 0], axis=-1)
    slack = 16 * (iterate_rounding(problem, run) + interpolant_rounding(problem, problem.w0))
    assert_at_most(error, slack, why="iterate in the metric", instance=problem)
