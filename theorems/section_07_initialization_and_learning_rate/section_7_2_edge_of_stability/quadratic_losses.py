"""Designs of quadratic losses with known singular values, off the coordinate axes."""

from __future__ import annotations

import numpy as np

from fixtures.rational import fractions


def rotated(a: int, b: int) -> np.ndarray:
    """X = diag(a, b) V' (2, 2) with singular values a and b. The rows of V' are (3/5, 4/5) and (-4/5, 3/5)."""
    return fractions([[a, 0], [0, b]]) @ fractions([["3/5", "4/5"], ["-4/5", "3/5"]])
