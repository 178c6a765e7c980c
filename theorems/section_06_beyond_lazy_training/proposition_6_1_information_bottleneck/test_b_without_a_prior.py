r"""Proposition 6.1 (b) - without a prior the weights tell their data set at any temperature.

Setting     $\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t) + \sqrt{2\eta/\beta}\, \xi_t$ with
            $L = \frac12 \|Xw - y\|^2$, $H = X^\top X$: no weight decay. $s_i$ are the singular values of $X$. The row
            part is the part of $W$ in the row space of $X$. $I(W;D)$ is what the weights $W$ know of the data $D$
Hypotheses  (H2) $\eta \lambda_{\max}(H) < 2$.
Corrected   (C6) At one design $X$, with $y \sim N(0, I)$, noise hides the targets even without a prior, under H2: once
            the row part has settled, $I(W;y) = \frac12 \sum_i \ln(1 + \beta (1 - \eta s_i^2/2))$ over the $s_i > 0$.
            (C7) One step from zero with $\eta = 1$ on $x = e_1$, $y = \pm 1$ with equal chances: $I(W;D)$ is $\ln 2$
            without noise and 0.201, 0.0244 and 0.0025 at $\beta = 1$, $\frac1{10}$ and $\frac1{100}$.
Idea        Along $\ker H$ only noise acts, and it adds up. As $\ker H$ depends on the data, the direction in which $W$
            has diffused tells $D$ from another data set, at any temperature.
Tolerance   The pinned witness is rational. A bound on $I(W;D)$ comes from the affinity of two laws: the best guess of
            $D$ errs with a probability of at most half of it (Bhattacharyya), and Fano's inequality turns this into
            nats
Findings    In the paper's setting, more weights than samples and no weight decay, (b) fails
"""

from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from numpy.linalg import norm

from fixtures.dynamics.langevin import GaussianLaw, law_after
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import one_sample_regressions, regressions
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_06_beyond_lazy_training.information.measures import affinity, gaussian_entropy
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.noisy_quadratics import (
    entropy_rounding,
    exact_covariances,
    hessian_and_rates,
    information_lower_bound,
)


@counterexample
def test_without_a_prior_two_data_sets_stay_apart_at_every_temperature():
    r"""$x = e_1$ or $e_2$ with equal chances, $y = 1$, $\eta = 1$, 16 steps from 0: $W$ has the variance $2/\beta$
    along $x$, $32/\beta$ across. The best guess of $D$ errs with a chance of $\frac8{34}$ at most (Bhattacharyya), so
    $I(W;D) \ge 2 (\frac12 - \frac4{17})^2 = \frac{81}{578}$ (Fano, Pinsker) at any $\beta$. Printed: it falls to 0."""
    first, second = fractions([[1, 0], [0, 0]]), fractions([[0, 0], [0, 1]])
    C, D = (exact_covariances(H, Fraction(1), 16)[16] for H in (first, second))
    assert_identical(C, fractions([[2, 0], [0, 32]]), why="variance 2 along x, 2k across")
    assert_identical(C[::-1, ::-1], D, why="the other data set exchanges the coordinates")
    # when   the error of the best guess by Bhattacharyya's bound; the different means make it smaller still
    assert_identical(Fraction(8) ** 2, C[0, 0] * C[1, 1], why="the root of the determinant")
    errs = 8 / (C[0, 0] + C[1, 1])
    # then   I(W;D) >= ln 2 - h(p) >= 2 (1/2 - p)^2, by Fano and Pinsker. Under the prior N(0, I) the information would
    #        be beta E_pi L = beta at most
    reads = "I(W;D) >= {value} > {limit}, which a prior N(0, I) allows"
    value, beta = 2 * (Fraction(1, 2) - errs) ** 2, Fraction(1, 100)
    assert_violates(value, beta, reads=reads, x="e_1 or e_2", y=1, k=16, eta=1, beta=beta)


@counterexample
def test_a_search_finds_two_data_sets_that_no_temperature_confuses():
    def is_informative(pair):
        X, y, zero = pair.reshape(2, 1, 3)[..., :2], pair.reshape(2, 1, 3)[..., 2], np.zeros((2, 2))
        laws = law_after(X.mT @ X, np.vecmat(y, X), zero, 1 / 16, 1e-6, 100)
        one, other = (GaussianLaw(mean, C) for mean, C in zip(laws.mean, laws.covariance, strict=True))
        return information_lower_bound(one, other) > 1 / 8

    found = smallest_violation(tapes(6).map(lambda tape: tape.integers((2, 3), 3)), is_informative)
    # then   the two samples (x, y) have different inputs; beta is 10^-6
    assert_at_most(1, norm(found[0, :2] - found[1, :2]), why="two different inputs")


@counterexample
@given_batches(problem=one_sample_regressions(max_excess=1))
def test_without_a_prior_the_weights_end_up_naming_their_data_set_at_every_temperature(problem):
    # given  two data sets of one sample each, whose inputs have an angle with the sine 0.6; any targets; beta from
    #        1/64 to 64
    x, z = problem.X[:, 0], problem.X[:, 0] @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    beta, steps = 4.0 ** (problem.t % 7 - 3), 10**10
    # when
    one, other = (
        law_after(row[:, :, None] * row[:, None, :], row * problem.y, problem.w0, problem.eta, beta, steps)
        for row in (x, z)
    )
    # then   along x the first law has the variance 2 eta/(beta (1 - rho^2)), the other at least 2 k (sin)^2 eta/beta.
    #        So the affinity is below sqrt(2 sd/sd') < 1/60, where beta cancels, and I(W;D) is at least 0.9 ln 2. eigh
    #        finds the eigenvalue zero up to the rounding of a decomposition, and k steps of eta lambda <= 2 turn this
    #        into a relative error 2 k times as large
    rho, sine = 1 - problem.step, 0.6
    bound = np.sqrt(2) / ((1 - rho**2) * steps * sine**2) ** 0.25 * (1 + rounding(2 * factorization(2) * steps))
    assert_at_most(affinity(one, other), bound, why="affinity of the laws", instance=problem)
    assert_at_most(
        0.9 * np.log(2), information_lower_bound(one, other), why="nearly all of H(D) = ln 2", instance=problem
    )


@corrected("C7")
@pytest.mark.parametrize(("beta", "information"), [(1, 0.201), (0.1, 0.0244), (0.01, 0.0025)])
def test_one_noisy_step_knows_less_of_a_label_than_one_without_noise(beta, information):
    # given  W = y + sqrt(2/beta) xi along x, y = 1 or -1; I = h(W) - h(xi) with the mixture W in units of the noise
    shift, normal = np.sqrt(beta / 2), scipy.stats.norm
    mixture = lambda w: (normal.pdf(w - shift) + normal.pdf(w + shift)) / 2  # noqa: E731
    found, error = scipy.integrate.quad(lambda w: -mixture(w) * np.log(mixture(w)), -12, 12)
    value = found - (1 + np.log(2 * np.pi)) / 2
    # then   I(W;D) in the digits of C7, below ln 2
    half_a_digit = 10.0 ** -(3 + (beta < 1)) / 2
    assert_at_most(np.abs(value - information), half_a_digit + error, why="I(W;D) after one step")
    assert_at_most(value, np.log(2) / 3, why="less than without noise")


@corrected("C6", "H2")
@given_batches(problem=regressions(max_rows=3, max_excess=3))
def test_at_one_design_noise_does_hide_the_targets_even_without_a_prior(problem):
    # given  no weight decay; y ~ N(0, I) given X; the row part has settled: (1 - eta s_n^2)^k is below e^-50
    H, eta, beta = hessian_and_rates(problem, decay=0)
    k = np.ceil(50 / np.minimum(eta * problem.sigma_min**2, 2 - problem.step)).astype(int)
    # when   I(W;y) = h(W) - h(W|y), with the response of the mean to each target
    law = law_after(H, 0 * problem.w0, 0 * problem.w0, eta, beta, k)
    response = law_after(H[:, None], problem.X, 0 * problem.X, eta[:, None], beta[:, None], k[:, None]).mean
    information = gaussian_entropy(GaussianLaw(law.mean, law.covariance + response.mT @ response)) - gaussian_entropy(
        law
    )
    # then   it is (1/2) sum ln(1 + beta (1 - eta s_i^2/2)), which vanishes with beta
    exact = np.where(problem.s > 0, np.log1p(beta[:, None] * (1 - eta[:, None] * problem.s**2 / 2)), 0).sum(-1) / 2
    slack = entropy_rounding(problem.columns, (1 + beta) * problem.condition**2, k)
    assert_at_most(np.abs(information - exact), slack, why="I(W;y) at a fixed design", instance=problem)
