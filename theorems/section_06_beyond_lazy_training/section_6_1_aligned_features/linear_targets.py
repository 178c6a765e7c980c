"""Linear regression targets y = X beta for the networks f = X W'a, with an isotropic and silent start."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding
from fixtures.problems.expectations import expecting, expects
from fixtures.problems.tapes import Tape, tapes

SMALL = 2.0**-10
"""The size of the weights of a small start."""

FITTED = 1e-12
MISFIT = np.sqrt(2 * FITTED)
"""A run ends at the loss FITTED, which is the misfit |f - y| = MISFIT."""


@expects(positive="sigma, dimension", nonnegative="power, ratio", unit="X, frame, side")
@dataclasses.dataclass(frozen=True)
class Target:
    """Targets y = X beta of a linear function, and the frame of an isotropic and silent start.

    X (n, d): its largest singular value is at most 1. sigma: the least singular value of X on its row space. y (n,).
    beta (d,): in row(X), of length at least 1. frame (m, d): orthonormal columns. side (m,): a unit vector orthogonal
    to them, so that W = c frame and a = ratio c side have f = 0. power: an integer in 0..9, for the size of a start.
    dimension: d before padding. Padding is zero.
    """

    X: np.ndarray
    y: np.ndarray
    beta: np.ndarray
    frame: np.ndarray
    side: np.ndarray
    sigma: float
    power: int
    ratio: float
    dimension: int

    @property
    def length(self) -> np.ndarray:
        """|beta|."""
        return norm(self.beta, axis=-1)

    def largest(self, size: float | np.ndarray) -> np.ndarray:
        """The larger of c and |a_0|, s = max(c, |a_0|), for the start of size c."""
        return size * np.maximum(self.ratio, 1)

    def start(self, size: float | np.ndarray) -> tuple[TwoLayer, np.ndarray]:
        """The isotropic and silent network of size c (B,), and its learning rate 1/(4 (|beta| + s^2))."""
        size = size + 0 * self.length
        net = TwoLayer(size[:, None, None] * self.frame, (size * self.ratio)[:, None] * self.side, "identity", 1.0)
        return net, 1 / (4 * (self.length + self.largest(size) ** 2))


def _read_target(tape: Tape, whitened: bool) -> Target:
    d = 2 + tape.below(4)
    n = d + tape.below(3) if whitened else 2 + tape.below(d - 1)
    rank, power, ratio = min(n, d), tape.below(10), tape.choice((1.0, 0.5, 2.0, 0.0))
    s = np.ones(rank) if whitened else 1 - tape.naturals(rank, 6) / 10
    U, V, R = (tape.rotation(size, factors=2) for size in (n, d, d + 2))
    modes = tape.integers(rank, 4)
    modes[0] += not modes.any()
    X, beta = (U[:, :rank] * s) @ V[:, :rank].T, V[:, :rank] @ modes
    return Target(X, X @ beta, beta, R[:, :d], R[:, d], s.min(), power, ratio, d)


def targets(whitened: bool) -> st.SearchStrategy[Target]:
    """Targets with d in 2..5. Whitened: X'X = I, n = d..d+2. Otherwise 2 <= n <= d and singular values in [1/2, 1]."""
    drawn = tapes(4 + 5 + 2 * 7 + 2 * 5 + 2 * 7 + 5).map(lambda tape: _read_target(tape, whitened))
    return expecting(drawn, constant="sigma") if whitened else drawn


def alignment_rounding(target: Target, steps: int) -> float:
    """The rounding error of a computed alignment after so many steps of a batch.

    A step forms f and its gradient, with inner products of n, d and m entries in both: 2 (n + d + m) roundings,
    relative to the network. The alignment and what it is compared with cost four times as many. The two products
    multiply relative errors of the network's parts by one another's growth, which cancels in A(K).
    """
    return rounding(2 * sum(target.X.shape[1:] + target.side.shape[1:]) * (4 + steps))


def misfit(net: TwoLayer, target: Target) -> np.ndarray:
    """|f(X) - y|."""
    return norm(net.predict(target.X) - target.y, axis=-1)
