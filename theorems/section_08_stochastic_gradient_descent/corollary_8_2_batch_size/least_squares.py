"""Least squares problems with a step and a way to draw minibatches: small in fractions, and of any scale in floats."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.minibatch_law import minibatches, noise_share
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions


@expects(positive="eta", integer="X, y, w")
@dataclasses.dataclass(frozen=True)
class SmallLeastSquares:
    """Least squares X (n, 2), y (n,), weights w (2,), a step eta with eta max |x_i|^2 <= 1.

    replacement: whether a minibatch may contain a row more than once.
    """

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray
    eta: Fraction
    replacement: bool

    @property
    def shares(self) -> list[Fraction]:
        """The shares f_B, B = 1 ... n, of a sample's variance that are left in the mean of a minibatch."""
        return [noise_share(len(self.X), batch, self.replacement) for batch in range(1, len(self.X) + 1)]

    def minibatches(self, batch: int) -> np.ndarray:
        """All equally likely minibatches of this size, integers (K, batch)."""
        return minibatches(len(self.X), batch, self.replacement)


@st.composite
def small_least_squares(draw: st.DrawFn, rows: tuple[int, ...] = (3, 2, 4)) -> SmallLeastSquares:
    """Rows of small integers that span the plane, in fractions. Shrinks to rows e_1, e_2, 0 and y = w = 0."""
    tape = draw(tapes(18))
    n = tape.choice(rows)
    X, y, w = (fractions(tape.integers(shape, 3).astype(int)) for shape in ((n, 2), n, 2))
    if X[0, 0] * X[1, 1] == X[0, 1] * X[1, 0]:
        X[:2] = fractions([[1, 0], [0, 1]])
    eta = tape.choice((Fraction(1), Fraction(1, 2), Fraction(3, 4))) / max((X**2).sum(1))
    return SmallLeastSquares(X, y, w, eta, bool(tape.below(2)))


@expects(positive="[2]")
@st.composite
def wide_least_squares(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, float, bool]:
    """X (n, p), y (n,), a step, and whether minibatches are drawn with replacement.

    n is 1 ... 6, p is 1 ... 3, scales are 1e-7 ... 1e3; rows may lie on a line, repeat, or be 0. eta max |x|^2 is
    1/10 ... 3, on both sides of the bound of stability. A seed is drawn, as these numbers need not shrink.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    X = rng.standard_normal((n, p)) * 10.0 ** rng.uniform(-3, 3)
    shapes = [X, rng.integers(-3, 4, (n, p)).astype(float), rng.choice([1.0, -1.0, 0.0, 2.0], (n, 1)) * X[:1]]
    X = shapes[rng.integers(3)] * np.where(np.arange(p) == rng.integers(2 * p), 1e-4, 1.0)
    X[0, 0] += not X.any()
    eta = rng.choice([0.1, 0.5, 1.0, 1.5, 1.9, 3.0]) / np.square(X).sum(1).max()
    return X, rng.standard_normal(n), eta, bool(rng.integers(2))
