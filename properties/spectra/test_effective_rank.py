"""Self-tests: three definitions of rank agree on flat spectra and differ on others."""

import numpy as np
import pytest

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical
from properties.spectra.effective_rank import absolute_rank, entropic_rank, relative_rank


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_the_rank_of_a_flat_spectrum_is_its_number_of_nonzeros(rank):
    s = np.r_[np.full(rank, 0.5), np.zeros(5 - rank)]
    assert_identical([absolute_rank(s, 0.1), relative_rank(s, 0.1)], [rank, rank], why="counts")
    assert_at_most(abs(entropic_rank(s) - rank), 40 * UNIT_ROUNDOFF, why="exp of the entropy of a flat spectrum")


def test_the_entropic_rank_weighs_singular_values_by_their_shares():
    # given  shares 1/2, 1/4, 1/4: entropy (3/2) ln 2
    s = np.array([[4.0, 2, 2], [0.04, 0.02, 0.02]])
    assert_at_most(np.abs(entropic_rank(s) - 2**1.5), 40 * UNIT_ROUNDOFF, why="2^(3/2), whatever the scale")
    assert_identical(absolute_rank(s, 0.03), [3, 1], why="an absolute threshold sees the scale")
    assert_identical(relative_rank(s, 0.6), [1, 1], why="a relative threshold does not")
