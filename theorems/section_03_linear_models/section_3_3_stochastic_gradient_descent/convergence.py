"""How fast SGD on least squares converges where the data are interpolated: factors of contraction, and the limit."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import Descent
from fixtures.problems.regression import Regression
from properties.certificates import assert_at_most, assert_certified
from properties.linear_models.least_squares import distance_to_limit, iterate_rounding
from properties.oracles import nearest_interpolant
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.runs import longest_row_squared

CHANCE = 1e-12
"""The probability with which a sampled run may miss its budget. The fast profile has fewer than 1000 such runs."""
SAMPLED_WITHIN, SHUFFLED_WITHIN = 1e-8, 1e-3
"""The share of |e_0| down to which the runs go, by sampling and in epochs."""


def contraction(problem: Regression, eta: float | np.ndarray) -> np.ndarray:
    """The factor 1 - eta(2 - eta max |x_i|^2) s_n^2/n that bounds how E|e|^2 changes in a step of a single row."""
    return 1 - eta * (2 - eta * longest_row_squared(problem)) * problem.sigma_min**2 / problem.rows


def epoch_contraction(problem: Regression, eta: float | np.ndarray) -> np.ndarray:
    """A factor that bounds how |e|^2 changes in any epoch that visits every row once, in whatever order.

    Let r be the residuals met on the way and G = XX'. The residuals at the epoch's start are (I + eta N) r, N the part
    of G below the diagonal in the order of the visits; |N|_F does not depend on that order. So
    |Xe| <= (1 + eta |N|_F)|r|, and |e|^2 falls by eta(2 - eta max |x_i|^2)|r|^2 at least.
    """
    squares = np.square(problem.X @ problem.X.mT)
    below = np.sqrt((squares.sum((-2, -1)) - np.trace(squares, axis1=-2, axis2=-1)) / 2)
    fall = eta * (2 - eta * longest_row_squared(problem)) * problem.sigma_min**2
    return 1 - fall / (1 + eta * below) ** 2


def assert_reaches_the_limit_of_gradient_descent(problem: Regression, run: Descent, within: float) -> None:
    """Assert that the run ends within `within` |w_0 - limit| of the limit of GD, the interpolant nearest w_0."""
    limit = nearest_interpolant(problem.X, problem.y, problem.w0)
    assert_certified(distance_to_limit(problem, run, problem.w0, limit))
    bound = within * norm(problem.w0 - limit, axis=-1) + iterate_rounding(problem, run)
    assert_at_most(norm(run.w - limit, axis=-1), bound, why="convergence within the budget", instance=problem)
