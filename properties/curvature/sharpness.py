"""Sharpness: the largest eigenvalue of the Hessian of a loss, between two certified numbers.

Products with the Hessian are computed by autograd, eager and in float64. The graph of the gradient is built once and
kept, and a product is one backward pass through it. On a network of 10,000 parameters this takes a fifth of the time of
a forward-over-reverse product (torch.func.jvp of torch.func.grad), which evaluates the loss anew each time.
torch.compile is never used, because its Hessians can be silently wrong (pytorch #190855).

The certificates are those of properties.curvature.lanczos. They are equally rigorous, but for the operator that
autograd computes. No certificate knows how far this operator is from the Hessian. So the distance is measured:
properties.curvature.torch_rounding perturbs the inputs of every operation, in the loss and in both backward passes. The
enclosure is widened by ROUNDING_MARGIN times the effect on a product, and at least by PRODUCT_ROUNDING. So the
enclosure contains the sharpness of the Hessian under this model of rounding.

The model sees curvature that is lost in cancellation. Example: the Hessian of cross-entropy is p(1 - p). At a margin of
30, 1 - p has three digits in float64, and from 37 on it has none. (log1p(exp(-margin)), written in this form, keeps all
digits.) A Hessian that is zero because all of it cancelled is refused. A Hessian that is zero for another reason has
sharpness zero.

At a kink (of ReLU, a maximum, a clamp) the Hessian is that of the smooth piece that autograd chooses. The perturbation
keeps exact zeros, so inactive units and zero inputs stay on that piece. Where it crosses another kink, the loss is
refused as one with cancellation is. A loss that draws random numbers has no Hessian: it is told from cancellation by a
second, unperturbed evaluation. Attention uses torch's plain ("math") kernel, because the fused ones have no second
derivative.

Rounding limits the accuracy that can be certified from a random start, because it hides part of the eigenvector. The
limit is a few 1e-5 for 10,000 parameters at a probability of 1e-9.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from properties.curvature.lanczos import (
    Enclosure,
    UncertifiedError,
    largest_eigenvalue,
    largest_eigenvalue_of_matrix,
    power_of_two,
)

if TYPE_CHECKING:
    import torch

DENSE = 200
"""Up to this many parameters the Hessian is formed, and Cholesky certifies. Beyond, a random start does."""

PRODUCT_ROUNDING = 16
"""The error of a computed Hv is taken to be at least this many units u of the largest |Hv|, |v| = 1."""

ROUNDING_MARGIN = 4
"""The rounding of Hv is taken to be this many times the value measured in one direction, with one perturbation."""


class SharpnessError(ValueError):
    """The sharpness of a loss cannot be certified; the message is one line that says why."""


@contextmanager
def twice_differentiable() -> Iterator[None]:
    """A context in which gradients are recorded, and attention uses the kernel that has a second derivative.

    Raises SharpnessError, in place of torch's RuntimeError, where an operation has no second derivative in torch.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    try:
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            yield
    except RuntimeError as error:
        lacking = re.match(r"derivative for (?:aten::)?(\w+) is not implemented", str(error))
        if lacking is None:
            raise
        raise SharpnessError(
            f"torch has no derivative of {lacking[1]}, so a loss with it has no Hessian here"
        ) from None


class HessianOfLoss:
    """Products with the Hessian of loss() in its parameters, at their present values.

    loss: () -> a scalar tensor; called once, and twice more by `rounding`. parameters: float64 tensors; those that
    require grad are the variables. The loss is a function of all of them, flattened and concatenated in the order
    given. A parameter that the loss does not depend on has zeros in the Hessian.
    Raises SharpnessError if there are no such parameters, if the loss is not a scalar tensor, if the loss or its
    gradient is not finite, and where torch has no derivative of an operation.
    """

    def __init__(self, loss: Callable[[], torch.Tensor], parameters: Iterable[torch.nn.Parameter]) -> None:
        import torch

        self._loss = loss
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.size = sum(parameter.numel() for parameter in self._parameters)
        if self.size == 0:
            raise SharpnessError("the model has no parameters that require grad, so its loss has no Hessian")
        if wrong := {parameter.dtype for parameter in self._parameters} - {torch.float64}:
            raise SharpnessError(f"parameters are {wrong.pop()}, certificates need torch.float64: call model.double()")
        self._sizes = [parameter.numel() for parameter in self._parameters]
        with twice_differentiable():
            value = loss()
            if not isinstance(value, torch.Tensor) or value.numel() != 1:
                raise SharpnessError("the loss is not a tensor with one entry")
            if not torch.isfinite(value).all():
                raise SharpnessError(f"the loss is {value.item():g}, and only a finite one has a Hessian")
            if not value.requires_grad:
                raise SharpnessError("the loss does not depend on the parameters that require grad")
            slopes = torch.autograd.grad(value, self._parameters, create_graph=True, materialize_grads=True)
        if not all(torch.isfinite(slope).all() for slope in slopes):
            raise SharpnessError(f"the gradient is not finite at a loss of {value.item():g}")
        # A slope without a graph is constant in the parameters: it adds nothing to a product.
        moving = [index for index, slope in enumerate(slopes) if slope.requires_grad]
        self._slopes, self._moving = [slopes[index] for index in moving], moving

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Hv, (p,), for v (p,)."""
        import torch

        if not self._slopes:
            return np.zeros(self.size)
        pieces = torch.from_numpy(v).split(self._sizes)
        moving = [(pieces[index], self._parameters[index]) for index in self._moving]
        weights = [piece.to(parameter.device).view_as(parameter) for piece, parameter in moving]
        with twice_differentiable():
            image = torch.autograd.grad(
                self._slopes, self._parameters, weights, retain_graph=True, materialize_grads=True
            )
        return torch.cat([piece.reshape(-1).cpu() for piece in image]).numpy()

    def rounding(self, seed: int = 0) -> float:
        """How far a computed Hv is taken to be from the exact one, in units of the largest |Hv|, |v| = 1; may be inf.

        It is ROUNDING_MARGIN times the effect of MovedInputs on Hv, and at least PRODUCT_ROUNDING units. v is the image
        of a random vector under H, so the large eigenvalues dominate it. Raises UncertifiedError when Hv is not finite,
        and SharpnessError when the loss is random: it leaves torch's generator in another state the second time, or
        without any perturbation Hv moves by more than the rounding.
        """
        from properties.curvature.torch_rounding import STRETCH, MovedInputs

        v = np.random.default_rng(seed).standard_normal(self.size)
        direction = self(v)
        if not np.isfinite(direction).all():
            raise UncertifiedError("a product with the Hessian is not finite")
        v = direction / power_of_two(direction) if direction.any() else v
        v = v / np.linalg.norm(v)
        image = self(v)
        again, state = self._evaluated_again(v)
        with MovedInputs(seed):
            try:
                moved, next_state = self._evaluated_again(v)
            except SharpnessError:
                moved, next_state = np.full(self.size, math.inf), state
        unit = power_of_two(image)
        error, repeat, size = (float(np.linalg.norm(each / unit)) for each in (moved - image, again - image, image))
        measured = error / STRETCH
        finite = measured < math.inf and not measured > 0 == size
        found = max(PRODUCT_ROUNDING * UNIT_ROUNDOFF, ROUNDING_MARGIN * measured / size if size else 0.0)
        found = found if finite else math.inf
        if state != next_state or repeat > found * size:
            raise SharpnessError(
                "the loss is random: it draws other numbers in each call, so it has no Hessian. Turn dropout off "
                "(model.eval()), and draw batches before the loss"
            )
        return found

    def _evaluated_again(self, v: np.ndarray) -> tuple[np.ndarray, bytes]:
        """Hv of the loss evaluated anew, and the state in which this leaves torch's random generators."""
        import torch

        image = HessianOfLoss(self._loss, self._parameters)(v)
        states = [torch.get_rng_state()]
        states += [torch.cuda.get_rng_state(device) for device in {p.device for p in self._parameters if p.is_cuda}]
        return image, b"".join(state.numpy().tobytes() for state in states)

    def dense(self, rounding: float) -> np.ndarray:
        """The Hessian (p, p), symmetrized. Raises UncertifiedError when it is not symmetric to `rounding`."""
        H = np.stack([self(column) for column in np.eye(self.size)])
        if not np.isfinite(H).all():
            raise UncertifiedError("a product with the Hessian is not finite")
        gap, size = frobenius(H - H.T), frobenius(H)
        if gap > 2 * math.sqrt(self.size) * rounding * size:
            raise UncertifiedError(f"the Hessian computed is off symmetry by {gap / size:.1g} of its norm")
        return (H + H.T) / 2


def frobenius(H: np.ndarray) -> float:
    """|H|_F, computed so that the squares neither under- nor overflow."""
    unit = power_of_two(H)
    return float(np.linalg.norm(H / unit)) * unit


def sharpness(
    loss: Callable[[], torch.Tensor],
    parameters: Iterable[torch.nn.Parameter],
    *,
    seed: int = 0,
    accuracy: float = 1e-4,
    probability: float = 1e-9,
) -> Enclosure:
    """Enclose lambda_max of the Hessian of loss() in its parameters, to `accuracy` of its spectral radius.

    Up to DENSE parameters Cholesky certifies the enclosure. Beyond, the upper bound fails with probability at most
    `probability` over the start drawn from `seed`. Both hold within the measured rounding of `HessianOfLoss.rounding`.
    The sharpness has the unit of loss over parameter squared. Raises SharpnessError as HessianOfLoss and its `rounding`
    do. Raises UncertifiedError if the Hessian is not finite, if rounding moves it by more than `accuracy`, or if no
    enclosure is narrow enough.
    """
    hessian = HessianOfLoss(loss, parameters)
    rounding = hessian.rounding(seed)
    # The slack of a dense Hessian is at most p times the rounding, relative to its spectral radius. Half the accuracy.
    if rounding * (4 * hessian.size if hessian.size <= DENSE else 1) > accuracy:
        raise UncertifiedError(
            f"the curvature of the loss is lost in cancellation, or a kink lies within rounding: rounding may move a "
            f"product with the Hessian by {rounding:.1g} of itself, too much for an accuracy of {accuracy:.1g}"
        )
    if hessian.size > DENSE:
        return largest_eigenvalue(
            hessian, hessian.size, rounding=rounding, seed=seed, accuracy=accuracy, probability=probability
        )
    H = hessian.dense(rounding)
    found = largest_eigenvalue_of_matrix(H, seed=seed, accuracy=accuracy)
    # Each column rounds as a product does, so the matrix rounds by sqrt(p) times that, in the Frobenius norm.
    slack = math.sqrt(hessian.size) * rounding * frobenius(H)
    return dataclasses.replace(found, lower=found.lower - slack, upper=found.upper + slack)
