"""Self-tests: features of a kernel, what their rounding may be at most, and predicates that can be false."""

import numpy as np
from numpy.linalg import norm

from fixtures.kernels.infinite_width import relu_ntk
from fixtures.precision import rounding
from fixtures.problems.batches import batches, given_batches
from fixtures.problems.examples import simplest
from fixtures.problems.kernel_inputs import kernel_inputs, singular_inputs
from properties.certificates import assert_at_most, assert_identical
from theorems.section_05_neural_tangent_kernel.theorem_5_2_minimum_rkhs_norm.feature_space import Space


@given_batches(problem=kernel_inputs())
def test_features_have_the_kernel_as_their_inner_products(problem):
    space = Space(problem, relu_ntk)
    features = np.concatenate([space.at_X, space.at_Z], axis=1)
    gap = norm(features @ features.mT - space.joint, axis=(-2, -1))
    # then   an eigensolver, and a sum of `size` products
    bound = rounding(17 * space.size, space.trace)
    assert_at_most(gap, bound, why="phi phi' = joint", instance=problem)


def test_the_rounding_before_the_first_step_is_that_of_four_thousand_operations():
    # given  X = I, y = (1, 0), three inputs beside them, eta = 1/w_n and t = 0
    problem = simplest(batches(kernel_inputs(), 1))
    space = Space(problem, relu_ntk)
    assert_at_most(space.rounding(problem.y, 1 / space.w[:, -1], 0), rounding(4000), why="rounding at t = 0")


@given_batches(problem=singular_inputs())
def test_a_singular_kernel_is_not_definite_and_steps_of_two_over_the_largest_eigenvalue_are_not_stable(problem):
    space = Space(problem, relu_ntk, rank_deficit=1)
    top = space.w[:, -1]
    assert_identical(space.is_definite(problem).any(), False, why="K of parallel inputs is definite")
    steps = [space.is_stable(share / top).all() for share in (0.1, 1.9)]
    beyond = [space.is_stable(share / top).any() for share in (-0.1, 0.0, 2.1)]
    assert_identical([*steps, *beyond], [True, True, False, False, False], why="0 < eta < 2/lambda_max")
