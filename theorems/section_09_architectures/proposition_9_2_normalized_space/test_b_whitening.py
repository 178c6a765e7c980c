r"""Proposition 9.2 (b) - batch normalization is weight normalization in coordinates that whiten the batch.

Setting     $\Sigma$ is the covariance of the batch, and $s^2 = w^\top \Sigma w$ the variance of the activations
Corrected   (C3) Normalized features have mean 0 and variance 1: the normalized space is the ellipsoid $w^\top \Sigma w
            = 1$.
            (C4) Batch normalization is weight normalization in coordinates that whiten the batch; on white data the two
            have the same gradient.
            (C6) In a network of several tanh neurons batch normalization moves no null part of a first-layer weight
Idea        In the coordinates $\Sigma^{1/2} w$ the standard deviation $s$ is the length of the weight. The gradient in
            a first-layer weight is a combination of the samples
Tolerance   A first-order analysis of the cancellation in $z - \bar z$ (`normalization.certificates`); QR is backward
            stable
"""

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most
from theorems.ledger import corrected
from theorems.section_09_architectures.normalization.certificates import feature_rounding, gradient_rounding
from theorems.section_09_architectures.normalization.model import ABSORBED, autograd, torch_hidden
from theorems.section_09_architectures.normalization.problems import (
    SAMPLES,
    basis_without_constants,
    normalized_problems,
)


@corrected("C3")
@given_batches(size=100, problem=normalized_problems())
def test_the_normalized_space_is_an_ellipsoid_of_the_batch_covariance(problem):
    import torch

    # when   torch's features, w_j/s of which is the normalized weight
    zhat = torch_hidden("batch", problem, torch.tensor(problem.W), ABSORBED).numpy()
    # then   w'Sigma w = s^2: mean 0 and variance 1 over the batch, so gamma^2 is the variance of the output
    E = feature_rounding("batch", problem, problem.W)
    assert_at_most(np.abs(zhat.mean(1)).max(-1), 2 * E, why="mean of a feature", instance=problem)
    assert_at_most(np.abs(np.square(zhat).mean(1) - 1).max(-1), 8 * E, why="variance of a feature", instance=problem)


@corrected("C4")
@given_batches(size=100, problem=normalized_problems())
def test_batch_normalization_is_weight_normalization_in_coordinates_that_whiten_the_batch(problem):
    import torch

    # given  X_c = QR, so that sqrt(n) Q is white and R'R/n = Sigma
    Q, R = np.linalg.qr(problem.X - problem.X.mean(1, keepdims=True))
    white = dataclasses.replace(problem, X=np.sqrt(SAMPLES) * Q)
    # when   torch's layers
    batch = torch_hidden("batch", problem, torch.tensor(problem.W), ABSORBED)
    weight = torch_hidden("weight", white, torch.tensor(problem.W @ R.mT), ABSORBED)
    # then   QR is backward stable, to less than what the centering costs
    error = (batch - weight).abs().amax((-2, -1)).numpy()
    assert_at_most(error, 8 * feature_rounding("batch", problem, problem.W), why="features", instance=problem)


@corrected("C4")
@given_batches(size=100, problem=normalized_problems())
def test_on_whitened_data_batch_and_weight_normalization_have_the_same_gradient(problem):
    # given  a batch with mean 0 and covariance I
    white = dataclasses.replace(problem, X=np.sqrt(SAMPLES) * basis_without_constants(SAMPLES, 3) + 0 * problem.X)
    batch, weight = (autograd(kind, white, white.W)[1] for kind in ("batch", "weight"))
    # then
    slack = sum(gradient_rounding(kind, white, white.W)[1] for kind in ("batch", "weight"))
    assert_at_most(norm(batch - weight, axis=(-2, -1)), slack, why="gradients of both", instance=problem)


@corrected("C6")
@given_batches(size=100, problem=normalized_problems())
def test_in_a_network_batch_normalization_moves_no_null_part_of_a_first_layer(problem):
    # given  inputs in three of five dimensions, turned, and weights on all five
    turn = np.linalg.qr(np.cos(np.outer(np.arange(1, 6) ** 2, np.arange(1, 6))))[0]
    inside, outside = turn[:3], turn[3:]
    W = problem.W @ inside + np.roll(problem.W, 1, axis=1)[..., :2] @ outside
    wider = dataclasses.replace(problem, X=problem.X @ inside)
    # when
    _, g = autograd("batch", wider, W)
    # then   the turn is orthogonal to the rounding of QR, and the last product has five entries
    slack = gradient_rounding("batch", wider, W)[1] + rounding(factorization(5, 5) + 5, norm(g, axis=(-2, -1)))
    assert_at_most(norm(g @ outside.T, axis=(-2, -1)), slack, why="null part of the gradient", instance=problem)
