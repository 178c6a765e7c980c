"""Texts of a ledger as Markdown, in the dialect of GitHub.

A formula stands between $` and `$, which GitHub and GitLab read as mathematics. Between bare dollar signs they would
take backslashes and underscores of a formula for marks of Markdown, and show one bar for a norm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from theorems.ledger.verdicts import Verdict
from theorems.report.formulas import pieces

MEANINGS = {
    Verdict.HOLDS: "True as printed.",
    Verdict.REPRODUCED: "Measured: by a rule that was fixed before, trials agree with the paper.",
    Verdict.HOLDS_UNDER_ADDED_HYPOTHESES: "False as printed: a counterexample shows it. True once the hypotheses that "
    "we name are added.",
    Verdict.REFUTED: "False as printed: a counterexample shows it. What is true instead is said beside it.",
    Verdict.VACUOUS: "A term or a condition of the statement has no effect, so the statement says less than it seems.",
    Verdict.NOT_REPRODUCED: "Measured: by a rule that was fixed before, trials contradict the paper.",
    Verdict.INCONCLUSIVE: "Measured: the interval leaves it open, or readings of the print that are equally good "
    "disagree.",
    Verdict.NOT_TESTABLE: "No quantity can be named without inventing the claim.",
    Verdict.NOT_RUN: "Not judged in this run. The row says what a run needs.",
    Verdict.BROKEN: "Evidence failed, so there is no verdict.",
}
"""The verdicts in the order in which a page counts them, each with what it means."""


def marked(text: str) -> str:
    """A text of a docstring: plain words escaped, formulas and code kept. Raises FormulaError, as `pieces` does.

    The lines of the text, one for each page that it comes from, become sentences in a row.
    """
    made = {"text": escaped, "formula": lambda formula: f"$`{formula.strip()}`$", "code": code}
    lines = ["".join(made[kind](words) for kind, words in pieces(line)) for line in text.splitlines()]
    return " ".join([*map(stopped, lines[:-1]), *lines[-1:]])


def escaped(words: str) -> str:
    """Plain words, with every sign that Markdown or HTML might read as a mark behind a backslash."""
    return re.sub(r"[\\`*_\[\]<>|~$&]", r"\\\g<0>", words.replace("\n", " "))


def code(words: str) -> str:
    """Words as code, in one line. A sign in them means itself: the fence is longer than each run of backquotes."""
    line = " ".join(words.split())
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    padding = " " if line[:1] == "`" or line[-1:] == "`" else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def stopped(text: str) -> str:
    """A text that ends as a sentence does."""
    return text if text.endswith((".", "?", "!", ":")) else f"{text}."


def counted(number: int, thing: str) -> str:
    """A number with its thing: 1 test, 1,204 tests."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def field_of(claim: Mapping[str, Any], statement: Mapping[str, Any], name: str) -> str | None:
    """A field of a part, or of its claim where the part does not have it, or None."""
    return statement["fields"].get(name) or claim["fields"].get(name)


def full_label(claim: Mapping[str, Any], statement: Mapping[str, Any]) -> str:
    """The label of a claim with the letter of a part: Theorem 4.1 (b)."""
    return " ".join(filter(None, (claim["label"], statement["part"])))
