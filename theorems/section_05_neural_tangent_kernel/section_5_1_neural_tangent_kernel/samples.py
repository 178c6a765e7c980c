"""Samples of kernels of networks of small width, and the bounds for their means."""

from __future__ import annotations

import functools

import numpy as np
import scipy.stats

from fixtures.kernels.empirical import relu_network_ntk
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import rounding
from properties.statistics.concentration import Deviations, relu_ntk_deviations

FALSE_ALARM = 1e-9
# Unit inputs at 0, 60, 110 and 180 degrees.
DIRECTIONS = np.exp(1j * np.radians([0, 60, 110, 180]))
INPUTS = np.stack([DIRECTIONS.real, DIRECTIONS.imag], axis=1)
NEURONS, WIDTHS = 2560, (4, 256)
# A hundred examples of 10 different entries at each width, from above and from below.
COMPARISONS = 100 * 10 * len(WIDTHS) * 2


def median_of_means(samples: np.ndarray, variance: float, false_alarm: float) -> tuple[float, float]:
    """The median of the means of g groups, and a bound on its distance from the mean: 2 sqrt(g variance/R).

    The bound fails with probability at most `false_alarm`. The mean of a group of R/g samples is off by more than twice
    its standard deviation with probability at most 1/4 (Chebyshev). The median is off by more only if half of the
    groups are. g is the least even number for which this has probability at most `false_alarm`.
    """
    groups = next(g for g in range(2, 1000, 2) if scipy.stats.binom.sf(g / 2 - 1, g, 0.25) <= false_alarm)
    size = len(samples) // groups
    means = samples[: groups * size].reshape(groups, size).mean(axis=1)
    return np.median(means), 2 * np.sqrt(variance / size)


def deep_kernels(width: int, hidden_layers: int, replicates: int, X: np.ndarray, seed: int) -> np.ndarray:
    """Kernels (replicates, n, n) of independent networks of equal hidden widths on inputs of the plane."""
    rng = np.random.default_rng(seed)
    shapes = [(width, 2), *[(width, width)] * (hidden_layers - 1), (1, width)]
    return relu_network_ntk([rng.standard_normal((replicates, *shape)) for shape in shapes], X)


@functools.cache
def tolerances(chance: float) -> Deviations:
    """Bounds on the error of each entry of a mean over NEURONS neurons, below and above; `chance` for each."""
    sides = relu_ntk_deviations(np.clip(INPUTS @ INPUTS.T, -1, 1), NEURONS, chance)
    slack = rounding(NEURONS + 32, 2)  # the sum of all neurons, with 32 roundings for each term; K(x, x) = 1
    return Deviations(below=sides.below + slack, above=sides.above + slack)


def mean_of_networks(width: int, seed: int) -> np.ndarray:
    """The mean kernel at INPUTS, (4, 4), of NEURONS/width networks of this width."""
    neurons = two_layer("ntk", NEURONS, 2, seed)
    nets = TwoLayer(neurons.W.reshape(-1, width, 2), neurons.a.reshape(-1, width), "relu", width**-0.5)
    return nets.kernel(INPUTS).mean(axis=0)
