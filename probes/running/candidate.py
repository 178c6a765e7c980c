"""The optimizer that is asked: how it is made, how its step is set, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.running.isolation import isolated

if TYPE_CHECKING:
    import torch

GRID = tuple(10.0 ** (-exponent / 2) for exponent in range(2, 7))
"""The steps that a search tries, from the largest: 1e-1 down to 1e-3, two to a decade."""


class OptimizerFault(RuntimeError):
    """The optimizer cannot be asked, or fails while it runs. One line: what happened, and when."""


RAISED = (Exception, SystemExit)
"""What code of an optimizer may raise without ending the run; an interrupt of the user ends it."""

_FIRST_STEPS = 3


@dataclasses.dataclass(frozen=True)
class Calls:
    """How `step` is called: with a closure or without, and whether the gradients carry their graph."""

    with_closure: bool
    creates_graph: bool


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An optimizer under question.

    name: what the user called it, such as `torch.optim:Adam`. make: a function of a list of parameters that returns a
    torch.optim.Optimizer. has_step: whether the user has chosen the learning rate; otherwise a question searches for it
    (`steps_to_try`). device: where its parameters live. creates_graph: whether gradients carry their graph, as
    `loss.backward(create_graph=True)` gives them to optimizers that take Hessian-vector products; None to find out.
    """

    name: str
    make: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]
    has_step: bool = True
    device: str = "cpu"
    creates_graph: bool | None = None

    def build(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters, in training mode.

        Raises OptimizerFault where the factory raises or returns something else than a whole Optimizer.
        """
        import torch

        try:
            optimizer = self.make(list(parameters))
            if isinstance(optimizer, torch.optim.Optimizer) and hasattr(optimizer, "train"):
                optimizer.train()
        except RAISED as error:
            raise OptimizerFault(f"{self.name} cannot be made: {one_line(error)}") from error
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise OptimizerFault(f"{self.name} returns {type(optimizer).__name__}, which is no torch.optim.Optimizer")
        if not hasattr(optimizer, "param_groups"):
            raise OptimizerFault(f"{self.name} has no param_groups: call super().__init__(params, defaults)")
        return optimizer

    @functools.cached_property
    def family(self) -> str:
        """The name of the class of the optimizer, such as Adam: what the literature is looked up by."""
        return type(self._of_one_matrix).__name__

    @functools.cached_property
    def own_step(self) -> float | None:
        """The largest learning rate among its parameter groups as it is made; None where a group has no `lr`."""
        rates = [group.get("lr") for group in self._of_one_matrix.param_groups]
        return None if any(rate is None for rate in rates) else max(float(rate) for rate in rates)

    @functools.cached_property
    def options(self) -> frozenset[str]:
        """The names of the entries that all its parameter groups have, such as weight_decay."""
        return frozenset.intersection(*(frozenset(group) for group in self._of_one_matrix.param_groups)) - {"params"}

    def setting(self, name: str, default: float) -> float:
        """An entry of its first parameter group that is a number, such as momentum; otherwise the default."""
        found = self._of_one_matrix.param_groups[0].get(name)
        return float(found) if isinstance(found, (int, float)) else default

    @functools.cached_property
    def _of_one_matrix(self) -> torch.optim.Optimizer:
        import torch

        with isolated(self.device):
            return self.build([torch.nn.Parameter(torch.zeros(2, 3, dtype=torch.float64, device=self.device))])

    @functools.cached_property
    def calls(self) -> Calls:
        """How `step` is called: the first way in which a few steps do not raise, tried on one small matrix.

        Without a closure before with one, and gradients without a graph before those with one. Where every way raises,
        the first: the run that follows reports the error.
        """
        closure = needs_closure(self._of_one_matrix)
        graphs = (False, True) if self.creates_graph is None else (self.creates_graph,)
        ways = [Calls(with_closure, graph) for with_closure in sorted({closure, True}) for graph in graphs]
        return next((way for way in ways if self._survives(way)), ways[0])

    def _survives(self, way: Calls) -> bool:
        import torch

        with isolated(self.device):
            weight = torch.nn.Parameter(torch.linspace(-1, 1, 6, dtype=torch.float64, device=self.device).reshape(2, 3))
            optimizer = self.build([weight])

            def closure() -> torch.Tensor:
                optimizer.zero_grad()
                with torch.enable_grad():
                    loss = (weight.square() + weight**4).sum()
                    backward(loss, [weight], way.creates_graph)
                return loss

            try:
                for _ in range(_FIRST_STEPS):
                    if way.with_closure:
                        optimizer.step(closure)
                    else:
                        closure()
                        optimizer.step()
            except RAISED:
                return False
        return True

    def steps_to_try(self) -> tuple[float | None, ...]:
        """The learning rates that a search tries, the largest first: the user's alone where one was chosen.

        Otherwise those of GRID, after the optimizer's own where that is larger (1 for L-BFGS or Adadelta). None stands
        for an optimizer without a learning rate.
        """
        own = self.own_step
        if self.has_step or own is None:
            return (own,)
        return (own, *GRID) if own > GRID[0] else GRID


def of_class(name: str, kind: type, options: Mapping[str, Any], device: str = "cpu") -> Candidate:
    """A candidate of a subclass of Optimizer, called with these options. The step is chosen if they have `lr`."""
    return Candidate(name, functools.partial(_call, kind, dict(options)), has_step="lr" in options, device=device)


def _call(kind: Callable[..., Any], options: Mapping[str, Any], parameters: list[torch.nn.Parameter]) -> Any:
    return kind(parameters, **options)


def needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """Whether `step` cannot be called without a closure, as that of L-BFGS."""
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def backward(loss: torch.Tensor, parameters: Sequence[torch.nn.Parameter], creates_graph: bool) -> None:
    """Put the gradient of the loss into `grad` of each parameter; with its graph where that is asked for.

    Then by torch.autograd.grad, which leaves no cycle of references, as `loss.backward(create_graph=True)` would.
    """
    import torch

    if not creates_graph:
        loss.backward()
        return
    gradients = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient


@functools.cache
def gradient_descent(device: str = "cpu") -> Candidate:
    """The control that stands beside every answer: plain gradient descent, torch.optim.SGD with a step to be found."""
    import torch

    return of_class("torch.optim:SGD", torch.optim.SGD, {}, device)


def one_line(error: BaseException) -> str:
    """The type and the message of an error, on one line of at most 200 characters, without colours and a last dot."""
    try:
        message = str(error)
    except Exception:
        message = "its message cannot be read"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", f"{type(error).__name__}: {message}")
    text = " ".join(plain.split()).rstrip(".")
    return text if len(text) <= 200 else text[:197] + "..."
