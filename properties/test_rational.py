"""Self-tests: exact inverses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties.certificates import assert_identical
from properties.rational import fractions, inverse


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
