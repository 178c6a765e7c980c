r"""Section 2.2: initialization selects the minimum - pairs of starts with one limit, and data with one interpolant.

Readings    [every two starts] the same without exception, as "different initialization" says no more than that the two
            starts differ - refuted
            [one interpolant] "overparameterized" as Section 2.1 defines it, $p \ge n$, so that $p = n$ with one
            interpolant counts - refuted
Setting     $L(w) = \frac12 \|Xw - y\|^2$ with $M = \{w : Xw = y\}$; and the network $f = uvx$ with one sample
Idea        A start off $M$ and its own next iterate are two starts with one limit, in every model. So no model is
            without exceptions. For $p = n$ and $X$ invertible there is one interpolant, and every start leads to it
Tolerance   Witnesses are rational. Limits of generated problems are enclosed in balls
            (`properties.linear_models.limits`)
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import line, lines
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.linear_models.least_squares import iterate_rounding
from properties.linear_models.limits import CONVERGED, limit_of_descent
from properties.search import smallest_violation
from theorems.ledger import counterexample


@counterexample(reading="one interpolant")
def test_as_many_parameters_as_samples_leave_one_minimum_for_all_starts():
    r"""$f(x) = wx$ with the sample $(2, 1)$, so that $p = n = 1$: the only minimum is $w = \frac12$. With
    $\eta = \frac18$ each step multiplies $w - \frac12$ by $1 - 4 \eta = \frac12$, so the starts $0$ and $1$ both lead
    to it. The print says that different starts have different limits."""
    X, y = fractions([[2]]), fractions([1])
    runs = [exact_descent(X, y, fractions([start]), Fraction(1, 8), 5) for start in (0, 1)]
    # then
    assert_identical([run[5] - Fraction(1, 2) for run in runs], [[Fraction(-1, 64)], [Fraction(1, 64)]], why="halved")
    minima = {Fraction(1, 2)}
    assert_violates(2, len(minima), reads="{value} starts > {limit} minimum, 1/2", x=2, y=1, starts=[0, 1])


@counterexample(reading="one interpolant")
def test_hypothesis_finds_two_starts_with_one_minimum_where_p_is_n():
    # given  wx = y with integers, x not zero, and two different starts that are not the minimum
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
    r"""On $w_1 + 2 w_2 = 1$ with $\eta = \frac15$ the gradients at $(0, 0)$ and at $(1, 2)$ are $-(1, 2)$ and
    $4 (1, 2)$. So one step leads from both starts to the minimum $(\frac15, \frac25)$. The print says that different
    starts have different limits."""
    problem = line([[1, 2]], [1], [0, 0], [1, 2], ["1/5", "1/10"])
    # when   eta = 1/10 halves the distance in each step
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
    # given  w_0 off M and w'_0 = w_1. The two starts are eta |X'r_0| >= eta s_n apart, since |r_0| >= 1
    problem = off_the_minima(problem)
    step = gradient_descent(problem.X, problem.y, problem.w0, problem.eta, 1)
    apart = norm(step.w - problem.w0, axis=-1) + iterate_rounding(problem, step)
    assert_at_most(problem.eta * problem.sigma_min, apart, why="two starts", instance=problem)
    # then   w'_t = w_{t+1} for every t
    earlier = gradient_descent(problem.X, problem.y, problem.w0, problem.eta, problem.t + 1).w
    later = gradient_descent(problem.X, problem.y, step.w, problem.eta, problem.t).w
    assert_identical(later, earlier, why="the trajectory from w_1 is that from w_0, one step on")
    # and    both runs have one limit
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
