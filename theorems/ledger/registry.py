"""What the theorem files on disk claim and promise, read from their source without importing them.

The whole registry is known before any test runs, whatever is selected and on every worker of a distributed run: so a
malformed file stops the run at once, and a claim whose evidence was not run in full cannot pass for one that was.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

from theorems.ledger.claims import LABELS, Claim, MalformedClaimError, parse_claim
from theorems.ledger.verdicts import DECISIVE, Role, Verdict

TIERS = ("fast", "slow", "gpu")
_MARKERS = {role.value.replace(" ", "_"): role for role in Role}


@dataclasses.dataclass(frozen=True)
class PromisedTest:
    """A test function of a theorem file: its role, part, reading, the labels it names, and what it needs (tier).

    labels: hypotheses H1, H2, ..., and for the role corrected clauses C1, C2, ...
    """

    name: str
    role: Role
    part: str | None
    reading: str | None
    labels: tuple[str, ...]
    tier: str


@dataclasses.dataclass(frozen=True)
class TheoremFile:
    """A theorem file: path relative to the root, the claim it states, and its tests in order."""

    path: str
    claim: Claim
    tests: tuple[PromisedTest, ...]

    def tests_of(self, part: str | None) -> tuple[PromisedTest, ...]:
        """The tests without which a part cannot be judged: its measurements, or all; those of the cheapest tier."""
        mine = [test for test in self.tests if test.part == part]
        mine = [test for test in mine if test.role is Role.MEASURED] or mine
        base = min((TIERS.index(test.tier) for test in mine), default=0)
        return tuple(test for test in mine if test.tier == TIERS[base])


def scan(root: Path) -> list[TheoremFile]:
    """Every theorem file below root/theorems, in the order of the paper's claims.

    Raises MalformedClaimError, in one line naming the file: a claim that does not parse, a label stated twice, a test
    without exactly one role, a hypothesis, clause, reading or part that the claim does not state; a stated hypothesis
    without a necessity test; a clause or a reading without a test that names it; a part that stays refuted beside
    corrected evidence and does not say how the two differ, or the reverse; a theorem that is measured, or a part that
    is measured and decided otherwise as well.
    """
    files: dict[str, TheoremFile] = {}
    for path in sorted((root / "theorems").glob("section_*/test_*.py")):
        file = _read(path, path.relative_to(root).as_posix())
        if other := files.get(file.claim.label):
            raise MalformedClaimError(f"{file.path}: {file.claim.label!r} is already the claim of {other.path}")
        files[file.claim.label] = file
    return [files[label] for label in LABELS if label in files]


def _read(path: Path, name: str) -> TheoremFile:
    try:
        module = ast.parse(path.read_text(encoding="utf-8-sig"))
    except SyntaxError as error:
        raise MalformedClaimError(f"{name}: line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise MalformedClaimError(f"{name}: is not Python in UTF-8 ({error})") from None
    claim = parse_claim(ast.get_docstring(module), name)
    everywhere = _tier(_module_marks(module))
    tests = tuple(
        _promise(node, claim, name, everywhere)
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
    _check(claim, tests, name)
    return TheoremFile(name, claim, tests)


def _module_marks(module: ast.Module) -> list[ast.expr]:
    for node in module.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "pytestmark" for target in node.targets):
            return node.value.elts if isinstance(node.value, ast.List) else [node.value]
    return []


def _tier(marks: list[ast.expr]) -> str | None:
    named = [mark.attr for mark in marks if isinstance(mark, ast.Attribute) and mark.attr in TIERS]
    return named[0] if named else None


def _promise(node: ast.FunctionDef, claim: Claim, file: str, everywhere: str | None) -> PromisedTest:
    found = []
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        target = call.func if call else decorator
        marker = getattr(target, "id", getattr(target, "attr", ""))
        if marker not in _MARKERS:
            continue
        try:
            named = tuple(ast.literal_eval(argument) for argument in call.args) if call else ()
            keywords = {word.arg: ast.literal_eval(word.value) for word in call.keywords} if call else {}
        except ValueError:
            raise MalformedClaimError(f"{file}: {node.name} has a role whose arguments are no literals") from None
        if unknown := set(keywords) - {"part", "reading"}:
            raise MalformedClaimError(f"{file}: {node.name} has a role with the unknown keyword {min(unknown)!r}")
        found.append((_MARKERS[marker], keywords.get("part"), keywords.get("reading"), named))
    if len(found) != 1:
        raise MalformedClaimError(f"{file}: {node.name} has {len(found)} roles, not one")
    role, part, reading, named = found[0]
    if part not in ({part.label for part in claim.parts} or {None}):
        raise MalformedClaimError(f"{file}: {node.name} speaks of part {part!r}, which the claim does not state")
    if reading is not None and (part, reading) not in {(known.part, known.name) for known in claim.readings}:
        raise MalformedClaimError(f"{file}: {node.name} reads the print as {reading!r}, which 'Readings' does not list")
    if unknown := [label for label in named if label not in (*claim.hypotheses, *claim.clauses)]:
        raise MalformedClaimError(f"{file}: {node.name} names {unknown[0]}, which the claim does not state")
    if role is not Role.CORRECTED and (mistaken := [label for label in named if label in claim.clauses]):
        raise MalformedClaimError(f"{file}: {node.name} is of the role {role} and names {mistaken[0]}")
    if role in (Role.NECESSITY, Role.UNDER_HYPOTHESES) and not named:
        raise MalformedClaimError(f"{file}: {node.name} does not say which hypotheses it is about")
    if role is Role.NECESSITY and len(named) > 1:
        raise MalformedClaimError(f"{file}: {node.name} drops {len(named)} hypotheses at once, not one")
    # What a measurement needs is said by its setting: CPU minutes, or a GPU.
    usual = "slow" if role is Role.MEASURED else "fast"
    return PromisedTest(node.name, role, part, reading, named, _tier(node.decorator_list) or everywhere or usual)


def _check(claim: Claim, tests: tuple[PromisedTest, ...], file: str) -> None:
    dropped = {label for test in tests if test.role is Role.NECESSITY for label in test.labels}
    if kept := [label for label in claim.hypotheses if label not in dropped]:
        raise MalformedClaimError(f"{file}: no necessity test drops {kept[0]}")
    _check_corrected(claim, tests, file)
    read = {(test.part, test.reading) for test in tests}
    if unread := [reading.name for reading in claim.readings if (reading.part, reading.name) not in read]:
        raise MalformedClaimError(f"{file}: no test is about the reading {unread[0]!r}")
    _check_measured(claim, tests, file)
    untestable = [claim.expected, *(part.expected for part in claim.parts)].count(Verdict.NOT_TESTABLE) > 0
    if untestable != bool(claim.fields.get("Reason")):
        raise MalformedClaimError(f"{file}: 'not testable' and the field 'Reason' go together")


def _check_corrected(claim: Claim, tests: tuple[PromisedTest, ...], file: str) -> None:
    """Clauses and tests name each other, and what stays refuted beside them says how they differ from the print."""
    corrected = [test for test in tests if test.role is Role.CORRECTED]
    if bool(corrected) != bool(claim.fields.get("Corrected")):
        lacks = "'Corrected' in its docstring" if corrected else "a test of its corrected statement"
        raise MalformedClaimError(f"{file}: lacks {lacks}")
    if corrected and not claim.fields["Corrected"].startswith("(C1)"):
        raise MalformedClaimError(f"{file}: 'Corrected' does not open with (C1)")
    if unnamed := [test.name for test in corrected if not set(test.labels) & set(claim.clauses)]:
        raise MalformedClaimError(f"{file}: {unnamed[0]} does not say which clause of 'Corrected' it shows")
    shown = {label for test in corrected for label in test.labels}
    if unshown := [label for label in claim.clauses if label not in shown]:
        raise MalformedClaimError(f"{file}: no test shows {unshown[0]}")
    _check_differs(claim, tests, file)


def _check_differs(claim: Claim, tests: tuple[PromisedTest, ...], file: str) -> None:
    roles: dict[str | None, set[Role]] = {}
    for test in tests:
        if test.reading is None:
            roles.setdefault(test.part, set()).add(test.role)
    refuted = {
        part
        for part, shown in roles.items()
        if {Role.COUNTEREXAMPLE, Role.CORRECTED} <= shown and Role.UNDER_HYPOTHESES not in shown
        if not claim.is_empirical(part)
    }
    told = claim.fields.get("Differs", "")
    explained = set(re.findall(r"\([a-z]\)", told)) if claim.parts else {None} if told else set()
    if silent := sorted(f"part {part}" if part else "it" for part in refuted - explained):
        raise MalformedClaimError(
            f"{file}: {silent[0]} is refuted and corrected, and 'Differs' does not say how the conclusions differ"
        )
    if idle := sorted(f"part {part}" if part else "it" for part in explained - refuted):
        raise MalformedClaimError(f"{file}: 'Differs' speaks of {idle[0]}, which is not refuted and corrected")


def _check_measured(claim: Claim, tests: tuple[PromisedTest, ...], file: str) -> None:
    """Only experiments and observations are measured, and what is measured is decided by nothing else."""
    measured = [test for test in tests if test.role is Role.MEASURED]
    if wrong := [test.name for test in measured if not claim.is_empirical(test.part)]:
        raise MalformedClaimError(f"{file}: {wrong[0]} measures, which only experiments and observations do")
    about = {(test.part, test.reading) for test in measured}
    if clash := [test.name for test in tests if (test.part, test.reading) in about and test.role in DECISIVE]:
        raise MalformedClaimError(f"{file}: {clash[0]} would decide what is measured")
