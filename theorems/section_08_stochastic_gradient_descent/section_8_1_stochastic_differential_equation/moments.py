"""Second moments of SGD and of diffusions on quadratics with noise of constant covariance, and their rounding.

A problem is a batch of `stationary_noise.noisy_quadratics`: H = Q diag(h) Q', C, eta, steps, and a start theta_0.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.linalg import norm

from fixtures.precision import rounding
from theorems.section_08_stochastic_gradient_descent.stationary_noise.diffusion import diffused, diffused_rounding
from theorems.section_08_stochastic_gradient_descent.stationary_noise.noisy_quadratics import (
    NoisyQuadratic,
    basis_rounding,
    noisy_quadratics,
)
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import (
    covariance_after,
    recursion_rounding,
)

problems = noisy_quadratics(sizes=(1 / 4, 1 / 2, 1 / 16, 1 / 256))


def in_eigenbasis(problem: NoisyQuadratic, matrix: np.ndarray) -> np.ndarray:
    """The matrix in the eigenbasis of H: Q' (matrix) Q."""
    return problem.Q.mT @ matrix @ problem.Q


def pairs(problem: NoisyQuadratic) -> tuple[np.ndarray, ...]:
    """Sums h_i + h_j (1 in the padding), h_i h_j, h_i^2 + h_j^2, (B, p, p) each; the step and the time, (B, 1, 1)."""
    rows, columns = problem.h[:, :, None], problem.h[:, None, :]
    s = np.where(rows + columns > 0, rows + columns, 1)
    return (
        s,
        rows * columns,
        rows**2 + columns**2,
        problem.eta[:, None, None],
        (problem.eta * problem.steps)[:, None, None],
    )


def turning_rounding(problem: NoisyQuadratic) -> np.ndarray:
    """How far a second moment in the eigenbasis is from that where H is Q diag(h) Q' exactly, as a share of it: (B,).

    It is turned once. H is off by `basis_rounding` times |h|; the drift, which may be H + eta H^2/2 with eta h <= 1/2,
    by twice that at most, on either side for the time T.
    """
    T = problem.eta * problem.steps
    return basis_rounding(problem) * (1 + 4 * T * norm(problem.h, axis=-1))


def rounding_ceiling(problem: NoisyQuadratic, noise: np.ndarray) -> np.ndarray:
    """What no rounding of a second moment exceeds, in units of eta and of |theta_0|^2, for noise (B, p, p): (B, 1, 1).

    3000 operations, on the square of 1 + T(2|H| + |noise|).
    """
    T = problem.eta * problem.steps
    reach = 1 + T * (2 * norm(problem.h, axis=-1) + norm(noise, axis=(-2, -1)))
    return rounding(3000, reach**2)[:, None, None]


def second_moment_of_sgd(problem: NoisyQuadratic, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """E theta theta' of SGD after k steps, and a bound of its rounding, that of turning it to the eigenbasis included.

    start: theta_0 theta_0', 0 unless it is given.
    """
    found = covariance_after(problem.H, problem.C, problem.eta, problem.steps, start)
    T = problem.eta * problem.steps
    at_first = 0 if start is None else norm(start, axis=(-2, -1))
    largest = T * problem.eta * norm(problem.C, axis=(-2, -1)) + at_first
    error = recursion_rounding(problem.C, problem.eta, problem.steps, largest)
    return found, (error + turning_rounding(problem) * largest)[:, None, None]


def second_moment_of_diffusion(problem: NoisyQuadratic, H: np.ndarray, D: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E theta theta' at T = k eta of d theta = -H theta dt + sqrt(eta) D^(1/2) dW from theta_0, and its rounding.

    The rounding includes that of turning it to the eigenbasis. The exponential of -HT, which stands on both sides, has
    fewer entries than that of the moments' system without noise, and errs no more.
    """
    T = problem.eta * problem.steps
    flow = scipy.linalg.expm(-T[:, None, None] * H)
    mean = np.matvec(flow, problem.start)
    found = mean[:, :, None] * mean[:, None, :] + problem.eta[:, None, None] * diffused(H, D, T)
    error = problem.eta * diffused_rounding(H, D, T)
    error += 2 * diffused_rounding(H, 0 * D, T) * norm(problem.start, axis=-1) ** 2
    largest = T * problem.eta * norm(D, axis=(-2, -1)) + norm(problem.start, axis=-1) ** 2
    return found, (error + turning_rounding(problem) * largest)[:, None, None]
