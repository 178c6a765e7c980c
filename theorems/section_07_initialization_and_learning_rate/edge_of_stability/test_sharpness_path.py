"""Self-tests: the path is that of gradient descent, at the rate of each run, and survives runs that diverge."""

import dataclasses

import numpy as np
import pytest

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.curvature.sharpness import sharpness
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.sharpness_path import sharpness_path
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.tanh_networks import (
    half_mean_square,
    tanh_networks,
)


def test_every_run_has_its_own_rate_and_its_loss_falls_at_first_by_eta_times_the_squared_gradient():
    import torch

    networks = tanh_networks([3, 5])
    theta, X, y = (torch.from_numpy(part) for part in (networks.theta, networks.X, networks.y))
    (slope,) = torch.autograd.grad(half_mean_square(theta.requires_grad_(), X, y).sum(), theta)
    # when
    eta = np.array([1e-4, 2e-4])
    run = sharpness_path(networks, eta, 2, 2)
    # then   L(theta_1) - L(theta_0) + eta |g|^2 is eta^2 g'Hg/2 to first order, below eta^2 S |g|^2
    squares = slope.square().sum(-1).numpy()
    error = np.abs(run.loss[:, 1] - run.loss[:, 0] + eta * squares)
    assert_at_most(error, eta**2 * run.sharpness[:, 0] * squares, why="the first step")
    assert_identical([run.steps.tolist(), run.sharpness.shape, run.loss.shape], [[0, 2], (2, 2), (2, 3)], why="shapes")


def test_the_sharpness_at_the_start_lies_where_it_is_certified_to_be():
    import torch

    networks = tanh_networks([3, 5])
    run = sharpness_path(networks, 0.5, 1, 1)
    theta, X, y = (torch.from_numpy(part[1]) for part in (networks.theta, networks.X, networks.y))
    found = sharpness(lambda: half_mean_square(theta, X, y), [theta.requires_grad_()])
    assert_within(found.lower, run.sharpness[1, 0], found.upper, why="the largest eigenvalue")
    assert_identical(run.ratio, run.sharpness / 4, why="eta S/2")


def test_the_sharpness_is_the_largest_eigenvalue_where_the_least_one_is_larger_in_modulus():
    import torch

    # given  targets twenty times as large: residuals, and with them negative curvature, outweigh the slopes
    networks = tanh_networks([3])
    networks = dataclasses.replace(networks, y=20 * networks.y)
    theta, X, y = (torch.from_numpy(part[0]) for part in (networks.theta, networks.X, networks.y))
    loss = lambda: half_mean_square(theta, X, y)  # noqa: E731
    top = sharpness(loss, [theta.requires_grad_()])
    bottom = sharpness(lambda: -loss(), [theta])
    assert_at_most(1.1 * top.upper, bottom.lower, why="|lambda_min| is larger than lambda_max")
    run = sharpness_path(networks, 1e-3, 1, 1)
    assert_within(top.lower, run.sharpness[0, 0], top.upper, why="lambda_max at the start")


def test_a_run_that_diverges_has_an_infinite_sharpness_and_leaves_the_others_alone():
    both = sharpness_path(tanh_networks([3, 5]), np.array([1e200, 0.1]), 4, 4)
    alone = sharpness_path(tanh_networks([5]), 0.1, 4, 4)
    assert_identical(both.ratio[0, 1], np.inf, why="eta S/2 of the run that diverged")
    # then   five losses, of sums that may be taken in another order
    bound = rounding(5 * 2 * (4 + 12 + 12 + 16 + 16), 1 + alone.loss[0])  # four layers' sums, forward and back
    assert_at_most(np.abs(both.loss[1] - alone.loss[0]), bound, why="the other run")


def test_a_sharpness_at_no_whole_number_of_steps_is_refused():
    with pytest.raises(ValueError, match="the sharpness of 5 steps cannot be taken at every 2-th"):
        sharpness_path(tanh_networks([3]), 0.1, 5, 2)
