"""What the self-tests of the ledger share: a place for small theorem files, and whole runs over them."""

import functools
import json
from types import SimpleNamespace
from typing import Any

import pytest

from theorems.ledger.small_theory import write_claim, write_folder


@pytest.fixture
def theory(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Writes claims and runs pytest on them in this process.

    write(name, body, ...): a claim of one file; write_folder(parts): a claim of parts; run(*options): the result of a
    run; ledger(*options): its ledger.json; folder: the section. The runs write no pages, which take longer than they.
    """
    monkeypatch.setattr("theorems.ledger.plugin.write_pages", lambda *_: [])
    pytester.makeini("[pytest]\naddopts = --strict-markers\nmarkers =\n    fast: f\n    slow: s\n    gpu: g\n")
    section = pytester.mkdir("theorems") / "section_00"
    section.mkdir()

    def run(*options: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "theorems.ledger.plugin", "-p", "no:cacheprovider", *options)

    def ledger(*options: str) -> dict[str, Any]:
        run("--ledger", str(pytester.path / "out"), *options)
        return json.loads((pytester.path / "out" / "ledger.json").read_text(encoding="utf-8"))

    return SimpleNamespace(
        folder=section,
        write=functools.partial(write_claim, section),
        write_folder=functools.partial(write_folder, section),
        run=run,
        ledger=ledger,
    )
