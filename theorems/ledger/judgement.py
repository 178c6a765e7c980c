"""The verdict of one part from its evidence: what it needs, what makes it broken, and what it then comes to."""

from __future__ import annotations

from collections import Counter

from theorems.ledger.claims import Reading
from theorems.ledger.evidence import Evidence
from theorems.ledger.registry import TIERS, StatedClaim
from theorems.ledger.verdicts import (
    SILENT,
    Role,
    Verdict,
    verdict_of,
    verdict_of_findings,
    verdict_of_readings,
)

NOT_SELECTED = "not selected"


def unfinished(stated: StatedClaim, part: str | None, evidence: list[Evidence]) -> str | None:
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


def judge(
    stated: StatedClaim, part: str | None, evidence: list[Evidence], waiting: str | None
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
    if waiting:
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
    if item.is_batched and item.examples > 1 and item.batch == 1:
        return f"{item.function} holds one instance in each of its batches"
    return None


def _idle_inequalities(evidence: list[Evidence]) -> list[str]:
    """The inequalities that certify nothing, a line each. A parameter set may have none that bites, if another has."""
    counted = Counter(item.place for item in evidence)
    complete = [item for item in evidence if counted[item.place] >= item.cases]
    worst: dict[tuple[tuple[str, str], str], float] = {}
    for item in complete:
        for why in item.inequalities:
            worst[item.place, why] = max(item.certificates[why], worst.get((item.place, why), 0.0))
    return [
        f"{function} certifies nothing by {why!r}: the ratio is 0 in every instance"
        for ((_, function), why), ratio in worst.items()
        if ratio == 0
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
    defects += [wrong for item in evidence if (wrong := _unwitnessed(stated, item))]
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


def _unwitnessed(stated: StatedClaim, item: Evidence) -> str | None:
    """The fault of a counterexample that is worked by hand and recorded no witness with rational sides; or None."""
    worked = stated.worked(item.part, item.reading)
    if item.exact or worked is None or item.place != (worked.path, worked.name):
        return None
    return f"{item.function} is worked by hand and records no witness with rational sides"


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
