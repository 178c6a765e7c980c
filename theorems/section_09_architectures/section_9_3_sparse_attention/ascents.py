"""Gradient ascent of one query in its logits p, from p = 0, for the reward f = gamma . softmax(p).

p <- p + eta s (gamma - f) with s = softmax(p). T is the number of tokens. Token 1 is the best one, Delta its lead. R is
the range of the rewards gamma. Arrays along a run have the shape (N + 1, B, ...).
"""

from __future__ import annotations

from itertools import islice

import numpy as np

from fixtures.precision import rounding
from theorems.section_09_architectures.attention.dynamics import logit_path
from theorems.section_09_architectures.attention.sparse_problems import Selection

STEPS = 300


def ascent(task: Selection, steps: int = STEPS) -> np.ndarray:
    """The logits p (N + 1, B, T) of all steps."""
    return np.stack(list(islice(logit_path(task.gamma, task.start, task.eta), steps + 1)))


def odds(task: Selection, p: np.ndarray) -> np.ndarray:
    """The odds r = (1 - s_1)/s_1 of the logits p, which are the sum of exp(p_j - p_1) over j > 1, (N + 1, B)."""
    others = np.arange(p.shape[-1]) != task.best[:, None]
    return (np.exp(p - task.of_best(p)[..., None]) * others).sum(-1)


def step_rounding(task: Selection, p: np.ndarray) -> np.ndarray:
    """The rounding that one step adds to a difference of logits, (B,), along the logits p (N + 1, B, T) of a run.

    The softmax and its slope have T + 10 operations, and the new logit one.
    """
    largest = np.abs(np.where(task.present > 0, p, 0)).max((0, -1))
    return rounding(task.tokens + 10, task.eta * np.abs(task.gamma).max(-1)) + rounding(1, largest)


def effective_number(s: np.ndarray) -> np.ndarray:
    """The effective number of tokens, 1/sum s_j^2, of weights s (..., T). Exact on fractions."""
    return 1 / (s * s).sum(-1)


def missed_reward_and_bound(task: Selection, s: np.ndarray, N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The missed reward gamma_1 - f along weights s (N + 1, B, T), and its upper bound in C2, (N + 1, B) each.

    The bound is 1/(1/m_0 + eta (1 - eta R/4) N/T^2), with m_0 the missed reward at the start.
    """
    missed = (s * (task.of_best(task.gamma)[:, None] - task.gamma) * task.present).sum(-1)
    return missed, 1 / (1 / missed[0] + task.eta * (1 - task.step / 4) * N / task.tokens**2)


def lone_best(tokens: int, step: float) -> Selection:
    """A batch of one: the first reward is 1, the others are 0, and eta R = step."""
    gamma = np.eye(1, tokens)
    return Selection(gamma, np.ones((1, tokens)), np.array([0]), np.ones(1), np.ones(1), np.array([step]))


def odds_and_bounds(task: Selection, p: np.ndarray, N: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The odds r along the logits p, and the lower and upper bound of 1/r_N - 1/r_0 in C1, (N + 1, B) each."""
    x = 2 * task.step * (task.tokens - 1) / task.tokens
    slow, fast = task.eta * task.lead * N / task.tokens**2, 2 * task.step * N * np.expm1(x) / x
    return odds(task, p), slow, fast
