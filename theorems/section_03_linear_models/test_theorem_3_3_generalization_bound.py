r"""Theorem 3.3 - a bound on the expected test error of the min-norm interpolant.

Section     3.2
Printed     $y_i = w_*^\top x_i + \epsilon_i$ with $\epsilon_i \sim N(0, \sigma^2)$ independent implies
            $E[R(w^*)] \le \|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}(X X^\top)^{-1} / n + \sigma^2$
Reading     (A) tr((XX')^-1)/n or (B) 1/(n tr XX'); the expectation over the noise alone or over X as well; the squared
            loss with or without the factor 1/2 of Section 2.1. The print fails under every one of these readings.
Setting     $\hat w = X^+ y$, rank X = n; $\Sigma = E[x x^\top]$; risk $R(w) = (w - w_*)^\top\Sigma(w - w_*) + \sigma^2$
Corrected   $E_\epsilon R = b^\top\Sigma b + \sigma^2 \operatorname{tr}((X^+)^\top \Sigma X^+) + \sigma^2$,
            $b = (I - X^+X) w_*$, hence $E_\epsilon R \le \|w_*\|^2 \|\Sigma - X^\top X/n\|_{op} +
            \sigma^2 (1 + \|\Sigma\|_{op} \operatorname{tr}(X X^\top)^{-1})$; and for standard Gaussian rows and
            $p > n + 1$, $E R = \|w_*\|^2 (1 - n/p) + \sigma^2 n/(p - n - 1) + \sigma^2$
Idea        The print has no variance term: with w_* = 0 every X with P Sigma P != 0 violates it (under a loss with
            1/2, every X whose variance exceeds the noise). Its bias term has the wrong dimension: x -> cx,
            w_* -> w_*/c leaves the risk alone and divides the bound by c^2.
Source      Hastie, Montanari, Rosset, Tibshirani (2022), Surprises in High-Dimensional Ridgeless Least Squares
            Interpolation; Breiman, Freedman (1983), How Many Variables Should Be Entered in a Regression Equation?;
            Bartlett, Long, Lugosi, Tsigler (2020), Benign Overfitting in Linear Regression; Davidson, Szarek (2001)
Tolerance   Witnesses are rational. The noise is integrated exactly by a cubature of 2n points; what is left is rounding
Chance      Four comparisons on Gaussian designs from fixed seeds: Dvoretzky-Kiefer-Wolfowitz (Massart) three times,
            the Gaussian concentration of s_n once, each at a false-alarm probability of 1e-9
Findings    Where (A) does hold on average, it is no better than predicting zero, so it cannot explain generalization
Expected    refuted
"""

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
from fixtures.rational import fractions, inverse
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, vacuous

FALSE_ALARM = 1e-9


def expected_risk(X, w_star, Sigma, variance, invert):
    """E over the noise of R(X^+ y), the squared loss without 1/2; exact where its arguments and `invert` are."""
    pseudo_inverse = X.T @ invert(X @ X.T)
    bias = w_star - pseudo_inverse @ (X @ w_star)
    return bias @ Sigma @ bias + variance * np.trace(pseudo_inverse.T @ Sigma @ pseudo_inverse) + variance


def printed_bounds(X, w_star, Sigma, variance, invert):
    """The printed right-hand side in readings (A) and (B)."""
    signal, gram, n = w_star @ w_star * np.trace(Sigma), X @ X.T, len(X)
    return signal * np.trace(invert(gram)) / n + variance, signal / (n * np.trace(gram)) + variance


def mean_inverse_trace(n, p):
    """E tr (XX')^-1 for standard Gaussian rows and p > n + 1, shown below."""
    return Fraction(n, p - n - 1)


@counterexample
@pytest.mark.parametrize("loss_factor", [Fraction(1), Fraction(1, 2)], ids=str)
@pytest.mark.parametrize("reading", [0, 1])
def test_pure_noise_costs_more_than_the_print_allows(loss_factor, reading):
    X, w_star, Sigma = fractions([["1/2", 0]]), fractions([0, 0]), fractions([[1, 0], [0, 1]])
    risk = loss_factor * expected_risk(X, w_star, Sigma, 1, inverse)
    bound = printed_bounds(X, w_star, Sigma, 1, inverse)[reading]
    assert_violates(risk, bound, reads="risk {value} > bound {limit}", n=1, p=2, X=X, w_star=0, Sigma="I", sigma=1)


@counterexample
@pytest.mark.parametrize("loss_factor", [Fraction(1), Fraction(1, 2)], ids=str)
@pytest.mark.parametrize("reading", [0, 1])
def test_without_noise_a_change_of_units_breaks_the_print(loss_factor, reading):
    # given  features measured in thirds: x -> 3x, w_* -> w_*/3
    X, w_star, Sigma = fractions([[3, 0]]), fractions([0, "1/3"]), 9 * fractions([[1, 0], [0, 1]])
    risk = loss_factor * expected_risk(X, w_star, Sigma, 0, inverse)
    bound = printed_bounds(X, w_star, Sigma, 0, inverse)[reading]
    assert_violates(risk, bound, reads="risk {value} > bound {limit}", X=X, w_star=w_star, Sigma="9 I", sigma=0)


@counterexample
@pytest.mark.parametrize("loss_factor", [Fraction(1), Fraction(1, 2)], ids=str)
def test_averaging_over_the_design_does_not_save_the_print(loss_factor):
    # given  x uniform on +-3e_1, +-3e_2, one sample, no noise: Sigma = (9/2) I, E|x|^2 = 9, tr(XX')^-1 = 1/9
    designs, w_star = [fractions([[3, 0]]), fractions([[0, 3]])], fractions([0, "1/3"])
    Sigma = sum(X.T @ X for X in designs) / Fraction(2)
    risk = loss_factor * sum(expected_risk(X, w_star, Sigma, 0, inverse) for X in designs) / 2
    bound = sum(printed_bounds(X, w_star, Sigma, 0, inverse)[0] for X in designs) / 2
    assert_violates(risk, bound, reads="mean risk {value} > bound {limit}", x="+-3e_1, +-3e_2", w_star=w_star, sigma=0)


@counterexample
@pytest.mark.parametrize("loss_factor", [Fraction(1), Fraction(1, 2)], ids=str)
def test_gaussian_designs_violate_the_print_on_average(loss_factor):
    # given  w_* = 0, x ~ N(0, I), n = 2, p = 4
    n, p = 2, 4
    risk = loss_factor * (mean_inverse_trace(n, p) + 1)
    assert_violates(risk, 1, reads="mean risk {value} > bound {limit}", n=n, p=p, x="N(0, I)", w_star=0, sigma=1)


@counterexample
def test_hypothesis_finds_a_violation_by_itself():
    # given  one row of integers, an integer w_*, the variance 0 or 1, Sigma = I: nothing is aimed at the counterexample
    row = st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any)
    instances = st.tuples(row, st.tuples(st.integers(-4, 4), st.integers(-4, 4)), st.integers(0, 1))

    def excess(instance):
        arguments = fractions([instance[0]]), fractions(instance[1]), fractions([[1, 0], [0, 1]]), instance[2], inverse
        return expected_risk(*arguments) / 2 - max(printed_bounds(*arguments))

    found = smallest_violation(instances, lambda instance: excess(instance) > 0)
    assert_violates(excess(found), 0, reads="half risk less bound {value} > {limit}", x=found[0], w_star=found[1])


@corrected
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


@corrected
@given(noisy_regressions())
def test_the_bound_with_a_variance_term_and_consistent_units_holds(instance):
    X, sigma, Sigma = instance.problem.X, instance.sigma, instance.Sigma
    risk = expected_risk(X, instance.w_star, Sigma, sigma**2, np.linalg.inv)
    # then   b'Sigma b = b'(Sigma - X'X/n)b because Xb = 0, and |b| <= |w_*|
    mismatch = norm(Sigma - X.T @ X / instance.problem.rows, 2)
    bound = norm(instance.w_star) ** 2 * mismatch + sigma**2 * (1 + norm(Sigma, 2) * np.trace(np.linalg.inv(X @ X.T)))
    slack = 64 * instance.problem.columns * UNIT_ROUNDOFF * instance.problem.condition**2 * bound
    assert_at_most(risk, bound + slack, why="corrected bound", instance=instance, adversarial=True)


@corrected
@given_batches(problem=regressions())
def test_the_bias_averages_to_the_share_of_directions_never_seen(problem):
    # then   the mean of e_j'(I - P)e_j over the standard basis is 1 - n/p: a trace, for every design
    P = np.linalg.pinv(problem.X) @ problem.X
    share = 1 - np.trace(P, axis1=1, axis2=2) / problem.columns
    error = np.abs(share - (1 - problem.rows / problem.columns))
    bound = 32 * problem.columns * problem.condition * UNIT_ROUNDOFF
    assert_at_most(error, bound, why="mean bias over the targets", instance=problem)


@corrected
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


@corrected
@pytest.mark.parametrize(("n", "p"), [(1, 3), (2, 5), (5, 10), (100, 1000)])
def test_on_gaussian_averages_the_print_holds_from_a_signal_to_noise_ratio_on(n, p):
    # given  |w_*|^2/sigma^2 at the threshold np/((2n+1)p - n(n+1)), below 1 always
    threshold = Fraction(n * p, (2 * n + 1) * p - n * (n + 1))
    risk = threshold * (1 - Fraction(n, p)) + mean_inverse_trace(n, p) + 1
    bound = threshold * p * mean_inverse_trace(n, p) / n + 1
    assert_identical(risk, bound, why="equality of risk and bound (A) at the threshold")
    # and    a stronger signal favors the bound, and one as strong as the noise suffices
    assert_at_most(1 - Fraction(n, p), Fraction(p, p - n - 1), why="growth of risk and of bound with the signal")
    assert_at_most(threshold, 1, why="signal-to-noise ratio at the threshold")


@corrected
def test_the_variance_vanishes_when_the_ambient_dimension_dwarfs_the_sample():
    # given  n = 20, p = 900: s_n(X) >= sqrt(p) - sqrt(n) - t but for a probability exp(-t^2/2)
    n, p, t = 20, 900, np.sqrt(2 * np.log(1 / FALSE_ALARM))
    X = np.random.default_rng(20).standard_normal((n, p))
    # then   contrary to the print's reading, p does enter, and it helps
    bound = n / (np.sqrt(p) - np.sqrt(n) - t) ** 2
    assert_at_most(np.trace(np.linalg.inv(X @ X.T)), bound, why="variance of an isotropic design over sigma^2")


@vacuous
@given_batches(problem=regressions())
def test_the_printed_factor_is_at_least_that_of_predicting_zero(problem):
    # then   tr(G^-1) >= n^2/tr(G); with Jensen, E tr(G^-1)/n >= 1/E|x|^2 for i.i.d. rows, so bound (A) is at least
    #        |w_*|^2 + sigma^2 on average: the risk of w = 0 whenever |Sigma|_op <= 1
    squares = np.where(problem.s > 0, problem.s, np.nan) ** 2
    traces = np.nansum(squares, axis=-1) * np.nansum(1 / squares, axis=-1)
    slack = 8 * problem.rows * UNIT_ROUNDOFF * problem.condition**2 * problem.rows**2
    assert_at_most(problem.rows**2, traces + slack, why="harmonic mean below arithmetic mean", instance=problem)


@vacuous
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=5), st.integers(0, 4))
def test_for_one_sample_the_averaged_bound_never_beats_predicting_zero(atoms, sigma):
    # given  x = sqrt(k) e_j with probabilities in proportion to the drawn weights, n = 1, |w_*| = 1
    weights = [Fraction(weight, sum(w for _, w in atoms)) for _, weight in atoms]
    mean_square = sum(weight * k for weight, (k, _) in zip(weights, atoms, strict=True))
    mean_inverse = sum(weight / k for weight, (k, _) in zip(weights, atoms, strict=True))
    # then
    assert_at_most(1 + sigma**2, mean_square * mean_inverse + sigma**2, why="bound (A) against the zero predictor")
