"""Silent ReLU networks with positive inputs and positive hidden weights: all neurons are on at all samples."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import Tape
from properties.lazy_training import spectral


def read_positive_task(tape: Tape) -> PositiveTask:
    """A network with |a_0| from |W_0|/4 to 2 |W_0|, where |W_0| is the spectral norm, and its data."""
    half, u = 1 + tape.below(8), 2.0 ** (tape.choice((0, 1, 2, 3, -1)))
    W = u * np.tile((4 + tape.naturals((half, 4), 4)) / 8, (2, 1))
    a = norm(W, 2) / np.sqrt(2 * half) * tape.choice((1, 2, 0.25)) * np.repeat([1.0, -1.0], half)
    y = tape.integers(3, 2) / 8
    y[0] += not y.any()
    return PositiveTask(np.eye(3, 4) + tape.naturals((3, 4), 3) / 8, y, W, a)


@expects(positive="W", nonnegative="X")
@dataclasses.dataclass(frozen=True)
class PositiveTask:
    """Nonnegative inputs X (3, 4), targets y (3,) and a silent network W (m, 4), a (m,), m from 2 to 16."""

    X: np.ndarray
    y: np.ndarray
    W: np.ndarray
    a: np.ndarray

    def network(self, activation: str = "relu") -> TwoLayer:
        """The network at the start, c = 1."""
        return TwoLayer(self.W, self.a, activation, 1.0)

    def step(self) -> np.ndarray:
        """Eta = 1/(8 |K_0|)."""
        return 1 / (8 * spectral(self.network().kernel(self.X)))
