r"""Section 3.3: stochastic gradient descent - where the data are interpolated, its noise adds no bias.

Section     3.3, the paragraph on stochastic gradient descent
Printed     Noise from minibatching introduces additional implicit regularization beyond deterministic GD
Reading     In the setting of Section 3, "linear models", p > n and rank X = n, where the bias of GD is the limit that
            it selects: the noise moves the limit. With V the variance of the minibatch gradient at the start and d the
            squared distance between the limits of SGD and GD: $V \le C\, d$ for some constant C. Read as a statement of
            existence it fares no better: by (C1) d = 0 on all data of this setting, wherever SGD interpolates in the
            end
Readings    [shorter weights] "regularization" is that of the l2 norm, as in Section 3.1, at every time: in the mean
            over the samples the noise makes $\|w_t\|^2$ less than it is under GD - refuted
Setting     $L(w) = \frac1{2n} \|Xw - y\|^2$; $w_{t+1} = w_t - \frac\eta b \sum_{i \in B_t} x_i (x_i^\top w_t - y_i)$,
            minibatches $B_t$ of b rows drawn with replacement, or without it in shuffled epochs; GD is B = all rows.
            $e_t = w_t - w_\infty$, $w_\infty$ the interpolant nearest w_0; $\ell = \max_i \|x_i\|^2$
Hypotheses  (H1) some w solves Xw = y; rank X = n suffices.  (H2) 0 < eta < 2/max |x_i|^2.
            (H3) the model is linear in its parameters. These are of the corrected statement.
Corrected   (C1) Every iterate stays in $w_0 + \operatorname{row}(X)$, whatever X, the step and the order of the
            samples.
            (C2) Under H1, with $r_B$ the residual of the minibatch and e_t = w_t - v for any interpolant v, every step
            satisfies $\eta(2 - \eta\ell) \|r_B\|^2/b \le \|e_t\|^2 - \|e_{t+1}\|^2 \le 2\eta \|r_B\|^2/b$; the longest
            row alone attains the lower bound.
            (C3) So under H1 to H3 SGD has the limit of GD: in shuffled epochs surely; with replacement almost surely,
            with $E\|e_t\|^2 \le (1 - \eta(2 - \eta\ell) s_n^2/n)^t \|e_0\|^2$ for single rows.
            (C4) For the factored model $w = u^2 - v^2$, with $g = 2\,\partial L/\partial w$ on the minibatch,
            $\ln|uv|_T = \ln|uv|_0 + \sum_t \ln|1 - \eta^2 g_t^2|$. As long as $\eta |g| < 1$ for each single row, a
            step on a random row lowers the mean of $\ln|uv|$ by at least $\eta^2 \operatorname{Var} g$ more than a step
            of GD from the same point.
            (C5) With replacement the mean of $w_t$ is GD's iterate, so that the mean of $\|w_t\|^2$ is that of GD and
            the trace of the covariance of $w_t$ on top.
Differs     The corrected statement is that the noise does not move the limit. Where it does, in (C4), the model is
            another one and not linear in its parameters.
Idea        A minibatch gradient is a combination of the same rows, and at an interpolant it vanishes for every
            minibatch: the noise dies with the residual, and nothing ever moves the null part of w_0.
Source      Strohmer, Vershynin (2009), A Randomized Kaczmarz Algorithm with Exponential Convergence; Ma, Bassily,
            Belkin (2018), The Power of Interpolation: Understanding the Effectiveness of SGD in Modern
            Over-parametrized Learning; Pesme, Pillaud-Vivien, Flammarion (2021), Implicit Bias of SGD for Diagonal
            Linear Networks: a Provable Benefit of Stochasticity
Tolerance   Limits by Theorem 3.1's certificate (null drift and residual over s_n) against LAPACK's least squares; steps
            and moments up to a first-order rounding analysis. Second moments are iterated exactly, never sampled; the
            search of wide range is exact.
Chance      A sampled run converges within its budget but for 1e-12 per instance, by Markov's inequality on the second
            moment: below 1e-9 for the fast run. Shuffled epochs have a budget without chance.
Findings    In the factored model the noise does add a bias, of order eta^2 a step. Data that are not interpolated need
            not have a limit: on the row (1, 0) with the targets 0 and 1 the variance stays at eta/(4(2 - eta)).
Expected    refuted
"""

from fractions import Fraction
from itertools import accumulate, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.dynamics.stochastic import (
    all_rows,
    every_order,
    factored_descent,
    minibatch_gradient,
    second_moment,
    shuffled,
    stochastic_gradient_descent,
    with_replacement,
)
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import measured, regressions
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_certified,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
)
from properties.least_squares import distance_to_limit, iterate_rounding
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity

SEED = 331
CHANCE = 1e-12
SAMPLED_WITHIN, SHUFFLED_WITHIN = 1e-8, 1e-3
"""The share of |e_0| down to which the runs go, by sampling and in epochs."""
NOISE_FACTOR = 10**6
"""The constant C of the printed V <= C d that the search refutes."""

problems = regressions(max_rows=3, max_excess=3).map(gently_conditioned)


def longest_row(problem):
    """Max |x_i|^2, (B,)."""
    return np.square(problem.X).sum(-1).max(-1)


def shortest_row(problem):
    """Min |x_i|^2 over the rows that are not padding, (B,)."""
    squares = np.square(problem.X).sum(-1)
    return np.where(squares > 0, squares, np.inf).min(-1)


def contraction(problem, eta):
    """The factor 1 - eta(2 - eta max |x_i|^2) s_n^2/n that bounds how E|e|^2 changes in a step of a single row."""
    return 1 - eta * (2 - eta * longest_row(problem)) * problem.sigma_min**2 / problem.rows


def epoch_contraction(problem, eta):
    """A factor that bounds how |e|^2 changes in any epoch that visits every row once, in whatever order.

    Let r be the residuals met on the way and G = XX'. The residuals at the epoch's start are (I + eta N) r, N the part
    of G below the diagonal in the order of the visits; |N|_F does not depend on that order. So
    |Xe| <= (1 + eta |N|_F)|r|, and |e|^2 falls by eta(2 - eta max |x_i|^2)|r|^2 at least.
    """
    squares = np.square(problem.X @ problem.X.mT)
    below = np.sqrt((squares.sum((-2, -1)) - np.trace(squares, axis1=-2, axis2=-1)) / 2)
    fall = eta * (2 - eta * longest_row(problem)) * problem.sigma_min**2
    return 1 - fall / (1 + eta * below) ** 2


def oracle_rounding(problem, limit):
    """The error of a computed limit, as in properties.least_squares.distance_to_limit."""
    size = norm(problem.w0, axis=-1) + norm(limit, axis=-1)
    return 32 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * problem.condition * size


def sampled_run(problem):
    """SGD in minibatches of two from w_0 to the drawn time, its order, and the drawn step eta < 2/max |x_i|^2 (H2)."""
    eta = problem.step / longest_row(problem)
    order = with_replacement(np.random.default_rng(SEED), problem.rows, 200, 2)
    run = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order, problem.t)
    return run, order, eta


def assert_reaches_the_limit_of_gradient_descent(problem, run, within):
    """The run ends at the interpolant nearest w_0, GD's limit by Theorem 3.1, up to `within` of where it started."""
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    assert_certified(distance_to_limit(problem, run, problem.w0, limit))
    bound = within * norm(problem.w0 - limit, axis=-1) + iterate_rounding(problem, run)
    assert_at_most(norm(run.w - limit, axis=-1), bound, why="convergence within the budget", instance=problem)


@corrected("C3")
@given_batches(problem=problems)
def test_sampled_with_replacement_the_limit_is_that_of_gradient_descent(problem):
    # given  the steps after which P(|e_T| > SAMPLED_WITHIN |e_0|) <= CHANCE, by Markov on the second moment
    eta, within = 1 / longest_row(problem), SAMPLED_WITHIN
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
    eta, within = 1 / longest_row(problem), SHUFFLED_WITHIN
    epochs = steps_to_contract(epoch_contraction(problem, eta), within**2)
    order = shuffled(np.random.default_rng(SEED), problem.rows, int(epochs.max()))
    # when
    run = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order)
    # then
    assert_reaches_the_limit_of_gradient_descent(problem, run, within)


@corrected("C3")
@given_batches(problem=problems)
def test_any_single_epoch_contracts_whatever_its_order(problem):
    eta, limit = 1 / longest_row(problem), nearest_interpolant(problem.X, problem.y, problem.w0)
    # when
    order = shuffled(np.random.default_rng(SEED), problem.rows, 1)
    run = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order)
    # then
    bound = np.sqrt(epoch_contraction(problem, eta)) * norm(problem.w0 - limit, axis=-1)
    rounding = iterate_rounding(problem, run) + oracle_rounding(problem, limit)
    assert_at_most(norm(run.w - limit, axis=-1), bound + rounding, why="an epoch contracts", instance=problem)


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
    scale = norm(here.w, axis=-1) + norm(some, axis=-1) + norm(problem.y, axis=-1)
    slack = 4 * scale * (iterate_rounding(problem, here) / (problem.t + 1) + oracle_rounding(problem, some))
    least = (1 - problem.step / 2) * most
    assert_within(least, approach, most, slack=slack, why="approach to an interpolant", instance=problem)


@st.composite
def minibatches(draw):
    """A size b, a number of steps, and whether rows may repeat: few enough orders to run them all."""
    return draw(st.integers(1, 2)), draw(st.integers(0, 2)), draw(st.booleans())


@corrected("C3")
@given(problem=regressions(max_rows=3, max_excess=2), minibatch=minibatches())
def test_the_second_moment_recursion_is_the_mean_over_all_orders(problem, minibatch):
    (batch, steps, replacement), n = minibatch, problem.rows
    batch = min(batch, n)
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    # when   every order is run, the independent minibatches being equally likely
    order = every_order(n, steps, batch, replacement=replacement)
    X, y, w0 = (np.broadcast_to(data, (len(order), *data.shape)) for data in (problem.X, problem.y, problem.w0))
    e = stochastic_gradient_descent(X, y, w0, problem.step, order).w - limit
    # then
    e0 = problem.w0 - limit
    M = second_moment(problem.X, np.outer(e0, e0), problem.step, steps, rows=n, batch=batch, replacement=replacement)
    largest = max(norm(e0), norm(e, axis=-1).max())
    steps_rounding = (1 + steps) * 64 * problem.columns * UNIT_ROUNDOFF * (largest + norm(limit))
    hidden = oracle_rounding(problem, limit) + steps_rounding
    bound = 4 * hidden * (largest + hidden)
    assert_at_most(norm(np.einsum("ki,kj->ij", e, e) / len(order) - M), bound, why="E[ee']", instance=problem)


@corrected("C3")
@given_batches(problem=problems)
def test_the_mean_square_error_contracts_between_the_rates_of_the_extreme_rows(problem):
    # given  H2: any step below 2/max |x_i|^2
    eta = problem.step / longest_row(problem)
    e0 = problem.w0 - nearest_interpolant(problem.X, problem.y, problem.w0)
    # when   E[ee'] by its recursion, to the drawn time
    M = second_moment(problem.X, e0[:, :, None] * e0[:, None, :], eta, problem.t, rows=problem.rows)
    # then   E|e|^2 - E|e'|^2 = (eta/n) sum (2 - eta|x_i|^2) E r_i^2 and s_n^2 |e|^2 <= |r|^2 <= s_1^2 |e|^2
    slowest = contraction(problem, eta)
    fastest = 1 - eta * (2 - eta * shortest_row(problem)) * problem.sigma_max**2 / problem.rows
    start = np.square(norm(e0, axis=-1))
    slack = (1 + problem.t) * 64 * problem.columns**2 * UNIT_ROUNDOFF * start
    slack += 4 * norm(e0, axis=-1) * oracle_rounding(problem, problem.w0 - e0)
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
    computed = contraction(measured(X.astype(float), y.astype(float)), float(eta))
    assert_within(rate, computed, rate, slack=64 * UNIT_ROUNDOFF, why="the rate of C3")


def factored_step(problem):
    """A step eta at which eta |g| stays below 1/2 for w = u^2 - v^2: 1/(64(1 + |y|))."""
    return 1 / (64 * (1 + norm(problem.y, axis=-1)))


@corrected("C4")
@given_batches(problem=problems)
def test_in_the_factored_model_the_products_shrink_by_the_squares_of_the_gradients(problem):
    # given  u_0 = 1 and v_0 = 1/2, so that w_0 = 3/4
    eta, steps, one = factored_step(problem), 100, np.ones_like(problem.w0)
    order = with_replacement(np.random.default_rng(SEED), problem.rows, steps)
    # when
    u, v = factored_descent(problem.X, problem.y, one, one / 2, eta, order)
    # then   ln|uv|_T - ln|uv|_0 = sum ln(1 - eta^2 g_t^2) on the gradients along the path
    chosen = np.moveaxis(order, 1, 0)
    g = 2 * minibatch_gradient(problem.X[None], problem.y[None], u[:-1] ** 2 - v[:-1] ** 2, chosen)
    error = np.log(np.abs(u[-1] * v[-1])) - np.log(1 / 2) - np.log1p(-((eta[:, None] * g) ** 2)).sum(0)
    rounding = steps * 64 * problem.columns * UNIT_ROUNDOFF
    assert_at_most(np.abs(error).max(-1), rounding, why="ln|uv| along the path", instance=problem)


def row_gradients(problem, w):
    """The gradients x_i (x_i.w - y_i) of the single rows (n, B, p), and the weight 1/n of each (B, n), 0 in padding."""
    order = every_order(problem.X.shape[-2], 1, 1, replacement=True)
    g = [minibatch_gradient(problem.X, problem.y, w, np.resize(i, (len(w), 1))) for i in order]
    return np.stack(g), (np.square(problem.X).sum(-1) > 0) / problem.rows[:, None]


@corrected("C4")
@given_batches(problem=problems)
def test_in_the_factored_model_a_step_of_sgd_shrinks_the_products_more_than_one_of_gd(problem):
    # given  u = 1 + |w_0|/4 and v = 1/2
    eta, u, v = factored_step(problem)[:, None], 1 + np.abs(problem.w0) / 4, np.full_like(problem.w0, 1 / 2)
    g, weight = row_gradients(problem, u**2 - v**2)
    squares, full = (2 * g) ** 2, (2 * np.einsum("bi,ibj->bj", weight, g)) ** 2
    # when   one step on each row, and one of full gradient descent, whose ln|uv| is f(full) below
    paths = [factored_descent(problem.X, problem.y, u, v, eta[:, 0], np.full((1, 1, 1), i)) for i in range(len(g))]
    sgd = np.einsum("bi,ibj->bj", weight, np.stack([np.log(a[-1] * b[-1]) for a, b in paths]))
    gd = np.log(u * v) + np.log1p(-(eta**2) * full)
    # then   eta |g| < 1, and f(z) = -ln(1 - eta^2 z) has f' >= eta^2 and f'' at most eta^4/(1 - eta^2 max z)^2
    assert_at_most(eta * np.sqrt(squares.max(0)), 1 / 2, why="eta |g| for every row", instance=problem)
    variance = np.einsum("bi,ibj->bj", weight, squares) - full
    spread = np.einsum("bi,ibj->bj", weight, (squares - full) ** 2)
    least = eta**2 * variance / (1 - eta**2 * full)
    most = least + spread * (eta**2 / (1 - eta**2 * squares.max(0))) ** 2 / 2
    slack = 64 * problem.columns[:, None] * UNIT_ROUNDOFF
    assert_within(least, gd - sgd, most, slack=slack, why="one step of E ln|uv|", instance=problem)


def descend(X, y, start, eta, order):
    """The iterates w_0, w_1, ... of the given minibatches, by the gradients that SGD uses; exact on fractions."""
    return list(accumulate(order, lambda w, rows: w - eta * minibatch_gradient(X, y, w, np.array(rows)), initial=start))


def gradient_variance(X, y, w):
    """The variance (1/n) sum |g_i - mean|^2 of the gradient of a single row; exact on fractions."""
    g = np.stack([minibatch_gradient(X, y, w, np.array([row])) for row in range(len(X))])
    return np.square(g - g.sum(0) / len(g)).sum() / len(g)


def mean_square_and_square_of_the_mean(X, y, start, eta, steps):
    """The mean of |w_t|^2 over all orders of single rows, and |w_t|^2 of GD; exact on fractions."""
    orders = product(range(len(X)), repeat=steps)
    ends = [descend(X, y, start, eta, [[row] for row in order])[-1] for order in orders]
    gd = descend(X, y, start, eta, [tuple(range(len(X)))] * steps)[-1]
    return sum(w @ w for w in ends) / Fraction(len(ends)), gd @ gd


@counterexample(reading="shorter weights")
def test_one_step_from_zero_is_twice_as_long_in_the_mean_of_squares_as_that_of_gradient_descent():
    # given  rows e_1 and e_2 in R^3, targets 1, eta = 1/2: a step is e_i/2, and (1/4, 1/4, 0) under GD
    X, y = fractions([[1, 0, 0], [0, 1, 0]]), fractions([1, 1])
    sgd, gd = mean_square_and_square_of_the_mean(X, y, fractions([0, 0, 0]), Fraction(1, 2), 1)
    assert_violates(sgd, gd, reads="E|w_1|^2 = {value} > {limit} of GD", X=X, y=y, w0=0, eta="1/2")


@counterexample(reading="shorter weights")
def test_a_search_finds_data_on_which_the_noise_lengthens_the_weights():
    # given  two rows in R^3 of rank two by their first columns, integer targets, two steps of 1/8 from zero
    numbers = st.integers(-2, 2)
    instances = st.tuples(numbers, numbers, numbers, numbers)

    def sides(instance):
        a, b, *y = instance
        X = fractions([[1, 0, a], [0, 1, b]])
        return mean_square_and_square_of_the_mean(X, fractions(y), fractions([0, 0, 0]), Fraction(1, 8), 2)

    found = smallest_violation(instances, lambda instance: sides(instance)[0] > sides(instance)[1])
    sgd, gd = sides(found)
    assert_violates(sgd, gd, reads="E|w_2|^2 = {value} > {limit} of GD", x_13=found[0], x_23=found[1], y=found[2:])


@corrected("C5")
@given(problem=regressions(max_rows=3, max_excess=2), t=st.integers(0, 3))
def test_the_mean_over_all_orders_is_the_iterate_of_gradient_descent(problem, t):
    # given  every order of t single rows, and GD on the mean loss
    order = every_order(problem.rows, t, 1, replacement=True)
    X, y, w0 = (np.broadcast_to(data, (len(order), *data.shape)) for data in (problem.X, problem.y, problem.w0))
    # when
    w = stochastic_gradient_descent(X, y, w0, problem.step, order).w
    gd = stochastic_gradient_descent(problem.X, problem.y, problem.w0, problem.step, all_rows(problem.rows, t)).w
    # then   E|w|^2 - |Ew|^2 is the trace of the covariance
    largest = norm(w, axis=-1).max() + norm(problem.w0) + norm(problem.y)
    rounding = (1 + t) * 64 * problem.columns * UNIT_ROUNDOFF * largest
    assert_at_most(norm(w.mean(0) - gd), rounding, why="mean of the iterates", instance=problem)
    longer, trace = np.square(w).sum(-1).mean() - gd @ gd, w.var(0).sum()
    assert_within(trace, longer, trace, slack=4 * rounding * largest, why="E|w|^2 - |w_GD|^2", instance=problem)


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


@counterexample
def test_with_orthogonal_rows_every_order_of_samples_lands_on_the_limit_of_gradient_descent():
    # given  orthogonal rows of squared length 9, and w_0 in their null space
    X, y, start = fractions([[1, 2, 2], [2, 1, -2]]), fractions([3, 3]), fractions([2, -2, 1])
    # when   GD with eta = 2/9, which interpolates at once, and an epoch of SGD with eta = 1/9 in either order
    gd = descend(X, y, start, Fraction(2, 9), [(0, 1)])[-1]
    ends = [descend(X, y, start, Fraction(1, 9), order)[-1] for order in ([[0], [1]], [[1], [0]])]
    # then
    assert_identical(X @ gd, y, why="GD interpolates")
    d = max(np.square(end - gd).sum() for end in ends)
    V = gradient_variance(X, y, start)
    assert_violates(V, d, reads="gradient variance {value} > {limit} = C d for every C", X=X, y=y, w0=start)


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


def variance_and_displacement(problem):
    """V, and a bound on d after 20 shuffled epochs: from there no order moves SGD farther from GD's limit."""
    eta = 1 / np.square(problem.X).sum(-1).max()
    order = shuffled(np.random.default_rng(SEED), np.array([problem.rows]), 20)
    w = stochastic_gradient_descent(problem.X[None], problem.y[None], problem.w0[None], eta, order).w[0]
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    apart = norm(w - limit) + oracle_rounding(problem, limit)
    return gradient_variance(problem.X, problem.y, problem.w0), apart**2


def noise_without_displacement(problem):
    """Whether V > NOISE_FACTOR d."""
    V, d = variance_and_displacement(problem)
    return NOISE_FACTOR * d < V


@counterexample
def test_a_search_finds_noise_that_does_not_move_the_limit():
    # when
    found = smallest_violation(problems, noise_without_displacement)
    # then
    V, d = variance_and_displacement(found)
    reads = "gradient variance {value} > {limit} = 10^6 d"
    assert_violates(V, NOISE_FACTOR * d, reads=reads, X=found.X, y=found.y, w0=found.w0)


@necessity("H1")
@given(step=st.sampled_from([1.0, 0.5, 0.25, 1.5]), start=st.integers(-3, 3), t=st.integers(0, 6))
def test_without_H1_the_noise_never_dies_and_the_variance_is_stationary(step, start, t):
    # given  the row (1, 0) twice with targets 0 and 1
    X, y, w0 = np.array([[1.0, 0], [1, 0]]), np.array([0.0, 1]), np.array([start, 1.0])
    assert_keeps(H2=step * (X**2).sum(1) < 2, H3=True)
    order = every_order(2, t, 1, replacement=True)
    X, y, w0 = (np.broadcast_to(data, (len(order), *data.shape)) for data in (X, y, w0))
    # when   every order is run
    w = stochastic_gradient_descent(X, y, w0, step, order).w
    # then   Var' = (1 - eta)^2 Var + eta^2/4, which tends to eta/(4(2 - eta)); GD has Var = 0
    exact = step / (4 * (2 - step)) * (1 - (1 - step) ** (2 * t))
    rounding = 64 * (1 + t) * (1 + abs(start)) ** 2 * UNIT_ROUNDOFF
    assert_within(
        exact, w[:, 0].var(), exact, slack=rounding, why="variance over all orders", instance=(step, start, t)
    )
    mean = 1 / 2 + (start - 1 / 2) * (1 - step) ** t
    assert_within(mean, w[:, 0].mean(), mean, slack=rounding, why="mean is GD's iterate", instance=(step, start, t))


@necessity("H2")
@given_batches(problem=problems)
def test_without_H2_every_step_moves_away_from_every_interpolant(problem):
    # given  eta |x_i|^2 >= 2.02 for every row
    eta, t = 2.02 / shortest_row(problem), problem.t % 20
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    misses = norm(np.matvec(problem.X, limit) - problem.y, axis=-1)
    assert_keeps(H1=misses <= oracle_rounding(problem, limit) + 16 * UNIT_ROUNDOFF * norm(problem.y, axis=-1), H3=True)
    order = with_replacement(np.random.default_rng(SEED), problem.rows, 20)
    # when
    here, there = (
        stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order, t + after) for after in (0, 1)
    )
    # then   |e'|^2 - |e|^2 = eta (eta |x_i|^2 - 2) r_i^2 >= 0.02 eta r_i^2
    i = np.take_along_axis(order[..., 0], t[:, None], -1)
    r = np.take_along_axis(np.matvec(problem.X, here.w) - problem.y, i, -1)[:, 0]
    growth = norm(there.w - limit, axis=-1) ** 2 - norm(here.w - limit, axis=-1) ** 2
    scale = (1 + eta) * (there.largest + norm(limit, axis=-1) + norm(problem.y, axis=-1))
    slack = 64 * problem.columns * UNIT_ROUNDOFF * scale**2 + 4 * scale * oracle_rounding(problem, limit)
    assert_at_most(0.02 * eta * r**2, growth + slack, why="the error grows", instance=problem)


@necessity("H3")
def test_without_H3_the_noise_selects_another_interpolant():
    # given  w = u^2 - v^2 from u = v = 1/2, n = 2 rows in R^3, and a step that is not small
    X, y, half = np.array([[1.0, 2, 0], [0, 1, 1]]), np.array([1.0, 2]), np.full(3, 1 / 2)
    order = with_replacement(np.random.default_rng(SEED), np.array([2]), 2000)[0]
    # when
    (u, v), (full_u, full_v) = (factored_descent(X, y, half, half, 0.1, rows) for rows in (order, all_rows(2, 2000)))
    sgd, gd = u[-1] ** 2 - v[-1] ** 2, full_u[-1] ** 2 - full_v[-1] ** 2
    assert_keeps(H1=np.linalg.matrix_rank(X) == len(X), H2=0.1 * np.square(X).sum(1) < 2)
    # then   both interpolate; they are apart by more than moving each on to an exact interpolant can bridge
    residuals = norm(X @ sgd - y) + norm(X @ gd - y)
    bridge = (residuals + 64 * UNIT_ROUNDOFF * (norm(sgd) + norm(gd))) / np.linalg.svd(X).S[-1]
    assert_at_most(bridge, norm(sgd - gd), why="SGD and GD interpolate differently")
