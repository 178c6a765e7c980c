"""Self-tests: the index of the paper's sentences names the rows of the ledger, and leaves none out."""

import re
from pathlib import Path

from theorems.ledger.claims import LABELS

ROOT = Path(__file__).parents[1]
INDEX = (ROOT / "docs" / "paper-index.md").read_text(encoding="utf-8")
REASONS = ("definition", "about the paper", "literature", "explanation", "no quantity", "a question")


def sentences(text):
    """Place, words and row of every entry of the tables."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if re.match(r"\| \d", line)]
    return [tuple(cell.strip() for cell in row) for row in rows]


def unsettled(text):
    """The entries that name neither a row nor one of the reasons."""
    return [
        place
        for place, _, row in sentences(text)
        if row not in LABELS and not (row.startswith("none: ") and row.removeprefix("none: ").startswith(REASONS))
    ]


def test_every_sentence_has_a_row_or_a_reason():
    assert unsettled(INDEX) == []
    assert unsettled("| 9.9 | it helps | Theorem 9.9 |\n| 9.9 | it helps | none: too hard |") == ["9.9", "9.9"]


def test_every_row_is_the_row_of_a_sentence():
    assert set(LABELS) - {row for _, _, row in sentences(INDEX)} == set()


def test_every_row_has_a_file(stated_claims):
    assert {stated.claim.label for stated in stated_claims} == set(LABELS)


def test_places_are_named_once_and_every_section_is_there():
    places = [place for place, _, _ in sentences(INDEX)]
    assert len(set(places)) == len(places)
    sections = {place.split(",")[0] for place in places}
    printed = {"2": 3, "3": 3, "4": 3, "5": 3, "6": 3, "7": 2, "8": 3, "9": 3, "10": 5}
    expected = {f"{number}.{k}" for number, count in printed.items() for k in range(1, count + 1)}
    assert expected | {"1.2", "1.3", "1.4"} <= sections
