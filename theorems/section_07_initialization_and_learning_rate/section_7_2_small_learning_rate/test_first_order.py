r"""Section 7.2: small learning rate - descent stays within a multiple of the step of gradient flow.

Reading     The loss is $C^2$. Up to every fixed time $T = k\eta$ the iterate $\theta_k$ is within $C\eta$ of the flow
            $\theta(T)$. $C$ is known from the flow where $L$ is convex, and from both paths elsewhere. And where the
            bias of the flow is known, that of descent is known to order $\eta$
Setting     $\theta_{k+1} = \theta_k - \eta g(\theta_k)$, $g = \nabla L$; $H$ is the Hessian of $L$. The flow is
            $d\theta/dt = -g(\theta)$ from the same start. For quadratic losses $x = \eta h$, $h$ an eigenvalue of $H$
Idea        A step is the first term of Taylor's formula. The remainders of the steps add up. Where $L$ is convex and
            $\eta$ is at most 2 over the largest curvature, later steps do not expand them. Elsewhere later steps expand
            them by a factor that is known along the path
Tolerance   Flows are matrix exponentials, or Runge-Kutta with the integrals as a further state. Their error by their
            own estimate is shown to be below a thousandth of what is measured
Findings    Gradient descent is deterministic at every step, so this is no effect of a small one. Without convexity $C$
            may grow exponentially with $T$, as for $L = -w^2/2$. Slopes fitted to halved steps are no certificate: the
            first order is shown by bounds from both sides
Expected    holds
"""

from itertools import accumulate

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.factored_descent import product_descent
from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.problems.separable import separable_data
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import as_printed
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.gentle_products import gentle_products
from theorems.section_07_initialization_and_learning_rate.modified_flow import flow_of_order
from theorems.section_07_initialization_and_learning_rate.section_7_2_small_learning_rate.distances import (
    CONVERGED,
    MORE_STEPS,
    NEGLIGIBLE,
    convex_distance,
    iterates,
    mode_distance,
    parabola,
)
from theorems.section_07_initialization_and_learning_rate.section_7_2_small_learning_rate.quartics import (
    expansion,
    quartics,
)


@as_printed
@given_batches(problem=separable_data())
def test_on_convex_losses_descent_stays_within_eta_times_the_curvature_that_the_flow_meets(problem):
    # when   logistic losses
    distance, bound, error = convex_distance(problem, 1)
    # then
    assert_at_most(distance, bound + error, why="|theta_k - theta(k eta)|", instance=problem)
    assert_at_most(NEGLIGIBLE * error.max(-1), distance.max(-1), why="the flow's own error", instance=problem)


@as_printed
def test_one_step_of_two_over_the_curvature_misses_gradient_flow_by_more_than_half_of_the_bound():
    # given  L = w^2/2 from 1 and eta = 2: the step ends at -1, the flow at e^-2, and eta int |Hg| = 2(1 - e^-2)
    loss, eta = parabola(1.0), np.array([2.0])
    flow, w = flow_of_order(1, loss, np.ones((1, 1)), eta, 1), iterates(loss, np.ones((1, 1)), eta, 1)
    # then
    bound = flow.missed[1, 0]
    assert_within(bound / 2, abs(w[1, 0, 0] - flow.w[1, 0, 0]), bound, slack=2 * flow.error[1], why="the distance")


@as_printed
@given_batches(problem=quartics())
def test_on_any_loss_local_errors_grow_by_a_factor_that_is_known_along_the_path(problem):
    # given  quartics with minima, saddles and maxima, at eta = 1/16 over the curvature at the start
    loss, s = problem.loss(), np.matvec(problem.X, problem.w0)
    eta = 1 / (16 * (1 + (np.abs(problem.second(s)) * np.square(problem.X).sum(-1)).sum(-1)))
    # when
    flow, w = flow_of_order(1, loss, problem.w0, eta, MORE_STEPS), iterates(loss, problem.w0, eta, MORE_STEPS)
    # then   e_(j+1) <= |I - eta H| e_j + the local error of step j
    steps = zip(flow.w, w, np.diff(flow.missed, axis=0), strict=False)
    bounds = accumulate(steps, lambda e, at: expansion(problem, eta, *at[:2]) * e + at[2], initial=np.zeros_like(eta))
    # then   a step has inner products of 2 and 3 entries and twelve operations, and expands by 1 + 1/16 or so
    hidden = rounding(MORE_STEPS * (2 + 3 + 12), (1 + norm(problem.w0, axis=-1)) * np.exp(MORE_STEPS / 16))
    slack = 2 * flow.error[:, None] + hidden
    assert_at_most(norm(w - flow.w, axis=-1).T, (np.stack(list(bounds)) + slack).T, why="distance", instance=problem)


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
    slack = rounding(6 * t + 4, start.flow_sharpness)  # a step costs six
    assert_at_most(np.abs(u * v - 1), CONVERGED + slack, why="the run is at a minimum", instance=start)
    lost, least = np.abs(D) - np.sign(D) * (u**2 - v**2), np.abs(D) * (eta * r) ** 2
    # contraction = 1 - 2 eta u_0 v_0, so that most is eta |D| r^2/(4 u_0 v_0 (1 - eta u_0 v_0))
    most = least / (1 - start.contraction**2)
    assert_within(least, lost, most, slack=slack, why="what is lost of |D|", instance=start)
