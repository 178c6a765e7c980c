"""Self-tests: what README and the other pages say is what the project does, and what its committed ledger shows."""

import functools
import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from docs.code_blocks import ROOT, blocks_of, pages
from theorems.ledger.document import SCHEMA
from theorems.ledger.verdicts import Role, Verdict
from theorems.report.errata import as_errata
from theorems.report.formulas import as_html
from theorems.report.markdown import as_markdown

README = (ROOT / "README.md").read_text(encoding="utf-8")
RENEW = 'pytest -m "fast or slow" --ledger=docs/ledger'
"""How the committed ledger is renewed."""


@pytest.fixture(scope="module")
def document():
    """The committed ledger."""
    file = ROOT / "docs" / "ledger" / "ledger.json"
    assert file.exists(), RENEW
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["schema"] == SCHEMA, RENEW
    return document


@pytest.fixture(scope="module")
def ledger(document):
    """The claims of the committed ledger, by their labels."""
    return {claim["label"]: claim for claim in document["claims"]}


def test_readme_is_short():
    lines = README.splitlines()
    assert len(lines) <= 130
    assert [line for line in lines if len(line) > 120] == []


def test_ci_runs_exactly_the_second_command():
    commands = [block.text.rstrip("\n") for block in blocks_of(ROOT / "README.md") if block.language == "sh"]
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == commands[1]


def differences(stated_claims, ledger):
    """Where the committed ledger and the theorem files disagree, a line each."""
    lines = [f"{label} is gone" for label in ledger if label not in {stated.claim.label for stated in stated_claims}]
    for stated in stated_claims:
        if stated.claim.label in ledger:
            lines += [f"{stated.claim.label}: {line}" for line in changes(stated.claim, ledger[stated.claim.label])]
        else:
            lines.append(f"{stated.claim.label} is new")
    return lines


def changes(claim, shown):
    """What is different in a row of the ledger: its parts, their names and readings, or a verdict."""
    stated, known = outline(claim), {(part["part"], part["name"]): part for part in shown["statements"]}
    lines = [] if agrees(claim.expected, shown["verdict"]) else [f"{shown['verdict']}, not {claim.expected}"]
    if stated.keys() != known.keys():
        return [*lines, f"has the parts {list(known)}, not {list(stated)}"]
    for place, statement in stated.items():
        readings = {reading["name"]: reading for reading in known[place]["readings"]}
        if readings.keys() != {reading.name for reading in statement.readings}:
            lines.append(f"{place[0]} has the readings {list(readings)}")
            continue
        judged = [(statement.expected, known[place]["verdict"])]
        judged += [(reading.expected, readings[reading.name]["verdict"]) for reading in statement.readings]
        lines += [f"{place[0]} {found}, not {expected}" for expected, found in judged if not agrees(expected, found)]
    return lines


def outline(claim):
    return {(statement.part, statement.name): statement for statement in claim.statements}


def agrees(expected, found):
    """A file that expects inconclusive accepts any measured result."""
    measured = (Verdict.INCONCLUSIVE, Verdict.REPRODUCED, Verdict.NOT_REPRODUCED)
    return found in (measured if expected is Verdict.INCONCLUSIVE else (expected,))


def test_the_committed_ledger_has_every_claim_part_and_reading_with_its_verdict(stated_claims, ledger):
    assert differences(stated_claims, ledger) == [], RENEW


def test_a_row_that_the_ledger_lacks_or_has_too_much_is_told(stated_claims, ledger):
    claim = stated_claims[0].claim
    assert f"{claim.label} is gone" in differences(stated_claims[1:], ledger)
    assert f"{claim.label} is new" in differences(stated_claims, {})


def test_a_row_with_another_verdict_part_or_reading_is_told(stated_claims, ledger):
    claim = next(stated.claim for stated in stated_claims if stated.claim.label == "Theorem 3.3")
    shown = ledger["Theorem 3.3"]
    assert changes(claim, shown | {"verdict": "vacuous"}) == ["vacuous, not refuted"]
    assert changes(claim, shown | {"statements": []})[0].startswith("has the parts [], not ")
    (statement,) = shown["statements"]
    (reading,) = statement["readings"]
    assert changes(claim, shown | {"statements": [statement | {"verdict": "holds"}]}) == ["None holds, not refuted"]
    assert changes(claim, shown | {"statements": [statement | {"readings": []}]}) == ["None has the readings []"]
    better = statement | {"readings": [reading | {"verdict": "holds"}]}
    assert changes(claim, shown | {"statements": [better]}) == ["None holds, not refuted"]


def test_the_committed_errata_and_ledger_are_those_of_the_committed_document(document):
    made = {"errata.md": as_errata(document), "ledger.md": as_markdown(document)}
    committed = {page: (ROOT / "docs" / "ledger" / page).read_text(encoding="utf-8") for page in made}
    assert [page for page in made if made[page] != committed[page]] == [], "python -m theorems.report"


def pinned_witnesses(ledger):
    """The exact witnesses that the ledger shows, by the tests that recorded them."""
    shown = {}
    for claim in ledger.values():
        exact = [item for item in claim["evidence"] if item["exact"]]
        for statement in claim["statements"]:
            for reading, about in [(None, statement), *((other["name"], other) for other in statement["readings"])]:
                place = statement["part"], reading
                mine = [item for item in exact if (item["part"], item["reading"]) == place]
                told = [item["test"] for item in mine if item["witness"] == about["witness"]]
                shown |= {told[0]: about["witness"]} if told else {}
    return shown


RUN = """
import json, sys, pytest

class Reporter:
    def pytest_unconfigure(self, config):
        from theorems.ledger.plugin import EVIDENCE  # not before pytest starts: it rewrites the asserts of plugins

        found = {item.test: item.witness for item in config.stash[EVIDENCE].values() if item.exact}
        print(json.dumps(found), file=sys.stderr)

sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]], plugins=[Reporter()]))
"""


@pytest.mark.slow
def test_the_pinned_counterexamples_have_the_exact_witnesses_that_the_ledger_shows(ledger):
    shown = pinned_witnesses(ledger)
    assert len(shown) > 50
    run = subprocess.run([sys.executable, "-c", RUN, *shown], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{RENEW}\n{run.stdout}{run.stderr}"
    assert json.loads(run.stderr) == shown, RENEW


def test_the_counts_of_readme_are_those_of_the_ledger(ledger):
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (\d+) \|", README, re.MULTILINE))
    counted = Counter(claim["verdict"] for claim in ledger.values())
    assert {verdict: int(count) for verdict, count in rows.items() if int(count)} == counted
    assert f"Three of the {len(ledger)} rows:" in README


@pytest.mark.parametrize("label", ["Theorem 3.1", "Proposition 4.3", "Theorem 3.3"])
def test_the_three_rows_of_readme_are_those_of_the_ledger(label, ledger):
    row = next(row for row in README.split("\n- ") if row.startswith(f"[{label}]"))
    row, claim = " ".join(row.split("\n\n")[0].split()), ledger[label]
    corrected = ", corrected" if claim["is_corrected"] and claim["verdict"] == Verdict.REFUTED else ""
    assert f"]({claim['path']})" in row
    assert f"**{claim['verdict']}{corrected}**" in row
    assert row.partition("fails at `")[2].rstrip("`.") == (claim["statements"][0]["witness"] or "")


def test_every_role_and_verdict_is_explained():
    policy = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| ([a-z ,]+) \|", policy, re.MULTILINE)
    assert {name for row in explained for name in row.split(", ")} >= {*Role, *Verdict}


def texts():
    """Every page with its path: README, those of docs/, and those that a run writes to docs/ledger/."""
    return [(page, page.read_text(encoding="utf-8")) for page in [*pages(), *sorted(ROOT.glob("docs/ledger/*.md"))]]


@functools.cache
def anchors(page):
    """What a link may name behind # in this page: the headings as GitHub writes them, or the ids of a web page."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".html":
        return set(re.findall(r'\bid="([^"]+)"', text))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    named = re.findall(r'<a (?:id|name)="([^"]+)"', text)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(named)


def without_code(text):
    return re.sub(r"^```.*?^```$|`[^`]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def dead_links(page, text):
    """The links of a page that lead to no file, or to no heading of it."""
    dead = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", without_code(text)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(f"{page.relative_to(ROOT)}: {link}")
    return dead


def test_links_lead_to_files_and_headings():
    assert [link for page, text in texts() for link in dead_links(page, text)] == []


def test_every_page_is_in_the_list_of_pages():
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    names = {page.name for page in pages() if page.parent == ROOT / "docs"} - {"README.md"}
    assert {name for name in names if f"]({name})" not in listed} == set()


def test_a_dead_link_is_found():
    text = "[a](README.md#run) [b](README.md#jog) [c](nothing.md) [d](https://example.org) `[e](f)`"
    assert dead_links(ROOT / "README.md", text) == ["README.md: README.md#jog", "README.md: nothing.md"]


def test_formulas_of_the_pages_convert():
    pytest.importorskip("latex2mathml", reason="formulas become MathML with the extra report")
    for page in pages():
        as_html(without_code(page.read_text(encoding="utf-8")).replace("$$", "$"))


def options(text):
    """The options of pytest commands that a page names, in its blocks and between backquotes."""
    commands = re.findall(r"(?:^|[`&] ?)((?:pytest|\.\.\.) [^`\n#]*)", re.sub(r"\\\n", " ", text), re.MULTILINE)
    return {option for command in commands for option in re.findall(r"(?<= )(--[a-z-]+)", command)}


def test_every_option_that_a_page_names_is_one_of_this_pytest(pytestconfig):
    known = {name for option in pytestconfig._parser._anonymous.options for name in option.names()}  # noqa: SLF001
    known |= {name for group in pytestconfig._parser._groups for option in group.options for name in option.names()}  # noqa: SLF001
    wrong = {(page.name, option) for page, text in texts() for option in options(text) if option not in known}
    assert wrong == set()


def test_an_option_that_pytest_does_not_know_is_found():
    assert options("say `pytest -m fast --clam X`\n\n    pytest \\\n  --ledgr=out\n") == {"--clam"}
    assert options("```sh\npytest -m gpu a \\\n    --scale=paper --store=x\n```\n") == {"--scale", "--store"}
