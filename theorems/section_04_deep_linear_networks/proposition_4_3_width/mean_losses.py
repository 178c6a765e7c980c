"""The mean loss of two Gaussian layers before and after one step of descent; exact."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from fixtures.rational import fractions


@functools.cache
def mean_losses(m: int, eta: Fraction, y: Fraction | int) -> list[Fraction]:
    """E (f - y)^2/2 before and after one step, f = sum_i a_i w_i with m standard Gaussian pairs, x = 1; exact.

    With A = sum (a_i + w_i)^2/2 and B = sum (a_i - w_i)^2/2, independent chi-squares of m degrees of freedom, f is
    (A - B)/2, and the step leads to f + eta^2 e^2 f - eta e (A + B) for e = f - y.
    """
    moments = np.cumprod([Fraction(1), *(Fraction(m + 2 * k) for k in range(6))])
    one, A, B = (fractions(np.zeros((7, 7), int)) for _ in range(3))
    one[0, 0] = A[1, 0] = B[0, 1] = Fraction(1)

    def times(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        product = fractions(np.zeros((7, 7), int))
        for i, j in np.argwhere(p):
            product[i:, j:] += p[i, j] * q[: 7 - i, : 7 - j]
        return product

    f = (A - B) / 2
    e = f - y * one
    after = e + eta**2 * times(times(e, e), f) - eta * times(e, A + B)
    return [(moments @ times(p, p) @ moments) / 2 for p in (e, after)]
