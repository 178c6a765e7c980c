"""Softmax attention with a loss that is linear in the attention weights P, trained from a small start.

The logits are A_ij = k_j'W q_i for keys k and queries q, and W = K'Q is factored. Descent acts on K and Q, from
K_0 = alpha E, Q_0 = alpha F.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np

from fixtures.dynamics.paths import UnfittedError
from theorems.section_09_architectures.attention.certificates import singular_values
from theorems.section_09_architectures.attention.dynamics import factored_weight_path
from theorems.section_09_architectures.attention.low_rank_problems import SmallStart, Task
from theorems.section_09_architectures.attention.model import attention, weight_gradient


def gradient_of(task: Task) -> Callable[[np.ndarray], np.ndarray]:
    """The map W -> dL/dW of softmax attention."""
    return lambda W: weight_gradient(attention(W, task.keys, task.queries), task.slope, task.keys, task.queries)


def softmax_task(start: SmallStart) -> Task:
    """The task with dL/dW = -M at W = 0: three orthonormal queries, four keys of mean 0 and with the Gram matrix 4I."""
    keys = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) + 0 * start.E
    queries = np.eye(3) + 0 * start.U
    return Task(keys, queries, -(keys @ start.M).mT, start.E, start.F, 3)


def descend_to_size(
    start: SmallStart, eta: float, size: float = 2.0**-12, budget: int = 80
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradient descent on `softmax_task` until sigma_1(W) >= size.

    Returns the singular values of W (B, 3), the number N of steps (B,), and sum eta |G_t - G_0| with G = dL/dW (B,).
    Raises UnfittedError when a W has not that size after `budget` steps.
    """
    gradient, at, alpha = gradient_of(softmax_task(start)), np.arange(len(start.s)), start.alpha[:, None, None]
    path = factored_weight_path(alpha * start.E, alpha * start.F, gradient, eta)
    W = np.stack([K.mT @ Q for K, Q in islice(path, budget)])
    s = singular_values(W)
    N = (s[..., 0] >= size).argmax(0)
    if not N.all():
        raise UnfittedError(f"weights {np.argmin(N)} are smaller than {size} after {budget} steps")
    moved = np.cumsum([singular_values(gradient(w) + start.M)[:, 0] for w in W], 0)
    return s[N, at], N, eta * moved[N - 1, at]


def gaussian_tasks(seeds: Iterable[int]) -> Task:
    """One task for each seed: four Gaussian tokens in three dimensions, Gaussian slopes, and K_0 = Q_0 = alpha I."""
    generators = [np.random.default_rng(seed) for seed in seeds]
    X, slope = zip(*((rng.standard_normal((4, 3)), rng.standard_normal((4, 4))) for rng in generators), strict=True)
    X, slope = np.stack(X), np.stack(slope)
    start = np.broadcast_to(np.eye(3), (len(X), 3, 3))
    return Task(X, X, slope, start, start, 4)


def log_ratio_at(task: Task, alpha: float, size: float = 0.05, budget: int = 1000) -> np.ndarray:
    """The logarithm of sigma_2/sigma_1 of W where |W|_2 first passes `size`, (B,).

    It is interpolated between the two steps around that point.
    Raises UnfittedError when a W has not that size after `budget` steps of eta sigma_1(G_0) = 1/50.
    """
    eta = 0.02 / singular_values(gradient_of(task)(0 * task.E))[:, 0]
    path = islice(factored_weight_path(alpha * task.E, alpha * task.F, gradient_of(task), eta), budget)
    seen = np.log([singular_values(K.mT @ Q)[:, :2] for K, Q in path])
    length, ratio = np.maximum.accumulate(seen[..., 0]), seen[..., 1] - seen[..., 0]
    if (length[-1] < np.log(size)).any():
        raise UnfittedError(f"weights {np.argmin(length[-1])} are smaller than {size} after {budget} steps")
    return np.array([np.interp(np.log(size), *path) for path in zip(length.T, ratio.T, strict=True)])


def force_at_zero(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """The singular values (B, 3) of M = -dL/dW at W = 0, and the minor det(Y_2'Y_2) of H9 for E = F = I, (B,).

    Y_2 has the first two columns of Y.
    """
    left, s, right = np.linalg.svd(-gradient_of(task)(0 * task.E))
    return s, singular_values((left + right.mT)[..., :2]).prod(-1) ** 2
