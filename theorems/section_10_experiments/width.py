r"""The trials of Experiment 3: two-layer networks of one width, their linearizations, and the infinitely wide kernel.

All trials of a seed train on the same images and use the same validation split: a network chooses its best step there,
a kernel its ridge. Targets are centered one-hot vectors. The loss is the mean over images of the squared distance to
them, about 9/10 at the start. The mean training image is subtracted from images, and they are scaled to one length: 1,
or sqrt(d) in the "standard" parameterization, whose weights have variance 2/d. So pre-activations are of order one in
every parameterization.

Networks are trained in float32 by heavy-ball descent at the rate eta = share/lambda. Lambda is the largest eigenvalue
of the Hessian of the loss of the linearized network, with the rates of the layers. So one share means the same in every
parameterization and at every width.

The key of a record contains the module path of the class of its trial: both classes keep their place.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.kernels.tuned_ridge import (
    BLOCK,
    RATIOS,
    bytes_of_regression,
    relu_ntk_on_device,
    require_room,
    tune_ridge,
)
from fixtures.models.fully_connected import fully_connected
from fixtures.sweeps.trials import Trial
from theorems.section_10_experiments.heavy_ball import Descent
from theorems.section_10_experiments.image_splits import SHAPES, Split, splits_of_seed
from theorems.section_10_experiments.tangent_model import own_linearization, regression_result

if TYPE_CHECKING:
    import torch

    from fixtures.sweeps.context import TrialContext


@dataclasses.dataclass(frozen=True)
class NetworkTrial(Trial):
    """One two-layer ReLU network, trained until its loss is at most `target`, and its own linearization.

    data, size, validation, test: which images, and how many in each split. width: m. cap: steps at most.
    antisymmetric: whether neurons come in pairs (w, a), (w, -a) at the start, so that f_0 = 0 (Chizat, Oyallon, Bach
    2019); for even widths. share: eta lambda at the start, where 2(1 + momentum) is the limit of stability. batch:
    images to a step, None for all. linearize: whether to do kernel regression with the network's own kernel at the
    start too, on size times classes targets. sample: images on which kernels are compared.
    """

    data: str
    size: int
    validation: int
    test: int
    parameterization: str
    width: int
    seed: int
    target: float
    cap: int
    antisymmetric: bool = True
    share: float = 0.5
    momentum: float = 0.9
    batch: int | None = None
    linearize: bool = False
    sample: int = 20
    device: str = "cpu"

    @property
    def title(self) -> str:
        """Parameterization, width, data and seed."""
        return f"{self.parameterization} network, m = {self.width}, {self.size} images of {self.data}, seed {self.seed}"

    @property
    def flop(self) -> float:
        """Floating point operations of the descent at most: products of inputs and hidden weights, three to a step."""
        return 6.0 * (self.batch or self.size) * math.prod(SHAPES[self.data]) * self.width * self.cap

    def run(self, context: TrialContext) -> dict[str, Any]:
        """Movement, kernel change, losses and accuracies; see `Descent.result`."""
        splits = splits_of_seed(
            context.images(self.data), self.size, self.validation, self.test, self.seed, self.device
        )
        descent = Descent(self, splits)
        if (saved := context.checkpoints.load()) is not None:
            descent.restore(*saved)
        while not descent.is_over:
            descent.advance()
            context.report(descent.step / self.cap, descent.loss)
            if context.checkpoints.due() and not descent.is_over:
                context.checkpoints.save(*descent.state())
        result = descent.result()
        if self.linearize:
            result["linearization"] = own_linearization(descent.start, splits, self.scale_of(splits), centered=True)
        if self.linearize and not self.antisymmetric:
            kept = own_linearization(descent.start, splits, self.scale_of(splits), centered=False)
            result["linearization_with_f0"] = kept
        return result

    def scale_of(self, splits: Split) -> float:
        """The length that inputs have in this parameterization."""
        return math.sqrt(splits.train.shape[1]) if self.parameterization == "standard" else 1.0

    def network(self, dimension: int, classes: int) -> torch.nn.Module:
        """The network at its start, in float32; a function of seed, width, parameterization and pairing."""
        import torch

        (word,) = np.random.SeedSequence([self.seed, self.width]).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(word >> 1))
        widths = (dimension, self.width, classes)
        made = fully_connected(widths, generator, parameterization=self.parameterization, dtype=torch.float32)
        if self.antisymmetric:
            first, last, half = made.layers[0].weight, made.layers[1].weight, self.width // 2
            with torch.no_grad():
                first[half:], last[:, half:] = first[:half], -last[:, :half]
        return made.to(self.device)


@dataclasses.dataclass(frozen=True)
class InfiniteKernelTrial(Trial):
    """Regression with the NTK of the infinitely wide two-layer ReLU network, the ridge tuned."""

    data: str
    size: int
    validation: int
    test: int
    seed: int
    device: str = "cpu"

    @property
    def title(self) -> str:
        """Data and seed."""
        return f"infinite kernel, {self.size} images of {self.data}, seed {self.seed}"

    @property
    def flop(self) -> float:
        """Floating point operations: a factorization to each ridge, as many as the grid begins with."""
        return len(RATIOS) * self.size**3 / 3

    def run(self, context: TrialContext) -> dict[str, Any]:
        """As `regression_result` has it. Raises TooLargeError before anything is allocated that would not fit."""
        import torch

        needed = bytes_of_regression(self.size, self.validation + self.test, math.prod(SHAPES[self.data]))
        require_room(needed, torch.device(self.device), f"kernel regression on {self.size:,} images")
        splits = splits_of_seed(
            context.images(self.data), self.size, self.validation, self.test, self.seed, self.device
        )
        K = relu_ntk_on_device(splits.train)
        validate = relu_ntk_on_device(splits.validation, splits.train)
        tuned = tune_ridge(K, splits.targets[0], lambda alpha: validate @ alpha, splits.targets[1])
        values = torch.cat(
            [relu_ntk_on_device(rows, splits.train) @ tuned.coefficients for rows in splits.test.split(BLOCK)]
        )
        return regression_result(tuned, values, splits)
