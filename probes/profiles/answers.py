"""What a question finds: numbers over instances beside those of plain gradient descent, and an answer in words."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


class Status(enum.StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    NOT_CONVERGED = "not converged"
    NOT_IDENTIFIABLE = "not identifiable"
    NOT_APPLICABLE = "not applicable"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True)
class Measured:
    """One number for each instance.

    name: what it is, unique in its question, with the unit where there is one. values: one for each instance, nan where
    the instance has none (it did not converge). resolution: two numbers nearer than this are equal; it bounds what
    rounding, bisection or the end of a run leaves. control: the same of plain gradient descent, if that was run.
    certificate: what guarantees the values, in words, such as "dual gap"; worst_ratio: the largest error/bound.
    """

    name: str
    values: tuple[float, ...]
    resolution: float
    control: tuple[float, ...] = ()
    certificate: str = ""
    worst_ratio: float | None = None

    @property
    def finite(self) -> tuple[float, ...]:
        """The values of the instances that have one."""
        return tuple(value for value in self.values if not math.isnan(value))


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer to one question.

    question: its key. says: the answer, one of the question's `answers`, or "" where the status is another than
    answered. detail: one sentence. step: the learning rate that was used.
    """

    question: str
    status: Status
    says: str
    detail: str
    step: float | None
    measured: tuple[Measured, ...]
    seconds: float = 0.0


@dataclasses.dataclass
class Answering:
    """Collects what a question measures and says; a question calls exactly one of `answered` and `unanswered`."""

    question: str
    answers: tuple[str, ...]
    step: float | None = None
    found: list[Measured] = dataclasses.field(default_factory=list)
    outcome: tuple[Status, str, str] | None = None

    def measured(
        self,
        name: str,
        values: Iterable[float] | np.ndarray,
        *,
        resolution: float,
        control: Iterable[float] | np.ndarray = (),
        certificate: str = "",
        worst_ratio: float | None = None,
    ) -> None:
        """Store one number for each instance; see `Measured`. Raises ValueError for a name used twice."""
        if any(name == other.name for other in self.found):
            raise ValueError(f"{self.question}: {name!r} is measured twice")
        numbers = tuple(float(value) for value in values)
        beside = tuple(float(value) for value in control)
        self.found.append(Measured(name, numbers, float(resolution), beside, certificate, worst_ratio))

    def answered(self, says: str, detail: str) -> None:
        """State the answer, one of the question's own, and one sentence about it. Raises ValueError for another one."""
        if says not in self.answers:
            raise ValueError(f"{self.question}: {says!r} is not one of {', '.join(self.answers)}")
        self._end(Status.ANSWERED, says, detail)

    def unanswered(self, status: Status, reason: str) -> None:
        """State why there is no answer."""
        self._end(status, "", reason)

    def _end(self, *outcome: Any) -> None:
        if self.outcome is not None:
            raise ValueError(f"{self.question} is answered twice")
        self.outcome = outcome

    def as_answer(self, seconds: float) -> Answer:
        """The answer. Raises ValueError where the question has stated none."""
        if self.outcome is None:
            raise ValueError(f"{self.question} has ended without an answer")
        return Answer(self.question, *self.outcome, self.step, tuple(self.found), seconds)


@dataclasses.dataclass(frozen=True)
class Question:
    """A question: its key, the column's title, the answers that it can give, and the function that asks it."""

    key: str
    title: str
    answers: tuple[str, ...]
    ask: Callable[..., None]
    file: str
