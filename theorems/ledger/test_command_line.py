"""Self-tests of the command line as a user types it, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ONE_CLAIM = "theorems/section_03_linear_models/theorem_3_3_generalization_bound"


def run(*options, cwd=ROOT, **environment):
    """Runs pytest on this checkout, from `cwd`."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def elsewhere(tmp_path):
    """A folder with our conftest and a trivial test, whose .hypothesis can be damaged."""
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "tox.ini").write_text((ROOT / "tox.ini").read_text())
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--hypothesis-profile", "fats"], "--hypothesis-profile 'fats' is unknown; profiles are fast, thorough, soak"),
        (["--scale", "huge"], "--scale 'huge' is unknown: smoke, reduced, paper"),
        (["--role", "proof"], "--role 'proof' is not a role; roles are as printed, under hypotheses, corrected"),
        (["--ledger", "conftest.py"], "--ledger conftest.py: cannot write there"),
    ],
)
def test_a_bad_option_is_one_line_and_no_run(options, line):
    result = run(*options)
    errors = [text for text in result.stderr.splitlines() if text]
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert len(errors) == 1
    assert errors[0].startswith(f"ERROR: {line}")
    assert "passed" not in result.stdout


def test_an_old_python_is_one_line_and_no_run():
    code = "import runpy, sys; sys.version_info = (3, 10, 4); runpy.run_path('conftest.py')"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("whichmin needs Python 3.11 or later, this is ")
    assert len(result.stderr.splitlines()) == 1


def test_a_python_that_drops_assertions_is_one_line_and_no_run(elsewhere):
    result = run("test_nothing.py", "-p", "no:warnings", cwd=elsewhere, PYTHONOPTIMIZE="1")
    assert result.returncode == 1
    assert result.stderr.startswith("whichmin runs assertions, and this Python drops them")
    assert len(result.stderr.splitlines()) == 1


def test_a_damaged_example_database_is_one_line_and_no_run(elsewhere):
    (elsewhere / ".hypothesis").write_text("")
    result = run("test_nothing.py", cwd=elsewhere)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "remove it" in result.stderr


def test_the_gpu_tests_without_a_gpu_are_refused_unless_missing_is_allowed(elsewhere):
    (elsewhere / "test_nothing.py").write_text("import pytest\n\n@pytest.mark.gpu\ndef test_device():\n    pass\n")
    for workers, said in (
        ((), "ERROR: the gpu tests need CUDA"),
        (("-n", "1"), "! _pytest.outcomes.Exit: the gpu tests"),
    ):
        result = run("test_nothing.py", "-m", "gpu", *workers, cwd=elsewhere, CUDA_VISIBLE_DEVICES="")
        assert result.returncode == pytest.ExitCode.USAGE_ERROR
        assert said in result.stdout + result.stderr
    allowed = run("test_nothing.py", "-m", "gpu", "--allow-missing", cwd=elsewhere, CUDA_VISIBLE_DEVICES="")
    assert "1 skipped" in allowed.stdout
    assert allowed.returncode == 0


def test_the_header_names_profile_versions_dtype_and_device(elsewhere):
    header = run("test_nothing.py", "--hypothesis-profile=thorough", cwd=elsewhere).stdout
    assert "whichmin: profile thorough (--hypothesis-seed=" in header
    assert all(word in header for word in ("python 3.", "numpy ", "torch ", "dtype float64", "device cpu"))


def test_a_seed_draws_other_instances_and_the_same_for_the_same_seed(elsewhere):
    draws = (
        "from hypothesis import given, strategies as st\n\n@given(st.integers())\ndef test_draws(x):\n    print(x)\n"
    )
    (elsewhere / "test_nothing.py").write_text(draws)
    seeds = ([], ["--hypothesis-seed=1"], ["--hypothesis-seed=1"], ["--hypothesis-seed=2"])
    plain, one, again, two = (
        run("test_nothing.py", "-sq", *seed, cwd=elsewhere).stdout.splitlines()[:90] for seed in seeds
    )
    assert one == again
    assert len({tuple(drawn) for drawn in (plain, one, two)}) == 3


def untimed(folder):
    ledger = json.loads((folder / "ledger.json").read_text())
    for claim in ledger["claims"]:
        for evidence in claim["evidence"]:
            del evidence["seconds"]
    return ledger


def test_the_same_ledger_comes_out_every_time_and_on_any_number_of_workers(tmp_path):
    ways = {"once": [], "again": ["-p", "no:randomly"], "two workers": ["-n", "2"]}
    for name, options in ways.items():
        assert run("-m", "fast", ONE_CLAIM, "--ledger", str(tmp_path / name), *options).returncode == 0
    ledgers = [untimed(tmp_path / name) for name in ways]
    assert ledgers[0] == ledgers[1] == ledgers[2]


def test_the_last_failures_alone_leave_their_claim_not_run(tmp_path):
    selection = ["-k", "predicting_zero", "--ledger", str(tmp_path)]
    assert run("-m", "fast", ONE_CLAIM, *selection).returncode == 0
    verdicts = {claim["label"]: claim["verdict"] for claim in untimed(tmp_path)["claims"]}
    assert verdicts["Theorem 3.3"] == "not run"
    assert set(verdicts.values()) <= {"not run", "not testable"}


def test_collecting_imports_neither_torch_nor_scikit_learn():
    code = "import sys, pytest; pytest.main(['-qq', '--collect-only']); print({'torch', 'sklearn'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "set()"
