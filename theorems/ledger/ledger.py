"""The ledger: one verdict per claim, computed from the outcomes of a run."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from theorems.ledger.claims import Reading, Statement
from theorems.ledger.registry import TIERS, StatedClaim
from theorems.ledger.verdicts import (
    SILENT,
    Role,
    Verdict,
    verdict_of,
    verdict_of_findings,
    verdict_of_readings,
    weakest,
)

PAPER = "M. Dhand, Implicit Regularization in Overparameterized Neural Networks: A Mathematical Perspective"

NOT_SELECTED = "not selected"


@dataclasses.dataclass
class Evidence:
    """One executed test of a claim: its role, its outcome, its instances, and its largest ratio of error to bound.

    part, reading: what it is about; no reading means the one that decides. clauses: those of the corrected statement.
    hypothesis: the labels that the test names. kept: those that a necessity test asserted of its instance.
    promised: the instances that a generated test must try at least. largest: the instances of its largest example.
    idle, biting: the words of its inequalities whose error is 0 in every instance, and of the others. suppressed: an
    assertion that failed in it. exact: whether a witness was recorded whose two sides are rational. searched: whether
    a directed search found one. cases: how many parameter sets its function has in all. series: the data of its
    pictures by title. findings: what it measured, as `properties.certificates.record_finding` has them.
    """

    test: str
    role: str
    part: str | None
    reading: str | None
    outcome: str
    examples: int
    promised: int
    idle: list[str]
    biting: list[str]
    suppressed: list[str]
    largest: int
    is_batched: bool
    worst_ratio: float | None
    hypothesis: str | None
    clauses: str | None
    witness: str | None
    exact: bool
    kept: list[str]
    searched: bool
    cases: int
    series: dict[str, dict[str, list[float]]]
    findings: list[dict[str, Any]]
    seconds: float

    @property
    def function(self) -> str:
        """The name of the test function, without parameters."""
        return self.test.partition("::")[2].partition("[")[0]

    @property
    def place(self) -> tuple[str, str]:
        """The file and the test function: two files of a claim may have functions of one name."""
        return self.test.partition("::")[0], self.function


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
        """The first exact witness that refutes this reading of this part. Without an exact one, the first witness."""
        refutations = [item for item in self.evidence if item.role == Role.COUNTEREXAMPLE]
        witnessed = [item for item in refutations if (item.part, item.reading) == (part, reading) and item.witness]
        return min(witnessed, key=lambda item: not item.exact).witness if witnessed else None

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
        if unfinished := _unfinished(stated, part, mine):
            reasons[part] = unfinished
        verdicts[part], read, defects = _judge(stated, part, mine, unfinished)
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


def _unfinished(stated: StatedClaim, part: str | None, evidence: list[Evidence]) -> str | None:
    """Why a part cannot be judged, or None. It needs its measurements, or else all tests of its cheapest tier."""
    base = stated.tests_of(part)
    promised = {(test.path, test.name) for test in base}
    counted = Counter(item.place for item in evidence)
    executed = {item.place for item in evidence if counted[item.place] >= item.cases}
    if promised <= executed:
        return _unread(stated, part, evidence)
    tier = base[0].tier
    if not evidence or (base[0].role is Role.MEASURED and not promised & executed):
        return f"needs -m {tier}" if tier != "fast" else NOT_SELECTED
    return f"only {len(promised & executed)} of its {len(promised)} {tier} tests were selected in full"


def _unread(stated: StatedClaim, part: str | None, evidence: list[Evidence]) -> str | None:
    """The tier that a reading of an experiment or an observation still needs, or None. All such readings decide."""
    if not stated.claim.statement(part).is_empirical:
        return None
    run = {item.reading for item in evidence}
    waiting = [test.tier for test in stated.tests if test.part == part and test.reading not in run]
    return f"needs -m {min(waiting, key=TIERS.index)}" if waiting else None


def _judge(
    stated: StatedClaim, part: str | None, evidence: list[Evidence], unfinished: str | None
) -> tuple[Verdict, list[tuple[Reading, Verdict]], list[str]]:
    """The verdict of a part, the verdicts of its other readings, and the defects of its evidence."""
    if unpassed := [item for item in evidence if item.outcome != "passed"]:
        return Verdict.BROKEN, [], [f"{item.function} {item.outcome}" for item in unpassed if item.outcome != "failed"]
    if empty := [item for item in evidence if item.examples == 0]:
        return Verdict.BROKEN, [], [f"{item.function} executed no instance" for item in empty]
    if blind := [fault for item in evidence if (fault := _blindness(item))]:
        return Verdict.BROKEN, [], blind
    if idle := _idle_inequalities(evidence):
        return Verdict.BROKEN, [], idle
    if unsound := [item for item in evidence if item.worst_ratio is not None and not 0 <= item.worst_ratio <= 1]:
        return Verdict.BROKEN, [], [f"{item.function} passed with the ratio {item.worst_ratio:g}" for item in unsound]
    listed = stated.claim.statement(part).readings
    if unfinished:
        return Verdict.NOT_RUN, [(reading, Verdict.NOT_RUN) for reading in listed], []
    verdicts, defects = [], []
    for reading in listed:
        mine = [item for item in evidence if item.reading == reading.name]
        # A reading of a theorem does not decide: without its slow tests it is not run, and the part is judged.
        verdict, wrong = _weigh(stated, part, mine) if mine else (Verdict.NOT_RUN, [])
        verdicts.append((reading, verdict))
        defects += [f"read as {reading.name}: {defect}" for defect in wrong]
    own = [item for item in evidence if item.reading is None]
    if listed and stated.claim.statement(part).is_empirical:
        decided = [verdict for _, verdict in verdicts]
        if not {Role(item.role) for item in own} <= SILENT:
            verdict, wrong = _weigh(stated, part, own)
            decided.append(verdict)
            defects += wrong
        return (Verdict.BROKEN if defects else verdict_of_readings(decided)), verdicts, defects
    verdict, wrong = _weigh(stated, part, own)
    strength = list(Verdict)
    defects += wrong + [
        f"read as {reading.name} it {better}, which is better than {verdict}: that reading should decide"
        for reading, better in verdicts
        if strength.index(better) > strength.index(verdict) > strength.index(Verdict.BROKEN)
    ]
    return (Verdict.BROKEN if defects else verdict), verdicts, defects


def _blindness(item: Evidence) -> str | None:
    """Why a passed test shows less than it says, in one line; or None."""
    if item.suppressed:
        return f"{item.function} passed, and in it this had failed: {item.suppressed[0]}"
    if item.examples < item.promised:
        return f"{item.function} tried {item.examples} instances of at least {item.promised} that its profile promises"
    if item.is_batched and item.examples > 1 and item.largest == 1:
        return f"{item.function} holds one instance in each of its batches"
    return None


def _idle_inequalities(evidence: list[Evidence]) -> list[str]:
    """The inequalities that certify nothing, a line each. A parameter set may have none that bites, if another has."""
    counted = Counter(item.place for item in evidence)
    complete = [item for item in evidence if counted[item.place] >= item.cases]
    biting = {(item.place, why) for item in complete for why in item.biting}
    idle = {(item.place, why): item.function for item in complete for why in item.idle}
    return [
        f"{function} certifies nothing by {why!r}: the ratio is 0 in every instance"
        for (place, why), function in idle.items()
        if (place, why) not in biting
    ]


def _weigh(stated: StatedClaim, part: str | None, evidence: list[Evidence]) -> tuple[Verdict, list[str]]:
    """The verdict of passed evidence about one reading, and the defects of this evidence."""
    if not evidence:
        return _judge_untestable(stated, part)
    roles = {Role(item.role) for item in evidence}
    if Role.MEASURED in roles:
        return _judge_measured(evidence)
    verdict = verdict_of(roles, experiment=stated.claim.statement(part).is_empirical)
    if verdict is Verdict.BROKEN and roles <= SILENT and _is_given_up(stated, part):
        verdict = Verdict.NOT_TESTABLE
    if verdict is Verdict.BROKEN:
        return verdict, ["the roles of its evidence decide nothing or contradict each other"]
    defects = _defects(evidence) + [wrong for item in evidence if (wrong := _unkept(stated, item))]
    return (Verdict.BROKEN, defects) if defects else (verdict, [])


def _unkept(stated: StatedClaim, item: Evidence) -> str | None:
    """The hypotheses that a necessity test should assert of its instance and does not, in one line; or None.

    The statement is that of an under-hypotheses or corrected test of the same reading that names what is dropped; where
    no test does, it has all hypotheses that necessity tests of this reading drop.
    """
    if item.role != Role.NECESSITY:
        return None
    dropped = set((item.hypothesis or "").split(", "))
    mine = [test for test in stated.tests if (test.part, test.reading) == (item.part, item.reading)]
    known = set(stated.claim.statement(item.part).hypotheses)
    statements = [
        set(test.labels) & known
        for test in mine
        if test.role in (Role.UNDER_HYPOTHESES, Role.CORRECTED) and dropped <= set(test.labels)
    ] or [{label for test in mine if test.role is Role.NECESSITY for label in test.labels}]
    missing = min((statement - dropped - set(item.kept) for statement in statements), key=len)
    return f"{item.function} does not assert that its instance keeps {', '.join(sorted(missing))}" if missing else None


def _judge_measured(evidence: list[Evidence]) -> tuple[Verdict, list[str]]:
    silent = [item for item in evidence if item.role == Role.MEASURED and not item.findings]
    idle = [item for item in evidence if item.role != Role.MEASURED and item.worst_ratio is None]
    if defects := [f"{item.function} finds nothing" for item in silent] + [_idle(item) for item in idle]:
        return Verdict.BROKEN, defects
    return verdict_of_findings(Verdict(finding["finding"]) for item in evidence for finding in item.findings), []


def _judge_untestable(stated: StatedClaim, part: str | None) -> tuple[Verdict, list[str]]:
    return (Verdict.NOT_TESTABLE, []) if _is_given_up(stated, part) else (Verdict.BROKEN, ["there is no evidence"])


def _is_given_up(stated: StatedClaim, part: str | None) -> bool:
    """Whether the docstring says, with a reason, that the printed statement cannot be tested."""
    return stated.claim.statement(part).expected is Verdict.NOT_TESTABLE


def _defects(evidence: list[Evidence]) -> list[str]:
    """The defects of evidence whose tests all passed."""
    refutations = [item for item in evidence if item.role == Role.COUNTEREXAMPLE]
    defects = []
    if refutations and not any(item.exact for item in refutations):
        defects.append("no pinned counterexample with rational sides")
    if refutations and not any(item.searched for item in refutations):
        defects.append("no search finds a counterexample by itself")
    return defects + [_idle(item) for item in evidence if item.worst_ratio is None]


def _idle(item: Evidence) -> str:
    return f"{item.function} certifies nothing"


def as_json(entries: Iterable[Entry], profile: str, environment: dict[str, str]) -> dict[str, Any]:
    """The ledger in schema 1. Only `seconds` depends on the clock."""
    return {
        "schema": 1,
        "paper": PAPER,
        "profile": profile,
        "environment": environment,
        "claims": [_claim_as_json(entry) for entry in entries],
    }


def _finite(ratio: float | None) -> float | None:
    """The ratio, or None where it is not finite: JSON has no infinity."""
    return ratio if ratio is not None and math.isfinite(ratio) else None


def _claim_as_json(entry: Entry) -> dict[str, Any]:
    claim = entry.stated.claim
    row: dict[str, Any] = {
        "label": claim.label,
        "title": claim.title,
        "section": claim.fields["Section"],
        "verdict": entry.verdict,
        "printed": claim.fields["Printed"],
        "corrected": claim.text("Corrected"),
        "source": claim.text("Source"),
        "evidence": [_evidence_as_json(item) for item in entry.evidence],
    }
    if entry.setting:
        row["setting"] = entry.setting
    if entry.reason:
        row["reason"] = entry.reason
    if entry.parts:
        row["parts"] = [{"label": part.part, "verdict": verdict} for part, verdict in entry.parts]
    if entry.readings:
        row["readings"] = [
            {"part": reading.part, "name": reading.name, "words": reading.text, "verdict": verdict}
            for reading, verdict in entry.readings
        ]
    return row


def _evidence_as_json(item: Evidence) -> dict[str, Any]:
    record: dict[str, Any] = {
        "test": item.test,
        "role": item.role,
        "outcome": item.outcome,
        "examples": item.examples,
        "worst_ratio": _finite(item.worst_ratio),
        "hypothesis": item.hypothesis,
        "witness": item.witness,
        "seconds": item.seconds,
    }
    optional = {"part": item.part, "reading": item.reading, "clauses": item.clauses}
    record |= {name: value for name, value in optional.items() if value}
    if item.series:
        record["series"] = [{"title": title, "columns": columns} for title, columns in item.series.items()]
    if item.findings:
        record["findings"] = item.findings
    return record
