r"""Theorem 7.2 - the term with the learning rate is a constant, so its weight has no effect, whatever the rate.

Section     7.2
Printed     For convex quadratic loss, gradient descent with learning rate $\eta$ converges to
            $\theta^*(\eta) = \arg\min_\theta \|\theta - \theta_0\|_2^2 + \frac\eta2 \theta^\top H \theta \ \text{s.t.}\
            L(\theta) = 0$. Larger $\eta$ effectively increases regularization strength
Reading     (a) As printed. (b) The strength of a regularizer is its weight in the objective, here eta/2, and its effect
            is on what the theorem is about: the limit theta^*(eta)
Readings    (b) [distance on the way] what is regularized is $\|\theta - \theta_0\|$, the other printed term, before the
            limit: the larger rate is nearer to the start after as many steps, or at the same time - refuted
Setting     $L(\theta) = \frac12 \|X\theta - y\|^2$, $H = X^\top X$, lambda its nonzero eigenvalues. C4 and C5:
            $w = u^2 - v^2$ entrywise, u = v = alpha at the start, one sample x with the target y != 0;
            $K = 8 \alpha^2 \|x\|^2 + 4 |y| \max_i |x_i|$, an upper bound on the tangent kernel
Hypotheses  (H1) 0 < eta < 2/lambda_max.  (H2) some theta solves X theta = y.  (H3) the steps are multiples of the
            Euclidean gradient.  (H4) for C1 to C3: eta <= 1/lambda_max.
Parts       (a) the limit minimizes the printed objective - vacuous
            (b) a larger learning rate regularizes more strongly - vacuous
Corrected   (C1) (b) For 0 < eta' < eta under H4, off the minima, the ratio of $\|\theta_t - \theta_0\|$ at eta to
            that at eta' lies between f(lambda_max) >= 1 and f(lambda_min),
            $f(\lambda) = (1 - (1 - \eta\lambda)^t)/(1 - (1 - \eta'\lambda)^t)$: the larger rate has gone farther.
            (C2) (b) At the same time it has gone farther than eta' = eta/2 too, by a factor between the extremes over
            lambda of $(1 - (1 - \eta\lambda)^t)/(1 - (1 - \eta\lambda/2)^{2t}) \ge 1$, and both have than the flow.
            (C3) (b) Under H4, $\theta_t^\top H \theta_t$ is no smaller at the larger rate from theta_0 = 0, and no
            larger where y = 0: on the way its order can go either way.
            (C4) (b) Where the model is not linear in its parameters the rate acts. With one sample and
            $\eta \le 1/(2K)$, descent on $u^2 - v^2$ ends with the scales $u_i v_i = \alpha^2 e^{-S_i}$,
            $\eta x_i^2 J/(1 + \delta) \le S_i \le \eta x_i^2 (J_P + 4 \eta y^2)/(1 - b^2)$,
            with J the least value of Q at the scale $\alpha$, $J_P$ that at $\alpha \sqrt P$, $b = 2 \eta \max_i
            |x_i y|$, $\delta = b^2 / (3 - 3 b^2)$ and $P = 1 - \eta \max_i x_i^2 (J_{1/2} + 4 \eta y^2)$, the upper
            bound where $P \ge 1/2$: $S_i / \eta \to x_i^2 J$. The limit is near the minimizer of Q for these scales, by
            C2 of Theorem 7.1, and need not be it.
            (C5) (b) If $P \ge 2/3$ for a rate of at most 1/(16 K), doubling that rate shrinks every scale with x_i != 0
            further
Idea        (a) On {X theta = y} the quadratic form is |y|^2. (b) Each mode of theta_t - theta_0 is what it is in the
            limit times $1 - (1 - \eta\lambda)^t$. On $u^2 - v^2$, $S_i = -\sum_t \ln(1 - 4 \eta^2 x_i^2 r_t^2)$ and
            $\sum_t 4 \eta r_t^2$ is a Riemann sum of the residual over the dual variable $4 \eta \sum |r_t|$, whose
            integral is the optimal value of the dual, J.
Source      Nacson, Ravichandran, Srebro, Soudry (2022), Implicit Bias of the Step Size in Linear Diagonal Neural
            Networks, ICML; Even, Pesme, Gunasekar, Flammarion (2023), (S)GD over Diagonal Linear Networks: Implicit
            Regularisation, Large Stepsizes and Edge of Stability, NeurIPS (larger steps shrink the scale); the
            two-sided bound is proved here
Tolerance   Limits in balls of known radius (properties.limits), the printed program by LAPACK on its optimality
            conditions, or all in rational arithmetic; J by Newton's method on the dual, certified by its gap
Findings    For one sample S_i increased with the rate in every pair of neighboring rates that was tried, from 1/(32 K)
            to 1/(2K), on 20 problems. Where P is below 2/3 nothing is proved
Expected    vacuous
"""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.diagonal import descend_to_residual
from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.models.diagonal import uniform
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.lines import lines
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import from_zero, measured, off_the_minima, regressions
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions, solve
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.hyperbolic_entropy import DiagonalPotential, minimize
from properties.least_squares import iterate_rounding
from properties.limits import flow_rounding, interpolant_rounding, limit_of_descent
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, observed, under_hypotheses, vacuous

CONVERGED = 1e-9
SCALES = (1 / 2, 1.0, 1 / 30, 2.0, 1 / 10)
"""The start alpha over sqrt(|y|/|x|)."""
problems = regressions(max_rows=4, max_excess=4).map(gently_conditioned)
one_sample = regressions(max_rows=1, max_excess=4)


def optimality_system(X, y, theta0, coefficient):
    """The matrix and right-hand side of the stationary (theta, multiplier) of the printed program.

    2(theta - theta_0) + 2 coefficient H theta + X'mu = 0 and X theta = y; the print has coefficient eta/2.
    """
    n, p = X.shape
    matrix = np.block([[2 * np.eye(p, dtype=int) + 2 * coefficient * X.T @ X, X.T], [X, np.zeros((n, n), int)]])
    return matrix, np.concatenate([2 * theta0, y])


@under_hypotheses("H1", "H2", "H3", part="(a)")
@given_batches(problem=problems)
def test_the_limit_is_the_minimizer_of_the_printed_objective(problem):
    # given  H1: eta lambda_max in {1, 1/2, 3/2, 1.9, 1/10}
    step = np.maximum(problem.step, 0.1)
    limit = limit_of_descent(problem, problem.w0, step)
    # when   LAPACK on the printed program, one by one
    sizes = zip(problem.rows, problem.columns, strict=True)
    data = zip(problem.X, problem.y, problem.w0, step, sizes, strict=True)
    systems = [optimality_system(X[:n, :p], y[:n], w0[:p], eta / 2) for X, y, w0, eta, (n, p) in data]
    minimizers = [np.linalg.solve(*system)[:p] for system, p in zip(systems, problem.columns, strict=True)]
    # then   the system's condition number is at most 16 cond(X)^2, as 2 <= 2 + eta lambda < 4
    distance = [norm(w[: len(theta)] - theta) for w, theta in zip(limit.w, minimizers, strict=True)]
    rounding = 16 * problem.condition * interpolant_rounding(problem, problem.w0)
    assert_at_most(distance, limit.radius + rounding, why="distance to the printed minimizer", instance=problem)


@st.composite
def programs(draw):
    """X (2, 3) of rank 2, y, theta_0 in integers, and a coefficient in quarters in [-8, 8]."""
    tape = draw(tapes(6 + 2 + 3 + 1))
    X = tape.integers((2, 3), 3).astype(int)
    X[0, 0], X[1, 0], X[1, 1] = 1 + abs(X[0, 0]), 0, 1 + abs(X[1, 1])
    data = (tape.integers(size, 4).astype(int).tolist() for size in (2, 3))
    return fractions(X.tolist()), *map(fractions, data), Fraction(int(tape.integers(1, 32)[0]), 4)


@vacuous(part="(a)")
@given(programs())
def test_any_coefficient_of_either_sign_gives_the_same_minimizer(program):
    X, y, theta0, coefficient = program
    # when   exact arithmetic; the objective is strictly convex on {X theta = y} whatever the coefficient
    with_term = solve(*optimality_system(X, y, theta0, coefficient))[:3]
    nearest = theta0 + X.T @ solve(X @ X.T, y - X @ theta0)
    # then
    assert_identical(with_term, nearest, why="the interpolant nearest to theta_0, with the term as without it")


@vacuous(part="(a)")
@given(programs(), st.integers(-5, 5))
def test_at_every_interpolant_the_quadratic_form_is_the_square_of_the_targets(program, k):
    # given  theta with the targets y = X theta, and another: the null vector of X is the cross product of its rows
    X, _, theta, _ = program
    y, other = X @ theta, theta + k * np.cross(X[0], X[1])
    assert_identical(X @ other, y, why="X theta = y")
    # then
    assert_identical(other @ (X.T @ X) @ other, y @ y, why="theta'H theta")


@necessity("H1", part="(a)")
@given(lines())
def test_without_H1_at_two_over_lambda_max_descent_has_period_two(line):
    # given  H2: a row that is not zero; H3: descent
    assert_keeps(H2=line.curvature > 0, H3=True)
    run = exact_descent(line.X, line.y, line.w0, 2 / line.curvature, 2)
    # then
    assert_identical(run[2], run[0], why="theta_2 = theta_0")
    assert_identical(line.residual(run[1]), -line.residual(run[0]), why="the residual turns its sign")


@necessity("H1", part="(a)")
@given(lines(), st.integers(1, 8))
def test_without_H1_beyond_two_over_lambda_max_a_residual_grows_and_none_stays_none(line, k):
    # given  eta lambda_max = 2 + k/4; among the starts are some on {L = 0}
    assert_keeps(H2=line.curvature > 0, H3=True)
    run = exact_descent(line.X, line.y, line.w0, (2 + Fraction(k, 4)) / line.curvature, 3)
    # then
    residuals = [line.residual(theta) for theta in run]
    grown = [(-1 - Fraction(k, 4)) ** t * residuals[0] for t in range(4)]
    assert_identical(residuals, grown, why="|r_t| = (1 + k/4)^t |r_0|")


@necessity("H1", part="(a)")
@given(st.integers(-2, 2), st.integers(1, 3), st.integers(1, 3))
def test_without_H1_what_has_no_part_along_the_top_eigenvector_converges_all_the_same(top, other, t):
    # given  X = diag(2, 1), eta = 3/4, so that eta lambda = 3 and 3/4, and the targets (top, other)
    X, y = fractions([[2, 0], [0, 1]]), fractions([top, other])
    assert_keeps(H2=X @ (y / fractions([2, 1])) == y, H3=True)
    # when
    theta = exact_descent(X, y, fractions([0, 0]), Fraction(3, 4), t)[-1]
    # then   the first mode is multiplied by -2 and rests if it is zero, the second one by 1/4
    assert_identical(X @ theta - y, [-((-2) ** t) * top, -Fraction(other, 4**t)], why="the residuals")


@necessity("H2", part="(a)")
@given(st.integers(-3, 3), st.integers(1, 5))
def test_without_H2_descent_converges_though_no_point_has_zero_loss(a, gap):
    # given  two samples with one input (1, 0) and the targets a and a + gap, and a step of 1/2
    X, y, eta = fractions([[1, 0], [1, 0]]), fractions([a, a + gap]), Fraction(1, 2)
    assert_keeps(H1=0 < eta * (X.T @ X)[0, 0] < 2, H3=True)
    theta = exact_descent(X, y, fractions([7, 7]), eta, 2)
    # then   it rests at the mean, with L = gap^2/4, the least there is
    assert_identical(theta[1:, 0], [a + Fraction(gap, 2)] * 2, why="the mean of the targets")
    assert_identical(sum((X @ theta[1] - y) ** 2) / 2, Fraction(gap * gap, 4), why="the least loss")


@necessity("H3", part="(a)")
def test_without_H3_a_preconditioned_step_ends_at_a_larger_objective():
    # given  X = [1, 2], y = 1, theta_0 = 0, D = diag(4, 1) and the rate 1/8: one step of eta D X'y with XDX' = 8
    X, y, D, eta = fractions([[1, 2]]), fractions([1]), fractions([4, 1]), Fraction(1, 8)
    theta = eta * D * (X.T @ y)
    assert_keeps(H1=0 < eta * (X[0] @ X[0]) < 2, H2=X @ theta == y)
    best = solve(*optimality_system(X, y, fractions([0, 0]), Fraction(1, 16)))[:2]
    # then   (1/2, 1/4) against (1/5, 2/5)
    assert_identical([theta, best], fractions([["1/2", "1/4"], ["1/5", "2/5"]]), why="the two limits")
    assert_at_most(best @ best + Fraction(1, 10), theta @ theta, why="|theta - theta_0|^2, the term being constant")


@counterexample(part="(b)", reading="distance on the way")
def test_twice_the_rate_goes_twice_as_far_in_a_step():
    # given  X = [1, 2], y = 1 from zero, eta = 1/10 and 1/5
    X, y, start = fractions([[1, 2]]), fractions([1]), fractions([0, 0])
    small, large = (exact_descent(X, y, start, Fraction(1, k), 1)[1] for k in (10, 5))
    # then
    reads = "|theta_1 - theta_0|^2 = {value} at the rate 1/5 > {limit} at the rate 1/10"
    assert_violates(large @ large, small @ small, reads=reads, X=[[1, 2]], y=[1], theta0=[0, 0])


@counterexample(part="(b)", reading="distance on the way")
def test_one_step_goes_farther_than_two_of_half_the_rate():
    # given  X = [1], y = 1 from zero
    X, y, start = fractions([[1]]), fractions([1]), fractions([0])
    once, twice = (exact_descent(X, y, start, Fraction(1, 2 * t), t)[t, 0] for t in (1, 2))
    # then
    reads = "theta = {value} after one step of 1/2 > {limit} after two of 1/4"
    assert_violates(once, twice, reads=reads, X=[[1]], y=[1], theta0=[0])


@counterexample(part="(b)", reading="distance on the way")
def test_hypothesis_finds_a_larger_rate_that_goes_farther():
    def squares(line):
        runs = [exact_descent(line.X, line.y, line.w0, eta, 3)[3] - line.w0 for eta in sorted(line.legal)]
        return [moved @ moved for moved in runs]

    found = smallest_violation(lines(), lambda line: squares(line)[1] > squares(line)[0])
    small, large = squares(found)
    reads = "|theta_3 - theta_0|^2 = {value} at the larger rate > {limit} at the smaller"
    assert_violates(large, small, reads=reads, X=found.X, y=found.y, theta0=found.w0, eta=sorted(found.legal))


@vacuous(part="(b)")
@given(programs(), st.integers(2, 1000))
def test_a_term_of_many_times_the_weight_has_the_same_minimizer(program, times):
    X, y, theta0, weight = program
    # when   the printed program at two rates, the larger one of so many times the weight
    small, large = (solve(*optimality_system(X, y, theta0, k * abs(weight)))[:3] for k in (1, times))
    # then
    assert_identical(large, small, why="theta^*(eta)")


@vacuous(part="(b)")
@given_batches(problem=problems)
def test_in_the_limit_no_rate_has_an_effect(problem):
    # given  rates that differ by a factor of nineteen
    limits = [limit_of_descent(problem, problem.w0, step) for step in (0.1, 0.9, 1.9)]
    moved = norm(np.diff([limit.w for limit in limits], axis=0), axis=-1)
    # then
    radii = [limits[0].radius + limits[1].radius, limits[1].radius + limits[2].radius]
    assert_at_most(np.transpose(moved), np.transpose(radii), why="one limit", instance=problem)


def gone(problem, eta, steps):
    """How far theta_t is from theta_0, (B,), with the rounding of the run."""
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, steps)
    return norm(run.w - problem.w0, axis=-1), iterate_rounding(problem, run)


def farther(h, t, other, steps):
    """(1 - (1 - h)^t)/(1 - (1 - other)^steps) for h, other in (0, 1]: how much farther a mode has gone."""
    gone = [np.expm1(k * np.log1p(-np.minimum(x, 1 - 1e-16))) for x, k in ((h, t), (other, steps))]
    return gone[0] / gone[1]


@corrected("C1", part="(b)")
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
    assert_at_most(1, f[0], why="the factor is at least 1")
    slack += 2 * (other + interpolant_rounding(problem, problem.w0))
    assert_within(f[0] * small, large, f[1] * small, slack=slack * f[1], why="how much farther", instance=problem)


@corrected("C2", part="(b)")
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
    assert_at_most(1 - 8 * UNIT_ROUNDOFF, f, why="the factor is at least 1")
    slack += 2 * (other + interpolant_rounding(problem, problem.w0))
    last = flow_rounding(problem, problem.w0, eta * t[:, 0])
    assert_within(f.min(-1) * twice, once, f.max(-1) * twice, slack=slack, why="how much farther", instance=problem)
    assert_at_most(norm(flow - problem.w0, axis=-1), twice + other + last, why="the flow", instance=problem)


@corrected("C3", part="(b)")
@given_batches(problem=problems)
def test_the_printed_term_is_larger_at_the_larger_rate_from_zero_and_smaller_where_the_targets_are_zero(problem):
    # given  H4, as above, and eta' = 3 eta/5
    eta, t = np.where(problem.step > 1, problem.step / 2, np.maximum(problem.step, 0.1)), 1 + problem.t % 50
    start, eta = from_zero(problem), eta / problem.sigma_max**2
    sides = start, dataclasses.replace(problem, y=0 * problem.y)
    # when   the square roots of the terms
    runs = [[gradient_descent(at.X, at.y, at.w0, rate, t) for rate in (eta, 0.6 * eta)] for at in sides]
    terms = [[norm(np.matvec(problem.X, run.w), axis=-1) for run in pair] for pair in runs]
    # then
    slack = [sum(iterate_rounding(at, run) for run in pair) for at, pair in zip(sides, runs, strict=True)]
    assert_at_most(terms[0][1], terms[0][0] + slack[0], why="from theta_0 = 0", instance=problem)
    assert_at_most(terms[1][0], terms[1][1] + slack[1], why="where y = 0", instance=problem)


@necessity("H4", part="(b)")
@given(st.integers(1, 7))
def test_without_H4_two_steps_of_a_larger_rate_may_be_the_shorter_way(k):
    # given  X = [1], y = 1 from zero, the rates 1 and 1 + k/8 < 2
    X, y, start = fractions([[1]]), fractions([1]), fractions([0])
    one, more = (exact_descent(X, y, start, eta, 2)[2, 0] for eta in (Fraction(1), 1 + Fraction(k, 8)))
    # then
    assert_identical([one, more], [1, 1 - Fraction(k * k, 64)], why="theta_2")
    assert_at_most(more, one - Fraction(1, 64), why="the larger rate has gone less far")


def shrinking(problem, share, scale):
    """Descent on u^2 - v^2 from alpha = scale sqrt(|y|/|x|) at the rate share/K, bounds on S_i/x_i^2, and P, (B,).

    Proof, for y > 0 and x >= 0 (else swap u_i and v_i, or all of them). eta K <= 1/2 keeps rho_t = -r_t positive: a
    step multiplies it by 1 - eta K_t + O(eta^2) in [0, 1], K_t the kernel. With b_t = 2 eta x_i rho_t,
    u_i is multiplied by 1 + b_t and v_i by 1 - b_t, S_i = -sum ln(1 - b_t^2) lies between 1 and 1/(1 - b^2) times
    sum b_t^2 = eta x_i^2 A, A = sum rho_t dnu_t, nu_t = 4 eta sum_{s<t} rho_s. Let f(nu) = sum x_i 2 alpha^2
    sinh(x_i nu), so that J, the area below y - f above zero, is the value of the dual of Q. As 2 sum artanh b_s is
    between 1 and 1 + delta times x_i nu_t, P f(nu_t) <= y - rho_t <= f((1 + delta) nu_t) while e^-S_i >= P. Both sides
    fall as nu grows: A, a sum of left ends, is at least J/(1 + delta); less 4 eta y^2 it is at most the sum of right
    ends, at most the area J_P above zero below y - P f. And A <= J_{1/2} + 4 eta y^2 by induction, which is
    what P is made from, as long as P >= 1/2, which is asserted. Stopping at |r_T| leaves at most
    4 r_T^2/(8 alpha^2 |x|^2) of A.

    The bounds are near: J_P - J <= ln(1/P) J_P, as dJ/d ln(alpha^2) = -Q* and J >= Q*, both at the maximizer; and
    4 eta y^2 <= 2 eta K J, as the convex f of slope K/4 at most leaves an area of 2 y^2/K. So (J_P + 4 eta y^2)/J is
    at most 1/(1 - ln(1/P)) + 2 eta K: for P >= 2/3 and eta K <= 1/16 below 2 (1 - b^2)/(1 + delta) of the doubled rate.
    """
    x, y = problem.X[:, 0], problem.y[:, 0]
    alpha = scale * np.sqrt(np.abs(y) / norm(x, axis=-1))
    widest = np.abs(x).max(-1)
    eta = share / (8 * alpha**2 * norm(x, axis=-1) ** 2 + 4 * np.abs(y) * widest)
    run = descend_to_residual(problem.X, problem.y, uniform(alpha, x), eta, CONVERGED * np.abs(y))
    left = np.abs(np.vecdot(run.network.w, x) - y)
    assert_at_most(left, 2 * CONVERGED * np.abs(y), why="the run has converged", instance=problem)

    def least_value(scale):
        potential = DiagonalPotential(2, (alpha * np.sqrt(scale))[:, None])
        best = minimize(potential, problem)
        value = np.vecdot(best.w, best.z) - potential.conjugate(best.z)
        return value, best.gap + 64 * problem.columns * UNIT_ROUNDOFF * np.vecdot(best.w, best.z)

    half, more = least_value(0.5)
    P = 1 - eta * widest**2 * (half + more + 4 * eta * y**2)
    assert_at_most(0.5, P, why="the scales keep one half", instance=problem)
    (J, less), (J_P, more), b = least_value(1.0), least_value(P), 2 * eta * widest * np.abs(y)
    tail = (CONVERGED * y) ** 2 / (2 * alpha**2 * norm(x, axis=-1) ** 2)
    lower = eta * ((J - less) / (1 + b**2 / (3 - 3 * b**2)) - tail)
    return run, lower, eta * (J_P + more + 4 * eta * y**2) / (1 - b**2), P


@corrected("C4", part="(b)")
@given_batches(problem=one_sample)
def test_on_a_diagonal_network_the_scales_shrink_by_the_rate_times_the_value_of_the_potential(problem):
    # given  eta K in {1/2, 1/4, 1/16, 1/64}, and at most 1/4 from the two smallest scales
    problem, scale = from_zero(problem), np.array(SCALES)[problem.t % len(SCALES)]
    share = np.minimum(np.array([1 / 2, 1 / 4, 1 / 16, 1 / 64])[problem.t % 4], np.where(scale < 1 / 2, 1 / 4, 1 / 2))
    run, lower, upper, P = shrinking(problem, share, scale)
    # then   the bounds are near, and between them is every coordinate
    b = share / 2  # at most, as K >= 4 |y| max |x_i|
    near = (1 / (1 + np.log(P)) + 2 * share) * (1 + b**2 / (3 - 3 * b**2)) / (1 - b**2)
    assert_at_most(upper, near * lower * (1 + 1e-9), why="the bounds are near", instance=problem)
    squares = problem.X[:, 0] ** 2
    rounding = (1 + run.steps[:, None]) * 64 * UNIT_ROUNDOFF * (lower[:, None] * squares + UNIT_ROUNDOFF)
    sides = lower[:, None] * squares, run.shrinkage, upper[:, None] * squares
    assert_within(*sides, slack=rounding, why="shrinkage of the scales", instance=problem)


@corrected("C4", part="(b)")
def test_a_run_at_half_of_one_over_K_ends_off_the_minimizer_for_the_scales_it_has_left():
    # given  X = [1, 2], y = 5, alpha = 1: K = 80
    problem = stack([measured(np.array([[1.0, 2.0]]), np.array([5.0]))])
    run = descend_to_residual(problem.X, problem.y, uniform(1.0, problem.w0), np.array([1 / 160]), np.array([1e-12]))
    best = minimize(DiagonalPotential(2, np.exp(-run.shrinkage / 2)), problem)
    # then   the run ends with w_1 = 0.93941, and the minimizer has 0.94095
    assert_at_most(run.network.w[0, 0], 0.93942, why="w_1 in the limit of descent")
    assert_at_most(0.94094, best.w[0, 0] - best.radius[0], why="w_1 of the minimizer")


@corrected("C5", part="(b)")
@given_batches(problem=one_sample)
def test_doubling_a_small_rate_shrinks_every_scale_further(problem):
    problem, scale = from_zero(problem), np.array(SCALES)[problem.t % len(SCALES)]
    share = np.array([1 / 16, 1 / 32, 1 / 64])[problem.t % 3]
    (small, _, most, P), (large, least, _, _) = (shrinking(problem, rate, scale) for rate in (share, 2 * share))
    # then   by the bounds, and in the runs
    assert_at_most(2 / 3, P, why="the scales keep two thirds", instance=problem)
    assert_at_most(most, least, why="the bounds do not overlap", instance=problem)
    seen = np.abs(problem.X[:, 0]) > 0
    assert_at_most(small.shrinkage[seen], large.shrinkage[seen], why="the scales", instance=problem)


@observed(part="(b)")
def test_for_one_sample_the_shrinkage_was_seen_to_increase_with_every_rate():
    # given  20 problems of one sample in R^4, and rates 2^-k/K, k from 1 to 5 by 1/4, seed 72, looked at once
    rng, shares = np.random.default_rng(72), 2.0 ** -np.arange(1, 5.1, 0.25)
    x, y, alpha = rng.normal(size=(20, 4)), rng.uniform(0.5, 4, 20), rng.uniform(0.3, 2, 20)
    K = 8 * alpha**2 * norm(x, axis=-1) ** 2 + 4 * y * np.abs(x).max(-1)
    # when
    every = [np.repeat(data, len(shares), axis=0) for data in (x, y, alpha)]
    eta = (shares / K[:, None]).ravel()
    X, target = every[0][:, None], every[1][:, None]
    run = descend_to_residual(X, target, uniform(every[2], every[0]), eta, CONVERGED * every[1])
    # then
    shrinkage = run.shrinkage.reshape(20, len(shares), 4)
    assert_at_most(shrinkage[:, 1:], shrinkage[:, :-1], why="the smaller rate shrinks less")
