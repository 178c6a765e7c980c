"""Self-tests: the batched loss and Hessian are those of each network."""

import numpy as np

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical
from properties.curvature.sharpness import HessianOfLoss
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.tanh_networks import (
    PARAMETERS,
    half_mean_square,
    hessians,
    tanh_networks,
)


def on_torch(seeds):
    import torch

    networks = tanh_networks(seeds)
    return [torch.from_numpy(part) for part in (networks.theta, networks.X, networks.y)]


def test_a_network_does_not_depend_on_those_beside_it():
    assert_identical(tanh_networks([3, 5]).theta[1], tanh_networks([5]).theta[0], why="the weights of seed 5")


def test_the_loss_is_the_mean_of_the_squared_residuals_of_the_matrices():
    networks = tanh_networks([3])
    W = np.split(networks.theta[0], [48, 192])
    h = np.tanh(np.tanh(networks.X[0] @ W[0].reshape(12, 4).T) @ W[1].reshape(12, 12).T) @ W[2]
    expected = np.square(h - networks.y[0]).sum() / 32
    found = half_mean_square(*on_torch([3]))[0].item()
    assert_at_most(np.abs(found - expected), rounding(4 + 12 + 12 + 16 + 8, 1 + expected), why="the loss")


def test_the_batched_hessian_is_that_of_double_backward():
    theta, X, y = on_torch([3, 5])
    H = hessians(theta, X, y)[1]
    parameter = theta[1].clone().requires_grad_()
    # when   the same Hessian, product by product, from another entrance to autograd
    other = HessianOfLoss(lambda: half_mean_square(parameter, X[1], y[1]), [parameter])
    error = np.abs(H @ np.eye(PARAMETERS)[:, ::17] - np.stack([other(e) for e in np.eye(PARAMETERS)[::17]], axis=1))
    # then
    top = np.linalg.eigvalsh(H)[-1]
    assert_at_most(error.max(), other.rounding() * top, why="columns of the Hessian")
    assert_at_most(np.abs(H - H.T).max(), other.rounding() * top, why="symmetry")
