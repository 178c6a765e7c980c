r"""Theorem 7.1 - a small initialization learns features and a large one is lazy, not the other way round.

Section     7.1
Printed     $\theta^*(\alpha) = \arg\min_\theta R(\theta)\ \text{s.t.}\ L(\theta) = 0$, R depending on the
            initialization scale $\alpha$: small $\alpha$ is biased toward the kernel regime with minimal feature
            learning, large $\alpha$ learns features more strongly
Reading     (a) R depends on the network and alpha, as printed, and so not on the data, which L carries; $\theta^*$ is
            its only minimizer: with $R = \|\theta - \theta^*\|^2$, or a constant, the print says nothing. (b) Feature
            learning is the relative change of the tangent kernel from the start to the limit, on which the print sets
            L = 0, and $\alpha \le \alpha'$ gives no more of it; the kernel regime's own limit is the interpolant of
            least $\ell_2$ norm
Readings    (b) [movement of the parameters] feature learning is $\|\theta_T - \theta_0\|$, by which section 6.1
            characterizes its regime, and the larger scale has more of it - refuted
Setting     $p \ge n$ columns. Of the clauses: $L = \frac12 \|Xw - y\|^2$, y != 0;
            $K = D^2 X \operatorname{diag}(u^{2D-2} + v^{2D-2}) X^\top$, q the relative growth of a weight of K;
            $m = X^+ y$, M the least $\ell_1$ norm of an interpolant; z the row(X)-vector with w = to_primal(z)
Hypotheses  (H1) u_0 = v_0.  (H2) one alpha for all coordinates.  (H3) some w solves Xw = y.  (H4) u and v are moved at
            one rate.  (H5) gradient flow.  (H6) the network is diagonal, $w = u^D - v^D$ entrywise, u_0, v_0 > 0
Parts       (a) there is an R whose minimizer is the limit - holds under added hypotheses
            (b) small alpha is the kernel regime, large alpha learns features - refuted
Corrected   (C1) (a) Under H1 to H6, u and v are functions of w on the whole way, by one dual vector: $z = Q'(w)$ is in
            row(X), with $Q'$ the inverse of $2\alpha^2 \sinh$ for D = 2 and of
            $\alpha^D ((1-z)^{-D/(D-2)} - (1+z)^{-D/(D-2)})$ above. So $R = Q(w)$ together with that constraint.
            (C2) (a) Descent at D = 2 from u = v = alpha with $|a_t| < 1$, $a_t = 2\eta X^\top r_t$, keeps
            $uv = \alpha^2 \prod_t (1 - a_t^2)$; where it interpolates in the limit, this is within $S \|e\|$ of the
            minimizer of Q for these scales, $e_i = 2 \sum_t (\operatorname{artanh} |a_{t,i}| - |a_{t,i}|)$ and S the
            largest $1/Q''$ up to either. It need not be that minimizer.
            (C3) (b) Under H1 to H6, as C4 to C6, which are about the limit too: $G = \|\theta_\infty\|^2/\|\theta_0\|^2
            - 1$, for D = 2 the mean of q, falls strictly as alpha grows.
            (C4) (b) G lies between $M^{2/D}/(2 p \alpha^2) - 1$, for D = 2 even
            $(1 + (M/2p\alpha^2)^2)^{1/2} - 1$, and $\|m\|^2/(4 D p \alpha^{2D})$.
            (C5) (b) $\|w - m\| \le \|w\| (\rho - 1)/(\rho + 1)$ with rho the largest $w_i Q''(0)/z_i$, at most
            $1 + \max q$; and $\max q \le \cosh((D - 1) \operatorname{arcosh}(1 + \|m\|^2/(4 D \alpha^{2D}))) - 1$, so
            that $w \to m$ as alpha grows.
            (C6) (b) $\|w\|_1 - M \le \alpha^{D-2} p^{1-2/D} \|w\|_1^{2/D}$ for D > 2, and for D = 2 and $M > p\alpha^2$
            $\|w\|_1/M - 1 \le \ln(p + p \alpha^2/\|w\|_1)/\ln(\|w\|_1/p\alpha^2)$: as alpha vanishes $\|w\|_1 \to M$
Differs     (b) The order of the two regimes is the reverse of the printed one
Idea        (a) $\frac{d}{dt} u^{2-D}$ is a combination of rows of X, the opposite one for v: the dual point nu is
            gradient flow on the strictly convex dual of Q, with the rate $2 D^2 \alpha^{2D-2} s_n^2$ at least. A ReLU
            neuron has no R: a rescaled input moves the limit and leaves {L = 0} as it is. (b) With
            $X h(X^\top \nu) = s y$, $s = \alpha^{-D}$, G changes by $s\, y^\top (X h' X^\top)^{-1} y\, ds > 0$; bounds
            come from $Q^* \le Q$, from Jensen's inequality, and from $\langle z, w \rangle = \langle z, u \rangle$ for
            all interpolants u
Source      Woodworth, Gunasekar, Lee, Moroshko, Savarese, Golan, Soudry, Srebro (2020), Kernel and Rich Regimes in
            Overparametrized Models, COLT; Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming,
            NeurIPS; Vardi, Shamir (2021), Implicit Regularization in ReLU Networks with the Square Loss, COLT (no R for
            one neuron; our witness is simpler). The bounds are proved here
Tolerance   The minimizer by Newton's method on the dual, certified by its own duality gap (properties.
            hyperbolic_entropy); least l1 norms by HiGHS with the dual checked again. Flows by the error estimate of two
            tolerances, within horizons known beforehand; descent until a residual, with its invariants summed
Findings    What falls as alpha grows, whatever the data, is the relative growth of the parameters. Nothing is
            claimed here of a single weight of the kernel. On X = [1, 2], y = 1 the change of the kernel was below 1e-9
            at alpha = 100 and above 49,999 at alpha = 1/1000
Expected    refuted
"""

from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.diagonal import descend_to_residual, diagonal_flow, diagonal_step
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.models.diagonal import DiagonalNetwork, uniform
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import from_zero, measured, regressions
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
    record_series,
)
from properties.divergences import multiplier, residual_with_rounding
from properties.hyperbolic_entropy import DiagonalPotential, minimize
from properties.oracles import least_l1_norm
from properties.search import smallest_violation
from properties.sparsity import dual_value, l1_norm
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

CONVERGED = 1e-6
"""The share of |y| down to which residuals go."""
SOLVED = 1e-5
"""The share of its norm within which the minimizer of Q must be known."""
DEPTHS = (2, 3, 4)
SMALL = {2: (1e-1, 1e-2, 1e-3, 1e-4, 1e-5), 3: (1e-1, 3e-2, 1e-2, 3e-3, 1e-3), 4: (1e-1, 6e-2, 4e-2, 2e-2, 1e-2)}
"""Scales alpha by depth, down to where the dual is solved in double precision."""
LARGE = (0.5, 1.0, 3.0, 10.0, 100.0)
PICTURE = np.array([[1.0, 2, 0, -1, 1], [0, 1, 2, 1, -1]]), np.array([1.0, -2])

designs = regressions(max_rows=3, max_excess=3).map(gently_conditioned)
problems = designs.map(from_zero)


def pick(problem, values):
    """One of these scales for each instance, (B,)."""
    return np.array(values)[problem.t % len(values)]


def least_norm(problem):
    """The interpolant m = X^+ y of least l2 norm, (B, p)."""
    return np.matvec(problem.V, problem.divide_by_s(problem.modes(problem.y)))


def start_of_the_flow(problem, depth):
    """The start alpha in {0.6, 1, 2} times |m|^{1/D}, and the pace at which the tangent kernel is of order 1."""
    size = norm(least_norm(problem), axis=-1)
    alpha = pick(problem, (0.6, 1.0, 2.0)) * size ** (1 / depth)
    pace = 1 / (depth**2 * np.maximum(size ** (2 - 2 / depth), 2 * alpha ** (2 * depth - 2)))
    return alpha, uniform(alpha, problem.w0, depth), pace


def solved(potential, problem):
    """The minimizer of Q over {Xw = y}, with an error unless it is certified to be near."""
    best = minimize(potential, problem)
    assert_at_most(best.radius, SOLVED * norm(best.w, axis=-1), why="the dual is solved", instance=problem)
    return best


def dual_rounding(problem, z):
    """How far a computed z = X'nu, (..., B), may be off."""
    return 64 * problem.columns * UNIT_ROUNDOFF * (1 + norm(z, axis=-1))


def slack_in_dual(network, alpha, error):
    """How far z = X'nu, (..., B), may be off when the factors are off by `error`: twice its derivative in u and v."""
    k, least = network.depth - 2, np.minimum(network.u, network.v)
    return 2 * error * (np.maximum(k, 1) * alpha[:, None] ** k / least ** (k + 1)).max(-1)


def assert_ends_at_the_minimizer(problem, potential, network, defect):
    """|w - w*| <= S (e + sqrt(e^2 + 4 |r| |nu - nu*| / S)) / 2 for a w whose z is in row(X) up to e = `defect`, (B,).

    As |w - w*|^2 / S <= <w - w*, z - z*> = <r, nu - nu*> + <w - w*, null part of z>, S the largest 1/Q'' up to either.
    """
    w, best = network.w, solved(potential, problem)
    nu = multiplier(problem, potential.to_dual(network.u, network.v) - best.z)
    _, S = potential.slope_between(np.maximum(np.abs(w), np.abs(best.w)) + best.radius[:, None])
    S, r = S.max(-1), residual_with_rounding(problem, w)
    assert_at_most(r, 2 * CONVERGED * norm(problem.y, axis=-1), why="the run has converged", instance=problem)
    e = defect + dual_rounding(problem, best.z)
    bound = S * (e + np.sqrt(e**2 + 4 * r * norm(nu, axis=-1) / S)) / 2 + best.radius
    assert_at_most(norm(w - best.w, axis=-1), bound, why="distance to the minimizer of Q", instance=problem)


def relu_step(X, theta, eta):
    """One exact step on (1/2) sum max(0, theta.x_i)^2: a ReLU neuron whose targets are zero."""
    return theta - eta * (np.maximum(X @ theta, 0) @ X)


def relu_path(X, theta, eta, steps):
    """The states after 0, 1, ..., `steps` exact steps, (steps + 1, d)."""
    return np.array(list(accumulate(range(steps), lambda at, _: relu_step(X, at, eta), initial=theta)))


@counterexample(part="(a)")
def test_two_data_sets_with_the_same_interpolants_lead_one_neuron_to_two_limits():
    # given  a ReLU neuron in R^2, x = (1, 0) and (1, 1), targets 0, from (4, -2); and the same with (2, 2)
    few, more, start, eta = fractions([[1, 0], [1, 1]]), fractions([[1, 0], [2, 2]]), fractions([4, -2]), Fraction(1, 2)
    assert_identical(more, few * fractions([[1], [2]]), why="multiples by 1 and 2: one set {L = 0}, n = p = 2")
    # when   after one step only x_1 is active: theta_1 is halved, theta_2 rests; the other is in {L = 0} at once
    halved, once = relu_path(few, start, eta, 3), relu_path(more, start, eta, 1)[1]
    assert_identical(halved[1:], fractions([[1, -3], ["1/2", -3], ["1/4", -3]]), why="theta_2 rests")
    assert_identical([once, np.maximum(more @ once, 0)], fractions([[-2, -6], [0, 0]]), why="one step, and L = 0")
    # then   the same R would have (0, -3) for its only minimizer on that set, and (-2, -6)
    reads = "theta_2 = {value} > {limit} in two limits over one set"
    assert_violates(halved[1, 1], once[1], reads=reads, x=few, rescaled=more, start=start, eta=eta)


@counterexample(part="(a)")
@given(st.integers(1, 100), st.integers(4, 8))
def test_at_every_scale_and_every_step_the_rescaled_input_moves_the_limit(scale, k):
    # given  the start alpha (4, -2), alpha = scale/10, and a step 1/k
    few, alpha = fractions([[1, 0], [1, 1]]), Fraction(scale, 10)
    # when   by then x_2 is inactive in both and stays so, as theta_1 > 0 only falls: theta_2 rests
    ends = [relu_path(X, alpha * fractions([4, -2]), Fraction(1, k), 4)[-1] for X in (few, few * fractions([[1], [2]]))]
    assert_at_most([end.sum() for end in ends], 0, why="x_2 is inactive")
    assert_at_most(0, min(end[0] for end in ends), why="x_1 is not")
    # then
    assert_at_most(alpha / 2, ends[0][1] - ends[1][1], why="theta_2 in the two limits")


@counterexample(part="(a)")
def test_hypothesis_finds_a_neuron_with_two_limits():
    def limits_apart(start):
        # given  the inputs above, and a step of 1/6 after which x_2 is inactive for good: theta_2 rests
        (few, slow), (more, fast) = (
            (theta - s / 6 - k * k * x / 6, other - k * k * x / 6)
            for k in (1, 2)
            for theta, other in [start]
            for s, x in [(max(theta, 0), max(theta + other, 0))]
        )
        is_settled = few + slow <= 0 <= few and more + fast <= 0 <= more
        return abs(slow - fast) if is_settled else 0

    found = smallest_violation(st.tuples(*[st.integers(-9, 9).map(Fraction)] * 2), limits_apart)
    reads = "two limits over one set {{L = 0}} are {value} > {limit} apart in theta_2"
    assert_violates(limits_apart(found), 0, reads=reads, start=found, x=[[1, 0], [1, 1]], rescaled=[2, 2])


@corrected("C1", part="(a)")
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


@under_hypotheses("H1", "H2", "H3", "H4", "H5", "H6", part="(a)")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_the_flow_converges_to_the_minimizer_of_the_potential(depth, problem):
    alpha, start, pace = start_of_the_flow(problem, depth)
    # given  the horizon at which |r| has shrunk by CONVERGED: d|r|^2/dt <= -4 D^2 alpha^{2D-2} s_n^2 |r|^2
    rate = 2 * depth**2 * alpha ** (2 * depth - 2) * problem.sigma_min**2 * pace
    horizon, size = np.array([-np.log(CONVERGED) / rate.min()]), norm(problem.y, axis=-1)

    def left(state):
        r = np.matvec(problem.X, DiagonalNetwork(*state, depth).w) - problem.y
        return np.max(norm(r, axis=-1) / size) - CONVERGED

    # when   an error unless it is reached by then
    flow = diagonal_flow(problem.X, problem.y, start, horizon, until=left, rate=pace)
    network = DiagonalNetwork(*flow.states[-1], depth)
    # then
    potential = DiagonalPotential(depth, alpha[:, None])
    assert_ends_at_the_minimizer(problem, potential, network, slack_in_dual(network, alpha, flow.error[-1]))


@corrected("C1", part="(a)")
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
    rounding = 64 * problem.columns * UNIT_ROUNDOFF * (1 + root[..., 0]) ** 2 * norm(factors, axis=-1)
    assert_at_most(error.T, (flow.error[:, None] + rounding).T, why="u at two times", instance=problem)


@corrected("C2", part="(a)")
@given_batches(problem=problems)
def test_descent_ends_as_near_to_the_minimizer_for_the_scales_it_has_left_as_its_defect_says(problem):
    # given  a step of 0.4 over a bound on the kernel's size, so that |a_t| < 1
    alpha, start, _ = start_of_the_flow(problem, 2)
    eta = 0.1 / np.hypot(2 * norm(least_norm(problem), axis=-1), 2 * alpha**2)
    # when
    run = descend_to_residual(problem.X, problem.y, start, eta, CONVERGED * norm(problem.y, axis=-1))
    u, v = run.network.u, run.network.v
    # then   uv = alpha^2 prod (1 - a^2), and ln(u/v) - X'nu is within the sum of 2 (artanh|a| - |a|)
    rounding = (1 + run.steps) * 64 * problem.columns * UNIT_ROUNDOFF
    kept = np.log(u * v) - 2 * np.log(alpha[:, None]) + run.shrinkage
    assert_at_most(np.abs(kept).max(-1), rounding, why="ln uv", instance=problem)
    off = np.abs(np.log(u / v) - np.vecmat(run.nu, problem.X)) - run.defect
    assert_at_most(off.max(-1), rounding, why="ln(u/v) - X'nu beyond the defect", instance=problem)
    potential = DiagonalPotential(2, alpha[:, None] * np.exp(-run.shrinkage / 2))
    assert_ends_at_the_minimizer(problem, potential, run.network, norm(run.defect, axis=-1) + rounding)


@corrected("C2", part="(a)")
def test_one_step_within_the_hypotheses_ends_off_the_minimizer_for_the_scales_it_has_left():
    # given  X = [1, 2], y = 5, alpha = 1, eta = 1/40: a = -(1/4, 1/2)
    u, v = diagonal_step(fractions([[1, 2]]), fractions([5]), *fractions([[1, 1]] * 2), Fraction(1, 40))
    assert_identical([u**2 - v**2, u * v], fractions([[1, 2], ["15/16", "3/4"]]), why="w interpolates, and the scales")
    # then   at the minimizer z_2 = 2 z_1 for z = arsinh(w/2uv), so that s_2^2 = 4 s_1^2 (1 + s_1^2) for s = w/2uv
    s = (u**2 - v**2) / (2 * u * v)
    assert_at_most(4 * s[0] ** 2 * (1 + s[0] ** 2), s[1] ** 2 * Fraction(9, 10), why="s_2 is too large")


@corrected("C2", part="(a)")
def test_the_defect_is_nearly_all_of_the_distance_where_one_input_is_large_among_many():
    # given  X = [1, ..., 1, 3], 244 columns: the cubes of its entries are far from row(X)
    problem = stack([measured(np.array([[1.0] * 243 + [3.0]]), np.array([30.0]))])
    run = descend_to_residual(problem.X, problem.y, uniform(1.0, problem.w0), np.array([2e-4]), np.array([1e-12]))
    # when
    best = solved(DiagonalPotential(2, np.exp(-run.shrinkage / 2)), problem)
    slope = np.hypot(np.maximum(np.abs(run.network.w), np.abs(best.w)), 2 * np.exp(-run.shrinkage)).max()
    # then
    bound = slope * norm(run.defect)
    assert_within(bound / 2, norm(run.network.w - best.w), bound, why="the distance against S|e|")


def hand(q):
    """X = [1, 2], y = 46, exactly at z = (ln q, 2 ln q), D = 2: alpha^2, the limit w, and the relative change of K."""
    s = [(q**x - 1 / q**x) / 2 for x in (1, 2)]
    alpha_squared = 46 / (2 * s[0] + 4 * s[1])
    change = sum(x**2 * ((q**x + 1 / q**x) / 2 - 1) for x in (1, 2)) / 5
    return alpha_squared, [2 * alpha_squared * value for value in s], change


def moved(root):
    """The same for q = root^2: alpha^2, and |theta - theta_0|^2 with u = alpha (root, root^2) and v its inverse."""
    alpha_squared = hand(Fraction(root) ** 2)[0]
    return alpha_squared, alpha_squared * sum((Fraction(root) ** k - 1) ** 2 for k in (-2, -1, 1, 2))


@counterexample(part="(b)")
def test_the_kernel_changes_more_from_three_halves_than_from_a_larger_scale():
    # given  X = [1, 2], y = 46 and z = X' ln q, so that w = 2 alpha^2 sinh z is the minimizer of Q if Xw = y
    small, large = hand(Fraction(3)), hand(Fraction(16, 7))
    assert_identical([small[0], large[0]], [Fraction(3, 2) ** 2, Fraction(112, 57) ** 2], why="alpha^2")
    assert_identical([w[0] + 2 * w[1] for _, w, _ in (small, large)], [46, 46], why="Xw = y")
    # then   K/K_0 - 1 is larger from the smaller alpha
    reads = "kernel change {value} from alpha = 3/2 > {limit} from alpha = 112/57"
    assert_violates(small[2], large[2], reads=reads, X=[[1, 2]], y=[46])


@counterexample(part="(b)")
def test_the_smaller_scale_ends_farther_from_the_limit_of_the_kernel_regime():
    # given  m = X^+ y = 46 (1/5, 2/5)
    miss = [sum((hand(q)[1][i] - Fraction(46 * (i + 1), 5)) ** 2 for i in (0, 1)) for q in (3, Fraction(16, 7))]
    # then
    reads = "|w - X^+ y|^2 = {value} from alpha = 3/2 > {limit} from alpha = 112/57"
    assert_violates(*miss, reads=reads, X=[[1, 2]], y=[46])


@counterexample(part="(b)")
def test_hypothesis_finds_a_smaller_scale_that_changes_the_kernel_more():
    # given  two dual points q = e^nu, each of which belongs to one scale
    def alphas(pair):
        return [hand(Fraction(q))[0] for q in pair]

    def changes(pair):
        return [hand(Fraction(q))[2] for q in pair]

    found = smallest_violation(
        st.tuples(st.integers(2, 9), st.integers(2, 9)),
        lambda pair: alphas(pair)[0] < alphas(pair)[1] and changes(pair)[0] > changes(pair)[1],
    )
    (small, _, value), (large, _, limit) = (hand(Fraction(q)) for q in found)
    reads = "kernel change {value} from the smaller > {limit} from the larger"
    assert_violates(value, limit, reads=reads, X=[[1, 2]], y=[46], squared_scales=[small, large])


@counterexample(part="(b)", reading="movement of the parameters")
def test_the_parameters_move_farther_from_the_smaller_scale():
    (small, far), (large, near) = moved(3), moved(2)
    # then   alpha^2 = 1863/6920 and 368/285
    assert_at_most(small, large, why="the scales")
    reads = "|theta - theta_0|^2 = {value} from the smaller scale > {limit} from the larger"
    assert_violates(far, near, reads=reads, X=[[1, 2]], y=[46], squared_scales=[small, large])


@counterexample(part="(b)", reading="movement of the parameters")
def test_hypothesis_finds_a_smaller_scale_that_moves_the_parameters_farther():
    roots = st.tuples(st.integers(2, 9), st.integers(2, 9))
    found = smallest_violation(roots, lambda pair: all(np.subtract(moved(pair[0]), moved(pair[1])) * [-1, 1] > 0))
    (small, far), (large, near) = map(moved, found)
    reads = "|theta - theta_0|^2 = {value} from the smaller scale > {limit} from the larger"
    assert_violates(far, near, reads=reads, X=[[1, 2]], y=[46], squared_scales=[small, large])


@counterexample(part="(b)")
def test_the_flow_itself_learns_features_from_one_thousandth_and_none_from_one_hundred():
    # given  X = [1, 2], y = 1, twice
    problem, alpha = stack([measured(np.array([[1.0, 2.0]]), np.ones(1))] * 2), np.array([1e-3, 100.0])
    start = uniform(alpha, problem.w0)
    # when
    flow = diagonal_flow(problem.X, problem.y, start, np.array([30.0]), rate=1 / np.maximum(1, 2 * alpha**2))
    network = DiagonalNetwork(*flow.states[0])
    # then   each is where its potential wants it, nearly (0, 1/2) and (1/5, 2/5)
    potential = DiagonalPotential(2, alpha[:, None])
    assert_ends_at_the_minimizer(problem, potential, network, slack_in_dual(network, alpha, flow.error[0]))
    # and    K = 4 sum x^2 (u^2 + v^2), off by at most 8 sum x^2 (u + v) times the error of u and v, and rounding
    kernels = [net.kernel(problem.X)[:, 0, 0] for net in (start, network)]
    change = kernels[1] / kernels[0] - 1
    slack = 40 * flow.error[0] * (network.u + network.v).max(-1) / kernels[0] + 64 * UNIT_ROUNDOFF * (1 + change)
    # and    sum q, between sqrt(p^2 + (M/2 alpha^2)^2) - p and |m|^2/(8 alpha^4), has M = 1/2, |m|^2 = 1/5
    least, most = (0.25 / alpha[0] ** 2 - 2) / 5, 1 / (40 * alpha[1] ** 4)
    assert_at_most(least, change[0] + slack[0], why="what it changes at least, from 1/1000")
    assert_at_most(change[1], most + slack[1], why="what it changes at most, from 100")
    reads = "kernel change {value} from 1/1000 > {limit} from 100"
    assert_violates(change[0], change[1], slack=slack.sum(), reads=reads, X=[[1, 2]], y=[1])


@corrected("C4", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_the_growth_of_the_parameters_lies_between_two_powers_of_alpha(depth, problem):
    alpha, nu = pick(problem, SMALL[depth] + LARGE), least_l1_norm(problem.X, problem.y)[1]
    # when   p times |theta|^2/|theta_0|^2 - 1, at the minimizer of Q
    potential = DiagonalPotential(depth, alpha[:, None])
    best, p = solved(potential, problem), problem.columns
    growth = potential.growth(best.z).sum(-1)
    # then   the computed z is exact for data that are off by `miss`, as an interpolant
    M = dual_value(problem.X, problem.y, nu) - np.sqrt(p) * best.miss
    m = norm(least_norm(problem), axis=-1) + best.miss
    lower, upper = bounds_on_growth(depth, alpha, p, M, m)
    rounding = dual_rounding(problem, best.z) * growth
    assert_within(p * lower, growth, p * upper, slack=rounding, why="growth of the parameters", instance=problem)


def bounds_on_growth(depth, alpha, p, M, m):
    """The bounds of C4 on G, for M = min |w|_1 and m = min |w|_2, without cancellation at depth 2."""
    t = M / (2 * p * alpha**2)
    lower = t**2 / (1 + np.hypot(1, t)) if depth == 2 else M ** (2 / depth) / (2 * p * alpha**2) - 1
    return lower, m**2 / (4 * depth * p * alpha ** (2 * depth))


@corrected("C4", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
def test_both_powers_of_alpha_are_reached_at_the_two_ends(depth):
    # given  X = [1, 2], y = 1, so that M = 1/2 and |m|^2 = 1/5
    problem, scales = measured(np.array([[1.0, 2.0]]), np.ones(1)), (SMALL[depth][-1], LARGE[-1])
    potentials = [DiagonalPotential(depth, alpha) for alpha in scales]
    small, large = (Q.growth(solved(Q, problem).z).mean() for Q in potentials)
    bounds = [bounds_on_growth(depth, alpha, 2, 1 / 2, np.sqrt(1 / 5)) for alpha in scales]
    # then   nine tenths of the bounds are reached, one minus one in a thousand of the upper one
    assert_within(bounds[0][0], small, bounds[0][0] / 0.9, slack=1e-9 * small, why="G at a small scale")
    assert_within(bounds[1][1] * 0.999, large, bounds[1][1], slack=1e-9 * large, why="G at a large scale")


@pytest.mark.slow
@corrected("C3", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_a_larger_scale_always_moves_the_parameters_relatively_less(depth, problem):
    alpha = pick(problem, SMALL[depth] + LARGE)
    # when   at 1.1 alpha and alpha, in the unit in which Xh(X'nu) = sy and G = sum H, h = H'
    unit = 2 if depth == 2 else 1
    potentials = [DiagonalPotential(depth, scale * alpha[:, None]) for scale in (1.1, 1)]
    (large, small), s = [solved(Q, problem) for Q in potentials], [1 / (unit * Q.scale[:, 0]) for Q in potentials]
    G = [max(depth - 2, 1) * Q.growth(best.z).sum(-1) for Q, best in zip(potentials, (large, small), strict=True)]
    # then   s <y, change of nu> <= change of G <= s' <y, change of nu> with s < s'
    change = small.z - large.z
    rise, hidden = np.vecdot(small.w, change), (small.miss + large.miss) * norm(change, axis=-1)
    rounding = dual_rounding(problem, small.z) * (G[0] + G[1]) + s[1] * hidden
    assert_within(s[0] * rise, G[1] - G[0], s[1] * rise, slack=rounding, why="change of G", instance=problem)
    # and    <y, change of nu> = (s' - s) y'(X diag(mean of h') X')^-1 y >= (s' - s) |y|^2 / (s_1^2 max h')
    slopes = [rate * Q.slope(best.z).max(-1) for rate, Q, best in zip(s, potentials, (large, small), strict=True)]
    least = s[0] * (s[1] - s[0]) * (norm(problem.y, axis=-1) / problem.sigma_max) ** 2 / np.maximum(*slopes)
    assert_at_most(least / 2 + rounding, G[1] - G[0], why="G falls strictly as alpha grows", instance=problem)


def stretch(potential, z):
    """The largest w_i/z_i over its least possible value, 1/Q''(0), (B,); 1 where z = 0."""
    ratio = np.divide(potential.to_primal(z), z, out=np.zeros_like(z), where=z != 0) / potential.slope(0 * z)
    return np.maximum(ratio.max(-1), 1)


@corrected("C5", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_from_a_large_scale_the_limit_is_as_near_to_the_least_l2_norm_as_the_kernel_has_stayed(depth, problem):
    alpha, m = pick(problem, LARGE), least_norm(problem)
    # when
    potential = DiagonalPotential(depth, alpha[:, None])
    best = solved(potential, problem)
    # then   w - m is the null part of w, so of w - kz with k harmonic between the ends of w/z in [c, c rho]
    q, rho, size = potential.kernel_change(best.z).max(-1), stretch(potential, best.z), norm(m, axis=-1)
    rounding = 2 * best.miss + 64 * problem.columns * UNIT_ROUNDOFF * problem.condition * size
    bound = (rho - 1) / (rho + 1) * norm(best.w, axis=-1) + rounding
    assert_at_most(norm(best.w - m, axis=-1), bound, why="distance to the least norm", instance=problem)
    assert_at_most(rho, (1 + q) * (1 + 64 * UNIT_ROUNDOFF), why="rho", instance=problem)
    # and    a priori q <= cosh((D-1) arccosh(1 + G)) - 1: UV >= 1, and of a given growth G it is largest at UV = 1
    growth = size**2 / (4 * depth * alpha ** (2 * depth))
    most = 2 * np.sinh((depth - 1) / 2 * np.log1p(growth + np.sqrt(growth * (2 + growth)))) ** 2
    rounding = 64 * problem.columns * problem.condition * UNIT_ROUNDOFF * (1 + best.miss / size)
    assert_at_most(q, most * (1 + rounding), why="change of the kernel", instance=problem)


@corrected("C5", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_distance_to_the_least_norm_is_reached_where_many_small_weights_balance_a_large_one(depth):
    # given  z = (h, ..., h, 20h) with so many h that |w|^2 splits as rho to 1, n = 1: row(X) is spanned by z
    potential, h = DiagonalPotential(depth, 1.0), 1 / 10 if depth == 2 else 1 / 25
    rho = stretch(potential, np.array([20 * h])) / stretch(potential, np.array([h]))
    z = h * np.array([1.0] * round(400 * rho) + [20.0])
    # when
    w = potential.to_primal(z)
    m, rho = (w @ z) / (z @ z) * z, stretch(potential, z)
    # then
    bound = (rho - 1) / (rho + 1) * norm(w)
    assert_within(0.99 * bound, norm(w - m), bound, why="the distance, against its bound")


@corrected("C6", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_from_a_small_scale_the_l1_norm_of_the_limit_is_nearly_the_least(depth, problem):
    alpha, p = pick(problem, SMALL[depth]), problem.columns
    best = solved(DiagonalPotential(depth, alpha[:, None]), problem)
    # given  HiGHS's dual bound M
    nu = least_l1_norm(problem.X, problem.y)[1]
    M, N = dual_value(problem.X, problem.y, nu), l1_norm(best.w)
    slack = np.sqrt(p) * (best.radius + 64 * problem.columns * UNIT_ROUNDOFF * norm(best.w, axis=-1))
    # then
    upper = most_l1(depth, alpha, p, N, M)
    assert_within(M, N, upper, slack=2 * slack, why="l1 norm of the limit", instance=problem)


def most_l1(depth, alpha, p, N, M):
    """The bound on N = |w|_1 of C6. Proof: <z, w> = <z, u> <= M max|z| for the u of least l1 norm.

    D = 2: |z| <= arsinh(N/(2 alpha^2)) <= ln(1 + N/alpha^2), and <z, w> >= sum |w_i| ln(|w_i|/alpha^2) >= N ln(N/(p
    alpha^2)). D > 2: max|z| < 1, and |w_i|/alpha^D <= (1 - |z_i|)^{-D/(D-2)}, so that N - <z, w> is at most
    alpha^{D-2} sum |w_i|^{2/D}.
    """
    if depth == 2:
        return M * (1 + np.log(p * (1 + alpha**2 / N)) / np.log(N / (p * alpha**2)))
    return M + alpha ** (depth - 2) * p ** (1 - 2 / depth) * N ** (2 / depth)


@corrected("C6", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_excess_of_the_l1_norm_is_reached_where_many_inputs_are_nearly_the_largest(depth):
    # given  w = (1, 1/100, ..., 1/100) in R^{1001} at alpha = 1/50, its z, and X = z/z_1 with one row: M = Xw
    alpha, p = 0.02, 1001
    w = np.array([1.0] + [0.01] * 1000)
    z = np.arcsinh(w / (2 * alpha**2)) if depth == 2 else 1 - (w / alpha**depth + 1) ** (2 / depth - 1)
    # when   w is moved to where z has it exactly
    w = DiagonalPotential(depth, alpha).to_primal(z)
    N, M = w.sum(), w @ z / z[0]
    # then
    bound = most_l1(depth, alpha, p, N, M) - M
    assert_within(bound / 2, N - M, bound, why="the excess, against its bound")


@corrected("C4", "C5", "C6", part="(b)")
@pytest.mark.slow
@given(seed=st.integers(0, 2**32 - 1), depth=st.sampled_from([2, 3, 4, 5, 8, 20]), p=st.sampled_from([1, 2, 3, 9, 40]))
def test_from_one_sample_of_any_scale_at_any_dual_point_the_bounds_hold(seed, depth, p):
    # given  inputs over up to six decades, alpha over four, and z up to 30, or up to 1 - 1e-7: then y = xw, no solver
    rng = np.random.default_rng(seed)
    x, alpha = rng.normal(size=p) * 10 ** rng.uniform(-3, 3, p if seed % 2 else 1), 10 ** rng.uniform(-2, 2)
    largest = 10 ** rng.uniform(-2, 1.5) if depth == 2 else 1 - 10 ** rng.uniform(-7, -0.05)
    potential, z = DiagonalPotential(depth, alpha), x / np.abs(x).max() * largest
    w = potential.to_primal(z)
    y, N, rounding = x @ w, np.abs(w).sum(), 1 + 1e4 * p * depth * UNIT_ROUNDOFF / (1 - largest if depth > 2 else 1)
    M, m = y / np.abs(x).max(), y / (x @ x) * x
    # then   C4
    G, (least, most) = potential.growth(z).mean(), bounds_on_growth(depth, alpha, p, M, norm(m))
    assert_at_most(1 + least, (1 + G) * rounding, why="G + 1 from below", instance=seed)
    assert_at_most(G, most * rounding, why="G from above", instance=seed)
    # and    C5, C6
    rho = stretch(potential, z)
    miss = (rounding - 1) * norm(w)
    assert_at_most(norm(w - m), (rho - 1) / (rho + 1) * norm(w) + miss, why="|w - m|", instance=seed)
    # C6 of depth two speaks of small scales alone
    if depth > 2 or p * alpha**2 < M:
        assert_at_most(N, most_l1(depth, alpha, p, N, M) * rounding, why="|w|_1", instance=seed)


def relative_kernel_change(X, depth, alpha, z):
    """|K - K_0|_F/|K_0|_F of the network whose dual point is z."""
    return norm((X * DiagonalPotential(depth, alpha).kernel_change(z)) @ X.T) / norm(X @ X.T)


@corrected("C5", part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
def test_over_four_decades_of_alpha_neither_norm_falls_below_its_least_value(depth):
    # given  X (2, 5), y = (1, -2), and alpha from 1/100 to 100
    problem, alpha = measured(*PICTURE), np.geomspace(1e-2, 1e2, 33)
    m, nu = norm(least_norm(problem)), least_l1_norm(problem.X[None], problem.y[None])[1]
    # when
    runs = [solved(DiagonalPotential(depth, a), problem) for a in alpha]
    l1 = np.array([l1_norm(run.w) for run in runs]) / dual_value(problem.X, problem.y, nu[0]) - 1
    l2 = np.array([norm(run.w) for run in runs]) / m - 1
    change = [relative_kernel_change(problem.X, depth, a, run.z) for a, run in zip(alpha, runs, strict=True)]
    record_series(f"l1 and l2 excess against alpha, depth {depth}", alpha=alpha, l1=l1, l2=l2)
    record_series(f"kernel change against alpha, depth {depth}", alpha=alpha, change=change)
    # then   neither norm is below the least, and |w|^2 = |m|^2 + |w - m|^2 gives |w|/|m| <= (1 + rho)/(2 sqrt(rho))
    slack = np.array([np.sqrt(5) * run.radius for run in runs]) / m + 64 * 7 * UNIT_ROUNDOFF * problem.condition
    rho = np.array([stretch(DiagonalPotential(depth, a), run.z) for a, run in zip(alpha, runs, strict=True)])
    assert_at_most(-l1, slack, why="the l1 norm is at least the least")
    assert_within(0, l2, (1 + rho) / (2 * np.sqrt(rho)) - 1, slack=slack, why="the l2 norm", instance=alpha)


@necessity("H1", part="(a)")
@given_batches(problem=problems)
def test_without_H1_the_limit_stays_off_the_minimizer(problem):
    # given  u_0 v_0 = alpha^2, but ln(u_0/v_0) a unit vector of null(X)
    alpha, _, pace = start_of_the_flow(problem, 2)
    z0 = problem.N[:, :, 0]
    start = DiagonalNetwork(alpha[:, None] * np.exp(z0 / 2), alpha[:, None] * np.exp(-z0 / 2))
    one_scale = np.abs(start.u * start.v / alpha[:, None] ** 2 - 1) <= 8 * UNIT_ROUNDOFF
    assert_keeps(H2=one_scale, H3=problem.sigma_min > 0, H4=True, H5=True, H6=(start.u > 0) & (start.v > 0))
    # when   at any time
    flow = diagonal_flow(problem.X, problem.y, start, np.array([0.5, 20.0]), rate=pace)
    network = DiagonalNetwork(*np.moveaxis(flow.states, 1, 0))
    # then   the null part of Q'(w) is z_0, at a minimizer it is zero, and Q'' <= 1/(2 alpha^2)
    null = problem.in_null_space(np.arcsinh(network.w / (2 * alpha[:, None] ** 2)))
    slack = 4 * (slack_in_dual(network, alpha, flow.error[:, None]) + dual_rounding(problem, null))
    assert_at_most(norm(null - z0, axis=-1).T, slack.T, why="the null part of Q'(w) stays", instance=problem)


@necessity("H2", part="(a)")
def test_without_H2_no_common_scale_explains_the_limit():
    # given  X = [1, 1], y = 5, and the scales 1 and 2: z_1 = z_2 for ever, so that w_2 = 4 w_1
    X, y, alpha = np.ones((1, 2)), np.array([5.0]), np.array([1.0, 2.0])
    start = uniform(alpha, alpha)
    assert_keeps(H1=start.u == start.v, H3=y == X @ [1, 4], H4=True, H5=True, H6=start.u > 0)
    flow = diagonal_flow(X, y, start, np.array([0.01, 5.0]))
    w = DiagonalNetwork(*np.moveaxis(flow.states, 1, 0)).w
    slack = 16 * flow.error + 1024 * UNIT_ROUNDOFF
    assert_at_most(np.abs(w[:, 1] - 4 * w[:, 0]), slack, why="w_2 = 4 w_1")
    # then   |r| <= 5 exp(-8 * 2 t) leaves (1, 4), while every common alpha has (5/2, 5/2)
    common = [solved(DiagonalPotential(2, scale), measured(X, y)).w for scale in (0.01, 1.0, 100.0)]
    assert_at_most(np.abs(w[1] - [1, 4]).max(), 5 * np.exp(-80) + 5 * slack[1], why="the limit (1, 4)")
    assert_at_most(np.abs(np.array(common) - 2.5).max(), 1e3 * UNIT_ROUNDOFF, why="the minimizer for common scales")


@necessity("H3", part="(a)")
@given(st.integers(-3, 3), st.lists(st.integers(-8, 8), min_size=2, max_size=2))
def test_without_H3_the_loss_stays_above_what_no_predictor_can_fit(a, w):
    # given  two samples with one input (1, 2) and the targets a and a + 1; a start, and any w that its flow may reach
    X, y, start = fractions([[1, 2], [1, 2]]), fractions([a, a + 1]), uniform(1.0, np.zeros(2))
    assert_keeps(H1=start.u == start.v, H2=np.ptp(start.u) == 0, H4=True, H5=True, H6=start.u > 0)
    r = X @ fractions(w) - y
    # then   r_1 - r_2 = 1, so that |r|^2 >= 1/2: no limit interpolates
    assert_identical(r[0] - r[1], 1, why="the difference of the residuals")
    assert_at_most(Fraction(1, 2), r @ r, why="the residual stays")


@necessity("H4", part="(a)")
def test_without_H4_a_frozen_v_leads_elsewhere():
    # given  X = [1, 2], y = 7, u_0 = v_0 = 1 and v at rest: u = (e^s, e^2s), so w = (m - 1, m^2 - 1), at the end (1, 3)
    X, y, start = np.array([[1.0, 2.0]]), np.array([7.0]), uniform(1.0, np.zeros(2))
    assert_keeps(H1=start.u == start.v, H2=np.ptp(start.u) == 0, H3=y == X @ [1, 3], H5=True, H6=start.u > 0)
    flow = gradient_flow(lambda u: -DiagonalNetwork(u, start.v).gradient(X, y)[0], start.u, np.array([0.02, 2.0]))
    # then   u_2 = u_1^2 at all times, and |r| <= 7 exp(-20 t) as K >= 4 * 5 at the start and grows
    u, slack = flow.states, 16 * flow.error + 256 * UNIT_ROUNDOFF
    assert_at_most(np.abs(u[:, 1] - u[:, 0] ** 2), slack, why="u_2 = u_1^2")
    assert_at_most(np.abs(u[1] ** 2 - [2, 4]).max(), 7 * np.exp(-40) + 8 * slack[1], why="the limit w = (1, 3)")
    # and    the minimizer of Q with alpha = 1 has w_2/2 = 2s sqrt(1 + s^2) at s = w_1/2, which squares to 5/4, not 9/4
    s = Fraction(1, 2)
    assert_at_most((2 * s) ** 2 * (1 + s**2) + 1, Fraction(3, 2) ** 2, why="far from the minimizer of Q")


@necessity("H5", part="(a)")
@given(st.integers(1, 3000))
def test_without_H5_one_step_reaches_the_least_l2_norm_for_any_target(percent):
    # given  X = [1, 2], y = 20 k with k from 1/100 to 30, u = v = 1 at the start, and one eta = 1/40 for both
    k, X, one = Fraction(percent, 100), fractions([[1, 2]]), fractions([1, 1])
    least = fractions([4 * k, 8 * k])
    assert_keeps(H1=True, H2=one[0] == one[1], H3=X @ least == 20 * k, H4=True, H6=one > 0)
    # when   a = -(k, 2k), within (-1, 0) for k < 1/2
    u, v = diagonal_step(X, 20 * k * one[:1], one, one, Fraction(1, 40))
    # then   w = 4k (1, 2) = X^+ y, though the minimizer of Q for alpha = 1 has (w_2/2)^2 = w_1^2 (1 + w_1^2/4)
    w = u**2 - v**2
    assert_identical(w, least, why="the least l2 norm, of an interpolant")
    assert_identical((w[1] / 2) ** 2 * (1 + 4 * k**2), w[0] ** 2 * (1 + w[0] ** 2 / 4), why="off the minimizer of Q")


@necessity("H6", part="(a)")
def test_without_H6_the_flow_of_two_relu_neurons_has_two_limits_over_one_set():
    # given  f(x) = max(0, u.x) + max(0, -v.x) from u = v = (1, 1), the inputs (1, 0) and (c, c), and targets 0
    u, v, X, y = np.ones(2), np.ones(2), np.array([[1.0, 0.0], [1.0, 1.0]]), np.zeros(2)
    assert_keeps(H1=u == v, H2=np.ptp(u) == 0, H3=X @ np.zeros(2) == y, H4=True, H5=True)
    assert_at_most(0, (X @ v).min(), why="the neuron of v is inactive, and v rests")

    # when   u_1' = -u_1 - c^2 s and s' = -u_1 - 2 c^2 s, s = u_1 + u_2, while both are positive; in terms of -u_1
    def exit_of(c):
        def field(state):
            first, s = state
            return np.array([-1.0, -(first + 2 * c * c * s) / (first + c * c * s)])

        return gradient_flow(field, np.array([u[0], u.sum()]), np.array([1.0]))

    # then   u_1 = 0 < s at the exit, and after it u_1 falls half as fast as s: u ends in (-s, s)/2. As 2 u_1 <= s <= 2,
    #        s is the integral of u_1/(u_1 + c^2 s), at least that of u_1/(u_1 + 2) for c = 1, at most 1/9 for c = 2
    once, twice = exit_of(1), exit_of(2)
    slack = once.error[0] + twice.error[0] + 64 * UNIT_ROUNDOFF
    assert_within(1 - 2 * np.log(3 / 2), once.states[0, 1], 1 / 3, slack=slack, why="s at the exit, c = 1")
    assert_within(1 - 8 * np.log(9 / 8), twice.states[0, 1], 1 / 9, slack=slack, why="s at the exit, c = 2")
    assert_at_most(twice.states[0, 1] + 0.07, once.states[0, 1], why="two limits over the same set {L = 0}")
