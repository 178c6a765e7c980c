"""The pytest plugin of the probes: `pytest -m bias` asks optimizers which minimum they pick, and prints the answers.

The question files are collected in such a run alone, and such a run collects nothing else where it is `-m bias`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probes.pages.table import as_page, as_text, terminal_width
from probes.profiles.answers import Status
from probes.profiles.asked import Asked
from probes.profiles.document import ProfileError, plain_answer, read_answer
from probes.profiles.profile import answer_of
from probes.profiles.specs import EXAMPLE, Named, SpecError
from probes.running.faults import announcement
from probes.running.surroundings import silent, undisturbed

_PROPERTY = "whichmin bias"
_OPTIONS = {
    "--optimizer": [],
    "--optimizer-args": [],
    "--optimizer-step": None,
    "--question": [],
    "--save": None,
    "--compare": None,
    "--device": "cpu",
    "--bias-seed": None,
}
_OF_THE_CLAIMS = ("--claim", "--role", "--ledger", "--baseline", "--renew-baseline")
ASKED = pytest.StashKey[Asked]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("whichmin bias", "which minimum an optimizer picks: pytest -m bias")
    group.addoption(
        "--optimizer",
        metavar="SPEC",
        action="append",
        default=[],
        help="module:Name or ./file.py:make, a class or a function of params; may be repeated;"
        " default: all of torch.optim",
    )
    group.addoption(
        "--optimizer-args",
        metavar="ARGS",
        action="append",
        default=[],
        help=f'what it is called with, e.g. "{EXAMPLE}"; once for all, or once for each --optimizer in order',
    )
    group.addoption(
        "--optimizer-step",
        metavar="HOW",
        help="the learning rate: given, as the optimizer is made, or found, the largest of a grid that converges;"
        " default: found for a class without lr in ARGS, otherwise given",
    )
    group.addoption(
        "--question",
        metavar="KEY",
        action="append",
        default=[],
        help="ask only this question; may be repeated, or a list with commas",
    )
    group.addoption("--save", metavar="FILE", help="write the profiles to FILE, as JSON")
    group.addoption("--compare", metavar="FILE", help="fail if the bias differs from the profiles in FILE")
    group.addoption("--device", metavar="DEVICE", default="cpu", help="where the optimizer runs, e.g. cuda")
    group.addoption("--bias-seed", metavar="N", help="draw other instances; default: 0")


def pytest_configure(config: pytest.Config) -> None:
    if not asks(config):
        if given := [name for name, default in _OPTIONS.items() if config.getoption(name) != default]:
            raise pytest.UsageError(f"{given[0]} is of the questions to optimizers: add -m bias")
        if files := [name for name in config.args if Path(name.partition("::")[0]).name.startswith("question_")]:
            raise pytest.UsageError(f"{files[0]} asks an optimizer: add -m bias")
        return
    if foreign := [name for name in _OF_THE_CLAIMS if config.getoption(name, None)]:
        raise pytest.UsageError(f"{foreign[0]} is of the claims, and -m bias runs none of them: leave it out")
    if _asks_alone(config) and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        config.args = [str(Path(__file__).parent)]
    try:
        config.stash[ASKED] = Asked(config)
    except (SpecError, ProfileError) as error:
        raise pytest.UsageError(str(error)) from None
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporter(config), "whichmin bias reporter")


def asks(config: pytest.Config) -> bool:
    """Whether a run asks optimizers: its marker expression names `bias`, and not to leave it out."""
    words = re.findall(r"\w+", config.option.markexpr)
    return any(word == "bias" and words[max(place - 1, 0)] != "not" for place, word in enumerate(words))


def _asks_alone(config: pytest.Config) -> bool:
    return config.option.markexpr.strip() == "bias"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Question files are for runs that ask, and other files are not for a run that only asks."""
    if collection_path.suffix != ".py":
        return None
    is_left_out = not asks(config) if collection_path.name.startswith("question_") else _asks_alone(config)
    return True if is_left_out else None


_MARKS = (pytest.mark.bias, pytest.mark.timeout(0))  # a slow optimizer is announced, and not ended


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if hasattr(metafunc.function, "question"):
        names = metafunc.config.stash[ASKED].named
        cases = [pytest.param(name, None, None, id=name, marks=_MARKS) for name in names]
        metafunc.parametrize(("candidate", "effort", "answer"), cases)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what --question leaves out, and ask one optimizer after the other."""
    if ASKED not in config.stash:
        return
    asked = config.stash[ASKED]
    order, keys = {name: place for place, name in enumerate(asked.named)}, {one.key for one in asked.questions}
    left_out = [item for item in items if _key(item) not in {None, *keys}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    kept = [item for item in items if _key(item) in {None, *keys}]
    items[:] = sorted(kept, key=lambda item: order[item.callspec.params["candidate"]] if _key(item) else -1)


def _key(item: pytest.Item) -> str | None:
    """The key of the question that an item asks, or None for a test of another kind."""
    return getattr(getattr(item, "obj", None), "question", None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    key = _key(pyfuncitem)
    if key is None:
        return None
    asked, name = pyfuncitem.config.stash[ASKED], pyfuncitem.callspec.params["candidate"]
    (question,) = [question for question in asked.questions if question.key == key]
    answer = answer_of(question, asked.named[name].candidate, asked.effort, asked.faults_of(name))
    pyfuncitem.user_properties.append((_PROPERTY, {"optimizer": name, "answer": plain_answer(answer)}))
    return True


class Reporter:
    """Collects the answers of a run, also from workers, and prints, saves and compares the profiles at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._asked = config.stash[ASKED]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        """Before the questions: what is wrong with each optimizer, and for a whole profile, which one takes long."""
        for name, one in self._asked.named.items() if not self._config.option.collectonly else ():
            self._asked.faults_of(name)
            if not self._asked.is_narrowed:
                self._announce(one)
        return (yield)

    def _announce(self, one: Named) -> None:
        with undisturbed(self._asked.effort.seed, one.candidate.device), silent():
            line = announcement(one.candidate)
        if line and (terminal := self._config.pluginmanager.get_plugin("terminalreporter")):
            terminal.write_line(line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """The answers are counted by their status."""
        told = _told(report)
        if told is None:
            return None
        status = told["answer"]["status"]
        return "not asked" if status == Status.FAILED else status, _LETTERS.get(status, "F"), status.upper()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if (told := _told(report)) is not None:
            answer = read_answer(told["answer"])
            self._asked.answers[told["optimizer"], answer.question] = answer

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._asked.finish()
        if self._asked.has_failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        asked = self._asked
        if asked.profiles:
            terminalreporter.write_sep("=", "bias")
            is_long, width = len(asked.profiles) == 1 or self._config.option.verbose > 0, terminal_width()
            texts = [as_text(one, width) for one in asked.profiles] if is_long else [as_page(asked.profiles, width)]
            terminalreporter.write_line("\n\n".join(texts))
        for comparison in asked.comparisons:
            terminalreporter.write_line(f"\n{comparison}")
        for line in asked.remarks:
            terminalreporter.write_line(line)


_LETTERS = {
    Status.ANSWERED: ".",
    Status.NOT_CONVERGED: "c",
    Status.NOT_IDENTIFIABLE: "i",
    Status.NOT_APPLICABLE: "a",
}


def _told(report: Any) -> dict[str, Any] | None:
    """What the report of an asked question holds; None for other reports."""
    if getattr(report, "when", None) != "call" or not report.passed:
        return None
    return dict(report.user_properties).get(_PROPERTY)
