"""What is proved of an optimizer's answers, with the source and its hypotheses: a profile stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from probes.pages.expectations import EXPECTATIONS
from probes.pages.sources import Expectation
from probes.profiles.answers import Answer, Status

if TYPE_CHECKING:
    from probes.profiles.profile import Profile


def expected(profile: Profile, answer: Answer) -> Expectation | None:
    """What the literature says of this answer of an optimizer of this family with these settings, or None."""
    matching = (e for e in EXPECTATIONS if profile.family in e.families and e.question == answer.question)
    return next((e for e in matching if _covers(e, profile.settings)), None)


def _covers(expectation: Expectation, settings: Mapping[str, float]) -> bool:
    """Whether the settings are those of the source. An optimizer that lacks one does not use it."""
    without, uses = expectation.without, expectation.uses
    return not any(settings.get(name, 0) for name in without) and all(settings.get(name, 1) for name in uses)


def contradicts(expectation: Expectation, answer: Answer) -> bool:
    """Whether an answer was given and is another one. No answer contradicts nothing."""
    return answer.status is Status.ANSWERED and answer.says not in expectation.says
