r"""Section 2.2: steepest descent - gradient flow goes where the loss falls fastest, and its start decides.

Section     2.2, the two displayed equations and the first two key properties
Printed     $\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t)$ becomes, in continuous time,
            $\dot\theta = -\nabla L(\theta)$; it moves along the direction of steepest descent; its trajectory depends
            critically on $\theta_0$
Reading     (a) among unit vectors v, the slope <grad L, v> is least at the direction of the velocity. (b) descent with
            step eta stays within O(eta) of the flow, here at all times; for networks see Section 7.2. (c) flows from
            two starts never meet, and near a saddle arbitrarily close starts end far apart.
Setting     $L(w) = \frac12 \|Xw - y\|^2$, X = U diag(s) V' of rank n, the limit w_inf; two small networks
            for what is nonlinear
Hypotheses  (H1) Lengths are Euclidean.  (H2) The gradient is not zero.  (H3) eta s_1^2 <= 1.  (H4) Time is continuous.
Parts       (a) direction - holds
            (b) continuous time - holds
            (c) start - holds
Idea        (a) $\langle g, v\rangle + \|g\| = \frac12 \|g\| \|v + g/\|g\|\|^2$ for unit v.
            (b) $0 \le e^{-kz} - (1-z)^k \le \frac{z}{2} \cdot kz e^{-(k-1)z} \le z/2$ for $z = \eta s_i^2 \in [0, 1]$
            bounds the difference of modes, so $\|w_k - w(k\eta)\| \le \frac{\eta s_1^2}{2} \|w_0 - w_\infty\|$.
            (c) $e^{-s_1^2 t} \|w_0 - w_0'\| \le \|w(t) - w'(t)\| \le \|w_0 - w_0'\|$.
Source      Nesterov (2004), Introductory Lectures on Convex Optimization; Ali, Kolter, Tibshirani (2019), A
            Continuous-Time View of Early Stopping for Least Squares Regression; the bound in (b) is proved above
Tolerance   Slopes are rational: central differences of a quadratic are exact. Flows come from a matrix exponential, or
            from DOP853 with the error that a second tolerance estimates, doubled
Findings    In the metric v'Dv the steepest direction is -D^-1 grad L, another one unless grad L is an eigenvector of D:
            the print presupposes H1. Two trajectories of discrete descent can merge after one step, so (c) needs H4.
Expected    holds
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent, least_squares_gradient
from fixtures.dynamics.gradient_flow import affine_flow, gradient_flow
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import line, lines
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.least_squares import iterate_rounding
from properties.limits import flow_rounding, interpolant_rounding
from properties.oracles import nearest_interpolant
from theorems.ledger import as_printed, necessity

directions = st.tuples(st.integers(-5, 5), st.integers(-5, 5)).map(lambda v: np.array([Fraction(c) for c in v], object))


def slope(problem, w, v):
    """<grad L(w), v> from two values of the loss; exact, because a central difference of a quadratic is."""
    ahead, behind = (problem.residual(w + sign * v) ** 2 / 2 for sign in (1, -1))
    return (ahead - behind) / 2


def flow_at(problem, start, t):
    """The gradient flow by matrix exponential."""
    return affine_flow(problem.X.mT @ problem.X, np.vecmat(problem.y, problem.X), start, t)


def half_a_step(problem, eta):
    """The factor eta s_1^2/2 of the distance to the limit by which descent and flow may be apart."""
    return eta * problem.sigma_max**2 / 2


def gaps(problem, eta, k):
    """How far a mode of descent is behind that of the flow, e^(-kz) - (1-z)^k at z = eta s_i^2, (B, n)."""
    z = eta[:, None] * problem.s**2
    return np.exp(-k[:, None] * z) - (1 - z) ** k[:, None]


def network_loss(w, x, y):
    """(1/2) sum_i (a tanh(b x_i) - y_i)^2 at w = (a, b, ...), with any leading axes."""
    return ((w[..., :1] * np.tanh(w[..., 1:2] * x) - y) ** 2).sum(-1) / 2


def network_field(w, x, y):
    """The flow of (a, b) by the chain rule, and the rate |grad L|^2 at which the third coordinate grows."""
    a, hidden = w[..., :1], np.tanh(w[..., 1:2] * x)
    residual = a * hidden - y
    g = np.stack([(residual * hidden).sum(-1), (residual * a * x * (1 - hidden**2)).sum(-1)], axis=-1)
    return np.concatenate([-g, (g**2).sum(-1, keepdims=True)], axis=-1)


@as_printed(part="(a)")
@given(lines(), directions)
def test_no_direction_descends_faster_than_minus_the_gradient(problem, v):
    # given  the gradient, its components as slopes along the axes
    w, axes = problem.w0, np.array([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]], object)
    g = np.array([slope(problem, w, axis) for axis in axes], object)
    # then   |g|^2 |v|^2 - <g, v>^2 is a square that vanishes just where v is parallel to g
    shortfall = (g @ g) * (v @ v) - slope(problem, w, v) ** 2
    assert_identical(shortfall, (g[0] * v[1] - g[1] * v[0]) ** 2, why="slope along v against the steepest slope")
    assert_identical(slope(problem, w, -g), -(g @ g), why="slope along -g: its length, and down")


@as_printed(part="(a)")
@given_batches(problem=regressions())
def test_the_velocity_of_the_flow_is_minus_the_gradient(problem):
    # given  the flow h before and h after a time up to 10, in units of 1/s_1^2
    t, h = 0.01 + problem.t / 20, 2.0**-13
    before, now, after = (flow_at(problem, problem.w0, t + shift) for shift in (-h, 0, h))
    gradient = least_squares_gradient(problem.X, problem.y, now)
    # then   |w'''| <= s_1^4 |g|, and |g| only falls: the central difference is off by h^2/6 of it
    error = norm((after - before) / (2 * h) + gradient, axis=-1)
    remainder = h**2 / 6 * problem.sigma_max**4 * norm(least_squares_gradient(problem.X, problem.y, before), axis=-1)
    slack = 2 * flow_rounding(problem, problem.w0, t) / h
    assert_at_most(error, remainder + slack, why="velocity against gradient", instance=problem)


@as_printed(part="(a)")
def test_a_network_loses_just_what_its_squared_speed_adds_up_to():
    # given  f(x) = a tanh(bx) on two samples, and a third coordinate that adds up |d(a, b)/dt|^2
    x, y = np.array([1.0, -0.5]), np.array([1.0, 0.5])
    starts = np.array([[1.0, -2.0, 0.0], [0.5, 2.0, 0.0], [3.0, -1.0, 0.0]])
    # when
    flow = gradient_flow(lambda w: network_field(w, x, y), starts, [0.1, 0.5, 2.0, 8.0])
    # then   L(0) - L(t) = int |g| |w'|, which for other curves is an inequality
    lost = network_loss(starts, x, y) - network_loss(flow.states, x, y)
    speed = norm(network_field(flow.states, x, y)[..., :2], axis=-1)
    slack = 2 * flow.error * (2 + speed.max(-1))
    assert_at_most(np.abs(lost - flow.states[..., 2]).max(-1), slack, why="loss against the integral of squared speed")


@necessity("H1", part="(a)")
@given(tapes(9))
def test_in_another_metric_another_direction_is_steeper(tape):
    # given  unit vectors v'Dv = 1, D = diag(d) with d_1 != d_2, and a gradient without zeros
    d = [Fraction(1 + tape.below(4))]
    d += [d[0] + 1 + tape.below(3), Fraction(1 + tape.below(4))]
    g = [Fraction((1 + tape.below(4)) * (1 - 2 * tape.below(2))) for _ in range(3)]
    # when   squared slopes along -D^-1 g and along -g, each at unit length
    steepest = sum(gi**2 / di for gi, di in zip(g, d, strict=True))
    euclidean = sum(gi**2 for gi in g) ** 2 / sum(di * gi**2 for gi, di in zip(g, d, strict=True))
    assert_keeps(H2=all(g))
    # then   Lagrange's identity: the gap is a sum of squares over pairs of axes, zero just at eigenvectors
    pairs = [(0, 1), (0, 2), (1, 2)]
    gap = sum((g[i] * g[j] * (d[i] - d[j])) ** 2 / (d[i] * d[j]) for i, j in pairs)
    assert_identical((steepest - euclidean) * sum(di * gi**2 for gi, di in zip(g, d, strict=True)), gap, why="gap")
    assert_violates(steepest, euclidean, reads="squared slope {value} > {limit} along -g", D=d, g=g)


@necessity("H2", part="(a)")
@given(lines(), directions)
def test_where_the_gradient_vanishes_no_direction_is_steepest_and_the_flow_rests(problem, v):
    rest = problem.nearest_interpolant(problem.w0)
    assert_keeps(H1=True)
    assert_identical(slope(problem, rest, v), 0, why="every direction is level")
    steps = exact_descent(problem.X, problem.y, rest, problem.legal[0], 3)
    assert_identical(steps[3], rest, why="nothing moves")


@as_printed(part="(b)")
@given_batches(problem=regressions())
def test_descent_stays_within_half_a_step_of_the_flow_at_all_times(problem):
    # given  H3: eta s_1^2 at most 1
    eta = problem.eta.clip(max=1)
    distance = norm(problem.w0 - nearest_interpolant(problem.X, problem.y, problem.w0), axis=-1)
    # when
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, problem.t)
    flow = flow_at(problem, problem.w0, eta * problem.t)
    # then
    slack = iterate_rounding(problem, run) + flow_rounding(problem, problem.w0, eta * problem.t)
    bound = half_a_step(problem, eta) * distance + slack + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(run.w - flow, axis=-1), bound, why="descent against flow", instance=problem)


@as_printed(part="(b)")
@given_batches(problem=regressions())
def test_descent_is_ahead_of_the_flow_by_just_the_gap_of_each_mode(problem):
    eta = problem.eta.clip(max=1)
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, problem.t)
    flow = flow_at(problem, problem.w0, eta * problem.t)
    # then   modes of the flow less modes of descent, between 0 and z/2
    gap = gaps(problem, eta, problem.t)
    ahead = np.matvec(problem.V, gap * np.vecmat(problem.w0 - limit, problem.V))
    slack = iterate_rounding(problem, run) + flow_rounding(problem, problem.w0, eta * problem.t)
    slack += interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(flow - run.w - ahead, axis=-1), slack, why="gap of the modes", instance=problem)
    half_a_step = eta[:, None] * problem.s**2 / 2
    rounding = 4 * (1 + problem.t[:, None]) * UNIT_ROUNDOFF
    assert_within(0, gap, half_a_step, slack=rounding, why="gap in [0, z/2]", instance=problem)


@as_printed(part="(b)")
@given_batches(problem=regressions(max_rows=1))
def test_one_full_step_attains_two_over_e_of_the_bound(problem):
    # given  n = 1, eta = 1/s_1^2, k = 1: descent arrives, the flow has 1/e of the way to go; 2/e of the bound
    start = nearest_interpolant(problem.X, problem.y, problem.w0) + problem.V[:, :, 0]
    run = gradient_descent(problem.X, problem.y, start, 1 / problem.sigma_max**2, 1)
    flow = flow_at(problem, start, 1 / problem.sigma_max**2)
    slack = iterate_rounding(problem, run) + flow_rounding(problem, start, 1) + interpolant_rounding(problem, start)
    distance = norm(flow - run.w, axis=-1)
    assert_within(np.exp(-1), distance, np.exp(-1), slack=slack, why="1/e", instance=problem)
    # and    more than half of the bound, eta s_1^2/2 times the distance 1 of the start
    assert_at_most(half_a_step(problem, 1 / problem.sigma_max**2) / 2, distance, why="half of the bound")


@necessity("H3", part="(b)")
@given_batches(problem=regressions(max_rows=1))
def test_a_step_beyond_H3_leaves_the_flow_by_more_than_half_a_step(problem):
    # given  eta s_1^2 = 1.9, a start off M by the first right singular vector
    start, eta = nearest_interpolant(problem.X, problem.y, problem.w0) + problem.V[:, :, 0], 1.9 / problem.sigma_max**2
    run = gradient_descent(problem.X, problem.y, start, eta, 1)
    flow = flow_at(problem, start, eta)
    # then   z - 1 + e^-z = 1.05 where z/2 = 0.95
    distance, exact = norm(flow - run.w, axis=-1), 0.9 + np.exp(-1.9)
    slack = iterate_rounding(problem, run) + flow_rounding(problem, start, 2) + interpolant_rounding(problem, start)
    assert_within(exact, distance, exact, slack=slack, why="distance after one long step", instance=problem)
    assert_at_most(1.9 / 2, distance - slack, why="more than the bound under H3", instance=problem)


@as_printed(part="(c)")
@given_batches(problem=regressions())
def test_flows_from_two_starts_never_meet(problem):
    # given  a second start, and t up to 20 in units of 1/s_1^2
    other, t = np.vecmat(problem.y, problem.X) - problem.w0, problem.t / 10
    # when
    separation = norm(flow_at(problem, problem.w0, t) - flow_at(problem, other, t), axis=-1)
    # then
    before = norm(problem.w0 - other, axis=-1)
    slack = flow_rounding(problem, problem.w0, t) + flow_rounding(problem, other, t)
    slowest = np.exp(-(problem.sigma_max**2) * t) * before
    assert_within(slowest, separation, before, slack=slack, why="distance of two flows", instance=problem)


@as_printed(part="(c)")
def test_starts_on_either_side_of_a_saddle_part_however_close_they_are():
    # given  f(x) = uvx, one sample (1, 1), u = v = +-e, close to the saddle 0: u^2 = 1/(1 + (1/e^2 - 1) exp(-2t))
    e, times = np.array([1e-2, 1e-4, 1e-6]), np.array([1.0, 5.0, 10.0, 20.0])
    starts = np.stack([np.outer(e, [1, 1]), np.outer(-e, [1, 1])])
    flow = gradient_flow(lambda w: (1 - w.prod(-1, keepdims=True)) * w[..., ::-1], starts, times)
    # then   the logistic curve; at t = 20 all are near (1, 1) or (-1, -1)
    exact = np.sqrt(2) * 2 / np.sqrt(1 + (1 / e**2 - 1) * np.exp(-2 * times[:, None]))
    separation = norm(flow.states[:, 0] - flow.states[:, 1], axis=-1)
    assert_at_most(np.abs(separation - exact).max(-1), 4 * flow.error, why="separation against the logistic curve")
    # and    2 sqrt(2) (1 + d)^(-1/2) apart with d = (1/e^2 - 1) exp(-2t), between 1 - d/2 and 1 of the final distance
    final, d = norm([2, 2]), (1 / e**2 - 1) * np.exp(-2 * times[-1])
    slack = 4 * flow.error[-1]
    assert_within(final * (1 - d / 2), separation[-1], final, slack=slack, why="starts 2 sqrt(2) e apart end that far")


@necessity("H4", part="(c)")
def test_two_descents_can_merge_after_one_step():
    # given  x = (1, 2), y = 1, eta = 1/|x|^2
    problem = line([[1, 2]], [1], [0, 0], [1, 2], ["1/5", "1/10"])
    ends = [exact_descent(problem.X, problem.y, w, Fraction(1, 5), 1)[1] for w in (problem.w0, problem.other)]
    assert_identical(ends[0], ends[1], why="one trajectory from the first step on")
    assert_violates(2, len({tuple(end) for end in ends}), reads="{value} starts > {limit} trajectory", x=[1, 2], y=1)
