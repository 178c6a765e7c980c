"""Self-tests: the figure of one profile shows its numbers beside those of gradient descent, and fits a phone."""

import re

import pytest

from probes.pages.figure import complaints
from probes.pages.one_figure import draw_one, drawn_one, headline, range_of
from probes.profiles.answers import Answer, Measured, Question, Status
from probes.profiles.profile import Profile
from probes.running.problem import Effort

NAN, INF = float("nan"), float("inf")
QUESTIONS = [Question(f"q{k}", "Twenty letters, long", ("l2",), lambda *_: None, "probes/x.py") for k in range(27)]


def answer(key, values, control=(), says="l2", status=Status.ANSWERED, names=("share",)):
    """An answer with one number, under each of these names."""
    measured = [Measured(name, tuple(values), 0.1, tuple(control)) for name in names]
    return Answer(key, status, says, "why", 0.1, tuple(measured))


def profile(*answers):
    """A profile of Adam."""
    return Profile("torch.optim:Adam", "Adam", Effort(), answers)


def test_the_figure_of_many_questions_fits_a_phone():
    values = [1.234e-16 * 10**k for k in range(12)]
    answers = [answer(asked.key, values, values[::-1]) for asked in QUESTIONS]
    assert complaints(drawn_one(profile(*answers), QUESTIONS)) == []


def dots(text):
    """Where the dots of the optimizer stand, from left to right."""
    (path,) = re.findall(r'd="([^"]*)"[^>]*stroke-linecap', text)
    return sorted(float(x) for x in re.findall(r"M([\d.]+) [\d.]+h0", path))[1:]  # without the legend


@pytest.mark.parametrize(
    ("values", "shares"),
    [((0.0, 1.0, 4.0), (0, 0.25, 1)), ((1e-8, 1e-4, 1.0), (0, 0.5, 1)), ((-3.0, 1.0), (0, 1)), ((2.0, 2.0), (0.5,))],
)
def test_a_number_stands_on_a_linear_scale_or_on_a_logarithmic_one_where_decades_lie_between(values, shares):
    ends = dots(draw_one(profile(answer("q0", (0.0, 1.0))), QUESTIONS))
    found = dots(draw_one(profile(answer("q0", values)), QUESTIONS))
    expected = [ends[0] + share * (ends[1] - ends[0]) for share in shares]
    assert found == pytest.approx(expected, abs=0.1)  # places have one decimal


def test_the_numbers_of_gradient_descent_are_hollow():
    text = draw_one(profile(answer("q0", (0.0, 1.0, 2.0), (3.0, 4.0))), QUESTIONS)
    assert len(dots(text)) == 3
    assert text.count("a2.2") == 2 + 1  # the legend


@pytest.mark.parametrize("values", [(), (NAN, NAN), (NAN, INF), (0.0, INF, 1.0)])
def test_numbers_that_there_are_not_or_that_are_infinite_are_not_drawn(values):
    text = draw_one(profile(answer("q0", values), answer("q1", (0.0, 1.0), says="", status=Status.FAILED)), QUESTIONS)
    assert "nan" not in text.replace("dominant", "")
    assert "Minf" not in text


def test_the_number_that_is_called_after_the_answer_stands_for_it():
    found = answer("q0", (1.0,), names=("excess over l1", "excess over l2", "distance from l2, of |w|"))
    assert headline(found).name == "excess over l2"
    assert headline(answer("q0", (1.0,), names=("l1 margin", "l2 margin", "separation in l2"))).name == "l2 margin"
    assert headline(answer("q0", (1.0,), says="none", names=("a l2", "b"))).name == "a l2"
    assert headline(Answer("q0", Status.FAILED, "", "why", None, ())) is None


def test_the_alternative_text_has_every_answer_and_its_numbers():
    found = drawn_one(profile(answer("q0", (1.0, 3.0)), answer("q1", (), says="", status=Status.FAILED)), QUESTIONS)
    assert found.alt.endswith("Twenty letters, long: l2 (share: 1..3); Twenty letters, long: failed.")


@pytest.mark.parametrize(("values", "told"), [((1.0, 2.0), "1..2"), ((0.5, 0.5001), "0.5"), ((1e-16,), "1e-16")])
def test_a_range_is_its_ends_unless_they_are_one(values, told):
    assert range_of(values) == told
