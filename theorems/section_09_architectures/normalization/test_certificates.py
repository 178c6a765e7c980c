"""Self-tests: a planted error in a normalized gradient is found; the weight normalization limit solves its equation."""

import dataclasses
from random import Random

import numpy as np
import pytest
from hypothesis import Phase, find, settings
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import stack
from fixtures.problems.examples import simplest
from properties.certificates import assert_at_most, assert_identical
from properties.oracles import weight_norm_limit
from theorems.section_09_architectures.normalization.certificates import (
    feature_rounding,
    gradient_rounding,
    radial_rounding,
)
from theorems.section_09_architectures.normalization.model import reference
from theorems.section_09_architectures.normalization.problems import normalized_problems


def hard_instance():
    """A problem with large means, whose subtraction cancels: kappa is large."""
    unshrunk = settings(database=None, max_examples=500, phases=[Phase.generate])
    rule = lambda problem: norm(problem.X.mean(0)) > 4  # noqa: E731
    return find(normalized_problems(), rule, settings=unshrunk, random=Random(0))


@pytest.mark.parametrize("kind", ["batch", "layer", "weight"])
@pytest.mark.parametrize("instance", [lambda: simplest(normalized_problems()), hard_instance], ids=["simple", "hard"])
def test_a_gradient_off_by_a_ten_millionth_exceeds_its_rounding(kind, instance):
    one = dataclasses.replace(stack([instance()]), y=np.full((1, 6), 2.0))
    W, at = one.W, reference(kind, one, one.W)
    tilted = at.gradient + 1e-7 * norm(at.gradient) * W / norm(W)
    error, radial = norm(tilted - at.gradient), abs(np.sum(tilted * W))
    assert_at_most(gradient_rounding(kind, one, W)[1], error, why="the planted error is larger than rounding")
    assert_at_most(radial_rounding(kind, one, W), radial, why="and so is the radial part it leaves")
    assert_at_most(gradient_rounding(kind, one, W)[0], 1e-9 * at.loss, why="a loss that is off by a billionth is seen")
    assert_at_most(feature_rounding(kind, one, W), 1e-10, why="and so is a feature")


def test_the_limit_of_weight_normalization_solves_its_equation_and_is_the_least_norm_without_a_null_part():
    target, gamma, rho, null = np.array([[1.0, 2.0, 0.5, 1.0], [0.5, 1, 2, 0.25], [1, 0.5, 1, 1], [0.5, 0.4, 0.9, 0]])
    q = weight_norm_limit(target, gamma, rho, null) ** 2
    left = q * (1 - (null / rho) ** 2 * np.exp((gamma**2 - q) / rho**2))
    # Brent's method stops at 1e-14, which is 45 operations; the equation has 12
    assert_at_most(np.abs(left - target**2), rounding(45 + 12, (1 + q) * (1 + q / rho**2)), why="the scalar equation")
    assert_identical(q[3], 1, why="without a null part the limit has the least norm")
