"""Self-tests: the slopes are those of torch's layers on an actual batch, and the polar step is a gradient step."""

import numpy as np
from hypothesis import given, settings
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import stack
from properties.certificates import assert_at_most, assert_identical
from theorems.section_09_architectures.normalization.dynamics import (
    batch_norm_slopes,
    descend,
    polar_step,
    weight_norm_slopes,
)
from theorems.section_09_architectures.normalization.problems import basis_without_constants, directed_regressions


def slopes_of_torch(model, data, targets, mean, parameters):
    import torch

    loss = (model(torch.as_tensor(data))[:, 0] - torch.as_tensor(targets)).square()
    slopes = torch.autograd.grad((loss.mean() if mean else loss.sum()) / 2, parameters)
    return [-slope.numpy().ravel() for slope in slopes]


@settings(max_examples=20)
@given(directed_regressions())
def test_batch_normalization_on_an_isometric_image_of_the_data_has_these_slopes(problem):
    import torch

    # given  N = n + 1 samples with a mean, rows Q X + mean
    Q = basis_without_constants(problem.rows + 1, problem.rows)
    linear = torch.nn.Linear(problem.columns, 1, bias=False, dtype=torch.float64)
    layer = torch.nn.BatchNorm1d(1, eps=2.0**-1000, track_running_stats=False, dtype=torch.float64)
    linear.weight.data, layer.weight.data = torch.tensor(problem.v[None]), torch.tensor([problem.gamma])
    # when
    found = slopes_of_torch(
        torch.nn.Sequential(linear, layer), Q @ problem.X + 1, Q @ problem.y, True, [linear.weight, layer.weight]
    )
    expected = batch_norm_slopes(stack([problem]), problem.v[None], np.array([problem.gamma]))
    # then
    # then   features have p products, a mean, a variance and a quotient of N samples, slopes two sums of N more, on
    #        either side; features are small by the cancellation against |x||w|, and slopes have the size |gamma||x|/s
    data, N = norm(Q @ problem.X + 1), problem.rows + 1
    s = norm(problem.X @ problem.v)
    size = (1 + abs(problem.gamma)) * (1 + data / s)
    scale = size * data * norm(problem.v) / s
    slack = rounding(2 * (problem.columns + 5 * N + 12), scale)
    gap = max(norm(one - other) for one, other in zip(found, expected, strict=True))
    assert_at_most(gap, slack, why="slopes in w and gamma")
    assert_at_most(slack, rounding(80, scale), why="ceiling: at most six columns and four samples")


@settings(max_examples=20)
@given(directed_regressions())
def test_the_slopes_of_weight_normalization_are_those_of_its_parametrization(problem):
    import torch

    linear = torch.nn.utils.parametrizations.weight_norm(
        torch.nn.Linear(problem.columns, 1, bias=False, dtype=torch.float64)
    )
    own = linear.parametrizations.weight
    own.original0.data, own.original1.data = torch.tensor([[problem.gamma]]), torch.tensor(problem.v[None])
    found = slopes_of_torch(linear, problem.X, problem.y, False, [own.original1, own.original0])
    expected = weight_norm_slopes(stack([problem]), problem.v[None], np.array([problem.gamma]))
    # then   two products of the data, of n and p entries, a projection and 6 operations, on either side
    size = (1 + abs(problem.gamma) / norm(problem.v)) * norm(problem.X) * (norm(problem.X) * abs(problem.gamma) + 1)
    slack = rounding(2 * (problem.rows + 3 * problem.columns + 6), 2 * size)
    gap = max(norm(one - other) for one, other in zip(found, expected, strict=True))
    assert_at_most(gap, slack, why="slopes in v and gamma")
    assert_at_most(slack, rounding(110, size), why="ceiling: at most six columns and three rows")


def test_the_polar_step_is_a_step_of_gradient_descent_in_the_plane():
    angle, rho, eta = np.arange(1, 12) / 4, np.linspace(0.5, 2, 11), 0.3
    w = rho * np.array([np.cos(angle), np.sin(angle)])
    # L = 1 - w_1/|w|
    slope = np.stack([w[0] ** 2 / rho**3 - 1 / rho, w[0] * w[1] / rho**3])
    after = w - eta * slope
    new_angle, square = polar_step(angle, rho**2, eta)
    expected = np.sqrt(square) * np.array([np.cos(new_angle), np.sin(new_angle)])
    # then   ten operations in the plane and fourteen in polar coordinates, on |w| and a step eta/|w| of two terms
    assert_at_most(norm(after - expected, axis=0), rounding(24, rho + 2 * eta / rho), why="the plane against polar")


def test_descent_on_a_square_shrinks_it_by_the_decay_less_the_rate():
    path = descend(lambda w: w, np.ones(1), lambda t: t / 4, 3, decay=0.75)
    assert_identical(path.ravel(), [1, 3 / 4, 3 / 8, 3 / 32], why="w <- (3/4 - t/4) w")
