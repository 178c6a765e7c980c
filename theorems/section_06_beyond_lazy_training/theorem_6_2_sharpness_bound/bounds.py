"""The printed bound and the PAC-Bayes bound, rounded up: decimal fractions that are at least the exact value."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from fixtures.problems.expectations import expecting
from fixtures.rational import enclose_log, enclose_sqrt

DELTA = Fraction(1, 20)
"""The promised probability of failure, unless a test draws another one."""
positive = expecting(st.builds(Fraction, st.integers(1, 1000), st.integers(1, 10)), positive="")


def printed_bound(
    loss: Fraction, sharpness: Fraction, n: int, constant: Fraction = 1, delta: Fraction = DELTA
) -> Fraction:
    """The print: a decimal fraction that is at least constant (L + sqrt(S log(n/delta)/n))."""
    return constant * loss + enclose_sqrt(constant**2 * sharpness * enclose_log(n / delta)[1] / n)[1]


def maurer_bound(divergence: Fraction, n: int, delta: Fraction = DELTA) -> Fraction:
    """The PAC-Bayes bound on E_q R - E_q L: at least sqrt((divergence + ln(2 sqrt(n)/delta))/(2n)), decimal."""
    return enclose_sqrt((divergence + enclose_log(4 * n / delta**2)[1] / 2) / (2 * n))[1]
