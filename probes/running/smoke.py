"""A short run of an optimizer on a few small parameters, and everything that it did to them."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from probes.running.candidate import RAISED, Calls, Candidate, OptimizerFault, backward, one_line
from probes.running.isolation import isolated, settings_of_torch

if TYPE_CHECKING:
    import torch

MATRICES = ((2, 3), (2, 3), (3, 2), (1, 4))
"""Two parameters of one shape and two of others; a vector is laid out as a matrix with one row."""

VECTORS = ((3,), (4,))
STEPS = 20
SEED = 794_206_351
"""Of torch's random numbers: a seed that no optimizer sets by itself, so that it is seen to set one."""


@dataclasses.dataclass
class Smoke:
    """What was seen.

    error: what `make` or `step` raised, on a line, or ""; raised_in: the number of that step, 0 for `make`. held: how
    many of the parameters are in the groups of the optimizer; strangers: how many others are. moved, finite: for each
    parameter. changed: what else became of parameters, gradients or torch itself, in words. aliased: whether the state
    holds `p.grad` itself. warned: the first warning, or "". end: the weights.
    """

    error: str = ""
    raised_in: int = 0
    held: int = 0
    strangers: int = 0
    moved: tuple[bool, ...] = ()
    finite: tuple[bool, ...] = ()
    changed: set[str] = dataclasses.field(default_factory=set)
    aliased: bool = False
    warned: str = ""
    end: tuple[np.ndarray, ...] = ()


def smoke(
    candidate: Candidate,
    calls: Calls,
    *,
    shapes: tuple[tuple[int, ...], ...] = MATRICES,
    dtype: str = "float64",
    sparse: bool = False,
    beside: bool = False,
    seed: int = SEED,
) -> Smoke:
    """STEPS steps on a quadratic of parameters of these shapes, at the learning rate that the optimizer has.

    sparse: gradients are sparse tensors. beside: another optimizer of the same kind, of parameters of its own, takes a
    step before each step. seed: of torch's random numbers. Errors of the optimizer are part of what is seen.
    """
    seen = Smoke()
    with isolated(candidate.device, seed), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = _settings()
        try:
            _run(candidate, calls, seen, [_weights(candidate, shapes, dtype) for _ in range(1 + beside)], sparse)
        except OptimizerFault as error:
            seen.error = str(error)
        seen.changed |= {what for what, value in _settings().items() if value != before[what]}
    seen.warned = one_line(caught[0].message) if caught else ""
    return seen


def _settings() -> dict[str, Any]:
    import torch

    drawn = {"whether gradients are taken": torch.is_grad_enabled(), "the seed of torch": torch.initial_seed()}
    return drawn | {name: read() for name, (read, _) in settings_of_torch().items()}


def _weights(candidate: Candidate, shapes: tuple[tuple[int, ...], ...], dtype: str) -> list[torch.nn.Parameter]:
    import torch

    made = {"dtype": getattr(torch, dtype), "device": candidate.device}
    return [torch.nn.Parameter(torch.linspace(-1, 1, int(np.prod(shape)), **made).reshape(shape)) for shape in shapes]


def _run(
    candidate: Candidate, calls: Calls, seen: Smoke, batches: list[list[torch.nn.Parameter]], sparse: bool
) -> None:
    parameters = batches[-1]
    optimizers = [candidate.build(own) for own in batches]
    inside = [p for group in optimizers[-1].param_groups for p in group["params"]]
    seen.held = sum(any(p is other for other in inside) for p in parameters)
    seen.strangers = len(inside) - seen.held
    start = [p.detach().cpu().clone() for p in parameters]
    form = [(p.dtype, p.shape, p.requires_grad) for p in parameters]
    for t in range(STEPS):
        seen.raised_in = t + 1
        for optimizer, own in zip(optimizers, batches, strict=True):
            try:
                _step(optimizer, own, calls, seen, sparse)
            except RAISED as error:
                raise OptimizerFault(one_line(error)) from error
        if form != [(p.dtype, p.shape, p.requires_grad) for p in parameters]:
            seen.changed.add("the precision, the shape or requires_grad of a parameter")
            break
    seen.raised_in = 0
    seen.end = tuple(p.detach().cpu().double().numpy().copy() for p in parameters)
    seen.moved = tuple(not np.array_equal(a.double().numpy(), b) for a, b in zip(start, seen.end, strict=True))
    seen.finite = tuple(bool(np.isfinite(p).all()) for p in seen.end)


def _step(
    optimizer: torch.optim.Optimizer, own: list[torch.nn.Parameter], calls: Calls, seen: Smoke, sparse: bool
) -> None:
    import torch

    def closure() -> torch.Tensor:
        with torch.enable_grad():
            optimizer.zero_grad()
            loss = sum((0.5 * (p - 2.0).square()).sum() for p in own)
            backward(loss, own, calls.creates_graph)
        for p in own if sparse else ():
            p.grad = p.grad.to_sparse()
        return loss

    if calls.with_closure:
        optimizer.step(closure)
        return
    closure()
    kept = [p.grad for p in own]
    values = [grad.detach().clone() for grad in kept]
    optimizer.step()
    if sparse:
        return
    for p, grad, value in zip(own, kept, values, strict=True):
        if p.grad is not grad or not torch.allclose(grad.detach(), value, rtol=0, atol=0, equal_nan=True):
            seen.changed.add("p.grad")
    held = {value.data_ptr() for state in optimizer.state.values() for value in _tensors(state)}
    seen.aliased |= any(grad.data_ptr() in held for grad in kept)


def _tensors(state: object) -> list[torch.Tensor]:
    import torch

    return [value for value in state.values() if isinstance(value, torch.Tensor)] if isinstance(state, dict) else []
