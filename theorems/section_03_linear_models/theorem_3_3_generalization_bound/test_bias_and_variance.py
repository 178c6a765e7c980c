r"""Theorem 3.3 - the expected risk is bias plus variance plus noise, and what bounds it.

Setting     $\hat w = X^+ y$ is the $w^*$ of the print, with the pseudo-inverse $X^+$ of $X$;
            $\operatorname{rank} X = n$; $\Sigma = E[x x^\top]$; risk $R(w) = (w - w_*)^\top\Sigma(w - w_*) + \sigma^2$,
            or half of it; (A) is the printed bound with the trace of the inverse,
            $\|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}((X X^\top)^{-1}) / n + \sigma^2$; (B) has
            $1/\operatorname{tr}(X X^\top)$ in place of $\operatorname{tr}((X X^\top)^{-1})$
Corrected   (C1) $E_\epsilon R = b^\top\Sigma b + \sigma^2 \operatorname{tr}((X^+)^\top \Sigma X^+) + \sigma^2$ with
            $b = (I - X^+X) w_*$, for every $X$ of rank $n$.
            (C2) Hence $E_\epsilon R \le \|w_*\|^2 \|\Sigma - X^\top X/n\|_{op} + \sigma^2 (1 + \|\Sigma\|_{op}
            \operatorname{tr}((X X^\top)^{-1}))$, with equality for $X = (1, 0)$, $\Sigma = I$ and $w_* = e_2$.
Idea        $X^+ y - w_*$ is $-b$ plus $X^+$ times the noise, and the noise has mean zero. Since $Xb = 0$,
            $b^\top \Sigma b = b^\top (\Sigma - X^\top X/n) b$, and $\|b\| \le \|w_*\|$.
Tolerance   The noise is integrated exactly, by a cubature of $2n$ points; only rounding remains. The search of wide
            range runs through all signs of the noise in exact arithmetic.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.regression import noisy_regressions
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, inverse
from properties.certificates import assert_at_most, assert_identical
from properties.oracles import nearest_interpolant
from theorems.ledger import corrected
from theorems.section_03_linear_models.theorem_3_3_generalization_bound.risk import (
    corrected_bound,
    expected_risk,
    largest_of_diagonal,
)


def quadratic_rounding(instance, scale):
    """The rounding of a quadratic form in X^+ of size `scale`: twice a solve with XX', and p + n in the products."""
    n, p = instance.problem.rows, instance.problem.columns
    return rounding(2 * (factorization(n, p) + n + p), instance.problem.condition**2 * scale)


def spectral_norm(matrix):
    """The operator norm of a matrix, by LAPACK."""
    return norm(matrix.astype(float), 2)


@corrected("C1")
@given(noisy_regressions())
def test_the_expected_risk_is_bias_plus_variance_plus_noise(instance):
    # given  the noise is integrated exactly: R is quadratic in it, so noise +-sqrt(n) sigma e_i gives the same mean
    X, n = instance.problem.X, instance.problem.rows
    shifts = np.sqrt(n) * instance.sigma * np.concatenate([np.eye(n), -np.eye(n)])
    # when   the min-norm interpolant of each, by LAPACK
    targets = X @ instance.w_star + shifts
    estimates = nearest_interpolant(np.broadcast_to(X, (2 * n, *X.shape)), targets, np.zeros((2 * n, X.shape[1])))
    errors = estimates - instance.w_star
    risk = np.mean(np.vecdot(errors @ instance.Sigma, errors)) + instance.sigma**2
    # then
    exact = expected_risk(X, instance.w_star, instance.Sigma, instance.sigma**2, np.linalg.inv)
    longest = norm(instance.w_star) + np.sqrt(n) * instance.sigma / instance.problem.sigma_min
    slack = quadratic_rounding(instance, norm(instance.Sigma) * longest**2)
    assert_at_most(abs(risk - exact), slack, why="bias-variance identity", instance=instance)


@corrected("C2")
@given(noisy_regressions())
def test_the_bound_with_a_variance_term_and_consistent_units_holds(instance):
    X, sigma, Sigma = instance.problem.X, instance.sigma, instance.Sigma
    risk = expected_risk(X, instance.w_star, Sigma, sigma**2, np.linalg.inv)
    # then   b'Sigma b = b'(Sigma - X'X/n)b because Xb = 0, and |b| <= |w_*|
    bound = corrected_bound(X, instance.w_star, Sigma, sigma**2, np.linalg.inv, spectral_norm)
    slack = quadratic_rounding(instance, bound + norm(Sigma, 2) * norm(instance.w_star) ** 2)
    assert_at_most(risk, bound + slack, why="corrected bound", instance=instance, adversarial=True)


@corrected("C2")
def test_the_corrected_bound_is_attained():
    # given  X = [1, 0], Sigma = I, w_* = e_2, sigma = 1: bias, variance and noise are 1 each
    X, w_star, Sigma = fractions([[1, 0]]), fractions([0, 1]), fractions([[1, 0], [0, 1]])
    assert_identical(expected_risk(X, w_star, Sigma, 1, inverse), 3, why="risk")
    # then   |Sigma - X'X| = 1 by its diagonal (0, 1), |Sigma| = 1 and tr((XX')^-1) = 1
    assert_identical(Sigma - X.T @ X, fractions([[0, 0], [0, 1]]), why="what the sample does not see")
    assert_identical(corrected_bound(X, w_star, Sigma, 1, inverse, largest_of_diagonal), 3, why="bound")


@pytest.mark.slow
@corrected("C1", "C2")
@given(wide_regressions(), tapes(14))
def test_on_designs_of_wide_range_the_noise_of_every_sign_has_the_mean_that_the_identity_says(problem, tape):
    # given  X from 2^-220 to 2^200; Sigma = c AA' with c of the size of X'X, times 2^-20, 1 or 2^20; noise +-sigma
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
    bound = corrected_bound(X, w_star, Sigma, sigma**2, inverse, lambda M: Fraction(float(spectral_norm(M))))
    slack = rounding(factorization(len(w_star)) + 2, float(bound))  # an eigenvalue, and conversions to floats
    assert_at_most(float(risk), float(bound) + slack, why="corrected bound", instance=problem)
