"""Gradient descent on a batch of networks, with the loss at every step and the sharpness at every few.

For deeper networks autograd differentiates the sum of the losses of a batch; no loss depends on another network's
parameters. torch is imported when it is needed. For two-layer networks the gradient is in closed form.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from theorems.section_07_initialization_and_learning_rate.edge_of_stability.patient_networks import PatientNetworks
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.tanh_networks import (
    TanhNetworks,
    half_mean_square,
    hessians,
)


@dataclasses.dataclass(frozen=True)
class SharpnessPath:
    """The measurements along a batch of runs.

    eta (B,): the steps. steps (C,): 0, every, 2 every, ...: when the sharpness was taken. sharpness (B, C): the largest
    eigenvalue of the Hessian, infinite where that is not finite. loss (B, T + 1): at every step, the start included.
    """

    eta: np.ndarray
    steps: np.ndarray
    sharpness: np.ndarray
    loss: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """The ratio eta S/2, (B, C): 1 is the edge of stability."""
        return self.eta[:, None] * self.sharpness / 2


def sharpness_path(networks: TanhNetworks, eta: float | np.ndarray, steps: int, period: int) -> SharpnessPath:
    """`steps` steps of gradient descent from networks.theta, eta a number or (B,), S at every `period`-th of them.

    Runs that diverge go on, to infinity or to nan. Raises ValueError unless `period` divides `steps`.
    """
    import torch

    if period < 1 or steps % period:
        raise ValueError(f"the sharpness of {steps} steps cannot be taken at every {period}-th")
    theta, X, y = (torch.from_numpy(part) for part in (networks.theta, networks.X, networks.y))
    rates = np.broadcast_to(np.asarray(eta, float), len(networks.theta))
    rate, losses, sharpness = torch.tensor(rates)[:, None], [], []
    for step in range(steps + 1):
        if step % period == 0:
            sharpness.append(_largest_eigenvalues(hessians(theta, X, y)))
        theta = theta.requires_grad_()
        loss = half_mean_square(theta, X, y)
        (slope,) = torch.autograd.grad(loss.sum(), theta)
        theta = (theta - rate * slope).detach()
        losses.append(loss.detach().numpy())
    return SharpnessPath(rates, np.arange(0, steps + 1, period), np.stack(sharpness, axis=1), np.stack(losses, axis=1))


def patient_path(
    networks: PatientNetworks, eta: float, steps: int, period: int
) -> tuple[SharpnessPath, PatientNetworks]:
    """`steps` steps of gradient descent on these networks, S at every `period`-th of them, and the final networks.

    Runs that diverge go on, to infinity or to nan. Raises ValueError unless `period` divides `steps`.
    """
    if period < 1 or steps % period:
        raise ValueError(f"the sharpness of {steps} steps cannot be taken at every {period}-th")
    W, a, X, y = networks.W, networks.a, networks.X, networks.y
    rate, losses, sharpness = eta / X.shape[1], [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps + 1):
            if step % period == 0:
                end = networks.at(W, a)
                sharpness.append(_largest_eigenvalues(end.hessians()))
            h = np.tanh(X @ W.mT)
            r = np.matvec(h, a) - y
            losses.append(np.square(r).mean(-1) / 2)
            slopes = (r[..., None] * (1 - h**2)).mT @ X
            W, a = W - rate * a[..., None] * slopes, a - rate * np.vecmat(r, h)
    path = SharpnessPath(
        np.full(len(X), eta), np.arange(0, steps + 1, period), np.stack(sharpness, axis=1), np.stack(losses, axis=1)
    )
    return path, end


def _largest_eigenvalues(H: np.ndarray) -> np.ndarray:
    finite = np.isfinite(H).all((-2, -1))
    return np.where(finite, np.linalg.eigvalsh(np.where(finite[:, None, None], H, 0.0))[:, -1], np.inf)
