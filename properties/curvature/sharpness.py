"""Sharpness: the largest eigenvalue of the Hessian of a loss, between two certified numbers.

Products with the Hessian are those of autograd, eager and in float64: the graph of the gradient is built once and
kept, and a product is one backward pass through it. On a network of 10,000 parameters that takes a fifth of the time of
a forward-over-reverse product (torch.func.jvp of torch.func.grad), which runs the loss anew each time. Nothing goes
through torch.compile, whose Hessians can be silently wrong (pytorch #190855).

The certificates are those of properties.curvature.lanczos, and as rigorous, for the operator that autograd computes.
How far that is from the Hessian no certificate knows. It is measured: properties.curvature.torch_rounding moves the
inputs of every operation, in the loss and in both backward passes, and the enclosure is widened by what this does to a
product, with a margin of ROUNDING_MARGIN, but by no less than PRODUCT_ROUNDING. So the enclosure is of the Hessian
under this model of rounding. It sees curvature that is lost in cancellation: the Hessian of cross-entropy is p(1 - p),
and for a margin of 30 its 1 - p has three digits in float64, and none from 37 on (log1p(exp(-margin)), written so,
keeps all of them). A Hessian that is zero because all of it cancelled is refused, and one that is zero otherwise has
sharpness zero.

What rounding leaves of the eigenvector sought limits the accuracy that can be certified from a random start: to a few
1e-5 for 10,000 parameters at a probability of 1e-9.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
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
"""Up to this many parameters the Hessian is formed, and Cholesky certifies; beyond it, a random start does."""

PRODUCT_ROUNDING = 16
"""A computed Hv is never taken to be nearer than this many units u of the largest |Hv|, |v| = 1."""

ROUNDING_MARGIN = 4
"""The rounding of Hv is taken to be this many times what is measured in one direction by one set of moves."""


class SharpnessError(ValueError):
    """A loss has no sharpness that could be certified; the message is one line that says why."""


class HessianOfLoss:
    """Products with the Hessian of loss() in its parameters, at their present values.

    loss: () -> a scalar tensor; called once, and once more by `rounding`. parameters: tensors that require grad,
    float64. The loss is taken as a function of all of them, flattened and concatenated in the order given; one that it
    does not depend on has zeros.
    Raises SharpnessError where there are no such parameters, where the loss is no scalar tensor, or where it or its
    gradient is not finite.
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
        with torch.enable_grad():
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
        image = torch.autograd.grad(self._slopes, self._parameters, weights, retain_graph=True, materialize_grads=True)
        return torch.cat([piece.reshape(-1).cpu() for piece in image]).numpy()

    def rounding(self, seed: int = 0) -> float:
        """How far a computed Hv may be from the exact one, in units of the largest |Hv|, |v| = 1; may be infinite.

        ROUNDING_MARGIN times what MovedInputs does to Hv, for v the image of a random vector, which the large
        eigenvalues dominate; at least PRODUCT_ROUNDING units. Raises UncertifiedError when Hv is not finite.
        """
        from properties.curvature.torch_rounding import STRETCH, MovedInputs

        v = np.random.default_rng(seed).standard_normal(self.size)
        direction = self(v)
        if not np.isfinite(direction).all():
            raise UncertifiedError("a product with the Hessian is not finite")
        v = direction / power_of_two(direction) if direction.any() else v
        v = v / np.linalg.norm(v)
        image = self(v)
        with MovedInputs(seed):
            try:
                error = HessianOfLoss(self._loss, self._parameters)(v) - image
            except SharpnessError:
                return math.inf
        unit = power_of_two(image)
        error, size = float(np.linalg.norm(error / unit)), float(np.linalg.norm(image / unit))
        measured = error / STRETCH
        if not measured < math.inf or measured > 0 == size:
            return math.inf
        return max(PRODUCT_ROUNDING * UNIT_ROUNDOFF, ROUNDING_MARGIN * measured / size if size else 0.0)

    def dense(self, rounding: float) -> np.ndarray:
        """The Hessian (p, p), symmetrized. Raises UncertifiedError when it was not symmetric to `rounding`."""
        H = np.stack([self(column) for column in np.eye(self.size)])
        if not np.isfinite(H).all():
            raise UncertifiedError("a product with the Hessian is not finite")
        gap, size = frobenius(H - H.T), frobenius(H)
        if gap > 2 * math.sqrt(self.size) * rounding * size:
            raise UncertifiedError(f"the Hessian computed is off symmetry by {gap / size:.1g} of its norm")
        return (H + H.T) / 2


def frobenius(H: np.ndarray) -> float:
    """|H|_F, whose squares neither under- nor overflow."""
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

    Up to DENSE parameters by Cholesky; beyond, with an upper bound that fails with at most `probability` over the start
    drawn from `seed`. Both within the measured rounding of `HessianOfLoss.rounding`. The sharpness is in units of loss
    over parameter squared. Raises SharpnessError as HessianOfLoss does, and UncertifiedError where the Hessian is not
    finite, where rounding moves it by more than `accuracy`, or where no enclosure is that narrow.
    """
    hessian = HessianOfLoss(loss, parameters)
    rounding = hessian.rounding(seed)
    # The slack of a dense Hessian is at most p times the rounding, relative to its spectral radius: half the accuracy.
    if rounding * (4 * hessian.size if hessian.size <= DENSE else 1) > accuracy:
        raise UncertifiedError(
            f"the curvature of the loss is lost in cancellation: rounding may move a product with the Hessian by "
            f"{rounding:.1g} of itself, too much for an accuracy of {accuracy:.1g}"
        )
    if hessian.size > DENSE:
        return largest_eigenvalue(
            hessian, hessian.size, rounding=rounding, seed=seed, accuracy=accuracy, probability=probability
        )
    H = hessian.dense(rounding)
    found = largest_eigenvalue_of_matrix(H, seed=seed, accuracy=accuracy)
    # Every column rounds by as much as a product, and the whole by sqrt(p) times that in the Frobenius norm.
    slack = math.sqrt(hessian.size) * rounding * frobenius(H)
    return dataclasses.replace(found, lower=found.lower - slack, upper=found.upper + slack)
