"""Strategies for sparse attention: tokens with rewards, one of them the best; rotated queries; two tokens."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes


# one instance alone has no padding, so that all its tokens are present
@expects(positive="present, lead, range, step", nonnegative="best", integer="present", level="present")
@dataclasses.dataclass(frozen=True)
class Selection:
    """Rewards gamma (T,) of T tokens, `best` of which has the largest by `lead`, R above the least; or a batch.

    present (T,): 1 for a token, 0 in the padding. step: eta R.
    """

    gamma: np.ndarray
    present: np.ndarray
    best: int
    lead: float
    range: float
    step: float

    @property
    def tokens(self) -> np.ndarray:
        """T before padding."""
        return self.present.sum(-1)

    @property
    def eta(self) -> np.ndarray:
        """The step as a learning rate."""
        return self.step / self.range

    @property
    def start(self) -> np.ndarray:
        """Logits of zero, (B, T)."""
        return np.where(self.present > 0, 0.0, -np.inf)

    def of_best(self, values: np.ndarray) -> np.ndarray:
        """The column of the best token, (..., B)."""
        return np.take_along_axis(values, np.broadcast_to(self.best[:, None], (*values.shape[:-1], 1)), -1)[..., 0]


@st.composite
def selections(
    draw: st.DrawFn,
    most: int = 6,
    steps: tuple[float, ...] = (1.0, 0.5, 2.0, 16.0),
    leads: tuple[float, ...] = (1.0, 0.25, 0.5, 2.0),
) -> Selection:
    """Two to `most` tokens, rewards in quarters from -1 to 1, a lead anywhere; eta R one of `steps`."""
    tape = draw(tapes(most + 4))
    tokens = 2 + tape.below(most - 1)
    gamma, best, lead = tape.integers(tokens, 4) / 4, tape.below(tokens), tape.choice(leads)
    gamma[best] = np.delete(gamma, best).max() + lead
    return Selection(gamma, np.ones(tokens), best, lead, np.ptp(gamma), tape.choice(steps))


@expects(integer="gamma", unit="X, q")
@dataclasses.dataclass(frozen=True)
class Query:
    """Orthonormal tokens X (3, 4), a unit query q (4,) and rewards gamma (3,)."""

    X: np.ndarray
    q: np.ndarray
    gamma: np.ndarray


@st.composite
def rotated_queries(draw: st.DrawFn) -> Query:
    """Rows of two rotations of four dimensions, rewards in [-3, 3]. Shrinks to coordinate vectors and zeros."""
    tape = draw(tapes(12 + 12 + 3))
    return Query(tape.rotation(4)[:3], tape.rotation(4)[0], tape.integers(3, 3))


@expects(positive="eta, steps")
@dataclasses.dataclass(frozen=True)
class Duel:
    """Two tokens with rewards gamma (2,), c = gamma_1 - gamma_2 > 0, a step and a time."""

    gamma: np.ndarray
    eta: float
    steps: int


@st.composite
def duels(draw: st.DrawFn) -> Duel:
    """Rewards with an offset up to 3, c in {1, 1/4, 3, 1/100}, eta in {1, 1/10, 4}, 1 to 200 steps."""
    tape = draw(tapes(4))
    offset, c = tape.integers(1, 3)[0], tape.choice((1.0, 0.25, 3.0, 0.01))
    return Duel(np.array([offset + c, offset]), tape.choice((1.0, 0.1, 4.0)), tape.time(201, least=1))
