r"""Section 7.1: initialization schemes (a) - the schemes lead to different limits.

Printed     Section 7.1, first sentence: another scheme of initialization gives another implicit regularization
Reading     The limits are different interpolants, where more than one interpolant exists $(p > n)$. Compared are He's
            scheme and Xavier's with the same draws: He's start is $\sqrt2$ times Xavier's
Setting     Linear regression. And one neuron $f(x) = a \max(0, w^\top x)$ with one sample $(x, y)$, $y > 0$, under
            gradient flow. It starts from $a_0 > 0$ and $s_0 > 0$, where $s = w^\top x/\|x\|$. Write $c = a_0^2 - s_0^2$
            and $Y = y/\|x\|$
Corrected   (C1) The flow of the neuron ends at $a^2 = (c + (c^2 + 4 Y^2)^{1/2})/2$, and the part of $w$ across $x$ is
            unchanged. The predictor at the end, $a w$, has a part across $x$ too, if $w_0$ has one. From He's start
            this part is longer than from Xavier's, by a factor between 1 and 2 that comes near both.
Idea        Training does not change what the data do not see: the null part of $w$ in linear regression, and the part
            of $w$ across $x$ in the neuron. The neuron's flow also conserves $a^2 - s^2$. He's start doubles this
            number
Tolerance   Limits of descent lie in balls of known radius. Flows bring their own error estimate
Findings    Where the data have only one interpolant ($p = n$ in linear regression), both schemes end at it
Expected    holds
"""

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from properties.linear_models.limits import limit_of_descent
from theorems.ledger import as_printed, corrected
from theorems.section_07_initialization_and_learning_rate.section_7_1_initialization_schemes.neuron import (
    NEURONS,
    SCHEMES,
    limit_of_a,
    neuron_flow,
)


@as_printed
@given_batches(problem=regressions(max_rows=4, max_excess=4).map(gently_conditioned))
def test_in_linear_regression_the_limits_differ_by_the_null_part_of_the_start(problem):
    # given  a start whose null part is a unit vector, times 1 and sqrt 2
    null = problem.N[:, :, 0]
    start, step = problem.in_row_space(problem.w0) + null, np.maximum(problem.step, 0.1)
    xavier, he = (limit_of_descent(problem, scale * start, step) for scale in SCHEMES.values())
    # then
    missed = norm(he.w - xavier.w - (np.sqrt(2) - 1) * null, axis=-1)
    # then   N is orthogonal to row(X) up to the construction, in two starts of at most sqrt 2 times |start|
    slack = he.radius + xavier.radius + 3 * problem.construction * norm(start, axis=-1)
    assert_at_most(missed, slack, why="the limits less sqrt 2 - 1 times the null part", instance=problem)
    size = norm(start, axis=-1) + norm(problem.y, axis=-1) / problem.sigma_min
    assert_at_most(slack, size / 10**8, why="the slack", instance=problem)


@as_printed
def test_a_neuron_ends_at_two_predictors():
    # given  27 starts and targets, and a unit part of w across x
    a, s, Y = NEURONS
    flows = [neuron_flow(k * a, k * s, k + 0 * a, Y, np.array([40.0])) for k in SCHEMES.values()]
    # then   on x both fit, and across x they differ
    xavier, he = (flow.states[0] for flow in flows)
    # then   factors of 4 and 2 of an error; a product and a difference of numbers up to 4
    slack = 16 * sum(flow.error[0] for flow in flows) + rounding(2, 4)
    assert_at_most(np.abs([end[0] * end[1] - Y for end in (xavier, he)]).max(), slack, why="both interpolate")
    assert_at_most(xavier[0] * xavier[2] + 4 * slack, he[0] * he[2], why="a times the part of w across x")


@corrected("C1")
def test_the_limit_of_the_neuron_is_known_and_keeps_the_part_across_the_input():
    a, s, Y = NEURONS
    for k in SCHEMES.values():
        flow = neuron_flow(k * a, k * s, k + 0 * a, Y, np.array([40.0]))
        end, slack = flow.states[0], 16 * flow.error[0] + rounding(8, 4)
        assert_at_most(np.abs(end[0] - limit_of_a(k**2 * (a**2 - s**2), Y)).max(), slack, why="the limit of a")
        assert_identical(end[2], k + 0 * a, why="the part across x")


@corrected("C1")
def test_he_keeps_up_to_twice_as_much_across_the_input_as_xavier_and_always_more():
    # given  c over sixteen decades of both signs, and Y = 1: only c/Y matters
    c = np.concatenate([-np.geomspace(1e8, 1e-8, 200), [0.0], np.geomspace(1e-8, 1e8, 200)])
    ratio = np.sqrt(2) * limit_of_a(2 * c, 1.0) / limit_of_a(c, 1.0)
    # then   strictly between, sqrt 2 at c = 0, and near both ends
    assert_at_most(1, ratio, why="He keeps more")
    assert_at_most(ratio, 2, why="and at most twice as much")
    assert_equal_within(ratio[200], np.sqrt(2), rounding(4, 2), why="where a_0 = s_0")
    assert_at_most([ratio[0], 1.99], [1.01, ratio[-1]], why="both ends are approached")
