"""Runs of SGD on least squares: the strategy of the problems, the lengths of the rows, and exact iterates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import Descent
from fixtures.dynamics.stochastic import minibatch_gradient, stochastic_gradient_descent, with_replacement
from fixtures.precision import rounding
from fixtures.problems.expectations import expects
from fixtures.problems.positive import gently_conditioned
from fixtures.problems.regression import Regression, regressions
from properties.linear_models.least_squares import oracle_rounding

SEED = 331
problems = regressions(max_rows=3, max_excess=3).map(gently_conditioned)


def longest_row_squared(problem: Regression) -> np.ndarray:
    """Max |x_i|^2, (B,)."""
    return np.square(problem.X).sum(-1).max(-1)


def shortest_row_squared(problem: Regression) -> np.ndarray:
    """Min |x_i|^2 over the rows that are not padding, (B,)."""
    squares = np.square(problem.X).sum(-1)
    return np.where(squares > 0, squares, np.inf).min(-1)


def limit_rounding(problem: Regression, limit: np.ndarray) -> np.ndarray:
    """A bound on the rounding of a limit that LAPACK computes: the interpolant nearest to w_0."""
    return oracle_rounding(problem, norm(problem.w0, axis=-1) + norm(limit, axis=-1))


def steps_rounding(problem: Regression, steps: int | np.ndarray, largest: np.ndarray) -> np.ndarray:
    """A bound on the rounding of an iterate after `steps` steps on minibatches with |w_t| <= largest.

    Assumes eta s_1^2 <= 2. An entry of a step goes through n + p + 4 roundings: p + 1 in a residual, n in the sum over
    the minibatch, one in its mean, one in the rate, one in the update. All results on the way are at most
    2 sqrt(n)(largest + |y|/s_1), and no step expands an error. The last evaluation counts as one step more.
    """
    scale = largest + norm(problem.y, axis=-1) / problem.sigma_max
    return rounding((1 + steps) * (problem.rows + problem.columns + 4), 2 * np.sqrt(problem.rows) * scale)


def sampled_run(problem: Regression) -> tuple[Descent, np.ndarray, np.ndarray]:
    """SGD in minibatches of two from w_0 to the drawn time, its order, and the drawn step eta < 2/max |x_i|^2 (H2)."""
    eta = problem.step / longest_row_squared(problem)
    order = with_replacement(np.random.default_rng(SEED), problem.rows, 200, 2)
    run = stochastic_gradient_descent(problem.X, problem.y, problem.w0, eta, order, problem.t)
    return run, order, eta


@expects(nonnegative="")
@st.composite
def minibatches(draw: st.DrawFn) -> tuple[int, int, bool]:
    """A size b, a number of steps, and whether rows may repeat: few enough orders to run them all."""
    return draw(st.integers(1, 2)), draw(st.integers(0, 2)), draw(st.booleans())


def descend(
    X: np.ndarray, y: np.ndarray, start: np.ndarray, eta: Fraction, order: Iterable[Sequence[int]]
) -> list[np.ndarray]:
    """The iterates w_0, w_1, ... of the given minibatches, by the gradients that SGD uses; exact on fractions."""
    return list(accumulate(order, lambda w, rows: w - eta * minibatch_gradient(X, y, w, np.array(rows)), initial=start))
