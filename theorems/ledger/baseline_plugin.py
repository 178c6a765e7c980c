"""The pytest plugin of the baseline: it compares what a run showed with the committed file, or renews the file.

It also compares a run with the ledger of another run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from theorems.ledger import baseline, compare
from theorems.ledger.environment import describe_environment, profile_name
from theorems.ledger.plugin import BOOKKEEPER, CLAIMS, EVIDENCE, report_failure
from theorems.ledger.writing import write_text

_VERSIONS = ("numpy", "scipy", "torch", "hypothesis")
_REMARK = pytest.StashKey[list[str]]()
_KNOWN = pytest.StashKey[baseline.Baseline | compare.View | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("whichmin")
    group.addoption(
        "--baseline",
        metavar="FILE",
        help="fail if the evidence has lost power against this baseline; with a ledger.json, if a verdict has changed",
    )
    group.addoption("--renew-baseline", metavar="FILE", help="write what this run showed to FILE; review its diff")


def pytest_configure(config: pytest.Config) -> None:
    named = config.getoption("--baseline"), config.getoption("--renew-baseline")
    if all(named):
        raise pytest.UsageError("--baseline and --renew-baseline exclude each other")
    if any(name is not None and not name.strip() for name in named):
        raise pytest.UsageError("--baseline and --renew-baseline need the name of a file")
    if why := _incomparable(config) if named[1] else None:
        raise pytest.UsageError(f"--renew-baseline: {why}")
    try:
        config.stash[_KNOWN] = _known(config)
    except baseline.BaselineError as error:
        raise pytest.UsageError(str(error)) from None


def _known(config: pytest.Config) -> baseline.Baseline | compare.View | None:
    """The baseline or the ledger to compare with, or the baseline to renew; None if there is none."""
    compared, renewed = (config.getoption(name) for name in ("--baseline", "--renew-baseline"))
    if compared:
        path = Path(compared)
        return compare.read(path) if compare.is_ledger(path) else baseline.read(path)
    if not (renewed and Path(renewed).exists()):
        return None
    if compare.is_ledger(Path(renewed)):
        raise baseline.BaselineError(f"--renew-baseline {renewed}: is a ledger, not a baseline: name another file")
    return baseline.read(Path(renewed))


def _versions() -> dict[str, str]:
    """The versions on which instances and ratios depend, without local labels such as +cpu."""
    return {name: describe_environment()[name].partition("+")[0] for name in _VERSIONS}


def _incomparable(config: pytest.Config) -> str | None:
    """Why this run tries other instances than a run of the profile fast without a seed, or None."""
    if profile_name() != "fast":
        return "only the profile fast tries the same instances again"
    return "a seeded run tries other instances" if config.getoption("--hypothesis-seed", None) is not None else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    # A run that was interrupted, or that could not start, says nothing about power.
    if session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return
    old = config.stash[_KNOWN]
    if isinstance(old, compare.View):
        _compare_ledgers(session, old)
        return
    evidence = [item for item in config.stash[EVIDENCE].values() if item.outcome == "passed"]
    if (target := config.getoption("--renew-baseline")) is not None:
        new = baseline.measure(config.stash[CLAIMS], evidence, _versions(), old)
        try:
            write_text(Path(target), new.as_text())
            config.stash[_REMARK] = [f"baseline written to {target}: review its diff"]
        except OSError as error:
            report_failure(config, target, "baseline", [f"baseline {target}: cannot be written ({error.strerror})"])
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif old is not None:
        _compare(session, old, baseline.measure(config.stash[CLAIMS], evidence, _versions()))


def _compare(session: pytest.Session, old: baseline.Baseline, new: baseline.Baseline) -> None:
    why = _incomparable(session.config)
    if why is None and old.versions != new.versions:
        changed = [name for name, version in new.versions.items() if version != old.versions.get(name)]
        why = ", ".join(f"{name} {new.versions[name]}, not {old.versions.get(name)}" for name in changed)
    lost = baseline.losses(old, new, is_comparable=why is None)
    remark = f"baseline: {len(lost)} losses" if lost else "baseline: nothing lost"
    session.config.stash[_REMARK] = [remark + (f"; instances and ratios not compared ({why})" if why else "")]
    if lost:
        report_failure(session.config, session.config.getoption("--baseline"), "power", lost)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _compare_ledgers(session: pytest.Session, old: compare.View) -> None:
    """Print what has changed since the run of another ledger; fail the run if a verdict has."""
    document = session.config.pluginmanager.get_plugin(BOOKKEEPER).document()
    changes = compare.changes(old, compare.view_of(document, "of this run"))
    session.config.stash[_REMARK] = [*changes.others, f"baseline: {changes.remark}"]
    if changes.verdicts:
        report_failure(session.config, session.config.getoption("--baseline"), "verdicts", changes.verdicts)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_REMARK, []):
        terminalreporter.write_line(line)
