"""Self-tests: each quantity of PAC-Bayes against an independent computation, and planted errors in the bound."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import rounding
from fixtures.rational import enclose_log, enclose_sqrt, fractions
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_06_beyond_lazy_training.information import pac_bayes
from theorems.section_06_beyond_lazy_training.information.finite_learning import FiniteLearning, finite_learning
from theorems.section_06_beyond_lazy_training.information.pac_bayes import (
    CLIPPED_ROUNDINGS,
    clipped_gaussian_loss,
    complexity,
    divergence_of_shift,
    exponential_moment,
    gaussian_bound,
    maurer_moment,
    violation_probability,
    worst_case_posteriors,
)

COIN = FiniteLearning(fractions(["1/2", "1/2"]), fractions([[0, 1]]), fractions([1]), n=12)


@pytest.mark.parametrize(("divergence", "n", "delta"), [(0, 1, "1/2"), (2, 7, "1/20"), (Fraction(1, 3), 100, "1/1000")])
def test_the_complexity_is_what_its_formula_says(divergence, n, delta):
    # then   ln(2 sqrt(n)/delta) = ln(4n/delta^2)/2, in enclosures
    low, high = ((divergence + end / 2) / (2 * n) for end in enclose_log(4 * n / Fraction(delta) ** 2))
    computed = complexity(float(divergence), n, float(Fraction(delta)))
    assert_within(float(enclose_sqrt(low, 8)[0]), computed, float(enclose_sqrt(high, 8)[1]), why="complexity")


@pytest.mark.parametrize(
    "arguments",
    [(0.0, 0, 0.1), (0.0, 2.5, 0.1), (0.0, 1, 0.0), (0.0, 1, 1.0), (0.0, 1, np.nan), (-0.1, 1, 0.1), (np.nan, 1, 0.1)],
)
def test_the_complexity_refuses_what_the_theorem_does_not_cover(arguments):
    with pytest.raises(ValueError, match="must be"):
        complexity(*arguments)


def test_the_moment_of_one_and_two_tosses_by_hand():
    assert_identical([maurer_moment(1), maurer_moment(2)], [2, Fraction(5, 2)], why="1 + 1, and 1 + 1/2 + 1")
    # a fair coin: exp(2 kl(k/2 || 1/2)) = 4, 1, 4
    coin = FiniteLearning(COIN.weights, COIN.losses, COIN.prior, n=2)
    assert_identical(exponential_moment(coin), [4, 1, 4], why="moments of two tosses")
    with pytest.raises(ValueError, match="losses 0 and 1"):
        exponential_moment(FiniteLearning(COIN.weights, COIN.losses / 2, COIN.prior, n=2))


@pytest.mark.slow
@given(finite_learning(max_samples=4, levels=4), st.lists(st.integers(1, 9), min_size=4, max_size=4))
def test_no_posterior_at_all_hopes_for_more_than_the_enclosed_supremum(problem, proportions):
    # given  any posterior q
    prior, gap = problem.prior.astype(float), (problem.risks - problem.empirical_risks).astype(float)
    q = np.array(proportions[: len(prior)]) / sum(proportions[: len(prior)])
    divergence = max(0.0, q @ np.log(q / prior))
    # then   sup_lambda ln E_p exp(lambda gap) - lambda^2/(8n) >= 2n (E_q gap)^2 - KL(q || p) where E_q gap >= 0
    family = worst_case_posteriors(prior, gap, problem.n)
    hope = 2 * problem.n * np.maximum(gap @ q, 0) ** 2 - divergence
    slack = rounding(3 * 4 + 8, 4 * problem.n)  # sums over four hypotheses, logarithms of 4n at most
    assert_at_most(hope, family.upper + slack, why="hope of q", instance=problem)
    assert_at_most(family.lower, family.upper, why="enclosure")
    assert_at_most(family.upper - family.lower, problem.n / (2 * 47**2) + slack, why="width: n/(2 cells^2)")


def test_the_upper_end_of_the_supremum_is_attained_halfway_between_two_points_of_a_grid():
    # given  n = 1 and one hypothesis of prior 1 - 1e-15 with the gap 1/2: lambda/2 - lambda^2/8 has its maximum 1/2 at
    #        lambda = 2. The grid is 0 and 4; the other hypothesis sets its end, and adds 1e-15 e^2 at 4
    family = worst_case_posteriors(np.array([1 - 1e-15, 1e-15]), np.array([[0.5, 1.0]]), 1, points=2)
    assert_identical(family.lambdas, [[0, 4]], why="the grid")
    slack = 1e-15 * np.exp(2) + rounding(8, 2)
    assert_at_most(np.abs(family.upper - 0.5), slack, why="the enclosure from above")
    assert_at_most(np.abs(family.lower), slack, why="the enclosure from below")


def test_the_violation_probability_of_a_loaded_coin_by_hand():
    # four tosses, loss with probability 3/4, delta = 1/20: ln 80 = 4.38 lies between 2n (1/2)^2 and 2n (3/4)^2. So only
    # a sample without any loss violates the bound; a sample with too many losses does not
    loaded = FiniteLearning(fractions(["1/4", "3/4"]), COIN.losses, COIN.prior, n=4)
    assert_identical(violation_probability(loaded, 0.05), 1 / 256, why="(1/4)^4")


def test_the_violation_probability_where_neither_the_prior_nor_a_point_mass_violates_the_bound_by_hand():
    # given  four tosses as above; two hypotheses of prior 9/20 that say the same, and one of prior 1/10 that says the
    #        opposite, whose gap on a sample without any loss is 1/4 - 1
    losses, prior = fractions([[0, 1], [0, 1], [1, 0]]), fractions(["9/20", "9/20", "1/10"])
    problem = FiniteLearning(fractions(["1/4", "3/4"]), losses, prior, n=4)
    seen = problem.counts[:, 1] == 0
    (gap,) = (problem.risks - problem.empirical_risks)[seen].astype(float)
    # then   the prior hopes for 3/5 and a point mass for 3/4 at ln(20/9) nats: neither is enough
    assert_at_most(prior.astype(float) @ gap, 0.95 * complexity(0.0, 4, 0.05), why="the prior keeps the bound")
    assert_at_most(gap / complexity(-np.log(prior.astype(float)), 4, 0.05), 0.95, why="point masses keep the bound")
    # and    the prior tilted to the two that agree hopes for 3/4 at ln(10/9) nats: ln(10/9) + ln 80 < 8 (3/4)^2
    assert_identical(violation_probability(problem, 0.05), 1 / 256, why="(1/4)^4, by a tilted posterior alone")


@pytest.mark.parametrize(
    ("mistake", "delta"),
    [
        (lambda kl, n, delta: np.sqrt((kl + np.log(2 * np.sqrt(n) / delta)) / (8 * n)), 1e-3),
        (lambda kl, n, delta: np.sqrt((kl + np.log(2 * np.sqrt(n) / delta)) / (2 * n**2)), 0.05),
        (lambda kl, n, delta: (kl + np.log(2 * np.sqrt(n) / delta)) / (2 * n), 0.05),
        (lambda kl, n, delta: np.sqrt((kl + np.abs(np.log(2 * np.sqrt(n) * delta))) / (2 * n)), 0.05),
        (lambda kl, n, _: np.sqrt((kl + np.log(2 * np.sqrt(n))) / (2 * n)), 0.01),
        (lambda kl, n, delta: np.sqrt(kl / (2 * n)) + 0 * delta, 0.05),
    ],
    ids=["8n for 2n", "n^2 for n", "no root", "delta inverted", "no delta", "no logarithm"],
)
def test_exact_coverage_shows_a_planted_error(monkeypatch, mistake, delta):
    # given  twelve tosses of a fair coin and one hypothesis. Nothing is sampled, so there are no false alarms
    assert_at_most(violation_probability(COIN, delta), delta, why="coverage of the bound")
    # when
    monkeypatch.setattr(pac_bayes, "complexity", mistake)
    # then
    assert_at_most(delta, violation_probability(COIN, delta), why="coverage of the mistake")


def test_a_bound_that_only_a_mixture_of_hypotheses_refutes_is_refuted(monkeypatch):
    # given  six tosses of a fair coin, two copies of one hypothesis (1/4 each) and one that is never wrong (1/2). After
    #        one loss the gap is 1/3, and 2n (1/3)^2 = 4/3 lies between ln 2 and ln 4: a point mass costs ln 4, while a
    #        posterior on both copies costs ln 2
    losses, prior = fractions([[0, 1], [0, 1], [0, 0]]), fractions(["1/4", "1/4", "1/2"])
    problem = FiniteLearning(fractions(["1/2", "1/2"]), losses, prior, n=6)
    # when   the bound has 2/5 in place of the logarithm, which is more than the prior itself needs
    monkeypatch.setattr(pac_bayes, "complexity", lambda kl, n, delta: np.sqrt((kl + 0.4) / (2 * n)) + 0 * delta)
    # then   samples without a loss refute it by point masses too, those with one loss do not
    assert_identical(violation_probability(problem, 0.05), 7 / 64, why="no loss, or one: (1 + 6)/2^6")


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 0.1), (1.0, 0.1), (-0.5, 1.0), (3.0, 2.0)])
def test_the_clipped_loss_is_its_integral(mean, deviation):
    kinks = (np.array([-np.sqrt(2), np.sqrt(2)]) - mean) / deviation
    pieces = [-40, *np.clip(kinks, -40, 40), 40]
    integrals = [
        scipy.integrate.quad(lambda z: min((mean + deviation * z) ** 2 / 2, 1) * scipy.stats.norm.pdf(z), a, b)
        for a, b in itertools.pairwise(pieces)
    ]
    value, error = np.sum(integrals, axis=0)
    slack = error + rounding(CLIPPED_ROUNDINGS, 1 + mean**2 + deviation**2)
    assert_at_most(abs(clipped_gaussian_loss(mean, deviation) - value), slack, why="closed form against quadrature")


def test_the_divergence_of_a_shifted_gaussian_is_its_integral():
    theta, center, s = np.array([1.0, -2.0]), np.array([0.5, 0.0]), 1.5
    integrals = [
        scipy.integrate.quad(
            lambda x, a=a, b=b: (
                scipy.stats.norm.pdf(x, a, s) * (scipy.stats.norm.logpdf(x, a, s) - scipy.stats.norm.logpdf(x, b, s))
            ),
            a - 40,
            a + 40,
        )
        for a, b in zip(theta, center, strict=True)
    ]
    value, error = np.sum(integrals, axis=0)
    assert_at_most(abs(divergence_of_shift(theta, center, s) - value), error + rounding(2 * 21, value), why="KL")


def test_the_gaussian_bound_adds_its_three_terms():
    # 10 samples of 20 atoms, 8 of them distinct, s = 3/10: |theta|^2/(2 s^2) = 8/(18/100); tr H = 3/2
    divergence = divergence_of_shift(fractions([1] * 8), fractions([0] * 8), Fraction(3, 10))
    assert_identical(divergence, Fraction(400, 9), why="8/(2 * 9/100)")
    low, high = ((divergence + end / 2) / 20 for end in enclose_log(4 * 10 * 400))
    rest = Fraction(1, 4) + Fraction(3, 2) * Fraction(9, 200)
    computed = gaussian_bound(0.25, 1.5, float(divergence), 0.3, 10, 0.05)
    assert_within(float(rest + enclose_sqrt(low, 8)[0]), computed, float(rest + enclose_sqrt(high, 8)[1]), why="bound")
