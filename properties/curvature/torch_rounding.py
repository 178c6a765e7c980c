"""Rounding of a computation in torch, measured: what every operation takes in is moved by a little, at random.

If each operation is the exact one at inputs that are off by c u of their largest entry (it is stable, as a normwise
backward error has it), then to first order the computation is off by a sum over its operations, and a run with inputs
off by s u instead shows s/c times as much. It shows too what an operation hides that cancels within itself, a softmax
less one, because that is as sensitive to its inputs. Nothing is assumed of where the cancellation is. (Parker 1997,
Monte Carlo Arithmetic, moves what operations return, entry by entry.)

Imports torch: to be imported inside functions.
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
    """Within it every operation of torch, backward passes included, sees inputs moved by STRETCH units at random.

    A unit is that of the precision of the input, times its largest entry. seed: of the moves. Views, and operations
    that write in place, are left alone. The global random state is not touched.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)
        self._places = random.Random(seed)
        self._noise = torch.empty(0, dtype=torch.float64)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: object, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """The operation at moved inputs; an input that it takes twice moves once."""
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
        """False: nothing is compiled here, and to say so to torch.compile would import it, 0.7 s."""
        return False

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.numel() == 0 or not (tensor.is_floating_point() or tensor.is_complex()):
            return tensor
        # Uniform numbers in [-1, 1], twice as many as the largest tensor has; each input reads from another place.
        if 2 * tensor.numel() > len(self._noise):
            self._noise = 2 * torch.rand(2 * tensor.numel(), generator=self._generator, dtype=torch.float64) - 1
        place = self._places.randint(0, tensor.numel())
        noise = self._noise[place : place + tensor.numel()].view(tensor.shape).to(tensor)
        unit = UNIT_ROUNDOFF * torch.finfo(tensor.dtype).eps / torch.finfo(torch.float64).eps
        return torch.addcmul(tensor, noise, tensor.abs().max(), value=STRETCH * unit)
