"""Self-tests: what matplotlib writes becomes compact, with colors of the palette and ids of its own."""

import re

import pytest

from theorems.report.figures import FigureError
from theorems.report.figures.compact import compact
from theorems.report.figures.style import COLORS, FAINT, GROUND, INK

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 360 259.2">'


def made(body, name="a"):
    """The body as matplotlib would write it, compact; without what every figure begins with."""
    text = compact(f"{HEAD}{body}</svg>", name, "Title", "Alt")
    return text.partition("</desc>")[2].removesuffix("</svg>")


def test_a_figure_has_a_name_a_description_and_no_size_but_its_proportions():
    text = compact(f"{HEAD}</svg>", "a-b", "x < y", "1 & 2")
    assert re.match(
        r'<svg [^>]*viewBox="0 0 360 259.2" width="100%" role="img" aria-labelledby="svg-a-b-title svg-a-b-desc"', text
    )
    assert '<title id="svg-a-b-title">x &lt; y</title><desc id="svg-a-b-desc">1 &amp; 2</desc>' in text
    assert "height" not in text
    assert "<?xml" not in text


@pytest.mark.parametrize(
    ("color", "becomes"),
    [
        (INK, "currentColor"),
        (COLORS[0], f"var(--figure-1,{COLORS[0]})"),
        (COLORS[5], f"var(--figure-6,{COLORS[5]})"),
        (FAINT, f"var(--figure-faint,{FAINT})"),
        (GROUND, f"var(--figure-ground,{GROUND})"),
    ],
)
def test_colors_of_the_palette_become_custom_properties(color, becomes):
    assert made(f'<path d="M 0 0" style="fill: none; stroke: {color}"/>') == (
        f'<path d="M0 0" style="fill:none;stroke:{becomes}"/>'
    )


def test_a_text_has_the_shade_of_text():
    text = f'<g style="fill: {COLORS[1]}"><text font-size="11"><tspan>a &lt; b</tspan></text></g>'
    assert made(text) == (
        '<g style="fill:var(--figure-2-text,#b84f00)"><text font-size="11"><tspan>a &lt; b</tspan></text></g>'
    )


@pytest.mark.parametrize(
    "body",
    [
        '<path d="M 0 0" style="fill: none; stroke: #ff0000"/>',
        '<g style="fill: #123456"><text><tspan>a</tspan></text></g>',
        '<path d="M 0 0"/>',
        '<path d="M 0 0" style="stroke: #222222"/>',
        '<g><path d="M 0 0" style="opacity: 0.5"/><path d="M 1 1" style="opacity: 0.5"/></g>',
    ],
)
def test_a_color_that_is_not_of_the_palette_is_refused_also_the_black_that_is_not_written(body):
    with pytest.raises(FigureError, match="is not of the palette"):
        made(body)


def test_an_image_is_refused():
    with pytest.raises(FigureError, match="image"):
        made('<image id="x"/>')


def test_ids_are_of_the_figure_and_only_where_something_refers_to_them():
    body = (
        '<defs><path id="m1" d="M 0 0" style="stroke: #222222"/></defs><g id="axes_1"><g clip-path="url(#p2)">'
        '<use xlink:href="#m1" x="1" y="2" style="fill: #222222"/></g></g>'
        '<defs><clipPath id="p2"><rect x="0"/></clipPath></defs>'
    )
    assert made(body, "one") == made(body, "two").replace("svg-two", "svg-one")
    assert re.findall(r' id="([^"]*)"', made(body, "one")) == ["svg-one-1", "svg-one-0"]
    assert 'clip-path="url(#svg-one-0)"' in made(body, "one")
    assert 'href="#svg-one-1"' in made(body, "one")


def test_a_style_sheet_that_would_hold_for_the_whole_page_is_left_out():
    assert made('<defs><style type="text/css">*{stroke-linejoin: round}</style></defs>') == ""


def test_numbers_have_two_decimals_and_no_zero_before_the_point():
    path = '<path d="M 0.123456 -12.999 \nL 100.004 0.001 z" style="fill: none; stroke: #222222; stroke-width: 0.800"/>'
    assert made(path) == '<path d="M.12-13L100 0z" style="fill:none;stroke:currentColor;stroke-width:.8"/>'


def test_neighbors_of_one_style_share_it():
    use = '<g id="tick_{0}"><g><use xlink:href="#m" x="{0}" style="fill: #222222"/></g></g>'
    text = made('<defs><path id="m" d="M 0 0"/></defs>' + use.format(1) + use.format(2))
    assert text.endswith('<g style="fill:currentColor"><use href="#svg-a-0" x="1"/><use href="#svg-a-0" x="2"/></g>')


def test_what_is_not_seen_is_left_out():
    assert made('<g id="patch_1"><path d="M 0 0 L 1 1" style="fill: none"/></g>') == ""
