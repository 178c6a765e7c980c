"""The half time of a mode: the time at which gradient flow has learned half of it.

A mode s of the target starts at the size s_0 < s/2. Under the flow u' = u (s - u^2) the mode u^2 of the network is at
s/2 at the time t(s) = ln(s/s_0 - 1)/(2s).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from fixtures.rational import enclose_log

THRESHOLD = (Fraction("4.5911"), Fraction("4.5912"))
"""Fractions below and above the root of ln(x - 1) = x/(x - 1)."""


def longest_step_of_H5(s: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The largest eta (B,) that satisfies H5, less a thousandth, for modes s (B, r) and their starts."""
    apart = np.abs(np.diff(half_time(s, start)))
    return np.min(apart / factor_of_H5(s, start)[:, :-1], axis=-1) * (1 - 2.0**-10)


def satisfies_H5(s: np.ndarray, start: np.ndarray, eta: float | np.ndarray) -> np.ndarray:
    """Whether H5 holds for the modes s (..., r), in falling order, and their starts."""
    apart = np.abs(np.diff(half_time(s, start)))
    return np.all(np.asarray(eta)[..., None] * factor_of_H5(s, start)[..., :-1] < apart, axis=-1)


def half_time(s: float | np.ndarray, start: np.ndarray) -> np.ndarray:
    """t(s) = ln(s/start - 1)/(2s)."""
    return np.log(s / start - 1) / (2 * s)


def factor_of_H5(s: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The factor of eta in H5: 1 + (9/8) ln(s/s_0 - 1)."""
    return 1 + 9 / 8 * np.log(s / start - 1)


def time_factors(x: Any) -> tuple[Any, Any]:
    """The factors of C4 at x = eta s: eta N/t(s) is at least the first, and eta (N - 1)/t(s) at most the second."""
    return 1 - x - x**2 / 4, 1 / (1 - x / 2)


def on_the_flow(s: np.ndarray, start: np.ndarray, time: np.ndarray) -> np.ndarray:
    """A mode of the flow: s/(1 + (s/start - 1) exp(-2 s time))."""
    return s / (1 + (s / start - 1) * np.exp(-2 * s * time))


def enclosed_half_time(s: Fraction | int, start: Fraction = Fraction(1)) -> tuple[Fraction, Fraction]:
    """Fractions below and above t(s)."""
    lower, upper = enclose_log(Fraction(s) / start - 1)
    return lower / (2 * Fraction(s)), upper / (2 * Fraction(s))
