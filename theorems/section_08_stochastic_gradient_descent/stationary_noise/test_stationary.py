"""Self-tests: covariances by hand and in fractions, the solver's residual, and what the pivot can see."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from numpy.linalg import norm

from fixtures.dynamics.langevin import noise_response, stationary_law
from fixtures.precision import factorization, rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import (
    covariance_after,
    recursion_rounding,
    stationary_covariance,
)

# Curvature with eigenvalues 0.75, 2.45 and 3.80, and noise that does not commute with it.
H, C = np.array([[2.0, 1, 0], [1, 2, 1], [0, 1, 3]]), np.array([[3.0, -1, 0], [-1, 1, 1], [0, 1, 2]])


def test_two_steps_by_hand():
    # given  h = 1, eta = 1/2, c = 4: 1, then 1/4 + 1
    half = covariance_after(*fractions([[[1]], [[4]]]), Fraction(1, 2), 2)
    assert_identical(half, [[Fraction(5, 4)]], why="from rest")
    assert_identical(
        covariance_after(*fractions([[[1]], [[4]]]), Fraction(1, 2), 1, fractions([[8]])), [[3]], why="from 8"
    )


def test_in_a_batch_every_problem_takes_its_own_steps():
    steps, batch = np.array([0, 1, 7]), [np.broadcast_to(matrix, (3, 3, 3)) for matrix in (H, C)]
    found = covariance_after(*batch, np.full(3, 0.25), steps)
    alone = np.stack([covariance_after(H, C, 0.25, int(k)) for k in steps])
    assert_identical(found, alone, why="batch against single runs")


def test_the_float_recursion_is_that_in_fractions_and_that_of_unit_noises():
    # given  a step with 53 bits, so that floats round
    eta = 0.3
    exact = covariance_after(*(fractions(m.astype(int)) for m in (H, C)), Fraction(eta), 12).astype(float)
    bound = recursion_rounding(C, eta, 12, norm(exact))
    assert_at_most(norm(covariance_after(H, C, eta, 12) - exact), bound, why="floats")
    assert_at_most(bound, rounding(12 * 50, norm(exact)), why="ceiling: 50 operations a step")
    # the response of noisy descent to each noise, of size eta for beta = 2/eta, C = BB'
    M, B = noise_response(lambda theta: theta @ H, 3, eta, 2 / eta, 12), np.linalg.cholesky(C)
    response = M @ np.kron(np.eye(12), B)
    # then   a response takes 2 (3 + 2) operations a step; its square sums 36 products, and twice its error
    slack = rounding(2 * 12 * 10 + 36, norm(response) ** 2)
    assert_at_most(norm(response @ response.T - exact), bound + slack, why="noisy descent")


def test_the_solver_agrees_with_the_closed_form_for_isotropic_noise_within_its_bound():
    S, error = stationary_covariance(H, np.eye(3), 0.25)
    other = stationary_law(H, np.zeros(3), 0.25, 8.0).covariance
    # then   the closed form by eigh, whose errors count by the condition of H: two products of three entries
    slack = rounding(2 * (3 + factorization(3, 3)), np.linalg.cond(H) * norm(other))
    assert_at_most(norm(S - other), error + slack, why="S")
    assert_at_most(error, rounding(200, norm(S)), why="the bound of the solver: a residual over a gap of 0.34")


def test_a_wrong_solution_is_found_by_its_residual(monkeypatch):
    right = scipy.linalg.solve_discrete_lyapunov
    monkeypatch.setattr(scipy.linalg, "solve_discrete_lyapunov", lambda A, Q: right(A, Q) * 1.001)
    S, error = stationary_covariance(H, C, 0.25)
    true = right(np.eye(3) - H / 4, C / 16)
    assert_at_most(norm(S - true), error, why="the error that the bound admits")
    assert_at_most(1e-4 * norm(true), error, why="and that no test would accept")


@pytest.mark.parametrize(("matrix", "eta", "named"), [(H, 0.6, "2.28"), (np.diag([1.0, 0, 1]), 0.1, "0")])
def test_without_a_stationary_covariance_the_eigenvalue_is_named(matrix, eta, named):
    with pytest.raises(ValueError, match=f"no stationary covariance: eta h = {named} is not inside"):
        stationary_covariance(matrix, C, eta)
