"""By how much an interpolant exceeds the least l1 norm, and small data sets on which a search looks for an excess."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from properties.linear_models.sparsity import l1_norm, least_l1_norm_exactly

READS = "l1 norm {value} > {limit} of another interpolant"


def small_designs(columns: int) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Pairs of X (2, columns), of rank 2, and y; small integers."""
    entries = st.lists(st.integers(-2, 2), min_size=2 * columns + 2, max_size=2 * columns + 2).map(np.array)
    pairs = entries.map(lambda z: (z[:-2].reshape(2, columns), z[-2:]))
    return pairs.filter(lambda pair: np.linalg.matrix_rank(pair[0]) == 2)


def excess(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> Fraction | int:
    """By how much |w|_1 exceeds the least l1 norm of an interpolant, if Xw = y; otherwise 0. Exact."""
    return l1_norm(w) - least_l1_norm_exactly(X, y) if not (X @ w - y).any() else 0
