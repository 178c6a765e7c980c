"""Instances for the reading "representation": a discrete law of (X, Y) and a channel from X to Z."""

from __future__ import annotations

import dataclasses

import numpy as np

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import Tape, tapes


@expects(positive="joint", nonnegative="channel, seed", integer="points")
@dataclasses.dataclass(frozen=True)
class Representation:
    """A law of X and Y, and a channel from X to Z.

    points (k, 3): the values of X, different vectors of integers. joint (k, 2): the law P(x, y). channel (k, 3):
    p(z|x). seed: of the weights that a test draws.
    """

    points: np.ndarray
    joint: np.ndarray
    channel: np.ndarray
    seed: int


def _read_representation(tape: Tape) -> Representation:
    points = np.unique(tape.integers((5, 3), 3), axis=0)
    joint, channel = 1.0 + tape.naturals((len(points), 2), 4), tape.naturals((len(points), 3), 4) + 1.0 * np.eye(3)[0]
    return Representation(points, joint / joint.sum(), channel / channel.sum(1, keepdims=True), tape.below(256))


representations = tapes(15 + 10 + 15 + 1).map(_read_representation)
