"""The ledger as text: at most 120 columns, plain unless the terminal has colors."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from theorems.ledger.judgement import NOT_SELECTED
from theorems.ledger.ledger import Entry
from theorems.ledger.verdicts import Verdict

WIDTH = 120
NUMBERS = 19
"""The width of the two columns of numbers, with their spaces."""
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


def write_ledger(entries: Iterable[Entry], write: Write, *, others: int = 0) -> None:
    """Write the ledger's rows through `write(text, **markup)`, markup as pytest's terminal writer takes it.

    others: how many claims the run did not select; they have no row.
    """
    rows = list(entries)
    claim_width = max([len(entry.stated.claim.label) for entry in rows], default=5)
    verdict_width = max([len(_verdict(entry)) for entry in rows], default=7)
    write(f"{'claim':{claim_width}}  {'verdict':{verdict_width}} {'instances':>9} {'worst':>8}\n", bold=True)
    for entry in rows:
        # A short setting stands beside the verdict and narrows the label column; a long one has a line of its own.
        label, verdict = entry.stated.claim.label, _verdict(entry)
        setting = f"({entry.setting})" if entry.is_measured_elsewhere else ""
        fits = len(f"{label}  {verdict} {setting}") + NUMBERS <= WIDTH
        shown = f"{verdict} {setting}".rstrip() if fits else verdict
        write(f"{label:{max(0, claim_width - max(0, len(shown) - verdict_width))}}  ")
        write(f"{shown:{verdict_width}}", **COLORS[entry.verdict])
        write(f" {entry.instances:>9,} {_ratio(entry.worst_ratio):>8}\n")
        if setting and not fits:
            _write_lines(write, 4, setting)
        if entry.reason == NOT_SELECTED:
            continue
        for part, verdict in entry.parts:
            write(f"    {part.part} {part.name}: ")
            write(f"{verdict}\n", **COLORS[verdict])
            _write_about(write, entry, part.part, 8)
        _write_about(write, entry, None, 4)
        _write_lines(write, 4, entry.reason, light=True)
        _write_lines(write, 4, *(f"{test} failed" for test in dict.fromkeys(entry.failures)), *entry.problems, red=True)
    if others:
        write(f"{others} {'claim' if others == 1 else 'claims'} not selected\n", light=True)
    write("worst: the largest error/bound over the claim's certificates; a passing certificate is at most 1.\n")


def _write_about(write: Write, entry: Entry, part: str | None, indent: int) -> None:
    """Write witness and findings of a part; then its other readings, each with its witness and findings."""
    _write_lines(write, indent, _witness(entry, part, None), *_findings(entry, part, None), light=True)
    for reading, verdict in entry.readings:
        if reading.part == part and verdict is not Verdict.NOT_RUN:
            write(f"{' ' * indent}read as {reading.name}: ")
            write(f"{verdict}\n", **COLORS[verdict])
            told = _witness(entry, part, reading.name), *_findings(entry, part, reading.name)
            _write_lines(write, indent + 4, *told, light=True)


def _verdict(entry: Entry) -> str:
    return f"{entry.verdict}, corrected" if entry.verdict in CORRECTABLE and entry.is_corrected else entry.verdict


def _write_lines(write: Write, indent: int, *texts: str | None, **markup: bool) -> None:
    for text in filter(None, texts):
        first, rest = " " * indent, " " * (indent + 2)
        write(textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest) + "\n", **markup)


def _witness(entry: Entry, part: str | None, reading: str | None) -> str | None:
    witness = entry.witness(part, reading)
    return f"fails at {witness}" if witness and entry.verdict is not Verdict.NOT_RUN else None


def _findings(entry: Entry, part: str | None, reading: str | None) -> list[str]:
    return [f"{finding['setting']}: {finding['reads']}" for finding in entry.findings(part, reading)]


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3g}"
