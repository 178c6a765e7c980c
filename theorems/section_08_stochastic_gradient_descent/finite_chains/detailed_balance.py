"""How near the stationary law of stochastic gradient descent on a lattice is to the density of its diffusion."""

from __future__ import annotations

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from theorems.section_08_stochastic_gradient_descent.finite_chains.lattice_descents import LatticeDescent


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """The total variation between two laws (N,), given up to a factor each."""
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def log_ratio_terms(chain: LatticeDescent) -> tuple[np.ndarray, ...]:
    """Five bounds (2N + 1,): of ln(V/D), -ln(1 - u^2)/2, and three sums from 0 to x, in `log_ratio_bound`'s letters.

    With d = min D and top = max |u| < 1: 0 <= ln(V/D) <= (hx)^2/d and 0 <= -ln(1 - u^2)/2 <= (shx/d)^2/(2(1 - top^2));
    2|artanh u - u| <= 2|shx/d|^3/(3(1 - top^2)) and 2|sL'/V - sL'/D| <= 2s|hx|^3/d^2, of which the trapezoidal sums
    follow from that of |x|^3, x^4/(4l) + l x^2/4; and the rule itself errs by |x| l max|g''|/6, g = shx/D, where D =
    D_0 q, |(x/q)''| = |b^2 x q + (2 - b^2 x^2) q'|/q^3 is at most (b^2 |x| max q + 2 max |q'|)/min q^3, for |bx| <= 1.
    """
    h, s, step, x = chain.h, chain.s, chain.eta * chain.s, np.abs(chain.x)
    d, q = chain.D.min(), chain.D / chain.D_0
    rest = 1 - (s * h * x / (chain.D + (h * x) ** 2)).max() ** 2
    cubes = x**4 / (4 * step) + step * x**2 / 4
    slope = abs(chain.b) * (1 + abs(chain.b) * x.max())
    bend = s * h / chain.D_0 * (chain.b**2 * x.max() * q.max() + 2 * slope) / q.min() ** 3
    ends = (h * x) ** 2 / d, (s * h * x / d) ** 2 / (2 * rest)
    return *ends, 2 * (s * h / d) ** 3 / (3 * rest) * cubes, 2 * s * h**3 / d**2 * cubes, x * step * bend / 6


def log_ratio_bound(chain: LatticeDescent) -> np.ndarray:
    """E (2N + 1,) with |ln(law/density) - its value at 0| <= E, the law by detailed balance; O(x^2 + x^4/eta).

    With L' = hx, V = D + L'^2, u = sL'/V and l = eta s, detailed balance has the ratios (V_j/V_{j+1}) (1 - u_j)/(1 +
    u_{j+1}), so that ln(law_m/law_0) = ln(V_0/V_m) - (1/2) ln(1 - u_m^2) - T_m exactly, T_m the trapezoidal sum of
    2 artanh u. The density has ln(D_0/D_m) - (2/l) int sL'/D. Of `log_ratio_terms` the first two have opposite signs.
    """
    gain, ends, *sums = log_ratio_terms(chain)
    return np.maximum(gain, ends) + sum(sums)


def log_ratio_rounding(chain: LatticeDescent) -> float:
    """How far a computed ln(law/density) may be off: 8 u (2N + 1) times the largest logarithm, and a cancellation.

    The potential is a difference of numbers of the size 2, times 2h/(eta D_0 b^2), each off by 4 u at most.
    """
    largest = 1 + np.abs(np.log(chain.density())).max()
    cancelled = 16 * chain.h / (chain.eta * chain.D_0 * chain.b**2)
    return UNIT_ROUNDOFF * (8 * len(chain.x) * largest + cancelled)


def balance_bound(chain: LatticeDescent) -> float:
    """A bound of the total variation between the stationary law and the density on the lattice, O(eta), and rounding.

    Weights w exp(e), |e| <= E, have the total variation sum w |exp(e) - 1| / sum w from w at most.
    """
    weights, E = chain.density(), log_ratio_bound(chain)
    return float((weights * np.expm1(E)).sum() / weights.sum() + 2 * log_ratio_rounding(chain))
