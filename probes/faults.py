"""What is wrong with an optimizer before it is asked anything."""

from __future__ import annotations

import dataclasses

from probes.candidate import Candidate, OptimizerFault


@dataclasses.dataclass(frozen=True)
class Fault:
    """Something wrong with an optimizer. severity: "fault" or "warning". line: what, in one line."""

    severity: str
    line: str


def faults(candidate: Candidate) -> list[Fault]:
    """What is wrong with the candidate, a line each."""
    try:
        candidate.family  # noqa: B018 - building it is the check
    except OptimizerFault as fault:
        return [Fault("fault", str(fault))]
    return []


def announcement(candidate: Candidate) -> str | None:  # noqa: ARG001
    """One line for an optimizer that takes long, or None."""
    return None
