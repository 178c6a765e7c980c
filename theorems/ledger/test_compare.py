"""Self-tests: two ledgers are compared, verdict by verdict, and a verdict that changed fails the run."""

import copy
import json

import pytest

from theorems.ledger import compare
from theorems.ledger.baseline import BaselineError
from theorems.ledger.small_theory import AS_PRINTED, PINNED, SEARCHED, read_as

pytestmark = pytest.mark.slow

PLUGIN = ("-p", "theorems.ledger.baseline_plugin")
READ = AS_PRINTED + read_as("wide", PINNED + SEARCHED)
WIDE = {"Readings": "[wide] every start - refuted"}


def write(theory, one=AS_PRINTED, two=PINNED + SEARCHED, read=READ, *, verdict="refuted", **fields):
    """A claim of two parts, and a claim with a reading."""
    theory.write_folder({"a": (one, {"Expected": "holds"}), "b": (two, {"Expected": verdict})})
    theory.write("read", read, label="Theorem 3.3", **(fields or WIDE))


@pytest.fixture
def before(theory, pytester):
    """The file of the ledger of a first run."""
    write(theory)
    theory.ledger()
    return pytester.path / "out" / "ledger.json"


def compared(theory, before, *options):
    return theory.run(*PLUGIN, f"--baseline={before}", *options)


def test_the_same_run_has_changed_nothing(theory, before):
    result = compared(theory, before)
    result.stdout.fnmatch_lines(["baseline: changed verdicts: 0, other changes: 0"])
    assert result.ret == 0


def test_a_changed_verdict_of_a_part_and_of_its_claim_fails_the_run(theory, before):
    write(theory, two=AS_PRINTED, verdict="holds")
    result = compared(theory, before)
    result.stdout.fnmatch_lines(
        ["Theorem 3.1: holds, and was: refuted", "Theorem 3.1 (b): holds, and was: refuted", "*::verdicts*"]
    )
    assert result.ret == 1


def test_a_changed_verdict_of_a_reading_fails_the_run(theory, before):
    vacuous = AS_PRINTED + "@vacuous(reading='wide')\ndef test_no_effect():\n    assert_at_most(1, 1, why='')\n"
    write(theory, read=vacuous, Readings="[wide] every start - vacuous")
    result = compared(theory, before)
    result.stdout.fnmatch_lines(["Theorem 3.3 read as wide: vacuous, and was: refuted"])
    assert result.ret == 1


def test_a_claim_that_is_gone_fails_the_run(theory, before):
    (theory.folder / "test_read.py").unlink()
    result = compared(theory, before)
    result.stdout.fnmatch_lines(["Theorem 3.3 is gone, and was: holds", "Theorem 3.3 read as wide is gone, *"])
    assert result.ret == 1


def test_a_failed_test_changes_a_verdict(theory, before):
    write(theory, one=AS_PRINTED.replace("x, 4", "x, 2"))
    compared(theory, before).stdout.fnmatch_lines(["Theorem 3.1 (a): broken, and was: holds"])


def test_a_changed_witness_is_printed_and_fails_nothing(theory, before):
    write(theory, two=PINNED.replace("n=1", "n=7") + SEARCHED)
    result = compared(theory, before)
    result.stdout.fnmatch_lines(
        [
            "Theorem 3.1 (b): fails at n=7: risk 2 > bound 1, and before at n=1: risk 2 > bound 1",
            "baseline: changed verdicts: 0, other changes: 1",
        ]
    )
    assert result.ret == 0


def test_a_ratio_that_changed_by_more_than_a_factor_of_ten_is_printed_and_instances_are(theory, before):
    write(theory, one=AS_PRINTED.replace("1, 2", "1, 40").replace("integers(0, 3)", "integers(0, 2)"))
    result = compared(theory, before)
    result.stdout.fnmatch_lines(
        [
            "*test_a.py::test_one has the ratio 0.025 in 'one', and had 0.5",
            "*::test_many tried 3 instances, and 4 before",
        ]
    )
    assert "0.75" not in "".join(line for line in result.outlines if "has the ratio" in line)
    assert result.ret == 0


def test_tests_that_are_new_or_gone_are_printed(theory, before):
    write(theory, one=AS_PRINTED.replace("test_many", "test_more"))
    compared(theory, before).stdout.fnmatch_lines(["*::test_many is gone", "*::test_more is new"])


def test_what_a_selection_leaves_out_has_not_changed(theory, before):
    result = compared(theory, before, "--claim", "Theorem 3.3")
    result.stdout.fnmatch_lines(["baseline: changed verdicts: 0, other changes: 0"])
    assert result.ret == 0


def test_another_seed_tries_other_instances(theory, before):
    result = compared(theory, before, "--hypothesis-seed=3")
    result.stdout.fnmatch_lines(["baseline: changed verdicts: 0, other changes: 0"])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"claims": [], "schema": 1}', "ledger {}: has schema 1, not 2: write it again by --ledger"),
        ('{"claims": []}', "ledger {}: is damaged (KeyError('schema')): *"),
        ('{"claims": [{"label": "Theorem 3.1"}], "schema": 2}', "ledger {}: is damaged (KeyError('verdict')): *"),
        ('{"claims": [NaN], "schema": 2}', "ledger {}: is damaged (NaN is no JSON): *"),
        ('{"claims": 3, "schema": 2}', "ledger {}: is damaged (TypeError(*"),
    ],
)
def test_a_ledger_that_cannot_be_compared_is_refused_in_one_line(theory, before, content, line):
    before.write_text(content, encoding="utf-8")
    result = compared(theory, before)
    result.stderr.fnmatch_lines([f"ERROR: {line.format(before)}"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_an_unknown_verdict_is_damage(before):
    document = json.loads(before.read_text(encoding="utf-8"))
    document["claims"][0]["statements"][0]["verdict"] = "proved"
    with pytest.raises(BaselineError, match=r"is damaged .*'proved' is not a valid Verdict"):
        compare.view_of(document, "x.json")


def test_a_ledger_is_not_renewed_as_a_baseline(theory, before):
    result = theory.run(*PLUGIN, f"--renew-baseline={before}")
    result.stderr.fnmatch_lines(["ERROR: --renew-baseline *: is a ledger, not a baseline: name another file"])


def test_two_files_are_compared_without_a_run(before, tmp_path, capsys):
    document = json.loads(before.read_text(encoding="utf-8"))
    other = copy.deepcopy(document)
    other["claims"][0]["statements"][1]["verdict"] = "vacuous"
    other["environment"]["numpy"] = "1.0"
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
    assert compare.main([str(before), str(before)]) == 0
    assert compare.main([str(before), str(tmp_path / "other.json")]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "Theorem 3.1 (b): vacuous, and was: refuted"
    assert told[2].startswith("changed verdicts: 1, other changes: 0; numpy 1.0, and was ")
    assert [compare.main([str(before)]), compare.main([str(before), "missing.json"])] == [2, 2]
    assert "ledger missing.json: cannot be read" in capsys.readouterr().err
