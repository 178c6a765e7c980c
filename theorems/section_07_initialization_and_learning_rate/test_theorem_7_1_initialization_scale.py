r"""Theorem 7.1 - a small initialization learns features and a large one is lazy, not the other way round.

Section     7.1
Printed     $\theta^*(\alpha) = \arg\min_\theta R(\theta)\ \text{s.t.}\ L(\theta) = 0$, R depending on the
            initialization scale $\alpha$: small $\alpha$ is biased toward the kernel regime with minimal feature
            learning, large $\alpha$ learns features more strongly
Reading     (a) R depends on the network and alpha, not on the data, and $\theta^*$ is its only minimizer: with
            $R = \|\theta - \theta^*\|^2$, or a constant, the print says nothing. (b) Feature learning is the relative
            change of the tangent kernel from the start to the limit, and $\alpha \le \alpha'$ gives no more of it; the
            kernel regime's own limit is the interpolant of least $\ell_2$ norm
Setting     $L = \frac12 \|Xw - y\|^2$, y != 0, $w = u^D - v^D$ entrywise, u = v = alpha at the start, p columns;
            $K = D^2 X \operatorname{diag}(u^{2D-2} + v^{2D-2}) X^\top$, q the relative growth of a weight of K;
            $m = X^+ y$, M the least $\ell_1$ norm of an interpolant
Hypotheses  Of the corrected statement: (H1) u_0 = v_0.  (H2) one alpha for all coordinates.  (H3) some w solves
            Xw = y.  (H4) u and v are moved at one rate.  (H5) gradient flow; or descent at D = 2 with
            $|a_t| < 1$, $a_t = 2\eta X^\top r_t$.
Parts       (a) there is an R whose minimizer is the limit - refuted
            (b) small alpha is the kernel regime, large alpha learns features - refuted
Corrected   (a): on these networks the flow converges to $\arg\min Q$ over Xw = y, with $Q'$ the inverse of
            $2\alpha^2 \sinh$ for D = 2 and of $\alpha^D ((1-z)^{-D/(D-2)} - (1+z)^{-D/(D-2)})$ above; descent at D = 2
            to the minimizer for the scales $\alpha_i^2 \prod_t (1 - a_{t,i}^2)$. (b): $\|\theta_\infty\|^2 / \|\theta_0
            \|^2 - 1$, for D = 2 the mean of q, falls strictly as alpha grows, and lies between
            $M^{2/D}/(2 p \alpha^2) - 1$ and $\|m\|^2/(4 D p \alpha^{2D})$. As alpha grows
            $\|w - m\| \le \|w\| \max q/(2 + \max q) \to 0$; as it vanishes $\|w\|_1 \to M$: with the error
            $\frac D2 \alpha^{D-2} p^{1-2/D} \|w\|_1^{2/D}$ at most for D > 2, and of order $1/\ln(1/\alpha)$ for D = 2
Idea        (a) $\frac{d}{dt} u^{2-D}$ is a combination of rows of X, the opposite one for v: the dual point nu is
            gradient flow on the strictly convex dual of Q, with the rate $2 D^2 \alpha^{2D-2} s_n^2$ at least. A ReLU
            neuron has no R: data that repeat a constraint move the limit and leave {L = 0} as it is. (b) Interpolants
            of larger multiples of y need larger nu, and $X h(X^\top \nu) = y / \alpha^D$; the two bounds come from
            $Q^* \le Q$ and from Jensen's inequality.
Source      Woodworth et al. (2020), Kernel and Rich Regimes in Overparametrized Models; Chizat, Oyallon, Bach (2019),
            On Lazy Training in Differentiable Programming; Vardi, Shamir (2021), Implicit Regularization in ReLU
            Networks with the Square Loss (no R for one neuron; our witness is simpler). The bounds are proved here
Tolerance   The minimizer by Newton's method on the dual, certified by its own duality gap (properties.
            hyperbolic_entropy); least l1 norms by HiGHS with the dual checked again. Flows by the error estimate of two
            tolerances, within horizons known beforehand; descent until a residual, with its invariants summed
Findings    What falls as alpha grows, whatever the data, is the relative growth of the parameters. Nothing is
            claimed here of a single weight of the kernel. On X = [1, 2] the change is below 1e-9 at alpha = 100 and
            above 49,999 at alpha = 1/1000
Expected    refuted
"""

from fractions import Fraction

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
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within, record_series
from properties.divergences import multiplier, residual_with_rounding
from properties.hyperbolic_entropy import DiagonalPotential, minimize
from properties.oracles import least_l1_norm
from properties.search import smallest_violation
from properties.sparsity import dual_value, l1_norm
from theorems.ledger import corrected, counterexample, necessity

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


@counterexample(part="(a)")
def test_two_data_sets_with_the_same_interpolants_lead_one_neuron_to_two_limits():
    # given  a ReLU neuron, x = (1, 0) and (1, -2), targets 0, from (4, 3); and the same with their sum as a third
    x, third, eta = [[1, 0], [1, -2]], [2, -2], Fraction(1, 2)
    few, more, start = fractions(x), fractions([*x, third]), fractions([4, 3])
    assert_identical(more[2], few.sum(0), why="theta.x <= 0 for both implies it for the third: one set {L = 0}")
    # when   only x_1 is active, theta_1 is halved and theta_2 rests; with the third, one step ends in {L = 0}
    halved, once = relu_step(few, start, eta), relu_step(more, start, eta)
    assert_identical([halved, relu_step(few, halved, eta)], fractions([[2, 3], [1, 3]]), why="theta_2 rests")
    assert_identical(once, fractions([0, 5]), why="one step")
    assert_at_most(more @ once, 0, why="the loss is zero")
    # then   the same R would have (0, 3) for its only minimizer on that set, and (0, 5)
    reads = "theta_2 = {value} > {limit} in two limits over one set"
    assert_violates(once[1], halved[1], reads=reads, x=x, third=third, start=start, eta=eta)


@counterexample(part="(a)")
@given(st.integers(1, 100), st.integers(2, 100))
def test_at_every_scale_and_every_step_the_repeated_constraint_moves_the_limit(scale, k):
    # given  the start alpha (4, 3), alpha = scale/10, and any step 1/k
    few, alpha, eta = fractions([[1, 0], [1, -2]]), Fraction(scale, 10), Fraction(1, k)
    more = np.vstack([few, few.sum(0)])
    # when   two steps; as no input has a positive second entry, theta_2 never falls, nor does it in the flow
    ends = [alpha * fractions([4, 3])] * 2
    for _ in range(2):
        ends = [relu_step(X, theta, eta) for X, theta in zip((few, more), ends, strict=True)]
    # then   theta_2 rests without the third input; with it, the first step alone adds 4 eta alpha
    assert_identical(ends[0][1], 3 * alpha, why="theta_2 rests")
    assert_at_most(4 * eta * alpha, ends[1][1] - 3 * alpha, why="theta_2 grows")


@st.composite
def neurons(draw):
    """Inputs x_1, x_2 and a start theta, in integers."""
    x, z, theta = (np.array(draw(st.tuples(*[st.integers(-3, 3)] * 2))) for _ in range(3))
    return fractions([x, z]), fractions(theta)


@counterexample(part="(a)")
def test_hypothesis_finds_a_neuron_with_two_limits():
    def limits_apart(neuron):
        # given  x_2 inactive for good and a safe step; across x_1 only the sum x_1 + x_2 moves theta, always one way
        few, theta = neuron
        more = np.vstack([few, few.sum(0)])
        if few[0] @ theta <= 0 or few[1] @ theta > 0 or few[0] @ few[1] < 0:
            return 0
        across, eta = np.array([-few[0, 1], few[0, 0]]), 1 / np.sum(more * more)
        ends = [relu_step(X, theta, eta) for X in (few, more)]
        return abs(across @ (ends[1] - ends[0]))

    found = smallest_violation(neurons(), limits_apart)
    reads = "two limits over one set {{L = 0}} are at least {value} > {limit} apart, across x_1"
    assert_violates(limits_apart(found), 0, reads=reads, x=found[0], start=found[1])


@corrected(part="(a)")
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


@corrected(part="(a)")
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


@corrected(part="(a)")
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


@corrected(part="(a)")
@given_batches(problem=problems)
def test_descent_keeps_what_its_steps_say_and_ends_at_the_minimizer_for_the_scales_it_has_left(problem):
    # given  H5: a step of 0.4 over a bound on the kernel's size, so that |a_t| < 1
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


def hand(q):
    """X = [1, 2], y = 46, exactly at z = (ln q, 2 ln q), D = 2: alpha^2, the limit w, and the relative change of K."""
    s = [(q**x - 1 / q**x) / 2 for x in (1, 2)]
    alpha_squared = 46 / (2 * s[0] + 4 * s[1])
    change = sum(x**2 * ((q**x + 1 / q**x) / 2 - 1) for x in (1, 2)) / 5
    return alpha_squared, [2 * alpha_squared * value for value in s], change


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


@corrected(part="(b)")
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
    t = M / (2 * p * alpha**2)
    lower = p * t**2 / (1 + np.hypot(1, t)) if depth == 2 else M ** (2 / depth) / (2 * alpha**2) - p
    upper = m**2 / (4 * depth * alpha ** (2 * depth))
    rounding = dual_rounding(problem, best.z) * growth
    assert_within(lower, growth, upper, slack=rounding, why="growth of the parameters", instance=problem)


@corrected(part="(b)")
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


@corrected(part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_from_a_large_scale_the_limit_is_as_near_to_the_least_l2_norm_as_the_kernel_has_stayed(depth, problem):
    alpha, m = pick(problem, LARGE), least_norm(problem)
    # when
    potential = DiagonalPotential(depth, alpha[:, None])
    best = solved(potential, problem)
    # then   w - m is the null part of w, so of w - kz with k harmonic between the ends of w/z in [c, c (1 + max q)]
    q, size = potential.kernel_change(best.z).max(-1), norm(m, axis=-1)
    rounding = 2 * best.miss + 64 * problem.columns * UNIT_ROUNDOFF * problem.condition * size
    bound = q / (2 + q) * norm(best.w, axis=-1) + rounding
    assert_at_most(norm(best.w - m, axis=-1), bound, why="distance to the least norm", instance=problem)
    # and    a priori q <= cosh((D-1) arccosh(1 + G)) - 1: UV >= 1, and of a given growth G it is largest at UV = 1
    growth = size**2 / (4 * depth * alpha ** (2 * depth))
    most = 2 * np.sinh((depth - 1) / 2 * np.log1p(growth + np.sqrt(growth * (2 + growth)))) ** 2
    rounding = 64 * problem.columns * problem.condition * UNIT_ROUNDOFF * (1 + best.miss / size)
    assert_at_most(q, most * (1 + rounding), why="change of the kernel", instance=problem)


@corrected(part="(b)")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_from_a_small_scale_the_l1_norm_of_the_limit_is_nearly_the_least(depth, problem):
    alpha, p = pick(problem, SMALL[depth]), problem.columns
    best = solved(DiagonalPotential(depth, alpha[:, None]), problem)
    # given  HiGHS's minimizer, moved onto {Xw = y}, and its dual bound M
    u, nu = least_l1_norm(problem.X, problem.y)
    u = u + np.matvec(problem.V, problem.divide_by_s(problem.modes(problem.y - np.matvec(problem.X, u))))
    M, N = dual_value(problem.X, problem.y, nu), l1_norm(best.w)
    slack = np.sqrt(p) * (best.radius + 64 * problem.columns * UNIT_ROUNDOFF * norm(u, axis=-1))
    # then   D = 2: N (ln(N/(p alpha^2)) - 1) <= Q(w) <= Q(u) <= sum |u_i| (ln(|u_i|/alpha^2 + 1) - 1) + 2 p alpha^2
    if depth == 2:
        above = np.abs(u) * (np.log1p(np.abs(u) / alpha[:, None] ** 2) - 1)
        upper = (above.sum(-1) + 2 * p * alpha**2) / (np.log(M / (p * alpha**2)) - 1)
    else:
        # 1 - h^-1(s) lies between (1 + s)^-(1-2/D) and s^-(1-2/D), h of the slope of Q: the integrals bound |w| - Q
        unit = alpha[:, None] ** depth
        lost, spared = (np.abs(best.w) / unit) ** (2 / depth), (1 + np.abs(u) / unit) ** (2 / depth) - 1
        upper = l1_norm(u) + depth / 2 * (unit * (lost - spared)).sum(-1)
    assert_within(M, N, upper, slack=2 * slack, why="l1 norm of the limit", instance=problem)


def relative_kernel_change(X, depth, alpha, z):
    """|K - K_0|_F/|K_0|_F of the network whose dual point is z."""
    return norm((X * DiagonalPotential(depth, alpha).kernel_change(z)) @ X.T) / norm(X @ X.T)


@corrected(part="(b)")
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
    # then   neither norm is below the least, and |w|/|m| <= sqrt(1 + max q)
    slack = np.array([np.sqrt(5) * run.radius for run in runs]) / m + 64 * 7 * UNIT_ROUNDOFF * problem.condition
    q = [DiagonalPotential(depth, a).kernel_change(run.z).max() for a, run in zip(alpha, runs, strict=True)]
    assert_at_most(-l1, slack, why="the l1 norm is at least the least")
    assert_within(0, l2, np.sqrt(1 + np.array(q)) - 1, slack=slack, why="the l2 norm", instance=alpha)


@necessity("H1", part="(a)")
@given_batches(problem=problems)
def test_without_H1_the_limit_stays_off_the_minimizer(problem):
    # given  u_0 v_0 = alpha^2, but ln(u_0/v_0) a unit vector of null(X)
    alpha, _, pace = start_of_the_flow(problem, 2)
    z0 = problem.N[:, :, 0]
    start = DiagonalNetwork(alpha[:, None] * np.exp(z0 / 2), alpha[:, None] * np.exp(-z0 / 2))
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
    flow = diagonal_flow(X, y, uniform(alpha, alpha), np.array([0.01, 5.0]))
    w = DiagonalNetwork(*np.moveaxis(flow.states, 1, 0)).w
    slack = 16 * flow.error + 1024 * UNIT_ROUNDOFF
    assert_at_most(np.abs(w[:, 1] - 4 * w[:, 0]), slack, why="w_2 = 4 w_1")
    # then   |r| <= 5 exp(-8 * 2 t) leaves (1, 4), while every common alpha has (5/2, 5/2)
    common = [solved(DiagonalPotential(2, scale), measured(X, y)).w for scale in (0.01, 1.0, 100.0)]
    assert_at_most(np.abs(w[1] - [1, 4]).max(), 5 * np.exp(-80) + 5 * slack[1], why="the limit (1, 4)")
    assert_at_most(np.abs(np.array(common) - 2.5).max(), 1e3 * UNIT_ROUNDOFF, why="the minimizer for common scales")


@necessity("H3", part="(a)")
@given(st.integers(-3, 3))
def test_without_H3_the_loss_stays_above_what_no_predictor_can_fit(a):
    # given  two samples with one input (1, 2) and the targets a and a + 1
    X, y = fractions([[1, 2], [1, 2]]), fractions([a, a + 1])
    u = v = fractions([1, 1])
    # when   three exact steps of 1/100
    for _ in range(3):
        u, v = diagonal_step(X, y, u, v, Fraction(1, 100))
    # then   r_1 - r_2 = 1, so that |r|^2 >= 1/2
    r = X @ (u**2 - v**2) - y
    assert_identical(r[0] - r[1], 1, why="the difference of the residuals")
    assert_at_most(Fraction(1, 2), r @ r, why="the residual stays")


@necessity("H4", part="(a)")
def test_without_H4_a_frozen_v_leads_elsewhere():
    # given  X = [1, 2], y = 7, u_0 = v_0 = 1 and v at rest: u = (e^s, e^2s), so w = (m - 1, m^2 - 1), at the end (1, 3)
    X, y = np.array([[1.0, 2.0]]), np.array([7.0])
    flow = gradient_flow(lambda u: -DiagonalNetwork(u, np.ones(2)).gradient(X, y)[0], np.ones(2), np.array([0.02, 2.0]))
    # then   u_2 = u_1^2 at all times, and |r| <= 7 exp(-20 t) as K >= 4 * 5 at the start and grows
    u, slack = flow.states, 16 * flow.error + 256 * UNIT_ROUNDOFF
    assert_at_most(np.abs(u[:, 1] - u[:, 0] ** 2), slack, why="u_2 = u_1^2")
    assert_at_most(np.abs(u[1] ** 2 - [2, 4]).max(), 7 * np.exp(-40) + 8 * slack[1], why="the limit w = (1, 3)")
    # and    the minimizer of Q with alpha = 1 has w_2/2 = 2s sqrt(1 + s^2) at s = w_1/2, which squares to 5/4, not 9/4
    s = Fraction(1, 2)
    assert_at_most((2 * s) ** 2 * (1 + s**2) + 1, Fraction(3, 2) ** 2, why="far from the minimizer of Q")


@necessity("H5", part="(a)")
@given(st.integers(1, 30))
def test_without_H5_one_step_reaches_the_least_l2_norm_from_any_scale(k):
    # given  X = [1, 2], alpha = 1, eta = 1/40 and y = 20 k: a = -(k, 2k), beyond -1
    X, y, one = fractions([[1, 2]]), fractions([20 * k]), fractions([1, 1])
    # when
    u, v = diagonal_step(X, y, one, one, Fraction(1, 40))
    # then   w = 4k (1, 2) = X^+ y, though the minimizer of Q for alpha = 1 has (w_2/2)^2 = w_1^2 (1 + w_1^2/4)
    w = u**2 - v**2
    assert_identical(w, fractions([4 * k, 8 * k]), why="the least l2 norm")
    assert_identical(X @ w, y, why="interpolates")
    assert_identical(u * v, [1 - k**2, 1 - 4 * k**2], why="the factors turn their signs")
    assert_at_most((w[1] / 2) ** 2 * (1 + k**2), w[0] ** 2 * (1 + w[0] ** 2 / 4), why="far from the minimizer of Q")
