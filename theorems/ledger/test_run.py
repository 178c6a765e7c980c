"""Self-tests: whole runs over small theorem files, from the docstring to the ledger and the exit code."""

import json
import sys
import types

import pytest
from hypothesis import settings

from theorems.ledger import plugin

pytestmark = pytest.mark.slow

DOCSTRING = '''r"""{label} - a claim to test the ledger with.

Section     0
Printed     $x \\le y$
{fields}Idea        None.
Source      None.
Tolerance   None.
Expected    {expected}
"""

from hypothesis import given, strategies as st
import pytest

from properties.certificates import assert_at_most, assert_violates
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, under_hypotheses, vacuous

'''
AS_PRINTED = """
@as_printed
def test_one():
    assert_at_most(1, 2, why="one")

@as_printed
@given(st.integers(0, 3))
def test_many(x):
    assert_at_most(x, 4, why="many")
"""
PINNED = """
@counterexample
def test_pinned():
    assert_violates(2, 1, reads="risk {value} > bound {limit}", n=1)
"""
SEARCHED = """
@counterexample
def test_searched():
    assert_at_most(2, smallest_violation(st.integers(0, 9), lambda x: x > 1), why="found")
"""
CORRECTED = """
@corrected("C1")
def test_corrected():
    assert_at_most(1, 1, why="tight")
"""


@pytest.fixture
def theory(pytester):
    """Writes theorem files and runs pytest on them in this process."""
    pytester.makeini("[pytest]\naddopts = --strict-markers\nmarkers =\n    fast: f\n    slow: s\n    gpu: g\n")
    folder = pytester.mkdir("theorems") / "section_00"
    folder.mkdir()

    class Theory:
        def write(self, name, body, *, label="Theorem 3.1", expected="holds", **fields):
            lines = "".join(f"{key:11} {text}\n" for key, text in fields.items())
            source = DOCSTRING.format(label=label, expected=expected, fields=lines) + body
            (folder / f"test_{name}.py").write_text(source)

        def run(self, *options):
            return pytester.runpytest_inprocess("-p", "theorems.ledger.plugin", "-p", "no:cacheprovider", *options)

        def ledger(self, *options):
            self.run("--ledger", str(pytester.path / "out"), *options)
            return json.loads((pytester.path / "out" / "ledger.json").read_text())

    return Theory()


def test_a_run_ends_in_the_ledger(theory):
    theory.write("a", AS_PRINTED)
    result = theory.run()
    result.stdout.fnmatch_lines(["*= ledger =*", "claim *verdict *instances *worst", "Theorem 3.1 *holds *5 *0.75"])
    assert result.ret == 0
    start = next(index for index, line in enumerate(result.outlines) if "= ledger =" in line)
    assert max(map(len, result.outlines[start:])) <= 120
    assert "\x1b" not in result.stdout.str()


def test_the_ledger_is_colored_where_the_terminal_is(theory):
    theory.write("a", AS_PRINTED)
    assert "\x1b[32mholds" in theory.run("--color=yes").stdout.str()


def test_the_json_ledger_has_schema_1(theory):
    theory.write(
        "a", PINNED + SEARCHED + CORRECTED, expected="refuted", Corrected="(C1) $x < y$", Differs="It is strict."
    )
    document = theory.ledger()
    assert (document["schema"], document["profile"]) == (1, settings.get_current_profile_name())
    assert {"python", "numpy", "torch", "device"} <= set(document["environment"])
    (claim,) = document["claims"]
    evidence = claim.pop("evidence")
    assert claim == {
        "label": "Theorem 3.1",
        "title": "a claim to test the ledger with",
        "section": "0",
        "verdict": "refuted",
        "printed": r"$x \le y$",
        "corrected": "(C1) $x < y$",
        "source": "None.",
    }
    assert [item["role"] for item in evidence] == ["counterexample", "counterexample", "corrected"]
    keys = {"test", "role", "outcome", "examples", "worst_ratio", "hypothesis", "witness", "seconds"}
    assert [item.keys() - keys for item in evidence] == [set(), set(), {"clauses"}]
    assert evidence[2]["clauses"] == "C1"
    assert evidence[0]["witness"] == "n=1: risk 2 > bound 1"
    assert [item["worst_ratio"] for item in evidence] == [0.5, 1.0, 1.0]


RECORDED = """
from properties.certificates import record_series

@as_printed
def test_recorded():
    assert_at_most(1, 2, why="one")
    record_series("excess", alpha=[1, 2], excess=[0.5, 0.25])
"""


def test_the_data_of_a_picture_are_in_the_ledger(theory):
    theory.write("a", AS_PRINTED + RECORDED)
    (claim,) = theory.ledger()["claims"]
    saved = {item["test"].partition("::")[2]: item.get("series") for item in claim["evidence"]}
    series = {"title": "excess", "columns": {"alpha": [1.0, 2.0], "excess": [0.5, 0.25]}}
    assert saved == {"test_one": None, "test_many": None, "test_recorded": [series]}


def test_a_picture_is_recorded_once_in_a_test(theory):
    theory.write("a", AS_PRINTED + RECORDED + '    record_series("excess", alpha=[1])\n')
    theory.run().stdout.fnmatch_lines(["*ValueError: excess: this test has recorded a series of that title already*"])


@pytest.mark.parametrize(
    ("body", "expected", "complaint"),
    [
        (AS_PRINTED, "refuted", "the evidence says holds, the docstring expects refuted"),
        (AS_PRINTED + PINNED + SEARCHED, "refuted", "contradict each other"),
        (PINNED, "refuted", "no search finds a counterexample"),
        (SEARCHED, "refuted", "no pinned counterexample"),
        (SEARCHED + PINNED.replace("2, 1", "2.0, 1.0"), "refuted", "no pinned counterexample"),
        (AS_PRINTED.partition("@as_printed\n@given")[0], "holds", "its evidence is a single test"),
        (AS_PRINTED + "@as_printed\ndef test_idle():\n    pass\n", "holds", "test_idle certifies nothing"),
        (AS_PRINTED + "@as_printed\ndef test_skip():\n    pytest.skip('why')\n", "holds", "test_skip skipped"),
        (
            AS_PRINTED + "@as_printed\n@pytest.mark.parametrize('x', [])\ndef test_none(x):\n    pass\n",
            "holds",
            "test_none skipped",
        ),
    ],
)
def test_evidence_that_does_not_carry_its_verdict_fails_the_run(theory, body, expected, complaint):
    theory.write("a", body, expected=expected)
    result = theory.run()
    result.stdout.fnmatch_lines([f"Theorem 3.1: *{complaint}*", "FAILED theorems/section_00/test_a.py::verdict*"])
    assert result.ret == 1


def test_a_failed_test_breaks_its_claim_and_is_counted_once(theory):
    theory.write("a", AS_PRINTED.replace("x, 4", "x, 2"))
    result = theory.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["Theorem 3.1 *broken*", "    test_many failed"])
    assert result.ret == 1


def test_a_file_that_skips_itself_is_broken(theory):
    theory.write("a", AS_PRINTED + "\npytest.skip('not today', allow_module_level=True)\n")
    theory.write("b", AS_PRINTED, label="Theorem 3.3")
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1: the file skips itself", "Theorem 3.1 *broken*"])
    assert result.ret == 1


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


def test_an_unmeasurable_ratio_is_null_in_the_ledger(theory):
    theory.write("a", AS_PRINTED.replace("1, 2", "1, float('nan')"))
    (claim,) = theory.ledger()["claims"]
    assert [item["worst_ratio"] for item in claim["evidence"]] == [None, 0.75]
    assert claim["verdict"] == "broken"


def test_an_empty_run_of_examples_is_no_evidence(theory):
    body = AS_PRINTED + "@as_printed\n@given(st.integers().filter(lambda x: False))\ndef test_never(x):\n    pass\n"
    theory.write("a", body)
    assert theory.run().ret == 1


@pytest.mark.parametrize(
    ("body", "fields", "complaint"),
    [
        ("def test_x():\n    pass\n", {}, "test_x has 0 roles"),
        ("@as_printed\n@vacuous\ndef test_x():\n    pass\n", {}, "test_x has 2 roles"),
        ("@necessity('H9')\ndef test_x():\n    pass\n", {}, "names H9"),
        ("@necessity\ndef test_x():\n    pass\n", {}, "does not say which hypotheses"),
        ("@as_printed(part='(z)')\ndef test_x():\n    pass\n", {}, "part '(z)'"),
        (AS_PRINTED, {"Hypotheses": "(H1) any."}, "no necessity test drops H1"),
        (AS_PRINTED, {"Corrected": "(C1) $x$"}, "lacks a test of its corrected statement"),
        (AS_PRINTED + CORRECTED, {"Corrected": "$x$ (C1)"}, "'Corrected' does not open with (C1)"),
        (AS_PRINTED + CORRECTED, {"Corrected": "(C1) $x$ (C2) $y$"}, "no test shows C2"),
        (AS_PRINTED + CORRECTED, {"Corrected": "(C1) $x$", "Differs": "It does not."}, "'Differs' speaks of it, which"),
        (PINNED + SEARCHED + CORRECTED, {"Corrected": "(C1) $x$"}, "refuted and corrected, and 'Differs' does not say"),
        ("@corrected\ndef test_x():\n    pass\n", {"Corrected": "(C1) $x$"}, "test_x does not say which clause"),
        ("@corrected('C2')\ndef test_x():\n    pass\n", {"Corrected": "(C1) $x$"}, "test_x names C2, which the claim"),
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
        ("PART = '(a)'\n@as_printed(part=PART)\ndef test_x():\n    pass\n", {}, "arguments are no literals"),
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


def test_claims_that_a_selection_leaves_out_are_not_run(theory):
    theory.write("a", AS_PRINTED)
    theory.write("b", AS_PRINTED, label="Theorem 3.3")
    result = theory.run("-k", "test_a or test_one")
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds *", "Theorem 3.3 *not run*", "*only 1 of its 2 fast tests*"])
    assert result.ret == 0


@pytest.mark.parametrize("selection", [["-k", "not 1"], ["theorems/section_00/test_a.py::test_both[0]"]])
def test_a_claim_with_a_parameter_left_out_is_not_run(theory, selection):
    both = "@as_printed\n@pytest.mark.parametrize('x', [0, 1])\ndef test_both(x):\n    assert_at_most(x, 2, why='')\n"
    theory.write("a", both)
    theory.run(*selection).stdout.fnmatch_lines(["Theorem 3.1 *not run *1 *", "*only 0 of its 1 fast tests*"])


def test_slow_evidence_waits_without_holding_up_the_verdict(theory):
    theory.write(
        "a", AS_PRINTED + "@pytest.mark.slow\n@as_printed\ndef test_long():\n    assert_at_most(1, 1, why='')\n"
    )
    theory.write("b", "@pytest.mark.slow\n@as_printed\ndef test_long():\n    pass\n", label="Theorem 3.3")
    result = theory.run("-m", "fast")
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds*", "Theorem 3.3 *not run*", "*needs -m slow*"])
    assert result.ret == 0


def test_evidence_that_needs_a_missing_gpu_is_not_run_where_that_is_allowed(theory, monkeypatch):
    # A stand-in: the real torch must not be loaded here, since pytester unloads what a run has imported.
    stand_in = types.SimpleNamespace(cuda=types.SimpleNamespace(is_available=lambda: False))
    monkeypatch.setitem(sys.modules, "torch", stand_in)
    theory.write("a", "@pytest.mark.gpu\n@as_printed\ndef test_device():\n    pass\n")
    theory.write("b", AS_PRINTED, label="Theorem 3.3")
    theory.run().stderr.fnmatch_lines(["ERROR: the gpu tests need CUDA*"])
    result = theory.run("--allow-missing")
    result.stdout.fnmatch_lines(["Theorem 3.1 *not run*", "*needs -m gpu*", "Theorem 3.3 *holds*"])
    assert result.ret == 0


def test_the_ledger_names_the_device_of_gpu_tests_whoever_ran_them(theory, monkeypatch):
    cuda = types.SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "a device")
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    theory.write("a", "@pytest.mark.gpu\n@as_printed\ndef test_device():\n    pass\n")
    assert theory.ledger()["environment"]["device"] == "a device"
    assert theory.ledger("-p", "theorems.experiment_options.plugin", "--executor", "slurm")["environment"][
        "device"
    ] == ("the nodes of Slurm")
    worker = types.SimpleNamespace(stash={}, workeroutput={})
    controller = types.SimpleNamespace(stash={})
    plugin.note_device(worker, "a device")
    plugin.pytest_testnodedown(types.SimpleNamespace(config=controller, workeroutput=worker.workeroutput))
    plugin.pytest_testnodedown(types.SimpleNamespace(config=controller))
    assert controller.stash == {plugin.DEVICE: "a device"}


def test_parts_have_verdicts_of_their_own(theory):
    body = (AS_PRINTED + PINNED + SEARCHED).replace("@as_printed", "@as_printed(part='(a)')")
    body = body.replace("@counterexample", "@counterexample(part='(b)')")
    theory.write("a", body, expected="refuted", Parts="(a) one - holds\n            (b) two - refuted")
    (claim,) = theory.ledger()["claims"]
    assert claim["verdict"] == "refuted"
    assert claim["parts"] == [{"label": "(a)", "verdict": "holds"}, {"label": "(b)", "verdict": "refuted"}]


MEASURED = """
import types
from properties.certificates import record_finding
from theorems.ledger import measured, observed

def find(finding, binding=True):
    interval = types.SimpleNamespace(estimate=2.0, lower=1.0, upper=3.25, level=0.95)
    where = types.SimpleNamespace(title="digits" if binding else "the paper's", binding=binding, printed=not binding)
    record_finding(finding, interval, where=where, trials=5, reads="gap {estimate} [{lower}, {upper}]")

@observed
def test_beside():
    assert_at_most(1, 1, why="")
"""
MEASUREMENT = """
@measured
def test_{name}():
    find({arguments})
"""


def measurements(*arguments):
    return MEASURED + "".join(MEASUREMENT.format(name=k, arguments=word) for k, word in enumerate(arguments))


def test_what_a_measurement_finds_is_the_verdict_of_an_experiment(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *reproduced (digits) *6 *", "    digits: gap 2 [[]1, 3.25[]]"])
    assert result.ret == 0
    (claim,) = theory.ledger()["claims"]
    (finding,) = claim["evidence"][1]["findings"]
    assert (finding["lower"], finding["upper"], finding["trials"], finding["level"]) == (1.0, 3.25, 5, 0.95)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (["'reproduced'", "'inconclusive'"], "inconclusive"),
        (["'not reproduced'", "'inconclusive'"], "not reproduced"),
        (["'not reproduced'", "'reproduced'"], "inconclusive"),
    ],
)
def test_several_measurements_come_to_the_weakest_finding_unless_they_clash(theory, found, verdict):
    theory.write("a", measurements(*found), label="Experiment 3", expected=verdict)
    assert theory.ledger()["claims"][0]["verdict"] == verdict


def test_the_expected_verdict_binds_in_the_setting_it_was_frozen_for(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="not reproduced")
    theory.run().stdout.fnmatch_lines(["*the evidence says reproduced, the docstring expects not reproduced"])
    theory.write("a", measurements("'reproduced', binding=False"), label="Experiment 3", expected="not reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *reproduced *", "    the paper's: gap 2 *"])
    assert result.ret == 0


def test_who_expects_a_measurement_to_be_inconclusive_is_not_contradicted_by_what_it_finds(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="inconclusive")
    assert theory.run().ret == 0
    theory.write("a", measurements("'inconclusive'"), label="Experiment 3", expected="reproduced")
    theory.run().stdout.fnmatch_lines(["*the evidence says inconclusive, the docstring expects reproduced"])


NECESSARY = """
from properties.certificates import assert_keeps

@under_hypotheses("H1", "H2")
def test_under():
    assert_at_most(1, 1, why="both")

@necessity("H1")
def test_without_H1():
    assert_keeps(H2=True)
    assert_at_most(1, 1, why="the second alone")

@necessity("H2")
def test_without_H2():
    assert_keeps(H1=1 < 2)
    assert_at_most(1, 1, why="the first alone")
"""


def test_a_necessity_test_asserts_the_hypotheses_that_it_keeps(theory):
    fields = {"Hypotheses": "(H1) one. (H2) two.", "expected": "holds under added hypotheses"}
    theory.write("a", PINNED + SEARCHED + NECESSARY, **fields)
    assert theory.run().ret == 0
    theory.write("a", PINNED + SEARCHED + NECESSARY.replace("    assert_keeps(H1=1 < 2)\n", ""), **fields)
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1: test_without_H2 does not assert that its instance keeps H1"])
    assert result.ret == 1
    theory.write("a", PINNED + SEARCHED + NECESSARY.replace("1 < 2", "1 > 2"), **fields)
    theory.run().stdout.fnmatch_lines(["*AssertionError: H1 is not satisfied by this instance: False"])


def test_a_necessity_test_drops_one_hypothesis(theory):
    fields = {"Hypotheses": "(H1) one. (H2) two.", "expected": "holds under added hypotheses"}
    theory.write("a", PINNED + SEARCHED + NECESSARY.replace('@necessity("H1")', '@necessity("H1", "H2")'), **fields)
    theory.run().stderr.fnmatch_lines(["ERROR: *test_a.py: test_without_H1 drops 2 hypotheses at once, not one"])


def read_as(name, body):
    return (
        body.replace("@as_printed", f"@as_printed(reading='{name}')")
        .replace("@counterexample", f"@counterexample(reading='{name}')")
        .replace("@measured", f"@measured(reading='{name}')")
    )


def test_a_reading_that_does_not_decide_is_shown_with_its_verdict(theory):
    body = AS_PRINTED + read_as("wide", PINNED + SEARCHED)
    theory.write("a", body, Readings="[wide] for every start - refuted")
    result = theory.run()
    result.stdout.fnmatch_lines(
        ["Theorem 3.1 *holds *", "    read as wide: refuted", "        fails at n=1: risk 2 > *"]
    )
    assert result.ret == 0
    (claim,) = theory.ledger()["claims"]
    assert claim["verdict"] == "holds"
    assert claim["readings"] == [{"part": None, "name": "wide", "words": "for every start", "verdict": "refuted"}]


def test_a_reading_refutes_with_a_witness_and_a_search_of_its_own(theory):
    theory.write("a", AS_PRINTED + read_as("wide", PINNED), Readings="[wide] every start - refuted")
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1: read as wide: no search finds a counterexample by itself"])
    assert result.ret == 1


def test_the_reading_most_favourable_to_the_author_decides(theory):
    body = PINNED + SEARCHED + read_as("in the limit", AS_PRINTED)
    theory.write("a", body, expected="refuted", Readings="[in the limit] as lambda -> 0+ - holds")
    result = theory.run()
    result.stdout.fnmatch_lines(["*read as in the limit it holds, which is better than refuted*should decide"])
    assert result.ret == 1


def test_the_verdict_that_is_expected_of_a_reading_binds(theory):
    body = AS_PRINTED + read_as("wide", PINNED + SEARCHED)
    theory.write("a", body, Readings="[wide] for every start - vacuous")
    theory.run().stdout.fnmatch_lines(["*read as wide: the evidence says refuted, the docstring expects vacuous"])


def test_a_slow_reading_of_a_theorem_waits_without_holding_up_the_verdict(theory):
    slow = "@pytest.mark.slow\n@vacuous(reading='wide')\ndef test_long():\n    assert_at_most(1, 1, why='')\n"
    theory.write("a", AS_PRINTED + slow, Readings="[wide] for every start - vacuous")
    result = theory.run("-m", "fast")
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds *"])
    assert "read as wide" not in result.stdout.str()
    assert result.ret == 0
    theory.run().stdout.fnmatch_lines(["    read as wide: vacuous"])


def test_a_slow_reading_of_an_experiment_holds_up_its_verdict(theory):
    body = measurements("'reproduced'", "'reproduced'").replace(
        "@measured\ndef test_0", "@pytest.mark.fast\n@measured\ndef test_0"
    )
    body = body.replace("@measured\ndef test_1", "@measured(reading='centered')\ndef test_1")
    fields = {"Readings": "[centered] networks less their start - reproduced"}
    theory.write("a", body, label="Experiment 3", expected="reproduced", **fields)
    theory.run("-m", "fast").stdout.fnmatch_lines(["Experiment 3 *not run *", "    needs -m slow"])
    theory.run().stdout.fnmatch_lines(["Experiment 3 *reproduced *"])


def test_readings_of_an_experiment_that_clash_are_inconclusive(theory):
    body = measurements("'reproduced'", "'not reproduced'").replace(
        "@measured\ndef test_1", "@measured(reading='centered')\ndef test_1"
    )
    fields = {"Readings": "[centered] networks less their start - not reproduced"}
    theory.write("a", body, label="Experiment 3", expected="inconclusive", **fields)
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *inconclusive (digits) *", "    read as centered: not reproduced"])
    assert result.ret == 0


def test_a_long_setting_has_a_line_of_its_own(theory):
    long = "digits, " + "a network with many layers, " * 4
    body = measurements("'reproduced'").replace('title="digits"', f"title={long!r}")
    theory.write("a", body, label="Experiment 3", expected="reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *reproduced *6 *", "    (digits, a network with many layers, *"])
    start = next(index for index, line in enumerate(result.outlines) if "= ledger =" in line)
    assert max(map(len, result.outlines[start:])) <= 120


def test_an_observation_is_judged_as_an_experiment(theory):
    theory.write("a", measurements("'reproduced'"), expected="reproduced", Kind='observation: "often"')
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1 *reproduced (digits) *"])
    assert result.ret == 0


def test_a_part_that_waits_for_its_measurement_holds_up_the_row_and_not_the_other_part(theory):
    body = AS_PRINTED.replace("@as_printed", "@as_printed(part='(a)')")
    body += (
        measurements("'reproduced'")
        .replace("@measured", "@measured(part='(b)')")
        .replace("@observed", "@observed(part='(b)')")
    )
    fields = {"Parts": "(a) one - holds\n            (b) two - reproduced", "Kind": 'observation (b): "often"'}
    theory.write("a", body, expected="reproduced", **fields)
    result = theory.run("-m", "fast")
    result.stdout.fnmatch_lines(
        ["Theorem 3.1 *not run *", "*(a) one: holds", "*(b) two: not run", "*(b) needs -m slow"]
    )
    assert result.ret == 0
    assert theory.run().ret == 0


def test_passed_evidence_above_its_bound_breaks_the_claim(theory):
    # given  a certificate that reports and does not raise, as under an interpreter that drops assertions
    silent = """
from properties import certificates
@as_printed
@pytest.mark.parametrize("ratio", [{ratio}])
def test_silent(ratio):
    certificates._observer.get().certified(ratio, 1)
"""
    for ratio in ("float('inf')", "float('nan')", "1.0004"):
        theory.write("a", AS_PRINTED + silent.format(ratio=ratio))
        result = theory.run()
        result.stdout.fnmatch_lines(["Theorem 3.1: test_silent passed with the ratio *", "Theorem 3.1 *broken *"])
        assert result.ret == 1


def test_without_its_measurements_an_experiment_is_not_run(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="reproduced")
    theory.run("-k", "beside").stdout.fnmatch_lines(["Experiment 3 *not run*", "*needs -m slow*"])


def test_a_measurement_without_a_finding_breaks_its_claim(theory):
    silent = MEASURED + "\n@measured\ndef test_silent():\n    pass\n"
    theory.write("a", silent, label="Experiment 3", expected="reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["*test_silent finds nothing*"])
    assert result.ret == 1


def test_a_claim_that_cannot_be_tested_says_why(theory):
    theory.write("a", "", expected="not testable", Reason="No quantity is defined.")
    theory.write("b", AS_PRINTED, label="Theorem 3.3")
    theory.run().stdout.fnmatch_lines(["Theorem 3.1 *not testable*", "*No quantity is defined.*"])


def test_what_is_true_instead_can_be_shown_of_a_claim_that_cannot_be_tested(theory):
    shown = AS_PRINTED.replace("@as_printed", "@corrected('C1')")
    theory.write("a", shown, expected="not testable", Reason="Nothing is defined.", Corrected="(C1) a true statement")
    theory.run().stdout.fnmatch_lines(["Theorem 3.1 *not testable, corrected*"])
    theory.write("a", AS_PRINTED, expected="not testable", Reason="Nothing is defined.")
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds*"])
    assert result.ret != 0


def test_a_failure_prints_the_command_that_replays_it(theory):
    theory.write("a", AS_PRINTED.replace("x, 4", "x, 2"))
    profile = settings.get_current_profile_name()
    command = f"pytest 'theorems/section_00/test_a.py::test_many' --hypothesis-profile={profile}*"
    theory.run().stdout.fnmatch_lines([command])


def test_one_role_can_be_run_alone(theory):
    theory.write("a", PINNED + SEARCHED, expected="refuted")
    theory.run("--role", "counterexample").assert_outcomes(passed=2)
    theory.run("--role", "as printed").assert_outcomes(deselected=2)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--role", "proof"], "--role 'proof' is not a role"),
        (["--ledger", "/proc/ledger"], "--ledger /proc/ledger: cannot write there"),
        (["--ledger", ""], "--ledger needs the name of a folder"),
    ],
)
def test_bad_options_are_refused_before_the_run(theory, options, complaint):
    theory.write("a", AS_PRINTED)
    result = theory.run(*options)
    result.stderr.fnmatch_lines([f"ERROR: {complaint}*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
