"""Heavy-ball descent of one network of Experiment 3, which can be stopped and resumed at any checkpoint.

Descent is full-batch, or by batches of a fixed permutation of each epoch. At every
validation the accuracy on the validation split is measured, and the weights of the best step are kept.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.section_10_experiments.image_splits import Split, accuracy, wrong_answers
from theorems.section_10_experiments.tangent_model import kernel_of_all_outputs, largest_curvature

if TYPE_CHECKING:
    import torch

    from theorems.section_10_experiments.width import NetworkTrial

VALIDATION_INTERVAL = 20
"""Steps from one validation to the next."""

DIVERGED = 100.0
"""Descent has diverged where the loss is this many times its value at the start, or is not a number."""

POWER_ROWS = 200
"""Training images on which the curvature at the start is measured."""


class Descent:
    """Heavy-ball descent of one network, VALIDATION_INTERVAL steps at a time; its state can be saved and restored.

    Descent moves hidden weights only in the span of the training images. With fewer images than pixels, the same
    descent is run in an orthonormal basis of that span: a step then takes n m n operations and not n m d. The other
    components never change. What they add to pre-activations of other images is kept in `offsets`.
    """

    def __init__(self, trial: NetworkTrial, splits: Split) -> None:
        import torch

        self.trial, self.splits = trial, splits
        self.start = trial.network(splits.train.shape[1], splits.classes)
        few = len(splits.train) < splits.train.shape[1]
        basis = torch.linalg.qr(splits.train.mT).Q if few else torch.eye(splits.train.shape[1]).to(splits.train)
        rows = [trial.scale_of(splits) * rows for rows in (splits.train, splits.validation, splits.test)]
        self.inputs = [(own @ basis).float() for own in rows]
        self.targets = [targets.float() for targets in splits.targets]
        # of the same scales: these depend on the width alone
        self.reduced, self.network = (trial.network(basis.shape[1], splits.classes) for _ in range(2))
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
        self._validate()

    @property
    def is_over(self) -> bool:
        """Whether the loss is at its target, the network diverged, or the steps are used up."""
        return self.loss <= self.trial.target or self.diverged or self.step >= self.trial.cap

    def advance(self) -> None:
        """Take VALIDATION_INTERVAL steps, fewer where one of them ends the training, and validate."""
        for _ in range(min(VALIDATION_INTERVAL, self.trial.cap - self.step)):
            rows = self._rows()
            self.optimizer.zero_grad()
            loss = (self.network(self.inputs[0][rows]) - self.targets[0][rows]).square().sum(1).mean()
            # the loss of all images is known before the step from it is taken
            if self.trial.batch is None and self._ends_at(loss.item()):
                break
            loss.backward()
            self.optimizer.step()
            self.step += 1
        self._ends_at(self._loss())
        if not self.diverged:
            self._validate()

    def _ends_at(self, loss: float) -> bool:
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
        return (self._values(0) - self.targets[0]).square().sum(1).mean().item()

    def _validate(self) -> None:
        """Keep the weights if no earlier ones classify the validation split as well."""
        found = accuracy(self._values(1), self.targets[1])
        if found > self.best_accuracy:
            self.best_accuracy, self.best_step = found, self.step
            for kept, theta in zip(self.best, self.network.parameters(), strict=True):
                kept.copy_(theta.detach())

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Everything that a later process needs to resume and reach the same end."""
        parameters = list(self.network.parameters())
        momenta = [self.optimizer.state[theta].get("momentum_buffer") for theta in parameters]
        tensors = {f"weights.{i}": theta.detach() for i, theta in enumerate(parameters)}
        tensors |= {f"momentum.{i}": momentum for i, momentum in enumerate(momenta) if momentum is not None}
        tensors |= {f"best.{i}": kept for i, kept in enumerate(self.best)}
        meta = {"step": self.step, "loss": self.loss, "best_step": self.best_step, "best_accuracy": self.best_accuracy}
        return tensors, meta

    def restore(self, tensors: dict[str, torch.Tensor], meta: dict[str, Any]) -> None:
        """Resume from a state."""
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

        at_end = {} if self.diverged else self._at_the_end()
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
            **at_end,
            "reached": self.loss <= self.trial.target,
            "diverged": self.diverged,
            "steps": self.step,
            "curvature": self.curvature,
            "best_step": self.best_step,
            "best_validation": self.best_accuracy,
            "best_test": accuracy(self._values(2), self.targets[2]),
            "best_test_wrong": wrong_answers(self._values(2), self.targets[2]),
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
            "validation": accuracy(self._values(1), self.targets[1]),
            "test": accuracy(self._values(2), self.targets[2]),
        }
