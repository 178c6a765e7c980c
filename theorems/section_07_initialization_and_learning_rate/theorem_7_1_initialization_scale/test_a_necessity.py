r"""Theorem 7.1 (a) - without any one of the hypotheses the limit is not the minimizer of Q.

Setting     $L = \frac12 \|Xw - y\|^2$. Under all six hypotheses the limit minimizes the potential $Q$ over
            $\{w : Xw = y\}$, and $Q'(w)$ is in $\operatorname{row}(X)$. For $D = 2$, $Q'$ is the inverse of
            $2 \alpha^2 \sinh$
Hypotheses  (H1) $u_0 = v_0$. (H2) one $\alpha$ for all coordinates. (H3) some $w$ solves $Xw = y$. (H4) $u$ and $v$ are
            moved at one rate. (H5) gradient flow. (H6) the network is diagonal, $w = u^D - v^D$ entrywise, $u_0$,
            $v_0 > 0$
Idea        Each instance has a flow or a step that is known in closed form, and a limit that violates what every
            minimizer of $Q$ satisfies
Tolerance   Flows by the error estimate of two tolerances; single steps in rational arithmetic
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.diagonal import diagonal_flow, diagonal_step
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.models.diagonal import DiagonalNetwork, uniform
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regression_of_design
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_not_negative,
    assert_within,
)
from theorems.ledger import necessity
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.minimizer import (
    certified_minimizer,
    dual_rounding,
    slack_in_dual,
)
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.problems import (
    problems,
    start_of_the_flow,
)


@necessity("H1")
@given_batches(problem=problems)
def test_without_H1_the_limit_stays_off_the_minimizer(problem):
    # given  u_0 v_0 = alpha^2, but ln(u_0/v_0) a unit vector of null(X)
    alpha, _, pace = start_of_the_flow(problem, 2)
    z0 = problem.N[:, :, 0]
    start = DiagonalNetwork(alpha[:, None] * np.exp(z0 / 2), alpha[:, None] * np.exp(-z0 / 2))
    one_scale = np.abs(start.u * start.v / alpha[:, None] ** 2 - 1) <= rounding(8)
    assert_keeps(H2=one_scale, H3=problem.sigma_min > 0, H4=True, H5=True, H6=(start.u > 0) & (start.v > 0))
    # when   at any time
    flow = diagonal_flow(problem.X, problem.y, start, np.array([0.5, 20.0]), rate=pace)
    network = DiagonalNetwork(*np.moveaxis(flow.states, 1, 0))
    # then   the null part of Q'(w) is z_0, at a minimizer it is zero, and Q'' <= 1/(2 alpha^2)
    null = problem.in_null_space(np.arcsinh(network.w / (2 * alpha[:, None] ** 2)))
    slack = 4 * (slack_in_dual(network, alpha, flow.error[:, None]) + dual_rounding(problem, null))
    assert_at_most(norm(null - z0, axis=-1).T, slack.T, why="the null part of Q'(w) stays", instance=problem)


@necessity("H2")
def test_without_H2_no_common_scale_explains_the_limit():
    # given  X = [1, 1], y = 5, and the scales 1 and 2: z_1 = z_2 for ever, so that w_2 = 4 w_1
    X, y, alpha = np.ones((1, 2)), np.array([5.0]), np.array([1.0, 2.0])
    start = uniform(alpha, alpha)
    assert_keeps(H1=start.u == start.v, H3=y == X @ [1, 4], H4=True, H5=True, H6=start.u > 0)
    flow = diagonal_flow(X, y, start, np.array([0.01, 5.0]))
    w = DiagonalNetwork(*np.moveaxis(flow.states, 1, 0)).w
    slack = 16 * flow.error + rounding(8, 4)
    assert_equal_within(w[:, 1], 4 * w[:, 0], slack, why="w_2 = 4 w_1")
    # then   |r| <= 5 exp(-8 * 2 t) leaves (1, 4), while every common alpha has (5/2, 5/2)
    common = [
        certified_minimizer(DiagonalPotential(2, scale), regression_of_design(X, y)) for scale in (0.01, 1.0, 100.0)
    ]
    assert_at_most(np.abs(w[1] - [1, 4]).max(), 5 * np.exp(-80) + 5 * slack[1], why="the limit (1, 4)")
    (first, second), radius = np.transpose([best.w for best in common]), max(best.radius for best in common)
    assert_equal_within(np.concatenate([first, second]), 2.5, radius, why="the minimizer for common scales")


@necessity("H3")
@given(st.integers(-3, 3), st.lists(st.integers(-8, 8), min_size=2, max_size=2))
def test_without_H3_the_loss_stays_above_what_no_predictor_can_fit(a, w):
    # given  two samples with one input (1, 2) and the targets a and a + 1; a start, and any w that its flow may reach
    X, y, start = fractions([[1, 2], [1, 2]]), fractions([a, a + 1]), uniform(1.0, np.zeros(2))
    assert_keeps(H1=start.u == start.v, H2=np.ptp(start.u) == 0, H4=True, H5=True, H6=start.u > 0)
    r = X @ fractions(w) - y
    # then   r_1 - r_2 = 1, so that |r|^2 >= 1/2: no limit interpolates
    assert_identical(r[0] - r[1], 1, why="the difference of the residuals")
    assert_at_most(Fraction(1, 2), r @ r, why="the residual stays")


@necessity("H4")
def test_without_H4_a_frozen_v_leads_elsewhere():
    # given  X = [1, 2], y = 7, u_0 = v_0 = 1 and v at rest: u = (e^s, e^2s), so w = (m - 1, m^2 - 1), at the end (1, 3)
    X, y, start = np.array([[1.0, 2.0]]), np.array([7.0]), uniform(1.0, np.zeros(2))
    assert_keeps(H1=start.u == start.v, H2=np.ptp(start.u) == 0, H3=y == X @ [1, 3], H5=True, H6=start.u > 0)
    flow = gradient_flow(lambda u: -DiagonalNetwork(u, start.v).gradient(X, y)[0], start.u, np.array([0.02, 2.0]))
    # then   u_2 = u_1^2 at all times, and |r| <= 7 exp(-20 t) as K >= 4 * 5 at the start and grows
    u, slack = flow.states, 16 * flow.error + rounding(6, 4)
    assert_at_most(np.abs(u[:, 1] - u[:, 0] ** 2), slack, why="u_2 = u_1^2")
    assert_at_most(np.abs(u[1] ** 2 - [2, 4]).max(), 7 * np.exp(-40) + 8 * slack[1], why="the limit w = (1, 3)")
    # and    the minimizer of Q with alpha = 1 has w_2/2 = 2s sqrt(1 + s^2) at s = w_1/2, which squares to 5/4, not 9/4
    s = Fraction(1, 2)
    assert_at_most((2 * s) ** 2 * (1 + s**2) + 1, Fraction(3, 2) ** 2, why="far from the minimizer of Q")


@necessity("H5")
@given(st.integers(1, 3000))
def test_without_H5_one_step_reaches_the_least_l2_norm_for_any_target(percent):
    # given  X = [1, 2], y = 20 k with k from 1/100 to 30, u = v = 1 at the start, and one eta = 1/40 for both
    k, X, one = Fraction(percent, 100), fractions([[1, 2]]), fractions([1, 1])
    least = fractions([4 * k, 8 * k])
    assert_keeps(H1=True, H2=one[0] == one[1], H3=X @ least == 20 * k, H4=True, H6=one > 0)
    # when   a = -(k, 2k), within (-1, 0) for k < 1/2
    u, v = diagonal_step(X, 20 * k * one[:1], one, one, Fraction(1, 40))
    # then   w = 4k (1, 2) = X^+ y, though the minimizer of Q for alpha = 1 has (w_2/2)^2 = w_1^2 (1 + w_1^2/4)
    w = u**2 - v**2
    assert_identical(w, least, why="the least l2 norm, of an interpolant")
    assert_identical((w[1] / 2) ** 2 * (1 + 4 * k**2), w[0] ** 2 * (1 + w[0] ** 2 / 4), why="off the minimizer of Q")


@necessity("H6")
def test_without_H6_the_flow_of_two_relu_neurons_has_two_limits_over_one_set():
    # given  f(x) = max(0, u.x) + max(0, -v.x) from u = v = (1, 1), the inputs (1, 0) and (c, c), and targets 0
    u, v, X, y = np.ones(2), np.ones(2), np.array([[1.0, 0.0], [1.0, 1.0]]), np.zeros(2)
    assert_keeps(H1=u == v, H2=np.ptp(u) == 0, H3=X @ np.zeros(2) == y, H4=True, H5=True)
    assert_not_negative((X @ v).min(), why="the neuron of v is inactive, and v rests")

    # when   u_1' = -u_1 - c^2 s and s' = -u_1 - 2 c^2 s, s = u_1 + u_2, while both are positive; in terms of -u_1
    def exit_of(c):
        def field(state):
            first, s = state
            return np.array([-1.0, -(first + 2 * c * c * s) / (first + c * c * s)])

        return gradient_flow(field, np.array([u[0], u.sum()]), np.array([1.0]))

    # then   u_1 = 0 < s at the exit, and after it u_1 falls half as fast as s: u ends in (-s, s)/2. As 2 u_1 <= s <= 2,
    #        s is the integral of u_1/(u_1 + c^2 s), at least that of u_1/(u_1 + 2) for c = 1, at most 1/9 for c = 2
    once, twice = exit_of(1), exit_of(2)
    slack = once.error[0] + twice.error[0] + rounding(8)
    assert_within(1 - 2 * np.log(3 / 2), once.states[0, 1], 1 / 3, slack=slack, why="s at the exit, c = 1")
    assert_within(1 - 8 * np.log(9 / 8), twice.states[0, 1], 1 / 9, slack=slack, why="s at the exit, c = 2")
    assert_at_most(twice.states[0, 1] + 0.07, once.states[0, 1], why="two limits over the same set {L = 0}")
