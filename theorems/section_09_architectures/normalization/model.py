"""Normalization layers: exact references for their gradients, and the same networks built from torch's own layers.

Batch normalization standardizes each neuron over the samples, layer normalization each sample over the neurons, weight
normalization divides each neuron's weights by their length. The network is that of `NormalizedProblem`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.linalg import norm

from theorems.section_09_architectures.normalization.problems import NormalizedProblem

if TYPE_CHECKING:
    import torch

KINDS = ("batch", "layer", "weight")
ABSORBED = 2.0**-1000
"""An eps that is lost in s^2 + eps: torch.nn.BatchNorm1d refuses 0 in training, and computes with this as with 0."""

_AXIS = {"batch": -2, "layer": -1}


def standardize(z: np.ndarray, axis: int, eps: float | np.ndarray = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(z - mean)/s with s = sqrt(var + eps), both along `axis`, and s (that axis kept); var has no n - 1."""
    centered = z - z.mean(axis, keepdims=True)
    s = np.sqrt(np.square(centered).mean(axis, keepdims=True) + eps)
    return centered / s, s


def pull_back(zhat: np.ndarray, s: np.ndarray, upstream: np.ndarray, axis: int) -> np.ndarray:
    """dL/dz from dL/dzhat: (upstream - its mean - zhat mean(zhat upstream))/s, exact for every eps >= 0."""
    along = (zhat * upstream).mean(axis, keepdims=True)
    return (upstream - upstream.mean(axis, keepdims=True) - zhat * along) / s


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Loss (B,) and its gradient in W (B, m, p); zhat (B, n, m) and upstream = dL/dzhat.

    s: sqrt(var + eps), (B, 1, m) for batch and (B, n, 1) for layer normalization; |w_j|, (B, 1, m), for weights.
    """

    loss: np.ndarray
    gradient: np.ndarray
    zhat: np.ndarray
    upstream: np.ndarray
    s: np.ndarray


def reference(kind: str, problem: NormalizedProblem, W: np.ndarray, eps: float | np.ndarray = 0.0) -> Evaluation:
    """The network of a batch of problems at the weights W (B, m, p), in closed form.

    kind: one of KINDS; eps: a number or (B, 1, 1), without effect on weight normalization.
    """
    if kind == "weight":
        s = norm(W, axis=-1)[:, None, :]
        unit = W / s.mT
        zhat = problem.X @ unit.mT
    else:
        zhat, s = standardize(problem.X @ W.mT, _AXIS[kind], eps)
    hidden = np.tanh(zhat)
    r = np.matvec(hidden, problem.a) - problem.y
    upstream = r[..., None] * problem.a[:, None, :] * (1 - hidden**2) / r.shape[-1]
    if kind == "weight":
        slope = upstream.mT @ problem.X
        gradient = (slope - unit * (slope * unit).sum(-1, keepdims=True)) / s.mT
    else:
        gradient = pull_back(zhat, s, upstream, _AXIS[kind]).mT @ problem.X
    return Evaluation(np.square(r).mean(-1) / 2, gradient, zhat, upstream, s)


def torch_hidden(
    kind: str, problem: NormalizedProblem, W: torch.Tensor, eps: float, *, twice: bool = False
) -> torch.Tensor:
    """The normalized features zhat (B, n, m), by torch.nn.BatchNorm1d, torch.nn.LayerNorm or parametrized weight_norm.

    W (B, m, p): for "weight" the directions, of which gradients are taken as of any other tensor. eps: positive for
    "batch". twice: whether it must be right to differentiate twice; weight normalization is then spelled out, because
    autograd takes |v| for a constant in the second derivative of torch's own (torch 2.13).
    """
    import torch

    X = torch.as_tensor(problem.X)
    if kind == "weight":
        return X @ (W / W.norm(dim=-1, keepdim=True) if twice else _weight_normalized(W)).mT
    z = X @ W.mT
    count, n, m = z.shape
    if kind == "layer":
        return torch.nn.LayerNorm(m, eps=eps, elementwise_affine=False, dtype=z.dtype)(z)
    layer = torch.nn.BatchNorm1d(count * m, eps=eps, affine=False, track_running_stats=False, dtype=z.dtype)
    return layer(z.transpose(0, 1).reshape(n, count * m)).reshape(n, count, m).transpose(0, 1)


def _weight_normalized(W: torch.Tensor) -> torch.Tensor:
    """The weights (B, m, p) of a torch.nn.Linear under weight_norm with gamma = 1, as a function of its directions."""
    import torch
    from torch.func import functional_call

    count, m, p = W.shape
    bare = torch.nn.utils.skip_init(torch.nn.Linear, p, count * m, bias=False, dtype=W.dtype)
    torch.nn.init.ones_(bare.weight)
    layer = torch.nn.utils.parametrizations.weight_norm(bare)
    own = {"original0": torch.ones(count * m, 1, dtype=W.dtype), "original1": W.reshape(count * m, p)}
    # the layer applied to the basis of R^p gives its weights, transposed
    named = {f"parametrizations.weight.{name}": value for name, value in own.items()}
    return functional_call(layer, named, (torch.eye(p, dtype=W.dtype),)).T.reshape(count, m, p)


def torch_losses(
    kind: str, problem: NormalizedProblem, W: torch.Tensor, eps: float, *, twice: bool = False
) -> torch.Tensor:
    """The losses (B,) of a batch of problems at W (B, m, p), through `torch_hidden`."""
    import torch

    f = torch.einsum(
        "bnm,bm->bn", torch.tanh(torch_hidden(kind, problem, W, eps, twice=twice)), torch.as_tensor(problem.a)
    )
    return (f - torch.as_tensor(problem.y)).square().mean(-1) / 2


def autograd(
    kind: str, problem: NormalizedProblem, W: np.ndarray, eps: float = ABSORBED
) -> tuple[np.ndarray, np.ndarray]:
    """Losses (B,) and gradients g (B, m, p) at W (B, m, p), by torch's layers and autograd."""
    import torch

    theta = torch.tensor(W, requires_grad=True)
    losses = torch_losses(kind, problem, theta, eps)
    (g,) = torch.autograd.grad(losses.sum(), theta)
    return losses.detach().numpy(), g.numpy()


def curvature_along(
    kind: str, problem: NormalizedProblem, W: np.ndarray, V: np.ndarray, eps: float = ABSORBED
) -> np.ndarray:
    """HV (B, m, p) for the Hessian at W of each problem and a direction V, both (B, m, p), by two backward passes."""
    import torch

    theta = torch.tensor(W, requires_grad=True)
    losses = torch_losses(kind, problem, theta, eps, twice=True)
    (g,) = torch.autograd.grad(losses.sum(), theta, create_graph=True)
    (HV,) = torch.autograd.grad((g * torch.as_tensor(V)).sum(), theta)
    return HV.numpy()


def normalized_stack(kind: str, seed: int) -> torch.nn.Sequential:
    """Two normalized layers and a linear output as a user of torch writes them: widths 3, 5, 4, 1; tanh; biases.

    kind: one of KINDS. Weights are standard normal from `seed`; eps is ABSORBED, gamma 1 and beta 0 at first.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)

    def linear(fan_in: int, fan_out: int) -> torch.nn.Module:
        layer = torch.nn.utils.skip_init(torch.nn.Linear, fan_in, fan_out, dtype=torch.float64)
        for parameter in layer.parameters():
            torch.nn.init.normal_(parameter, generator=generator)
        return layer

    def normalized(fan_in: int, fan_out: int) -> list[torch.nn.Module]:
        if kind == "weight":
            return [torch.nn.utils.parametrizations.weight_norm(linear(fan_in, fan_out)), torch.nn.Tanh()]
        norm_layer = torch.nn.BatchNorm1d if kind == "batch" else torch.nn.LayerNorm
        return [linear(fan_in, fan_out), norm_layer(fan_out, eps=ABSORBED, dtype=torch.float64), torch.nn.Tanh()]

    return torch.nn.Sequential(*normalized(3, 5), *normalized(5, 4), linear(4, 1))


def invariant_groups(stack: torch.nn.Sequential) -> list[list[torch.nn.Parameter]]:
    """The parameters of each normalized layer of a `normalized_stack` that may be scaled together: two lists.

    In front of a normalization, weights and bias; under weight normalization the directions alone.
    """
    groups = []
    for layer in [part for part in stack if hasattr(part, "in_features")][:2]:
        named = dict(layer.named_parameters())
        direction = named.get("parametrizations.weight.original1")
        groups.append([*named.values()] if direction is None else [direction])
    return groups
