r"""Section 3.3: mirror descent - small starts approach the least mass, signed weights the least l1 or l2 norm.

Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $\mathrm{KL}(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; $\operatorname{rank} X = n$, and $s_1$ is the
            largest singular value; $\mathbf 1$ is the vector of ones
Corrected   (C5) From $w_0 = c \mathbf 1$, $c < 1$, the mass of the limit $w$ exceeds that of any interpolant $u \ge 0$
            by at most $(K(u) - K(w))/\ln(1/c)$ with $-p \le K(w) = \sum_j w_j \ln w_j - w_j$.
            (C6) With the hyperbolic entropy, $w = \beta \sinh(\theta)$, signed, the limit has the least Bregman
            divergence from any start. From $0$ and with $\beta < 1$ its l1 norm exceeds that of any interpolant $u$ by
            at most $(K_\beta(u) - K_\beta(w))/\ln(1/\beta)$,
            $K_\beta(w) = \sum_j |w_j| \ln(|w_j| + q_j) - q_j + \beta$, $q_j = (w_j^2 + \beta^2)^{1/2}$; from $0$ and
            for every $\beta$ its component in $\operatorname{null}(X)$, its distance to the interpolant of least l2
            norm, is at most $\|w^3\|/(6 \beta^2)$ with entrywise cubes.
Idea        The divergence from $c \mathbf 1$ is $\ln(1/c)$ times the mass, plus $K$, plus a constant: the mass decides
            as $c \to 0$. In the same way $\ln(1/\beta)$ times the l1 norm decides as $\beta \to 0$. For large $\beta$,
            $\sinh$ is nearly linear, and mirror descent is nearly gradient descent.
Tolerance   The least mass and the least l1 norm come from HiGHS, and lower bounds are derived again from its
            multipliers. The slack is what the residuals of both points can change.
"""

import numpy as np
import scipy.optimize
import scipy.sparse
from numpy.linalg import norm

from fixtures.dynamics.mirror_descent import hyperbolic_entropy, mirror_descent_to_residual
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import positive_systems
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.divergences import entropy, multiplier, residual_with_rounding
from properties.linear_models.least_squares import residual_rounding
from properties.linear_models.sparsity import dual_value, l1_norm
from properties.oracles import least_l1_norm
from theorems.ledger import corrected
from theorems.section_03_linear_models.section_3_3_mirror_descent.runs import (
    CONVERGED,
    backtracked_rounding,
    logarithm,
    run_to_convergence,
)


def most_excess(K_u, K_w, span):
    """The bound of C5 and C6 on the excess of mass or l1 norm over an interpolant u; span = ln(1/c) or ln(1/beta)."""
    return (K_u - K_w) / span


def most_null_part(w, beta):
    """The bound |w^3|/(6 beta^2) of C6 on the null part of the limit, for w (p,) and beta, or a batch of both."""
    return norm(w**3, axis=-1) / (6 * beta**2)


@corrected("C5", "C6")
def test_the_bounds_on_mass_and_on_the_l1_norm_are_nearly_attained():
    # given  X = [1, 2], e^nu = 2^10: from c = 2^-40 the limit is (2^-30, 2^-20), and from beta = 2 c nearly that
    nu, c = 10 * np.log(2), 2.0**-40
    X, beta = np.array([1.0, 2]), 2 * c
    limits = c * np.exp(nu * X), beta * np.sinh(nu * X)
    spans = np.log(1 / c), np.log(1 / beta)
    # when   the lightest interpolant is (0, y/2)
    lightest = [np.array([0, X @ w / 2]) for w in limits]
    K = lambda w: -entropy(w) - w.sum(), lambda w: remainder_of_hyperbolic_entropy(w, beta)
    sides = [[k(point) for point in pair] for k, *pair in zip(K, lightest, limits, strict=True)]
    allowed = np.array([most_excess(*pair, span) for pair, span in zip(sides, spans, strict=True)])
    # then   the excess is 93 % of its bound
    excess = [w.sum() - u.sum() for u, w in zip(lightest, limits, strict=True)]
    # weights up to 2^-20 are exponentials of numbers up to 14, rounded 16 times; and as often in the sums
    assert_within(allowed / 2, excess, allowed, slack=rounding(2 * 16, 2.0**-20), why="excess of mass")


@corrected("C6")
def test_the_bound_on_the_null_part_is_nearly_attained():
    # given  x = (4, 1, ..., 1) with 48 ones, and beta = 1000: w = beta sinh(nu x) with nu = 1/1000
    x, beta = np.append(4.0, np.ones(48)), 1000.0
    w = beta * np.sinh(x / beta)
    # when   null(X) is what is orthogonal to x
    null_part, bound = norm(w - (w @ x) / (x @ x) * x), most_null_part(w, beta)
    # then   the null part is 80 % of its bound; two inner products, and 5 roundings of an entry
    slack = rounding(2 * len(x) + 5, norm(w))
    assert_within(bound / 2, null_part, bound, slack=slack, why="null part of the limit")


def lightest_interpolant(problem):
    """HiGHS's w >= 0 (B, p) of least mass with Xw = y, a lower bound (B,) on that mass, and the bound's |nu|.

    The batch is one block-diagonal linear program. The bound is re-derived from its multipliers: <nu, y>/m for the
    least m >= 1 with X'nu <= m.
    """
    rows = scipy.sparse.block_diag([scipy.sparse.coo_array(X) for X in problem.X], format="csr")
    program = scipy.optimize.linprog(np.ones(rows.shape[1]), A_eq=rows, b_eq=problem.y.ravel())
    nu = program.eqlin.marginals.reshape(problem.y.shape)
    reach = np.maximum(1, np.vecmat(nu, problem.X).max(-1))
    w = np.maximum(program.x, 0).reshape(problem.w_p.shape)
    return w, np.vecdot(nu, problem.y) / reach, norm(nu, axis=-1) / reach


@corrected("C5")
@given_batches(problem=positive_systems(3, 3))
def test_from_a_small_start_the_limit_is_nearly_the_lightest_interpolant(problem):
    # given  w_0 = c 1
    c = 2.0 ** -(1 + problem.exponent)
    start, u, least, cost = np.where(problem.w_p > 0, c[:, None], 0), *lightest_interpolant(problem)
    # when
    run = run_to_convergence(problem, start, converged=1e-3)
    # then   least <= |w|_1 <= |u|_1 + (K(u) - K(w))/ln(1/c), K(u) = sum u ln u - u >= -p, for all interpolants u >= 0
    K, span = [-entropy(point) - point.sum(-1) for point in (u, run.w)], -np.log(c)
    miss = norm(np.matvec(problem.X, u - run.w), axis=-1) + residual_with_rounding(problem, run.w)
    slack = (cost + norm(multiplier(problem, run.shift), axis=-1) / span) * miss
    left = residual_with_rounding(problem, run.w) / problem.sigma_max
    assert_at_most(left, norm(problem.w_p, axis=-1) / 500, why="nearly an interpolant", instance=problem)
    upper = u.sum(-1) + most_excess(*K, span)
    assert_within(least, run.w.sum(-1), upper, slack=slack, why="mass of the limit", instance=problem)


@corrected("C6")
@given_batches(problem=positive_systems())
def test_the_signed_limit_has_the_least_hyperbolic_divergence(problem):
    # given  the optimum by construction, phi'(w*) = phi'(w_0) + X'mu; from the signed start ln w_0
    beta = 2.0 ** (problem.exponent - 6)
    mirror, start = hyperbolic_entropy(beta), logarithm(problem.w0)
    optimum = beta[:, None] * np.sinh(np.arcsinh(start / beta[:, None]) + np.vecmat(problem.mu, problem.X))
    y = np.matvec(problem.X, optimum)
    # when
    run = mirror_descent_to_residual(mirror, problem.X, y, start, CONVERGED)
    # then   |w - w*|^2/S <= <w - w*, phi'(w) - phi'(w*)> = <X(w - w*), nu - mu> + <w - w*, null part of phi'>
    S = np.hypot(np.maximum(np.abs(run.w), np.abs(optimum)).max(-1), beta)
    # Xw* and Xw have p + 1 roundings, and entries up to S; a multiplier has those of a decomposition
    hidden = 2 * residual_rounding(problem, optimum) + 2 * residual_rounding(problem, run.w)
    gap = norm(np.matvec(problem.X, run.w) - y, axis=-1) + hidden
    turn = 8 * problem.construction * (norm(problem.mu, axis=-1) + run.largest / problem.sigma_min)
    gap *= norm(multiplier(problem, run.shift) - problem.mu, axis=-1) + turn
    defect = backtracked_rounding(problem, run) * (1 + run.largest)  # rounding alone leaves row(X)
    distance = norm(run.w - optimum, axis=-1)
    assert_at_most(distance, S * defect + np.sqrt(S * gap), why="distance to the optimum", instance=problem)


def remainder_of_hyperbolic_entropy(w, beta):
    """K(w) = sum |w_j| ln(|w_j| + q_j) - q_j + beta, q_j = sqrt(w_j^2 + beta^2): phi less |w|_1 ln(1/beta), shifted."""
    q = np.hypot(w, beta)
    return (np.abs(w) * np.log(np.abs(w) + q) - q + beta).sum(-1)


@corrected("C6")
@given_batches(problem=positive_systems(3, 3))
def test_as_beta_vanishes_the_signed_limit_approaches_the_least_l1_norm(problem):
    beta = 2.0 ** -(1 + problem.exponent)
    u, nu = least_l1_norm(problem.X, problem.y)
    # when   from zero
    run = run_to_convergence(problem, np.zeros_like(u), hyperbolic_entropy(beta), converged=1e-3)
    # then   phi = |w|_1 ln(1/beta) + K(w), K(a) = |a| ln(|a| + q) - q + beta >= -(1 - beta)^2/2, q = |(a, beta)|
    K, span = [remainder_of_hyperbolic_entropy(point, beta[:, None]) for point in (u, run.w)], -np.log(beta)
    miss = norm(np.matvec(problem.X, u - run.w), axis=-1) + residual_with_rounding(problem, run.w)
    slack = (norm(nu, axis=-1) + norm(multiplier(problem, run.shift), axis=-1) / span) * miss
    least, norm_of_limit = dual_value(problem.X, problem.y, nu), l1_norm(run.w)
    left = residual_with_rounding(problem, run.w) / problem.sigma_max
    assert_at_most(left, norm(problem.w_p, axis=-1) / 500, why="nearly an interpolant", instance=problem)
    upper = l1_norm(u) + most_excess(*K, span)
    assert_within(least, norm_of_limit, upper, slack=slack, why="l1 norm of the limit", instance=problem)


@corrected("C6")
@given_batches(problem=positive_systems())
def test_as_beta_grows_the_signed_limit_approaches_the_least_l2_norm(problem):
    beta = 2.0**problem.exponent
    # when   from zero
    run = run_to_convergence(problem, np.zeros_like(problem.w_p), hyperbolic_entropy(beta))
    w = run.w
    # then   w - beta X'nu = beta (sinh - id)(X'nu), and |sinh x - x| <= x^2 |sinh x|/6 with x = asinh(w/beta)
    null_part = norm(problem.in_null_space(w), axis=-1)
    slack = (backtracked_rounding(problem, run) + 4 * problem.construction) * norm(w, axis=-1)
    bound = most_null_part(w, beta) + slack
    assert_at_most(null_part, bound, why="distance to the least norm", instance=problem)
