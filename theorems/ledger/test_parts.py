"""Self-tests: parts are files of a folder, each with a verdict of its own."""

import pytest

from theorems.ledger.small_theory import (
    AS_PRINTED,
    CORRECTED,
    NECESSARY,
    PINNED,
    SEARCHED,
    measurements,
    page,
)

pytestmark = pytest.mark.slow


HOLDS = {"Expected": "holds"}


def test_parts_have_verdicts_of_their_own_and_the_claim_has_the_weakest(theory):
    theory.write_folder({"a": (AS_PRINTED, HOLDS), "b": (PINNED + SEARCHED, {"Expected": "refuted"})})
    (claim,) = theory.ledger()["claims"]
    assert claim["verdict"] == "refuted"
    assert [(part["part"], part["verdict"]) for part in claim["statements"]] == [("(a)", "holds"), ("(b)", "refuted")]
    parts = {item["test"].partition("::")[2]: item["part"] for item in claim["evidence"]}
    assert parts == {"test_one": "(a)", "test_many": "(a)", "test_pinned": "(b)", "test_searched": "(b)"}


def test_the_file_of_a_part_decides_that_part(theory):
    theory.write_folder({"a": (AS_PRINTED, HOLDS), "b": (PINNED + SEARCHED, {"Expected": "refuted"})})
    result = theory.run("theorems/section_00/theorem/test_b.py")
    result.stdout.fnmatch_lines(["Theorem 3.1 *not run *", "    (a) part a: not run", "    (b) part b: refuted"])
    assert result.ret == 0


def test_functions_of_one_name_in_two_files_are_two_pieces_of_evidence(theory):
    theory.write_folder({"a": (AS_PRINTED, HOLDS), "b": (AS_PRINTED.replace("x, 4", "x, 2"), HOLDS)})
    result = theory.run()
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["    (a) part a: holds", "    (b) part b: broken"])
    theory.run("-k", "test_one").stdout.fnmatch_lines(["Theorem 3.1 *not run *2 *"])


def test_a_part_may_have_several_files_whose_fields_add_up(theory):
    theory.write_folder({"a": (PINNED + SEARCHED, {"Expected": "refuted", "Differs": "It is strict."})})
    more = page("Theorem 3.1 (a) - what is true instead", CORRECTED, Corrected="(C1) $x < y$")
    (theory.folder / "theorem" / "test_a_corrected.py").write_text(more, encoding="utf-8")
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1 *refuted, corrected *", "    (a) part a: refuted"])
    assert result.ret == 0
    (part,) = theory.ledger()["claims"][0]["statements"]
    assert part["clauses"] == [{"label": "C1", "text": "$x < y$"}]
    assert part["fields"]["Differs"] == "It is strict."


def test_a_claim_without_parts_may_be_a_folder_too(theory):
    theory.write_folder({})
    for name, body, fields in (
        ("statement", AS_PRINTED, {"Idea": "None.", "Tolerance": "None.", **HOLDS}),
        ("corrected", CORRECTED, {"Corrected": "(C1) $x < y$"}),
    ):
        (theory.folder / "theorem" / f"test_{name}.py").write_text(
            page(f"Theorem 3.1 - {name}", body, **fields), encoding="utf-8"
        )
    (claim,) = theory.ledger()["claims"]
    assert (claim["verdict"], len(claim["evidence"])) == ("holds", 3)
    assert [statement["part"] for statement in claim["statements"]] == [None]


def test_a_hypothesis_that_two_parts_share_is_dropped_in_one_of_them(theory):
    shared = {"Hypotheses": "(H1) one. (H2) two.", "Expected": "holds under added hypotheses"}
    without = NECESSARY.partition("@necessity")[0]
    theory.write_folder({"a": (PINNED + SEARCHED + NECESSARY, shared), "b": (PINNED + SEARCHED + without, shared)})
    assert theory.run().ret == 0


def test_self_tests_in_a_section_are_no_claims_and_hold_no_evidence(theory):
    theory.write("a", AS_PRINTED)
    path = theory.folder / "test_instrument.py"
    path.write_text('"""Self-tests: an instrument."""\n\n\ndef test_it():\n    pass\n', encoding="utf-8")
    assert theory.run().ret == 0
    path.write_text(page("Self-tests: an instrument", AS_PRINTED), encoding="utf-8")
    theory.run().stderr.fnmatch_lines(["ERROR: *test_instrument.py::test_one: evidence belongs at the top level*"])


def test_a_part_that_waits_for_its_measurement_holds_up_the_row_and_not_the_other_part(theory):
    measured = {"Kind": 'observation: "often"', "Expected": "reproduced"}
    theory.write_folder({"a": (AS_PRINTED, HOLDS), "b": (measurements("'reproduced'"), measured)})
    result = theory.run("-m", "fast")
    result.stdout.fnmatch_lines(
        ["Theorem 3.1 *not run *", "*(a) part a: holds", "*(b) part b: not run", "*(b) needs -m slow"]
    )
    assert result.ret == 0
    assert theory.run().ret == 0
