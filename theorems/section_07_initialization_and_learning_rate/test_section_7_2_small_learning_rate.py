r"""Section 7.2: small learning rate - gradient descent follows gradient flow to first order, another flow to second.

Section     7.2
Printed     Small Learning Rate: Approximates continuous gradient flow: $\frac{d\theta}{dt} = -\nabla L(\theta)$. This
            leads to deterministic trajectories with predictable implicit bias
Reading     For a loss that is $C^2$, for the corrected statement $C^3$: up to every fixed time $T = k\eta$ the iterate
            $\theta_k$ is within $C\eta$ of the flow $\theta(T)$. C is known from the flow where L is convex, and from
            both paths elsewhere. And where the bias of the flow is known, that of descent is known to order eta
Setting     $\theta_{k+1} = \theta_k - \eta g(\theta_k)$, $g = \nabla L$, H and T the second and third derivatives of L,
            beta the largest $|h|$, h an eigenvalue of H; the flows start where descent does. $\tilde\theta$ is the
            gradient flow of $L + \frac\eta4 \|g\|^2$. For quadratic losses $x = \eta h$
Hypotheses  Of C1: (H1) L is convex.  (H2) eta is at most 2/beta.  (H3) the sign of the correction is + and its
            coefficient a quarter.  (H4) step k is compared with the time k eta.
Corrected   (C1) More is predictable: $\|\theta_k - \tilde\theta(k\eta)\| \le \eta^2 \int_0^{k\eta} q\,dt$ under H1 to
            H4, with q of fixtures.dynamics.modified_flow, which is not sharp.
            (C2) On sums of quartics of linear functions one step ends
            $\eta^2 (2c - \frac12) Hg + O(\eta^3)$ off the flow of $L + c \eta \|g\|^2$, for every number c, and
            $-\eta^3 (\frac13 HHg + \frac1{12} T(g, g)) + O(\eta^4)$ off the one with c = 1/4.
            (C3) A mode of a quadratic loss with 0 < x < 1 is off by
            $e^{-kz}(1 - e^{-kx^p/p}) \le |(1 - x)^k - e^{-kz}| \le e^{-kz}(1 - e^{-kx^p/(p(1 - x))})$: with p = 2 and
            z = x from the flow, with p = 3 and $z = x + x^2/2$ from the corrected one.
            (C4) If x < 1 for all modes, the flow of $-\ln(I - \eta H)/\eta$ for H passes through all iterates
Idea        A step is the first term of Taylor's formula. Its remainder is added up, by maps that do not expand where L
            is convex and eta at most 2/beta, and that expand by a factor known along the path elsewhere; and
            $-\ln(1 - x)$ is a series whose terms are all positive.
Source      Barrett, Dherin (2021), Implicit Gradient Regularization, ICLR; Hairer, Lubich, Wanner (2006), Geometric
            Numerical Integration: Structure-Preserving Algorithms for Ordinary Differential Equations, Springer
            (backward error analysis). The constants are derived in the tests and in fixtures.dynamics.modified_flow
Tolerance   Flows are matrix exponentials, or Runge-Kutta with the integrals as a further state, whose error by their
            own estimate is shown to be below a thousandth of what is measured. Powers of eta are exact, in fractions
Findings    Gradient descent is deterministic at every step, so that this is no effect of a small one. Without convexity
            C may grow exponentially with T, as for L = -w^2/2. Slopes fitted to halved steps are no certificate:
            both orders are shown by bounds from both sides
Expected    holds
"""

import dataclasses
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.factored_descent import product_descent
from fixtures.dynamics.gradient_descent import gradient_descent, steps_to_contract
from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.dynamics.modified_flow import RidgeSum, flow_in_powers_of_the_step, flow_of_order, logistic
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.gentle_products import gentle_products
from fixtures.problems.regression import regressions
from fixtures.problems.separable import separable_data
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_within
from properties.least_squares import iterate_rounding
from properties.limits import flow_rounding
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed, corrected, necessity

STEPS, LONG, CONVERGED = 12, 32, 1e-9
NEGLIGIBLE = 1000
"""How many times the error of an integrated flow goes at least into the largest distance measured against it."""


def iterates(loss, w0, eta, steps):
    """Gradient descent on a RidgeSum after 0, 1, ..., `steps` steps, (steps + 1, B, d)."""
    return np.stack(list(accumulate(range(steps), lambda w, _: w - eta[:, None] * loss.gradient(w), initial=w0)))


def parabola(curvature):
    """L = curvature w^2/2 on the line, as a RidgeSum."""
    return RidgeSum(np.ones((1, 1, 1)), lambda s: (curvature * s, curvature + 0 * s, 0 * s))


def convex_distance(problem, order):
    """Logistic descent at a step eta of 0.1 to 1.9 over beta, from w_0, against the flow of this order at every step.

    The distances (B, STEPS), their bounds, and the flow's own error with the rounding 64(n + d)u(|w_0| + k eta |g_0|)
    of the steps.
    """
    loss = logistic(problem.Z, problem.present, problem.rows)
    eta = (1 + problem.t % 19) / 10 * 4 * problem.rows / np.linalg.eigvalsh(problem.Z.mT @ problem.Z)[:, -1]
    flow, w = flow_of_order(order, loss, problem.w0, eta, STEPS), iterates(loss, problem.w0, eta, STEPS)
    size = norm(problem.w0, axis=-1) + STEPS * eta * norm(loss.gradient(problem.w0), axis=-1)
    rounding = STEPS * 64 * (problem.rows + problem.columns) * UNIT_ROUNDOFF * size
    return norm(w - flow.w, axis=-1)[1:].T, flow.missed[1:].T, flow.error[1:] + rounding[:, None]


@as_printed
@given_batches(problem=separable_data())
def test_on_convex_losses_descent_stays_within_eta_times_the_curvature_that_the_flow_meets(problem):
    # when   logistic losses
    distance, bound, error = convex_distance(problem, 1)
    # then
    assert_at_most(distance, bound + error, why="|theta_k - theta(k eta)|", instance=problem)
    assert_at_most(NEGLIGIBLE * error.max(-1), distance.max(-1), why="the flow's own error", instance=problem)


@as_printed
def test_one_step_of_two_over_the_curvature_misses_gradient_flow_by_more_than_half_of_that():
    # given  L = w^2/2 from 1 and eta = 2: the step ends at -1, the flow at e^-2, and eta int |Hg| = 2(1 - e^-2)
    loss, eta = parabola(1.0), np.array([2.0])
    flow, w = flow_of_order(1, loss, np.ones((1, 1)), eta, 1), iterates(loss, np.ones((1, 1)), eta, 1)
    # then
    bound = flow.missed[1, 0]
    assert_within(bound / 2, abs(w[1, 0, 0] - flow.w[1, 0, 0]), bound, slack=2 * flow.error[1], why="the distance")


@dataclasses.dataclass(frozen=True)
class Quartic:
    """L(w) = sum_i a_i s_i^2/2 + b_i s_i^3/6 + c_i s_i^4/24, s = Xw, from w0; X (n, d), one loss or a batch."""

    X: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    w0: np.ndarray

    def loss(self):
        """As a RidgeSum."""

        def derivatives(s):
            slope = self.a * s + self.b * s**2 / 2 + self.c * s**3 / 6
            return slope, self.second(s), self.b + self.c * s

        return RidgeSum(self.X, derivatives)

    def second(self, s):
        """The second derivatives phi'' at s, (n,)."""
        return self.a + self.b * s + self.c * s**2 / 2


@st.composite
def quartics(draw):
    """Three rows in R^2, a in -3..3, b in -3..3, c in 1..3 (bounded below), halves in X and quarters in w0.

    The second entries are moved by 1/2 and 1/4, off the axes. Shrinks to a = b = 0, c = 1.
    """
    tape = draw(tapes(17))
    X, w0 = tape.integers((3, 2), 2) / 2, tape.integers(2, 3) / 4
    X[:, 1], w0[1] = X[:, 1] + 1 / 2, w0[1] + 1 / 4
    return Quartic(X, tape.integers(3, 3), tape.integers(3, 3), 1.0 + tape.naturals(3, 3), w0)


def expansion(problem, eta, w, other):
    """By how much a step may move apart w and `other`, (B,): |I - eta H| on the segment between them.

    phi'' moves by |phi'''| D + c D^2/2 at most where s moves by D, and H by that times sum |x_i|^2 (Weyl).
    """
    s, D = np.matvec(problem.X, w), np.abs(np.matvec(problem.X, other - w))
    moves = ((np.abs(problem.b + problem.c * s) * D + problem.c * D**2 / 2) * np.square(problem.X).sum(-1)).sum(-1)
    spectrum = np.linalg.eigvalsh(np.einsum("bi,bij,bik->bjk", problem.second(s), problem.X, problem.X))
    return np.maximum(1 - eta * (spectrum[:, 0] - moves), eta * (spectrum[:, -1] + moves) - 1)


@as_printed
@given_batches(problem=quartics())
def test_on_any_loss_what_single_steps_miss_is_expanded_by_a_factor_that_is_known_along_the_path(problem):
    # given  quartics with minima, saddles and maxima, at eta = 1/16 over the curvature at the start
    loss, s = problem.loss(), np.matvec(problem.X, problem.w0)
    eta = 1 / (16 * (1 + (np.abs(problem.second(s)) * np.square(problem.X).sum(-1)).sum(-1)))
    # when
    flow, w = flow_of_order(1, loss, problem.w0, eta, LONG), iterates(loss, problem.w0, eta, LONG)
    # then   e_(j+1) <= |I - eta H| e_j + what step j misses
    steps = zip(flow.w, w, np.diff(flow.missed, axis=0), strict=False)
    bounds = accumulate(steps, lambda e, at: expansion(problem, eta, *at[:2]) * e + at[2], initial=np.zeros_like(eta))
    rounding = LONG * 512 * UNIT_ROUNDOFF * (1 + norm(problem.w0, axis=-1))
    slack = 2 * flow.error[:, None] + rounding
    assert_at_most(norm(w - flow.w, axis=-1).T, (np.stack(list(bounds)) + slack).T, why="distance", instance=problem)


def mode_distance(problem, order):
    """At eta = step/(2 s_1^2), the distances of the modes (B, n) at the drawn time from the flow of this order.

    With their bounds from below and above and the rounding of both sides: (lower, distance, upper, slack). The time is
    cut to some of its leading bits, so that modes of every rate are seen before they have decayed.
    """
    t, eta, p = 1 + (problem.t >> problem.t % 8), problem.eta / 2, order + 1
    k = t[:, None]
    rate = (order - 1) * eta[:, None] / 2
    H, pull = problem.X.mT @ problem.X, np.vecmat(problem.y, problem.X)
    A, b = H + rate[..., None] * (H @ H), pull + rate * np.matvec(H, pull)
    # when
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, t)
    flow = affine_flow(A, b, problem.w0, t * eta)
    # the modes at the start, and x = eta s^2
    x = eta[:, None] * problem.s**2
    first = np.abs(np.vecmat(problem.w0, problem.V) - problem.divide_by_s(problem.modes(problem.y)))
    decay = first * np.exp(-k * (x + (order - 1) * x**2 / 2))
    lower, upper = -decay * np.expm1(-k * x**p / p), -decay * np.expm1(-k * x**p / (p * (1 - x)))
    slack = iterate_rounding(problem, run) + 2 * flow_rounding(problem, problem.w0, t * eta)
    return lower, np.abs(np.vecmat(run.w - flow, problem.V)), upper, slack[:, None]


@as_printed
@given_batches(problem=regressions())
def test_on_quadratic_losses_the_distance_to_gradient_flow_is_of_first_order_from_both_sides(problem):
    lower, distance, upper, slack = mode_distance(problem, 1)
    # then
    assert_within(lower, distance, upper, slack=slack, why="|(1 - x)^k - e^(-kx)|", instance=problem)


@as_printed
@given_batches(start=gentle_products())
def test_the_minimum_that_gradient_flow_finds_is_that_of_descent_to_first_order(start):
    # given  L = (uv - 1)^2/2, where the flow keeps D = u^2 - v^2 and ends on uv = 1
    D, eta, r = start.u**2 - start.v**2, start.eta, start.u * start.v - 1
    t = steps_to_contract(start.contraction, CONVERGED)
    # when
    u, v = product_descent(start.u, start.v, 1.0, eta, t)
    # then   a step shrinks D by 1 - eta^2 r^2, and |r| by 1 - 2 eta u_0 v_0 at least: the squares of r sum up
    slack = 64 * (1 + t) * UNIT_ROUNDOFF * start.flow_sharpness
    assert_at_most(np.abs(u * v - 1), CONVERGED + slack, why="the run is at a minimum", instance=start)
    lost, least = np.abs(D) - np.sign(D) * (u**2 - v**2), np.abs(D) * (eta * r) ** 2
    # contraction = 1 - 2 eta u_0 v_0, so that most is eta |D| r^2/(4 u_0 v_0 (1 - eta u_0 v_0))
    most = least / (1 - start.contraction**2)
    assert_within(least, lost, most, slack=slack, why="what is lost of |D|", instance=start)


@corrected("C1")
@given_batches(problem=separable_data())
def test_on_convex_losses_descent_stays_within_a_multiple_of_eta_squared_of_the_corrected_flow(problem):
    # when   logistic losses
    distance, bound, error = convex_distance(problem, 2)
    # then
    assert_at_most(distance, bound + error, why="|theta_k - modified flow|", instance=problem)
    assert_at_most(NEGLIGIBLE * error.max(-1), distance.max(-1), why="the flow's own error", instance=problem)


@corrected("C3")
@given_batches(problem=regressions())
def test_on_quadratic_losses_the_distance_to_the_corrected_flow_is_of_second_order_from_both_sides(problem):
    lower, distance, upper, slack = mode_distance(problem, 2)
    # then
    assert_within(lower, distance, upper, slack=slack, why="|(1 - x)^k - e^(-k(x + x^2/2))|", instance=problem)


@corrected("C4")
@given_batches(problem=regressions())
def test_on_quadratic_losses_descent_is_exactly_the_flow_of_the_logarithm(problem):
    # given  -ln(I - eta H)/eta on row(X), and the interpolant nearest to the start
    eta = problem.eta / 2
    spectrum = -np.log1p(-eta[:, None] * problem.s**2) / eta[:, None]
    A = (problem.V * spectrum[:, None, :]) @ problem.V.mT
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    # when
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, problem.t)
    flow = affine_flow(A, np.matvec(A, limit), problem.w0, problem.t * eta)
    # then   the generator is at most ln(20)/0.95 < 4 times that of the flow
    slack = iterate_rounding(problem, run) + 4 * flow_rounding(problem, problem.w0, problem.t * eta)
    assert_at_most(norm(run.w - flow, axis=-1), slack, why="w_k and the flow at k eta", instance=problem)


def one_step(problem, coefficient):
    """Descent less the flow of F = -(g + 2 coefficient eta Hg) after one step, in powers of eta: (4, 2).

    Also Hg and HHg/3 + T(g, g)/12; all in fractions, for the first two rows.
    """
    X, a, b, c, w0 = (fractions(part[:2]) for part in (problem.X, problem.a, problem.b, problem.c, problem.w0))
    s = X @ w0
    second = a + b * s + c * s**2 / 2
    g = X.T @ (a * s + b * s**2 / 2 + c * s**3 / 6)
    Hg = X.T @ (second * (X @ g))
    step = np.stack([w0, -g, 0 * g, 0 * g])
    f = X.T @ (second * (X @ Hg)) / 3 + X.T @ ((b + c * s) * (X @ g) ** 2) / 12
    return step - flow_in_powers_of_the_step(X, a, b, c, w0, coefficient), Hg, f


@corrected("C2")
@given(quartics())
def test_one_step_agrees_with_the_corrected_flow_to_second_order_and_misses_HHg_and_T(problem):
    missed, _, f = one_step(problem, Fraction(1, 4))
    # then
    assert_identical(missed, np.stack([0 * f, 0 * f, 0 * f, -f]), why="powers 0 to 3 of eta")


@pytest.mark.slow
@corrected("C2")
@given(quartics(), st.fractions(-2, 2, max_denominator=8))
def test_one_step_misses_a_multiple_of_eta_squared_that_vanishes_at_one_quarter_alone(problem, coefficient):
    missed, Hg, _ = one_step(problem, coefficient)
    # then
    missing = (2 * coefficient - Fraction(1, 2)) * Hg
    assert_identical(missed[:3], np.stack([0 * Hg, 0 * Hg, missing]), why="powers 0 to 2 of eta")


def bound_of_second_order(curvature, eta, k):
    """eta^2 int q of C1 for L = curvature w^2/2 after k steps from 1."""
    return flow_of_order(2, parabola(curvature), np.ones((1, 1)), np.array([eta]), k).missed[k, 0]


@necessity("H3")
@pytest.mark.parametrize("coefficient", [-1 / 4, 0, 1 / 2])
def test_without_H3_the_distance_is_of_first_order(coefficient):
    # given  L = h w^2/2 from 1 and the flow of L + coefficient eta |g|^2
    h, eta, k, time = 1.0, 1 / 64, 64, 1.0
    assert_keeps(H1=h >= 0, H2=0 < eta <= 2 / h, H4=time == k * eta)
    # when
    descent, flow = (1 - eta * h) ** k, np.exp(-(h + 2 * coefficient * eta * h**2) * time)
    # then
    bound = 10 * bound_of_second_order(h, eta, k)
    assert_at_most(bound, abs(descent - flow), why="more than ten times the bound of C1")


@necessity("H4")
@pytest.mark.parametrize("late", [-1, 1])
def test_without_H4_the_distance_is_of_first_order(late):
    # given  L = h w^2/2 from 1, and the corrected flow at the time of another step
    h, eta, k, coefficient = 1.0, 1 / 64, 64, 1 / 4
    assert_keeps(H1=h >= 0, H2=0 < eta <= 2 / h, H3=coefficient == 1 / 4)
    # when
    descent, flow = (1 - eta * h) ** k, np.exp(-(h + 2 * coefficient * eta * h**2) * (k + late) * eta)
    # then
    bound = 20 * bound_of_second_order(h, eta, k)
    assert_at_most(bound, abs(descent - flow), why="more than twenty times the bound of C1")


@necessity("H1")
def test_without_H1_the_distance_outgrows_what_single_steps_miss():
    # given  L = h w^2/2 from 1, h = -1
    h, eta, k, time, coefficient = -1.0, 1 / 8, 64, 8.0, 1 / 4
    assert_keeps(H2=0 < eta <= 2 / abs(h), H3=coefficient == 1 / 4, H4=time == k * eta)
    # when   descent multiplies by 9/8, and the flows grow as e^t and e^(15t/16)
    descent, flow = (1 - eta * h) ** k, np.exp(-h * time)
    second = np.exp(-(h + 2 * coefficient * eta * h**2) * time)
    # then   eta int |Hg| dt = (e^8 - 1)/8
    assert_at_most((flow - 1) / 8, flow - descent, why="the distance at T = 8")
    assert_at_most(bound_of_second_order(h, eta, k), descent - second, why="from the corrected flow")


@necessity("H2")
@given(k=st.integers(4, 60))
def test_without_H2_the_distance_outgrows_what_single_steps_miss_on_a_convex_loss(k):
    # given  L = h w^2/2 from 1, and eta = 3 > 2/h
    h, eta, time, coefficient = 1.0, 3.0, 3.0 * k, 1 / 4
    assert_keeps(H1=h >= 0, H3=coefficient == 1 / 4, H4=time == k * eta)
    # when   descent multiplies by -2, without rounding
    descent = (1 - eta * h) ** k
    second = np.exp(-(h + 2 * coefficient * eta * h**2) * time)
    # then   eta int |Hg| dt = 3(1 - e^(-3k)) stays below 3, and eta^2 int q below 11
    q = np.hypot(7 / 4, 1 / 4) + np.hypot(5 / 2, 1 / 4) / 2
    assert_at_most(9 * q / (5 / 2), 11, why="the integral of q = (..) e^(-5t/2), for all times")
    assert_at_most([3, 11], [abs(descent - np.exp(-h * time)), abs(descent - second)], why="the two distances")
