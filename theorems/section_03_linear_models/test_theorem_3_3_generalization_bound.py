r"""Theorem 3.3 - a bound on the expected test error of the min-norm interpolant.

Section     3.2
Printed     $y_i = w_*^\top x_i + \epsilon_i$ with $\epsilon_i \sim N(0, \sigma^2)$ independent implies
            $E[R(w^*)] \le \|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}(X X^\top)^{-1} / n + \sigma^2$
Reading     The most favourable one in each respect: tr((XX')^-1) and not 1/tr(XX'), which is less; the loss with the
            factor 1/2 of Section 2.1, which halves the left side; the expectation over the rows of X as well, each an
            independent copy of x, on both sides. Where this form is violated, every other one is, for some X
Readings    [given the design] E is over the noise alone and the bound holds for every X of rank n: the print has X, not
            its expectation, on its right side - refuted
Setting     $\hat w = X^+ y$, rank X = n; $\Sigma = E[x x^\top]$; risk $R(w) = (w - w_*)^\top\Sigma(w - w_*) +
            \sigma^2$, or half of it; (A) is the printed bound with tr((XX')^-1), (B) the one with 1/tr(XX')
Corrected   (C1) $E_\epsilon R = b^\top\Sigma b + \sigma^2 \operatorname{tr}((X^+)^\top \Sigma X^+) + \sigma^2$ with
            $b = (I - X^+X) w_*$, for every X of rank n.
            (C2) Hence $E_\epsilon R \le \|w_*\|^2 \|\Sigma - X^\top X/n\|_{op} +
            \sigma^2 (1 + \|\Sigma\|_{op} \operatorname{tr}((X X^\top)^{-1}))$, with equality for X = [1, 0], Sigma = I
            and w_* = e_2.
            (C3) For standard Gaussian rows and $p > n + 1$, $E R = \|w_*\|^2 (1 - n/p) + \sigma^2 n/(p - n - 1) +
            \sigma^2$; there (A) holds in the mean if and only if $\|w_*\|^2/\sigma^2 \ge np/((2n + 1)p - n(n + 1))$,
            which is below 1. As p grows the variance falls, the bias rises, and the mean of (A) falls.
            (C4) Where each row is distributed as x, the mean of (A) is at least $\|w_*\|^2 + \sigma^2$. With
            $\|\Sigma\|_{op} \le 1$ that is the risk of predicting zero or more, and without it the mean of (A) can be
            less than that risk.
            (C5) A standard Gaussian X has $s_n \ge \sqrt p - \sqrt n - t$, and so a variance
            $\sigma^2 \operatorname{tr}((X X^\top)^{-1}) \le \sigma^2 n/(\sqrt p - \sqrt n - t)^2$, but for a
            probability of at most $e^{-t^2/2}$, for t below sqrt p - sqrt n.
Differs     The corrected bound has a variance term, and a bias term in other units: both sides scale alike when x is
            measured in other units.
Idea        The print has no variance term: with w_* = 0 and sigma > 0 every X with Sigma X^+ != 0 violates it (under a
            loss with 1/2, every X whose variance exceeds the noise). Its bias term has the wrong dimension: x -> cx,
            w_* -> w_*/c leaves the risk alone and divides the first term of the bound by c^2. By the inequality behind
            C4 the first term of (B) is at most that of (A) over n^2.
Source      Hastie, Montanari, Rosset, Tibshirani (2022), Surprises in High-Dimensional Ridgeless Least Squares
            Interpolation, Annals of Statistics 50; Breiman, Freedman (1983), How Many Variables Should Be Entered in a
            Regression Equation?, Journal of the American Statistical Association 78; Bartlett, Long, Lugosi, Tsigler
            (2020), Benign Overfitting in Linear Regression, PNAS 117; Davidson, Szarek (2001), Local Operator Theory,
            Random Matrices and Banach Spaces, in: Handbook of the Geometry of Banach Spaces, vol. 1; Massart (1990),
            The Tight Constant in the Dvoretzky-Kiefer-Wolfowitz Inequality, Annals of Probability 18
Tolerance   Witnesses are rational, and so is the search of wide range, which runs through all signs of the noise.
            Elsewhere the noise is integrated exactly by a cubature of 2n points; what is left is rounding
Chance      Four comparisons on Gaussian designs from fixed seeds: Dvoretzky-Kiefer-Wolfowitz with Massart's constant
            three times, the Gaussian concentration of s_n once, each at a false-alarm probability of 1e-9
Findings    Where |Sigma|_op <= 1 the printed bound certifies no more than w = 0 has, so there it cannot explain
            generalization. Rows N(0, 4I), n = 50, p = 100, sigma = 0 show that the condition is needed: risk 2, bound
            100/49, and 4 for w = 0. By (C3) the risk and the mean of (A) do depend on p; a larger p helps against the
            noise alone, and costs bias
Expected    refuted
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import noisy_regressions, regressions
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, inverse
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample

FALSE_ALARM = 1e-9


def expected_risk(X, w_star, Sigma, variance, invert):
    """E over the noise of R(X^+ y), the squared loss without 1/2; exact where its arguments and `invert` are."""
    pseudo_inverse = X.T @ invert(X @ X.T)
    bias = w_star - pseudo_inverse @ (X @ w_star)
    return bias @ Sigma @ bias + variance * np.trace(pseudo_inverse.T @ Sigma @ pseudo_inverse) + variance


def printed_bound(X, w_star, Sigma, variance, invert):
    """The printed right-hand side, (A)."""
    return w_star @ w_star * np.trace(Sigma) * np.trace(invert(X @ X.T)) / len(X) + variance


def mean_inverse_trace(n, p):
    """E tr (XX')^-1 for standard Gaussian rows and p > n + 1, shown below."""
    return Fraction(n, p - n - 1)


def least_singular_value(n, p, chance):
    """The lower bound of C5 on s_n of a standard Gaussian X (n, p), which fails with this probability at most."""
    return np.sqrt(p) - np.sqrt(n) - np.sqrt(2 * np.log(1 / chance))


def half_risk_and_bound_on_axes(lengths, w_star, variance):
    """Means of half the risk and of (A) for one sample, x uniform on +-a_1 e_1, ..., +-a_p e_p; exact."""
    p = len(lengths)
    designs = [fractions([[length if j == i else 0 for j in range(p)]]) for i, length in enumerate(lengths)]
    Sigma, w_star = sum(X.T @ X for X in designs) / Fraction(p), fractions(w_star)
    risk = sum(expected_risk(X, w_star, Sigma, variance, inverse) for X in designs) / p
    return risk / 2, sum(printed_bound(X, w_star, Sigma, variance, inverse) for X in designs) / p


@counterexample
def test_without_noise_a_change_of_units_breaks_the_print_on_average():
    # given  x uniform on +-3e_1, +-3e_2: features measured in thirds. Sigma = (9/2) I, E|x|^2 = 9, tr(XX')^-1 = 1/9
    half_risk, bound = half_risk_and_bound_on_axes([3, 3], [0, "1/3"], 0)
    reads = "mean half risk {value} > mean bound {limit}"
    assert_violates(half_risk, bound, reads=reads, n=1, x="+-3e_1, +-3e_2", w_star="(0, 1/3)", sigma=0)


@counterexample
def test_gaussian_designs_violate_the_print_on_average():
    # given  w_* = 0, x ~ N(0, I), n = 2, p = 4
    n, p = 2, 4
    half_risk = (mean_inverse_trace(n, p) + 1) / 2
    assert_violates(half_risk, 1, reads="mean half risk {value} > bound {limit}", n=n, p=p, x="N(0, I)", w_star=0)


@counterexample
def test_hypothesis_finds_a_violation_on_average_by_itself():
    # given  integer lengths of two axes, an integer w_*, the variance 0 or 1: nothing is aimed at the counterexample
    pairs = st.tuples(st.integers(-4, 4), st.integers(-4, 4))
    instances = st.tuples(st.tuples(st.integers(1, 4), st.integers(1, 4)), pairs, st.integers(0, 1))

    def is_violated(instance):
        half_risk, bound = half_risk_and_bound_on_axes(*instance)
        return half_risk > bound

    lengths, w_star, variance = smallest_violation(instances, is_violated)
    half_risk, bound = half_risk_and_bound_on_axes(lengths, w_star, variance)
    reads = "mean half risk {value} > mean bound {limit}"
    assert_violates(half_risk, bound, reads=reads, lengths=lengths, w_star=w_star, variance=variance)


@counterexample(reading="given the design")
def test_pure_noise_costs_more_than_the_print_allows():
    X, w_star, Sigma = fractions([["1/2", 0]]), fractions([0, 0]), fractions([[1, 0], [0, 1]])
    half_risk, bound = expected_risk(X, w_star, Sigma, 1, inverse) / 2, printed_bound(X, w_star, Sigma, 1, inverse)
    assert_violates(half_risk, bound, reads="half risk {value} > {limit}", n=1, p=2, X=X, w_star=0, Sigma="I", sigma=1)


@counterexample(reading="given the design")
def test_hypothesis_finds_a_design_that_violates_the_print():
    # given  one row of integers, an integer w_*, the variance 0 or 1, Sigma = I
    row = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any)
    instances = st.tuples(row, st.tuples(st.integers(-4, 4), st.integers(-4, 4)), st.integers(0, 1))

    def excess(instance):
        arguments = fractions([instance[0]]), fractions(instance[1]), fractions([[1, 0], [0, 1]]), instance[2], inverse
        return expected_risk(*arguments) / 2 - printed_bound(*arguments)

    found = smallest_violation(instances, lambda instance: excess(instance) > 0)
    assert_violates(excess(found), 0, reads="half risk less bound {value} > {limit}", x=found[0], w_star=found[1])


@corrected("C1")
@given(noisy_regressions())
def test_the_expected_risk_is_bias_plus_variance_plus_noise(instance):
    # given  the noise integrated exactly: R is quadratic in it, so y = Xw_* +- sqrt(n) sigma e_i have the same mean
    X, n = instance.problem.X, instance.problem.rows
    shifts = np.sqrt(n) * instance.sigma * np.concatenate([np.eye(n), -np.eye(n)])
    # when   the min-norm interpolant of each, by LAPACK
    targets = X @ instance.w_star + shifts
    estimates = nearest_interpolant(np.broadcast_to(X, (2 * n, *X.shape)), targets, np.zeros((2 * n, X.shape[1])))
    errors = estimates - instance.w_star
    risk = np.mean(np.vecdot(errors @ instance.Sigma, errors)) + instance.sigma**2
    # then
    exact = expected_risk(X, instance.w_star, instance.Sigma, instance.sigma**2, np.linalg.inv)
    scale = (
        norm(instance.Sigma) * (norm(instance.w_star) + np.sqrt(n) * instance.sigma / instance.problem.sigma_min) ** 2
    )
    slack = 64 * instance.problem.columns * UNIT_ROUNDOFF * instance.problem.condition**2 * scale
    assert_at_most(abs(risk - exact), slack, why="bias-variance identity", instance=instance)


@corrected("C2")
@given(noisy_regressions())
def test_the_bound_with_a_variance_term_and_consistent_units_holds(instance):
    X, sigma, Sigma = instance.problem.X, instance.sigma, instance.Sigma
    risk = expected_risk(X, instance.w_star, Sigma, sigma**2, np.linalg.inv)
    # then   b'Sigma b = b'(Sigma - X'X/n)b because Xb = 0, and |b| <= |w_*|
    mismatch = norm(Sigma - X.T @ X / instance.problem.rows, 2)
    bound = norm(instance.w_star) ** 2 * mismatch + sigma**2 * (1 + norm(Sigma, 2) * np.trace(np.linalg.inv(X @ X.T)))
    slack = 64 * instance.problem.columns * UNIT_ROUNDOFF * instance.problem.condition**2 * bound
    assert_at_most(risk, bound + slack, why="corrected bound", instance=instance, adversarial=True)


@corrected("C3")
@given_batches(problem=regressions())
def test_the_bias_averages_to_the_share_of_directions_never_seen(problem):
    # then   the mean of e_j'(I - P)e_j over the standard basis is 1 - n/p: a trace, for every design
    P = np.linalg.pinv(problem.X) @ problem.X
    share = 1 - np.trace(P, axis1=1, axis2=2) / problem.columns
    error = np.abs(share - (1 - problem.rows / problem.columns))
    bound = 32 * problem.columns * problem.condition * UNIT_ROUNDOFF
    assert_at_most(error, bound, why="mean bias over the targets", instance=problem)


@pytest.mark.slow
@corrected("C3")
@pytest.mark.parametrize(("n", "p"), [(2, 4), (3, 7), (5, 12)])
def test_the_variance_of_gaussian_designs_is_an_inverse_chi_square_mean(n, p):
    # given  ((XX')^-1)_ii = 1/dist(x_i, span of the others)^2, and that distance squared is chi-square of p - n + 1
    designs = np.random.default_rng([n, p]).standard_normal((4000, n, p))
    distances = 1 / np.linalg.inv(designs @ designs.mT)[:, 0, 0]
    # then   its distribution function: P(sup > e) <= 2 exp(-2 N e^2), e = 0.052; a degree of freedom more or less
    #        moves it by at least 0.096
    deviation = scipy.stats.kstest(distances, scipy.stats.chi2(p - n + 1).cdf).statistic
    assert_at_most(deviation, np.sqrt(np.log(2 / FALSE_ALARM) / 8000), why="law of the distance, DKW")
    # and    E 1/chi2_k = 1/(k - 2), so E tr(XX')^-1 = n/(p - n - 1)
    mean, error = scipy.integrate.quad(lambda x: scipy.stats.chi2(p - n + 1).pdf(x) / x, 0, np.inf)
    assert_at_most(abs(n * mean - float(mean_inverse_trace(n, p))), n * error, why="mean of the inverse chi-square")


@corrected("C3")
@pytest.mark.parametrize(("n", "p"), [(1, 3), (2, 5), (5, 10), (100, 1000)])
def test_on_gaussian_averages_the_print_holds_from_a_signal_to_noise_ratio_on(n, p):
    # given  |w_*|^2/sigma^2 at the threshold np/((2n+1)p - n(n+1)), below 1 always
    threshold = Fraction(n * p, (2 * n + 1) * p - n * (n + 1))
    risk = threshold * (1 - Fraction(n, p)) + mean_inverse_trace(n, p) + 1
    bound = threshold * p * mean_inverse_trace(n, p) / n + 1
    assert_identical(risk, bound, why="equality of risk and bound (A) at the threshold")
    # and    of p and p + 1 the larger has less variance, more bias and a smaller bound, which is p/(p - n - 1)
    assert_at_most(mean_inverse_trace(n, p + 1), mean_inverse_trace(n, p), why="variance")
    assert_at_most(1 - Fraction(n, p), 1 - Fraction(n, p + 1), why="bias")
    assert_at_most((p + 1) * mean_inverse_trace(n, p + 1), p * mean_inverse_trace(n, p), why="mean of (A), times n")
    # and    a stronger signal favors the bound, and one as strong as the noise suffices
    assert_at_most(1 - Fraction(n, p), Fraction(p, p - n - 1), why="growth of risk and of bound with the signal")
    assert_at_most(threshold, 1, why="signal-to-noise ratio at the threshold")


@corrected("C5")
def test_the_variance_vanishes_when_the_ambient_dimension_dwarfs_the_sample():
    # given  n = 20, p = 900: s_n(X) >= sqrt(p) - sqrt(n) - t but for a probability exp(-t^2/2)
    n, p = 20, 900
    X = np.random.default_rng(20).standard_normal((n, p))
    least, s_n = least_singular_value(n, p, FALSE_ALARM), np.linalg.svd(X).S[-1]
    # then
    assert_at_most(least, s_n, why="s_n of a Gaussian design")
    assert_at_most(s_n / 2, least, why="the lower bound is more than half of s_n")
    trace = np.trace(np.linalg.inv(X @ X.T))
    assert_at_most(trace, n / least**2, why="variance of an isotropic design over sigma^2")


@corrected("C5")
@pytest.mark.parametrize("p", [100, 900])
def test_for_one_sample_the_bound_on_s_n_fails_less_often_than_stated_and_without_t_more_often(p):
    # given  n = 1, where s_1^2 is chi-square of p degrees of freedom
    chance, law = 1 / 20, scipy.stats.chi2(p)
    # then   sqrt(p) - 1 alone is missed by one design in twelve
    assert_at_most(law.cdf(least_singular_value(1, p, chance) ** 2), chance, why="chance of a smaller s_1")
    assert_at_most(chance, law.cdf((np.sqrt(p) - 1) ** 2), why="without t")


@corrected("C2")
def test_the_corrected_bound_is_attained():
    # given  X = [1, 0], Sigma = I, w_* = e_2, sigma = 1: bias, variance and noise are 1 each
    X, w_star, Sigma = fractions([[1, 0]]), fractions([0, 1]), fractions([[1, 0], [0, 1]])
    assert_identical(expected_risk(X, w_star, Sigma, 1, inverse), 3, why="risk")
    # then   |Sigma - X'X| = 1 by its diagonal (0, 1), |Sigma| = 1 and tr((XX')^-1) = 1
    assert_identical(Sigma - X.T @ X, fractions([[0, 0], [0, 1]]), why="what the sample does not see")
    assert_identical(1 * 1 + 1 * (1 + 1 * np.trace(inverse(X @ X.T))), 3, why="bound")


@corrected("C4")
@given_batches(problem=regressions())
def test_the_printed_factor_is_at_least_one_over_the_mean_square_of_a_row(problem):
    # then   tr(G^-1) >= n^2/tr(G) for every design; with Jensen, E tr(G^-1)/n >= n/E tr(G) = 1/E|x|^2, so that the
    #        factor of |w_*|^2 in the mean of (A) is at least 1
    squares = np.where(problem.s > 0, problem.s, np.nan) ** 2
    traces = np.nansum(squares, axis=-1) * np.nansum(1 / squares, axis=-1)
    slack = 8 * problem.rows * UNIT_ROUNDOFF * problem.condition**2 * problem.rows**2
    assert_at_most(problem.rows**2, traces + slack, why="harmonic mean below arithmetic mean", instance=problem)


@corrected("C4")
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=5), st.integers(0, 4))
def test_for_one_sample_and_features_of_size_at_most_one_the_averaged_bound_never_beats_predicting_zero(atoms, sigma):
    # given  x = sqrt(k_j/c) e_j with probabilities in proportion to the drawn weights, n = 1, |w_*| = 1, w_* = e_j for
    # the j of the largest Sigma_jj, which the choice of c makes 1
    total = sum(weight for _, weight in atoms)
    c = max(Fraction(weight * k, total) for k, weight in atoms)
    mean_square = sum(Fraction(weight, total) * k / c for k, weight in atoms)
    mean_inverse = sum(Fraction(weight, total) * c / k for k, weight in atoms)
    # then   the risk of w = 0 is w_*'Sigma w_* + sigma^2, at most 1 + sigma^2
    bound = mean_square * mean_inverse + sigma**2
    assert_at_most(1 + sigma**2, bound, why="bound (A) against the zero predictor", instance=atoms)


@corrected("C4")
def test_with_larger_features_the_averaged_bound_can_beat_predicting_zero():
    # given  rows N(0, 4I), n = 50, p = 100, |w_*| = 1, no noise
    n, p = 50, 100
    risk = 4 * (1 - Fraction(n, p))
    bound = (4 * p) * (mean_inverse_trace(n, p) / 4) / n
    # then   risk 2, bound 100/49, and w_*'Sigma w_* = 4 for w = 0
    assert_identical([risk, bound], [2, Fraction(100, 49)], why="risk and bound")
    assert_violates(4, bound, reads="risk {value} of w = 0 > {limit} = bound (A)", n=n, p=p, x="N(0, 4I)", sigma=0)


@pytest.mark.slow
@corrected("C1", "C2")
@given(wide_regressions(), tapes(14))
def test_on_designs_of_wide_range_the_noise_of_every_sign_has_the_mean_that_the_identity_says(problem, tape):
    # given  X from 2^-220 to 2^200; Sigma = c AA' with c of the size of X'X, up to 2^20 more or less; noise +-sigma
    X, w_star, n = problem.X, problem.other, len(problem.y)
    A = np.diag(np.ones(X.shape[1], int)) + np.outer(tape.naturals(X.shape[1], 3), tape.naturals(X.shape[1], 2))
    Sigma = problem.largest_curvature * Fraction(2) ** tape.choice((0, 20, -20)) * fractions(A @ A.T)
    sigma = tape.choice((1, 0)) * abs(problem.y).max()
    # when   the min-norm interpolants of all 2^n sign vectors, in exact arithmetic
    noises = sigma * fractions(list(itertools.product((1, -1), repeat=n)))
    errors = [problem.pseudo_inverse(X @ w_star + noise) - w_star for noise in noises]
    risk = sum(error @ Sigma @ error for error in errors) / Fraction(2**n) + sigma**2
    # then   the signs have the covariance of the noise
    assert_identical(risk, expected_risk(X, w_star, Sigma, sigma**2, inverse), why="bias, variance and noise")
    mismatch, size = (norm(matrix.astype(float), 2) for matrix in (Sigma - X.T @ X / Fraction(n), Sigma))
    bound = float(w_star @ w_star) * mismatch + float(sigma**2) * (1 + size * float(np.trace(inverse(X @ X.T))))
    assert_at_most(float(risk), bound * (1 + 256 * UNIT_ROUNDOFF), why="corrected bound", instance=problem)
