"""Self-tests: the curve of all Q_alpha against MINPACK, mirror descent and its ends, and its nearest point."""

import numpy as np
import pytest
import scipy.optimize
from numpy.linalg import norm
from scipy.special import entr

from fixtures.dynamics.mirror_descent import hyperbolic_entropy, mirror_descent_to_residual
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.interpolation import LENGTH, interpolations, read_interpolation
from fixtures.problems.symmetry import draw_instances
from fixtures.problems.tapes import Tape
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.hypentropy import GRID, TOLERANCE, least_hypentropy, nearest_on_the_curve, speed
from properties.oracles import OracleError, least_l1_norm, nearest_interpolant

EXACT = np.sqrt(UNIT_ROUNDOFF)
"""Newton's last step is at most of this order, because it is quadratic and ends where rounding is."""


def few():
    """Four problems of the strategy."""
    return stack(draw_instances(interpolations, 5)[1:])


@pytest.mark.slow
def test_the_minimizer_is_the_root_that_minpack_finds():
    problem, alpha = few(), np.array([2.0, 1, 1 / 2, 1 / 4])
    found, _ = least_hypentropy(problem.X, problem.y, alpha)
    for X, y, a, w in zip(problem.X, problem.y, alpha, found, strict=True):
        misfit = lambda nu: X @ (2 * a**2 * np.sinh(nu @ X)) - y  # noqa: B023, E731
        nu = scipy.optimize.root(misfit, np.zeros(len(y)), method="lm", options={"xtol": 1e-15, "ftol": 1e-15}).x
        assert_at_most(norm(2 * a**2 * np.sinh(nu @ X) - w), EXACT, why="the interpolant of least hypentropy")


def test_the_minimizer_is_found_where_a_step_of_newton_enlarges_the_misfit():
    problem = read_interpolation(Tape(np.random.default_rng(12).bytes(LENGTH)))
    w, _ = least_hypentropy(problem.X[None], problem.y[None], GRID[-1:])
    assert_at_most(norm(problem.X @ w[0] - problem.y), EXACT * norm(problem.y), why="misfit of a single instance")


def test_the_minimizer_is_the_limit_of_mirror_descent():
    problem, alpha, residual = few(), np.full(4, 1 / 4), 1e-7
    run = mirror_descent_to_residual(hyperbolic_entropy(2 * alpha**2), problem.X, problem.y, 0 * problem.w0, residual)
    found, _ = least_hypentropy(problem.X, problem.y, alpha)
    # with C = diag(sqrt(w^2 + 4 alpha^4)) a misfit r moves w by CX'(XCX')^-1 r, at most max C/(min C s_n^2) |r|; the
    # factor 2 is for the other misfit and for the change of C
    curvature = np.sqrt(np.abs(found).max(-1) ** 2 + 4 * alpha**4) / (2 * alpha**2 * problem.s.min(-1) ** 2)
    assert_at_most(norm(run.w - found, axis=-1), 2 * residual * curvature, why="mirror descent against Newton")


@pytest.mark.slow
@given_batches(problem=interpolations)
def test_the_curve_leads_from_least_l2_to_least_l1(problem):
    X, y, every = problem.X, problem.y, np.ones(len(problem.y))
    wide, narrow = (least_hypentropy(X, y, alpha * every)[0] for alpha in (GRID[0], GRID[-1]))
    # w = 2 alpha^2 sinh(theta) with X theta' in row(X): its part off the row space is at most |w| theta^2/6
    theta = np.abs(wide).max(-1) / (2 * GRID[0] ** 2)
    off = norm(wide - nearest_interpolant(X, y, 0 * wide), axis=-1)
    assert_at_most(off, norm(wide, axis=-1) * theta**2 + EXACT, why="the end of least l2", instance=problem)
    # with b = 2 alpha^2 the objective of w is at most that of v; |w| ln(2|w|/b) <= w asinh(w/b) <= |w| ln(2|w|/b + 1)
    v, size, b = np.abs(least_l1_norm(X, y)[0]), np.abs(narrow), 2 * GRID[-1] ** 2
    entropies = (v * np.log(v + b / 2)).sum(-1) + entr(size).sum(-1) + size.shape[-1] * b
    excess = size.sum(-1) - v.sum(-1)
    assert_at_most(excess, entropies / (np.log(2 / b) - 1) + EXACT, why="the end of least l1", instance=problem)


@pytest.mark.slow
def test_a_point_of_the_curve_is_found_again():
    problem, alpha = few(), np.array([3.0, 0.7, 0.11, 0.002])
    w, nu = least_hypentropy(problem.X, problem.y, alpha)
    found = nearest_on_the_curve(problem.X, problem.y, w)
    error = np.abs(np.log2(found.alpha / alpha))
    assert_at_most(error, TOLERANCE + EXACT / speed(problem.X, problem.y, alpha, nu), why="log2 of alpha")
    assert_at_most(found.distance, TOLERANCE * found.speed + EXACT, why="distance from the curve")


@pytest.mark.slow
def test_the_nearest_point_is_below_a_point_that_is_moved_at_right_angles():
    problem, alpha, away = few(), np.full(4, 0.3), 1e-3
    w, _ = least_hypentropy(problem.X, problem.y, alpha)
    ahead, behind = (least_hypentropy(problem.X, problem.y, alpha * turn)[0] for turn in (1 + 1e-4, 1 - 1e-4))
    along, off = ahead - behind, problem.off_row_space(problem.w0)
    off -= (np.vecdot(off, along) / np.vecdot(along, along))[:, None] * along
    found = nearest_on_the_curve(problem.X, problem.y, w + away * off / norm(off, axis=-1, keepdims=True))
    assert_within(0.99 * away, found.distance, away, slack=EXACT, why="distance from the curve")
    assert_at_most(np.abs(np.log2(found.alpha / alpha)), 0.02, why="log2 of alpha")


def test_the_speed_is_that_of_a_difference():
    problem, alpha, h = few(), np.array([1.0, 0.3, 0.1, 0.01]), 1e-4
    _, nu = least_hypentropy(problem.X, problem.y, alpha)
    ahead, behind = (least_hypentropy(problem.X, problem.y, alpha * 2.0**turn)[0] for turn in (h, -h))
    found, difference = speed(problem.X, problem.y, alpha, nu), norm(ahead - behind, axis=-1) / (2 * h)
    assert_at_most(np.abs(found / difference - 1), 1e-6, why="|dw/d log2 alpha|")


def test_where_nothing_fits_it_says_so():
    X, y = np.array([[[1.0, 0], [1, 0]]]), np.array([[1.0, 2]])
    with pytest.raises((OracleError, np.linalg.LinAlgError)):
        least_hypentropy(X, y, np.ones(1))
