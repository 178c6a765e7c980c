"""Self-tests: two profiles of one optimizer never differ, and those of two optimizers with other limits always do."""

import numpy as np
import pytest

from fixtures.problems.batches import stack
from fixtures.problems.interpolation import LENGTH, read_interpolation
from probes.compare import compare
from probes.profiles.answers import Question
from probes.profiles.profile import answer_of, assemble, questions_of
from probes.running.candidate import Candidate
from probes.running.problem import Effort, least_squares
from probes.running.run import search

pytestmark = pytest.mark.slow


def ask_where_it_ends(candidate, effort, answer):
    """From zero: |Xw - y|, and the share of w that lies outside row(X)."""
    drawn = stack(effort.draw("landing", read_interpolation, LENGTH))
    problem = least_squares(drawn.X, drawn.y, 0 * drawn.w0)
    run = search(candidate, problem, steps=effort.steps, reached=lambda run: run.loss <= 1e-6 * run.first_loss)
    (w,) = run.factors
    shares = np.linalg.norm(drawn.off_row_space(w), axis=1) / np.linalg.norm(w, axis=1)
    # Gradient descent with the step 0.1 contracts by 1 - 0.1 s_n^2 in each of the steps before the decay.
    left = (1 - 0.1 / 9) ** (effort.steps / 2)
    answer.measured("|Xw - y|", (2 * run.loss) ** 0.5, resolution=left)
    # Each step along the gradient rounds 20 weights of at most 3 in size.
    answer.measured("share outside row(X)", shares, resolution=effort.steps * 20 * 3 * 2.0**-52)
    answer.answered("measured", "")


LANDING = Question("landing", "Where it ends", ("measured",), ask_where_it_ends, "")
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
    one, other = (
        profile(optimizer(name), Effort(steps=1000, seed=seed), [*questions_of(None), LANDING]) for seed in (0, 1)
    )
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
    adam = profile(optimizer("Adam", lr=1e-2), Effort(), [LANDING], has_step=True)
    decayed = optimizer("AdamW", lr=1e-2, weight_decay=0.1)
    found = compare(adam, profile(decayed, Effort(seed=seed), [LANDING], has_step=True))
    assert any(line.startswith("landing, |Xw - y|") for line in found.changes)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_drift_of_a_thousandth_out_of_the_row_space_is_a_change(seed):
    plain, drifted = profile(optimizer("SGD"), Effort(), [LANDING]), profile(drifting, Effort(seed=seed), [LANDING])
    (line,) = compare(plain, drifted).changes
    assert line.startswith("landing, share outside row(X)")
    assert not compare(plain, profile(optimizer("SGD"), Effort(seed=seed), [LANDING])).has_changed
