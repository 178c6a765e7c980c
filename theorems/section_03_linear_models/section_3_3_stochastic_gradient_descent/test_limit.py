r"""Section 3.3: stochastic gradient descent - in epochs and with replacement, it has the limit of gradient descent.

Setting     $L(w) = \frac1{2n} \|Xw - y\|^2$; $w_{t+1} = w_t - \frac\eta b \sum_{i \in B_t} x_i (x_i^\top w_t - y_i)$,
            minibatches $B_t$ of $b$ rows drawn with replacement, or without it in shuffled epochs; GD takes all rows in
            every step. $e_t = w_t - w_\infty$, $w_\infty$ the interpolant nearest $w_0$; $\ell = \max_i \|x_i\|^2$
Hypotheses  (H1) some $w$ solves $Xw = y$; $\operatorname{rank} X = n$ suffices.
            (H2) $0 < \eta < 2/\max_i \|x_i\|^2$.
            (H3) the model is linear in its parameters.
Corrected   (C1) Every iterate stays in $w_0 + \operatorname{row}(X)$, whatever $X$, the step and the order of the
            samples.
            (C2) Under H1, with $r_B$ the residual of the minibatch and $e_t = w_t - v$ for any interpolant $v$, every
            step satisfies $\eta(2 - \eta\ell) \|r_B\|^2/b \le \|e_t\|^2 - \|e_{t+1}\|^2 \le 2\eta \|r_B\|^2/b$; the
            lower bound is attained by the longest row alone.
            (C3) Hence, under H1 to H3, SGD has the limit of GD: surely in shuffled epochs, and almost surely with
            replacement. With replacement and single rows,
            $E\|e_t\|^2 \le (1 - \eta(2 - \eta\ell) s_n^2/n)^t \|e_0\|^2$, with the least singular value $s_n$ of $X$.
Idea        The gradient of a minibatch is a combination of rows of $X$, so the component of $w_0$ in
            $\operatorname{null}(X)$ never changes. A step on row $i$ changes $\|e\|^2$ by
            $-\eta(2 - \eta\|x_i\|^2) r_i^2$, so each step approaches every interpolant, and $\|e\|^2$ contracts by a
            known factor: in the mean over a random row, and surely in an epoch.
Tolerance   The limit is compared with LAPACK's least squares by two bounds: the budget of steps that is fixed
            beforehand, and, after the run, the drift in $\operatorname{null}(X)$ plus the residual over $s_n$. Steps
            and moments are compared up to a first-order rounding analysis. Second moments are iterated exactly, and
            never sampled. The search of wide range is exact.
Chance      A sampled run converges within its budget but for $10^{-12}$ per instance, by Markov's inequality on the
            second moment: below $10^{-9}$ for the fast run. Shuffled epochs have a budget without chance.
"""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.dynamics.stochastic import (
    every_order,
    second_moment,
    shuffled,
    stochastic_gradient_descent,
    with_replacement,
)
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regression_of_design, regressions
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from properties.linear_models.least_squares import iterate_rounding
from properties.oracles import nearest_interpolant
from theorems.ledger import corrected
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.convergence import (
    CHANCE,
    SAMPLED_WITHIN,
    SHUFFLED_WITHIN,
    assert_reaches_the_limit_of_gradient_descent,
    contraction,
    epoch_contraction,
)
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.runs import (
    SEED,
    descend,
    limit_rounding,
    longest_row_squared,
    minibatches,
    problems,
    sampled_run,
    shortest_row_squared,
    steps_rounding,
)


@corrected("C3")
@given_batches(problem=problems)
def test_sampled_with_replacement_the_limit_is_that_of_gradient_descent(problem):
    # given  the steps after which P(|e_T| > SAMPLED_WITHIN |e_0|) <= CHANCE, by Markov on the second moment
    eta, within = 1 / longest_row_squared(problem), SAMPLED_WITHIN
    steps = steps_to_contract(contraction(problem, eta), CHANCE * within**2)
    order = with_replacement(np.random.default_rng(SEED), problem.rows, int(steps.max()))
    # when
    run = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order, steps)
    # then
    assert_reaches_the_limit_of_gradient_descent(problem, run, within)


@corrected("C3")
@given_batches(problem=problems)
def test_in_shuffled_epochs_the_limit_is_that_of_gradient_descent(problem):
    # given  the epochs after which |e| <= SHUFFLED_WITHIN |e_0|, without chance
    eta, within = 1 / longest_row_squared(problem), SHUFFLED_WITHIN
    epochs = steps_to_contract(epoch_contraction(problem, eta), within**2)
    order = shuffled(np.random.default_rng(SEED), problem.rows, int(epochs.max()))
    # when
    run = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order)
    # then
    assert_reaches_the_limit_of_gradient_descent(problem, run, within)


@corrected("C3")
@given_batches(problem=problems)
def test_any_single_epoch_contracts_whatever_its_order(problem):
    eta, limit = 1 / longest_row_squared(problem), nearest_interpolant(problem.X, problem.y, problem.w0)
    # when
    order = shuffled(np.random.default_rng(SEED), problem.rows, 1)
    run = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order)
    # then
    bound = np.sqrt(epoch_contraction(problem, eta)) * norm(problem.w0 - limit, axis=-1)
    slack = iterate_rounding(problem, run) + limit_rounding(problem, limit)
    assert_at_most(norm(run.w - limit, axis=-1), bound + slack, why="an epoch contracts", instance=problem)


@corrected("C1")
@given_batches(problem=problems)
def test_no_order_of_samples_ever_moves_the_null_part_of_the_start(problem):
    # when
    run, _, _ = sampled_run(problem)
    # then
    drift = norm(problem.in_null_space(run.w - problem.w0), axis=-1)
    assert_at_most(drift, iterate_rounding(problem, run), why="null part of w_t - w_0", instance=problem)


@corrected("C2")
@given_batches(problem=problems)
def test_each_step_approaches_every_interpolant_by_what_its_own_residual_says(problem):
    # given  an interpolant that is not the limit
    some = nearest_interpolant(problem.X, problem.y, np.flip(problem.w0, -1) * (problem.w0 != 0))
    here, order, eta = sampled_run(problem)
    # when   one more step than at the drawn time
    there = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order, problem.t + 1)
    approach = norm(here.w - some, axis=-1) ** 2 - norm(there.w - some, axis=-1) ** 2
    # then   r_B is the part of Xw_t - y in the minibatch, counted as often as it was drawn
    chosen = np.take_along_axis(order, problem.t[:, None, None], 1)[:, 0]
    r = np.take_along_axis(np.matvec(problem.X, here.w) - problem.y, chosen, -1)
    most = 2 * eta * np.square(r).sum(-1) / 2  # b = 2
    # the rounding of a step and of the interpolant, in a difference of squares
    scale = norm(here.w, axis=-1) + norm(some, axis=-1) + norm(problem.y, axis=-1) / problem.sigma_max
    slack = 4 * scale * (iterate_rounding(problem, here) / (problem.t + 1) + limit_rounding(problem, some))
    least = (1 - problem.step / 2) * most
    assert_within(least, approach, most, slack=slack, why="approach to an interpolant", instance=problem)


def moment_rounding(problem, steps, size):
    """A bound on the rounding of E|e|^2 after `steps` steps of its recursion, where E|e|^2 is at most `size`.

    An entry of a step goes through 3p + n + 8 roundings: three products with p terms, one with n, their factors and
    sums. With eta |x_i|^2 <= 2 they are at most |M|, 2 |M| in each of DM and MD', and 4 |M| in the rest. An error of
    the matrix is one of sqrt(p) times its size in the trace, which no step expands.
    """
    n, p = problem.rows, problem.columns
    return rounding((1 + steps) * (3 * p + n + 8), 9 * np.sqrt(p) * size)


@corrected("C3")
@given(problem=regressions(max_rows=3, max_excess=2), minibatch=minibatches())
def test_the_second_moment_recursion_is_the_mean_over_all_orders(problem, minibatch):
    (batch, steps, replacement), n = minibatch, problem.rows
    batch = min(batch, n)
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    # when   every order is run, the independent minibatches being equally likely
    order = every_order(n, steps, batch, replacement=replacement)
    X, y, w0 = (np.broadcast_to(data, (len(order), *data.shape)) for data in (problem.X, problem.y, problem.w0))
    e = stochastic_gradient_descent(X, y, w0, problem.eta, order).w - limit
    # then
    e0 = problem.w0 - limit
    M = second_moment(problem.X, np.outer(e0, e0), problem.eta, steps, rows=n, batch=batch, replacement=replacement)
    largest = max(norm(e0), norm(e, axis=-1).max())
    hidden = limit_rounding(problem, limit) + steps_rounding(problem, steps, largest + norm(limit))
    bound = 4 * hidden * (largest + hidden) + moment_rounding(problem, steps, largest**2)
    assert_at_most(norm(np.einsum("ki,kj->ij", e, e) / len(order) - M), bound, why="E[ee']", instance=problem)


@corrected("C3")
@given_batches(problem=problems)
def test_the_mean_square_error_contracts_between_the_rates_of_the_extreme_rows(problem):
    # given  H2: any step below 2/max |x_i|^2
    eta = problem.step / longest_row_squared(problem)
    e0 = problem.w0 - nearest_interpolant(problem.X, problem.y, problem.w0)
    # when   E[ee'] by its recursion, to the drawn time
    M = second_moment(problem.X, e0[:, :, None] * e0[:, None, :], eta, problem.t, rows=problem.rows)
    # then   E|e|^2 - E|e'|^2 = (eta/n) sum (2 - eta|x_i|^2) E r_i^2 and s_n^2 |e|^2 <= |r|^2 <= s_1^2 |e|^2
    slowest = contraction(problem, eta)
    fastest = 1 - eta * (2 - eta * shortest_row_squared(problem)) * problem.sigma_max**2 / problem.rows
    start = np.square(norm(e0, axis=-1))
    slack = moment_rounding(problem, problem.t, start)
    slack += 4 * norm(e0, axis=-1) * limit_rounding(problem, problem.w0 - e0)
    lower, upper = np.maximum(fastest, 0) ** problem.t * start, slowest**problem.t * start
    mean_square = np.trace(M, axis1=-2, axis2=-1)
    assert_within(lower, mean_square, upper, slack=slack, why="E|e_t|^2", instance=problem)


@corrected("C3")
@given(st.tuples(*[st.integers(-4, 4)] * 3), st.integers(1, 8))
def test_for_orthogonal_rows_of_one_length_the_rate_of_the_mean_square_is_attained(start, k):
    # given  rows of squared length 9, so that s_n^2 = l = 9 and |Xe|^2 = 9 |e|^2; n = 2, eta = k/36 < 2/9
    X, y, eta = fractions([[1, 2, 2], [2, 1, -2]]), fractions([3, 3]), Fraction(k, 36)
    w, limit = fractions(start), fractions([1, 1, 0])
    # when   the limit is (1, 1, 0) and the null part of the start, along (2, -2, 1)
    limit = limit + fractions([2, -2, 1]) * (fractions([2, -2, 1]) @ w) / 9
    squares = [np.square(descend(X, y, w, eta, [[row]])[-1] - limit).sum() for row in (0, 1)]
    # then
    rate = 1 - eta * (2 - 9 * eta) * Fraction(9, 2)
    assert_identical(sum(squares) / 2, rate * np.square(w - limit).sum(), why="mean square after a step")
    design = regression_of_design(X.astype(float), y.astype(float))
    # s_n^2 has the margin of sigma_min and the rounding of LAPACK, twice each as it is squared
    slack = 2 * (3 * design.construction + rounding(factorization(2, 3)))
    assert_equal_within(contraction(design, float(eta)), float(rate), slack, why="the rate of C3")


@pytest.mark.slow
@corrected("C1", "C2", "C3")
@given(wide_regressions(), tapes(2))
def test_on_data_of_wide_range_each_step_approaches_each_interpolant_by_what_its_residual_says(problem, tape):
    # given  exact arithmetic, features from 2^-200 to 2^200, any start and interpolant, eta l up to 2 - 2^-20
    X, y, w, n = problem.X, problem.y, problem.w0, len(problem.y)
    squares = (X**2).sum(1)
    ell, eta = squares.max(), problem.eta * problem.largest_curvature / squares.max()
    batches = [(int(squares.argmax()),), (tape.below(n), tape.below(n))]
    # when
    steps = [descend(X, y, w, eta, [batch])[-1] for batch in batches]
    # then   C2, attained by the longest row
    e, b = w - problem.limit(problem.other), np.array([1, 2])
    r = np.array([sum((X[i] @ w - y[i]) ** 2 for i in batch) for batch in batches])
    approach = np.array([e @ e - (e + step - w) @ (e + step - w) for step in steps])
    assert_within(eta * (2 - eta * ell) * r / b, approach, 2 * eta * r / b, why="approach", instance=problem)
    assert_identical(approach[0], eta * (2 - eta * ell) * r[0], why="the longest row attains the bound")
    # and    C1, and C3 for one step from w_0
    assert_identical([problem.in_row_space(step - w) for step in steps], [step - w for step in steps], why="row(X)")
    e = w - problem.limit(w)
    moved = [e + descend(X, y, w, eta, [[i]])[-1] - w for i in range(n)]
    mean_square = sum(after @ after for after in moved) / Fraction(n)
    contraction = 1 - eta * (2 - eta * ell) * problem.least_curvature / n
    assert_at_most(mean_square, contraction * (e @ e), why="the mean square contracts", instance=problem)


@corrected("C1")
def test_with_any_rows_no_order_leaves_the_plane_on_which_the_limit_of_gradient_descent_is_the_only_interpolant():
    # given  rows (1, 2, 0) and (0, 1, 1), which z = (2, -1, 1) annihilates
    X, y, start, z = fractions([[1, 2, 0], [0, 1, 1]]), fractions([1, -2]), fractions([1, 0, 1]), fractions([2, -1, 1])
    # when   all 64 orders of six samples, and GD
    orders = [[[row] for row in order] for order in product(range(2), repeat=6)]
    paths = [descend(X, y, start, Fraction(1, 5), order) for order in [*orders, [(0, 1)] * 6]]
    # then   <z, w_t> is <z, w_0> at every time of every order
    components = {z @ w for path in paths for w in path}
    assert_identical(sorted(components), [3], why="<z, w_t> = <z, w_0>")
