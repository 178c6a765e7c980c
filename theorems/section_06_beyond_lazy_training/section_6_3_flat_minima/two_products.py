"""The model f(x) = u_1 v_1 x_1 + u_2 v_2 x_2: two minima of known sharpness on one sample, and their risk."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fixtures.rational import fractions


def diagonal_minima(p: int, q: int) -> list[tuple[np.ndarray, Fraction]]:
    """Two minima of f(x) = u_1 v_1 x_1 + u_2 v_2 x_2 on the sample x = (p^2, q^2), y = p^2 q^2, with factors u = v.

    As pairs (beta, S): beta = (q^2, 0) and (0, p^2), S = sum_j x_j^2 (u_j^2 + v_j^2) for one sample. Exact.
    """
    x, factors = fractions([p**2, q**2]), fractions([[q, 0], [0, p]])
    return [(u * u, sum(x * x * 2 * u * u)) for u in factors]


def risk(beta: np.ndarray, truth: np.ndarray) -> Fraction:
    """The mean of (1/2)(beta.x - truth.x)^2 over x = e_1, e_2."""
    return sum((beta - truth) ** 2) / 4
