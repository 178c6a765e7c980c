"""Self-tests: whole runs over small theorem files, from the docstring to the ledger and the exit code."""

import sys
import types

import pytest
from hypothesis import settings

from theorems.ledger import plugin
from theorems.ledger.small_theory import AS_PRINTED, CORRECTED, PINNED, SEARCHED

pytestmark = pytest.mark.slow


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


def test_the_json_ledger_has_schema_2(theory):
    theory.write(
        "a", PINNED + SEARCHED + CORRECTED, expected="refuted", Corrected="(C1) $x < y$", Differs="It is strict."
    )
    document = theory.ledger()
    assert (document["schema"], document["profile"]) == (2, settings.get_current_profile_name())
    assert {"python", "numpy", "torch", "device"} <= set(document["environment"])
    (claim,) = document["claims"]
    (statement,) = claim["statements"]
    assert (claim["label"], claim["title"], claim["section"]) == ("Theorem 3.1", "a claim to test the ledger with", "0")
    assert (claim["path"], claim["verdict"]) == ("theorems/section_00/test_a.py", "refuted")
    assert claim["fields"] == statement["fields"]
    told = {"Differs": "It is strict.", "Idea": "None.", "Tolerance": "None."}
    assert statement["fields"] == {"Printed": r"$x \le y$", "Source": "None."} | told
    assert statement["clauses"] == [{"label": "C1", "text": "$x < y$"}]
    assert statement["witness"] == "n=1: risk 2 > bound 1"
    evidence = claim["evidence"]
    assert [item["role"] for item in evidence] == ["counterexample", "counterexample", "corrected"]
    assert [item["clauses"] for item in evidence] == [None, None, "C1"]
    assert [item["worst_ratio"] for item in evidence] == [0.5, 1.0, 1.0]


def test_the_ledger_shows_the_witness_of_the_counterexample_that_is_worked_by_hand(theory):
    worked = PINNED.replace("_pinned():\n", "_worked():\n    'Take $n = 7$.'\n").replace("n=1", "n=7")
    theory.write("a", PINNED + worked + SEARCHED, expected="refuted")
    (statement,) = theory.ledger()["claims"][0]["statements"]
    assert statement["witness"] == "n=7: risk 2 > bound 1"
    assert statement["worked"] == {"test": "theorems/section_00/test_a.py::test_worked", "text": "Take $n = 7$."}


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
    saved = {item["test"].partition("::")[2]: item["series"] for item in claim["evidence"]}
    series = {"title": "excess", "columns": {"alpha": [1.0, 2.0], "excess": [0.5, 0.25]}}
    assert saved == {"test_one": [], "test_many": [], "test_recorded": [series]}


def test_a_picture_is_recorded_once_in_a_test(theory):
    theory.write("a", AS_PRINTED + RECORDED + '    record_series("excess", alpha=[1])\n')
    theory.run().stdout.fnmatch_lines(["*ValueError: excess: this test has recorded a series of that title already*"])


def test_an_unmeasurable_ratio_is_null_in_the_ledger(theory):
    theory.write("a", AS_PRINTED.replace("1, 2", "1, float('nan')"))
    (claim,) = theory.ledger()["claims"]
    assert [item["worst_ratio"] for item in claim["evidence"]] == [None, 0.75]
    assert claim["verdict"] == "broken"


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
        (["--ledger="], "--ledger is empty: name a folder, or leave --ledger out"),
        (["--ledger=~nosuchuser/out"], "--ledger=~nosuchuser/out cannot be used (there is no user nosuchuser)"),
        (["--ledger", "x" * 300], f"--ledger={'x' * 117}... cannot be used (File name too long)"),
    ],
)
def test_bad_options_are_refused_before_the_run(theory, options, complaint):
    theory.write("a", AS_PRINTED)
    result = theory.run(*options)
    result.stderr.fnmatch_lines([f"ERROR: {complaint}*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_run_prints_the_claims_that_it_selected_and_counts_the_others(theory):
    theory.write("a", AS_PRINTED)
    theory.write("b", AS_PRINTED, label="Theorem 3.3")
    slow = AS_PRINTED.replace("@as_printed", "@pytest.mark.slow\n@as_printed")
    theory.write("c", slow, label="Corollary 3.2")
    result = theory.run("-m", "fast", "theorems/section_00/test_a.py")
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds *", "2 claims not selected"])
    assert "Theorem 3.3" not in result.stdout.str()
    whole = theory.run("-m", "fast")
    whole.stdout.fnmatch_lines(["Theorem 3.1 *holds *", "Corollary 3.2 *not run *", "Theorem 3.3 *holds *"])
    assert "not selected" not in whole.stdout.str()


def test_one_claim_or_one_part_can_be_run_alone(theory):
    theory.write("a", AS_PRINTED, label="Theorem 3.3")
    theory.write_folder({"a": (AS_PRINTED, {"Expected": "holds"}), "b": (AS_PRINTED, {"Expected": "holds"})})
    theory.run("--claim", "Theorem 3.1").assert_outcomes(passed=4, deselected=2)
    result = theory.run("--claim", "Theorem 3.1 (b)", "--claim", "Theorem 3.3")
    result.assert_outcomes(passed=4, deselected=2)
    result.stdout.fnmatch_lines(["Theorem 3.1 *not run *", "    (b) part b: holds", "Theorem 3.3 *holds *"])
    theory.run("--claim", "Theorem 3.1 (c)").stderr.fnmatch_lines(
        ["ERROR: --claim 'Theorem 3.1 (c)' is no claim and no part of one; near it are Theorem 3.1*"]
    )
