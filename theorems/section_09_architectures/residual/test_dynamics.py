"""Self-tests: gradients of linear residual networks against exact difference quotients, and the layers they leave."""

from fractions import Fraction

import numpy as np

from fixtures.dynamics.deep_linear import regression_loss
from fixtures.dynamics.paths import at_time
from fixtures.rational import fractions, to_fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_09_architectures.residual.dynamics import (
    network_flow,
    residual_descent_path,
    residual_gradients,
    residual_layers,
)
from theorems.section_09_architectures.residual.model import ResidualNetwork

X, Y, C = fractions([[1, 2], [0, -1]]), fractions([[3, 1], [1, 0]]), Fraction(1, 2)


def layers():
    """Three branches that do not commute, in fractions."""
    return to_fractions(np.random.default_rng(9).integers(-3, 4, (3, 2, 2)))


def test_the_gradient_is_the_exact_derivative_in_every_entry():
    # given  a loss that is quadratic in each entry, of which a central difference is the derivative
    A = layers()
    steps = to_fractions(np.eye(12, dtype=int)).reshape(12, 3, 2, 2)
    # when
    there, back = ([regression_loss(residual_layers(A + s * E, C), X, Y) for E in steps] for s in (1, -1))
    # then
    quotients = (np.array(there) - np.array(back)) / 2
    assert_identical(residual_gradients(A, X, Y, C).ravel(), quotients, why="dL/dA_l")


def test_layers_beyond_the_depth_are_not_trained():
    A = layers()
    moved = at_time(residual_descent_path(A, X, Y, Fraction(1, 8), C, np.array(2)), 1)
    assert_identical(moved[:2], A[:2] - Fraction(1, 8) * residual_gradients(A, X, Y, C)[:2], why="one step")
    assert_identical(moved[2], A[2], why="padding rests")


def test_the_flow_of_a_balanced_scalar_branch_towards_the_identity_is_an_inverse_root_of_time():
    # given  h + w^2 h at 1 towards 1, so that w' = -w^3 from w = 1
    one, times = np.ones((1, 1, 1)), np.array([0.5, 4.0])
    networks, error = network_flow(ResidualNetwork(one, one, 1.0, "identity"), np.ones(1), np.ones(1), times)
    off = [abs(net.W.item() - (1 + 2 * t) ** -0.5) for net, t in zip(networks, times, strict=True)]
    assert_at_most(np.array(off), error, why="w(t) = (1 + 2t)^(-1/2)")
