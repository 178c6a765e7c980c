"""Self-tests: every expectation is about a question that is asked and an answer that it has, and names its source."""

import re

import pytest

from probes.pages import sources
from probes.pages.expectations import EXPECTATIONS
from probes.pages.literature import contradicts, expected
from probes.profiles.answers import Answer, Status
from probes.profiles.profile import Profile, assemble
from probes.profiles.questions import all_questions
from probes.running.candidate import Candidate
from probes.running.problem import Effort

KNOWN = next(known for known in EXPECTATIONS if known.question == "interpolation")


def optimizer(family, **settings):
    """A profile without answers."""
    return Profile(f"torch.optim:{family}", family, Effort(), (), settings=settings)


def answer(says, status=Status.ANSWERED, question=KNOWN.question):
    """An answer to the question of KNOWN, or to another one."""
    return Answer(question, status, says, "why", 0.1, ())


def test_every_expectation_is_about_a_question_that_is_asked_and_its_answers():
    answers = {asked.key: set(asked.answers) for asked in all_questions()}
    wrong = [(k.question, k.says) for k in EXPECTATIONS if not {*k.says} <= answers.get(k.question, set())]
    assert wrong == []


def test_an_expectation_leaves_an_answer_that_would_contradict_it():
    answers = {asked.key: set(asked.answers) for asked in all_questions()}
    assert [k for k in EXPECTATIONS if answers.get(k.question) == set(k.says)] == []


def test_no_two_expectations_are_about_one_family_and_question():
    pairs = [(family, known.question) for known in EXPECTATIONS for family in known.families]
    assert len(pairs) == len(set(pairs))


def test_every_source_has_authors_a_year_a_title_and_a_place():
    texts = {known.source for known in EXPECTATIONS} | {str(source) for source in sources.sources()}
    wrong = [text for text in texts if not re.fullmatch(r"[A-Z][^()]+ \((19|20)\d\d\), .{10,}, .{4,}", text)]
    assert wrong == []


def test_every_expectation_has_one_of_the_sources_and_says_what_it_proves():
    known = {str(source) for source in sources.sources()}
    assert [k.source for k in EXPECTATIONS if k.source not in known] == []
    assert [k.question for k in EXPECTATIONS if len(k.proves) < 20 or k.proves.endswith(".")] == []
    assert [k.where for k in EXPECTATIONS if k.where.endswith(".")] == []


def test_every_source_is_used():
    used = "".join(f"{known.source} {known.proves}" for known in EXPECTATIONS)
    assert [str(s) for s in sources.sources() if str(s) not in used and not is_named(s, used)] == []


def is_named(source, text):
    """Whether a text names authors and year: "Wang et al. 2021" or "Du, Hu, Lee 2018"."""
    first = source.authors.partition(",")[0].removesuffix(" et al.")
    return re.search(rf"{first}[^.\d]*(?:et al\. )?{source.year}", text) is not None


def test_another_answer_contradicts_and_no_answer_does_not():
    assert expected(optimizer("SGD"), answer("at a constant step")) is KNOWN
    assert not contradicts(KNOWN, answer("at a constant step"))
    assert contradicts(KNOWN, answer("only with decay"))


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.ANSWERED])
def test_what_is_no_answer_contradicts_nothing(status):
    assert not contradicts(KNOWN, answer("", status))


def test_nothing_is_expected_of_an_unknown_optimizer_or_question():
    assert expected(optimizer("Nobody"), answer("at a constant step")) is None
    assert expected(optimizer("SGD"), answer("yes", question="nothing")) is None


@pytest.mark.parametrize(
    ("family", "question", "within", "outside"),
    [
        ("SGD", "row space", {"momentum": 0.9}, {"weight_decay": 0.1}),
        ("SGD", "stable step", {"momentum": 0.9, "nesterov": 1.0}, {"momentum": 0.9, "dampening": 0.9}),
        ("SGD", "noise at a minimum", {}, {"momentum": 0.9}),
        ("Adam", "vector margin", {"weight_decay": 0.0}, {"amsgrad": 1.0}),
        ("AdamW", "vector margin", {"weight_decay": 0.01}, {"weight_decay": 0.0}),
        ("Adam", "weight decay", {"weight_decay": 0.1}, {"decoupled_weight_decay": 1.0}),
        ("Lion", "weight decay", {"weight_decouple": 1.0}, {"weight_decouple": 0.0}),
        ("Lion", "weight decay", {}, {"fixed_decay": 1.0}),
    ],
)
def test_nothing_is_expected_of_settings_that_a_source_does_not_have(family, question, within, outside):
    assert expected(optimizer(family, **within), answer("", question=question)) is not None
    assert expected(optimizer(family, **outside), answer("", question=question)) is None


@pytest.mark.slow
def test_the_settings_are_numbers_and_switches_of_all_groups():
    import torch

    def make(parameters):
        groups = [{"params": parameters}, {"params": [torch.nn.Parameter(torch.zeros(1))], "weight_decay": 0.1}]
        return torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)

    settings = assemble(Candidate("mine", make), Effort(), ()).settings
    wanted = {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": 1.0}
    assert {name: settings[name] for name in wanted} == wanted
    assert "lr" not in settings
    assert "params" not in settings
