"""Self-tests: exact inverses and pivots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.certificates import assert_identical
from properties.rational import fractions, inverse, leading_pivots


@given(st.lists(st.integers(-3, 3), min_size=9, max_size=9))
def test_an_inverse_is_exact_or_does_not_exist(entries):
    matrix = fractions(entries).reshape(3, 3)
    a, b, c = matrix
    determinant = a @ [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]]
    if determinant == 0:
        with pytest.raises(ZeroDivisionError):
            inverse(matrix)
    else:
        assert_identical(matrix @ inverse(matrix), fractions(np.eye(3, dtype=int)), why="A A^-1 = I")


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_pivots_of_a_gram_matrix_are_nonnegative_and_as_many_positive_as_its_rank(entries):
    factor = fractions(entries).reshape(3, 2)
    pivots = leading_pivots(factor @ factor.T)
    rank = int(np.linalg.matrix_rank(factor.astype(float)))
    assert_identical([min(pivots) >= 0, sum(pivot > 0 for pivot in pivots)], [True, rank], why="pivots of AA'")


def test_pivots_of_an_indefinite_matrix_show_it():
    assert_identical(leading_pivots(fractions([[1, 2], [2, 1]])), [1, -3], why="1 and 1 - 4")
    with pytest.raises(ValueError, match="indefinite"):
        leading_pivots(fractions([[0, 1], [1, 0]]))
