r"""The trials of Experiment 3: two-layer networks of one width, their linearizations, and the infinitely wide kernel.

All train on the same images of a seed and choose on the same validation split: a network its best step, a kernel its
ridge. Targets are centered one-hot vectors, the loss is the mean over images of the squared distance to them, about
9/10 at the start. Images have the mean training image subtracted and are scaled to one length: 1, or sqrt(d) in the
"standard" parameterization, whose weights have variance 2/d; so pre-activations are of order one in every one of them.

Networks are trained in float32 by heavy-ball descent at the rate eta = share/lambda, lambda being the largest
eigenvalue of the Hessian of the loss's tangent part at the start, with the rates of the layers. This is what makes
one share mean the same in every parameterization and at every width.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.kernels.empirical import empirical_ntk_of_all_outputs
from fixtures.kernels.tuned_ridge import (
    BLOCK,
    RATIOS,
    TunedRidge,
    bytes_of_regression,
    centered_one_hot,
    relu_ntk_on_device,
    require_room,
    tune_ridge,
)
from fixtures.models.fully_connected import fully_connected, linearized, rate_scales
from fixtures.sweeps.trials import Trial
from fixtures.training.answers import pack_answers

if TYPE_CHECKING:
    import torch

    from fixtures.datasets.images import Images
    from fixtures.sweeps.context import TrialContext

CHECK = 20
"""Steps between looks at the validation split."""

DIVERGED = 100.0
"""A loss this many times the one at the start, or one that is no number, is divergence."""

SHAPES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "cifar10": (3, 32, 32)}

POWER_STEPS, POWER_ROWS = 12, 200


@dataclasses.dataclass(frozen=True)
class Split:
    """Rows of unit length and targets of the three splits, float64 on a device.

    train (n, d), validation (v, d), test (t, d); wanted: centered one-hot targets of each, (., k).
    """

    train: torch.Tensor
    validation: torch.Tensor
    test: torch.Tensor
    wanted: tuple[torch.Tensor, torch.Tensor, torch.Tensor]

    @property
    def classes(self) -> int:
        """How many there are, k."""
        return self.wanted[0].shape[1]


def split(images: Images, size: int, validation: int, test: int, seed: int, device: str) -> Split:
    """The splits of a seed: training and validation images drawn from the training pool, the first test images.

    Raises ValueError where the pool is too small.
    """
    import torch

    if size + validation > len(images.train) or test > len(images.test):
        raise ValueError(
            f"{images.name} has {len(images.train)} + {len(images.test)} images, "
            f"and {size} + {validation} + {test} are asked for"
        )
    chosen = np.random.default_rng([seed, size]).permutation(len(images.train))[: size + validation]
    pixels = np.concatenate([images.train[chosen], images.test[:test]])
    rows = pixels.reshape(len(pixels), -1) / images.peak
    rows -= rows[:size].mean(0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.concatenate([images.train_labels[chosen], images.test_labels[:test]])
    parts = [
        torch.as_tensor(array, device=device).split([size, validation, test])
        for array in (rows, centered_one_hot(labels, images.classes))
    ]
    return Split(*parts[0], parts[1])


def accuracy(values: torch.Tensor, wanted: torch.Tensor) -> float:
    """The share of rows whose largest value is at the label."""
    return (values.argmax(1) == wanted.argmax(1)).double().mean().item()


def wrong_answers(values: torch.Tensor, wanted: torch.Tensor) -> str:
    """The rows whose largest value is elsewhere, as fixtures.training.answers writes them."""
    return pack_answers((values.argmax(1) != wanted.argmax(1)).cpu().numpy())


@dataclasses.dataclass(frozen=True)
class NetworkTrial(Trial):
    """One two-layer ReLU network, trained until its loss is at most `target`, and its own linearization.

    data, size, validation, test: which images, and how many in each split. width: m. cap: steps at most.
    antisymmetric: whether neurons come in pairs (w, a), (w, -a) at the start, so that f_0 = 0 (Chizat, Oyallon, Bach
    2019); for even widths. share: eta lambda at the start, where 2(1 + momentum) is the limit of stability. batch:
    images to a step, None for all. linearize: whether kernel regression with the network's own kernel at the start is
    done too, on size times classes targets. sample: images on which kernels are compared.
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
        """Movement, kernel change, losses and accuracies; see `_Descent.result`."""
        parts = split(context.images(self.data), self.size, self.validation, self.test, self.seed, self.device)
        descent = _Descent(self, parts)
        if (saved := context.checkpoints.load()) is not None:
            descent.restore(*saved)
        while not descent.over:
            descent.advance()
            context.report(descent.step / self.cap, descent.loss)
            if context.checkpoints.due() and not descent.over:
                context.checkpoints.save(*descent.state())
        result = descent.result()
        if self.linearize:
            result["linearization"] = own_linearization(descent.start, parts, self.scale_of(parts), centered=True)
        if self.linearize and not self.antisymmetric:
            kept = own_linearization(descent.start, parts, self.scale_of(parts), centered=False)
            result["linearization_with_f0"] = kept
        return result

    def scale_of(self, parts: Split) -> float:
        """The length that inputs have in this parameterization."""
        return math.sqrt(parts.train.shape[1]) if self.parameterization == "standard" else 1.0

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


class _Descent:
    """Heavy-ball descent of one network, in stretches of CHECK steps, with all its state in reach.

    Descent moves hidden weights in the span of the training images only. With fewer images than pixels it is the
    same descent in an orthonormal basis of that span, in which a step takes n m n operations and not n m d; what the
    rest of the weights add to pre-activations elsewhere never changes, and is held in `offsets`.
    """

    def __init__(self, trial: NetworkTrial, parts: Split) -> None:
        import torch

        self.trial, self.parts = trial, parts
        self.start = trial.network(parts.train.shape[1], parts.classes)
        few = len(parts.train) < parts.train.shape[1]
        basis = torch.linalg.qr(parts.train.mT).Q if few else torch.eye(parts.train.shape[1]).to(parts.train)
        rows = [trial.scale_of(parts) * rows for rows in (parts.train, parts.validation, parts.test)]
        self.inputs = [(own @ basis).float() for own in rows]
        self.wanted = [wanted.float() for wanted in parts.wanted]
        # of the same scales: these depend on the width alone
        self.reduced, self.network = (trial.network(basis.shape[1], parts.classes) for _ in range(2))
        with torch.no_grad():
            first, last = self.start.layers[0].weight, self.start.layers[1].weight
            for network in (self.reduced, self.network):
                network.layers[0].weight.copy_(first.double() @ basis)
                network.layers[1].weight.copy_(last)
            outside = [(own - own @ basis @ basis.mT).float() if few else None for own in rows[1:]]
            self.offsets = [None, *(None if own is None else own @ first.mT for own in outside)]
        self.best = [theta.detach().clone() for theta in self.network.parameters()]
        self.curvature = largest_curvature(self.reduced, self.inputs[0][:POWER_ROWS])
        groups = self.network.parameter_groups(trial.share / self.curvature)
        self.optimizer = torch.optim.SGD(groups, momentum=trial.momentum)
        self.step, self.best_step, self.best_accuracy, self.order = 0, 0, -1.0, []
        self.loss = self.first_loss = self._loss()
        self.diverged = False
        self._look()

    @property
    def over(self) -> bool:
        """Whether the loss is at its target, the network diverged, or the steps are used up."""
        return self.loss <= self.trial.target or self.diverged or self.step >= self.trial.cap

    def advance(self) -> None:
        """CHECK steps, fewer where one of them ends the training, and a look at the validation split."""
        for _ in range(min(CHECK, self.trial.cap - self.step)):
            rows = self._rows()
            self.optimizer.zero_grad()
            loss = (self.network(self.inputs[0][rows]) - self.wanted[0][rows]).square().sum(1).mean()
            # the loss of all images is known before the step from it is taken
            if self.trial.batch is None and self._ends(loss.item()):
                break
            loss.backward()
            self.optimizer.step()
            self.step += 1
        self._ends(self._loss())
        if not self.diverged:
            self._look()

    def _ends(self, loss: float) -> bool:
        self.loss = loss
        self.diverged = not loss <= DIVERGED * self.first_loss
        return self.diverged or loss <= self.trial.target

    def _rows(self) -> torch.Tensor | slice:
        """The images of the next step: all, or the next of a permutation that is a function of seed and epoch."""
        import torch

        if self.trial.batch is None:
            return slice(None)
        each = self.trial.size // self.trial.batch
        epoch, index = divmod(self.step, each)
        if index == 0 or not len(self.order):
            rng = np.random.default_rng([self.trial.seed, epoch])
            self.order = torch.as_tensor(rng.permutation(self.trial.size), device=self.trial.device)
        return self.order[index * self.trial.batch : (index + 1) * self.trial.batch]

    def _values(self, split: int) -> torch.Tensor:
        import torch

        first, last = zip(self.network.layers, self.network.scales, strict=True)
        with torch.no_grad():
            h = first[0](self.inputs[split])
            h = h if self.offsets[split] is None else h + self.offsets[split]
            return last[1].multiplier * last[0](torch.relu(first[1].multiplier * h))

    def _loss(self) -> float:
        return (self._values(0) - self.wanted[0]).square().sum(1).mean().item()

    def _look(self) -> None:
        """Keep the weights if no earlier ones classify the validation split as well."""
        found = accuracy(self._values(1), self.wanted[1])
        if found > self.best_accuracy:
            self.best_accuracy, self.best_step = found, self.step
            for kept, theta in zip(self.best, self.network.parameters(), strict=True):
                kept.copy_(theta.detach())

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Everything that a later process needs to go on to the same end."""
        parameters = list(self.network.parameters())
        momenta = [self.optimizer.state[theta].get("momentum_buffer") for theta in parameters]
        tensors = {f"weights.{i}": theta.detach() for i, theta in enumerate(parameters)}
        tensors |= {f"momentum.{i}": momentum for i, momentum in enumerate(momenta) if momentum is not None}
        tensors |= {f"best.{i}": kept for i, kept in enumerate(self.best)}
        meta = {"step": self.step, "loss": self.loss, "best_step": self.best_step, "best_accuracy": self.best_accuracy}
        return tensors, meta

    def restore(self, tensors: dict[str, torch.Tensor], meta: dict[str, Any]) -> None:
        """Go on from a state."""
        import torch

        with torch.no_grad():
            for i, theta in enumerate(self.network.parameters()):
                theta.copy_(tensors[f"weights.{i}"])
                self.best[i].copy_(tensors[f"best.{i}"])
                if f"momentum.{i}" in tensors:
                    momentum = tensors[f"momentum.{i}"].to(theta.device).clone()
                    self.optimizer.state[theta]["momentum_buffer"] = momentum
        self.step, self.loss = meta["step"], meta["loss"]
        self.best_step, self.best_accuracy = meta["best_step"], meta["best_accuracy"]

    def result(self) -> dict[str, Any]:
        """How far the network went, and how well it classifies.

        moved = |theta_T - theta_0|; relative, that over |theta_0|; kernel, |K_T - K_0|/|K_0| in spectral norm, between
        all outputs at the first `sample` training images: None where the network diverged. test: at the end, and
        best_test, best_test_wrong: at the best step on the validation split. reached: whether the loss came to its
        target.
        """
        import torch

        held = {} if self.diverged else self._at_the_end()
        with torch.no_grad():
            for theta, kept in zip(self.network.parameters(), self.best, strict=True):
                theta.copy_(kept)
        return {
            "moved": None,
            "relative": None,
            "kernel": None,
            "loss": None,
            "validation": None,
            "test": None,
            **held,
            "reached": self.loss <= self.trial.target,
            "diverged": self.diverged,
            "steps": self.step,
            "curvature": self.curvature,
            "best_step": self.best_step,
            "best_validation": self.best_accuracy,
            "best_test": accuracy(self._values(2), self.wanted[2]),
            "best_test_wrong": wrong_answers(self._values(2), self.wanted[2]),
        }

    def _at_the_end(self) -> dict[str, float]:
        first, last = (
            [theta.detach().double() for theta in network.parameters()] for network in (self.reduced, self.network)
        )
        moved = math.hypot(*((b - a).norm().item() for a, b in zip(first, last, strict=True)))
        sample = self.inputs[0][: self.trial.sample]
        before, after = (kernel_of_all_outputs(network, sample) for network in (self.reduced, self.network))
        return {
            "moved": moved,
            "relative": moved / math.hypot(*(theta.detach().norm().item() for theta in self.start.parameters())),
            "kernel": float(np.linalg.norm(after - before, 2) / np.linalg.norm(before, 2)),
            "loss": self.loss,
            "validation": accuracy(self._values(1), self.wanted[1]),
            "test": accuracy(self._values(2), self.wanted[2]),
        }


def largest_curvature(network: torch.nn.Module, inputs: torch.Tensor) -> float:
    """The largest eigenvalue of (2/n) J R J', n rows of inputs, R the rates of the layers, by power iteration.

    It is that of the Hessian of the mean squared distance where f is taken for linear, as descent at these rates feels
    it; from below, after POWER_STEPS products with J and J' and a start that is drawn from a fixed seed.
    """
    import torch

    tangent, rates = linearized(network), list(rate_scales(network).values())
    displacement = list(tangent.parameters())
    with torch.no_grad():
        at_start = network(inputs)
        v = torch.randn(at_start.shape, generator=torch.Generator().manual_seed(0)).to(at_start)
    found = 0.0
    for _ in range(POWER_STEPS):
        v = v / v.norm()
        slopes = torch.autograd.grad((tangent(inputs) * v).sum(), displacement)
        with torch.no_grad():
            for delta, slope, rate in zip(displacement, slopes, rates, strict=True):
                delta.copy_(rate * slope)
            v = tangent(inputs) - at_start
        found = v.norm().item()
    return 2 * found / len(inputs)


def kernel_of_all_outputs(network: torch.nn.Module, inputs: torch.Tensor) -> np.ndarray:
    """The tangent kernel (n k, n k) of a network in float64 arithmetic, whatever the precision of its weights."""
    exact = copy.deepcopy(network).double()
    return empirical_ntk_of_all_outputs(exact, inputs.cpu().numpy(), exact.layers[-1].out_features)


def own_linearization(network: torch.nn.Module, parts: Split, scale: float, *, centered: bool) -> dict[str, Any]:
    """Kernel regression with the tangent kernel of a network, all outputs, the ridge tuned; as `_told` has it.

    centered: from zero. Otherwise f_0, the network's own values, is kept and what it lacks is regressed on, as descent
    on the linearized network would. Predictions are J delta with delta = J'alpha, so that no kernel at other images is
    formed. inputs are the rows of `parts` times scale.
    """
    import torch

    exact = copy.deepcopy(network).double()
    tangent = linearized(exact)
    displacement = list(tangent.parameters())
    train, validation, test = (scale * rows for rows in (parts.train, parts.validation, parts.test))
    needed = 4 * 8 * (len(train) * parts.classes) ** 2
    require_room(needed, train.device, f"the linearization on {len(train)} images of {parts.classes} classes")
    with torch.no_grad():
        at_start = [exact(rows) for rows in (train, validation, test)]
    kept = [0.0 if centered else values for values in at_start]

    def predict(alpha: torch.Tensor, which: int) -> torch.Tensor:
        cotangents = alpha.view(len(train), parts.classes)
        slopes = torch.autograd.grad((tangent(train) * cotangents).sum(), displacement)
        with torch.no_grad():
            for delta, slope in zip(displacement, slopes, strict=True):
                delta.copy_(slope)
            rows = (train, validation, test)[which]
            return tangent(rows) - at_start[which] + kept[which]

    K = torch.as_tensor(kernel_of_all_outputs(exact, train), device=train.device)
    targets = (parts.wanted[0] - kept[0]).reshape(-1, 1)
    tuned = tune_ridge(K, targets, lambda alpha: predict(alpha, 1), parts.wanted[1])
    return _told(tuned, predict(tuned.coefficients, 2), parts)


def _told(tuned: TunedRidge, values: torch.Tensor, parts: Split) -> dict[str, Any]:
    """The tuned regression as JSON: its ridge, whether that lies at an edge, the whole grid, accuracies."""
    return {
        "ratio": tuned.ratio,
        "at_edge": tuned.at_edge,
        "ratios": list(tuned.ratios),
        "validation": list(tuned.accuracies),
        "best_validation": max(tuned.accuracies),
        "test": accuracy(values, parts.wanted[2]),
        "test_wrong": wrong_answers(values, parts.wanted[2]),
    }


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
        """As `_told` has it. Raises TooLargeError before anything is allocated that would not fit."""
        import torch

        needed = bytes_of_regression(self.size, self.validation + self.test, math.prod(SHAPES[self.data]))
        require_room(needed, torch.device(self.device), f"kernel regression on {self.size:,} images")
        parts = split(context.images(self.data), self.size, self.validation, self.test, self.seed, self.device)
        K = relu_ntk_on_device(parts.train)
        validate = relu_ntk_on_device(parts.validation, parts.train)
        tuned = tune_ridge(K, parts.wanted[0], lambda alpha: validate @ alpha, parts.wanted[1])
        values = torch.cat(
            [relu_ntk_on_device(rows, parts.train) @ tuned.coefficients for rows in parts.test.split(BLOCK)]
        )
        return _told(tuned, values, parts)
