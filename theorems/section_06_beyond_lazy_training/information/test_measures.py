"""Self-tests: information by hand, by quadrature and with thirty digits; wrong temperatures violate the identities."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.stats
from hypothesis import given

from fixtures.dynamics.langevin import GaussianLaw
from fixtures.precision import UNIT_ROUNDOFF, factorization, rounding
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical
from theorems.section_06_beyond_lazy_training.information.measures import (
    affinity,
    binary_entropy,
    divergence,
    entropy,
    enumerate_samples,
    free_energy,
    gaussian_bottleneck,
    gaussian_bottleneck_terms,
    gaussian_divergence,
    gaussian_entropy,
    gibbs,
    information_rounding,
    joint_law,
    lautum_information,
    log_partition,
    mutual_information,
    pushforward_joint_law,
)

ONE, OTHER = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.25], [-0.25, 3.0]])
HERE, THERE = GaussianLaw(np.array([1.0, -1]), ONE), GaussianLaw(np.array([0.5, 1]), OTHER)


def exact_divergence(q, p):
    """KL(q || p) of rational laws, computed with thirty digits."""
    with localcontext(prec=30):
        decimals = [[Decimal(x.numerator) / Decimal(x.denominator) for x in law] for law in (q, p)]
        return float(sum(a * (a / b).ln() for a, b in zip(*decimals, strict=True) if a))


@pytest.mark.slow
@given(tapes(12))
def test_divergences_and_informations_are_those_of_thirty_digits(tape):
    counts = 1 + tape.naturals((2, 3), 9)
    joint = [Fraction(int(c), int(counts.sum())) for c in counts.ravel()]
    rows, columns = counts.sum(1), counts.sum(0)
    product = [Fraction(int(r * c), int(counts.sum()) ** 2) for r in rows for c in columns]
    P = np.array(joint, float).reshape(2, 3)
    slack = information_rounding(6, math.log(54))
    assert_at_most(abs(mutual_information(P) - exact_divergence(joint, product)), slack, why="mutual information")
    assert_at_most(abs(lautum_information(P) - exact_divergence(product, joint)), slack, why="lautum information")
    q, p = np.array(joint, float), np.array(product, float)
    assert_at_most(abs(divergence(q, p) - exact_divergence(joint, product)), slack, why="divergence")


def test_a_copied_coin_has_information_ln_two_and_infinite_lautum_information():
    copied = np.eye(2) / 2
    assert_at_most(abs(mutual_information(copied) - np.log(2)), rounding(4), why="I(X;X) = H(X)")
    assert_identical(lautum_information(copied), np.inf, why="heads and tails never meet")
    assert_at_most(abs(entropy(np.array([0.25, 0.75])) - binary_entropy(0.25)), rounding(6), why="h(1/4)")


def test_the_law_of_a_map_collects_equal_values():
    weights = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    joint = pushforward_joint_law(weights, np.array([[5, 1], [4, 1], [5, 1]]))
    assert_identical(joint, [[weights[0], 0], [0, weights[1]], [weights[2], 0]], why="f = (5, 1), (4, 1), (5, 1)")


def test_all_samples_are_counted_with_their_chances():
    index, chances = enumerate_samples(np.array([0.25, 0.75]), 3)
    assert_identical(index[[0, 1, -1]], [[0, 0, 0], [0, 0, 1], [1, 1, 1]], why="the order")
    assert_identical(chances, [0.25 ** (3 - k) * 0.75**k for k in index.sum(1)], why="the chances")


@pytest.mark.parametrize(("gamma", "holds"), [(3.0, True), (3.0 * (1 + 1e-9), False)])
def test_the_variational_identity_fails_at_a_temperature_off_by_a_billionth(gamma, holds):
    prior, q, loss = np.array([0.5, 0.25, 0.25]), np.array([0.2, 0.3, 0.5]), np.array([0.0, 0.5, 1.0])
    excess = 3.0 * free_energy(q, prior, loss, 3.0) + log_partition(prior, loss, 3.0)
    error = abs(excess - divergence(q, gibbs(prior, loss, gamma)))
    assert_identical(bool(error <= information_rounding(3, 3 + np.log(4))), holds, why=f"gamma = {gamma} against 3")


def test_an_information_is_computed_to_less_than_two_hundred_units():
    # given  six terms of mass one whose logarithms are at most one
    assert_at_most(information_rounding(6, 1.0), 400 * UNIT_ROUNDOFF, why="2 (3 * 6 + 8) units at the scale 2 * 3")


def test_padding_weighs_nothing_at_any_temperature():
    # given  losses so large that exp(-gamma L) underflows; where the prior is zero, the loss is smaller or larger
    priors, losses = (
        np.array([[0, 0.5, 0.5], [0, 1, 0], [0.25, 0.75, 0]]),
        np.array([[0.0, 2, 3], [9, 1, 0], [2, 2, 0]]),
    )
    law = gibbs(priors, losses, 1000.0)
    assert_identical(law, [[0, 1, 0], [0, 1, 0], [0.25, 0.75, 0]], why="the least loss that the prior allows")
    assert_at_most(
        np.abs(log_partition(priors, losses, 1000.0) - [-2000 - np.log(2), -1000, -2000]),
        rounding(2, 2001),
        why="ln Z",
    )


@pytest.mark.parametrize(("exponent", "holds"), [(1.0, True), (2.0, False)])
def test_the_gibbs_identity_of_the_gap_fails_for_a_learner_that_is_not_gibbs(exponent, holds):
    # the gap of a learner at `exponent` times the inverse temperature gamma = 2, against the information over gamma
    weights, loss = np.array([0.25, 0.75]), np.array([[0.0, 1], [1, 0.5]])
    joint = joint_law(weights, gibbs(np.array([0.5, 0.5]), loss, 2.0 * exponent))
    gap = (joint * (weights @ loss - loss)).sum()
    error = abs(2.0 * gap - mutual_information(joint) - lautum_information(joint))
    assert_identical(bool(error <= information_rounding(4, 8.0)), holds, why=f"gamma times {exponent}")


def test_gaussian_divergence_entropy_and_affinity_are_the_integrals():
    q, p = (scipy.stats.norm(mean, np.sqrt(variance)) for mean, variance in ((1.0, 2.0), (-0.5, 0.5)))
    laws = [GaussianLaw(np.array([law.mean()]), np.array([[law.var()]])) for law in (q, p)]
    integrals = (
        (gaussian_divergence(*laws), lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x))),
        (gaussian_entropy(laws[0]), lambda x: -q.pdf(x) * q.logpdf(x)),
        (affinity(*laws), lambda x: np.sqrt(q.pdf(x) * p.pdf(x))),
    )
    results = [(value, *scipy.integrate.quad(f, -20, 20, limit=200)) for value, f in integrals]
    error, bound = np.array([(abs(value - integral), bound) for value, integral, bound in results]).T
    assert_at_most(
        error, bound + rounding(2 * 21, 2), why="divergence, entropy and affinity in one dimension, by quadrature"
    )


def test_gaussian_quantities_in_two_dimensions_are_those_of_scipy_and_of_the_axes():
    # in a common eigenbasis, divergence is the sum and affinity the product over the axes
    Q = np.array([[0.6, -0.8], [0.8, 0.6]])
    one, other = (GaussianLaw(Q @ mean, (Q * spread) @ Q.T) for mean, spread in (([1, 2], [2, 0.5]), ([0, 1], [1, 4])))
    axes = [
        [GaussianLaw(np.array([mean]), np.array([[spread]])) for mean, spread in pairs]
        for pairs in (((1.0, 2.0), (0.0, 1.0)), ((2.0, 0.5), (1.0, 4.0)))
    ]
    error = abs(gaussian_divergence(one, other) - sum(gaussian_divergence(*pair) for pair in axes))
    assert_at_most(error, rounding(4 * factorization(2), 2), why="divergence")
    assert_at_most(
        abs(affinity(one, other) - np.prod([affinity(*pair) for pair in axes])),
        rounding(4 * factorization(2)),
        why="affinity",
    )
    other_entropy = scipy.stats.multivariate_normal(HERE.mean, ONE).entropy()
    slack = rounding(2 * factorization(2), 3)
    assert_at_most(abs(gaussian_entropy(HERE) - other_entropy), slack, why="entropy against scipy")


def test_a_divergence_is_the_cross_entropy_less_the_entropy():
    # E_q ln p at the four points +- sqrt(2) root columns, whose mean and covariance are those of q
    root = np.linalg.cholesky(ONE)
    points = HERE.mean + np.sqrt(2) * np.concatenate([root.T, -root.T])
    cross = -scipy.stats.multivariate_normal(THERE.mean, OTHER).logpdf(points).mean()
    error = abs(gaussian_divergence(HERE, THERE) - (cross - gaussian_entropy(HERE)))
    assert_at_most(error, rounding(4 * factorization(2), cross), why="KL = cross entropy - entropy")


@pytest.mark.parametrize(("beta", "unexplained"), [(2.0, 0.125), (5.0, 0.5), (1.5, 0.5), (0.5, 0.25)])
def test_the_gaussian_bottleneck_is_scipys(beta, unexplained):
    def objective(s):
        kept, relevant = gaussian_bottleneck_terms(s, unexplained)
        return kept - beta * relevant

    found = scipy.optimize.minimize_scalar(objective, bounds=(0, 100), method="bounded", options={"xatol": 1e-9})
    # an interior minimum is accurate to sqrt(rounding of the objective/its curvature); which is 1e-3 or more
    slack = np.sqrt(rounding(8, 10) / 1e-3)
    assert_at_most(abs(gaussian_bottleneck(beta, unexplained) - found.x), slack, why="the minimizer")


def test_the_terms_of_the_bottleneck_are_informations_of_gaussians():
    # X, Y standard with correlation 1/2, Z = 3X + noise: joint covariances by hand, I = (1/2) ln(det det/det)
    s, unexplained = 9.0, 0.75
    kept, relevant = gaussian_bottleneck_terms(s, unexplained)
    of_x = np.log(1 * 10 / np.linalg.det([[1, 3], [3, 10]])) / 2
    of_y = np.log(1 * 10 / np.linalg.det([[1, 1.5], [1.5, 10]])) / 2
    assert_at_most(np.abs(kept - of_x), rounding(factorization(2) + 4, 2), why="I(X;Z)")
    assert_at_most(np.abs(relevant - of_y), rounding(factorization(2) + 4, 2), why="I(Z;Y)")
    assert_at_most(abs(kept - np.log(10) / 2), rounding(3, 2), why="(1/2) ln(1 + s)")
