r"""Section 2.2: initialization selects the minimum - the limit, and the difference of two runs, as formulas.

Setting     $L(w) = \frac12 \|Xw - y\|^2$ with $X = U \operatorname{diag}(s) V^\top$ of rank $n < p$,
            $0 < \eta < 2/s_1^2$; $M = \{w : Xw = y\}$. $w_t$ starts from $w_0$ and $w_t'$ from $w_0'$
Corrected   (C1) $\lim_t w_t = w_0 + X^+(y - Xw_0)$, the point of $M$ nearest to $w_0$.
            (C2) $\lim_t w_t - \lim_t w_t' = P_{\operatorname{null}(X)}(w_0 - w_0')$. So the limits are equal if and
            only if $w_0 - w_0' \in \operatorname{row}(X)$, a subspace of dimension $n < p$ and of measure zero.
            (C3) Before the limit, $w_t - w_t' = P_{\operatorname{null}(X)}(w_0 - w_0') + V \operatorname{diag}(1 - \eta
            s_i^2)^t V^\top (w_0 - w_0')$, with $e^{-s_i^2 t}$ in place of the power for gradient flow.
            (C4) Gradient flow and gradient descent from one start have one limit.
Idea        Every gradient lies in $\operatorname{row}(X)$. So the part of the start in $\operatorname{row}(X)$ is
            forgotten, and the part in $\operatorname{null}(X)$ is kept
Tolerance   Limits are enclosed in balls (`properties.linear_models.limits`) and compared with LAPACK's nearest
            interpolant. Iterates are compared with the spectral form, and flows are matrix exponentials. The search of
            extreme range is exact
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import lines
from fixtures.problems.regression import regressions
from fixtures.problems.wide import wide_regressions
from properties.certificates import assert_at_most, assert_certified, assert_identical
from properties.linear_models.least_squares import distance_to_limit, iterate_rounding
from properties.linear_models.limits import (
    CONVERGED,
    contraction,
    flow_rounding,
    interpolant_rounding,
    limit_of_descent,
)
from properties.oracles import nearest_interpolant
from theorems.ledger import corrected
from theorems.section_02_preliminaries.section_2_2_initialization.pairs_of_starts import another_start, difference_at


@corrected("C1")
@given_batches(problem=regressions())
def test_the_limit_is_the_interpolant_nearest_to_the_start(problem):
    limit = limit_of_descent(problem, problem.w0)
    nearest = nearest_interpolant(problem.X, problem.y, problem.w0)
    # then   within the distance that the residual certifies, and within the one that was known beforehand
    assert_certified(distance_to_limit(problem, limit.run, problem.w0, nearest))
    bound = limit.radius + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(limit.w - nearest, axis=-1), bound, why="projection of w_0 on M", instance=problem)


@corrected("C2")
@given_batches(problem=regressions())
def test_a_start_moved_within_the_row_space_keeps_its_limit(problem):
    # given  w'_0 = w_0 + X'y; where y = 0, the first left singular vector stands in for y
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
def test_two_flows_forget_the_row_part_of_their_difference_mode_by_mode(problem):
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
    # given  one equation, for which w_t - limit = (1 - eta |x|^2)^t (w_0 - limit) holds exactly
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
    # then   the limits differ by the null part of w_0 - w'_0. The iterates differ by this and by the contracted row
    #        part
    difference = problem.w0 - problem.other
    null_part = difference - problem.in_row_space(difference)
    assert_identical(limits[0] - limits[1], null_part, why="difference of the limits")
    left = problem.in_row_space(difference)
    for _ in range(3):
        left = left - eta * (problem.X @ left) @ problem.X
    assert_identical(runs[0][3] - runs[1][3], null_part + left, why="difference of the iterates")
