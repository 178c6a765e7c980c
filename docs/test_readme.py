"""Self-tests: what the README promises is what the project does."""

import re
from pathlib import Path

from theorems.ledger.registry import StatedClaim
from theorems.ledger.verdicts import Role, Verdict

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_runs_exactly_the_second_command():
    commands = re.findall(r"```sh\n(.+)\n```", README)
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == commands[1]


def rows_after(heading):
    """The lines of the first ledger that is shown below a heading."""
    return README.partition(heading)[2].partition("```text\n")[2].partition("```")[0].splitlines()


def verdict_shown(rows, label):
    row = next(row for row in rows if row.startswith(f"{label}  "))
    return row.removeprefix(label).strip()


def waits(stated: StatedClaim):
    """Whether a fast run leaves a part unjudged."""
    parts = [statement.part for statement in stated.claim.statements]
    return any(test.tier != "fast" for part in parts for test in stated.tests_of(part))


def test_the_ledger_shown_has_a_row_for_every_claim_with_its_verdict(stated_claims):
    fast, slow = rows_after("What you will see"), rows_after("## Experiments")
    for stated in stated_claims:
        claim = stated.claim
        assert verdict_shown(fast, claim.label).startswith(Verdict.NOT_RUN if waits(stated) else claim.expected)
        assert not waits(stated) or verdict_shown(slow, claim.label).startswith(claim.expected)


def promised(expected):
    """The verdict that a run is sure to show: a file that expects inconclusive accepts any measured result."""
    return "" if expected is Verdict.INCONCLUSIVE else expected


def test_the_ledger_shown_has_every_part_and_every_reading_with_its_verdict(stated_claims):
    shown = "\n".join([*rows_after("What you will see"), *rows_after("## Experiments")])
    for stated in stated_claims:
        for part in stated.claim.parts:
            assert f"    {part.part} {part.name}: {promised(part.expected)}" in shown
        for reading in stated.claim.readings:
            assert f"read as {reading.name}: {promised(reading.expected)}" in shown


def parts_shown(rows):
    """The letters of the parts that a ledger shows, by claim."""
    shown, label = {}, ""
    for row in rows[1:]:
        if not row.startswith(" "):
            label = row.split("  ")[0]
            shown[label] = []
        elif match := re.match(r" {4}(\([a-z]\)) ", row):
            shown[label].append(match[1])
    return shown


def test_no_part_that_the_ledger_shows_has_lost_its_file(stated_claims):
    shown = parts_shown(rows_after("What you will see"))
    # A row that is not run ends in the reason for each part; it may name a letter twice.
    assert {label: sorted(set(letters)) for label, letters in shown.items()} == {
        stated.claim.label: [part.part for part in stated.claim.parts] for stated in stated_claims
    }


def test_every_role_and_verdict_is_explained():
    explained = README.partition("### Roles")[2]
    assert [word for word in (*Role, *Verdict) if word not in explained] == []


def test_links_lead_to_files():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
