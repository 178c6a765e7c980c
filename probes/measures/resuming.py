"""Runs of which every step is kept; and a run that goes on from a checkpoint, as a user would restart it."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Sequence

import numpy as np

from probes.running.candidate import Candidate
from probes.running.isolation import isolated
from probes.running.problem import Problem
from probes.running.run import Runner, layout_of

Iterates = list[list[np.ndarray]]


def recorded(
    candidate: Candidate,
    problem: Problem,
    steps: int,
    step: float | None,
    *,
    seed: int = 0,
    settings: dict | None = None,
    at: Sequence[int] = (),
    then: Callable[[Runner], object] = Runner.factors,
) -> Iterates:
    """The factors after each of so many steps at a constant learning rate.

    at: numbers of steps after which `then` is called with the run. By default it looks at the factors, which brings an
    optimizer that has an evaluation mode there and back, as a checkpoint does. Other arguments as in `train`.
    """
    chosen = layout_of(candidate, problem)
    with isolated(candidate.device, seed):
        runner, iterates = Runner(candidate, problem, chosen, step, settings or {}), []
        for t in range(steps):
            runner.step(t)
            iterates.append(runner.factors())
            if t + 1 in at:
                then(runner)
    return iterates


def resume(runner: Runner, through_file: bool) -> None:
    """Let a run go on with other optimizers: made anew, of copies of the parameters, with the `state_dict` loaded.

    Weights and state are saved in evaluation mode, and the new optimizer is in evaluation mode while it loads them, as
    the documentation of schedule-free optimizers asks. torch's random numbers go on where they were. through_file: by
    torch.save, and torch.load with weights_only=True. Raises what `state_dict`, saving or loading raises.
    """
    import torch

    saved, before = [], runner.parameters
    for optimizer in runner.optimizers:
        _switch(optimizer, "eval")
        saved.append(_through_file(optimizer.state_dict()) if through_file else copy.deepcopy(optimizer.state_dict()))
    devices = [torch.device(runner.candidate.device)] if runner.candidate.device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices):
        runner.make([[torch.nn.Parameter(p.detach().clone()) for p in own] for own in before])
    for optimizer in runner.optimizers:
        _switch(optimizer, "eval")
    with torch.no_grad():
        for own, saved_own in zip(runner.parameters, before, strict=True):
            for p, value in zip(own, saved_own, strict=True):
                p.copy_(value)
    for optimizer, state in zip(runner.optimizers, saved, strict=True):
        optimizer.load_state_dict(state)
        _switch(optimizer, "train")


def _switch(optimizer: object, mode: str) -> None:
    if hasattr(optimizer, mode):
        getattr(optimizer, mode)()


def _through_file(state: dict) -> dict:
    import torch

    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def largest_difference(iterates: Iterates, other: Iterates) -> np.ndarray:
    """The largest difference of a weight over all steps, relative to how far a weight of the instance moves, (B,).

    0 where the two are the same bit for bit, also where nothing moves; nan where one has a number that is not finite
    and the other has not, or another.
    """
    first, moved, apart = iterates[0], 0.0, 0.0
    for here, there in zip(iterates, other, strict=True):
        for start, a, b in zip(first, here, there, strict=True):
            axes = tuple(range(1, a.ndim))
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            with np.errstate(invalid="ignore"):
                moved = np.maximum(moved, np.abs(a - start).max(axes))
                apart = np.maximum(apart, np.where(same, 0.0, np.abs(a - b)).max(axes))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(apart == 0, 0.0, apart / moved)
