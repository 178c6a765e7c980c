"""The stationary covariance S of SGD on a quadratic with constant noise: exact for diagonal H, else with rounding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_identical
from theorems.section_08_stochastic_gradient_descent.stationary_noise.noisy_quadratics import NoisyQuadratic
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import covariance_after


def exact_stationary(h: np.ndarray, C: np.ndarray, eta: Fraction) -> np.ndarray:
    """S (p, p) for H = diag(h), in fractions. Asserts that a step of SGD keeps it."""
    S = eta * C / (np.add.outer(h, h) - eta * np.multiply.outer(h, h))
    assert_identical(covariance_after(np.diag(h), C, eta, 1, S), S, why="a step keeps S")
    return S


def eigen_pairs(problem: NoisyQuadratic) -> tuple[np.ndarray, np.ndarray]:
    """The sums h_i + h_j and the products h_i h_j of all pairs of eigenvalues, (p, p) each."""
    return np.add.outer(problem.h, problem.h), np.multiply.outer(problem.h, problem.h)


def basis_rounding(problem: NoisyQuadratic, matrix: np.ndarray) -> float:
    """A bound of two roundings: of Q'(matrix)Q, and of S where H is Q diag(h) Q' up to rounding.

    The second is the rounding of H times the condition of S.
    """
    x = problem.eta * problem.h
    condition = 1 + x.max() / np.min(x * (2 - x))
    return 400 * len(problem.h) ** 2 * UNIT_ROUNDOFF * condition * norm(matrix)
