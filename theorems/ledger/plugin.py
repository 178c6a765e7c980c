"""The pytest plugin of the ledger: it records evidence while tests run, and prints the ledger at the end."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import os
import shlex
import tempfile
import warnings
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from fixtures.paths import PathError, folder_named
from properties.certificates import Kind, observed_by
from theorems.ledger import ledger, report
from theorems.ledger.claims import MalformedClaimError
from theorems.ledger.document import as_document
from theorems.ledger.environment import describe_environment, profile_name
from theorems.ledger.evidence import Evidence
from theorems.ledger.registry import TIERS, PromisedTest, StatedClaim, scan
from theorems.ledger.verdicts import MARKERS, Role
from theorems.ledger.writing import as_plain, write_json
from theorems.report.write import cause, missing_packages, unwritten, write_pages

_PROPERTY = "whichmin evidence"
BOOKKEEPER = "whichmin bookkeeper"
"""The name of the plugin that has the ledger of a run."""
CLAIMS = pytest.StashKey[list[StatedClaim]]()
DEVICE = pytest.StashKey[str]()
EVIDENCE = pytest.StashKey[dict[str, Evidence]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("whichmin")
    group.addoption(
        "--ledger",
        metavar="DIR",
        help="write the ledger to DIR: ledger.json, and with the extra report its pages, DIR/index.html and others",
    )
    group.addoption(
        "--allow-missing", action="store_true", help="without CUDA, skip gpu tests: their claims are not run"
    )
    group.addoption(
        "--claim",
        metavar="LABEL",
        action="append",
        default=[],
        help='run only the evidence of this claim or part, e.g. "Theorem 5.1 (b)"; may be repeated',
    )
    group.addoption("--role", metavar="ROLE", help=f"run only evidence of this role: {', '.join(Role)}")


def pytest_configure(config: pytest.Config) -> None:
    for marker, role in MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: evidence whose role is '{role}'")
    try:
        claims = scan(config.rootpath)
    except MalformedClaimError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[CLAIMS] = claims
    role = config.getoption("--role")
    if role is not None and role not in set(Role):
        raise pytest.UsageError(f"--role {role!r} is not a role; roles are {', '.join(Role)}")
    _check_claims(config.getoption("--claim"), claims)
    if hasattr(config, "workerinput"):
        return
    directory = named_folder(config, "--ledger")
    if directory and not config.option.collectonly:
        _check_writable(directory)
    config.pluginmanager.register(Bookkeeper(config, claims, directory), BOOKKEEPER)


def _check_claims(wanted: list[str], claims: list[StatedClaim]) -> None:
    known = [stated.claim.label for stated in claims]
    known += [f"{stated.claim.label} {part.part}" for stated in claims for part in stated.claim.parts]
    for label in wanted:
        if label not in known:
            near = difflib.get_close_matches(label, known, n=3, cutoff=0)
            raise pytest.UsageError(f"--claim {label!r} is no claim and no part of one; near it are {', '.join(near)}")


def named_folder(config: pytest.Config, option: str) -> Path | None:
    """The absolute path of the folder that an option names, or None without the option. Raises UsageError."""
    named = config.getoption(option)
    try:
        return None if named is None else folder_named(option, named)
    except PathError as error:
        raise pytest.UsageError(str(error)) from None


def _check_writable(directory: Path) -> None:
    if (directory / "ledger.json").is_dir():
        raise pytest.UsageError(f"--ledger {directory}: cannot write there (ledger.json is a folder)")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise pytest.UsageError(f"--ledger {directory}: cannot write there ({error.strerror})") from None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    label_of = {(test.path, test.name): stated.claim.label for stated in config.stash[CLAIMS] for test in stated.tests}
    promised = {(test.path, test.name): test for stated in config.stash[CLAIMS] for test in stated.tests}
    paths = {path for path, _ in promised}
    role, wanted = config.getoption("--role"), set(config.getoption("--claim"))
    if misplaced := next(filter(None, (_misplaced(item, promised, paths) for item in items)), None):
        refuse(session, misplaced)
        return
    chosen = []
    for item in items:
        place = _place(item)
        test = promised.get(place)
        has_tier = any(item.get_closest_marker(need) for need in (*TIERS, "cluster", "browser", "bias"))
        if not has_tier and not item.nodeid.startswith("benchmarks/"):
            item.add_marker("slow" if test and test.role is Role.MEASURED else "fast")
        if test:
            # Not in a setup hook: a skip marker would prevent it, and a skipped test counts as evidence that failed.
            item.user_properties.append((_PROPERTY, as_plain(_about(item, test) | Recorder().as_evidence())))
        names = {label_of[place], f"{label_of[place]} {test.part}"} if test else set()
        if (role is None or (test and test.role == role)) and (not wanted or wanted & names):
            chosen.append(item)
    if len(chosen) < len(items):
        kept = set(chosen)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = chosen


def _place(item: pytest.Item) -> tuple[str, str]:
    """The file and the function of an item."""
    path, *names = item.nodeid.split("[")[0].split("::")
    return path, "::".join(names)


def _misplaced(item: pytest.Item, promised: Container[tuple[str, str]], paths: Container[str]) -> str | None:
    """One line for evidence that the registry does not know, or None.

    It is a test in another file, or inside a class or a condition. The ledger would lose it without a word.
    """
    place = _place(item)
    is_evidence = any(item.get_closest_marker(marker) for marker in MARKERS)
    if place in promised or not (is_evidence or place[0] in paths):
        return None
    return f"{item.nodeid}: evidence belongs at the top level of a test file of a section, or of a claim's folder"


def _about(item: pytest.Item, test: PromisedTest) -> dict[str, Any]:
    """What the registry says of a test, as plain data."""
    return {
        "role": test.role.value,
        "part": test.part,
        "reading": test.reading,
        "hypothesis": ", ".join(label for label in test.labels if label.startswith("H")) or None,
        "clauses": ", ".join(label for label in test.labels if label.startswith("C")) or None,
        "is_batched": hasattr(getattr(item, "obj", None), "instances_in"),
        "cases": math.prod(max(1, len(mark.args[1])) for mark in item.iter_markers("parametrize")),
    }


def refuse(session: pytest.Session, line: str | None) -> None:
    """End the run with this line before its first test; with None, go on. A worker sends the line to its controller.

    For hooks of pytest_collection_finish that come before those of pytest-xdist, which offers the tests.
    """
    if line is None:
        return
    if not hasattr(session.config, "workeroutput"):
        raise pytest.UsageError(line)
    session.config.workeroutput["whichmin refusal"] = line
    session.items.clear()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> Iterator[None]:
    refuse(session, _no_gpu(session))
    yield


def _no_gpu(session: pytest.Session) -> str | None:
    """Why gpu tests cannot run, or None. With --allow-missing they are skipped, and count as not run."""
    items = [item for item in session.items if item.get_closest_marker("gpu")]
    if not items or session.config.option.collectonly:
        return None
    if session.config.getoption("--executor", "inline") == "slurm":
        note_device(session.config, "the nodes of Slurm")  # which find their GPUs
        return None
    import torch

    if torch.cuda.is_available():
        note_device(session.config, torch.cuda.get_device_name())
        return None
    if not session.config.getoption("--allow-missing"):
        return "the gpu tests need CUDA, and torch finds none: run on a GPU, or add --allow-missing"
    for item in items:
        leave_out(item, "needs CUDA, and torch finds none")
    return None


def note_device(config: pytest.Config, device: str) -> None:
    """Store the device of the gpu tests for the ledger. A worker sends it to the controller at its end."""
    config.stash[DEVICE] = device
    if hasattr(config, "workeroutput"):
        config.workeroutput["whichmin device"] = device


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output = getattr(node, "workeroutput", {})
    if "whichmin refusal" in output:
        pytest.exit(output["whichmin refusal"], returncode=pytest.ExitCode.USAGE_ERROR)
    if "whichmin device" in output:
        note_device(node.config, output["whichmin device"])


def leave_out(item: pytest.Item, reason: str) -> None:
    """Skip a test so that its claim is not run; a test that skips itself makes its claim broken."""
    # Without this property the test is no evidence for the ledger.
    item.user_properties[:] = [(name, value) for name, value in item.user_properties if name != _PROPERTY]
    item.add_marker(pytest.mark.skip(reason=reason))


@dataclasses.dataclass
class Recorder:
    """Records what one test certifies: the observer of its certificates."""

    instances: int = 0
    ratios: dict[tuple[Kind, str], float] = dataclasses.field(default_factory=dict)
    suppressed: list[str] = dataclasses.field(default_factory=list)
    slacks: dict[str, float] = dataclasses.field(default_factory=dict)
    witness: str | None = None
    exact: bool = False
    labels: set[str] = dataclasses.field(default_factory=set)
    tried: int = 0
    promised: int = 0
    largest: int = 1
    batch: int = 0
    series: dict[str, dict[str, list[float]]] = dataclasses.field(default_factory=dict)
    findings: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def certified(self, kind: Kind, why: str, ratio: float, instances: int) -> None:
        place = (kind, why)
        self.ratios[place] = max(math.inf if math.isnan(ratio) else ratio, self.ratios.get(place, 0.0))
        self.largest = max(self.largest, instances)

    def failed(self, why: str) -> None:
        self.suppressed.append(why)

    def compared(self, why: str, slack: float) -> None:
        self.slacks[why] = max(slack, self.slacks.get(why, 0.0))

    def violated(self, witness: str, exact: bool) -> None:
        if self.witness is None or (exact and not self.exact):
            self.witness, self.exact = witness, exact

    def kept(self, hypotheses: tuple[str, ...]) -> None:
        self.labels |= set(hypotheses)

    def searched(self, tried: int) -> None:
        self.tried += tried

    def recorded(self, title: str, columns: dict[str, list[float]]) -> None:
        if title in self.series:
            raise ValueError(f"{title}: this test has recorded a series of that title already")
        self.series[title] = columns

    def found(self, finding: dict[str, Any]) -> None:
        self.findings.append(finding)
        self.largest = max(self.largest, finding["trials"])

    def as_evidence(self) -> dict[str, Any]:
        """The record as plain data, for other processes. A ratio of at most 1 is rounded to three digits."""
        ratio = max(self.ratios.values(), default=None)
        certificates: dict[str, float] = {}
        for (kind, why), worst in self.ratios.items():
            compared = worst if kind in (Kind.INEQUALITY, Kind.VIOLATION) else 0.0
            certificates[why] = max(compared, certificates.get(why, 0.0))
        return {
            "examples": self.instances + self.tried,
            "certificates": certificates,
            "inequalities": [why for kind, why in self.ratios if kind is Kind.INEQUALITY],
            "promised": self.promised,
            "suppressed": self.suppressed[:1],
            "slacks": self.slacks,
            "batch": self.batch,
            "worst_ratio": ratio if ratio is None or ratio > 1 else float(f"{ratio:.3g}"),
            "witness": self.witness,
            "exact": self.exact,
            "kept": sorted(self.labels),
            "searched": self.tried > 0,
            "series": self.series,
            "findings": self.findings,
        }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    evidence = dict(item.user_properties).get(_PROPERTY)
    if evidence is None:
        return (yield)
    recorder = Recorder()
    try:
        with observed_by(recorder), _counting_examples(item, recorder):
            return (yield)
    finally:
        evidence.update(as_plain(recorder.as_evidence()))


@contextmanager
def _counting_examples(item: pytest.Item, recorder: Recorder) -> Iterator[None]:
    """Count the instances of every Hypothesis example that ran to its end, or of a plain test its largest certificate.

    An example is one instance, unless the test says of itself how many it holds (`given_batches`).
    """
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    if handle is None:
        yield
        recorder.instances += recorder.largest
        return
    inner = handle.inner_test
    instances_in = getattr(item.obj, "instances_in", lambda _: 1)

    @functools.wraps(inner)
    def counted(*args: Any, **kwargs: Any) -> None:
        inner(*args, **kwargs)
        held = instances_in(kwargs)
        recorder.instances += held
        recorder.batch = max(recorder.batch, held)

    handle.inner_test = counted
    try:
        yield
    finally:
        handle.inner_test = inner
        recorder.promised = _promised(item)


def _promised(item: pytest.Item) -> int:
    """Half the instances of the profile, or none if Hypothesis has tried every instance of a finite set."""
    rules = item.obj._hypothesis_internal_use_settings  # noqa: SLF001 - Hypothesis keeps it nowhere else
    generates = Phase.generate in rules.phases
    has_tried_all = generates and "nothing left to do" in getattr(item, "hypothesis_statistics", "")
    return 0 if has_tried_all else settings.default.max_examples // 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    result = yield
    if result.failed:
        result.sections.append(("replay", _replay_command(item)))
    return result


def _replay_command(item: pytest.Item) -> str:
    profile = item.config.getoption("--hypothesis-profile") or profile_name()
    seed = item.config.getoption("--hypothesis-seed")
    scale = item.config.getoption("--scale", "smoke")
    path, colons, name = item.nodeid.partition("::")
    if item.config.invocation_params.dir != item.config.rootpath:
        path = os.path.relpath(item.config.rootpath / path, item.config.invocation_params.dir)
    test = f"{path}{colons}{name}"
    words = ["pytest", f"'{test}'" if "'" not in test else shlex.quote(test)]
    words += [f"--hypothesis-profile={profile}"]
    words += [f"--hypothesis-seed={seed}"] if seed is not None else []
    return " ".join(words + ([f"--scale={scale}"] if scale != "smoke" else []))


def report_failure(config: pytest.Config, path: str, name: str, lines: list[str]) -> None:
    """Show these lines as a failure of the run, like those of a failed test `name` in the file `path`."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    failure = pytest.TestReport(
        nodeid=f"{path}::{name}",
        location=(path, None, name),
        keywords={},
        outcome="failed",
        longrepr="\n".join(lines),
        when="call",
    )
    terminal.stats.setdefault("failed", []).append(failure)


class Bookkeeper:
    """Collects the evidence of a run, also from workers, and writes the ledger at the end."""

    def __init__(self, config: pytest.Config, claims: list[StatedClaim], directory: Path | None) -> None:
        self._config = config
        self._claims = claims
        self._directory = directory
        self._evidence = config.stash.setdefault(EVIDENCE, {})
        self._skipped: set[str] = set()
        self._entries: list[ledger.Entry] = []
        self._remarks: list[str] = []
        self._unwritten: str | None = None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped.add(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        recorded = dict(report.user_properties).get(_PROPERTY)
        if recorded is None or (report.when != "call" and report.passed):
            return
        self._evidence[report.nodeid] = Evidence(
            test=report.nodeid, outcome=report.outcome, seconds=round(report.duration, 3), **recorded
        )

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        try:
            yield
        except BaseException:  # the end of another plugin failed, such as that of pytest's cache
            self._finish(session)
            self._print()
            raise
        self._finish(session)
        if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:  # then pytest prints no summary
            self._print()

    def _finish(self, session: pytest.Session) -> None:
        """Compute the verdicts of whatever was run and write them, unless the run was refused before its first test."""
        has_failed = session.exitstatus in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR)
        if self._config.option.collectonly or (has_failed and not self._evidence):
            return
        self._entries = ledger.build(self._claims, self._evidence.values(), self._skipped)
        if disputed := [entry for entry in self._entries if entry.problems]:
            self._report_verdicts(disputed)
        if self._directory:
            self._write(self._directory)
        if (disputed or self._unwritten) and not has_failed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def document(self) -> dict[str, Any]:
        """The ledger of what has run so far, in schema 2."""
        return self._as_document(ledger.build(self._claims, self._evidence.values(), self._skipped))

    def _as_document(self, entries: list[ledger.Entry]) -> dict[str, Any]:
        return as_document(
            entries,
            profile=profile_name(),
            seed=self._config.getoption("--hypothesis-seed", None),
            environment=describe_environment(self._config.stash.get(DEVICE, "cpu")),
            root=self._config.rootpath,
        )

    def _report_verdicts(self, disputed: list[ledger.Entry]) -> None:
        """Report each claim with a problem as a failure, like a failed test."""
        for entry in disputed:
            label = entry.stated.claim.label
            report_failure(
                self._config, entry.stated.path, "verdict", [f"{label}: {problem}" for problem in entry.problems]
            )

    def _write(self, directory: Path) -> None:
        target, shown = directory / "ledger.json", Path(self._config.getoption("--ledger")) / "ledger.json"
        try:
            document = self._as_document(self._entries)
            write_json(target, document)
        except OSError as error:
            self._unwritten = f"{shown} cannot be written ({error.strerror}): run again with another --ledger"
            return
        self._remarks.append(f"written to {shown}")
        self._write_pages(document, directory, shown.parent)

    def _write_pages(self, document: dict[str, Any], directory: Path, shown: Path) -> None:
        """Write the pages beside the JSON, which is there whatever happens here."""
        earlier = "; index.html there is of an earlier run" if (directory / "index.html").is_file() else ""
        if missing := missing_packages():
            self._remarks.append(unwritten(missing) + earlier)
            return
        try:
            with warnings.catch_warnings():
                # What a library deprecates fails the self-tests of the pages, and costs nobody the pages.
                warnings.simplefilter("ignore", DeprecationWarning)
                write_pages(document, self._config.rootpath, directory)
            self._remarks.append(f"to be read: {shown / 'index.html'}")
        except Exception as error:  # whatever it is, the run has ended and its ledger is written
            self._unwritten = f"no pages beside it ({cause(error)}){earlier}"

    def _is_selected(self, entry: ledger.Entry) -> bool:
        """Whether to print this claim: it has evidence, or the run asked for it and its tests need another marker."""
        if entry.evidence or entry.problems:
            return True
        narrowed = any(getattr(self._config.option, name, None) for name in ("keyword", "claim", "role", "lf"))
        return not narrowed and any(_is_at(entry.stated.path, argument, self._config) for argument in self._config.args)

    def pytest_terminal_summary(self) -> None:
        self._print()

    def _print(self) -> None:
        """Print the ledger, and where it was written."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None:
            return
        if self._evidence or self._skipped:
            terminal.write_sep("=", "ledger")
            rows = [entry for entry in self._entries if self._is_selected(entry)]
            report.write_ledger(rows, terminal.write, others=len(self._entries) - len(rows))
        for remark in self._remarks:
            terminal.write_line(remark)
        if self._unwritten:
            terminal.write_line(self._unwritten, red=True)


def _is_at(path: str, argument: str, config: pytest.Config) -> bool:
    """Whether an argument of the command line names this path, a folder above it, or a file in it."""
    named = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
    place = (config.rootpath / path).resolve()
    return place.is_relative_to(named) or named.is_relative_to(place)
