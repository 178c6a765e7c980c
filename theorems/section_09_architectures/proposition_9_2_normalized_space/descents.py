"""Gradient descent on a linear regression whose weights are a direction v and a scale gamma, with its rounding."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from theorems.section_09_architectures.normalization.dynamics import (
    NormalizedRun,
    batch_norm_slopes,
    normalized_descent,
)
from theorems.section_09_architectures.normalization.problems import DirectedRegression

LARGEST_RESIDUAL = 1e-3
"""The budget: a run of STEPS steps must bring the residual |X beta - y| to this."""
STEPS = 700


def row_and_null_parts(problem: DirectedRegression, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts of vectors (B, p) in row(X) and in null(X)."""
    return problem.in_row_space(vectors), problem.in_null_space(vectors)


def deviation(problem: DirectedRegression, v: np.ndarray) -> np.ndarray:
    """The standard deviation s of the activations Xv over the batch, (B,)."""
    return norm(np.matvec(problem.X, v), axis=-1) / np.sqrt(problem.rows + 1)


def batch_norm_run(problem: DirectedRegression) -> tuple[NormalizedRun, np.ndarray, np.ndarray, np.ndarray]:
    """STEPS steps at the rate 1 under batch normalization: the run, and beta, gamma/s and |X beta - y| at its end."""
    run = normalized_descent(batch_norm_slopes, problem, problem.v, problem.gamma, np.ones(len(problem.v)), STEPS)
    scale = run.gamma / deviation(problem, run.v)
    beta = scale[:, None] * run.v
    return run, beta, scale, norm(np.matvec(problem.X, beta) - problem.y, axis=-1)


def drift_rounding(problem: DirectedRegression, run: NormalizedRun, steps: int) -> np.ndarray:
    """The rounding of the null part of v after `steps` steps, (B,), to first order.

    A step adds a combination of rows of X and rounds v. The combination has inner products of p entries, one more for
    the length of v, three of n, and 12 operations. The rows are off row(X) by `construction`. Both are relative to
    `run.reach`, the size of a step without cancellation. Later steps multiply an earlier error by at most
    decay/least_decay, which is 1 for batch normalization.
    """
    combined = rounding(2 * problem.columns + 3 * problem.rows + 12) + 2 * problem.construction
    largest = np.sqrt(np.square(problem.v).sum(-1) + run.travel)
    return combined * run.reach + rounding(2 * steps, largest)
