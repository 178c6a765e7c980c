"""Self-tests: ledger.json holds all that the docstrings say, in the form that docs/ledger.schema.json describes."""

import ast
import copy
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from theorems.ledger import document, ledger
from theorems.ledger.claims import FIELDS, LABELS, parse_page
from theorems.ledger.plugin import CLAIMS
from theorems.ledger.registry import TIERS
from theorems.ledger.small_theory import AS_PRINTED, CORRECTED, NECESSARY, PINNED, SEARCHED, measurements, read_as
from theorems.ledger.verdicts import Role, Verdict

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "ledger.schema.json").read_text(encoding="utf-8"))
WORKED = """
from properties.certificates import record_series

@counterexample
def test_pinned():
    '''Take $n = 1$.'''
    assert_violates(2, 1, reads="risk {value} > bound {limit}", n=1)
    record_series("a picture", x=[1, 2], y=[0.5, 0.25])
"""


def faults(shown):
    """What the schema finds wrong, each with its place."""
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(SCHEMA)
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(shown)]


@pytest.fixture
def shown(theory):
    """The document of a run over claims that have all there is: parts, readings, clauses, measurements, a picture."""
    read = AS_PRINTED + read_as("wide", PINNED + SEARCHED)
    labels = {"Hypotheses": "(H1) one. (H2) two.", "Corrected": "(C1) $x < y$"}
    theory.write_folder(
        {
            "a": (read, {"Readings": "[wide] every start - refuted", "Expected": "holds"}),
            "b": (WORKED + SEARCHED + NECESSARY + CORRECTED, labels | {"Expected": "holds under added hypotheses"}),
        }
    )
    theory.write("measured", measurements("'reproduced'"), label="Experiment 3", expected="reproduced")
    theory.write("broken", AS_PRINTED.replace("1, 2", "1, float('nan')"), label="Corollary 3.2")
    theory.write("waiting", f"@pytest.mark.gpu{AS_PRINTED[: AS_PRINTED.index('@as_printed', 20)]}", label="Theorem 3.3")
    return theory.ledger("-m", "not gpu", "--hypothesis-seed=1")


def test_the_document_of_a_run_follows_the_schema(shown):
    assert faults(shown) == []
    verdicts = [claim["verdict"] for claim in shown["claims"]]
    assert verdicts == ["holds under added hypotheses", "broken", "not run", "reproduced"]


def test_the_document_of_a_run_of_this_project_follows_the_schema(tmp_path):
    claim = "theorems/section_03_linear_models/theorem_3_3_generalization_bound"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "fast", claim]
    subprocess.run([*command, f"--ledger={tmp_path}"], cwd=ROOT, check=True, capture_output=True)
    shown = json.loads((tmp_path / "ledger.json").read_text(encoding="utf-8"))
    assert faults(shown) == []
    assert [row["label"] for row in shown["claims"]] == list(LABELS)
    assert len(shown["paper"]["sentences"]) > 100


SPOILED = (
    lambda claim: claim.pop("path"),
    lambda claim: claim.update(verdict="proved"),
    lambda claim: claim.update(corrected="all of it"),
    lambda claim: claim["statements"].clear(),
    lambda claim: claim["statements"][0].update(expected="broken"),
    lambda claim: claim["statements"][0].update(part="a"),
    lambda claim: claim["statements"][0]["fields"].update(Remark="a field that no docstring may have"),
    lambda claim: claim["statements"][0]["readings"][0].pop("words"),
    lambda claim: claim["statements"][1]["hypotheses"][0].update(label="(H1)"),
    lambda claim: claim["statements"][1]["worked"].pop("text"),
    lambda claim: claim["tests"][0].update(role="proof"),
    lambda claim: claim["tests"][0]["lines"].pop(),
    lambda claim: claim["evidence"][0].update(outcome="xfailed"),
    lambda claim: claim["evidence"][0].pop("witness"),
)
"""Ways to lose or to misspell something in a document that follows the schema."""


def test_the_schema_refuses_what_is_missing_unknown_or_misspelled(shown):
    found = []
    for spoil in SPOILED:
        spoiled = copy.deepcopy(shown)
        spoil(spoiled["claims"][0])
        found.append(len(faults(spoiled)))
    assert found == [1] * len(SPOILED)


def enumerated(name):
    return SCHEMA["$defs"][name]["enum"]


def test_the_schema_knows_every_verdict_role_tier_and_field():
    assert (enumerated("verdict"), enumerated("role")) == (list(Verdict), list(Role))
    assert set(enumerated("expected")) == set(Verdict) - {Verdict.BROKEN, Verdict.NOT_RUN}
    assert SCHEMA["$defs"]["test"]["properties"]["tier"]["enum"] == list(TIERS)
    told = {name: about["description"] for name, about in SCHEMA["$defs"]["fields"]["properties"].items()}
    assert told == {name: text for name, text in FIELDS.items() if name not in document.STRUCTURED}


@pytest.fixture
def unrun(pytestconfig):
    """The document of this project's claims before any test has run."""
    entries = ledger.build(pytestconfig.stash[CLAIMS], [])
    return document.as_document(entries, profile="fast", seed=None, environment={}, root=ROOT)


def pages(claim):
    """The docstrings of a claim's pages, read anew from its files."""
    place = ROOT / claim["path"]
    files = [place] if place.is_file() else [place / "__init__.py", *sorted(place.glob("test_*.py"))]
    docstrings = {file: ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) for file in files}
    return [parse_page(text, str(file)) for file, text in docstrings.items() if not text.startswith("Self-test")]


def flat(text):
    """The words of a text in one line, without its last full stop."""
    return " ".join(text.split()).rstrip(".")


def strings(value):
    """All texts in a document, and its readings as docstrings write them."""
    if isinstance(value, dict):
        if "words" in value:
            yield f"[{value['name']}] {value['words']} - {value['expected']}"
        value = list(value.values())
    if isinstance(value, list):
        yield from (text for entry in value for text in strings(entry))
    else:
        yield str(value)


def said(name, text):
    """What a field says, cut where the document cuts it: at its labels, or at its readings."""
    at = {"Hypotheses": r"\(H\d+\)", "Corrected": r"\(C\d+\)", "Readings": r"\n(?=\[)"}
    return [flat(piece) for piece in re.split(at.get(name, "$"), text)]


def test_every_field_of_every_docstring_is_in_the_document(unrun):
    lost = []
    for claim in unrun["claims"]:
        told = {flat(text) for text in strings(claim)}
        for page in pages(claim):
            every = ((name, piece) for name, text in page.fields.items() for piece in said(name, text))
            lost += [
                f"{page.file}: {name}: {piece}" for name, piece in every if not any(piece in text for text in told)
            ]
    assert lost == []


def test_the_lines_of_a_test_are_its_source(unrun):
    for claim in unrun["claims"]:
        for test in claim["tests"]:
            first, last = test["lines"]
            source = (ROOT / test["file"]).read_text(encoding="utf-8").splitlines()[first - 1 : last]
            (function,) = ast.parse(textwrap.dedent("\n".join(source))).body
            assert test["test"] == f"{test['file']}::{function.name}"
