"""A step of SGD on a small least squares problem, in fractions: all its minibatches can be enumerated."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.minibatch_law import mean_and_covariance, minibatch_gradients, noise_share, sample_gradients
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions


@expects(positive="batch, eta, c", integer="X, y, w")
@dataclasses.dataclass(frozen=True)
class Minibatch:
    """Least squares with n = 2 or 3 rows of p = 1 or 2 integers, a point w, and how minibatches are drawn.

    X (n, p), y (n,), w (p,) object arrays of fractions. eta: a step, c: a factor of the loss, both rational.
    """

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray
    batch: int
    replacement: bool
    eta: Fraction
    c: Fraction

    @property
    def share(self) -> Fraction:
        """The share f: the covariance of a minibatch's gradient is f times that of a row's gradient."""
        return noise_share(len(self.X), self.batch, self.replacement)

    def gradients(self) -> np.ndarray:
        """The gradient on every minibatch, (K, p), all equally likely."""
        return minibatch_gradients(self.X, self.y, self.w, self.batch, self.replacement)

    def noise(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance Sigma of the gradient of a single row."""
        return mean_and_covariance(sample_gradients(self.X, self.y, self.w))


@st.composite
def minibatches(draw: st.DrawFn) -> Minibatch:
    """Two or three rows of small integers. Shrinks to two rows of zeros, B = 1 without replacement, eta = c = 1."""
    tape = draw(tapes(20))
    n, p = 2 + tape.below(2), 1 + tape.below(2)
    X, y, w = (fractions(tape.integers(shape, 3).astype(int)) for shape in ((n, p), n, p))
    batch, replacement = 1 + tape.below(2), bool(tape.below(2))
    eta, c = (Fraction(1 + tape.below(8), 1 + tape.below(8)) for _ in range(2))
    return Minibatch(X, y, w, batch, replacement, eta, c)
