"""Self-tests: loss, held-out error, Hessian and path of the patients' networks are those of torch."""

import dataclasses

import numpy as np

from fixtures.datasets.diabetes import diabetes
from fixtures.precision import factorization, rounding
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.curvature.lanczos import largest_eigenvalue_of_matrix
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.patient_networks import patient_networks
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.sharpness_path import patient_path

ROUNDING = rounding(3 * 2 * (10 + 8 + 16 + 16))
"""Three evaluations in two ways: inner products of 10 inputs, 8 neurons and 16 patients, and 16 more operations."""


def on_torch(networks, index):
    """The loss of one network of a batch as a function of its 88 parameters, and these."""
    import torch

    X, y, W, a = (torch.from_numpy(part[index]) for part in (networks.X, networks.y, networks.W, networks.a))

    def loss(theta):
        h = (X @ theta[:80].reshape(8, 10).T).tanh()
        return (h @ theta[80:] - y).square().mean() / 2

    return loss, torch.cat([W.ravel(), a])


def test_a_network_does_not_depend_on_those_beside_it_and_no_patient_is_seen_and_held_out():
    both, alone = patient_networks([3, 5]), patient_networks([5])
    assert_identical([both.W[1], both.X[1, :8]], [alone.W[0], alone.X[0, :8]], why="the network of seed 5")
    assert_identical([both.X.shape[1] + both.held_X.shape[1]], [442], why="all patients")
    patients = np.concatenate([alone.X[0], alone.held_X[0]])
    assert_identical(len(np.unique(patients, axis=0)), 442, why="each once")


def test_loss_hessian_and_two_steps_are_those_of_autograd():
    import torch

    networks, eta = patient_networks([3, 5]), 0.25
    loss, theta = on_torch(networks, 1)
    H = torch.autograd.functional.hessian(loss, theta).numpy()
    assert_at_most(abs(networks.loss[1] - loss(theta).item()), ROUNDING, why="the loss")
    assert_at_most(np.abs(networks.hessians()[1] - H).max(), ROUNDING * np.abs(H).max(), why="the Hessian")
    # when
    run, end = patient_path(networks, eta, 2, 1)
    for _ in range(2):
        theta = theta - eta * torch.autograd.functional.jacobian(loss, theta)
    # then
    found = np.concatenate([end.W[1].ravel(), end.a[1]])
    assert_at_most(np.abs(found - theta.numpy()).max(), ROUNDING * theta.abs().max().item(), why="after two steps")
    assert_at_most(np.abs(run.loss[:, 2] - end.loss).max(), ROUNDING, why="the loss after two steps")
    top = np.linalg.eigvalsh(end.hessians())[:, -1]
    slack = rounding(factorization(88), top)
    assert_at_most(np.abs(run.sharpness[:, 2] - top), slack, why="the sharpness after two steps")


def test_the_sharpness_is_the_largest_eigenvalue_where_the_least_one_is_larger_in_modulus():
    # given  targets twenty times as large: residuals, and with them negative curvature, outweigh the slopes
    networks = patient_networks([9])
    networks = dataclasses.replace(networks, y=20 * networks.y)
    (H,) = networks.hessians()
    top, bottom = largest_eigenvalue_of_matrix((H + H.T) / 2), largest_eigenvalue_of_matrix(-(H + H.T) / 2)
    assert_at_most(1.5 * top.upper, bottom.lower, why="|lambda_min| is larger than lambda_max")
    run, _ = patient_path(networks, 1e-3, 1, 1)
    assert_within(top.lower, run.sharpness[0, 0], top.upper, why="lambda_max at the start")


def test_the_held_out_error_is_the_mean_square_on_the_others():
    networks = patient_networks([3])
    f = np.tanh(networks.held_X[0] @ networks.W[0].T) @ networks.a[0]
    expected = np.square(f - networks.held_y[0]).sum() / 426
    assert_at_most(abs(networks.held_out[0] - expected), rounding(10 + 8 + 426, expected), why="426 patients")


def test_the_weights_are_normal_of_variance_one_over_the_fan_in_and_the_patients_those_of_the_seed():
    networks, rng = patient_networks([3]), np.random.default_rng(3)
    inputs, targets = diabetes()
    seen = rng.permutation(442)[:16]
    assert_identical(networks.X[0], inputs[seen], why="the inputs of 16 patients")
    assert_identical(networks.y[0], targets[seen], why="their targets")
    W, a = rng.standard_normal((8, 10)), rng.standard_normal(8)
    error = np.abs(networks.W[0] ** 2 - W**2 / 10).max(), np.abs(networks.a[0] ** 2 - a**2 / 8).max()
    assert_at_most(error, ROUNDING, why="the squares of the weights")
