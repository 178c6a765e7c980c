"""Self-tests: planted optimizers with decay of known effect are told apart, and known ones go where they should."""

import functools

import numpy as np
import pytest
import torch

from fixtures.problems.outlying import DECAY
from probes.profiles.answers import Status
from probes.profiles.questions import all_questions, ask
from probes.running.candidate import Candidate, of_class
from probes.running.problem import Effort

EFFORT = Effort(instances=4, steps=400)
QUESTION = next(question for question in all_questions() if question.key == "weight decay")


class Decoupled(torch.optim.Optimizer):
    """w <- (1 - lr weight_decay) (w - towards) + towards - lr direction(gradient)."""

    def __init__(self, params, lr=1e-1, weight_decay=0.0, *, direction, towards=0.0):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self.direction, self.towards = direction, towards

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                w.sub_(group["lr"] * (self.direction(w.grad) + group["weight_decay"] * (w - self.towards)))


def polar(gradient):
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    return left @ right


def of_length_one(gradient):
    return gradient / torch.linalg.matrix_norm(gradient, keepdim=True)


def identity(gradient):
    return gradient


class Ignores(torch.optim.SGD):
    """Has the entry weight_decay, and forgets it."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["weight_decay"] = 0
        return super().step(closure)


def planted(direction, has_step=False, **options):
    make = functools.partial(Decoupled, direction=direction, **options)
    return Candidate("planted", make, has_step=has_step)


def answer_of(candidate, effort=EFFORT):
    return ask(QUESTION, candidate, effort)


def number(answer, name):
    return np.array(next(measured.values for measured in answer.measured if name in measured.name))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("direction", "says"),
    [
        (identity, "ridge"),
        (torch.sign, "l-infinity ball"),
        (polar, "spectral ball"),
        (of_length_one, "l2 ball"),
        (torch.zeros_like, "zero"),
    ],
)
def test_steepest_descent_with_decoupled_decay_goes_to_the_ball_of_its_norm(direction, says):
    answer = answer_of(planted(direction))
    assert (answer.status, answer.says) == (Status.ANSWERED, says)
    others = [
        measured.values for measured in answer.measured if "distance" in measured.name and says not in measured.name
    ]
    assert (10 * number(answer, f"from {says}") <= np.min(others, axis=0)).all()


@pytest.mark.slow
def test_an_ignored_weight_decay_has_no_effect():
    assert answer_of(of_class("Ignores", Ignores, {})).says == "no effect"


@pytest.mark.slow
@pytest.mark.parametrize("direction", [identity, torch.sign])
def test_decay_towards_another_point_leads_to_none_of_these(direction):
    assert answer_of(planted(direction, towards=0.5)).says == "none of these"


@pytest.mark.slow
def test_a_step_too_small_to_forget_the_start_is_not_converged():
    answer = answer_of(planted(torch.sign, has_step=True, lr=1e-4))
    assert (answer.status, answer.says) == (Status.NOT_CONVERGED, "")
    assert answer.measured[0].resolution == pytest.approx(np.exp(-1e-4 * DECAY * EFFORT.steps / 2))


@pytest.mark.slow
def test_without_an_entry_for_the_decay_the_question_does_not_apply():
    answer = answer_of(of_class("torch.optim:Rprop", torch.optim.Rprop, {}))
    assert answer.status is Status.NOT_APPLICABLE
    assert "weight_decay" in answer.detail


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "options", "says"),
    [("SGD", {"lr": 1e-2}, "ridge"), ("Adam", {"lr": 1e-2}, "ridge"), ("Muon", {"lr": 1e-1}, "spectral ball")],
)
def test_coupled_decay_leads_to_ridge_and_muon_to_the_spectral_ball(optimizer, options, says):
    assert answer_of(of_class(optimizer, getattr(torch.optim, optimizer), options)).says == says


@pytest.mark.slow
def test_adamw_goes_to_the_box_in_a_run_that_is_long_for_its_memory():
    candidate = of_class("AdamW", torch.optim.AdamW, {"lr": 1e-2})
    assert answer_of(candidate, Effort(instances=4)).says == "l-infinity ball"


@pytest.mark.slow
@pytest.mark.parametrize("own", [0.0, 0.01, 0.1])
def test_the_own_decay_is_measured_as_it_is_set(own):
    for kind in (torch.optim.AdamW, torch.optim.SGD):
        answer = answer_of(of_class("own", kind, {"lr": 1e-2, "weight_decay": own}), Effort(instances=2, steps=200))
        rates = number(answer, "own decay")
        # -log(1 - x) for x = lr decay lies between x and x + x^2
        assert (rates >= own - 1e-9).all()
        assert (rates <= own * (1 + 1e-2 * own) + 1e-9).all()
