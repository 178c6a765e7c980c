"""The printed bound and the PAC-Bayes bound, rounded up: decimal fractions that are at least the exact value."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from fixtures.rational import enclose_log, enclose_sqrt

DELTA = Fraction(1, 20)
positive = st.builds(Fraction, st.integers(1, 1000), st.integers(1, 10))


def print_allows(
    loss: Fraction, sharpness: Fraction, n: int, constant: Fraction = 1, delta: Fraction = DELTA
) -> Fraction:
    """A decimal fraction that is at least constant (L + sqrt(S log(n/delta)/n))."""
    return constant * loss + enclose_sqrt(constant**2 * sharpness * enclose_log(n / delta)[1] / n)[1]


def maurer_allows(divergence: Fraction, n: int, delta: Fraction = DELTA) -> Fraction:
    """A decimal fraction that is at least sqrt((divergence + ln(2 sqrt(n)/delta))/(2n))."""
    return enclose_sqrt((divergence + enclose_log(4 * n / delta**2)[1] / 2) / (2 * n))[1]
