r"""Section 2.2: steepest descent (b) - continuous time.

Printed     $\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t)$ becomes $\dot\theta = -\nabla L(\theta)$ in continuous
            time
Reading     Descent with step $\eta$ stays within $O(\eta)$ of the flow, at all times on least squares. For networks,
            Section 7.2 has a claim on small learning rates
Setting     $L(w) = \frac12 \|Xw - y\|^2$ with $X = U \operatorname{diag}(s) V^\top$ of rank $n$; $w(t)$ is the flow,
            $w_k$ the iterate and $w_\infty$ the limit
Hypotheses  (H3) $\eta s_1^2 \le 1$.
Idea        For $z = \eta s_i^2 \in [0, 1]$ the modes of flow and descent differ by $0 \le e^{-kz} - (1-z)^k \le
            \frac{z}{2} \cdot kz e^{-(k-1)z} \le z/2$, so that $\|w_k - w(k\eta)\| \le \frac{\eta s_1^2}{2} \|w_0 -
            w_\infty\|$
Tolerance   The bound is the one of the field Idea, plus the rounding of the run and of the matrix exponential
Expected    holds
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import one_sample_regressions, regressions
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.least_squares import iterate_rounding
from properties.linear_models.limits import flow_rounding, interpolant_rounding
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed, necessity
from theorems.section_02_preliminaries.section_2_2_steepest_descent.flows import flow_at


def half_a_step(problem, eta):
    """The bound on |w_k - w(k eta)| in units of the distance |w_0 - w_inf| of the start: eta s_1^2/2."""
    return eta * problem.sigma_max**2 / 2


def mode_factors(problem, eta, k):
    """The factors e^(-kz) of the modes of the flow and (1-z)^k of those of descent, at z = eta s_i^2; (B, n) each."""
    z = eta[:, None] * problem.s**2
    return np.exp(-k[:, None] * z), (1 - z) ** k[:, None]


@as_printed
@given_batches(problem=regressions())
def test_descent_stays_within_half_a_step_of_the_flow_at_all_times(problem):
    # given  H3: eta s_1^2 at most 1
    eta = np.minimum(problem.eta, 1 / problem.sigma_max**2)
    distance = norm(problem.w0 - nearest_interpolant(problem.X, problem.y, problem.w0), axis=-1)
    # when
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, problem.t)
    flow = flow_at(problem, problem.w0, eta * problem.t)
    # then
    slack = iterate_rounding(problem, run) + flow_rounding(problem, problem.w0, eta * problem.t)
    bound = half_a_step(problem, eta) * distance + slack + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(run.w - flow, axis=-1), bound, why="descent against flow", instance=problem)


@as_printed
@given_batches(problem=regressions())
def test_descent_is_ahead_of_the_flow_by_the_difference_of_the_factors_of_each_mode(problem):
    eta = np.minimum(problem.eta, 1 / problem.sigma_max**2)
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, problem.t)
    flow = flow_at(problem, problem.w0, eta * problem.t)
    # then   the modes of the flow less the modes of descent; each factor is between 0 and z/2
    of_flow, of_descent = mode_factors(problem, eta, problem.t)
    ahead = np.matvec(problem.V, (of_flow - of_descent) * np.vecmat(problem.w0 - limit, problem.V))
    slack = iterate_rounding(problem, run) + flow_rounding(problem, problem.w0, eta * problem.t)
    slack += interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(flow - run.w - ahead, axis=-1), slack, why="difference of the modes", instance=problem)
    half = eta[:, None] * problem.s**2 / 2
    # a power of k factors, each rounded once, and an exponential of kz <= k
    slack = rounding(problem.t[:, None] + 3)
    assert_at_most(of_descent, of_flow + slack, why="descent is ahead", instance=problem)
    assert_at_most(of_flow - of_descent, half + slack, why="by z/2 at most", instance=problem)


@as_printed
@given_batches(problem=one_sample_regressions())
def test_one_full_step_attains_two_over_e_of_the_bound(problem):
    # given  n = 1, eta = 1/s_1^2, k = 1. Descent is at the limit, and the flow at the distance 1/e from it; the bound
    #        is 1/2
    start, eta = nearest_interpolant(problem.X, problem.y, problem.w0) + problem.V[:, :, 0], 1 / problem.sigma_max**2
    run = gradient_descent(problem.X, problem.y, start, eta, 1)
    distance = norm(flow_at(problem, start, eta) - run.w, axis=-1)
    slack = iterate_rounding(problem, run) + flow_rounding(problem, start, eta) + interpolant_rounding(problem, start)
    assert_at_most(np.abs(distance - np.exp(-1)), slack, why="1/e", instance=problem)
    # and    this is more than half of the bound, which is eta s_1^2/2 times the distance 1 of the start
    bound = half_a_step(problem, eta)
    assert_within(bound / 2, distance, bound, why="the bound on the distance", instance=problem)


@necessity("H3")
@given_batches(problem=one_sample_regressions())
def test_a_step_beyond_H3_leaves_the_flow_by_more_than_half_a_step(problem):
    # given  eta s_1^2 = 1.9, and the start is an interpolant plus the first right singular vector
    start, eta = nearest_interpolant(problem.X, problem.y, problem.w0) + problem.V[:, :, 0], 1.9 / problem.sigma_max**2
    run = gradient_descent(problem.X, problem.y, start, eta, 1)
    flow = flow_at(problem, start, eta)
    # then   the distance is z - 1 + e^-z = 1.05 for z = 1.9, while z/2 = 0.95
    distance, exact = norm(flow - run.w, axis=-1), 0.9 + np.exp(-1.9)
    slack = iterate_rounding(problem, run) + flow_rounding(problem, start, eta) + interpolant_rounding(problem, start)
    assert_at_most(np.abs(distance - exact), slack, why="distance after one long step", instance=problem)
    assert_at_most(half_a_step(problem, eta), distance - slack, why="more than the bound under H3", instance=problem)
