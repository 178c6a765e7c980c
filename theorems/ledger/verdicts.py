"""Verdicts, and the only rule that computes them from the evidence."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Role(enum.StrEnum):
    """What one test of a claim shows."""

    AS_PRINTED = "as printed"
    UNDER_HYPOTHESES = "under hypotheses"
    CORRECTED = "corrected"
    COUNTEREXAMPLE = "counterexample"
    VACUOUS = "vacuous"
    NECESSITY = "necessity"
    OBSERVED = "observed"
    MEASURED = "measured"


MARKERS = {role.value.replace(" ", "_"): role for role in Role}
"""The roles by the names of their pytest markers."""

SILENT = frozenset({Role.CORRECTED, Role.NECESSITY, Role.OBSERVED})
"""The roles that say nothing about the statement as printed."""

DECISIVE = frozenset(Role) - SILENT - {Role.MEASURED}
"""The roles that decide by passing. A measurement decides by its finding."""


class Verdict(enum.StrEnum):
    """The verdicts, from the weakest to the strongest. A claim has the verdict of its weakest part."""

    BROKEN = "broken"
    NOT_RUN = "not run"
    REFUTED = "refuted"
    NOT_REPRODUCED = "not reproduced"
    VACUOUS = "vacuous"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTABLE = "not testable"
    HOLDS_UNDER_ADDED_HYPOTHESES = "holds under added hypotheses"
    REPRODUCED = "reproduced"
    HOLDS = "holds"


def verdict_of(roles: Iterable[Role], *, experiment: bool = False) -> Verdict:
    """The verdict that passed evidence of these roles comes to; BROKEN where the roles decide nothing or clash.

    A theorem: a counterexample refutes the print, unless the conclusion is shown under hypotheses; without one,
    vacuous evidence makes it vacuous and evidence as printed makes it hold. An experiment is reproduced as printed or
    contradicted by a counterexample; shown both ways under readings that the print admits, it is inconclusive.
    The roles of SILENT never decide.
    """
    shown = set(roles)
    printed, refuted = Role.AS_PRINTED in shown, Role.COUNTEREXAMPLE in shown
    if experiment and (printed or refuted):
        if printed and refuted:
            return Verdict.INCONCLUSIVE
        return Verdict.REPRODUCED if printed else Verdict.NOT_REPRODUCED
    if printed and refuted:
        return Verdict.BROKEN
    if refuted:
        return Verdict.HOLDS_UNDER_ADDED_HYPOTHESES if Role.UNDER_HYPOTHESES in shown else Verdict.REFUTED
    if Role.VACUOUS in shown:
        return Verdict.VACUOUS
    return Verdict.HOLDS if printed else Verdict.BROKEN


def verdict_of_findings(findings: Iterable[Verdict]) -> Verdict:
    """The verdict of an experiment measured in several settings: the weakest, or INCONCLUSIVE where they clash.

    findings: REPRODUCED, NOT_REPRODUCED or INCONCLUSIVE each, at least one.
    """
    found = set(findings)
    return Verdict.INCONCLUSIVE if {Verdict.REPRODUCED, Verdict.NOT_REPRODUCED} <= found else weakest(found)


def verdict_of_readings(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of an experiment or an observation that is measured under several readings, at least one.

    Readings are alternatives: where they do not all come to the same, the choice among them decides, which is
    INCONCLUSIVE.
    """
    found = set(verdicts)
    return found.pop() if len(found) == 1 else Verdict.INCONCLUSIVE


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """The weakest of these verdicts: the verdict of a claim of parts."""
    strength = list(Verdict)
    return min(verdicts, key=strength.index)
