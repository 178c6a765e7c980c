"""Self-tests: the border of stability of known optimizers is that of theory, and planted ones are told from it."""

import functools

import numpy as np
import pytest
import torch

from fixtures.precision import rounding
from fixtures.problems.batches import stack
from fixtures.problems.quadratic import LENGTH, read_quadratic
from fixtures.problems.small_networks import LENGTH as NETWORK_LENGTH
from fixtures.problems.small_networks import read_small_network
from probes.measures.linear_recursion import TOLERANCE, linear_map
from probes.measures.network_sharpness import (
    WEIGHTS,
    edge_of,
    hessians,
    largest,
    network_loss,
    preconditioner,
    recording,
    sharpness_of,
)
from probes.measures.stability import border_of, diverges
from probes.profiles.answers import Status
from probes.profiles.questions import all_questions, ask
from probes.running.candidate import Candidate, gradient_descent, of_class
from probes.running.problem import Effort, Problem
from probes.running.run import train

EFFORT = Effort(instances=4, steps=1000)
ASKED = {asked.key: asked for asked in all_questions() if asked.file.endswith("question_6_stability.py")}
QUADRATICS = stack(EFFORT.draw("stable step", read_quadratic, LENGTH))


class Planted(torch.optim.Optimizer):
    """Steps along a function of the gradients of all parameters, with heavy-ball momentum `hidden`."""

    def __init__(self, params, direction=lambda gradients: gradients, hidden=0.0, momentum=0.0, lr=0.1):
        self.direction, self.hidden = direction, hidden
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            moves = self.direction([p.grad for p in group["params"]])
            for p, move in zip(group["params"], moves, strict=True):
                average = self.state[p].setdefault("average", torch.zeros_like(p))
                p.sub_(group["lr"] * average.mul_(self.hidden).add_(move))


def planted(**options):
    return Candidate("planted", functools.partial(Planted, **options), has_step=True)


def each(function):
    """A direction that treats each parameter alone."""
    return lambda gradients: [function(g) for g in gradients]


def of(name, **options):
    return of_class(f"torch.optim:{name}", getattr(torch.optim, name), options)


def stable_step(candidate):
    return ask(ASKED["stable step"], candidate, EFFORT)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "says", "border"),
    [
        ({}, "2/lambda", 2.0),
        ({"momentum": 0.9}, "2(1+beta)/lambda", 3.8),
        ({"momentum": 0.5, "nesterov": True}, "(2+2beta)/((1+2beta)lambda)", 1.5),
        ({"momentum": 0.9, "dampening": 0.5}, "another step", 7.6),
        ({"weight_decay": 0.1, "lr": 0.5}, "another step", 1.95),
    ],
    ids=str,
)
def test_the_largest_stable_step_of_gradient_descent_is_that_of_theory(options, says, border):
    answer = stable_step(of("SGD", **options))
    assert answer.says == says
    assert answer.measured[0].values == pytest.approx(4 * [border], rel=TOLERANCE)


@pytest.mark.slow
def test_a_user_step_changes_nothing_and_a_doubled_one_halves_the_border():
    assert stable_step(of("SGD", lr=1e-3)).says == "2/lambda"
    answer = stable_step(planted(direction=each(lambda g: 2 * g)))
    assert (answer.says, answer.measured[0].values) == ("another step", pytest.approx(4 * [1.0], rel=TOLERANCE))
    answer = stable_step(planted(direction=each(lambda g: 1.001 * g)))
    assert answer.says == "another step"


@pytest.mark.slow
def test_a_momentum_other_than_the_declared_one_is_another_step():
    assert stable_step(planted(hidden=0.9, momentum=0.9)).says == "2(1+beta)/lambda"
    answer = stable_step(planted(hidden=0.8, momentum=0.9))
    assert (answer.says, answer.measured[0].values) == ("another step", pytest.approx(4 * [3.6], rel=TOLERANCE))


@pytest.mark.slow
def test_a_rotated_gradient_has_the_border_of_its_rotated_curvature():
    turn = torch.eye(4, dtype=torch.float64)
    turn[:2, :2] = torch.tensor([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    answer = stable_step(planted(direction=each(lambda g: g @ turn)))
    roots = np.linalg.eigvals(turn.numpy().T @ QUADRATICS.H)
    assert answer.says == "another step"
    assert answer.measured[0].values == pytest.approx((2 * roots.real / np.abs(roots) ** 2).min(1), rel=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "direction",
    [
        each(torch.sign),
        each(lambda g: g / g.norm()),
        lambda gradients: [g / max(1.0, float(sum(h.square().sum() for h in gradients) ** 0.5)) for g in gradients],
    ],
    ids=["sign descent", "normalized descent", "clip by the global norm"],
)
def test_steps_of_bounded_length_never_grow_without_end(direction):
    assert stable_step(planted(direction=direction)).says == "stable at every step"


@pytest.mark.slow
def test_an_oscillation_far_above_the_start_is_no_growth():
    assert not diverges(planted(direction=each(torch.sign), lr=50.0), QUADRATICS, np.ones(4), 50.0, 200).any()
    assert not diverges(planted(direction=each(lambda g: -torch.sign(g))), QUADRATICS, np.ones(4), 0.1, 200).any()


@pytest.mark.slow
def test_adam_is_stable_at_every_step_and_ascent_at_none():
    assert stable_step(of("Adam")).says == "stable at every step"
    answer = stable_step(planted(direction=each(torch.neg)))
    assert (answer.status, answer.detail[:16]) == (Status.NOT_IDENTIFIABLE, "unstable already")


@pytest.mark.slow
def test_noise_is_no_linear_recursion_and_its_border_is_that_of_growing_runs():
    generator = torch.Generator().manual_seed(0)
    noisy = planted(direction=each(lambda g: g + 1e-6 * torch.randn(g.shape, generator=generator, dtype=g.dtype)))
    border = border_of(noisy, EFFORT)
    assert not border.linear
    assert border.values == pytest.approx(4 * [2.0], rel=border.width)


@pytest.mark.slow
def test_the_radius_of_the_recursion_is_that_of_the_companion_matrix():
    found = linear_map(of("SGD", lr=0.1, momentum=0.9), QUADRATICS, np.full(4, 5.0), 0.1)
    roots = [[np.abs(np.roots([1, -(1.9 - 0.5 * c), 0.9])).max() for c in one] for one in QUADRATICS.curvatures]
    assert found.radius == pytest.approx(np.max(roots, axis=1), rel=TOLERANCE)
    assert found.residual.max() <= TOLERANCE


@pytest.mark.slow
def test_runs_cut_short_by_others_are_run_again():
    grown = diverges(gradient_descent(), QUADRATICS, np.array([1e4, 10.0, 21.0, 1.0]), 0.1, 200)
    assert list(grown) == [True, False, True, False]


def test_the_hessian_of_a_network_is_that_of_finite_differences():
    drawn = stack(EFFORT.draw("final sharpness", read_small_network, NETWORK_LENGTH))
    factors = [drawn.U, drawn.W, drawn.v]
    H, delta = hessians(drawn, factors), 2.0**-13
    data = [torch.as_tensor(drawn.X), torch.as_tensor(drawn.y)]

    def loss(shift):
        moved = [drawn.U, drawn.W, drawn.v.copy()]
        moved[2][:, 0] += shift
        return network_loss(data, [torch.as_tensor(factor) for factor in moved], 0).numpy()

    # the loss is quadratic in v, so the difference is off by rounding alone
    second = (loss(delta) - 2 * loss(0) + loss(-delta)) / delta**2
    assert H[:, 45, 45] == pytest.approx(second, abs=rounding(4 * WEIGHTS, loss(delta).max()) / delta**2)
    assert largest(H) == pytest.approx([np.linalg.norm(one, 2) for one in H])
    assert np.isnan(largest(np.full((1, 2, 2), np.nan))).all()


@pytest.mark.slow
def test_second_moments_are_found_in_every_layout_and_only_where_theory_knows_their_edge():
    assert edge_of(of("Adam"), 1000) == pytest.approx(38)
    assert edge_of(of("RMSprop", momentum=0.5), 1000) == 3.0
    assert edge_of(of("NAdam"), 10**6) == pytest.approx(2 / (0.1 + 0.9 * 0.1 / 1.9))
    assert [edge_of(of(name), 1000) for name in ("SGD", "Adadelta", "Adagrad", "LBFGS")] == 4 * [None]
    drawn = stack(EFFORT.draw("final sharpness", read_small_network, NETWORK_LENGTH))
    problem = Problem((drawn.U, drawn.W, drawn.v), (drawn.X, drawn.y), network_loss)
    found = []
    for layout in ("coordinates", "parameters", "apart"):
        recorded, built = recording(of("Adam", lr=0.1))
        train(recorded, problem, steps=5, decay=False, layout=layout)
        found.append(preconditioner(built[-4:] if layout == "apart" else built[-1:], 4))
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[0] == pytest.approx(found[2], rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "edge"), [(1.0, 38), (0.5, None)])
def test_the_edge_of_adam_is_that_of_an_optimizer_whose_steps_are_those_of_adam(share, edge):
    class Copy(torch.optim.Optimizer):
        """Adam with this share of its steps."""

        def __init__(self, parameters):
            super().__init__(parameters, {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8})

        @torch.no_grad()
        def step(self):
            for p in self.param_groups[0]["params"]:
                state = self.state[p]
                m, v, t = (state.get(name, 0) for name in ("exp_avg", "exp_avg_sq", "step"))
                m, v, t = 0.9 * m + 0.1 * p.grad, 0.999 * v + 0.001 * p.grad**2, t + 1
                state.update(exp_avg=m, exp_avg_sq=v, step=t)
                p -= 1e-3 * share * m / (1 - 0.9**t) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)

    assert edge_of(of_class("copy", Copy, {}), 1000) == (None if edge is None else pytest.approx(edge))


def test_after_one_step_the_corrected_second_moment_is_the_squared_gradient():
    drawn = stack(EFFORT.draw("final sharpness", read_small_network, NETWORK_LENGTH))
    problem = Problem((drawn.U, drawn.W, drawn.v), (drawn.X, drawn.y), network_loss)
    recorded, built = recording(of("Adam", lr=0.1))
    train(recorded, problem, steps=1, decay=False, layout="coordinates")
    factors = [torch.as_tensor(factor).requires_grad_() for factor in problem.start]
    loss = network_loss([torch.as_tensor(array) for array in problem.data], factors, 0).sum()
    gradients = [g.reshape(4, -1).abs() for g in torch.autograd.grad(loss, factors)]
    assert preconditioner(built[-1:], 4) == pytest.approx(torch.cat(gradients, 1).numpy() + 1e-8, rel=1e-9)


@pytest.mark.slow
def test_second_moments_are_those_of_the_run_at_a_step_of_the_user_too():
    few = Effort(instances=4, steps=40)
    assert np.isfinite(sharpness_of(of("Adam", lr=1e-3), few).preconditioned).all()
    assert np.isnan(sharpness_of(of("SGD", lr=1e-3), few).preconditioned).all()


@pytest.mark.slow
def test_without_a_known_threshold_the_sharpness_is_not_asked():
    answer = ask(ASKED["final sharpness"], planted(direction=each(torch.sign)), EFFORT)
    assert answer.status is Status.NOT_APPLICABLE


@pytest.mark.slow
def test_gradient_descent_ends_below_its_threshold_where_a_small_step_would_not():
    answer = ask(ASKED["final sharpness"], of("SGD"), Effort(instances=4))
    assert answer.says == "kept below the threshold"
    assert 0.9 < max(answer.measured[0].values) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Adam", "RMSprop", "NAdam"])
def test_adaptive_methods_end_at_their_preconditioned_threshold(name):
    assert ask(ASKED["final sharpness"], of(name), Effort(instances=4)).says == "at the preconditioned threshold"
