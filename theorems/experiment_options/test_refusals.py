"""Self-tests: what an option cannot mean, and what cannot be used, is refused before the first test."""

import json
import types

import pytest

from fixtures.sweeps.store import Store, StoreError
from theorems.experiment_options import plugin

pytestmark = pytest.mark.slow

SWEEP = """
from fixtures.sweeps.random_walk import RandomWalk

def test_first():
    pass

def test_swept(sweep):
    assert len(sweep([RandomWalk(steps=3)])) == 1

def test_last():
    pass
"""


@pytest.fixture
def experiment(pytester, monkeypatch):
    """Runs pytest on one sweep between two other tests, with options, in this process, and writes no pages."""
    monkeypatch.setattr("theorems.ledger.plugin.write_pages", lambda *_: [])
    monkeypatch.delenv("WHICHMIN_DATA", raising=False)
    pytester.makeini("[pytest]\nmarkers =\n    slow: s\n    fast: f\n    gpu: g\n    timeout: t\n")
    pytester.makepyfile(SWEEP)
    plugins = ("-p", "theorems.experiment_options.plugin", "-p", "theorems.ledger.plugin", "-p", "no:cacheprovider")
    return lambda *options: pytester.runpytest_inprocess(*plugins, *options)


def assert_refused(result, line):
    """Assert that the run ended before its first test, and said this line once."""
    said = [text for text in [*result.errlines, *result.outlines] if line in text]
    assert len(said) == 1, result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "passed" not in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--partition=gpu", "--partition belongs to --executor slurm, and this is --executor inline: drop one of them"),
        ("--slurm=mem=4G", "--slurm belongs to --executor slurm, and this is --executor inline: drop one of them"),
        ("--store=", "--store is empty: name a folder, or leave --store out"),
        ("--data-dir=", "--data-dir is empty: name a folder, or leave --data-dir out"),
        ("--store=~nosuchuser/x", "--store=~nosuchuser/x cannot be used (there is no user nosuchuser): name another"),
        ("--data-dir=" + "x" * 300, f"--data-dir={'x' * 117}... cannot be used (File name too long)"),
    ],
)
def test_an_option_that_means_nothing_is_refused_also_if_no_test_needs_it(experiment, option, line):
    assert_refused(experiment(option, "-k", "test_first"), line)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ("--executor=local", "--partition=x"),
            "--partition belongs to --executor slurm, and this is --executor local",
        ),
        (("--executor=slurm", "--partition="), "--partition is empty: name a partition, or leave --partition out"),
        (("--executor=slurm", "--slurm=mem="), "--slurm 'mem=' is not KEY=VALUE with a long option of sbatch"),
        (("--executor=slurm", "--slurm=time=soon"), "--slurm time=soon: a time limit is minutes"),
    ],
)
def test_options_of_an_executor_are_checked_before_anything_is_submitted(experiment, options, line):
    assert_refused(experiment(*options, "-k", "test_first"), line)


@pytest.mark.parametrize("variable", ["WHICHMIN_DATA", "XDG_CACHE_HOME"])
def test_a_folder_of_the_environment_that_cannot_be_used_is_one_line(experiment, monkeypatch, variable):
    monkeypatch.setenv(variable, "/" + "x" * 300)
    result = experiment("--download", "-k", "test_first")
    source = "WHICHMIN_DATA" if variable == "WHICHMIN_DATA" else "--download without --data-dir"
    assert_refused(result, f"{source}=/{'x' * 116}... cannot be used (File name too long): name another folder")


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_store_that_cannot_be_used_is_refused_before_the_first_test(experiment, tmp_path, workers):
    (tmp_path / "thesis.txt").touch()
    result = experiment(f"--store={tmp_path}", *workers)
    assert_refused(result, f"store {tmp_path}: a folder that is not a store (thesis.txt): name an empty one")
    experiment(f"--store={tmp_path}", "-k", "test_first").assert_outcomes(passed=1, deselected=2)


def test_a_store_that_cannot_be_locked_is_refused_before_the_first_test(experiment, tmp_path):
    Store(tmp_path)
    (tmp_path / "locks" / "probe.lock").mkdir()
    assert_refused(experiment(f"--store={tmp_path}"), f"store {tmp_path}: locks/probe.lock cannot be locked (")


def test_slurm_that_is_missing_is_refused_before_the_first_test(experiment, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_refused(experiment("--executor=slurm", f"--store={tmp_path / 's'}"), "sbatch is not on PATH: --executor ")
    assert_refused(experiment("--executor=slurm"), "--executor slurm keeps scripts and logs on a disk that all nodes")


def test_what_can_be_used_is_used(experiment, tmp_path):
    for _ in range(2):
        experiment(f"--store={tmp_path / 'store'}", f"--ledger={tmp_path / 'out'}").assert_outcomes(passed=3)
    assert json.loads((tmp_path / "out" / "ledger.json").read_bytes())["claims"] == []


def test_a_store_that_is_lost_after_the_first_test_fails_the_tests_that_need_it(experiment, monkeypatch, tmp_path):
    def once(path, opened=[]):  # noqa: B006 - the calls of one run
        opened.append(path)
        if len(opened) > 1:
            raise StoreError(f"store {path}: cannot be opened (Stale file handle): name another folder")
        return Store(path)

    monkeypatch.setattr(plugin, "Store", once)
    result = experiment(f"--store={tmp_path}")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines([f"store {tmp_path}: cannot be opened (Stale file handle): name another folder"])


def test_the_folder_of_downloads_is_in_the_cache_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("WHICHMIN_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    given = {"--data-dir": None, "--download": True}
    assert plugin.data_folder(types.SimpleNamespace(getoption=given.get)) == tmp_path / ".cache" / "whichmin"
