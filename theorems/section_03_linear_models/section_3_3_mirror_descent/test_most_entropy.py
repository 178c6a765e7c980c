r"""Section 3.3: mirror descent - from a suitable start the limit is the interpolant of most entropy.

Printed     Mirror descent with the entropy mirror map leads to
            $w^* = \operatorname{argmax}_w H(w) \ \text{s.t.}\ Xw = y$
Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $\mathrm{KL}(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; $\operatorname{rank} X = n$, and $s_1$ is the
            largest singular value; $\mathbf 1$ is the vector of ones
Reading     $H(w) = -\sum_j w_j \ln w_j$ on $w \ge 0$. The sum of $w$ is free, because the print has no such constraint;
            distributions are the case in which $\mathbf 1$ is a row of $X$. The print names no start and no step, so
            both may be fixed.
Hypotheses  (H1) the mirror map is the entropy's, as printed.
            (H2) some $w_p > 0$ solves $X w_p = y$, which is so for an open set of $y$.
            (H3) $\mathbf 1 + \ln w_0 \in \operatorname{row}(X)$: the start $w_0 = \mathbf 1/e$, any
            $w_0 = e^{X^\top \mu - \mathbf 1}$, and $w_0 = c \mathbf 1$ if $\mathbf 1 \in \operatorname{row}(X)$.
            (H4) $\eta < 2/\Lambda$, $\Lambda = s_1^2 (\sqrt{\mathbf 1 \cdot w_p} + \sqrt{\mathrm{KL}(w_p \| w_0)})^2$,
            or backtracking on the dual.
Idea        $\ln w_t - \ln w_0 = X^\top \nu_t$, and $\nu_t$ is gradient ascent on the concave dual $D(\nu) = \langle
            \nu, y \rangle - w_0 \cdot (e^{X^\top \nu} - \mathbf 1)$. For every interpolant $v$,
            $\mathrm{KL}(v \| w_t) = \mathrm{KL}(v \| w_0) - D(\nu_t)$. So the limit meets the optimality conditions of
            $\min \mathrm{KL}(\cdot \| w_0)$. These are the conditions of $\max H$ if the linear term
            $\langle \mathbf 1 + \ln w_0, w \rangle$ is constant on $\{Xw = y\}$, which is H3.
Tolerance   Limits are certified by the duality gap $\mathrm{KL}(v \| w)$, with $v$ an interpolant made from $w$, and by
            the component of $\ln w - \ln w_0$ in $\operatorname{null}(X)$. The oracle is MINPACK's solution, certified
            by the same gap.
Findings    The start $\mathbf 1/e$ is the minimizer of $-H$, as $0$ in Theorem 3.1 is the minimizer of $\|w\|^2$.
Expected    holds under added hypotheses
"""

from itertools import product

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.mirror_descent import ENTROPY, exponentiated_gradient, mirror_descent, mirror_descent_to_residual
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import positive_systems
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.divergences import (
    entropy,
    multiplier,
    radius_of_projection,
    relative_entropy,
    relative_entropy_rounding,
    residual_with_rounding,
)
from properties.oracles import nearest_in_relative_entropy
from theorems.ledger import under_hypotheses
from theorems.section_03_linear_models.section_3_3_mirror_descent.runs import (
    CONVERGED,
    learning_rate,
    logarithm,
    radius_when_converged,
    run_to_convergence,
    start_of_most_entropy,
    trajectory_rounding,
)


@under_hypotheses("H1", "H2", "H3", "H4")
@given_batches(problem=positive_systems())
def test_from_a_start_of_H3_the_limit_is_the_interpolant_of_most_entropy(problem):
    # given  H2 by construction; H3: the start exp(X'mu - 1); H4: backtracking
    best = start_of_most_entropy(problem)
    # when   H1
    run = run_to_convergence(problem, problem.entropic_start)
    # then   MINPACK's maximizer of the entropy, with its own gap
    oracle = nearest_in_relative_entropy(problem.X, problem.y, best)
    radius, of_oracle = (radius_of_projection(problem, best, w) for w in (run.w, oracle))
    distance = norm(np.sqrt(run.w) - np.sqrt(oracle), axis=-1)
    assert_at_most(distance, radius + of_oracle, why="distance to the maximum entropy", instance=problem)
    assert_at_most(radius, radius_when_converged(problem, run), why="convergence", instance=problem)
    assert_at_most(radius, 1e-8 * norm(np.sqrt(oracle), axis=-1), why="eight digits of the limit", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4")
@given_batches(problem=positive_systems())
def test_no_interpolant_has_more_entropy_than_the_limit(problem):
    w = run_to_convergence(problem, problem.entropic_start).w
    # when   any multiplier nu bounds all interpolants: H(v) <= sum exp(X'nu - 1) - <nu, y>; take the limit's own
    nu = multiplier(problem, np.where(w > 0, 1 + logarithm(w), 0))
    dual = np.where(w > 0, np.exp(np.vecmat(nu, problem.X) - 1), 0).sum(-1) - np.vecdot(nu, problem.y)
    # then   w_p <= limit <= dual, the last up to <nu, Xw - y>
    slack = norm(nu, axis=-1) * residual_with_rounding(problem, w) + relative_entropy_rounding(w, problem.w_p)
    assert_at_most(entropy(problem.w_p), entropy(w) + slack, why="entropy of w_p", instance=problem)
    assert_within(dual, entropy(w), dual, slack=slack, why="the duality gap of the entropy", instance=problem)


@under_hypotheses("H1", "H3", "H4")
@given_batches(problem=positive_systems())
def test_every_iterate_has_the_most_entropy_among_points_of_its_measurements(problem):
    start = problem.entropic_start
    run = mirror_descent(ENTROPY, problem.X, problem.y, start, learning_rate(problem, start), problem.t)
    # when   another point u >= 0 with Xu = Xw_t, in the direction from w_t to w_p
    z = problem.in_null_space(problem.w_p - run.w)
    z *= np.min(np.where(z < 0, run.w / np.where(z < 0, -z, 1), 1), axis=-1, keepdims=True) / 2
    # then   H(w_t) - H(u) is KL(u || w_t), exactly
    deficit = entropy(run.w) - entropy(run.w + z)
    slack = relative_entropy_rounding(run.w + z, run.w) + norm(z, axis=-1) * trajectory_rounding(problem, run)
    error = np.abs(deficit - relative_entropy(run.w, z))
    assert_at_most(error, slack, why="the entropy of another point is less by KL", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4")
@given_batches(problem=positive_systems())
def test_on_the_simplex_the_uniform_start_leads_to_the_distribution_of_most_entropy(problem):
    # given  distributions: y = X p with p = w_p/sum w_p; H3 is met since 1 is a measurement as well
    goal = problem.w_p / problem.w_p.sum(-1, keepdims=True)
    start = np.where(problem.w_p > 0, 1 / problem.columns[:, None], 0)
    # given  H4: a step below 1/max |X_j|^2 is safe everywhere, the curvature being a covariance
    y, t = np.matvec(problem.X, goal), 1 + problem.t
    eta = 1 / np.square(problem.X).sum(-2).max(-1)
    # when
    w = exponentiated_gradient(problem.X, y, start, eta, t)
    # then   KL(p || w_t) falls by (eta/2)|r_t|^2 at least and |r_t| never rises; ln w_t = X'nu_t - ln Z with
    #        |nu_t| <= eta sum |r_s| gives H(p) - H(w_t) <= <nu_t, X w_t - y>; eta s_1^2 <= p in the rounding
    r, K = norm(np.matvec(problem.X, w) - y, axis=-1), relative_entropy(start, goal - start)
    # a step rounds ln w by 2 p (n + p + 2) + p + 4 units at most, and this adds up; an altered start shifts each later
    # step by p times itself
    hidden = rounding((problem.columns + 2) ** 3 * t**2, 4)
    rate = np.sqrt(2 * K / (eta * t)) + problem.sigma_max * hidden
    assert_at_most(r, rate, why="the a priori rate on the simplex", instance=problem)
    most = entropy(w) + np.sqrt(2 * K * eta * t) * r + hidden
    assert_at_most(entropy(goal), most, why="no distribution has more entropy", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4")
def test_with_a_row_of_ones_every_constant_start_leads_to_the_geometric_interpolant_of_most_entropy():
    # given  H3: rows (1, 1, 1) and (0, 1, 2); w* = a (1, q, q^2) has the most entropy, 1 + ln w* being in their span
    c, a, q = np.array(list(product(*[2.0 ** np.arange(-2, 3)] * 2, [1 / 2, 1, 2]))).T
    best, X = a[:, None] * q[:, None] ** np.arange(3), np.array([np.ones(3), np.arange(3)])
    X = np.broadcast_to(X, (len(c), 2, 3))
    # when   w_0 = c 1, with backtracking
    y, converged = np.matvec(X, best), CONVERGED * norm(best, axis=-1)
    run = mirror_descent_to_residual(ENTROPY, X, y, np.repeat(c[:, None], 3, axis=1), converged)
    # then   |w - w*|^2 / M <= <w - w*, ln w - ln w*> <= |w - w*| (|r|/(m s_n) + rounding) for coordinates in [m, M]
    both = np.concatenate([run.w, best], axis=-1)
    m, M = both.min(-1), both.max(-1)
    defect = rounding((1 + run.steps) * (2 + 3 + 6), 4 * np.sqrt(2) * (1 + run.largest))  # as backtracked_rounding
    residual = converged + rounding(3 + 2, norm(y, axis=-1))
    bound = M / m * residual / np.linalg.svd(X[0]).S[-1] + M * defect
    assert_at_most(norm(run.w - best, axis=-1), bound, why="distance to the geometric interpolant", instance=c)
