"""Self-tests: a run with --ledger writes the pages beside the JSON, and never loses the JSON for them."""

import json
import warnings

import pytest

from theorems.ledger.small_theory import AS_PRINTED

pytestmark = pytest.mark.slow


@pytest.fixture
def out(theory, pytester):
    theory.write("a", AS_PRINTED)
    return pytester.path / "out"


def test_the_pages_are_written_beside_the_json_from_what_it_holds(theory, out, pytester, monkeypatch):
    asked = []
    monkeypatch.setattr("theorems.ledger.plugin.missing_packages", list)
    monkeypatch.setattr("theorems.ledger.plugin.write_pages", lambda *given: asked.append(given))
    result = theory.run("--ledger=out")
    result.stdout.fnmatch_lines(["written to out*ledger.json", "to be read: out*index.html"])
    assert asked == [(json.loads((out / "ledger.json").read_text(encoding="utf-8")), pytester.path, out)]
    assert result.ret == 0


def test_without_the_extra_the_json_is_written_and_one_line_says_what_is_missing(theory, out, monkeypatch):
    monkeypatch.setattr("theorems.ledger.plugin.missing_packages", lambda: ["jinja2"])
    result = theory.run("--ledger=out")
    result.stdout.fnmatch_lines(["written to out*ledger.json", "no pages: jinja2 not installed (pip install *"])
    assert [path.name for path in out.iterdir()] == ["ledger.json"]
    assert result.ret == 0
    (out / "index.html").write_text("old", encoding="utf-8")
    theory.run("--ledger=out").stdout.fnmatch_lines(["no pages: jinja2 *); index.html there is of an earlier run"])


def test_a_failure_of_the_pages_leaves_the_json_and_fails_the_run(theory, out, monkeypatch):
    def fail(*_):
        raise ValueError("$\\foo$ does not\nconvert")

    monkeypatch.setattr("theorems.ledger.plugin.missing_packages", list)
    monkeypatch.setattr("theorems.ledger.plugin.write_pages", fail)
    result = theory.run("--ledger=out")
    result.stdout.fnmatch_lines(["written to *", "no pages beside it (ValueError: $\\foo$ does not convert)"])
    assert (out / "ledger.json").exists()
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_what_a_library_deprecates_costs_no_pages(theory, out, monkeypatch):
    monkeypatch.setattr("theorems.ledger.plugin.missing_packages", list)
    monkeypatch.setattr("theorems.ledger.plugin.write_pages", lambda *_: warnings.warn("old", DeprecationWarning, 2))
    result = theory.run("--ledger=out", "-W", "error")
    result.stdout.fnmatch_lines(["to be read: *"])
    assert result.ret == 0
    assert (out / "ledger.json").exists()
