r"""Section 3.3: mirror descent - from any positive start it finds the interpolant of least relative entropy.

Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $\mathrm{KL}(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; $\operatorname{rank} X = n$, and $s_1$ is the
            largest singular value; $\mathbf 1$ is the vector of ones
Hypotheses  (H1) the mirror map is the entropy's, as printed.
            (H2) some $w_p > 0$ solves $X w_p = y$, which is so for an open set of $y$.
            (H4) $\eta < 2/\Lambda$, $\Lambda = s_1^2 (\sqrt{\mathbf 1 \cdot w_p} + \sqrt{\mathrm{KL}(w_p \| w_0)})^2$,
            or backtracking on the dual.
Corrected   (C1) Under H1, H2 and H4, $w_t \to \operatorname{argmin} \mathrm{KL}(w \| w_0)\ \text{s.t.}\ Xw = y,\ w \ge
            0$ from every $w_0 > 0$, and $w_t = w_0 \odot e^{X^\top \nu_t}$ with $\nu_t$ gradient ascent on the dual
            $D(\nu) = \langle \nu, y \rangle - w_0 \cdot (e^{X^\top \nu} - \mathbf 1)$.
            (C3) A step $\eta = \theta/\Lambda$ with $\theta < 2$ lowers $\mathrm{KL}(w_p \| w_t)$, for $w_p$ of H2, by
            at least $(1 - \theta/2)\, \eta \|X w_t - y\|^2$ and at most $\eta \|X w_t - y\|^2$.
Idea        $\mathrm{KL}(v \| w_t) = \mathrm{KL}(v \| w_0) - D(\nu_t)$ for every interpolant $v$. So a step lowers
            $\mathrm{KL}(v \| w_t)$ by as much as it raises $D$, and $D$ is concave with a curvature of at most
            $\Lambda$ along the run.
Tolerance   Limits are certified by the duality gap $\mathrm{KL}(v \| w)$, with $v$ an interpolant made from $w$, and by
            the component of $\ln w - \ln w_0$ in $\operatorname{null}(X)$. The oracle is MINPACK's solution, certified
            by the same gap. Steps are compared up to a first-order rounding analysis.
"""

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.mirror_descent import ENTROPY, dual_gradient_ascent, mirror_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import PositiveSystem, positive_systems
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.divergences import (
    curvature_bound,
    radius_of_projection,
    relative_entropy,
    relative_entropy_rounding,
)
from properties.oracles import nearest_in_relative_entropy
from theorems.ledger import corrected
from theorems.section_03_linear_models.section_3_3_mirror_descent.runs import (
    learning_rate,
    logarithm,
    one_step_rounding,
    radius_when_converged,
    run_to_convergence,
    trajectory_rounding,
)
from theorems.section_03_linear_models.section_3_3_mirror_descent.systems import wide_positive_systems


def least_approach(theta, rise):
    """The lower bound of C3 on how much a step theta/Lambda lowers KL(w_p || w_t), where eta |r_t|^2 = rise."""
    return (1 - theta / 2) * rise


@corrected("C1")
@given_batches(problem=positive_systems())
def test_from_any_positive_start_the_limit_is_the_interpolant_of_least_relative_entropy(problem):
    # when   w_0 in powers of two, not of H3
    run = run_to_convergence(problem, problem.w0)
    # then
    oracle = nearest_in_relative_entropy(problem.X, problem.y, problem.w0)
    radius, of_oracle = (radius_of_projection(problem, problem.w0, w) for w in (run.w, oracle))
    distance = norm(np.sqrt(run.w) - np.sqrt(oracle), axis=-1)
    assert_at_most(distance, radius + of_oracle, why="distance to the projection of w_0", instance=problem)
    assert_at_most(radius, radius_when_converged(problem, run), why="convergence", instance=problem)
    assert_at_most(radius, 1e-8 * norm(np.sqrt(oracle), axis=-1), why="eight digits of the limit", instance=problem)


@corrected("C1")
@given_batches(problem=positive_systems())
def test_every_iterate_is_gradient_ascent_on_the_dual(problem):
    eta = learning_rate(problem, problem.w0)
    # when
    run = mirror_descent(ENTROPY, problem.X, problem.y, problem.w0, eta, problem.t)
    nu = dual_gradient_ascent(ENTROPY, problem.X, problem.y, problem.w0, eta, problem.t)
    # then   w_t = w_0 exp(X'nu_t)
    error = norm(logarithm(run.w) - logarithm(problem.w0) - np.vecmat(nu, problem.X), axis=-1)
    assert_at_most(error, 2 * trajectory_rounding(problem, run), why="ln w_t - ln w_0 = X'nu_t", instance=problem)


@corrected("C3")
@given_batches(problem=positive_systems())
def test_each_step_approaches_every_positive_interpolant_by_as_much_as_the_dual_rises(problem):
    # given  H4: eta = step/Lambda
    eta, X, y = learning_rate(problem, problem.w0), problem.X, problem.y
    # when   one step at the drawn time
    here, there = (mirror_descent(ENTROPY, X, y, problem.w0, eta, problem.t + after) for after in (0, 1))
    approach = relative_entropy(here.w, problem.w_p - here.w) - relative_entropy(there.w, problem.w_p - there.w)
    # then   (1 - step/2) eta |r_t|^2 <= KL(w_p || w_t) - KL(w_p || w_{t+1}) <= eta |r_t|^2
    rise = eta * norm(np.matvec(X, here.w) - y, axis=-1) ** 2
    slack = relative_entropy_rounding(problem.w_p, here.w) + relative_entropy_rounding(problem.w_p, there.w)
    size = norm(problem.w_p - here.w, axis=-1) + norm(y, axis=-1) / problem.sigma_max
    slack += size * one_step_rounding(problem, there)
    assert_within(least_approach(problem.step, rise), approach, rise, slack=slack, why="approach", instance=problem)


@corrected("C3")
def test_the_lower_bound_on_the_approach_is_nearly_attained():
    # given  X = [1, 0], w_p = (2^-40, 2^-40) and w_0 = (1, 2^-40): Lambda is nearly the curvature 1 at the start
    X, y, w_p = np.array([[1.0, 0]]), np.array([2.0**-40]), np.full(2, 2.0**-40)
    start, design = np.array([1.0, 2.0**-40]), vars(regression_of_design(X, y))
    eta = 1 / curvature_bound(PositiveSystem(**design, w_p=w_p, mu=np.zeros(1), exponent=0), start)
    # when
    run = mirror_descent(ENTROPY, X, y, start, eta, 1)
    # then   with theta = 1 the bound is half of eta |r|^2, and the step gains 1 - 1/e of it
    gained = relative_entropy(start, w_p - start) - relative_entropy(run.w, w_p - run.w)
    least = least_approach(1, eta * (1 - y[0]) ** 2)
    assert_within(least, gained, 3 / 2 * least, why="approach")


@pytest.mark.slow
@corrected("C3")
@given(problem=wide_positive_systems())
def test_from_starts_of_wide_range_each_step_approaches_the_positive_interpolant(problem):
    # given  H4, and up to five steps already taken
    eta = learning_rate(problem, problem.w0)
    before, after = (mirror_descent(ENTROPY, problem.X, problem.y, problem.w0, eta, problem.t + k) for k in (0, 1))
    approach = relative_entropy(before.w, problem.w_p - before.w) - relative_entropy(after.w, problem.w_p - after.w)
    # then
    rise = eta * norm(problem.X @ before.w - problem.y) ** 2
    slack = sum(relative_entropy_rounding(problem.w_p, run.w) for run in (before, after))
    scale = norm(problem.w_p - before.w) + np.sqrt(rise)
    slack += (1 + problem.condition) * scale * one_step_rounding(problem, after) * (1 + problem.t)
    assert_within(least_approach(problem.step, rise), approach, rise, slack=slack, why="approach", instance=problem)
