r"""Theorem 8.1 - the noise of SGD has a stationary law, but curvature and noise share in it otherwise than printed.

Section     8.2
Printed     The stationary distribution of SGD is approximately $p(\theta) \propto \exp(-\frac2\eta \mathcal{L}(\theta)
            - \mathcal{R}(\theta))$, where $\mathcal{R}$ depends on the local noise covariance. This shows SGD
            implicitly favors regions with low gradient variance
Reading     (a) "Approximately": up to a factor that tends to 1 with eta; the counterexamples grant a factor of 2. "R
            depends on the local noise covariance": R(theta), which may depend on eta too, is some function of the noise
            covariance at theta, and so a constant where that covariance is one. An R of everything would make the
            formula empty, and nothing about low variance would follow from it. (b) What is compared are two regions of
            equal loss and size, matched point by point, that differ in the noise alone: that with the less total
            variance of the gradient at every point has at least as much mass
Setting     $\theta_{t+1} = \theta_t - \eta(\nabla L(\theta_t) + \xi_t)$, $E\xi = 0$, $Cov\, \xi = C$, and $L = \frac12
            \theta^\top H \theta$ unless said otherwise; $A = I - \eta H$, S the stationary covariance, D(x) the
            variance of the gradient of one parameter x
Hypotheses  Of the corrected statement (a): (H1) eta h < 2 for every eigenvalue h of H.  (H2) H and C do not depend on
            theta or on the step.  (H3) L confines: H is positive definite. Of (b): (H4) there is one parameter, or the
            noise is isotropic.  (H5) Steps are short: SGD walks to a neighbor on a lattice, or stays; or, with one
            parameter and L flat, its steps are of any law, at most a sixth of a region long, and the variance at every
            point of one region is at least twice that at every point of the other.  (H6) L is flat; or, with one
            parameter, it rises from both regions to one top by the same slopes, and on the way up too the noise is less
            on the side of the region that has less.
Parts       (a) the stationary density - refuted
            (b) low gradient variance is favored - holds under added hypotheses
Corrected   (C1) (a) With H1, H2, H3 the stationary covariance is the one solution of $S = ASA + \eta^2 C$, of which k
            steps from a point are short by $A^k S A^k$, and $S_{ij} = \eta C_{ij}/(h_i + h_j - \eta h_i h_j)$ in an
            eigenbasis of H.  (C2) (a) With H2, H3 the law of small steps, $S_1 = \lim S/\eta$, has $|C - I|/(2 h_{max})
            \le |S_1 - H^{-1}/2| \le |C - I|/(2 h_{min})$ in the Frobenius norm: it is the printed one if and only if C
            = I, and then S has the relative gap $\eta h/(2 - \eta h)$ exactly (H1).  (C3) (a) With H1, H2, H3 the
            current $E[\theta_{t+1} \theta_t^\top - \theta_t \theta_{t+1}^\top]$ has the entries $\eta^2 C_{ij} (h_j -
            h_i)/(h_i + h_j - \eta h_i h_j)$: it is zero if and only if H and C commute.  (C4) (a) From a point, under
            H2, Gaussian noise has a Gaussian law at every step. Noise -+1 on one parameter has, for $|a| < 1$, $a = 1 -
            \eta h$, the excess kurtosis $-2(1-a^2)/(1+a^2)$ in the limit; its law is uniform on [-2, 2] for a = 1/2,
            and leaves a gap at the minimum for a = 1/3.  (C5) (a) Of least squares on interpolated data, in single rows
            with $\eta \max |x_i|^2 < 2$, a step multiplies the mean square error by $1 - \eta(2 - \eta \max |x_i|^2)
            h_{min}$ at most: with independent columns the law is a point.  (C6) (a) Where the curvature varies from
            step to step a law may exist that has no variance: for $1 - \eta h$ = 1/2 or -3/2 with equal chance and
            additive noise, and for 1/100 or -3, where eta times the mean curvature is 2.495.  (C7) (a) For $L = hx^2/2$
            and gradients -s, 0, s of variance $D = D_0 ((1 + bx)^2 + 1)/2$ the law is $\frac1D \exp(-\frac2\eta \int
            L'/D)$ up to a total variation of $1.3 \eta$, on each of the 324 lattices of
            fixtures.problems.lattice_descents
Differs     (a) The exponent is not -2L/eta: the covariance solves $HS_1 + S_1H = C$, which gives the printed one only
            for C = I, and C = I on no open set of data
Idea        (a) -2L/eta is the potential of Langevin's diffusion, whose noise is isotropic. Else $S/\eta$ tends to the
            solution of $HS_1 + S_1H = C$, which is $H^{-1}/2$ for no other C, and the mismatch is of the order of
            2L/eta itself. To add C = I as a hypothesis would not save the print: it holds on no open set of data, in
            one unit of L only, and leaves nothing of R. (b) Where L is flat, a walk to neighbors stays at a point for a
            time proportional to 1/D, so that pi D is constant. Down a slope g, by detailed balance, the mass grows by
            (V + g)/(V - g), V = D + g^2: less where the noise is more. Under longer steps a function bounds the mass
            that bends down on the noisier region and up on the calmer one. On a torus whose variances depend on x
            alone, the variance along x decides the mass, and the variance along y does not. With a barrier between two
            wells the variance on it may decide
Source      Mandt, Hoffman, Blei (2017), Stochastic Gradient Descent as Approximate Bayesian Inference, JMLR 18
            (constant noise); Chaudhari, Soatto (2018), Stochastic gradient descent performs variational inference,
            converges to limit cycles for deep networks, ICLR (the current); Hodgkinson, Mahoney (2021), Multiplicative
            Noise and Heavy Tails in Stochastic Optimization, ICML; Kesten (1973), Random difference equations and
            renewal theory for products of random matrices, Acta Mathematica 131; the bound on the total variation and
            the witnesses are ours
Tolerance   Covariances: scipy's discrete Lyapunov solver with its residual over the gap 1 - rho^2, and rounding
            (fixtures.dynamics.stationary). Walks: fractions, GTH up to its rounding, or detailed balance against the
            trapezoidal rule (properties.detailed_balance)
Chance      One test samples: independent chains, k steps from a point, a chi-square pivot of 6000 degrees at 1e-9 an
            example, 1e-7 for the fast run. A variance off by 1.25 or 0.8 is missed with a probability below 1e-6
Findings    "Favors low variance" is the factor 1/D of Ito's density (C7); the other densities that were tried, with
            1/sqrt(D), with no factor and the printed ones for R = 0 and R = ln D, are further away on every one of the
            324 lattices. For C = H, the noise of least squares with label noise, S is eta/(2 - eta h) by C1: to first
            order no curvature is preferred. All counterexamples of (a) but the last two and all of (b) are strict
            inequalities, which persist for data nearby
Expected    refuted
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.birth_death import stationary_weights, three_point_descent, torus_walk, transition_matrix
from fixtures.dynamics.langevin import GaussianLaw, noisy_descent, whitened_square
from fixtures.dynamics.markov_chains import gth_rounding, stationary_law
from fixtures.dynamics.minibatch_law import minibatch_gradients, moment_operator
from fixtures.dynamics.stationary import covariance_after, recursion_rounding, stationary_covariance
from fixtures.dynamics.stochastic import second_moment
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.lattice_descents import every_lattice, lattice, lattice_descents
from fixtures.problems.noisy_quadratics import noisy_quadratics
from fixtures.problems.tapes import tapes
from fixtures.rational import enclose_sqrt, fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.concentration import chi_square_interval
from properties.detailed_balance import apart, balance_bound
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, observed, under_hypotheses

FALSE_ALARM, DEGREES = 1e-9, 6000
CLOSE = 2
"""The factor of the printed variance up to which the counterexamples grant it to be approximate."""
ORDER, WORST_LATTICE = 1.3, lattice(h=2.0, s=2.5, b=2.0, D_0=0.5, eta=1e-5)
"""The total variation over eta is below ORDER on the 324 lattices, and 1.28 on this one."""

MOVES = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
"""On a torus: to stay, or to one of four neighbors."""

problems = noisy_quadratics(sizes=(1 / 2, 1.0, 1.5, 1.9, 1 / 64))


def exact_stationary(h, C, eta):
    """S for H = diag(h) in fractions, with the check that a step keeps it."""
    S = eta * C / (np.add.outer(h, h) - eta * np.multiply.outer(h, h))
    assert_identical(covariance_after(np.diag(h), C, eta, 1, S), S, why="a step keeps S")
    return S


def eigen_pairs(problem):
    """H_i + h_j and h_i h_j, (p, p)."""
    return np.add.outer(problem.h, problem.h), np.multiply.outer(problem.h, problem.h)


def basis_rounding(problem, matrix):
    """The rounding of Q'(matrix)Q and of the identity of H with Q diag(h) Q', which moves S by its condition."""
    x = problem.eta * problem.h
    condition = 1 + x.max() / np.min(x * (2 - x))
    return 400 * len(problem.h) ** 2 * UNIT_ROUNDOFF * condition * norm(matrix)


def outcomes(a, noise, steps):
    """All 2^k equally likely theta_k from theta_0 = 0 under theta <- a theta -+ noise, in fractions."""
    theta = fractions([0])
    for _ in range(steps):
        theta = np.concatenate([a * theta - noise, a * theta + noise])
    return theta


@counterexample(part="(a)")
def test_where_the_noise_is_stronger_the_variance_is_four_times_the_printed_one_at_every_step():
    # given  H = I, C = diag(1, 4): R is constant, and the printed variance eta/2 in both directions
    h, C, reads = fractions([1, 1]), fractions([[1, 0], [0, 4]]), "variance {value} > {limit}, twice the printed one"
    coarse, fine = (exact_stationary(h, C, eta) for eta in (Fraction(1, 10), Fraction(1, 10**6)))
    # then   1/2 and 2, times eta
    assert_violates(coarse[1, 1], CLOSE * Fraction(1, 20), reads=reads, H="I", C=C, eta="1/10")
    assert_violates(fine[1, 1], CLOSE * Fraction(1, 2 * 10**6), reads=reads, H="I", C=C, eta="1e-6")


@counterexample(part="(a)")
def test_hypothesis_finds_a_quadratic_whose_law_is_not_the_printed_one():
    # given  two directions, eta = 1/1000; whatever R is, it is constant, and so are the printed variances eta/(2h)
    def ratios(instance):
        h, c = fractions(instance[:2]), fractions(instance[2:])
        S = np.diag(exact_stationary(h, np.diag(c), Fraction(1, 1000)))
        return S * h / (S * h)[::-1]

    curvatures, noises = st.integers(1, 8), st.integers(1, 8)
    found = smallest_violation(
        st.tuples(curvatures, curvatures, noises, noises), lambda instance: max(ratios(instance)) > CLOSE
    )
    value = max(ratios(found))
    reads = "variances h_1 S_1 and h_2 S_2, the same as printed, have the ratio {value} > {limit}"
    assert_violates(value, CLOSE, reads=reads, h=found[:2], c=found[2:])


@counterexample(part="(a)")
def test_under_noise_of_the_covariance_of_the_curvature_no_flat_direction_is_preferred():
    # given  H = C = diag(1, 9), eta = 1/10
    eta, h = Fraction(1, 10), fractions([1, 9])
    S = exact_stationary(h, np.diag(h), eta)
    assert_identical(np.diag(S), eta / (2 - eta * h), why="eta/(2 - eta h)")
    # then   printed: the flat direction varies nine times as much as the sharp one
    reads = "printed ratio {value} of the variances > {limit}"
    assert_violates(h[1] / h[0], CLOSE * S[0, 0] / S[1, 1], reads=reads, H=np.diag(h), C=np.diag(h), eta=eta)


@counterexample(part="(a)")
def test_in_other_units_of_the_loss_the_printed_law_is_another_one():
    # given  h = c = 1, eta = 1/10; L -> 4L, so that h -> 4h, c -> 16c, and eta -> eta/4: the same iterates
    eta, h, c, unit = Fraction(1, 10), fractions([1]), fractions([[1]]), 4
    before, after = exact_stationary(h, c, eta), exact_stationary(unit * h, unit**2 * c, eta / unit)
    assert_identical(after, before, why="S is the same")
    # then   printed: eta/(2h), before and after
    reads = "printed variance {value} before > {limit}, twice that after"
    assert_violates(eta / 2, CLOSE * eta / (2 * unit**2), reads=reads, L="theta^2/2", unit=unit, eta=eta)


@counterexample(part="(a)")
def test_where_the_data_are_interpolated_the_law_is_a_point_and_has_no_density():
    # given  x = (1, 2), y = 0, L = (1/4) sum (x_i w)^2, h = 5/2, eta = 1/4: factors 3/4 and 0
    X, eta = fractions([[1], [2]]), Fraction(1, 4)
    factor = moment_operator(X, eta, 1)[0, 0]
    assert_identical(factor, Fraction(9, 32), why="E w'^2 / E w^2")
    # then   w_k -> 0 from every start
    reads = "mass {value} of the point 0 > {limit}, its mass under any density"
    assert_violates(1, 0, reads=reads, x=[1, 2], y=[0, 0], eta=eta)


@counterexample(part="(a)")
def test_where_the_minima_form_a_line_the_limit_depends_on_the_start_and_the_printed_density_has_no_integral():
    # given  X = [[1, 0], [1, 0]], y = (1, -1): L = (w_1^2 + 1)/2, starts (0, 0) and (0, 1)
    X, y, starts = fractions([[1, 0], [1, 0]]), fractions([1, -1]), fractions([[0, 0], [0, 1]])
    # when   every minibatch moves w_1 alone
    moves = [minibatch_gradients(X, y, w, 1, True) for w in starts]
    assert_identical(np.array(moves)[:, :, 1], np.zeros((2, 2)), why="w_2 never changes")
    # then   and exp(-2L/eta) has as much mass on every interval of w_2
    reads = "distance {value} of w_2 in the two laws > {limit} for one stationary law"
    assert_violates(starts[1, 1] - starts[0, 1], 0, reads=reads, X=X, y=y, starts=starts)


@corrected("C1", "H1", "H2", "H3", part="(a)")
@given(problem=problems)
def test_after_k_steps_the_covariance_is_short_of_the_lyapunov_solution_by_what_is_left_of_it(problem):
    # given  H1, H2, H3 by the strategy; S by scipy, its residual checked
    S, error = stationary_covariance(problem.H, problem.C, problem.eta)
    # when
    S_k = covariance_after(problem.H, problem.C, problem.eta, problem.steps)
    # then   S - S_k = A^k S A^k, between 0 and rho^2k S
    A_k = (problem.Q * (1 - problem.eta * problem.h) ** problem.steps) @ problem.Q.T
    slack = 2 * error + recursion_rounding(problem.C, problem.eta, problem.steps, norm(S))
    slack += basis_rounding(problem, S)
    assert_at_most(norm(S - S_k - A_k @ S @ A_k), slack, why="S - S_k against A^k S A^k", instance=problem)
    assert_at_most(slack, 1e-9 * norm(S), why="a covariance that is off by 1e-9 would be seen", instance=problem)


@corrected("C1", "H1", "H2", "H3", part="(a)")
@given(problem=problems)
def test_in_an_eigenbasis_it_is_the_small_step_law_over_one_minus_eta_times_half_the_harmonic_mean(problem):
    # given  scipy's continuous Lyapunov solution of H S_1 + S_1 H = C, the law of small steps
    S, error = stationary_covariance(problem.H, problem.C, problem.eta)
    S_1 = scipy.linalg.solve_continuous_lyapunov(problem.H, problem.C)
    # then   S_ij = eta S_1,ij/(1 - eta h_i h_j/(h_i + h_j))
    s, product = eigen_pairs(problem)
    S, S_1 = (problem.Q.T @ matrix @ problem.Q for matrix in (S, S_1))
    gap = norm(S - problem.eta * S_1 / (1 - problem.eta * product / s))
    assert_at_most(gap, error + basis_rounding(problem, S), why="S against S_1", instance=problem)
    assert_at_most(norm(s * S_1 - problem.Q.T @ problem.C @ problem.Q), basis_rounding(problem, problem.C), why="S_1")


@corrected("C2", "H2", "H3", part="(a)")
@given(problem=problems)
def test_how_far_the_small_step_law_is_from_the_printed_one_says_how_far_the_noise_is_from_isotropic(problem):
    # given  S_1 - H^-1/2 has the entries (C - I)_ij/(h_i + h_j)
    S_1 = scipy.linalg.solve_continuous_lyapunov(problem.H, problem.C)
    error, other = norm(S_1 - np.linalg.inv(problem.H) / 2), norm(problem.C - np.eye(len(problem.h)))
    # then   zero if and only if C = I
    lower, upper = other / (2 * problem.h.max()), other / (2 * problem.h.min())
    slack = basis_rounding(problem, S_1) + basis_rounding(problem, np.linalg.inv(problem.H))
    assert_within(lower, error, upper, slack=slack, why="|S_1 - H^-1/2|", instance=problem)


@corrected("C2", "H1", "H2", "H3", part="(a)")
@given(tapes(6))
def test_for_noise_of_the_identity_the_printed_variance_is_off_by_eta_h_over_two_minus_eta_h(tape):
    # given  C = I, and eta h in (0, 2)
    h = fractions(1 + tape.naturals(3, 16))
    eta = Fraction(2 * (1 + tape.below(60)), 61 * int(h.max()))
    S, printed = np.diag(exact_stationary(h, fractions(np.eye(3, dtype=int)), eta)), eta / (2 * h)
    # then   so that it vanishes with eta
    assert_identical((S - printed) / printed, eta * h / (2 - eta * h), why="relative gap")


@corrected("C3", "H1", "H2", "H3", part="(a)")
@given(problem=problems)
def test_the_current_is_the_part_of_the_noise_that_does_not_commute_with_the_curvature(problem):
    # given  E[theta_(t+1) theta_t' - theta_t theta_(t+1)'] = AS - SA = eta(SH - HS), zero for a reversible chain
    S, error = stationary_covariance(problem.H, problem.C, problem.eta)
    current = problem.eta * (S @ problem.H - problem.H @ S)
    # then   eta^2 C_ij (h_j - h_i)/(h_i + h_j - eta h_i h_j)
    s, product = eigen_pairs(problem)
    C, h = problem.Q.T @ problem.C @ problem.Q, problem.h
    predicted = problem.eta**2 * C * np.subtract.outer(-h, -h) / (s - problem.eta * product)
    slack = 2 * problem.eta * norm(problem.H) * (error + basis_rounding(problem, S))
    assert_at_most(norm(problem.Q.T @ current @ problem.Q - predicted), slack, why="current", instance=problem)


@corrected("C3", part="(a)")
def test_the_current_of_a_gaussian_law_by_hand():
    # given  H = diag(1, 3), C = [[1, 1/2], [1/2, 1]]
    h, C = fractions([1, 3]), fractions([[1, "1/2"], ["1/2", 1]])
    S_1 = C / np.add.outer(h, h)
    assert_identical(np.diag(h) @ S_1 + S_1 @ np.diag(h), C, why="H S_1 + S_1 H = C")
    # then
    assert_identical((S_1 @ np.diag(h) - np.diag(h) @ S_1)[0, 1], Fraction(1, 4), why="S_1 H - H S_1")


@corrected("C4", part="(a)")
@given(problem=noisy_quadratics(sizes=(1 / 2, 1.0, 1.5, 1.9), max_steps=4), seed=st.integers(0, 2**32 - 1))
def test_under_gaussian_noise_independent_chains_have_the_gaussian_law_of_their_k_steps(problem, seed):
    # given  6000/p chains of Euler-Maruyama, noise of covariance C, from theta_0
    p, eta = len(problem.h), problem.eta
    normal = np.random.default_rng(seed).standard_normal((problem.steps, DEGREES // p, p))
    # when   beta = 2/eta makes the size of the noise eta
    noise = normal @ np.linalg.cholesky(problem.C).T
    theta = noisy_descent(lambda t: t @ problem.H, np.tile(problem.start, (DEGREES // p, 1)), eta, 2 / eta, noise)
    # then
    mean = problem.Q @ ((1 - eta * problem.h) ** problem.steps * (problem.start @ problem.Q))
    law = GaussianLaw(mean, covariance_after(problem.H, problem.C, eta, problem.steps))
    lower, upper = chi_square_interval(DEGREES, FALSE_ALARM)
    assert_within(lower, whitened_square(theta, law), upper, why="chi-square of the last iterates", instance=problem)


@corrected("C4", part="(a)")
@given(tapes(2))
def test_two_point_noise_leaves_an_excess_kurtosis_that_vanishes_with_the_step(tape):
    # given  a = 1 - eta h in (-1, 1), noise -+1, all 2^k outcomes
    a, k = Fraction(tape.below(31) - 15, 16), 1 + tape.below(7)
    theta = outcomes(a, 1, k)
    # then   the fourth cumulants of a sum add up, to -2 sum a^4j
    variance, fourth = np.mean(theta**2), np.mean(theta**4)
    assert_identical(variance, (1 - a ** (2 * k)) / (1 - a**2), why="variance after k steps")
    cumulant = fourth - 3 * variance**2
    assert_identical(cumulant, -2 * (1 - a ** (4 * k)) / (1 - a**4), why="fourth cumulant after k steps")
    # and    in the limit of many steps, at most 5/2 eta h, as (1 + a)/(1 + a^2) <= 5/4
    limit = -2 / (1 - a**4) * (1 - a**2) ** 2
    assert_identical(limit, -2 * (1 - a**2) / (1 + a**2), why="excess kurtosis")
    assert_at_most(-limit, Fraction(5, 2) * (1 - a), why="excess kurtosis against eta h")


@corrected("C4", part="(a)")
def test_for_large_steps_two_point_noise_has_a_uniform_law_or_one_with_a_gap_at_the_minimum():
    # given  a = 1/2 and 1/3: after 8 steps 2^8 points
    half, third = (np.sort(outcomes(Fraction(1, k), Fraction(1), 8)) for k in (2, 3))
    # then   at equal distances, from end to end of [-2, 2]
    assert_identical(np.diff(half), np.full(255, Fraction(1, 64)), why="distances of neighbors")
    assert_identical(half[[0, -1]], [-2 + Fraction(1, 128), 2 - Fraction(1, 128)], why="ends")
    # and    none within 1/2 of 0, nor at later steps: 1 - 1/3 - 1/9 - ...
    assert_identical(np.abs(third).min(), (1 + Fraction(1, 3**7)) / 2, why="the gap around 0")


@corrected("C5", part="(a)")
@given(tapes(13))
def test_on_interpolated_data_the_mean_square_error_falls_at_the_rate_of_the_least_curvature(tape):
    # given  four rows in two dimensions, eta max |x|^2 in {1/2, 1, 3/2}, M = E ee' at the start
    X, e, k = tape.integers((4, 2), 3), tape.integers(2, 3), 1 + tape.below(30)
    largest = max(1.0, np.square(X).sum(1).max())
    eta = tape.choice([1 / 2, 1.0, 3 / 2]) / largest
    # when
    first, M = (second_moment(X, np.outer(e, e), eta, steps, rows=4) for steps in (1, k))
    # then   a step on every row;  E[(I - eta xx')^2] <= I - eta(2 - eta max |x|^2)H, and H >= its least eigenvalue
    q = 1 - eta * (2 - eta * largest) * np.linalg.eigvalsh(X.T @ X / 4)[0]
    rounding, landed = 64 * 4 * UNIT_ROUNDOFF * (e @ e), e - eta * (X @ e)[:, None] * X
    assert_at_most(norm(first - landed.T @ landed / 4), rounding, why="E e_1 e_1'", instance=(X, e, eta))
    assert_at_most(np.trace(M), q**k * (e @ e) + k * rounding, why="E|e_k|^2", instance=(X, e, eta, k))


def distances_over_eta(chain):
    """Total variations over eta between the law on a lattice and Ito's density, and the nearest of four others.

    The others have 1/sqrt(D) (Stratonovich's), no factor, and the printed exp(-2L/eta - R) for R = 0 and R = ln D.
    """
    law = stationary_weights(*three_point_descent(chain.slope, chain.D, chain.s))
    printed = np.exp(-chain.h * chain.x**2 / chain.eta)
    others = [chain.density(1 / 2), chain.density(0), printed, printed / chain.D]
    return apart(law, chain.density()) / chain.eta, min(apart(law, other) for other in others) / chain.eta


@corrected("C7", part="(a)")
@given(chain=lattice_descents())
def test_with_noise_that_varies_the_law_is_the_ito_density_up_to_order_eta(chain):
    # given  the law by detailed balance, and Ito's density on the lattice
    ito, nearest = distances_over_eta(chain)
    bound = balance_bound(chain) / chain.eta
    # then
    assert_at_most(ito, bound, why="total variation over eta", instance=chain)
    assert_at_most(bound, 11, why="the bound is of order eta: 10.7 at WORST_LATTICE", instance=chain)
    assert_at_most(ito, ORDER, why="what was found", instance=chain)
    # and    the other densities are further away than the bound
    assert_at_most(bound, nearest, why="every other density", instance=chain)


@corrected("C7", part="(a)")
def test_on_one_lattice_the_total_variation_is_nearly_the_constant_times_eta():
    found, _ = distances_over_eta(WORST_LATTICE)
    assert_within(1.25, found, ORDER, why="total variation over eta")


@corrected("C7", part="(a)")
@pytest.mark.slow
def test_on_all_324_lattices_ito_is_within_the_constant_and_the_other_densities_are_further_away():
    found = [distances_over_eta(chain) for chain in every_lattice()]
    ito, others = np.array(found).T
    # then
    assert_identical(len(found), 324, why="lattices")
    assert_at_most(ito, ORDER, why="total variation over eta to Ito's density")
    assert_at_most(2 * ito, others, why="and to the nearest of the others")


@observed(part="(a)")
def test_under_varying_gaussian_noise_half_the_step_is_half_the_distance_to_the_ito_density_and_not_to_the_printed():
    # given  L = x^2/2, D = 1 + 0.8 tanh x + 0.5 x^2; nodes half a standard deviation of a step apart at most, where the
    #        rectangle rule errs by exp(-2 pi^2 4)
    x, etas = np.linspace(-3, 4, 200), np.array([0.4, 0.2, 0.1])
    D, step = 1 + 0.8 * np.tanh(x) + 0.5 * x**2, etas[:, None, None]
    potential = scipy.integrate.cumulative_trapezoid(x / D, x, initial=0)
    # when
    P = np.exp(-((x - (1 - step) * x[:, None]) ** 2) / (2 * step**2 * D[:, None]))
    laws = stationary_law(P / P.sum(-1, keepdims=True))
    ito, printed = (
        np.array([apart(law, factor * np.exp(-2 / eta * (L - L.min()))) for law, eta in zip(laws, etas, strict=True)])
        for factor, L in ((1 / D, potential), (1, x**2 / 2))
    )
    # then   0.071, 0.029, 0.013 against 0.080, 0.057, 0.042: of the order of sqrt(eta), as D = 1 at the minimum
    assert_at_most(2 * ito[1:], ito[:-1], why="half the step, half the distance to Ito's density")
    assert_within(1.3, printed[:-1] / printed[1:], 1.5, why="half the step, the root of a half of that to the printed")


def mass_across(first, second):
    """The stationary law (n,) of x on the torus with variances (first(x), second(x)) along x and y: 1/first. Exact."""
    n, law = len(first), 1 / first / sum(1 / first)
    P = torus_walk(np.stack([np.repeat(side[:, None], n, axis=1) for side in (first, second)]))
    assert_identical(np.repeat(law / n, n) @ P, np.repeat(law / n, n), why="pi P = pi")
    return law


@under_hypotheses("H4", "H5", "H6", part="(b)")
@given(tapes(9))
def test_where_the_loss_is_flat_the_mass_of_a_state_is_the_inverse_of_its_variance(tape):
    # given  H4: one parameter; H5: gradients -1, 0, 1 of variance D in sixteenths; H6: L = 0
    D = fractions(1 + tape.naturals(2 + tape.below(7), 16)) / 16
    # when
    up, down = three_point_descent(0 * D, D, 1)
    pi = stationary_weights(up, down)
    # then
    assert_identical(pi @ transition_matrix(up, down), pi, why="pi P = pi")
    assert_identical(pi * D, np.full(len(D), 1 / sum(1 / D)), why="pi D is constant")


def ring_walk(shares, variance):
    """P (n, n) of a walk on a ring whose steps -2 ... 2 have mean 0 and this variance (n,), at most 1.

    shares (n, 4), of sum 1: how much of the variance the pairs -1, 1; -1, 2; -2, 1 and -2, 2 have, each of mean 0. All
    laws of mean 0 on these five steps are of that form. The diagonal is left at 0.
    """
    n, states = len(variance), np.arange(len(variance))
    P = np.zeros((n, n))
    for (down, up), share in zip([(1, 1), (1, 2), (2, 1), (2, 2)], shares.T, strict=True):
        rate = share * variance / (down * up * (down + up))
        P[states, (states + up) % n] += rate * down
        P[states, (states - down) % n] += rate * up
    return P


@under_hypotheses("H4", "H5", "H6", part="(b)")
@given(tapes(120))
def test_with_short_steps_of_any_law_the_calmer_half_of_a_ring_has_more_mass(tape):
    # given  H4: one parameter; H6: mean gradients 0; H5: steps up to 2 of 12 points, variances below 1/4 and above 1/2;
    #        the mass depends continuously on these laws, of which an open set is drawn from
    shares = 1.0 + tape.naturals((24, 4), 64) ** 2
    calm, wild = (1 + tape.naturals(12, 8)) / 32, (16 + tape.naturals(12, 17)) / 32
    P = ring_walk(shares / shares.sum(-1, keepdims=True), np.concatenate([calm, wild]))
    # when   by GTH
    pi = stationary_law(P)
    # then
    more, less = pi[:12].sum(), pi[12:].sum()
    assert_at_most(less * (1 + 4 * gth_rounding(24)), more, why="mass of the noisier half, of the calmer half")


@under_hypotheses("H4", "H5", "H6", part="(b)")
def test_one_potential_shows_it_for_all_laws_of_short_steps_at_once():
    # given  the ring with the calm points 0 ... 11, and phi with the second difference -1 up to two points around the
    #        others and 2 elsewhere: for n points and steps up to m <= n/6 it is (n + 2m)/(n - 2m) <= 2
    bend = np.where((np.arange(24) - 2) % 24 < 8, 2, -1).astype(object)
    slope = fractions(np.cumsum(bend))
    phi = np.roll(np.cumsum(slope - sum(slope) / 24), 1)
    # when   steps -j or i, of mean 0 and variance ij: all laws of mean 0 on -2 ... 2 are mixtures of these
    for j, i in itertools.product((1, 2), repeat=2):
        gain = (i * np.roll(phi, j) + j * np.roll(phi, -i)) / (i + j) - phi
        # then   0 = sum pi gain, so that the sum of pi D/2 over the noisy points is at most that of pi D over the calm
        assert_identical(gain[12:], [Fraction(-i * j, 2)] * 12, why="mean change of phi at a noisy point")
        assert_at_most(gain[:12], i * j, why="mean change of phi at a calm point")


@under_hypotheses("H4", "H5", "H6", part="(b)")
@given(tapes(16))
def test_with_isotropic_noise_so_it_is_in_the_plane(tape):
    # given  H4: variances D(x, y) along both axes of a torus; H5: steps to neighbors; H6: L = 0
    D = fractions(1 + tape.naturals((4, 4), 8)) / 16
    pi = ((1 / D) / sum((1 / D).ravel())).ravel()
    # then   the only law, as the walk reaches every state
    assert_identical(pi @ torus_walk(np.stack([D, D])), pi, why="pi P = pi")


@under_hypotheses("H4", "H5", "H6", part="(b)")
@given(tapes(19))
def test_of_two_wells_of_one_shape_the_less_noisy_has_more_mass_at_every_height(tape):
    # given  H4: one parameter; H5: gradients -1, 0, 1 of second moment V = D + g^2 in (g, 1]; H6: from the top at 0 the
    #        same slopes g to both sides
    depth = 1 + tape.below(6)
    g, less, more = (fractions(tape.naturals(6, 8))[:depth] / 16 for _ in range(3))
    calm = g + (1 + less) / 4
    wild = np.minimum(calm + more / 2, fractions([1]))
    V = np.concatenate([calm[::-1], fractions(["1/2"]), wild])
    slope = np.concatenate([g[::-1], fractions([0]), -g])
    # when
    pi = stationary_weights(*three_point_descent(slope, V - slope**2, 1))
    # then
    assert_at_most(pi[depth:], pi[depth::-1], why="mass on the noisier side, height by height")


@counterexample(part="(b)")
def test_a_region_of_more_variance_has_twice_the_mass_where_the_noise_is_not_isotropic():
    # given  L = 0; at x = 0 the variances 1/4 along x and 1/2 along y, at x = 1, 2 those are 1/2 and 1/8
    first, second = fractions(["1/4", "1/2", "1/2"]), fractions(["1/2", "1/8", "1/8"])
    law, total = mass_across(first, second), first + second
    assert_identical(total, fractions(["3/4", "5/8", "5/8"]), why="total variance")
    # then
    reads = "mass {value} where the variance is 3/4 > mass {limit} where it is 5/8"
    assert_violates(law[0], law[1], reads=reads, L=0, along_x=first, along_y=second)


@counterexample(part="(b)")
def test_hypothesis_finds_a_flat_loss_on_which_the_larger_variance_has_the_larger_mass():
    # given  variances in sixteenths
    def at_zero_and_one(instance):
        first, second = (fractions(side) / 16 for side in instance)
        return mass_across(first, second)[:2], (first + second)[:2]

    def violated(instance):
        mass, total = at_zero_and_one(instance)
        return total[0] > total[1] and mass[0] > mass[1]

    sixteenths = st.tuples(*[st.integers(1, 8)] * 3)
    found = smallest_violation(st.tuples(sixteenths, sixteenths), violated)
    # then
    mass, total = at_zero_and_one(found)
    reads = "mass {value} at x = 0 > {limit} at x = 1"
    assert_violates(mass[0], mass[1], reads=reads, along_x=found[0], along_y=found[1], total=total, unit="1/16")


@necessity("H1", part="(a)")
@given(tapes(3))
def test_without_H1_the_variance_grows_for_ever(tape):
    # given  eta h = 2 or more along one direction, where the noise is not zero
    excess, k, h = Fraction(tape.below(8), 8), 1 + tape.below(10), fractions([1, 4])
    eta, C = (2 + excess) / h[1], fractions([[2, 1], [1, 1]])
    assert_keeps(H2=True, H3=h > 0)
    # when
    S_k = covariance_after(np.diag(h), C, eta, k)
    # then   at the critical step by eta^2 c a step, beyond it by more
    assert_at_most(k * eta**2 * C[1, 1], S_k[1, 1], why="variance after k steps")


def without_variance(factors, k):
    """Variances after 0 ... k - 1 steps of theta <- a theta + noise of variance 1, a one of the equally likely factors.

    And an upper bound of E|a|^(1/2): below 1 it makes the law converge, as |theta - theta'|^(1/2) does in the mean.
    """
    rate = sum(factor**2 for factor in factors) / len(factors)
    variances = list(itertools.accumulate(rate**t for t in range(k)))
    return variances, sum(enclose_sqrt(abs(factor))[1] for factor in factors) / len(factors)


@necessity("H2", part="(a)")
@given(st.integers(1, 60))
def test_without_H2_the_variance_grows_for_ever_though_a_law_exists(k):
    # given  L = 3 theta^2/4, eta = 1, and the noise theta or -theta plus one of variance 1: C = theta^2 + 1
    h = Fraction(3, 2)
    factors = 1 - h + fractions([1, -1])
    assert_keeps(H1=h < 2, H3=h > 0)
    # when
    variances, half = without_variance(factors, k)
    # then
    assert_at_most(k, float(variances[-1]), why="the variance after k steps, which no bound holds")
    assert_at_most(float(half), 97 / 100, why="E|a|^(1/2)")


@corrected("C6", part="(a)")
def test_a_law_without_variance_may_exist_where_eta_times_the_mean_curvature_is_above_two():
    # given  1 - eta h = 1/2 or -3/2, and 1/100 or -3
    for_both = fractions([["1/2", "-3/2"], ["1/100", "-3"]])
    means = [sum(1 - factors) / 2 for factors in for_both]
    assert_identical(means, fractions(["3/2", Fraction(2495, 1000)]), why="eta times the mean curvature")
    # then
    laws = [without_variance(factors, 40) for factors in for_both]
    assert_at_most([40, 40], [float(variances[-1]) for variances, _ in laws], why="variance after 40 steps")
    assert_at_most([float(half) for _, half in laws], [97 / 100, 92 / 100], why="E|a|^(1/2)")


@necessity("H3", part="(a)")
@given(st.integers(1, 20))
def test_without_H3_the_noise_along_the_minima_is_a_random_walk(k):
    # given  H = diag(1, 0), C of full rank
    eta, h, C = Fraction(1, 2), fractions([1, 0]), fractions([[1, 1], [1, 2]])
    assert_keeps(H1=eta * h < 2, H2=True)
    # when
    S_k = covariance_after(np.diag(h), C, eta, k)
    # then
    assert_identical(S_k[1, 1], k * eta**2 * C[1, 1], why="variance along the minima")


@necessity("H4", part="(b)")
@given(tapes(2))
def test_without_H4_the_variance_along_the_boundary_counts_for_the_total_and_not_for_the_mass(tape):
    # given  L = 0; at x = 0 half the variance across and so much more along that the total is larger
    unit, more = Fraction(1, 16 + tape.below(16)), 3 + tape.below(8)
    first, second = fractions([1, 2, 2]) * unit, fractions([more, 1, 1]) * unit
    P = torus_walk(np.stack([np.repeat(side[:, None], 3, axis=1) for side in (first, second)])).reshape([3] * 4)
    moves = np.array([[P[x, y, (x + a) % 3, (y + b) % 3] for a, b in MOVES] for x, y in np.ndindex(3, 3)])
    assert_keeps(H5=moves.sum(1) == 1, H6=(moves @ MOVES == 0).all())
    law, total = mass_across(first, second), first + second
    # then
    assert_at_most(total[1] + unit, total[0], why="the total variance is less at x = 1")
    assert_identical(law[0], 2 * law[1], why="and so is the mass")


@necessity("H5", part="(b)")
@given(st.integers(1, 19))
def test_without_H5_where_steps_are_longer_the_larger_variance_has_the_larger_mass(twentieths):
    # given  L = 0 on a ring of six: -+1 where x is odd, where it is even -+1 with probability r, else -+2
    r, ring = Fraction(twentieths, 20), np.eye(6, dtype=int)
    near, far = ((np.roll(ring, move, axis=1) + np.roll(ring, -move, axis=1)) for move in (1, 2))
    P = fractions(near) / 2
    P[::2] = (r * near[::2] + (1 - r) * far[::2]) / 2
    drift = sum(move * P[range(6), (np.arange(6) + move) % 6] for move in (-2, -1, 1, 2))
    assert_keeps(H4=True, H6=drift == 0)
    # then   variances 4 - 3r and 1, masses 1 and r
    pi = np.resize([1, r], 6) / (3 + 3 * r)
    assert_identical(pi @ P, pi, why="pi P = pi")
    assert_at_most(pi[1] + (1 - r) / 6, pi[0], why="the mass where the variance is 1")


@necessity("H6", part="(b)")
def test_without_H6_the_variance_on_the_barrier_decides_between_two_wells():
    # given  wells at 0 and 4 of equal depth, L' = 1/8 at 1 and -1/8 at 3; variance 1/4 at 0 and 1/2 at 4, and less on
    #        the slope of the second than on that of the first
    slope = fractions([0, "1/8", 0, "-1/8", 0])
    D = fractions(["1/4", "1", "1/2", "1/4", "1/2"]) - slope**2
    P = transition_matrix(*three_point_descent(slope, D, 1))
    assert_keeps(H4=True, H5=not (np.triu(P, 2).any() or np.tril(P, -2).any()))
    # when
    pi = stationary_weights(*three_point_descent(slope, D, 1))
    assert_identical(pi @ P, pi, why="pi P = pi")
    # then   7/6: the well of twice the variance has more mass
    assert_identical(pi[4] / pi[0], Fraction(7, 6), why="mass of the noisier well over that of the other")
