"""A measurement of rounding in torch: the inputs of every operation are perturbed a little, at random.

Model: each operation returns the exact result for inputs that are off by c u of their largest entry (normwise backward
stability). Then, to first order, the error of a computation is a sum over its operations. A run with inputs perturbed
by s u instead shows s/c times that error. It also shows a cancellation inside one operation, such as a softmax less
one, because such a result is as sensitive to its inputs. Nothing is assumed about where the cancellation is. (Parker
1997, Monte Carlo Arithmetic, perturbs the results of operations, entry by entry.)

This module imports torch, so import it inside functions.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fixtures.precision import UNIT_ROUNDOFF

STRETCH = 2.0**10
"""Inputs move by up to this many units: enough to drown the rounding itself, too little for second order to count."""


class MovedInputs(TorchDispatchMode):
    """A context in which every torch operation, also of a backward pass, sees its inputs perturbed at random.

    An entry moves by up to STRETCH units. A unit is the unit roundoff of the input's precision times the largest entry
    of the input. seed: of the perturbations. Views and operations that write in place are left alone. The global random
    state is not touched.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)
        self._places = random.Random(seed)
        self._noise = torch.empty(0, dtype=torch.float64)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: object, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation at perturbed inputs. An input that occurs twice is perturbed once."""
        kwargs = kwargs or {}
        if func.is_view or func._schema.is_mutable:  # noqa: SLF001 - torch has no public name for it
            return func(*args, **kwargs)
        moved: dict[int, torch.Tensor] = {}

        def move(argument: Any) -> Any:
            if isinstance(argument, list | tuple):
                return [move(entry) for entry in argument]
            if not isinstance(argument, torch.Tensor):
                return argument
            if id(argument) not in moved:
                moved[id(argument)] = self._moved(argument)
            return moved[id(argument)]

        return func(*move(args), **{name: move(argument) for name, argument in kwargs.items()})

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: nothing is compiled here, and to tell torch.compile so would import it, which takes 0.7 s."""
        return False

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.numel() == 0 or not (tensor.is_floating_point() or tensor.is_complex()):
            return tensor
        # Uniform numbers in [-1, 1], twice as many as the largest tensor has entries. Each input starts elsewhere.
        if 2 * tensor.numel() > len(self._noise):
            self._noise = 2 * torch.rand(2 * tensor.numel(), generator=self._generator, dtype=torch.float64) - 1
        place = self._places.randint(0, tensor.numel())
        noise = self._noise[place : place + tensor.numel()].view(tensor.shape).to(tensor)
        unit = UNIT_ROUNDOFF * torch.finfo(tensor.dtype).eps / torch.finfo(torch.float64).eps
        return torch.addcmul(tensor, noise, tensor.abs().max(), value=STRETCH * unit)
