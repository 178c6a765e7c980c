"""Self-tests: the quantities of aligned features by hand, without a symmetry, and ceilings of their tolerances."""

from fractions import Fraction

import numpy as np

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import UNIT_ROUNDOFF, rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.alignment import (
    aligned_kernel,
    alignment,
    alignment_of_anisotropy,
    chord,
    distance_to_aligned,
    imbalance,
)
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.linear_targets import (
    MISFIT,
    Target,
    alignment_rounding,
    misfit,
)

X, BETA = np.diag([1.0, 0.5]), np.array([4.0, 3.0])
NET = TwoLayer(np.array([[2.0, 1], [0, 1], [1, 2]]), np.array([1.0, 0, 2]), "identity", 1.0)
TARGET = Target(X, X @ BETA, BETA, NET.W, NET.a, 0.5, 0, 1.0, 2)


def test_the_alignment_of_a_kernel_by_hand():
    # y'Ky = 18, |K|^2 = 15, |y|^2 = 5
    found = alignment(np.array([[2.0, 1], [1, 3]]), np.array([1.0, 2]))
    assert_at_most(abs(found**2 - 108 / 125), rounding(16), why="A^2 = 18^2/(15 * 25)")
    # x/sqrt(x^2 + d - 1) at x = 3/2 and d = 2
    assert_at_most(abs(alignment_of_anisotropy(1.5, TARGET) ** 2 - 9 / 13), rounding(8), why="A^2 = (9/4)/(13/4)")


def test_the_aligned_kernel_by_hand():
    expected = [[41 / 25, 6 / 25], [6 / 25, 17 / 50]]
    assert_at_most(np.abs(aligned_kernel(TARGET) - expected), rounding(8, 2), why="XX' + yy'/|beta|^2")


def test_the_imbalance_is_a_sum_of_singular_values():
    net = TwoLayer(np.diag([1.0, 2.0]), np.array([2.0, 0]), "identity", 1.0)
    assert_at_most(abs(imbalance(net) - 7), rounding(16, 4), why="|1 - 4| + |4|")


def test_the_distance_bound_by_hand():
    # given  W'a = (4, 5), so that r = |(0, 5 - 3)|/2 = 1, t = 1/(5/2) = 2/5 and |beta| (1 - t) = 3; |a|^2 = 5
    assert_identical(misfit(NET, TARGET), 1, why="the misfit")
    rest = Fraction(1, 5) + Fraction(1 * 5, 9)
    # then   e/|a|^2 + sqrt(2) t + unseen^2 |a|^2/3^2
    error = abs(distance_to_aligned(NET, TARGET, 1.0, 1.0) - (float(rest) + 0.4 * 2**0.5))
    assert_at_most(error, rounding(24), why="1/5 + sqrt(2) 2/5 + 5/9")
    # then   the last term is 1 at most, and is 1 for t >= 1
    far = Target(X, X @ BETA / 5, BETA / 5, NET.W, NET.a, 0.5, 0, 1.0, 2)
    t = misfit(NET, far) / 0.5
    assert_at_most(abs(distance_to_aligned(NET, far, 1.0, 0.0) - (0.2 + 2**0.5 * t + 1)), rounding(24, t), why="t >= 1")


def test_the_chord_of_two_kernels_by_hand():
    # K = diag(1, 0) and K' = (4/5) diag(4/5, 3/5) are 3/5 apart; their unit matrices have the distance sqrt(2 - 8/5)
    K = np.diag([1.0, 0.0])
    assert_at_most(abs(chord(0.6, K) - np.sqrt(2 / 5)), rounding(12), why="3/5 sqrt(2/(1 + 4/5))")
    assert_at_most(abs(chord(5.0, K) - np.sqrt(2)), rounding(12), why="at a right angle, at most")


def test_a_fitted_run_misses_no_more_than_two_millionths_of_the_shortest_target():
    assert_at_most(MISFIT, 2e-6, why="the shortest target has the length 1")


def test_the_rounding_of_an_alignment_is_a_few_hundred_units_for_each_step():
    # given  the largest targets, n = d = 5 and m = 7, in a batch
    batch = Target(np.zeros((1, 5, 5)), *np.zeros((2, 1, 5)), np.zeros((1, 7, 5)), np.zeros((1, 7)), 1.0, 0, 1.0, 5)
    assert_at_most(alignment_rounding(batch, 400), 100 * 400 * UNIT_ROUNDOFF, why="4 (n + d + m) units a step")
