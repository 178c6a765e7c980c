"""SGD with constant noise in two wells, as a finite Markov chain: its law is computed, not sampled."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from theorems.section_08_stochastic_gradient_descent.finite_chains.landscapes import TwoWells


def fixed_point_chain(wells: TwoWells, noise: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """SGD in whole numbers, with the step 1: the states (k,) reached from the sharp minimum, and P (k, k), exact.

    x <- round(x - L'(x)) - zeta, halves rounded up, zeta the mean of `batch` independent samples of the noise, each
    +noise or -noise with probability 1/2: a minibatch drawn with replacement from the losses L(x) +- noise x. Other
    steps are a matter of units. Raises ValueError where a mean of the noise is no whole number, and where the chain
    reaches more than 200 states.
    """
    counts = np.arange(batch + 1)
    jumps, rest = np.divmod(noise * (2 * counts - batch), batch)
    if rest.any():
        raise ValueError(f"means of {batch} values +-{noise} are not all whole numbers")
    chances = [Fraction(math.comb(batch, count), 2**batch) for count in counts]
    landing: dict[int, int] = {}
    reached = [int(wells.at_sharp)]
    for x in reached:  # grows while it is read
        landing[x] = math.floor(x - wells.gradient(x).item() + Fraction(1, 2))
        reached += [y for y in (landing[x] + jumps).tolist() if y not in landing and y not in reached]
        if len(reached) > 200:
            raise ValueError("the chain reaches more than 200 states")
    states = sorted(reached)
    P = np.full((len(states), len(states)), Fraction(0), object)
    for row, x in enumerate(states):
        for jump, chance in zip(jumps.tolist(), chances, strict=True):
            P[row, states.index(landing[x] + jump)] += chance
    return np.array(states), P


def gaussian_chain(
    wells: TwoWells, eta: float, variance: np.ndarray, panels: int, window: tuple[float, float] = (-5.0, 3.5)
) -> tuple[np.ndarray, np.ndarray]:
    """Noisy descent on fixed nodes: the nodes x (20 panels,), and P (..., k, k).

    x <- x - eta L'(x) + eta sqrt(variance) g, g standard normal. variance (...,): of the gradient noise, one chain for
    each. The nodes are those of Gauss and Legendre, ten to a panel, on `panels` panels of equal width either side of
    the ridge between the minima, where the drift jumps; the density is weighted by the panel's quadrature and every row
    scaled to 1 (Nystrom). The chain is a model of its own: what is found for it is exact up to rounding, and near the
    law on the line as panels grow.
    """
    ridge = next(x for x in wells.ridges if min(wells.at_flat, wells.at_sharp) < x < max(wells.at_flat, wells.at_sharp))
    t, w = np.polynomial.legendre.leggauss(10)
    sides = [np.linspace(*side, panels + 1) for side in ((window[0], ridge), (ridge, window[1]))]
    nodes = np.concatenate([((e[:-1] + e[1:])[:, None] + np.diff(e)[:, None] * t).ravel() / 2 for e in sides])
    weights = np.concatenate([(np.diff(e)[:, None] * w).ravel() / 2 for e in sides])
    away = (nodes - (nodes - eta * wells.gradient(nodes))[:, None]) / eta
    P = np.exp(-(away**2) / (2 * np.asarray(variance)[..., None, None])) * weights
    return nodes, P / P.sum(-1, keepdims=True)
