"""Learners on finite alphabets, whose data sets can all be enumerated, and their generalization gap."""

from __future__ import annotations

import dataclasses

import numpy as np

from fixtures.problems.tapes import Tape, tapes
from properties.information import every_sample, gibbs, joint_law


@dataclasses.dataclass(frozen=True)
class Learning:
    """A sample has k values, and the learner chooses among l hypotheses.

    weights (k,): the law of a fresh sample. prior (l,): the prior of the hypotheses. q (l,): another law of them. loss
    (k, l): in [0, 1]. gamma: the inverse temperature.
    """

    weights: np.ndarray
    prior: np.ndarray
    q: np.ndarray
    loss: np.ndarray
    gamma: float


def _read_learning(tape: Tape) -> Learning:
    k, m = 1 + tape.below(3), 2 + tape.below(3)
    weights, prior, q = (1.0 + tape.naturals(size, 4) for size in (k, m, m))
    loss = tape.naturals((k, m), 5) / 4
    return Learning(weights / weights.sum(), prior / prior.sum(), q / q.sum(), loss, 2.0 ** (tape.below(7) - 2))


learnings = tapes(2 + 3 + 4 + 4 + 12 + 1).map(_read_learning)


def train_on_samples(learning: Learning, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train the Gibbs learner on every data set D of this size, K of them.

    Returns the mean losses (K, l), the joint law of D and W (K, l) and a bound on |ln(q_D/E q_D)|.
    """
    index, chances = every_sample(learning.weights, size)
    losses = learning.loss[:, index].mean(-2)
    joint = joint_law(chances, gibbs(learning.prior[:, None], losses, learning.gamma[:, None]))
    return losses, joint, 2 * learning.gamma


def gap(learning: Learning, losses: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """The generalization gap E R(W) - E L(W, D), where R is the risk on a fresh sample."""
    risk = np.vecmat(learning.weights, learning.loss)
    return (joint * (risk[:, None] - losses)).sum((-2, -1))
