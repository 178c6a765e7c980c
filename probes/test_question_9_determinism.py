"""Self-tests: optimizers that forget, draw, or have two formulas are exposed; those of torch.optim pass."""

import functools
import random

import numpy as np
import pytest
import torch

from probes.profiles.answers import Status
from probes.profiles.questions import all_questions, ask
from probes.running.candidate import Candidate, of_class
from probes.running.problem import Effort


def answer(key, candidate):
    asked = next(question for question in all_questions() if question.key == key)
    return ask(asked, candidate, Effort(instances=2, steps=40))


class Planted(torch.optim.Optimizer):
    """Gradient descent with a momentum of 1/2 in its state, and room for one mistake."""

    def __init__(self, params, lr=1e-2, foreach=None):
        super().__init__(params, {"lr": lr, "foreach": foreach})

    def memory(self, p):
        return self.state[p]

    def update(self, p, group):  # noqa: ARG002 - for mistakes that read it
        memory = self.memory(p)
        memory["v"] = memory.get("v", 0) / 2 + p.grad
        return memory["v"]

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["lr"] * self.update(p, group))


class OutsideState(Planted):
    """Keeps its momentum in an attribute, which no state_dict has."""

    @functools.cached_property
    def attribute(self):
        return {}

    def memory(self, p):
        return self.attribute.setdefault(id(p), {})


class Forgets(Planted):
    """Drops its state when it is loaded."""

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict | {"state": {}})


class KeepsItsRate(Planted):
    """Does not restore the learning rate."""

    def load_state_dict(self, state_dict):
        rates = [group["lr"] for group in self.param_groups]
        super().load_state_dict(state_dict)
        for group, rate in zip(self.param_groups, rates, strict=True):
            group["lr"] = rate


class Tag:
    """What torch.load with weights_only=True refuses."""


class Tagged(Planted):
    def update(self, p, group):
        self.state[p]["tag"] = Tag()
        return super().update(p, group)


class RefusesToLoad(Planted):
    def load_state_dict(self, state_dict):
        raise KeyError(*state_dict["state"])


class Noisy(Planted):
    def update(self, p, group):
        return super().update(p, group) + torch.randn_like(p)


class NoisyElsewhere(Planted):
    """Draws numbers that no seed of torch decides."""

    def update(self, p, group):
        return super().update(p, group) * random.SystemRandom().random()


class OwnNoise(Planted):
    """Draws from a generator of its own, which no state_dict has."""

    @functools.cached_property
    def generator(self):
        return torch.Generator().manual_seed(0)

    def update(self, p, group):
        return super().update(p, group) + torch.randn(p.shape, generator=self.generator, dtype=p.dtype)


class AnotherFormula(Planted):
    """One part in a thousand more, with foreach."""

    def update(self, p, group):
        return super().update(p, group) * (1 + 1e-3 * bool(group["foreach"]))


class RoundsOtherwise(Planted):
    """A few thousand roundings away, with foreach."""

    def update(self, p, group):
        return super().update(p, group) * (1 + 1e-12 * bool(group["foreach"]))


class InSingle(Planted):
    """Its update in single precision, with foreach."""

    def update(self, p, group):
        update = super().update(p, group)
        return update.float().double() if group["foreach"] else update


class KeepsInSingle(Planted):
    """Its momentum in single precision, until load_state_dict gives it that of the weights."""

    def update(self, p, group):  # noqa: ARG002
        memory = self.memory(p)
        memory["v"] = (memory.get("v", 0) / 2 + p.grad).to(memory["v"].dtype if "v" in memory else torch.float32)
        return memory["v"]


class Averages(Planted):
    """Has an evaluation mode, in which the weights are others; the mode is an entry of its groups."""

    def __init__(self, params):
        super().__init__(params)
        for group in self.param_groups:
            group["mode"] = "train"

    def update(self, p, group):
        assert group["mode"] == "train"
        return super().update(p, group)

    @torch.no_grad()
    def switch(self, mode, factor):
        for group in self.param_groups:
            if group["mode"] != mode:
                group["mode"] = mode
                for p in group["params"]:
                    p.mul_(factor)

    def train(self):
        self.switch("train", 1 / 2)

    def eval(self):
        self.switch("eval", 2)


def of(kind):
    return Candidate(kind.__name__, kind)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "says"),
    [(Planted, "bit for bit"), (Noisy, "from one torch seed"), (NoisyElsewhere, "differs"), (OwnNoise, "bit for bit")],
)
def test_random_numbers_are_seen_and_told_from_those_of_a_seed(kind, says):
    assert answer("same seed", of(kind)).says == says


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Planted, "bit for bit"),
        (Averages, "bit for bit"),
        (Noisy, "bit for bit"),
        (OutsideState, "goes on otherwise"),
        (Forgets, "goes on otherwise"),
        (KeepsItsRate, "goes on otherwise"),
        (OwnNoise, "goes on otherwise"),
        (KeepsInSingle, "to single precision"),
        (Tagged, "not from a file"),
        (RefusesToLoad, "cannot be resumed"),
    ],
)
def test_what_a_state_dict_lacks_is_exposed(kind, says):
    assert answer("state_dict", of(kind)).says == says


@pytest.mark.slow
def test_a_run_that_is_not_repeatable_is_not_compared_with_an_interrupted_one():
    assert answer("state_dict", of(NoisyElsewhere)).status is Status.NOT_IDENTIFIABLE


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Planted, "bit for bit"),
        (RoundsOtherwise, "to rounding"),
        (InSingle, "to single precision"),
        (AnotherFormula, "differ"),
    ],
)
def test_implementations_are_compared(kind, says):
    found = answer("implementations", of(kind))
    assert found.says == says
    assert [measured.name for measured in found.measured] == ["relative difference, foreach"]


@pytest.mark.slow
def test_an_implementation_that_is_no_number_differs():
    class NotANumber(Planted):
        def __init__(self, params):
            super().__init__(params)
            for group in self.param_groups:
                group["fused"] = None

        def update(self, p, group):
            return super().update(p, group) * (torch.nan if group["fused"] else 1)

    assert answer("implementations", of(NotANumber)).says == "differ"


@pytest.mark.slow
def test_one_implementation_is_not_compared():
    class One(Planted):
        def __init__(self, params):
            super().__init__(params)
            for group in self.param_groups:
                del group["foreach"]

    assert answer("implementations", of(One)).status is Status.NOT_APPLICABLE


@pytest.mark.slow
def test_nadam_goes_on_with_a_product_of_another_precision():
    # given  mu_product is kept in single precision, and load_state_dict gives it the precision of the weights
    found = answer("state_dict", of_class("NAdam", torch.optim.NAdam, {}))
    # then
    assert found.says == "to rounding"
    assert all(0 < value < 2.0**-24 for value in found.measured[0].values)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
@pytest.mark.parametrize("option", ["foreach", "fused"])
def test_an_entry_of_the_groups_chooses_the_implementation_that_the_constructor_would(name, option):
    # given
    kind, iterates = getattr(torch.optim, name), []
    for constructed in (True, False):
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 7, dtype=torch.float64))
        optimizer = kind([weight], **({option: True} if constructed else {}))
        for group in optimizer.param_groups:
            group[option] = True
        # when
        with torch.profiler.profile() as profile:
            for _ in range(3):
                weight.grad = weight.detach() ** 3
                optimizer.step()
        # then  the kernel of that name ran
        kernel = {"foreach": "aten::_foreach_", "fused": "aten::_fused_"}[option]
        assert any(event.key.startswith(kernel) for event in profile.key_averages())
        iterates.append(weight.detach().numpy())
    assert np.array_equal(*iterates)
