"""The registry: claims and tests of all theorem files, read from their source without importing them.

The whole registry is known before any test runs, whatever is selected and on every worker of a distributed run: so a
malformed file stops the run at once, and a claim whose evidence was not run in full cannot pass for one that was.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from theorems.ledger.bodies import fault_of
from theorems.ledger.claims import LABELS, Claim, MalformedClaimError, Page, Statement, make_claim, parse_page
from theorems.ledger.verdicts import DECISIVE, MARKERS, Role, Verdict

TIERS = ("fast", "slow", "gpu")
_DROPPED = re.compile(r"without_(H\d+)")


@dataclasses.dataclass(frozen=True)
class PromisedTest:
    """A test function of a theorem file: its place, role, part, reading and labels, and its tier (what it needs).

    path: relative to the root. labels: hypotheses H1, H2, ..., and for the role corrected clauses C1, C2, ...
    lines: its first and its last line in the file, from 1, with its decorators. docstring: in one line, or None.
    """

    path: str
    name: str
    role: Role
    part: str | None
    reading: str | None
    labels: tuple[str, ...]
    tier: str
    lines: tuple[int, int]
    docstring: str | None

    @property
    def sentence(self) -> str:
        """What the test says: its docstring, or its name as a sentence."""
        words = self.name.removeprefix("test_").replace("_", " ")
        return self.docstring or f"{words[:1].upper()}{words[1:]}."


@dataclasses.dataclass(frozen=True)
class StatedClaim:
    """A claim as it is on disk: the path of its file or folder, relative to the root, and its tests in order."""

    path: str
    claim: Claim
    tests: tuple[PromisedTest, ...]

    def tests_of(self, part: str | None) -> tuple[PromisedTest, ...]:
        """The tests that a verdict of this part needs: its measurements, or else all; of these the cheapest tier."""
        mine = [test for test in self.tests if test.part == part]
        mine = [test for test in mine if test.role is Role.MEASURED] or mine
        base = min((TIERS.index(test.tier) for test in mine), default=0)
        return tuple(test for test in mine if test.tier == TIERS[base])

    def worked(self, part: str | None, reading: str | None = None) -> PromisedTest | None:
        """The counterexample to this reading of this part that its docstring works by hand, or None."""
        told = (test for test in self.tests if test.role is Role.COUNTEREXAMPLE and test.docstring)
        return next((test for test in told if (test.part, test.reading) == (part, reading)), None)

    def has(self, path: str) -> bool:
        """Whether this file, relative to the root, is the claim's."""
        return path == self.path or path.startswith(f"{self.path}/")


def scan(root: Path) -> list[StatedClaim]:
    """Every claim below root/theorems, in the order of the paper.

    A theorem file is a test file of a section's folder, or of a folder in it, which then is the folder of one claim.
    Test files whose docstring opens with "Self-test" are no theorem files.

    Raises MalformedClaimError, in one line naming the file: a claim that does not parse, a label stated twice; a folder
    of a claim without a docstring in its __init__.py; a test without exactly one role; a hypothesis, clause, reading or
    part that the test's own file does not state; a test named `without_H1` without the label H1; a test that hides a
    failure or a certificate (`bodies.fault_of`); a name given twice at the top level of a file, once to a function; a
    stated hypothesis without a necessity test; a clause or a reading without a test that names it; a part that stays
    refuted beside corrected evidence and does not say how the two differ, or the reverse; a theorem that is measured,
    or a part that is measured and decided otherwise as well.
    """
    claims: dict[str, StatedClaim] = {}
    for place, files in _places(root):
        stated = _read(place, files, root)
        if other := claims.get(stated.claim.label):
            raise MalformedClaimError(f"{stated.path}: {stated.claim.label!r} is already the claim of {other.path}")
        claims[stated.claim.label] = stated
    return [claims[label] for label in LABELS if label in claims]


def _places(root: Path) -> Iterator[tuple[Path, list[_TheoremFile]]]:
    """The files and folders that are claims, with the theorem files in them."""
    for section in sorted((root / "theorems").glob("section_*")):
        for file in _theorem_files(section, root):
            yield root / file.page.file, [file]
        for folder in sorted(path for path in section.iterdir() if path.is_dir()):
            if files := _theorem_files(folder, root):
                yield folder, files


def _theorem_files(folder: Path, root: Path) -> list[_TheoremFile]:
    """The test files of a folder, without the self-tests."""
    modules = ((path.relative_to(root).as_posix(), path) for path in sorted(folder.glob("test_*.py")))
    parsed = ((name, _parse(path, name)) for name, path in modules)
    return [
        _TheoremFile(parse_page(ast.get_docstring(module), name), module)
        for name, module in parsed
        if not (ast.get_docstring(module) or "").startswith("Self-test")
    ]


def _read(place: Path, files: list[_TheoremFile], root: Path) -> StatedClaim:
    name = place.relative_to(root).as_posix()
    if place.is_file():
        own = files[0].page
        if own.part:
            raise MalformedClaimError(f"{name}: states part {own.part} outside the folder of its claim")
    else:
        opening = place / "__init__.py"
        if not opening.exists():
            raise MalformedClaimError(f"{name}: the folder of a claim has no __init__.py that opens with its label")
        own = parse_page(ast.get_docstring(_parse(opening, f"{name}/__init__.py")), f"{name}/__init__.py")
    claim = make_claim(own, [file.page for file in files])
    files.sort(key=lambda file: (file.page.part or "", "Expected" not in file.page.fields, file.page.file))
    stated = StatedClaim(name, claim, tuple(test for file in files for test in file.promises(claim)))
    for statement in claim.statements:
        _check(statement, [test for test in stated.tests if test.part == statement.part], name)
    _check_labels(stated)
    return stated


def _parse(path: Path, name: str) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8-sig"))
    except SyntaxError as error:
        raise MalformedClaimError(f"{name}: line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise MalformedClaimError(f"{name}: is not Python in UTF-8 ({error})") from None


@dataclasses.dataclass(frozen=True)
class _TheoremFile:
    """A test file: its docstring as a page, and its syntax tree."""

    page: Page
    module: ast.Module

    def promises(self, claim: Claim) -> tuple[PromisedTest, ...]:
        """Its tests, with what their decorators and the page say of them."""
        if twice := _hidden(self.module):
            raise MalformedClaimError(f"{self.page.file}: {twice} is defined twice, and the second hides the first")
        everywhere = _tier(self._marks())
        return tuple(
            self._promise(node, claim, everywhere)
            for node in self.module.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        )

    def _marks(self) -> list[ast.expr]:
        for node in self.module.body:
            if isinstance(node, ast.Assign) and any(getattr(aim, "id", "") == "pytestmark" for aim in node.targets):
                return node.value.elts if isinstance(node.value, ast.List) else [node.value]
        return []

    def _promise(self, node: ast.FunctionDef, claim: Claim, everywhere: str | None) -> PromisedTest:
        name = f"{self.page.file}: {node.name}"
        role, reading, named = _role(node, name)
        part = self.page.part
        if reading is not None and reading not in {known.name for known in claim.statement(part).readings}:
            raise MalformedClaimError(f"{name} reads the print as {reading!r}, which 'Readings' does not list")
        if unknown := [label for label in named if label not in (*self.page.hypotheses, *self.page.clauses)]:
            raise MalformedClaimError(f"{name} names {unknown[0]}, which its file does not state")
        if unlabelled := [label for label in _DROPPED.findall(node.name) if label not in named]:
            raise MalformedClaimError(f"{name} says without {unlabelled[0]} and has not the label {unlabelled[0]}")
        if role is not Role.CORRECTED and (mistaken := [label for label in named if label in self.page.clauses]):
            raise MalformedClaimError(f"{name} is of the role {role} and names {mistaken[0]}")
        if role in (Role.NECESSITY, Role.UNDER_HYPOTHESES) and not named:
            role_of_one = f'@{role.replace(" ", "_")}("H1")'
            raise MalformedClaimError(f"{name} does not say which hypotheses it is about, as {role_of_one} does")
        if role is Role.NECESSITY and len(named) > 1:
            raise MalformedClaimError(f"{name} drops {len(named)} hypotheses at once, not one")
        if fault := fault_of(node):
            raise MalformedClaimError(f"{name} {fault}")
        # A measurement takes CPU minutes, unless its marker says gpu or fast.
        usual = "slow" if role is Role.MEASURED else "fast"
        tier = _tier(node.decorator_list) or everywhere or usual
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        docstring = " ".join((ast.get_docstring(node) or "").split()) or None
        lines = first, node.end_lineno or first
        return PromisedTest(self.page.file, node.name, role, part, reading, named, tier, lines, docstring)


def _hidden(module: ast.Module) -> str | None:
    """The first function that another statement at the top level of its module hides: a function, a class, a value."""
    seen: set[str] = set()
    functions: set[str] = set()
    for node in module.body:
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        bound = [node.name] if is_function or isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.Assign | ast.AnnAssign):
            bound = [
                name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            ]
        if isinstance(node, ast.ImportFrom):
            bound = [alias.asname or alias.name for alias in node.names]
        for name in bound:
            if name in functions or (name in seen and is_function):
                return name
        seen.update(bound)
        functions.update(bound if is_function else ())
    return None


def _role(node: ast.FunctionDef, name: str) -> tuple[Role, str | None, tuple[str, ...]]:
    """Role, reading and labels, from the role marker of a test."""
    found = []
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        target = call.func if call else decorator
        marker = getattr(target, "id", getattr(target, "attr", ""))
        if marker not in MARKERS:
            continue
        try:
            named = tuple(ast.literal_eval(argument) for argument in call.args) if call else ()
            keywords = {word.arg: ast.literal_eval(word.value) for word in call.keywords} if call else {}
        except ValueError:
            raise MalformedClaimError(f"{name} has a role whose arguments are no literals") from None
        if unknown := set(keywords) - {"reading"}:
            raise MalformedClaimError(f"{name} has a role with the unknown keyword {min(unknown)!r}")
        found.append((MARKERS[marker], keywords.get("reading"), named))
    if not found:
        raise MalformedClaimError(
            f"{name} has no role: put one of {', '.join(f'@{role}' for role in MARKERS)} above it"
        )
    if len(found) > 1:
        raise MalformedClaimError(f"{name} has {len(found)} roles, not one")
    return found[0]


def _tier(marks: list[ast.expr]) -> str | None:
    named = [mark.attr for mark in marks if isinstance(mark, ast.Attribute) and mark.attr in TIERS]
    return named[0] if named else None


def _check_labels(stated: StatedClaim) -> None:
    """Check that a necessity test drops each hypothesis, in some part that states it, and a test shows each clause."""
    dropped = {label for test in stated.tests if test.role is Role.NECESSITY for label in test.labels}
    shown = {label for test in stated.tests if test.role is Role.CORRECTED for label in test.labels}
    for statement in stated.claim.statements:
        if kept := [label for label in statement.hypotheses if label not in dropped]:
            raise MalformedClaimError(
                f'{stated.path}: no necessity test drops {kept[0]}: write one, @necessity("{kept[0]}")'
            )
        if unshown := [label for label in statement.clauses if label not in shown]:
            raise MalformedClaimError(
                f'{stated.path}: no test shows {unshown[0]}: write one, @corrected("{unshown[0]}")'
            )


def _check(statement: Statement, tests: Sequence[PromisedTest], path: str) -> None:
    """Check that the fields of a statement and its tests agree."""
    where = f"{path}: part {statement.part}" if statement.part else f"{path}: the claim"
    _check_corrected(statement, tests, where)
    read = {test.reading for test in tests}
    if unread := [reading.name for reading in statement.readings if reading.name not in read]:
        raise MalformedClaimError(f"{path}: no test is about the reading {unread[0]!r}")
    _check_measured(statement, tests, path)
    if (statement.expected is Verdict.NOT_TESTABLE) != bool(statement.fields.get("Reason")):
        raise MalformedClaimError(f"{path}: 'not testable' and the field 'Reason' go together")


def _check_corrected(statement: Statement, tests: Sequence[PromisedTest], where: str) -> None:
    """Check that clauses and tests name each other, and that Differs stands where a refuted statement is corrected."""
    corrected = [test for test in tests if test.role is Role.CORRECTED]
    told = statement.fields.get("Corrected")
    if bool(corrected) != bool(told):
        lacks = "'Corrected' in its docstring" if corrected else "a test of its corrected statement"
        raise MalformedClaimError(f"{where} lacks {lacks}")
    if told and not (statement.clauses and told.startswith(f"({next(iter(statement.clauses))})")):
        raise MalformedClaimError(f"{where} has a field 'Corrected' that does not open with a clause (C1)")
    if unnamed := [test for test in corrected if not set(test.labels) & set(statement.clauses)]:
        raise MalformedClaimError(
            f"{unnamed[0].path}: {unnamed[0].name} does not say which clause of 'Corrected' it shows"
        )
    roles = {test.role for test in tests if test.reading is None}
    stays = {Role.COUNTEREXAMPLE, Role.CORRECTED} <= roles and Role.UNDER_HYPOTHESES not in roles
    stays = stays and not statement.is_empirical
    if stays and "Differs" not in statement.fields:
        raise MalformedClaimError(
            f"{where} is refuted and corrected, and 'Differs' does not say how the conclusions differ"
        )
    if not stays and "Differs" in statement.fields:
        raise MalformedClaimError(
            f"{where} has the field 'Differs', and is not refuted and corrected: it belongs to a counterexample beside"
            " a corrected statement and no evidence under hypotheses"
        )


def _check_measured(statement: Statement, tests: Sequence[PromisedTest], path: str) -> None:
    """Check that only an experiment or an observation is measured, and that nothing else decides it."""
    measured = [test for test in tests if test.role is Role.MEASURED]
    if measured and not statement.is_empirical:
        raise MalformedClaimError(f"{path}: {measured[0].name} measures, which only experiments and observations do")
    about = {test.reading for test in measured}
    if clash := [test.name for test in tests if test.reading in about and test.role in DECISIVE]:
        raise MalformedClaimError(f"{path}: {clash[0]} would decide what is measured")
