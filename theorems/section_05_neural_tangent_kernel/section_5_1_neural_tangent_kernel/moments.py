"""Exact moments of kernels of networks of width m.

Means over finite laws of the neurons, for one hidden layer. Mean and variance for two hidden ReLU layers, at opposite
inputs and at one input.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import scipy.special
import scipy.stats
from hypothesis import strategies as st

from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import to_fractions


@expects(positive="[0]", integer="[1], [2]")
@st.composite
def neuron_laws(draw: st.DrawFn) -> tuple[list[Fraction], np.ndarray, np.ndarray]:
    """A law on two integer neurons (w, a) with entries in [-2, 2] and rational chances; two or three integer inputs."""
    tape = draw(tapes(4 + 6 + 6))
    first, second = 1 + tape.below(3), 1 + tape.below(3)
    chances = [Fraction(first, first + second), Fraction(second, first + second)]
    X, neurons = tape.integers((2 + tape.below(2), 2), 2), tape.integers((2, 3), 2)
    return chances, to_fractions(neurons.astype(int)), to_fractions(X.astype(int))


def mean_kernel(law: tuple[list[Fraction], np.ndarray, np.ndarray], width: int, copies: int = 1) -> np.ndarray:
    """E K_m for `width` independent neurons of this law, each with `copies` copies: a sum over all networks, exact."""
    chances, neurons, X = law
    total = 0
    for drawn in np.ndindex(*[2] * width):
        chance = np.prod([chances[i] for i in drawn])
        chosen = neurons[np.repeat(drawn, copies)]
        # the network has scale 1, and the square of the factor m^-1/2 enters as 1/m
        total = total + chance * ExactReluNetwork(chosen[:, :2], chosen[:, 2], Fraction(1)).kernel(X) / len(chosen)
    return total


def mean_at_opposite_inputs(width: int) -> float:
    """E K_m(x, -x) for |x| = 1 and two hidden layers: E chi_N E chi_{m-N}/(2 pi m) over N ~ Binomial(m, 1/2)."""
    active = np.arange(1, width)
    both = scipy.special.poch(active / 2, 0.5) * scipy.special.poch((width - active) / 2, 0.5)
    return scipy.stats.binom.pmf(active, width, 0.5) @ (2 * both) / (2 * np.pi * width)


def variance_at_opposite_inputs(width: int) -> float:
    """The variance of K_m(x, -x), from E|p|^2|q|^2 = m(m - 1)/4, m squares and m(m - 1) products of half-Gaussians."""
    m = width
    spread = m * (m - 1) / 4 / m**2
    return (m * spread / 4 + m * (m - 1) * spread / (4 * np.pi**2)) / m**2 - mean_at_opposite_inputs(m) ** 2


def variance_at_one_input(width: Any) -> Any:
    """The variance of K_m(x, x) for |x| = 1 and two hidden layers, whose mean is 3/4 at every width.

    m^2 K_m = P(G + A) + B^2 + A C. N and M neurons of the two layers are active; each number is Binomial(m, 1/2). P is
    the squared length of the values of the first layer, a chi-square of N degrees of freedom. C is the same for the
    component orthogonal to these values, with N - 1 degrees of freedom. G = sum g_j^2, A = sum a_j^2 and B =
    sum a_j g_j over the M active neurons of the second layer, whose preactivations are proportional to g_j. The mean
    square given N and M is M(M + 2) N(N + 6) + 4 M(M + 1) N(2N + 1). The means of M(M + 2), N(N + 6), M(M + 1) and
    N(2N + 1) are m(m + 5)/4, m(m + 13)/4, m(m + 3)/4 and m(m + 2)/2.
    """
    return 29 / (8 * width) + 113 / (16 * width**2)
