"""Runs of mirror descent with the entropy map on positive systems, and how far rounding moves them."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.mirror_descent import ENTROPY, MirrorMap, MirrorRun, mirror_descent_to_residual
from fixtures.precision import rounding
from fixtures.problems.positive import PositiveSystem
from properties.linear_models.divergences import curvature_bound, least_curvature

CONVERGED = 1e-10
"""The residual down to which runs go, in units of the size of an interpolant."""


def run_to_convergence(
    problem: PositiveSystem, start: np.ndarray, mirror: MirrorMap = ENTROPY, converged: float = CONVERGED
) -> MirrorRun:
    """Mirror descent, backtracking on the dual, until |Xw - y| <= converged s_1 |w_p|."""
    residual = converged * problem.sigma_max * norm(problem.w_p, axis=-1)
    return mirror_descent_to_residual(mirror, problem.X, problem.y, start, residual)


def start_of_most_entropy(problem: PositiveSystem) -> np.ndarray:
    """The start 1/e in every coordinate, zero in the padding."""
    return np.where(problem.w_p > 0, np.exp(-1), 0)


def learning_rate(problem: PositiveSystem, start: np.ndarray) -> np.ndarray:
    """The learning rate eta = step/Lambda for the drawn step < 2, as in H4."""
    return problem.step / curvature_bound(problem, start)


def logarithm(w: np.ndarray) -> np.ndarray:
    """The logarithms of w; 0 in the padding."""
    return np.log(w, out=np.zeros_like(w), where=w > 0)


def one_step_rounding(problem: PositiveSystem, run: MirrorRun) -> np.ndarray:
    """A bound on the rounding of one step in the dual point theta = ln w, in the Euclidean norm.

    A gradient has n + p + 3 roundings of sqrt(n) s_1 (s_1|w| + |y|), as in properties.linear_models.least_squares, and
    |theta| + 2 of w = exp(theta). Since s_1^2|w| and s_1|y| are at most Lambda, eta <= 2/Lambda makes that a 4; adding
    the step is one rounding of |theta_t - theta_0|.
    """
    n, p = problem.rows, problem.columns
    theta = norm(logarithm(problem.w0), axis=-1) + 1 + run.largest
    return rounding(n + p + 5 + theta, 4 * np.sqrt(n)) + rounding(1, run.largest)


def backtracked_rounding(problem: PositiveSystem, run: MirrorRun) -> np.ndarray:
    """A bound on the rounding of a backtracked run in the null part of theta, relative to the size of theta.

    As in one_step_rounding for each step, where the backtracked steps are at most the inverse curvature along them.
    """
    n, p = problem.rows, problem.columns
    return rounding((1 + run.steps) * (n + p + 6), 4 * np.sqrt(n))


def trajectory_rounding(problem: PositiveSystem, run: MirrorRun) -> np.ndarray:
    """A bound on the rounding of a whole run in ln w, to first order: `run.steps` steps as in one_step_rounding.

    A row part of an error is an error of nu, which the ascent does not expand: cond(X) steps. A null part, at most
    `steps` steps, acts as an altered start, which shifts every later step by at most twice itself: 2 cond(X) steps^2.
    """
    return problem.condition * (1 + run.steps + 2 * run.steps**2) * one_step_rounding(problem, run)


def radius_when_converged(problem: PositiveSystem, run: MirrorRun) -> np.ndarray:
    """An upper bound on radius_of_projection for a run that has converged, from the start that is projected.

    The gap is KL(v || w) <= sum (v - w)^2/w = r'(X diag(w) X')^-1 r with |r| <= CONVERGED s_1 |w_p|; the defect is the
    rounding of the steps.
    """
    residual = CONVERGED * problem.sigma_max * norm(problem.w_p, axis=-1)
    theta = 1 + run.largest + norm(logarithm(run.w), axis=-1)
    defect = backtracked_rounding(problem, run) * theta
    return 2 * residual / np.sqrt(least_curvature(problem, run.w)) + defect * (1 + np.sqrt(run.w.sum(-1)))
