"""The ledger as a document: what `ledger.json` holds, in schema 2, which `docs/ledger.schema.json` describes.

The pages are made of this document and of the source files that it names, and of nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from theorems.ledger.claims import LABELS, Reading, Statement
from theorems.ledger.evidence import Evidence
from theorems.ledger.ledger import Entry
from theorems.ledger.registry import PromisedTest, StatedClaim
from theorems.ledger.verdicts import Verdict

SCHEMA = 2
PAPER = {
    "title": "Implicit Regularization in Overparameterized Neural Networks: A Mathematical Perspective",
    "author": "Manju Dhand",
    "sha256": "a6cbb9c513240a9124e12a1825bc7a077da071a6c9af5716667735a32da932d0",
}
"""The paper; sha256: of the Markdown text that the claims were read from, `paper.md`."""
STRUCTURED = ("Section", "Hypotheses", "Corrected", "Readings", "Expected")
"""The fields of a docstring that the document has in another form."""


def as_document(
    entries: Iterable[Entry], *, profile: str, seed: str | None, environment: dict[str, str], root: Path
) -> dict[str, Any]:
    """The ledger in schema 2. Only `seconds` depends on the clock.

    seed: that of --hypothesis-seed, as it was given. root: the checkout, for the index of the paper's sentences.
    """
    return {
        "schema": SCHEMA,
        "paper": PAPER | {"sentences": read_index(root / "docs" / "paper-index.md")},
        "profile": profile,
        **({} if seed is None else {"seed": seed}),
        "environment": environment,
        "claims": [_claim(entry) for entry in entries],
    }


def read_index(page: Path) -> list[dict[str, str | None]]:
    """The sentences of the paper: place, what it says, the label of its row, or why there is none.

    They are read from the tables of docs/paper-index.md; without that page there are none.
    """
    lines = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if re.match(r"\| \d", line)]
    return [
        {
            "place": place,
            "says": says,
            "row": row if row in LABELS else None,
            "reason": row.partition("none: ")[2] or None,
        }
        for place, says, row in rows
    ]


def _claim(entry: Entry) -> dict[str, Any]:
    stated, claim = entry.stated, entry.stated.claim
    return {
        "label": claim.label,
        "title": claim.title,
        "section": claim.fields["Section"],
        "path": stated.path,
        "verdict": entry.verdict,
        "expected": claim.expected,
        "is_corrected": entry.is_corrected,
        "instances": entry.instances,
        "worst_ratio": _finite(entry.worst_ratio),
        "setting": entry.setting,
        "reason": entry.reason,
        "failures": list(dict.fromkeys(entry.failures)),
        "problems": list(entry.problems),
        "fields": _fields(claim.fields),
        "statements": [_statement(entry, statement) for statement in claim.statements],
        "tests": [_test(test) for test in stated.tests],
        "evidence": [_evidence(item) for item in entry.evidence],
    }


def _statement(entry: Entry, statement: Statement) -> dict[str, Any]:
    part = statement.part
    verdicts = {stated.part: verdict for stated, verdict in entry.parts}
    readings = [(reading, verdict) for reading, verdict in entry.readings if reading.part == part]
    return {
        "part": part,
        "name": statement.name,
        "file": statement.file,
        "verdict": verdicts.get(part, entry.verdict),
        "expected": statement.expected,
        "is_empirical": statement.is_empirical,
        "fields": _fields(statement.fields),
        "hypotheses": _labelled(statement.hypotheses),
        "clauses": _labelled(statement.clauses),
        **_shown(entry, part, None),
        "readings": [_reading(entry, reading, verdict) for reading, verdict in readings],
    }


def _reading(entry: Entry, reading: Reading, verdict: Verdict) -> dict[str, Any]:
    about = {"name": reading.name, "words": reading.text, "verdict": verdict, "expected": reading.expected}
    return about | _shown(entry, reading.part, reading.name)


def _shown(entry: Entry, part: str | None, reading: str | None) -> dict[str, Any]:
    """What the run shows about a reading of a part: the witness against it, worked by hand, and its measurements."""
    return {
        "witness": entry.witness(part, reading),
        "worked": _worked(entry.stated, part, reading),
        "findings": entry.findings(part, reading),
    }


def _worked(stated: StatedClaim, part: str | None, reading: str | None) -> dict[str, str] | None:
    test = stated.worked(part, reading)
    return None if test is None else {"test": f"{test.path}::{test.name}", "text": test.sentence}


def _fields(fields: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in fields.items() if name not in STRUCTURED}


def _labelled(texts: dict[str, str]) -> list[dict[str, str]]:
    """Hypotheses or clauses in the order of their numbers: H1, H2, ..., H10."""
    return [{"label": label, "text": texts[label]} for label in sorted(texts, key=lambda label: int(label[1:]))]


def _test(test: PromisedTest) -> dict[str, Any]:
    return {
        "test": f"{test.path}::{test.name}",
        "file": test.path,
        "lines": list(test.lines),
        "sentence": test.sentence,
        "role": test.role,
        "part": test.part,
        "reading": test.reading,
        "labels": list(test.labels),
        "tier": test.tier,
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    return {
        "test": item.test,
        "outcome": item.outcome,
        "role": item.role,
        "part": item.part,
        "reading": item.reading,
        "hypothesis": item.hypothesis,
        "clauses": item.clauses,
        "examples": item.examples,
        "worst_ratio": _finite(item.worst_ratio),
        "certificates": {why: _rounded(ratio) for why, ratio in item.certificates.items()},
        "witness": item.witness,
        "exact": item.exact,
        "kept": item.kept,
        "series": [{"title": title, "columns": columns} for title, columns in item.series.items()],
        "findings": item.findings,
        "seconds": item.seconds,
    }


def _finite(ratio: float | None) -> float | None:
    """The ratio, or None where it is not finite: JSON has no infinity."""
    return ratio if ratio is not None and math.isfinite(ratio) else None


def _rounded(ratio: float) -> float | None:
    """The ratio to three digits where a certificate passed, as it is where none did, or None where it is not finite."""
    return float(f"{ratio:.3g}") if 0 <= ratio <= 1 else _finite(ratio)
