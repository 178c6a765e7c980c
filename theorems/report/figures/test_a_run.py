"""Self-tests: the figures of a real run are complete and readable."""

import json
import os
import subprocess
import sys

import pytest

from theorems.report.figures import figures
from theorems.report.figures.drawing import draw_all, undrawn
from theorems.report.figures.faults import faults
from theorems.report.figures.sources import ROOT, recording_tests

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The ledger of a run of all fast tests that record series."""
    pytest.importorskip("matplotlib", reason="figures need the extra report")
    folder = tmp_path_factory.mktemp("ledger")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "fast", f"--ledger={folder}"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [*command, *sorted(recording_tests())], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return json.loads((folder / "ledger.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drawn(recorded):
    """The figures of that run."""
    return draw_all(recorded)


def test_a_fast_run_has_thirty_figures_and_each_is_readable_on_a_phone(recorded, drawn):
    assert {one.name for one in drawn} == {one.name for one in figures() if one.read(recorded)}
    assert [fault for one in drawn for fault in faults(one)] == []
    assert len(drawn) >= 30


def test_every_series_of_a_fast_run_is_drawn(recorded):
    assert undrawn(recorded) == []


def test_titles_and_texts_of_figures_are_sentences_of_plain_text(drawn):
    wrong = [
        one.name
        for one in drawn
        if "$" in one.title + one.alt or len(one.title) > 160 or one.title.endswith(".") or not one.alt.endswith(".")
    ]
    assert wrong == []
