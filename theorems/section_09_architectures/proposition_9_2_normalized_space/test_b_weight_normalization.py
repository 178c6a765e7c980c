r"""Proposition 9.2 (b) - weight normalization, by contrast, moves the null part of the weights.

Setting     Linear regression, $w = \gamma v/|v|$, $\rho = |v|$, $X$ ($n \times p$) of rank $n < p$, $X^+ y$ the
            interpolant of least norm, $P$ and $P_0$ the projections onto $\operatorname{row}(X)$ and
            $\operatorname{null}(X)$
Corrected   (C8) Weight normalization $w = \gamma v/|v|$ does move the null part: a step multiplies it by
            $1 - \gamma_t (\gamma_{t+1} - \gamma_t)/\rho_t^2$, the flow by $\exp(-(\gamma_T^2 - \gamma_0^2)/(2\rho^2))$,
            with $|v|$ at rest.
            (C9) Where the flow of weight normalization fits the data, a null part of $v$ that is not 0 has grown if
            $|\gamma_0| \|P v_0\|/|v_0| > \|X^+ y\|$, and shrunk if it is less.
            (C10) Where the flow of weight normalization fits the data, the norm of the limit is $\|X^+ y\|$ for $v_0$
            in $\operatorname{row}(X)$, and else it tends to $\max(\|X^+ y\|, |\gamma_0|)$ as $\rho \to 0$ with the
            direction of $v_0$ fixed: with $M$ the square of that maximum and $k$ the share of $|v_0|^2$ in the null
            space, its square is between $\max(\|X^+ y\|^2, \gamma_0^2 + \rho^2 \ln k)$ and
            $M + \rho^2 \max(1, \ln(1 + M/\rho^2))$
Idea        The gradient in $v$ has the component $-\langle G, v\rangle v$ on the sphere of all of $v$, where $G$ is the
            gradient in $w$. So $\rho^2 \dot v_\perp = -\gamma \dot\gamma v_\perp$ for the null part $v_\perp$
Tolerance   Runs carry a first-order rounding analysis. The scalar equation of the limit is enclosed between two sides.
            Flows carry the estimate of two tolerances, and end at a residual that the bound contains
Findings    The covariance of fewer samples than weights has a null space, which only weight normalization moves. That
            it always grows from $|\gamma_0| > \|X^+ y\|$ is false: $X = (1, 0)$, $y = 1$, $\gamma_0 = \frac32$ and
            $v_0 = (0.6, 0.8)/16$ shrink it to 0.932 of itself
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.examples import simplest
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_not_negative,
    assert_within,
)
from properties.oracles import weight_norm_limit
from theorems.ledger import corrected
from theorems.section_09_architectures.normalization.dynamics import normalized_descent, weight_norm_slopes
from theorems.section_09_architectures.normalization.problems import directed_regressions
from theorems.section_09_architectures.proposition_9_2_normalized_space.descents import (
    drift_rounding,
    row_and_null_parts,
)
from theorems.section_09_architectures.proposition_9_2_normalized_space.flows import (
    FINAL_RESIDUAL,
    limit_bounds,
    weight_norm_flow,
)


@corrected("C8")
@given_batches(size=100, problem=directed_regressions())
def test_weight_normalization_multiplies_the_null_part_by_what_the_scale_says_in_every_step(problem):
    # given  steps of at most 1/8 rho^2 over the square of the least norm, in units of 1/s_1^2
    rho, steps = norm(problem.v, axis=-1), 300
    eta = np.minimum(1, (rho / problem.least_norm) ** 2) / (8 * problem.sigma_max**2)
    # when
    run = normalized_descent(weight_norm_slopes, problem, problem.v, problem.gamma, eta, steps)
    null, null_0 = (row_and_null_parts(problem, v)[1] for v in (run.v, problem.v))
    # then   prod (1 - gamma (gamma' - gamma)/rho^2), rho growing
    carried = drift_rounding(problem, run, steps) * run.decay / run.least_decay
    error = norm(null - run.decay[:, None] * null_0, axis=-1)
    assert_at_most(error, carried, why="null part of v", instance=problem)
    growth = np.square(run.v).sum(-1) - rho**2 - run.travel
    bound = 4 * np.sqrt(rho**2 + run.travel) * drift_rounding(problem, run, steps)
    assert_at_most(np.abs(growth), bound, why="growth of |v|^2", instance=problem)


@pytest.mark.slow
@corrected("C8")
@given_batches(size=100, problem=directed_regressions())
def test_the_flow_of_weight_normalization_ends_where_one_scalar_equation_says(problem):
    # when   the flow at an early time, at a later one, and where it has settled
    flow = weight_norm_flow(problem, np.array([0.1, 0.5, 1000.0]))
    v, gamma, error = flow.states[..., :-1], flow.states[..., -1], flow.error[:, None]
    rho, null_0 = norm(problem.v, axis=-1), row_and_null_parts(problem, problem.v)[1]
    # then   v_perp = v_perp(0) exp(-(gamma^2 - gamma_0^2)/(2 rho^2)), and |v| stays
    kept = np.exp(-(gamma**2 - problem.gamma**2) / (2 * rho**2))
    slack = error * (2 + kept * rho * (2 * np.abs(gamma) + error) / rho**2)
    off_null = norm(np.matvec(problem.N @ problem.N.mT, v) - kept[..., None] * null_0, axis=-1)
    assert_at_most(off_null.T, slack.T, why="null part of v", instance=problem)
    assert_at_most(np.abs(norm(v, axis=-1) - rho).max(1), flow.error, why="|v| along the flow")
    # and   gamma at the end is between the solutions for a row part of the least norm, less and plus residual/s_n
    off = FINAL_RESIDUAL / problem.sigma_min + 8 * error[-1] * (1 + np.abs(gamma[-1]) / rho)
    low, high = (
        weight_norm_limit(problem.least_norm + side * off, problem.gamma, rho, norm(null_0, axis=-1))
        for side in (-1, 1)
    )
    assert_within(low, np.abs(gamma[-1]), high, slack=4 * error[-1], why="|gamma| at the end", instance=problem)
    assert_at_most(off, 1 / 200, why="ceiling: the flow has settled", instance=problem)


@corrected("C9", "C10")
@given_batches(size=100, problem=directed_regressions())
def test_for_short_directions_the_limit_of_weight_normalization_is_the_longer_of_least_norm_and_start(problem):
    # given  |v_0| from 1 down to 2^-9 of the least norm
    (row, null), length = (
        (norm(part, axis=-1) for part in row_and_null_parts(problem, problem.v)),
        norm(problem.v, axis=-1),
    )
    rho = problem.least_norm * 2.0 ** -(problem.t % 10)
    # when   the scalar equation
    q = weight_norm_limit(problem.least_norm, problem.gamma, rho, null * rho / length) ** 2
    # then   its left side increases, and passes |X^+ y|^2 near q: Brent's method stops at 45 operations, and the
    #        exponent has 12 on gamma^2 + q <= 5q
    log_k = np.where(null > 0, 2 * np.log(np.where(null > 0, null / length, 1)), -np.inf)
    sides = (q * (1 + sign * rounding(45 + 5 * 12)) for sign in (-1, 1))
    below, above = (at * (1 - np.exp(log_k + (problem.gamma**2 - at) / rho**2)) for at in sides)
    assert_within(below, problem.least_norm**2, above, why="the scalar equation", instance=problem)
    # and   q is between two bounds that tend to the square of the longer one as rho -> 0
    lower, upper = limit_bounds(problem.least_norm, problem.gamma, rho, log_k)
    assert_within(lower, q, upper, slack=rounding(20, upper), why="gamma^2 at the end", instance=problem)
    # and   the null part of v grows where |gamma| falls, and the row part of the start decides that
    fallen, longer = np.abs(problem.gamma) - np.sqrt(q), np.abs(problem.gamma) * row / length - problem.least_norm
    clear = np.abs(longer) > rounding(45 + 5 * 12, upper * (1 + problem.gamma**2 / rho**2))
    assert_not_negative(np.where(clear & (null > 0), np.sign(longer) * fallen, 0), why="who grows", instance=problem)


@corrected("C9", "C10")
@pytest.mark.slow
@given(gamma=st.floats(-3, 3), rho=st.floats(-3, 3), share=st.integers(1, 24), near=st.booleans())
def test_limit_and_growth_hold_over_six_orders_of_magnitude_and_almost_in_row_or_null_space(gamma, rho, share, near):
    # given  |X^+ y| = 1, |gamma_0| and |v_0| as powers of ten, and the share k or 1 - k = 2^-share in the null space
    gamma, rho, one = np.array([10.0**gamma]), np.array([10.0**rho]), np.ones(1)
    k = 1 - 2.0**-share if near else 2.0**-share
    # when   the scalar equation
    q = weight_norm_limit(one, gamma, rho, np.sqrt(k) * rho) ** 2
    # then   up to the rounding of k and of the exponent, magnified by the slope 1/(1 - k)
    lower, upper = limit_bounds(one, gamma, rho, np.log(k))
    slack = rounding(45 + 15, (upper + gamma**2 + rho**2 * (1 - np.log(k))) / (1 - k))
    assert_within(lower, q, upper, slack=slack, why="gamma^2 at the end")
    fallen, longer = gamma - np.sqrt(q), gamma * np.sqrt(1 - k) - 1
    clear = np.abs(longer) > slack * (1 + gamma**2 / rho**2)
    assert_not_negative(np.where(clear, np.sign(longer) * fallen, 0), why="who grows")


@corrected("C10")
def test_the_bounds_of_the_limit_by_hand():
    # given  |X^+ y| = 1, gamma_0 = -3, rho = 10 and ln k = -1/20: 9 - 100/20, and 9 + 100 as ln(1 + 9/100) < 1
    assert_equal_within(limit_bounds(1, -3, 10, -1 / 20), [4, 109], rounding(6, 9), why="bounds of gamma^2")
    assert_identical(limit_bounds(5, -3, 10, -np.inf), [25, 25], why="in the row space")


@corrected("C10")
def test_the_upper_bound_of_the_limit_is_nearly_attained():
    # given  |gamma_0| = |X^+ y| = 1, |v_0| = 2^-9, and all but 2^-20 of v_0 where no sample sees it
    one, rho, null = np.ones(1), np.full(1, 2.0**-9), np.full(1, 2.0**-9 * np.sqrt(1 - 2.0**-20))
    q = weight_norm_limit(one, one, rho, null) ** 2
    _, upper = limit_bounds(one, one, rho, np.log1p(-(2.0**-20)))
    assert_at_most((upper - 1) / 2, q - 1, why="gamma^2 - M, at least half of its bound")


@corrected("C10")
@pytest.mark.parametrize("gamma", [0.5, 1.5])
def test_the_flow_from_a_short_direction_ends_at_the_longer_of_least_norm_and_start(gamma):
    # given  x = (1, 0), y = 1 and |v_0| = 1/16, four fifths of which no sample sees
    one, rho = stack([simplest(directed_regressions())]), 1 / 16
    problem = dataclasses.replace(one, y=np.ones((1, 1)), v=rho * np.array([[0.6, 0.8]]), gamma=np.array([gamma]))
    assert_identical(problem.X, [[[1, 0]]], why="the sample")
    # when
    flow = weight_norm_flow(problem, np.array([1000.0]))
    # then   up to an error FINAL_RESIDUAL of the row part of w, and the error of the flow in v
    slack = 5 * FINAL_RESIDUAL + 16 * flow.error[-1] * (1 + gamma**2) / rho
    lower, upper = limit_bounds(1, gamma, rho, 2 * np.log(0.8))
    assert_within(lower, flow.states[-1, :, -1] ** 2, upper, slack=slack, why="gamma^2 at the end")
    assert_at_most(slack, 1 / 1000, why="ceiling: the flow has settled")


@corrected("C9")
@pytest.mark.parametrize(("gamma", "kept"), [(1.5, 0.932), (2.0, 1.0825)])
def test_the_flow_shrinks_the_null_part_of_a_start_whose_row_part_is_short(gamma, kept):
    # given  x = (1, 0), y = 1, v_0 = (0.6, 0.8)/16: the row part of w_0 is 0.9 or 1.2, against 1; |gamma_0| > 1
    one, rho = stack([simplest(directed_regressions())]), 1 / 16
    problem = dataclasses.replace(one, y=np.ones((1, 1)), v=rho * np.array([[0.6, 0.8]]), gamma=np.array([gamma]))
    # when
    flow = weight_norm_flow(problem, np.array([1000.0]))
    found = flow.states[-1, 0, 1] / (0.8 * rho)
    # then   it shrinks from 3/2, and grows from 2
    error = 2 * flow.error[-1] / rho
    assert_at_most(abs(found - kept), 1 / 2000 + error, why="the null part of v over that of v_0")
    assert_at_most(error, 1 / 10_000, why="ceiling: the flow tells shrinking from growing")
