"""Self-tests: the figures of a document are drawn as SVG that is readable, unique and the same every time."""

import re

import pytest

from theorems.report import figures as registry
from theorems.report.figures import FigureError, figure
from theorems.report.figures.drawing import draw_all, stand_alone, undrawn
from theorems.report.figures.faults import faults
from theorems.report.figures.style import COLORS, FAINT, INK
from theorems.report.figures.test_figures import document, nothing

TEST = "theorems/test_a.py::test_a"
DATA = document({"title": "loss", "columns": {"t": [0, 1, 2], "loss": [1, 0.5, 0.25]}})

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    """A registry of its own."""
    pytest.importorskip("matplotlib", reason="figures need the extra report")
    monkeypatch.setattr(registry, "_FIGURES", {})
    monkeypatch.setattr(registry, "_draws", lambda _: False)


def a_curve(canvas, series):
    """A curve with a guide, a formula and a label of two lines."""
    axes = canvas.add_subplot()
    axes.plot(*series["loss"].values(), "o-", color=COLORS[0])
    axes.axhline(0.3, color=FAINT)
    axes.set(xlabel=r"step $t$, $10^{-3}$", ylabel=r"loss $\frac{1}{2} w_t^2$")
    axes.text(1, 0.9, "a label\nof two lines", color=INK)


def drawn(draw=a_curve, **options):
    """The one figure of the data."""
    figure(**{"test": TEST, "title": "A curve", "alt": "It falls"} | options)(draw)
    (found,) = draw_all(DATA)
    return found


def test_a_figure_is_drawn_and_text_stays_text():
    found = drawn()
    words = "".join(re.findall(r"<tspan[^>]*>([^<]*)</tspan>", found.svg))
    assert {"a label", "of two lines"} <= {label.words for label in found.labels}
    assert "step\u00a0t" in words.replace("</tspan>", "")
    assert (found.name, found.title, found.alt) == ("a-curve", "A curve", "It falls")
    assert faults(found) == []


def test_a_figure_is_the_same_every_time_whatever_matplotlibrc_says():
    import matplotlib

    first = drawn().svg
    with matplotlib.rc_context({"font.size": 30, "svg.hashsalt": None, "axes.linewidth": 5}):
        (second,) = draw_all(DATA)
    assert second.svg == first


def test_texts_may_say_what_was_measured():
    assert drawn(title=lambda series: f"From {series['loss']['loss'][0]:g}").title == "From 1"


def test_a_figure_whose_test_did_not_run_is_left_out():
    figure(test="theorems/test_b.py::test_b", title="", alt="")(a_curve)
    assert draw_all(DATA) == []


def test_a_figure_whose_test_lacks_a_series_is_named_with_it():
    def other(_, series):
        series["excess"]

    figure(test=TEST, title="", alt="")(other)
    with pytest.raises(FigureError, match=r"the figure other: .*test_a has no 'excess'; it has 'loss'"):
        draw_all(DATA)


@pytest.mark.parametrize("change", [{"test": f"{TEST}[1]"}, {"outcome": "failed"}])
def test_a_figure_is_left_out_where_its_test_failed_or_ran_with_some_of_its_parameters(change):
    def other(_, series):
        series["excess"]

    figure(test=TEST, title="", alt="")(other)
    assert draw_all(document({"title": "loss", "columns": {"t": [0]}}, **change)) == []


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_a_figure_whose_test_did_not_pass_is_left_out_with_all_its_series(outcome):
    figure(test=TEST, title="", alt="")(a_curve)
    figure(test=TEST, title="", alt="", read=lambda document: document)(nothing)
    assert len(draw_all(DATA)) == 2
    assert draw_all(document({"title": "loss", "columns": {"t": [0], "loss": [1]}}, outcome=outcome)) == []


def test_data_that_cannot_be_drawn_are_named_with_their_figure():
    def the_last(canvas, series):
        canvas.add_subplot().plot(series["loss"]["loss"][7], 1, "o")

    with pytest.raises(FigureError, match="the figure the-last: IndexError: index 7 is out of bounds"):
        drawn(the_last)


def test_a_color_that_is_not_of_the_palette_is_named_with_its_figure():
    def red(canvas, _):
        canvas.add_subplot().plot([1, 2], color="red")

    with pytest.raises(FigureError, match="the figure red: the color #ff0000"):
        drawn(red)


def test_figures_of_one_page_have_no_id_in_common():
    def another(canvas, series):
        a_curve(canvas, series)

    figure(test=TEST, title="", alt="")(a_curve)
    figure(test=TEST, title="", alt="")(another)
    ids = [re.findall(r' id="([^"]*)"', found.svg) for found in draw_all(DATA)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    assert all(len(set(own)) == len(own) for own in ids)


def test_a_file_of_its_own_has_its_colors_and_a_ground():
    text = stand_alone(drawn())
    assert "prefers-color-scheme:dark" in text
    assert "--figure-1:#0072b2" in text
    assert 'style="fill:var(--figure-ground,#ffffff)"' in text


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"fontsize": 9}, "a-label: 'words' has type of 8.6 px on a phone"),
        ({"x": 1.5}, "a-label: 'words' is beyond the figure"),
        ({"x": 0.1, "y": 0.5}, "a-label: 'words' and 'more' overlap"),
    ],
)
def test_tiny_type_and_labels_that_are_cut_or_overlap_are_found(change, complaint):
    def a_label(canvas, _):
        place = {"x": 0.5, "y": 0.8, **change}
        canvas.text(s="words", **place)
        canvas.text(0.12, 0.5, "more")

    assert faults(drawn(a_label)) == [complaint]


@pytest.mark.parametrize(("side", "anchor"), [("left", None), ("center", "middle"), ("right", "end")])
@pytest.mark.parametrize("words", ["words", "two\nlines", "$w_t$"])
def test_a_label_stays_fixed_where_it_is_aligned_when_its_font_is_a_narrower_one(words, side, anchor):
    def a_label(canvas, _):
        canvas.text(0.5, 0.5, words, ha=side)

    found = re.findall(r"<g transform=.translate\(([\d.]+) [^>]*><text([^>]*)>", drawn(a_label).svg)
    assert {float(x) for x, _ in found} == {180.0}
    assert {(re.findall('text-anchor="([a-z]*)"', rest) or [None])[0] for _, rest in found} == {anchor}


def test_a_series_that_no_figure_looks_at_is_named_also_beside_one_that_is_drawn():
    loss = DATA["claims"][0]["evidence"][0]["series"][0]
    figure(test=TEST, title="", alt="")(a_curve)
    excess = {"title": "excess", "columns": {"t": [0, 1], "excess": [0, 1]}}
    assert undrawn(document(loss, {**loss, "title": "loss again"}, excess)) == [f"{TEST}: excess"]


def test_a_series_that_no_figure_looks_at_is_named():
    figure(test=TEST, title="", alt="")(nothing)
    assert undrawn(DATA) == [f"{TEST}: loss"]
    figure(test=TEST, title="", alt="")(a_curve)
    assert undrawn(DATA) == []
