r"""Corollary 8.2 - smaller batches have more noise; which minimum that leads to is up to the step and the start.

Section     8.2
Printed     Smaller batch sizes increase noise, leading to: (1) stronger implicit regularization, (2) flatter minima,
            (3) better generalization (up to a point). This explains the generalization gap between large and small
            batch training
Reading     (a) is about the covariance of the minibatch gradient. (b) to (d) compare two batch sizes on one problem,
            with one step, start and number of steps, in the mean over the minibatches. (b) Strength is measured by the
            quantity of Theorem 8.1, just above, where SGD "favors regions with low gradient variance": the variance of
            a sample's gradient is less where the smaller batch is found. (c) The minimum that the smaller batch finds
            is flatter. (d) Some batch finds a minimum of less risk than all samples at once do: how small it may be,
            "up to a point" leaves open. One counterexample refutes; all of those here are strict, and persist for data
            nearby
Readings    (b) [norm] strength means small weights, the regularizer of Section 3.1: E|w|^2 is less - refuted
Setting     $L = \frac1n \sum_i f_i$; minibatches of B samples out of n, drawn with or without replacement, with $f_B =
            \frac1B$ or $\frac{n-B}{B(n-1)}$. Least squares: $f_i = \frac12 (x_i^\top w - y_i)^2$, $H_i = x_i x_i^\top$,
            H their mean, $g_i$ the gradients at the minimum, C their covariance, and $T_B(S) = E[(I - \eta H_B) S (I -
            \eta H_B)] = (I - \eta H)S(I - \eta H) + \eta^2 f_B (E[H_i S H_i] - HSH)$. (b) to (d) under H5, H6: one
            parameter, two samples, minima at 0 and 1 of one depth, B = 1 against B = 2. For (c), (d) $f_i = \frac12
            \min(a_i x^2, b_i (x - 1)^2)$. For (b) $f_i = L \pm N$, where L has two quadratic wells and N' is constant
            up to 1/4 and from 3/4 on, and linear in between
Hypotheses  (H1) SGD is stable in mean square: $\rho(T_B) < 1$, at the smaller of two batches, and at both in C2.  (H2)
            $|2 \eta g_{ij}| < 1$ for the gradients of all samples.  (H3) samples are drawn with replacement.  (H4) the
            step is small: $\eta(k h + \operatorname{Var}(h_i)/(Bh)) \le 2\varepsilon/(1 + \varepsilon)$.  (H5) SGD
            starts at or beside the worse of two minima, where gradients vary more (b), the loss is sharper (c), the
            risk is larger (d).  (H6) At this step all samples at once stay there, and single samples may leave for the
            other minimum, where they stay.
Parts       (a) noise - holds
            (b) stronger regularization - holds under added hypotheses
            (c) flatter - holds under added hypotheses
            (d) generalization - holds under added hypotheses
Corrected   (C1) (a) On least squares with H1 the covariance of SGD has the limit $S = T_B(S) + \eta^2 f_B C$, which
            does not grow with B in any direction.  (C2) (a) For one parameter, with H1, H3, $S = \frac{\eta}{B} c/(h(2
            - \eta h) - \frac{\eta}{B} \operatorname{Var} h_i)$. From $(\eta, B)$ to $(k\eta, kB)$ it grows by the share
            $(k - 1)\eta h/(2 - k\eta h - \eta \operatorname{Var}(h_i)/(Bh))$ of itself, at most $\varepsilon (k - 1)/k$
            with H4. A step that grows by the root of k keeps the noise $\eta^2/B$ of a step; to first order in eta, S
            then falls like $1/\sqrt k$.  (C3) (b) For $w = u^2 - v^2$ with H2 one step multiplies $u_j v_j$ by $1 - (2
            \eta g_{Bj})^2$, and the mean of the logarithm of this factor does not decrease as B grows: the smaller
            batch shrinks the products more, or as much.  (C4) (c) On least squares $\rho(T_B)$ does not increase with
            B, so that a minimum at which SGD can stay with B it can stay at with all larger batches.  (C5) (c) With H1
            such a minimum has $\eta(f_B E|x_i|^4 + (1 - f_B) \operatorname{tr} H^2) < 2 \operatorname{tr} H$, hence
            $\operatorname{tr} H < 2/(\eta f_B)$, which is sharp at B = 1 for rows of one length that span the space.
            (C6) (d) On least squares with H1 the mean excess of a quadratic risk with the Hessian G, over the risk of
            the least squares solution, is tr(G S_B)/2, which does not grow with B
Idea        Variance of a mean. In least squares the noise acts on the second moment only, through a positive operator
            that is monotone in f_B: more noise is more variance, and no bias. In the models of H5 and H6 single samples
            leave the minimum at which they are unstable, be it the sharper or the flatter one. For the bound on tr H:
            $T_B$ is self-adjoint for the trace, and $\operatorname{tr} T_B(I) \ge p$ once the inequality fails.
Source      Wu, Ma, E (2018), How SGD Selects the Global Minima in Over-parameterized Learning: A Dynamical Stability
            Perspective, NeurIPS; Wu, Wang, Su (2022), The Alignment Property of SGD Noise and How It Helps Select Flat
            Minima: A Stability Analysis, NeurIPS; Pesme, Pillaud-Vivien, Flammarion (2021), Implicit Bias of SGD for
            Diagonal Linear Networks: a Provable Benefit of Stochasticity, NeurIPS; Goyal et al. (2017), Accurate, Large
            Minibatch SGD: Training ImageNet in 1 Hour, arXiv:1706.02677 (the rule of linear scaling); O'Cinneide
            (1993), Entrywise Perturbation Theory and Error Analysis for Markov Chains, Numerische Mathematik 65. The
            bound on tr H for rows of any length, and the witnesses, are ours
Tolerance   Fractions, but for spectral radii, which are enclosed by a Rayleigh quotient and by a positive S with
            T(S) <= lambda S, and for chains of Gaussian noise, whose laws and times GTH finds to 4 k^3 u for k states
Chance      None: laws are enumerated or solved for
Findings    The paper states no rule for the step in 8.2. In practice the step is often scaled linearly with B;
            Experiment 5 scales it with the root of B (C2). The limits of Section 3.3, of linear models that
            interpolate, do not depend on the batch size. In the counterexample of (c) the samples differ more at the
            flatter of two minima, and batches of one leave it for the sharper. Of constant noise in two wells both
            orders were observed: in whole numbers (x - eta L' is rounded), with noise 2, steps eta h = 5/4, 3/2, 7/4
            and 1/2, 2/3, 3/4 and the wells 2 to 8 apart, batches of one are more often in the sharp well than batches
            of two on 21 of 63 chains, less often on 11. With h = 8 and 1 and Gaussian noise of variance 4/B, eta =
            1/10, the shares of the sharp well at B = 1, 2, 4, 8 are 3.0e-2, 1.8e-3, 5.0e-6, 3.4e-11: much noise leaves
            both wells and evens out their shares. A chain on 160 nodes, which has 3.5e-11 for the last, leaves it once
            in 1.5e3, 3.3e5, 1.3e10, 1.4e19 steps
Expected    holds under added hypotheses
"""

import dataclasses
import itertools
import math
import operator
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
from fixtures.models.landscapes import TwoMinima, TwoWells
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions, leading_pivots
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
    record_series,
)
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, observed, under_hypotheses

CONSTANT_NOISE = fractions([[1], [1]]), fractions([1, -1])
"""Two samples of curvature 1 whose gradients are that of their mean -+ 1, whatever w is."""
TWO_SAMPLES = st.tuples(st.tuples(*[st.integers(1, 3)] * 2), st.tuples(*[st.integers(-3, 3)] * 2))
"""The inputs and the targets of two samples of one parameter."""
LEAST_SHARE = 2.0**-8
"""One of the 256 orders of eight samples: of some of the instances of `escapes` no other leaves."""
STATIONARY = [Fraction(32, 387), Fraction(16, 801)]
"""The stationary variances S at B = 1, 2 for x = (1, 2, 2), y = (3, 0, 0), eta = 1/9."""
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


def stationary_variance(X, y, eta, batch, replacement=True):
    """The variance S of SGD for one parameter, X (n, 1), from its equation."""
    return stationary_covariance(X, y, eta, noise_share(len(X), batch, replacement))[1].item()


def found_by_batch(X, y, eta, batch):
    """E D(w) = D(w*) + D'' S/2 and E w^2 for SGD on distinct samples: D(w) the variance of their gradients at w."""
    w, S = stationary_covariance(X, y, eta, noise_share(len(X), batch, False))
    left, at, right = (mean_and_covariance(sample_gradients(X, y, w + d))[1].item() for d in (-1, 0, 1))
    return at + (left + right - 2 * at) * S.item() / 2, w.item() ** 2 + S.item()


def samples_on_which_one_exceeds_two(number):
    """The simplest of TWO_SAMPLES where this number of `found_by_batch` is larger at B = 1 than at 2, and its values.

    number: 0 for the mean variance of a gradient, 1 for E w^2.
    """

    def values(instance):
        (a, b), y = instance
        return [found_by_batch(fractions([[a], [b]]), fractions(y), Fraction(1, 9), B)[number] for B in (1, 2)]

    found = smallest_violation(TWO_SAMPLES, lambda instance: operator.gt(*values(instance)))
    return found, *values(found)


@dataclasses.dataclass(frozen=True)
class Escape:
    """Two samples with minima at 0 and 1, a step and a start beside 1: H5 for (c), and H6."""

    minima: TwoMinima
    eta: float
    start: float

    @property
    def sharpness(self):
        """At 0, and at 1."""
        return self.minima.left.mean(), self.minima.right.mean()


@st.composite
def escapes(draw):
    """Eta h_i in 1/8 ... 1 at 0, which no sample leaves from |x| < 1/3; 1/4 ... 3/4 and 5/2 ... 3 at 1.

    |x| < 1/3 has 4 right_i >= left_i, and so all samples at their left branch. Shrinks to (1/8, 1/8) and (1/4, 5/2).
    """
    tape = draw(tapes(6))
    left, right = 1.0 + tape.naturals(2, 8), np.array([2.0 + tape.below(5), 20 + tape.below(5)])
    eta = tape.choice((1.0, 1 / 2, 1 / 4))
    return Escape(TwoMinima(left / 8 / eta, right / 8 / eta), eta, 1 + tape.choice((1, -1)) / 8)


def share_that_leaves(escape, steps=8):
    """The share of all orders of single samples that end at 0 for good, where all samples at once approach 1; exact."""
    full = escape.start
    for _ in range(steps):
        full = full - escape.eta * escape.minima.gradients(full).mean()
    rate = 1 - escape.eta * escape.sharpness[1]
    assert_identical(full - 1, rate**steps * (escape.start - 1), why="full batches stay: (1 - eta h)^k of the start")
    assert_at_most(abs(rate), 1 - 1 / 16, why="H6: full batches approach 1")
    assert_at_most(np.abs(1 - escape.eta * escape.minima.left), 1.0, why="H6: no sample leaves |x| < 1/3")
    assert_at_most(escape.minima.left, 4 * escape.minima.right, why="H6: there all samples are at their left branch")
    ends = single_sample_ends(escape.minima, escape.eta, escape.start, steps)
    return Fraction(int((np.abs(ends) < 1 / 3).sum()), len(ends))


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


@corrected("C1", "H1", part="(a)")
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


@corrected("C1", "H1", part="(a)")
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


@st.composite
def wide_least_squares(draw):
    """X (n, p), y, a step, and a law: n in 1 ... 6, p in 1 ... 3, scales 1e-7 ... 1e3, rows on a line, repeated or 0.

    Eta max |x|^2 in 1/10 ... 3, on both sides of stability. Of seeds, as these numbers need not shrink.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    X = rng.standard_normal((n, p)) * 10.0 ** rng.uniform(-3, 3)
    shapes = [X, rng.integers(-3, 4, (n, p)).astype(float), rng.choice([1.0, -1.0, 0.0, 2.0], (n, 1)) * X[:1]]
    X = shapes[rng.integers(3)] * np.where(np.arange(p) == rng.integers(2 * p), 1e-4, 1.0)
    X[0, 0] += not X.any()
    eta = rng.choice([0.1, 0.5, 1.0, 1.5, 1.9, 3.0]) / np.square(X).sum(1).max()
    return X, rng.standard_normal(n), eta, bool(rng.integers(2))


@corrected("C1", "H1", part="(a)")
@pytest.mark.slow
@given(problem=wide_least_squares())
def test_far_from_small_integers_too_no_direction_varies_more_in_a_larger_batch(problem):
    # given  H1, by the spectral radius, at the smaller batch; the least squares solution nearest 0
    X, y, eta, replacement = problem
    n, p = X.shape
    g = sample_gradients(X, y, np.linalg.lstsq(X, y, rcond=None)[0])
    shares = [float(noise_share(n, batch, replacement)) for batch in sorted({1, 2, n})]
    operators = [(f, moment_operator(X, eta, f)) for f in shares]
    gaps = [1 - np.linalg.eigvalsh((T + T.T) / 2)[-1] for _, T in operators]
    stable = [(f, T, gap) for (f, T), gap in zip(operators, gaps, strict=True) if gap > 1e-6]
    # when
    S = [np.linalg.solve(np.eye(p * p) - T, eta**2 * f * (g.T @ g).ravel() / n).reshape(p, p) for f, T, _ in stable]
    # then   up to the rounding of a solution whose condition is at most |I - T|/gap
    slack = [64 * p**4 * UNIT_ROUNDOFF * 16 / gap * np.linalg.norm(M) for (_, _, gap), M in zip(stable, S, strict=True)]
    falls = [np.linalg.eigvalsh(more - less)[0] for more, less in itertools.pairwise(S)]
    assert_at_most([0.0, *(-fall for fall in falls)], [0.0, *slack[:-1]], why="a fall of the covariance")


@corrected("C4", part="(c)")
@pytest.mark.slow
@given(problem=wide_least_squares())
def test_far_from_small_integers_too_no_larger_batch_is_less_stable(problem):
    X, _, eta, replacement = problem
    shares = [float(noise_share(len(X), batch, replacement)) for batch in range(1, len(X) + 1)]
    # when   rounding of T_B: 64 p^2 u times its scale
    rho = np.array([np.linalg.eigvalsh(moment_operator(X, eta, f))[-1] for f in shares])
    slack = 64 * 9 * UNIT_ROUNDOFF * (1 + eta * np.square(X).sum(1).max()) ** 2
    # then
    assert_at_most(np.diff(rho, append=rho[-1]), slack, why="rho(T_B) at B + 1 and at B", instance=problem)


@corrected("C5", part="(c)")
@pytest.mark.slow
@given(problem=wide_least_squares())
def test_far_from_small_integers_too_stability_bounds_the_trace(problem):
    X, _, eta, replacement = problem
    H, fourth = X.T @ X / len(X), np.square(np.square(X).sum(1)).mean()
    shares = np.array([float(noise_share(len(X), batch, replacement)) for batch in range(1, len(X) + 1)])
    rho = np.array([np.linalg.eigvalsh(moment_operator(X, eta, f))[-1] for f in shares])
    # then   rho - 1 >= (tr T_B(I) - p)/p, which is positive once the inequality fails
    excess = eta**2 * (shares * fourth + (1 - shares) * np.square(H).sum()) - 2 * eta * np.trace(H)
    slack = 64 * 9 * UNIT_ROUNDOFF * (1 + eta * np.square(X).sum(1).max()) ** 2
    assert_at_most(excess / X.shape[1], rho - 1 + slack, why="tr T_B(I)/p - 1 and rho - 1", instance=problem)


@necessity("H1", part="(a)")
def test_without_H1_the_variance_grows_without_bound():
    # given  h_i = 1/4, 4 and eta = 3/4: E(1 - eta h_i)^2 = 597/256 > 2, although eta h < 2; samples with replacement
    X, y, eta = fractions([["1/2"], [2]]), fractions([1, 0]), Fraction(3, 4)
    assert_keeps(H3=True)
    w_star, _ = stationary_covariance(X, y, eta, 0)
    moments = second_moments(X, y, w_star, eta, 8, noise_share(2, 1, True))
    # then
    variances = [M[0, 0] - w_star[0] ** 2 for M in moments]
    assert_at_most([2 * float(v) for v in variances[1:-1]], [float(v) for v in variances[2:]], why="a step doubles it")
    assert_at_most(1 / 100, float(variances[1]), why="variance after one step")


def found_at(batches):
    """`found_by_batch` for x = (1, 2, 2), y = (3, 0, 0), eta = 1/9, whose minimum is w = 1/3."""
    X, y = fractions([[1], [2], [2]]), fractions([3, 0, 0])
    return [found_by_batch(X, y, Fraction(1, 9), batch) for batch in batches]


@counterexample(part="(b)")
def test_the_smaller_batch_is_found_where_gradients_vary_more():
    # then   32/9 + 2S
    one, two = (variance for variance, _ in found_at((1, 2)))
    assert_identical([one, two], [Fraction(32, 9) + 2 * S for S in STATIONARY], why="mean variance of a gradient")
    reads = "mean gradient variance {value} at B=1 > {limit} at B=2"
    assert_violates(one, two, reads=reads, x=[1, 2, 2], y=[3, 0, 0], eta="1/9")


@counterexample(part="(b)")
def test_hypothesis_finds_samples_whose_gradients_vary_more_where_the_smaller_batch_is_found():
    found, one, both = samples_on_which_one_exceeds_two(0)
    assert_violates(one, both, reads="mean gradient variance {value} at B=1 > {limit} at B=2", xy=found)


@counterexample(part="(b)", reading="norm")
def test_the_smaller_batch_has_the_larger_mean_square_weight():
    # then   1/9 + S
    one, two = (square for _, square in found_at((1, 2)))
    assert_identical([one, two], [Fraction(1, 9) + S for S in STATIONARY], why="E w^2")
    assert_violates(one, two, reads="E w^2 {value} at B=1 > {limit} at B=2", x=[1, 2, 2], y=[3, 0, 0], eta="1/9")


@counterexample(part="(b)", reading="norm")
def test_hypothesis_finds_samples_on_which_the_smaller_batch_has_the_larger_weights():
    found, one, both = samples_on_which_one_exceeds_two(1)
    assert_violates(one, both, reads="E w^2 {value} at B=1 > {limit} at B=2", xy=found)


def gradient_spread(x, calm, noisy):
    """The deviation of a sample's gradient from the mean at x: calm up to 1/4, noisy from 3/4 on, linear in between."""
    return calm + (noisy - calm) * np.clip(2 * x - 1 / 2, 0, 1)


def ends_from_the_noisy_minimum(wells, calm, noisy):
    """Where the 2^8 orders of eight single samples lead from 1, on the losses L -+ N, N' = gradient_spread; step 1."""
    x = np.ones(1)
    for _ in range(8):
        moved, noise = x - wells.gradient(x), gradient_spread(x, calm, noisy)
        x = np.concatenate([moved - noise, moved + noise])
    return x


@under_hypotheses("H5", "H6", part="(b)")
@given(tape=tapes(5))
def test_from_the_noisier_of_two_minima_batches_of_one_go_where_gradients_vary_less(tape):
    # given  eta times the curvatures and deviations at 0 and 1; H5 by their order
    flat, sharp = 7 / 8 + tape.below(2) / 8, 6 / 8 + tape.below(3) / 8
    calm, noisy = tape.below(3) / 32, 9 / 16 + tape.below(3) / 32
    wells = TwoWells(1.0, sharp, 0.0, flat)
    # and    H6: a step against the noise crosses the ridge, and none leaves |x| <= 1/4; the full gradient at 1 is zero
    assert_at_most(bool(wells.in_sharp(1 - noisy)), False, why="H6: single samples may leave")
    assert_at_most((1 - flat) / 4 + calm, 1 / 4, why="H6: they stay")
    assert_identical(wells.gradient(1.0), 0.0, why="H6: full batches stay")
    # when
    x = ends_from_the_noisy_minimum(wells, calm, noisy)
    # then   more than a half is at 0 for good
    assert_at_most(1 / 2, (np.abs(x) <= 1 / 4).mean(), why="share that ends at the calm minimum")
    variances = gradient_spread(x, calm, noisy) ** 2
    assert_at_most(variances.mean(), 3 / 4 * noisy**2, why="mean gradient variance of B = 1, of B = 2")


@necessity("H5", part="(b)")
def test_without_H5_from_the_calmer_minimum_batches_of_one_go_where_gradients_vary_more():
    # given  curvatures 16 at 1 and 1 at 0, deviations 7/32 at 1, the start, and 1/4 at 0; step 1
    wells, other, start = TwoWells(1.0, 16.0, 0.0, 1.0), 1 / 4, 7 / 32
    leaves, stays = not wells.in_sharp(1 - start), not wells.in_sharp(np.array([-1, 1]) / 4).any()
    assert_keeps(H6=[leaves, stays, wells.gradient(1.0) == 0])
    # when
    x = ends_from_the_noisy_minimum(wells, other, start)
    # then   all orders are at -+1/4
    assert_identical(np.abs(x), np.full(256, 1 / 4), why="where the orders lead")
    assert_at_most(start**2 * 5 / 4, (gradient_spread(x, other, start) ** 2).mean(), why="gradient variance, B = 2, 1")


@necessity("H6", part="(b)")
def test_without_H6_at_a_small_step_both_batches_are_found_where_gradients_vary_as_much():
    # given  curvatures 1 and 3/4, deviations 1/32 at 0 and 9/16 at 1, the start, and a step of 1/32
    eta, calm, noisy = 1 / 32, 1 / 32, 9 / 16
    assert_keeps(H5=gradient_spread(0.0, calm, noisy) < gradient_spread(1.0, calm, noisy))
    # when
    x = ends_from_the_noisy_minimum(TwoWells(1.0, 3 / 4 * eta, 0.0, eta), calm * eta, noisy * eta)
    # then   no order has come below 3/4, up to which the variance is that at 1
    assert_at_most(3 / 4, x, why="where the orders lead")
    assert_identical(gradient_spread(x, calm, noisy), np.full(256, noisy), why="deviation of B = 1 and of B = 2")


@pytest.mark.slow
@corrected("C3", "H2", part="(b)")
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


@corrected("C3", "H2", part="(b)")
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


@under_hypotheses("H5", "H6", part="(c)")
@given(escape=escapes())
def test_beside_the_sharper_of_two_minima_batches_of_one_find_the_flatter_and_full_batches_do_not(escape):
    # given  H5, H6 by the strategy
    flat, sharp = escape.sharpness
    assert_at_most(flat, sharp - 1 / 4, why="H5: the start is beside the sharper minimum")
    # when
    p = share_that_leaves(escape)
    # then   and what has not left is at the sharper one at most
    assert_at_most(LEAST_SHARE, float(p), why="share of orders that end at the flatter minimum")
    assert_at_most(flat * p + sharp * (1 - p), (1 - LEAST_SHARE / 8) * sharp, why="mean sharpness of B = 1, of B = 2")


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
    reads = "mean sharpness of the minimum found, at least {value} at B=1 > {limit} at B=2"
    assert_violates(2 + p / 4, 2, reads=reads, left=["9/4", "9/4"], right=["1/4", "15/4"], eta="3/4", start="5/4")


@counterexample(part="(c)")
def test_hypothesis_finds_two_minima_of_which_batches_of_one_find_the_sharper():
    def share_and_sharpnesses(instance):
        a, b, c = (curvature / 4 for curvature in instance)
        ends = single_sample_ends(TwoMinima(np.array([a, a]), np.array([b, c])), 3 / 4, 5 / 4, 6)
        return Fraction(int((np.abs(ends) < 1 / 4).sum()), 64), Fraction(a), Fraction(b + c) / 2

    def violates(instance):
        # eta h < 2 at both minima; |x| < 1/4 is never left, nor is |x - 1| <= 1/4 by full batches
        a, b, c = instance
        return b + c < 2 * a and a <= 9 * min(b, c) and share_and_sharpnesses(instance)[0] > 0

    found = smallest_violation(st.tuples(st.integers(1, 10), *[st.integers(1, 16)] * 2), violates)
    p, sharp, flat = share_and_sharpnesses(found)
    reads = "mean sharpness of the minimum found, at least {value} at B=1 > {limit} at B=2"
    assert_violates(flat + p * (sharp - flat), flat, reads=reads, quarters_left_right_right=found)


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


@corrected("C5", part="(c)")
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


@corrected("C5", part="(c)")
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


@corrected("C4", part="(c)")
@pytest.mark.parametrize("replacement", [True, False])
@given_batches(problem=steps_and_rows())
def test_the_spectral_radius_does_not_increase_with_the_batch(replacement, problem):
    # when
    lower, upper, positive = spectral_radii(problem, replacement)
    # then   rounding leaves the least eigenvalues, 1 and 1/lambda at least, above one half of that
    assert_at_most(1 / 2, positive.min(0), why="S and lambda S - T_B(S) are positive", instance=problem)
    assert_at_most((upper - lower).max(0), 2.0**-24, why="width of the enclosures", instance=problem)
    assert_at_most((lower[1:] - upper[:-1]).max(0), 0, why="rho(T_B) at B + 1 and at B", instance=problem)
    H = problem.X.mT @ problem.X / 4
    full = np.square(1 - problem.eta[:, None] * np.linalg.eigvalsh(H)).max(-1)
    assert_at_most(full, upper.min(0), why="rho(T_B) is at least that of the full batch", instance=problem)


@corrected("C4", part="(c)")
def test_on_orthogonal_rows_the_spectral_radius_falls_with_the_share():
    # given  rows 2e_j and 0, eta = 1/2: H = I and rho = (1 - eta)^2 + 3 eta^2 f
    lower, upper, _ = spectral_radii(Stability(2 * np.eye(4, 3)[None], np.array([0.5])), True)
    # then   f = 1, 1/2, 1/3, 1/4
    assert_within(lower[:, 0], np.array([1, 5 / 8, 1 / 2, 7 / 16]), upper[:, 0], why="rho(T_B)")


@counterexample(part="(d)")
def test_on_three_samples_no_minibatch_has_less_risk_than_all_of_them():
    # given  x = (1, 2, 2), y = (3, 0, 0), eta = 1/9; fresh samples x = +-1, y = 0: the first label was noise
    X, y, eta = fractions([[1], [2], [2]]), fractions([3, 0, 0]), Fraction(1, 9)
    # when   the risk E w^2/2 of the stationary law, batches of distinct samples
    one, two, three = (found_by_batch(X, y, eta, batch)[1] / 2 for batch in (1, 2, 3))
    # then   1/18 + S/2
    reads = "risk {value} at best of B=1, 2 > {limit} at B=3"
    assert_violates(min(one, two), three, reads=reads, x=[1, 2, 2], y=[3, 0, 0], target=0, eta=eta)


@pytest.mark.slow
@corrected("C6", part="(d)")
@given(problem=sampled(rows=(3, 2)))
def test_with_noisy_labels_no_batch_has_a_larger_risk_than_a_smaller_one(problem):
    # given  a risk of Hessian G = ww', wherever its minimum is: E e = 0, so that it gains tr(GS)/2
    S = [stationary_covariance(problem.X, problem.y, problem.eta, f)[1] for f in problem.shares]
    excess = [problem.w @ covariance @ problem.w / 2 for covariance in S]
    # then
    assert_at_most([float(e) for e in excess[1:]], [float(e) for e in excess[:-1]], why="excess risk at B + 1 and at B")


@counterexample(part="(d)")
def test_hypothesis_finds_samples_on_which_the_smaller_batch_is_worse():
    found, one, both = samples_on_which_one_exceeds_two(1)
    assert_violates(one, both, reads="twice the risk, {value} at B=1 > {limit} at B=2", xy=found)


@under_hypotheses("H5", "H6", part="(d)")
@given(escape=escapes(), target=st.integers(-4, 6))
def test_beside_the_minimum_of_more_risk_batches_of_one_find_less(escape, target):
    # given  the risk (x - target)^2/2, target in -1/4 ... 3/8: less at 0 than at 1 (H5); H6 by the strategy
    less, more = ((minimum - Fraction(target, 16)) ** 2 / 2 for minimum in (0, 1))
    assert_at_most(float(less), float(more) / 2, why="H5: the start is beside the minimum of more risk")
    # then
    p = share_that_leaves(escape)
    found = p * less + (1 - p) * more
    assert_at_most(float(found), (1 - LEAST_SHARE / 2) * float(more), why="mean risk of B = 1, of B = 2")


@necessity("H5", part="(c)")
def test_without_H5_batches_of_one_leave_the_flatter_minimum_and_full_batches_do_not():
    # given  eta h = (3/8, 5/2) at 1, beside which SGD starts, but 3/2 for both samples at 0
    escape = Escape(TwoMinima(np.array([3 / 2, 3 / 2]), np.array([3 / 8, 5 / 2])), 1.0, 9 / 8)
    p = share_that_leaves(escape)
    assert_keeps(H6=p > 0)
    # then   the start is beside the flatter minimum, and at least 2^-8 of the orders end at the sharper one
    assert_identical(escape.sharpness, (3 / 2, 23 / 16), why="sharper at 0")
    assert_at_most(LEAST_SHARE, float(p), why="share of orders that end at the sharper minimum")


@necessity("H6", part="(c)")
@given(escape=escapes())
def test_without_H6_at_two_thirds_of_the_step_no_order_leaves_the_sharper_minimum(escape):
    # given  eta h_i at most 2 for both samples at 1, beside which SGD starts
    gentle = dataclasses.replace(escape, eta=escape.eta * 2 / 3)
    assert_keeps(H5=gentle.sharpness[0] < gentle.sharpness[1])
    assert_at_most(np.abs(1 - gentle.eta * gentle.minima.right), 1 + 2.0**-40, why="no single sample leaves")
    # then   all orders of B = 1 are where all samples at once are: at the sharper minimum
    ends = single_sample_ends(gentle.minima, gentle.eta, gentle.start, 8)
    assert_at_most(np.abs(ends - 1), (1 + 2.0**-40) / 8, why="distance to the sharper minimum")


@necessity("H6", part="(d)")
def test_without_H6_at_a_small_step_all_batches_have_the_risk_of_the_minimum_beside_which_they_start():
    # given  eta h = (1/8, 1/8) at 0 and (1/4, 2) at 1, beside which SGD starts, and the risk x^2/2
    escape = Escape(TwoMinima(np.array([1 / 8, 1 / 8]), np.array([1 / 4, 2.0])), 1.0, 9 / 8)
    at_zero, at_one = (Fraction(minimum) ** 2 / 2 for minimum in (0, 1))
    assert_keeps(H5=at_zero < at_one)
    # then   no order of eight single samples leaves
    ends = single_sample_ends(escape.minima, escape.eta, escape.start, 8)
    assert_at_most(np.abs(ends - 1), 1 / 8, why="distance to the minimum of more risk")


@necessity("H5", part="(d)")
def test_without_H5_batches_of_one_find_the_minimum_of_more_risk():
    # given  eta h = (1/4, 1/2) at 0 and (1/2, 11/4) at 1, beside which SGD starts, and the risk (x - 3/4)^2/2
    escape = Escape(TwoMinima(np.array([1 / 4, 1 / 2]), np.array([1 / 2, 11 / 4])), 1.0, 9 / 8)
    at_zero, at_one = Fraction(9, 32), Fraction(1, 32)
    p = share_that_leaves(escape)
    assert_keeps(H6=p > 0)
    # then
    assert_at_most(float(at_one + p / 8), float(p * at_zero + (1 - p) * at_one), why="mean risk of B = 2, of B = 1")
    assert_at_most(1 / 16, float(p), why="share of orders that leave")


@corrected("C2", part="(a)")
def test_a_batch_and_a_step_four_times_as_large_have_three_sixteenths_more_variance():
    # given  constant noise, eta h = 1/10
    S, scaled = (stationary_variance(*CONSTANT_NOISE, Fraction(k, 10), k) for k in (1, 4))
    # then   the excess is 3/10 over 2 - 4/10
    assert_identical(scaled / S, Fraction(19, 16), why="ratio of the variances")


@corrected("C2", part="(a)")
def test_for_a_large_factor_the_excess_is_nearly_the_share():
    # given  constant noise, k = 10, epsilon = 1/10 and the largest step of H4: k eta h = 2 epsilon/(1 + epsilon)
    eta = Fraction(2, 110)
    S, scaled = (stationary_variance(*CONSTANT_NOISE, k * eta, k) for k in (1, 10))
    # then
    assert_identical(scaled / S - 1, Fraction(9, 10) * Fraction(1, 10), why="(k - 1)/k of epsilon")


@corrected("C2", "H3", "H4", part="(a)")
@given(tape=tapes(10))
def test_for_small_steps_linear_scaling_keeps_the_variance_up_to_the_share(tape):
    # given  samples that no w fits, and the largest step of H4; epsilon = 9 is near the end of stability
    X, y = fractions(1 + tape.naturals((3, 1), 4)), fractions(tape.integers(3, 3).astype(int))
    y[0] += not (y * X[0, 0] - y[0] * X[:, 0]).any()
    k, B, epsilon = 1 + tape.below(6), 1 + tape.below(4), Fraction(tape.choice((1, 10, 90)), 10)
    h, v = (X**2).sum() / 3, (X**4).sum() / 3 - ((X**2).sum() / 3) ** 2
    eta = 2 * epsilon / (1 + epsilon) / (k * h + v / (B * h))
    # when
    S, scaled = (stationary_variance(X, y, m * eta, m * B) for m in (1, k))
    # then
    residual = y - X[:, 0] * (X[:, 0] @ y) / (3 * h)
    c = ((X[:, 0] * residual) ** 2).sum() / 3
    assert_identical(S, eta / B * c / (h * (2 - eta * h) - eta * v / B), why="stationary variance at (eta, B)")
    excess = (k - 1) * eta * h / (2 - k * eta * h - eta * v / (B * h))
    assert_identical(scaled / S - 1, excess, why="excess at (k eta, kB)")
    assert_at_most(float(excess), float(epsilon * (k - 1) / k), why="excess against the share epsilon")


@corrected("C2", part="(a)")
def test_a_step_that_grows_by_the_root_keeps_the_noise_of_a_step_and_loses_temperature():
    # given  B = 32 and 8192, a step 16 times as large, h = 1 and eta = 1/100, samples of constant noise
    X, y = CONSTANT_NOISE
    laws = [(Fraction(1, 100), 32), (Fraction(16, 100), 8192)]
    # when
    small, large = (stationary_variance(X, y, eta, batch) for eta, batch in laws)
    step_noise = [second_moments(X, y, fractions([0]), eta, 1, Fraction(1, B))[1][0, 0] for eta, B in laws]
    # then
    assert_identical(step_noise[0], step_noise[1], why="eta^2/B, the variance after one step")
    assert_identical(large / small, Fraction(199, 184) / 16, why="the stationary variance falls by about 16")


@necessity("H1", part="(a)")
def test_without_H1_at_the_scaled_step_the_variance_has_no_limit_though_the_small_batch_is_stable():
    # given  constant noise, h = 1, eta = 3/4 and k = 4: (1 - eta)^2 = 1/16, but (1 - 4 eta)^2 = 4
    X, y = CONSTANT_NOISE
    assert_keeps(H3=True)
    # when   batches of four
    moments = second_moments(X, y, fractions([0]), Fraction(3), 6, Fraction(1, 4))
    # then   4^t - 1 times 9/4 over 3; the share (k - 1) eta h/(2 - k eta h) is negative
    assert_identical([M[0, 0] for M in moments], [Fraction(3 * (4**t - 1), 4) for t in range(7)], why="variance")


@necessity("H3", part="(a)")
def test_without_H3_twice_the_batch_has_half_the_variance_at_small_steps():
    # given  three samples of constant noise, h = 1: the share of the noise falls from 1 to 1/4, not to 1/2; in H4 k = 2
    #        and epsilon = 1/99
    X, y, eta = fractions([[1]] * 3), fractions([1, 0, -1]), Fraction(1, 100)
    assert_keeps(H1=(1 - 2 * eta) ** 2 < 1, H4=2 * eta <= 2 * Fraction(1, 99) / (1 + Fraction(1, 99)))
    # when
    S, scaled = (stationary_variance(X, y, k * eta, k, False) for k in (1, 2))
    # then   (n - kB)/(n - B) at eta = 0
    assert_identical(scaled / S, Fraction(1, 2) * Fraction(199, 198), why="ratio of the variances")


@necessity("H4", part="(a)")
def test_without_H4_the_variance_grows_by_more_than_twice_itself():
    # given  constant noise, h = 1, eta = 3/8, k = 4, with replacement; H4 has k eta h at most 2/11 for epsilon = 1/10
    eta = Fraction(3, 8)
    assert_keeps(H1=[(1 - k * eta) ** 2 < 1 for k in (1, 4)], H3=True)
    assert_at_most(2 / 11, float(4 * eta), why="H4 fails")
    # then
    S, scaled = (stationary_variance(*CONSTANT_NOISE, k * eta, k) for k in (1, 4))
    assert_identical(scaled / S - 1, Fraction(9, 4), why="excess of (4 eta, 4) over (eta, 1)")
