"""The answers of one optimizer to all questions: asked from Python, kept as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from probes.answers import Answer
from probes.candidate import Candidate
from probes.problem import Effort
from probes.questions import all_questions, ask

if TYPE_CHECKING:
    import torch


@dataclasses.dataclass(frozen=True)
class Profile:
    """All answers of one optimizer.

    name: what the user called it. family: its class. effort: what was spent. answers: one for each question asked.
    """

    name: str
    family: str
    effort: Effort
    answers: tuple[Answer, ...]


def bias_profile(
    make: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer],
    *,
    name: str = "optimizer",
    has_step: bool = True,
    questions: Iterable[str] | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> Profile:
    """Which minimum the optimizer picks: its answers to all questions, or to those of these keys.

    make: a function of a list of parameters that returns a torch.optim.Optimizer. has_step: whether its learning rate
    is the one to use; otherwise each question finds the largest of a grid that converges.
    """
    candidate, effort = Candidate(name, make, has_step, device), Effort(seed=seed)
    wanted = None if questions is None else set(questions)
    asked = [question for question in all_questions() if wanted is None or question.key in wanted]
    return Profile(name, candidate.family, effort, tuple(ask(question, candidate, effort) for question in asked))
