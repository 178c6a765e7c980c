"""Sharpness: the largest eigenvalue of the Hessian of a loss, between two certified numbers.

Products with the Hessian are those of autograd, eager and in float64: the graph of the gradient is built once and
kept, and a product is one backward pass through it. On a network of 10,000 parameters that takes a fifth of the time of
a forward-over-reverse product (torch.func.jvp of torch.func.grad), which runs the loss anew each time. Nothing goes
through torch.compile, whose Hessians can be silently wrong (pytorch #190855).

The certificates are those of properties.lanczos. They are about the operator that autograd computes, taken to be
within PRODUCT_ROUNDING of a symmetric one: a model of rounding, not a bound, for which a run is held to account by the
asymmetry that it measures. What rounding leaves of the eigenvector sought limits the accuracy that can be certified
from a random start: to about 1e-5 for 10,000 parameters at a probability of 1e-9.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from properties.lanczos import Enclosure, UncertifiedError, largest_eigenvalue, largest_eigenvalue_of_matrix

if TYPE_CHECKING:
    import torch

DENSE = 200
"""Up to this many parameters the Hessian is formed, and Cholesky certifies; beyond it, a random start does."""

PRODUCT_ROUNDING = 16
"""A computed Hv is taken to be within this many units u of the largest |Hv|, |v| = 1; two is what is measured."""


class SharpnessError(ValueError):
    """A loss has no sharpness that could be certified; the message is one line that says why."""


class HessianOfLoss:
    """Products with the Hessian of loss() in its parameters, at their present values.

    loss: () -> a scalar tensor; called once. parameters: tensors that require grad, float64. The loss is taken as a
    function of all of them, flattened and concatenated in the order given; one that it does not depend on has zeros.
    Raises SharpnessError where there are no such parameters, or where the loss or its gradient is not finite.
    """

    def __init__(self, loss: Callable[[], torch.Tensor], parameters: Iterable[torch.nn.Parameter]) -> None:
        import torch

        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self.size = sum(parameter.numel() for parameter in self._parameters)
        if self.size == 0:
            raise SharpnessError("the model has no parameters that require grad, so its loss has no Hessian")
        if wrong := {parameter.dtype for parameter in self._parameters} - {torch.float64}:
            raise SharpnessError(f"parameters are {wrong.pop()}, certificates need torch.float64: call model.double()")
        self._sizes = [parameter.numel() for parameter in self._parameters]
        with torch.enable_grad():
            value = loss()
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
        weights = [pieces[index].view_as(self._parameters[index]) for index in self._moving]
        image = torch.autograd.grad(self._slopes, self._parameters, weights, retain_graph=True, materialize_grads=True)
        return torch.cat([piece.reshape(-1) for piece in image]).numpy()

    def dense(self) -> np.ndarray:
        """The Hessian (p, p), symmetrized. Raises UncertifiedError when it was not symmetric to rounding."""
        H = np.stack([self(column) for column in np.eye(self.size)])
        if not np.isfinite(H).all():
            raise UncertifiedError("a product with the Hessian is not finite")
        gap, size = np.linalg.norm(H - H.T), np.linalg.norm(H)
        if gap > 2 * math.sqrt(self.size) * PRODUCT_ROUNDING * UNIT_ROUNDOFF * size:
            raise UncertifiedError(f"the Hessian computed is off symmetry by {gap / size:.1g} of its norm")
        return (H + H.T) / 2


def sharpness(
    loss: Callable[[], torch.Tensor],
    parameters: Iterable[torch.nn.Parameter],
    *,
    seed: int = 0,
    accuracy: float = 1e-4,
    probability: float = 1e-9,
) -> Enclosure:
    """Enclose lambda_max of the Hessian of loss() in its parameters, to `accuracy` of its spectral radius.

    Up to DENSE parameters for certain, by Cholesky; beyond, with an upper bound that fails with at most `probability`
    over the start drawn from `seed`. The sharpness is in units of loss over parameter squared. Raises SharpnessError as
    HessianOfLoss does, and UncertifiedError where the Hessian is not finite or no enclosure is that narrow.
    """
    hessian = HessianOfLoss(loss, parameters)
    rounding = PRODUCT_ROUNDING * UNIT_ROUNDOFF
    if hessian.size > DENSE:
        return largest_eigenvalue(
            hessian, hessian.size, rounding=rounding, seed=seed, accuracy=accuracy, probability=probability
        )
    H = hessian.dense()
    found = largest_eigenvalue_of_matrix(H, seed=seed, accuracy=accuracy)
    # Every column rounds by as much as a product, and the whole by sqrt(p) times that in the Frobenius norm.
    slack = math.sqrt(hessian.size) * rounding * float(np.linalg.norm(H))
    return dataclasses.replace(found, lower=found.lower - slack, upper=found.upper + slack)
