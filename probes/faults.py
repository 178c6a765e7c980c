"""What is wrong with an optimizer before it is asked anything."""

from __future__ import annotations

import dataclasses
import enum

from probes.candidate import Candidate, OptimizerFault


class Severity(enum.StrEnum):
    """fatal: no question can be asked. fault: answers may be missing, or about something else. remark: for reading."""

    FATAL = "fatal"
    FAULT = "fault"
    REMARK = "remark"


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing that is wrong or odd. line: cause and remedy, without a line break."""

    severity: Severity
    line: str


def faults(candidate: Candidate) -> list[Fault]:
    """What is wrong with the candidate, the worst first; empty where nothing is. Raises nothing."""
    try:
        candidate.family  # noqa: B018 - building it is the check
    except OptimizerFault as fault:
        return [Fault(Severity.FATAL, str(fault))]
    return []


def announcement(candidate: Candidate) -> str | None:  # noqa: ARG001
    """One line that says how long a profile takes, if that is more than a minute; else None."""
    return None
