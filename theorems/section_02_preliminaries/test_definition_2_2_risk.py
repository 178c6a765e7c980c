r"""Definition 2.2 - the generalization error is the expected loss of a fresh sample.

Section     2.3
Printed     $R(\theta) = E_{(x, y) \sim P}[\ell(f(x; \theta), y)]$
Reading     A definition is not true or false, so we test what follows from it. For $f(x; w) = w^\top x$ and
            $y = w_*^\top x + \epsilon$ it gives the identity $R(w) = c\,[(w - w_*)^\top \Sigma (w - w_*) + \sigma^2]$,
            which Section 3 uses: $c = 1$ for $\ell = (f - y)^2$, and $c = \frac12$ for $\ell = \frac12 (f - y)^2$
Setting     $\Sigma = E[x x^\top]$, $\sigma^2 = E[\epsilon^2]$; $P$ is a distribution on finitely many atoms with
            rational probabilities
Hypotheses  (H1) $E[\epsilon x] = 0$; $E[\epsilon \mid x] = 0$ is enough, and the variance of the noise may depend on
            $x$.
Idea        Expand the square: the cross term is $-2 (w - w_*)^\top E[\epsilon x]$
Source      Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning (bias and variance); Hoeffding
            (1963), Probability Inequalities for Sums of Bounded Random Variables, Journal of the American Statistical
            Association 58
Tolerance   Expectations are finite sums of fractions, and exact. Eigenvalues are LAPACK's, exact up to
            $n u \|\Sigma\|$, with $u$ the unit roundoff
Chance      One test draws 4000 samples of bounded loss from each of 3 fixed seeds: Hoeffding, $10^{-9}$ false alarms
            each
Findings    The print does not say whether the loss has the factor $\frac12$ of Section 2.1. Theorem 3.3 ends in
            "$+\,\sigma^2$", so there it has not, and $R = 2L$ on the training distribution. The identity is shown for
            both
Expected    holds
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given

from fixtures.precision import factorization, rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from theorems.ledger import as_printed, necessity
from theorems.section_02_preliminaries.finite_distributions import FiniteDistribution, finite_distributions

FALSE_ALARM = 1e-9
LOSS_FACTORS = [Fraction(1), Fraction(1, 2)]


def risk(law, w, loss_factor=1):
    """The definition, literally: the expectation of loss_factor (w'x - y)^2."""
    return law.expectation(lambda x, y: loss_factor * (w @ x - y) ** 2)


def moments(law):
    """Sigma = E xx' and sigma^2 = E epsilon^2."""
    Sigma = law.expectation(lambda x, _: np.outer(x, x))
    return Sigma, law.expectation(lambda x, y: (y - law.w_star @ x) ** 2)


def off_the_truth(law):
    """Parameters off w_star by an integer vector without zeros, (1, -2, 3)."""
    return law.w_star + fractions([1, -2, 3])[: len(law.w_star)]


@as_printed
@pytest.mark.parametrize("loss_factor", LOSS_FACTORS)
@given(law=finite_distributions())
def test_the_risk_of_a_linear_model_is_a_quadratic_around_the_truth(loss_factor, law):
    # given  H1: the noise at every atom has mean zero, and each atom has its own variance
    w, (Sigma, variance) = off_the_truth(law), moments(law)
    # then
    error = w - law.w_star
    assert_identical(risk(law, w, loss_factor), loss_factor * (error @ Sigma @ error + variance), why="R(w)")
    assert_identical(risk(law, law.w_star, loss_factor), loss_factor * variance, why="R(w_*) is the noise alone")


def three_atoms():
    """The atoms (1, 0), (1, 2), (-1, 1) with probabilities 1/2, 1/4, 1/4; w_* = (1, -1), noise on two of them."""
    return FiniteDistribution(
        atoms=fractions([[1, 0], [1, 2], [-1, 1]]),
        weights=fractions(["1/2", "1/4", "1/4"]),
        w_star=fractions([1, -1]),
        noise=fractions([[1, -1], [2, -1], [0, 0]]),
        noise_weights=fractions([["1/2", "1/2"], ["1/3", "2/3"], ["1/2", "1/2"]]),
    )


@as_printed
def test_the_risk_of_three_atoms_by_hand():
    # given  w - w_* = (1, -2), which is 1, -3 and -3 at the atoms; the noise has the variances 1, 2 and 0 there
    law = three_atoms()
    # then   the excess is 1/2 + 9/4 + 9/4 = 5, and the noise is 1/2 + 2/4 = 1
    w = off_the_truth(law)
    assert_identical([risk(law, w), risk(law, w, Fraction(1, 2))], [6, 3], why="R for both factors of the loss")
    assert_identical(moments(law)[0], fractions([[1, "1/4"], ["1/4", "5/4"]]), why="Sigma")


@as_printed
@given(finite_distributions())
def test_noise_that_is_uncorrelated_with_x_is_enough_though_its_mean_depends_on_x(law):
    # given  H1: the law has every atom and its negative. The noise at the k-th atom and at its negative has mean k + 1,
    #        so that E[epsilon x] = 0
    shifts = fractions([[k + 1] for k in range(len(law.atoms))])
    doubled = {name: np.concatenate([getattr(law, name)] * 2) for name in ("noise", "noise_weights")}
    doubled["noise"] = doubled["noise"] + np.concatenate([shifts, shifts])
    atoms, weights = np.concatenate([law.atoms, -law.atoms]), np.concatenate([law.weights] * 2) / Fraction(2)
    both = dataclasses.replace(law, atoms=atoms, weights=weights, **doubled)
    correlation = both.expectation(lambda x, y: (y - both.w_star @ x) * x)
    assert_identical(correlation, 0 * both.w_star, why="H1")
    # then
    w, (Sigma, variance) = off_the_truth(both), moments(both)
    error = w - both.w_star
    assert_identical(risk(both, w), error @ Sigma @ error + variance, why="R(w)")


@as_printed
@given(finite_distributions())
def test_the_risk_lies_between_the_extreme_curvatures(law):
    w, (Sigma, variance) = off_the_truth(law), moments(law)
    curvatures = scipy.linalg.eigvalsh(Sigma.astype(float))
    squared = float((w - law.w_star) @ (w - law.w_star))
    # then
    slack = rounding(factorization(len(w)) + 3, curvatures[-1] * squared)  # eigenvalues, two conversions, a product
    excess = float(risk(law, w) - variance)
    bounds = curvatures[0] * squared, curvatures[-1] * squared
    assert_within(bounds[0], excess, bounds[1], slack=slack, why="excess risk", instance=law)


@as_printed
@given(finite_distributions())
def test_the_training_loss_is_half_the_risk_under_the_training_distribution(law):
    # given  n samples, each at one atom and with the first noise value there; L has the factor 1/(2n) of Section 2.1
    n = len(law.atoms)
    X, y, w = law.atoms, law.atoms @ law.w_star + law.noise[:, 0], off_the_truth(law)
    residuals = X @ w - y
    loss = residuals @ residuals / (2 * n)
    # then   the empirical distribution puts 1/n on each sample
    empirical = dataclasses.replace(law, weights=fractions([Fraction(1, n)] * n), noise_weights=fractions([[1, 0]] * n))
    assert_identical(loss, risk(empirical, w) / 2, why="L = R/2 without the factor 1/2 in R, L = R with it")


@as_printed
@given(finite_distributions())
def test_interpolants_of_one_sample_differ_in_risk_by_a_quadratic(law):
    # given  one training sample, the first atom; v is orthogonal to it
    x, (Sigma, _) = law.atoms[0], moments(law)
    v = np.concatenate([[-x[1], x[0]], 0 * x[2:]])
    w = law.w_star + law.noise[0, 0] / (x @ x) * x
    # when   w + v fits it as w does
    assert_identical((x @ w, x @ (w + v)), (law.w_star @ x + law.noise[0, 0],) * 2, why="both have zero training loss")
    # then   the risk differs although the training loss does not
    difference = 2 * v @ Sigma @ (w - law.w_star) + v @ Sigma @ v
    assert_identical(risk(law, w + v) - risk(law, w), difference, why="difference in risk")


@as_printed
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_mean_loss_of_fresh_samples_is_near_the_risk(seed):
    # given  three atoms, noise on two of them; losses lie in [0, B]
    law = three_atoms()
    w = off_the_truth(law)
    largest = max((w @ x - law.w_star @ x - e) ** 2 for x, pair in zip(law.atoms, law.noise, strict=True) for e in pair)
    # when
    X, y = law.sample(4000, np.random.default_rng(seed))
    mean_loss = np.mean((X @ w.astype(float) - y) ** 2)
    # then
    slack = float(largest) * np.sqrt(np.log(2 / FALSE_ALARM) / (2 * 4000))
    assert_at_most(abs(mean_loss - float(risk(law, w))), slack, why="mean of 4000 losses, Hoeffding", instance=law)


@necessity("H1")
@given(finite_distributions())
def test_without_H1_noise_that_follows_x_adds_a_cross_term(law):
    # given  w = w_* + x_1, and noise with the mean (w - w_*)'x at x, so that it is correlated with x
    w = law.w_star + law.atoms[0]
    error, (Sigma, variance) = w - law.w_star, moments(law)
    biased = law.expectation(lambda x, y: (w @ x - (y + error @ x)) ** 2)
    # then   let q = (w - w_*)'Sigma(w - w_*). E[noise^2] is sigma^2 + q, so the identity says 2q + sigma^2; but R =
    #        sigma^2
    q = error @ Sigma @ error
    claimed = q + (variance + q)
    assert_identical(claimed - biased, 2 * q, why="cross term")
    assert_violates(claimed, biased, reads="identity {value} > {limit} risk", x=law.atoms[0], noise="mean x_1'x")
