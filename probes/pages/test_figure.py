"""Self-tests: the figure of all profiles shows every answer, fits a phone, and says what is other than proved."""

import base64
import re

import pytest

from probes.pages import cells
from probes.pages.cells import DISK, MARKS, MEANINGS, RING, STATUSES, Tone, cell, key_of_marks
from probes.pages.figure import LONGEST, as_image, complaints, draw, drawn, label_of
from probes.pages.sheet import SIZE, width_of
from probes.pages.sources import Expectation
from probes.profiles.answers import Answer, Question, Status
from probes.profiles.profile import Profile
from probes.profiles.questions import all_questions
from probes.running.problem import Effort

NAMES = ("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Muon", "SGD", "SGD(momentum=0.9)", "ScheduleFreeAdamW")


def question(number, place, title="Twenty letters, long"):
    """A question of file number `number`."""
    return Question(f"q{number}{place}", title, ("yes", "no"), lambda *_: None, f"probes/question_{number}_x.py")


QUESTIONS = [question(number, place) for number in range(1, 10) for place in range(3 if number < 6 else 2)]
KNOWN = Expectation(("SGD",), QUESTIONS[0].key, ("yes",), "Author (2020), Title, Journal", "that it is so")


def profile(name, says="yes", status=Status.ANSWERED, questions=QUESTIONS):
    """A profile that gives one answer to every question."""
    answers = [Answer(asked.key, status, says, "why", 0.1, ()) for asked in questions]
    return Profile(f"torch.optim:{name}", name.partition("(")[0], Effort(), tuple(answers))


@pytest.fixture(autouse=True)
def literature(monkeypatch):
    """It is proved that SGD answers the first question by yes, and nothing else."""

    def expected(profile, answer):
        return KNOWN if (profile.family, answer.question) == ("SGD", KNOWN.question) else None

    monkeypatch.setattr(cells, "expected", expected)
    monkeypatch.setattr(cells, "_MARK_OF", {"yes": DISK, "no": RING, "l2": "2"})


def answer(says="yes", status=Status.ANSWERED):
    """An answer to the first question."""
    return Answer(QUESTIONS[0].key, status, says, "why", 0.1, ())


@pytest.mark.slow
def test_the_figure_of_many_questions_and_optimizers_fits_a_phone():
    profiles = [profile(name, says) for name in NAMES for says in ("no", "l2")]
    profiles += [profile("Adam", "", status) for status in STATUSES]
    assert complaints(drawn(profiles, QUESTIONS)) == []


@pytest.mark.slow
def test_the_figure_of_all_questions_with_every_answer_fits_a_phone(monkeypatch):
    monkeypatch.setattr(cells, "_MARK_OF", {says: mark for mark, answers in MARKS.items() for says in answers})
    asked = all_questions()
    answers = [
        [Answer(one.key, Status.ANSWERED, one.answers[k % len(one.answers)], "why", 0.1, ()) for one in asked]
        for k in range(len(NAMES))
    ]
    profiles = [Profile(name, name, Effort(), tuple(own)) for name, own in zip(NAMES, answers, strict=True)]
    assert complaints(drawn(profiles)) == []


@pytest.mark.slow
def test_a_text_is_not_wider_than_it_is_said_to_be():
    pytest.importorskip("matplotlib", reason="it measures the font; figures need the extra report")
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    words = [asked.title for asked in all_questions()] + [tone.value for tone in Tone if tone.value]
    words += [*NAMES, *(said for _, said in STATUSES.values())]
    sizes = {word: TextPath((0, 0), word, size=SIZE, prop=FontProperties("DejaVu Sans")) for word in words}
    wide = {word: path.get_extents().width for word, path in sizes.items()}
    assert {word for word in words if wide[word] > width_of(word)} == set()


@pytest.mark.parametrize(
    ("family", "says", "tone"),
    [("SGD", "yes", Tone.AGREES), ("SGD", "no", Tone.AGAINST), ("Adam", "yes", Tone.OPEN)],
)
def test_the_ground_of_a_cell_says_what_is_proved(family, says, tone):
    assert cell(profile(family), answer(says)).tone is tone


@pytest.mark.parametrize("status", STATUSES)
def test_what_is_no_answer_contradicts_nothing_and_has_a_mark_of_its_own(status):
    found = cell(profile("SGD"), answer("", status))
    assert found.tone is Tone.NONE
    assert found.mark == STATUSES[status][0]
    assert len({mark for mark, _ in STATUSES.values()}) == len(STATUSES)


def test_a_question_that_a_profile_lacks_is_an_empty_cell():
    found = drawn([profile("SGD", questions=QUESTIONS[1:])], QUESTIONS)
    assert "1 cells have no answer" in found.alt


def test_the_alternative_text_counts_and_names_what_is_other_than_proved():
    found = drawn([profile("SGD", "no"), profile("Adam")], QUESTIONS)
    assert "2 optimizers and 23 questions" in found.alt
    assert "The optimizers: SGD, Adam." in found.alt
    assert "0 answers are as proved, 1 are not, 45 are about" in found.alt
    assert found.alt.endswith("Other than proved: SGD, Twenty letters, long: no.")


def test_the_marks_that_occur_are_explained_and_no_others():
    found = [cell(profile("Adam"), answer(says)) for says in ("no", "yes", "l2")] + [
        cell(profile("Adam"), answer("", Status.FAILED))
    ]
    assert key_of_marks(found) == [
        *((mark, MEANINGS[mark]) for mark in (DISK, RING, "2")),
        STATUSES[Status.FAILED],
    ]


def test_every_answer_has_a_mark_and_every_mark_a_meaning():
    said = {says for asked in all_questions() for says in asked.answers}
    assert said - {says for answers in MARKS.values() for says in answers} == set()
    assert MARKS.keys() == MEANINGS.keys()


def test_a_mark_stands_for_one_answer_of_a_question_unless_they_all_hold_or_all_fail():
    alike = [
        (asked.key, mark)
        for asked in all_questions()
        for mark, answers in MARKS.items()
        if len(set(answers) & set(asked.answers)) > 1 and mark not in (DISK, RING)
    ]
    assert alike == []


def test_every_answer_is_drawn():
    text = draw([profile("SGD", "yes"), profile("Adam", "no"), profile("Muon", "l2")], QUESTIONS)
    assert text.count("h0") == len(QUESTIONS) + 1  # the legend
    assert text.count("a2.7") == len(QUESTIONS) + 1
    assert len(re.findall(r">2</text>", text)) == len(QUESTIONS) + 2  # the legend, and the number of a file


def test_the_figure_is_a_file_of_its_own_in_the_colors_of_the_page():
    text = draw([profile("SGD")], QUESTIONS)
    assert text.startswith("<svg")
    assert "prefers-color-scheme:dark" in text
    assert "var(--figure-1,#0072b2)" in text


def test_in_a_notebook_it_is_an_image_with_its_alternative_text():
    svg = draw([profile("SGD", "no")], QUESTIONS)
    image = as_image(svg)
    assert base64.b64decode(re.search('base64,([^"]*)"', image)[1]).decode() == svg
    assert "Other than proved: SGD, Twenty letters, long: no." in image
    assert image.count('"') == 6


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("torch.optim:Adam", "Adam"),
        ("torch.optim:SGD(momentum=0.9)", "heavy ball"),
        ("torch.optim:Muon(ns_coefficients=(1.5, -0.5, 0.0), ns_steps=20, weight_decay=0.0)", "cubic Muon"),
        ("./folder/my.py:make", "make"),
        ("optimizer", "optimizer"),
        ("pytorch_optimizer:ScheduleFreeAdamW", "SF-AdamW"),
        ("heavyball:AdamW", "AdamW (hb)"),
        ("package:FourteenLetter", "FourteenLet\u2026"),
        ("a:B(x='c:d')", "B(x='c:d')"),
    ],
)
def test_a_row_is_called_by_what_the_user_named(name, label):
    assert label_of(Profile(name, "X", Effort(), ())) == label
    assert len(label) <= LONGEST
