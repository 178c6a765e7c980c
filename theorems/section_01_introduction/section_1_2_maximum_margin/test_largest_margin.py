r"""Section 1.2: maximum margin - the margin tends to the largest one.

Printed     The decision boundary of the $\theta^*$ that gradient descent selects has a large margin
Reading     "Often" and "in appropriate feature spaces" leave the conditions open, and H1 to H3 supply them. For linear
            scores $w \cdot x$, $\min_i y_i x_i \cdot w / \|w\|$ tends to its largest value, that of the hard-margin SVM
Setting     $z_i = y_i x_i$, $i \le n$; $L(w) = \frac1n \sum_i \phi(z_i \cdot w)$. The norm $\|\cdot\|$ is l2 or l1, and
            $\|\cdot\|_*$ is its dual. $\operatorname{margin}(w) = \min_i z_i \cdot w$,
            $\gamma^* = \max_{\|w\| \le 1} \min_i z_i \cdot w$, $R = \max_i \|z_i\|_*$. Steepest descent takes steps of
            lengths $e_t$ in that norm, and $S = \sum e_t$. Plain gradient descent is the case l2 with
            $e_t = \eta \|\nabla L(w_t)\|$. The start is $0$ unless a test names another
Hypotheses  (H1) some $w$ has $z_i \cdot w > 0$ for all $i$. With $\operatorname{rank} Z = n$, as in overparameterized
            models, it always holds.
            (H2) $\phi(m) = e^{-m}$ or $\ln(1 + e^{-m})$, the cross-entropy of two classes.
            (H3) short steps: plain gradient descent with a fixed $\eta \le 1/R^2$ from a start with $L \le 1$, such as
            $0$; or lengths for which $S$ grows without bound and $\sum e_t^2 / S$ tends to zero. Under H1 and H2 the
            lengths of plain gradient descent are of this kind.
Idea        For the exponential loss a step lowers $\ln \sum_i \phi$ by at least $e_t \gamma^* - e_t^2 R^2/2$: by the
            minimax theorem every $\|Z^\top q\|_*$ with $q$ in the simplex is at least $\gamma^*$. $\ln \sum_i \phi$
            bounds the least margin, and $\|w_T\| \le S$. The proof is the same for every norm
Tolerance   The margin lies between a guarantee, proved in `properties.linear_models.margins.shortfall`, and
            $\gamma^* \|w\|$, up to the rounding of the run. $\gamma^*$ is enclosed by NNLS (l2) and HiGHS (l1); we
            evaluate their primal and dual points ourselves
Findings    In l2 the best direction is unique. So under H1 to H3 the limit of the direction does not depend on $w_0$
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.steepest_descent import LOGISTIC, plain_gradient_descent, steepest_descent
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.separable import separable_data
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.linear_models.margins import (
    angle_bound,
    largest_margin,
    margin,
    normalized_margin,
    radius,
    run_rounding,
    shortfall,
)
from properties.search import smallest_violation
from theorems.ledger import counterexample, under_hypotheses
from theorems.section_01_introduction.section_1_2_maximum_margin.runs import (
    equal_steps,
    for_both_losses,
    in_both_norms,
    short_steps,
)


def squared_margins(Z):
    """For two integer points: the squared margins of the least-norm w with Zw = 1 and of the best w, as fractions."""
    a, b, c = (Fraction(int(Z[i] @ Z[j])) for i, j in ((0, 0), (0, 1), (1, 1)))
    t = min(max((a - b) / (a - 2 * b + c), Fraction(0)), Fraction(1))
    return (a * c - b * b) / (a - 2 * b + c), (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


@counterexample
def test_the_squared_loss_selects_a_smaller_margin_than_the_best():
    r"""For the squared loss on $z_1 = (1, 0, 0)$ and $z_2 = (2, 1, 1)$ with the targets 1, gradient descent from $0$
    ends at $w = 2 z_1 - \frac12 z_2 = (1, -\frac12, -\frac12)$. Both margins are $1$ and $\|w\|^2 = \frac32$, so the
    normalized margin has the square $\frac23$. The largest is at least that of $e_1$, with the square $1$."""
    Z = np.array([[1, 0, 0], [2, 1, 1]])
    limit = np.array([1, Fraction(-1, 2), Fraction(-1, 2)])
    # when
    run = gradient_descent(Z.astype(float), np.ones(2), np.zeros(3), 0.28, 400)
    residual = norm(Z @ run.w - 1) + rounding(6, norm(Z) * norm(run.w))  # 3 products, a difference, a norm of 2
    assert_identical(Z @ limit, [1, 1], why="the limit interpolates")
    assert_identical(limit * 2, 4 * Z[0] - Z[1], why="the limit lies in the row space")
    assert_at_most(residual, 2.0**-40, why="400 contractions by 0.917")
    assert_at_most(norm(run.w - limit.astype(float)), 2 * residual, why="distance over s_n >= 1/2")
    # then
    assert_violates(Fraction(1), 1 / (limit @ limit), reads="margin^2 {value} of e_1 > {limit} of the limit", Z=Z)


@counterexample
def test_a_search_finds_two_points_that_the_squared_loss_separates_badly():
    rows = st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=2, max_size=2).map(np.array)
    independent = rows.filter(lambda Z: (Z[0] @ Z[0]) * (Z[1] @ Z[1]) > (Z[0] @ Z[1]) ** 2)
    Z = smallest_violation(independent, lambda Z: squared_margins(Z)[0] < squared_margins(Z)[1])
    squared, largest = squared_margins(Z)
    assert_violates(largest, squared, reads="margin^2 {value} of the best > {limit} of least squares", Z=Z)


@in_both_norms
@for_both_losses
@under_hypotheses("H1", "H2", "H3")
@given_batches(problem=separable_data())
def test_at_every_time_the_margin_lies_between_its_guarantee_and_the_best(problem, order, loss):
    # given  H1 by construction, H3; gamma* enclosed by an independent solver
    best = largest_margin(problem, order)
    lengths = short_steps(problem, order)
    # when   t steps, t from 1 to 200
    run = steepest_descent(problem.Z, problem.present, np.zeros_like(problem.u), lengths, order, loss)
    # then   gamma* sum e rho - A <= margin(w_t) <= gamma* |w_t|, and |w_t| <= S
    assert_within(
        best.lower * run.effective - shortfall(problem, run, loss, order),
        margin(problem, run.w),
        best.upper * norm(run.w, order, axis=-1),
        slack=run_rounding(problem, run, order),
        why="the margin between its guarantee and the best",
        instance=problem,
    )
    # each step is rounded in w and in S; its direction and |w| have sums of d squares
    longest = run.length + rounding(2 * run.steps + problem.columns + 3, run.length)
    assert_at_most(norm(run.w, order, axis=-1), longest, why="no longer than its steps", instance=problem)


@in_both_norms
@under_hypotheses("H1", "H2", "H3")
@given_batches(size=100, problem=separable_data())
def test_a_third_of_the_largest_margin_is_reached_within_the_a_priori_budget(problem, order):
    # given  2 ln(n + 1) (3R/2 gamma)^2 steps are enough, with the planted margin gamma; 330 are enough for every
    #        instance
    best = largest_margin(problem, order)
    needed = 4.5 * np.log(problem.rows + 1) * (radius(problem, order) / problem.certified_margin(order)) ** 2
    assert_at_most(needed, 330, why="the budget covers the instance", instance=problem)
    # when
    run = steepest_descent(
        problem.Z, problem.present, np.zeros_like(problem.u), equal_steps(problem, order, 330), order
    )
    # then
    reached = normalized_margin(problem, run.w, order) + run_rounding(problem, run, order) / run.length
    assert_at_most(best.upper / 3, reached, why="a third of the largest margin", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@given_batches(size=100, problem=separable_data())
def test_the_direction_approaches_the_hard_margin_direction(problem):
    best = largest_margin(problem, 2)
    # when
    run = steepest_descent(problem.Z, problem.present, np.zeros_like(problem.u), equal_steps(problem, 2, 400), 2)
    # then   by strong convexity: |w/|w| - u*|^2 <= 2 gap / gamma*, with the a-priori gap R sqrt(2 ln(n + 1)/T)
    gap = radius(problem, 2) * np.sqrt(2 * np.log(problem.rows + 1) / 400)
    distance = norm(run.w / norm(run.w, axis=-1, keepdims=True) - best.direction, axis=-1)
    slack = run_rounding(problem, run, 2) / run.length
    assert_at_most(distance, angle_bound(gap + slack, best), why="distance of directions", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@given_batches(size=100, problem=separable_data())
def test_the_direction_that_is_approached_does_not_depend_on_the_start(problem):
    # given  any start; the logistic loss
    best = largest_margin(problem, 2)
    # when
    run = steepest_descent(problem.Z, problem.present, problem.w0, equal_steps(problem, 2, 600), 2, LOGISTIC)
    # then   |w_T| <= S + |w_0|, and the guarantee has ln sum phi(z_i . w_0) instead of ln n
    guarantee = best.lower * run.effective - shortfall(problem, run, LOGISTIC, 2) - run_rounding(problem, run, 2)
    gap = best.upper - guarantee / (run.length + norm(problem.w0, axis=-1))
    distance = norm(run.w / norm(run.w, axis=-1, keepdims=True) - best.direction, axis=-1)
    assert_at_most(gap, best.lower, why="600 steps guarantee a margin from any start", instance=problem)
    assert_at_most(distance, angle_bound(gap, best), why="distance of directions, any start", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@for_both_losses
@given_batches(problem=separable_data())
def test_plain_gradient_descent_maximizes_the_margin_too(problem, loss):
    # given  H3: eta = 1/R^2. The steps eta |grad L| have an infinite sum, and their squares a finite one
    best, eta = largest_margin(problem, 2), 1 / radius(problem, 2) ** 2
    # when
    run = plain_gradient_descent(problem.Z, problem.present, np.zeros_like(problem.u), eta, 200, loss)
    # then
    assert_within(
        best.lower * run.effective - shortfall(problem, run, loss, 2),
        margin(problem, run.w),
        best.upper * norm(run.w, axis=-1),
        slack=run_rounding(problem, run, 2),
        why="the margin of plain gradient descent",
        instance=problem,
    )
