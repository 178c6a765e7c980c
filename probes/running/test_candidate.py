"""Self-tests: how a candidate is made, which steps are tried, and how its step is called."""

import warnings

import pytest
import torch

from probes.running.candidate import GRID, Calls, Candidate, OptimizerFault, needs_closure, of_class, one_line

PLAIN, BY_CLOSURE, WITH_GRAPH = Calls(False, False), Calls(True, False), Calls(False, True)


class Hessian(torch.optim.Optimizer):
    """Divides by a product of the Hessian, which it takes of the graph of the gradient."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        if closure is not None:
            closure()
        for p in self.param_groups[0]["params"]:
            (curvature,) = torch.autograd.grad(p.grad.sum(), p)
            p.data.sub_(self.param_groups[0]["lr"] * p.grad.detach() / (1 + curvature.abs()))


class AsksForAClosure(torch.optim.SGD):
    """Can be called without a closure by its signature, and raises then."""

    def step(self, closure=None):
        if closure is None:
            raise RuntimeError("closure is required")
        return super().step(closure)


class AsksForBoth(Hessian):
    def step(self, closure=None):
        if closure is None:
            raise RuntimeError("closure is required")
        super().step(closure)


def test_a_factory_that_raises_or_returns_something_else_is_a_fault_of_one_line():
    with pytest.raises(OptimizerFault, match="mine cannot be made: ZeroDivisionError: division by zero"):
        Candidate("mine", lambda _: 1 / 0).build([])
    with pytest.raises(OptimizerFault, match="mine returns list, which is no"):
        Candidate("mine", list).build([])


@pytest.mark.parametrize(
    ("kind", "options", "steps"),
    [
        (torch.optim.SGD, {}, GRID),
        (torch.optim.SGD, {"lr": 0.3}, (0.3,)),
        (torch.optim.Adadelta, {}, (1.0, *GRID)),
        (torch.optim.LBFGS, {}, (1.0, *GRID)),
    ],
)
def test_steps_are_tried_from_the_largest_or_the_one_that_was_chosen(kind, options, steps):
    assert of_class("mine", kind, options).steps_to_try() == steps


def test_without_a_learning_rate_there_is_one_run():
    class Plain(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"size": 1.0})

    candidate = Candidate("mine", Plain, has_step=False)
    assert candidate.own_step is None
    assert candidate.steps_to_try() == (None,)
    assert candidate.options == {"size"}


def test_the_own_step_is_the_largest_of_the_groups_also_as_a_tensor():
    candidate = Candidate(
        "mine",
        lambda params: torch.optim.SGD([{"params": params, "lr": torch.tensor(0.5)}, {"params": [], "lr": 0.25}]),
    )
    assert candidate.own_step == 0.5
    assert candidate.family == "SGD"


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        (torch.optim.Adam, PLAIN),
        (torch.optim.LBFGS, BY_CLOSURE),
        (AsksForAClosure, BY_CLOSURE),
        (Hessian, WITH_GRAPH),
        (AsksForBoth, Calls(True, True)),
        (torch.optim.SparseAdam, PLAIN),
    ],
)
def test_the_way_in_which_step_does_not_raise_is_found(kind, calls):
    assert of_class("mine", kind, {}).calls == calls


def test_the_graph_of_the_gradient_can_be_asked_for():
    assert Candidate("mine", torch.optim.SGD, creates_graph=True).calls == WITH_GRAPH


def test_a_closure_that_may_be_left_out_is_not_needed():
    parameters = [torch.nn.Parameter(torch.zeros(2))]
    assert needs_closure(torch.optim.LBFGS(parameters))
    assert not needs_closure(torch.optim.SGD(parameters))


def test_a_warning_of_the_factory_is_no_error():
    def make(params):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        return torch.optim.SGD(params)

    assert Candidate("mine", make).family == "SGD"


def test_an_error_is_one_line():
    assert one_line(ValueError("two\n  \x1b[1mlines\x1b[0m.")) == "ValueError: two lines"
    assert len(one_line(ValueError("x" * 999))) == 200
