"""A claim, as a theorem file's module docstring states it.

The docstring opens with `LABEL - title.` and goes on with fields: a capitalized key in the first column, two or more
spaces, and text that may run on in indented lines. `FIELDS` lists them. Nothing in the docstring decides a verdict:
`Expected` is the author's expectation, and a run whose computed verdict differs fails.
"""

from __future__ import annotations

import dataclasses
import re

from theorems.ledger.verdicts import Verdict

# Every claim of the paper that has a row, in the order of the paper.
LABELS = (
    "Section 1.2: dependence on initialization, learning rate and algorithm",
    "Section 1.2: minimum norm",
    "Section 1.2: maximum margin",
    "Section 1.2: low-rank structure",
    "Section 1.2: smooth representations",
    "Section 2.1: overparameterization enables interpolation",
    "Section 2.2: steepest descent",
    "Section 2.2: initialization selects the minimum",
    "Definition 2.1",
    "Definition 2.2",
    "Theorem 3.1",
    "Corollary 3.2",
    "Theorem 3.3",
    "Section 3.3: mirror descent",
    "Section 3.3: coordinate descent",
    "Section 3.3: stochastic gradient descent",
    "Section 4.1: gradient flow equations",
    "Section 4.1: balancedness",
    "Theorem 4.1",
    "Section 4.2: integral along the path",
    "Section 4.2: low rank and generalization",
    "Proposition 4.2",
    "Proposition 4.3",
    "Section 5.1: neural tangent kernel",
    "Theorem 5.1",
    "Section 5.2: kernel objective",
    "Theorem 5.2",
    "Section 6.1: feature learning regime",
    "Section 6.1: incremental learning",
    "Section 6.1: aligned features",
    "Section 6.1: hierarchical representations",
    "Proposition 6.1",
    "Definition 6.1",
    "Section 6.3: flat minima",
    "Theorem 6.2",
    "Section 7.1: initialization schemes",
    "Section 7.1: variance preservation",
    "Theorem 7.1",
    "Section 7.2: small learning rate",
    "Section 7.2: large learning rate",
    "Theorem 7.2",
    "Section 7.2: edge of stability",
    "Section 8.1: stochastic differential equation",
    "Theorem 8.1",
    "Corollary 8.2",
    "Section 8.3: robustness to label noise",
    "Proposition 8.3",
    "Section 9.1: residual gradient",
    "Theorem 9.1",
    "Section 9.2: effects of normalization",
    "Proposition 9.2",
    "Section 9.3: low-rank attention",
    "Section 9.3: sparse attention",
    "Experiment 1",
    "Experiment 2",
    "Experiment 3",
    "Section 10.3: limits of the kernel perspective",
    "Experiment 4",
    "Experiment 5",
    "Section 10.5: noise as regularizer",
)

FIELDS = {
    "Section": "where in the paper",
    "Printed": "the statement as printed, in its formulas",
    "Kind": "observation: the words that make the claim, or the parts (a), (b) named before the colon, empirical",
    "Reading": "the reading that decides, and the words of the paper that admit it",
    "Readings": "[name] other readings, each with its words and - its expected verdict; they do not decide a theorem",
    "Setting": "what is fixed throughout: the loss, the dynamics, the notation",
    "Hypotheses": "(H1) ... (H2) ...: each is dropped by a necessity test",
    "Corrected": "(C1) ... (C2) ...: what is true instead, clause by clause; each is shown by a test that names it",
    "Differs": "how the corrected conclusion differs from that of the reading, where the claim or a part stays refuted",
    "Parts": "(a) name - expected verdict, one to a line",
    "Idea": "why it is true, or why it is false",
    "Source": "the literature behind the corrected statement and the certificates",
    "Tolerance": "where the bounds come from",
    "Chance": "the false-alarm probability, where a test samples",
    "Findings": "where we differ from the paper or from what was expected",
    "Reason": "why the claim, or a part of it, cannot be tested",
    "Expected": "the verdict that the evidence must come to",
}
REQUIRED = ("Section", "Printed", "Idea", "Source", "Tolerance", "Expected")


class MalformedClaimError(ValueError):
    """A theorem file does not state its claim; the message is one line that names the file and the defect."""


@dataclasses.dataclass(frozen=True)
class Part:
    """One lettered part of a claim, with the verdict that its author expects."""

    label: str
    name: str
    expected: Verdict


@dataclasses.dataclass(frozen=True)
class Reading:
    """A reading beside the deciding one: of a part (None for a claim without parts), with its expected verdict."""

    part: str | None
    name: str
    text: str
    expected: Verdict


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a module docstring states; texts are joined to one line each.

    hypotheses: the labels H1, H2, ...; clauses: the labels C1, C2, ... of the corrected statement. observations: the
    parts that are empirical observations, (None,) for a claim without parts.
    """

    label: str
    title: str
    fields: dict[str, str]
    hypotheses: tuple[str, ...]
    clauses: tuple[str, ...]
    parts: tuple[Part, ...]
    readings: tuple[Reading, ...]
    observations: tuple[str | None, ...]
    expected: Verdict

    def is_empirical(self, part: str | None) -> bool:
        """Whether the verdict of this part reads reproduced or not reproduced."""
        return self.label.startswith("Experiment") or part in self.observations

    def expected_of(self, part: str | None) -> Verdict:
        """The verdict that the author expects of this part, or of the claim."""
        return {known.label: known.expected for known in self.parts}.get(part, self.expected)


def parse_claim(docstring: str | None, file: str) -> Claim:
    """The claim that a module docstring states.

    Raises MalformedClaimError, in one line naming `file`, for a missing docstring or field, an unknown field or
    label, a stray line, or an unknown verdict.
    """
    if not docstring or not docstring.strip():
        raise MalformedClaimError(f"{file}: no module docstring states the claim")
    heading, _, body = docstring.strip().partition("\n\n")
    heading = " ".join(heading.split())
    label = next((label for label in LABELS if heading.startswith(f"{label} - ")), None)
    if label is None:
        raise MalformedClaimError(f"{file}: the docstring opens with {heading[:60]!r}, not with 'LABEL - title'")
    fields = _fields(body, file)
    if missing := [name for name in REQUIRED if not fields.get(name)]:
        raise MalformedClaimError(f"{file}: the docstring has no field {missing[0]!r}")
    parts = tuple(_parts(fields.get("Parts", ""), file))
    labels = {part.label for part in parts} or {None}
    return Claim(
        label=label,
        title=heading.removeprefix(f"{label} - ").rstrip("."),
        fields={name: " ".join(text.split()) for name, text in fields.items()},
        hypotheses=_labels(r"\((H\d+)\)", fields.get("Hypotheses", ""), f"{file}: a hypothesis"),
        clauses=_labels(r"\((C\d+)\)", fields.get("Corrected", ""), f"{file}: a clause"),
        parts=parts,
        readings=tuple(_readings(fields.get("Readings", ""), labels, file)),
        observations=_observations(fields.get("Kind"), labels, file),
        expected=_verdict(fields["Expected"], file),
    )


def _labels(pattern: str, text: str, what: str) -> tuple[str, ...]:
    found = tuple(re.findall(pattern, text))
    if len(set(found)) != len(found):
        raise MalformedClaimError(f"{what} is stated twice in {', '.join(found)}")
    return found


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
            raise MalformedClaimError(f"{file}: the docstring line {line[:50]!r} is neither a field nor indented")
        current, text = match.groups()
        if current not in FIELDS:
            raise MalformedClaimError(f"{file}: unknown docstring field {current!r}")
        if current in fields:
            raise MalformedClaimError(f"{file}: docstring field {current!r} is given twice")
        fields[current] = text
    return fields


def _parts(text: str, file: str) -> list[Part]:
    parts = []
    for line in text.splitlines():
        match = re.fullmatch(r"(\([a-z]\)) (.+) - ([a-z ]+)", line.strip())
        if match is None:
            raise MalformedClaimError(f"{file}: part {line[:50]!r} does not read '(a) name - verdict'")
        label, name, verdict = match.groups()
        parts.append(Part(label, name, _verdict(verdict, file)))
    return parts


def _readings(text: str, labels: set[str | None], file: str) -> list[Reading]:
    readings: list[Reading] = []
    for entry in filter(None, re.split(r"\n(?=(?:\([a-z]\) )?\[)", text)):
        match = re.fullmatch(r"(?:(\([a-z]\)) )?\[([^\]]+)\] (.+) - ([a-z ]+)", " ".join(entry.split()))
        if match is None:
            raise MalformedClaimError(f"{file}: reading {entry[:50]!r} does not read '[name] its words - verdict'")
        part, name, words, verdict = match.groups()
        if part not in labels:
            raise MalformedClaimError(f"{file}: reading {name!r} is of part {part!r}, which the claim does not state")
        if (part, name) in [(known.part, known.name) for known in readings]:
            raise MalformedClaimError(f"{file}: reading {name!r} is listed twice")
        readings.append(Reading(part, name, words, _verdict(verdict, file)))
    return readings


def _observations(text: str | None, labels: set[str | None], file: str) -> tuple[str | None, ...]:
    if text is None:
        return ()
    match = re.fullmatch(r"observation((?:,? \([a-z]\))*): .+", " ".join(text.split()))
    if match is None:
        raise MalformedClaimError(
            f"{file}: kind {text[:50]!r} does not read 'observation (a), (b): words of the paper'"
        )
    named = tuple(re.findall(r"\([a-z]\)", match.group(1))) or tuple(labels)
    if unknown := [label for label in named if label not in labels]:
        raise MalformedClaimError(f"{file}: {unknown[0]} is an observation, but no part of the claim")
    return named


def _verdict(text: str, file: str) -> Verdict:
    expectable = set(Verdict) - {Verdict.BROKEN, Verdict.NOT_RUN}
    if text.strip() not in expectable:
        raise MalformedClaimError(f"{file}: {text.strip()!r} is not a verdict to expect")
    return Verdict(text.strip())
