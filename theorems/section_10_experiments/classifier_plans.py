"""The plans of Experiments 4 and 5: what is trained at one scale, and the runs of each arm, one for each seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from fixtures.sweeps.settings import Setting
from fixtures.training.config import Stop, TrainingConfig
from theorems.section_10_experiments.classifier import ClassifierTrial


@dataclasses.dataclass(frozen=True)
class Arm:
    """What the runs of one column of a table have in common. They differ in their seeds alone."""

    eta: float
    batch: int
    label_noise: float = 0.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """The size of an experiment at one scale.

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
"""The first of the seeds that decide. Seeds below 100 served to choose the plans. Seeds 100 to 106 were run and matched
by another rule, and what they found is known."""
