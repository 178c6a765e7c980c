"""The pytest plugin of the experiments: its options, the settings that a run has, and the sweep that runs trials."""

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
from fixtures.sweeps.executors import EXECUTORS, ExecutorError, make_executor
from fixtures.sweeps.settings import SCALES, Setting, cpu_refusal, settings_at
from fixtures.sweeps.store import Store, StoreError
from fixtures.sweeps.sweep import run_sweep
from fixtures.sweeps.trials import SweepError, Trial
from fixtures.training.config import TrainingError
from theorems.ledger.plugin import leave_out, refuse

Sweep = Callable[[Sequence[Trial]], list[dict[str, Any]]]

OUTDATED = pytest.StashKey[set[str]]()
# Of these the line says everything, and a traceback would bury it.
_TOLD = (StoreError, ExecutorError, DataError, TrainingError, TooLargeError)


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
    for option, known in (("--scale", SCALES), ("--executor", EXECUTORS)):
        if config.getoption(option) not in known:
            raise pytest.UsageError(f"{option} {config.getoption(option)!r} is unknown: {', '.join(known)}")
    try:
        available(None if config.getoption("--download") else data_folder(config))
    except DataError as error:
        raise pytest.UsageError(str(error)) from None


def data_folder(config: pytest.Config) -> Path | None:
    """The folder of --data-dir, else of WHICHMIN_DATA, else of downloads where --download is given, else None."""
    named = config.getoption("--data-dir") or os.environ.get("WHICHMIN_DATA")
    if named:
        return Path(named).expanduser().absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whichmin"
    return cache if config.getoption("--download") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "setting" not in metafunc.fixturenames:
        return
    scale, printed = metafunc.config.getoption("--scale"), metafunc.module.PRINTED_DATA
    folder = data_folder(metafunc.config)
    present = printed if metafunc.config.getoption("--download") else available(folder)
    settings = [
        dataclasses.replace(setting, model=metafunc.module.model_of(setting))
        for setting in settings_at(scale, present, printed)
    ]
    # Training takes minutes on a CPU, and hours at paper scale.
    limits = {"cpu": [pytest.mark.slow, pytest.mark.timeout(1500)], "cuda": [pytest.mark.gpu, pytest.mark.timeout(0)]}
    cases = [pytest.param(setting, marks=limits[setting.device], id=setting.case) for setting in settings]
    metafunc.parametrize("setting", cases, indirect=True, scope="module")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    refuse(session, _hopeless(session))


def _hopeless(session: pytest.Session) -> str | None:
    """Why a run could not end well: this machine would not finish, or has no sound data for it; or None."""
    cases = [(item, item.callspec.params["setting"]) for item in session.items if "setting" in _params(item)]
    if not cases or session.config.option.collectonly:
        return None
    large = {(item.module, setting) for item, setting in cases if setting.device == "cpu" and setting.scale != "smoke"}
    if large:
        # What the scale was meant for counts, not the digits that happen to be all that is there.
        # Files that share their trials share one function.
        meant = {(module.trials, Setting(setting.scale, module.PRINTED_DATA[0], "cuda")) for module, setting in large}
        flop = sum(trial.flop for trials, setting in meant for trial in trials(setting))
        return cpu_refusal(session.config.getoption("--scale"), flop, cpu_speed())
    folder, download = data_folder(session.config), session.config.getoption("--download")
    for data in dict.fromkeys(setting.data for _, setting in cases if setting.data != "digits"):
        try:
            ensure(data, folder, download=download)
        except DataError as error:
            if not session.config.getoption("--allow-missing"):
                return str(error)
            for item, setting in cases:
                if setting.data == data:
                    leave_out(item, str(error))
            continue
        try:
            load_images(data, folder)
        except DataError as error:
            return str(error)
    return None


@contextlib.contextmanager
def _on_terminal(config: pytest.Config) -> Iterator[None]:
    """Let a progress bar that is drawn inside the block be seen, on a line of its own: pytest would capture it.

    The workers of a distributed run have one terminal, on which their bars would overwrite one another: they draw none.
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
    """Floating point operations a second that this CPU does in a float32 matrix product, on all its cores."""
    import torch

    a = torch.ones(1024, 1024)
    a @ a
    began = time.perf_counter()
    a @ a
    return 2 * 1024**3 / (time.perf_counter() - began) * (os.cpu_count() or 1) / torch.get_num_threads()


@pytest.fixture(scope="module")
def setting(request: pytest.FixtureRequest) -> Setting:
    """Where the experiment is run; one case of a test for each setting of the run."""
    return request.param


@pytest.fixture(scope="session")
def sweep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    """Runs trials and returns their records, in order: those that the store holds already are not run again.

    Without --store the store stop_after as long as the run; the workers of a distributed run share it, and the trials.
    """
    config = request.config
    base = tmp_path_factory.getbasetemp()
    default = (base.parent if hasattr(config, "workerinput") else base) / "experiments"
    with contextlib.ExitStack() as stack:
        try:
            store = Store(config.getoption("--store") or default)
            executor = stack.enter_context(_executor(config, store))
        except (StoreError, ExecutorError) as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)

        def run(trials: Sequence[Trial]) -> list[dict[str, Any]]:
            try:
                with _on_terminal(config):
                    records = run_sweep(trials, store, executor, data_folder=data_folder(config))
            except SweepError as error:
                if any(isinstance(cause, _TOLD) for cause in _causes(error)):
                    pytest.fail(str(error), pytrace=False)
                raise
            note_outdated(config, (trial.key for trial in store.made_by_other_source(trials)))
            return records

        yield run


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def note_outdated(config: pytest.Config, keys: Iterable[str]) -> None:
    """Remember records that other source code made; a worker of a distributed run hands them over at its end."""
    known = config.stash.setdefault(OUTDATED, set())
    known.update(keys)
    if hasattr(config, "workeroutput"):
        config.workeroutput["whichmin outdated"] = sorted(known)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    note_outdated(node.config, getattr(node, "workeroutput", {}).get("whichmin outdated", ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell who reads the ledger that some of its measurements are not of the code that judged them."""
    if outdated := config.stash.get(OUTDATED, set()):
        word = "record was" if len(outdated) == 1 else "records were"
        terminalreporter.write_line(
            f"{len(outdated)} {word} made by other source code than this: name another --store to measure again"
        )


def _executor(config: pytest.Config, store: Store) -> Executor:
    name = config.getoption("--executor")
    # The jobs of a cluster outlive a run, and so must their store.
    folder = store.path / "slurm" if config.getoption("--store") else None
    return make_executor(
        name, folder=folder, partition=config.getoption("--partition"), options=config.getoption("--slurm")
    )
