"""Self-tests: which settings a run has, and what is refused before anything runs."""

import types

import pytest

from fixtures.sweeps.settings import Setting, refusal_of_cpu, settings_at
from theorems.laboratory import plugin

EXPERIMENT = """
import types
import pytest

PRINTED_DATA = ("cifar10", "mnist")

def trials(setting):
    return [types.SimpleNamespace(flop=1e12)]

@pytest.fixture(scope="module")
def records(setting):
    return trials(setting)

def test_it(setting, records):
    assert records
"""


def titles(scale, present):
    return [setting.title for setting in settings_at(scale, present, ("cifar10", "mnist"))]


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
    assert titles(scale, present) == expected


def test_expected_verdicts_bind_where_any_laptop_measures():
    every = [setting for scale in ("smoke", "paper") for setting in settings_at(scale, ("mnist",), ("cifar10",))]
    assert [setting for setting in every if setting.binding] == [Setting("smoke", "digits", "cpu")]


def test_a_cpu_is_told_how_long_it_would_take():
    assert refusal_of_cpu("smoke", 1e20, 1e9) is None
    assert "--scale paper on a CPU would take about 32 years" in refusal_of_cpu("paper", 1e20, 1e11)
    assert "about 28 hours (1.0e+15" in refusal_of_cpu("reduced", 1e15, 1e10)
    assert "about 50 seconds" in refusal_of_cpu("reduced", 5e11, 1e10)


@pytest.fixture
def experiment(pytester, monkeypatch):
    """Runs pytest on one experiment, with options, in this process."""
    monkeypatch.delenv("WHICHMIN_DATA", raising=False)
    monkeypatch.setattr(plugin, "cpu_speed", lambda: 1e9)
    pytester.makeini("[pytest]\nmarkers =\n    slow: s\n    gpu: g\n    timeout: t\n")
    pytester.makepyfile(EXPERIMENT)

    def run(*options):
        plugins = ("-p", "theorems.laboratory.plugin", "-p", "theorems.ledger.plugin", "-p", "no:cacheprovider")
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
        (["-m", "slow", "--executor", "ray"], "--executor 'ray' is unknown: inline, local, slurm"),
        (["-m", "gpu", "--executor", "slurm"], "CIFAR-10 is read from a folder: --data-dir*--download*"),
        (["-m", "slow", "--data-dir", "/nowhere"], "/nowhere: no such folder; --data-dir*"),
    ],
)
def test_what_could_not_end_well_is_refused_in_one_line(experiment, options, complaint):
    result = experiment(*options)
    result.stderr.fnmatch_lines([f"ERROR: {complaint}"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "passed" not in result.stdout.str()


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
