"""Plant the mistakes of `table.toml`, one at a time, in a copy of the repository, and see which test fails.

    python -m mutants.plant                  every mutant; goes on where an interrupted run ended
    python -m mutants.plant --sample 12      twelve of them, chosen by a digest of the sources
    python -m mutants.plant --only rounding  those whose file, mistake or test has this text

A mutant is killed if the test that its entry names fails. Results are kept by a digest of the copy that was tested, so
a mutant is run again when its file or its test has changed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).parent / "table.toml"
RESULTS = ROOT / ".mutants.jsonl"
BASELINE = "theorems/baseline.json"
SECONDS = 120
KINDS = ("generator", "bound", "dynamics", "statistics", "instrument", "experiment", "ledger")


class TableError(Exception):
    """An entry of the table cannot be planted. The message is one line."""


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A mistake: in `file`, the text `old`, which occurs once, becomes `new`.

    kind: what is mutated, one of KINDS. mistake: in words. test: the node id of the test that must fail. It may also be
    `CLAIM::verdict`, a claim that breaks, `theorems/baseline.json::power`, a loss against the baseline, or words of the
    line that refuses the run; then `run` names what is run. survives: why no test can fail, if none can; then the run
    asserts that the test passes.
    """

    kind: str
    file: str
    old: str
    new: str
    mistake: str
    test: str
    run: str = ""
    survives: str = ""

    @property
    def selection(self) -> str:
        """What pytest is asked to run."""
        return self.run or self.test


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of a mutant. failed: the failed tests of its run, by node id, or the error that stopped the run."""

    killed: bool
    failed: tuple[str, ...]


def read_table(path: Path) -> list[Mutant]:
    """The mutants of a table. Raises TableError for an entry that lacks a field or has one too many."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    try:
        return [Mutant(**entry) for entry in entries]
    except TypeError as error:
        raise TableError(f"{path.name}: {error}") from None


def mutated(mutant: Mutant, root: Path = ROOT) -> str:
    """The text of the file with the mistake in it. Raises TableError unless `old` occurs exactly once, and changes."""
    source = (root / mutant.file).read_text(encoding="utf-8")
    if (count := source.count(mutant.old)) != 1:
        raise TableError(f"{mutant.file}: {mutant.mistake}: its text occurs {count} times, not once")
    if mutant.old == mutant.new:
        raise TableError(f"{mutant.file}: {mutant.mistake}: changes nothing")
    return source.replace(mutant.old, mutant.new)


def digest(mutant: Mutant, root: Path = ROOT) -> str:
    """Changes with the entry, with the file that it mutates, and with the file of its test."""
    parts = [json.dumps(dataclasses.asdict(mutant)), (root / mutant.file).read_text(encoding="utf-8")]
    test = root / mutant.selection.partition("::")[0]
    parts += [path.read_text(encoding="utf-8") for path in sorted(test.glob("*.py") if test.is_dir() else [test])]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def sample(mutants: Sequence[Mutant], count: int, root: Path = ROOT) -> list[Mutant]:
    """`count` mutants. The same sources give the same ones, and an edit of any file in the table other ones."""
    seed = hashlib.sha256("".join(digest(mutant, root) for mutant in mutants).encode()).hexdigest()
    return random.Random(seed).sample(list(mutants), min(count, len(mutants)))


def copy_sources(target: Path, root: Path = ROOT) -> None:
    """Copy the repository without what git ignores to a new folder `target`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)


def plant(mutant: Mutant, copy: Path) -> Result:
    """Plant the mutant in the copy, run its test, and take the mistake out again."""
    place = copy / mutant.file
    text = place.read_text(encoding="utf-8")
    place.write_text(mutated(mutant, copy), encoding="utf-8")
    try:
        failed = _failures(mutant.selection, copy)
    finally:
        place.write_text(text, encoding="utf-8")
    return Result(any(_is_named(node, mutant.test) for node in failed), tuple(failed))


def _is_named(failed: str, test: str) -> bool:
    """Whether this failure is the one of the entry; one parameter set that fails is enough."""
    return failed.partition("[")[0] == test.partition("[")[0] if "::" in test else test in failed


def _failures(selection: str, copy: Path) -> list[str]:
    """The failed tests. A run that takes more than SECONDS has failed as a whole: the mistake makes it hang."""
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", selection]
    if selection.startswith("theorems/section_") and (copy / BASELINE).exists():
        command.append(f"--baseline={BASELINE}")
    # COLUMNS: the summary shortens node ids to the width of the terminal. Bytecode could outlive its source.
    environment = os.environ | {"COLUMNS": "1000", "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return [selection]
    lines = [line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    failed = [rest.partition(" - ")[0].strip() for _, rest in lines]
    if not failed and done.returncode:
        # The run was refused before its first test: the line that says why stands for the test.
        failed = [(done.stderr.strip() or done.stdout.strip() or "pytest ended without a word").splitlines()[-1]]
    return failed


def known_results(path: Path) -> dict[str, Result]:
    """The results of an earlier run by digest. A line that was cut off is left out."""
    results = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
            results[entry["digest"]] = Result(entry["killed"], tuple(entry["failed"]))
        except (ValueError, KeyError, TypeError):
            continue
    return results


def run(mutants: Iterable[Mutant], results: Path, jobs: int, root: Path = ROOT) -> dict[Mutant, Result]:
    """Plant the mutants that have no result yet, on `jobs` copies at once, and print each as it ends."""
    known = known_results(results)
    found = {mutant: known[key] for mutant in mutants if (key := digest(mutant, root)) in known}
    waiting = [mutant for mutant in mutants if mutant not in found]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        copies = [Path(folder) / str(job) for job in range(min(jobs, len(waiting)))]
        for copy in copies:
            copy_sources(copy, root)

        def one(mutant: Mutant) -> Result:
            copy = copies.pop()
            try:
                return plant(mutant, copy)
            finally:
                copies.append(copy)

        futures = {pool.submit(one, mutant): mutant for mutant in waiting}
        for future in concurrent.futures.as_completed(futures):
            mutant, result = futures[future], future.result()
            found[mutant] = result
            entry = {"digest": digest(mutant, root), "mistake": mutant.mistake, **dataclasses.asdict(result)}
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            print(describe(mutant, result), flush=True)
    return found


def describe(mutant: Mutant, result: Result) -> str:
    """One line on a mutant and what became of it."""
    word = "killed  " if result.killed else "survived"
    line = f"{word} {mutant.file}: {mutant.mistake}"
    if result.killed == bool(mutant.survives):
        line += f" (not by {mutant.test}; failed: {', '.join(result.failed) or 'nothing'})"
    return line + (f" ({mutant.survives})" if mutant.survives and not result.killed else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table. Exit status 1 if a mutant survives without an explanation, or dies in spite of one."""
    parser = argparse.ArgumentParser(prog="python -m mutants.plant", description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, metavar="N", help="plant N mutants, chosen by a digest of the sources")
    parser.add_argument("--only", metavar="TEXT", help="plant those whose file, mistake or test has this text")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="where results are kept")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many run at once")
    parser.add_argument("--table", type=Path, default=TABLE, metavar="FILE", help="another table")
    options = parser.parse_args(arguments)
    mutants = read_table(options.table)
    if options.only:
        mutants = [it for it in mutants if any(options.only in text for text in (it.file, it.mistake, it.test))]
    if options.sample is not None:
        mutants = sample(mutants, options.sample)
    found = run(mutants, options.results, options.jobs)
    killed = [mutant for mutant in mutants if found[mutant].killed]
    wrong = [mutant for mutant in mutants if found[mutant].killed == bool(mutant.survives)]
    for mutant in wrong:
        print("UNEXPECTED", describe(mutant, found[mutant]))
    print(f"{len(killed)} of {len(mutants)} killed, {len(mutants) - len(killed)} survived, {len(wrong)} unexpectedly")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
