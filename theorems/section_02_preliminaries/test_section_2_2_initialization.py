r"""Section 2.2: initialization selects the minimum - different initialization leads to different global minima.

Section     2.2
Printed     overparameterized and $\theta_0 \ne \theta_0'$ imply
            $\lim_t \theta_t(\theta_0) \ne \lim_t \theta_t(\theta_0')$
Reading     Universal, as it is printed: any two starts. It fails for gradient descent and gradient flow alike. That
            some two starts lead to different minima is true, and is the claim of Section 1.2.
Setting     $L(w) = \frac12 \|Xw - y\|^2$, rank X = n < p, 0 < eta < 2/s_1^2; M = {w : Xw = y}; w_t starts
            from w_0 and w'_t from w'_0
Corrected   $\lim w_t = w_0 + X^+(y - Xw_0)$, the point of M nearest to $w_0$; hence
            $\|\lim w_t - \lim w_t'\| = \|P_{null(X)}(w_0 - w_0')\|$, and
            $\lim w_t = \lim w_t' \iff w_0 - w_0' \in row(X)$. Before the limit,
            $w_t - w_t' = P_{null(X)}(w_0 - w_0') + V \operatorname{diag}(1 - \eta s_i^2)^t V^\top (w_0 - w_0')$,
            with $e^{-s_i^2 t}$ in place of the power for gradient flow
Idea        Gradients lie in row(X): what the start has there is forgotten, what it has in null(X) is kept. And whatever
            the model, a start and its own next iterate share their limit, so no version of the print can be universal.
Source      Engl, Hanke, Neubauer (1996), Regularization of Inverse Problems (Landweber iteration);
            Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry
Tolerance   Witnesses are rational. Limits are enclosed in balls (properties.limits) and compared with LAPACK's nearest
            interpolant; trajectories with the spectral form and, for the flow, with a matrix exponential
Expected    refuted
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.dynamics.gradient_flow import affine_flow, gradient_flow
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import line, lines
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_certified, assert_identical, assert_violates
from properties.least_squares import distance_to_limit, iterate_rounding
from properties.limits import CONVERGED, contraction, flow_rounding, interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample


def another_start(problem):
    """X'y - w_0: off w_0 by a row part X'y - 2 P_row w_0 and the null part -2 P_null w_0; both may vanish."""
    return np.vecmat(problem.y, problem.X) - problem.w0


def difference_at(problem, difference, decay):
    """What is left of w_0 - w'_0 when its modes in row(X) have shrunk by `decay` (B, n)."""
    return problem.in_null_space(difference) + np.matvec(problem.V, decay * np.vecmat(difference, problem.V))


@counterexample
def test_two_starts_share_one_minimum():
    # given  x = (1, 2), y = 1, from (0, 0) and from (1, 2), both off M
    problem = line([[1, 2]], [1], [0, 0], [1, 2], ["1/5", "1/10"])
    # when   in exact arithmetic, eta = 1/5 is one step to M and 1/10 halves the distance for ever
    ends = {tuple(exact_descent(problem.X, problem.y, w, Fraction(1, 5), 1)[1]) for w in (problem.w0, problem.other)}
    slow = exact_descent(problem.X, problem.y, problem.other, Fraction(1, 10), 8)
    # then
    end = fractions(["1/5", "2/5"])
    assert_identical(list(ends), [tuple(end)], why="where both starts end")
    assert_identical(slow[8] - end, (problem.other - end) / 2**8, why="eight halvings")
    assert_violates(2, len(ends), reads="{value} starts > {limit} minimum, (1/5, 2/5)", x=[1, 2], y=1, starts="0, x")


@counterexample
@given_batches(problem=regressions())
def test_every_start_shares_its_minimum_with_its_own_next_iterate(problem):
    # given  w_0 off M and w'_0 = w_1: two starts, eta |X'r_0| >= eta s_n apart since |r_0| >= 1
    problem = off_the_minima(problem)
    step = gradient_descent(problem.X, problem.y, problem.w0, problem.eta, 1)
    apart = norm(step.w - problem.w0, axis=-1) + iterate_rounding(problem, step)
    assert_at_most(problem.eta * problem.sigma_min, apart, why="two starts", instance=problem)
    # then   w'_t = w_{t+1} for every t
    earlier = gradient_descent(problem.X, problem.y, problem.w0, problem.eta, problem.t + 1).w
    later = gradient_descent(problem.X, problem.y, step.w, problem.eta, problem.t).w
    assert_identical(later, earlier, why="the trajectory from w_1 is that from w_0, one step on")
    # and    one limit
    limits = [limit_of_descent(problem, start) for start in (problem.w0, step.w)]
    slack = limits[0].radius + limits[1].radius
    assert_at_most(norm(limits[1].w - limits[0].w, axis=-1), slack, why="one limit", instance=problem)


@counterexample
def test_starts_on_one_hyperbola_share_a_minimum_of_a_two_layer_network():
    # given  f(x) = vux, one sample (1, 0): the flow keeps u^2 - v^2 = 4 and u > 0, which meets M = {uv = 0} in (2, 0)
    starts = np.array([[2.5, 1.5], [2.5, -1.5]])
    flow = gradient_flow(
        lambda w: -w.prod(-1, keepdims=True) * w[:, ::-1],
        starts,
        [50.0],
        until=lambda w: np.abs(w.prod(-1)).max() - CONVERGED,
    )
    # then   for u >= 1, |v| <= |uv| and |u - 2| = |u^2 - 4|/(u + 2) <= |u^2 - v^2 - 4| + |v|^2
    ends, error = flow.states[-1], 4 * norm(flow.states[-1]) * flow.error[-1]
    assert_at_most(np.abs(ends**2 @ [1, -1] - 4), error, why="the flow keeps u^2 - v^2")
    assert_at_most(norm(ends - [2, 0], axis=-1), 2 * CONVERGED + error, why="the flow ends in (2, 0)")
    distinct, minima = ({tuple(w) for w in points} for points in (starts, np.rint(ends)))
    assert_violates(len(distinct), len(minima), reads="{value} starts > {limit} minimum", f="uvx", x=1, y=0, w0=starts)


@counterexample
def test_hypothesis_finds_two_starts_with_one_minimum():
    # given  integer starts off M and different from each other
    def shares_its_minimum(problem):
        residuals = problem.residual(problem.w0), problem.residual(problem.other)
        limits = problem.nearest_interpolant(problem.w0), problem.nearest_interpolant(problem.other)
        return all(residuals) and any(problem.w0 != problem.other) and all(limits[0] == limits[1])

    found = smallest_violation(lines(), shares_its_minimum)
    starts = {tuple(found.w0), tuple(found.other)}
    limits = {tuple(found.nearest_interpolant(np.array(start))) for start in starts}
    assert_violates(
        len(starts), len(limits), reads="{value} starts > {limit} minimum", x=found.X[0], y=found.y, starts=list(starts)
    )


@corrected
@given_batches(problem=regressions())
def test_the_limit_is_the_interpolant_nearest_to_the_start(problem):
    limit = limit_of_descent(problem, problem.w0)
    nearest = nearest_interpolant(problem.X, problem.y, problem.w0)
    # then   a posteriori, and within the a priori budget
    assert_certified(distance_to_limit(problem, limit.run, problem.w0, nearest))
    bound = limit.radius + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(limit.w - nearest, axis=-1), bound, why="projection of w_0 on M", instance=problem)


@corrected
@given_batches(problem=regressions())
def test_two_limits_are_as_far_apart_as_the_null_parts_of_their_starts(problem):
    other = another_start(problem)
    # when   at two different steps, since the limit does not depend on them
    limits = [limit_of_descent(problem, w, step) for w, step in ((problem.w0, 1.5), (other, 1.9))]
    # then   zero if and only if the difference of the starts lies in row(X)
    null_part = problem.in_null_space(problem.w0 - other)
    slack = limits[0].radius + limits[1].radius + problem.construction * norm(problem.w0 - other, axis=-1)
    error = norm(limits[0].w - limits[1].w - null_part, axis=-1)
    assert_at_most(error, slack, why="difference of the limits", instance=problem)


@corrected
@given_batches(problem=regressions())
def test_a_start_moved_within_the_row_space_keeps_its_limit(problem):
    # given  w'_0 = w_0 + X'y, and y + s_1 u_1 in its place where y = 0
    shift = np.vecmat(problem.y + (norm(problem.y, axis=-1) == 0)[:, None] * problem.U[:, :, 0], problem.X)
    # when
    limits = [limit_of_descent(problem, w) for w in (problem.w0, problem.w0 + shift)]
    # then
    slack = limits[0].radius + limits[1].radius
    assert_at_most(norm(limits[0].w - limits[1].w, axis=-1), slack, why="one limit", instance=problem)


@corrected
@given_batches(problem=regressions())
def test_two_trajectories_forget_the_row_part_of_their_difference_mode_by_mode(problem):
    starts = problem.w0, another_start(problem)
    # when   at the drawn time and step
    runs = [gradient_descent(problem.X, problem.y, w, problem.eta, problem.t) for w in starts]
    # then
    decay = contraction(problem, problem.eta) ** problem.t[:, None]
    error = norm(runs[0].w - runs[1].w - difference_at(problem, starts[0] - starts[1], decay), axis=-1)
    slack = iterate_rounding(problem, runs[0]) + iterate_rounding(problem, runs[1])
    assert_at_most(error, slack, why="difference of two trajectories of descent", instance=problem)


@corrected
@given_batches(problem=regressions())
def test_gradient_flow_forgets_the_same_part_and_keeps_the_same_part(problem):
    # given  the drawn t as a time in units of 1/s_1^2, and the flows by matrix exponential
    starts, t = (problem.w0, another_start(problem)), problem.t / problem.sigma_max**2
    X, y = problem.X, problem.y
    flows = [affine_flow(X.mT @ X, np.vecmat(y, X), w, t) for w in starts]
    # then
    decay = np.exp(-(problem.s**2) * t[:, None])
    error = norm(flows[0] - flows[1] - difference_at(problem, starts[0] - starts[1], decay), axis=-1)
    slack = flow_rounding(problem, starts[0], t) + flow_rounding(problem, starts[1], t)
    assert_at_most(error, slack, why="difference of two flows", instance=problem)


@corrected
@given_batches(problem=regressions())
def test_the_flow_and_the_descent_from_one_start_end_in_one_point(problem):
    # given  after T = ln(1/CONVERGED)/s_n^2 the slowest mode of the flow has shrunk by CONVERGED
    T = np.log(1 / CONVERGED) / problem.sigma_min**2
    X, y, w0 = problem.X, problem.y, problem.w0
    # when
    end = affine_flow(X.mT @ X, np.vecmat(y, X), w0, T)
    limit = limit_of_descent(problem, w0)
    # then
    slack = 2 * limit.radius + flow_rounding(problem, w0, T)
    assert_at_most(norm(end - limit.w, axis=-1), slack, why="one limit for flow and descent", instance=problem)


@corrected
@given(lines())
def test_in_exact_arithmetic_the_limits_coincide_just_where_the_row_space_holds_the_difference(problem):
    # given  w_t - limit = (1 - eta |x|^2)^t (w_0 - limit), to the last digit
    starts, eta = (problem.w0, problem.other), problem.legal[0]
    limits = [problem.nearest_interpolant(w) for w in starts]
    runs = [exact_descent(problem.X, problem.y, w, eta, 4) for w in starts]
    shrunk = [(1 - eta * problem.curvature) ** 4 * (w - limit) for w, limit in zip(starts, limits, strict=True)]
    # then
    left = [run[4] - limit for run, limit in zip(runs, limits, strict=True)]
    assert_identical(left, shrunk, why="geometric approach to the foot of the perpendicular")
    in_row_space = problem.along(problem.w0 - problem.other) == 0
    assert_identical(all(limits[0] == limits[1]), in_row_space, why="one limit iff the difference is in row(X)")
