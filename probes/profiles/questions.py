"""The questions, in their order, and how one is asked."""

from __future__ import annotations

import functools
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from probes.profiles.answers import Answer, Answering, Question, Status
from probes.running.candidate import Candidate, OptimizerFault
from probes.running.problem import Effort
from probes.running.run import found_anew
from probes.running.surroundings import undisturbed

FOLDER = Path(__file__).parents[1]
_ASKED: dict[str, Question] = {}


def question(key: str, *, title: str, answers: tuple[str, ...]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a function of (candidate, effort, answer) as a question.

    key: what files and options call it, lower case. title: the head of its column, at most 20 characters. answers: all
    that it can answer, in words; `Answering.answered` refuses others. Raises ValueError for a key used twice.
    """

    def declare(ask: Callable[..., None]) -> Callable[..., None]:
        if key in _ASKED and _ASKED[key].ask.__module__ != ask.__module__:
            raise ValueError(f"two questions have the key {key!r}")
        _ASKED[key] = Question(key, title, answers, ask, f"{ask.__module__.replace('.', '/')}.py")
        ask.question = key
        return ask

    return declare


def forget(module: str) -> None:
    """Forget the questions of a module, and the module."""
    sys.modules.pop(module, None)
    for key in [key for key, asked in _ASKED.items() if asked.ask.__module__ == module]:
        del _ASKED[key]


def all_questions() -> list[Question]:
    """All questions, in the order of the files question_1_*.py, question_2_*.py, ... and of the functions in them."""
    files = sorted(FOLDER.glob("question_*.py"))
    modules = [importlib.import_module(f"probes.{path.stem}") for path in files]
    return [
        _ASKED[value.question] for module in modules for value in vars(module).values() if hasattr(value, "question")
    ]


def ask(asked: Question, candidate: Candidate, effort: Effort) -> Answer:
    """The candidate's answer. A fault of the optimizer is an answer too: failed, with one line that says so.

    It is the same whatever was asked before, in whichever process: threads, random states and layouts are its own.
    """
    began = time.perf_counter()
    answering = Answering(asked.key, asked.answers)
    seed = int(effort.rng(f"{asked.key} of the optimizer").integers(2**32))
    try:
        with undisturbed(seed, candidate.device):
            _remember(candidate)
        with undisturbed(seed, candidate.device), found_anew():
            asked.ask(candidate, effort, answering)
    except OptimizerFault as fault:
        answering.outcome = None
        answering.unanswered(Status.FAILED, str(fault))
    return answering.as_answer(time.perf_counter() - began)


def _remember(candidate: Candidate) -> None:
    """Find out what a candidate finds out once, so that each question finds the same random states in any order."""
    for name, value in vars(Candidate).items():
        if isinstance(value, functools.cached_property):
            getattr(candidate, name)
