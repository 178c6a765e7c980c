"""The ledger as text: at most 120 columns, plain unless the terminal has colors."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from theorems.ledger.ledger import NOT_SELECTED, Entry
from theorems.ledger.verdicts import Verdict

WIDTH = 120
COLORS = {
    Verdict.HOLDS: {"green": True},
    Verdict.REPRODUCED: {"green": True},
    Verdict.HOLDS_UNDER_ADDED_HYPOTHESES: {"cyan": True},
    Verdict.REFUTED: {"yellow": True},
    Verdict.NOT_REPRODUCED: {"yellow": True},
    Verdict.VACUOUS: {"yellow": True},
    Verdict.INCONCLUSIVE: {"purple": True},
    Verdict.NOT_TESTABLE: {"purple": True},
    Verdict.NOT_RUN: {"light": True},
    Verdict.BROKEN: {"red": True, "bold": True},
}

CORRECTABLE = (Verdict.REFUTED, Verdict.NOT_TESTABLE)

Write = Callable[..., None]


def write_ledger(entries: Iterable[Entry], write: Write) -> None:
    """Write the ledger's rows through `write(text, **markup)`, markup as pytest's terminal writer takes it."""
    rows = list(entries)
    claim_width = max([len(entry.file.claim.label) for entry in rows], default=5)
    verdict_width = max([len(_verdict(entry)) for entry in rows], default=7)
    write(f"{'claim':{claim_width}}  {'verdict':{verdict_width}} {'instances':>9} {'worst':>8}\n", bold=True)
    for entry in rows:
        write(f"{entry.file.claim.label:{claim_width}}  ")
        write(f"{_verdict(entry):{verdict_width}}", **COLORS[entry.verdict])
        write(f" {entry.instances:>9,} {_ratio(entry.worst_ratio):>8}\n")
        if entry.reason == NOT_SELECTED:
            continue
        for part, verdict in entry.parts:
            write(f"    {part.label} {part.name}: ")
            write(f"{verdict}\n", **COLORS[verdict])
            _write_lines(write, 8, _witness(entry, part.label), *_findings(entry, part.label), light=True)
        _write_lines(write, 4, _witness(entry, None), *_findings(entry, None), entry.reason, light=True)
        _write_lines(write, 4, *(f"{test} failed" for test in dict.fromkeys(entry.failures)), *entry.problems, red=True)
    write("worst: the largest error/bound over the claim's certificates; a passing certificate is at most 1.\n")


def _verdict(entry: Entry) -> str:
    return f"{entry.verdict}, corrected" if entry.verdict in CORRECTABLE and entry.is_corrected else entry.verdict


def _write_lines(write: Write, indent: int, *texts: str | None, **markup: bool) -> None:
    for text in filter(None, texts):
        first, rest = " " * indent, " " * (indent + 2)
        write(textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest) + "\n", **markup)


def _witness(entry: Entry, part: str | None) -> str | None:
    witness = entry.witness(part)
    return f"fails at {witness}" if witness and entry.verdict is not Verdict.NOT_RUN else None


def _findings(entry: Entry, part: str | None) -> list[str]:
    return [f"{finding['setting']}: {finding['reads']}" for finding in entry.findings(part)]


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3g}"
