"""Self-tests: the pages are made again from a ledger.json, and what is none is refused in one line."""

import json
import re

import pytest

from theorems.report.__main__ import main
from theorems.report.write import missing_packages

needs_the_extra = pytest.mark.skipif(bool(missing_packages()), reason="the pages need the extra report")

OVERVIEW = "verdicts-over-the-paper"


def refused(*arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


@needs_the_extra
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{"schema": 1}',
            "ledger.json has schema 1, and the pages are made of schema 2: run pytest with --ledger again",
        ),
        ("[]", "ledger.json has no schema, and the pages are made of schema 2: run pytest with --ledger again"),
        ("{", "ledger.json is no JSON in UTF-8"),
        ("\xff", "ledger.json is no JSON in UTF-8"),
        ('{"schema": 2, "claims": [NaN]}', "ledger.json is no JSON in UTF-8"),
    ],
)
def test_what_is_no_ledger_of_this_schema_is_refused_in_one_line(tmp_path, text, line):
    (tmp_path / "ledger.json").write_bytes(text.encode("latin-1"))
    assert refused(tmp_path / "ledger.json", tmp_path / "out").endswith(line)
    assert not (tmp_path / "out").exists()


@needs_the_extra
def test_a_ledger_without_a_field_is_refused_in_one_line(tmp_path):
    (tmp_path / "ledger.json").write_text('{"schema": 2}', encoding="utf-8")
    line = refused(tmp_path / "ledger.json", tmp_path / "out")
    assert line == f"no pages of {tmp_path / 'ledger.json'} (FigureError: the figure {OVERVIEW}: KeyError: 'claims')"


@needs_the_extra
def test_a_file_that_is_missing_is_named(tmp_path):
    assert refused(tmp_path / "none.json", tmp_path) == f"{tmp_path / 'none.json'}: No such file or directory"


def test_without_the_extra_one_line_says_what_is_missing(monkeypatch):
    monkeypatch.setattr("theorems.report.__main__.missing_packages", lambda: ["jinja2", "pygments"])
    assert refused("a", "b") == (
        "no pages: jinja2, pygments not installed (pip install -c constraints.txt -e '.[report]')"
    )


@pytest.mark.slow
def test_the_pages_of_a_ledger_are_made_again_and_its_earlier_figures_are_removed(
    document, root, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("matplotlib", reason="the pages need the extra report")
    monkeypatch.setattr("theorems.report.__main__.ROOT", root)
    (tmp_path / "old.json").write_text(json.dumps(document), encoding="utf-8")
    figures = tmp_path / "out" / "figures"
    figures.mkdir(parents=True)
    for name in ("old", "mine"):
        (figures / f"{name}.svg").write_text('<svg><title id="svg-old-title"/></svg>', encoding="utf-8")
    main([str(tmp_path / "old.json"), str(tmp_path / "out")])
    assert {file.stem for file in figures.iterdir()} == {OVERVIEW, "mine"}
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert {"index.html", "ledger.json", "ledger.md", "errata.md", f"figures/{OVERVIEW}.svg"} <= found
    assert re.fullmatch(r"\d+ files written to .*out\n", capsys.readouterr().out)
    assert json.loads((tmp_path / "out" / "ledger.json").read_text(encoding="utf-8")) == document
