"""Problems over factors: two-layer linear networks, diagonal networks, and completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.problems.linear_layers import TwoLayers
from fixtures.problems.sensing import Completion
from probes.running.problem import Problem

if TYPE_CHECKING:
    import torch

Tensors = Sequence["torch.Tensor"]


def two_layers(drawn: TwoLayers, size: float = 1.0) -> Problem:
    """(1/2)|W_2 W_1 - T|_F^2 from W_1 and W_2 times `size`; the factors are W_1, W_2."""

    def loss(data: Tensors, factors: Tensors, t: int) -> torch.Tensor:  # noqa: ARG001
        W_1, W_2 = factors
        return 0.5 * (W_2 @ W_1 - data[0]).square().sum((1, 2))

    return Problem((size * drawn.W_1, size * drawn.W_2), (drawn.T,), loss)


def imbalance(factors: Sequence[np.ndarray]) -> np.ndarray:
    """W_2' W_2 - W_1 W_1' (B, h, h) of the factors W_1 (B, h, d) and W_2 (B, k, h)."""
    W_1, W_2 = factors
    return W_2.mT @ W_2 - W_1 @ W_1.mT


def squared_size(factors: Sequence[np.ndarray]) -> np.ndarray:
    """|W_1|_F^2 + |W_2|_F^2, (B,)."""
    return sum((factor**2).sum((-2, -1)) for factor in factors)


def diagonal_network(X: np.ndarray, y: np.ndarray, alpha: np.ndarray) -> Problem:
    """(1/2)|X(u*u - v*v) - y|^2 from u = v = alpha 1: X (B, n, p), y (B, n), alpha (B,); the factors are u, v."""

    def loss(data: Tensors, factors: Tensors, t: int) -> torch.Tensor:  # noqa: ARG001
        (X, y), (u, v) = data, factors
        return 0.5 * ((X @ (u * u - v * v)[..., None])[..., 0] - y).square().sum(1)

    start = np.repeat(alpha[:, None], X.shape[-1], axis=1)
    return Problem((start, start), (X, y), loss)


def completion_of_two_factors(problem: Completion, U: np.ndarray, V: np.ndarray) -> Problem:
    """(1/2)|UV' - Y|^2 over observed entries, from each U, V (B, d, d)."""

    def loss(data: Tensors, factors: Tensors, t: int) -> torch.Tensor:  # noqa: ARG001
        (mask, values), (U, V) = data, factors
        return 0.5 * (mask * (U @ V.mT) - values).square().sum((1, 2))

    return Problem((U, V), _repeated(problem, len(U)), loss)


def completion_of_one_factor(problem: Completion, U: np.ndarray) -> Problem:
    """(1/4)|UU' - Y|^2 over observed entries, from each U (B, d, d).

    A quarter, so that U moves as both factors of UV' do where U = V.
    """

    def loss(data: Tensors, factors: Tensors, t: int) -> torch.Tensor:  # noqa: ARG001
        (mask, values), (U,) = data, factors
        return 0.25 * (mask * (U @ U.mT) - values).square().sum((1, 2))

    return Problem((U,), _repeated(problem, len(U)), loss)


def _repeated(problem: Completion, count: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.repeat(array[None].astype(float), count, axis=0) for array in (problem.mask, problem.values))
