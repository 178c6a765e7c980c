r"""Theorem 8.1 (a) - the law beyond its covariance.

Setting     $L = \frac12 \theta^\top H \theta$, gradient noise of covariance $C$, unless a clause says otherwise. With
            one parameter $a = 1 - \eta h$ is the factor of a step
Hypotheses  (H1) $\eta h < 2$ for every eigenvalue $h$ of $H$.  (H2) $H$ and $C$ do not depend on $\theta$ or on the
            step.  (H3) $L$ confines: $H$ is positive definite.
Corrected   (C4) From a point, under H2, Gaussian noise has a Gaussian law at every step. Noise that moves one parameter
            by $\mp 1$ has, for $|a| < 1$, $a = 1 - \eta h$, the excess kurtosis $-2(1 - a^2)/(1 + a^2)$ in the limit;
            its law is uniform on $[-2, 2]$ for $a = \frac12$, and leaves a gap at the minimum for $a = \frac13$.  (C5)
            For least squares on interpolated data, in single rows with $\eta \max_i |x_i|^2 < 2$, a step multiplies the
            mean square error by $1 - \eta(2 - \eta \max_i |x_i|^2) h_{\min}$ at most: with independent columns the law
            is a point.  (C6) Where the curvature varies from step to step a law may exist that has no variance: for
            $1 - \eta h = \frac12$ or $-\frac32$ with equal chance and additive noise, and for $\frac1{100}$ or $-3$,
            where $\eta$ times the mean curvature is 2.495
Idea        The iterate is a sum of independent noises with geometric factors, so that cumulants add up. In C6 the
            factor $a$ is random: $E|a|^{1/2} < 1$ makes the law converge, and by $E a^2 > 1$ the variance grows without
            bound
Tolerance   Fractions; for interpolated rows the rounding of the moment recursion
Chance      One test samples: independent chains, $k$ steps from a point. Its $\chi^2$ pivot of 6000 degrees raises a
            false alarm with a probability of $10^{-9}$ an example, $10^{-7}$ in the fast run. A variance off by a
            factor of 1.25 or 0.8 is missed with a probability below $10^{-6}$
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.langevin import GaussianLaw, noisy_descent, whitened_square
from fixtures.dynamics.stochastic import second_moment
from fixtures.precision import factorization, rounding
from fixtures.problems.tapes import tapes
from fixtures.rational import enclose_sqrt, fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_keeps, assert_within
from properties.statistics.concentration import chi_square_interval, chi_square_power
from theorems.ledger import corrected, necessity
from theorems.section_08_stochastic_gradient_descent.stationary_noise.noisy_quadratics import noisy_quadratics
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import covariance_after

FALSE_ALARM, DEGREES = 1e-9, 6000


def outcomes(a, noise, steps):
    """All 2^k equally likely theta_k from theta_0 = 0 under theta <- a theta -+ noise, in fractions."""
    theta = fractions([0])
    for _ in range(steps):
        theta = np.concatenate([a * theta - noise, a * theta + noise])
    return theta


@corrected("C4")
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


@corrected("C4")
@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_the_pivot_misses_a_variance_that_is_off_by_a_quarter_with_a_probability_below_a_millionth(factor):
    assert_at_most(1 - chi_square_power(DEGREES, FALSE_ALARM, factor), 1e-6, why="chance that it is missed")


@corrected("C4")
@given(tapes(2))
def test_two_point_noise_leaves_an_excess_kurtosis_that_vanishes_with_the_step(tape):
    # given  a = 1 - eta h in (-1, 1), noise -+1, all 2^k outcomes
    a, k = Fraction(tape.below(31) - 15, 16), 1 + tape.below(7)
    theta = outcomes(a, 1, k)
    # then   theta_k is a sum of independent noises, whose fourth cumulants add up to -2 sum a^4j
    variance, fourth = np.mean(theta**2), np.mean(theta**4)
    assert_identical(variance, (1 - a ** (2 * k)) / (1 - a**2), why="variance after k steps")
    cumulant = fourth - 3 * variance**2
    assert_identical(cumulant, -2 * (1 - a ** (4 * k)) / (1 - a**4), why="fourth cumulant after k steps")
    # and    after many steps the excess kurtosis is at most 5/2 eta h in size, as (1 + a)/(1 + a^2) <= 5/4
    limit = -2 / (1 - a**4) * (1 - a**2) ** 2
    assert_identical(limit, -2 * (1 - a**2) / (1 + a**2), why="excess kurtosis")
    assert_at_most(-limit, Fraction(5, 2) * (1 - a), why="excess kurtosis against eta h")


@corrected("C4")
def test_for_large_steps_two_point_noise_has_a_uniform_law_or_one_with_a_gap_at_the_minimum():
    # given  a = 1/2 and 1/3: after 8 steps 2^8 points
    half, third = (np.sort(outcomes(Fraction(1, k), Fraction(1), 8)) for k in (2, 3))
    # then   for a = 1/2 the points have equal distances, from end to end of [-2, 2]
    assert_identical(np.diff(half), np.full(255, Fraction(1, 64)), why="distances of neighbors")
    assert_identical(half[[0, -1]], [-2 + Fraction(1, 128), 2 - Fraction(1, 128)], why="ends")
    # and    for a = 1/3 no point is within 1/2 of 0, also after more steps: 1 - 1/3 - 1/9 - ... = 1/2
    assert_identical(np.abs(third).min(), (1 + Fraction(1, 3**7)) / 2, why="the gap around 0")


def rate_of_the_least_curvature(X, eta, largest):
    """The factor of C5 for rows X (n, p) and largest = max |x_i|^2, or more: 1 - eta (2 - eta largest) h_min."""
    return 1 - eta * (2 - eta * largest) * np.linalg.eigvalsh(X.T @ X / len(X))[0]


@corrected("C5")
def test_on_orthogonal_rows_of_one_length_the_mean_square_error_falls_at_the_rate_of_C5():
    # given  rows 2e_1, 2e_2, eta = 1/4: h = 2 in both directions, and a step sets one coordinate of e to 0
    X, e = np.array([[2.0, 0], [0, 2]]), np.array([1.0, -3])
    # when
    M = second_moment(X, np.outer(e, e), 1 / 4, 5, rows=2)
    # then   q = 1 - 1/4 (2 - 1) 2 = 1/2
    q = rate_of_the_least_curvature(X, 1 / 4, 4.0)
    assert_equal_within(q, 1 / 2, rounding(factorization(2, 2) + 6), why="q")
    assert_identical(np.trace(M), 10 / 2**5, why="E|e_5|^2 = q^5 |e|^2")


@corrected("C5")
@given(tapes(13))
def test_on_interpolated_data_the_mean_square_error_falls_at_the_rate_of_the_least_curvature(tape):
    # given  four rows in two dimensions, eta max |x|^2 in {1/2, 1, 3/2}, M = E ee' at the start
    X, e, k = tape.integers((4, 2), 3), tape.integers(2, 3), 1 + tape.below(30)
    largest = max(1.0, np.square(X).sum(1).max())
    eta = tape.choice([1 / 2, 1.0, 3 / 2]) / largest
    # when
    first, M = (second_moment(X, np.outer(e, e), eta, steps, rows=4) for steps in (1, k))
    # then   one step is checked row by row. E[(I - eta xx')^2] <= I - eta(2 - eta max |x|^2)H <= q I
    q = rate_of_the_least_curvature(X, eta, largest)
    landed, scale = e - eta * (X @ e)[:, None] * X, (1 + eta * largest) ** 2 * (e @ e)
    # the data are whole numbers: five operations with eta; three for e_1, twice, and four to sum the squares
    assert_at_most(norm(first - landed.T @ landed / 4), rounding(15, scale), why="E e_1 e_1'", instance=(X, e, eta))
    # later moments are not: DM has 2 products, the mean over rows of (x'Mx) xx' has 9, and 7 sums and factors
    slack = k * rounding(18, scale) + k * rounding(factorization(2, 2) + 8, e @ e)  # and q^k, by LAPACK
    assert_at_most(np.trace(M), q**k * (e @ e) + slack, why="E|e_k|^2", instance=(X, e, eta, k))


def variances_and_half_moment(factors, k):
    """The variances of theta after 1 ... k steps from 0, and an upper bound of E|a|^(1/2).

    A step is theta <- a theta + noise of variance 1, where a is one of the equally likely factors. E|a|^(1/2) < 1 makes
    the law converge: for two starts with the same a and noise, E|theta - theta'|^(1/2) falls by this factor a step.
    """
    rate = sum(factor**2 for factor in factors) / len(factors)
    variances = list(itertools.accumulate(rate**t for t in range(k)))
    return variances, sum(enclose_sqrt(abs(factor))[1] for factor in factors) / len(factors)


@necessity("H2")
@given(st.integers(1, 60))
def test_without_H2_the_variance_grows_without_bound_though_a_law_exists(k):
    # given  L = 3 theta^2/4, eta = 1; the noise is theta or -theta, plus a noise of variance 1: C = theta^2 + 1
    h = Fraction(3, 2)
    factors = 1 - h + fractions([1, -1])
    assert_keeps(H1=h < 2, H3=h > 0)
    # when
    variances, half = variances_and_half_moment(factors, k)
    # then
    assert_at_most(k, float(variances[-1]), why="the variance after k steps, at least k")
    assert_at_most(float(half), 97 / 100, why="E|a|^(1/2)")


@corrected("C6")
def test_a_law_without_variance_may_exist_where_eta_times_the_mean_curvature_is_above_two():
    # given  1 - eta h = 1/2 or -3/2, and 1/100 or -3
    for_both = fractions([["1/2", "-3/2"], ["1/100", "-3"]])
    means = [sum(1 - factors) / 2 for factors in for_both]
    assert_identical(means, fractions(["3/2", Fraction(2495, 1000)]), why="eta times the mean curvature")
    # then
    laws = [variances_and_half_moment(factors, 40) for factors in for_both]
    assert_at_most([40, 40], [float(variances[-1]) for variances, _ in laws], why="variance after 40 steps")
    assert_at_most([float(half) for _, half in laws], [97 / 100, 92 / 100], why="E|a|^(1/2)")
