"""The errata: what a reader of the paper alone should correct in it, entry by entry, in the classical form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from theorems.ledger.verdicts import Role, Verdict
from theorems.report.anchors import anchor_of
from theorems.report.prose import code, escaped, field_of, full_label, marked, stopped

Told = Mapping[str, Any]

KINDS = {
    Verdict.REFUTED: "refuted",
    Verdict.HOLDS_UNDER_ADDED_HYPOTHESES: "incomplete",
    Verdict.VACUOUS: "vacuous",
}
"""The verdicts that make an entry, with the word for it."""

_PROVED_HERE = re.compile(r"\(C\d+\)(?:(?:,| and| to) \(C\d+\))* (?:is|are) proved here\.?")

HOW = """Each statement is read in the way most favourable to its author that the words, definitions and conventions of
the paper allow; the entry says which reading that is. Other readings, also those that fail, are listed in
[the ledger](ledger.md) and make no entry. The verdict is computed from tests that anybody can run:

- **refuted**: an exact counterexample contradicts the statement, and a search finds one by itself.
- **incomplete**: a counterexample contradicts the statement as printed, and its conclusion holds once the hypotheses
  that the entry names are added. Each of them is needed: a test drops it, in this part of the claim or in another, and
  the conclusion fails.
- **vacuous**: a term or a condition of the statement has no effect, so that it says less than it seems to say.

A counterexample settles its statement, and a reader can check it by hand. What should stand instead is tested on many
generated instances. Such a test is no proof; where the literature has a proof, the entry cites it.

The heading of an entry has the name of the part that is meant. Where the whole claim is meant, it says what is true."""


def as_errata(document: Told) -> str:
    """The errata of a ledger of schema 2, as Markdown. They are in the order of the paper.

    Experiments and observations make no entry: they are measured, in settings that may not be the paper's.
    Raises FormulaError for a dollar sign without a partner.
    """
    entries = [
        (claim, statement)
        for claim in document["claims"]
        for statement in claim["statements"]
        if statement["verdict"] in KINDS
    ]
    blocks = [*_opening(document, entries), *_contents(entries)]
    for number, (claim, statement) in enumerate(entries, start=1):
        blocks += _entry(number, claim, statement)
    return "\n\n".join(blocks) + "\n"


def _opening(document: Told, entries: list[tuple[Told, Told]]) -> Iterator[str]:
    paper = document["paper"]
    kinds = Counter(statement["verdict"] for _, statement in entries)
    yield f'# Errata to "{escaped(paper["title"])}"'
    numbers = ", ".join(f"{kinds[verdict]} {word}" for verdict, word in KINDS.items())
    yield (
        f"Statements of this paper by {escaped(paper['author'])} that should be corrected: {numbers}. They were read"
        f" from the text of the paper in Markdown, `paper.md`, whose SHA-256 is `{paper['sha256']}`. Sections and"
        " theorems have the numbers of this text."
    )
    yield HOW
    yield from _left_out(document)


def _left_out(document: Told) -> Iterator[str]:
    """What is no entry and why: measurements, and statements that this run did not judge."""
    statements = [(claim, statement) for claim in document["claims"] for statement in claim["statements"]]
    measured = [each for each in statements if each[1]["is_empirical"]]
    if measured:
        failed = [_measured(*each) for each in measured if each[1]["verdict"] == Verdict.NOT_REPRODUCED]
        told = f" Not reproduced: {'; '.join(failed)}." if failed else ""
        yield (
            "Experiments and empirical observations make no entry. They are measured, often in a smaller setting than"
            f" the paper's, and such a measurement corrects no sentence.{told}"
        )
    waiting = [full_label(*each) for each in statements if each[1]["verdict"] in (Verdict.NOT_RUN, Verdict.BROKEN)]
    if len(waiting) > len(statements) / 2:
        yield (
            f"The run that this list was made from judged {len(statements) - len(waiting)} of {len(statements)}"
            " statements; [the ledger](ledger.md) says which."
        )
    elif waiting:
        yield f"Not judged in the run that this list was made from: {escaped(', '.join(waiting))}."


def _measured(claim: Told, statement: Told) -> str:
    """A measured statement with the settings of its measurements."""
    settings = dict.fromkeys(finding["setting"] for finding in statement["findings"])
    return escaped(" in ".join(filter(None, (full_label(claim, statement), " and ".join(settings)))))


def _contents(entries: list[tuple[Told, Told]]) -> Iterator[str]:
    rows = [
        f"| {number} | {escaped(claim['section'])} | {escaped(full_label(claim, statement))} |"
        f" {KINDS[statement['verdict']]} | {escaped(_about(claim, statement))} |"
        for number, (claim, statement) in enumerate(entries, start=1)
    ]
    heading = "| | section | statement | verdict | about |"
    yield "\n".join([heading, "|---:|---|---|---|---|", *rows])


def _about(claim: Told, statement: Told) -> str:
    """The name of a part, which is in the paper's words, or the title of a whole claim, which is in ours."""
    return statement["name"] if statement["part"] else f"what is true: {claim['title']}"


def _name(claim: Told, statement: Told) -> str:
    return statement["name"] if statement["part"] else claim["title"]


def _entry(number: int, claim: Told, statement: Told) -> Iterator[str]:
    label = full_label(claim, statement)
    yield f"## {number}. {escaped(label)}: {escaped(_name(claim, statement))}"
    link = f"index.html#{anchor_of(claim['label'], statement['part'])}"
    yield f"**Place.** {_place(claim, statement)}. Verdict: {KINDS[statement['verdict']]} ([evidence]({link}))."
    yield f"**The formula says.** {stopped(marked(field_of(claim, statement, 'Printed') or _name(claim, statement)))}"
    if reading := field_of(claim, statement, "Reading"):
        yield f"**Read as.** {stopped(marked(reading))}"
    if setting := field_of(claim, statement, "Setting"):
        yield f"**Setting.** {stopped(marked(setting.splitlines()[0]))}"  # that of the main page: the others repeat it
    yield from _should_read(claim, statement)
    yield f"**Why.** {stopped(_why(statement))}"
    yield f"**Source.** {' '.join(stopped(marked(source)) for source in _sources(claim, statement))}"


def _sources(claim: Told, statement: Told) -> list[str]:
    """The literature, each line of it once. A clause that is proved in its test file has none."""
    both = "\n".join(of["fields"].get("Source", "") for of in (claim, statement)).splitlines()
    lines = [line for line in dict.fromkeys(both) if line and not _PROVED_HERE.fullmatch(line)]
    return lines or ["Proved in the test file"]


def _place(claim: Told, statement: Told) -> str:
    """Where the statement stands: Theorem 4.1 (b), in Section 4.2, the proof sketch."""
    section = f"Section {claim['section']}"
    if claim["label"].startswith("Section"):
        return escaped(", part ".join(filter(None, (section, statement["part"]))))
    return escaped(f"{full_label(claim, statement)}, in {section}")


def _should_read(claim: Told, statement: Told) -> Iterator[str]:
    if statement["verdict"] == Verdict.HOLDS_UNDER_ADDED_HYPOTHESES:
        yield "**Should read.** The same, under these hypotheses:"
        yield _listed(_missing(claim, statement))
        return
    hypotheses, clauses = _listed(statement["hypotheses"]), _listed(statement["clauses"])
    if statement["verdict"] == Verdict.VACUOUS:
        what = "The same without the term or the condition that, as shown below, has no effect."
        yield f"**Should read.** {what}" + (" What is true besides:" if clauses else "")
    else:
        yield "**Should read.** " + ("What is true instead:" if clauses else "Nothing that we know takes its place.")
    if clauses:
        yield clauses
        if hypotheses:
            yield "The hypotheses named there:"
            yield hypotheses
    if differs := statement["fields"].get("Differs"):
        yield stopped(marked(differs))


def _missing(claim: Told, statement: Told) -> list[Told]:
    """The hypotheses under which the statement holds as it is read. Others belong to clauses and to other readings."""
    part = (Role.UNDER_HYPOTHESES, statement["part"], None)
    tests = [test for test in claim["tests"] if (test["role"], test["part"], test["reading"]) == part]
    named = {label for test in tests for label in test["labels"]}
    return [each for each in statement["hypotheses"] if each["label"] in named]


def _listed(labelled: list[Told]) -> str:
    """Hypotheses or clauses as a list."""
    return "\n".join(f"- ({each['label']}) {stopped(marked(each['text']))}" for each in labelled)


def _why(statement: Told) -> str:
    """The counterexample worked by hand, or its record; of a vacuous statement the idea."""
    if statement["worked"]:
        return marked(statement["worked"]["text"])
    if statement["witness"]:
        return f"It fails at {code(statement['witness'])}"
    return marked(statement["fields"]["Idea"])
