"""Run an optimizer on a batch of instances: the schedule of the step, the layout of the parameters, and the faults."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from probes.candidate import Candidate, OptimizerFault, needs_closure, one_line
from probes.problem import Problem

if TYPE_CHECKING:
    import torch

LAYOUTS = ("coordinates", "parameters", "apart")
"""Where the instances of a batch live, from the fastest: in one parameter with a leading axis, which is right where the
optimizer treats coordinates alike and apart; in one parameter each; with an optimizer each."""

LAST_SHARE = 1e-8
"""What is left of the learning rate at the end of the decay."""

DIVERGED = 1e12
"""A loss that exceeds 1 and this multiple of the first one has diverged."""

_LOOKS = 50
_PROBE_STEPS = 12


@dataclasses.dataclass(frozen=True)
class Trained:
    """Where a run ended.

    factors: one array (B, *shape) for each factor. loss, first_loss (B,): at the end and at the start. finite (B,):
    false where an instance diverged. step: the learning rate before its decay, None for an optimizer without one.
    steps: how many steps were taken. watched: what `watch` returned, by the number of steps taken before it was asked.
    """

    factors: tuple[np.ndarray, ...]
    loss: np.ndarray
    first_loss: np.ndarray
    finite: np.ndarray
    step: float | None
    steps: int
    watched: dict[int, np.ndarray]


def train(
    candidate: Candidate,
    problem: Problem,
    *,
    steps: int,
    step: float | None = None,
    decay: bool = True,
    watch: Callable[[list[np.ndarray]], np.ndarray] | None = None,
    times: Sequence[int] = (),
    layout: str | None = None,
    settings: dict[str, float] | None = None,
) -> Trained:
    """Run the candidate for this number of steps on all instances.

    step: the learning rate; None leaves it as the optimizer was made. decay: whether it falls, over the second half of
    the steps, geometrically to LAST_SHARE of it. watch: a function of the factors, called after each number of steps
    in `times` (evaluation mode). layout: one of LAYOUTS, found by `layout_of` if None. settings: values for entries of
    every parameter group, such as weight_decay, which must exist.
    The run ends early when an instance diverges: its loss or a weight is not finite, or the loss exceeds DIVERGED; and
    when no weight has changed by a bit for 50 steps, as after L-BFGS has stopped. The times after that see the same.
    Raises OptimizerFault where the optimizer raises.
    """
    import torch

    runner = _Runner(candidate, problem, layout or layout_of(candidate, problem), step, settings or {})
    times, watched = set(times), {}
    first = runner.losses(0).cpu().numpy()
    ceiling = DIVERGED * np.maximum(1.0, np.abs(first))
    taken, now = 0, runner.factors()
    if watch is not None and 0 in times:
        watched[0] = watch(runner.factors())
    for t in range(steps):
        if decay and t >= steps / 2:
            runner.scale_steps(LAST_SHARE ** ((2 * t + 2 - steps) / steps))
        runner.step(t)
        taken = t + 1
        if watch is not None and taken in times:
            watched[taken] = watch(runner.factors())
        if taken % _LOOKS == 0:
            before, now = now, runner.factors()
            if not (runner.last_loss.cpu().numpy() <= ceiling).all():
                break
            if all(np.array_equal(old, new) for old, new in zip(before, now, strict=True)):
                watched |= {time: watch(now) for time in times if watch is not None and time > taken}
                break
    factors = runner.factors()
    with torch.no_grad():
        last = runner.losses(max(taken - 1, 0), factors).cpu().numpy()
    finite = (last <= ceiling) & np.logical_and.reduce([np.isfinite(f.reshape(len(f), -1)).all(1) for f in factors])
    return Trained(tuple(factors), last, first, finite, step, taken, watched)


def search(
    candidate: Candidate,
    problem: Problem,
    *,
    steps: int,
    reached: Callable[[Trained], np.ndarray],
    decay: bool = True,
    watch: Callable[[list[np.ndarray]], np.ndarray] | None = None,
    times: Sequence[int] = (),
    settings: dict[str, float] | None = None,
) -> Trained:
    """The run at the largest learning rate of `candidate.steps_to_try` at which every instance is reached.

    reached: a function of a run that returns (B,) booleans. Where no learning rate reaches all instances, the run that
    reaches the most, the one of the larger step among equals; ask `reached` again. Other arguments as in `train`.
    """
    best: tuple[int, Trained] | None = None
    for step in candidate.steps_to_try():
        trained = train(
            candidate, problem, steps=steps, step=step, decay=decay, watch=watch, times=times, settings=settings
        )
        count = int((reached(trained) & trained.finite).sum())
        if best is None or count > best[0]:
            best = (count, trained)
        if count == problem.count:
            break
    return best[1]


_LAYOUT_CACHE: dict[tuple[int, tuple, int], tuple[Candidate, str]] = {}


def layout_of(candidate: Candidate, problem: Problem) -> str:
    """The fastest layout that gives each instance what it gets alone, one of LAYOUTS.

    A few steps of three instances of other scales are compared with runs of each instance alone. Coupling is an effect
    of first order, rounding one of the order of u: the square root of u stands between them. Remembered by candidate,
    shapes and whether there were three instances to compare.
    """
    key = (id(candidate), problem.shapes, min(problem.count, 3))
    if key not in _LAYOUT_CACHE:
        _LAYOUT_CACHE[key] = (candidate, _fastest_layout(candidate, problem.only(slice(0, 3))))
    return _LAYOUT_CACHE[key][1]


def _fastest_layout(candidate: Candidate, problem: Problem) -> str:
    scaled = _in_scales(problem)
    alone = _after_a_few(candidate, scaled, "apart")
    for layout in LAYOUTS[:-1]:
        try:
            together = _after_a_few(candidate, scaled, layout)
        except OptimizerFault:
            continue
        if all(_are_close(a, b) for a, b in zip(together, alone, strict=True)):
            return layout
    return "apart"


def _in_scales(problem: Problem) -> Problem:
    """The same instances with losses of other sizes, so that a clip by a common norm would show."""
    scales = 10.0 ** (3.0 * (np.arange(problem.count) % 3 - 1))

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:
        return data[-1] * problem.loss(data[:-1], factors, t)

    return Problem(problem.start, (*problem.data, scales), loss)


def _after_a_few(candidate: Candidate, problem: Problem, layout: str) -> list[np.ndarray]:
    runner = _Runner(candidate, problem, layout, 1e-3 if not candidate.has_step else None, {})
    for t in range(_PROBE_STEPS):
        runner.step(t)
    return runner.factors()


def _are_close(together: np.ndarray, alone: np.ndarray) -> bool:
    size = np.abs(alone).max()
    return bool(np.all(np.abs(together - alone) <= math.sqrt(2.0**-53) * max(size, 1e-300)))


class _Runner:
    """The parameters and the optimizers of one run. Layout as in LAYOUTS."""

    def __init__(
        self, candidate: Candidate, problem: Problem, layout: str, step: float | None, settings: dict[str, float]
    ) -> None:
        import torch

        self.candidate, self.problem, self.layout = candidate, problem, layout
        as_tensor = functools.partial(torch.as_tensor, device=candidate.device)
        self.data = [as_tensor(array) for array in problem.data]
        starts = [as_tensor(factor, dtype=torch.float64) for factor in problem.start]
        if layout == "coordinates":
            self.parameters = [[torch.nn.Parameter(start.clone())] for start in starts]
        else:
            self.parameters = [[torch.nn.Parameter(_as_weight(one)) for one in start] for start in starts]
        if layout == "apart":
            self.optimizers = [candidate.build(own) for own in zip(*self.parameters, strict=True)]
        else:
            self.optimizers = [candidate.build([p for group in self.parameters for p in group])]
        self.with_closure = needs_closure(self.optimizers[0])
        self.last_loss: torch.Tensor = torch.zeros(problem.count)
        self._set(settings)
        self.rates = [[group.get("lr") for group in optimizer.param_groups] for optimizer in self.optimizers]
        if step is not None and candidate.own_step:
            self.rates = [[rate * step / candidate.own_step for rate in own] for own in self.rates]
            self.scale_steps(1.0)

    def _set(self, settings: dict[str, float]) -> None:
        for group in self._groups():
            for name, value in settings.items():
                if name not in group:
                    raise OptimizerFault(f"{self.candidate.name} has no {name} in its parameter groups")
                group[name] = value

    def _groups(self) -> Iterator[dict]:
        for optimizer in self.optimizers:
            yield from optimizer.param_groups

    def scale_steps(self, share: float) -> None:
        """Set every learning rate to this share of the first one. Groups without one are left alone."""
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                if rate is not None:
                    if hasattr(group["lr"], "fill_"):
                        group["lr"].fill_(float(rate) * share)
                    else:
                        group["lr"] = rate * share

    def _gathered(self, instances: slice = slice(None)) -> list[torch.Tensor]:
        """The factors (B, *shape) as functions of the parameters."""
        import torch

        if self.layout == "coordinates":
            return [group[0] for group in self.parameters]
        return [
            torch.stack(group[instances]).reshape(-1, *shape)
            for group, shape in zip(self.parameters, self.problem.shapes, strict=True)
        ]

    def losses(self, t: int, factors: Sequence[np.ndarray] | None = None) -> torch.Tensor:
        """The loss (B,) of each instance at these factors, or at those of the run, as data of step t."""
        import torch

        if factors is not None:
            factors = [torch.as_tensor(factor, device=self.candidate.device) for factor in factors]
        with torch.no_grad():
            return self.problem.loss(self.data, factors or self._gathered(), t)

    def step(self, t: int) -> None:
        """One step of every optimizer, at the data of step t."""
        try:
            if self.with_closure:
                self._step_by_closures(t)
            else:
                self._step_by_gradients(t)
        except OptimizerFault:
            raise
        except Exception as error:
            raise OptimizerFault(f"{self.candidate.name} raises in step {t + 1}: {one_line(error)}") from error

    def _step_by_gradients(self, t: int) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        self.last_loss = self._backward(slice(None), t)
        for optimizer in self.optimizers:
            optimizer.step()

    def _step_by_closures(self, t: int) -> None:
        import torch

        parts = [slice(None)] if self.layout != "apart" else [slice(b, b + 1) for b in range(self.problem.count)]
        losses = []
        for optimizer, part in zip(self.optimizers, parts, strict=True):
            seen: list[torch.Tensor] = []
            optimizer.step(functools.partial(self._closure, optimizer, part, t, seen))
            losses.append(seen[0])
        self.last_loss = torch.cat(losses)

    def _closure(self, optimizer: torch.optim.Optimizer, part: slice, t: int, seen: list[torch.Tensor]) -> torch.Tensor:
        optimizer.zero_grad()
        seen.append(self._backward(part, t))
        return seen[-1].sum()

    def _backward(self, instances: slice, t: int) -> torch.Tensor:
        data = [array[instances] for array in self.data]
        loss = self.problem.loss(data, self._gathered(instances), t)
        loss.sum().backward(create_graph=self.candidate.creates_graph)
        return loss.detach()

    def factors(self) -> list[np.ndarray]:
        """The factors (B, *shape), in evaluation mode where the optimizer has one."""
        import torch

        modes = [optimizer for optimizer in self.optimizers if hasattr(optimizer, "eval")]
        for optimizer in modes:
            optimizer.eval()
        with torch.no_grad():
            found = [factor.detach().cpu().numpy().copy() for factor in self._gathered()]
        for optimizer in modes:
            optimizer.train()
        return found


def _as_weight(instance: torch.Tensor) -> torch.Tensor:
    """The parameter of an instance: a vector (p,) is the weight (1, p) of nn.Linear(p, 1), a matrix stays."""
    return instance[None].clone() if instance.ndim == 1 else instance.clone()
