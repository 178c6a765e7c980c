"""The trial of Experiments 4 and 5: one training run of a classifier, measured at each of its stopping rules.

A run has several stopping rules (fixtures.training.config). Where one fires, the run is measured: losses, errors, and
the sharpness lambda on a fixed sample of training images (properties.curvature.network_sharpness). Lambda is that of
the trained loss, on the trained labels; batch normalization uses the statistics of the batch. The loss of the sample
differs from the training loss, so it is measured beside lambda.

The training loss of the whole training set is known at the end of every epoch. Where a run comes to a matched loss, it
is measured at the two ends of epochs around it: the choices of properties.statistics.matched_loss look there.

The key of a record contains the module path of the class of its trial: ClassifierTrial keeps its place.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fixtures.sweeps.trials import Trial
from fixtures.training.config import TrainingConfig
from fixtures.training.losses import mean_loss
from fixtures.training.run import Training
from fixtures.training.step import on_device
from properties.curvature.lanczos import UncertifiedError
from properties.curvature.network_sharpness import network_sharpness
from properties.curvature.sharpness import SharpnessError
from theorems.section_10_experiments.measurements import BEFORE

if TYPE_CHECKING:
    from fixtures.sweeps.context import TrialContext
    from theorems.section_10_experiments.measurements import Measurement

SIDES = {"digits": 8, "mnist": 28, "cifar10": 32}
"""Pixels on the side of an image."""
FLOP_PER_PIXEL = 3.3e9 / 64**2 / 32**2
"""Of a training step of ResNet-18, for one image: 3.3 GFLOP at width 64 on 32 x 32 pixels."""


@dataclasses.dataclass(frozen=True)
class ClassifierTrial(Trial):
    """A run of `config`, measured at each of its stops.

    sample: training images on whose loss lambda is measured, the same at every stop; all, where there are fewer.
    recheck: measure it on so many as well, where the first stop of the configuration fires; 0 for not. group: images
    that batch normalization sees at once in either, whatever the batch size of the training. relative: whether to
    measure lambda_max(diag|w| H diag|w|) beside lambda.
    """

    config: TrainingConfig
    sample: int = 2000
    recheck: int = 0
    group: int = 500
    relative: bool = False

    @property
    def title(self) -> str:
        """What a reader calls this run."""
        it = self.config
        noise = f", {it.label_noise:.0%} label noise" if it.label_noise else ""
        augmented = ", augmented" if it.augment else ""
        return f"{it.model} on {it.data}: eta={it.eta:.3g}, B={it.batch}, seed {it.seed}{noise}{augmented}"

    @property
    def flop(self) -> float:
        """Floating point operations of the training of a ResNet-18 up to its cap."""
        pixels = SIDES[self.config.data] ** 2
        return FLOP_PER_PIXEL * self.config.width**2 * pixels * self.config.size * self.config.cap_epochs

    def run(self, context: TrialContext) -> dict[str, Any]:
        """Train, and measure at the stops.

        {"diverged", "steps", "epochs": where the run ended, "unreached": the stops that did not fire, as [rule, at],
        "measurements", "flags"}. A measurement is {"rule", "at", "step", "epoch", "train_loss", "train_error",
        "test_loss", "test_error", "test_wrong" (evaluation mode), "sharpness", "edge": eta lambda/2, "recheck"}; a
        sharpness has the fields of LargeSharpness. A stop at a loss comes with a second measurement, of the rule
        "before loss": at the end of the epoch before. None stands for what is not finite, was not certified or not
        asked for.
        """
        training = Training(self.config, context.images(self.config.data))
        measurements: list[Measurement] = []
        if (saved := context.checkpoints.load()) is not None:
            tensors, meta = saved
            training.restore(tensors, meta["training"])
            measurements = meta["measurements"]
        for event in training.events():
            if event is not None:
                if event.rule == "loss":
                    with training.previous_epoch_weights():
                        named = {"rule": BEFORE, "at": float(event.at)}
                        measurements.append(named | self._measure(training, *training.previous_epoch_end, measurements))
                named = {"rule": event.rule, "at": float(event.at)}
                measurements.append(named | self._measure(training, training.step, training.epoch, measurements))
                if self.recheck and event == self.config.stops[0]:
                    measurements[-1]["recheck"] = self._sharpness(training, self.recheck)
                continue
            context.report(training.epoch / self.config.cap_epochs)
            if context.checkpoints.due():
                tensors, state = training.state()
                context.checkpoints.save(tensors, {"training": state, "measurements": measurements})
        return {
            "diverged": training.diverged,
            "steps": training.step,
            "epochs": training.epoch,
            "unreached": [[stop.rule, stop.at] for stop in training.unreached],
            "measurements": measurements,
            "flags": training.flags(),
        }

    def _measure(self, training: Training, step: int, epoch: int, before: Sequence[Measurement]) -> dict[str, Any]:
        known = next((at for at in before if at["step"] == step), None)
        if known is not None:
            return {name: value for name, value in known.items() if name not in ("rule", "at")} | {"recheck": None}
        sharpness = self._sharpness(training, self.sample, relative=self.relative)
        edge = None if sharpness is None else self.config.eta * sharpness["value"] / 2
        evaluated = {name: _finite(value) for name, value in training.evaluate().items()}
        return {"step": step, "epoch": epoch, **evaluated, "sharpness": sharpness, "edge": edge, "recheck": None}

    def _sharpness(self, training: Training, sample: int, *, relative: bool = False) -> dict[str, Any] | None:
        try:
            with on_device(self.config):
                found = network_sharpness(
                    training.model,
                    training.inputs,
                    training.labels,
                    loss=functools.partial(mean_loss, self.config.loss),
                    batch=self.group,
                    sample=min(sample, self.config.size),
                    scale_invariant=relative,
                )
        except (SharpnessError, UncertifiedError):
            return None
        return {name: _finite(value) for name, value in dataclasses.asdict(found).items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
