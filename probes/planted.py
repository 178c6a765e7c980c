"""Planted optimizers, whose minimum is known or whose fault is: self-tests ask whether a question exposes them.

Each is small and honest about its parameters: it sees what `torch.optim` sees, the parameters and their gradients. The
last axis of a parameter is its vector of weights, where a class speaks of one.
"""

from __future__ import annotations

import numpy as np
import torch

from properties.oracles import least_l1_norm


class PlainDescent(torch.optim.Optimizer):
    """Gradient descent, and room for one mistake: a subclass has another `update`."""

    def __init__(self, params: list[torch.nn.Parameter], lr: float = 1e-2) -> None:
        super().__init__(params, {"lr": lr})

    def update(self, p: torch.nn.Parameter) -> torch.Tensor:
        """What is subtracted, in units of lr."""
        return p.grad

    @torch.no_grad()
    def step(self) -> None:
        """One step of every parameter."""
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["lr"] * self.update(p))


class JumpsToTheLeastL1Norm(torch.optim.Optimizer):
    """Reads a quadratic loss off p + 1 gradients, at 0 and at the basis vectors, and jumps to its least l1 norm.

    For half the squared error, with gradient Hw - b, the minima are the w with Hw = b. A parameter (..., p) is a batch
    of vectors. Eigenvalues of H below sqrt(u) times the largest count as zero; all of a batch have one rank.
    """

    def __init__(self, params: list[torch.nn.Parameter]) -> None:
        super().__init__(params, {})

    @torch.no_grad()
    def step(self) -> None:
        """One gradient is read, then the next point is visited; after the last, the minimum, for good."""
        for group in self.param_groups:
            for w in group["params"]:
                seen = self.state[w].setdefault("gradients", [])
                p = w.shape[-1]
                if len(seen) == p + 2:
                    continue
                seen.append(w.grad.reshape(-1, p).clone())
                if len(seen) <= p + 1:
                    w.copy_(torch.eye(p + 1, p, dtype=w.dtype, device=w.device)[len(seen) - 2] * (len(seen) > 1))
                else:
                    w.copy_(torch.as_tensor(_least_l1(seen[1:]), device=w.device).reshape(w.shape))


def _least_l1(gradients: list[torch.Tensor]) -> np.ndarray:
    b = -gradients[0].cpu().numpy()
    H = np.stack([gradient.cpu().numpy() + b for gradient in gradients[1:]], axis=-1)
    values, vectors = np.linalg.eigh((H + H.mT) / 2)
    kept = values[0] > np.sqrt(2.0**-53) * values[0, -1]
    rows = vectors[..., kept].mT
    return least_l1_norm(rows, np.matvec(rows, b) / values[:, kept])[0]


class DriftsOffTheRowSpace(torch.optim.SGD):
    """Gradient descent, and with each step a share `drift` of its length in a fixed direction, (1, -1, 1, ...)."""

    def __init__(self, params: list[torch.nn.Parameter], lr: float = 1e-2, drift: float = 1e-3) -> None:
        super().__init__(params, lr=lr)
        self.drift = drift

    @torch.no_grad()
    def step(self) -> None:
        """One step of gradient descent, then the drift."""
        super().step()
        for group in self.param_groups:
            for w in group["params"]:
                p = w.shape[-1]
                signs = (1.0 - 2.0 * (torch.arange(p, device=w.device) % 2)) / p**0.5
                w.add_(signs * w.grad.norm(dim=-1, keepdim=True), alpha=group["lr"] * self.drift)


class TakesMirrorStepsInEntropy(torch.optim.Optimizer):
    """Exponentiated gradient, w <- w exp(-lr g): mirror descent in entropy on positive weights. Zeros stay."""

    def __init__(self, params: list[torch.nn.Parameter], lr: float = 1.0) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        """One step."""
        for group in self.param_groups:
            for w in group["params"]:
                w.mul_(torch.exp(-group["lr"] * w.grad))


class TakesMirrorStepsInHyperbolicEntropy(torch.optim.Optimizer):
    """Mirror descent in hyperbolic entropy: asinh(w/beta) <- asinh(w/beta) - lr g (Ghai, Hazan, Singer 2020)."""

    def __init__(self, params: list[torch.nn.Parameter], lr: float = 1.0, beta: float = 1.0) -> None:
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self) -> None:
        """One step."""
        for group in self.param_groups:
            beta = group["beta"]
            for w in group["params"]:
                w.copy_(beta * torch.sinh(torch.asinh(w / beta) - group["lr"] * w.grad))


class TakesSteepestStepsInTheMaximumNorm(torch.optim.Optimizer):
    """Steepest descent in l-infinity, w <- w - lr |g|_1 sign g, with the norm of each parameter."""

    def __init__(self, params: list[torch.nn.Parameter], lr: float = 1e-2) -> None:
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        """One step."""
        for group in self.param_groups:
            for w in group["params"]:
                w.sub_(w.grad.sign() * w.grad.abs().sum(), alpha=group["lr"])


class TakesSteepestStepsInTheSpectralNorm(torch.optim.Optimizer):
    """W <- W - lr UV', UV' the polar factor of a moving average of the gradient; the parameters are matrices.

    Steepest descent in the spectral norm with steps of length lr. It is Muon without its rounding: with momentum, the
    polar factor is that of Nesterov's average, as in torch.optim.Muon, computed by LAPACK in the parameter's precision.
    """

    def __init__(self, params: list[torch.nn.Parameter], lr: float = 1e-2, momentum: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        """One step. Raises ValueError for a parameter that is no matrix."""
        for group in self.param_groups:
            beta = group["momentum"]
            for w in group["params"]:
                if w.ndim != 2:
                    raise ValueError(f"a parameter of shape {tuple(w.shape)} is no matrix")
                average = self.state[w].setdefault("average", torch.zeros_like(w))
                average.lerp_(w.grad, 1 - beta)
                left, _, right = torch.linalg.svd(w.grad.lerp(average, beta), full_matrices=False)
                w.sub_(left @ right, alpha=group["lr"])
