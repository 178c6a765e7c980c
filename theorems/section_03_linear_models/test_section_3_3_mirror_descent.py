r"""Section 3.3: mirror descent - with the entropy map it finds the interpolant nearest its start, not of most entropy.

Section     3.3, the paragraph on mirror descent
Printed     Mirror descent with the entropy mirror map leads to
            $w^* = \arg\max_w H(w) \ \text{s.t.}\ Xw = y$
Reading     $H(w) = -\sum_j w_j \ln w_j$ on $w \ge 0$, which need not sum to one, as no such constraint is printed;
            distributions are the case that 1 is a row of X. The print names no start and no step, so both may be fixed
Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $KL(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; rank X = n, s_1 the largest singular value
Hypotheses  (H1) the mirror map is the entropy's, as printed.
            (H2) some w_p > 0 solves X w_p = y, which is so for an open set of y.
            (H3) 1 + ln w_0 in row(X): the start w_0 = 1/e, any w_0 = exp(X'mu - 1), and w_0 = c 1 if 1 in row(X).
            (H4) eta < 2/Lambda, Lambda = s_1^2 (sqrt(sum w_p) + sqrt(KL(w_p || w_0)))^2, or backtracking on the dual.
Corrected   (C1) Under H1, H2 and H4, $w_t \to \arg\min KL(w \| w_0)\ \text{s.t.}\ Xw = y,\ w \ge 0$ from every
            $w_0 > 0$, and $w_t = w_0 \odot \exp(X^\top \nu_t)$ with $\nu_t$ gradient ascent on the dual D.
            (C2) The limit's entropy falls short of the largest by its KL from the interpolant of most entropy, which is
            zero if and only if H3 holds.
            (C3) A step $\eta = \theta/\Lambda$ with $\theta < 2$ lowers $KL(w_p \| w_t)$, for w_p of H2, by at least
            $(1 - \theta/2)\, \eta \|X w_t - y\|^2$ and at most $\eta \|X w_t - y\|^2$.
            (C4) Where the rows of X are constants c_i on disjoint blocks and $\eta c_i^2 S \le 1$ for the masses S of
            block i at the start and in the limit, ln w_t runs ahead of the flow's logistic curve by at most two thirds
            of $\eta c_i^2$ times the difference of the two masses.
            (C5) From $w_0 = c \mathbf 1$, c < 1, the mass of the limit w exceeds that of any interpolant $u \ge 0$ by
            at most $(K(u) - K(w))/\ln(1/c)$ with $-p \le K(w) = \sum_j w_j \ln w_j - w_j$.
            (C6) With the hyperbolic entropy, $w = \beta \sinh(\theta)$, signed, the limit has the least Bregman
            divergence from any start. From 0 and with $\beta < 1$ its l1 norm exceeds that of any interpolant u by at
            most $(K_\beta(u) - K_\beta(w))/\ln(1/\beta)$, $K_\beta(w) = \sum_j |w_j| \ln(|w_j| + q_j) - q_j + \beta$,
            $q_j = (w_j^2 + \beta^2)^{1/2}$; from 0 and for every $\beta$ its null part, by which it misses the least l2
            norm, is at most $\|w^3\|/(6 \beta^2)$ with entrywise cubes.
            (C7) Where no interpolant is strictly positive, convergence can be as slow as 1/t: for X = [1], y = 0 and
            $\theta = \eta w_0 \le 1$, $1/w_0 + \eta t \le 1/w_t \le 1/w_0 + \eta t (e^\theta - 1)/\theta$.
Idea        ln w_t - ln w_0 = X'nu_t, and nu_t is gradient ascent on the concave dual
            D(nu) = <nu, y> - sum w_0 (e^{X'nu} - 1); for every interpolant v, KL(v || w_t) = KL(v || w_0) - D(nu_t).
            So the limit meets the optimality conditions of min KL(. || w_0), and those of max H where the linear term
            <1 + ln w_0, w> is constant on {Xw = y}. From w_0 = 1 and X = [1, 2], w_2 = w_1^2 for ever.
Source      Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry;
            Ghai, Hazan, Singer (2020), Exponentiated Gradient Meets Gradient Descent; Woodworth, Gunasekar, Lee,
            Moroshko, Savarese, Golan, Soudry, Srebro (2020), Kernel and Rich Regimes in Overparametrized Models;
            Kivinen, Warmuth (1997), Exponentiated Gradient versus Gradient Descent for Linear Predictors
Tolerance   Limits by the duality gap KL(v || w), v an interpolant made from w, and by the null part of ln w - ln w_0;
            the oracle is MINPACK's, certified by the same gap. Iterates by a first-order rounding analysis.
Findings    The start 1/e is the minimizer of -H, as 0 in Theorem 3.1 is that of |w|^2. A step that is safe for gradient
            descent, below 2/lambda_max(XX'), need not be safe here: the curvature is X diag(w) X', which grows with y.
            With a step above 2/lambda_max(X diag(w*) X') the limit w* repels what starts near it
Expected    holds under added hypotheses
"""

from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.mirror_descent import (
    ENTROPY,
    dual_gradient_ascent,
    exponentiated_gradient,
    hyperbolic_entropy,
    mirror_descent,
    mirror_descent_to_residual,
)
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import PositiveSystem, positive_systems
from fixtures.problems.regression import STEPS, measured
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.divergences import (
    curvature_bound,
    entropy,
    least_curvature,
    multiplier,
    null_part_of_log,
    radius_of_projection,
    relative_entropy,
    relative_entropy_rounding,
    residual_with_rounding,
)
from properties.oracles import least_l1_norm, nearest_in_relative_entropy
from properties.search import smallest_violation
from properties.sparsity import dual_value, l1_norm
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

CONVERGED = 1e-10


def run_to_convergence(problem, start, mirror=ENTROPY, converged=CONVERGED):
    """Mirror descent, backtracking on the dual, until |Xw - y| <= converged |w_p|."""
    residual = converged * norm(problem.w_p, axis=-1)
    return mirror_descent_to_residual(mirror, problem.X, problem.y, start, residual)


def start_of_most_entropy(problem):
    """The start 1/e in every coordinate, zero in the padding."""
    return np.where(problem.w_p > 0, np.exp(-1), 0)


def step_below(problem, start):
    """The drawn step as a learning rate eta = step/Lambda, step < 2 (H4)."""
    return problem.step / curvature_bound(problem, start)


def promised(theta, rise):
    """The lower bound of C3 on how much a step theta/Lambda lowers KL(w_p || w_t), of eta |r_t|^2 = rise."""
    return (1 - theta / 2) * rise


def logarithm(w):
    """Ln w, and 0 in the padding."""
    return np.log(w, out=np.zeros_like(w), where=w > 0)


def one_step_rounding(problem, run):
    """What one step may round in the dual point theta = ln w, Euclidean norm.

    A gradient rounds by sqrt(n)(n+p+6+|theta|)u s_1(s_1|w| + |y|), as in properties.least_squares, with u|theta|
    relative in w = exp(theta). Since s_1^2|w| and s_1|y| are at most Lambda, eta <= 2/Lambda makes that a 4; adding
    the step rounds by u|theta_t - theta_0|.
    """
    n, p = problem.rows, problem.columns
    theta = norm(logarithm(problem.w0), axis=-1) + 1 + run.largest
    return UNIT_ROUNDOFF * (4 * np.sqrt(n) * (n + p + 6 + theta) + run.largest)


def trajectory_rounding(problem, run):
    """What `steps` such steps add up to, to first order.

    A row part of an error is an error of nu, which the ascent does not expand: cond(X) steps. A null part, at most
    `steps` steps, acts as an altered start, which shifts every later step by at most twice itself: 2 cond(X) steps^2.
    """
    return problem.condition * (1 + run.steps + 2 * run.steps**2) * one_step_rounding(problem, run)


def radius_when_converged(problem, run):
    """What radius_of_projection comes to at most, for a run that did converge from the start it should have.

    The gap is KL(v || w) <= sum (v - w)^2/w = r'(X diag(w) X')^-1 r with |r| <= CONVERGED |w_p|; the defect is the
    rounding of the steps, as in one_step_rounding with a backtracked step of at most the inverse curvature along it.
    """
    gap = 2 * CONVERGED * norm(problem.w_p, axis=-1) / np.sqrt(least_curvature(problem, run.w))
    theta = 1 + run.largest + norm(logarithm(run.w), axis=-1)
    rounding = (1 + run.steps) * 64 * problem.columns * UNIT_ROUNDOFF * theta
    return gap + rounding * (1 + np.sqrt(run.w.sum(-1)))


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
    run = mirror_descent(ENTROPY, problem.X, problem.y, start, step_below(problem, start), problem.t)
    # when   any other point u >= 0 with Xu = Xw_t, on the way from w_t towards w_p
    z = problem.in_null_space(problem.w_p - run.w)
    z *= np.min(np.where(z < 0, run.w / np.where(z < 0, -z, 1), 1), axis=-1, keepdims=True) / 2
    # then   H(w_t) - H(u) is KL(u || w_t), exactly
    deficit = entropy(run.w) - entropy(run.w + z)
    rounding = relative_entropy_rounding(run.w + z, run.w) + norm(z, axis=-1) * trajectory_rounding(problem, run)
    gap = relative_entropy(run.w, z)
    assert_within(gap, deficit, gap, slack=rounding, why="the entropy of another point is less by KL", instance=problem)


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
    hidden = 8 * (problem.columns + 2) ** 3 * t**2 * UNIT_ROUNDOFF
    assert_at_most(r, np.sqrt(2 * K / (eta * t)) + hidden, why="the a priori rate on the simplex", instance=problem)
    excess = entropy(goal) - entropy(w)
    assert_at_most(excess, np.sqrt(2 * K * eta * t) * r + hidden, why="no distribution has more", instance=problem)


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
    rounding = (1 + run.steps) * 64 * 3 * UNIT_ROUNDOFF * (1 + run.largest)
    residual = converged + 8 * UNIT_ROUNDOFF * norm(y, axis=-1)
    bound = M / m * residual / np.linalg.svd(X[0]).S[-1] + M * rounding
    assert_at_most(norm(run.w - best, axis=-1), bound, why="distance to the geometric interpolant", instance=c)


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


@corrected("C1")
@given_batches(problem=positive_systems())
def test_every_iterate_is_gradient_ascent_on_the_dual(problem):
    eta = step_below(problem, problem.w0)
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
    eta, X, y = step_below(problem, problem.w0), problem.X, problem.y
    # when   one step at the drawn time
    here, there = (mirror_descent(ENTROPY, X, y, problem.w0, eta, problem.t + after) for after in (0, 1))
    approach = relative_entropy(here.w, problem.w_p - here.w) - relative_entropy(there.w, problem.w_p - there.w)
    # then   (1 - step/2) eta |r_t|^2 <= KL(w_p || w_t) - KL(w_p || w_{t+1}) <= eta |r_t|^2
    rise = eta * norm(np.matvec(X, here.w) - y, axis=-1) ** 2
    rounding = relative_entropy_rounding(problem.w_p, here.w) + relative_entropy_rounding(problem.w_p, there.w)
    rounding += (norm(problem.w_p - here.w, axis=-1) + norm(y, axis=-1)) * one_step_rounding(problem, there)
    assert_within(promised(problem.step, rise), approach, rise, slack=rounding, why="approach", instance=problem)


@corrected("C3")
def test_the_lower_bound_on_the_approach_is_nearly_attained():
    # given  X = [1, 0], w_p = (2^-40, 2^-40) and w_0 = (1, 2^-40): Lambda is nearly the curvature 1 at the start
    X, y, w_p = np.array([[1.0, 0]]), np.array([2.0**-40]), np.full(2, 2.0**-40)
    start, design = np.array([1.0, 2.0**-40]), vars(measured(X, y))
    eta = 1 / curvature_bound(PositiveSystem(**design, w_p=w_p, mu=np.zeros(1), exponent=0), start)
    # when
    run = mirror_descent(ENTROPY, X, y, start, eta, 1)
    # then   with theta = 1 half of eta |r|^2 is promised, and 1 - 1/e of it is gained
    gained = relative_entropy(start, w_p - start) - relative_entropy(run.w, w_p - run.w)
    least = promised(1, eta * (1 - y[0]) ** 2)
    assert_within(least, gained, 3 / 2 * least, why="approach")


@st.composite
def wide_positive_systems(draw):
    """Systems with w_p and w_0 from 2^-20 to 2^20, integer rows of scale 2^k, |k| in {0, 20, 100}, and any spectrum.

    The start lies on any side of w_p, a million times beyond it or below. Shrinks to X = [[1, 0]], w_p = w_0 = (1, 1).
    """
    tape = draw(tapes(2 + 2 + 8 + 5 + 5 + 2))
    n, scale = 1 + tape.below(2), 2.0 ** tape.choice((0, 20, -20, 100, -100))
    p = n + 1 + tape.below(2)
    X = scale * np.hstack([np.eye(n) + np.triu(tape.integers((n, n), 3), 1), tape.integers((n, p - n), 3)])
    w_p, w0 = (2.0 ** tape.integers(p, 20) for _ in range(2))
    design = vars(measured(X, X @ w_p)) | {"w0": w0, "step": tape.choice(STEPS), "t": tape.choice((0, 5))}
    return PositiveSystem(**design, w_p=w_p, mu=np.zeros(n), exponent=0)


@pytest.mark.slow
@corrected("C3")
@given(problem=wide_positive_systems())
def test_from_starts_of_wide_range_each_step_approaches_the_positive_interpolant(problem):
    # given  H4, and up to five steps already taken
    eta = step_below(problem, problem.w0)
    before, after = (mirror_descent(ENTROPY, problem.X, problem.y, problem.w0, eta, problem.t + k) for k in (0, 1))
    approach = relative_entropy(before.w, problem.w_p - before.w) - relative_entropy(after.w, problem.w_p - after.w)
    # then
    rise = eta * norm(problem.X @ before.w - problem.y) ** 2
    rounding = sum(relative_entropy_rounding(problem.w_p, run.w) for run in (before, after))
    scale = norm(problem.w_p - before.w) + np.sqrt(rise)
    rounding += (1 + problem.condition) * scale * one_step_rounding(problem, after) * (1 + problem.t)
    assert_within(promised(problem.step, rise), approach, rise, slack=rounding, why="approach", instance=problem)


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
    allowed = [(k(u) - k(w)) / span for k, u, w, span in zip(K, lightest, limits, spans, strict=True)]
    # then   93 % of what is allowed
    excess = [w.sum() - u.sum() for u, w in zip(lightest, limits, strict=True)]
    slack = 2.0**-20 * 64 * UNIT_ROUNDOFF
    assert_within(np.array(allowed) / 2, excess, allowed, slack=slack, why="excess of mass")


@corrected("C6")
def test_the_bound_on_the_null_part_is_nearly_attained():
    # given  x = (4, 1, ..., 1) with 48 ones, and beta = 1000: w = beta sinh(nu x) with nu = 1/1000
    x, beta = np.append(4.0, np.ones(48)), 1000.0
    w = beta * np.sinh(x / beta)
    # when   null(X) is what is orthogonal to x
    null_part, bound = norm(w - (w @ x) / (x @ x) * x), norm(w**3) / (6 * beta**2)
    # then   80 % of what is allowed
    rounding = 64 * len(x) * UNIT_ROUNDOFF * norm(w)
    assert_within(bound / 2, null_part, bound, slack=rounding, why="null part of the limit")


@st.composite
def disjoint_blocks(draw):
    """Rows c_i on disjoint blocks of coordinates: the flow is logistic in each. Shrinks to X = [[1]], w_0 = y = 1."""
    small = st.integers(1, 3)
    blocks = draw(st.lists(st.tuples(small, small, st.integers(-2, 2)), min_size=1, max_size=3))
    columns = sum(size for size, _, _ in blocks)
    w0 = 2.0 ** np.array(draw(st.lists(st.integers(-2, 2), min_size=columns, max_size=columns)))
    block = np.repeat(np.arange(len(blocks)), [size for size, _, _ in blocks])
    c = np.array([rate for _, rate, _ in blocks], float)
    X = np.where(block == np.arange(len(blocks))[:, None], c[:, None], 0)
    return X, c, block, w0, 2.0 ** np.array([exponent for _, _, exponent in blocks])


def ahead_of_the_logistic_curve(w, w0, c, block, initial, final, T):
    """How far ln w is ahead, towards the limit, of ln of S(T) = S*/(1 + (S*/S_0 - 1) exp(-c^2 S* T)), less ln w_0."""
    curve = final / (1 + (final / initial - 1) * np.exp(-(c**2) * final * T))
    return (np.log(w / w0) - np.log(curve / initial)[block]) * np.sign(final - initial)[block]


def most_ahead(eta, c, initial, final):
    """The bound of C4, for each block."""
    return 2 / 3 * eta * c**2 * np.abs(final - initial)


@corrected("C4")
@given(problem=disjoint_blocks(), step=st.sampled_from([1.0, 1 / 4, 1 / 16]), t=st.integers(0, 100))
def test_on_disjoint_blocks_the_iterates_run_ahead_of_the_logistic_curve_by_at_most_a_step(problem, step, t):
    # given  block i has mass S_0, and S* = y_i/c_i at the limit; eta c^2 S <= 1, so that Euler's method is monotone
    X, c, block, w0, final = problem
    initial = (X / c[:, None]) @ w0
    eta = step / (c**2 * np.maximum(initial, final)).max()
    # when
    run = mirror_descent(ENTROPY, X, c * final, w0, eta, t)
    # then   one step of Euler errs by eta times the change of the slope (ln S)' on the way, times the mean of 1 - s
    #        over that change, s in [0, 1] being the time in steps. The change has a density whose logarithm falls by
    #        2 at most, so that the mean is at most 0.66. Errors have one sign, and steps do not expand them
    ahead = ahead_of_the_logistic_curve(run.w, w0, c, block, initial, final, eta * t)
    limit = most_ahead(eta, c, initial, final)[block]
    slack = (1 + t) * 64 * len(w0) * UNIT_ROUNDOFF  # eta c^2 S <= 1 and |ln w| < 8 in one step's rounding
    assert_within(0, ahead, limit, slack=slack, why="descent against flow", instance=(X, w0, t))


@corrected("C4")
def test_just_below_the_limit_one_step_is_ahead_by_more_than_half_of_what_is_allowed():
    # given  X = [1], y = 1, w_0 = 15/16 and eta = 1: 1/e of the way is what the flow has left, and descent nothing
    w0, one, block = np.array([15 / 16]), np.ones(1), np.zeros(1, int)
    run = mirror_descent(ENTROPY, np.ones((1, 1)), one, w0, 1.0, 1)
    # then
    ahead, limit = ahead_of_the_logistic_curve(run.w, w0, one, block, w0, one, 1.0), most_ahead(1, one, w0, one)
    assert_within(limit / 2, ahead, limit, why="descent against flow")


def lightest_interpolant(problem):
    """HiGHS's w >= 0 (B, p) of least mass with Xw = y, a lower bound (B,) on that mass, and the bound's |nu|.

    The batch is one block-diagonal linear program. The bound is re-derived from its multipliers: <nu, y>/m for the
    least m >= 1 with X'nu <= m.
    """
    rows = scipy.sparse.block_diag(list(problem.X), format="csr")
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
    upper = u.sum(-1) + (K[0] - K[1]) / span
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
    gap = norm(np.matvec(problem.X, run.w) - y, axis=-1) + 64 * problem.columns * UNIT_ROUNDOFF * S
    gap *= norm(multiplier(problem, run.shift) - problem.mu, axis=-1) + 64 * problem.columns * UNIT_ROUNDOFF
    defect = (1 + run.steps) * 64 * problem.columns * UNIT_ROUNDOFF * (1 + run.largest)  # rounding alone leaves row(X)
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
    upper = l1_norm(u) + (K[0] - K[1]) / span
    assert_within(least, norm_of_limit, upper, slack=slack, why="l1 norm of the limit", instance=problem)


@corrected("C6")
@given_batches(problem=positive_systems())
def test_as_beta_grows_the_signed_limit_approaches_the_least_l2_norm(problem):
    beta = 2.0**problem.exponent
    # when   from zero
    w = run_to_convergence(problem, np.zeros_like(problem.w_p), hyperbolic_entropy(beta)).w
    # then   w - beta X'nu = beta (sinh - id)(X'nu), and |sinh x - x| <= x^2 |sinh x|/6 with x = asinh(w/beta)
    null_part = norm(problem.in_null_space(w), axis=-1)
    rounding = 64 * problem.columns * UNIT_ROUNDOFF * (1 + problem.condition) * norm(w, axis=-1)
    bound = norm(w**3, axis=-1) / (6 * beta**2) + rounding
    assert_at_most(null_part, bound, why="distance to the least norm", instance=problem)


def entropy_power(w, k):
    """Exp(k H(w)) = prod w_j^(-k w_j), exact: w in fractions, every k w_j an integer."""
    return prod(1 / weight ** int(k * weight) for weight in w)


@counterexample
def test_from_one_the_limit_one_half_one_quarter_has_less_entropy_than_one_third_one_third():
    # given  X = [1, 2], y = 1, w_0 = (1, 1); w_t = (e^nu, e^2nu), so w_2 = w_1^2 at every time
    limit, other = (Fraction(1, 2), Fraction(1, 4)), (Fraction(1, 3), Fraction(1, 3))
    # when   the only interpolant with w_2 = w_1^2 and w > 0 is (1/2, 1/4)
    assert_identical(limit[1], limit[0] ** 2, why="w_2 = w_1^2")
    assert_identical([w[0] + 2 * w[1] for w in (limit, other)], [1, 1], why="Xw = y")
    # then
    value, bound = entropy_power(other, 12), entropy_power(limit, 12)
    reads = "e^12H = {value} at the interpolant (1/3, 1/3) > {limit} at the limit (1/2, 1/4)"
    assert_violates(value, bound, reads=reads, X=[[1, 2]], y=[1], w0=[1, 1])


@counterexample
def test_mirror_descent_does_run_from_one_to_one_half_one_quarter():
    X, y, start = np.array([[1.0, 2]]), np.array([1.0]), np.ones(2)
    # when
    run = mirror_descent_to_residual(ENTROPY, X, y, start, CONVERGED)
    # then   w_2 = w_1^2 and w_1 + 2 w_1^2 = 1 + r give |w_1 - 1/2| <= |r|/2 and |w_2 - 1/4| <= |r|/2
    rounding = 8 * (2 + run.steps) * UNIT_ROUNDOFF
    assert_at_most(abs(run.w[1] - run.w[0] ** 2), rounding, why="w_2 = w_1^2 along the run")
    assert_at_most(np.abs(run.w - [1 / 2, 1 / 4]).max(), CONVERGED / 2 + rounding, why="the run ends at (1/2, 1/4)")


def entropies(problem):
    """H of the interpolant of most entropy and of the limit from w_0, and how far moving to an interpolant moves both.

    A point moves by at most |Xw - y|/s_n, and H by |1 + ln w| times that, doubled for the second order.
    """
    limit = run_to_convergence(problem, problem.w0).w
    best = nearest_in_relative_entropy(problem.X, problem.y, start_of_most_entropy(problem))
    slopes = [norm(1 + np.log(w)) * residual_with_rounding(problem, w) for w in (best, limit)]
    return entropy(best), entropy(limit), 2 * sum(slopes) / problem.sigma_min


def limit_has_less_entropy(problem):
    """Whether the entropies differ by more than their slack."""
    best, limit, slack = entropies(problem)
    return best > limit + slack


@counterexample
def test_a_search_finds_a_start_whose_limit_has_less_entropy_than_another_interpolant():
    # when
    found = smallest_violation(positive_systems(), limit_has_less_entropy)
    # then   the simplest: a coordinate that no row sees keeps its start
    best, limit, slack = entropies(found)
    reads = "entropy {value} of an interpolant > {limit} of the limit"
    assert_violates(best, limit, slack=slack, reads=reads, X=found.X, y=found.y, w0=found.w0)


@necessity("H1")
def test_without_H1_gradient_descent_finds_an_interpolant_of_less_entropy():
    # given  X = [1, 2], y = 10, w_p = (2, 4), the start 1/e and a step below 2/Lambda
    X, y, start, w_p = np.array([[1.0, 2]]), np.array([10.0]), np.full(2, np.exp(-1)), np.array([2.0, 4])
    Lambda = 5 * (np.sqrt(6) + np.sqrt(relative_entropy(start, w_p - start))) ** 2
    eta = 1.9 / Lambda
    assert_keeps(H2=X @ w_p == y, H3=np.abs(1 + np.log(start)) <= UNIT_ROUNDOFF, H4=eta < 2 / Lambda)
    # when   the way to M shrinks by 1 - 5 eta < 0.94 a step; 1 + ln w is along (1, 2) at the most entropy, (q, q^2)/e
    run = gradient_descent(X, y, start, eta, 700)
    q = (np.sqrt(1 + 80 * np.e) - 1) / 4
    best = np.array([q, q**2]) / np.e
    assert_at_most(np.abs(X @ np.array([run.w, best]).T - y).max(), 700 * 64 * UNIT_ROUNDOFF, why="both interpolate")
    # then   -6.74 against -7.01
    reads, slack = "entropy {value} of an interpolant > {limit} of the limit of gradient descent", 2.0**-30
    assert_violates(entropy(best), entropy(run.w), slack=slack, reads=reads, X=X, y=y, w0="1/e")


@necessity("H2")
@given(x=st.lists(st.integers(1, 3), min_size=1, max_size=4), y=st.integers(-4, -1), t=st.integers(0, 60))
def test_without_H2_a_target_that_no_positive_point_attains_is_never_interpolated(x, y, t):
    # given  a positive row and a negative target; the start 1/e of H3
    x, start, eta = np.array(x, float), np.full(len(x), np.exp(-1)), 1 / 8
    # given  w only falls, so that the curvature x'diag(w)x is largest at the start
    assert_keeps(H1=True, H3=np.abs(1 + np.log(start)) <= UNIT_ROUNDOFF, H4=eta * (x**2 @ start) < 2)
    # when
    run = mirror_descent(ENTROPY, x[None], np.array([float(y)]), start, eta, t)
    # then   |y| <= residual, and the gradient is at least x_j |y|: w_j <= exp(-1 - eta x_j |y| t)
    beyond = (x * np.exp(eta * x * y * t - 1)).sum()
    slack = 8 * (1 + t) * (1 + eta * x.max() * (-y + x.sum())) * len(x) * UNIT_ROUNDOFF * (x.sum() - y)
    assert_within(-y, (x @ run.w) - y, beyond - y, slack=slack, why="the residual stays", instance=(x, y, t))


@corrected("C7")
@given(start=st.integers(-2, 2), step=st.sampled_from([1.0, 0.5, 0.01]), t=st.integers(0, 100))
def test_without_a_strictly_positive_interpolant_convergence_is_no_faster_than_one_over_t(start, step, t):
    # given  X = [1], y = 0: the only interpolant is w = 0, on the boundary
    w0, eta, X = 2.0**start, step / 2.0**start, np.ones((1, 1))
    # when   w_{t+1} = w_t exp(-eta w_t)
    run = mirror_descent(ENTROPY, X, np.zeros(1), np.array([w0]), eta, t)
    # then   1/w_t + eta <= 1/w_{t+1} <= 1/w_t + eta (e^step - 1)/step
    slack = 32 * (1 + t) * (1 + np.log1p(t)) * UNIT_ROUNDOFF / run.w[0]
    slowest, fastest = 1 / w0 + eta * t, 1 / w0 + eta * t * np.expm1(step) / step
    assert_within(slowest, 1 / run.w[0], fastest, slack=slack, why="1/w_t grows linearly", instance=(w0, eta, t))


@necessity("H3")
@given_batches(problem=positive_systems())
def test_without_H3_the_slope_of_the_entropy_along_the_interpolants_never_changes(problem):
    eta, miss = step_below(problem, problem.w0), norm(np.matvec(problem.X, problem.w_p) - problem.y, axis=-1)
    fits = miss <= 8 * problem.columns * UNIT_ROUNDOFF * norm(problem.w_p, axis=-1)
    assert_keeps(H1=True, H2=fits, H4=eta * curvature_bound(problem, problem.w0) < 2)
    # when   at the drawn time, from any start
    run = mirror_descent(ENTROPY, problem.X, problem.y, problem.w0, eta, problem.t)
    # then   the null part of 1 + ln w_t is that of 1 + ln w_0; at a maximum in the interior it would be zero
    support = (problem.w_p > 0).astype(float)
    before = problem.in_null_space(support + logarithm(problem.w0))
    after = problem.in_null_space(support + logarithm(run.w))
    rounding = trajectory_rounding(problem, run)
    assert_at_most(norm(after - before, axis=-1), rounding, why="null part of the entropy's slope", instance=problem)


@corrected("C2")
@given_batches(problem=positive_systems())
def test_the_limit_misses_the_most_entropy_by_its_divergence_from_it(problem):
    w = run_to_convergence(problem, problem.w0).w
    best = nearest_in_relative_entropy(problem.X, problem.y, start_of_most_entropy(problem))
    # then   H(w*) - H(w) = KL(w || w*) = KL of the limit from the maximum, zero only if they agree
    change, slope = w - best, norm(null_part_of_log(problem, best, start_of_most_entropy(problem)), axis=-1)
    miss = residual_with_rounding(problem, w) + residual_with_rounding(problem, best)
    nu = multiplier(problem, np.where(best > 0, 1 + logarithm(best), 0))
    slack = norm(nu, axis=-1) * miss + norm(change, axis=-1) * (slope + 4 * problem.construction * norm(best, axis=-1))
    slack += 2 * relative_entropy_rounding(w, best)
    gap, deficit = relative_entropy(best, change), entropy(best) - entropy(w)
    assert_within(gap, deficit, gap, slack=slack, why="what the start costs in entropy", instance=problem)


@necessity("H4")
@given_batches(problem=positive_systems())
def test_without_H4_a_step_beyond_twice_the_inverse_curvature_is_repelled_by_the_limit(problem):
    # given  the interpolant w = exp(X'mu - 1), which has the most entropy, and the start w exp(-X'nu) with
    #        nu = epsilon v, v the top eigenvector of A = X diag(w) X'
    w = problem.entropic_start
    curvature, vectors = np.linalg.eigh((problem.X * w[:, None, :]) @ problem.X.mT)
    top, v, epsilon = curvature[:, -1], vectors[:, :, -1], 2.0**-20
    start = w * np.exp(-epsilon * np.vecmat(v, problem.X))
    off = norm(problem.in_null_space(np.where(w > 0, 1 + logarithm(start), 0)), axis=-1)
    rounding = 8 * problem.construction * (1 + norm(problem.mu, axis=-1)) + 8 * problem.columns * UNIT_ROUNDOFF
    assert_keeps(H1=True, H2=(w > 0) == (problem.w_p > 0), H3=off <= rounding)
    # when   one step of 2.2/lambda_max(A)
    run = mirror_descent(ENTROPY, problem.X, np.matvec(problem.X, w), start, 2.2 / top, 1)
    grown = norm(multiplier(problem, run.shift) - epsilon * v, axis=-1)
    # then   the error of nu is multiplied by 2.2 - 1, up to the third derivative of D, s_1^3 max w_p e^epsilon
    third = 1.1 / top * problem.sigma_max**3 * w.max(-1) * np.exp(epsilon) * epsilon**2
    hidden = 64 * problem.columns * UNIT_ROUNDOFF * (1 + w.sum(-1) / top) * problem.condition
    exact = 1.2 * epsilon
    assert_within(exact, grown, exact, slack=third + hidden, why="the limit repels", instance=problem)


@necessity("H4")
def test_without_H4_a_step_that_is_safe_for_gradient_descent_leaves_mirror_descent_at_zero():
    # given  X = [1, 1], y = 8, w_0 = 1 and eta = 0.95 < 2/lambda_max(XX') = 1
    X, y, eta, t = np.ones((1, 2)), np.array([8.0]), 0.95, 60
    assert_keeps(H1=True, H2=y == X @ [4, 4], H3=X[0] == np.ones(2))
    # when   ln w: 0, 5.7, then 5.7 - 0.95 (2 e^5.7 - 8) = -554, from where a step adds at most 0.95 * 8 = 7.6
    run = mirror_descent(ENTROPY, X, y, np.ones(2), eta, t)
    euclidean = gradient_descent(X, y, np.ones(2), eta, 200)
    # then
    highest = 2 * np.exp(5.7 - eta * (2 * np.exp(5.7) - 8) + 7.6 * (t - 2))
    assert_at_most(8 - highest, 8 - X[0] @ run.w, why="the residual at t = 60 is the whole target")
    assert_at_most(abs(8 - X[0] @ euclidean.w), 6 * 0.9**200 + 200 * UNIT_ROUNDOFF * 8, why="gradient descent arrives")
