"""Networks with torch's Gaussian weights, and the laws of their signal in closed form."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np
import scipy.special
import scipy.stats
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes

FALSE_ALARM = 1e-9
"""The probability with which one statistical comparison may fail by chance."""
DEGREES = 4788
"""The least number of degrees of freedom of a chi-square comparison: the power that is claimed needs so many."""
PATHS, LAYERS = 20, 1000
"""How many networks, of how many layers, show the growth rate of the signal."""


@expects(positive="widths", nonnegative="seed", integer="x")
@dataclasses.dataclass(frozen=True)
class GaussianNetworks:
    """Widths (m_0, ..., m_L), m_1 >= 32, an input, and a seed of the weights."""

    widths: tuple[int, ...]
    x: np.ndarray
    seed: int


@st.composite
def gaussian_networks(draw: st.DrawFn) -> GaussianNetworks:
    """One to five layers of widths up to 8, the first of 32 to 64, and an integer input. Shrinks to 1, 32 at x = 1."""
    tape = draw(tapes(1 + 1 + 1 + 4 + 8))
    d, first, more = 1 + tape.below(8), 32 + tape.below(33), tape.below(5)
    widths = (d, first, *(1 + tape.naturals(4, 8)[:more]))
    x = tape.integers(8, 3)[:d]
    x[0] = x[0] or 1
    return GaussianNetworks(tuple(int(m) for m in widths), x, draw(st.integers(0, 2**32 - 1)))


def torch_weights(widths: Sequence[int], networks: int, nonlinearity: str, seed: int) -> list[np.ndarray]:
    """Layers of `networks` networks as torch's own kaiming_normal_ draws them, (N, m_l, m_{l-1}).

    kaiming_normal_ looks at the fan-in alone. So the rows of all networks are drawn as one matrix.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    layers = []
    for below, m in itertools.pairwise(widths):
        W = torch.empty(networks * m, below, dtype=torch.float64)
        torch.nn.init.kaiming_normal_(W, nonlinearity=nonlinearity, generator=generator)
        layers.append(W.numpy().reshape(networks, m, below))
    return layers


def mean_log(width: int) -> float:
    """E log(|h_l|^2/|h_{l-1}|^2) at constant width, 1/fan-in, no activation: digamma(width/2) + log(2/width)."""
    return scipy.special.digamma(width / 2) + math.log(2 / width)


def mean_log_growth(weights: Sequence[np.ndarray]) -> np.ndarray:
    """log(|h_L|^2/|x|^2)/L of each network (N,), from x = e_1. States are normalized in each layer: none vanishes."""
    direction = np.zeros((len(weights[0]), weights[0].shape[-1]))
    direction[:, 0] = 1
    total = 0
    for W in weights:
        h = np.matvec(W, direction)
        size = norm(h, axis=-1, keepdims=True)
        direction, total = h / size, total + 2 * np.log(size[:, 0])
    return total / len(weights)


def relu_sum_cdf(value: np.ndarray, width: int) -> np.ndarray:
    """P(sum of relu(g_i)^2 <= value) for `width` standard normal g_i.

    The sum is a chi-square variable; the number of its degrees is Binomial(width, 1/2).
    """
    live = np.arange(1, width + 1)
    weights = scipy.stats.binom.pmf(live, width, 0.5)
    return 0.5**width * (value >= 0) + np.vecdot(scipy.stats.chi2.cdf(value[:, None], live), weights)
