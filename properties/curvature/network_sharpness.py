"""Sharpness of a trained network: the largest eigenvalue of the Hessian of its loss on a fixed sample of images.

What is measured
    L(w) = sum_b (n_b/n) L_b(w), the loss of a fixed sample of n images in fixed batches of n_b. Batch normalization
    takes mean and variance from the batch, as in training. So L_b and its Hessian depend on which images share a batch.
    Running statistics are neither used nor changed. All else is in evaluation mode: dropout is off. The sample is the
    beginning of a permutation drawn from the seed, so a sample of 2,000 is part of the sample of 5,000. The sizes of
    the batches differ by at most one image. Batch statistics make L a function of the batches too. For example, another
    division of the same 500 digits into two batches moved the sharpness by 2 to 6 %. Sharpness at two batch sizes
    compares two functions.

How
    Products Hv are eager double backward passes in float32. torch.compile (see properties.curvature.sharpness),
    autocast and TF32 are never used. The products are computed a batch at a time: the graph of one batch is freed
    before the next is built. The sum over batches is in float64, and so are the recurrence and the full
    re-orthogonalization of Lanczos (properties.curvature.lanczos). Keeping the graphs of all batches would save about a
    quarter of the time, but its memory grows with the sample. Backward over backward is also the accurate choice here:
    on a trained ResNet-18 of width 4 these products agree with differences of float64 gradients to 1e-6. The products
    of curvlinops, forward over reverse, are off by 1e-3 in the gains of batch normalization, in float64 too
    (torch 2.13).

What is known of the result
    `value` is the Rayleigh quotient y'Hy of the last Ritz vector y, from one more product in float64. It is a lower
    bound of the largest eigenvalue of the Hessian at these weights, up to rounding of float64.
    `residual` = |Hy - value y| in float64. SOME eigenvalue lies that near. No product says that it is the largest.
    `rounding` = |H_32 y - Hy|: the effect of float32 on a product, at the Ritz vector y of float32. It can be more than
    `accuracy` of the value, for example where negative eigenvalues are a million times as large. Then y is improved by
    products in float64, at most as many as `budget`.
    The error of the value is quadratic in the residual: it is at most residual^2/gap if the nearby eigenvalue is the
    largest one, where `gap` is the distance from the value to the next eigenvalue.
    The Hessian of a ReLU network is the Hessian of the smooth piece that the weights lie on. Kinks are no part of it:
    in that ResNet-18 the second difference of the loss along y is `value` to 1e-7 from w, and half as much again at
    1e-5.
    `christoffel` is an upper bound that the moments of the run allow. It supposes exact products, and a random start
    whose component along the leading eigenvector is not among the smallest: a share MISSED of starts have less
    (properties.curvature.lanczos).
    The run stops when two conditions hold: `christoffel` is at most `accuracy` above the largest Ritz value, in units
    of the largest Ritz modulus; and the residual of the recurrence is at most `accuracy` of the largest Ritz value
    itself, where that is positive. The run also stops when its budget is spent; `converged` says which was the case.
    This is evidence against having stopped at the second eigenvalue. It is not a certificate, because products in
    float32 are not those of any symmetric matrix.

Normalizations
    value * squared_norm (`normalized`) is unchanged when ALL parameters are multiplied by one number and the loss stays
    the same. With batch normalization the loss stays the same when each filter in front of it is rescaled by its own
    number, but not when the affine parameters or the last layer are rescaled. A leading eigenvector has parts in all of
    them. So this product is invariant under no rescaling of the filters alone, not even by one number. It is a
    convention.
    With D = diag|w| the largest eigenvalue of DHD (`scale_invariant`) is invariant where L(Cw) = L(w) for all w and one
    positive diagonal C: then H(Cw) = C^-1 H(w) C^-1 and |Cw| = C|w|. This covers filters in front of a batch
    normalization, up to its eps, and units of a ReLU network (Dinh, Pascanu, Bengio, Bengio 2017, Sharp Minima Can
    Generalize For Deep Nets; the normalization is that of Kwon, Kim, Park, Choi 2021, ASAM). DHD is the Hessian in
    relative coordinates w_i (1 + s_i). Parameters that are zero do not take part in it. Where H has a positive
    eigenvalue, the largest eigenvalue of DHD is at most that of H times max w_i^2.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from fixtures.training.losses import mean_loss
from properties.curvature.lanczos import Krylov, UncertifiedError, christoffel_upper, least_component
from properties.curvature.sharpness import SharpnessError, twice_differentiable

if TYPE_CHECKING:
    import torch

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

EXHAUSTED = 2.0**-20
"""A coupling this small, beside the largest Ritz modulus, is rounding of float32: the Krylov space is invariant."""

MISSED = 1e-2
"""The share of random starts that have less of the leading eigenvector than the Christoffel bound supposes."""


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An estimate of the largest eigenvalue from a few products; the module docstring says what is known of it.

    value, residual, rounding, christoffel: in units of the operator. christoffel is None where nothing is excluded.
    products: the number of products in float32. One product in float64 is added, and `refining` more where float32 was
    too coarse.
    """

    value: float
    residual: float
    rounding: float
    christoffel: float | None
    converged: bool
    products: int
    refining: int


@dataclasses.dataclass(frozen=True)
class LargeSharpness(Estimate):
    """The sharpness of a network on a sample: an estimate for the Hessian, with its setting.

    squared_norm: |w|^2 of the parameters that require grad.
    loss: the loss on the sample.
    batch: the largest batch allowed.
    sample: the number of images.
    scale_invariant: the largest eigenvalue of diag|w| H diag|w|, in units of the loss; None if not asked for.
    relative: the estimate behind `scale_invariant`; None if not asked for.
    """

    squared_norm: float
    loss: float
    batch: int
    sample: int
    scale_invariant: float | None
    relative: Estimate | None

    @property
    def normalized(self) -> float:
        """The largest eigenvalue times |w|^2, in units of the loss."""
        return self.value * self.squared_norm


def fixed_batches(images: int, *, sample: int, batch: int, seed: int) -> list[np.ndarray]:
    """The indices of each batch: the first `sample` of a permutation of all images, in as few batches as possible.

    The sizes of the batches differ by at most one. Raises SharpnessError for a sample larger than the images or below
    one, and for a batch size below one.
    """
    if not 1 <= sample <= images:
        raise SharpnessError(f"a sample of {sample} cannot be drawn from {images} images")
    if batch < 1:
        raise SharpnessError(f"a batch of {batch} images is none: ask for one or more")
    chosen = np.random.default_rng(seed).permutation(images)[:sample]
    return np.array_split(chosen, -(-sample // batch))


class BatchedHessian:
    """Products with the Hessian of the loss of all batches, in one precision. The model is not changed.

    model: in any mode, on any device.
    inputs (n, ...), labels (n,): moved to this device.
    loss: a mean over the images of a batch.
    batches: the indices of each batch.
    dtype: of the weights, the inputs and all computations with them.

    The variables are the parameters that require grad, flattened and concatenated in the order of the model; `size` is
    their number. They are copied, so the gradients of the model stay unchanged.
    Raises SharpnessError for a compiled model, for a model without such parameters or with parameters below float32,
    and for batches of one image where there is batch normalization.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        inputs: torch.Tensor,
        labels: torch.Tensor,
        loss: Loss,
        batches: list[np.ndarray],
        dtype: torch.dtype,
    ) -> None:
        import torch

        if hasattr(model, "_orig_mod") or any(part._compiled_call_impl for part in model.modules()):  # noqa: SLF001
            raise SharpnessError("the model is compiled, and compiled Hessians can be wrong: give the eager model")
        parameters = {name: each for name, each in model.named_parameters() if each.requires_grad}
        if not parameters:
            raise SharpnessError("the model has no parameters that require grad, so its loss has no Hessian")
        if wrong := {each.dtype for each in parameters.values()} - {torch.float32, torch.float64}:
            raise SharpnessError(f"parameters are {wrong.pop()}, curvature needs torch.float32: call model.float()")
        if min(map(len, batches)) == 1 and any(map(_normalizes_batches, model.modules())):
            raise SharpnessError("a batch of one image has no variance to normalize by: ask for a larger batch")
        self._model, self._loss = model, loss
        self._weights = {name: each.detach().to(dtype).requires_grad_() for name, each in parameters.items()}
        self._rest = {
            name: each.detach().to(dtype) if each.is_floating_point() else each
            for name, each in (*model.named_parameters(), *model.named_buffers())
            if name not in parameters
        }
        self._device = next(iter(parameters.values())).device
        indices = [torch.from_numpy(batch) for batch in batches]
        self._batches = [
            (inputs[each.to(inputs.device)].to(self._device, dtype), labels[each.to(labels.device)].to(self._device))
            for each in indices
        ]
        self._images = sum(map(len, batches))
        self._sizes = [each.numel() for each in parameters.values()]
        self.size = sum(self._sizes)

    def _share(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of one batch times its share of the images.

        Running statistics are updated in a copy, and the copy is discarded.
        """
        import torch

        rest = {name: each.clone() for name, each in self._rest.items()}
        outputs = torch.func.functional_call(self._model, {**self._weights, **rest}, (inputs,))
        return self._loss(outputs, labels) * (len(labels) / self._images)

    def value(self) -> float:
        """The loss on the sample."""
        import torch

        with _by_batch_statistics(self._model, self._device), torch.no_grad():
            return math.fsum(float(self._share(*batch)) for batch in self._batches)

    def weights(self) -> np.ndarray:
        """The parameters (p,), float64."""
        return _flat(self._weights.values()).cpu().numpy()

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Hv, (p,) float64, for v (p,) float64."""
        import torch

        weights = list(self._weights.values())
        pieces = torch.from_numpy(v).to(self._device, weights[0].dtype).split(self._sizes)
        direction = [piece.view_as(weight) for piece, weight in zip(pieces, weights, strict=True)]
        total = torch.zeros(self.size, dtype=torch.float64, device=self._device)
        with _by_batch_statistics(self._model, self._device), twice_differentiable():
            for batch in self._batches:
                total += self._image(batch, direction)
        return total.cpu().numpy()

    def _image(self, batch: tuple[torch.Tensor, torch.Tensor], direction: list[torch.Tensor]) -> torch.Tensor:
        """The contribution of one batch to Hv, (p,) float64. Its graph is freed when the call ends."""
        import torch

        weights = list(self._weights.values())
        slopes = torch.autograd.grad(self._share(*batch), weights, create_graph=True, materialize_grads=True)
        # A slope without a graph is constant in the parameters: it adds nothing.
        moving = [index for index, slope in enumerate(slopes) if slope.requires_grad]
        if not moving:
            return torch.zeros(self.size, dtype=torch.float64, device=self._device)
        slopes, direction = [slopes[index] for index in moving], [direction[index] for index in moving]
        return _flat(torch.autograd.grad(slopes, weights, direction, materialize_grads=True))


def _flat(tensors: Iterable[torch.Tensor]) -> torch.Tensor:
    """The tensors as one vector in float64."""
    import torch

    return torch.cat([each.detach().reshape(-1).double() for each in tensors])


def _normalizes_batches(part: torch.nn.Module) -> bool:
    """Whether a module is a batch normalization."""
    from torch.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, SyncBatchNorm

    return isinstance(part, (BatchNorm1d, BatchNorm2d, BatchNorm3d, SyncBatchNorm))


@contextmanager
def _by_batch_statistics(model: torch.nn.Module, device: torch.device) -> Iterator[None]:
    """A context: batch normalization in training mode, all else in evaluation mode; no autocast, TF32 or bfloat16.

    At the end, the modes of the model and the settings of torch are restored.
    """
    import torch

    modes = [(part, part.training) for part in model.modules()]
    settings = torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.mkldnn.matmul
    settings = *settings, torch.backends.mkldnn.conv
    precisions = [setting.fp32_precision for setting in settings]
    try:
        for part, _ in modes:
            part.training = _normalizes_batches(part)
        for setting in settings:
            setting.fp32_precision = "ieee"
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for part, training in modes:
            part.training = training
        for setting, precision in zip(settings, precisions, strict=True):
            setting.fp32_precision = precision


def _largest(
    single: Callable[[np.ndarray], np.ndarray],
    double: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    accuracy: float,
    budget: int,
) -> Estimate:
    """Lanczos on products in float32 from a start (p,), and one product in float64 with the last Ritz vector.

    If this product shows that float32 is too coarse for the accuracy, Lanczos goes on in float64 from that vector.
    Raises UncertifiedError when a product is not finite.
    """
    run = Krylov(single, start, 0.0)
    component = least_component(len(start), MISSED)
    converged = False
    while not converged and len(run.a) < min(budget, len(start)):
        run.extend()
        low, theta = run.ends()
        reach = max(abs(low), abs(theta))
        converged = run.b[-1] <= EXHAUSTED * reach
        if not converged and run.excludes(theta + accuracy * reach, component):
            y, expected = run.ritz_vector()
            scale = theta if theta > EXHAUSTED * reach else reach
            converged = float(np.linalg.norm(expected - theta * y)) <= accuracy * scale
    y, expected = run.ritz_vector()
    image = double(y)
    value = float(y @ image)
    if not math.isfinite(value):
        raise UncertifiedError("the product of the operator with a vector is not finite")
    rounding = float(np.linalg.norm(image - expected))
    refined = Krylov(double, y, 0.0)
    while rounding > accuracy * value > 0 and np.linalg.norm(image - value * y) > accuracy * value:
        if len(refined.a) >= min(budget, len(start)):
            converged = False
            break
        refined.extend()
        y, image = refined.ritz_vector()
        value = float(y @ image)
    upper = christoffel_upper(run, component)
    return Estimate(
        value=value,
        residual=float(np.linalg.norm(image - value * y)),
        rounding=rounding,
        christoffel=upper if math.isfinite(upper) else None,
        converged=converged,
        products=len(run.a),
        refining=len(refined.a),
    )


def network_sharpness(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    *,
    loss: str | Loss,
    batch: int,
    sample: int | None = None,
    seed: int = 0,
    accuracy: float = 1e-2,
    budget: int = 40,
    scale_invariant: bool = False,
) -> LargeSharpness:
    """The sharpness of a network on a sample of its training images; the model is left exactly as it was.

    inputs (n, ...), labels (n,): as the loss takes them, normalized, not augmented.
    loss: a name that fixtures.training.losses knows, or a function of the outputs and labels of a batch that is a mean
        over its images.
    batch: the largest number of images that share their batch statistics.
    sample: the number of images, all by default.
    seed: of the sample and of the start.
    accuracy: when a run stops; see the module docstring.
    budget: the largest number of products in float32, for each eigenvalue.
    scale_invariant: whether to run for diag|w| H diag|w| as well, which doubles the time.

    The same arguments give the same result, bit for bit, on a CPU with a fixed number of threads. Raises TrainingError
    for an unknown name of a loss. Raises SharpnessError (one line) for arguments that make no sense, for a model that
    is compiled, has no parameters that require grad or is below float32, and for a loss that is not finite. Raises
    UncertifiedError when a product is not finite.
    """
    import torch

    if not (0 < accuracy < 1 and budget >= 1):
        raise SharpnessError(f"accuracy {accuracy:g} is not inside (0, 1), or a budget of {budget} products is none")
    if len(inputs) != len(labels):
        raise SharpnessError(f"there are {len(inputs)} inputs and {len(labels)} labels")
    sample = len(inputs) if sample is None else sample
    batches = fixed_batches(len(inputs), sample=sample, batch=batch, seed=seed)
    function = functools.partial(mean_loss, loss) if isinstance(loss, str) else loss
    single, double = (
        BatchedHessian(model, inputs, labels, function, batches, dtype) for dtype in (torch.float32, torch.float64)
    )
    value = double.value()
    if not math.isfinite(value):
        raise SharpnessError(f"the loss is {value:g}, and only a finite one has a Hessian: the training has diverged")
    start = np.random.default_rng([seed, 1]).standard_normal(single.size)
    found = _largest(single, double, start, accuracy, budget)
    weights = double.weights()
    relative = None
    if scale_invariant:
        size = np.abs(weights)
        relative = _largest(
            lambda v: size * single(size * v), lambda v: size * double(size * v), start, accuracy, budget
        )
    return LargeSharpness(
        **vars(found),
        squared_norm=float(weights @ weights),
        loss=value,
        batch=batch,
        sample=sample,
        scale_invariant=relative.value if relative else None,
        relative=relative,
    )
