"""Self-tests: every planted fault of an optimizer is found, with its cause, on one line; those of torch have none."""

import random

import pytest
import torch

from probes.planted import PlainDescent
from probes.profiles.profile import find_faults
from probes.running.candidate import Candidate, of_class
from probes.running.faults import LONG, RUN, RUNS_OF_A_PROFILE, Severity, announcement, faults, seconds_of_a_run
from probes.running.isolation import settings_of_torch
from probes.running.problem import Effort


class Raises(PlainDescent):
    def update(self, p):
        raise ValueError(f"no update\nof {tuple(p.shape)}")


class NeedsCuda(PlainDescent):
    def update(self, p):
        raise AssertionError(f"Expected a CUDA tensor, got {p.device}")


class NotANumber(PlainDescent):
    def update(self, p):
        return p.grad / (p.grad - p.grad)


class Still(PlainDescent):
    def update(self, p):
        return 0 * p.grad


class Climbs(PlainDescent):
    def update(self, p):
        return -p.grad


class Explodes(PlainDescent):
    def update(self, p):
        return 1e9 * p.grad


class FirstAlone(PlainDescent):
    def step(self):
        p = self.param_groups[0]["params"][0]
        p.data.sub_(self.param_groups[0]["lr"] * p.grad)


class SquareAlone(PlainDescent):
    """Skips what is not of the first shape."""

    def update(self, p):
        return p.grad if p.shape == self.param_groups[0]["params"][0].shape else 0 * p.grad


class Scales(PlainDescent):
    def update(self, p):
        return p.grad.mul_(2)


class Keeps(PlainDescent):
    def update(self, p):
        self.state[p]["previous"] = p.grad
        return p.grad


class Single(PlainDescent):
    def update(self, p):
        if p.dtype == torch.float64:
            raise TypeError("float32 expected")
        return p.grad


class Rounds(PlainDescent):
    def update(self, p):
        p.data = p.data.float()
        return p.grad


class SwitchesOff(PlainDescent):
    def step(self):
        torch.set_grad_enabled(False)
        super().step()


class Seeds(PlainDescent):
    def update(self, p):
        torch.manual_seed(7)
        return p.grad


class Draws(PlainDescent):
    def update(self, p):
        return p.grad * torch.rand_like(p)


class DrawsElsewhere(PlainDescent):
    def update(self, p):
        return p.grad * random.SystemRandom().random()


class Shares(PlainDescent):
    """A count that all optimizers of the class share. It starts again with each new one."""

    count = 0

    def __init__(self, params):
        super().__init__(params)
        Shares.count = 0

    def update(self, p):
        Shares.count += 1
        return p.grad / Shares.count


class Stored(Single):
    def __init__(self, params):
        super().__init__(params)
        self.param_groups[0]["storage_dtype"] = "float32"


class SeedsWithZero(PlainDescent):
    def update(self, p):
        torch.manual_seed(0)
        return p.grad


class TakesThreads(PlainDescent):
    def update(self, p):
        torch.set_num_threads(torch.get_num_threads() + 1)
        return p.grad


class TakesTheDevice(PlainDescent):
    def update(self, p):
        torch.set_default_device("meta")
        return p.grad


class IsDeterministic(PlainDescent):
    def update(self, p):
        torch.use_deterministic_algorithms(True)
        return p.grad


class Prints(PlainDescent):
    def update(self, p):
        print("a step")
        return p.grad


class Exits(PlainDescent):
    def update(self, p):  # noqa: ARG002
        raise SystemExit(3)


class CannotSayWhy(PlainDescent):
    def update(self, p):  # noqa: ARG002
        class NoWordsError(Exception):
            def __str__(self):
                raise ValueError

        raise NoWordsError


class WithoutGroups(torch.optim.Optimizer):
    def __init__(self, params):
        self.parameters = params


def exits(_):
    raise SystemExit(3)


class NoVectors(PlainDescent):
    def update(self, p):
        rows, _ = p.shape
        return p.grad / rows


class WithoutRate(PlainDescent):
    def __init__(self, params):
        torch.optim.Optimizer.__init__(self, params, {"size": 1e-2})

    def step(self):
        for p in self.param_groups[0]["params"]:
            p.data.sub_(1e-2 * p.grad)


class NeedsGraph(PlainDescent):
    @torch.no_grad()
    def step(self):
        for p in self.param_groups[0]["params"]:
            with torch.enable_grad():
                (curvature,) = torch.autograd.grad(p.grad.sum(), p, retain_graph=True)
            p.sub_(1e-1 * p.grad / (1 + curvature.abs()))


KNOWN = torch.nn.Parameter(torch.ones(2, 2, dtype=torch.float64))
FATAL = {
    "ValueError: no update of": Raises,
    "choose the device cuda": NeedsCuda,
    "infinite or nan": NotANumber,
    "moves no weight": Still,
    "takes sparse gradients only": torch.optim.SparseAdam,
    "cannot be made: ZeroDivisionError": lambda _: 1 / 0,
    "returns list, which is no torch.optim.Optimizer": lambda params: params,
    "double precision, which the questions have, and not with single": Single,
    "which the questions have; choose its option storage_dtype='float64'": Stored,
    "cannot be made: SystemExit: 3": exits,
    "raises in step 1: SystemExit: 3": Exits,
    "its message cannot be read": CannotSayWhy,
    "has no param_groups": WithoutGroups,
    "other parameters than those that it is given": lambda _: torch.optim.SGD([KNOWN], lr=1e-2),
}
FAULTS = {
    "3 of 4 parameters never move": FirstAlone,
    "2 of 4 parameters never move": SquareAlone,
    "hold 1 of 4 parameters": lambda params: torch.optim.SGD(params[:1]),
    "optimizes 1 parameters that it was not given": lambda params: torch.optim.SGD([*params, KNOWN]),
    "the precision, the shape or requires_grad": Rounds,
    "whether gradients are taken": SwitchesOff,
    "does not lower the loss": Climbs,
    "it diverges on a quadratic": Explodes,
}
REMARKS = {
    "changes p.grad": Scales,
    "keeps p.grad itself": Keeps,
    "is random: two runs with the same torch seed differ": DrawsElsewhere,
    "draws random numbers of torch": Draws,
    "shares state with other optimizers": Shares,
    "takes matrices only": NoVectors,
    "has no `lr`": WithoutRate,
    "needs gradients with their graph": NeedsGraph,
}


def found(make, has_step=False):
    return faults(Candidate("planted", make, has_step=has_step))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("severity", "words", "make"),
    [
        (severity, words, make)
        for severity, plants in ((Severity.FATAL, FATAL), (Severity.FAULT, FAULTS), (Severity.REMARK, REMARKS))
        for words, make in plants.items()
        if make is not None
    ],
)
def test_a_planted_fault_is_the_one_that_is_found(severity, words, make):
    lines = found(make)
    assert [(fault.severity, words in fault.line) for fault in lines] == [(severity, True)]
    assert len(lines[0].line.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["SGD", "LBFGS", *(pytest.param(name, marks=pytest.mark.slow) for name in ("Adam", "ASGD", "Rprop", "Adadelta"))],
)
def test_torch_has_no_fault(name):
    assert faults(of_class(name, getattr(torch.optim, name), {})) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("the seed of torch", SeedsWithZero),
        ("the number of threads", TakesThreads),
        ("the default device", TakesTheDevice),
        ("whether algorithms are deterministic", IsDeterministic),
    ],
)
def test_what_torch_is_set_to_is_seen_to_change_and_is_put_back(what, make):
    before = settings_of_torch()[what][0]() if what in settings_of_torch() else torch.initial_seed()
    assert [fault.line for fault in found(make)] == [f"it changes {what}: leave it as it is, or restore it"]
    assert before == (settings_of_torch()[what][0]() if what in settings_of_torch() else torch.initial_seed())


@pytest.mark.slow
def test_what_an_optimizer_prints_before_it_is_asked_is_not_seen(capsys):
    assert find_faults(Candidate("planted", Prints), Effort()) == ()
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_muon_takes_matrices_only():
    (fault,) = faults(of_class("Muon", torch.optim.Muon, {}))
    assert fault.severity is Severity.REMARK
    assert fault.line == "takes matrices only: vectors are laid out as (1, p)"


@pytest.mark.slow
def test_a_learning_rate_that_the_user_has_chosen_too_large_diverges():
    (fault,) = faults(of_class("SGD", torch.optim.SGD, {"lr": 9.0}))
    assert fault.severity is Severity.FAULT
    assert fault.line.endswith(", learning rate 9e+00: choose a smaller one")


def test_a_slow_optimizer_announces_how_long_a_profile_takes(monkeypatch):
    # given
    quick, slow = (Candidate(name, PlainDescent) for name in ("quick", "slow"))
    monkeypatch.setattr("probes.running.faults.seconds_of_a_run", lambda candidate: 3.6 if candidate is slow else 0.4)
    # then
    assert announcement(quick) is None
    assert announcement(slow) == "slow takes 900 microseconds for a step, and a profile 2.1 minutes"
    assert RUNS_OF_A_PROFILE * 0.4 < LONG < RUNS_OF_A_PROFILE * 3.6


@pytest.mark.slow
def test_a_run_that_ends_early_is_not_extrapolated():
    assert seconds_of_a_run(of_class("LBFGS", torch.optim.LBFGS, {})) < RUN / 100
