r"""Theorem 7.2 (b) - in a diagonal network the rate acts: it shrinks the scales of the potential.

Setting     $w = u^2 - v^2$ entrywise, $u = v = \alpha$ at the start, one sample $x$ with the target $y \ne 0$; $K = 8
            \alpha^2 \|x\|^2 + 4 |y| \max_i |x_i|$, an upper bound on the tangent kernel. $r_t$ is the residual after
            $t$ steps. $Q$ is the potential that the limit of gradient flow minimizes
Corrected   (C4) Where the model is not linear in its parameters the rate acts. With one sample and $\eta \le 1/(2K)$,
            descent on $u^2 - v^2$ ends with the scales $u_i v_i = \alpha^2 e^{-S_i}$, $\eta x_i^2 J/(1 + \delta) \le
            S_i \le \eta x_i^2 (J_P + 4 \eta y^2)/(1 - b^2)$, with $J$ the least value of $Q$ at the scale $\alpha$,
            $J_P$ that at $\alpha \sqrt P$, $b = 2 \eta \max_i |x_i y|$, $\delta = b^2 / (3 - 3 b^2)$ and $P = 1 - \eta
            \max_i x_i^2 (J_{1/2} + 4 \eta y^2)$, the upper bound where $P \ge 1/2$: $S_i / \eta \to x_i^2 J$. The limit
            is near the minimizer of $Q$ for these scales (C2 of Theorem 7.1 (a)), and need not be it.
            (C5) If $P \ge 2/3$ for a rate of at most $1/(16 K)$, doubling that rate shrinks every scale with
            $x_i \ne 0$ further.
Idea        $S_i = -\sum_t \ln(1 - 4 \eta^2 x_i^2 r_t^2)$, and $\sum_t 4 \eta r_t^2$ is a Riemann sum of the residual
            over the dual variable $4 \eta \sum |r_t|$. The integral is the optimal value of the dual, $J$
Tolerance   $J$ by Newton's method on the dual, certified by its gap. The rounding of a run is that of one step, times
            the number of steps
Findings    For one sample $S_i$ increased with the rate in every pair of neighboring rates that was tried, from
            $1/(32 K)$ to $1/(2K)$, on 20 problems. Where $P$ is below 2/3 nothing is proved
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.diagonal import descend_to_residual
from fixtures.models.diagonal import uniform
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.regression import from_zero, regression_of_design
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import corrected, observed
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential, minimize
from theorems.section_07_initialization_and_learning_rate.theorem_7_2_learning_rate.scale_shrinkage import (
    CONVERGED,
    SCALES,
    one_sample,
    shrinkage_and_bounds,
)


@corrected("C4")
@given_batches(problem=one_sample)
def test_on_a_diagonal_network_the_scales_shrink_by_the_rate_times_the_value_of_the_potential(problem):
    # given  eta K in {1/2, 1/4, 1/16, 1/64}, and at most 1/4 from the two smallest scales
    problem, scale = from_zero(problem), np.array(SCALES)[problem.t % len(SCALES)]
    share = np.minimum(np.array([1 / 2, 1 / 4, 1 / 16, 1 / 64])[problem.t % 4], np.where(scale < 1 / 2, 1 / 4, 1 / 2))
    run, lower, upper, P = shrinkage_and_bounds(problem, share, scale)
    # then   the bounds are near, and between them is every coordinate
    b = share / 2  # at most, as K >= 4 |y| max |x_i|
    near = (1 / (1 + np.log(P)) + 2 * share) * (1 + b**2 / (3 - 3 * b**2)) / (1 - b**2)
    assert_at_most(upper, near * lower, why="the bounds are near", instance=problem)
    squares = problem.X[:, 0] ** 2
    # then   a step sums p products for the residual and has eight more operations
    slack = rounding(((1 + run.steps) * (problem.columns + 8))[:, None], lower[:, None] * squares)
    sides = lower[:, None] * squares, run.shrinkage, upper[:, None] * squares
    assert_within(*sides, slack=slack, why="shrinkage of the scales", instance=problem)


@corrected("C4")
def test_a_run_at_half_of_one_over_K_ends_off_the_minimizer_for_its_final_scales():
    # given  X = [1, 2], y = 5, alpha = 1: K = 80
    problem = stack([regression_of_design(np.array([[1.0, 2.0]]), np.array([5.0]))])
    run = descend_to_residual(problem.X, problem.y, uniform(1.0, problem.w0), np.array([1 / 160]), np.array([1e-12]))
    best = minimize(DiagonalPotential(2, np.exp(-run.shrinkage / 2)), problem)
    # then   the run ends with w_1 = 0.93941, and the minimizer has 0.94095
    assert_at_most(run.network.w[0, 0], 0.93942, why="w_1 in the limit of descent")
    assert_at_most(0.94094, best.w[0, 0] - best.radius[0], why="w_1 of the minimizer")


@corrected("C5")
@given_batches(problem=one_sample)
def test_doubling_a_small_rate_shrinks_every_scale_further(problem):
    problem, scale = from_zero(problem), np.array(SCALES)[problem.t % len(SCALES)]
    share = np.array([1 / 16, 1 / 32, 1 / 64])[problem.t % 3]
    (small, _, most, P), (large, least, _, _) = (
        shrinkage_and_bounds(problem, rate, scale) for rate in (share, 2 * share)
    )
    # then   by the bounds, and in the runs
    assert_at_most(2 / 3, P, why="the scales keep two thirds", instance=problem)
    assert_at_most(most, least, why="the bounds do not overlap", instance=problem)
    seen = np.abs(problem.X[:, 0]) > 0
    assert_at_most(small.shrinkage[seen], large.shrinkage[seen], why="the scales", instance=problem)


@observed
def test_for_one_sample_the_shrinkage_was_seen_to_increase_with_every_rate():
    # given  20 problems of one sample in R^4, and rates 2^-k/K, k from 1 to 5 by 1/4, seed 72, looked at once
    rng, shares = np.random.default_rng(72), 2.0 ** -np.arange(1, 5.1, 0.25)
    x, y, alpha = rng.normal(size=(20, 4)), rng.uniform(0.5, 4, 20), rng.uniform(0.3, 2, 20)
    K = 8 * alpha**2 * norm(x, axis=-1) ** 2 + 4 * y * np.abs(x).max(-1)
    # when
    grid = [np.repeat(data, len(shares), axis=0) for data in (x, y, alpha)]
    eta = (shares / K[:, None]).ravel()
    X, target = grid[0][:, None], grid[1][:, None]
    run = descend_to_residual(X, target, uniform(grid[2], grid[0]), eta, CONVERGED * grid[1])
    # then
    shrinkage = run.shrinkage.reshape(20, len(shares), 4)
    assert_at_most(shrinkage[:, 1:], shrinkage[:, :-1], why="the smaller rate shrinks less")
