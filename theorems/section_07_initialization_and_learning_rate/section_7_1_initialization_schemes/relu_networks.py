"""ReLU networks without biases: their outputs, torch's draws of their weights, and their training."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def predict(weights: Sequence[torch.Tensor], X: torch.Tensor) -> torch.Tensor:
    """The outputs (n,) of a ReLU network without biases."""
    h = X
    for W in weights[:-1]:
        h = (h @ W.T).relu()
    return (h @ weights[-1].T)[:, 0]


def drawn_network(depth: int, seed: int, nonlinearity: str) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Weights as torch's kaiming_normal_ draws them, of widths 3, 8, ..., 8, 1, and four normal inputs (4, 3)."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(4, 3, dtype=torch.float64, generator=generator)
    weights = [
        torch.empty(m, below, dtype=torch.float64) for below, m in itertools.pairwise([3, *[8] * (depth - 1), 1])
    ]
    for W in weights:
        torch.nn.init.kaiming_normal_(W, nonlinearity=nonlinearity, generator=generator)
    return weights, X


def trained(
    weights: Sequence[torch.Tensor], X: torch.Tensor, y: torch.Tensor, eta: float, steps: int
) -> list[np.ndarray]:
    """The weights after `steps` steps of descent on (1/2)|f(X) - y|^2; gradients by autograd."""
    import torch

    for _ in range(steps):
        weights = [W.detach().requires_grad_() for W in weights]
        loss = (predict(weights, X) - y).square().sum() / 2
        weights = [W - eta * g for W, g in zip(weights, torch.autograd.grad(loss, weights), strict=True)]
    return [W.detach().numpy() for W in weights]
