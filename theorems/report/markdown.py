"""The ledger as Markdown: what is claimed and what a run has found of it, claim by claim, in the paper's order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from theorems.ledger.report import CORRECTABLE
from theorems.ledger.verdicts import Verdict
from theorems.report.anchors import anchor_of
from theorems.report.prose import MEANINGS, code, counted, escaped, marked, stopped

Told = Mapping[str, Any]


def as_markdown(document: Told, *, up: str = "../../") -> str:
    """The ledger of a run, as Markdown with one line for each paragraph.

    document: a ledger of schema 2. up: the way from the folder of the page to the root of the checkout, with a slash at
    its end; the claims are linked to their files through it, and to `index.html` beside the page.
    Raises FormulaError for a dollar sign without a partner.
    """
    chapters = [list(group) for _, group in groupby(document["claims"], _chapter)]
    blocks = [*_opening(document), *_table(document["claims"])]
    for claims in chapters:
        blocks.append(f"## {escaped(_chapter(claims[0]))}")
        for claim in claims:
            blocks += _claim(claim, up)
    return "\n\n".join(blocks) + "\n"


def _opening(document: Told) -> Iterator[str]:
    paper = document["paper"]
    yield "# The ledger"
    yield (
        f"What a run of whichmin has found about {counted(len(document['claims']), 'claim')} of"
        f" {escaped(paper['author'])}, *{escaped(paper['title'])}*. The verdicts are computed from the tests; nobody"
        " writes them. [The page](index.html) shows the same with figures and sources, [errata.md](errata.md) has the"
        " statements that need a correction, and [ledger.json](ledger.json) has all that was recorded. A claim with"
        " parts is several statements. Its weakest part decides its verdict."
    )
    seed = f", seed {escaped(document['seed'])}" if "seed" in document else ""
    versions = ", ".join(f"{name} {version}" for name, version in document["environment"].items())
    yield f"Profile {escaped(document['profile'])}{seed}; {escaped(versions)}."


def _table(claims: list[Told]) -> Iterator[str]:
    statements = Counter(Verdict(statement["verdict"]) for claim in claims for statement in claim["statements"])
    told = [(verdict, statements[verdict], words) for verdict, words in MEANINGS.items() if statements[verdict]]
    rows = [f"| {verdict} | {count} | {words} |" for verdict, count, words in told]
    yield "\n".join(["| verdict | statements | what it means |", "|---|---:|---|", *rows])
    rows = [
        f"| [{escaped(claim['label'])}](#{_heading_anchor(claim)}) | {claim['verdict']} | {_parts(claim)} |"
        for claim in claims
    ]
    yield "\n".join(["| claim | verdict | parts |", "|---|---|---|", *rows])


def _parts(claim: Told) -> str:
    parts = [statement for statement in claim["statements"] if statement["part"]]
    return ", ".join(f"{statement['part']} {statement['verdict']}" for statement in parts)


def _chapter(claim: Told) -> str:
    """The section of the paper that a claim belongs to, from its path: Section 4, deep linear networks."""
    match = re.search(r"section_(\d+)_?(\w*)", claim["path"])
    number, name = match.groups() if match else (0, "")
    return ": ".join(filter(None, (f"Section {int(number)}", name.replace("_", " "))))


def _heading_anchor(claim: Told) -> str:
    """The anchor that GitHub gives the heading of a claim: lower case, without punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", _heading(claim).lower()).replace(" ", "-")


def _heading(claim: Told) -> str:
    return f"{claim['label']} - {claim['title']}"


def _claim(claim: Told, up: str) -> Iterator[str]:
    ratio = "" if claim["worst_ratio"] is None else f", largest error/bound {claim['worst_ratio']:.3g}"
    yield f"### {escaped(_heading(claim))}"
    corrected = ", corrected" if claim["is_corrected"] and claim["verdict"] in CORRECTABLE else ""
    yield (
        f"**{claim['verdict']}{corrected}**; {counted(claim['instances'], 'instance')}{ratio}. Section"
        f" {escaped(claim['section'])}. [Page](index.html#{anchor_of(claim['label'])}), [files]({up}{claim['path']})."
    )
    if claim["setting"]:
        yield f"Setting of the measurements: {stopped(escaped(claim['setting']))}"
    if claim["reason"]:
        yield f"Reason: {stopped(marked(claim['reason']))}"
    if claim["failures"] or claim["problems"]:
        yield "Broken: " + stopped(escaped("; ".join([*claim["failures"], *claim["problems"]])))
    if printed := claim["fields"].get("Printed"):
        yield f"> {stopped(marked(printed))}"
    for statement in claim["statements"]:
        yield from _statement(statement, claim, up)


def _statement(statement: Told, claim: Told, up: str) -> Iterator[str]:
    if statement["part"]:
        link = f"[Page](index.html#{anchor_of(claim['label'], statement['part'])}), [file]({up}{statement['file']})"
        yield f"**{statement['part']} {escaped(statement['name'])}: {statement['verdict']}.** {link}."
        if printed := statement["fields"].get("Printed"):
            yield f"> {stopped(marked(printed))}"
    lines = [f"- Hypothesis {each['label']}: {stopped(marked(each['text']))}" for each in statement["hypotheses"]]
    lines += _shown(statement, "- ")
    for reading in statement["readings"]:
        words = stopped(marked(reading["words"]))
        lines.append(f"- **{reading['verdict']}** read as *{escaped(reading['name'])}*: {words}")
        lines += _shown(reading, "  - ")
    if lines:
        yield "\n".join(lines)


def _shown(told: Told, mark: str) -> Iterator[str]:
    """The witness against a reading, and its measurements."""
    if told["witness"]:
        yield f"{mark}Fails at {code(told['witness'])}"
    for finding in told["findings"]:
        yield f"{mark}{escaped(finding['setting'])}: {escaped(finding['reads'])} ({finding['finding']})"
