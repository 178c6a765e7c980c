"""The ledger: one verdict per claim, computed from the outcomes of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from theorems.ledger.claims import Reading, Statement
from theorems.ledger.evidence import Evidence
from theorems.ledger.judgement import judge, unfinished
from theorems.ledger.registry import StatedClaim
from theorems.ledger.verdicts import Role, Verdict, weakest


@dataclasses.dataclass(frozen=True)
class Entry:
    """One row: a claim, its computed verdict, the evidence, and what is wrong with it, if anything.

    failures: tests that pytest has reported as failed. problems: what else keeps the evidence from carrying a verdict.
    """

    stated: StatedClaim
    verdict: Verdict
    parts: tuple[tuple[Statement, Verdict], ...]
    readings: tuple[tuple[Reading, Verdict], ...]
    evidence: tuple[Evidence, ...]
    failures: tuple[str, ...]
    problems: tuple[str, ...]
    reason: str | None

    @property
    def instances(self) -> int:
        """Instances tried, over all evidence."""
        return sum(item.examples for item in self.evidence)

    @property
    def worst_ratio(self) -> float | None:
        """The largest error/bound seen in the claim's evidence."""
        return max((item.worst_ratio for item in self.evidence if item.worst_ratio is not None), default=None)

    def witness(self, part: str | None = None, reading: str | None = None) -> str | None:
        """The witness that refutes this reading of this part: exact if one is, and of the test that is worked by hand.

        Among several of these the first counts, in the order of the tests.
        """
        refutations = [item for item in self.evidence if item.role == Role.COUNTEREXAMPLE]
        witnessed = [item for item in refutations if (item.part, item.reading) == (part, reading) and item.witness]
        worked = self.stated.worked(part, reading)
        place = (worked.path, worked.name) if worked else None
        return min(witnessed, key=lambda item: (not item.exact, item.place != place)).witness if witnessed else None

    def findings(self, part: str | None = None, reading: str | None = None) -> list[dict[str, Any]]:
        """The findings about this reading of this part, in the order of the tests."""
        mine = [item for item in self.evidence if (item.part, item.reading) == (part, reading)]
        return [finding for item in mine for finding in item.findings]

    @property
    def setting(self) -> str | None:
        """The settings of the measurements that are not the paper's own, or None."""
        findings = [finding for item in self.evidence for finding in item.findings]
        settings = dict.fromkeys(finding["setting"] for finding in findings if not finding["printed"])
        return "; ".join(settings) or None

    @property
    def is_measured_elsewhere(self) -> bool:
        """Whether the verdict was measured in a setting that is not the paper's own."""
        return self.setting is not None and self.verdict is not Verdict.NOT_RUN

    @property
    def is_corrected(self) -> bool:
        """Whether a corrected statement was shown."""
        return any(item.role == Role.CORRECTED and item.outcome == "passed" for item in self.evidence)


def build(claims: Iterable[StatedClaim], evidence: Iterable[Evidence], skipped: Iterable[str] = ()) -> list[Entry]:
    """One entry per claim, in the order given, each with its evidence in the order of the claim's tests.

    skipped: paths of files that skipped themselves as a whole.
    """
    by_file: dict[str, list[Evidence]] = {}
    for item in evidence:
        by_file.setdefault(item.test.partition("::")[0], []).append(item)
    left_out = set(skipped)
    return [
        _entry(
            stated,
            [item for path, items in by_file.items() if stated.has(path) for item in items],
            any(stated.has(path) for path in left_out),
        )
        for stated in claims
    ]


def _entry(stated: StatedClaim, unordered: list[Evidence], is_skipped: bool) -> Entry:
    order = {(test.path, test.name): index for index, test in enumerate(stated.tests)}
    evidence = tuple(sorted(unordered, key=lambda item: (order[item.place], item.test.rstrip("]"))))
    verdicts: dict[str | None, Verdict] = {}
    readings: list[tuple[Reading, Verdict]] = []
    reasons: dict[str | None, str] = {}
    failures = tuple(item.function for item in evidence if item.outcome == "failed")
    problems = ["a file of it skips itself"] if is_skipped else []
    for statement in stated.claim.statements:
        part = statement.part
        mine = [item for item in evidence if item.part == part]
        if waiting := unfinished(stated, part, mine):
            reasons[part] = waiting
        verdicts[part], read, defects = judge(stated, part, mine, waiting)
        verdicts[part] = Verdict.BROKEN if is_skipped else verdicts[part]
        readings += read
        problems += [f"part {part}: {defect}" if part else defect for defect in defects]
    if len(evidence) == 1 and not reasons:
        problems.append("its evidence is a single test")
    verdict = weakest(verdicts.values())
    if not problems and not failures:
        problems += _surprises(stated, evidence, verdict, verdicts, readings)
    return Entry(
        stated=stated,
        verdict=verdict,
        parts=tuple((part, verdicts[part.part]) for part in stated.claim.parts),
        readings=tuple(readings),
        evidence=evidence,
        failures=failures,
        problems=tuple(problems),
        reason=_reason(reasons, stated) if verdict is Verdict.NOT_RUN else stated.claim.text("Reason"),
    )


def _reason(reasons: dict[str | None, str], stated: StatedClaim) -> str:
    if len(reasons) == len(stated.claim.statements) and len(set(reasons.values())) == 1:
        return next(iter(reasons.values()))
    return "; ".join(f"{part} {reason}" for part, reason in reasons.items())


def _surprises(
    stated: StatedClaim,
    evidence: tuple[Evidence, ...],
    verdict: Verdict,
    verdicts: dict[str | None, Verdict],
    readings: list[tuple[Reading, Verdict]],
) -> list[str]:
    """The verdicts that differ from what the docstring expects, a line each.

    What the author expects was frozen for one setting; in others a measurement may find what it likes. In that one
    too where nothing is expected: an interval may end so near its rule that another machine's rounding decides.
    """
    if not all(finding["binding"] for item in evidence for finding in item.findings):
        return []
    told = [("", stated.claim.expected, verdict)]
    told += [(f"part {part.part}: ", part.expected, verdicts[part.part]) for part in stated.claim.parts]
    told += [(f"read as {reading.name}: ", reading.expected, computed) for reading, computed in readings]
    measured = any(item.findings for item in evidence)
    return [
        f"{of}the evidence says {computed}, the docstring expects {wanted}"
        for of, wanted, computed in told
        if computed is not Verdict.NOT_RUN
        if wanted is not computed and not (measured and wanted is Verdict.INCONCLUSIVE)
    ]
