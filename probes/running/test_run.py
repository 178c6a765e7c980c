"""Self-tests: a run has its schedule, its layout, its early end; a search has its order."""

import numpy as np
import pytest
import torch

from fixtures.precision import rounding
from probes.running.candidate import GRID, Candidate, OptimizerFault, of_class
from probes.running.problem import Problem, least_squares
from probes.running.run import DIVERGED, LAST_SHARE, layout_of, search, train

COUNT = 4


def quadratic(scale=1.0):
    """|w - c|^2/2 for four c (3,), from zero."""
    rng = np.random.default_rng(5)
    return least_squares(
        np.repeat(np.eye(3)[None], COUNT, axis=0), scale * rng.normal(size=(COUNT, 3)), np.zeros((COUNT, 3))
    )


def matrices():
    """|W - C|^2/2 for four C (2, 3), from a start that is not zero, and a vector as a second factor."""
    rng = np.random.default_rng(6)

    def loss(data, factors, t):  # noqa: ARG001
        C, c = data
        return 0.5 * (factors[0] - C).square().sum((1, 2)) + 0.5 * (factors[1] - c).square().sum(1)

    C, c = rng.normal(size=(COUNT, 2, 3)), rng.normal(size=(COUNT, 3))
    return Problem((rng.normal(size=C.shape), rng.normal(size=c.shape)), (C, c), loss)


class Planted(torch.optim.Optimizer):
    """Gradient descent, and room for a rule that looks at all parameters, at one, or at each entry."""

    def __init__(self, params, lr=1e-2):
        super().__init__(params, {"lr": lr})
        self.rates, self.taken = [], 0

    def factor(self, p):  # noqa: ARG002 - for rules that read it
        return 1.0

    @property
    def everything(self):
        return [p for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self):
        self.taken += 1
        for group in self.param_groups:
            self.rates.append(float(group["lr"]))
            factors = [self.factor(p) for p in group["params"]]
            for p, factor in zip(group["params"], factors, strict=True):
                p.sub_(group["lr"] * factor * p.grad)


class ClipsTogether(Planted):
    """A clip by the norm of all gradients together, which acts only where that exceeds 10."""

    def factor(self, p):  # noqa: ARG002
        return min(1.0, 10.0 / float(torch.stack([q.grad.norm() for q in self.everything]).norm()))


class ClipsEach(Planted):
    """A clip by the norm of each gradient, which acts only where that exceeds 10."""

    def factor(self, p):
        return min(1.0, 10.0 / float(p.grad.norm()))


class NormalizesEach(Planted):
    def factor(self, p):
        return 1 / p.grad.norm()


class Signs(Planted):
    def factor(self, p):
        return 1 / p.grad.abs()


class NormalizesLate(Planted):
    """Gradient descent for 24 steps, then by the norm of each gradient: a preconditioner that starts late."""

    def factor(self, p):
        return 1 / p.grad.norm() if self.taken > 24 else 1.0


class ClipsFar(Planted):
    """Signs, shortened by the way that all weights together have gone once that exceeds 1/10: not by small steps."""

    def __init__(self, params, lr=1e-2):
        super().__init__(params, lr)
        self.starts = [p.detach().clone() for p in self.everything]

    def factor(self, p):
        ways = [(q - start).norm() for q, start in zip(self.everything, self.starts, strict=True)]
        return 1 / (p.grad.abs() * max(1.0, 10 * float(torch.stack(ways).norm())))


class Draws(Planted):
    """Draws numbers that are as large as the step, and couples nothing."""

    def factor(self, p):
        return 1 + torch.rand_like(p) if self.param_groups[0]["lr"] >= 0.5 else 1.0


class Counts(Planted):
    """Divides by the number of its parameters, and by the norm of each gradient."""

    def factor(self, p):
        return 1 / (len(self.everything) * p.grad.norm())


class Refuses(Planted):
    """Refuses more than one parameter of a shape."""

    def __init__(self, params):
        if len({p.shape for p in params}) < len(params):
            raise ValueError("two of a shape")
        super().__init__(params)


def made(kind, has_step=False):
    """A candidate, and the list of the optimizers that it makes from now on."""
    optimizers = []

    def make(params):
        optimizers.append(kind(params))
        return optimizers[-1]

    return Candidate(kind.__name__, make, has_step=has_step), optimizers


# -------------------------------------------------------------------------------------------------- layouts


@pytest.mark.slow
@pytest.mark.parametrize("problem", [quadratic(), matrices()], ids=["vectors", "factors"])
@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        (Planted, "coordinates"),
        (Signs, "coordinates"),
        (NormalizesEach, "parameters"),
        (ClipsEach, "parameters"),
        (NormalizesLate, "parameters"),
        (ClipsTogether, "apart"),
        (ClipsFar, "apart"),
        (Draws, "coordinates"),
        (Counts, "apart"),
        (Refuses, "coordinates"),
    ],
)
def test_the_layout_is_the_fastest_that_does_not_mix_instances(kind, layout, problem):
    assert layout_of(Candidate(kind.__name__, kind, has_step=False), problem) == layout


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Planted, NormalizesEach, ClipsTogether])
def test_an_instance_gets_in_a_batch_what_it_gets_alone(kind):
    # given
    candidate, problem = Candidate(kind.__name__, kind), matrices()
    # when
    together = train(candidate, problem, steps=30, step=0.05)
    alone = [train(candidate, problem.only(slice(b, b + 1)), steps=30, step=0.05) for b in range(COUNT)]
    # then  a weight goes through some ten roundings in each step
    for factor, position in ((factor, position) for position, factor in enumerate(together.factors)):
        apart = np.concatenate([run.factors[position] for run in alone])
        assert np.abs(factor - apart).max() <= rounding(30 * 10, np.abs(apart).max())


@pytest.mark.slow
def test_a_vector_is_given_as_a_matrix_with_one_row():
    candidate, optimizers = made(NormalizesEach)
    train(candidate, quadratic(), steps=1)
    assert [tuple(p.shape) for p in optimizers[-1].everything] == COUNT * [(1, 3)]


# -------------------------------------------------------------------------------------------------- schedule


@pytest.mark.slow
@pytest.mark.parametrize("as_tensor", [False, True], ids=["number", "tensor"])
def test_the_step_is_constant_and_then_falls_geometrically(as_tensor):
    # given
    own = torch.tensor(0.5, dtype=torch.float64)
    candidate, optimizers = made(lambda params: Planted(params, own if as_tensor else 0.5))
    # when
    train(candidate, quadratic(), steps=40, step=0.125)
    # then
    falling = 0.125 * LAST_SHARE ** (np.arange(1, 21) / 20)
    assert np.allclose(optimizers[-1].rates, [*20 * [0.125], *falling], rtol=rounding(8), atol=0)
    # so  the tensor of the user is as it was
    assert own == 0.5


@pytest.mark.slow
def test_without_decay_or_with_no_step_given_the_learning_rate_is_left_as_it_is():
    candidate, optimizers = made(lambda params: Planted(params, 0.25))
    train(candidate, quadratic(), steps=6, decay=False)
    assert optimizers[-1].rates == 6 * [0.25]


@pytest.mark.slow
def test_groups_with_other_learning_rates_keep_their_ratio():
    # given  a group for each of two factors, the rate of the second a third of the first
    candidate, optimizers = made(
        lambda params: Planted([{"params": params[:1], "lr": 0.3}, {"params": params[1:], "lr": 0.1}])
    )
    # when
    train(candidate, matrices(), steps=1, step=0.6, decay=False)
    # then
    assert np.allclose(optimizers[-1].rates, [0.6, 0.2], rtol=rounding(2), atol=0)


@pytest.mark.slow
def test_a_learning_rate_of_zero_becomes_the_step():
    candidate, optimizers = made(lambda params: Planted(params, 0.0))
    train(candidate, quadratic(), steps=2, step=0.1, decay=False)
    assert optimizers[-1].rates == [0.1, 0.1]


@pytest.mark.slow
def test_settings_are_entries_of_the_groups():
    # when
    decayed = train(of_class("SGD", torch.optim.SGD, {}), quadratic(), steps=50, step=0.5, settings={"weight_decay": 1})
    # then  the minimum of |w - c|^2/2 + |w|^2/2
    assert np.allclose(decayed.factors[0], quadratic().data[1] / 2, rtol=rounding(1e3), atol=2.0**-25)
    with pytest.raises(OptimizerFault, match="has no nonsense"):
        train(of_class("SGD", torch.optim.SGD, {}), quadratic(), steps=1, settings={"nonsense": 1})


# -------------------------------------------------------------------------------------------------- the end


@pytest.mark.slow
def test_a_run_ends_when_nothing_moves_and_later_times_see_its_end():
    # given  a step that reaches the minimum in one step
    candidate = of_class("SGD", torch.optim.SGD, {"lr": 1.0})
    # when
    run = train(candidate, quadratic(), steps=400, decay=False, watch=lambda f: f[0].copy(), times=[0, 1, 399])
    # then
    assert run.steps < 400
    assert not run.watched[0].any()
    assert np.array_equal(run.watched[1], run.watched[399])
    assert run.finite.all()


@pytest.mark.slow
def test_a_cycle_is_not_an_end():
    # given  weights that return to the same bits every other step
    problem = quadratic()
    run = train(Candidate("SGD", lambda params: torch.optim.SGD(params, lr=2.0)), problem, steps=400, decay=False)
    # then
    assert run.steps == 400
    assert np.allclose(run.factors[0], 0, atol=rounding(400, 4))


@pytest.mark.slow
def test_a_pause_within_a_cycle_is_not_an_end():
    # given  weights that go up in the third of five steps, and down in the fourth
    class UpAndDown(Planted):
        def step(self):
            self.taken += 1
            for p in self.everything:
                p.data.add_({3: 1.0, 4: -1.0}.get(self.taken % 5, 0.0))

    assert train(Candidate("UpAndDown", UpAndDown), quadratic(), steps=200).steps == 200


@pytest.mark.slow
@pytest.mark.parametrize("lr", [3.0, 1e200])
def test_a_run_that_diverges_ends_and_says_so(lr):
    run = train(of_class("SGD", torch.optim.SGD, {"lr": lr}), quadratic(), steps=4000, decay=False)
    assert run.steps < 400
    assert not run.finite.any()
    assert not (run.loss <= DIVERGED).any()


def test_an_error_of_step_is_a_fault_that_says_when():
    class Fails(Planted):
        def step(self):
            super().step()
            if self.taken == 7:
                raise ZeroDivisionError("seven")

    with pytest.raises(OptimizerFault, match="Fails raises in step 7: ZeroDivisionError: seven"):
        train(Candidate("Fails", Fails), quadratic(), steps=20, layout="coordinates")


# -------------------------------------------------------------------------------------------------- search


@pytest.mark.slow
def test_a_search_tries_the_largest_step_first_and_ends_at_the_first_that_reaches_all():
    # given
    tried = []

    def reached(run):
        tried.append(run.step)
        return np.full(COUNT, run.step <= GRID[2])

    # when
    found = search(of_class("SGD", torch.optim.SGD, {}), quadratic(), steps=4, reached=reached)
    # then
    assert tried == list(GRID[:3])
    assert found.step == GRID[2]


@pytest.mark.slow
def test_where_no_step_reaches_all_instances_the_one_that_reaches_most_wins_and_of_equals_the_largest():
    counts = dict(zip(GRID, (1, 3, 2, 3, 0), strict=True))
    found = search(
        of_class("SGD", torch.optim.SGD, {}),
        quadratic(),
        steps=4,
        reached=lambda run: np.arange(COUNT) < counts[run.step],
    )
    assert found.step == GRID[1]


@pytest.mark.slow
def test_an_instance_that_diverges_is_not_reached():
    candidate = Candidate("planted", lambda params: Planted(params, 3.0), has_step=False)
    found = search(candidate, quadratic(), steps=400, reached=lambda run: np.ones(len(run.loss), bool))
    assert found.step == GRID[0]


# -------------------------------------------------------------------------------------------------- problems


@pytest.mark.slow
def test_lbfgs_takes_closures_and_each_instance_gets_what_it_gets_alone():
    # given  problems of other conditions, which one line search for all would couple
    rng = np.random.default_rng(7)
    problem = least_squares(rng.normal(size=(COUNT, 3, 3)), rng.normal(size=(COUNT, 3)), np.zeros((COUNT, 3)))
    candidate = of_class("LBFGS", torch.optim.LBFGS, {})
    # when
    together = train(candidate, problem, steps=3)
    alone = [train(candidate, problem.only(slice(b, b + 1)), steps=3).factors[0] for b in range(COUNT)]
    # then
    assert layout_of(candidate, problem) == "apart"
    assert np.array_equal(together.factors[0], np.concatenate(alone))
    assert (together.loss < together.first_loss / 100).all()


@pytest.mark.parametrize("layout", ["coordinates", "parameters", "apart"])
def test_an_optimizer_that_takes_second_derivatives_can_take_them_in_every_layout(layout):
    # given  Newton's step, for which the Hessian is 1
    class Newton(Planted):
        def step(self):
            gradients = [p.grad for p in self.everything]
            curvatures = torch.autograd.grad(sum(gradient.sum() for gradient in gradients), self.everything)
            for p, gradient, curvature in zip(self.everything, gradients, curvatures, strict=True):
                p.data.sub_((gradient / curvature).detach())

    # when
    run = train(Candidate("Newton", Newton), quadratic(), steps=1, layout=layout)
    # then
    assert np.allclose(run.factors[0], quadratic().data[1], rtol=rounding(10), atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SGD", "LBFGS"])
def test_a_loss_reads_the_noise_of_its_step(name):
    # given  the gradient of step t is the noise of step t
    noise = np.random.default_rng(8).normal(size=(COUNT, 5, 3))
    seen = []

    def loss(data, factors, t):
        seen.append(t)
        return (data[0][:, t] * factors[0]).sum(1)

    problem = Problem((np.zeros((COUNT, 3)),), (noise,), loss)
    candidate = of_class(name, getattr(torch.optim, name), {"lr": 0.5} | ({"max_iter": 1} if name == "LBFGS" else {}))
    # when
    layout = layout_of(candidate, problem)
    seen.clear()
    run = train(candidate, problem, steps=5, decay=False, layout=layout)
    # then
    assert list(dict.fromkeys(seen)) == [0, 1, 2, 3, 4]
    if name == "SGD":
        assert np.allclose(run.factors[0], -0.5 * noise.sum(1), rtol=0, atol=rounding(10, np.abs(noise).sum(1).max()))


def test_runs_are_repeatable_and_leave_the_random_numbers_of_torch_alone():
    # given
    class Noisy(Planted):
        def factor(self, p):
            return torch.rand_like(p)

    candidate = Candidate("Noisy", Noisy)
    torch.manual_seed(3)
    expected = torch.rand(2)
    # when
    torch.manual_seed(3)
    first, second, other = (train(candidate, quadratic(), steps=5, seed=seed).factors[0] for seed in (0, 0, 1))
    # then
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.slow
def test_weights_are_read_in_evaluation_mode():
    # given  weights that are ten times as large in training mode
    class Averages(Planted):
        mode = "train"

        @torch.no_grad()
        def switch(self, mode, factor):
            if self.mode != mode:
                self.mode = mode
                for p in self.everything:
                    p.mul_(factor)

        def step(self):
            assert self.mode == "train"
            super().step()

        def train(self):
            self.switch("train", 8)

        def eval(self):
            self.switch("eval", 1 / 8)

    plain = train(Candidate("Planted", Planted), quadratic(), steps=9).factors[0]
    assert np.array_equal(8 * train(Candidate("Averages", Averages), quadratic(), steps=9).factors[0], plain)


@pytest.mark.slow
def test_parameters_whose_data_is_replaced_are_followed():
    class Replaces(Planted):
        def step(self):
            for p in self.everything:
                p.data = p.data - self.param_groups[0]["lr"] * p.grad

    replaced, plain = (train(Candidate(kind.__name__, kind), quadratic(), steps=9) for kind in (Replaces, Planted))
    assert np.array_equal(replaced.factors[0], plain.factors[0])
