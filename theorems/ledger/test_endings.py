"""Self-tests: however a run ends, what it has shown is printed and written; what was refused leaves nothing behind."""

import errno
import json
import os
import sys

import pytest

from theorems.ledger.small_theory import AS_PRINTED, measurements

pytestmark = pytest.mark.slow

STOPS = "@as_printed\ndef test_stops():\n    pytest.exit('enough', returncode={code})\n"


def evidence_in(folder):
    (claim,) = json.loads((folder / "ledger.json").read_bytes())["claims"]
    return [item["test"].partition("::")[2] for item in claim["evidence"]]


@pytest.mark.parametrize("code", list(pytest.ExitCode))
def test_a_run_that_a_test_ends_has_a_ledger_of_what_was_run(theory, tmp_path, code):
    theory.write("a", AS_PRINTED + STOPS.format(code=code))
    result = theory.run(f"--ledger={tmp_path}")
    result.stdout.fnmatch_lines(["Theorem 3.1 *not run*", f"written to {tmp_path / 'ledger.json'}"])
    assert evidence_in(tmp_path) == ["test_one", "test_many"]
    assert result.ret == code


@pytest.mark.parametrize(
    "hook", ["pytest_runtest_logfinish(nodeid):\n    if 'many' in nodeid:", "pytest_sessionfinish():\n    if True:"]
)
def test_an_error_of_a_plugin_does_not_cost_the_ledger(theory, pytester, tmp_path, hook):
    theory.write("a", AS_PRINTED)
    pytester.makeconftest(f"def {hook} raise RuntimeError('planted')\n")
    result = theory.run(f"--ledger={tmp_path}")
    result.stdout.fnmatch_lines(["*= ledger =*", "Theorem 3.1 *holds *", f"written to {tmp_path / 'ledger.json'}"])
    assert evidence_in(tmp_path) == ["test_one", "test_many"]
    assert "planted" in result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR


def test_a_full_disk_costs_the_file_and_not_the_table(theory, tmp_path, monkeypatch):
    theory.write("a", AS_PRINTED)
    theory.run(f"--ledger={tmp_path}")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    result = theory.run(f"--ledger={tmp_path}", "-k", "test_one")
    line = f"{tmp_path / 'ledger.json'} cannot be written (No space left on device): run again with another --ledger"
    result.stdout.fnmatch_lines(["Theorem 3.1 *not run *", line])
    result.stdout.no_fnmatch_line("written to *")
    assert (result.ret, len(evidence_in(tmp_path))) == (pytest.ExitCode.TESTS_FAILED, 2)


MISPLACED = "class TestInner:\n    def test_inner(self):\n        pass\n"


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_run_that_is_refused_says_why_and_leaves_the_last_ledger(theory, tmp_path, workers):
    theory.write("a", AS_PRINTED)
    theory.run(f"--ledger={tmp_path}")
    theory.write("a", AS_PRINTED + MISPLACED)
    result = theory.run(f"--ledger={tmp_path}", *workers)
    said = [line for line in [*result.errlines, *result.outlines] if "evidence belongs at the top level" in line]
    assert len(said) == 1
    assert "INTERNALERROR" not in result.stdout.str()
    result.stdout.no_fnmatch_line("written to *")
    assert (result.ret, len(evidence_in(tmp_path))) == (pytest.ExitCode.USAGE_ERROR, 2)


REAL = """
from fractions import Fraction

import numpy as np

from properties.certificates import record_series
from properties.statistics.paired import judge, student_interval

@measured
def test_real():
    interval = student_interval([1.0, 2.0, 3.0], level=0.9)
    where = types.SimpleNamespace(title=np.str_("digits"), binding=np.bool_(True), printed=False)
    finding = judge(interval, null=0, direction=1)
    record_finding(finding, interval, where=where, trials=np.int64(3), reads="gap {estimate}")
    record_series("a picture", x=np.arange(3), y=[Fraction(1, 2)] * 3)
"""


def test_a_real_finding_crosses_from_a_worker_to_the_ledger(theory):
    theory.write("a", measurements() + REAL, label="Experiment 3", expected="reproduced")
    alone, from_worker = (theory.ledger(*workers)["claims"][0]["evidence"] for workers in ([], ["-n", "1"]))
    for item in (*alone, *from_worker):
        del item["seconds"]
    assert from_worker == alone
    assert alone[1]["findings"][0]["finding"] == "reproduced"


def test_evidence_that_is_no_json_fails_its_test_and_not_the_run(theory):
    body = "from fractions import Fraction\nfrom properties.certificates import report_search\n\n@as_printed\n"
    theory.write("a", AS_PRINTED + body + "def test_odd():\n    report_search(Fraction(1, 2))\n")
    result = theory.run()
    result.stdout.fnmatch_lines(["*TypeError: evidence is plain JSON, and Fraction(*) is a Fraction", "*= ledger =*"])
    result.assert_outcomes(passed=2, failed=1)


def test_benchmarks_are_of_no_tier(theory, pytester):
    theory.write("a", AS_PRINTED)
    pytester.mkdir("benchmarks").joinpath("test_speed.py").write_text("def test_speed():\n    pass\n", encoding="utf-8")
    theory.run("-m", "fast").assert_outcomes(passed=2, deselected=1)
    theory.run("benchmarks").assert_outcomes(passed=1)


@pytest.mark.skipif(sys.platform == "win32", reason="links are of POSIX")
def test_a_link_in_the_place_of_the_ledger_is_replaced(theory, tmp_path):
    theory.write("a", AS_PRINTED)
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    for name in ("ledger.json", "ledger.json.partial"):
        (tmp_path / name).symlink_to(victim)
    theory.run(f"--ledger={tmp_path}")
    assert len(evidence_in(tmp_path)) == 2
    assert victim.read_text(encoding="utf-8") == "mine"
