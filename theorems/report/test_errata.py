"""Self-tests: each statement that should be corrected has one entry in the errata, in the classical form."""

import copy
import re
from pathlib import Path

import pytest

from theorems.ledger import ledger
from theorems.ledger.document import as_document
from theorems.ledger.plugin import CLAIMS
from theorems.report.errata import KINDS, as_errata
from theorems.report.prose import escaped, full_label, marked

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FORM = ("Place", "The formula says", "Should read", "Why", "Source")


@pytest.fixture
def document(pytestconfig):
    """The document of a run in which everything came out as its author expects, with a witness where one is needed."""
    entries = ledger.build(pytestconfig.stash[CLAIMS], [])
    made = as_document(entries, profile="fast", seed=None, environment={}, root=ROOT)
    for claim in made["claims"]:
        for statement in claim["statements"]:
            statement["verdict"] = statement["expected"]
            statement["witness"] = "n=1: 2 > 1" if statement["expected"] in KINDS else None
    return made


def statements(document):
    return [(claim, statement) for claim in document["claims"] for statement in claim["statements"]]


def entries(page):
    """The entries of the errata by the label in their headings, in their order."""
    blocks = re.split(r"\n## \d+\. ", page)[1:]
    return [(block.splitlines()[0], block) for block in blocks]


def test_each_statement_to_correct_has_one_entry_and_no_other_has(document):
    wanted = [
        f"{escaped(full_label(claim, statement))}: "
        for claim, statement in statements(document)
        if statement["expected"] in ("refuted", "holds under added hypotheses", "vacuous")
    ]
    headings = [heading for heading, _ in entries(as_errata(document))]
    assert len(wanted) == len(headings) > 40
    assert [heading for heading, start in zip(headings, wanted, strict=True) if not heading.startswith(start)] == []


def test_no_measurement_makes_an_entry_and_what_is_not_reproduced_is_named_with_its_setting(document):
    claim = document["claims"][-1]
    statement = claim["statements"][0]
    statement |= {"is_empirical": True, "verdict": "not reproduced", "findings": [{"setting": "digits*"}]}
    page = as_errata(document)
    assert not any(heading.startswith("Experiment") for heading, _ in entries(page))
    told = next(line for line in page.splitlines() if "Not reproduced: " in line)
    assert rf"{full_label(claim, statement)} in digits\*." in told


def test_each_entry_has_the_classical_form(document):
    for heading, block in entries(as_errata(document)):
        marks = re.findall(r"^\*\*([^*]+)\.\*\*", block, flags=re.MULTILINE)
        assert [mark for mark in marks if mark in FORM] == list(FORM), heading


def under_hypotheses(claim, part):
    """The hypotheses that the tests of a statement name, as it is read."""
    tests = [test for test in claim["tests"] if test["role"] == "under hypotheses" and test["reading"] is None]
    named = {label for test in tests if test["part"] == part["part"] for label in test["labels"]}
    return [each for each in part["hypotheses"] if each["label"] in named]


def test_an_entry_lists_what_is_true_instead_or_the_hypotheses_that_are_missing(document):
    shown = [(claim, part) for claim, part in statements(document) if part["verdict"] in KINDS]
    for (claim, part), (_, block) in zip(shown, entries(as_errata(document)), strict=True):
        added = part["verdict"] == "holds under added hypotheses"
        wanted = under_hypotheses(claim, part) if added else list(part["clauses"])
        assert wanted or part["verdict"] == "vacuous"
        assert all(f"- ({each['label']}) {marked(each['text'])}" in block for each in wanted)


def test_no_hypothesis_of_a_clause_or_of_another_reading_is_asked_for(document):
    named = {}
    for heading, block in entries(as_errata(document)):
        named[heading.partition(":")[0]] = re.findall(r"^- \((H\d+)\)", block, flags=re.MULTILINE)
    assert named["Proposition 6.1 (b)"] == ["H1", "H2", "H6"]
    assert named["Theorem 6.2"] == ["H1", "H2", "H3", "H4"]


def test_why_is_the_counterexample_worked_by_hand_or_its_record(document):
    first = next(part for _, part in statements(document) if part["verdict"] in KINDS)
    first |= {"witness": "x=|1|, <b>, *2*", "worked": None}
    assert "**Why.** It fails at `x=|1|, <b>, *2*`." in as_errata(document)
    first["worked"] = {"test": "a.py::test_a", "text": "Take $x = 1 < 2$, <b>"}
    page = as_errata(document)
    assert r"**Why.** Take $`x = 1 < 2`$, \<b\>." in page
    assert "x=|1|" not in page


def test_a_vacuous_statement_says_why_it_is(document):
    vacuous = next(part for _, part in statements(document) if part["verdict"] == "vacuous")
    vacuous |= {"witness": None, "worked": None}
    assert f"**Why.** {marked(vacuous['fields']['Idea'])}" in as_errata(document)


def test_the_errata_say_what_was_read_and_what_was_not_judged(document):
    document["claims"][0]["statements"][1]["verdict"] = "not run"
    page = as_errata(document)
    assert document["paper"]["sha256"] in page
    assert document["paper"]["author"] in page
    label = escaped(full_label(document["claims"][0], document["claims"][0]["statements"][1]))
    assert f"Not judged in the run that this list was made from: {label}." in page
    assert not any(heading.startswith(label) for heading, _ in entries(page))
    assert as_errata(copy.deepcopy(document)) == page


def test_where_a_run_judged_few_statements_the_errata_count_them(document):
    told = statements(document)
    for _, statement in told[1:]:
        statement["verdict"] = "not run"
    page = as_errata(document)
    assert f"judged 1 of {len(told)} statements; [the ledger](ledger.md) says which." in page
    assert "Not judged" not in page


def test_an_entry_names_no_clause_that_it_does_not_list(document):
    unknown = {}
    for heading, block in entries(as_errata(document)):
        listed = set(re.findall(r"^- \((C\d+)\)", block, flags=re.MULTILINE))
        named = set(re.findall(r"\bC\d+\b", re.sub(r"\$`[^`]*`\$", "", block)))
        unknown[heading] = sorted(named - listed)
    assert {heading: labels for heading, labels in unknown.items() if labels} == {}


def test_the_table_tells_what_the_paper_says_from_what_is_true(document):
    rows = [line for line in as_errata(document).splitlines() if re.match(r"\| \d+ \|", line)]
    whole = [row for row in rows if "| refuted | what is true: sharpness alone does not bound" in row]
    assert [("(a)" in row, "Theorem 6.2" in row) for row in whole] == [(False, True)]
    parts = [row for row in rows if re.search(r"\([a-z]\) \|", row)]
    assert parts
    assert not any("what is true" in row for row in parts)
