"""Third moments at y = 0, from w = 1: of SGD exactly; for the printed equation a lower bound as large as one wants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from fixtures.rational import enclose_sqrt, exponential_of_minus


def least_third_moment(x: Sequence[int], eta: Fraction, steps: int, cut: int) -> int:
    """An integer below E[w^3; w <= exp(cut - hT)] at T = steps eta of the printed equation from w = 1, for y = 0.

    Let x_i^2 have the mean h and the variance v. The printed equation is dw = -hw dt + sqrt(eta) v w^2 dW. Its solution
    is exp(-ht)/|B|, where B is a Brownian motion in three dimensions that starts at a point of length 1, at the time
    tau = eta v^2 (1 - exp(-2ht))/(2h): X = 1/|B| has dX = -X^2 d beta, as 1/|.| is harmonic.

    |B| has at r the density 2r sinh(r/tau) exp(-(r^2 + 1)/(2 tau))/sqrt(2 pi tau). For r <= 1 that is at least
    2r^2 exp(-1/tau)/(tau sqrt(2 pi tau)). The integral of r^-3 times r^2 over exp(-cut) <= r <= 1 is `cut`. We use
    sqrt(2 pi) < 2.507.
    """
    squares = [Fraction(a) ** 2 for a in x]
    h = sum(squares) / len(x)
    v = sum((square - h) ** 2 for square in squares) / len(x)
    decays = exponential_of_minus(2 * h * steps * eta)
    taus = sorted(eta * v**2 * (1 - decay) / (2 * h) for decay in decays)
    if taus[0] * 20 < 1:
        return 0
    root = enclose_sqrt(taus[1])[1]
    density = 2 * exponential_of_minus(1 / taus[0])[0] / (taus[1] * root * Fraction(2507, 1000))
    return math.floor(exponential_of_minus(3 * h * steps * eta)[0] * density * cut)


def third_moment_of_sgd(x: Sequence[int], eta: Fraction, steps: int) -> Fraction:
    """E w^3 of SGD after `steps` steps on single rows from w = 1, for y = 0. Exact."""
    return (sum((1 - eta * Fraction(a) ** 2) ** 3 for a in x) / len(x)) ** steps
