"""Exact linear algebra on object arrays of fractions, for witnesses that owe nothing to rounding."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

to_fractions = np.vectorize(Fraction, otypes=[object])
"""An array of fractions with the exact values of an array of numbers or of strings such as "1/2"."""


def inverse(matrix: np.ndarray) -> np.ndarray:
    """The exact inverse of a square array of fractions, by Gauss-Jordan elimination.

    Raises ZeroDivisionError when the matrix is singular.
    """
    size = len(matrix)
    rows = np.concatenate([to_fractions(matrix), to_fractions(np.eye(size, dtype=int))], axis=1)
    for column in range(size):
        pivot = next((row for row in range(column, size) if rows[row, column] != 0), None)
        if pivot is None:
            raise ZeroDivisionError(f"the matrix has no pivot in column {column}")
        rows[[column, pivot]] = rows[[pivot, column]]
        rows[column] = rows[column] / rows[column, column]
        others = [row for row in range(size) if row != column]
        rows[others] = rows[others] - np.outer(rows[others, column], rows[column])
    return rows[:, size:]


def fractions(nested: Any) -> np.ndarray:
    """An object array of fractions from nested lists of integers, fractions or strings."""
    return to_fractions(np.array(nested, dtype=object))


def leading_pivots(matrix: np.ndarray) -> list[Fraction]:
    """The pivots d_i of a symmetric array of fractions M = L diag(d) L', exact.

    All d_i >= 0 certify that M is positive semidefinite, as many positive ones as its rank. Raises ValueError where a
    pivot is 0 and its column is not, which shows an indefinite M.
    """
    rest, pivots = to_fractions(matrix), []
    while len(rest):
        pivot, column = rest[0, 0], rest[1:, 0]
        if pivot == 0 and column.any():
            raise ValueError("the matrix is indefinite: a zero pivot above a nonzero column")
        pivots.append(pivot)
        rest = rest[1:, 1:] - (np.outer(column / pivot, column) if pivot else 0)
    return pivots
