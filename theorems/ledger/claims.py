"""A claim, as the docstrings of its theorem files state it.

A claim is one file, or a folder: its `__init__.py` states the claim, and each of its test files a part, or one aspect
where the claim has no parts. A docstring opens with `LABEL - title.`, or `LABEL (a) - name.` for a part. Fields follow:
a capitalized key in the first column, two or more spaces, and text that may run on in indented lines. `FIELDS` lists
them. Nothing in a docstring decides a verdict: `Expected` is the author's expectation, and a run whose computed verdict
differs fails.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import string
from collections.abc import Sequence
from pathlib import Path

from theorems.ledger.verdicts import Verdict, weakest

# Every claim of the paper that has a row, one to a line, in the order of the paper.
LABELS = tuple((Path(__file__).parent / "labels.txt").read_text(encoding="utf-8").splitlines())

FIELDS = {
    "Section": "where in the paper",
    "Printed": "the statement as printed, in its formulas",
    "Kind": "observation: the words of the paper that make the statement empirical",
    "Reading": "the reading that decides, and the words of the paper that admit it",
    "Readings": "[name] other readings, each with its words and - its expected verdict; they do not decide a theorem",
    "Setting": "what is fixed throughout: the loss, the dynamics, the notation",
    "Hypotheses": "(H1) ... (H2) ...: each is dropped by a necessity test",
    "Corrected": "(C1) ... (C2) ...: what is true instead, clause by clause; each is shown by a test that names it",
    "Differs": "how the corrected conclusion differs from that of the reading, where the statement stays refuted",
    "Idea": "why it is true, or why it is false",
    "Source": "the literature behind the corrected statement and the certificates",
    "Tolerance": "where the bounds come from",
    "Chance": "the false-alarm probability, where a test samples",
    "Findings": "where we differ from the paper or from what was expected",
    "Reason": "why the statement cannot be tested",
    "Expected": "the verdict that the evidence must come to",
}
OF_A_CLAIM = ("Section", "Printed", "Source")
"""The fields that the page of a claim must have. It may also have Reading, Setting and Chance."""
OF_A_STATEMENT = ("Idea", "Tolerance", "Expected")
"""The fields that one page of each part must have, or of a claim without parts."""


class MalformedClaimError(ValueError):
    """A theorem file does not state its claim; the message is one line that names the file and the defect."""


@dataclasses.dataclass(frozen=True)
class Page:
    """One docstring: the label, the part (None where it names none), the title, and its fields with their lines."""

    file: str
    label: str
    part: str | None
    title: str
    fields: dict[str, str]

    @functools.cached_property
    def hypotheses(self) -> dict[str, str]:
        """The hypotheses that the page states, H1 and so on, each with its text."""
        return _labelled("H", self.fields.get("Hypotheses", ""), f"{self.file}: a hypothesis")

    @functools.cached_property
    def clauses(self) -> dict[str, str]:
        """The clauses of the corrected statement, C1 and so on, each with its text."""
        return _labelled("C", self.fields.get("Corrected", ""), f"{self.file}: a clause")


@dataclasses.dataclass(frozen=True)
class Reading:
    """A reading beside the deciding one: of a part (None for a claim without parts), with its expected verdict."""

    part: str | None
    name: str
    text: str
    expected: Verdict


@dataclasses.dataclass(frozen=True)
class Statement:
    """A part of a claim, or the whole of a claim without parts (part is None): its pages, merged.

    file: that of its main page. fields: a line for each page that has the field. hypotheses and clauses: their texts by
    their labels. is_empirical: whether its verdict reads reproduced or not reproduced. expected: the verdict that the
    author expects.
    """

    part: str | None
    name: str
    file: str
    fields: dict[str, str]
    hypotheses: dict[str, str]
    clauses: dict[str, str]
    readings: tuple[Reading, ...]
    is_empirical: bool
    expected: Verdict


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper: its label, its title, the fields of its own page, and its statements in order."""

    label: str
    title: str
    fields: dict[str, str]
    statements: tuple[Statement, ...]

    @property
    def parts(self) -> tuple[Statement, ...]:
        """The lettered parts; none where the claim is one statement."""
        return tuple(statement for statement in self.statements if statement.part)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The readings that do not decide, of all parts."""
        return tuple(reading for statement in self.statements for reading in statement.readings)

    @property
    def expected(self) -> Verdict:
        """The verdict that the author expects: that of the weakest part."""
        return weakest(statement.expected for statement in self.statements)

    def text(self, field: str) -> str | None:
        """A field of the claim and of its statements, each part after its letter; None if no page has the field."""
        own = [self.fields[field]] if field in self.fields else []
        theirs = [
            f"{statement.part} {statement.fields[field]}" if statement.part else statement.fields[field]
            for statement in self.statements
            if field in statement.fields and statement.fields[field] not in own
        ]
        return " ".join(own + theirs) or None

    def statement(self, part: str | None) -> Statement:
        """The statement of this part, or of the claim without parts. Raises KeyError where there is none."""
        return {statement.part: statement for statement in self.statements}[part]


def parse_page(docstring: str | None, file: str) -> Page:
    """The page that a docstring states.

    Raises MalformedClaimError, in one line naming `file`, for a missing docstring, an unknown field or label, a field
    that is given twice or has a formula that does not end, or a stray line.
    """
    if not docstring or not docstring.strip():
        raise MalformedClaimError(f"{file}: no module docstring states the claim")
    heading, _, body = docstring.strip().partition("\n\n")
    heading = " ".join(heading.split())
    match = next((match for label in LABELS if (match := _heading(label, heading))), None)
    if match is None:
        label, dash, _ = heading.partition(" - ")
        if dash:
            raise MalformedClaimError(f"{file}: theorems/ledger/labels.txt does not list the label {label[:60]!r}")
        raise MalformedClaimError(f"{file}: the docstring opens with {heading[:60]!r}, not with 'LABEL - title'")
    return Page(file, match["label"], match["part"], match["title"].rstrip("."), _fields(body, file))


def _heading(label: str, heading: str) -> re.Match[str] | None:
    return re.fullmatch(rf"(?P<label>{re.escape(label)})(?: (?P<part>\([a-z]\)))? - (?P<title>.+)", heading)


def make_claim(own: Page, pages: Sequence[Page]) -> Claim:
    """The claim that its own page and the pages of its test files state; for a claim of one file these are one page.

    Raises MalformedClaimError, in one line naming a file: a missing field; a page of another claim; parts beside pages
    without part; parts that leave out a letter; a statement with no page, or two, that say what is expected; one label
    with two texts; a reading that is listed twice; an unknown verdict.
    """
    _require(own, OF_A_CLAIM)
    for page in pages:
        if page.label != own.label:
            raise MalformedClaimError(f"{page.file}: states {page.label!r} in the folder of {own.label!r}")
    parts = sorted({page.part for page in pages}, key=lambda part: part or "")
    if None in parts and len(parts) > 1:
        page = next(page for page in pages if page.part is None)
        raise MalformedClaimError(f"{page.file}: names no part of {own.label!r}, which has {', '.join(parts[1:])}")
    if parts != [None] and parts != [f"({letter})" for letter in string.ascii_lowercase[: len(parts)]]:
        raise MalformedClaimError(
            f"{own.file}: the parts of {own.label!r} are {', '.join(parts)}, which leaves one out"
        )
    _check_labels(pages)
    return Claim(
        label=own.label,
        title=own.title,
        fields=_joined([own]),
        statements=tuple(_statement(part, [page for page in pages if page.part == part]) for part in parts),
    )


def _require(page: Page, names: Sequence[str]) -> None:
    if missing := [f"{name!r} ({FIELDS[name]})" for name in names if not page.fields.get(name)]:
        raise MalformedClaimError(f"{page.file}: the docstring has no field {', '.join(missing)}")


def _check_labels(pages: Sequence[Page]) -> None:
    """Check that a hypothesis has the same words on all its pages, and that each clause stands on one page."""
    known: dict[str, str] = {}
    for page in pages:
        for label, text in page.hypotheses.items():
            if known.setdefault(label, text) != text:
                raise MalformedClaimError(f"{page.file}: {label} has other words than in another file of the claim")
        for label in page.clauses:
            if known.setdefault(label, page.file) != page.file:
                raise MalformedClaimError(f"{page.file}: {label} is a clause of {known[label]} already")


def _statement(part: str | None, pages: Sequence[Page]) -> Statement:
    main = [page for page in pages if "Expected" in page.fields]
    if len(main) != 1:
        whole = " ".join(filter(None, (pages[0].label, part)))
        raise MalformedClaimError(
            f"{pages[-1].file}: {len(main)} files of {whole!r} have the field 'Expected', not one"
        )
    _require(main[0], ("Printed", *OF_A_STATEMENT) if part else OF_A_STATEMENT)
    ordered = sorted(pages, key=lambda page: page is not main[0])
    fields = _joined(ordered)
    return Statement(
        part=part,
        name=main[0].title,
        file=main[0].file,
        fields=fields,
        hypotheses={label: text for page in ordered for label, text in page.hypotheses.items()},
        clauses={label: text for page in ordered for label, text in page.clauses.items()},
        readings=_readings(part, ordered),
        is_empirical=main[0].label.startswith("Experiment") or _is_observation(main[0]),
        expected=_verdict(main[0].fields["Expected"], main[0].file),
    )


def _joined(pages: Sequence[Page]) -> dict[str, str]:
    """The fields of several pages, merged: the text of a page on one line, and each text once."""
    fields: dict[str, list[str]] = {}
    for page in pages:
        for name, text in page.fields.items():
            fields.setdefault(name, []).append(" ".join(text.split()))
    return {name: "\n".join(dict.fromkeys(texts)) for name, texts in fields.items()}


def _labelled(letter: str, text: str, what: str) -> dict[str, str]:
    """The labels of a field with their texts; a text ends where the next label is stated."""
    marks = list(re.finditer(rf"\(({letter}\d+)\)", text))
    if len({mark[1] for mark in marks}) != len(marks):
        raise MalformedClaimError(f"{what} is stated twice in {', '.join(mark[1] for mark in marks)}")
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return {mark[1]: " ".join(text[mark.end() : end].split()) for mark, end in zip(marks, ends, strict=False)}


def _fields(body: str, file: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    current = None
    for line in body.splitlines():
        if not line.strip():
            continue
        if line[0].isspace() and current:
            fields[current] += "\n" + line.strip()
            continue
        match = re.fullmatch(r"([A-Z][a-z]+)\s{2,}(.*)", line)
        if match is None:
            raise MalformedClaimError(
                f"{file}: the docstring line {line[:50]!r} is neither a field nor indented: a field is a capitalized"
                " word, two or more spaces, and its text"
            )
        current, text = match.groups()
        if current not in FIELDS:
            raise MalformedClaimError(f"{file}: unknown docstring field {current!r}")
        if current in fields:
            raise MalformedClaimError(f"{file}: docstring field {current!r} is given twice")
        fields[current] = text
    if unclosed := next((name for name, text in fields.items() if text.count("$") % 2), None):
        raise MalformedClaimError(f"{file}: docstring field {unclosed!r} has a dollar sign without a partner")
    return fields


def _readings(part: str | None, pages: Sequence[Page]) -> tuple[Reading, ...]:
    readings: dict[str, Reading] = {}
    for page in pages:
        for entry in filter(None, re.split(r"\n(?=\[)", page.fields.get("Readings", ""))):
            match = re.fullmatch(r"\[([^\]]+)\] (.+) - ([a-z ]+)", " ".join(entry.split()))
            if match is None:
                raise MalformedClaimError(
                    f"{page.file}: reading {entry[:50]!r} does not read '[name] its words - verdict'"
                )
            name, words, verdict = match.groups()
            if name in readings:
                raise MalformedClaimError(f"{page.file}: reading {name!r} is listed twice")
            readings[name] = Reading(part, name, words, _verdict(verdict, page.file))
    return tuple(readings.values())


def _is_observation(page: Page) -> bool:
    kind = page.fields.get("Kind")
    if kind is not None and not kind.startswith("observation: "):
        raise MalformedClaimError(f"{page.file}: kind {kind[:50]!r} does not read 'observation: words of the paper'")
    return kind is not None


def _verdict(text: str, file: str) -> Verdict:
    expectable = set(Verdict) - {Verdict.BROKEN, Verdict.NOT_RUN}
    if text.strip() not in expectable:
        known = ", ".join(verdict for verdict in Verdict if verdict in expectable)
        raise MalformedClaimError(f"{file}: {text.strip()!r} is not a verdict to expect; these are {known}")
    return Verdict(text.strip())
