r"""Section 1.2: maximum margin - without separable data, without the losses, without short steps.

Setting     $z_i = y_i x_i$, $i \le n$; $L(w) = \frac1n \sum_i \phi(z_i \cdot w)$; $R = \max_i \|z_i\|_*$, where
            $\|\cdot\|_*$ is the dual of the norm l2 or l1. Steepest descent takes steps of lengths $e_t$ in that norm,
            and $S = \sum e_t$. Plain gradient descent is the case l2 with $e_t = \eta \|\nabla L(w_t)\|$
Hypotheses  (H1) some $w$ has $z_i \cdot w > 0$ for all $i$. With $\operatorname{rank} Z = n$, as in overparameterized
            models, it always holds.
            (H2) $\phi(m) = e^{-m}$ or $\ln(1 + e^{-m})$, the cross-entropy of two classes.
            (H3) short steps: plain gradient descent with a fixed $\eta \le 1/R^2$ from a start with $L \le 1$, such as
            $0$; or lengths for which $S$ grows without bound and $\sum e_t^2 / S$ tends to zero. Under H1 and H2 the
            lengths of plain gradient descent are of this kind.
Idea        Without H1 the iterates stay bounded. Without H2 the limit is the interpolant of least norm. Without H3 the
            steps are too long for the data, or the run starts where $L$ is large, or its total length is bounded
Tolerance   Expected numbers are computed by hand; the slack is the rounding of the run
"""

import dataclasses

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.steepest_descent import EXPONENTIAL, plain_gradient_descent, steepest_descent
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.expectations import expects
from fixtures.problems.separable import separable_data, signed
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_not_positive,
)
from properties.linear_models.margins import largest_margin, margin, normalized_margin, radius, run_rounding
from theorems.ledger import necessity


@expects(positive="e", integer="e")
@dataclasses.dataclass(frozen=True)
class Length:
    """A step length e."""

    e: float


@necessity("H1")
@given_batches(problem=separable_data())
def test_without_H1_the_iterates_stay_bounded_and_no_margin_is_gained(problem):
    # given  the point z_1 once more with the opposite label, so that no w separates the points
    Z = np.concatenate([problem.Z, -problem.Z[:, :1]], axis=1)
    present = np.concatenate([problem.present, problem.present[:, :1]], axis=1)
    eta, loss = 1 / radius(problem, 2) ** 2, EXPONENTIAL
    short = eta * norm(Z, axis=-1).max(-1) ** 2 <= 1 + rounding(4)  # two squares, a quotient, a product; and L(0) = 1
    assert_keeps(H2=loss is EXPONENTIAL, H3=short)
    # when
    run = plain_gradient_descent(Z, present, np.zeros_like(problem.u), eta, 200, loss)
    # then   the loss never exceeds L(0) = 1, so exp(|z_1 . w|) <= n + 1, while the best margin is 0
    first = np.vecdot(Z[:, 0], run.w)
    slack = run_rounding(problem, run, 2)
    assert_at_most(np.abs(first), np.log(problem.rows + 1) + slack, why="bounded for ever", instance=problem)
    margins = np.where(present, np.matvec(Z, run.w), np.inf)
    assert_not_positive(margins.min(-1), why="no positive margin", instance=problem)


@necessity("H2")
def test_without_H2_the_squared_loss_misses_the_largest_margin():
    # given  z = (1, 0) and (2, 1), so that R^2 = 5; eta = 1/5 for the mean of the two losses, and this mean is 1/2 at 0
    Z, eta = np.array([[1.0, 0], [2, 1]]), 1 / 5
    assert_keeps(H1=Z[:, 0] > 0, H3=eta * np.square(Z).sum(1) <= 1)
    # when   the spectrum of ZZ' lies in [3 - 8^(1/2), 3 + 8^(1/2)]: a step on the mean contracts by 0.983, so that
    #        what is left after 2200 steps is below u, and the errors of all steps add up to 60 times that of one
    run = gradient_descent(Z, np.ones(2), np.zeros(2), eta / 2, 2200)
    # then   the limit (1, -1) has margin 1 at |w|^2 = 2, while (1, 0) has margin 1 at |w|^2 = 1
    slack = rounding(60 * 7, 2 * run.largest)  # 3 in a residual, 2 in its product with Z', the step and the update
    assert_equal_within(run.w, [1, -1], slack, why="the interpolant in the row space")
    # |w|^2 moves by at most 3 slack, and so do 2 margin^2 by 2 * 2 |z| slack, |z| <= 5^(1/2)
    reached = run.w @ run.w / (Z @ run.w).min() ** 2
    assert_equal_within(reached, 2, 12 * slack, why="1/margin^2, and the best is 1")


@necessity("H3")
@given_batches(length=st.integers(16, 64).map(lambda e: Length(float(e))))
def test_without_H3_long_steps_keep_the_l1_margin_at_half(length):
    # given  z = (1, .9, 0) and (0, .8, 1): e_2 has margin 4/5; steps of length e >= 16
    Z = np.repeat([[[1, 0.9, 0], [0, 0.8, 1]]], len(length.e), axis=0)
    assert_keeps(H1=Z[:, :, 1] > 0, H2=True)
    # when   the first step goes along e_2. From then on the point with the smaller margin is behind by at least 0.1 e.
    #        Its weight is at least 0.83, so that the step goes along its own axis
    lengths = np.repeat(length.e[:, None], 101, axis=1)
    run = steepest_descent(Z, np.ones((len(Z), 2), bool), np.zeros((len(Z), 3)), lengths, 1)
    # then   the run ends at w = e (50, 1, 50), where tenths of the margins are 509 and 508 e: the normalized margin is
    #        50.8/101
    picks = np.rint(run.w / length.e[:, None])
    assert_identical(picks, np.tile([50.0, 1, 50], (len(Z), 1)), why="long steps alternate between the two points")
    tenths = np.matvec(np.rint(10 * Z), picks)
    assert_identical(tenths, np.tile([509.0, 508], (len(Z), 1)), why="margins of long steps")
    assert_at_most(508 / 1010, Z[:, :, 1].min(-1), why="less than the margin of e_2")


@necessity("H3")
def test_without_H3_a_fixed_step_from_a_start_of_large_loss_overshoots_more_and_more():
    # given  z = (1/2, 1) and (1/2, -1); eta = 1/R^2 = 4/5 as in H3; but the start is (0, -4), with L = cosh(4) > 1
    problem = signed(np.array([[1 / 2, 1], [1 / 2, -1]]), np.ones(2))
    assert_keeps(H1=problem.Z[:, 0] > 0, H2=True)
    # when
    start, steps = np.array([0.0, -4]), range(3)
    runs = [plain_gradient_descent(problem.Z, problem.present, start, 4 / 5, t) for t in steps]
    # then   the margins are -4, then 4 + (4/5)(cosh(4)/4 - sinh(4)) = -12.4, and then below -70000
    wrong = -np.array([margin(problem, run.w) for run in runs])
    assert_at_most(3 * wrong[:2], wrong[1:], why="three times as far on the wrong side after each step")


@necessity("H3")
def test_without_H3_steps_of_bounded_total_length_stop_short_of_the_best_direction():
    # given  z = (4, 0) and (0, 1), whose best direction is (1, 4)/sqrt(17); lengths 1/8, 1/16, ... of sum 1/4 = 1/R
    problem = signed(np.array([[4.0, 0], [0, 1]]), np.ones(2))
    best, lengths = largest_margin(problem, 2), 1 / 2.0 ** np.arange(3, 60)
    assert_keeps(H1=best.lower > 0, H2=True)
    # when
    run = steepest_descent(problem.Z, problem.present, np.zeros(2), lengths, 2)
    # then   the weights of the two points never differ by more than the factor e, so that w_2/w_1 <= e/4 at every step
    slope = np.exp(1) / 4
    reached, ceiling = normalized_margin(problem, run.w, 2), slope / np.sqrt(1 + slope**2)
    slack = run_rounding(problem, run, 2) / run.length
    assert_at_most(reached, ceiling + slack, why="margin of steps of bounded length")
    assert_at_most(ceiling + slack, best.lower, why="less than the margin of the best")
