"""Self-tests: a theorem file that does not state or show what it promises stops the run in one line."""

import pytest

from theorems.ledger.small_theory import AS_PRINTED, CLAIM, CORRECTED, NECESSARY, PINNED, SEARCHED, page

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "hidden",
    [
        "if True:\n    @as_printed\n    def test_inner():\n        assert_at_most(1, 2, why='')\n",
        "class TestInner:\n    @as_printed\n    def test_inner(self):\n        assert_at_most(1, 2, why='')\n",
        "class TestInner:\n    def test_inner(self):\n        pass\n",
    ],
)
def test_evidence_that_the_registry_does_not_see_is_refused(theory, hidden):
    theory.write("a", AS_PRINTED + hidden)
    result = theory.run()
    result.stderr.fnmatch_lines(
        ["ERROR: theorems/section_00/test_a.py::*test_inner: evidence belongs at the top level*"]
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_evidence_outside_the_sections_is_refused(theory, pytester):
    theory.write("a", AS_PRINTED)
    pytester.makepyfile(
        test_elsewhere="from theorems.ledger import as_printed\n\n@as_printed\ndef test_x():\n    pass\n"
    )
    theory.run().stderr.fnmatch_lines(["ERROR: test_elsewhere.py::test_x: evidence belongs at the top level*"])


@pytest.mark.parametrize(
    ("body", "fields", "complaint"),
    [
        ("def test_x():\n    pass\n", {}, "test_x has no role: put one of @as_printed, @under_hypotheses, "),
        ("@as_printed\n@vacuous\ndef test_x():\n    pass\n", {}, "test_x has 2 roles"),
        ("@necessity('H9')\ndef test_x():\n    pass\n", {}, "names H9"),
        (
            "@necessity\ndef test_x():\n    pass\n",
            {},
            'does not say which hypotheses it is about, as @necessity("H1") does',
        ),
        ("@as_printed(part='(z)')\ndef test_x():\n    pass\n", {}, "a role with the unknown keyword 'part'"),
        (AS_PRINTED, {"Hypotheses": "(H1) any."}, 'no necessity test drops H1: write one, @necessity("H1")'),
        (AS_PRINTED, {"Corrected": "(C1) $x$"}, "lacks a test of its corrected statement"),
        (AS_PRINTED + CORRECTED, {"Corrected": "$x$ (C1)"}, "'Corrected' that does not open with a clause"),
        (AS_PRINTED + CORRECTED, {"Corrected": "(C1) $x$ (C2) $y$"}, 'no test shows C2: write one, @corrected("C2")'),
        (
            AS_PRINTED + CORRECTED,
            {"Corrected": "(C1) $x$", "Differs": "It does not."},
            "has the field 'Differs', and is not refuted",
        ),
        (PINNED + SEARCHED + CORRECTED, {"Corrected": "(C1) $x$"}, "refuted and corrected, and 'Differs' does not say"),
        (
            "@corrected\ndef test_x():\n    pass\n",
            {"Corrected": "(C1) $x$"},
            "test_x does not say which clause",
        ),
        (
            "@corrected('C2')\ndef test_x():\n    pass\n",
            {"Corrected": "(C1) $x$"},
            "test_x names C2, which its file does not state",
        ),
        ("@vacuous('C1')\ndef test_x():\n    pass\n", {"Corrected": "(C1) $x$"}, "of the role vacuous and names C1"),
        (AS_PRINTED, {"Readings": "[wide] its words - holds"}, "no test is about the reading 'wide'"),
        ("@vacuous(reading='wide')\ndef test_x():\n    pass\n", {}, "'wide', which 'Readings' does not list"),
        ("@vacuous(reads='wide')\ndef test_x():\n    pass\n", {}, "a role with the unknown keyword 'reads'"),
        (AS_PRINTED + CORRECTED.replace('("C1")', ""), {}, "lacks 'Corrected' in its docstring"),
        (AS_PRINTED, {"Reason": "Unclear."}, "'not testable' and the field 'Reason' go together"),
        ("def (", {}, "line "),
        ("@measured\ndef test_x():\n    pass\n", {}, "test_x measures, which only experiments and observations do"),
        (
            AS_PRINTED + "@measured\ndef test_x():\n    pass\n",
            {"label": "Experiment 3"},
            "test_one would decide what is measured",
        ),
        (AS_PRINTED + AS_PRINTED, {}, "test_one is defined twice, and the second hides the first"),
        (AS_PRINTED + "def bound():\n    return 1\n\ndef bound():\n    return 2\n", {}, "bound is defined twice"),
        (AS_PRINTED + "test_many = None\n", {}, "test_many is defined twice"),
        (AS_PRINTED + "class test_one:\n    pass\n", {}, "test_one is defined twice"),
        ("from math import pi as test_one\n" + AS_PRINTED, {}, "test_one is defined twice"),
        (
            NECESSARY.replace("def test_without_H1", "def test_without_H2_too"),
            {"Hypotheses": "(H1) one. (H2) two."},
            "test_without_H2_too says without H2 and has not the label H2",
        ),
        (
            AS_PRINTED.replace("test_many", "test_even_without_H1"),
            {},
            "test_even_without_H1 says without H1 and has not the label H1",
        ),
        (
            AS_PRINTED
            + "@as_printed\ndef test_x():\n    try:\n        pass\n    except AssertionError:\n        pass\n",
            {},
            "test_x catches what its own certificates raise",
        ),
        (
            AS_PRINTED + "@as_printed\ndef test_x():\n    with pytest.raises(AssertionError):\n        pass\n",
            {},
            "test_x catches what its own certificates raise",
        ),
        (AS_PRINTED + "@as_printed\ndef test_x():\n    assert 1\n", {}, "test_x has a plain assert"),
        (
            AS_PRINTED.replace('why="one")', 'why="one")\n    assert_at_most(1, 3, why="one")'),
            {},
            "test_one has two certificates with the words 'one'",
        ),
        ("WIDE = 'wide'\n@as_printed(reading=WIDE)\ndef test_x():\n    pass\n", {}, "arguments are no literals"),
    ],
)
def test_a_file_that_promises_what_it_does_not_have_stops_the_run_in_one_line(theory, body, fields, complaint):
    theory.write("a", body, **fields)
    result = theory.run()
    result.stderr.fnmatch_lines([f"ERROR: theorems/section_00/test_a.py: *{complaint}*"])
    assert len(result.stderr.lines) <= 2
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_label_stands_for_one_file(theory):
    theory.write("a", AS_PRINTED)
    theory.write("b", AS_PRINTED)
    theory.run().stderr.fnmatch_lines(["ERROR: *test_b.py: 'Theorem 3.1' is already the claim of *test_a.py"])


HOLDS = {"Expected": "holds"}
BY_HYPOTHESIS = (PINNED + SEARCHED + NECESSARY, {"Hypotheses": "(H1) one. (H2) two.", "Expected": "refuted"})


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"a": (AS_PRINTED, {})}, "theorem/test_a.py: 0 files of 'Theorem 3.1 (a)' have the field 'Expected', not one"),
        ({"a": (AS_PRINTED, {**HOLDS, "Printed": ""})}, "theorem/test_a.py: the docstring has no field 'Printed'"),
        ({"a": (AS_PRINTED, {**HOLDS, "Section": "", "Parts": "(a) one"})}, "unknown docstring field 'Parts'"),
        (
            {"a": BY_HYPOTHESIS, "b": (AS_PRINTED, {**HOLDS, "Hypotheses": "(H1) another."})},
            "test_b.py: H1 has other words than in another file of the claim",
        ),
        ({"a": (AS_PRINTED, {**HOLDS, "Hypotheses": "(H3) three."})}, "theorem: no necessity test drops H3"),
        (
            {"a": BY_HYPOTHESIS, "b": (NECESSARY, HOLDS)},
            "test_b.py: test_under names H1, which its file does not state",
        ),
        (
            {letter: (AS_PRINTED + CORRECTED, {**HOLDS, "Corrected": "(C1) $x$"}) for letter in "ab"},
            "test_b.py: C1 is a clause of theorems/section_00/theorem/test_a.py already",
        ),
        (
            {"a": (AS_PRINTED, {**HOLDS, "Corrected": "(C1) $x$"})},
            "theorem: part (a) lacks a test of its corrected statement",
        ),
    ],
)
def test_a_folder_whose_files_do_not_go_together_stops_the_run_in_one_line(theory, parts, complaint):
    theory.write_folder(parts)
    result = theory.run()
    result.stderr.fnmatch_lines([f"ERROR: theorems/section_00/*{complaint}*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_the_folder_of_a_claim_opens_with_its_label(theory):
    theory.write_folder({"a": (AS_PRINTED, HOLDS)})
    opening = theory.folder / "theorem" / "__init__.py"
    opening.write_text('"""A folder."""\n', encoding="utf-8")
    theory.run().stderr.fnmatch_lines(["ERROR: *theorem/__init__.py: the docstring opens with 'A folder.', not *"])
    opening.unlink()
    theory.run().stderr.fnmatch_lines(["ERROR: *section_00/theorem: the folder of a claim has no __init__.py that *"])


@pytest.mark.parametrize(
    ("heading", "complaint"),
    [
        ("Theorem 3.3 (b) - another claim's", "test_b.py: states 'Theorem 3.3' in the folder of 'Theorem 3.1'"),
        ("Theorem 3.1 - no part", "test_b.py: names no part of 'Theorem 3.1', which has (a)"),
        (
            "Theorem 3.1 (a) - the same part",
            "test_b.py: 2 files of 'Theorem 3.1 (a)' have the field 'Expected', not one",
        ),
    ],
)
def test_each_file_of_a_folder_states_a_part_of_its_claim(theory, heading, complaint):
    theory.write_folder({"a": (AS_PRINTED, HOLDS)})
    source = page(heading, AS_PRINTED, Printed="$x$", Idea="None.", Tolerance="None.", **HOLDS)
    (theory.folder / "theorem" / "test_b.py").write_text(source, encoding="utf-8")
    theory.run().stderr.fnmatch_lines([f"ERROR: *{complaint}*"])


def test_a_part_belongs_into_the_folder_of_its_claim(theory):
    source = page("Theorem 3.1 (a) - alone", AS_PRINTED, **CLAIM, Idea="None.", Tolerance="None.", **HOLDS)
    (theory.folder / "test_a.py").write_text(source, encoding="utf-8")
    theory.run().stderr.fnmatch_lines(["ERROR: *test_a.py: states part (a) outside the folder of its claim"])
