r"""Theorem 9.1 (c) - bounds of both derivatives at any weights, and what attains them.

Setting     $h_{\ell+1} = h_\ell + F_\ell(h_\ell)$; $\epsilon_\ell$ and $\beta_\ell$ bound the Lipschitz constant and
            the second derivative of $F_\ell$; $\operatorname{Lip}$ is the Lipschitz constant of the network
Corrected   (C9) At any weights $\operatorname{Lip} \le \prod_\ell (1 + \epsilon_\ell)$ and $\|D^2 h_\ell\| \le M_\ell$,
            $M_{\ell+1} = (1 + \epsilon_\ell) M_\ell + \beta_\ell \prod_{j<\ell} (1 + \epsilon_j)^2$, and a scalar
            branch attains both
Idea        A layer multiplies the first derivative by at most $1 + \epsilon_\ell$. The second derivative grows by that
            factor above a layer that bends. Below that layer a slope enters twice, once for each derivative
Tolerance   The operations of the layers are counted. Constants are attained: each test asserts a ratio above $\frac12$
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.expectations import expecting
from properties.certificates import assert_at_most, assert_equal_within, assert_within
from theorems.ledger import corrected, observed
from theorems.section_09_architectures.residual.model import ResidualNetwork
from theorems.section_09_architectures.residual.problems import residual_problems
from theorems.section_09_architectures.residual.rounding import derivative_rounding
from theorems.section_09_architectures.theorem_9_1_identity_bias.branches import (
    LARGEST_SLOPE,
    curvature_of_small_branches,
)


@corrected("C9")
@given_batches(problem=expecting(residual_problems(unit=1.0), integer="W, U"))
def test_two_derivatives_are_bounded_by_how_steep_and_how_curved_the_branches_are(problem):
    net = ResidualNetwork(problem.W, problem.U, problem.scale, "tanh")
    # when
    first, second = np.matvec(net.jacobian(problem.x), problem.v), net.second_derivative(problem.x, problem.v)
    # then
    steep, M = net.derivative_bounds()
    slack = derivative_rounding(net)
    assert_at_most(norm(first, axis=-1), steep + slack, why="|Dh_L v| <= prod (1 + eps_l)", instance=problem)
    assert_at_most(norm(second, axis=-1), M + slack, why="|D^2 h_L[v, v]| <= M_L", instance=problem)


@corrected("C9")
@given(w=st.integers(1, 20), u=st.integers(1, 20))
def test_one_scalar_branch_attains_both_bounds(w, u):
    # given  F(h) = u tanh(w h): steepest at 0, most curved where tanh^2 = 1/3
    net = ResidualNetwork(np.full((1, 1, 1), w / 4), np.full((1, 1, 1), u / 4), 1.0, "tanh")
    bend = -np.arctanh(1 / np.sqrt(3)) / (w / 4)
    # when
    first = net.jacobian(np.zeros(1)).item()
    second = net.second_derivative(np.array([bend]), np.ones(1)).item()
    # then   slope, two factors and a sum; the curve has the bend, three factors more, and the bound five
    steep, M = net.derivative_bounds()
    assert_equal_within(first, steep, rounding(10, steep), why="1 + u w")
    assert_equal_within(second, M, rounding(20, M), why="u w^2 4/(3 sqrt(3))")


@corrected("C9")
@pytest.mark.parametrize(("steep", "bent", "times"), [(0, 1, 2), (1, 0, 1)])
def test_a_steep_layer_counts_twice_below_a_bent_one_and_once_above(steep, bent, times):
    # given  24 tanh(h/8), of slope 3 and almost straight, and tanh(h), at the point where tanh bends most
    order = [steep, bent]
    W, U = (np.array(weights)[order, None, None] for weights in ([0.125, 1.0], [24.0, 1.0]))
    net = ResidualNetwork(W, U, 1.0, "tanh")
    x = np.array([-np.arctanh(1 / np.sqrt(3)) / 4 ** (times - 1)])
    # when
    second = net.second_derivative(x, np.ones(1)).item()
    # then   at least half of beta (1 + eps)^times, which exceeds the bound with one factor less, and at most the bound
    eps, beta = net.branch_lipschitz(), net.branch_curvature()
    _, M = net.derivative_bounds()
    assert_within(beta[bent] * (1 + eps[steep]) ** times / 2, second, M, why="D^2 h_2")
    assert_at_most(M / 2, second, why="a factor more would be seen as well")


@observed
def test_the_constants_of_both_derivatives_are_nearly_attained_within_H1():
    # given  eps = (31/64, 1/64): (31/8) tanh(h/8), almost straight, below tanh(8 h)/512, which bends
    W, U = np.array([[[1 / 8]], [[8.0]]]), np.array([[[31 / 8]], [[1 / 512]]])
    net = ResidualNetwork(W, U, 1.0, "tanh")
    assert_at_most(net.branch_lipschitz().sum(), 1 / 2, why="H1")
    # when   at 0, and where the second branch bends most; its input is h_1 = 3x/2, up to the cube of x
    x = np.array([-np.arctanh(1 / np.sqrt(3)) / 8 / 1.5])
    first, second = net.jacobian(np.zeros(1)).item(), net.second_derivative(x, np.ones(1)).item()
    # then
    assert_within(9 / 10 * LARGEST_SLOPE - 1 / 100, first, LARGEST_SLOPE, why="slope, against 5/3")
    curved = curvature_of_small_branches(net)
    assert_within(curved / 2, second, curved, why="second derivative, against e times the curvature")
