r"""All modes of a deep linear network at the moment when the first has reached its goal, and their time laws.

Under X = I and aligned frames a mode follows $ds/dt = L s^p (\lambda - s)$ with $p = 2 - 2/L$; the limit of infinite
depth has p = 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.precision import rounding
from fixtures.problems.deep_linear import ModeRace
from fixtures.problems.expectations import expects

DEPTHS = (1, 2, 3, 4, 6, 12, np.inf)
EXPONENTS = np.array([2 - 2 / L for L in DEPTHS])


def second_mode_at_depth_one(target: Any, start: Any, goal: Any) -> Any:
    """s_2 when s_1 = goal, for L = 1: both modes approach their targets at the same rate."""
    return target[1] - (target[1] - start[1]) * (target[0] - goal) / (target[0] - start[0])


def second_mode_at_depth_two(
    target: Any, start: Any, goal: Any, power: Callable[[Any, Any], Any] = lambda base, exponent: base**exponent
) -> Any:
    """s_2 when s_1 = goal, for L = 2: the odds s_j/(lambda_j - s_j) grow like exp(2 lambda_j t)."""
    growth = goal * (target[0] - start[0]) / (start[0] * (target[0] - goal))
    odds = start[1] / (target[1] - start[1]) * power(growth, target[1] / target[0])
    return target[1] * odds / (1 + odds)


def exact_power(base: Fraction, exponent: Fraction) -> Fraction:
    """The rational square root of a rational square; raises ValueError for any other power or base."""
    root = Fraction(math.isqrt(base.numerator), math.isqrt(base.denominator))
    if exponent != Fraction(1, 2) or root**2 != base:
        raise ValueError(f"{base} to the power {exponent} is not the root of a square")
    return root


def time_law(exponent: float, target: np.ndarray, s: np.ndarray) -> np.ndarray:
    """An antiderivative of r^(-p)/(lambda - r) at r = s, for p = 0, 1, 3/2 or 2 (depths 1, 2, 4 and infinity)."""
    root, far = np.sqrt(target), np.abs(target - s)
    laws = {
        0: lambda: -np.log(far),
        1: lambda: np.log(s / far) / target,
        1.5: lambda: np.log((root + np.sqrt(s)) ** 2 / far) / root**3 - 2 / (target * np.sqrt(s)),
        2: lambda: np.log(s / far) / target**2 - 1 / (target * s),
    }
    return laws[exponent]()


def time_law_rounding(exponent: float, target: np.ndarray, start: np.ndarray, s: np.ndarray) -> np.ndarray:
    """A bound on the error of the time from `start` to s by `time_law`, in units of time.

    A law takes eight operations and their arguments. Its terms are at most the law itself plus twice r^-p at the
    smallest of the three sizes, as 1/(lambda r) <= r^-2.
    """
    sizes = [np.abs(time_law(exponent, target, r)) for r in (s, start)]
    return rounding(8, sum(sizes) + 2 * np.minimum(np.minimum(s, start), target) ** -exponent)


def race(problem: ModeRace, exponents: np.ndarray = EXPONENTS) -> tuple[np.ndarray, np.ndarray]:
    """All modes when the first reaches its goal, (B, P, 3) for exponents (P,), and a bound on their error.

    Time is measured by the first mode: ln s_1 runs linearly from its start to ln c, and d ln s_j / d ln s_1 =
    (s_j/s_1)^(p-1) (lambda_j - s_j)/(lambda_1 - s_1).
    """
    target, p = problem.target[..., None, :], np.asarray(exponents)[:, None]
    span = np.log(problem.goal / problem.start[..., 0])[..., None, None]

    def field(log_s: np.ndarray) -> np.ndarray:
        s = np.exp(log_s)
        speed = s ** (p - 1) * (target - s)
        return span * speed / speed[..., :1]

    start = np.log(problem.start)[..., None, :] + np.zeros((len(problem.start), len(exponents), 3))
    run = gradient_flow(field, start, [1.0])
    s = np.exp(run.states[-1])
    return s, s * run.error[-1] + rounding(4, target)  # two logarithms, a sum and an exponential


@expects(positive="[0], [1], [2], [3]")
@st.composite
def extreme_races(draw: st.DrawFn) -> tuple[Fraction, list[Fraction], Fraction, Fraction]:
    """Targets 1 and p/q, starts as small as 10^-83, and a growth g^q of the odds, near 1 or very large; exact.

    Returns the second target, the two starts, the goal of the first mode, and the growth to the power p/q.
    """
    q = draw(st.integers(1, 9))
    p = draw(st.integers(1, q))
    shares = [Fraction(1, 2), Fraction(99, 100), *(Fraction(1, 10**k) for k in (1, 8, 80))]
    start = Fraction(p, q) * draw(st.sampled_from(shares))
    g = 1 + draw(st.sampled_from([Fraction(1), Fraction(1, 10**9), Fraction(10**6), Fraction(1, 3)]))
    odds = start / (1 - start) * g**q
    second = start * draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 1000)]))
    return Fraction(p, q), [start, second], odds / (1 + odds), g**p
