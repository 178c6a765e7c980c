"""One training run of a classifier with everything that Experiments 4 and 5 ask of it, and how its runs are compared.

A run serves several stopping rules (fixtures.training.config). Where one fires it is measured: losses and errors, and
the sharpness lambda on a fixed sample of training images (properties.curvature.network_sharpness), of the same loss
that is trained, on the labels that are trained on.

Runs are compared at a matched training loss, that of the whole training set: it is known at the end of every epoch, and
everything is measured at the two ends of epochs around it, at which the choices of properties.statistics.matched_loss
look. All quantities of a run are so of one network, or of the same two. The Hessian is that of the loss with batch
normalization by the statistics of the batch, on a sample; its loss, which differs, is measured beside lambda.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fixtures.sweeps.settings import Setting
from fixtures.sweeps.trials import Trial
from fixtures.training.answers import unpack_answers
from fixtures.training.config import Stop, TrainingConfig
from fixtures.training.losses import mean_loss
from fixtures.training.run import Training
from fixtures.training.step import on_device
from properties.certificates import record_finding
from properties.curvature.lanczos import UncertifiedError
from properties.curvature.network_sharpness import network_sharpness
from properties.curvature.sharpness import SharpnessError
from properties.statistics.matched_loss import CHOICES, at_matched_loss, matched_arms
from properties.statistics.paired import Finding, Interval, common

if TYPE_CHECKING:
    from fixtures.sweeps.context import TrialContext

    Result = Mapping[str, Any]
    Measurement = Mapping[str, Any]

SIDES = {"digits": 8, "mnist": 28, "cifar10": 32}
"""Pixels on the side of an image."""

BEFORE = "before loss"
"""The rule of a measurement at the end of the epoch before a stop at a loss fired."""

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


# Plans


@dataclasses.dataclass(frozen=True)
class Arm:
    """What the runs of one column of a table have in common: they differ in their seeds."""

    eta: float
    batch: int
    label_noise: float = 0.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an experiment is at one scale.

    size: training images. width: of the ResNet-18. loss: the training loss at which runs are matched. epochs, steps:
    where the rules of fixed epochs and, unless 0, of fixed steps stop. cap_epochs: where a run ends at the latest.
    seeds: how many, from FIRST_SEED on. sample, recheck, relative: as in ClassifierTrial; the first seed alone is
    re-checked.
    """

    size: int
    width: int
    loss: float
    epochs: int
    cap_epochs: int
    seeds: int
    sample: int
    recheck: int
    steps: int = 0
    relative: bool = False

    def stops(self) -> tuple[Stop, ...]:
        """The matched loss, fixed epochs, fixed steps."""
        fixed_steps = [Stop("steps", self.steps)] if self.steps else []
        return (Stop("loss", self.loss), Stop("epochs", self.epochs), *fixed_steps)

    def model(self, setting: Setting) -> str:
        """What is trained, for the title of a setting; images are counted where there are more of them."""
        few = "" if setting.data == "digits" or setting.printed else f", {self.size:,} images"
        return f"ResNet-18 of width {self.width}{few}"

    def trials(self, setting: Setting, arms: Iterable[Arm]) -> list[ClassifierTrial]:
        """A run for each arm and seed, of ResNet-18 with cross-entropy; on CUDA in bfloat16, its step as a graph."""
        on_gpu = setting.device == "cuda"
        return [
            ClassifierTrial(
                TrainingConfig(
                    data=setting.data,
                    size=self.size,
                    model="resnet18",
                    width=self.width,
                    stops=self.stops(),
                    cap_epochs=self.cap_epochs,
                    seed=FIRST_SEED + seed,
                    device=setting.device,
                    precision="bfloat16" if on_gpu else "float32",
                    compiled=on_gpu,
                    **dataclasses.asdict(arm),
                ),
                sample=self.sample,
                recheck=0 if seed else self.recheck,
                relative=self.relative,
            )
            for arm in arms
            for seed in range(self.seeds)
        ]


FIRST_SEED = 500
"""Of the seeds that decide. Seeds below 100 served to choose the plans; those from 100 to 106 were run and matched by
another rule, and what they found is known."""

# Comparisons


class UnsoundError(ValueError):
    """Too few runs can be compared for a finding; the message is one line with the runs that are lost."""


@dataclasses.dataclass(frozen=True)
class Quantity:
    """A number in a measurement, or an array; None where it is missing.

    logarithmic: whether its logarithm is interpolated.
    """

    read: Callable[[Measurement], Any]
    logarithmic: bool = False


def _field(name: str) -> Callable[[Measurement], Any]:
    return lambda at: at[name]


def _of_sharpness(name: str) -> Callable[[Measurement], Any]:
    return lambda at: None if at["sharpness"] is None else at["sharpness"][name]


def _normalized(at: Measurement) -> float | None:
    found = at["sharpness"]
    return None if found is None else found["value"] * found["squared_norm"]


TEST_ERROR = Quantity(lambda at: 100 * at["test_error"])
"""In percent."""

WRONG = Quantity(lambda at: unpack_answers(at["test_wrong"]))
"""Which test images are answered wrongly, (n,) of 0 and 1; between two moments, the weighted mean."""

TRAIN_LOSS = Quantity(_field("train_loss"), logarithmic=True)
STEPS = Quantity(_field("step"))
EPOCHS = Quantity(_field("epoch"))
SHARPNESS = Quantity(_of_sharpness("value"), logarithmic=True)
SAMPLE_LOSS = Quantity(_of_sharpness("loss"), logarithmic=True)
"""The loss that lambda is of."""

NORMALIZED = Quantity(_normalized, logarithmic=True)
"""lambda |w|^2: not changed by scaling all weights at once, where that leaves the loss alone; with batch normalization
it does not, and scaling the filters alone, which does, changes this number."""

RELATIVE = Quantity(_of_sharpness("scale_invariant"), logarithmic=True)
"""lambda_max(diag|w| H diag|w|), which scaling any filter in front of a batch normalization does not change."""

EDGE = Quantity(_field("edge"), logarithmic=True)
"""eta lambda/2: full-batch descent is unstable above 1."""


def _measured(result: Result, rule: str, at: float) -> Measurement | None:
    return next((it for it in result["measurements"] if (it["rule"], it["at"]) == (rule, float(at))), None)


def at_stop(result: Result, quantity: Quantity, stop: Stop) -> Any:
    """The quantity where this stop fired; nan where it did not."""
    found = _measured(result, stop.rule, stop.at)
    value = None if found is None else quantity.read(found)
    return math.nan if value is None else value


def at_loss(result: Result, quantity: Quantity, loss: float, choice: str) -> Any:
    """The quantity at a matched training loss, by a choice of `matched_loss`; nan where it is not matched."""
    moments = [_measured(result, rule, loss) for rule in (BEFORE, "loss")]
    above, below = ((None, None) if at is None else (at["train_loss"], quantity.read(at)) for at in moments)
    return at_matched_loss(above, below, loss, choice, logarithmic=quantity.logarithmic)


@dataclasses.dataclass(frozen=True)
class Rule:
    """When runs are compared: at a stop, or at a training loss by one of CHOICES."""

    stop: Stop
    choice: str | None = None

    def __str__(self) -> str:
        """Such as "after 40 epochs", or "last above training loss 0.1"."""
        at = f"{self.stop.at:g}"
        return f"after {at} {self.stop.rule}" if self.choice is None else f"{self.choice} training loss {at}"

    def read(self, result: Result, quantity: Quantity) -> Any:
        """The quantity of a run there; nan where it did not come there."""
        if self.choice is None:
            return at_stop(result, quantity, self.stop)
        return at_loss(result, quantity, self.stop.at, self.choice)


@dataclasses.dataclass(frozen=True)
class Runs:
    """The results of a sweep, by arm and seed."""

    results: Mapping[tuple[Arm, int], Result]

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Runs:
        """The results in the records of ClassifierTrials. Raises ValueError for two of one arm and seed."""
        results: dict[tuple[Arm, int], Result] = {}
        for record in records:
            config = record["trial"]["fields"]["config"]
            arm = Arm(**{field.name: config[field.name] for field in dataclasses.fields(Arm)})
            if (arm, config["seed"]) in results:
                raise ValueError(f"there are two runs of {arm} with seed {config['seed']}")
            results[arm, config["seed"]] = record["result"]
        return cls(results)

    def _table(self, arms: Sequence[Arm], read: Callable[[Result], float]) -> np.ndarray:
        seeds = sorted({seed for arm, seed in self.results if arm in arms})
        nothing: Result = {"measurements": []}
        return np.array([[read(self.results.get((arm, seed), nothing)) for arm in arms] for seed in seeds])

    def by_rule(self, arms: Sequence[Arm], quantity: Quantity, rule: Rule) -> np.ndarray:
        """The quantity, (seeds, arms), seeds increasing; nan where a run did not come there, or is not matched."""
        return self._table(arms, lambda result: rule.read(result, quantity))

    def paired(self, arms: Sequence[Arm], rule: Rule, *quantities: Quantity) -> tuple[list[Arm], list[np.ndarray]]:
        """The arms that can be compared by this rule, and the quantities there, (seeds, arms), without gaps.

        Raises UnsoundError for fewer than two arms that half of the seeds bring there, or fewer than three seeds.
        """
        kept, tables = matched_arms(*(self.by_rule(arms, quantity, rule) for quantity in quantities))
        left = [arm for arm, stays in zip(arms, kept, strict=True) if stays]
        if len(left) < 2 or len(tables[0]) < 3:
            raise UnsoundError(f"{rule} only {len(tables[0])} seeds of {len(left)} arms can be compared")
        return left, tables

    def wrong(self, arms: Sequence[Arm], rule: Rule) -> np.ndarray:
        """Which test images are answered wrongly, (seeds, arms, n), by the seeds that have all of these arms."""
        seeds = sorted({seed for arm, seed in self.results if arm in arms})
        rows = [[rule.read(self.results[arm, seed], WRONG) for arm in arms] for seed in seeds]
        return np.array([row for row in rows if all(np.ndim(flags) for flags in row)])

    def rechecked(self, arms: Sequence[Arm]) -> tuple[list[Arm], np.ndarray]:
        """The arms with a sharpness measured on two samples at one moment, and both, (arms, 2), the larger one last."""
        found = [
            (arm, at["sharpness"]["value"], at["recheck"]["value"])
            for arm in arms
            for (other, _), result in self.results.items()
            if other == arm
            for at in result["measurements"]
            if at["sharpness"] is not None and at["recheck"] is not None
        ]
        return [arm for arm, *_ in found], np.array([values for _, *values in found]).reshape(-1, 2)

    def residuals(self, arms: Iterable[Arm]) -> np.ndarray:
        """Residual over |lambda| of every sharpness that was measured in these arms, (k,)."""
        chosen = set(arms)
        measured = [
            sharpness
            for (arm, _), result in self.results.items()
            if arm in chosen
            for at in result["measurements"]
            for sharpness in (at["sharpness"], at["recheck"])
            if sharpness is not None
        ]
        return np.array([found["residual"] / abs(found["value"]) for found in measured])


# Findings


def at_loss_by_choice(loss: float) -> list[Rule]:
    """The rules of a matched training loss, one for each choice of a moment."""
    return [Rule(Stop("loss", loss), choice) for choice in CHOICES]


def ends_of(interval: Interval) -> tuple[float, float, float]:
    """The estimate, and the two ends."""
    return interval.estimate, interval.lower, interval.upper


def record_by_rules(
    rules: Sequence[Rule],
    measure: Callable[[Rule], Interval],
    judged: Callable[[Interval], Finding],
    *,
    where: Setting,
    runs: int,
    reads: str,
    beside: str = "",
) -> None:
    """Record what all rules find, and that they do not agree where they do not; the interval told first is the first's.

    reads: what is measured, before the numbers; runs: how many runs each rests on; beside: what is told after them.
    """
    first, *others = rules
    found = {rule: measure(rule) for rule in rules}
    told = [f"{{estimate}} [{{lower}}, {{upper}}] {first}"]
    told += ["{:.3g} [{:.3g}, {:.3g}]".format(*ends_of(found[rule])) + f" {rule.choice} it" for rule in others]
    finding = common({rule.choice or str(rule): judged(found[rule]) for rule in rules})
    record_finding(finding, found[first], where=where, trials=runs, reads=f"{reads} {', '.join(told)}{beside}")
