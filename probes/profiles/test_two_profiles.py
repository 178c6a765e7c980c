"""Self-tests: two profiles of one optimizer never differ, and those of two optimizers with other limits always do."""

import pytest

from probes.compare import compare
from probes.profiles.profile import answer_of, assemble, questions_of
from probes.running.candidate import Candidate
from probes.running.problem import Effort

pytestmark = pytest.mark.slow


SHORT = Effort(steps=200)


def profile(make, effort, questions, has_step=False):
    candidate = Candidate("mine", make, has_step)
    return assemble(candidate, effort, [answer_of(question, candidate, effort, ()) for question in questions])


def optimizer(name, **options):
    import torch

    return lambda parameters: getattr(torch.optim, name)(parameters, **options)


def drifting(parameters):
    """Gradient descent whose gradient has a part of 1e-3 of its length in a direction that no data have chosen."""
    import torch

    class Drifting(torch.optim.SGD):
        def step(self, closure=None):
            for group in self.param_groups:
                for parameter in group["params"]:
                    count = parameter[0].numel()
                    direction = torch.cos(torch.arange(1, count + 1, dtype=torch.float64)).reshape(parameter[0].shape)
                    length = parameter.grad.flatten(1).norm(dim=1).reshape(-1, *[1] * (parameter.ndim - 1))
                    parameter.grad += 1e-3 * length * direction / direction.norm()
            return super().step(closure)

    return Drifting(parameters)


def test_the_same_run_again_has_the_same_bits():
    one, again = (profile(optimizer("Adam"), SHORT, questions_of(None)) for _ in range(2))
    found = compare(one, again)
    assert found.changes == ()
    assert found.others[-1].endswith("all bit for bit the same")


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_other_instances_are_no_change(name):
    one, other = (profile(optimizer(name), Effort(steps=1000, seed=seed), questions_of(None)) for seed in (0, 1))
    found = compare(one, other)
    assert found.changes == ()
    assert found.judged > 0


def test_a_step_at_which_one_instance_is_not_calm_is_no_change():
    key, (one, other) = ["noise at a minimum"], (Effort(seed=seed) for seed in (0, 1))
    first, second = (profile(optimizer("Adam"), effort, questions_of(key)) for effort in (one, other))
    # at the step 0.01 noise vanishes in all instances of the first seed, and not in all of the second
    assert first.answers[0].says != second.answers[0].says
    assert compare(first, second).changes == ()


@pytest.mark.parametrize("seed", [0, 1])
def test_weight_decay_that_is_decoupled_is_a_change(seed):
    asked, options = questions_of(["weight decay"]), {"lr": 1e-2, "weight_decay": 0.1}
    adam = profile(optimizer("Adam", lr=1e-2), Effort(), asked, has_step=True)
    coupled, decoupled = (
        profile(optimizer(name, **options), Effort(seed=seed), asked, has_step=True) for name in ("Adam", "AdamW")
    )
    assert compare(adam, decoupled).has_changed
    assert compare(coupled, decoupled).has_changed


@pytest.mark.parametrize("seed", [0, 1])
def test_a_drift_of_a_thousandth_out_of_the_row_space_is_a_change(seed):
    asked = questions_of(["row space"])
    plain, drifted = profile(optimizer("SGD"), Effort(), asked), profile(drifting, Effort(seed=seed), asked)
    found = compare(plain, drifted)
    assert any(line.startswith("row space, share outside row(X), from zero") for line in found.changes)
    assert not compare(plain, profile(optimizer("SGD"), Effort(seed=seed), asked)).has_changed
