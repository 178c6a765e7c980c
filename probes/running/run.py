"""Run an optimizer on a batch of instances: the schedule of the step, the layout of the parameters, and the faults."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF, rounding
from probes.running.candidate import RAISED, Candidate, OptimizerFault, backward, one_line
from probes.running.isolation import isolated
from probes.running.problem import Problem

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
_PROBED = (2, 4, 8, 16, 32, 64)
_SMALL_STEP, _LARGE_STEP, _AT_LARGE = 1e-4, 1.0, _PROBED[:4]


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
    seed: int = 0,
) -> Trained:
    """Run the candidate for this number of steps on all instances.

    step: the learning rate; None leaves it as the optimizer was made. decay: whether it falls, over the second half of
    the steps, geometrically to LAST_SHARE of it. watch: a function of the factors, called after each number of steps
    in `times` (evaluation mode). layout: one of LAYOUTS, found by `layout_of` if None. settings: values for entries of
    every parameter group, such as weight_decay, which must exist. seed: what torch's random numbers in the run depend
    on, should the optimizer draw any.
    The run ends early when an instance diverges: its loss or a weight is not finite, or the loss exceeds DIVERGED; and
    when no weight has changed by a bit for 50 steps, as after L-BFGS has stopped. The times after that see the same.
    Raises OptimizerFault where the optimizer raises.
    """
    chosen = layout or layout_of(candidate, problem)
    with isolated(candidate.device, seed):
        runner = Runner(candidate, problem, chosen, step, settings or {})
        return _trained(runner, steps, step, decay, watch, set(times))


def _trained(
    runner: Runner,
    steps: int,
    step: float | None,
    decay: bool,
    watch: Callable[[list[np.ndarray]], np.ndarray] | None,
    times: set[int],
) -> Trained:
    watched = {}
    first = runner.losses(0).cpu().numpy()
    ceiling = DIVERGED * np.maximum(1.0, np.abs(first))
    taken, now, still = 0, runner.factors(), None
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
            if not (runner.last_loss.cpu().numpy() <= ceiling).all():
                break
            before, now = now, runner.factors()
            # the same as 50 steps ago may be a cycle: then every one of the next steps is looked at
            still = 0 if _same(before, now) else None
        elif still is not None:
            still = still + 1 if _same(now, runner.factors()) else None
            if still == _LOOKS - 1:
                watched |= {time: watch(now) for time in times if watch is not None and time > taken}
                break
    factors = runner.factors()
    last = runner.losses(max(taken - 1, 0), factors).cpu().numpy()
    finite = (last <= ceiling) & np.logical_and.reduce([np.isfinite(f.reshape(len(f), -1)).all(1) for f in factors])
    return Trained(tuple(factors), last, first, finite, step, taken, watched)


def _same(factors: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(factors, others, strict=True))


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


@contextlib.contextmanager
def found_anew() -> Iterator[None]:
    """Inside, layouts are found anew, and remembered until the end."""
    _LAYOUT_CACHE.clear()
    try:
        yield
    finally:
        _LAYOUT_CACHE.clear()


def layout_of(candidate: Candidate, problem: Problem) -> str:
    """The fastest layout that gives each instance what it gets alone, one of LAYOUTS.

    Three instances, their losses scaled by 1e-3, 1 and 1e3 so that a clip by a common norm shows, run for 64 steps in
    every layout, all on the data of step 0, because there may be noise for fewer steps. These steps are small; then 16
    of length 1 follow from the start, on the losses as they are: a length that is estimated from all weights, as by
    D-Adaptation, or an update that is clipped, shows when the weights have gone far. They are left out where random
    numbers would tell the layouts apart. What couples only later is not seen.
    An effect of other instances is of first order in what moves, rounding of the order u: the square root of u stands
    between them. Remembered by candidate, shapes and whether there were three instances to compare.
    """
    key = (id(candidate), problem.shapes, min(problem.count, 3))
    if key not in _LAYOUT_CACHE:
        with isolated(candidate.device):
            _LAYOUT_CACHE[key] = (candidate, _fastest_layout(candidate, problem.only(slice(0, 3))))
    return _LAYOUT_CACHE[key][1]


def _fastest_layout(candidate: Candidate, problem: Problem) -> str:
    own, layouts = candidate.own_step, LAYOUTS[:-1]
    small = None if own is None else min(own, _SMALL_STEP)
    layouts = _as_alone(candidate, _in_scales(problem), small, layouts, _PROBED)
    if layouts and own is not None:
        # a large step may raise where those of the run do not
        with contextlib.suppress(OptimizerFault):
            large = max(own, _LARGE_STEP)
            if not _draws(candidate, problem, large):
                layouts = _as_alone(candidate, problem, large, layouts, _AT_LARGE)
    return next(iter(layouts), "apart")


def _draws(candidate: Candidate, problem: Problem, step: float) -> bool:
    """Whether it draws random numbers that show: instances differ from what they are alone by other draws."""
    ends = []
    for seed in (0, 1):
        with isolated(candidate.device, seed):
            runner = Runner(candidate, problem, "apart", step, {})
            for _ in range(_AT_LARGE[-1]):
                runner.step(0)
            ends.append(runner.factors())
    return not all(np.array_equal(one, other, equal_nan=True) for one, other in zip(*ends, strict=True))


def _as_alone(
    candidate: Candidate, problem: Problem, step: float | None, layouts: Sequence[str], times: Sequence[int]
) -> tuple[str, ...]:
    """Those of the layouts in which each instance is after these numbers of steps where it is with its own optimizer.

    None where the weights are not finite by the first of them. Where that happens later, those that were alike before.
    """
    alone, others = Runner(candidate, problem, "apart", step, {}), {}
    start = alone.factors()
    for layout in layouts:
        with contextlib.suppress(OptimizerFault):
            others[layout] = Runner(candidate, problem, layout, step, {})
    for t in range(times[-1]):
        alone.step(0)
        for layout in tuple(others):
            try:
                others[layout].step(0)
            except OptimizerFault:
                del others[layout]
        if t + 1 not in times:
            continue
        expected = alone.factors()
        if not all(np.isfinite(factor).all() for factor in expected):
            return () if t + 1 == times[0] else tuple(others)
        for layout in tuple(others):
            if not _are_close(others[layout].factors(), expected, start, t + 1):
                del others[layout]
        if not others:
            break
    return tuple(others)


def _in_scales(problem: Problem) -> Problem:
    """The same instances with losses of other sizes."""
    scales = 10.0 ** (3.0 * (np.arange(problem.count) % 3 - 1))

    def loss(data: Sequence[torch.Tensor], factors: Sequence[torch.Tensor], t: int) -> torch.Tensor:
        return data[-1] * problem.loss(data[:-1], factors, t)

    return Problem(problem.start, (*problem.data, scales), loss)


def _are_close(together: list[np.ndarray], alone: list[np.ndarray], start: list[np.ndarray], steps: int) -> bool:
    """Whether each instance differs by at most sqrt(u) of how far it moved, and by the rounding of its weights.

    Each of the steps rounds a weight once in both runs.
    """
    for a, b, first in zip(together, alone, start, strict=True):
        axes = tuple(range(1, b.ndim))
        moved, size = np.abs(b - first).max(axes), np.maximum(np.abs(b), np.abs(first)).max(axes)
        if not (np.abs(a - b).max(axes) <= math.sqrt(UNIT_ROUNDOFF) * moved + rounding(2 * steps, size)).all():
            return False
    return True


class Runner:
    """The parameters and the optimizers of one run. Layout as in LAYOUTS."""

    def __init__(
        self, candidate: Candidate, problem: Problem, layout: str, step: float | None, settings: dict[str, float]
    ) -> None:
        import torch

        self.candidate, self.problem, self.layout = candidate, problem, layout
        self.calls = candidate.calls
        as_tensor = functools.partial(torch.as_tensor, device=candidate.device)
        self.data = [as_tensor(array) for array in problem.data]
        starts = [as_tensor(factor, dtype=torch.float64) for factor in problem.start]
        if layout == "coordinates":
            self.make([[torch.nn.Parameter(start.clone())] for start in starts])
        else:
            self.make([[torch.nn.Parameter(_as_weight(one)) for one in start] for start in starts])
        self.last_loss: torch.Tensor = torch.zeros(problem.count)
        self._set(settings)
        self.rates = [[self._own_rate(group) for group in optimizer.param_groups] for optimizer in self.optimizers]
        if step is not None and candidate.own_step is not None:
            # the ratios of the groups stay; rates that are all zero have none
            share = step / candidate.own_step if candidate.own_step else None
            self.rates = [[_scaled(rate, share, step) for rate in own] for own in self.rates]
            self.scale_steps(1.0)

    def make(self, parameters: list[list[torch.nn.Parameter]]) -> None:
        """Make the optimizers of these parameters: a list for each factor, in the layout of the run."""
        self.parameters = parameters
        if self.layout == "apart":
            self.optimizers = [self.candidate.build(own) for own in zip(*parameters, strict=True)]
        else:
            self.optimizers = [self.candidate.build([p for own in parameters for p in own])]

    @staticmethod
    def _own_rate(group: dict) -> float | None:
        """The learning rate of a group. A tensor, which other optimizers may share, is replaced by a copy of it."""
        import torch

        if isinstance(group.get("lr"), torch.Tensor):
            group["lr"] = group["lr"].detach().clone()
        return None if group.get("lr") is None else float(group["lr"])

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
                if rate is None:
                    continue
                if hasattr(group["lr"], "fill_"):
                    group["lr"].fill_(rate * share)
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
            if self.calls.with_closure:
                self._step_by_closures(t)
            else:
                self._step_by_gradients(t)
        except OptimizerFault:
            raise
        except RAISED as error:
            raise OptimizerFault(f"{self.candidate.name} raises in step {t + 1}: {one_line(error)}") from error

    def _step_by_gradients(self, t: int) -> None:
        import torch

        for optimizer in self.optimizers:
            optimizer.zero_grad()
        # one optimizer's products with the Hessian free the graph that all instances would share
        parts = self._parts if self.calls.creates_graph else [slice(None)]
        self.last_loss = torch.cat([self._backward(part, t) for part in parts])
        for optimizer in self.optimizers:
            optimizer.step()

    @property
    def _parts(self) -> list[slice]:
        """The instances of each optimizer."""
        return [slice(b, b + 1) for b in range(self.problem.count)] if self.layout == "apart" else [slice(None)]

    def _step_by_closures(self, t: int) -> None:
        import torch

        losses = []
        for optimizer, part in zip(self.optimizers, self._parts, strict=True):
            seen: list[torch.Tensor] = []
            optimizer.step(functools.partial(self._closure, optimizer, part, t, seen))
            losses.append(seen[0])
        self.last_loss = torch.cat(losses)

    def _closure(self, optimizer: torch.optim.Optimizer, part: slice, t: int, seen: list[torch.Tensor]) -> torch.Tensor:
        optimizer.zero_grad()
        seen.append(self._backward(part, t))
        return seen[-1].sum()

    def _backward(self, instances: slice, t: int) -> torch.Tensor:
        import torch

        data = [array[instances] for array in self.data]
        parameters = self.parameters if self.layout == "coordinates" else [own[instances] for own in self.parameters]
        # a step may have switched gradients off
        with torch.enable_grad():
            loss = self.problem.loss(data, self._gathered(instances), t)
            backward(loss.sum(), [p for own in parameters for p in own], self.calls.creates_graph)
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


def _scaled(rate: float | None, share: float | None, step: float) -> float | None:
    """The rate of a group times the share, the step itself where the share has no meaning."""
    if rate is None:
        return None
    return step if share is None else rate * share
