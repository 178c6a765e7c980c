"""Self-tests: in other units limits, bounds, margins, kernels and spectra change by the power of two that theory says.

Bit for bit where the arithmetic is ours or LAPACK's, which scales with its input; within what a solver promises where
its tolerance is absolute.
"""

import dataclasses

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.kernels.infinite_width import relu_nngp, relu_ntk, relu_rounding
from fixtures.kernels.regression import (
    descent_filter,
    interpolant_coefficients,
    kernel_predictions,
    ridge_coefficients,
    working_precision,
)
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import deep_regressions
from fixtures.problems.interpolable import interpolables
from fixtures.problems.kernel_inputs import kernel_inputs
from fixtures.problems.positive import positive_systems
from fixtures.problems.regression import in_units, regressions
from fixtures.problems.separable import separable_data
from fixtures.problems.sparse import recoverable_problems
from properties.certificates import assert_at_most, assert_identical
from properties.curvature.lanczos import largest_eigenvalue_of_matrix
from properties.deep_linear import gradient_rounding, loss_rounding
from properties.linear_models.divergences import (
    curvature_bound,
    multiplier,
    radius_of_projection,
    relative_entropy,
    relative_entropy_rounding,
    residual_with_rounding,
)
from properties.linear_models.least_squares import (
    distance_to_limit,
    iterate_rounding,
    oracle_rounding,
    residual_rounding,
    spectral_iterate,
)
from properties.linear_models.limits import flow_rounding, interpolant_rounding, limit_of_descent
from properties.linear_models.margins import largest_margin, margin, radius
from properties.linear_models.sparsity import dual_value, l1_norm, lasso_gap
from properties.oracles import least_l1_norm, least_squares_map, nearest_interpolant, ridge
from properties.spectra.nuclear_norm import nuclear_norm, operator_norm, regression_bracket, spectrum_rounding

pytestmark = pytest.mark.slow

UNITS = pytest.mark.parametrize(("k", "j"), [(3, -2), (-4, 1), (2, 2)])


@UNITS
@given_batches(problem=regressions(max_rows=3, max_excess=3), size=20)
def test_limits_and_iterates_in_closed_form_have_the_unit_of_targets_over_features(k, j, problem):
    other, unit = in_units(problem, k, j), 2.0 ** (j - k)
    before, after = (limit_of_descent(p, p.w0) for p in (problem, other))
    assert_identical(after.run.steps, before.run.steps, why="steps")
    assert_identical(after.w, unit * before.w, why="limit")
    assert_identical(after.radius, unit * before.radius, why="radius")
    iterates = [spectral_iterate(p, p.w0, p.eta, p.t) for p in (problem, other)]
    assert_identical(iterates[1], unit * iterates[0], why="the iterate in closed form")
    limits = [nearest_interpolant(p.X, p.y, p.w0) for p in (problem, other)]
    slack = interpolant_rounding(problem, problem.w0)
    assert_at_most(norm(limits[1] / unit - limits[0], axis=-1), slack, why="LAPACK's interpolant", instance=problem)
    assert_identical(other.condition, problem.condition, why="the condition number has no unit")


@UNITS
@given_batches(problem=regressions(max_rows=3, max_excess=3), size=20)
def test_bounds_of_rounding_and_certificates_have_the_unit_of_what_they_bound(k, j, problem):
    unit, found = 2.0 ** (j - k), []
    for p in (problem, in_units(problem, k, j)):
        run = gradient_descent(p.X, p.y, p.w0, p.eta, p.t)
        certificate = distance_to_limit(p, run, p.w0, spectral_iterate(p, p.w0, p.eta, 10**4 + 0 * p.t))
        of_weights = [iterate_rounding(p, run), interpolant_rounding(p, p.w0), certificate.error, certificate.bound]
        of_weights += [flow_rounding(p, p.w0, p.t / p.sigma_max**2), oracle_rounding(p, norm(run.w, axis=-1))]
        found.append((np.array(of_weights), residual_rounding(p, run.w), residual_with_rounding(p, run.w)))
    (before, *residuals), (after, *others) = found
    assert_identical(after, unit * before, why="bounds in the unit of w")
    assert_identical(np.array(others), 2.0**j * np.array(residuals), why="bounds in the unit of y")


@UNITS
@given_batches(problem=regressions(max_rows=3, max_excess=3), size=20)
def test_the_ridge_path_has_the_unit_of_targets_over_features_and_the_penalty_that_of_features_squared(k, j, problem):
    other, unit = in_units(problem, k, j), 2.0 ** (j - k)
    for power in (-8, 0, 8):
        before, after = ridge(problem.X, problem.y, 2.0**power), ridge(other.X, other.y, 2.0 ** (power + 2 * k))
        slack = interpolant_rounding(problem, 0 * problem.w0)
        assert_at_most(norm(after / unit - before, axis=-1), slack, why="ridge regression", instance=problem)


@UNITS
@given_batches(problem=positive_systems(3, 3), size=20)
def test_relative_entropies_of_weights_have_their_unit_and_dual_points_have_none(k, j, problem):
    # given  X and y in one unit, in which positive weights have none
    other, w = in_units(problem, k, k), problem.w_p
    before, after = (radius_of_projection(p, problem.w0, w) for p in (problem, other))
    full = problem.rows == problem.X.shape[-2]  # the padding of others has curvature 1 in either unit
    slack = rounding(factorization(3, 6), problem.condition**2 * (1 + before))
    assert_at_most(np.abs(after - before)[full], slack[full], why="the radius of a projection has no unit")
    assert_identical(curvature_bound(other, problem.w0), 4.0**k * curvature_bound(problem, problem.w0), why="Lambda")
    shift = np.vecmat(problem.mu, problem.X)
    assert_identical(multiplier(other, shift), multiplier(problem, shift) / 2.0**k, why="X'nu has no unit")
    # and    KL(cv || cw) = c KL(v || w)
    c, v = 2.0**j, problem.w0
    assert_identical(relative_entropy(c * w, c * (v - w)), c * relative_entropy(w, v - w), why="KL")
    assert_identical(relative_entropy_rounding(c * v, c * w), c * relative_entropy_rounding(v, w), why="its rounding")


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("k", [3, -5, 200])
@given_batches(problem=separable_data(), size=20)
def test_margins_have_the_unit_of_the_points(k, order, problem):
    other, unit = dataclasses.replace(problem, Z=2.0**k * problem.Z), 2.0**k
    before, after = (largest_margin(p, order) for p in (problem, other))
    assert_identical([after.lower, after.upper], [unit * before.lower, unit * before.upper], why="enclosure")
    assert_identical(after.direction, before.direction, why="direction")
    assert_identical(margin(other, problem.u), unit * margin(problem, problem.u), why="margin")
    assert_identical(radius(other, order), unit * radius(problem, order), why="radius")


@UNITS
@given_batches(problem=recoverable_problems(), size=20)
def test_the_least_l1_norm_has_the_unit_of_the_weights_and_its_dual_that_of_one_over_features(k, j, problem):
    X, y, unit = 2.0**k * problem.X, 2.0**j * problem.y, 2.0 ** (j - k)
    nu = problem.dual
    assert_identical(dual_value(X, y, nu / 2.0**k), unit * dual_value(problem.X, problem.y, nu), why="dual value")
    gaps = lasso_gap(X, y, unit * problem.w_star / 2), lasso_gap(problem.X, problem.y, problem.w_star / 2)
    assert_identical(gaps[0], 4.0**j * gaps[1], why="the gap of the lasso is a square of residuals")
    # and    HiGHS, whose tolerance of feasibility is 1e-7, in the unit of the larger data
    after, before = least_l1_norm(X, y)[0], least_l1_norm(problem.X, problem.y)[0]
    slack = 1e-6 * (1 + norm(y, axis=-1)) / problem.sigma_min / min(1.0, 2.0**k)
    assert_at_most(np.abs(l1_norm(after) / unit - l1_norm(before)), slack / min(1.0, unit), why="HiGHS")


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("k", [3, -5, 300])
@given_batches(problem=kernel_inputs(), size=20)
def test_kernels_of_relu_networks_have_the_squared_unit_of_the_inputs(k, layers, problem):
    for kernel in (relu_ntk, relu_nngp, relu_rounding):
        before, after = (kernel(unit * problem.X, problem.Z, layers) for unit in (1.0, 2.0**k))
        assert_identical(after, 2.0**k * before, why="K in one argument")
    before, after = (relu_ntk(unit * problem.X, None, layers) for unit in (1.0, 2.0**k))
    assert_identical(after, 4.0**k * before, why="K in both")


@UNITS
@given_batches(problem=kernel_inputs(max_rows=4), size=20)
def test_kernel_regression_predicts_in_the_unit_of_the_targets_whatever_the_unit_of_the_kernel(k, j, problem):
    K, y = problem.gram(relu_ntk), problem.y
    there, targets = 4.0**k * K, 2.0**j * y
    w = np.linalg.eigvalsh(K)
    condition = w[..., -1] / w[..., 0]
    # when   interpolation; ridge, whose penalty has the unit of K; descent, whose rate has that of 1/K
    pairs = [
        (interpolant_coefficients(there, targets), interpolant_coefficients(K, y)),
        (ridge_coefficients(there, targets, 4.0**k / 8), ridge_coefficients(K, y, 1 / 8)),
    ]
    # then   LAPACK's eigenvectors may differ by the unit's effect on its scaling: n roundings, times cond(K)
    for after, before in pairs:
        predicted = kernel_predictions(there, after) / 2.0**j - kernel_predictions(K, before)
        slack = rounding(4 * factorization(4, 4), condition * norm(y, axis=-1))
        assert_at_most(norm(predicted, axis=-1), slack, why="predictions", instance=problem)
    filters = descent_filter(4.0**k * w, problem.step / w[..., -1] / 4.0**k, problem.t)
    assert_identical(4.0**k * filters, descent_filter(w, problem.step / w[..., -1], problem.t), why="filter")
    precision = working_precision(there) / 4.0**k, working_precision(K)
    assert_at_most(
        np.abs(precision[0] - precision[1]), rounding(factorization(4, 4), precision[1]), why="its precision"
    )


@pytest.mark.parametrize("k", [3, -5, 100])
@given_batches(problem=interpolables(), size=20)
def test_nuclear_norms_and_curvatures_have_the_unit_of_their_matrix(k, problem):
    unit, W = 2.0**k, problem.S
    for measure in (nuclear_norm, operator_norm, spectrum_rounding):
        assert_at_most(np.abs(measure(unit * W) / unit - measure(W)), spectrum_rounding(W), why=measure.__name__)
    before, after = (least_squares_map(problem.X, scale * problem.Y) for scale in (1.0, unit))
    slack = problem.condition * spectrum_rounding(problem.S)
    assert_at_most(norm(after / unit - before, axis=(-2, -1)), slack, why="YX^+")
    bracket = regression_bracket(problem.X, unit * problem.Y, unit * W)
    plain = regression_bracket(problem.X, problem.Y, W)
    assert_at_most(np.abs(bracket.lower / unit - plain.lower), 8 * slack, why="dual bound")
    # and    an enclosed largest eigenvalue
    A = problem.X[0] @ problem.X[0].T
    enclosures = [largest_eigenvalue_of_matrix(scale * A) for scale in (1.0, unit)]
    ends = [(one.lower, one.upper) for one in enclosures]
    assert_at_most(np.array(ends[1]) / unit, np.array(ends[0])[::-1] * (1 + 1e-8), why="enclosure")


@UNITS
@given_batches(problem=deep_regressions(), size=20)
def test_roundings_of_deep_linear_networks_have_the_units_of_loss_and_gradient(k, j, problem):
    L, layers = problem.depth, [2.0**j * W for W in problem.layers]
    X, Y = 2.0**k * problem.X, 2.0 ** (k + L * j) * problem.Y
    loss = loss_rounding(problem.layers, problem.X, problem.Y)
    assert_identical(loss_rounding(layers, X, Y), 4.0 ** (k + L * j) * loss, why="loss")
    plain = gradient_rounding(problem.layers, problem.X, problem.Y)
    there = gradient_rounding(layers, X, Y)
    assert_identical(np.stack(there), 2.0 ** (2 * k + (2 * L - 1) * j) * np.stack(plain), why="gradient")
