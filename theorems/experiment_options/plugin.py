"""The pytest plugin of the experiments: options of the command line, settings of a run, and the fixture `sweep`.

A file whose tests take the fixture `setting` names its experiment: EXPERIMENT is a module, or any hashable object, with
PRINTED_DATA: the data sets that the paper names; model_of(setting): the trained model, in words; and trials(setting).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from fixtures.datasets.download import ensure
from fixtures.datasets.images import DataError, available, load_images
from fixtures.models.memory import TooLargeError
from fixtures.paths import PathError, folder_named
from fixtures.sweeps.executors import EXECUTORS, ExecutorError, check_executor, make_executor
from fixtures.sweeps.settings import SCALES, Setting, cpu_refusal, settings_at
from fixtures.sweeps.store import Store, StoreError
from fixtures.sweeps.sweep import run_sweep, usable_records
from fixtures.sweeps.trials import SweepError, Trial
from fixtures.training.config import TrainingError
from theorems.ledger.plugin import leave_out, named_folder, refuse

Sweep = Callable[[Sequence[Trial]], list[dict[str, Any]]]

OUTDATED, WARNED = pytest.StashKey[set[str]](), pytest.StashKey[set[str]]()
# What the workers of a distributed run tell the controller, and under which name.
_TOLD = {OUTDATED: "whichmin outdated", WARNED: "whichmin warnings"}
_MOST_WARNINGS = 10
# The message of these errors says everything; no traceback is shown.
_ONE_LINE_ERRORS = (StoreError, ExecutorError, DataError, TrainingError, TooLargeError)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("whichmin experiments")
    group.addoption("--scale", default="smoke", help=f"size of the experiments: {', '.join(SCALES)}")
    group.addoption("--data-dir", metavar="DIR", help="folder of MNIST and CIFAR-10; or set WHICHMIN_DATA")
    group.addoption("--download", action="store_true", help="fetch the data that an experiment needs and DIR lacks")
    group.addoption("--store", metavar="DIR", help="keep the trials there, and go on with those begun there")
    group.addoption("--executor", default="inline", help=f"what runs the trials: {', '.join(EXECUTORS)}")
    group.addoption("--partition", metavar="NAME", help="the Slurm partition of --executor slurm")
    group.addoption(
        "--slurm", metavar="KEY[=VALUE]", action="append", default=[], help="a long option of sbatch; may be repeated"
    )


def pytest_configure(config: pytest.Config) -> None:
    if (scale := config.getoption("--scale")) not in SCALES:
        raise pytest.UsageError(f"--scale {scale!r} is unknown: {', '.join(SCALES)}")
    named_folder(config, "--store")
    folder, partition = data_folder(config), config.getoption("--partition")
    try:
        check_executor(config.getoption("--executor"), partition=partition, options=config.getoption("--slurm"))
        available(None if config.getoption("--download") else folder)
    except (DataError, ExecutorError) as error:
        raise pytest.UsageError(str(error)) from None


def data_folder(config: pytest.Config) -> Path | None:
    """The folder of --data-dir, else of WHICHMIN_DATA; else, with --download, the folder of downloads; else None.

    Raises UsageError for a folder that cannot have its name.
    """
    if (named := named_folder(config, "--data-dir")) is not None:
        return named
    try:
        if variable := os.environ.get("WHICHMIN_DATA"):
            return folder_named("WHICHMIN_DATA", variable)
        if not config.getoption("--download"):
            return None
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return folder_named("--download without --data-dir", f"{cache}/whichmin")
    except PathError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "setting" not in metafunc.fixturenames:
        return
    experiment = metafunc.module.EXPERIMENT
    scale, printed = metafunc.config.getoption("--scale"), experiment.PRINTED_DATA
    folder = data_folder(metafunc.config)
    present = printed if metafunc.config.getoption("--download") else available(folder)
    settings = [
        dataclasses.replace(setting, model=experiment.model_of(setting))
        for setting in settings_at(scale, present, printed)
    ]
    # Training takes minutes on a CPU, and hours at paper scale.
    limits = {"cpu": [pytest.mark.slow, pytest.mark.timeout(1500)], "cuda": [pytest.mark.gpu, pytest.mark.timeout(0)]}
    cases = [pytest.param(setting, marks=limits[setting.device], id=setting.case) for setting in settings]
    metafunc.parametrize("setting", cases, indirect=True, scope="module")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    refuse(session, _no_sweep(session) or _reason_to_refuse(session))


def _no_sweep(session: pytest.Session) -> str | None:
    """Why the store or the executor of the sweeps cannot be used, or None. No trial is run and no job submitted."""
    config = session.config
    if config.option.collectonly or not any("sweep" in getattr(item, "fixturenames", ()) for item in session.items):
        return None
    try:
        store = Store(config.getoption("--store")) if config.getoption("--store") else None
        with contextlib.ExitStack() as stack:
            if store is not None:
                stack.enter_context(store.lock("probe"))
            stack.enter_context(_executor(config, store))
    except (StoreError, ExecutorError) as error:
        return str(error)
    return None


def _reason_to_refuse(session: pytest.Session) -> str | None:
    """Why the run is refused: this CPU would take too long, or the data are missing or damaged. None if it may run."""
    cases = [(item, item.callspec.params["setting"]) for item in session.items if "setting" in _params(item)]
    if not cases or session.config.option.collectonly:
        return None
    large = {
        (item.module.EXPERIMENT, setting)
        for item, setting in cases
        if setting.device == "cpu" and setting.scale != "smoke"
    }
    if large:
        # The time is that of the paper's data set, also where only digits are present. Files that name one experiment
        # share its trials.
        meant = {(it, Setting(setting.scale, it.PRINTED_DATA[0], "cuda")) for it, setting in large}
        flop = sum(trial.flop for experiment, setting in meant for trial in experiment.trials(setting))
        return cpu_refusal(session.config.getoption("--scale"), flop, cpu_speed())
    folder, download = data_folder(session.config), session.config.getoption("--download")
    absent = set()
    for data in dict.fromkeys(setting.data for _, setting in cases if setting.data != "digits"):
        try:
            ensure(data, folder, download=download)
        except DataError as error:
            if not session.config.getoption("--allow-missing"):
                return str(error)
            absent.add(data)
            for item, setting in cases:
                if setting.data == data:
                    leave_out(item, str(error))
            continue
        try:
            load_images(data, folder)
        except DataError as error:
            return str(error)
    measured = {(item.module.EXPERIMENT, setting) for item, setting in cases if setting.data not in absent}
    return _unusable_record(session.config, measured, folder)


def _unusable_record(config: pytest.Config, measured: Iterable[tuple[Any, Setting]], folder: Path | None) -> str | None:
    """Why a record that the run would use cannot be used: it is damaged, or of other data. None if all can be used."""
    if config.getoption("--store") is None:
        return None
    try:
        store = Store(config.getoption("--store"))
        trials = {trial.key: trial for experiment, setting in measured for trial in experiment.trials(setting)}
        usable_records([trial for trial in trials.values() if store.has_record(trial.key)], store, folder)
    except StoreError as error:
        return str(error)
    return None


@contextlib.contextmanager
def _uncaptured(config: pytest.Config) -> Iterator[None]:
    """Show what the block writes, such as a progress bar, on a new line of the terminal; pytest would capture it.

    The workers of a distributed run share one terminal, and their bars would overwrite one another: they stay captured.
    """
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None or hasattr(config, "workerinput"):
        yield
        return
    with capture.global_and_fixture_disabled():
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None and sys.stderr.isatty():
            reporter.ensure_newline()
        yield


def _params(item: pytest.Item) -> dict[str, Any]:
    return getattr(getattr(item, "callspec", None), "params", {})


def cpu_speed() -> float:
    """Floating point operations per second of a float32 matrix product on all cores of this CPU, measured."""
    import torch

    a = torch.ones(1024, 1024)
    a @ a
    began = time.perf_counter()
    a @ a
    return 2 * 1024**3 / (time.perf_counter() - began) * (os.cpu_count() or 1) / torch.get_num_threads()


@pytest.fixture(scope="module")
def setting(request: pytest.FixtureRequest) -> Setting:
    """The setting of the experiment, on its data. A test has one case for each setting of the run."""
    return request.param.on(load_images(request.param.data, data_folder(request.config)))


@pytest.fixture(scope="session")
def sweep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    """A function that runs trials and returns their records in order. Trials that have a record are not run again.

    Without --store the store is temporary. The workers of a distributed run share the store, and so the trials.
    """
    config = request.config
    base = tmp_path_factory.getbasetemp()
    default = (base.parent if hasattr(config, "workerinput") else base) / "experiments"
    with contextlib.ExitStack() as stack:
        try:
            store = Store(config.getoption("--store") or default)
            executor = stack.enter_context(_executor(config, store if config.getoption("--store") else None))
        except (StoreError, ExecutorError) as error:
            # It could be used before the first test. Only its tests fail now, and what others have shown is kept.
            pytest.fail(str(error), pytrace=False)

        def run(trials: Sequence[Trial]) -> list[dict[str, Any]]:
            try:
                with _uncaptured(config):
                    records = run_sweep(trials, store, executor, data_folder=data_folder(config))
            except SweepError as error:
                if not any(isinstance(cause, _ONE_LINE_ERRORS) for cause in _causes(error)):
                    raise
                line = str(error)
            else:
                note(config, OUTDATED, (trial.key for trial in store.made_by_other_source(trials)))
                note(config, WARNED, store.warnings(trials))
                return records
            # Outside of the block: inside, pytest would show the line twice, as a cause and as what came of it.
            pytest.fail(line, pytrace=False)

        yield run


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def note(config: pytest.Config, about: pytest.StashKey[set[str]], entries: Iterable[str]) -> None:
    """Remember keys of records that other source code made, or warnings of records, for the end of the run.

    A worker of a distributed run sends them to the controller.
    """
    known = config.stash.setdefault(about, set())
    known.update(entries)
    if hasattr(config, "workeroutput"):
        config.workeroutput[_TOLD[about]] = sorted(known)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for about, name in _TOLD.items():
        note(node.config, about, getattr(node, "workeroutput", {}).get(name, ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say below the ledger which records have warnings, and how many were made by other source code."""
    warned = sorted(config.stash.get(WARNED, set()))
    for line in warned[:_MOST_WARNINGS]:
        terminalreporter.write_line(f"warning in the record of {line}")
    if len(warned) > _MOST_WARNINGS:
        terminalreporter.write_line(f"and {len(warned) - _MOST_WARNINGS} more warnings in records")
    if outdated := config.stash.get(OUTDATED, set()):
        word = "record was" if len(outdated) == 1 else "records were"
        terminalreporter.write_line(
            f"{len(outdated)} {word} made by other source code than this: name another --store to measure again"
        )


def _executor(config: pytest.Config, store: Store | None) -> Executor:
    """The executor that the options name; without a store of its own, a run has none for the jobs of a cluster."""
    # Jobs of a cluster may run on after this run has ended: their store must not be temporary.
    folder = None if store is None else store.path / "slurm"
    name, partition = config.getoption("--executor"), config.getoption("--partition")
    return make_executor(name, folder=folder, partition=partition, options=config.getoption("--slurm"))
