"""Self-tests: potentials of diagonal networks against the networks, finite differences, and another solver."""

import numpy as np
import pytest
import scipy.optimize
from numpy.linalg import norm

from fixtures.models.diagonal import DiagonalNetwork
from fixtures.precision import rounding
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_within
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import (
    PRIMAL_ROUNDINGS,
    DiagonalPotential,
    minimize,
    near_minimizer,
)

Z = np.array([-0.9, -0.3, 1e-9, 0.5, 0.75])
PROBLEM = regression_of_design(np.array([[1.0, 2, 0, -1, 1], [0, 1, 2, 1, -1]]), np.array([1.0, -2]))


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_the_potential_agrees_with_its_diagonal_network(depth):
    potential = DiagonalPotential(depth, 0.7)
    U, V = potential.factors(Z)
    network = DiagonalNetwork(0.7 * U, 0.7 * V, depth)
    slack = rounding(PRIMAL_ROUNDINGS + 8, np.abs(1 / (1 - np.abs(Z))) ** 3)
    # then   w, z, the kernel's weights and the growth of the squares
    assert_at_most(np.abs(network.w - potential.to_primal(Z)), slack, why="w")
    assert_at_most(np.abs(potential.to_dual(network.u, network.v) - Z), slack, why="z")
    change = network.kernel_weights / (2 * 0.7 ** (2 * depth - 2)) - 1
    assert_at_most(np.abs(change - potential.kernel_change(Z)), 2 * depth * slack * (1 + change), why="kernel")
    growth = (network.u**2 + network.v**2) / (2 * 0.7**2) - 1
    assert_at_most(np.abs(growth - potential.growth(Z)), slack * (1 + growth), why="growth")
    least, most = potential.slope_between(network.w)
    assert_within(least, potential.slope(Z), most, slack=2 * depth * slack * most, why="slope")


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_w_is_the_derivative_of_the_conjugate_and_the_slope_is_that_of_w(depth):
    # given  central differences of step h are off by h^2/6 times a third derivative: for D = 3, twice 60 (1-z)^-6
    potential, h, z = DiagonalPotential(depth, 1.0), 2.0**-13, np.linspace(-0.5, 0.5, 7)[:, None]
    slope = (potential.conjugate(z + h) - potential.conjugate(z - h)) / (2 * h)
    curvature = (potential.to_primal(z + h) - potential.to_primal(z - h)) / (2 * h)
    bound = 20 * 2**6 * h**2 + rounding(PRIMAL_ROUNDINGS) / h
    assert_at_most(np.abs(slope - potential.to_primal(z)[:, 0]), bound, why="Q*'")
    assert_at_most(np.abs(curvature - potential.slope(z)), bound, why="Q*''")


@pytest.mark.parametrize(("depth", "alpha"), [(2, 0.05), (2, 3.0), (3, 0.2), (4, 0.5)])
def test_another_solver_finds_the_same_minimizer(depth, alpha):
    potential, (X, y) = DiagonalPotential(depth, alpha), (PROBLEM.X, PROBLEM.y)
    best = minimize(potential, PROBLEM)
    # when   MINPACK's root of X to_primal(X'nu) = y, from nearby
    start = np.linalg.lstsq(X.T, best.z * 0.99)[0]
    nu = scipy.optimize.root(lambda nu: X @ potential.to_primal(nu @ X) - y, start, options={"xtol": 1e-15}).x
    other = near_minimizer(potential, PROBLEM, nu @ X)
    assert_at_most(best.radius, 1e-11, why="the minimizer is certified")
    assert_at_most(norm(best.w - other.w), best.radius + other.radius, why="one minimizer")


@pytest.mark.parametrize("off", [1e-3, 1e-6])
def test_the_radius_holds_and_shrinks_with_the_error(off):
    # given  z = X'nu with nu off by this much: the interpolant made from it is off by the order of its square
    potential, best = DiagonalPotential(2, 0.3), minimize(DiagonalPotential(2, 0.3), PROBLEM)
    near = near_minimizer(potential, PROBLEM, best.z + off * PROBLEM.X[0])
    assert_at_most(norm(near.w - best.w), near.radius + best.radius, why="within the radius")
    assert_at_most(near.radius, 100 * off, why="the radius is of the order of the error")
    assert_at_most(off / 10, near.radius, why="and not below")


def test_the_radius_of_a_distant_point_is_infinite():
    far = near_minimizer(DiagonalPotential(2, 0.01), PROBLEM, 30 * PROBLEM.X[0] / norm(PROBLEM.X[0]))
    assert np.isinf(far.radius)


@pytest.mark.parametrize("alpha", [1e-5, 1e-3, 100.0])
def test_a_degenerate_target_is_solved_down_to_a_scale_of_1e_5(alpha):
    # given  y along one column: the l1 minimizer (2, 0, 0) has fewer than n = 2 nonzeros
    problem = regression_of_design(np.array([[1.0, 0, 1], [1, 2, 0]]), np.array([2.0, 2.0]))
    best = minimize(DiagonalPotential(2, alpha), problem)
    assert_at_most(best.radius, 1e-10, why="certified")


@pytest.mark.parametrize(("depth", "alpha"), [(1, 1.0), (2, 0.0), (3, -1.0)])
def test_depth_and_scale_are_checked(depth, alpha):
    with pytest.raises(ValueError, match="depth >= 2 and alpha > 0"):
        DiagonalPotential(depth, alpha)
