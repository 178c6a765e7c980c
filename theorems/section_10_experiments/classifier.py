"""One training run of a classifier with everything that Experiments 4 and 5 ask of it, and how runs are compared.

A run serves several stopping rules (fixtures.training.config). Where one fires it is measured: losses and errors, and
the sharpness lambda of the training loss on a fixed sample (properties.network_sharpness), of the same loss that is
trained, on the labels that are trained on.

Runs are compared at a matched training loss. The rule "loss" fires at the end of an epoch, by which time a fast run has
overshot; and the loss whose Hessian is measured, with batch normalization by the sample's own statistics, is not the
one of the rule, with running statistics, which lag behind in a run of few steps. So a run is given two stops or more
around the loss, and what it measured there is interpolated, linearly in log loss, between the two that enclose it: the
test error by the loss of the rule, lambda by the loss that it is the curvature of. A run with no stops on both sides
is not matched. It is never extrapolated, and it is counted.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.sweeps.trials import Trial
from fixtures.training.config import Stop, TrainingConfig
from fixtures.training.losses import mean_loss
from fixtures.training.run import Training
from properties.lanczos import UncertifiedError
from properties.network_sharpness import LargeSharpness, network_sharpness

if TYPE_CHECKING:
    from fixtures.sweeps.bench import Bench

SIDES = {"digits": 8, "mnist": 28, "cifar10": 32}
"""Pixels on the side of an image."""

FLOP_PER_PIXEL = 3.3e9 / 64**2 / 32**2
"""What a training step of ResNet-18 costs: 3.3 GFLOP for an image of 32 x 32 pixels at width 64, both squared."""

Measurement = dict[str, Any]
"""What a run measured at a stop, as JSON: see `ClassifierTrial.run`."""


@dataclasses.dataclass(frozen=True)
class ClassifierTrial(Trial):
    """A run of `config`, measured at each of its stops.

    sample, recheck: training images on whose loss the sharpness is measured; where there are more than `sample`, it is
    measured again on `recheck` of them at the first of the stops in the configuration. group: images that batch
    normalization sees at once in the sharpness, the same for every batch size of the training.
    """

    config: TrainingConfig
    sample: int = 2000
    recheck: int = 5000
    group: int = 500

    @property
    def title(self) -> str:
        """What a reader calls this run."""
        it = self.config
        noise = f", {it.label_noise:.0%} label noise" if it.label_noise else ""
        augmented = ", augmented" if it.augment else ""
        return f"{it.model} on {it.data}: eta={it.eta:.3g}, B={it.batch}, seed={it.seed}{noise}{augmented}"

    @property
    def flop(self) -> float:
        """Floating point operations of the training, up to its cap, as for a ResNet-18."""
        pixels = SIDES[self.config.data] ** 2
        return FLOP_PER_PIXEL * self.config.width**2 * pixels * self.config.size * self.config.cap_epochs

    def run(self, bench: Bench) -> dict[str, Any]:
        """Train, and measure at the stops.

        {"diverged", "steps", "epochs": where the run ended, "unreached": the stops that never fired, each [rule, at],
        "measurements", "flags"}. A measurement is {"rule", "at", "step", "epoch", "train_loss", "train_error",
        "test_loss", "test_error" (evaluation mode), "sharpness", "edge": eta lambda/2, "recheck"}, with None for
        what is not finite; a sharpness has the fields of LargeSharpness.
        """
        training = Training(self.config, bench.images(self.config.data))
        measurements: list[Measurement] = []
        if (saved := bench.checkpoints.load()) is not None:
            tensors, meta = saved
            training.restore(tensors, meta["training"])
            measurements = meta["measurements"]
        for event in training.events():
            if event is not None:
                measurements.append(self._measure(training, event, measurements))
                continue
            bench.report(training.epoch / self.config.cap_epochs)
            if bench.checkpoints.due():
                tensors, state = training.state()
                bench.checkpoints.save(tensors, {"training": state, "measurements": measurements})
        return {
            "diverged": training.diverged,
            "steps": training.step,
            "epochs": training.epoch,
            "unreached": [[stop.rule, stop.at] for stop in training.unreached],
            "measurements": measurements,
            "flags": training.flags(),
        }

    def _measure(self, training: Training, stop: Stop, before: Sequence[Measurement]) -> Measurement:
        measured = {"rule": stop.rule, "at": float(stop.at), "step": training.step, "epoch": training.epoch}
        if before and before[-1]["step"] == training.step and stop != self.config.stops[0]:
            return {**before[-1], **measured, "recheck": None}
        evaluated = {name: _finite(value) for name, value in training.evaluate().items()}
        sharpness = self._sharpness(training, self.sample)
        edge = None if sharpness is None else self.config.eta * sharpness["value"] / 2
        is_rechecked = stop == self.config.stops[0] and self.config.size > self.sample
        recheck = self._sharpness(training, self.recheck) if is_rechecked else None
        return {**measured, **evaluated, "sharpness": sharpness, "edge": edge, "recheck": recheck}

    def _sharpness(self, training: Training, sample: int) -> dict[str, Any] | None:
        try:
            found: LargeSharpness = network_sharpness(
                training.model,
                training.inputs,
                training.labels,
                loss=functools.partial(mean_loss, self.config.loss),
                batch=self.group,
                sample=min(sample, self.config.size),
            )
        except UncertifiedError:
            return None
        return {name: _finite(value) for name, value in dataclasses.asdict(found).items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


# Comparisons


@dataclasses.dataclass(frozen=True)
class Arm:
    """What is alike in the runs of one column of a table: they differ by their seeds."""

    eta: float
    batch: int
    label_noise: float = 0.0
    augment: bool = False


@dataclasses.dataclass(frozen=True)
class Runs:
    """The results of a sweep, by arm and seed."""

    results: Mapping[tuple[Arm, int], Mapping[str, Any]]

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Runs:
        """Read from the records of ClassifierTrials, one for each arm and seed. Raises ValueError for a second one."""
        results: dict[tuple[Arm, int], Mapping[str, Any]] = {}
        for record in records:
            config = record["trial"]["fields"]["config"]
            arm = Arm(**{field.name: config[field.name] for field in dataclasses.fields(Arm)})
            if (arm, config["seed"]) in results:
                raise ValueError(f"two runs of {arm} with seed {config['seed']}")
            results[arm, config["seed"]] = record["result"]
        return cls(results)

    def table(self, arms: Sequence[Arm], read: Callable[[Mapping[str, Any]], float]) -> np.ndarray:
        """read(result) for each seed and arm, (seeds, arms), seeds increasing; nan where an arm lacks the seed.

        The rows of two tables belong to the same seeds whenever the arms are of the same sweep.
        """
        seeds = sorted({seed for arm, seed in self.results if arm in arms})
        missing: dict[str, Any] = {"measurements": []}
        return np.array([[read(self.results.get((arm, seed), missing)) for arm in arms] for seed in seeds])

    def at(self, arms: Sequence[Arm], quantity: Quantity, stop: Stop) -> np.ndarray:
        """A quantity where this stop fired, (seeds, arms), nan where it did not."""
        return self.table(arms, lambda result: at_stop(result, quantity, stop))

    def matched(self, arms: Sequence[Arm], quantity: Quantity, loss: float) -> np.ndarray:
        """A quantity at a matched training loss, (seeds, arms), nan where the run is not matched."""
        return self.table(arms, lambda result: at_loss(result, quantity, loss))


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A number in a measurement, and the training loss that belongs to it; `read` and `loss` give None for none.

    logarithmic: whether its logarithm is what is interpolated.
    """

    read: Callable[[Measurement], float | None]
    loss: Callable[[Measurement], float | None]
    logarithmic: bool = False


def _of_sharpness(name: str) -> Callable[[Measurement], float | None]:
    return lambda at: None if at["sharpness"] is None else at["sharpness"][name]


def _of(name: str) -> Callable[[Measurement], float | None]:
    return lambda at: at[name]


TEST_ERROR = Quantity(lambda at: 100 * at["test_error"], _of("train_loss"))
"""In percent."""

STEPS = Quantity(_of("step"), _of("train_loss"))
EPOCHS = Quantity(_of("epoch"), _of("train_loss"))
SHARPNESS = Quantity(_of_sharpness("value"), _of_sharpness("loss"), logarithmic=True)
NORMALIZED = Quantity(_of_sharpness("scale_invariant"), _of_sharpness("loss"), logarithmic=True)
EDGE = Quantity(_of("edge"), _of_sharpness("loss"), logarithmic=True)


def at_stop(result: Mapping[str, Any], quantity: Quantity, stop: Stop) -> float:
    """The quantity where this stop fired; nan where it did not, or where the quantity was not finite."""
    for at in result["measurements"]:
        if (at["rule"], at["at"]) == (stop.rule, stop.at):
            value = quantity.read(at)
            return math.nan if value is None else float(value)
    return math.nan


def at_loss(result: Mapping[str, Any], quantity: Quantity, loss: float) -> float:
    """The quantity at this training loss, between the measurements that enclose it most closely in loss; else nan."""
    points = []
    for at in result["measurements"]:
        value, own = quantity.read(at), quantity.loss(at)
        if value is not None and own is not None and own > 0 and (value > 0 or not quantity.logarithmic):
            points.append((math.log(own), math.log(value) if quantity.logarithmic else float(value)))
    target = math.log(loss)
    above = min((point for point in points if point[0] >= target), default=None)
    below = max((point for point in points if point[0] <= target), default=None)
    if above is None or below is None:
        return math.nan
    share = 0.0 if above[0] == below[0] else (target - below[0]) / (above[0] - below[0])
    value = below[1] + share * (above[1] - below[1])
    return math.exp(value) if quantity.logarithmic else value


def complete(*tables: np.ndarray) -> list[np.ndarray]:
    """The rows, that is the seeds, in which every table (seeds, arms) is finite."""
    kept = np.logical_and.reduce([np.isfinite(table).all(axis=1) for table in tables])
    return [table[kept] for table in tables]
