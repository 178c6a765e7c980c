"""Distance between the stationary law of stochastic gradient descent on a lattice and the density of its diffusion."""

from __future__ import annotations

import numpy as np

from fixtures.precision import rounding
from theorems.section_08_stochastic_gradient_descent.finite_chains.birth_death import weights_rounding
from theorems.section_08_stochastic_gradient_descent.finite_chains.lattice_descents import LatticeDescent


def total_variation(first: np.ndarray, second: np.ndarray) -> float:
    """The total variation distance of two laws (N,). Each may be given up to a factor."""
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def log_ratio_terms(chain: LatticeDescent) -> tuple[np.ndarray, ...]:
    """The five terms of `log_ratio_bound`, each (2N + 1,): bounds on ln(V/D), on -ln(1 - u^2)/2, and on three sums.

    Notation as in `log_ratio_bound`: L' = hx, V = D + L'^2, u = sL'/V, l = eta s. Further d = min D, top = max |u| < 1.

    1. 0 <= ln(V/D) <= (hx)^2/d.
    2. 0 <= -ln(1 - u^2)/2 <= (shx/d)^2/(2(1 - top^2)).
    3. 2|artanh u - u| <= 2|shx/d|^3/(3(1 - top^2)), summed from 0 to x by the trapezoidal rule.
    4. 2|sL'/V - sL'/D| <= 2s|hx|^3/d^2, summed in the same way. For 3 and 4, the trapezoidal sum of |x|^3 is at most
       x^4/(4l) + l x^2/4.
    5. The error of the trapezoidal rule: |x| l max|g''|/6 with g = shx/D. Write D = D_0 q. Then |(x/q)''| =
       |b^2 x q + (2 - b^2 x^2) q'|/q^3 is at most (b^2 |x| max q + 2 max |q'|)/min q^3, for |bx| <= 1.
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
    """E (2N + 1,) with |ln(law/density) - its value at 0| <= E, which is O(x^2 + x^4/eta).

    The law is the stationary law, known by detailed balance. Notation: L' = hx, V = D + L'^2, u = sL'/V and l = eta s.
    Detailed balance gives the ratios (V_j/V_{j+1}) (1 - u_j)/(1 + u_{j+1}). So exactly
    ln(law_m/law_0) = ln(V_0/V_m) - (1/2) ln(1 - u_m^2) - T_m, where T_m is the trapezoidal sum of 2 artanh u. For the
    density the same logarithm is ln(D_0/D_m) - (2/l) int sL'/D. The first two terms of `log_ratio_terms` enter with
    opposite signs, so the larger of them is enough.
    """
    gain, ends, *sums = log_ratio_terms(chain)
    return np.maximum(gain, ends) + sum(sums)


def log_ratio_rounding(chain: LatticeDescent) -> float:
    """A bound on the error of a computed ln(law/density).

    That of the law, whose up and down have 10 operations relative to their size, as |sL'| <= D/2; and that of the
    density, whose exponent is 2h/(eta D_0 b^2) times a difference of two numbers below 1: of ln(1 + v^2) with 4
    operations and 2 arctan v with 5.
    """
    largest = float(np.abs(np.log(chain.density())).max())
    exponent = rounding(4 + 5, 2 * chain.h / (chain.eta * chain.D_0 * chain.b**2))
    return weights_rounding(len(chain.x), largest, given=10) + exponent


def balance_bound(chain: LatticeDescent) -> float:
    """A bound on the total variation between the stationary law and the density on the lattice: O(eta) plus rounding.

    Weights w exp(e) with |e| <= E have total variation at most sum w |exp(e) - 1| / sum w from w.
    """
    weights, E = chain.density(), log_ratio_bound(chain)
    return float((weights * np.expm1(E)).sum() / weights.sum() + 2 * log_ratio_rounding(chain))
