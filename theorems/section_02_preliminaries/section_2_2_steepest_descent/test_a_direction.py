r"""Section 2.2: steepest descent (a) - direction.

Printed     Gradient flow $\dot\theta = -\nabla L(\theta)$ moves along the direction of steepest descent
Reading     Among the unit vectors $v$, the slope $\langle \nabla L, v \rangle$ is least at the direction of the
            velocity
Setting     $L(w) = \frac12 \|Xw - y\|^2$, and one tanh unit for what is nonlinear
Hypotheses  (H1) Lengths are Euclidean.  (H2) The gradient is not zero.
Idea        $\langle g, v\rangle + \|g\| = \frac12 \|g\| \|v + g/\|g\|\|^2$ for the gradient $g$ and a unit vector $v$
Tolerance   Slopes are rational: central differences of a quadratic are exact. Flows on least squares are matrix
            exponentials. The flow of the tanh unit comes from DOP853 with the error that a second tolerance estimates,
            doubled
Findings    In the metric $v^\top D v$ the steepest direction is $-D^{-1} \nabla L$. It is another direction unless
            $\nabla L$ is an eigenvector of $D$, so that the print presupposes H1
Expected    holds
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, least_squares_gradient
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import lines
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes
from fixtures.rational import to_fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.linear_models.limits import flow_rounding
from theorems.ledger import as_printed, necessity
from theorems.section_02_preliminaries.section_2_2_steepest_descent.flows import flow_at, network_field, network_loss

directions = tapes(3).map(lambda tape: to_fractions(tape.integers(2, 5).astype(int)) / (1 + tape.below(3)))


def slope(problem, w, v):
    """<grad L(w), v> from two values of the loss. It is exact, since a central difference of a quadratic is exact."""
    ahead, behind = (problem.residual(w + sign * v) ** 2 / 2 for sign in (1, -1))
    return (ahead - behind) / 2


@as_printed
@given(lines(), directions)
def test_no_direction_descends_faster_than_minus_the_gradient(problem, v):
    # given  the gradient; its components are the slopes along the axes
    w, axes = problem.w0, np.array([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]], object)
    g = np.array([slope(problem, w, axis) for axis in axes], object)
    # then   |g|^2 |v|^2 - <g, v>^2 is a square, and it is zero if and only if v is parallel to g
    shortfall = (g @ g) * (v @ v) - slope(problem, w, v) ** 2
    assert_identical(shortfall, (g[0] * v[1] - g[1] * v[0]) ** 2, why="slope along v against the steepest slope")
    assert_identical(slope(problem, w, -g), -(g @ g), why="slope along -g: its length, and down")


@as_printed
@given_batches(problem=regressions())
def test_the_velocity_of_the_flow_is_minus_the_gradient(problem):
    # given  the flow h before and h after a time up to 10, in units of 1/s_1^2
    unit = 1 / problem.sigma_max**2
    t, h = (0.01 + problem.t / 20) * unit, 2.0**-13 * unit
    before, now, after = (flow_at(problem, problem.w0, t + shift) for shift in (-h, 0, h))
    gradient = least_squares_gradient(problem.X, problem.y, now)
    # then   |w'''| <= s_1^4 |g|, and |g| only falls. So the error of the central difference is at most h^2/6 s_1^4 |g|
    error = norm((after - before) / (2 * h[:, None]) + gradient, axis=-1)
    remainder = h**2 / 6 * problem.sigma_max**4 * norm(least_squares_gradient(problem.X, problem.y, before), axis=-1)
    slack = 2 * flow_rounding(problem, problem.w0, t) / h
    assert_at_most(error, remainder + slack, why="velocity against gradient", instance=problem)


@as_printed
def test_the_loss_of_a_network_falls_by_the_integral_of_the_squared_speed():
    # given  f(x) = a tanh(bx) on two samples, and a third coordinate that integrates |d(a, b)/dt|^2
    x, y = np.array([1.0, -0.5]), np.array([1.0, 0.5])
    starts = np.array([[1.0, -2.0, 0.0], [0.5, 2.0, 0.0], [3.0, -1.0, 0.0]])
    # when
    flow = gradient_flow(lambda w: network_field(w, x, y), starts, [0.1, 0.5, 2.0, 8.0])
    # then   L(0) - L(t) is the integral of |g| |w'|. For other curves it is at most this integral
    lost = network_loss(starts, x, y) - network_loss(flow.states, x, y)
    speed = norm(network_field(flow.states, x, y)[..., :2], axis=-1)
    slack = 2 * flow.error * (2 + speed.max(-1))
    assert_at_most(np.abs(lost - flow.states[..., 2]).max(-1), slack, why="loss against the integral of squared speed")


@necessity("H1")
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
    # then   by Lagrange's identity the difference is a sum of squares over pairs of axes. It is zero if and only if g
    #        is an eigenvector of D
    pairs = [(0, 1), (0, 2), (1, 2)]
    difference = sum((g[i] * g[j] * (d[i] - d[j])) ** 2 / (d[i] * d[j]) for i, j in pairs)
    assert_identical(
        (steepest - euclidean) * sum(di * gi**2 for gi, di in zip(g, d, strict=True)), difference, why="difference"
    )
    assert_violates(steepest, euclidean, reads="squared slope {value} > {limit} along -g", D=d, g=g)


@necessity("H2")
@given(lines(), directions)
def test_where_the_gradient_vanishes_no_direction_is_steepest_and_the_flow_rests(problem, v):
    rest = problem.nearest_interpolant(problem.w0)
    assert_keeps(H1=True)
    assert_identical(slope(problem, rest, v), 0, why="every direction is level")
    steps = exact_descent(problem.X, problem.y, rest, problem.legal[0], 3)
    assert_identical(steps[3], rest, why="nothing moves")
