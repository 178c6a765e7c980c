r"""Section 1.2: dependence on initialization, learning rate and algorithm - each selects the minimum.

Section     1.2, the paragraph before the numbered list
Printed     L with several global minima $M = \{\theta : L(\theta) = 0\}$: gradient descent from $\theta_0$ converges to
            one $\theta^* \in M$ that depends on the initialization, the learning rate and the algorithm
Reading     "Given a training loss": any loss with several global minima, least squares of Section 3 among them. To
            depend on an item is not to be constant in it, the rest being fixed, for a start off M and learning rates at
            which descent converges
Setting     (a), (c) $L(w) = \frac12 \|Xw - y\|^2$, rank X = n < p. (b) also the networks $f = uvx$ with the sample
            (1, y), and $f = (u^2 - v^2)^\top x$ with entrywise squares, $u_0$ and $v_0$ without zeros, and one sample
            x > 0; $r = f - y$, $g = X^\top r$
Hypotheses  (H1) The starts differ in null(X).
            (H2) The model is not linear in its parameters: f = uvx, or f = (u^2 - v^2)'x.
            (H3) The start is off M, and in the model f = uvx not balanced: u_0^2 != v_0^2.
            (H4) The steps of the algorithm leave row(X), as those of another metric or of Adam do.
Corrected   (C1) (b) A step on uvx multiplies u^2 - v^2, which gradient flow keeps, by $1 - \eta^2 r_t^2$; one on
            u^2 - v^2 multiplies uv, which the flow keeps, by $1 - 4 \eta^2 g_t^2$; for every start and rate.
            (C2) (b) On uvx with u_0 > v_0 >= 0 and u_0 v_0 < y, so that both only grow, and with
            $2 \eta ((u_0^2 - v_0^2)^2 + 4 y^2)^{1/2} \le 1$, u^2 - v^2 and its limit lie from the first step on between
            $1 - \eta r_0^2 / m$ and $1 - \eta^2 r_0^2$ times what it was, $m = u_0^2 + v_0^2$. Where v_0 < 0 the lower
            bound can fail.
            (C3) (b) On u^2 - v^2 with u_0 >= v_0 > 0, x > 0 and x'w_0 < y, so that u only grows and v only shrinks, and
            with $2 \eta (k + 4 \max_j x_j (y - x^\top w_0)) \le 1$, $k = 4 \sum_j x_j^2 (u_j^2 + v_j^2)$ at the start,
            uv and its limit lie from the first step on between $1 - 4 \eta g_0^2 / k$ and $1 - 4 \eta^2 g_0^2$ times
            what it was.
            (C4) (c) Descent in the metric of $D^{-1}$ with $0 < \eta < 2/\lambda_{max}(X D X^\top)$ ends in
            $w_0 + D X^\top (X D X^\top)^{-1} (y - X w_0)$.
Parts       (a) initialization - holds
            (b) learning rate - holds under added hypotheses
            (c) algorithm - holds
Idea        (a) A shift of the start by z in null(X) shifts the limit by z, see Section 2.2. (b) On least squares the
            limit does not contain eta. In the models of H2 a step shrinks what the flow keeps: by (C2) and (C3) two
            rates with $\eta' < \eta^2 m$, or $\eta' < \eta^2 k$, end apart. (c) In (C4), for a start off M, D can be
            chosen so that the limit moves by a given unit vector of null(X). With eps = 0 Adam's steps from zero on one
            sample without zeros are along sign(x).
Source      Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry;
            Polyak (1964), Some Methods of Speeding up the Convergence of Iteration Methods; Nesterov (1983), A Method
            of Solving a Convex Programming Problem with Convergence Rate O(1/k^2); Kingma, Ba (2015), Adam: A Method
            for Stochastic Optimization; (C1) to (C3) are proved here
Tolerance   Limits are enclosed in balls (properties.limits); iterates against closed forms, each mode of momentum
            included; oracles are LAPACK's least squares and rational arithmetic
Findings    (a) Only the part of w_0 in null(X) matters. (b) For linear least squares, the paper's own Section 3, the
            limit does not depend on the learning rate at all. (c) Heavy ball and Nesterov's method with momentum 0.85
            find the minimum of plain descent.
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.diagonal import diagonal_descent, diagonal_step
from fixtures.dynamics.factored_descent import product_descent, product_step
from fixtures.dynamics.gradient_descent import (
    exact_descent,
    gradient_descent,
    heavy_ball,
    nesterov,
    preconditioned_descent,
    steps_to_contract,
)
from fixtures.dynamics.torch_training import train_linear
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import line, lines
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, solve
from properties.certificates import (
    assert_at_most,
    assert_certified,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
)
from properties.least_squares import distance_to_limit, iterate_rounding
from properties.limits import CONVERGED, interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, under_hypotheses

MOMENTUM = 0.85
LONG_STEP = 0.9
RECURRENCE = {
    heavy_ball: lambda z: (1 + MOMENTUM - z, MOMENTUM),
    nesterov: lambda z: ((1 + MOMENTUM) * (1 - z), MOMENTUM * (1 - z)),
}
"""Sum b and product q^2 of the roots of the error's recurrence e_{t+1} = b e_t - q^2 e_{t-1}, at z = eta s_i^2."""
ECHO = 250
"""A bound on 1/(sin(angle)(1 - q)) of the roots q exp(+-i angle) of either method for z >= 0.009."""
HAND = np.array([[1.0, 2.0]]), np.array([1.0]), np.zeros(2)


def extrapolated(iterates):
    """The limit of a geometric sequence of vectors of fractions from its first three terms (Aitken); exact."""
    first, second = iterates[1] - iterates[0], iterates[2] - iterates[1]
    return tuple(w + (a * a / (a - b) if a else 0) for w, a, b in zip(iterates[0], first, second, strict=True))


@dataclasses.dataclass(frozen=True)
class Product:
    """The network uvx with the sample (1, y): u > v >= 0 and uv < y, so that both parameters only grow."""

    u: float | np.ndarray
    v: float | np.ndarray
    y: float | np.ndarray

    @property
    def residual(self):
        """r_0 = uv - y, negative."""
        return self.u * self.v - self.y

    @property
    def size(self):
        """The initial m = u^2 + v^2, the smallest on the way."""
        return self.u**2 + self.v**2

    @property
    def largest(self):
        """An upper bound on u^2 + v^2 = sqrt((u^2 - v^2)^2 + 4 (uv)^2) while uv <= y and u^2 - v^2 falls."""
        return np.sqrt((self.u**2 - self.v**2) ** 2 + 4 * self.y**2)


@st.composite
def products(draw, *, balanced=False):
    """Starts with u in 1..2 and y - uv in 1/4..1, in quarters; v < u, or v = u. Shrinks to u = 1, v = 0, y = 1/4."""
    tape = draw(tapes(3))
    u = 1 + tape.below(5) / 4
    v = u if balanced else tape.below(round(4 * u)) / 4
    return Product(u, v, u * v + (1 + tape.below(4)) / 4)


@dataclasses.dataclass(frozen=True)
class Start:
    """A start (u, v) of the network uvx with the sample (1, y), off M and not balanced."""

    u: float | np.ndarray
    v: float | np.ndarray
    y: float | np.ndarray


@st.composite
def wide_products(draw):
    """Starts with u, v, y in halves of [-2, 2], any signs, |u| != |v|, uv != y. Shrinks to u = 1/2, v = 0, y = 1/2."""
    tape = draw(tapes(3))
    u, v, y = (tape.integers(3, 4) / 2).tolist()
    u += (abs(u) == abs(v)) / 2
    return Start(u, v, y + (u * v == y) / 2)


def descend(product, eta):
    """To convergence: r <- r(1 - eta(u^2 + v^2) + eta^2 r uv) is between 0 and (1 - eta m)r as eta |w|^2 <= 1/2."""
    steps = steps_to_contract(1 - eta * product.size, CONVERGED)
    return *product_descent(product.u, product.v, product.y, eta, steps), steps


@dataclasses.dataclass(frozen=True)
class SquaresDifference:
    """The network (u^2 - v^2)'x with one sample, x > 0 (3,), u >= v > 0 (3,) and f < y: u only grows, v only shrinks.

    Proof, by induction over steps with eta * largest <= 1/2. Where r < 0, m_j = -2 eta r x_j is at most 1/4. u^2 - v^2
    and u^2 + v^2 grow by 2m(u^2 + v^2) + m^2(u^2 - v^2) and by 2m(u^2 - v^2) + m^2(u^2 + v^2), neither negative; so
    the kernel K = 4 sum_j x_j^2 (u_j^2 + v_j^2) grows as well, and r <- r(1 - eta K + 4 eta^2 r sum_j x_j^3 w_j) is
    between 0 and (1 - eta K)r, which leaves r < 0.
    """

    x: np.ndarray
    u: np.ndarray
    v: np.ndarray
    missing: float | np.ndarray

    @property
    def X(self):
        """The design (B, 1, 3)."""
        return self.x[:, None, :]

    @property
    def y(self):
        """The target (B, 1), by `missing` above f."""
        return (np.vecdot(self.x, self.u**2 - self.v**2) + self.missing)[:, None]

    @property
    def g(self):
        """The initial X'r (B, 3)."""
        return -self.missing[:, None] * self.x

    @property
    def kernel(self):
        """The initial K, the smallest on the way."""
        return 4 * np.vecdot(self.x**2, self.u**2 + self.v**2)

    @property
    def largest(self):
        """A bound on K: u^2 + v^2 = sqrt(w^2 + 4 (uv)^2) grows no more than w, and x'w by at most what is missing."""
        return self.kernel + 4 * self.x.max(-1) * self.missing


@st.composite
def squares_differences(draw):
    """Starts with x in 1..3, u in 1..2, v in 1/4..u and y - f in 1/4..1, in quarters. Shrinks to x = u = 1, v = 1/4."""
    tape = draw(tapes(3 * 3 + 1))
    x, u = 1.0 + tape.naturals(3, 3), 1 + tape.naturals(3, 5) / 4
    v = np.array([1 + tape.below(round(4 * most)) for most in u]) / 4
    return SquaresDifference(x, u, v, (1 + tape.below(4)) / 4)


def separate(network, eta):
    """To convergence, within a number of steps known beforehand."""
    steps = steps_to_contract(1 - eta * network.kernel, CONVERGED)
    return *diagonal_descent(network.X, network.y, network.u, network.v, eta, steps), steps


def polar(sum_of_roots, product_of_roots):
    """Modulus q and angle of the roots q exp(+-i angle) of the recurrence e_{t+1} = b e_t - q^2 e_{t-1}."""
    q = np.sqrt(product_of_roots)
    return q, np.arccos(sum_of_roots / (2 * q))


def momentum_modes(z, q, angle, t):
    """The factor e_t/e_0 of the recurrence with roots q exp(+-i angle) and e_1 = (1 - z) e_0."""
    return q**t * (np.cos(t * angle) + ((1 - z) / q - np.cos(angle)) * np.sin(t * angle) / np.sin(angle))


def momentum_iterate(problem, factors):
    """The iterate w_0 + V diag((1 - factors)/s) U'(y - Xw_0), with factors (B, n)."""
    modes = (1 - factors) * problem.modes(problem.y - np.matvec(problem.X, problem.w0))
    return problem.w0 + np.matvec(problem.V, problem.divide_by_s(modes))


def momentum_rounding(problem, run):
    """How far an iterate with momentum may be from the exact one, to first order in u.

    An error of one step is multiplied, in all steps after it, by at most 1/(1 - 0.85) in null(X); in row(X) all its
    multiples q^t sin((t + 1) angle)/sin(angle) add up to at most 1/(sin(angle)(1 - q)) <= ECHO. That is largest at
    z = 0.009: 228.2 for heavy ball, where sin(angle) = 0.0561 and q = 0.9220, and 246.2 for Nesterov, where they are
    0.0494 and 0.9178. The closed form loses as much. Momentum doubles the operations of a step.
    """
    return 2 * iterate_rounding(problem, dataclasses.replace(run, steps=run.steps / (1 - MOMENTUM) + ECHO))


def tilted(problem):
    """L and k of a metric D = LL' in which descent from w_0 ends at the nearest interpolant plus the null vector N_1.

    L = VV' + NN' + N_1 k'V' with k = c/|c|^2, c the modes of the way from w_0 to the interpolant. XDX' = XX', so steps
    and contraction are those of plain descent, and |k| <= 1 because w_0 is off M by at least 1.
    """
    way = nearest_interpolant(problem.X, problem.y, problem.w0) - problem.w0
    modes = np.vecmat(way, problem.V)
    k = np.matvec(problem.V, modes) / (modes**2).sum(-1, keepdims=True)
    identity = problem.V @ problem.V.mT + problem.N @ problem.N.mT
    return identity + problem.N[:, :, 0, None] * k[:, None, :], k


@as_printed(part="(a)")
@given_batches(problem=regressions())
def test_a_start_moved_along_the_null_space_moves_its_limit_as_far(problem):
    # given  a second start, off by the unit vector z in null(X)
    z = problem.N[:, :, 0]
    # when   two limits
    limits = [limit_of_descent(problem, w) for w in (problem.w0, problem.w0 + z)]
    # then
    moved = norm(limits[1].w - limits[0].w - z, axis=-1)
    assert_at_most(moved, limits[0].radius + limits[1].radius, why="limit moved by z", instance=problem)


@as_printed(part="(a)")
@given_batches(problem=regressions())
def test_it_moves_every_iterate_as_far(problem):
    z = problem.N[:, :, 0]
    runs = [gradient_descent(problem.X, problem.y, w, problem.eta, problem.t) for w in (problem.w0, problem.w0 + z)]
    slack = iterate_rounding(problem, runs[0]) + iterate_rounding(problem, runs[1])
    assert_at_most(norm(runs[1].w - runs[0].w - z, axis=-1), slack, why="iterate moved by z", instance=problem)


@necessity("H1", part="(a)")
@given_batches(problem=regressions())
def test_without_H1_a_start_moved_within_the_row_space_keeps_its_limit(problem):
    # given  a second start, off by the unit vector v_1 in row(X)
    starts = problem.w0, problem.w0 + problem.V[:, :, 0]
    limits = [limit_of_descent(problem, w) for w in starts]
    # then
    slack = limits[0].radius + limits[1].radius
    assert_at_most(norm(limits[1].w - limits[0].w, axis=-1), slack, why="one limit", instance=problem)


@counterexample(part="(b)")
def test_two_learning_rates_find_one_minimum_of_least_squares():
    # given  x = (1, 2), y = 1 from zero: eta = 1/5 is one step, eta = 1/10 halves the distance, both for ever exactly
    problem = line([[1, 2]], [1], [0, 0], [0, 0], ["1/5", "1/10"])
    runs = [exact_descent(problem.X, problem.y, problem.w0, eta, 8) for eta in problem.legal]
    limits = {extrapolated(run) for run in runs}
    # then
    end = fractions(["1/5", "2/5"])
    assert_identical([runs[0][1], runs[1][8] - end], [end, -end / 2**8], why="one step, and eight halvings")
    assert_violates(
        2, len(limits), reads="{value} learning rates > {limit} minimum, (1/5, 2/5)", x=[1, 2], y=1, eta=problem.legal
    )


@counterexample(part="(b)")
def test_hypothesis_finds_two_learning_rates_with_one_minimum():
    # given  least squares with integer data, a start off M and two legal rates
    def limits(problem):
        return {extrapolated(exact_descent(problem.X, problem.y, problem.w0, eta, 2)) for eta in problem.legal}

    found = smallest_violation(lines(), lambda problem: problem.residual(problem.w0) and len(limits(problem)) == 1)
    # then
    assert_violates(
        2, len(limits(found)), reads="{value} learning rates > {limit} minimum", x=found.X[0], y=found.y, w0=found.w0
    )


@under_hypotheses("H2", "H3", part="(b)")
def test_two_learning_rates_find_two_minima_of_a_product():
    # given  f = uvx, the sample (1, -1), the start (3, 2); one step each
    ends = [product_step(Fraction(3), Fraction(2), -1, Fraction(1, denominator)) for denominator in (7, 6)]
    # then   both are minima, and descent at either rate is stable there: eta (u^2 + v^2) < 2
    assert_identical(ends, [(1, -1), (Fraction(2, 3), Fraction(-3, 2))], why="where a step leads")
    curvatures = [(u**2 + v**2) / denominator for (u, v), denominator in zip(ends, (7, 6), strict=True)]
    assert_at_most(max(curvatures), Fraction(1, 2), why="eta times the curvature at the minimum")


@corrected("C1", part="(b)")
@given(st.tuples(*[st.integers(-4, 4)] * 3), st.integers(1, 20))
def test_every_step_on_a_product_multiplies_what_the_flow_keeps(start, k):
    # given  f = uvx and any learning rate, in exact arithmetic
    u, v, y = map(Fraction, start)
    (u1, v1), eta = product_step(u, v, y, Fraction(1, k)), Fraction(1, k)
    # then
    kept = (1 - eta**2 * (u * v - y) ** 2) * (u**2 - v**2)
    assert_identical(u1**2 - v1**2, kept, why="u^2 - v^2 after a step")


@under_hypotheses("H2", "H3", part="(b)")
@given_batches(product=products())
def test_learning_rates_far_enough_apart_find_minima_that_are_apart(product):
    # given  eta |w|^2 <= 1/2 on the way, and eta' = eta^2 m/4
    large = 1 / (2 * product.largest)
    small = large**2 * product.size / 4
    # when
    (u, v, _), (u_small, v_small, steps) = descend(product, large), descend(product, small)
    # then   both interpolate, within their a priori budgets
    slack = 32 * steps * UNIT_ROUNDOFF * product.largest
    residual = np.maximum(abs(u * v - product.y), abs(u_small * v_small - product.y))
    assert_at_most(residual, CONVERGED * -product.residual + slack, why="residuals", instance=product)
    # and    u^2 - v^2 is below (1 - eta^2 r^2), above (1 - eta' r^2/m) times what it was: apart by 3/4 eta^2 r^2 of it
    before, r2 = product.u**2 - product.v**2, product.residual**2
    assert_at_most(u**2 - v**2, (1 - large**2 * r2) * before + slack, why="large rate", instance=product)
    assert_at_most((1 - small * r2 / product.size) * before, u_small**2 - v_small**2 + slack, why="small rate")
    gap = u_small**2 - v_small**2 - (u**2 - v**2)
    assert_at_most(0.75 * large**2 * r2 * before, gap + 2 * slack, why="gap of the two limits", instance=product)


@corrected("C1", part="(b)")
@given(tapes(6 + 2 + 3 + 3 + 1))
def test_every_step_on_a_difference_of_squares_multiplies_what_the_flow_keeps(tape):
    # given  two samples of three features, and any learning rate, in exact arithmetic
    X, y, u, v = (fractions(tape.integers(shape, 3).astype(int).tolist()) for shape in ((2, 3), 2, 3, 3))
    eta = Fraction(1, 1 + tape.below(20))
    # when
    u1, v1 = diagonal_step(X, y, u, v, eta)
    # then   with g = X'r from its definition
    g = X.T @ (X @ (u * u - v * v) - y)
    assert_identical(u1 * v1, (1 - 4 * eta**2 * g * g) * u * v, why="uv after a step")
    assert_identical(v * u1 - u * v1, -4 * eta * g * u * v, why="u shrinks where v grows")


@under_hypotheses("H2", "H3", part="(b)")
@given_batches(network=squares_differences())
def test_learning_rates_far_enough_apart_find_differences_of_squares_that_are_apart(network):
    # given  eta K = 1/2 at most on the way, and eta' = eta^2 k/4
    large = 1 / (2 * network.largest)
    small = large**2 * network.kernel / 4
    # when
    (u, v, _), (u_small, v_small, steps) = separate(network, large), separate(network, small)
    # then   both interpolate, within their a priori budgets
    slack = 32 * steps * UNIT_ROUNDOFF
    ends = np.stack([u**2 - v**2, u_small**2 - v_small**2])
    residual = np.abs(np.vecdot(ends, network.x) - network.y[:, 0]).max(0)
    assert_at_most(residual, CONVERGED * network.missing + slack * network.largest, why="residuals", instance=network)
    # and    uv is below 1 - 4 eta^2 g^2, above 1 - 4 eta' g^2/k = 1 - eta^2 g^2 times what it was: apart in every entry
    kept, kept_small = u * v / (network.u * network.v), u_small * v_small / (network.u * network.v)
    fall, rounding = (large[:, None] * network.g) ** 2, slack[:, None]
    assert_at_most(kept, 1 - 4 * fall + rounding, why="large rate", instance=network)
    assert_at_most(1 - fall, kept_small + rounding, why="small rate", instance=network)
    assert_at_most(3 * fall, kept_small - kept + 2 * rounding, why="gap of the two limits", instance=network)


@corrected("C2", part="(b)")
@pytest.mark.parametrize("K", [10, 1000])
def test_the_two_bounds_on_a_product_are_nearly_attained(K):
    # given  (K, 0) and y = 1: m = K^2 hardly grows, and eta = 1/(2 m)
    product = Product(np.array([float(K)]), np.array([0.0]), np.array([1.0]))
    eta = 1 / (2 * product.largest)
    # when   r_t halves at every step, so that sum r_t^2 = 4/3
    u, v, steps = descend(product, eta)
    loss = 1 - (u**2 - v**2) / product.size
    # then   eta^2 is 3/4, and eta/m two thirds, of what the bounds of C2 say
    lower, upper, rounding = eta**2, eta / product.size, 32 * steps * UNIT_ROUNDOFF
    assert_within(lower, loss, upper, slack=rounding, why="what u^2 - v^2 loses")
    assert_at_most(upper / 2, loss + rounding, why="more than half of the larger bound")
    assert_at_most(loss / 2, lower + rounding, why="less than twice the smaller bound")


@corrected("C3", part="(b)")
def test_the_two_bounds_on_a_difference_of_squares_are_nearly_attained():
    # given  x = 1, u = v = 10 and y = 1/8: the kernel k = 800 hardly grows, and eta = 1/(2 k)
    network = SquaresDifference(np.ones((1, 1)), np.full((1, 1), 10.0), np.full((1, 1), 10.0), np.array([1 / 8]))
    eta = 1 / (2 * network.largest)
    # when   g_t halves at every step
    u, v, steps = separate(network, eta)
    loss = 1 - u * v / (network.u * network.v)
    # then
    lower, upper = 4 * (eta * network.g[0]) ** 2, 4 * eta * network.g[0] ** 2 / network.kernel
    rounding = 32 * steps * UNIT_ROUNDOFF
    assert_within(lower, loss[0], upper, slack=rounding, why="what uv loses")
    assert_at_most(upper / 2, loss[0] + rounding, why="more than half of the larger bound")
    assert_at_most(loss[0] / 2, lower + rounding, why="less than twice the smaller bound")


@pytest.mark.slow
@corrected("C2", part="(b)")
@given(tapes(6), st.integers(1, 4))
def test_at_every_scale_the_bounds_on_a_product_hold_from_the_first_step_on(tape, t):
    # given  exact arithmetic, u, v and y - uv from 2^-20 to 2^20 and the longest step, or one 2^20 times shorter
    u = Fraction(2) ** (tape.below(41) - 20)
    v = u * tape.choice((Fraction(0), Fraction(1, 2), 1 - Fraction(1, 2**20)))
    missing = Fraction(2) ** (tape.below(41) - 20)
    y, m = u * v + missing, u**2 + v**2
    eta = tape.choice((Fraction(1), Fraction(1, 2**20))) / (2 * (u**2 - v**2 + 2 * y))
    # when
    end = u, v
    for _ in range(t):
        end = product_step(*end, y, eta)
    # then
    kept = (end[0] ** 2 - end[1] ** 2) / (u**2 - v**2)
    assert_within(1 - eta * missing**2 / m, kept, 1 - (eta * missing) ** 2, why="what is kept of u^2 - v^2")


@pytest.mark.slow
@corrected("C3", part="(b)")
@given(tapes(12), st.integers(1, 3))
def test_at_every_scale_the_bounds_on_a_difference_of_squares_hold_from_the_first_step_on(tape, t):
    # given  exact arithmetic, x, u, v and y - x'w from 2^-20 to 2^20, and the longest step, or one 2^20 times shorter
    def powers(count):
        return np.array([Fraction(2) ** (tape.below(41) - 20) for _ in range(count)])

    x, u = powers(2), powers(2)
    v = u * np.array([tape.choice((Fraction(1), Fraction(1, 2), Fraction(1, 2**20))) for _ in u])
    missing, k = powers(1)[0], 4 * (x**2) @ (u**2 + v**2)
    X, y = x[None], np.array([x @ (u**2 - v**2) + missing])
    eta = tape.choice((Fraction(1), Fraction(1, 2**20))) / (2 * (k + 4 * x.max() * missing))
    # when
    end = u, v
    for _ in range(t):
        end = diagonal_step(X, y, *end, eta)
    # then
    kept, g = end[0] * end[1] / (u * v), missing * x
    assert_within(1 - 4 * eta * g**2 / k, kept, 1 - 4 * (eta * g) ** 2, why="what is kept of uv")


@corrected("C2", part="(b)")
def test_a_start_of_two_signs_shrinks_first_and_breaks_the_lower_bound():
    # given  (1, -9/10), y = 1, eta = 1/1000: u and -v shrink until uv = 0, so that u^2 + v^2 falls below m
    u, v, eta = np.array([1.0]), np.array([-0.9]), np.array([1e-3])
    # when   15,000 steps
    end_u, end_v = product_descent(u, v, 1.0, eta, np.array([15_000]))
    kept, promise = (end_u**2 - end_v**2) / (u**2 - v**2), 1 - eta * 1.9**2 / (u**2 + v**2)
    # then
    rounding = 32 * 15_000 * UNIT_ROUNDOFF
    assert_at_most(abs(end_u * end_v - 1), CONVERGED**0.5, why="the run interpolates")
    assert_at_most(kept + rounding, promise, why="less is kept than the lower bound would say")


@pytest.mark.slow
@under_hypotheses("H2", "H3", part="(b)")
@given_batches(start=wide_products())
def test_from_any_start_that_is_not_balanced_two_rates_find_two_minima_of_a_product(start):
    # given  every sign and order of u, v, y; S bounds u^2 + v^2 while |r| falls, and eta (S + |r_0|) <= 1/4
    u, v, y = start.u, start.v, start.y
    kept, r = u**2 - v**2, np.abs(u * v - y)
    S = np.sqrt(kept**2 + 4 * (np.abs(y) + r) ** 2)
    eta = 1 / (4 * (S + r))
    # when   to convergence: |r'| <= (1 - 7/8 eta |u^2 - v^2|)|r|, and at least half of u^2 - v^2 is kept
    steps = steps_to_contract(1 - 7 / 16 * eta / 2 * np.abs(kept), CONVERGED)
    ends = [product_descent(u, v, y, rate, steps) for rate in (eta, eta / 2)]
    # then   u^2 - v^2 differs by more than a move to an interpolant, of length |r|/sqrt(|u^2 - v^2|), can bridge
    residual = np.max([np.abs(a * b - y) for a, b in ends], axis=0)
    slack = 32 * steps * UNIT_ROUNDOFF * (S + r)
    assert_at_most(residual, CONVERGED * r + slack, why="both interpolate", instance=start)
    invariants = [np.abs(a**2 - b**2) for a, b in ends]
    assert_at_most(np.abs(kept) / 2, np.min(invariants, axis=0), why="half is kept", instance=start)
    bridge = 4 * np.sqrt(S) * residual / np.sqrt(np.abs(kept) / 2) + slack
    assert_at_most(bridge, invariants[1] - invariants[0], why="the smaller rate keeps more", instance=start)


@necessity("H2", part="(b)")
@given_batches(problem=regressions())
def test_without_H2_all_learning_rates_find_one_minimum(problem):
    # given  a start off M
    problem = off_the_minima(problem)
    assert_keeps(H3=norm(np.matvec(problem.X, problem.w0) - problem.y, axis=-1) > 1 / 2)
    limits = [limit_of_descent(problem, problem.w0, step) for step in (1.9, 1.5)]
    # then
    slack = limits[0].radius + limits[1].radius
    assert_at_most(norm(limits[0].w - limits[1].w, axis=-1), slack, why="one limit", instance=problem)


@necessity("H3", part="(b)")
@given_batches(product=products(balanced=True))
def test_without_H3_all_learning_rates_find_one_minimum_of_a_product(product):
    # given  f = uvx, u = v, a rate and half of it; the other half of H3, off M, is kept
    assert_keeps(H2=True)
    assert_at_most(1 / 4, -product.residual, why="off M", instance=product)
    eta = 1 / (2 * product.largest)
    ends = [descend(product, eta), descend(product, eta / 2)]
    # then   u = v for ever, bit for bit, so u^2 = y in the limit: |u - sqrt(y)| = |uv - y|/(u + sqrt(y))
    assert_identical([u - v for u, v, _ in ends], np.zeros((2, len(eta))), why="u = v is kept")
    error = np.max([abs(u - np.sqrt(product.y)) for u, _, _ in ends], axis=0)
    slack = 32 * ends[1][2] * UNIT_ROUNDOFF * product.largest
    assert_at_most(error, CONVERGED * -product.residual + slack, why="both end at sqrt(y)", instance=product)


@as_printed(part="(c)")
def test_descent_in_the_metric_4_1_finds_one_half_and_one_quarter():
    # given  x = (1, 2), y = 1, D = diag(4, 1): descent on XD^(1/2) = (2, 2) in exact arithmetic, one step of 1/8
    inner = exact_descent(fractions([[2, 2]]), fractions([1]), fractions([0, 0]), Fraction(1, 8), 1)[1]
    plain = exact_descent(fractions([[1, 2]]), fractions([1]), fractions([0, 0]), Fraction(1, 5), 1)[1]
    # then   D X'(XDX')^-1 y, against X'(XX')^-1 y
    assert_identical(inner * [2, 1], fractions(["1/2", "1/4"]), why="limit in the metric")
    assert_identical(plain, fractions(["1/5", "2/5"]), why="limit of plain descent")
    run = preconditioned_descent(*HAND, 1 / 16, np.diag([4.0, 1]), 40)
    bound = 2.0**-40 + 40 * 16 * UNIT_ROUNDOFF
    assert_at_most(norm(run.w - [0.5, 0.25]), bound, why="forty halvings of the distance")


@as_printed(part="(c)")
def test_adam_and_sgd_of_torch_find_different_minima():
    # given  x = (1, 2), y = 1 from zero; eps = 0, so that Adam's step does not depend on the scale of a coordinate
    adam = train_linear(*HAND, optimizer="Adam", steps=600, lr=0.1, eps=0.0)
    sgd = train_linear(*HAND, steps=40, lr=0.1)
    # then   Adam moves along (1, 1), bit for bit, which meets M in (1/3, 1/3) only, as far off as the residual says
    assert_identical(adam[0], adam[1], why="both coordinates take the same steps")
    residual = abs(3 * adam[0] - 1)
    assert_at_most(residual, CONVERGED, why="Adam converges")
    assert_at_most(norm(adam - 1 / 3), residual / np.sqrt(2) + 4 * UNIT_ROUNDOFF, why="torch.optim.Adam")
    assert_at_most(norm(sgd - [0.2, 0.4]), 2.0**-40 + 40 * 16 * UNIT_ROUNDOFF, why="torch.optim.SGD")


@pytest.mark.slow
@corrected("C4", part="(c)")
@given(wide_regressions(), tapes(7))
def test_in_any_metric_descent_of_wide_range_approaches_the_point_of_the_formula(problem, tape):
    # given  exact arithmetic; D = diag(d) + aa' with d from 2^-20 to 2^20, and the step relative to tr(XDX')
    X, y, w, p = problem.X, problem.y, problem.w0, problem.X.shape[1]
    d = [Fraction(2) ** tape.choice((0, 1, 20, -20)) for _ in range(p)]
    D = np.diag(d) + fractions(np.outer(np.arange(p), np.arange(p)))
    gram = X @ D @ X.T
    eta = problem.eta * problem.largest_curvature / np.trace(gram)
    limit = w + D @ X.T @ solve(gram, y - X @ w)
    # when   one step
    moved = w - eta * D @ X.T @ (X @ w - y)
    # then   the limit interpolates; w - limit stays in D row(X), where r'(XDX')^-1 r is a norm, and shrinks
    assert_identical(X @ limit, y, why="the limit interpolates")
    r, after = X @ w - y, X @ moved - y
    assert_identical(moved - limit, D @ X.T @ solve(gram, after), why="w - limit lies in D row(X)")
    fall = eta * (2 - eta * np.trace(gram)) * (r @ r)
    assert_at_most(after @ solve(gram, after) + fall, r @ solve(gram, r), why="descent in the metric", instance=problem)


@as_printed(part="(c)")
@given_batches(problem=regressions())
def test_some_metric_moves_the_limit_by_a_given_unit_null_vector(problem):
    # given  a start off M; the target: the nearest interpolant plus the unit null vector N_1
    problem = off_the_minima(problem)
    L, k = tilted(problem)
    eta = 1.5 / problem.sigma_max**2
    plain = limit_of_descent(problem, problem.w0, 1.5)
    # when
    run = preconditioned_descent(problem.X, problem.y, problem.w0, eta, L @ L.mT, plain.run.steps)
    # then   |D| <= 4, and D costs a step as many roundings as X and X'
    slack = 16 * (plain.radius + interpolant_rounding(problem, problem.w0))
    moved = norm(run.w - plain.w - problem.N[:, :, 0], axis=-1)
    assert_at_most(moved, slack, why="limit moved by the null vector", instance=problem)
    # and    it is the interpolant nearest to w_0 in the metric, by LAPACK on XL from L^-1 w_0 = w_0 - N_1 k'w_0
    inner = problem.w0 - np.vecdot(k, problem.w0)[:, None] * problem.N[:, :, 0]
    nearest = np.matvec(L, nearest_interpolant(problem.X @ L, problem.y, inner))
    assert_at_most(norm(run.w - nearest, axis=-1), slack, why="projection in the metric", instance=problem)


@as_printed(part="(c)")
@given_batches(problem=regressions())
def test_it_moves_every_iterate_by_the_share_of_the_way_gone(problem):
    problem = off_the_minima(problem)
    L, k = tilted(problem)
    # when   at the drawn step and time
    plain = gradient_descent(problem.X, problem.y, problem.w0, problem.eta, problem.t)
    run = preconditioned_descent(problem.X, problem.y, problem.w0, problem.eta, L @ L.mT, problem.t)
    # then
    share = np.vecdot(k, plain.w - problem.w0)
    error = norm(run.w - plain.w - share[:, None] * problem.N[:, :, 0], axis=-1)
    slack = 16 * (iterate_rounding(problem, run) + interpolant_rounding(problem, problem.w0))
    assert_at_most(error, slack, why="iterate in the metric", instance=problem)


@necessity("H4", part="(c)")
@pytest.mark.parametrize("method", [heavy_ball, nesterov])
@given_batches(problem=regressions())
def test_without_H4_momentum_finds_the_minimum_of_plain_descent(method, problem):
    # given  every mode of either method shrinks by at most 4 * 0.85^(t/2) in t steps
    steps = int(steps_to_contract(np.sqrt(MOMENTUM), CONVERGED / 4))
    nearest = nearest_interpolant(problem.X, problem.y, problem.w0)
    # when
    run = method(problem.X, problem.y, problem.w0, LONG_STEP / problem.sigma_max**2, MOMENTUM, steps)
    # then
    assert_certified(distance_to_limit(problem, run, problem.w0, nearest))
    left = CONVERGED * norm(np.matvec(problem.X, problem.w0) - problem.y, axis=-1) / problem.sigma_min
    bound = left + momentum_rounding(problem, run) + interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(run.w - nearest, axis=-1), bound, why="within the budget", instance=problem)


@necessity("H4", part="(c)")
@pytest.mark.parametrize("method", [heavy_ball, nesterov])
@given_batches(problem=regressions())
def test_without_H4_momentum_only_changes_the_pace_of_each_mode(method, problem):
    # given  z = eta s_i^2 in [0.009, 0.9], where both methods have complex roots
    eta = LONG_STEP / problem.sigma_max**2
    z = np.where(problem.s > 0, eta[:, None] * problem.s**2, 0.5)
    # when
    run = method(problem.X, problem.y, problem.w0, eta, MOMENTUM, problem.t)
    # then
    q, angle = polar(*RECURRENCE[method](z))
    assert_at_most((1 / (np.sin(angle) * (1 - q))).max(-1), ECHO, why="what an error of one step adds up to")
    factors = momentum_modes(z, q, angle, problem.t[:, None])
    error = norm(run.w - momentum_iterate(problem, factors), axis=-1)
    assert_at_most(error, momentum_rounding(problem, run), why="iterate with momentum", instance=problem)


@necessity("H4", part="(c)")
def test_without_H4_momentum_of_torch_finds_the_minimum_of_plain_descent():
    # given  x = (1, 2), y = 1 from zero, eta |x|^2 = 1/2, momentum 1/2: both methods have roots of modulus <= sqrt(1/2)
    runs = [train_linear(*HAND, steps=90, lr=0.1, momentum=0.5, nesterov=ahead) for ahead in (False, True)]
    # then   what is left after 90 steps is at most 4 * 2^-45
    bound = 4 * 2.0**-45 + 90 * 64 * UNIT_ROUNDOFF
    assert_at_most(np.max(norm(np.array(runs) - [0.2, 0.4], axis=-1)), bound, why="torch.optim.SGD with momentum")
