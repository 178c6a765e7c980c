"""Completions of least nuclear and of least Frobenius norm: ranks, errors, and the rule that judges a share."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np

from fixtures.problems.sensing import Completion, low_rank_completions
from properties.certificates import assert_at_most
from properties.spectra.effective_rank import entropic_rank
from properties.spectra.nuclear_norm import completion_bracket
from properties.statistics.observations import Population, share_interval
from properties.statistics.paired import Finding, Interval, judge

SEED, PROBLEMS, DIMENSION, OBSERVED = 20, 40, 12, 0.5
POPULATION = Population("rank 2 of 12, half observed")


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Ranks and errors (2, B) of the completions of least nuclear and of least Frobenius norm, in this order."""

    ranks: np.ndarray
    errors: np.ndarray


@cache
def compare(rank: int, noise: float, seed: int) -> Comparison:
    """PROBLEMS completions of a pattern of this rank; noise: its standard deviation over that of an entry."""
    rng = np.random.default_rng(seed)
    problem, pattern = low_rank_completions(PROBLEMS, DIMENSION, rank, OBSERVED, rng)
    size = np.sqrt((pattern**2).mean((-2, -1), keepdims=True))
    seen = problem.mask * (pattern + noise * size * rng.standard_normal(pattern.shape))
    least = completion_bracket(Completion(problem.mask, seen), iterations=150, gamma=0.3)
    assert_at_most(least.upper, 1.01 * least.lower, why="the least nuclear norm against its dual certificate")
    both = np.stack([least.W, seen])
    ranks = entropic_rank(np.linalg.svd(both, compute_uv=False))
    return Comparison(ranks=ranks, errors=hidden_errors(both, pattern, problem.mask))


def hidden_errors(W: np.ndarray, pattern: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean squared distance of W (..., d, d) to the pattern over the entries that the mask does not observe."""
    hidden = 1 - mask
    return (hidden * (W - pattern) ** 2).sum((-2, -1)) / hidden.sum((-2, -1))


def share_ahead(values: np.ndarray) -> Interval:
    """The share of problems in which the first of two values (2, B) is the lower one, with its interval."""
    return share_interval(int((values[0] < values[1]).sum()), PROBLEMS)


def judge_share(share: Interval) -> Finding:
    """Reproduced where the interval lies above one half, not reproduced where it lies below."""
    return judge(share, null=1 / 2, direction=1)
