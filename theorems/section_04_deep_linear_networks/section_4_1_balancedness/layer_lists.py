"""Entries and norms of lists of matrices, one matrix for each layer or for each pair of adjacent layers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from properties.deep_linear import frobenius

SCALE, HALF = 0.45, Fraction(1, 2)
"""Floating-point runs multiply the layers by SCALE. Products stay moderate; they round, as SCALE is no power of two."""


def entries(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """All entries of a list of matrices in one vector."""
    return np.concatenate([np.ravel(matrix) for matrix in matrices])


def norms_of_pairs(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """The Frobenius norms of L - 1 matrices (B, D, D), one for each pair of adjacent layers, as (B, L - 1)."""
    return np.stack([frobenius(matrix) for matrix in matrices], axis=-1)
