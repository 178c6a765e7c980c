"""Self-tests: whole runs of `pytest -m bias` over a small question, from the options to the exit code."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import probes
from probes import load_all
from probes.plugin import asks
from probes.profiles.questions import forget
from probes.running.candidate import OptimizerFault
from probes.running.faults import Fault, Severity

ROOT = Path(__file__).parents[1]
QUESTION = '''
"""A small question."""

import numpy as np

from probes.profiles.answers import Status
from probes.running.problem import least_squares
from probes.profiles.questions import question
from probes.running.run import train


@question("toy", title="A toy", answers=("yes", "no"))
def test_it_moves(candidate, effort, answer):
    count = effort.instances
    ends = 1 + effort.rng("toy").random((count, 1))
    problem = least_squares(np.ones((count, 1, 1)), ends, np.zeros((count, 1)))
    run = train(candidate, problem, steps=4)
    answer.measured("distance", np.abs(run.factors[0] - ends)[:, 0], resolution=1e-9, control=ends[:, 0])
    if np.isnan(run.loss).any():
        answer.unanswered(Status.NOT_CONVERGED, "nan")
    else:
        answer.answered("yes" if run.factors[0].any() else "no", "so it is")


@question("second", title="Another", answers=("yes",))
def test_another(candidate, effort, answer):
    candidate.build([]) if candidate.name.endswith(":picky") else None
    answer.answered("yes", "")
'''
OPTIMIZERS = """
import warnings
import torch


def make(params, lr=0.5):
    warnings.warn("it will be gone", DeprecationWarning) if lr > 0.5 else None
    return torch.optim.SGD(params, lr=lr)


def no_optimizer(params):
    return 3


def picky(params):
    if not list(params):
        raise RuntimeError("no parameters,\\nno optimizer")
    return torch.optim.SGD(params, lr=0.5)
"""


def fault(candidate):
    """A fatal fault of what is no optimizer, and a remark on another."""
    try:
        candidate.family  # noqa: B018 - building it is the check
    except OptimizerFault as error:
        return [Fault(Severity.FATAL, str(error))]
    return [Fault(Severity.REMARK, "it is odd")] if "picky" in candidate.name else []


class Result(pytest.LineMatcher):
    """What a run prints, and its exit code."""

    def __init__(self, printed, code):
        super().__init__(printed.splitlines())
        self.code = code


@pytest.fixture
def bias(tmp_path, monkeypatch):
    """Runs `pytest -m bias` in this process over a small question and small optimizers.

    run(*options): the Result, of `--optimizer=mine.py:make` where none is named; saved(name): the profiles in a file;
    path: the folder. Not pytester, which forgets the modules that a run has imported: torch cannot be imported twice.
    """
    folder = tmp_path / "probes"
    folder.mkdir()
    (folder / "__init__.py").write_text("", encoding="utf-8")
    (folder / "question_1_toy.py").write_text(QUESTION, encoding="utf-8")
    (folder / "test_other.py").write_text("def test_other():\n    pass\n", encoding="utf-8")
    (tmp_path / "mine.py").write_text(OPTIMIZERS, encoding="utf-8")
    settings = "python_files = test_*.py question_*.py\nfilterwarnings = error\naddopts = --strict-markers\n"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{settings}markers =\n    bias: b\n    timeout: t\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(probes, "__path__", [str(folder), *probes.__path__])
    monkeypatch.setattr("probes.profiles.questions.FOLDER", folder)
    monkeypatch.setattr("probes.profiles.profile.faults", fault)
    monkeypatch.setattr("probes.plugin.announcement", lambda one: "it takes long" if "picky" in one.name else None)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "120")

    def run(*options, chosen=("--optimizer=mine.py:make",)):
        chosen = () if any(option.startswith("--optimizer=") for option in options) else chosen
        marker = [] if "-m" in options else ["-m", "bias"]
        without = [
            f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "threadexception", "unraisableexception")
        ]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = pytest.main(["-p", "probes.plugin", "-s", *without, *marker, *chosen, *options, "probes"])
        return Result(printed.getvalue(), code)

    yield SimpleNamespace(run=run, path=tmp_path, saved=lambda name: load_all(tmp_path / name))
    forget("probes.question_1_toy")


def test_a_run_prints_saves_and_compares_a_profile(bias):
    result = bias.run("--save=a.json")
    result.fnmatch_lines(
        [
            "*= bias =*",
            "mine.py:make: SGD; torch *; step given; 12 instances, 4000 steps, seed 0; cpu; *",
            "A toy: yes - so it is",
            "    distance  * .. * .. *   control * .. * .. *",
            "Another: yes",
            "written to a.json",
            "*2 answered*",
        ]
    )
    assert result.code == 0
    (profile,) = bias.saved("a.json")
    assert [(answer.question, answer.says) for answer in profile.answers] == [("toy", "yes"), ("second", "yes")]
    assert (profile.name, profile.package, len(profile.answers[0].measured[0].values)) == ("mine.py:make", "torch", 12)
    same = bias.run("--compare=a.json")
    same.fnmatch_lines(["*the bias has not changed", "*all bit for bit the same"])
    assert same.code == 0
    other = bias.run("--compare=a.json", "--optimizer-args=lr=0.0")
    other.fnmatch_lines(["mine.py:make(lr=0.0) against mine.py:make: 2 changes", "*toy: yes, and is now: no"])
    assert other.code == 1


@pytest.mark.slow
def test_an_optimizer_with_a_fault_is_told_in_a_line_and_the_others_are_asked(bias):
    result = bias.run("--optimizer=mine.py:no_optimizer", "--optimizer=mine.py:picky", "--save=a.json")
    result.fnmatch_lines(
        [
            "it takes long",
            "optimizer             A toy   Another",
            "mine.py:no_optimizer  failed  failed",
            "mine.py:picky         yes     failed",
            "fatal: mine.py:no_optimizer returns int, which is no torch.optim.Optimizer",
            "remark: mine.py:picky: it is odd",
            "failed: mine.py:picky cannot be made: RuntimeError: no parameters, no optimizer",
            "*3 not asked, 1 answered*",
        ]
    )
    assert result.code == 1
    assert "Traceback" not in str(result)
    assert [profile.family for profile in bias.saved("a.json")] == ["", "SGD"]


@pytest.mark.slow
@pytest.mark.parametrize(("severity", "code"), [(Severity.REMARK, 0), (Severity.FAULT, 1)])
def test_a_fault_fails_the_run_and_a_remark_does_not(bias, monkeypatch, severity, code):
    monkeypatch.setattr("probes.profiles.profile.faults", lambda _: [Fault(severity, "it is odd")])
    result = bias.run("--question=toy")
    result.fnmatch_lines(["A toy: yes*", f"{severity}: mine.py:make: it is odd"])
    assert result.code == code


@pytest.mark.slow
def test_what_a_package_deprecates_is_no_fault_of_its_optimizer(bias):
    result = bias.run("--optimizer-args=lr=1.0", "--question=toy")
    result.fnmatch_lines(["A toy: yes*"])
    assert result.code == 0


@pytest.mark.slow
def test_one_question_is_asked_alone_and_compared_alone(bias):
    bias.run("--save=a.json")
    result = bias.run("--question=second", "--compare=a.json")
    result.fnmatch_lines(["*1 deselected*", "*the bias has not changed", "*1 deselected, *1 answered*"])
    assert "A toy" not in str(result)
    assert result.code == 0
    bias.run("--question=second", "--save=b.json")
    result = bias.run("--compare=b.json")
    result.fnmatch_lines(["ERROR: b.json lacks the question toy of mine.py:make: save it anew"])
    assert result.code == pytest.ExitCode.USAGE_ERROR


@pytest.mark.slow
def test_a_run_that_does_not_ask_everything_saves_and_compares_nothing(bias):
    bias.run("--save=a.json")
    result = bias.run("-k", "another", "--save=b.json", "--compare=a.json")
    result.fnmatch_lines(["not every question was asked: nothing is saved or compared"])
    assert not (bias.path / "b.json").exists()


@pytest.mark.slow
def test_another_run_collects_no_question_and_refuses_what_belongs_to_them(bias):
    for marker in ("fast or not fast", "not bias"):
        result = bias.run("-m", marker)
        result.fnmatch_lines(["ERROR: --optimizer is of the questions to optimizers: add -m bias"])
    result = bias.run("-m", "", "probes/question_1_toy.py", chosen=())
    result.fnmatch_lines(["ERROR: probes/question_1_toy.py asks an optimizer: add -m bias"])
    bias.run("-m", "", "--co", "-q", chosen=()).fnmatch_lines(
        ["probes/test_other.py::test_other", "", "1 test collected*"]
    )
    asked = bias.run("--co", "-q")
    asked.fnmatch_lines(["*test_it_moves[[]mine.py:make]", "*test_another[[]mine.py:make]", "", "2 tests collected*"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--optimizer=mine.py:mak"], "--optimizer mine.py:mak: mine.py has no mak; near it are make"),
        (["--optimizer=mine.py:make", "--optimizer=mine.py:make"], "--optimizer mine.py:make is given twice"),
        (["--optimizer-args=lr"], "--optimizer-args: 'lr' is no name=value"),
        (
            ["--optimizer-args=lr=1", "--optimizer-args=lr=2"],
            "--optimizer-args is given 2 times, and --optimizer 1 times",
        ),
        (["--optimizer-step=own"], "--optimizer-step 'own' is neither given nor found"),
        (["--question=tyo"], "there is no question 'tyo'; near it are toy"),
        (["--question="], "there is no question ''; the questions are toy, second"),
        (["--bias-seed=-1"], "--bias-seed '-1' is no number from 0 on"),
        (["--device=abacus"], "--device abacus: torch cannot use it"),
        (["--save=/proc/a.json"], "--save /proc/a.json: cannot write there"),
        (["--save="], "--save is empty"),
        (["--save=probes"], "--save probes: it is a folder"),
        (["--compare=none.json"], "none.json cannot be read (No such file or directory)"),
        (["--compare=mine.py"], "mine.py is damaged: it is no JSON"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line_before_the_run(bias, options, complaint):
    result = bias.run(*options)
    result.fnmatch_lines([f"ERROR: {complaint.replace('[', '[[]')}*"])
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in str(result)


@pytest.mark.slow
def test_a_file_that_cannot_be_written_at_the_end_fails_the_run(bias, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("probes.profiles.asked.save", refuse)
    result = bias.run("--save=a.json")
    result.fnmatch_lines(["A toy: yes*", "--save a.json: cannot be written (No space left on device)"])
    assert result.code == 1


@pytest.mark.parametrize(
    ("expression", "does"),
    [("bias", True), ("fast or bias", True), ("", False), ("fast", False), ("not bias", False), ("unbiased", False)],
)
def test_a_run_asks_where_its_markers_name_bias(expression, does):
    assert asks(SimpleNamespace(option=SimpleNamespace(markexpr=expression))) is does


def run(*options):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "bias", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


ASKED = ("--optimizer=torch.optim:AdamW", "--optimizer-args=lr=1e-2 weight_decay=0.01", "--question=interpolation")
FROM_PYTHON = """
import functools, sys, torch
from probes import bias_profile
torch.set_num_threads(2)
torch.rand(7)
make = lambda params: torch.optim.AdamW(params, lr=1e-2, weight_decay=0.01)
bias_profile(make, questions=["interpolation"]).save(sys.argv[1])
"""


@pytest.mark.slow
def test_the_command_line_several_processes_and_python_give_the_same_numbers(tmp_path):
    files = [tmp_path / name for name in ("line.json", "processes.json", "python.json")]
    line = run(*ASKED, f"--save={files[0]}")
    processes = run(*ASKED, "-n2", f"--save={files[1]}")
    python = subprocess.run([sys.executable, "-c", FROM_PYTHON, files[2]], cwd=ROOT, capture_output=True, check=False)
    assert (line.returncode, processes.returncode, python.returncode) == (0, 0, 0), line.stdout + processes.stdout
    measured = [json.loads(file.read_text(encoding="utf-8"))["profiles"][0]["answers"][0]["measured"] for file in files]
    assert measured[0] == measured[1] == measured[2]
    assert "= ledger =" not in line.stdout


@pytest.mark.slow
def test_the_bookkeeping_of_the_claims_neither_refuses_nor_prints_and_its_options_are_refused(tmp_path):
    result = run(f"--ledger={tmp_path}")
    assert "ERROR: --ledger is of the claims, and -m bias runs none of them: leave it out" in result.stderr
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
