"""Self-tests: gradient descent passes question 5, and planted optimizers of factored models are exposed."""

import functools

import numpy as np
import pytest

from probes.measures.factored import imbalance
from probes.measures.factored_modes import first_times
from probes.measures.factored_runs import Drift, complete
from probes.profiles.answers import Status
from probes.profiles.questions import all_questions, ask
from probes.running.candidate import Candidate, of_class
from probes.running.problem import Effort
from probes.running.run import Trained
from properties.certificates import assert_at_most, assert_identical, assert_within

EFFORT = Effort(instances=3, steps=1600)


@functools.cache
def planted():
    """The classes of the planted optimizers, by name: torch is imported where they are used."""
    import torch

    class Descent(torch.optim.Optimizer):
        """Gradient descent that moves a parameter by `self.moved(p, rate, index)`; index 0 for the first factor."""

        def __init__(self, parameters, lr=0.1):
            super().__init__(parameters, {"lr": lr})
            self.taken = 0

        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                for index, p in enumerate(group["params"]):
                    self.moved(p, group["lr"], 2 * index // len(group["params"]))
            self.taken += 1

        def moved(self, p, rate, index):  # noqa: ARG002
            p -= rate * p.grad

    class OneTwiceAsFast(Descent):
        def moved(self, p, rate, index):
            p -= rate * (2 - index) * p.grad

    class InTurns(Descent):
        def moved(self, p, rate, index):
            if index == self.taken % 2:
                p -= rate * p.grad

    class Normalized(Descent):
        def moved(self, p, rate, index):  # noqa: ARG002
            p -= rate * p.grad / p.grad.norm().clamp_min(1e-12)

    class Decayed(Descent):
        def moved(self, p, rate, index):  # noqa: ARG002
            p -= rate * (p.grad + 0.03 * p)

    class EnlargesItsStart(Descent):
        def moved(self, p, rate, index):  # noqa: ARG002
            if self.taken == 0:
                p *= 4
            else:
                p -= rate * p.grad

    class JumpsToTheLeastNorm(Descent):
        def moved(self, p, rate, index):  # noqa: ARG002
            alone = len(self.param_groups[0]["params"]) == 1
            least, first = [[1.0, 2], [2, 1]], [[1.0, 0], [2, 0]]
            to = torch.tensor(first if alone else (least, [[1.0, 0], [0, 1]])[index], dtype=p.dtype)
            p.copy_((to / 2).expand_as(p))

    class Spectral(Descent):
        def moved(self, p, rate, index):  # noqa: ARG002
            left, _, right = torch.linalg.svd(p.grad, full_matrices=False)
            p -= rate * left @ right

    kinds = (OneTwiceAsFast, InTurns, Normalized, Decayed, EnlargesItsStart, JumpsToTheLeastNorm, Spectral)
    return {kind.__name__: kind for kind in kinds}


def asked(key, candidate, effort=EFFORT):
    """The answer to the question of this key."""
    return ask(next(question for question in all_questions() if question.key == key), candidate, effort)


def plant(name, **options):
    """A candidate of the planted class; its step is searched unless it is given."""
    return of_class(name, planted()[name], options)


def descent(**options):
    """torch.optim.SGD."""
    import torch

    return of_class("torch.optim:SGD", torch.optim.SGD, options)


def adam():
    """torch.optim.Adam."""
    import torch

    return of_class("torch.optim:Adam", torch.optim.Adam, {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("balancedness", "kept as the step shrinks"),
        ("diagonal alpha", "Q of the start"),
        ("completion", "least rank"),
        ("order of modes", "one after another"),
    ],
)
def test_gradient_descent_answers_what_is_proved_of_it(key, says):
    answer = asked(key, descent(), Effort(instances=6))
    assert (answer.status, answer.says) == (Status.ANSWERED, says)
    for measured in answer.measured:
        assert_identical(measured.values, measured.control, why=f"{measured.name}: the control is the same run")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["OneTwiceAsFast", "Normalized", "Decayed"])
def test_the_balance_that_is_lost_is_seen_at_a_step_that_is_found(name):
    assert asked("balancedness", plant(name), Effort(instances=6)).says == "not kept"


@pytest.mark.slow
def test_the_balance_that_is_lost_is_seen():
    assert asked("balancedness", plant("OneTwiceAsFast", lr=0.03), Effort(instances=2, steps=1200)).says == "not kept"


@pytest.mark.slow
def test_factors_that_move_in_turns_keep_the_balance():
    assert (
        asked("balancedness", plant("InTurns", lr=0.06), Effort(instances=2, steps=1200)).says
        == "kept as the step shrinks"
    )


@pytest.mark.slow
def test_a_start_that_is_moved_shows_as_another_alpha():
    answer = asked("diagonal alpha", plant("EnlargesItsStart", lr=0.05), Effort(instances=3, steps=3000))
    assert answer.says == "Q of another alpha"
    effective = [m for m in answer.measured if m.name.startswith("log2")]
    for measured in effective:
        assert_within(1.75, np.array(measured.values), 2.25, why="log2 of 4")


@pytest.mark.slow
def test_a_diagonal_network_under_adam_is_off_the_curve():
    assert asked("diagonal alpha", adam()).says == "off the curve"


@pytest.mark.slow
def test_the_completion_of_least_norm_is_recognized():
    answer = asked("completion", plant("JumpsToTheLeastNorm", lr=0.1), Effort(instances=2, steps=2000))
    assert answer.says == "least nuclear norm"
    assert_at_most(np.abs(np.array(answer.measured[0].values) - 4), answer.measured[0].resolution, why="norm of UV'")
    assert_at_most(np.abs(np.array(answer.measured[1].values) - 5), answer.measured[1].resolution, why="norm of UU'")


@pytest.mark.slow
def test_under_a_spectral_step_the_weakest_mode_is_learned_first():
    # both factors grow at one speed in all directions, so a mode s takes a time ~ s^(1/2)
    answer = asked("order of modes", plant("Spectral"))
    assert answer.says == "weakest first"
    for measured in answer.measured:
        assert_within(-0.5, np.array(measured.values), -0.5, slack=measured.resolution, why="p of half times ~ s^(-p)")


@pytest.mark.slow
def test_an_optimizer_without_a_learning_rate_is_told_so():
    import torch

    class Fixed(torch.optim.Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, {})

        @torch.no_grad()
        def step(self):
            for p in self.param_groups[0]["params"]:
                p -= 0.06 * p.grad

    answer = asked("balancedness", Candidate("fixed", Fixed, has_step=False), Effort(instances=2, steps=800))
    assert answer.status is Status.NOT_APPLICABLE


@pytest.mark.slow
def test_what_does_not_fit_is_no_answer():
    for key in ("balancedness", "diagonal alpha", "completion", "order of modes"):
        answer = asked(key, descent(lr=1e-6), Effort(instances=2, steps=40))
        assert answer.status is Status.NOT_CONVERGED, key


def test_a_first_time_is_interpolated():
    watched = {0: np.array([[0.0, 0.0]]), 10: np.array([[0.25, 0.0]]), 20: np.array([[0.75, 0.2]])}
    run = Trained((), *np.zeros((2, 1)), np.ones(1, bool), 0.1, 20, watched)
    assert_identical(first_times(run, 0.5), [[15, np.inf]], why="when 1/2 is reached")


@pytest.mark.parametrize(
    ("powers", "kept", "lost"),
    [((1, 0.8), True, False), ((1, 0.5), False, False), ((0.5, 0.2), False, False), ((0.2, -1), False, True)],
)
def test_a_balance_is_kept_or_lost_where_all_powers_say_so(powers, kept, lost):
    fine = np.full(2, 1e-3)
    found = Drift(None, fine * 4.0 ** np.array(powers), fine, noise=1e-9)
    assert_at_most(np.abs(found.power - powers), 1e-12, why="powers of the step")
    assert (found.kept(1 / 4), found.lost(1 / 4)) == (kept, lost)


def test_a_drift_that_is_rounding_is_kept():
    found = Drift(None, np.full(2, 1e-12), np.full(2, 1e-12), noise=1e-9)
    assert (found.kept(1 / 4), found.lost(1 / 4)) == (True, False)


def test_the_imbalance_by_hand():
    W_1, W_2 = np.array([[[1.0], [2]]]), np.array([[[3.0, 4]]])
    assert_identical(imbalance((W_1, W_2)), [[[8, 10], [10, 12]]], why="W_2'W_2 - W_1W_1'")


@pytest.mark.slow
def test_a_positive_semidefinite_completion_has_norm_five_at_least():
    starts = 0.5 * np.random.default_rng(1).standard_normal((3, 4, 2, 2))
    _, one = complete(descent(lr=0.1), starts, 2000)
    # the trace is at least a + b^2/a for W_11 = a and W_12 = b, whose slopes at (1, 2) are -3 and 4
    assert_at_most(5 - 7 * one.misfit, one.norms, why="nuclear norm of UU'")
