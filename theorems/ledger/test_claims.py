"""Self-tests: a docstring becomes a claim, and every way of getting it wrong is one clear line."""

import pytest

from theorems.ledger.claims import LABELS, MalformedClaimError, parse_claim
from theorems.ledger.verdicts import Verdict

GOOD = r"""Theorem 3.1 - a title that runs
on.

Section     3.1
Printed     $w_t \to w^*$
Hypotheses  (H1) rank X = n.
            (H2) a small step.
Parts       (a) one - holds
            (b) another - refuted
Idea        Why.
Source      Who (1970)
Tolerance   Whence.

Expected    refuted
"""


def test_there_are_sixty_labels_each_once():
    assert len(LABELS) == len(set(LABELS)) == 60


def test_a_docstring_states_its_claim():
    claim = parse_claim(GOOD, "f.py")
    assert (claim.label, claim.title) == ("Theorem 3.1", "a title that runs on")
    assert claim.hypotheses == ("H1", "H2")
    assert claim.fields["Hypotheses"] == "(H1) rank X = n. (H2) a small step."
    assert [(part.label, part.expected) for part in claim.parts] == [("(a)", Verdict.HOLDS), ("(b)", Verdict.REFUTED)]
    assert claim.expected is Verdict.REFUTED


READ = GOOD.replace(
    "Idea ",
    """Readings    (a) [every start] a universal reading of
            "different": all pairs - refuted
            (b) [in the mean] over the noise - holds
Kind        observation (b): "often"
Corrected   (C1) one thing. (C2) another.
Idea """,
)


def test_a_docstring_lists_other_readings_with_their_words_and_verdicts():
    first, second = parse_claim(READ, "f.py").readings
    assert (first.part, first.name, first.expected) == ("(a)", "every start", Verdict.REFUTED)
    assert first.text == 'a universal reading of "different": all pairs'
    assert (second.part, second.name, second.text) == ("(b)", "in the mean", "over the noise")


def test_a_docstring_says_which_parts_are_observations_and_how_its_clauses_are_called():
    claim = parse_claim(READ, "f.py")
    assert [claim.is_empirical(part) for part in ("(a)", "(b)")] == [False, True]
    assert claim.clauses == ("C1", "C2")
    whole = parse_claim(READ.replace("observation (b)", "observation"), "f.py")
    assert [whole.is_empirical(part) for part in ("(a)", "(b)")] == [True, True]


@pytest.mark.parametrize(
    ("docstring", "complaint"),
    [
        (READ.replace("(b) [in the mean]", "(c) [in the mean]"), "of part '(c)', which the claim does not state"),
        (READ.replace("noise - holds", "noise"), "does not read '[name] its words - verdict'"),
        (READ.replace("noise - holds", "noise - true"), "'true' is not a verdict to expect"),
        (READ.replace("(b) [in the mean]", "(a) [every start]"), "reading 'every start' is listed twice"),
        (READ.replace('observation (b): "often"', "observation"), "does not read 'observation (a), (b): words"),
        (READ.replace("observation (b)", "observation (c)"), "(c) is an observation, but no part"),
        (READ.replace("(C2)", "(C1)"), "a clause is stated twice"),
        (None, "no module docstring"),
        (GOOD.replace("Theorem 3.1", "Theorem 3.9"), "not with 'LABEL - title'"),
        (GOOD.replace("Section     3.1\n", ""), "no field 'Section'"),
        (GOOD.replace("Idea ", "Idee "), "unknown docstring field 'Idee'"),
        (GOOD + "Idea        Again.\n", "given twice"),
        (GOOD.replace("Idea        ", "Idea: "), "neither a field nor indented"),
        (GOOD.replace("Expected    refuted", "Expected    true"), "'true' is not a verdict to expect"),
        (GOOD.replace("Expected    refuted", "Expected    not run"), "'not run' is not a verdict to expect"),
        (GOOD.replace("(H2)", "(H1)"), "stated twice"),
        (GOOD.replace("(b) another - refuted", "another"), "does not read '(a) name - verdict'"),
    ],
)
def test_a_malformed_docstring_is_one_line_that_names_file_and_defect(docstring, complaint):
    with pytest.raises(MalformedClaimError) as failure:
        parse_claim(docstring, "theorems/f.py")
    message = str(failure.value)
    assert message.startswith("theorems/f.py: ")
    assert complaint in message
    assert "\n" not in message
