"""Self-tests: risk and bounds of two samples in three dimensions by hand, where Sigma is no multiple of I."""

from fractions import Fraction

from fixtures.rational import fractions, inverse
from properties.certificates import assert_identical
from theorems.section_03_linear_models.theorem_3_3_generalization_bound.risk import (
    corrected_bound,
    expected_risk,
    largest_of_diagonal,
    mean_printed_bound,
    mean_risk,
    printed_bound,
    threshold,
)


def test_the_risk_and_the_printed_bound_of_two_correlated_samples_by_hand():
    # given  XX' = [[2, 1], [1, 2]], whose inverse has trace 4/3; w_* = (1, 0, 2), tr Sigma = 6, sigma^2 = 3
    X, w_star = fractions([[1, 1, 0], [0, 1, 1]]), fractions([1, 0, 2])
    Sigma = fractions([[1, 1, 0], [1, 3, 1], [0, 1, 2]])
    # then   bias (1, -1, 1) with 2; columns (2, 1, -1)/3 and (-1, 1, 2)/3 of X^+ with (11 + 14)/9
    assert_identical(expected_risk(X, w_star, Sigma, 3, inverse), Fraction(40, 3), why="2 + 3 * 25/9 + 3")
    assert_identical(printed_bound(X, w_star, Sigma, 3, inverse), 23, why="5 * 6 * (4/3)/2 + 3")


def test_the_corrected_bound_of_two_samples_by_hand():
    # given  Sigma - X'X/2 = diag(-1, 5/2, 2), |Sigma| = 3 and tr((XX')^-1) = 1/4 + 1
    X, w_star = fractions([[2, 0, 0], [0, 1, 0]]), fractions([1, -1, 2])
    Sigma = fractions([[1, 0, 0], [0, 3, 0], [0, 0, 2]])
    bound = corrected_bound(X, w_star, Sigma, 2, inverse, largest_of_diagonal)
    assert_identical(bound, Fraction(49, 2), why="6 * 5/2 + 2 (1 + 3 * 5/4)")


def test_the_means_over_two_gaussian_samples_in_five_dimensions_by_hand():
    # given  E tr (XX')^-1 = 2/2, |w_*|^2 = 3 and sigma^2 = 2
    assert_identical(mean_risk(2, 5, 3, 2), Fraction(29, 5), why="3 * 3/5 + 2 + 2")
    assert_identical(mean_printed_bound(2, 5, 3, 2), Fraction(19, 2), why="3 * 5/2 + 2")
    assert_identical(threshold(2, 5), Fraction(10, 19), why="10/(25 - 6)")
