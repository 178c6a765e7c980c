"""The sharpness of a linear neuron behind batch normalization, at weights that fit the targets."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from fixtures.rational import fractions
from properties.curvature.lanczos import Enclosure
from properties.curvature.sharpness import sharpness
from theorems.section_09_architectures.normalization.model import ABSORBED

WHITE_INPUTS = [[1, 1], [1, -1], [-1, 1], [-1, -1]]
"""Four inputs with mean 0 and covariance I."""


def exact_sharpness_at_fit(X: Sequence, w: Sequence) -> tuple[Fraction, Fraction, np.ndarray]:
    """The sharpness of (1/2n)|zhat(w) - y|^2 where y = zhat(w), the variance s^2, and the covariance Sigma. Exact.

    X has two inputs; s^2 = w' Sigma w is the variance of the feature. H = J'J/n = Sigma/s^2 - Sigma w (Sigma w)'/s^4
    has the null vector w, so that its trace is the other eigenvalue.
    """
    X, w = fractions(X), fractions(w)
    centered = X - X.sum(0) / len(X)
    Sigma = centered.T @ centered / len(X)
    s2 = w @ Sigma @ w
    return (np.trace(Sigma) / s2 - (Sigma @ w) @ (Sigma @ w) / s2**2 if s2 else Fraction(0)), s2, Sigma


def fitted_sharpness_by_torch(X: np.ndarray, w: Sequence[float], *, trains_scale: bool = False) -> Enclosure:
    """An enclosure of the sharpness of (1/2n)|f(X) - y|^2 where f(X) = y.

    f is torch.nn.Linear without bias, followed by torch.nn.BatchNorm1d with the scale gamma = 1. trains_scale: whether
    gamma is a parameter too.
    """
    import torch

    linear = torch.nn.Linear(len(w), 1, bias=False, dtype=torch.float64)
    layer = torch.nn.BatchNorm1d(1, eps=ABSORBED, track_running_stats=False, dtype=torch.float64)
    linear.weight.data = torch.tensor(w, dtype=torch.float64)[None]
    model, inputs = torch.nn.Sequential(linear, layer), torch.as_tensor(X)
    y = model(inputs).detach()
    return sharpness(lambda: (model(inputs) - y).square().mean() / 2, [linear.weight, layer.weight][: 1 + trains_scale])


def sharpness_at_fit(
    X: np.ndarray, v: np.ndarray, gamma: np.ndarray, samples: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The sharpness in (v, gamma) of (1/2N)|gamma zhat - y|^2 where it fits, and that of the plain model, (B,) each.

    X (B, n, p) is centered, samples (B,) is N, and the plain model's Hessian is Sigma.
    """
    Sigma = X.mT @ X / samples[:, None, None]
    along = np.matvec(Sigma, v)
    s2 = (along * v).sum(-1)
    H = Sigma / s2[:, None, None] - along[:, :, None] * along[:, None, :] / s2[:, None, None] ** 2
    return np.maximum(1, gamma**2 * np.linalg.eigvalsh(H)[:, -1]), np.linalg.eigvalsh(Sigma)[:, -1]
