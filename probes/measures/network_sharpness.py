"""How sharp the minimum of a small network is, and how sharp in the metric of the second moments of an optimizer."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.problems.batches import stack
from fixtures.problems.small_networks import INPUTS, LENGTH, WIDTH, SmallNetwork, read_small_network
from fixtures.problems.tapes import Tape
from probes.measures.second_moments import flat, is_of_torch, preconditioner, steps_like_adam
from probes.running.candidate import Candidate
from probes.running.problem import Effort, Problem
from probes.running.run import Trained, layout_of, train

if TYPE_CHECKING:
    import torch

FITTED = 1e-2
"""A run has fitted its samples where the loss is at most this share of the first one."""

SMALL_STEP = 10.0**-2
"""The step of gradient descent whose minima show how sharp they become if the step hardly limits them."""

WEIGHTS = WIDTH * (INPUTS + WIDTH + 1)
"""How many weights a network has, in U, W and v."""

LOOKS = 20
"""How often the preconditioned curvature is looked at in the last quarter of a run."""


@dataclasses.dataclass(frozen=True)
class Sharpness:
    """What a run ends with, each number once for each instance.

    curvature: the largest eigenvalue of the Hessian at the end, exact to rounding. preconditioned: that of
    P^{-1/2} H P^{-1/2}, its median over the last quarter of the run; nan without second moments. Both are nan where a
    run is cut short. fitted: whether the samples are. step: of the run, 1 where there is none.
    """

    curvature: np.ndarray
    preconditioned: np.ndarray
    fitted: np.ndarray
    step: float


def network_loss(
    data: Sequence[torch.Tensor],
    factors: Sequence[torch.Tensor],
    t: int,  # noqa: ARG001
) -> torch.Tensor:
    """Half the squared error of v'tanh(W tanh(Ux)), (B,); data X (B, n, d), y (B, n), factors U, W, v."""
    import torch

    X, y = data
    U, W, v = factors
    hidden = torch.tanh(torch.einsum("bnd,bhd->bnh", X, U))
    hidden = torch.tanh(torch.einsum("bnh,bkh->bnk", hidden, W))
    return 0.5 * (torch.einsum("bnh,bh->bn", hidden, v) - y).square().sum(1)


def hessians(drawn: SmallNetwork, factors: Sequence[np.ndarray]) -> np.ndarray:
    """The Hessians (B, p, p) of the losses in all weights, by automatic differentiation in double precision."""
    import torch

    count, shapes = len(drawn.X), [factor.shape[1:] for factor in factors]
    sizes = [int(np.prod(shape)) for shape in shapes]

    def loss(flat: torch.Tensor, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        parts = [part.reshape(1, *shape) for part, shape in zip(flat.split(sizes), shapes, strict=True)]
        return network_loss((X[None], y[None]), parts, 0)[0]

    flat = torch.as_tensor(np.concatenate([factor.reshape(count, -1) for factor in factors], axis=1))
    twice = torch.func.jacrev(torch.func.jacrev(loss))
    found = torch.func.vmap(twice)(flat, torch.as_tensor(drawn.X), torch.as_tensor(drawn.y))
    return found.numpy()


def largest(matrices: np.ndarray) -> np.ndarray:
    """The largest eigenvalue of each symmetric matrix, nan where it is not finite."""
    finite = np.isfinite(matrices).all((1, 2))
    return np.where(finite, np.linalg.eigvalsh(np.where(finite[:, None, None], matrices, 0.0))[:, -1], np.nan)


@functools.lru_cache(maxsize=4)
def sharpness_of(candidate: Candidate, effort: Effort, step: float | None = None) -> Sharpness:
    """The sharpness at the end of runs at a constant step: this one, or the largest at which all samples are fitted."""
    drawn = stack(effort.draw("final sharpness", read_small_network, LENGTH))
    problem = Problem((drawn.U, drawn.W, drawn.v), (drawn.X, drawn.y), network_loss)
    recorded, built = recording(candidate)
    layout = layout_of(recorded, problem)
    times = [effort.steps - (effort.steps // 4) * k // LOOKS for k in range(LOOKS)]

    def look(factors: list[np.ndarray]) -> np.ndarray:
        P = preconditioner(built[-problem.count :] if layout == "apart" else built[-1:], problem.count)
        if P is None or not np.isfinite(P).all():
            return np.full(problem.count, np.nan)
        return largest(P[:, :, None] ** -0.5 * hessians(drawn, factors) * P[:, None, :] ** -0.5)

    steps = finer(candidate.steps_to_try()) if step is None else (step,)
    run = None
    for rate in steps:
        tried = train(recorded, problem, steps=effort.steps, step=rate, decay=False, watch=look, times=times)
        if run is None or fitted(tried).sum() > fitted(run).sum():
            run = tried
        if fitted(run).all():
            break
    preconditioned = np.median([run.watched.get(t, np.full(problem.count, np.nan)) for t in times], axis=0)
    curvature = np.where(run.finite, largest(hessians(drawn, run.factors)), np.nan)
    return Sharpness(curvature, preconditioned, fitted(run), run.step or 1.0)


def finer(steps: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """The same steps with one between each two: where sharpness ends depends on the step by less than a factor of 2."""
    between = [(large * small) ** 0.5 for large, small in itertools.pairwise(steps)]
    return tuple(sorted({*steps, *between}, reverse=True)) if between else steps


def fitted(run: Trained) -> np.ndarray:
    """Whether the loss has fallen to FITTED, (B,)."""
    return run.finite & (run.loss <= FITTED * run.first_loss)


def recording(candidate: Candidate) -> tuple[Candidate, list[torch.optim.Optimizer]]:
    """The same candidate, and a list to which it adds every optimizer that it makes."""
    built: list[torch.optim.Optimizer] = []

    def make(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        built.append(candidate.make(parameters))
        return built[-1]

    recorded = dataclasses.replace(candidate, make=make)
    # the first question for its step makes an optimizer that no run uses, so it comes before all runs
    _ = recorded.own_step
    return recorded, built


def edge_of(candidate: Candidate, steps: int) -> float | None:
    """Up to which eta lambda(P^{-1}H) the optimizer is stable if its second moments stand still, None without these.

    (2 + 2 beta_1)/(1 - beta_1) with betas, as of Adam, and 2(1 + momentum) without, as of RMSprop. NAdam mixes the
    gradient and its average with weights 1 - mu and mu, so that for gradients of alternating sign, whose average is
    (1 - beta_1)/(1 + beta_1) of them, it is 2/(1 - mu + mu (1 - beta_1)/(1 + beta_1)), here at mu after `steps` steps.
    None for Adadelta, which keeps moments of its updates as well, and for RMSprop with centered moments; and for other
    classes than torch's whose second step is not Adam's, with or without decay. Decay and RAdam's rectification, which
    ends at 1, are left out.
    """
    one = stack([read_small_network(Tape(bytes(LENGTH)))])
    problem = Problem((one.U, one.W, one.v), (one.X, one.y), network_loss)
    recorded, built = recording(candidate)
    run = train(recorded, problem, steps=2, decay=False, layout="apart", times=[1], watch=flat)
    P = preconditioner(built[-1:], 1)
    if P is None or not (is_of_torch(built[-1]) or steps_like_adam(built[-1], P, run.watched[1], flat(run.factors))):
        return None
    group = built[-1].param_groups[0]
    if "betas" not in group:
        return 2 * (1 + group.get("momentum", 0.0))
    beta = group["betas"][0]
    mu = beta * (1 - 0.5 * 0.96 ** (steps * group["momentum_decay"])) if "momentum_decay" in group else 1.0
    return 2 / (1 - mu + mu * (1 - beta) / (1 + beta))
