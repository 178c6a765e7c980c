"""Self-tests: every figure names a test that records, every series is drawn, and no figure writes a color out."""

from pathlib import Path

import pytest

from theorems.report import figures as registry
from theorems.report.figures import Figure, FigureError, figure, figures, series_of
from theorems.report.figures.palette import literal_colors
from theorems.report.figures.sources import recording_functions, recording_tests
from theorems.report.figures.style import HUES, PROPERTIES

FOLDER = Path(registry.__file__).parent


def document(*series, test="theorems/test_a.py::test_a", outcome="passed"):
    """A ledger of one claim whose test has recorded these series."""
    return {"claims": [{"evidence": [{"test": test, "outcome": outcome, "series": list(series)}]}]}


def nothing(_canvas, _data):
    """A figure that draws nothing."""


@pytest.fixture
def no_figures(monkeypatch):
    """A registry of its own."""
    monkeypatch.setattr(registry, "_FIGURES", {})


@pytest.mark.slow
def test_every_figure_names_a_test_that_records_and_every_such_test_has_a_figure():
    drawn, recording = {test for figure in figures() for test in figure.recording}, recording_tests()
    assert sorted(recording - drawn) == []
    assert sorted(drawn - recording) == []


@pytest.mark.slow
def test_every_figure_of_findings_names_a_test_that_there_is():
    wrong = []
    for found in figures():
        path, _, name = (found.test or "").partition("::")
        if found.test and f"def {name}(" not in (FOLDER.parents[2] / path).read_text(encoding="utf-8"):
            wrong.append(found.test)
    assert wrong == []


@pytest.mark.slow
def test_no_figure_writes_a_color_out():
    wrong = {
        path.name: found
        for path in sorted(FOLDER.glob("*.py"))
        if path.name == "overview.py" or path.name.startswith("section_")
        if (found := literal_colors(path.read_text(encoding="utf-8")))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "call",
    ["plot(x, '#ff0000')", "plot(x, color='red')", "plot(x, color='0.5')", "bar(x, edgecolor=['k'])", "f(c='C1')"],
)
def test_a_color_that_is_written_out_is_found(call):
    assert literal_colors(f"axes.{call}")


@pytest.mark.parametrize("call", ["plot(x, color=INK)", "bar(x, facecolor='none')", "plot(x, label='red')", "set(c=1)"])
def test_colors_of_the_style_and_words_are_no_literal_colors(call):
    assert literal_colors(f"axes.{call}") == []


def test_a_test_that_records_through_helpers_records():
    source = "def a():\n    record_series()\ndef b():\n    a()\ndef test_c():\n    b()\ndef test_d():\n    pass\n"
    assert recording_functions(source) == {"a", "b", "test_c"}


@pytest.mark.usefixtures("no_figures")
def test_two_figures_of_one_name_are_refused():
    figure(test="a::b", title="", alt="")(nothing)
    with pytest.raises(ValueError, match="two figures have the name nothing"):
        figure(test="a::c", title="", alt="")(nothing)


@pytest.mark.usefixtures("no_figures")
def test_a_figure_of_nothing_is_refused():
    with pytest.raises(ValueError, match="neither a test nor data"):
        figure(title="", alt="")(nothing)


def test_a_series_that_is_missing_is_named():
    found = series_of(document({"title": "excess", "columns": {"x": [1]}}), "theorems/test_a.py::test_a")
    with pytest.raises(FigureError, match="test_a has no 'loss'; it has 'excess'"):
        found["loss"]
    with pytest.raises(FigureError, match=r"series 'excess' of .* has no 'y'; it has 'x'"):
        found["excess"]["y"]


def test_a_test_that_did_not_run_has_no_series():
    assert series_of(document(), "theorems/test_b.py::test_b") == {}


def test_two_series_of_one_title_are_refused():
    series = {"title": "excess", "columns": {"x": [1]}}
    with pytest.raises(FigureError, match="two series 'excess'"):
        series_of(document(series, series), "theorems/test_a.py::test_a")


def luminance(shade):
    channels = [int(shade[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(shade, ground):
    low, high = sorted((luminance(shade), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


LIGHT, DARK = ("#ffffff", "#f5f3ee"), ("#14171a", "#1d2024")


@pytest.mark.parametrize("name", [name for name in PROPERTIES if name != "--figure-ground"])
def test_every_color_is_seen_on_a_light_page_and_on_a_dark_one(name):
    shades = PROPERTIES[name]
    assert min(contrast(shades.line, ground) for ground in LIGHT) >= 3
    assert min(contrast(shades.text, ground) for ground in LIGHT) >= 4.5
    assert min(contrast(shades.dark, ground) for ground in DARK) >= 4.5


def test_contrast_is_that_of_the_web_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21, abs=1e-9)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_no_two_hues_are_alike():
    assert len({shade for hue in HUES for shade in (hue.line, hue.dark)}) == 2 * len(HUES)


def test_texts_may_be_functions_of_the_data():
    made = Figure("a", None, len, "alt", nothing, list)
    assert made.said({"x": 1}) == (1, "alt")
