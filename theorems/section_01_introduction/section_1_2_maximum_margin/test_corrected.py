r"""Section 1.2: maximum margin - how large the margin is after T steps.

Setting     $z_i = y_i x_i$, $i \le n$; $L(w) = \frac1n \sum_i \phi(z_i \cdot w)$. The norm $\|\cdot\|$ is l2 or l1, and
            $\|\cdot\|_*$ is its dual. $\operatorname{margin}(w) = \min_i z_i \cdot w$,
            $\gamma^* = \max_{\|w\| \le 1} \min_i z_i \cdot w$, $R = \max_i \|z_i\|_*$. Steepest descent takes steps of
            lengths $e_t$ in that norm, and $S = \sum e_t$. Plain gradient descent is the case l2 with
            $e_t = \eta \|\nabla L(w_t)\|$. The losses are $\phi(m) = e^{-m}$ and $\ln(1 + e^{-m})$
Hypotheses  (H1) some $w$ has $z_i \cdot w > 0$ for all $i$. With $\operatorname{rank} Z = n$, as in overparameterized
            models, it always holds.
Corrected   (C1) For the exponential loss, under H1 and for any steps, $\operatorname{margin}(w_T) \ge \gamma^* S - R^2
            \sum e_t^2 / 2 - \ln \sum_i \phi(z_i \cdot w_0)$. The last term is $\ln n$ for $w_0 = 0$. For both losses a
            step changes $\ln \sum_i \phi$ by at most $-e_t \rho_t \|Z^\top q\|_* + e_t^2 R^2/2$ with the weights
            $q = |\phi'|/\sum |\phi'|$ and $\rho_t = \sum |\phi'|/\sum \phi$; the term $e_t^2 R^2/2$ is attained to
            order $e_t^4$.
            (C2) Under H1, plain gradient descent from $0$ on the exponential loss with $\eta = 1/R^2$ has $\ln(1 + \eta
            \gamma^{*2} T/2) - \ln n \le \operatorname{margin}(w_T) \le \ln(1 + (\exp(1) - 1) T)$.
            (C3) Let the run start at $0$, and let $\bar q$ be the mean of the weights $q$ of all steps, in proportion
            to $e_t \rho_t$. Then under H1 $\operatorname{margin}(w_T)/S \le \gamma^* \le \|Z^\top \bar q\|_*$. For the
            exponential loss, where $\rho_t = 1$, the two ends are no farther apart than $(R^2 \sum e_t^2/2 + \ln n)/S$.
Idea        $\ln \sum_i \phi$ is convex along a step, and $R^2$ bounds its curvature. Every $\|Z^\top q\|_*$ with $q$ in
            the simplex is at least $\gamma^*$ (minimax), and $\|w_T\| \le S$ from $0$. By (C2) the margin of plain
            gradient descent grows like $\ln T$
Tolerance   The inequality is proved in `properties.linear_models.margins.shortfall`, and its rounding is added.
            $\gamma^*$ is enclosed by NNLS (l2) and HiGHS (l1); we evaluate their primal and dual points ourselves
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.steepest_descent import EXPONENTIAL, plain_gradient_descent, steepest_descent
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.separable import separable_data, signed
from properties.certificates import assert_at_most, assert_equal_within, assert_within
from properties.linear_models.margins import (
    cost_of_steps,
    dual_bound,
    largest_margin,
    margin,
    radius,
    run_rounding,
    shortfall,
)
from theorems.ledger import corrected
from theorems.section_01_introduction.section_1_2_maximum_margin.problems import wide_separable
from theorems.section_01_introduction.section_1_2_maximum_margin.runs import for_both_losses, in_both_norms, short_steps


@in_both_norms
@corrected("C1")
@given_batches(problem=separable_data())
def test_the_loss_falls_by_the_pull_of_its_gradient_less_the_cost_of_the_steps(problem, order):
    # given  steps so short that the upper and the lower bound nearly meet
    lengths = short_steps(problem, order) / 50
    # when
    run = steepest_descent(problem.Z, problem.present, np.zeros_like(problem.u), lengths, order)
    # then   convexity of ln L bounds its fall from above; Hoeffding's bound R^2 on its curvature does so from below
    fallen, slack = np.log(problem.rows) - run.last, run_rounding(problem, run, order)
    least = run.progress - cost_of_steps(problem, run, order)
    assert_within(least, fallen, run.progress, slack=slack, why="fall of ln L in t steps", instance=problem)


@corrected("C1")
@given(k=st.integers(10, 1000))
def test_the_cost_of_a_step_is_attained(k):
    # given  z = (s/10, 1) and (s/10, -1), so that R = 1; a third point of length 1/2, with a loss of at most exp(-50)
    #        times that of the first two; and a start whose second coordinate is off balance by s
    s = 1 / k
    problem = signed(np.array([[s / 10, 1], [s / 10, -1], [1 / 2, 0]]), np.ones(3))
    # when   one l1 step of length s restores the balance
    run = steepest_descent(problem.Z, problem.present, np.array([110.0, -s]), np.array([s]), 1)
    # then   ln G falls by ln cosh s. The bound of C1 on its change is -s tanh s + s^2/2, which differs by at most s^4/4
    upper = shortfall(problem, run, EXPONENTIAL, 1) - run.progress
    slack = run_rounding(problem, run, 1) + 2 * np.exp(-42)
    assert_within(upper - s**4 / 4, run.last, upper, slack=slack, why="ln n + R^2 e^2 / 2 less the progress")


@in_both_norms
@corrected("C3")
@given_batches(problem=separable_data())
def test_the_average_of_the_weights_encloses_the_largest_margin_without_solving_for_it(problem, order):
    best = largest_margin(problem, order)
    # when
    run = steepest_descent(problem.Z, problem.present, np.zeros_like(problem.u), short_steps(problem, order), order)
    # then   margin(w_t)/S <= gamma* <= |Z'q_bar|_* <= the mean of |Z'q|_*. The two ends of the enclosure are at most
    #        A/S apart, where A is the shortfall of the run
    above, slack = dual_bound(problem, run.average, order), 2 * run_rounding(problem, run, order) / run.length
    pull = run.progress / run.effective
    assert_within(best.lower, above, pull, slack=slack, why="duality at the average weights", instance=problem)
    width = shortfall(problem, run, EXPONENTIAL, order) / run.length + slack
    assert_at_most(above - margin(problem, run.w) / run.length, width, why="the enclosure's width", instance=problem)


@corrected("C3")
def test_the_width_of_the_enclosure_is_nearly_attained_by_one_step_that_helps_one_of_two_points():
    # given  z = (1, 1/200) and (-98/100, 1/200): the pull of e_1 is 1/100, and that of e_2 is 1/200
    problem = signed(np.array([[1, 1 / 200], [-98 / 100, 1 / 200]]), np.ones(2))
    # when   one l1 step along e_1, of the length (2 ln 2)^(1/2) for which the bound is least
    run = steepest_descent(problem.Z, problem.present, np.zeros(2), np.array([np.sqrt(2 * np.log(2))]), 1)
    # then   the ends are 1/100 and -98/100
    width = dual_bound(problem, run.average, 1) - margin(problem, run.w) / run.length
    bound = shortfall(problem, run, EXPONENTIAL, 1) / run.length
    assert_within(4 / 5 * bound, width, bound, why="the enclosure's width")


@corrected("C1")
@given_batches(problem=separable_data())
def test_from_a_start_on_the_wrong_side_the_guarantee_counts_the_loss_there_and_not_ln_n(problem):
    # given  a start so far on the wrong side that t steps cannot reach the guarantee with ln n, which holds from zero
    best, lengths = largest_margin(problem, 2), short_steps(problem, 2)
    S, R = lengths.sum(-1), radius(problem, 2)
    promise = best.lower * S - R**2 * (lengths**2).sum(-1) / 2 - np.log(problem.rows)
    far = (R * S - promise + 1) / problem.certified_margin(2)
    start = -far[:, None] * problem.u / norm(problem.u, axis=-1, keepdims=True)
    # when
    run = steepest_descent(problem.Z, problem.present, start, lengths, 2)
    # then   the guarantee with ln sum phi(z_i . w_0) holds, and margin(w_t) <= margin(w_0) + R S <= promise - 1
    reached, slack = margin(problem, run.w), run_rounding(problem, run, 2)
    guarantee = best.lower * run.effective - shortfall(problem, run, EXPONENTIAL, 2)
    assert_at_most(guarantee, reached + slack, why="the guarantee of any start", instance=problem)
    assert_at_most(reached + 1, promise + slack, why="short of the guarantee of a start at zero", instance=problem)


def logarithms(rate, n, T):
    """The two sides of C2 as bounds on the margin after T steps, with rate = eta gamma*^2."""
    return np.log1p(rate * T / 2) - np.log(n), np.log1p((np.e - 1) * T)


@corrected("C2")
@given_batches(problem=separable_data())
def test_plain_gradient_descent_gains_margin_like_the_logarithm_of_time_no_faster_and_no_slower(problem):
    # given  exponential loss, eta = 1/R^2
    best, eta = largest_margin(problem, 2), 1 / radius(problem, 2) ** 2
    # when
    run = plain_gradient_descent(problem.Z, problem.present, np.zeros_like(problem.u), eta, 200)
    # then   a step multiplies 1/L by exp(x), eta L gamma*^2 / 2 <= x <= eta L R^2 <= 1, and exp(x) <= 1 + (e - 1)x
    (lower, upper), slack = logarithms(eta * best.lower**2, problem.rows, 200), run_rounding(problem, run, 2)
    assert_within(lower, margin(problem, run.w), upper, slack=slack, why="margin against ln T", instance=problem)


@corrected("C2")
def test_the_two_logarithms_of_two_points_by_hand():
    # given  eta gamma*^2 = 1/2, n = 2 and T = 8: the margin is between ln((1 + 2)/2) and ln(1 + 8 (e - 1))
    lower, upper = logarithms(1 / 2, 2, 8)
    assert_equal_within(np.exp(lower), 3 / 2, rounding(5, 3 / 2), why="the lower bound")
    assert_equal_within(np.exp(upper), 8 * np.e - 7, rounding(5, 8 * np.e), why="the upper bound")


@corrected("C2")
def test_a_single_point_comes_within_a_seventh_of_both_logarithms():
    # given  z = 1, so that gamma* = R = eta = 1, and w <- w + exp(-w)
    problem = signed(np.ones((1, 1)), np.ones(1))
    run = plain_gradient_descent(problem.Z, problem.present, np.zeros(1), 1.0, 200)
    # then   the margin lies between ln 101 and ln 344.7
    lower, upper = logarithms(1.0, 1, 200)
    assert_within(6 / 7 * upper, margin(problem, run.w), 7 / 6 * lower, why="margin against both logarithms")


@pytest.mark.slow
@in_both_norms
@for_both_losses
@corrected("C1", "C3")
@pytest.mark.parametrize("length", [4.0, 1.0, 2.0**-10])
@given_batches(problem=wide_separable())
def test_at_every_scale_and_for_steps_of_every_length_the_guarantee_holds(problem, length, order, loss):
    # given  largest margins down to a thousandth of R and less; t equal steps; a start at zero or along (1, ..., 1)
    best = largest_margin(problem, order)
    R, k = radius(problem, order)[:, None], np.arange(200)
    lengths, start = np.where(k < problem.t[:, None], length / R, 0), problem.w0 * (problem.t[:, None] % 2)
    # when
    run = steepest_descent(problem.Z, problem.present, start, lengths, order, loss)
    # then
    slack = run_rounding(problem, run, order)
    guarantee = best.lower * run.effective - shortfall(problem, run, loss, order)
    assert_at_most(guarantee, margin(problem, run.w) + slack, why="the guarantee", instance=problem)
    above = dual_bound(problem, run.average, order)
    assert_at_most(best.lower, above, why="duality at the average weights", instance=problem)
