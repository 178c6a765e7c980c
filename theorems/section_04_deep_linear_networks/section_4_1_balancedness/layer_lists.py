"""Entries and norms of lists of matrices, one matrix for each layer or for each pair of adjacent layers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from properties.deep_linear import frobenius

SMALL, HALF = 0.45, Fraction(1, 2)
"""Layers are scaled by SMALL, no power of two, in floating-point runs: products stay moderate, and they do round."""


def entries(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """All entries of a list of matrices in one vector."""
    return np.concatenate([np.ravel(matrix) for matrix in matrices])


def per_pair(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Frobenius norms of a list of (B, D, D), as (B, L - 1)."""
    return np.stack([frobenius(matrix) for matrix in matrices], axis=-1)
