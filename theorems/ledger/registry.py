"""What the theorem files on disk claim and promise, read from their source without importing them.

The whole registry is known before any test runs, whatever is selected and on every worker of a distributed run: so a
malformed file stops the run at once, and a claim whose evidence was not run in full cannot pass for one that was.
"""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

from theorems.ledger.claims import LABELS, Claim, MalformedClaimError, parse_claim
from theorems.ledger.verdicts import DECISIVE, Role, Verdict

TIERS = ("fast", "slow", "gpu")
_MARKERS = {role.value.replace(" ", "_"): role for role in Role}


@dataclasses.dataclass(frozen=True)
class PromisedTest:
    """A test function of a theorem file: its role, part, the hypotheses it names, and what it needs (tier)."""

    name: str
    role: Role
    part: str | None
    hypotheses: tuple[str, ...]
    tier: str


@dataclasses.dataclass(frozen=True)
class TheoremFile:
    """A theorem file: path relative to the root, the claim it states, and its tests in order."""

    path: str
    claim: Claim
    tests: tuple[PromisedTest, ...]


def scan(root: Path) -> list[TheoremFile]:
    """Every theorem file below root/theorems, in the order of the fifty claims.

    Raises MalformedClaimError, in one line naming the file: a claim that does not parse, a label stated twice, a test
    without exactly one role, a hypothesis or part that the claim does not state, a stated hypothesis without a
    necessity test, a corrected statement without a test of it, or the reverse; a theorem that is measured, or a part
    that is measured and decided otherwise as well.
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
        found.append((_MARKERS[marker], keywords.get("part"), named))
    if len(found) != 1:
        raise MalformedClaimError(f"{file}: {node.name} has {len(found)} roles, not one")
    role, part, named = found[0]
    if part not in ({part.label for part in claim.parts} or {None}):
        raise MalformedClaimError(f"{file}: {node.name} speaks of part {part!r}, which the claim does not state")
    if unknown := [label for label in named if label not in claim.hypotheses]:
        raise MalformedClaimError(f"{file}: {node.name} names {unknown[0]}, which the claim does not state")
    if role in (Role.NECESSITY, Role.UNDER_HYPOTHESES) and not named:
        raise MalformedClaimError(f"{file}: {node.name} does not say which hypotheses it is about")
    # What a measurement needs is said by its setting: CPU minutes, or a GPU.
    usual = "slow" if role is Role.MEASURED else "fast"
    return PromisedTest(node.name, role, part, named, _tier(node.decorator_list) or everywhere or usual)


def _check(claim: Claim, tests: tuple[PromisedTest, ...], file: str) -> None:
    dropped = {label for test in tests if test.role is Role.NECESSITY for label in test.hypotheses}
    if kept := [label for label in claim.hypotheses if label not in dropped]:
        raise MalformedClaimError(f"{file}: no necessity test drops {kept[0]}")
    has_corrected = any(test.role is Role.CORRECTED for test in tests)
    if has_corrected != bool(claim.fields.get("Corrected")):
        lacks = "'Corrected' in its docstring" if has_corrected else "a test of its corrected statement"
        raise MalformedClaimError(f"{file}: lacks {lacks}")
    _check_measured(claim, tests, file)
    untestable = [claim.expected, *(part.expected for part in claim.parts)].count(Verdict.NOT_TESTABLE) > 0
    if untestable != bool(claim.fields.get("Reason")):
        raise MalformedClaimError(f"{file}: 'not testable' and the field 'Reason' go together")


def _check_measured(claim: Claim, tests: tuple[PromisedTest, ...], file: str) -> None:
    """Only experiments are measured, and what is measured is decided by nothing else."""
    measured = [test for test in tests if test.role is Role.MEASURED]
    if measured and not claim.is_experiment:
        raise MalformedClaimError(f"{file}: {measured[0].name} measures, which only experiments do")
    parts = {test.part for test in measured}
    if clash := [test.name for test in tests if test.part in parts and test.role in DECISIVE]:
        raise MalformedClaimError(f"{file}: {clash[0]} would decide what is measured")
