"""What the page shows of a ledger: claims, parts and tests, each with what its template needs, in the paper's order.

A view decides nothing and adds no fact. It joins the tests that a ledger promises with the evidence of the run.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from theorems.ledger.verdicts import Role, Verdict
from theorems.report.anchors import anchor_of, way_up
from theorems.report.figures.drawing import Drawn
from theorems.report.highlight import source_of
from theorems.report.numbers import Comparison, comparison_of

ROLES = {
    Role.COUNTEREXAMPLE: "Counterexamples: the print fails here",
    Role.AS_PRINTED: "As printed: the statement, word for word",
    Role.UNDER_HYPOTHESES: "Under hypotheses: the printed conclusion, once they are added",
    Role.VACUOUS: "Vacuous: what has no effect",
    Role.MEASURED: "Measured: trials, an interval and a rule that was fixed before",
    Role.CORRECTED: "Corrected: what is true instead, or besides",
    Role.NECESSITY: "Necessity: one hypothesis is dropped, and the conclusion fails",
    Role.OBSERVED: "Observed: what decides nothing",
}
"""The roles in the order in which the page shows them, each with what its tests show."""


@dataclasses.dataclass(frozen=True)
class Test:
    """A test function with the evidence of all its parameter sets.

    promised: its entry in the ledger. link: where its source is, relative to the page. source: the lines of its
    function, or None where the file has changed since the run.
    """

    anchor: str
    promised: Mapping[str, Any]
    evidence: tuple[Mapping[str, Any], ...]
    link: str
    source: str | None

    @property
    def role(self) -> Role:
        """What it shows."""
        return Role(self.promised["role"])

    @property
    def heading(self) -> str:
        """What it says, in a line: of a counterexample its name, since its docstring stands by itself on the page."""
        words = self.promised["test"].rpartition("::")[2].removeprefix("test_").replace("_", " ")
        named = f"{words[:1].upper()}{words[1:]}."
        return named if self.role is Role.COUNTEREXAMPLE else self.promised["sentence"]

    @property
    def outcome(self) -> str | None:
        """The worst outcome of its parameter sets, or None where it did not run."""
        outcomes = {item["outcome"] for item in self.evidence}
        return next((outcome for outcome in ("failed", "skipped", "passed") if outcome in outcomes), None)

    @property
    def instances(self) -> int:
        """Instances tried, over all parameter sets."""
        return sum(item["examples"] for item in self.evidence)

    @property
    def ratio(self) -> float | None:
        """The largest error/bound, or None."""
        return max((item["worst_ratio"] for item in self.evidence if item["worst_ratio"] is not None), default=None)

    @property
    def certificates(self) -> list[tuple[str, float | None]]:
        """What it certifies, each with its largest ratio over all parameter sets."""
        worst: dict[str, float | None] = {}
        for item in self.evidence:
            for why, ratio in item["certificates"].items():
                known = worst.setdefault(why, ratio)
                worst[why] = ratio if known is None else max(known, known if ratio is None else ratio)
        return [(why, ratio) for why, ratio in worst.items() if "{" not in why]

    @property
    def witnesses(self) -> list[str]:
        """What it found against the print."""
        return list(dict.fromkeys(item["witness"] for item in self.evidence if item["witness"]))


@dataclasses.dataclass(frozen=True)
class Shown:
    """A reading of a statement, that which decides (name is None) or another, with what the run shows about it.

    failure: the witness against it, taken apart, or None. worked: the same by hand, or None.
    """

    name: str | None
    words: str | None
    verdict: Verdict
    failure: Comparison | None
    worked: str | None
    findings: list[Mapping[str, Any]]
    figures: list[Drawn]


@dataclasses.dataclass(frozen=True)
class Hypothesis:
    """A hypothesis, with the tests that drop it."""

    label: str
    text: str
    dropped: list[Test]


@dataclasses.dataclass(frozen=True)
class Clause:
    """A clause of the corrected statement, with the tests that show it."""

    label: str
    text: str
    shown: list[Test]


@dataclasses.dataclass(frozen=True)
class Statement:
    """A part of a claim, or the whole of a claim without parts (part is None).

    fields: its own and those of its claim. own: without what the claim says of all its parts.
    """

    anchor: str
    part: str | None
    name: str
    verdict: Verdict
    is_empirical: bool
    fields: Mapping[str, str]
    own: Mapping[str, str]
    hypotheses: list[Hypothesis]
    clauses: list[Clause]
    deciding: Shown
    readings: list[Shown]
    tests: list[Test]

    @property
    def roles(self) -> list[tuple[str, list[Test]]]:
        """The tests by their roles: the words about a role, and its tests in order."""
        found = ((words, [test for test in self.tests if test.role is role]) for role, words in ROLES.items())
        return [(words, tests) for words, tests in found if tests]

    @property
    def instances(self) -> int:
        """Instances tried, over all tests."""
        return sum(test.instances for test in self.tests)

    @property
    def ratio(self) -> float | None:
        """The largest error/bound, or None."""
        return max((test.ratio for test in self.tests if test.ratio is not None), default=None)

    @property
    def ran(self) -> int:
        """How many tests ran."""
        return sum(test.outcome is not None for test in self.tests)

    @property
    def is_disputed(self) -> bool:
        """Whether readings that disagree leave it open, and not the measurement under the first of them."""
        found = {finding["finding"] for finding in self.deciding.findings}
        differ = any(reading.verdict not in (found or {Verdict.INCONCLUSIVE}) for reading in self.readings)
        return self.verdict is Verdict.INCONCLUSIVE and differ and Verdict.INCONCLUSIVE not in found

    @property
    def has_exact_witness(self) -> bool:
        """Whether a counterexample to the reading that decides was shown in exact arithmetic."""
        items = (item for test in self.tests if test.role is Role.COUNTEREXAMPLE for item in test.evidence)
        return any(item["exact"] and item["reading"] is None for item in items)


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper. entry: its part of the ledger."""

    anchor: str
    entry: Mapping[str, Any]
    statements: list[Statement]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the claim, that of its weakest part."""
        return Verdict(self.entry["verdict"])

    @property
    def has_parts(self) -> bool:
        """Whether the claim has lettered parts."""
        return self.statements[0].part is not None

    @property
    def short(self) -> str:
        """The label as a table of one section needs it."""
        return re.sub(r"^Section (\d)", r"\1", self.entry["label"])


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the paper, with its claims."""

    number: int
    name: str
    claims: list[Claim]

    @property
    def anchor(self) -> str:
        """The anchor of its heading."""
        return f"section-{self.number}"


class Viewer:
    """Makes the views of one ledger. directory: where the page will be, for links. drawn: its figures."""

    def __init__(self, root: Path, directory: Path, drawn: Iterable[Drawn]) -> None:
        self._root, self._up = root, way_up(root, directory)
        self._figures: dict[str | None, list[Drawn]] = {}
        for figure in drawn:
            self._figures.setdefault(figure.test, []).append(figure)

    def sections(self, claims: Iterable[Mapping[str, Any]]) -> list[Section]:
        """The claims, by the sections of the paper."""
        found: dict[tuple[str, str], list[Claim]] = {}
        for entry in claims:
            number, name = re.search(r"section_(\d+)_?([^/]*)", entry["path"]).groups()
            found.setdefault((number, name), []).append(self._claim(entry))
        return [
            Section(int(number), name.replace("_", " ").capitalize(), claims)
            for (number, name), claims in found.items()
        ]

    def link_to(self, file: str, line: int | None = None) -> str:
        """The address of a file of the checkout, as a link of the page."""
        address = f"{self._up}{urllib.parse.quote(file)}"
        return address if line is None else f"{address}#L{line}"

    def _claim(self, entry: Mapping[str, Any]) -> Claim:
        anchor = anchor_of(entry["label"])
        tests = self._tests(anchor, entry)
        return Claim(anchor, entry, [self._statement(entry, statement, tests) for statement in entry["statements"]])

    def _tests(self, anchor: str, entry: Mapping[str, Any]) -> list[Test]:
        evidence: dict[str, list[Mapping[str, Any]]] = {}
        for item in entry["evidence"]:
            evidence.setdefault(item["test"].partition("[")[0], []).append(item)
        names = [promised["test"].rpartition("::")[2] for promised in entry["tests"]]
        return [
            Test(
                anchor=self._anchor_of_test(anchor, promised, is_unique=names.count(name) == 1),
                promised=promised,
                evidence=tuple(evidence.get(promised["test"], ())),
                link=self.link_to(promised["file"], promised["lines"][0]),
                source=source_of(promised, self._root),
            )
            for promised, name in zip(entry["tests"], names, strict=True)
        ]

    @staticmethod
    def _anchor_of_test(anchor: str, promised: Mapping[str, Any], *, is_unique: bool) -> str:
        name = promised["test"].rpartition("::")[2]
        words = name if is_unique else f"{Path(promised['file']).stem} {name}"
        return f"{anchor}--{anchor_of(words)}"

    def _statement(self, entry: Mapping[str, Any], statement: Mapping[str, Any], tests: list[Test]) -> Statement:
        part = statement["part"]
        mine = [test for test in tests if test.promised["part"] == part]
        fields = entry["fields"] | statement["fields"]
        return Statement(
            anchor=anchor_of(entry["label"], part),
            part=part,
            name=statement["name"],
            verdict=Verdict(statement["verdict"]),
            is_empirical=statement["is_empirical"],
            fields=fields,
            own=fields if part is None else _without(statement["fields"], entry["fields"]),
            hypotheses=[_hypothesis(about, mine, tests) for about in statement["hypotheses"]],
            clauses=[_clause(about, mine) for about in sorted(statement["clauses"], key=_number)],
            deciding=self._shown(statement, mine, None),
            readings=[self._shown(reading, mine, reading["name"]) for reading in statement["readings"]],
            tests=mine,
        )

    def _shown(self, about: Mapping[str, Any], tests: list[Test], name: str | None) -> Shown:
        mine = [test for test in tests if test.promised["reading"] == name]
        templates = [why for test in mine for item in test.evidence for why in item["certificates"]]
        return Shown(
            name=name,
            words=about.get("words"),
            verdict=Verdict(about["verdict"]),
            failure=comparison_of(about["witness"], templates) if about["witness"] else None,
            worked=about["worked"]["text"] if about["worked"] else None,
            findings=about["findings"],
            figures=[figure for test in mine for figure in self._figures.get(test.promised["test"], ())],
        )


def _without(fields: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """The fields that are not said elsewhere."""
    return {name: text for name, text in fields.items() if said.get(name) != text}


def _hypothesis(about: Mapping[str, Any], mine: list[Test], tests: list[Test]) -> Hypothesis:
    """A hypothesis with the tests that drop it: those of its part, or else those of another part that has it too."""
    label = about["label"]
    dropped = [test for test in tests if test.role is Role.NECESSITY and label in test.promised["labels"]]
    near = [test for test in dropped if test in mine]
    return Hypothesis(label, about["text"], near or dropped)


def _number(about: Mapping[str, Any]) -> int:
    """The number of a clause: several files of one statement may list theirs in another order."""
    return int(about["label"].removeprefix("C"))


def _clause(about: Mapping[str, Any], mine: list[Test]) -> Clause:
    shown = [test for test in mine if test.role is Role.CORRECTED and about["label"] in test.promised["labels"]]
    return Clause(about["label"], about["text"], shown)
