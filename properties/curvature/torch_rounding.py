"""A measurement of rounding in torch: the inputs of every operation are perturbed a little, at random.

Model: each operation returns the exact result for inputs that are off by c u of their largest entry (normwise backward
stability). Then, to first order, the error of a computation is a sum over its operations. A run with inputs perturbed
by s u instead shows s/c times that error. It also shows a cancellation inside one operation, such as a softmax less
one, because such a result is as sensitive to its inputs. Nothing is assumed about where the cancellation is. (Parker
1997, Monte Carlo Arithmetic, perturbs the results of operations, entry by entry.)

Two kinds of operations are treated apart, so that the perturbation stays on the smooth piece of the function. An
operation that copies, selects or compares (relu, its backward pass, a maximum, a gather) does not round, so its inputs
are not moved. A saved input of such an operation is a mask or an index: a moved zero would cross the kink. In sums and
products an entry that is zero contributes no rounding, so zeros are not moved there. So what is exactly zero, such as
the border of an image and the inactive units of a ReLU, stays exactly zero in later layers.

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

_COPIES = """
    relu threshold threshold_backward hardtanh hardtanh_backward clamp clamp_min clamp_max maximum minimum
    hardshrink hardshrink_backward softshrink_backward
    max min amax amin max_pool2d_with_indices max_pool3d_with_indices adaptive_max_pool2d adaptive_max_pool3d
    fractional_max_pool2d fractional_max_pool3d max_unpool2d max_unpool3d sort topk kthvalue median cummax cummin
    where masked_fill gather index index_select cat stack constant_pad_nd clone neg abs sign sgn floor ceil round
    eq ne lt le gt ge
"""
EXACT = frozenset(_COPIES.split())
"""Operations whose results are copies of input entries up to a sign, masks or indices."""

_SUMS_AND_PRODUCTS = """
    add sub mul div sum mean mm bmm addmm baddbmm addmv mv dot convolution convolution_backward
    avg_pool2d avg_pool3d avg_pool2d_backward avg_pool3d_backward _adaptive_avg_pool2d _adaptive_avg_pool3d
    _adaptive_avg_pool2d_backward _adaptive_avg_pool3d_backward
    leaky_relu leaky_relu_backward _prelu_kernel _prelu_kernel_backward softshrink elu elu_backward celu
    rrelu_with_noise_backward
"""
MULTILINEAR = frozenset(_SUMS_AND_PRODUCTS.split())
"""Sums, products, and activations with a kink at zero: an input entry that is zero contributes no rounding."""


class MovedInputs(TorchDispatchMode):
    """A context in which every torch operation, also of a backward pass, sees its inputs perturbed at random.

    An entry moves by up to STRETCH units. A unit is the unit roundoff of the input's precision times the largest entry
    of the input. seed: of the perturbations. Views, operations that write in place, and operations named in EXACT are
    left alone. Zeros stay zero in the operations named in MULTILINEAR. The global random state is not touched.
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
        name = func.overloadpacket.__name__
        if func.is_view or func._schema.is_mutable or name in EXACT:  # noqa: SLF001 - torch has no public name for it
            return func(*args, **kwargs)
        zeros_stay = name in MULTILINEAR
        moved: dict[int, torch.Tensor] = {}

        def move(argument: Any) -> Any:
            if isinstance(argument, list | tuple):
                return [move(entry) for entry in argument]
            if not isinstance(argument, torch.Tensor):
                return argument
            if id(argument) not in moved:
                moved[id(argument)] = self._moved(argument, zeros_stay)
            return moved[id(argument)]

        return func(*move(args), **{name: move(argument) for name, argument in kwargs.items()})

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Return False: nothing is compiled here, and to tell torch.compile so would import it, which takes 0.7 s."""
        return False

    def _moved(self, tensor: torch.Tensor, zeros_stay: bool) -> torch.Tensor:
        if tensor.numel() == 0 or not (tensor.is_floating_point() or tensor.is_complex()):
            return tensor
        # Uniform numbers in [-1, 1], twice as many as the largest tensor has entries. Each input starts elsewhere.
        if 2 * tensor.numel() > len(self._noise):
            self._noise = 2 * torch.rand(2 * tensor.numel(), generator=self._generator, dtype=torch.float64) - 1
        place = self._places.randint(0, tensor.numel())
        noise = self._noise[place : place + tensor.numel()].view(tensor.shape).to(tensor)
        unit = UNIT_ROUNDOFF * torch.finfo(tensor.dtype).eps / torch.finfo(torch.float64).eps
        noise = noise * (tensor != 0) if zeros_stay else noise
        return torch.addcmul(tensor, noise, tensor.abs().max(), value=STRETCH * unit)
