"""Self-tests: an answer depends on question, optimizer and seed alone, and leaves the caller's torch as it was."""

import random
import warnings

import numpy as np
import pytest

from probes.profiles.answers import Answering, Question, Status
from probes.profiles.profile import answer_of
from probes.profiles.questions import ask
from probes.running import run
from probes.running.candidate import Candidate
from probes.running.faults import Fault, Severity
from probes.running.problem import Effort, least_squares
from probes.running.run import train
from probes.running.surroundings import undisturbed

EFFORT = Effort(instances=2, steps=3)


def states():
    import torch

    drawn = torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    settings = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_default_device()
    return *drawn, *settings


def draw_everything():
    import torch

    torch.rand(3)
    np.random.rand(3)  # noqa: NPY002
    random.random()


@pytest.fixture
def settings():
    """Settings of torch that a notebook may have; they are put back."""
    import torch

    before = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(2)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_num_threads(before[0])
    torch.set_default_dtype(before[1])


@pytest.mark.usefixtures("settings")
def test_what_torch_is_set_to_is_as_it_was_also_after_an_error():
    import torch

    with torch.no_grad(), torch.device("meta"):
        before = states()
        with undisturbed(0):
            inside = states()[3:]
            draw_everything()
        with pytest.raises(ZeroDivisionError), undisturbed(0):
            draw_everything() or 1 / 0
        assert states() == before
    assert inside == (1, torch.float32, True, torch.device("cpu"))


@pytest.mark.slow  # it loads torch's compiler
def test_what_is_compiled_runs_uncompiled_inside():
    import torch

    def refuse(*_: object) -> None:
        raise AssertionError("it was compiled")

    double = torch.compile(lambda x: 2 * x, backend=refuse)
    with undisturbed(0):
        assert double(torch.ones(())).item() == 2.0


def test_a_warning_is_no_error_inside_and_is_one_afterwards():
    with undisturbed(0):
        warnings.warn("soon", DeprecationWarning, stacklevel=1)
    with pytest.raises(DeprecationWarning):
        warnings.warn("soon", DeprecationWarning, stacklevel=1)


def noisy(parameters):
    """Plain gradient descent with noise of three sources."""
    import torch

    class Noisy(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            for group in self.param_groups:
                for parameter in group["params"]:
                    noise = torch.rand(1).item() + np.random.rand() + random.random()  # noqa: NPY002
                    with torch.no_grad():
                        parameter.add_(noise)

    torch.rand(5)  # its start is random too
    return Noisy(parameters, lr=0.1)


def asking(key):
    def where_it_ends(candidate, effort, answer):
        problem = least_squares(np.ones((2, 1, 3)), np.ones((2, 1)), np.zeros((2, 3)))
        answer.measured("w", train(candidate, problem, steps=effort.steps).factors[0].ravel(), resolution=0.0)
        answer.answered("yes", "")

    return Question(key, key, ("yes",), where_it_ends, "")


def values(answer):
    assert answer.status is Status.ANSWERED
    return answer.measured[0].values


@pytest.mark.slow
def test_an_answer_is_the_same_whatever_was_asked_before():
    first, second = asking("first"), asking("second")
    alone = values(ask(second, Candidate("noisy", noisy), EFFORT))
    draw_everything()
    candidate = Candidate("noisy", noisy)
    other = values(ask(first, candidate, EFFORT))
    assert values(ask(second, candidate, EFFORT)) == alone
    assert other != alone
    assert values(ask(second, candidate, Effort(instances=2, steps=3, seed=1))) != alone


@pytest.mark.slow
def test_a_layout_that_one_question_has_found_is_not_that_of_the_next():
    found = []

    def looks(candidate, effort, answer):  # noqa: ARG001
        problem = least_squares(np.ones((2, 1, 3)), np.ones((2, 1)), np.zeros((2, 3)))
        found.append((len(run._LAYOUT_CACHE), run.layout_of(candidate, problem)))  # noqa: SLF001
        answer.answered("yes", "")

    question, candidate = Question("looks", "", ("yes",), looks, ""), Candidate("noisy", noisy)
    ask(question, candidate, EFFORT)
    ask(question, candidate, EFFORT)
    assert found == [(0, found[0][1])] * 2


def test_an_error_of_a_question_is_a_failed_answer():
    def raises(candidate: Candidate, effort: Effort, answer: Answering) -> None:  # noqa: ARG001
        raise KeyError("no\nsuch")

    answer = answer_of(Question("broken", "", (), raises, ""), Candidate("noisy", noisy), EFFORT, ())
    assert (answer.status, answer.detail) == (Status.FAILED, "the question fails: KeyError: 'no\\nsuch'")


@pytest.mark.slow
def test_an_optimizer_that_cannot_be_asked_is_not_asked():
    def is_asked(candidate: Candidate, effort: Effort, answer: Answering) -> None:  # noqa: ARG001
        answer.answered("yes", "")

    question, candidate = Question("toy", "", ("yes",), is_asked, ""), Candidate("noisy", noisy)
    found = {severity: answer_of(question, candidate, EFFORT, [Fault(severity, "why")]) for severity in Severity}
    assert (found[Severity.FATAL].status, found[Severity.FATAL].detail) == (Status.FAILED, "why")
    assert found[Severity.FAULT].says == found[Severity.REMARK].says == "yes"
