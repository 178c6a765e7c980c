r"""Theorem 7.1 (a) - the whole path by one dual vector, and where descent with finite steps ends.

Setting     $L = \frac12 \|Xw - y\|^2$ with $p \ge n$ columns; $r_t = Xw_t - y$. $Q$ is the potential of the diagonal
            network, which the limit of gradient flow minimizes over $\{w : Xw = y\}$
Hypotheses  (H1) $u_0 = v_0$. (H2) one $\alpha$ for all coordinates. (H3) some $w$ solves $Xw = y$. (H4) $u$ and $v$ are
            moved at one rate. (H5) gradient flow. (H6) the network is diagonal, $w = u^D - v^D$ entrywise, $u_0$,
            $v_0 > 0$
Corrected   (C1) Under H1 to H6, at all times $u$ and $v$ are functions of $w$, by one dual vector: $z = Q'(w)$ is in
            $\operatorname{row}(X)$, with $Q'$ the inverse of $2\alpha^2 \sinh$ for $D = 2$ and of $\alpha^D
            ((1-z)^{-D/(D-2)} - (1+z)^{-D/(D-2)})$ for $D > 2$. So $R = Q(w)$ together with that constraint.
            (C2) Descent at $D = 2$ from $u = v = \alpha$ with $|a_t| < 1$, $a_t = 2\eta X^\top r_t$, keeps
            $uv = \alpha^2 \prod_t (1 - a_t^2)$; where it interpolates in the limit, this is within $S \|e\|$ of the
            minimizer of $Q$ for these scales, $e_i = 2 \sum_t (\operatorname{artanh} |a_{t,i}| - |a_{t,i}|)$ and $S$
            the largest $1/Q''$ up to either. It need not be that minimizer.
Idea        $\frac{d}{dt} u^{2-D}$ is a combination of rows of $X$, and for $v$ it is the opposite one. A step of
            descent multiplies $u$ by $1 - a_t$ and $v$ by $1 + a_t$; so $\ln(u/v)$ leaves $\operatorname{row}(X)$ by
            the difference of $\operatorname{artanh} a_t$ and $a_t$
Tolerance   The minimizer by Newton's method on the dual, certified by its own duality gap (`hyperbolic_entropy`). Flows
            by the error estimate of two tolerances; descent until a residual, with its invariants summed
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.diagonal import descend_to_residual, diagonal_flow, diagonal_step
from fixtures.models.diagonal import DiagonalNetwork, uniform
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.regression import regression_of_design
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.ledger import corrected
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.minimizer import (
    CONVERGED,
    assert_ends_at_the_minimizer,
    certified_minimizer,
    dual_rounding,
    slack_in_dual,
)
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.problems import (
    DEPTHS,
    designs,
    least_norm,
    pick,
    problems,
    start_of_the_flow,
)


@corrected("C1")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_along_the_flow_the_factors_stay_where_one_dual_vector_puts_them(depth, problem):
    alpha, start, pace = start_of_the_flow(problem, depth)
    # when   at three times
    flow = diagonal_flow(problem.X, problem.y, start, np.array([0.1, 0.5, 2.0]), rate=pace)
    network = DiagonalNetwork(*np.moveaxis(flow.states, 1, 0), depth)
    # then   z is in row(X), and both factors are those of z
    potential = DiagonalPotential(depth, alpha[:, None])
    z = potential.to_dual(network.u, network.v)
    slack = slack_in_dual(network, alpha, flow.error[:, None]) + dual_rounding(problem, z)
    assert_at_most(norm(problem.in_null_space(z), axis=-1).T, slack.T, why="null part of z", instance=problem)
    ends, wanted = np.concatenate([network.u, network.v], -1) / alpha[:, None], np.concatenate(potential.factors(z), -1)
    grown = ends.max(-1)
    bound = 2 * grown * slack
    assert_at_most(norm(ends - wanted, axis=-1).T, bound.T, why="u and v at z", instance=problem)
    # and    so is the kernel, whose weights have the power 2D - 2
    power = 2 * depth - 2
    change = network.kernel_weights / (2 * alpha[:, None] ** power) - 1 - potential.kernel_change(z)
    bound = bound * power * grown ** (power - 1)
    assert_at_most(norm(change, axis=-1).T, bound.T, why="the kernel's weights at z", instance=problem)


@corrected("C1")
@given_batches(problem=designs)
def test_where_rows_are_separate_the_flow_is_known_at_all_times(problem):
    # given  X = diag(x), so that every coordinate has a flow of its own, and D = 2
    y, x, alpha = problem.w0, 1 + np.abs(np.roll(problem.w0, 1, -1)) / 4, pick(problem, (0.5, 1.0, 2.0))[:, None]
    times, pace = np.array([0.02, 0.1]), 1 / np.square(x).max(-1)
    # when
    flow = diagonal_flow(x[..., None] * np.eye(x.shape[1]), y, uniform(alpha[:, 0], x), times, rate=pace)
    # then   z' = -4 x^2 (b sinh z - y/x), b = 2 alpha^2: with m = e^z, m' = -2 x^2 b (m - m_1)(m - m_2) from m = 1
    b, time = 2 * alpha**2, times[:, None, None] * pace[:, None]
    root = np.hypot(y / (x * b), 1)
    m_1, m_2 = y / (x * b) + root, y / (x * b) - root
    quotient = (1 - m_1) / (1 - m_2) * np.exp(-4 * x**2 * b * root * time)
    factors = alpha * np.sqrt((m_1 - m_2 * quotient) / (1 - quotient))
    error = norm(flow.states[:, 0] - factors, axis=-1)
    # then   16 operations of the closed form, with the differences 1 - m_1 and m_1 - m_2
    hidden = rounding(16, (1 + root.max(-1)) ** 2 * norm(factors, axis=-1))
    assert_at_most(error.T, (flow.error[:, None] + hidden).T, why="u at two times", instance=problem)


@corrected("C2")
@given_batches(problem=problems)
def test_descent_ends_within_its_defect_of_the_minimizer_for_its_final_scales(problem):
    # given  a step of 0.4 over a bound on the kernel's size, so that |a_t| < 1
    alpha, start, _ = start_of_the_flow(problem, 2)
    eta = 0.1 / (problem.sigma_max**2 * np.hypot(2 * norm(least_norm(problem), axis=-1), 2 * alpha**2))
    # when
    run = descend_to_residual(problem.X, problem.y, start, eta, CONVERGED * norm(problem.y, axis=-1))
    u, v = run.network.u, run.network.v
    # then   uv = alpha^2 prod (1 - a^2), and ln(u/v) - X'nu is within the sum of 2 (artanh|a| - |a|)
    # then   a step has two products, with X and X', and eight more operations; |a| < 1
    slack = rounding((1 + run.steps) * (problem.rows + problem.columns + 8))
    kept = np.log(u * v) - 2 * np.log(alpha[:, None]) + run.shrinkage
    assert_at_most(np.abs(kept).max(-1), slack, why="ln uv", instance=problem)
    off = np.abs(np.log(u / v) - np.vecmat(run.nu, problem.X)) - run.defect
    assert_at_most(off.max(-1), slack, why="ln(u/v) - X'nu beyond the defect", instance=problem)
    potential = DiagonalPotential(2, alpha[:, None] * np.exp(-run.shrinkage / 2))
    assert_ends_at_the_minimizer(problem, potential, run.network, norm(run.defect, axis=-1) + slack)


@corrected("C2")
def test_one_step_within_the_hypotheses_ends_off_the_minimizer_for_its_final_scales():
    # given  X = [1, 2], y = 5, alpha = 1, eta = 1/40: a = -(1/4, 1/2)
    u, v = diagonal_step(fractions([[1, 2]]), fractions([5]), *fractions([[1, 1]] * 2), Fraction(1, 40))
    assert_identical([u**2 - v**2, u * v], fractions([[1, 2], ["15/16", "3/4"]]), why="w interpolates, and the scales")
    # then   at the minimizer z_2 = 2 z_1 for z = arsinh(w/2uv), so that s_2^2 = 4 s_1^2 (1 + s_1^2) for s = w/2uv
    s = (u**2 - v**2) / (2 * u * v)
    assert_at_most(4 * s[0] ** 2 * (1 + s[0] ** 2), s[1] ** 2 * Fraction(9, 10), why="s_2 is too large")


@corrected("C2")
def test_the_defect_is_nearly_all_of_the_distance_where_one_input_is_large_among_many():
    # given  X = [1, ..., 1, 3], 244 columns: the cubes of its entries are far from row(X)
    problem = stack([regression_of_design(np.array([[1.0] * 243 + [3.0]]), np.array([30.0]))])
    run = descend_to_residual(problem.X, problem.y, uniform(1.0, problem.w0), np.array([2e-4]), np.array([1e-12]))
    # when
    best = certified_minimizer(DiagonalPotential(2, np.exp(-run.shrinkage / 2)), problem)
    slope = np.hypot(np.maximum(np.abs(run.network.w), np.abs(best.w)), 2 * np.exp(-run.shrinkage)).max()
    # then
    bound = slope * norm(run.defect)
    assert_within(bound / 2, norm(run.network.w - best.w), bound, why="the distance against S|e|")
