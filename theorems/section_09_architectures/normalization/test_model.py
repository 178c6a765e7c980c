"""Self-tests: the references agree with torch's layers to second order, and the stack is what it says."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import stack
from fixtures.problems.examples import simplest
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from properties.curvature.sharpness import HessianOfLoss, frobenius
from theorems.section_09_architectures.normalization.model import (
    ABSORBED,
    KINDS,
    autograd,
    curvature_along,
    invariant_groups,
    normalized_stack,
    reference,
    torch_hidden,
    torch_losses,
)
from theorems.section_09_architectures.normalization.problems import normalized_problems


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3)
@given(normalized_problems())
def test_curvature_along_the_weights_is_minus_the_gradient_to_its_measured_rounding(kind, problem):
    import torch

    one = stack([problem])
    theta = torch.tensor(one.W, requires_grad=True)
    hessian = HessianOfLoss(lambda: torch_losses(kind, one, theta, 2.0**-1000, twice=True)[0], [theta])
    HW, (_, g) = curvature_along(kind, one, one.W, one.W), autograd(kind, one, one.W)
    size = frobenius(hessian.dense(measured := hessian.rounding())) * norm(one.W)
    assert_at_most(norm(HW + g), measured * size, why="H theta = -g")


@settings(max_examples=20)
@given(normalized_problems())
def test_spelled_out_weight_normalization_is_that_of_torch(problem):
    import torch

    one = stack([problem])
    features = [torch_hidden("weight", one, torch.tensor(one.W), 0.0, twice=twice).numpy() for twice in (False, True)]
    assert_at_most(np.abs(features[0] - features[1]).max(), rounding(2 * (3 * 3 + 6), norm(one.X)), why="zhat of both")


@pytest.mark.parametrize("kind", KINDS)
def test_without_output_weights_the_loss_is_half_the_mean_square_of_the_targets(kind):
    import torch

    # given  y = (1, 2, 3, 0, 0, 0): 14/(2 * 6)
    one = stack([simplest(normalized_problems())])
    one = dataclasses.replace(one, a=0 * one.a, y=np.array([[1.0, 2, 3, 0, 0, 0]]))
    found = [reference(kind, one, one.W).loss.item(), torch_losses(kind, one, torch.tensor(one.W), ABSORBED).item()]
    assert_equal_within(found, [7 / 6] * 2, rounding(8, 2), why="(1/2n)|y|^2")


@pytest.mark.parametrize(("kind", "shapes"), [(kind, 2 if kind == "weight" else 4) for kind in KINDS])
def test_the_groups_of_a_stack_are_what_stands_in_front_of_a_normalization(kind, shapes):
    groups = invariant_groups(normalized_stack(kind, seed=0))
    assert_identical(sum(len(group) for group in groups), shapes, why="parameters in both groups")
    assert_identical([tuple(group[0].shape) for group in groups], [(5, 3), (4, 5)], why="weights of both layers")
