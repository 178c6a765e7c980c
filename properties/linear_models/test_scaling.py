"""Self-tests: results and bounds have the units of the theory, as X and y times powers of two show.

Powers of two cause no rounding, so every comparison is exact, but for the matrix exponential, which is scaled inside.
"""

import dataclasses

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.coordinate_descent import cyclic, greedy, stagewise
from fixtures.dynamics.gradient_descent import gradient_descent, heavy_ball, nesterov, preconditioned_descent
from fixtures.dynamics.gradient_flow import affine_flow
from fixtures.dynamics.mirror_descent import ENTROPY, mirror_descent
from fixtures.dynamics.steepest_descent import EXPONENTIAL, plain_gradient_descent, steepest_descent
from fixtures.dynamics.stochastic import second_moment, stochastic_gradient_descent, with_replacement
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import positive_systems
from fixtures.problems.regression import regressions
from fixtures.problems.separable import separable_data
from fixtures.problems.sparse import planes
from properties.certificates import assert_at_most, assert_identical
from properties.linear_models.divergences import curvature_bound, residual_with_rounding
from properties.linear_models.least_squares import distance_to_limit, iterate_rounding, spectral_iterate
from properties.linear_models.limits import flow_rounding, interpolant_rounding, limit_of_descent
from properties.linear_models.margins import cost_of_steps, dual_bound, radius, run_rounding, shortfall
from properties.linear_models.sparsity import dual_value, lasso_gap

pytestmark = pytest.mark.slow

OF_X, OF_Y = 2.0**3, 2.0**-5
"""What X and y are multiplied by."""
OF_W = OF_Y / OF_X
"""What the weights are multiplied by."""


def rescaled(problem, of_y=OF_Y):
    """The problem with X times OF_X and y times of_y; the start is multiplied by their quotient, as all weights are."""
    X, s, y, w0 = problem.X * OF_X, problem.s * OF_X, problem.y * of_y, problem.w0 * (of_y / OF_X)
    return dataclasses.replace(problem, X=X, s=s, y=y, w0=w0)


@pytest.mark.parametrize("descend", [gradient_descent, heavy_ball, nesterov, preconditioned_descent])
@given_batches(problem=regressions())
def test_iterates_of_descent_have_the_unit_of_weights(descend, problem):
    extra = {heavy_ball: (0.5,), nesterov: (0.5,), preconditioned_descent: (np.eye(problem.X.shape[-1]),)}
    runs = [
        descend(one.X, one.y, one.w0, one.eta / 2, *extra.get(descend, ()), 20) for one in (problem, rescaled(problem))
    ]
    assert_identical(runs[1].w, runs[0].w * OF_W, why="w")
    assert_identical(runs[1].largest, runs[0].largest * OF_W, why="max |w_t|")


@given_batches(problem=regressions())
def test_limits_and_their_bounds_have_the_unit_of_weights(problem):
    def measures(one):
        limit = limit_of_descent(one, one.w0)
        certificate = distance_to_limit(one, limit.run, one.w0, 0 * one.w0)
        closed = spectral_iterate(one, one.w0, one.eta, one.t)
        bounds = limit.radius, iterate_rounding(one, limit.run), interpolant_rounding(one, one.w0), certificate.bound
        return [norm(limit.w, axis=-1), norm(closed, axis=-1), *bounds]

    after = measures(rescaled(problem))
    assert_identical(after, np.array(measures(problem)) * OF_W, why="limits, iterates and four bounds")


@given_batches(problem=regressions())
def test_residuals_have_the_unit_of_targets(problem):
    other = rescaled(problem)
    before = residual_with_rounding(problem, problem.w0) * OF_Y
    assert_identical(residual_with_rounding(other, other.w0), before, why="residual and its rounding")


@given_batches(problem=regressions())
def test_flows_have_the_unit_of_weights_and_times_that_of_the_inverse_curvature(problem):
    other, t = rescaled(problem), problem.t / problem.sigma_max**2 / 10
    flows = [
        affine_flow(one.X.mT @ one.X, np.vecmat(one.y, one.X), one.w0, time)
        for one, time in ((problem, t), (other, t / OF_X**2))
    ]
    slack = flow_rounding(problem, problem.w0, t)
    assert_identical(flow_rounding(other, other.w0, t / OF_X**2), slack * OF_W, why="rounding of a flow")
    assert_at_most(norm(flows[1] / OF_W - flows[0], axis=-1), 2 * slack, why="flow")


@given_batches(problem=regressions(max_rows=3))
def test_stochastic_iterates_have_the_unit_of_weights_and_moments_its_square(problem):
    order = with_replacement(np.random.default_rng(0), problem.rows, 20)
    pair = problem, rescaled(problem)
    runs = [stochastic_gradient_descent(one.X, one.y, one.w0, one.eta, order) for one in pair]
    assert_identical(runs[1].w, runs[0].w * OF_W, why="w")
    M = [
        second_moment(one.X, one.w0[:, :, None] * one.w0[:, None, :], one.eta, one.t % 10, rows=one.rows)
        for one in pair
    ]
    assert_identical(M[1], M[0] * OF_W**2, why="E[ee']")


@given_batches(problem=positive_systems())
def test_in_other_units_of_the_data_mirror_descent_is_the_same(problem):
    # given  X and y in one unit, so that the positive weights are what they were
    other = dataclasses.replace(rescaled(problem, OF_X), mu=problem.mu / OF_X)
    rates = [one.step / curvature_bound(one, one.w0) for one in (problem, other)]
    assert_identical(rates[1], rates[0] / OF_X**2, why="eta")
    runs = [
        mirror_descent(ENTROPY, one.X, one.y, one.w0, eta, 20) for one, eta in zip((problem, other), rates, strict=True)
    ]
    assert_identical(runs[1].w, runs[0].w, why="w")


@pytest.mark.parametrize("order", [1, 2])
@given_batches(problem=separable_data())
def test_margins_have_the_unit_of_the_points_and_bounds_on_losses_none(order, problem):
    other = dataclasses.replace(problem, Z=problem.Z * OF_X, w0=problem.w0 / OF_X)
    R, lengths = radius(problem, order), np.full((len(problem.u), 20), 0.1)
    assert_identical(radius(other, order), R * OF_X, why="R")
    runs = [
        steepest_descent(one.Z, one.present, one.w0, lengths / radius(one, order)[:, None], order)
        for one in (problem, other)
    ]
    assert_identical(runs[1].w, runs[0].w / OF_X, why="w")
    for bound in (cost_of_steps, run_rounding):
        pair = [bound(one, run, order) for one, run in zip((problem, other), runs, strict=True)]
        assert_identical(pair[1], pair[0], why=bound.__name__)
    pair = [shortfall(one, run, EXPONENTIAL, order) for one, run in zip((problem, other), runs, strict=True)]
    assert_identical(pair[1], pair[0], why="shortfall")
    above = dual_bound(problem, runs[0].average, order) * OF_X
    assert_identical(dual_bound(other, runs[1].average, order), above, why="|Z'q|")
    plain = [
        plain_gradient_descent(one.Z, one.present, one.w0, 1 / radius(one, 2) ** 2, 20) for one in (problem, other)
    ]
    assert_identical(plain[1].w, plain[0].w / OF_X, why="w of plain gradient descent")


@given_batches(problem=planes())
def test_coordinate_descent_has_the_unit_of_weights_and_the_lasso_gap_that_of_the_loss(problem):
    X, y = problem.X * OF_X, problem.y * OF_Y
    pairs = [
        (cyclic(problem.X, problem.y, 2), cyclic(X, y, 2)),
        (greedy(problem.X, problem.y, 5), greedy(X, y, 5)),
        (stagewise(problem.X, problem.y, 0.1, 9), stagewise(X, y, 0.1 * OF_W, 9)),
    ]
    for before, after in pairs:
        assert_identical(after, before * OF_W, why="w")
        assert_identical(lasso_gap(X, y, after), lasso_gap(problem.X, problem.y, before) * OF_Y**2, why="lasso gap")
    nu = problem.y / 16
    before = dual_value(problem.X, problem.y, nu) * OF_W
    assert_identical(dual_value(X, y, nu / OF_X), before, why="dual value")
