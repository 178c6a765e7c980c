"""Self-tests: which settings a run has, and what is refused before anything runs."""

import errno
import os
import sys
import types

import pytest

from fixtures.datasets import images
from fixtures.sweeps.context import TrialContext
from fixtures.sweeps.random_walk import RandomWalk
from fixtures.sweeps.settings import Setting, cpu_refusal, settings_at
from fixtures.sweeps.store import Store
from theorems.experiment_options import plugin

pytestmark = pytest.mark.slow

EXPERIMENT = """
import sys
import types
import pytest

EXPERIMENT = sys.modules[__name__]

PRINTED_DATA = ("cifar10", "mnist")

def model_of(setting):
    return f"networks at {setting.scale} scale"

def trials(setting):
    return [types.SimpleNamespace(flop=1e12 if setting.data == "cifar10" else 1.0)]

@pytest.fixture(scope="module")
def records(setting):
    return trials(setting)

def test_it(setting, records):
    assert records
    assert setting.model == f"networks at {setting.scale} scale"
"""


def cases(scale, present):
    return [setting.case for setting in settings_at(scale, present, ("cifar10", "mnist"))]


@pytest.mark.parametrize(
    ("scale", "present", "expected"),
    [
        ("smoke", (), ["digits, smoke scale, cpu", "digits, smoke scale, cuda", "cifar10, smoke scale, cuda"]),
        ("paper", (), ["digits, paper scale, cpu", "cifar10, paper scale, cuda"]),
        (
            "reduced",
            ("digits", "mnist"),
            [
                "digits, reduced scale, cpu",
                "mnist, reduced scale, cpu",
                "cifar10, reduced scale, cuda",
                "mnist, reduced scale, cuda",
            ],
        ),
    ],
)
def test_a_gpu_takes_the_data_of_the_paper_and_a_cpu_what_is_there(scale, present, expected):
    assert cases(scale, present) == expected


def test_expected_verdicts_bind_where_any_laptop_measures():
    every = [setting for scale in ("smoke", "paper") for setting in settings_at(scale, ("mnist",), ("cifar10",))]
    assert [setting for setting in every if setting.binding] == [Setting("smoke", "digits", "cpu")]
    assert Setting("smoke", "digits", "cpu", model="networks").binding


def test_the_setting_of_the_paper_is_its_first_data_set_at_paper_scale():
    every = [
        it for scale in ("smoke", "reduced", "paper") for it in settings_at(scale, ("mnist",), ("cifar10", "mnist"))
    ]
    assert [setting.case for setting in every if setting.printed] == ["cifar10, paper scale, cuda"]


def test_a_setting_is_told_by_its_data_and_what_is_trained():
    assert (
        Setting("reduced", "cifar10", "cuda", model="ResNet-18 of width 16").title == "CIFAR-10, ResNet-18 of width 16"
    )
    assert Setting("smoke", "digits", "cpu").title == "digits"


def test_data_that_are_not_official_are_said_to_be_so_and_decide_nothing_of_the_paper():
    paper = Setting("paper", "cifar10", "cuda", printed=True, model="ResNet-18")
    laptop = Setting("smoke", "digits", "cpu")
    official, copied = types.SimpleNamespace(official=True), types.SimpleNamespace(official=False)
    assert (paper.on(official), laptop.on(official)) == (paper, laptop)
    assert paper.on(copied).title == "CIFAR-10 (not official), ResNet-18"
    assert (paper.on(copied).printed, laptop.on(copied).binding) == (False, False)


def test_a_cpu_is_told_how_long_it_would_take():
    assert cpu_refusal("smoke", 1e20, 1e9) is None
    assert "--scale paper on a CPU would take about 32 years" in cpu_refusal("paper", 1e20, 1e11)
    assert "about 28 hours (1.0e+15" in cpu_refusal("reduced", 1e15, 1e10)
    assert "about 50 seconds" in cpu_refusal("reduced", 5e11, 1e10)


@pytest.fixture
def experiment(pytester, monkeypatch):
    """Runs pytest on one experiment, with options, in this process, and writes no pages."""
    monkeypatch.setattr("theorems.ledger.plugin.write_pages", lambda *_: [])
    monkeypatch.delenv("WHICHMIN_DATA", raising=False)
    monkeypatch.setattr(plugin, "cpu_speed", lambda: 1e9)
    pytester.makeini("[pytest]\nmarkers =\n    slow: s\n    gpu: g\n    timeout: t\n")
    pytester.makepyfile(EXPERIMENT)

    def run(*options):
        plugins = ("-p", "theorems.experiment_options.plugin", "-p", "theorems.ledger.plugin", "-p", "no:cacheprovider")
        return pytester.runpytest_inprocess(*plugins, *options)

    return run


def test_slow_is_a_cpu_with_digits(experiment):
    result = experiment("-m", "slow", "-v")
    result.assert_outcomes(passed=1, deselected=2)
    result.stdout.fnmatch_lines(["*test_it[[]digits, smoke scale, cpu[]] PASSED*"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["-m", "slow", "--scale", "paper"], "--scale paper on a CPU would take about 17 minutes*"),
        (["-m", "slow", "--scale", "huge"], "--scale 'huge' is unknown: smoke, reduced, paper"),
        (["-m", "slow", "--executor", "ray"], "--executor 'ray' is unknown; executors are inline, local, slurm"),
        (["-m", "gpu", "--executor", "slurm"], "CIFAR-10 is read from a folder: --data-dir*--download*"),
        (["-m", "slow", "--data-dir", "/nowhere"], "/nowhere: no such folder; --data-dir*"),
    ],
)
def test_what_could_not_end_well_is_refused_in_one_line(experiment, options, complaint):
    result = experiment(*options)
    result.stderr.fnmatch_lines([f"ERROR: {complaint}"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "passed" not in result.stdout.str()


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (
            lambda batch: batch[:-1],
            "*data_batch_1.bin holds 6,145 bytes where a file of CIFAR-10 has 6,146; delete the*",
        ),
        (
            lambda batch: b"\x0a" + batch[1:],
            "*data_batch_1.bin: entry 0 has the label 10, not one of 0 to 9; delete the*",
        ),
    ],
    ids=["truncated", "label"],
)
def test_damaged_data_are_refused_in_one_line_before_anything_runs(experiment, monkeypatch, tmp_path, damage, line):
    monkeypatch.setattr(images, "CIFAR10_RECORDS", 2)
    home = tmp_path / images.CIFAR10_FOLDER
    home.mkdir()
    for file in images.CIFAR10_FILES:
        (home / file).write_bytes(bytes(2 * 3073))
    options = ("-m", "slow", "--allow-missing", "--data-dir", str(tmp_path))
    experiment(*options).assert_outcomes(passed=2, deselected=2)
    (home / images.CIFAR10_FILES[0]).write_bytes(damage(bytes(2 * 3073)))
    result = experiment(*options)
    result.stderr.fnmatch_lines([f"ERROR: {line}"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


WALKS = """
import sys
import pytest
from fixtures.sweeps.random_walk import RandomWalk

EXPERIMENT = sys.modules[__name__]
PRINTED_DATA = ("cifar10",)

def model_of(setting):
    return "walks"

def trials(setting):
    return [RandomWalk(steps=3), RandomWalk(steps=4)]
"""
TITLED = """
def test_it(setting):
    assert setting.title in ("digits, walks", "CIFAR-10 (not official), walks")
    assert setting.official == (setting.data == "digits")
"""


def test_a_test_sees_whether_its_data_are_official(experiment, pytester, monkeypatch, tmp_path):
    monkeypatch.setattr(images, "CIFAR10_RECORDS", 2)
    for file in images.CIFAR10_FILES:
        (tmp_path / file).write_bytes(bytes(2 * 3073))
    pytester.makepyfile(WALKS + TITLED)
    experiment("-m", "slow", "--data-dir", str(tmp_path)).assert_outcomes(passed=2, deselected=2)


SWEEP = """
from fixtures.sweeps.random_walk import RandomWalk

def test_swept(sweep):
    assert len(sweep([RandomWalk(steps=3, fails_at={fails_at})])) == 1
"""


@pytest.fixture
def walk(experiment, pytester):
    """Runs pytest on a sweep of one walk, in the store that is asked for."""

    def run(*options, fails_at=None):
        pytester.makepyfile(SWEEP.format(fails_at=fails_at))
        return experiment(*options)

    return run


def test_what_a_sweep_draws_is_not_captured(walk, monkeypatch, capfd):
    monkeypatch.setattr(plugin, "run_sweep", lambda *_, **__: [print("a bar", file=sys.stderr)])
    monkeypatch.setattr(Store, "made_by_other_source", lambda *_: [])
    monkeypatch.setattr(Store, "warnings", lambda *_: [])
    walk().assert_outcomes(passed=1)
    assert "a bar" in capfd.readouterr().err


def test_what_a_download_draws_is_not_captured(experiment, monkeypatch, capfd, tmp_path):
    monkeypatch.setattr(plugin, "ensure", lambda *_, **__: print("a bar", file=sys.stderr))
    monkeypatch.setattr(plugin, "load_images", lambda *_: types.SimpleNamespace(official=True))
    experiment("-m", "slow", "--download", "--data-dir", str(tmp_path)).assert_outcomes(passed=3, deselected=3)
    assert "a bar" in capfd.readouterr().err


def test_records_of_other_source_code_are_told_beside_the_ledger(walk, monkeypatch, tmp_path):
    store = str(tmp_path / "store")
    line = "1 record was made by other source code than this: name another --store to measure again"
    walk("--store", store).stdout.no_fnmatch_line(line)
    monkeypatch.setattr("fixtures.sweeps.store.code", lambda: {"version": "0", "digest": "another"})
    walk("--store", store).stdout.fnmatch_lines([line])


def test_workers_of_a_distributed_run_hand_over_which_records_are_of_other_code():
    worker = types.SimpleNamespace(stash={}, workeroutput={})
    controller = types.SimpleNamespace(stash={})
    for keys in (["b"], ["a", "b"]):
        plugin.note(worker, plugin.OUTDATED, keys)
    plugin.note(worker, plugin.WARNED, ["c: it began anew"])
    plugin.pytest_testnodedown(types.SimpleNamespace(config=controller, workeroutput=worker.workeroutput))
    plugin.pytest_testnodedown(types.SimpleNamespace(config=controller))
    assert controller.stash == {plugin.OUTDATED: {"a", "b"}, plugin.WARNED: {"c: it began anew"}}


def test_warnings_of_records_are_told_below_the_ledger_each_once(walk, tmp_path):
    store = Store(tmp_path / "store")
    trial = RandomWalk(steps=3)
    store.write_record({**TrialContext(store, trial).record({}), "warnings": [f"warning {i}" for i in range(12)]})
    result = walk("--store", str(store.path))
    told = [line for line in result.outlines if line.startswith("warning in the record of ")]
    assert told[0] == f"warning in the record of {trial.title} [{trial.key}]: warning 0"
    assert (len(told), len(set(told))) == (10, 10)
    result.stdout.fnmatch_lines(["and 2 more warnings in records"])


def test_a_record_that_is_damaged_under_a_sweep_is_one_line_once(walk, tmp_path):
    store = Store(tmp_path / "store")
    record = store.path / "records" / f"{RandomWalk(steps=3).key}.json"
    record.write_text("{", encoding="utf-8")
    result = walk("--store", str(store.path))
    line = (
        f"store {store.path}: records/{record.name} is damaged, it is not whole JSON: remove it to run its trial again"
    )
    assert result.outlines.count(line) == 1
    result.stdout.no_fnmatch_line("*During handling*")


MEASURED = """
@pytest.fixture(scope="module")
def records(setting, sweep):
    return sweep(trials(setting))

@pytest.mark.parametrize("x", range(7))
def test_it(records, x):
    assert len(records) == 2
"""


def test_a_damaged_record_is_refused_once_before_anything_runs(experiment, pytester, tmp_path):
    pytester.makepyfile(WALKS + MEASURED)
    options = ("-m", "slow", "--store", str(tmp_path / "store"))
    experiment(*options).assert_outcomes(passed=7, deselected=14)
    record = tmp_path / "store" / "records" / f"{RandomWalk(steps=4).key}.json"
    record.write_text(record.read_text(encoding="utf-8").replace('"code"', '"cod"'), encoding="utf-8")
    result = experiment(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    line = (
        f"ERROR: store {tmp_path / 'store'}: records/{record.name} is damaged, it has *: remove it to run its trial *"
    )
    result.stderr.fnmatch_lines([line])
    assert "damaged" not in result.stdout.str()
    assert "passed" not in result.stdout.str()


def test_a_store_that_fails_under_a_sweep_is_one_line_and_an_error_of_the_code_has_its_traceback(walk, monkeypatch):
    walk(fails_at=1).stdout.fnmatch_lines(["*random_walk.py:*: ArithmeticError"])

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(
        "fixtures.sweeps.store.Store._open",
        lambda self: [
            (self.path / folder).mkdir(parents=True, exist_ok=True)
            for folder in ("trials", "records", "checkpoints", "progress", "locks")
        ],
    )
    monkeypatch.setattr(os, "fsync", full)
    result = walk()
    result.stdout.fnmatch_lines(["store *: * cannot be written (No space left on device): free some space*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*.py:*: *Error")


def test_missing_data_can_be_allowed_and_are_skipped_out_loud(experiment):
    result = experiment("-m", "gpu", "--executor", "slurm", "--allow-missing", "-rs")
    result.assert_outcomes(passed=1, skipped=1, deselected=1)
    result.stdout.fnmatch_lines(["SKIPPED *CIFAR-10 is read from a folder: --data-dir*"])


def test_the_folder_of_the_data_is_the_option_before_the_variable(monkeypatch, tmp_path):
    def folder(**options):
        given = {"--data-dir": None, "--download": False} | {f"--{name}": value for name, value in options.items()}
        return plugin.data_folder(types.SimpleNamespace(getoption=given.get))

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("WHICHMIN_DATA", "")
    assert folder() is None
    assert folder(download=True) == tmp_path / "whichmin"
    monkeypatch.setenv("WHICHMIN_DATA", "/data")
    assert str(folder()) == "/data"
    assert str(folder(**{"data-dir": "/other"})) == "/other"
