"""Self-tests: diffusions by hand, in closed form in an eigenbasis, and what a wrong generator is seen by."""

import numpy as np
import scipy.linalg
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from properties.certificates import assert_at_most, assert_identical
from theorems.section_08_stochastic_gradient_descent.stationary_noise.diffusion import (
    diffused,
    diffused_rounding,
    moment_generators,
)

H, D = np.array([[2.0, 1, 0], [1, 2, 1], [0, 1, 3]]), np.array([[3.0, -1, 0], [-1, 1, 1], [0, 1, 2]])


def test_from_rest_the_covariance_is_its_closed_form_in_an_eigenbasis():
    # given  times of one batch, short and long
    T = np.array([1e-3, 1.0, 20.0])
    h, Q = np.linalg.eigh(H)
    s = h[:, None] + h
    # then   D_ij (1 - e^-sT)/s
    exact = Q @ ((Q.T @ D @ Q) * -np.expm1(-s * T[:, None, None]) / s) @ Q.T
    H3, D3 = (np.broadcast_to(matrix, (3, 3, 3)) for matrix in (H, D))
    error = norm(diffused(H3, D3, T) - exact, axis=(-2, -1))
    # four products of three entries, and eigh, whose errors count by the condition of H; -expm1(-x)/s has four more
    slack = rounding(4 * 3 + 4 + 2 * factorization(3, 3), np.linalg.cond(H) * norm(exact, axis=(-2, -1)))
    bound = diffused_rounding(H3, D3, T)
    assert_at_most(error, bound + slack, why="covariance at T")
    assert_at_most(bound, rounding(240 * np.array([2, 60, 15_000]), norm(D)), why="ceiling: (1 + 15T)(1 + 5T)")


def test_along_a_direction_without_curvature_it_grows_by_the_noise_alone():
    # given  H = 3I - 11', which maps v = (1, 1, 1) to 0; |v|^2 = 3
    flat = 3 * np.eye(3) - 1
    # then
    error = abs(diffused(flat, D, 0.3).sum() - 0.3 * D.sum())
    assert_at_most(error, 3 * diffused_rounding(flat, D, 0.3), why="v'Dv T, as for Brownian motion")


def test_in_the_long_run_it_solves_scipys_lyapunov_equation():
    other = scipy.linalg.solve_continuous_lyapunov(H, D)
    # e^-2hT < e^-50 at the least eigenvalue 0.75 and T = 40; scipy's solver decomposes H and solves in its basis
    slack = np.exp(-50) * norm(other) + rounding(2 * factorization(3, 3) + 4 * 3, np.linalg.cond(H) * norm(other))
    slack += diffused_rounding(H, D, 40.0)
    assert_at_most(norm(diffused(H, D, 40.0) - other), slack, why="stationary covariance")


def test_the_generator_of_second_moments_by_hand():
    # given  rows x = 1, 2 with y = 1, 0: D_i = [[1, -1], [0, 0]] and [[4, 0], [0, 0]], D = [[5/2, -1/2], [0, 0]]
    G, correction = moment_generators(np.array([[1.0], [2.0]]), np.array([1.0, 0.0]), 1.0)
    M = np.array([[4.0, 2], [2, 1]])  # w = 2
    # then   d E w^2/dt = -2(5/2 w - 1/2)w = -18, d E w/dt = -9/2
    assert_identical((G @ M.ravel()).reshape(2, 2), [[-18, -4.5], [-4.5, 0]], why="drift")
    # and    the gradients are 1 and 8, of variance 49/4; -(5/2)(9/2)w = -45/2 and -(5/2)(9/2)/2 = -45/8
    assert_identical((correction @ M.ravel()).reshape(2, 2), [[49 / 4 - 45 / 2, -45 / 8], [-45 / 8, 0]], why="noise")
