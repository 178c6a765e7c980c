r"""Section 8.1: stochastic differential equation - SGD has the square root of the noise covariance, times sqrt(eta).

Section     8.1
Printed     In continuous time, SGD approximates $d\theta = -\nabla \mathcal{L}(\theta)\, dt + \sqrt{\eta}\,
            \Sigma(\theta)\, dW$, where $W$ is a Wiener process and $\Sigma$ is the noise covariance
Reading     The sentence says what the noise of SGD is, as the section is about it: a step of Euler's scheme, dt = eta,
            has the covariance of a step of SGD, or Var/eta at a fixed time is that of SGD in the limit of small eta.
            $\Sigma$ is the covariance of the minibatch gradient, by the print's own words, not a root of it. A sense of
            "approximates" that an equation without noise meets as well (C3) says nothing of the noise
Readings    [weak order one] "approximates" in the sense of Li, Tai and E: moments at a fixed time T = k eta agree up to
            K eta for some K - refuted
Setting     $\theta_{t+1} = \theta_t - \eta \nabla L_{B_t}(\theta_t)$; $\Sigma$ is the covariance of the gradient of one
            row, $f\Sigma$ that of a minibatch's (f = 1/b with replacement, (n-b)/(b(n-1)) without). C2, C3 and the
            first half of C4: $L = \frac12 \theta^\top H \theta$, H positive definite, with noise of constant covariance
            C; indices are those of an eigenbasis of H, $s = h_i + h_j$, $M = \theta_0 \theta_0^\top$. Elsewhere: least
            squares, $L = \frac{1}{2n} \|Xw - y\|^2$, whatever the residuals
Hypotheses  Of the corrected statement on fluctuations: (H1) the minibatches of different steps are independent.  (H2)
            eta lambda_max(H) <= 1/2, for the constants; some bound below 2 is needed.
Corrected   (C1) $d\theta = -\nabla L\, dt + \sqrt{\eta f}\, \Sigma(\theta)^{1/2} dW$: an Euler step has the mean and
            the covariance of a step of SGD, exactly and in all units of the loss.  (C2) With H1, H2, $\theta_0 = 0$ and
            $V = \int_0^T e^{-Hs} C e^{-Hs} ds$ the covariance of SGD after k = T/eta steps lies, entry by entry,
            between $\frac{\eta V_{ij}}{1 - \eta h_i h_j/s}$ and $\frac{(1 + \eta h_{max}) \eta V_{ij}}{1 - \eta h_i
            h_j/s}$, so that $Var/\eta \to V$.  (C3) With H1, H2 the second moments of SGD and of $d\theta = -H\theta\,
            dt + \sqrt\eta D^{1/2} dW$ differ, entry by entry, by at most $\eta T(|C_{ij}| + |D_{ij}| + e^{-sT} (h_i^2 +
            h_j^2) |M_{ij}|)$: of first order for D = 0, $D = C^2$ as printed and D = C alike.  (C4) With H1, H2 and the
            drift $-\nabla(L + \frac\eta4 |\nabla L|^2)$ the second moments agree to second order; so they do on least
            squares with the noise of minibatches
Differs     The factor of dW is $(f\Sigma)^{1/2}$, the square root of the noise covariance, and not the noise covariance
Idea        A step's noise is eta times the gradient's, of covariance eta^2 Sigma; Brownian motion of the amplitude A
            gives dt A A' = eta A A' in the same time, so that A = sqrt(eta) Sigma^(1/2). Sigma itself has the wrong
            units: with L -> cL, eta -> eta/c nothing changes for SGD, but the printed variance grows by c^2. Both are
            the same where Sigma^2 = Sigma. Noise of size sqrt(eta) moves a smooth mean by O(eta): weak order one is
            blind to it while moments exist. On interpolated rows the printed noise grows like w^2, its equation is
            solved by exp(-ht)/|B| for a Brownian motion B in three dimensions, and 1/|B| has no third moment
Source      Li, Tai, E (2017), Stochastic Modified Equations and Adaptive Stochastic Gradient Algorithms, ICML (both
            orders); Mandt, Hoffman, Blei (2017), Stochastic Gradient Descent as Approximate Bayesian Inference, JMLR 18
            (constant noise); Johnson, Helms (1963), Class D Supermartingales, Bulletin of the AMS 69 (1/|B|); the
            two-sided bound on the fluctuation and the constants of both orders are ours, derived at each test
Tolerance   Steps: every minibatch is enumerated, in fractions. Moments: SGD by its recursion, diffusions by scipy's
            exponential of the linear system that the moments solve; slack is rounding
            (fixtures.dynamics.stationary.recursion_rounding, fixtures.dynamics.diffusion.diffused_rounding)
Findings    A slope fitted to the errors at two steps does not tell the noise either: at h = 1, c = 4, theta_0 = T = 1
            the error of the right diffusion changes its sign between eta = 0.2 and 0.1. In shuffled epochs of two
            samples with the gradients theta -+ 1 the fluctuation of order sqrt(eta) cancels (H1)
Expected    refuted
"""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.diffusion import diffused, diffused_rounding, moment_generators
from fixtures.dynamics.minibatch_law import (
    mean_and_covariance,
    minibatch_gradients,
    noise_share,
    sample_gradients,
    second_moments,
)
from fixtures.dynamics.stationary import covariance_after, recursion_rounding
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.noisy_quadratics import noisy_quadratics
from fixtures.problems.tapes import tapes
from fixtures.rational import enclose_sqrt, exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, observed

problems = noisy_quadratics(sizes=(1 / 4, 1 / 2, 1 / 16, 1 / 256))


@dataclasses.dataclass(frozen=True)
class Minibatch:
    """Least squares with n = 2 or 3 rows of p = 1 or 2 integers, a point w, and how minibatches are drawn.

    X (n, p), y (n,), w (p,) object arrays of fractions. eta: a step, c: a factor of the loss, both rational.
    """

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray
    batch: int
    replacement: bool
    eta: Fraction
    c: Fraction

    @property
    def share(self):
        """The share f of a row's gradient covariance that is left in the minibatch's."""
        return noise_share(len(self.X), self.batch, self.replacement)

    def gradients(self):
        """The gradient on every minibatch, (K, p), all equally likely."""
        return minibatch_gradients(self.X, self.y, self.w, self.batch, self.replacement)

    def noise(self):
        """Mean and covariance Sigma of the gradient of a single row."""
        return mean_and_covariance(sample_gradients(self.X, self.y, self.w))


@st.composite
def minibatches(draw):
    """Shrinks to two rows of zeros, in minibatches of one without replacement, eta = c = 1."""
    tape = draw(tapes(20))
    n, p = 2 + tape.below(2), 1 + tape.below(2)
    X, y, w = (fractions(tape.integers(shape, 3).astype(int)) for shape in ((n, p), n, p))
    batch, replacement = 1 + tape.below(2), bool(tape.below(2))
    eta, c = (Fraction(1 + tape.below(8), 1 + tape.below(8)) for _ in range(2))
    return Minibatch(X, y, w, batch, replacement, eta, c)


def euler_step(drift, amplitude_squared, dt):
    """Mean and covariance of theta' - theta for one step dt of Euler's scheme: drift dt, A A' dt."""
    return drift * dt, amplitude_squared * dt


def in_eigenbasis(problem, matrix):
    """Q' (matrix) Q, whose entries the bounds are about."""
    return problem.Q.mT @ matrix @ problem.Q


def pairs(problem):
    """H_i + h_j (1 in the padding), h_i h_j and h_i^2 + h_j^2 as (B, p, p), and the step and the time (B, 1, 1)."""
    rows, columns = problem.h[:, :, None], problem.h[:, None, :]
    s = np.where(rows + columns > 0, rows + columns, 1)
    return (
        s,
        rows * columns,
        rows**2 + columns**2,
        problem.eta[:, None, None],
        (problem.eta * problem.steps)[:, None, None],
    )


def second_moment_of_sgd(problem, start=None):
    """E theta theta' after k steps from theta_0 (from 0 unless given), and its rounding with that of the eigenbasis."""
    found = covariance_after(problem.H, problem.C, problem.eta, problem.steps, start)
    T = problem.eta * problem.steps
    largest = T * problem.eta * norm(problem.C, axis=(-2, -1)) + norm(problem.start, axis=-1) ** 2
    rounding = recursion_rounding(problem.C, problem.eta, problem.steps, largest)
    rotation = 2 * 12 * 3 * 3 * UNIT_ROUNDOFF * (1 + T * norm(problem.H, axis=(-2, -1)))
    return found, (rounding + 8 * rotation * largest)[:, None, None]


def second_moment_of_diffusion(problem, H, D):
    """E theta theta' at T = k eta of d theta = -H theta dt + sqrt(eta) D^(1/2) dW from theta_0, and its rounding.

    The exponential of -HT, of fewer entries, errs no more than that of the system without noise.
    """
    T = problem.eta * problem.steps
    flow = scipy.linalg.expm(-T[:, None, None] * H)
    mean = np.matvec(flow, problem.start)
    found = mean[:, :, None] * mean[:, None, :] + problem.eta[:, None, None] * diffused(H, D, T)
    rounding = problem.eta * diffused_rounding(H, D, T)
    rounding += diffused_rounding(H, 0 * D, T) * norm(problem.start, axis=-1) ** 2
    return found, rounding[:, None, None]


@corrected("C3", "H1", "H2")
@pytest.mark.parametrize("noise", ["none", "printed", "square root"])
@given_batches(problem=problems)
def test_to_first_order_the_second_moments_are_those_of_sgd_whatever_the_noise(noise, problem):
    # given  D = A A' for no noise, A = Sigma and A = Sigma^(1/2), with Sigma = C, and theta_0
    C, start = problem.C, problem.start[:, :, None] * problem.start[:, None, :]
    D = {"none": 0 * C, "printed": C @ C, "square root": C}[noise]
    # when
    sgd, sgd_rounding = second_moment_of_sgd(problem, start)
    sde, sde_rounding = second_moment_of_diffusion(problem, problem.H, D)
    # then   0 <= e^-sT - ((1 - x_i)(1 - x_j))^k <= e^-sT T eta (h_i^2 + h_j^2) for x = eta h <= 1/2, as -ln(1-x) - x
    #        <= x^2; and a noise D adds |D| eta T at most
    s, _, squares, eta, T = pairs(problem)
    M, c, d = (np.abs(in_eigenbasis(problem, matrix)) for matrix in (start, C, D))
    bound = eta * T * (np.exp(-s * T) * squares * M + c + d)
    error = np.abs(in_eigenbasis(problem, sgd - sde))
    assert_at_most(error, bound + sgd_rounding + sde_rounding, why=f"weak order one, noise {noise}", instance=problem)


@corrected("C3")
def test_the_first_order_bound_is_attained_by_the_noise_and_nearly_by_the_start():
    # given  h = 1, one step: c eta^2 from rest and without noise in the equation, and e^-1 - 1/4 from 1 at eta = 1/2
    from_rest = covariance_after(*fractions([[[1]], [[4]]]), Fraction(1, 10), 1)[0, 0]
    low, _ = exponential_of_minus(1)
    # then
    assert_identical(from_rest, Fraction(1, 10) ** 2 * 4, why="eta T c for D = 0")
    bound = low / 2  # eta T e^-2T (h^2 + h^2), T = eta
    assert_at_most(bound / 2, low - Fraction(1, 4), why="more than half of eta T e^-sT 2h^2")


@observed
def test_the_error_of_the_right_diffusion_changes_its_sign_so_that_no_slope_can_be_read_off_it():
    # given  h = 1, c = 4, theta_0 = 1, T = 1: e^-2 + eta c (1 - e^-2)/2
    low, high = exponential_of_minus(2)
    etas = [Fraction(1, 5), Fraction(1, 10)]
    # when
    sgd = [covariance_after(*fractions([[[1]], [[4]]]), eta, int(1 / eta), fractions([[1]]))[0, 0] for eta in etas]
    # then   +0.023 and -0.002
    assert_at_most(high + etas[0] * 2 * (1 - high), sgd[0], why="SGD lies above at eta = 1/5")
    assert_at_most(sgd[1], low + etas[1] * 2 * (1 - low), why="SGD lies below at eta = 1/10")


@counterexample
def test_a_step_of_the_printed_equation_has_four_times_the_variance_of_a_step_of_sgd():
    # given  y = (2, -2), x = 1, w = 0, b = 1, eta = 1/10: gradients -2 and 2, Sigma = 4
    X, y, w, eta = fractions([[1], [1]]), fractions([2, -2]), fractions([0]), Fraction(1, 10)
    _, sgd = mean_and_covariance(-eta * minibatch_gradients(X, y, w, 1, True))
    mean, Sigma = mean_and_covariance(sample_gradients(X, y, w))
    # when
    _, printed = euler_step(-mean, eta * Sigma @ Sigma, eta)
    # then
    reads = "variance {value} of the printed step > variance {limit} of SGD's"
    assert_violates(printed[0, 0], sgd[0, 0], reads=reads, X=X, y=y, w=w, eta=eta)


@counterexample
def test_hypothesis_finds_a_minibatch_whose_printed_step_varies_more():
    def variances(instance):
        Sigma, eta = instance.noise()[1], instance.eta
        sgd = mean_and_covariance(-eta * minibatch_gradients(instance.X, instance.y, instance.w, 1, True))[1]
        return np.trace(euler_step(0, eta * Sigma @ Sigma, eta)[1]), np.trace(sgd)

    found = smallest_violation(minibatches(), lambda instance: np.greater(*variances(instance)))
    value, limit = variances(found)
    reads = "total variance {value} of the printed step > {limit} of SGD's"
    assert_violates(value, limit, reads=reads, X=found.X, y=found.y, w=found.w, eta=found.eta)


@counterexample
def test_in_other_units_of_the_loss_the_printed_variance_is_another_one():
    # given  the gradient covariance diag(1, 4), c = 10, eta = 1/10
    Sigma, eta, c = fractions([[1, 0], [0, 4]]), Fraction(1, 10), 10
    _, before = euler_step(0, eta * Sigma @ Sigma, eta)
    # when   L -> cL, so that Sigma -> c^2 Sigma, and eta -> eta/c
    _, after = euler_step(0, eta / c * (c**2 * Sigma) @ (c**2 * Sigma), eta / c)
    assert_identical(eta**2 * Sigma, (eta / c) ** 2 * c**2 * Sigma, why="the covariance of SGD's step")
    # then
    reads = "printed variance {value} in the new units > {limit} in the old"
    assert_violates(after[1, 1], before[1, 1], reads=reads, Sigma=Sigma, eta=eta, c=c)


@counterexample
def test_at_a_fixed_time_the_printed_fluctuation_is_above_that_of_sgd_by_a_factor_that_stays():
    # given  h = 1, c = 4, T = 1: the printed Var/eta = c^2 (1 - e^-2)/2 at every eta
    printed, reads = 16 * (1 - exponential_of_minus(2)[1]) / 2, "printed Var/eta {value} > {limit}, three times SGD's"
    assert_at_most(Fraction(69, 10), printed, why="Var/eta as printed")
    # when   eta = 1/10 and 1/1000
    coarse, fine = (covariance_after(*fractions([[[1]], [[4]]]), Fraction(1, k), k)[0, 0] * k for k in (10, 1000))
    # then   1.85 and 1.73
    assert_at_most([3 * coarse, 3 * fine], [Fraction(56, 10), Fraction(52, 10)], why="three times Var/eta of SGD")
    assert_violates(Fraction(69, 10), Fraction(56, 10), reads=reads, h=1, c=4, T=1, eta="1/10")
    assert_violates(Fraction(69, 10), Fraction(52, 10), reads=reads, h=1, c=4, T=1, eta="1/1000")


def least_third_moment(x, eta, steps, cut):
    """An integer below E[w^3; w <= exp(cut - hT)] at T = steps eta of the printed equation from w = 1, for y = 0.

    With the mean h and the variance v of x_i^2 it is dw = -hw dt + sqrt(eta) v w^2 dW, of the solution exp(-ht)/|B|: B
    is a Brownian motion in three dimensions from a point of length 1, at the time tau = eta v^2 (1 - exp(-2ht))/(2h),
    and X = 1/|B| has dX = -X^2 d beta, as 1/|.| is harmonic. |B| has at r the density 2r sinh(r/tau) exp(-(r^2 + 1)/(2
    tau))/sqrt(2 pi tau), for r <= 1 at least 2r^2 exp(-1/tau)/(tau sqrt(2 pi tau)); r^-3 times r^2 integrates to `cut`
    over exp(-cut) <= r <= 1. sqrt(2 pi) < 2.507.
    """
    squares = [Fraction(a) ** 2 for a in x]
    h = sum(squares) / len(x)
    v = sum((square - h) ** 2 for square in squares) / len(x)
    decays = exponential_of_minus(2 * h * steps * eta)
    taus = sorted(eta * v**2 * (1 - decay) / (2 * h) for decay in decays)
    if taus[0] * 20 < 1:
        return 0
    root = enclose_sqrt(taus[1])[1]
    density = 2 * exponential_of_minus(1 / taus[0])[0] / (taus[1] * root * Fraction(2507, 1000))
    return math.floor(exponential_of_minus(3 * h * steps * eta)[0] * density * cut)


def third_moment_of_sgd(x, eta, steps):
    """E w^3 after steps on single rows from w = 1, for y = 0; exact."""
    return (sum((1 - eta * Fraction(a) ** 2) ** 3 for a in x) / len(x)) ** steps


@counterexample(reading="weak order one")
def test_on_interpolated_rows_the_printed_equation_has_no_third_moment():
    # given  x = (0, 2), y = 0, single rows, eta = 1/4, from w = 1: a step keeps w or ends at 0; T = eta
    x, eta = [0, 2], Fraction(1, 4)
    sgd, printed = third_moment_of_sgd(x, eta, 1), least_third_moment(x, eta, 1, 10**5)
    assert_identical(sgd, Fraction(1, 2), why="E w^3 of SGD")
    # then   more than K eta above, for K = 10^4 and, by larger cuts, for every K
    assert_identical([least_third_moment(x, eta, 1, 10 ** (5 + j)) // printed for j in (1, 2)], [10, 100], why="cuts")
    reads = "E[w^3; w <= exp(10^5)] above {value} > {limit} = E w^3 of SGD + 10^4 eta"
    assert_violates(Fraction(printed), sgd + 10**4 * eta, reads=reads, x=x, y=[0, 0], eta=eta, T=eta)


@counterexample(reading="weak order one")
def test_hypothesis_finds_interpolated_rows_whose_printed_third_moment_is_beyond_k_eta():
    def moments(instance):
        a, b, inverse = instance
        eta = Fraction(1, inverse)
        return Fraction(least_third_moment((a, b), eta, 1, 10**9)), third_moment_of_sgd((a, b), eta, 1) + 10**4 * eta

    # eta h <= 2, so that the rows are in the range of a step that is stable
    rows = st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(1, 9)).filter(
        lambda instance: instance[0] ** 2 + instance[1] ** 2 <= 4 * instance[2]
    )
    found = smallest_violation(rows, lambda instance: np.greater(*moments(instance)))
    printed, limit = moments(found)
    assert_violates(printed, limit, reads="E w^3 above {value} > {limit} = SGD's + 10^4 eta", rows_and_1_over_eta=found)


@corrected("C1")
@given(instance=minibatches())
def test_an_euler_step_with_the_square_root_has_the_mean_and_the_covariance_of_every_step_of_sgd(instance):
    # given  A = sqrt(eta f) Sigma^(1/2), dt = eta
    gradient, Sigma = instance.noise()
    expected = euler_step(-gradient, instance.eta * instance.share * Sigma, instance.eta)
    # when   every minibatch takes its step
    mean, covariance = mean_and_covariance(-instance.eta * instance.gradients())
    # then
    assert_identical(mean, expected[0], why="the mean of a step")
    assert_identical(covariance, expected[1], why="the covariance of a step")


@corrected("C1")
@given(instance=minibatches())
def test_both_are_the_same_in_all_units_of_the_loss(instance):
    # given  L -> c^2 L by X -> cX and y -> cy, and eta -> eta/c^2
    c = instance.c
    other = dataclasses.replace(instance, X=c * instance.X, y=c * instance.y, eta=instance.eta / c**2)
    # then   every step of SGD is the same, and so is the amplitude's eta Sigma per step
    assert_identical(other.eta * other.gradients(), instance.eta * instance.gradients(), why="steps of SGD")
    (_, before), (_, after) = instance.noise(), other.noise()
    assert_identical(other.eta**2 * after, instance.eta**2 * before, why="covariance of an Euler step")


def factors_of_v(s, product, eta, largest):
    """The ends between which Var/eta lies, over V, for s = h_i + h_j, the product of the two and the largest h."""
    least = 1 / (1 - eta * product / s)
    return least, (1 + eta * largest) * least


@corrected("C2", "H1", "H2")
@given_batches(problem=problems)
def test_the_fluctuation_over_eta_is_enclosed_by_that_of_the_diffusion(problem):
    # given  H1: the recursion adds the noises of the steps;  H2 by the choice of eta; theta_0 = 0
    sgd, rounding = second_moment_of_sgd(problem)
    # when
    T = problem.eta * problem.steps
    V, V_rounding = diffused(problem.H, problem.C, T), diffused_rounding(problem.H, problem.C, T)
    # then   Var_ij = eta C_ij (1 - a^k)/(s - eta h_i h_j), a = (1 - x_i)(1 - x_j), V_ij = C_ij (1 - e^-sT)/s, and
    #        e^(-x-y) >= a >= e^(-(x+y)(1 + max x)) for x, y <= 1/2, where 1 - e^-(1+d)z <= (1 + d)(1 - e^-z)
    s, product, _, eta, _ = pairs(problem)
    V, found = in_eigenbasis(problem, V), in_eigenbasis(problem, sgd) / eta
    least, most = factors_of_v(s, product, eta, problem.h.max(-1)[:, None, None])
    slack = rounding / eta + 2 * V_rounding[:, None, None]
    value, V = np.sign(V) * found, np.abs(V)
    assert_within(least * V, value, most * V, slack=slack, why="Var/eta against V", instance=problem)
    assert_at_most(most, 2, why="the ends are near under H2", instance=problem)


@corrected("C2")
def test_one_step_has_more_than_half_of_the_excess_that_the_upper_end_allows():
    # given  h = (1, 2^-20), eta = 1/2, c_12 = 1: the covariance eta^2 after one step, and V_12 = (1 - e^-sT)/s, T = eta
    eta, h = Fraction(1, 2), fractions([1, Fraction(1, 2**20)])
    sgd = covariance_after(np.diag(h), fractions([[1, 1], [1, 1]]), eta, 1)[0, 1]
    found = [sgd / eta / ((1 - decay) / h.sum()) for decay in exponential_of_minus(h.sum() * eta)]
    # then
    least, most = factors_of_v(h.sum(), h.prod(), eta, 1)
    assert_within(float((least + most) / 2), np.array(found, float), float(most), why="Var/eta over V")


@corrected("C4", "H1", "H2")
@given_batches(problem=problems)
def test_with_the_modified_drift_the_second_moments_agree_to_second_order(problem):
    # given  L + (eta/4)|grad L|^2 = (1/2) theta'(H + eta H^2/2) theta
    start = problem.start[:, :, None] * problem.start[:, None, :]
    s, product, squares, eta, T = pairs(problem)
    # when
    sgd, sgd_rounding = second_moment_of_sgd(problem, start)
    sde, sde_rounding = second_moment_of_diffusion(problem, problem.H + eta / 2 * problem.H @ problem.H, problem.C)
    # then   E = e^-(s + eta q/2)T, q = h_i^2 + h_j^2, has 0 <= E - a^k <= E (T/eta) sum x^3/(3(1 - x)) = lag, and
    #        1/(s - eta h_i h_j) - 1/(s + eta q/2) = eta s^2/2 /((s - eta h_i h_j)(s + eta q/2)) = gap
    rate, x = s + eta * squares / 2, problem.eta[:, None] * problem.h
    E, cubes = np.exp(-rate * T), x**3 / (3 * (1 - x))
    lag, gap = E * T / eta * (cubes[:, :, None] + cubes[:, None, :]), eta * s**2 / 2 / ((s - eta * product) * rate)
    M, c = (np.abs(in_eigenbasis(problem, matrix)) for matrix in (start, problem.C))
    bound = lag * M + eta * c * ((1 - E) * gap + lag * (gap + 1 / rate))
    error = np.abs(in_eigenbasis(problem, sgd - sde))
    assert_at_most(error, bound + sgd_rounding + sde_rounding, why="order two", instance=problem)
    # and    lag <= x^2/(3 e (1 - x)) at the largest x, as k s eta e^(-k s eta) <= 1/e, and gap (1 + lag) <= eta
    top = x.max(-1)[:, None, None]
    second = top**2 / (3 * np.e * (1 - top)) * (M + eta * c / s) + eta**2 * c
    assert_at_most(bound, second, why="the bound is of order eta^2", instance=problem)


@corrected("C2")
def test_after_a_long_time_the_fluctuation_is_at_the_lower_end():
    # given  h = c = 1, eta = 1/2: after 12 steps 2^-24 and e^-12 of the covariances are missing
    sgd = covariance_after(*fractions([[[1]], [[1]]]), Fraction(1, 2), 12)[0, 0]
    V = (1 - exponential_of_minus(12, terms=60)[0]) / 2
    # then
    least, _ = factors_of_v(2, 1, Fraction(1, 2), 1)
    assert_within(float(least), float(2 * sgd / V), float(least) * (1 + 2.0**-16), why="Var/eta over V")


@pytest.mark.slow
@corrected("C4")
@given(tapes(16))
def test_with_the_noise_of_its_minibatches_sgd_on_least_squares_is_second_order_too(tape):
    # given  three rows in two dimensions, minibatches of one or two, residuals and noise that change along the way
    X, y, w0 = tape.integers((3, 2), 2), tape.integers(3, 2), tape.integers(2, 2)
    share = float(noise_share(3, 1 + tape.below(2), bool(tape.below(2))))
    G, correction = moment_generators(X, y, share)
    g, g1, k = norm(G), norm(correction), 2 ** tape.choice([3, 5, 7])
    eta = 1 / (k * max(g, g1, 1))
    # when
    sgd = second_moments(X, y, w0, eta, k, share)
    sde = scipy.linalg.expm(k * eta * (G + eta * correction)) @ sgd[0].ravel()
    # then   a step is I + eta G + eta^2 (G' + G^2/2) = exp(eta G + eta^2 G') but for r, both of norm e^(eta g) at most
    rate = g + eta * g1
    r = eta**3 * g * g1 + eta**4 * g1**2 / 2 + (eta * rate) ** 3 * np.exp(eta * rate) / 6
    scale = np.exp(k * eta * rate) * norm(sgd[0])
    rounding = 64 * 9 * k * UNIT_ROUNDOFF * scale
    bound = k * r * scale + rounding
    assert_at_most(norm(sgd[-1].ravel() - sde), bound, why="order two", instance=(X, y, w0, eta))
    assert_at_most(bound, 5 / k**2 * norm(sgd[0]), why="the bound is of order 1/k^2", instance=(X, y, w0, eta))


@necessity("H1")
@pytest.mark.parametrize("epochs", [1, 8, 64])
def test_without_H1_in_shuffled_epochs_the_fluctuation_is_of_a_smaller_order(epochs):
    # given  gradients theta - b_i, b = (1, -1), c = h = 1, each once per epoch: theta_2 = a^2 theta_0 -+ eta^2
    eta = Fraction(1, 2 * epochs)
    assert_keeps(H2=eta <= Fraction(1, 2))
    a = 1 - eta
    _, per_epoch = mean_and_covariance(fractions([[eta * (a * b - b)] for b in (1, -1)]))
    # when   epochs are independent of each other
    variance = sum(a ** (4 * epoch) * per_epoch[0, 0] for epoch in range(epochs))
    # then   T = 1: Var/eta <= eta^2/2, and not V = (1 - e^-2)/2 > 2/5 or more
    assert_at_most(variance / eta, eta**2 / 2, why="Var/eta of shuffled epochs")
    assert_at_most(Fraction(2, 5), (1 - exponential_of_minus(2)[1]) / 2, why="V")


@necessity("H2")
@given(st.integers(3, 40))
def test_without_H2_the_fluctuation_of_sgd_grows_with_time_and_that_of_the_diffusion_does_not(k):
    # given  eta h = 3, c = h = 1: V <= c/(2h) = 1/2; the recursion adds the noises of the steps
    H, C = fractions([[1]]), fractions([[1]])
    assert_keeps(H1=True)
    # when
    sgd = covariance_after(H, C, Fraction(3), k)[0, 0] / 3
    # then   (4^k - 1) eta c/3
    assert_identical(sgd, Fraction(4**k - 1), why="Var/eta of SGD")
    assert_at_most(2 ** (k + 1) * Fraction(1, 2), sgd, why="above 2^(k+1) V")
