"""Self-tests: the page of the biases, its figure and the README are made of the committed profiles."""

import pytest

from probes import page
from probes.page import COMMAND, PAGE, ROOT, BlockError, as_markdown, made, reference_profiles, renewed
from probes.pages import report
from probes.pages.sources import Expectation
from probes.profiles.answers import Answer, Measured, Question, Status
from probes.profiles.profile import Profile
from probes.running.problem import Effort

ASKED = Question("where", "Where it ends", ("here", "there|", "nowhere"), lambda *_: None, "probes/question_2_x.py")
KNOWN = Expectation(
    ("SGD",), "where", ("here",), "Author (2020), Title of it, Journal 1", "It ends here", "It was late"
)


@pytest.fixture
def literature(monkeypatch):
    """It is proved that SGD ends here, and nothing else."""

    def expected(profile, answer):
        return KNOWN if (profile.family, answer.question) == ("SGD", "where") else None

    monkeypatch.setattr(report, "expected", expected)
    monkeypatch.setattr(report, "EXPECTATIONS", (KNOWN,))


def profile(name, says, values=(1.0, 2.0, 3.0), status=Status.ANSWERED):
    """A profile of one answer."""
    numbers = Measured("share", values, 0.1, (0.0, 0.0, 0.5))
    return Profile(f"torch.optim:{name}", name, Effort(), (Answer("where", status, says, "why", 0.1, (numbers,), 7.0),))


def answers(*profiles):
    """The block of the one question."""
    return as_markdown(profiles, [ASKED])["answers 2"]


def test_the_committed_page_figure_and_readme_are_made_of_the_committed_profiles():
    wrong = [name for name, text in made(reference_profiles()).items() if text != (ROOT / name).read_text("utf-8")]
    assert wrong == [], COMMAND


@pytest.mark.usefixtures("literature")
def test_optimizers_stand_under_their_answers_with_their_numbers_beside_those_of_gradient_descent():
    text = answers(profile("SGD", "here"), profile("Adam", "there|"), profile("Muon", "there|", (2.0, 2.0, 2.0)))
    assert "| here | SGD 1..3 |\n| there\\| | Adam 1..3, Muon 2 |" in text
    assert "`share`, least to largest over 3 instances; plain gradient descent has 0..0.5." in text
    assert "nowhere" not in text


@pytest.mark.usefixtures("literature")
def test_a_surprise_is_marked_and_explained():
    found = as_markdown([profile("SGD", "nowhere"), profile("Adam", "nowhere")], [ASKED])
    assert "SGD 1..3 **(!)**, Adam 1..3" in found["answers 2"]
    assert found["surprises"] == (
        "- Where it ends: SGD answers *nowhere*, and *here* is proved (Author 2020). It was late."
    )


@pytest.mark.usefixtures("literature")
def test_what_agrees_and_what_is_no_answer_is_no_surprise():
    profiles = [profile("SGD", "here"), profile("SGD", "", status=Status.NOT_CONVERGED)]
    assert as_markdown(profiles, [ASKED])["surprises"] == "None."
    assert "| not converged | SGD 1..3 |" in answers(*profiles)


@pytest.mark.usefixtures("literature")
def test_what_is_proved_stands_below_with_its_source():
    assert answers(profile("SGD", "here")).endswith("- SGD: *here*. It ends here (Author 2020)")
    assert as_markdown([], [ASKED])["sources"] == "- Author (2020), Title of it, Journal 1."


def test_the_setting_of_the_profiles_is_told():
    assert as_markdown([profile("SGD", "here")], [ASKED])["setting"].startswith(
        "1 optimizers; 12 instances, 4,000 steps"
    )


def test_a_figure_that_nobody_can_read_is_not_written(monkeypatch):
    monkeypatch.setattr(page, "reference_profiles", list)
    monkeypatch.setattr(page, "complaints", lambda _: ["'a' and 'b' overlap"])
    monkeypatch.setattr(page, "write_text", None)
    with pytest.raises(SystemExit, match="'a' and 'b' overlap"):
        page.main()


def test_a_block_is_renewed_and_the_rest_is_kept():
    text = "a\n\n<!-- made: setting -->\n\nold\n\n<!-- end -->\n\nb\n"
    assert renewed(text, {"setting": "new"}) == text.replace("old", "new")


def test_a_block_that_nothing_makes_is_named():
    with pytest.raises(BlockError, match="nothing makes the block 'answers 77'; there are setting"):
        renewed("<!-- made: answers 77 -->\n<!-- end -->\n", {"setting": ""})


def test_the_page_has_a_block_for_every_question():
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert [name for name in as_markdown([]) if name != "figure" and f"<!-- made: {name} -->" not in text] == []


def test_the_image_names_what_it_shows_in_lines_that_fit(monkeypatch):
    monkeypatch.setattr(page, "say_counts", lambda *_: "word " * 60)
    lines = as_markdown([], [ASKED])["figure"].splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[-1].endswith("(docs/biases.svg)")
