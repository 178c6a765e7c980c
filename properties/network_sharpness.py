"""Sharpness of a trained network: the largest eigenvalue of the Hessian of its loss on a fixed sample of images."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from properties.lanczos import Krylov, UncertifiedError, christoffel_upper, least_component
from properties.sharpness import SharpnessError

if TYPE_CHECKING:
    import torch

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

EXHAUSTED = 2.0**-20
"""A coupling this small, beside the largest Ritz value, is rounding of float32: the Krylov space is invariant."""

MISSED = 1e-2
"""The probability of starts that see less of the leading eigenvector than the Christoffel bound takes for granted."""


@dataclasses.dataclass(frozen=True)
class LargeSharpness:
    """The largest eigenvalue of the Hessian of a loss, as far as a few products tell."""

    value: float
    residual: float
    rounding: float
    christoffel: float
    converged: bool
    products: int
    squared_norm: float
    scale_invariant: float | None
    loss: float
    batch: int
    sample: int

    @property
    def normalized(self) -> float:
        """Value times squared norm."""
        return self.value * self.squared_norm


def cross_entropy(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy of logits (b, c) and labels (b,)."""
    import torch

    return torch.nn.functional.cross_entropy(outputs, labels)


def squared(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean over all entries of the squared error of outputs (b, c) and one-hot labels (b,)."""
    import torch

    target = torch.nn.functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
    return torch.nn.functional.mse_loss(outputs, target)


LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropy, "squared": squared}


def fixed_batches(images: int, *, sample: int, batch: int, seed: int) -> list[np.ndarray]:
    """The batches of the sample: the first `sample` of a permutation of all images, cut into nearly equal pieces."""
    chosen = np.random.default_rng(seed).permutation(images)[:sample]
    return np.array_split(chosen, -(-sample // batch))


class BatchedHessian:
    """Products with the Hessian of the mean over batches, in the precision given; the model is left as it was."""

    def __init__(
        self,
        model: torch.nn.Module,
        inputs: torch.Tensor,
        labels: torch.Tensor,
        loss: Loss,
        batches: list[np.ndarray],
        dtype: torch.dtype,
    ) -> None:
        import torch

        self._model, self._loss, self._dtype = model, loss, dtype
        self._inputs, self._labels = inputs, labels
        self._batches = [torch.from_numpy(batch).to(inputs.device) for batch in batches]
        self._images = sum(map(len, batches))
        self._weights = {
            name: parameter.detach().to(dtype).requires_grad_()
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        }
        self._rest = {
            name: tensor.detach().to(dtype if tensor.is_floating_point() else tensor.dtype)
            for name, tensor in [*model.named_parameters(), *model.named_buffers()]
            if name not in self._weights
        }
        self._sizes = [weight.numel() for weight in self._weights.values()]
        self.size = sum(self._sizes)

    def _losses(self) -> Iterator[torch.Tensor]:
        """The loss of each batch times its share of the images, each with its own graph and its own statistics."""
        import torch

        for batch in self._batches:
            inputs = self._inputs[batch].to(self._dtype)
            tensors = {**self._weights, **{name: tensor.clone() for name, tensor in self._rest.items()}}
            outputs = torch.func.functional_call(self._model, tensors, (inputs,))
            yield self._loss(outputs, self._labels[batch]) * (len(batch) / self._images)

    def value(self) -> float:
        """The loss."""
        import torch

        with _statistics_of_batches(self._model), torch.no_grad():
            return math.fsum(float(loss) for loss in self._losses())

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Hv, (p,) float64, for v (p,) float64."""
        import torch

        weights = list(self._weights.values())
        pieces = torch.from_numpy(v).to(self._inputs.device, self._dtype).split(self._sizes)
        v_like = [piece.view_as(weight) for piece, weight in zip(pieces, weights, strict=True)]
        total = torch.zeros(self.size, dtype=torch.float64, device=self._inputs.device)
        with _statistics_of_batches(self._model), torch.enable_grad():
            for loss in self._losses():
                slopes = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
                moving = [(slope, piece) for slope, piece in zip(slopes, v_like, strict=True) if slope.requires_grad]
                if moving:
                    slopes, directions = zip(*moving, strict=True)
                    image = torch.autograd.grad(slopes, weights, directions, materialize_grads=True)
                    total += torch.cat([piece.reshape(-1) for piece in image])
        return total.cpu().numpy()


@contextmanager
def _statistics_of_batches(model: torch.nn.Module) -> Iterator[None]:
    """Batch normalization by the statistics of the batch, all else in evaluation mode, and no autocast."""
    import torch

    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = isinstance(module, torch.nn.modules.batchnorm._BatchNorm)
        device = next(model.parameters()).device.type
        with torch.autocast(device, enabled=False):
            yield
    finally:
        for module, training in modes:
            module.training = training


def network_sharpness(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    *,
    loss: str | Loss,
    batch: int,
    seed: int = 0,
    sample: int | None = None,
    accuracy: float = 1e-2,
    budget: int = 40,
) -> LargeSharpness:
    """The largest eigenvalue of the Hessian of the loss on a sample, by at most `budget` products and one check."""
    import torch

    sample = len(inputs) if sample is None else sample
    batches = fixed_batches(len(inputs), sample=sample, batch=batch, seed=seed)
    function = LOSSES[loss] if isinstance(loss, str) else loss
    single = BatchedHessian(model, inputs, labels, function, batches, torch.float32)
    start = np.random.default_rng(seed).standard_normal(single.size)
    run = Krylov(single, start, 0.0)
    component = least_component(single.size, MISSED)
    converged = False
    while not converged and len(run.a) < min(budget, single.size):
        run.extend()
        low, theta = run.ends()
        reach = max(abs(low), abs(theta))
        converged = run.b[-1] <= EXHAUSTED * reach or run.excludes(theta + accuracy * reach, component)
    theta, y, coupling = run.ritz_pair()
    double = BatchedHessian(model, inputs, labels, function, batches, torch.float64)
    image = double(y)
    value = float(y @ image)
    if not math.isfinite(value):
        raise UncertifiedError("the product of the operator with a vector is not finite")
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return LargeSharpness(
        value=value,
        residual=float(np.linalg.norm(image - value * y)),
        rounding=abs(value - theta),
        christoffel=christoffel_upper(run, component),
        converged=converged,
        products=len(run.a),
        squared_norm=math.fsum(float(weight.detach().double().square().sum()) for weight in weights),
        scale_invariant=None,
        loss=double.value(),
        batch=batch,
        sample=sample,
    )


__all__ = ["BatchedHessian", "LargeSharpness", "SharpnessError", "fixed_batches", "network_sharpness"]
