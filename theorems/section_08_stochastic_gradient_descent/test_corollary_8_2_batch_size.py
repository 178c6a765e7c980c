r"""Corollary 8.2 - smaller batches have more noise; whether that regularizes, flattens or helps is up to the problem.

Section     8.2
Printed     Smaller batch sizes increase noise, leading to: (1) stronger implicit regularization, (2) flatter minima,
            (3) better generalization (up to a point). This explains the generalization gap between large and small
            batch training
Reading     (a) is about the covariance of the minibatch gradient, and of SGD about its minimum. (b) to (d) are taken as
            statements about SGD with one step and two batch sizes, the data being what they are: (b) the noise moves
            the limit, as in Section 3.3: its variance V and the squared distance d of the limits have $V \le C\,d$. (c)
            the minimum in which the smaller batch is found is not the sharper one. (d) the smaller batch has not the
            larger risk, for some range of batch sizes at least. (e) is what Experiment 5 takes for granted, that a
            larger step undoes a larger batch: $(k\eta, kB)$ has the noise of $(\eta, B)$
Setting     $L = \frac1n \sum_i f_i$; minibatches of B samples out of n, drawn with or without replacement, with
            $f_B = \frac1B$ or $\frac{n-B}{B(n-1)}$. Least squares: $f_i = \frac12 (x_i^\top w - y_i)^2$, $H_i = x_i
            x_i^\top$, H their mean, $g_i$ the gradients at the minimum, C their covariance, and
            $T_B(S) = E[(I - \eta H_B) S (I - \eta H_B)] = (I - \eta H)S(I - \eta H) + \eta^2 f_B (E[H_i S H_i] - HSH)$
Hypotheses  (H1) SGD is stable in mean square: $\rho(T_B) < 1$; then its covariance has the limit S = T_B(S) + \eta^2
            f_B C.  (H2) $|2 \eta g_{ij}| < 1$ for the gradients of all samples.  (H3) $k \eta h < 2$.
Parts       (a) noise - holds
            (b) stronger regularization - refuted
            (c) flatter - refuted
            (d) generalization - refuted
            (e) linear scaling - refuted
Corrected   (b): for $w = u^2 - v^2$ one step multiplies $u_j v_j$ by $1 - (2 \eta g_{Bj})^2$, and the mean of its
            logarithm falls as B does (H2). (c): $\rho(T_B)$ does not increase with B, so that the minima at which SGD
            can stay become fewer as B falls; under (H1) they have $\eta(f_B E|x_i|^4 + (1 - f_B) \operatorname{tr} H^2)
            < 2 \operatorname{tr} H$, hence $\operatorname{tr} H < 2/(\eta f_B)$, sharp at B = 1. (d): the excess of a
            quadratic risk is tr(G S_B)/2 and falls as B grows (H1); between two minima the target decides which batch
            does better. (e): under constant noise, $S = \frac{\eta}{B} \frac{c}{h(2 - \eta h)}$, so that the rule has
            the excess $(2 - \eta h)/(2 - k \eta h)$ (H3); a step that grows by the root of k keeps $\eta^2/B$
Idea        Variance of a mean. In least squares the noise acts on the second moment only, through a positive operator
            that is monotone in f_B: more noise is more variance, and no bias. To leave a sharp well takes less noise
            than to leave a flat one, so that much noise, which leaves both, evens out their shares: the smaller batch
            may have the larger share in the sharp well. For the bound on tr H: $T_B$ is self-adjoint for the trace, and
            $\operatorname{tr} T_B(I) \ge p$ once the inequality fails.
Source      Wu, Ma, E (2018), How SGD Selects the Global Minima in Over-parameterized Learning: A Dynamical Stability
            Perspective; Wu, Wang, Su (2022), The Alignment Property of SGD Noise and How It Helps Select Flat Minima:
            A Stability Analysis; Pesme, Pillaud-Vivien, Flammarion (2021), Implicit Bias of SGD for Diagonal Linear
            Networks: a Provable Benefit of Stochasticity; Goyal et al. (2017), Accurate, Large Minibatch SGD (the rule
            of linear scaling); O'Cinneide (1993), Entrywise Perturbation Theory and Error Analysis for Markov Chains.
            The bound on tr H for rows of any length, and the witnesses, are ours
Tolerance   Fractions, but for spectral radii, which are enclosed by a Rayleigh quotient and by a positive S with
            T(S) <= lambda S, and for chains of Gaussian noise, whose laws and times GTH finds to 4 k^3 u for k states
Chance      None: laws are enumerated or solved for
Findings    The bound on tr H needs no rows of equal length. It does not make (c) true: with samples that differ more at
            the flatter of two minima, batches of one leave it for the sharper. Of constant noise in two wells both
            orders occur: in whole numbers, with noise 2, steps eta h = 5/4, 3/2, 7/4 and 1/2, 2/3, 3/4 and the wells 2
            to 8 apart, batches of one are more often in the sharp well than batches of two on 21 of 63 chains, less
            often on 11. With h = 8 and 1 and Gaussian noise of variance 4/B, eta = 1/10, the shares of the sharp well
            at B = 1, 2, 4, 8 are 3.0e-2, 1.8e-3, 5.0e-6, 3.5e-11, and it is left once in 1.5e3, 3.3e5, 1.3e10,
            1.4e19 steps
Expected    refuted
"""

import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.diagonal import diagonal_step
from fixtures.dynamics.markov_chains import escape_time, gth_rounding, stationary_law
from fixtures.dynamics.minibatch_law import (
    mean_and_covariance,
    minibatch_gradients,
    minibatches,
    moment_operator,
    noise_share,
    sample_gradients,
    second_moments,
    stationary_covariance,
)
from fixtures.dynamics.two_well_chains import fixed_point_chain, gaussian_chain
from fixtures.models.landscapes import TwoMinima, TwoWells, mean_square_multiplier
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions, inverse, leading_pivots
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within, record_series
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, observed, under_hypotheses

NOISE_FACTOR = 10**6
"""The constant C of V <= C d that is refuted."""
GAUSSIAN_WELLS = TwoWells(1.0, 8.0, -1.5, 1.0)
BATCHES = np.array([1, 2, 4, 8])
SHARP = [Fraction(5, 4), Fraction(3, 2), Fraction(7, 4)]
FLAT = [Fraction(1, 2), Fraction(2, 3), Fraction(3, 4)]


@dataclasses.dataclass(frozen=True)
class Sampled:
    """Least squares X (n, 2), y (n,), weights w (2,), a step eta with eta max |x_i|^2 <= 1, and whether rows repeat."""

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray
    eta: Fraction
    replacement: bool

    @property
    def shares(self):
        """The shares f_B for B = 1 ... n."""
        return [noise_share(len(self.X), batch, self.replacement) for batch in range(1, len(self.X) + 1)]

    def minibatches(self, batch):
        """All equally likely minibatches of this size."""
        return minibatches(len(self.X), batch, self.replacement)


@st.composite
def sampled(draw, rows=(3, 2, 4)):
    """Rows of small integers that span the plane, in fractions. Shrinks to rows e_1, e_2, 0 and y = w = 0."""
    tape = draw(tapes(18))
    n = tape.choice(rows)
    X, y, w = (fractions(tape.integers(shape, 3).astype(int)) for shape in ((n, 2), n, 2))
    if X[0, 0] * X[1, 1] == X[0, 1] * X[1, 0]:
        X[:2] = fractions([[1, 0], [0, 1]])
    eta = tape.choice((Fraction(1), Fraction(1, 2), Fraction(3, 4))) / max((X**2).sum(1))
    return Sampled(X, y, w, eta, bool(tape.below(2)))


def noise_and_movement(X, y, eta):
    """The variance of a sample's gradient at 0, and how far two steps of any minibatches lead off row(X), squared.

    Limits that interpolate differ by a vector in null(X) only, so by what their runs have moved off row(X).
    """
    off = np.eye(X.shape[1], dtype=int) - X.T @ inverse(X @ X.T) @ X
    moved = 0
    for batch in range(1, len(X) + 1):
        w = np.zeros_like(X[:1])
        for _ in range(2):
            w = (w[:, None, :] - eta * minibatch_gradients(X, y, w, batch, False)).reshape(-1, X.shape[1])
        moved = max(moved, max(((w @ off) ** 2).sum(1)))
    return np.trace(mean_and_covariance(sample_gradients(X, y, np.zeros_like(X[0])))[1]), moved


def kept_products(problem, u, v, eta, batch):
    """The factors by which a step on each minibatch multiplies u_j v_j, (K, 2)."""
    chosen = problem.minibatches(batch)
    U, V = (np.broadcast_to(factor, (len(chosen), 2)) for factor in (u, v))
    rates = np.full((len(chosen), 1), eta / batch, object)
    after_u, after_v = diagonal_step(problem.X[chosen], problem.y[chosen], U, V, rates)
    return after_u * after_v / (u * v)


def mass_in_sharp_well(wells, noise, batch):
    """The stationary probability of the sharp well, for SGD in whole numbers with the step 1; exact, pi P = pi."""
    states, P = fixed_point_chain(wells, noise, batch)
    pi = stationary_law(P)
    assert (pi @ P == pi).all()
    return pi[wells.in_sharp(states)].sum()


def single_sample_ends(minima, eta, start, steps):
    """Where each of the 2^steps orders of two samples leads, one sample to a step."""
    x = np.array([start])
    for _ in range(steps):
        x = (x[:, None] - eta * minima.gradients(x)).ravel()
    return x


def constant_noise(h_root, c):
    """Two samples of curvature h_root^2 whose gradients are that of their mean -+ c h_root, whatever w is."""
    return fractions([[h_root], [h_root]]), fractions([c, -c])


def stationary_variance(h_root, c, eta, batch):
    """S of `constant_noise` in minibatches drawn with replacement, from its equation."""
    return stationary_covariance(*constant_noise(h_root, c), eta, noise_share(2, batch, True))[1].item()


@as_printed(part="(a)")
@given(problem=sampled())
def test_the_covariance_of_a_minibatch_gradient_is_its_share_of_that_of_a_sample(problem):
    _, sample = mean_and_covariance(sample_gradients(problem.X, problem.y, problem.w))
    # when   every minibatch is enumerated, of two samples and of all but one
    sizes = [2, len(problem.X) - 1]
    laws = [minibatch_gradients(problem.X, problem.y, problem.w, size, problem.replacement) for size in sizes]
    # then
    expected = [problem.shares[size - 1] * sample for size in sizes]
    assert_identical([mean_and_covariance(law)[1] for law in laws], expected, why="covariance of the gradient")


@as_printed(part="(a)")
@pytest.mark.parametrize("n", range(2, 9))
def test_every_sample_more_in_a_batch_lowers_the_noise(n):
    # given  B = 1 ... n - 1
    steps = [Fraction(1, B * (B + 1)) for B in range(1, n)]
    # then   by 1/(B(B + 1)) with replacement, and n/(n - 1) times that without
    for_each_law = [[noise_share(n, B, law) - noise_share(n, B + 1, law) for B in range(1, n)] for law in (True, False)]
    assert_identical(for_each_law, [steps, [Fraction(n, n - 1) * step for step in steps]], why="fall of the share")


@under_hypotheses("H1", part="(a)")
@given(problem=sampled())
def test_a_step_on_every_minibatch_keeps_the_stationary_covariance(problem):
    # given  H1: eta max |x_i|^2 <= 1 and rows that span the plane
    w_star, S = stationary_covariance(problem.X, problem.y, problem.eta, problem.shares[1])
    # when
    rows = problem.X[problem.minibatches(2)]
    A = np.eye(2, dtype=int) - problem.eta * (rows.mT @ rows / 2)
    g = problem.eta * minibatch_gradients(problem.X, problem.y, w_star, 2, problem.replacement)
    # then
    assert_identical(g.sum(0), [0, 0], why="mean gradient at the minimum")
    after = (A @ S @ A + g[:, :, None] * g[:, None, :]).sum(0) / len(rows)
    assert_identical(after, S, why="E[(A e - eta g)(A e - eta g)'] for Cov e = S")


@under_hypotheses("H1", part="(a)")
@given(problem=sampled(rows=(3, 2)))
def test_the_covariance_falls_in_every_direction_as_batches_grow(problem):
    # given  H1
    limits = [stationary_covariance(problem.X, problem.y, problem.eta, f) for f in problem.shares]
    late, w_star = [S for _, S in limits], limits[0][0]
    # when   samples one by one, two steps from the minimum
    moments = second_moments(problem.X, problem.y, w_star, problem.eta, 2, problem.shares[0])
    early = moments[2][:2, :2] - np.outer(w_star, w_star)
    # then   pivots of the differences, and of limit - early
    falls = [*itertools.pairwise(late), (late[0], early)]
    pivots = [float(min(leading_pivots(more - less))) for more, less in falls]
    assert_at_most(0, pivots, why="a fall of the covariance is semidefinite")


@necessity("H1", part="(a)")
def test_without_H1_the_variance_grows_without_bound():
    # given  h_i = 1/4, 4 and eta = 3/4: E(1 - eta h_i)^2 = 597/256 > 2, although eta h < 2
    X, y, eta = fractions([["1/2"], [2]]), fractions([1, 0]), Fraction(3, 4)
    w_star, _ = stationary_covariance(X, y, eta, 0)
    moments = second_moments(X, y, w_star, eta, 8, noise_share(2, 1, False))
    # then
    variances = [M[0, 0] - w_star[0] ** 2 for M in moments]
    assert_at_most([2 * float(v) for v in variances[1:-1]], [float(v) for v in variances[2:]], why="a step doubles it")
    assert_at_most(1 / 100, float(variances[1]), why="variance after one step")


@counterexample(part="(b)")
def test_in_overparameterized_regression_the_noise_moves_no_limit():
    # given  orthogonal rows of length 3, w_0 = 0 and eta = 1/9
    X, y, eta = fractions([[1, 2, 2], [2, 1, -2]]), fractions([3, 3]), Fraction(1, 9)
    limit = X.T @ inverse(X @ X.T) @ y
    # when   batches of one and of two: E|w_t - limit|^2, from the moments of (w, 1)
    away = np.block([np.eye(3, dtype=int), -limit[:, None]])
    laws = [second_moments(X, y, 0 * limit, eta, 6, noise_share(2, batch, False)) for batch in (1, 2)]
    left = [[np.trace(away @ M @ away.T) / (limit @ limit) for M in moments] for moments in laws]
    assert_identical(left[0], [Fraction(1, 2) ** t for t in range(7)], why="batches of one tend to the limit")
    assert_identical(left[1], [Fraction(1, 4) ** t for t in range(7)], why="batches of two tend to the limit")
    # then
    V, d = noise_and_movement(X, y, eta)
    assert_violates(V, NOISE_FACTOR * d, reads="gradient variance {value} > {limit} = C d for every C", X=X, y=y)


@counterexample(part="(b)")
def test_hypothesis_finds_noise_that_moves_no_limit():
    def violates(instance):
        X, y = fractions(instance[0]).reshape(2, 3), fractions(instance[1])
        V, d = noise_and_movement(X, y, Fraction(1, 4)) if np.linalg.det((X @ X.T).astype(float)) > 1 / 2 else (0, 0)
        return NOISE_FACTOR * d < V

    entries = st.integers(-2, 2)
    rows, targets = smallest_violation(
        st.tuples(st.lists(entries, min_size=6, max_size=6), st.lists(entries, min_size=2, max_size=2)), violates
    )
    X, y = fractions(rows).reshape(2, 3), fractions(targets)
    V, d = noise_and_movement(X, y, Fraction(1, 4))
    assert_violates(V, NOISE_FACTOR * d, reads="gradient variance {value} > {limit} = C d", X=X, y=y)


@corrected(part="(b)")
@given(problem=sampled(rows=(3, 2)), tape=tapes(5))
def test_in_a_diagonal_net_a_step_shrinks_the_products_more_the_smaller_the_batch(problem, tape):
    # given  H2: the largest |2 eta g_ij| is 1/2, 1/4 or 7/8
    u, v = fractions(1 + tape.naturals((2, 2), 5)) / 2
    largest = np.abs(sample_gradients(problem.X, problem.y, u**2 - v**2)).max()
    eta = tape.choice((Fraction(1, 2), Fraction(1, 4), Fraction(7, 8))) / (2 * max(largest, Fraction(1)))
    # when   the products over all minibatches, to powers that give all sizes the same number of factors
    kept = [kept_products(problem, u, v, eta, batch) for batch in range(1, len(problem.X) + 1)]
    common = math.lcm(*map(len, kept))
    means = [factors.prod(0) ** (common // len(factors)) for factors in kept]
    # then   exp of common * E log|uv|_1/|uv|_0 grows with B, and is below 1
    rises = np.diff([*means, fractions([1, 1])], axis=0)
    assert_at_most(0, rises.astype(float).ravel(), why="E log of the products as batches grow")


@corrected(part="(b)")
def test_in_a_diagonal_net_the_products_of_a_smaller_batch_are_strictly_smaller():
    # given  x = (1, 0), (0, 1), y = 0, u = 2, v = 1, eta = 1/24: a = 2 eta g = 1/4 for one sample, 1/8 for their mean
    problem = Sampled(fractions([[1, 0], [0, 1]]), fractions([0, 0]), None, None, False)
    one, both = (kept_products(problem, fractions([2, 2]), fractions([1, 1]), Fraction(1, 24), B) for B in (1, 2))
    # then   each product over two samples against the square for the pair
    assert_identical(one.prod(0), fractions(["15/16"] * 2), why="(1 - a^2) * 1")
    assert_identical(both[0] ** 2, fractions([Fraction(63, 64) ** 2] * 2), why="(1 - a^2/4)^2")
    assert_at_most(15 / 16, 63**2 / 64**2, why="the smaller batch keeps less")


@necessity("H2", part="(b)")
def test_without_H2_the_products_of_the_smaller_batch_grow():
    # given  x = 1 twice, y = 2 and -2, u = v = 1 and eta = 1/2: a = -2 and 2
    problem = Sampled(fractions([[1, 0], [1, 0]]), fractions([2, -2]), None, None, False)
    one, both = (kept_products(problem, fractions([1, 1]), fractions([1, 1]), Fraction(1, 2), B) for B in (1, 2))
    # then
    assert_identical(one, [[-3, 1], [-3, 1]], why="1 - a^2")
    assert_identical(both, [[1, 1]], why="the pair has no gradient")


@counterexample(part="(c)")
def test_the_smaller_the_batch_the_more_often_it_is_in_the_sharp_well():
    # given  eta = 1, wells of equal depth at 9 and 0, h = 7/4 and 2/3, and the noise +-4 of a sample's gradient
    wells = TwoWells(9, Fraction(7, 4), 0, Fraction(2, 3))
    # when   SGD in whole numbers has its stationary law
    one, two, four = (mass_in_sharp_well(wells, 4, batch) for batch in (1, 2, 4))
    # then   1/4, 5/68 and 0.011
    assert_identical([one, two], [Fraction(1, 4), Fraction(5, 68)], why="the laws, with pi P = pi")
    reads = "stationary mass {value} of the sharp well > {limit}"
    assert_violates(one, two, reads=reads + " at B=2", sharp="7/4 at 9", flat="2/3 at 0", eta=1, noise=4, B=1)
    assert_violates(two, four, reads=reads + " at B=4", sharp="7/4 at 9", flat="2/3 at 0", eta=1, noise=4, B=2)


@counterexample(part="(c)")
def test_hypothesis_finds_two_wells_in_which_the_smaller_batch_is_more_often_in_the_sharp_one():
    def masses(instance):
        distance, sharp, flat = instance
        return [mass_in_sharp_well(TwoWells(distance, sharp, 0, flat), 2, batch) for batch in (1, 2)]

    found = smallest_violation(
        st.tuples(st.integers(2, 6), st.sampled_from(SHARP), st.sampled_from(FLAT)),
        lambda instance: masses(instance)[0] > masses(instance)[1] > 0,
    )
    one, two = masses(found)
    assert_violates(one, two, reads="mass {value} of the sharp well at B=1 > {limit} at B=2", apart_sharp_flat=found)


@observed(part="(c)")
@pytest.mark.slow
def test_the_order_of_the_masses_depends_on_the_wells():
    # given  wells 2 to 8 apart
    wells = [TwoWells(apart, h, 0, k) for apart, h, k in itertools.product(range(2, 9), SHARP, FLAT)]
    # when
    orders = [np.sign(mass_in_sharp_well(pair, 2, 1) - mass_in_sharp_well(pair, 2, 2)) for pair in wells]
    # then
    assert_identical([orders.count(sign) for sign in (1, 0, -1)], [21, 31, 11], why="more, as often, less often at B=1")


@counterexample(part="(c)")
def test_under_gaussian_noise_of_either_step_the_sharp_well_gains_as_batches_shrink():
    # given  h = 8 at 1 and h = 1 at -3/2, equal temperature eta Var/B: variances 4 and 20 of a sample's gradient
    steps = {0.1: 4.0, 0.02: 20.0}
    # when   the laws of the chains on 16 panels
    chains = [gaussian_chain(GAUSSIAN_WELLS, eta, variance / BATCHES, 8) for eta, variance in steps.items()]
    laws = [stationary_law(P) for _, P in chains]
    masses = [pi[:, GAUSSIAN_WELLS.in_sharp(x)].sum(-1) for pi, (x, _) in zip(laws, chains, strict=True)]
    record_series(
        "stationary mass in the sharp well against batch size", batch=BATCHES, eta_0_1=masses[0], eta_0_02=masses[1]
    )
    # then   by a factor of 1.4 to 1e5 each time, all far beyond the rounding of GTH
    slack = 2 * gth_rounding(len(chains[0][0])) + len(chains[0][0]) * UNIT_ROUNDOFF
    moved = [np.abs(np.vecmat(pi, P) / pi - 1).max() for pi, (_, P) in zip(laws, chains, strict=True)]
    assert_at_most(moved, 2 * slack, why="pi P against pi, entry by entry")
    larger, smaller = np.array(masses)[:, 1:], np.array(masses)[:, :-1]
    assert_at_most(larger * (1 + slack), smaller * (1 - slack), why="mass of the sharp well at 2B and at B")


@observed(part="(c)")
def test_the_logarithm_of_the_time_to_leave_the_sharp_well_grows_as_the_batch_does():
    # given  the chains of eta = 1/10, cut to the sharp well
    x, P = gaussian_chain(GAUSSIAN_WELLS, 0.1, 4.0 / BATCHES, 8)
    inside = GAUSSIAN_WELLS.in_sharp(x)
    # when
    lower, upper = escape_time(P[:, inside][:, :, inside], P[:, inside][:, :, ~inside].sum(-1))
    # then   the logarithm grows by 5.42, 10.56 and 20.85, about twice as much each time
    measured = np.array([1458, 3.299e5, 1.272e10, 1.437e19])
    assert_within(measured, lower, upper, why="the measured digits, rounded down")
    assert_at_most(upper, 1.001 * measured, why="the enclosure does not exceed them by one in a thousand")


@observed(part="(c)")
@pytest.mark.slow
def test_more_panels_hardly_move_the_shares_of_the_sharp_well():
    # given  60 panels for the 16 of the fast run
    steps = {0.1: 4.0, 0.02: 20.0}
    chains = [gaussian_chain(GAUSSIAN_WELLS, eta, variance / BATCHES, 30) for eta, variance in steps.items()]
    # when
    masses = [stationary_law(P)[:, GAUSSIAN_WELLS.in_sharp(x)].sum(-1) for x, P in chains]
    # then   the measured digits, rounded down
    measured = np.array([[2.988e-2, 1.801e-3, 5.026e-6, 3.381e-11], [2.035e-1, 1.424e-1, 5.777e-2, 6.709e-3]])
    assert_within(measured, np.array(masses), 1.001 * measured, why="mass of the sharp well")


@counterexample(part="(c)")
def test_batches_of_one_leave_the_flatter_of_two_minima_for_the_sharper():
    # given  sharpness 9/4 at 0, the same for both samples, and (1/4 + 15/4)/2 = 2 at 1; eta = 3/4, from x = 5/4
    minima, eta, steps = TwoMinima(np.array([9 / 4, 9 / 4]), np.array([1 / 4, 15 / 4])), 3 / 4, 10
    # when   all 1024 orders, and full batches; a step adds four bits to the two of 5/4, so that nothing is rounded
    ends = single_sample_ends(minima, eta, 5 / 4, steps)
    full = 5 / 4
    for _ in range(steps):
        full = full - eta * minima.gradients(full).mean()
    assert_identical(full - 1, 2.0**-12, why="full batches approach 1: (1 - eta h)^10/4")
    # then   |x| < 1/4 is never left, as all samples are at their left branch there, with 1 - eta h = -11/16
    p = Fraction(int((np.abs(ends) < 1 / 4).sum()), len(ends))
    assert_identical(p, Fraction(401, 512), why="orders that have ended at the sharper minimum")
    reads = "mean sharpness of the minimum found {value} at least > {limit}, that of full batches"
    assert_violates(2 + p / 4, 2, reads=reads, left=["9/4", "9/4"], right=["1/4", "15/4"], eta="3/4", start="5/4")


@corrected(part="(c)")
@given(tape=tapes(20))
def test_where_trace_h_is_at_least_two_over_eta_f_no_minimum_is_stable(tape):
    # given  samples of any length, eta f tr H = 2, 9/4 or 4
    problem = Sampled(fractions(tape.integers((3, 2), 3).astype(int)), None, None, None, bool(tape.below(2)))
    problem.X[0, 0] += not problem.X.any()
    batch = 1 + tape.below(2)
    rows, f = problem.X[problem.minibatches(batch)], problem.shares[batch - 1]
    H, fourth = problem.X.T @ problem.X / 3, ((problem.X**2).sum(1) ** 2).sum() / 3
    eta = tape.choice((Fraction(2), Fraction(9, 4), Fraction(4))) / (f * np.trace(H))
    # when   tr T_B(I) = E tr (I - eta H_B)^2, minibatch by minibatch
    A = np.eye(2, dtype=int) - eta * (rows.mT @ rows / batch)
    spread = (A**2).sum() / len(rows)
    # then   the Rayleigh quotient tr T_B(I)/p is at least 1, and T_B self-adjoint: so is its spectral radius
    excess = eta**2 * (f * fourth + (1 - f) * (H**2).sum()) - 2 * eta * np.trace(H)
    assert_identical(spread, 2 + excess, why="E|I - eta H_B|^2 against the trace condition")
    T = moment_operator(problem.X, eta, f)
    assert_identical(T, T.T, why="T_B is self-adjoint")
    assert_at_most(2.0, float(spread), why="p against tr T_B(I)")


@corrected(part="(c)")
@given(tape=tapes(8))
def test_at_batch_one_every_trace_below_two_over_eta_is_stable_for_rows_of_one_length(tape):
    # given  rows that are signed permutations of (a, b), spanning the plane; eta tr H = 3/2 or 199/100
    a, b = 1 + tape.naturals(2, 5).astype(object)
    X = fractions([[a, b], [-b, a], [tape.choice((a, -a)), tape.choice((b, -b))]])
    eta = tape.choice((Fraction(3, 2), Fraction(199, 100))) / (a * a + b * b)
    # then   I - T_B(I) > 0
    decrease = np.eye(2, dtype=int) - (moment_operator(X, eta, 1) @ np.eye(2, dtype=int).ravel()).reshape(2, 2)
    assert_at_most(2.0**-20, float(min(leading_pivots(decrease))), why="pivots of I - T_B(I)")


@st.composite
def steps_and_rows(draw):
    """Four rows in three dimensions and a step, as Stability."""
    tape = draw(tapes(14))
    X = tape.integers((4, 3), 3)
    X[0, 0] += not X.any()
    return Stability(X, tape.choice((1.0, 0.5, 2.0, 4.0)) / np.square(X).sum(1).max())


@dataclasses.dataclass(frozen=True)
class Stability:
    """Interpolated least squares of the rows X (4, 3) and the step eta, eta max |x_i|^2 in 1/2 ... 4; or a batch."""

    X: np.ndarray
    eta: np.ndarray


def spectral_radii(problem, replacement):
    """Enclosures of rho(T_B), B = 1 ... 4, (4, batch) each, with what the upper ones rest on: (4, batch).

    Below: the Rayleigh quotient of the self-adjoint T_B at any vector. Above: lambda, if some S > 0 has
    lambda S - T_B(S) > 0; S solves lambda S - T_B(S) = I, so that the least eigenvalues of S and of that difference are
    to be found positive. lambda is the largest eigenvalue, by LAPACK, and 2^-30 of the scale (1 + eta max |x|^2)^2 of
    T_B more. T_B itself is computed up to 64 p^2 u of that scale.
    """
    scale = (1 + problem.eta * np.square(problem.X).sum(-1).max(-1)) ** 2
    slack = 64 * 9 * UNIT_ROUNDOFF * scale
    shares = [float(noise_share(4, batch, replacement)) for batch in range(1, 5)]
    T = np.stack([moment_operator(problem.X, problem.eta[:, None, None], f) for f in shares])
    values, vectors = np.linalg.eigh(T)
    top = vectors[..., -1]
    lower = np.vecdot(top, np.matvec(T, top)) / np.vecdot(top, top) - slack
    upper = values[..., -1] + scale * 2.0**-30
    one = np.broadcast_to(np.eye(3).ravel()[:, None], (*T.shape[:-1], 1))
    S = np.linalg.solve(upper[..., None, None] * np.eye(9) - T, one)
    rest = (upper[..., None, None] * S - T @ S).reshape(*T.shape[:-2], 3, 3)
    least = [np.linalg.eigvalsh((M + M.mT) / 2)[..., 0] for M in (S.reshape(rest.shape), rest)]
    return lower, upper + slack, np.minimum(least[0] * upper, least[1])


@corrected(part="(c)")
@pytest.mark.parametrize("replacement", [True, False])
@given_batches(problem=steps_and_rows())
def test_the_spectral_radius_does_not_increase_with_the_batch(replacement, problem):
    # when
    lower, upper, positive = spectral_radii(problem, replacement)
    # then   rounding leaves the least eigenvalues, 1 and 1/lambda at least, above one half of that
    assert_at_most(1 / 2, positive.min(0), why="S and lambda S - T_B(S) are positive", instance=problem)
    assert_at_most((lower[1:] - upper[:-1]).max(0), 0, why="rho(T_B) at B + 1 and at B", instance=problem)
    H = problem.X.mT @ problem.X / 4
    full = np.square(1 - problem.eta[:, None] * np.linalg.eigvalsh(H)).max(-1)
    assert_at_most(full, upper.min(0), why="rho(T_B) is at least that of the full batch", instance=problem)


@counterexample(part="(d)")
@given(problem=sampled(rows=(3, 2)))
def test_with_noisy_labels_no_batch_has_a_larger_risk_than_a_smaller_one(problem):
    # given  a risk of Hessian G = ww', wherever its minimum is: E e = 0, so that it gains tr(GS)/2
    S = [stationary_covariance(problem.X, problem.y, problem.eta, f)[1] for f in problem.shares]
    excess = [problem.w @ covariance @ problem.w / 2 for covariance in S]
    # then
    assert_at_most([float(e) for e in excess[1:]], [float(e) for e in excess[:-1]], why="excess risk at B + 1 and at B")


@counterexample(part="(d)")
def test_on_three_samples_every_smaller_batch_is_worse():
    # given  x = (1, 2, 2), y = (3, 0, 0), eta = 1/9: the minimum is w = 1/3
    X, y, eta = fractions([[1], [2], [2]]), fractions([3, 0, 0]), Fraction(1, 9)
    # when   the risk (w - 1/3)^2/2 of the stationary law, batches of distinct samples
    one, two, three = (stationary_covariance(X, y, eta, noise_share(3, B, False))[1].item() / 2 for B in (1, 2, 3))
    # then
    reads = "excess risk {value} > {limit} at "
    assert_violates(one, two, reads=reads + "B=2", x=[1, 2, 2], y=[3, 0, 0], eta=eta, B=1)
    assert_violates(two, three, reads=reads + "B=3", x=[1, 2, 2], y=[3, 0, 0], eta=eta, B=2)


@counterexample(part="(d)")
def test_without_label_noise_the_risks_of_all_batches_are_one():
    # given  three samples in four dimensions, w_0 = 0: the noise is there, and moves no limit, whatever the risk
    X, y = fractions([[1, 0, 1, 2], [0, 1, 1, -1], [2, 1, 0, 0]]), fractions([1, -2, 1])
    # then
    V, gap = noise_and_movement(X, y, Fraction(1, 6))
    assert_violates(V, NOISE_FACTOR * gap, reads="gradient variance {value} > {limit} = C times any gap", X=X, y=y)


@counterexample(part="(d)")
def test_hypothesis_finds_samples_on_which_the_smaller_batch_is_worse():
    def risks(instance):
        (a, b), (c, d) = instance
        X, y = fractions([[a], [b]]), fractions([c, d])
        return [stationary_covariance(X, y, Fraction(1, 9), noise_share(2, B, False))[1].item() for B in (1, 2)]

    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3)), st.tuples(st.integers(-3, 3), st.integers(-3, 3))
    found = smallest_violation(st.tuples(*pairs), lambda instance: risks(instance)[0] > risks(instance)[1])
    one, both = risks(found)
    assert_violates(one, both, reads="excess risk {value} at B=1 > {limit} at B=2", xy=found)


@corrected(part="(d)")
@pytest.mark.parametrize(("target", "sign"), [(0, 1), (1, -1)])
def test_which_batch_has_the_lower_risk_is_decided_by_the_target(target, sign):
    # given  Hessian 2 at both minima, samples alike at 0 only: at 1, batches of one are unstable, full batches are not
    minima, eta = TwoMinima(np.array([2.0, 2.0]), np.array([1 / 4, 15 / 4])), 3 / 4
    assert_at_most(1.0, mean_square_multiplier(minima.right, eta, 1), why="mean-square multiplier at 1, batches of one")
    assert_at_most(mean_square_multiplier(minima.right, eta, 0), 1.0, why="mean-square multiplier at 1, full batches")
    multiplier = 16 * np.square(single_sample_ends(minima, eta, 5 / 4, 1) - 1).mean()
    assert_identical(multiplier, mean_square_multiplier(minima.right, eta, 1), why="E|x_1 - 1|^2/|x_0 - 1|^2")
    # when   ten steps from 5/4, which leave full batches at 1 + (1 - eta h)^10/4
    risk_of_one = np.square(single_sample_ends(minima, eta, 5 / 4, 10) - target).mean() / 2
    risk_of_full = (1 + 2.0**-12 - target) ** 2 / 2
    # then   the sign of the difference is that of the choice of the target
    assert_at_most(1 / 4, sign * (risk_of_full - risk_of_one), why="what the better batch gains")


@counterexample(part="(e)")
def test_a_batch_and_a_step_four_times_as_large_have_more_noise():
    # given  constant noise, eta h = 1/10
    S, scaled = stationary_variance(1, 1, Fraction(1, 10), 1), stationary_variance(1, 1, Fraction(4, 10), 4)
    # then   19/16 of it
    assert_identical(scaled / S, Fraction(19, 16), why="ratio of the variances")
    assert_violates(scaled, S, reads="variance {value} of (4 eta, 4B) > {limit} of (eta, B)", h=1, c=1, eta="1/10", B=1)


@counterexample(part="(e)")
def test_hypothesis_finds_a_step_at_which_the_rule_fails():
    def variances(instance):
        k, inverse_step = instance
        return [stationary_variance(1, 1, Fraction(m, inverse_step), m) for m in (1, k)]

    def violates(instance):
        S, scaled = variances(instance) if instance[0] < 2 * instance[1] else (0, 0)
        return scaled > S

    found = smallest_violation(st.tuples(st.integers(1, 6), st.integers(1, 12)), violates)
    S, scaled = variances(found)
    reads = "variance {value} of (k eta, kB) > {limit}"
    assert_violates(scaled, S, reads=reads, k=found[0], eta=Fraction(1, found[1]), B=1)


@corrected(part="(e)")
@given(tape=tapes(5))
def test_the_excess_of_linear_scaling_is_what_the_step_says(tape):
    # given  H3: k eta h < 2
    h_root, c, k = 1 + tape.below(3), Fraction(1 + tape.below(5), 2), 1 + tape.below(6)
    h = h_root**2
    eta = Fraction(2 * (1 + tape.below(30)), 31 * k * h)
    # when   minibatches of one and of k, with replacement
    S, scaled = stationary_variance(h_root, c, eta, 1), stationary_variance(h_root, c, k * eta, k)
    # then   a gradient has the variance h c^2
    assert_identical(S, eta * h * c**2 / (h * (2 - eta * h)), why="eta c/(h(2 - eta h)) at B = 1")
    assert_identical(stationary_variance(h_root, c, eta, k), S / k, why="1/B of it, the noise being constant")
    assert_identical(scaled / S, (2 - eta * h) / (2 - k * eta * h), why="the excess of (k eta, kB)")


@corrected(part="(e)")
def test_where_curvatures_differ_half_the_batch_has_more_than_twice_the_variance():
    # given  h_i = 1, 4 and eta = 1/4, with replacement
    X, y = fractions([[1], [2]]), fractions([1, 0])
    one, two = (stationary_covariance(X, y, Fraction(1, 4), noise_share(2, B, True))[1].item() for B in (1, 2))
    # then
    assert_at_most(float(2 * two) * 21 / 20, float(one), why="2 S_2 against S_1")


@corrected(part="(e)")
def test_a_step_that_grows_by_the_root_keeps_the_noise_of_a_step_and_loses_temperature():
    # given  B = 32 and 8192, a step 16 times as large, h = 1 and eta = 1/100, samples of constant noise
    X, y = constant_noise(1, 1)
    eta, shares = [Fraction(1, 100), Fraction(16, 100)], [noise_share(2, batch, True) for batch in (32, 8192)]
    # when
    small, large = (stationary_covariance(X, y, e, f)[1].item() for e, f in zip(eta, shares, strict=True))
    step_noise = [second_moments(X, y, fractions([0]), e, 1, f)[1][0, 0] for e, f in zip(eta, shares, strict=True)]
    # then
    assert_identical(step_noise[0], step_noise[1], why="eta^2/B, the variance after one step")
    assert_identical(large / small, Fraction(199, 184) / 16, why="the stationary variance falls by about 16")


@necessity("H3", part="(e)")
def test_without_H3_the_larger_batch_diverges_where_the_smaller_one_settles():
    # given  h = 1, eta = 1/2 and k = 4: 1 - eta h = 1/2 and 1 - k eta h = -1
    X, y = constant_noise(1, 1)
    laws = [second_moments(X, y, fractions([0]), Fraction(k, 2), 40, noise_share(2, k, True)) for k in (1, 4)]
    # then   one stays below eta/(2 - eta), the other gains k eta^2 with every step
    assert_at_most([float(M[0, 0]) for M in laws[0]], 1 / 3, why="variance of (eta, 1)")
    assert_identical([M[0, 0] for M in laws[1]], list(range(41)), why="variance of (4 eta, 4)")
