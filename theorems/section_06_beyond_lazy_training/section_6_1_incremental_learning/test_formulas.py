"""Self-tests: the printed formulas of incremental learning by hand, against fractions and enclosed logarithms."""

from fractions import Fraction

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF, rounding
from fixtures.problems.deep_linear import SpectralNetwork
from fixtures.rational import enclose_log
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.half_times import (
    enclosed_half_time,
    factor_of_H5,
    half_time,
    longest_step_of_H5,
    on_the_flow,
    satisfies_H5,
    time_factors,
)
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.modes import (
    step_roundings,
)

S, START = np.array([4.0, 3.0]), np.array([0.5, 0.5])


def test_the_factors_of_C4_by_hand():
    # x = 3/8: 1 - 3/8 - 9/256 and 1/(1 - 3/16)
    assert_identical(time_factors(Fraction(3, 8)), [Fraction(151, 256), Fraction(16, 13)], why="factors of t(s)")


def test_half_times_are_enclosed_logarithms():
    # the half times of 4 and 3 from 1/2 are a logarithm of 7 over 8, and one of 5 over 6
    computed, enclosed = half_time(S, START), [enclosed_half_time(s, Fraction(1, 2)) for s in (4, 3)]
    lower, upper = np.array(enclosed, float).T
    assert_within(lower, computed, upper, slack=rounding(4), why="t(s)")
    lower, upper = np.array([enclose_log(7), enclose_log(5)], float).T / [8, 6]
    assert_within(lower, computed, upper, slack=rounding(4), why="ln(s/s_0 - 1)/(2s)")


def test_the_step_of_H5_by_hand():
    # 1 + (9/8) ln 7; the half times ln(7)/8 < ln(5)/6 differ by eta times it at most
    low, high = (1 + Fraction(9, 8) * end for end in enclose_log(7))
    assert_within(float(low), factor_of_H5(S, START)[0], float(high), slack=rounding(6, 4), why="factor of H5")
    exact = (np.log(5) / 6 - np.log(7) / 8) / (1 + 9 / 8 * np.log(7))
    found = longest_step_of_H5(S[None], START[None])[0]
    assert_within(0.999 * exact, found, exact, why="the longest step")
    assert_identical([satisfies_H5(S, START, eta) for eta in (found, 1.01 * exact)], [True, False], why="H5")


def test_a_mode_of_the_flow_by_hand():
    # s = 3 from 1/2: exp(-6t) = 1/5 at the half time, and 1/10 at ln(10)/6, where it is at 3/(1 + 5/10)
    found = on_the_flow(3.0, 0.5, np.log([5.0, 10.0]) / 6)
    assert_at_most(np.abs(found - [3 / 2, 2]), rounding(10, 2), why="the mode 3 of the flow")


def test_a_step_of_the_matrices_costs_less_than_two_hundred_roundings():
    network = SpectralNetwork(np.zeros((3, 4, 3)), START, S)
    assert_at_most(rounding(step_roundings(network)), 400 * UNIT_ROUNDOFF, why="39 * 4 + 6 of them, twice")
