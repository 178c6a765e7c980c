"""Deep linear networks that complete matrices of low rank: the batches on which Experiment 2 is measured.

small_training: dimension 12, in the fast tests too. printed_training: dimension 50, five layers, in the slow tests.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache

import numpy as np

from fixtures.dynamics.deep_linear import descent_path, end_to_end
from fixtures.dynamics.paths import snapshots
from fixtures.problems.sensing import Completion, low_rank_completions
from properties.spectra.nuclear_norm import Bracket, completion_bracket

DEPTH, SEED = 5, 2
TRIALS = {"smoke": 2, "reduced": 6, "paper": 24}


@dataclasses.dataclass(frozen=True)
class Training:
    """A batch of completions of `planted` (B, d, d) in training.

    spectra (T, B, d), loss (T, B): singular values and loss at T times. W (B, d, d): the end.
    """

    problem: Completion
    planted: np.ndarray
    spectra: np.ndarray
    loss: np.ndarray
    W: np.ndarray


def train_and_record(
    problem: Completion, planted: np.ndarray, start: Sequence[np.ndarray], eta: float, every: int, count: int
) -> Training:
    """Train from `start` and take `count` snapshots, one in `every` steps."""
    taken = snapshots(descent_path(start, problem.residual, eta), end_to_end, every, count)
    spectra = np.linalg.svd(taken, compute_uv=False)
    loss = (problem.residual(taken) ** 2).sum((-2, -1)) / 2
    return Training(problem, planted, spectra, loss, taken[-1].astype(float))


@cache
def small_training(depth: int, rank: int = 2, share: float = 0.4, alpha: float = 0.3) -> Training:
    """Twenty completions in dimension 12: 2000 steps of 0.1 from alpha I."""
    problem, planted = low_rank_completions(20, 12, rank, share, np.random.default_rng(SEED))
    return train_and_record(problem, planted, [alpha * np.tile(np.eye(12), (20, 1, 1))] * depth, 0.1, 50, 41)


@cache
def small_least(rank: int = 2, share: float = 0.4) -> Bracket:
    """The least nuclear norms of these completions, enclosed."""
    problem, _ = low_rank_completions(20, 12, rank, share, np.random.default_rng(SEED))
    return completion_bracket(problem, iterations=200, gamma=0.3)


ALPHAS = (0.2, 0.24, 0.26, 0.28)
SHARES = (0.5, 0.35)


@cache
def printed_training(trials: int, share: float) -> Training:
    """Completions of rank 8 in dimension 50 with this share observed, L = 5, 6000 steps of 0.1 in single precision.

    The batch is `trials` problems, once from each alpha I of ALPHAS and once from Gaussian layers of variance 1/50:
    the arrays of the Training have the axes (start, trial) in place of its batch axis.
    """
    rng = np.random.default_rng(SEED)
    problem, planted = low_rank_completions(trials, 50, 8, share, rng)
    batch = Completion(*(np.tile(field, (5, 1, 1)).astype(np.float32) for field in (problem.mask, problem.values)))
    balanced = np.repeat(ALPHAS, trials)[:, None, None] * np.eye(50)
    gaussian = rng.standard_normal((DEPTH, trials, 50, 50)) / np.sqrt(50)
    start = [np.concatenate([balanced, layer]).astype(np.float32) for layer in gaussian]
    run = train_and_record(batch, planted, start, np.float32(0.1), 50, 121)
    return Training(
        problem=problem,
        spectra=run.spectra.reshape(121, 5, trials, 50).astype(float),
        loss=run.loss.reshape(121, 5, trials),
        W=run.W.reshape(5, trials, 50, 50),
        planted=planted,
    )
