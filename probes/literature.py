"""What is proved of an optimizer's answers, with the source and its hypotheses: a profile stands beside it."""

from __future__ import annotations

from probes.answers import Answer, Status
from probes.expectations import EXPECTATIONS
from probes.sources import Expectation


def expected(family: str, answer: Answer) -> Expectation | None:
    """What the literature says of this family's answer to the question, or None."""
    matching = (e for e in EXPECTATIONS if family in e.families and e.question == answer.question)
    return next(matching, None)


def contradicts(expectation: Expectation, answer: Answer) -> bool:
    """Whether an answer was given and is another one. No answer contradicts nothing."""
    return answer.status is Status.ANSWERED and answer.says not in expectation.says
