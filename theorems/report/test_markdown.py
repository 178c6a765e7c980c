"""Self-tests: the ledger as Markdown has every claim, part and reading with its verdict, and links that lead."""

import copy
import re
from pathlib import Path

import pytest

from theorems.ledger import ledger
from theorems.ledger.document import as_document
from theorems.ledger.plugin import CLAIMS
from theorems.report.formulas import pieces
from theorems.report.markdown import as_markdown
from theorems.report.prose import escaped

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def document(pytestconfig):
    """The document of a run in which everything came out as its author expects, without the tests."""
    entries = ledger.build(pytestconfig.stash[CLAIMS], [])
    made = as_document(entries, profile="fast", seed="7", environment={"numpy": "2.4.6"}, root=ROOT)
    for claim in made["claims"]:
        for told in (claim, *claim["statements"], *(each for part in claim["statements"] for each in part["readings"])):
            told["verdict"] = told["expected"]
    return made


def test_every_claim_part_and_reading_is_there_with_its_verdict(document):
    page = as_markdown(document)
    blocks = {block.split(" - ")[0]: block for block in page.split("\n### ")}
    for claim in document["claims"]:
        block = blocks[escaped(claim["label"])]
        assert f"**{claim['verdict']}" in block.partition("\n\n")[2][:50]
        for part in claim["statements"]:
            assert not part["part"] or f"**{part['part']} {escaped(part['name'])}: {part['verdict']}.**" in block
            assert all(
                f"**{each['verdict']}** read as *{escaped(each['name'])}*: " in block for each in part["readings"]
            )


def test_links_lead_to_files_and_to_headings(document):
    page = as_markdown(document)
    paths = re.findall(r"\]\(\.\./\.\./([^)]+)\)", page)
    assert len(paths) > len(document["claims"])
    assert [path for path in paths if not (ROOT / path).exists()] == []
    headings = re.findall(r"^### (.+)$", page, flags=re.MULTILINE)
    anchors = [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert anchors == re.findall(r"\]\(#([^)]+)\)", page)
    assert len(set(anchors)) == len(document["claims"])


def test_every_formula_is_kept(document):
    page = as_markdown(document)
    for claim in document["claims"]:
        formulas = [words for kind, words in pieces(claim["fields"]["Printed"]) if kind == "formula"]
        assert all(f"$`{formula.strip()}`$" in page for formula in formulas)
    assert page.count("$`") == page.count("`$") == page.replace("\\$", "").count("$") / 2


def spoiled(document):
    """A document whose first claim has a witness and a setting with markup in them, and a measurement."""
    other = copy.deepcopy(document)
    claim = other["claims"][0]
    claim["statements"][0]["witness"] = "a|b, <img src=x>, *x*, `y`"
    claim["setting"] = "<b>digits</b>"
    finding = {"setting": "digits", "reads": "gap 2 [1, 3]", "finding": "reproduced"}
    claim["statements"][0]["findings"] = [finding]
    return other


def test_markup_in_what_was_recorded_is_shown_and_not_obeyed(document):
    page = as_markdown(spoiled(document))
    assert "- Fails at `` a|b, <img src=x>, *x*, `y` ``" in page
    assert r"Setting of the measurements: \<b\>digits\</b\>." in page
    assert r"- digits: gap 2 \[1, 3\] (reproduced)" in page


def test_the_page_depends_on_the_document_alone(document):
    again = copy.deepcopy(document)
    assert as_markdown(document) == as_markdown(again)
    assert as_markdown(document, up="").replace("](theorems/", "](../../theorems/") == as_markdown(document)
