"""Learners on finite alphabets, whose data sets can all be enumerated, and their generalization gap."""

from __future__ import annotations

import dataclasses

import numpy as np

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import Tape, tapes
from theorems.section_06_beyond_lazy_training.information.measures import enumerate_samples, gibbs, joint_law


@expects(positive="weights, prior, q, gamma", nonnegative="loss")
@dataclasses.dataclass(frozen=True)
class Learner:
    """A sample has k values, and the learner chooses among l hypotheses.

    weights (k,): the law of a fresh sample. prior (l,): the prior of the hypotheses. q (l,): another law of them. loss
    (k, l): in [0, 1]. gamma: the inverse temperature.
    """

    weights: np.ndarray
    prior: np.ndarray
    q: np.ndarray
    loss: np.ndarray
    gamma: float


def _read_learner(tape: Tape) -> Learner:
    k, m = 1 + tape.below(3), 2 + tape.below(3)
    weights, prior, q = (1.0 + tape.naturals(size, 4) for size in (k, m, m))
    loss = tape.naturals((k, m), 5) / 4
    return Learner(weights / weights.sum(), prior / prior.sum(), q / q.sum(), loss, 2.0 ** (tape.below(7) - 2))


learners = tapes(2 + 3 + 4 + 4 + 12 + 1).map(_read_learner)


def train_on_samples(learner: Learner, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train the Gibbs learner on every data set D of this size, K of them.

    Returns the mean losses (K, l), the joint law of D and W (K, l) and a bound on |ln(q_D/E q_D)|.
    """
    index, chances = enumerate_samples(learner.weights, size)
    losses = learner.loss[:, index].mean(-2)
    joint = joint_law(chances, gibbs(learner.prior[:, None], losses, learner.gamma[:, None]))
    return losses, joint, 2 * learner.gamma


def generalization_gap(learner: Learner, losses: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """The generalization gap E R(W) - E L(W, D), where R is the risk on a fresh sample."""
    risk = np.vecmat(learner.weights, learner.loss)
    return (joint * (risk[:, None] - losses)).sum((-2, -1))
