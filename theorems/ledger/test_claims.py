"""Self-tests: docstrings become a claim, and every way of getting one wrong is one clear line."""

import pytest

from theorems.ledger.claims import LABELS, MalformedClaimError, make_claim, parse_page
from theorems.ledger.verdicts import Verdict

CLAIM = r"""Theorem 3.1 - a title that runs
on.

Section     3.1
Printed     $w_t \to w^*$
Source      Who (1970)
"""
PART = """Theorem 3.1 (a) - one.

Printed     $x$
Readings    [every start] a universal reading of
            "different": all pairs - refuted
            [in the mean] over the noise - holds
Kind        observation: "often"
Hypotheses  (H1) rank X = n.
            (H2) a small step.
Corrected   (C1) one thing. (C2) another.
Idea        Why.
Tolerance   Whence.

Expected    reproduced
"""
OTHER = PART.replace("(a) - one", "(b) - another").replace("(C1) one thing. (C2) another.", "(C3) a third.")
OTHER = OTHER.replace('Kind        observation: "often"\n', "").replace("reproduced", "refuted")


def claim(*parts, own=CLAIM):
    """The claim of these docstrings; their files are called 0.py and so on."""
    pages = [parse_page(part, f"{number}.py") for number, part in enumerate(parts)]
    return make_claim(parse_page(own, "own.py"), pages)


def test_there_are_sixty_labels_each_once():
    assert len(LABELS) == len(set(LABELS)) == 60


def test_a_claim_has_the_title_of_its_folder_and_the_weakest_verdict_of_its_parts():
    stated = claim(OTHER, PART)
    assert (stated.label, stated.title) == ("Theorem 3.1", "a title that runs on")
    assert [(part.part, part.name, part.expected) for part in stated.parts] == [
        ("(a)", "one", Verdict.REPRODUCED),
        ("(b)", "another", Verdict.REFUTED),
    ]
    assert stated.expected is Verdict.REFUTED
    assert [part.is_empirical for part in stated.parts] == [True, False]


def test_a_part_has_the_hypotheses_and_clauses_of_its_own_page():
    stated = claim(PART, OTHER)
    assert stated.statement("(a)").hypotheses == stated.statement("(b)").hypotheses
    assert stated.statement("(a)").hypotheses == {"H1": "rank X = n.", "H2": "a small step."}
    assert [part.clauses for part in stated.parts] == [{"C1": "one thing.", "C2": "another."}, {"C3": "a third."}]
    assert stated.statement("(a)").fields["Hypotheses"] == "(H1) rank X = n. (H2) a small step."
    assert stated.text("Corrected") == "(a) (C1) one thing. (C2) another. (b) (C3) a third."


def test_a_page_lists_other_readings_with_their_words_and_verdicts():
    first, second = claim(PART).readings
    assert (first.part, first.name, first.expected) == ("(a)", "every start", Verdict.REFUTED)
    assert first.text == 'a universal reading of "different": all pairs'
    assert (second.name, second.text, second.expected) == ("in the mean", "over the noise", Verdict.HOLDS)


def test_a_claim_of_one_file_states_all_on_one_page():
    whole = CLAIM + PART.partition("\n\n")[2].replace("Printed     $x$\n", "")
    stated = claim(whole, own=whole)
    assert (stated.parts, stated.statement(None).name) == ((), "a title that runs on")
    assert stated.expected is Verdict.REPRODUCED
    assert stated.text("Source") == "Who (1970)"


def test_the_pages_of_one_part_add_up():
    more = "Theorem 3.1 (a) - more.\n\nCorrected   (C7) a seventh.\nReadings    [wide] any words - vacuous\n"
    statement = claim(more, PART).statement("(a)")
    assert list(statement.clauses) == ["C1", "C2", "C7"]
    assert [reading.name for reading in statement.readings] == ["every start", "in the mean", "wide"]


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ([PART.replace("noise - holds", "noise")], "does not read '[name] its words - verdict'"),
        ([PART.replace("noise - holds", "noise - true")], "'true' is not a verdict to expect"),
        ([PART.replace("[in the mean]", "[every start]")], "reading 'every start' is listed twice"),
        ([PART.replace('observation: "often"', "observation")], "does not read 'observation: words"),
        ([PART.replace("(C2)", "(C1)")], "a clause is stated twice"),
        ([PART.replace("(H2)", "(H1)")], "a hypothesis is stated twice"),
        ([PART, OTHER.replace("(C3)", "(C2)")], "C2 is a clause of 0.py already"),
        ([PART, OTHER.replace("rank X = n", "rank X = p")], "H1 has other words than in another file"),
        ([PART, OTHER.replace("(b) -", "(a) -")], "2 files of 'Theorem 3.1 (a)' have the field 'Expected', not one"),
        (
            [PART, OTHER.replace("Expected    refuted", "")],
            "0 files of 'Theorem 3.1 (b)' have the field 'Expected', not one",
        ),
        ([PART, OTHER.replace(" (b) -", " -")], "names no part of 'Theorem 3.1', which has (a)"),
        ([OTHER.replace("Theorem 3.1", "Theorem 3.3")], "states 'Theorem 3.3' in the folder of 'Theorem 3.1'"),
        ([None], "no module docstring"),
        ([PART.replace("Theorem 3.1", "Theorem 3.9")], "labels.txt does not list the label 'Theorem 3.9"),
        ([PART.replace("Theorem 3.1 (a) -", "Theorem 3.1 (a):")], "not with 'LABEL - title'"),
        ([PART.replace("Idea        Why.\n", "").replace("Tolerance ", "Findings ")], "(where the bounds come from)"),
        ([PART.replace("Idea        Why.\n", "")], "no field 'Idea'"),
        ([PART.replace("Printed     $x$\n", "")], "no field 'Printed'"),
        ([PART.replace("Idea ", "Idee ")], "unknown docstring field 'Idee'"),
        ([PART + "Idea        Again.\n"], "given twice"),
        ([PART.replace("Idea        Why.", "Idea        $x < y.")], "field 'Idea' has a dollar sign without a partner"),
        (
            [PART.replace("Idea        ", "Idea: ")],
            "neither a field nor indented: a field is a capitalized word, two or more spaces",
        ),
        ([PART.replace("Expected    reproduced", "Expected    true")], "'true' is not a verdict to expect"),
        (
            [PART.replace("Expected    reproduced", "Expected    not run")],
            "'not run' is not a verdict to expect; these are refuted, ",
        ),
    ],
)
def test_a_malformed_docstring_is_one_line_that_names_file_and_defect(parts, complaint):
    with pytest.raises(MalformedClaimError) as failure:
        claim(*parts)
    message = str(failure.value)
    assert message.startswith(f"{len(parts) - 1}.py: ")
    assert complaint in message
    assert "\n" not in message


@pytest.mark.parametrize("field", ["Section", "Printed", "Source"])
def test_the_page_of_a_claim_has_its_fields(field):
    lines = [line for line in CLAIM.splitlines(keepends=True) if not line.startswith(field)]
    with pytest.raises(MalformedClaimError, match=f"own.py: the docstring has no field '{field}'"):
        claim(PART, own="".join(lines))


def test_the_parts_of_a_claim_leave_out_no_letter():
    with pytest.raises(
        MalformedClaimError, match=r"own.py: the parts of 'Theorem 3.1' are \(b\), which leaves one out"
    ):
        claim(OTHER)
