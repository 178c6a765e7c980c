"""Designs of quadratic losses with known singular values, off the coordinate axes."""

from __future__ import annotations

import numpy as np

from fixtures.rational import fractions


def rotated(a: int, b: int) -> np.ndarray:
    """X in R^{2 x 2} with singular values a and b, X = diag(a, b) V' with the rows (3/5, 4/5), (-4/5, 3/5) of V'."""
    return fractions([[a, 0], [0, b]]) @ fractions([["3/5", "4/5"], ["-4/5", "3/5"]])
