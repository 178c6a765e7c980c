"""Noisy gradient descent on quadratic losses: covariances in closed form, and a lower bound on I(W;D).

The loss is (1/2) theta' H theta - b' theta, and the step is theta - eta grad + sqrt(2 eta/beta) xi.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fixtures.dynamics.langevin import GaussianLaw, noise_response
from fixtures.precision import factorization, rounding
from fixtures.problems.regression import Regression
from fixtures.rational import fractions
from theorems.section_06_beyond_lazy_training.information.measures import affinity, binary_entropy

DECAY = 1 / 4
"""The coefficient of weight decay."""


def hessian_and_rates(
    problem: Regression, decay: float | np.ndarray = DECAY
) -> tuple[np.ndarray, float | np.ndarray, float | np.ndarray]:
    """H = X'X + decay I, the learning rate eta with eta lambda_max(H) = step < 2, and beta = 1/2 + n."""
    H = problem.X.mT @ problem.X + decay * np.eye(problem.X.shape[-1])
    return H, problem.step / (problem.sigma_max**2 + decay), 0.5 + problem.rows


def covariance_of_run(H: np.ndarray, eta: np.ndarray, beta: np.ndarray, steps: int) -> np.ndarray:
    """The covariance of noisy descent after `steps` steps. Unit noises are fed to the run: nothing is sampled."""
    M = noise_response(lambda theta: theta @ H, H.shape[-1], eta[:, None, None], beta[:, None, None], steps)
    return M @ M.mT


def entropy_rounding(
    dimension: int | np.ndarray, condition: float | np.ndarray, steps: int | np.ndarray = 1
) -> np.ndarray:
    """Rounding of the difference of two entropies of covariances in p dimensions.

    The eigenvalues of H, of the law and of its determinant come from three decompositions, relative to the condition
    of the covariance; those of H enter `steps` steps. An entropy has p logarithms.
    """
    return rounding(3 * factorization(dimension) * steps, dimension * condition)


def run_count(dimension: int | np.ndarray, steps: int | np.ndarray) -> int | np.ndarray:
    """How many roundings a run of noisy descent costs in p dimensions: H theta and four more operations a step."""
    return steps * (dimension + 4)


def exact_covariances(H: np.ndarray, eta: Fraction, steps: int) -> list[np.ndarray]:
    """The covariances after 0, ..., steps steps at beta = 1, exact: C <- (I - eta H) C (I - eta H) + 2 eta I."""
    identity = fractions(np.eye(len(H), dtype=int))
    path = [0 * identity]
    for _ in range(steps):
        path.append((identity - eta * H) @ path[-1] @ (identity - eta * H) + 2 * eta * identity)
    return path


def information_lower_bound(one: GaussianLaw, other: GaussianLaw) -> np.ndarray:
    """A lower bound on I(W;D) for two equally likely data sets D, which lead to two Gaussian laws of W.

    The best guess of D from W errs with a probability p of at most half the affinity of the laws. So H(D|W) <= h(p) by
    Fano's inequality, h the binary entropy, and I(W;D) = ln 2 - H(D|W).
    """
    return np.log(2) - binary_entropy(affinity(one, other) / 2)
