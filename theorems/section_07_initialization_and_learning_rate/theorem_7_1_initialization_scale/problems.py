"""Regression problems for diagonal networks, the scales alpha that they start from, and the start of the flow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.linalg import norm

from fixtures.models.diagonal import DiagonalNetwork, uniform
from fixtures.problems.expectations import expecting
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import Regression, from_zero, regressions

DEPTHS = (2, 3, 4)
SMALL = {2: (1e-1, 1e-2, 1e-3, 1e-4, 1e-5), 3: (1e-1, 3e-2, 1e-2, 3e-3, 1e-3), 4: (1e-1, 6e-2, 4e-2, 2e-2, 1e-2)}
"""Small scales alpha over |m|^{1/D} by depth, down to where the dual can be solved in double precision."""
LARGE = (0.5, 1.0, 3.0, 10.0, 100.0)
designs = regressions(max_rows=3, max_excess=3).map(gently_conditioned)
problems = expecting(designs.map(from_zero), constant="w0")


def pick(problem: Regression, values: Sequence[float]) -> np.ndarray:
    """One of these scales for each instance, (B,)."""
    return np.array(values)[problem.t % len(values)]


def least_norm(problem: Regression) -> np.ndarray:
    """The interpolant m = X^+ y of least l2 norm, (B, p)."""
    return np.matvec(problem.V, problem.divide_by_s(problem.modes(problem.y)))


def pick_scale(problem: Regression, depth: int, values: Sequence[float]) -> np.ndarray:
    """A scale alpha for each instance, (B,): one of these multiples of |m|^{1/D}, the size of the factors."""
    return pick(problem, values) * norm(least_norm(problem), axis=-1) ** (1 / depth)


def start_of_the_flow(problem: Regression, depth: int) -> tuple[np.ndarray, DiagonalNetwork, np.ndarray]:
    """The scale alpha in {0.6, 1, 2} times |m|^{1/D}, the network that starts there, and the rate of the flow.

    With this rate the tangent kernel is of order 1.
    """
    size, alpha = norm(least_norm(problem), axis=-1), pick_scale(problem, depth, (0.6, 1.0, 2.0))
    kernel = depth**2 * problem.sigma_max**2 * np.maximum(size ** (2 - 2 / depth), 2 * alpha ** (2 * depth - 2))
    pace = 1 / kernel
    return alpha, uniform(alpha, problem.w0, depth), pace
