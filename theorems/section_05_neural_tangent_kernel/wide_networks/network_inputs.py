"""Inputs of a two-layer network with the width and the seed of its weights, for what is said of every width.

A seed is drawn as two bytes, from which whoever knows the model makes the Gaussians; it does not shrink to anything
that a reader could follow, but the width and the inputs do.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.kernel_inputs import KernelInputs, kernel_inputs
from fixtures.problems.tapes import tapes


@dataclasses.dataclass(frozen=True)
class NetworkInputs:
    """Inputs X (n, d), integer and nonzero, parallel and opposite ones among them; width and seed of a network.

    rows: n before padding. A batch has leading axis B.
    """

    X: np.ndarray
    width: int | np.ndarray
    seed: int | np.ndarray
    rows: int | np.ndarray

    @property
    def gram(self) -> np.ndarray:
        """The products x_i . x_j, exact, (B, n, n); 1 on the diagonal of the padding."""
        padding = (np.arange(self.X.shape[-2]) >= self.rows[:, None])[..., None] * np.eye(self.X.shape[-2])
        return self.X @ self.X.mT + padding

    @property
    def lengths(self) -> np.ndarray:
        """|x_i||x_j|, (B, n, n)."""
        squares = np.diagonal(self.gram, axis1=-2, axis2=-1)
        return np.sqrt(squares[..., :, None] * squares[..., None, :])


@st.composite
def network_inputs(draw: st.DrawFn) -> NetworkInputs:
    """1..4 inputs in R^2..R^5 with entries in [-2, 2], widths 4 to 1024; shrinks to X = (1, 0), width 4, seed 0."""
    tape = draw(tapes(25))
    n, d = 1 + tape.below(4), 2 + tape.below(4)
    X = tape.integers((n, d), 2)
    X[~X.any(1), 0] = 1
    return NetworkInputs(X=X, width=2 ** (2 + tape.below(9)), seed=tape.below(256) + 256 * tape.below(256), rows=n)


@dataclasses.dataclass(frozen=True)
class Training(KernelInputs):
    """Separated inputs, targets, a step and a time, with the width and the seed of a network."""

    width: int | np.ndarray
    seed: int | np.ndarray


@st.composite
def trainings(draw: st.DrawFn, log_widths: range = range(2, 7)) -> Training:
    """Two or three inputs as in `kernel_inputs`, width 2^k with k in `log_widths`; shrinks to X = I, y = (1, 0)."""
    problem, tape = draw(kernel_inputs(max_rows=3)), draw(tapes(3))
    return Training(**vars(problem), width=2 ** tape.choice(log_widths), seed=tape.below(256) + 256 * tape.below(256))
