"""Self-tests: the printed bound and the PAC-Bayes bound are at least the formulas, and exceed them by a thousandth."""

from fractions import Fraction

import numpy as np

from properties.certificates import assert_within
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.bounds import maurer_bound, printed_bound


def test_the_printed_bound_of_seven_samples_with_a_constant_and_a_loss():
    # 3 (1/3 + sqrt((2/5) ln(7/(1/20))/7))
    said = 3 * (1 / 3 + np.sqrt(2 / 5 * np.log(140) / 7))
    found = float(printed_bound(Fraction(1, 3), Fraction(2, 5), 7, Fraction(3), Fraction(1, 20)))
    assert_within(said, found, 1.001 * said, why="C (L + sqrt(S log(n/delta)/n))")


def test_the_bound_of_maurer_of_seven_samples_with_a_divergence():
    said = np.sqrt((5 / 3 + np.log(40 * np.sqrt(7))) / 14)
    found = float(maurer_bound(Fraction(5, 3), 7, Fraction(1, 20)))
    assert_within(said, found, 1.001 * said, why="sqrt((KL + ln(2 sqrt(n)/delta))/(2n))")
