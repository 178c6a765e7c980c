r"""Theorem 7.2 (b) - before the limit, the larger rate is farther from the start.

Setting     $L(\theta) = \frac12 \|X\theta - y\|^2$, $H = X^\top X$, $\lambda$ its nonzero eigenvalues
Hypotheses  (H4) for C1 to C3: $\eta \le 1/\lambda_{\max}$.
Corrected   (C1) For $0 < \eta' < \eta$ under H4, off the minima, the ratio of $\|\theta_t - \theta_0\|$ at $\eta$ to
            that at $\eta'$ lies between $f(\lambda_{\max}) \ge 1$ and $f(\lambda_{\min})$, $f(\lambda) = (1 - (1 -
            \eta\lambda)^t)/(1 - (1 - \eta'\lambda)^t)$: the larger rate has gone farther.
            (C2) Under H4, off the minima, at the same time $t\eta$, $\eta$ has gone farther than $\eta' = \eta/2$ too,
            by a factor between the extremes over $\lambda$ of $(1 - (1 - \eta\lambda)^t)/(1 - (1 - \eta\lambda/2)^{2t})
            \ge 1$, and both have gone farther than the flow.
            (C3) Under H4, $\theta_t^\top H \theta_t$ is no smaller at the larger rate from $\theta_0 = 0$, and no
            larger where $y = 0$: on the way its order can go either way.
Idea        In $\theta_t - \theta_0$ each mode is $1 - (1 - \eta\lambda)^t$ times what it is in the limit
Tolerance   The rounding of the runs, of the flow and of the interpolant; rational arithmetic where H4 fails
"""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.precision import UNIT_ROUNDOFF, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import from_zero, off_the_minima
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.linear_models.least_squares import iterate_rounding
from properties.linear_models.limits import flow_rounding, interpolant_rounding
from theorems.ledger import corrected, necessity
from theorems.section_07_initialization_and_learning_rate.theorem_7_2_learning_rate.printed_program import problems


def gone(problem, eta, steps):
    """How far theta_t is from theta_0, (B,), with the rounding of the run."""
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, steps)
    return norm(run.w - problem.w0, axis=-1), iterate_rounding(problem, run)


def farther(h, t, other, steps):
    """(1 - (1 - h)^t)/(1 - (1 - other)^steps) for h, other in (0, 1]: how much farther a mode has gone.

    In place of h = 1 stands the largest number below 1, as the logarithm of 0 is infinite. Eight operations.
    """
    gone = [np.expm1(k * np.log1p(-np.minimum(x, 1 - UNIT_ROUNDOFF))) for x, k in ((h, t), (other, steps))]
    return gone[0] / gone[1]


@corrected("C1")
@given_batches(problem=problems)
def test_after_as_many_steps_the_larger_rate_has_gone_farther_by_a_factor_known_from_both_sides(problem):
    # given  H4: eta lambda_max in {1, 1/2, 3/4, 19/20, 1/10} and eta'/eta in {3/5, 1/50, 9/10}, a start off {L = 0}
    problem, t, share = off_the_minima(problem), 1 + problem.t % 50, np.array([0.6, 0.02, 0.9])[problem.t % 3]
    eta = np.where(problem.step > 1, problem.step / 2, np.maximum(problem.step, 0.1)) / problem.sigma_max**2
    # when
    (large, slack), (small, other) = (gone(problem, rate, t) for rate in (eta, share * eta))
    # then   f falls from the least lambda to the largest: phi(x) = 1 - (1 - x)^t grows like a power that falls, as
    #        phi/(x phi') = (1/t) sum_{j<t} (1 - x)^{j-t+1} rises
    top, low = problem.sigma_max**2, problem.sigma_min**2
    f = [farther(eta * h, t, share * eta * h, t) for h in (top, low)]
    assert_at_most(1 - rounding(8), f[0], why="the factor is at least 1")
    slack += 2 * (other + interpolant_rounding(problem, problem.w0))
    assert_within(f[0] * small, large, f[1] * small, slack=slack * f[1], why="how much farther", instance=problem)


@corrected("C2")
@given_batches(problem=problems)
def test_at_the_same_time_the_larger_rate_has_gone_farther_than_half_of_it_and_both_than_the_flow(problem):
    problem, t = off_the_minima(problem), 1 + problem.t % 50
    eta = np.where(problem.step > 1, problem.step / 2, np.maximum(problem.step, 0.1)) / problem.sigma_max**2
    # when
    (once, slack), (twice, other) = gone(problem, eta, t), gone(problem, eta / 2, 2 * t)
    flow = affine_flow(problem.X.mT @ problem.X, np.vecmat(problem.y, problem.X), problem.w0, eta * t)
    # then   mode by mode, where 1 - h <= (1 - h/2)^2 <= e^-h
    h, t = eta[:, None] * np.where(problem.s > 0, problem.s, problem.sigma_max[:, None]) ** 2, t[:, None]
    f = farther(h, t, h / 2, 2 * t)
    assert_at_most(1 - rounding(8), f, why="the factor is at least 1")
    slack += 2 * (other + interpolant_rounding(problem, problem.w0))
    last = flow_rounding(problem, problem.w0, eta * t[:, 0])
    assert_within(f.min(-1) * twice, once, f.max(-1) * twice, slack=slack, why="how much farther", instance=problem)
    assert_at_most(norm(flow - problem.w0, axis=-1), twice + other + last, why="the flow", instance=problem)


@corrected("C3")
@given_batches(problem=problems)
def test_the_printed_term_is_larger_at_the_larger_rate_from_zero_and_smaller_where_the_targets_are_zero(problem):
    # given  H4: eta lambda_max in {1, 1/2, 3/4, 19/20, 1/10}, and eta' = 3 eta/5
    eta, t = np.where(problem.step > 1, problem.step / 2, np.maximum(problem.step, 0.1)), 1 + problem.t % 50
    start, eta = from_zero(problem), eta / problem.sigma_max**2
    sides = start, dataclasses.replace(problem, y=0 * problem.y)
    # when   the square roots of the terms
    runs = [[gradient_descent(at.X, at.y, at.w0, rate, t) for rate in (eta, 0.6 * eta)] for at in sides]
    terms = [[norm(np.matvec(problem.X, run.w), axis=-1) for run in pair] for pair in runs]
    # then
    slack = [
        at.sigma_max * sum(iterate_rounding(at, run) for run in pair) for at, pair in zip(sides, runs, strict=True)
    ]
    assert_at_most(terms[0][1], terms[0][0] + slack[0], why="from theta_0 = 0", instance=problem)
    assert_at_most(terms[1][0], terms[1][1] + slack[1], why="where y = 0", instance=problem)


@necessity("H4")
@given(st.integers(1, 7))
def test_without_H4_two_steps_of_a_larger_rate_may_be_the_shorter_way(k):
    # given  X = [1], y = 1 from zero, the rates 1 and 1 + k/8 < 2
    X, y, start = fractions([[1]]), fractions([1]), fractions([0])
    one, more = (exact_descent(X, y, start, eta, 2)[2, 0] for eta in (Fraction(1), 1 + Fraction(k, 8)))
    # then
    assert_identical([one, more], [1, 1 - Fraction(k * k, 64)], why="theta_2")
    assert_at_most(more, one - Fraction(1, 64), why="the larger rate has gone less far")
