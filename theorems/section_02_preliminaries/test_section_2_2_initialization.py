r"""Section 2.2: initialization selects the minimum - different initialization leads to different global minima.

Section     2.2, third of the key properties
Printed     overparameterized and $\theta_0 \ne \theta_0'$ imply
            $\lim_t \theta_t(\theta_0) \ne \lim_t \theta_t(\theta_0')$
Reading     For almost every pair of starts, in the sense of Lebesgue measure: the sentence does not say "any two". Of
            runs that end in a global minimum, and where there is more than one, as "different global minima"
            presupposes: linear regression with p > n as in Section 3.1, and gradient flow on the network uvx
Readings    [every two starts] the same without exception, as "different initialization" says no more than that the two
            starts differ - refuted
            [p = n] "overparameterized" as Section 2.1 defines it, p >= n, so that p = n with one interpolant
            counts - refuted
Setting     $L(w) = \frac12 \|Xw - y\|^2$, rank X = n < p, 0 < eta < 2/s_1^2; M = {w : Xw = y}; w_t starts
            from w_0 and w'_t from w'_0
Corrected   (C1) $\lim w_t = w_0 + X^+(y - Xw_0)$, the point of M nearest to $w_0$.
            (C2) $\lim w_t - \lim w_t' = P_{null(X)}(w_0 - w_0')$. So the limits are equal if and only if
            $w_0 - w_0' \in row(X)$, a subspace of dimension n < p and of measure zero.
            (C3) Before the limit,
            $w_t - w_t' = P_{null(X)}(w_0 - w_0') + V \operatorname{diag}(1 - \eta s_i^2)^t V^\top (w_0 - w_0')$,
            with $e^{-s_i^2 t}$ in place of the power for gradient flow.
            (C4) Gradient flow and gradient descent from one start have one limit.
Idea        Gradients lie in row(X): what the start has there is forgotten, what it has in null(X) is kept. A start off
            M and its own next iterate share their limit, in every model. So no model is without exceptions; in the two
            models of the Reading they have measure zero, by C2 and as the flow of uvx keeps $u^2 - v^2$.
Source      Engl, Hanke, Neubauer (1996), Regularization of Inverse Problems (Landweber iteration);
            Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry
Tolerance   Witnesses are rational, and the search of wide range is exact. Limits are enclosed in balls
            (properties.limits) and compared with LAPACK's nearest interpolant; trajectories with the spectral form and,
            for the flow, with a matrix exponential
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.dynamics.gradient_flow import affine_flow, gradient_flow
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import line, lines
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_certified, assert_identical, assert_violates
from properties.least_squares import distance_to_limit, iterate_rounding
from properties.limits import CONVERGED, contraction, flow_rounding, interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample


def another_start(problem):
    """X'y - w_0: off w_0 by a row part X'y - 2 P_row w_0 and the null part -2 P_null w_0; both may vanish."""
    return np.vecmat(problem.y, problem.X) - problem.w0


def difference_at(problem, difference, decay):
    """What is left of w_0 - w'_0 when its modes in row(X) have shrunk by `decay` (B, n)."""
    return problem.in_null_space(difference) + np.matvec(problem.V, decay * np.vecmat(difference, problem.V))


@as_printed
def test_starts_on_different_hyperbolas_lead_to_different_minima_of_a_two_layer_network():
    # given  f(x) = vux, one sample (1, 1), and starts no two of which have the same u^2 - v^2
    starts = np.array([[2.0, 0.5], [1.5, -1.0], [0.25, -1.5], [-0.5, -2.0]])
    kept = starts**2 @ [1, -1]
    # when   the flow keeps u^2 - v^2, so that it cannot end in the saddle 0
    flow = gradient_flow(
        lambda w: (1 - w.prod(-1, keepdims=True)) * w[:, ::-1],
        starts,
        [50.0],
        until=lambda w: np.abs(w.prod(-1) - 1).max() - CONVERGED,
    )
    # then   all interpolate, and two minima are apart by at least the difference of their u^2 - v^2 over their sizes
    ends, error = flow.states[-1], 4 * norm(flow.states[-1]) * flow.error[-1]
    assert_at_most(np.abs(ends.prod(-1) - 1), CONVERGED + error, why="all interpolate")
    assert_at_most(np.abs(ends**2 @ [1, -1] - kept), error, why="the flow keeps u^2 - v^2")
    pairs = np.triu_indices(len(starts), 1)
    gaps = np.abs(np.subtract.outer(kept, kept))[pairs]
    apart = norm(ends[:, None] - ends[None], axis=-1)[pairs]
    sizes = np.add.outer(norm(ends, axis=-1), norm(ends, axis=-1))[pairs]
    assert_at_most((gaps - 2 * error) / sizes, apart, why="distance of two minima")
    assert_at_most(1 / 2, gaps.min(), why="no two starts on one hyperbola")


@counterexample(reading="p = n")
def test_as_many_parameters_as_samples_leave_one_minimum_for_all_starts():
    # given  f(x) = wx and the sample (2, 1), p = n = 1, from 0 and from 1, eta = 1/8 < 2/4
    X, y = fractions([[2]]), fractions([1])
    runs = [exact_descent(X, y, fractions([start]), Fraction(1, 8), 5) for start in (0, 1)]
    # then   both halve their distance to 1/2
    assert_identical([run[5] - Fraction(1, 2) for run in runs], [[Fraction(-1, 64)], [Fraction(1, 64)]], why="halved")
    minima = {Fraction(1, 2)}
    assert_violates(2, len(minima), reads="{value} starts > {limit} minimum, 1/2", x=2, y=1, starts=[0, 1])


@counterexample(reading="p = n")
def test_hypothesis_finds_two_starts_with_one_minimum_where_p_is_n():
    # given  wx = y with integers, x not zero, two different starts that are no minimum
    numbers = st.integers(-3, 3)
    instances = st.tuples(numbers.filter(bool), numbers, numbers, numbers)

    def limits(instance):
        x, y, *starts = instance
        return {start + Fraction(y - x * start, x) for start in starts}

    def shares_its_minimum(instance):
        x, y, start, other = instance
        return start != other and x * start != y != x * other and len(limits(instance)) == 1

    x, y, *starts = smallest_violation(instances, shares_its_minimum)
    reads = "{value} starts > {limit} minimum"
    assert_violates(len(set(starts)), len(limits((x, y, *starts))), reads=reads, x=x, y=y, starts=starts)


@counterexample(reading="every two starts")
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


@counterexample(reading="every two starts")
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


@counterexample(reading="every two starts")
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


@counterexample(reading="every two starts")
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


@corrected("C1")
@given_batches(problem=regressions())
def test_the_limit_is_the_interpolant_nearest_to_the_start(problem):
    limit = limit_of_descent(problem, problem.w0)
    nearest = nearest_interpolant(problem.X, problem.y, problem.w0)
    # then   a posteriori, and within the a priori budget
    assert_certified(distance_to_limit(problem, limit.run, problem.w0, nearest))
    bound = limit.radius + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(limit.w - nearest, axis=-1), bound, why="projection of w_0 on M", instance=problem)


@as_printed
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


@corrected("C2")
@given_batches(problem=regressions())
def test_a_start_moved_within_the_row_space_keeps_its_limit(problem):
    # given  w'_0 = w_0 + X'y, and y + s_1 u_1 in its place where y = 0
    shift = np.vecmat(problem.y + (norm(problem.y, axis=-1) == 0)[:, None] * problem.U[:, :, 0], problem.X)
    # when
    limits = [limit_of_descent(problem, w) for w in (problem.w0, problem.w0 + shift)]
    # then
    slack = limits[0].radius + limits[1].radius
    assert_at_most(norm(limits[0].w - limits[1].w, axis=-1), slack, why="one limit", instance=problem)


@corrected("C3")
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


@corrected("C3")
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


@corrected("C4")
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


@corrected("C1", "C2")
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


@pytest.mark.slow
@corrected("C1", "C2", "C3")
@given(wide_regressions())
def test_on_problems_of_extreme_range_the_null_part_is_kept_and_the_row_part_contracts(problem):
    # given  exact arithmetic, features from 2^-200 to 2^200, starts in row(X), in null(X), in M or far away
    starts, eta = (problem.w0, problem.other), problem.eta
    limits = [problem.limit(start) for start in starts]
    runs = [exact_descent(problem.X, problem.y, start, eta, 3) for start in starts]
    # when   e_t = w_t - limit stays in row(X), and shrinks by a factor below one
    errors = np.concatenate([run - limit for run, limit in zip(runs, limits, strict=True)])
    squares = np.array([error @ error for error in errors]).reshape(2, -1)
    assert_identical([problem.in_row_space(error) for error in errors], errors, why="e_t lies in row(X)")
    assert_at_most(squares[:, 1:].ravel(), problem.contraction * squares[:, :-1].ravel(), why="|e|^2 contracts")
    assert_at_most(problem.contraction, 1 - Fraction(1, 2**200), why="a factor below one")
    # then   the limits differ by the null part of the difference, the iterates also by what is left of its row part
    difference = problem.w0 - problem.other
    null_part = difference - problem.in_row_space(difference)
    assert_identical(limits[0] - limits[1], null_part, why="difference of the limits")
    left = problem.in_row_space(difference)
    for _ in range(3):
        left = left - eta * (problem.X @ left) @ problem.X
    assert_identical(runs[0][3] - runs[1][3], null_part + left, why="difference of the iterates")
