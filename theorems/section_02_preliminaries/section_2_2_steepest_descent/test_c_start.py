r"""Section 2.2: steepest descent (c) - start.

Printed     The trajectory of gradient flow depends critically on $\theta_0$
Reading     Flows from two starts never meet. Near a saddle, starts that are arbitrarily close end far apart
Setting     $L(w) = \frac12 \|Xw - y\|^2$ with largest singular value $s_1$ of $X$, and the network $f = uvx$ near its
            saddle $0$
Hypotheses  (H4) Time is continuous.
Idea        $e^{-s_1^2 t} \|w_0 - w_0'\| \le \|w(t) - w'(t)\| \le \|w_0 - w_0'\|$
Tolerance   Flows on least squares are matrix exponentials. The flow of $f = uvx$ comes from DOP853 with the error that
            a second tolerance estimates, doubled
Findings    Two trajectories of discrete descent can merge after one step, so that H4 is needed
Expected    holds
"""

from fractions import Fraction

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import line
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within, record_series
from properties.linear_models.limits import flow_rounding
from theorems.ledger import as_printed, necessity
from theorems.section_02_preliminaries.section_2_2_steepest_descent.flows import flow_at


@as_printed
@given_batches(problem=regressions())
def test_flows_from_two_starts_never_meet(problem):
    # given  a second start, and t up to 20 in units of 1/s_1^2
    other, t = np.vecmat(problem.y, problem.X) - problem.w0, problem.t / 10 / problem.sigma_max**2
    # when
    separation = norm(flow_at(problem, problem.w0, t) - flow_at(problem, other, t), axis=-1)
    # then
    before = norm(problem.w0 - other, axis=-1)
    slack = flow_rounding(problem, problem.w0, t) + flow_rounding(problem, other, t)
    slowest = np.exp(-(problem.sigma_max**2) * t) * before
    assert_within(slowest, separation, before, slack=slack, why="distance of two flows", instance=problem)


@as_printed
def test_starts_on_either_side_of_a_saddle_part_however_close_they_are():
    # given  f(x) = uvx, one sample (1, 1), u = v = +-e, close to the saddle 0: u^2 = 1/(1 + (1/e^2 - 1) exp(-2t))
    e, times = np.array([1e-2, 1e-4, 1e-6]), np.arange(1.0, 41) / 2
    starts = np.stack([np.outer(e, [1, 1]), np.outer(-e, [1, 1])])
    flow = gradient_flow(lambda w: (1 - w.prod(-1, keepdims=True)) * w[..., ::-1], starts, times)
    # then   u^2 follows the logistic curve; at t = 20 all runs are near (1, 1) or (-1, -1)
    exact = np.sqrt(2) * 2 / np.sqrt(1 + (1 / e**2 - 1) * np.exp(-2 * times[:, None]))
    separation = norm(flow.states[:, 0] - flow.states[:, 1], axis=-1)
    assert_at_most(np.abs(separation - exact).max(-1), 4 * flow.error, why="separation against the logistic curve")
    # and    the two runs are 2 sqrt(2) (1 + d)^(-1/2) apart with d = (1/e^2 - 1) exp(-2t), which is between 1 - d/2 and
    #        1 times the final distance
    final, d = norm([2, 2]), (1 / e**2 - 1) * np.exp(-2 * times[-1])
    slack = 4 * flow.error[-1]
    assert_within(final * (1 - d / 2), separation[-1], final, slack=slack, why="starts 2 sqrt(2) e apart end that far")
    runs = dict(zip(("e = 10^-2", "e = 10^-4", "e = 10^-6"), separation.T, strict=True))
    record_series("distance of two flows", t=times, **runs)


@necessity("H4")
def test_two_descents_can_merge_after_one_step():
    # given  x = (1, 2), y = 1, eta = 1/|x|^2
    problem = line([[1, 2]], [1], [0, 0], [1, 2], ["1/5", "1/10"])
    ends = [exact_descent(problem.X, problem.y, w, Fraction(1, 5), 1)[1] for w in (problem.w0, problem.other)]
    assert_identical(ends[0], ends[1], why="one trajectory from the first step on")
    assert_violates(2, len({tuple(end) for end in ends}), reads="{value} starts > {limit} trajectory", x=[1, 2], y=1)
