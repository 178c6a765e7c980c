"""Self-tests of the command line as a user types it, in processes of their own."""

import json
import os
import shlex
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
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "tox.ini").write_text((ROOT / "tox.ini").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--hypothesis-profile", "fats"], "--hypothesis-profile 'fats' is unknown; profiles are fast, thorough, soak"),
        (["--scale", "huge"], "--scale 'huge' is unknown: smoke, reduced, paper"),
        (["--hypothesis-seed="], "--hypothesis-seed is empty: name a number, or leave --hypothesis-seed out"),
        (["--role", "proof"], "--role 'proof' is not a role; roles are as printed, under hypotheses, corrected"),
        (["--ledger", "conftest.py"], "--ledger=conftest.py cannot be used (Not a directory): name another folder"),
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
    (elsewhere / ".hypothesis").write_text("", encoding="utf-8")
    result = run("test_nothing.py", cwd=elsewhere)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "remove it" in result.stderr


def test_the_gpu_tests_without_a_gpu_are_refused_unless_missing_is_allowed(elsewhere):
    (elsewhere / "test_nothing.py").write_text(
        "import pytest\n\n@pytest.mark.gpu\ndef test_device():\n    pass\n", encoding="utf-8"
    )
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


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (("-p", "no:hypothesispytest"), {}),
        ((), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
        (("--collect-only",), {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
    ],
)
def test_without_the_plugin_of_hypothesis_a_run_is_one_line(elsewhere, options, environment):
    result = run("test_nothing.py", *options, cwd=elsewhere, **environment)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = filter(None, result.stderr.splitlines())
    assert line.startswith("ERROR: Hypothesis's pytest plugin is off, and every run needs it: leave out -p no:")
    assert "INTERNALERROR" not in result.stdout


def test_no_other_plugin_is_needed(elsewhere):
    options = ("-p", "_hypothesis_pytestplugin")
    alone = run("test_nothing.py", *options, cwd=elsewhere, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert run("test_nothing.py", "-p", "no:timeout", "-p", "no:cacheprovider", cwd=elsewhere).returncode == 0


def test_a_checkout_without_a_cache_keeps_its_ledger(elsewhere):
    # given  a file where pytest makes a folder: that cannot be written, also by the superuser
    (elsewhere / "cache").write_text("", encoding="utf-8")
    result = run("test_nothing.py", "--ledger=out", "-o", "cache_dir=cache", cwd=elsewhere)
    assert "PytestCacheWarning" in result.stdout
    assert "written to out/ledger.json" in result.stdout
    assert (elsewhere / "out" / "ledger.json").exists()
    assert (result.returncode, result.stderr) == (0, "")


FAILS = (
    "from hypothesis import given, strategies as st\n\n@given(st.integers())\ndef test_fails(x):\n    assert x < 9\n"
)


@pytest.mark.parametrize("options", [("--hypothesis-verbosity=quiet",), ("--hypothesis-explain", "-n", "1")])
def test_a_run_names_profile_and_seed_and_its_replay_fails_again_from_where_it_was_started(
    elsewhere, tmp_path_factory, options
):
    (elsewhere / "test_nothing.py").write_text(FAILS, encoding="utf-8")
    away = tmp_path_factory.mktemp("away")
    result = run(f"{elsewhere}/test_nothing.py", "--hypothesis-seed=7", "--ledger=out", *options, cwd=away)
    ledger = json.loads((away / "out" / "ledger.json").read_bytes())
    assert (ledger["profile"], ledger["seed"]) == ("fast", "7")
    assert "whichmin: profile fast (--hypothesis-seed=7)" in result.stdout
    (command,) = (line for line in result.stdout.splitlines() if line.startswith("pytest '"))
    replay = run(*shlex.split(command)[1:], cwd=away)
    assert replay.returncode == pytest.ExitCode.TESTS_FAILED
    assert command in replay.stdout


def test_a_seed_draws_other_instances_and_the_same_for_the_same_seed(elsewhere):
    draws = (
        "from hypothesis import given, strategies as st\n\n@given(st.integers())\ndef test_draws(x):\n    print(x)\n"
    )
    (elsewhere / "test_nothing.py").write_text(draws, encoding="utf-8")
    seeds = ([], ["--hypothesis-seed=1"], ["--hypothesis-seed=1"], ["--hypothesis-seed=2"])
    plain, one, again, two = (
        run("test_nothing.py", "-sq", *seed, cwd=elsewhere).stdout.splitlines()[:90] for seed in seeds
    )
    assert one == again
    assert len({tuple(drawn) for drawn in (plain, one, two)}) == 3


def untimed(folder):
    ledger = json.loads((folder / "ledger.json").read_text(encoding="utf-8"))
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
    # Self-tests of the probes plant subclasses of torch's Optimizer, each beside the test that exposes it.
    run = "pytest.main(['-qq', '--collect-only', '--ignore-glob=probes/*test_*.py'])"
    code = f"import sys, pytest; {run}; print({{'torch', 'sklearn'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "set()"
