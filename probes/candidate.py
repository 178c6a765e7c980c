"""The optimizer that is asked: how it is made, how its step is set, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

GRID = tuple(10.0 ** (-exponent / 2) for exponent in range(2, 7))
"""The steps that a search tries, from the largest: 1e-1 down to 1e-3, two to a decade."""


class OptimizerFault(RuntimeError):
    """The optimizer cannot be asked, or fails while it runs. One line: what happened, and when."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An optimizer under question.

    name: what the user called it, such as `torch.optim:Adam`. make: a function of a list of parameters that returns a
    torch.optim.Optimizer. has_step: whether the user has chosen the learning rate; otherwise a question searches for it
    (`steps_to_try`). device: where its parameters live. creates_graph: whether it needs
    `loss.backward(create_graph=True)`, as optimizers that take Hessian-vector products do.
    """

    name: str
    make: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]
    has_step: bool = True
    device: str = "cpu"
    creates_graph: bool = False

    def build(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters, in training mode.

        Raises OptimizerFault where the factory raises or returns something else than an Optimizer.
        """
        import torch

        try:
            optimizer = self.make(list(parameters))
        except Exception as error:
            raise OptimizerFault(f"{self.name} cannot be made: {one_line(error)}") from error
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise OptimizerFault(f"{self.name} returns {type(optimizer).__name__}, which is no torch.optim.Optimizer")
        if hasattr(optimizer, "train"):
            optimizer.train()
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

    def has_entry(self, name: str) -> bool:
        """Whether every parameter group has this entry, such as weight_decay."""
        return all(name in group for group in self._of_one_matrix.param_groups)

    @functools.cached_property
    def needs_closure(self) -> bool:
        """Whether its `step` cannot be called without a closure, as that of L-BFGS."""
        return needs_closure(self._of_one_matrix)

    @functools.cached_property
    def _of_one_matrix(self) -> torch.optim.Optimizer:
        import torch

        return self.build([torch.nn.Parameter(torch.zeros(2, 3, dtype=torch.float64, device=self.device))])

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


@functools.cache
def gradient_descent(device: str = "cpu") -> Candidate:
    """The control that stands beside every answer: plain gradient descent, torch.optim.SGD with a step to be found."""
    import torch

    return of_class("torch.optim:SGD", torch.optim.SGD, {}, device)


def one_line(error: BaseException) -> str:
    """The type and the message of an error, on one line of at most 200 characters."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 200 else text[:197] + "..."
