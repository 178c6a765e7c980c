"""Three samples in four dimensions, drawn or fixed, and the networks that are trained on them."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes

# The fixed data: samples of three lengths, no two of them orthogonal, and their targets.
WIDE_X = np.array([[1.0, 0, 0, 0], [0.5, 1, 0, 0], [-0.25, 0.5, 1, 0]])
WIDE_Y = np.array([0.5, -0.25, 0.375])


@expects(positive="width, step", nonnegative="seed")
@dataclasses.dataclass(frozen=True)
class Task:
    """Three samples in four dimensions, and the width, seed and step of a network.

    X (3, 4): diag(lengths) (I + N) Q with N strictly lower triangular and Q orthonormal, so X has rank 3 and no two
    rows are parallel. y (3,). width: even. step: eta |K_0|. A batch has the leading axis B.
    """

    X: np.ndarray
    y: np.ndarray
    width: int | np.ndarray
    seed: int | np.ndarray
    step: float | np.ndarray

    def lazy_network(self) -> TwoLayer:
        """The ntk network of this width and seed with tanh, a_j = 1 or -1, and f_0 = 0."""
        return two_layer("ntk", self.width, 4, self.seed, activation="tanh", antisymmetric=True, signs=True)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Lengths 1/2, 1 and 2, y in eighths up to 1/2, widths 2 to 128. Shrinks to X = [I, 0], y = 0 and two neurons."""
    tape = draw(tapes(3 + 3 + 12 + 3 + 3))
    lengths = 2.0 ** np.array([tape.choice((0, -1, 1)) for _ in range(3)])
    below = np.zeros((3, 3))
    below[np.tril_indices(3, -1)] = tape.integers(3, 2) / 4
    X = lengths[:, None] * (np.eye(3) + below) @ tape.rotation(4)[:3]
    y = tape.integers(3, 4) / 8
    return Task(X, y, 2 ** (1 + tape.below(7)), tape.below(256), tape.choice((1.0, 0.5, 0.1)))
