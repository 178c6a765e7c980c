"""The stationary covariance S of SGD on a quadratic with constant noise: exact for diagonal H, else with rounding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import scipy.linalg
from numpy.linalg import norm

from fixtures.precision import rounding
from properties.certificates import assert_identical
from theorems.section_08_stochastic_gradient_descent.stationary_noise.noisy_quadratics import (
    NoisyQuadratic,
    basis_rounding,
)
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import (
    covariance_after,
    stationary_covariance,
)


def exact_stationary(h: np.ndarray, C: np.ndarray, eta: Fraction) -> np.ndarray:
    """S (p, p) for H = diag(h), in fractions. Asserts that a step of SGD keeps it."""
    S = eta * C / (np.add.outer(h, h) - eta * np.multiply.outer(h, h))
    assert_identical(covariance_after(np.diag(h), C, eta, 1, S), S, why="a step keeps S")
    return S


def eigen_pairs(problem: NoisyQuadratic) -> tuple[np.ndarray, np.ndarray]:
    """The sums h_i + h_j and the products h_i h_j of all pairs of eigenvalues, (p, p) each."""
    return np.add.outer(problem.h, problem.h), np.multiply.outer(problem.h, problem.h)


def stationary_in_eigenbasis(problem: NoisyQuadratic) -> tuple[np.ndarray, float]:
    """Q'SQ by `stationary_covariance`, and its error in the Frobenius norm for H = Q diag(h) Q' and Q orthogonal.

    H is off that by `basis_rounding` times |h|. As |I - eta H| <= 1, this moves the right-hand side of the equation of
    S by twice that times eta |S|, and S by this over the least 1 - (1 - eta h)^2.
    """
    S, error = stationary_covariance(problem.H, problem.C, problem.eta)
    x = problem.eta * problem.h
    turned = basis_rounding(problem) * norm(S) * (1 + 2 * norm(x) / np.min(x * (2 - x)))
    return problem.Q.T @ S @ problem.Q, error + float(turned)


def small_step_covariance(problem: NoisyQuadratic) -> tuple[np.ndarray, float]:
    """Q'S_1Q for the S_1 of H S_1 + S_1 H = C, by scipy's continuous Lyapunov solver, and its error as above.

    The bound does not trust the solver: a residual R moves S_1 by at most |R|/(2 h_min). The residual is rounded as
    inner products of p entries, two sums and a difference. H is off by `basis_rounding` times |h|.
    """
    H, C, formed = problem.H, problem.C, basis_rounding(problem)
    S_1 = scipy.linalg.solve_continuous_lyapunov(H, C)
    left = norm(H @ S_1 + S_1 @ H - C) + rounding(len(H) + 2, 2 * norm(H) * norm(S_1) + norm(C))
    error = (left + 2 * formed * norm(problem.h) * norm(S_1)) / (2 * problem.h.min()) + formed * norm(S_1)
    return problem.Q.T @ S_1 @ problem.Q, float(error)


def power_in_eigenbasis(problem: NoisyQuadratic) -> tuple[np.ndarray, float]:
    """(I - eta H)^k for the steps k, as Q diag((1 - eta h)^k) Q', and its error in the Frobenius norm.

    The k factors of a power take two operations each. H is off by `basis_rounding` times |h|, and the power by at most
    k max |1 - eta h|^(k - 1) times eta times that.
    """
    k, rate, formed = problem.steps, 1 - problem.eta * problem.h, basis_rounding(problem)
    moved = k * np.abs(rate).max() ** (k - 1) * problem.eta * norm(problem.h)
    error = formed * (norm(rate**k) + moved) + rounding(2 * k + 1, norm(rate**k))
    return (problem.Q * rate**k) @ problem.Q.T, float(error)
