"""Self-tests: formulas that fit a phone, numbers as a reader wants them, and sources with their colors."""

import html
import re
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("latex2mathml", reason="the page needs the extra report")
pytest.importorskip("pygments", reason="the page needs the extra report")

from theorems.report.formulas import as_html
from theorems.report.highlight import highlighted
from theorems.report.numbers import comparison_of, decimal, ratio_text
from theorems.report.wrapping import NARROW, fitted, width


def text_of(markup):
    return re.sub(r"<[^>]+>", "", markup)


LONG = r"$\|w_t - w^*\|_2 \le (1 - \eta s_n^2)^t \|w_0 - w^*\|_2 + \eta \sum_{s < t} \|e_s\|_2 \le C$"


def test_a_long_formula_is_cut_before_relations_and_loses_nothing():
    pieces = fitted(as_html(LONG)).split("<wbr>")
    assert [text_of(piece)[0] for piece in pieces] == ["‖", "≤", "+", "≤"]
    assert html.unescape(text_of("".join(pieces))) == html.unescape(text_of(as_html(LONG)))


def test_a_formula_is_not_cut_inside_brackets():
    formula = fitted(as_html(r"$f(a = b, c = d, e = f, g = h, i = j, k = l, m = n, o = p)$"))
    assert "<wbr>" not in formula
    assert 'class="wide" tabindex="0"' in formula


def test_a_short_formula_is_one_piece_without_what_html_does_not_need():
    assert fitted(as_html("$x \\le y$")) == "<math><mrow><mi>x</mi><mo>≤</mo><mi>y</mi></mrow></math>"


def test_a_line_does_not_break_between_a_formula_and_its_full_stop():
    kept = re.findall(r'<span class="kept">(.*?)</span>', fitted(as_html("It is $x$. So ($y$) is $z$ and $w$")))
    assert [text_of(words) for words in kept] == ["x.", "(y)"]


def test_a_relation_that_opens_a_piece_keeps_its_spaces():
    assert fitted(as_html(LONG)).count('<mo form="infix">') == 3


def test_the_width_of_a_fraction_is_that_of_its_longer_side():
    assert width(ET.fromstring("<mfrac><mn>1</mn><mi>abcdefghij</mi></mfrac>")) < 10 < NARROW


def test_a_witness_is_taken_apart_by_the_template_of_its_certificate():
    told = comparison_of("n=1, x=[1, 2]: mean risk 1/8 > bound 1/9 of it", ["mean risk {value} > bound {limit} of it"])
    assert told.instance == "n=1, x=[1, 2]"
    assert [text for text, is_number in told.pieces if is_number] == ["1/8", "1/9"]
    assert "".join(text for text, _ in told.pieces) == "mean risk 1/8 > bound 1/9 of it"


def test_a_witness_without_a_template_is_shown_whole():
    told = comparison_of("n=1: it fails", ["another {value} > {limit}"])
    assert (told.instance, told.pieces) == ("n=1", [("it fails", False)])
    assert comparison_of("it fails").instance == ""


@pytest.mark.parametrize(("number", "shown"), [("1/8", "= 0.125"), ("1/9", "≈ 0.111"), ("7", None), ("-3/2", "= -1.5")])
def test_a_fraction_has_its_decimal(number, shown):
    assert decimal(number) == shown


@pytest.mark.parametrize(("ratio", "shown"), [(None, "–"), (0.0, "0"), (0.98765, "0.988"), (3e-9, "3e-09")])
def test_a_ratio_has_three_digits(ratio, shown):
    assert ratio_text(ratio) == shown


def test_a_source_is_escaped_and_whole():
    source = '@given(x=1)\ndef test_a(x):\n    # x < 1 & "more"\n    assert x <= 2, "<b>"'
    marked = highlighted(source)
    assert re.sub(r"</?span[^>]*>", "", marked) == source.replace("&", "&amp;").replace("<", "&lt;").replace(
        ">", "&gt;"
    )
    assert set(re.findall(r'class="(\w)"', marked)) == {"d", "k", "f", "c", "n", "s"}
