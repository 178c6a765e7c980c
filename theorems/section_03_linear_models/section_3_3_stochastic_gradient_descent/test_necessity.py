r"""Section 3.3: stochastic gradient descent - without each hypothesis it need not have the limit of GD.

Setting     $L(w) = \frac1{2n} \|Xw - y\|^2$; $w_{t+1} = w_t - \frac\eta b \sum_{i \in B_t} x_i (x_i^\top w_t - y_i)$,
            minibatches $B_t$ of $b$ rows drawn with replacement, or without it in shuffled epochs; GD takes all rows in
            every step. $e_t = w_t - w_\infty$, $w_\infty$ the interpolant nearest $w_0$; $\ell = \max_i \|x_i\|^2$
Hypotheses  (H1) some $w$ solves $Xw = y$; $\operatorname{rank} X = n$ suffices.
            (H2) $0 < \eta < 2/\max_i \|x_i\|^2$.
            (H3) the model is linear in its parameters.
Idea        Without H1 the noise stays, since no $w$ makes every gradient zero. Without H2 a step enlarges the error. In
            a model that is not linear, here $w = u^2 - v^2$, the noise selects another interpolant.
Tolerance   First-order rounding of every step. Two interpolants differ by more than moving each of them to an exact one
            can change.
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.stochastic import (
    all_rows,
    every_order,
    factored_descent,
    stochastic_gradient_descent,
    with_replacement,
)
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical, assert_keeps, record_series
from properties.linear_models.least_squares import residual_rounding
from properties.oracles import nearest_interpolant
from theorems.ledger import necessity
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.runs import (
    SEED,
    limit_rounding,
    problems,
    shortest_row_squared,
)


@necessity("H1")
@given(step=st.sampled_from([1.0, 0.5, 0.25, 1.5]), start=st.integers(-3, 3), t=st.integers(0, 6))
def test_without_H1_the_noise_never_dies_and_the_variance_is_stationary(step, start, t):
    # given  the row (1, 0) twice with targets 0 and 1
    X, y, w0 = np.array([[1.0, 0], [1, 0]]), np.array([0.0, 1]), np.array([start, 1.0])
    assert_keeps(H2=step * (X**2).sum(1) < 2, H3=True)
    order = every_order(2, t, 1, replacement=True)
    X, y, w0 = (np.broadcast_to(data, (len(order), *data.shape)) for data in (X, y, w0))
    # when   every order is run
    w = stochastic_gradient_descent(X, y, w0, step, order).w
    # then   Var' = (1 - eta)^2 Var + eta^2/4, which tends to eta/(4(2 - eta)); GD has Var = 0. Every number is a
    #        multiple of 2^-40, so that nothing is rounded
    eta = Fraction(step)
    variance = eta / (4 * (2 - eta)) * (1 - (1 - eta) ** (2 * t))
    assert_identical(Fraction(float(w[:, 0].var())), variance, why="variance over all orders")
    mean = Fraction(1, 2) + (start - Fraction(1, 2)) * (1 - eta) ** t
    assert_identical(Fraction(float(w[:, 0].mean())), mean, why="mean is GD's iterate")


@necessity("H2")
@given_batches(problem=problems)
def test_without_H2_every_step_moves_away_from_every_interpolant(problem):
    # given  eta |x_i|^2 >= 2.02 for every row
    eta, t = 2.02 / shortest_row_squared(problem), problem.t % 20
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    misses = norm(np.matvec(problem.X, limit) - problem.y, axis=-1)
    hidden = problem.sigma_max * limit_rounding(problem, limit) + residual_rounding(problem, limit)
    assert_keeps(H1=misses <= hidden, H3=True)
    order = with_replacement(np.random.default_rng(SEED), problem.rows, 20)
    # when
    here, there = (
        stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order, t + after) for after in (0, 1)
    )
    # then   |e'|^2 - |e|^2 = eta (eta |x_i|^2 - 2) r_i^2 >= 0.02 eta r_i^2
    i = np.take_along_axis(order[..., 0], t[:, None], -1)
    r = np.take_along_axis(np.matvec(problem.X, here.w) - problem.y, i, -1)[:, 0]
    growth = norm(there.w - limit, axis=-1) ** 2 - norm(here.w - limit, axis=-1) ** 2
    sizes = there.largest + norm(limit, axis=-1) + norm(problem.y, axis=-1) / problem.sigma_max
    scale = (1 + eta * problem.sigma_max**2) * sizes
    # p + 5 roundings in the step, p + 2 in each square
    slack = rounding(3 * problem.columns + 9, scale**2) + 4 * scale * limit_rounding(problem, limit)
    assert_at_most(0.02 * eta * r**2, growth + slack, why="the error grows", instance=problem)


@necessity("H3")
def test_without_H3_the_noise_selects_another_interpolant():
    # given  w = u^2 - v^2 from u = v = 1/2, n = 2 rows in R^3, and a step that is not small
    X, y, half = np.array([[1.0, 2, 0], [0, 1, 1]]), np.array([1.0, 2]), np.full(3, 1 / 2)
    order = with_replacement(np.random.default_rng(SEED), np.array([2]), 2000)[0]
    # when
    (u, v), (full_u, full_v) = (factored_descent(X, y, half, half, 0.1, rows) for rows in (order, all_rows(2, 2000)))
    paths = u**2 - v**2, full_u**2 - full_v**2
    sgd, gd = (path[-1] for path in paths)
    assert_keeps(H1=np.linalg.matrix_rank(X) == len(X), H2=0.1 * np.square(X).sum(1) < 2)
    # then   both interpolate; they are apart by more than moving each on to an exact interpolant can bridge
    residuals = norm(X @ sgd - y) + norm(X @ gd - y)
    hidden = rounding(6, norm(X) * (norm(sgd) + norm(gd)))  # 4 in a residual, 2 in its length
    bridge = (residuals + hidden) / np.linalg.svd(X).S[-1]
    assert_at_most(bridge, norm(sgd - gd), why="SGD and GD interpolate differently")
    # the null part <(2, -1, 1), w>/sqrt(6), which both keep in a linear model
    steps = np.unique(np.geomspace(1, 2000, 120).astype(int))
    along_sgd, along_gd = (path[steps] @ np.array([2, -1, 1]) / np.sqrt(6) for path in paths)
    record_series("null part of the weights", step=steps, sgd=along_sgd.round(5), gd=along_gd.round(5))
