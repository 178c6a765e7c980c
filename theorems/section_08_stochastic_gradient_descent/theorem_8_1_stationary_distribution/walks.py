"""SGD on a flat loss as a random walk: on a torus with two variances, and on a ring with steps of any law."""

from __future__ import annotations

import numpy as np

from properties.certificates import assert_identical
from theorems.section_08_stochastic_gradient_descent.finite_chains.birth_death import torus_walk


def mass_across(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The stationary law (n,) of x on a torus, proportional to 1/first. Exact, and asserted to be stationary.

    first, second (n,): the variances of a step along x and along y, which depend on x alone.
    """
    n, law = len(first), 1 / first / sum(1 / first)
    P = torus_walk(np.stack([np.repeat(side[:, None], n, axis=1) for side in (first, second)]))
    assert_identical(np.repeat(law / n, n) @ P, np.repeat(law / n, n), why="pi P = pi")
    return law


def ring_walk(shares: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """P (n, n) of a walk on a ring whose steps -2 ... 2 have mean 0 and this variance (n,), at most 1.

    All laws of mean 0 on these five steps are mixtures of four pairs of steps, -1, 1; -1, 2; -2, 1 and -2, 2, each of
    mean 0. shares (n, 4), of sum 1, says which share of the variance each pair has. The diagonal is left at 0.
    """
    n, states = len(variance), np.arange(len(variance))
    P = np.zeros((n, n))
    for (down, up), share in zip([(1, 1), (1, 2), (2, 1), (2, 2)], shares.T, strict=True):
        rate = share * variance / (down * up * (down + up))
        P[states, (states + up) % n] += rate * down
        P[states, (states - down) % n] += rate * up
    return P
