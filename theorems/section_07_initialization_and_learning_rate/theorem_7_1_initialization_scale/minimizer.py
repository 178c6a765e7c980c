"""The minimizer of the potential Q of a diagonal network, and the certificate that a run ends at it."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.models.diagonal import DiagonalNetwork
from fixtures.precision import rounding
from fixtures.problems.regression import Regression
from properties.certificates import assert_at_most
from properties.linear_models.divergences import multiplier, residual_with_rounding
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import (
    DiagonalPotential,
    Interpolant,
    minimize,
)

CONVERGED = 1e-6
"""Runs go on until the residual is at most this share of |y|."""
SOLVED = 1e-5
"""The minimizer of Q must be known within this share of its norm."""


def certified_minimizer(potential: DiagonalPotential, problem: Regression) -> Interpolant:
    """The minimizer of Q over {Xw = y}; an error unless the computed point is certified to be near it."""
    best = minimize(potential, problem)
    assert_at_most(best.radius, SOLVED * norm(best.w, axis=-1), why="the dual is solved", instance=problem)
    return best


def dual_rounding(problem: Regression, z: np.ndarray) -> np.ndarray:
    """The rounding of a computed z = X'nu, (..., B): its projection, the construction and four more operations."""
    return rounding(8 * (problem.rows + problem.columns), 1 + norm(z, axis=-1))


def slack_in_dual(network: DiagonalNetwork, alpha: np.ndarray, error: np.ndarray) -> np.ndarray:
    """How far z = X'nu, (..., B), may be off when the factors are off by `error`: twice its derivative in u and v."""
    k, least = network.depth - 2, np.minimum(network.u, network.v)
    return 2 * error * (np.maximum(k, 1) * alpha[:, None] ** k / least ** (k + 1)).max(-1)


def assert_ends_at_the_minimizer(
    problem: Regression, potential: DiagonalPotential, network: DiagonalNetwork, defect: np.ndarray
) -> None:
    """Assert |w - w*| <= S (e + sqrt(e^2 + 4 |r| |nu - nu*| / S)) / 2, w* the minimizer of Q; `defect` e is (B,).

    e bounds the distance of z from row(X), z the dual point of w. Proof: let S be the largest 1/Q'' between w and w*.
    Then |w - w*|^2 / S <= <w - w*, z - z*> = <r, nu - nu*> + <w - w*, null part of z>.
    """
    w, best = network.w, certified_minimizer(potential, problem)
    nu = multiplier(problem, potential.to_dual(network.u, network.v) - best.z)
    _, S = potential.slope_between(np.maximum(np.abs(w), np.abs(best.w)) + best.radius[:, None])
    S, r = S.max(-1), residual_with_rounding(problem, w)
    assert_at_most(r, 2 * CONVERGED * norm(problem.y, axis=-1), why="the run has converged", instance=problem)
    e = defect + dual_rounding(problem, best.z)
    bound = S * (e + np.sqrt(e**2 + 4 * r * norm(nu, axis=-1) / S)) / 2 + best.radius
    assert_at_most(norm(w - best.w, axis=-1), bound, why="distance to the minimizer of Q", instance=problem)
