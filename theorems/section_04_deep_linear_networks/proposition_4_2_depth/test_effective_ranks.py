"""Self-tests: three measures of the effective rank at a spectrum that is not flat."""

import numpy as np

from fixtures.precision import rounding
from properties.certificates import assert_equal_within, assert_identical
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.effective_ranks import (
    entropic_rank,
    nuclear_rank,
    stable_rank,
)


def test_the_ranks_of_4_2_1_are_7_over_4_and_21_over_16_and_two_to_the_three_halves():
    # given  singular values whose shares of the sum 8 are a half, a quarter and a quarter, and one more scale
    s = np.array([4.0, 2, 2])
    spectra = np.array([[4.0, 2, 1], [40, 20, 10]])
    # then   7/4, 21/16, and exp(ln(2)/2 + ln(4)/2)
    assert_identical(nuclear_rank(spectra), [7 / 4, 7 / 4], why="nuclear over operator norm")
    assert_identical(stable_rank(spectra), [21 / 16, 21 / 16], why="squared Frobenius over squared operator norm")
    assert_equal_within(entropic_rank(s), 2**1.5, rounding(12, 2**1.5), why="exponential of the entropy")
