"""Quantities of a training run of Experiments 4 and 5, and the rules that say at which moment of the run they are read.

A rule is a stop, or a matched training loss. At a matched loss the two measurements around it are combined by one of
the choices of properties.statistics.matched_loss, so that all quantities are of one network, or of the same two.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from fixtures.training.answers import unpack_answers
from fixtures.training.config import Stop
from properties.statistics.matched_loss import CHOICES, at_matched_loss

Result = Mapping[str, Any]
"""The result of a ClassifierTrial."""

Measurement = Mapping[str, Any]
"""A measurement in such a result."""

BEFORE = "before loss"
"""The rule of a measurement at the end of the epoch before a stop at a loss fired."""


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
WRONG_ANSWERS = Quantity(lambda at: unpack_answers(at["test_wrong"]))
"""Which test images are answered wrongly, (n,) of 0 and 1; between two moments, the weighted mean."""
TRAIN_LOSS = Quantity(_field("train_loss"), logarithmic=True)
STEPS = Quantity(_field("step"))
EPOCHS = Quantity(_field("epoch"))
SHARPNESS = Quantity(_of_sharpness("value"), logarithmic=True)
SAMPLE_LOSS = Quantity(_of_sharpness("loss"), logarithmic=True)
"""The loss of the sample on which lambda is measured."""
NORMALIZED = Quantity(_normalized, logarithmic=True)
"""lambda |w|^2. Scaling all weights at once does not change it, where that leaves the loss unchanged. With batch
normalization, scaling the filters alone leaves the loss unchanged, and does change this number."""
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


def at_loss_by_choice(loss: float) -> list[Rule]:
    """The rules of a matched training loss, one for each choice of a moment."""
    return [Rule(Stop("loss", loss), choice) for choice in CHOICES]
