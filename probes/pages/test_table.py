"""Self-tests: what a table says of a profile, on a terminal and in a notebook."""

import base64
import dataclasses
import math

import numpy as np
import pytest

from probes.pages import table
from probes.pages.literature import Expectation
from probes.profiles.answers import Answer, Measured, Status
from probes.running.faults import Fault, Severity

KNOWN = Expectation(
    ("SGD",), "interpolation", ("only with decay",), "Author 1999, Theorem 1", "it is so, if H holds", "H is small."
)


@pytest.fixture
def unlike_the_literature(monkeypatch):
    """A source that expects another answer."""
    monkeypatch.setattr(table, "expected", lambda profile, _: KNOWN if profile.family in KNOWN.families else None)


def test_an_answer_stands_with_its_numbers_beside_the_control(profile_of):
    text = str(profile_of([1.0, 2.0, 4.0]))
    assert "torch.optim:SGD: step given; 12 instances, 4000 steps, seed 0; cpu; 0 s\n" in text
    assert "\nReaches a minimum: yes - so it is [step 0.1]\n" in text
    assert "\n    distance  1 .. 2 .. 4   control 1" in text
    assert table.LEGEND in text
    assert repr(profile_of([1.0])) == str(profile_of([1.0]))


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([3.0], "3"),
        ([1, 2, math.nan], "1 .. 1.5 .. 2 (1 without)"),
        ([1, 1, 1.0001], "1"),
        ([220, 2640, 4e6], "220 .. 2640 .. 4e+06"),
        ([math.nan] * 2, "no value"),
        ([1, math.inf], "1 .. inf .. inf"),
        ([], "no value"),
    ],
)
def test_numbers_are_the_least_the_median_and_the_largest(values, shown):
    assert table.range_of(np.array(values, float)) == shown


@pytest.mark.usefixtures("unlike_the_literature")
def test_an_answer_that_contradicts_the_literature_is_marked_and_no_answer_is_not(profile_of):
    profile = profile_of([1.0])
    assert "contradicts what is proved: only with decay (Author 1999, Theorem 1: it is so, if H holds)" in str(profile)
    assert "Missing hypothesis: H is small." in str(profile).replace("\n       ", "")
    assert "expected: only with decay" in str(profile_of([1.0], says="only with decay"))
    silent = profile_of([1.0], says="")
    assert "contradicts" not in str(silent)
    page = table.as_page([profile, dataclasses.replace(silent, name="b", family="")])
    assert page.splitlines()[:3] == ["optimizer  Reaches a minimum", "SGD        yes !", "b          not converged"]
    assert "SGD: Reaches a minimum: yes, and expected is only with decay (Author 1999, Theorem 1)" in page


def test_a_page_has_a_row_for_each_optimizer_and_is_as_wide_as_a_terminal(profile_of):
    one = profile_of([1.0])
    keys = [f"question {number} of many" for number in range(20)]
    answers = tuple(Answer(key, Status.ANSWERED, "a long answer", "", None, ()) for key in keys)
    page = table.as_page([dataclasses.replace(one, answers=answers), dataclasses.replace(one, name="other")])
    assert max(map(len, page.splitlines())) <= table.WIDTH
    assert page.count("a long answer") == 20
    assert all(key in page for key in keys)


def test_long_details_are_wrapped(profile_of):
    one = profile_of([1.0])
    answer = dataclasses.replace(
        one.answers[0], detail="word " * 60, measured=(Measured("distance " * 20, (1.0,), 0.0),)
    )
    text = str(dataclasses.replace(one, answers=(answer,)))
    assert max(map(len, text.splitlines())) <= table.WIDTH


def test_a_control_that_does_not_fit_stands_below(profile_of):
    one = profile_of([1.0, 2.0])
    numbers = tuple(Measured("distance " + name * 30, (1.0, 2.0), 0.0, control=(1.25, 1e-15)) for name in "ab")
    answer = dataclasses.replace(one.answers[0], measured=numbers)
    lines = table.as_text(dataclasses.replace(one, answers=(answer,)), table.NARROWEST).splitlines()
    assert max(map(len, lines)) <= table.NARROWEST
    assert [line.strip() for line in lines if "control 1e-15" in line] == ["control 1e-15 .. 0.625 .. 1.25"] * 2


def test_a_fault_is_one_line_however_long_and_however_many_questions_it_fails(profile_of):
    one = profile_of(says="", status=Status.FAILED)
    long = "torch.optim:SGD " + "word " * 40
    faults = (Fault(Severity.FATAL, long), Fault(Severity.FATAL, "so it is"), Fault(Severity.REMARK, "it is slow"))
    broken = dataclasses.replace(one, answers=one.answers * 3, faults=faults)
    told = [f"fatal: {long}", "fatal: SGD: so it is", "remark: SGD: it is slow"]
    assert str(broken).splitlines()[-3:] == table.as_page([broken]).splitlines()[-3:] == told
    assert "Reaches a minimum: failed [step 0.1]\n" in str(broken)
    assert table.as_page([one]).splitlines()[-1] == "failed: SGD: so it is"


@pytest.mark.usefixtures("unlike_the_literature")
def test_a_notebook_shows_a_table_and_escapes_what_it_was_given(profile_of, monkeypatch):
    monkeypatch.setattr(table, "figure", lambda _: "<svg></svg>")
    shown = profile_of([1.0, 2.0], name="<b>mine</b>")._repr_html_()
    assert shown.startswith("<svg></svg><table>")
    assert "<b>mine" not in shown
    assert "&lt;b&gt;mine&lt;/b&gt;" in shown
    assert "contradicts what is proved: only with decay" in shown
    assert '<td style="text-align:left;padding:.15em .5em">1 .. 1.5 .. 2</td>' in shown


@pytest.mark.parametrize(("count", "title"), [(1, "The biases of "), (2, "Which minimum does your optimizer pick?")])
def test_the_figure_of_one_profile_or_of_several_is_an_image(profile_of, count, title):
    image = table.figure([profile_of([1.0, 2.0])] * count)
    assert image.startswith("<img ")
    assert title in base64.b64decode(image.partition("base64,")[2].rstrip('">')).decode()
