"""Self-tests: the noise is that of theory for gradient descent, and planted optimizers get the law that they have."""

import numpy as np
import pytest
import torch

from fixtures.problems.batches import stack
from fixtures.problems.interpolation import LENGTH as INTERPOLATION_LENGTH
from fixtures.problems.interpolation import read_interpolation
from fixtures.problems.outlying import LENGTH, ROWS, read_outlying
from probes.measures.noisy import (
    EVERY,
    gradient_descent_variance,
    series,
    squared_length,
    with_label_noise,
    with_minibatches,
)
from probes.profiles.answers import Status
from probes.profiles.questions import all_questions, ask
from probes.running.candidate import Candidate, gradient_descent, of_class
from probes.running.problem import Effort
from properties.certificates import assert_at_most

EFFORT = Effort(instances=4, steps=2000)
LABELS, MINIMUM = (
    next(question for question in all_questions() if question.key == key)
    for key in ("label noise", "noise at a minimum")
)
DRAWN = stack(EFFORT.draw("label noise", read_outlying, LENGTH))


class Directed(torch.optim.Optimizer):
    """w <- w - lr direction(gradient, step number)."""

    def __init__(self, params, lr=1e-2):
        super().__init__(params, {"lr": lr, "taken": 0})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            group["taken"] += 1
            for w in group["params"]:
                w.sub_(group["lr"] * self.direction(w.grad, group["taken"]))


class Sign(Directed):
    def direction(self, gradient, taken):  # noqa: ARG002
        return gradient.sign()


class Normalized(Directed):
    def direction(self, gradient, taken):  # noqa: ARG002
        return gradient / torch.linalg.matrix_norm(gradient, keepdim=True)


class Doubled(Directed):
    def direction(self, gradient, taken):  # noqa: ARG002
        return 2 * gradient


class Falling(Directed):
    def direction(self, gradient, taken):
        return gradient * min(1, 30 / taken)


class Frozen(Directed):
    def direction(self, gradient, taken):
        return gradient * (taken <= 10)


def answer_of(question, kind, effort=EFFORT, **options):
    return ask(question, of_class(kind.__name__, kind, options), effort)


def number(answer, name):
    return np.array(next(measured.values for measured in answer.measured if name in measured.name))


@pytest.mark.parametrize("step", [1e-2, 0.2])
def test_the_variance_of_gradient_descent_is_that_of_the_recursion_of_its_covariance(step):
    steps, batch, H = 400, 16, DRAWN.H
    M, seen = np.zeros_like(H), []
    for t in range(1, steps + 1):
        A = np.eye(H.shape[-1]) - step * H
        M = A @ M @ A + step**2 * H / batch
        if t >= steps // 8 and (t - steps // 8) % EVERY == 0:
            seen.append(ROWS * np.trace(M, axis1=1, axis2=2))
    expected = gradient_descent_variance(DRAWN.h, ROWS, step, batch, steps)
    np.testing.assert_allclose(np.mean(seen, axis=0), expected, rtol=1e-10)


@pytest.mark.slow
def test_a_run_of_gradient_descent_has_its_variance():
    step, steps, batches = 1e-2, EFFORT.steps, (1, 16)
    problem = with_label_noise(DRAWN, batches, steps, EFFORT.rng("labels"))
    found = series(gradient_descent(), problem, steps, step, squared_length).level.reshape(2, -1)
    # modes are Gaussian: cov(z_s^2, z_t^2) = 2 cov(z_s, z_t)^2, and cov(z_s, z_t) = rho^(t-s) var z_s for s < t
    times = np.arange(steps // 8, steps + 1, EVERY)
    rho = 1 - step * DRAWN.h[..., None, None]
    variance = step / (2 - step * DRAWN.h[..., None, None]) * (1 - rho ** (2 * np.minimum.outer(times, times)))
    covariance = rho ** np.abs(np.subtract.outer(times, times)) * variance
    deviation = np.sqrt(ROWS * 2 * (covariance**2).mean((-2, -1)).sum(-1))
    for batch, level in zip(batches, found, strict=True):
        expected = gradient_descent_variance(DRAWN.h, ROWS, step, batch, steps)
        # Chebyshev: six standard deviations of a mean over four independent instances, at most 1/36
        off = np.abs((level - expected) / (deviation / batch)).mean()
        assert_at_most(off, 6 / np.sqrt(len(level)), why="mean of |W|^2")
        assert (deviation / batch < expected / 10).all()


def test_at_an_interpolant_no_minibatch_has_a_gradient():
    drawn = stack(EFFORT.draw("noise at a minimum", read_interpolation, INTERPOLATION_LENGTH))
    problem = with_minibatches(drawn, 2, 5, EFFORT.rng("minibatches"))
    data = [torch.as_tensor(array) for array in problem.data]
    least = torch.as_tensor(np.stack([np.linalg.pinv(X) @ y for X, y in zip(drawn.X, drawn.y, strict=True)]))
    for t in range(5):
        assert_at_most(problem.loss(data, [least], t).max().item(), 1e-28, why="loss of a minibatch")
    everything = 0.5 * np.square(drawn.y).sum(-1)
    mean = np.mean([problem.loss(data, [0 * least], t).numpy() for t in range(5)], axis=0)
    assert ((mean > 0) & (mean < 3 * everything)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options", "says", "size"),
    [
        (torch.optim.SGD, {}, "like step/batch", 0.0),
        (Doubled, {}, "like step/batch", np.log10(2)),
        (Sign, {}, "like step/sqrt(batch)", None),
        # a gradient has a length of about 15, so that a smaller step forgets its start too slowly
        (Normalized, {"lr": 0.1}, "like step/sqrt(batch)", None),
        (Falling, {}, "falls with time", None),
        (Frozen, {}, "none of these", None),
    ],
)
def test_label_noise_leaves_the_variance_of_the_law_that_the_step_has(kind, options, says, size):
    answer = answer_of(LABELS, kind, **options)
    assert answer.says == says
    if size is not None:
        assert np.abs(number(answer, "over step") - size).max() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("kind", [torch.optim.SGD, Sign])
def test_a_small_step_has_not_converged(kind):
    answer = answer_of(LABELS, kind, Effort(instances=4, steps=800), lr=1e-5)
    assert answer.status is Status.NOT_CONVERGED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        (torch.optim.SGD, {}, "vanishes"),
        (Doubled, {}, "vanishes"),
        (Sign, {}, "floor like the step"),
        (Normalized, {}, "floor like the step"),
        (torch.optim.SGD, {"weight_decay": 1e-4}, "floor at any step"),
    ],
)
def test_minibatch_noise_vanishes_where_steps_shrink_with_the_gradient(kind, options, says):
    assert answer_of(MINIMUM, kind, Effort(instances=4), **options).says == says


@pytest.mark.slow
def test_a_closure_sees_one_draw_of_the_noise_many_times():
    for question in (LABELS, MINIMUM):
        answer = answer_of(question, torch.optim.LBFGS, Effort(instances=2, steps=80))
        assert answer.status is Status.NOT_APPLICABLE


@pytest.mark.slow
def test_without_a_learning_rate_noise_has_no_slope_in_it():
    class Fixed(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})

        @torch.no_grad()
        def step(self):
            for w in self.param_groups[0]["params"]:
                w.sub_(1e-2 * w.grad.sign())

    for question in (LABELS, MINIMUM):
        answer = ask(question, Candidate("fixed", Fixed, has_step=False), Effort(instances=2, steps=800))
        assert answer.status is Status.NOT_APPLICABLE
        assert np.isnan([m.values for m in answer.measured if m.name == "slope in the step"]).all()


@pytest.mark.slow
def test_a_floor_has_a_slope_only_where_the_slower_run_stays_too():
    class Late(Directed):
        """Stays where the step is large, and is on its way at a quarter of it."""

        def direction(self, gradient, taken):  # noqa: ARG002
            return gradient.sign() if self.param_groups[0]["lr"] > 0.02 else gradient

    answer = answer_of(MINIMUM, Late, Effort(instances=2, steps=2000), lr=0.05)
    assert answer.status is Status.NOT_CONVERGED
