"""Self-tests: least norms of matrices are enclosed, by hand, by duality, and by an interior-point solver."""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.matrix_interpolation import matrix_interpolations
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from properties.spectra.least_norms import (
    NUCLEAR,
    SPECTRAL,
    cut_off,
    least_frobenius_norm,
    least_invariant_norm,
    singular_values,
)

NAMED = {"nuclear": NUCLEAR, "spectral": SPECTRAL}


@pytest.mark.parametrize(("total", "left"), [(0.0, [3, 2, 1]), (1.0, [2, 2, 1]), (3.0, [1, 1, 1]), (7.0, [0, 0, 0])])
def test_a_total_is_cut_off_the_largest_values(total, left):
    assert_identical(cut_off(np.array([3.0, 2, 1]), np.array([total])), left, why=f"{total} off 3, 2, 1")


@pytest.mark.parametrize(("name", "value"), [("nuclear", 2.0), ("spectral", 1.0)])
def test_the_least_norm_of_one_trace_by_hand(name, value):
    # tr W = 2 in 2 x 2: |W|_* >= 2, and |W|_op >= 1, both at the identity
    least = least_invariant_norm(np.eye(2)[None, None], np.array([[2.0]]), NAMED[name], iterations=50)
    assert_equal_within(least.upper, value, rounding(50 * factorization(2, 2)), why="primal")
    assert_equal_within(least.lower, value, rounding(50 * factorization(2, 2)), why="dual")


def test_the_least_frobenius_norm_of_one_trace_by_hand():
    least = least_frobenius_norm(np.eye(2)[None, None], np.array([[2.0]]))
    assert_equal_within(np.append(least.upper, least.lower), 2**0.5, rounding(factorization(1, 4)), why="the identity")


def test_the_singular_values_of_an_instance_that_is_nan_are_nan():
    s = singular_values(np.stack([np.eye(2), np.full((2, 2), np.nan)]))
    assert_identical(s[0], [1, 1], why="identity")
    assert_identical(np.isnan(s[1]).all(), True, why="nan")


@pytest.mark.slow
@given_batches(problem=matrix_interpolations, size=20)
def test_a_primal_and_a_dual_point_enclose_each_least_norm(problem):
    found = [least_invariant_norm(problem.A, problem.y, invariant, iterations=300) for invariant in NAMED.values()]
    for least in [least_frobenius_norm(problem.A, problem.y), *found]:
        bound = rounding(301 * factorization(8, 20), 6 * (1 + norm(least.w, axis=(-2, -1))))
        residual = np.matvec(problem.flat, least.w.reshape(len(problem.y), -1)) - problem.y
        assert_at_most(norm(residual, axis=-1), bound, why=f"the point of {least.name} fits")
        assert_at_most(least.lower, least.upper + bound, why=f"weak duality, {least.name}", instance=problem)
        for other in found:  # any matrix that fits
            assert_at_most(least.lower, least.value(other.w) + bound, why=f"{least.name} of another", instance=problem)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_more_iterations_close_the_gap(name):
    rng = np.random.default_rng(5)
    A, y = rng.standard_normal((6, 8, 4, 5)), rng.standard_normal((6, 8))
    short, long = (least_invariant_norm(A, y, NAMED[name], iterations).gap for iterations in (10, 2000))
    assert_at_most(long, 1e-6, why="the gap after 2000 iterations, where the minimizers are 1/100 apart or more")
    assert_at_most(10 * long.max(), short.max(), why="the gap after 10 iterations")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_an_interior_point_solver_encloses_the_same_least_norm(name):
    cvxpy = pytest.importorskip("cvxpy", reason="needs the extra 'oracles'")
    rng = np.random.default_rng(6)
    A, y = rng.standard_normal((8, 4, 5)), rng.standard_normal(8)
    ours = least_invariant_norm(A[None], y[None], NAMED[name], iterations=2000)
    # when   Clarabel solves it; its point is made to fit, and its multipliers are scaled to dual norm 1
    W = cvxpy.Variable((4, 5))
    fits = A.reshape(8, -1) @ cvxpy.vec(W, order="C") == y
    value = {"nuclear": cvxpy.normNuc, "spectral": cvxpy.sigma_max}[name](W)
    cvxpy.Problem(cvxpy.Minimize(value), [fits]).solve(solver="CLARABEL")
    flat = A.reshape(8, -1)
    fitted = (W.value.ravel() + np.linalg.pinv(flat) @ (y - flat @ W.value.ravel())).reshape(1, 4, 5)
    nu = fits.dual_value
    lower = abs(y @ nu) / NAMED[name].dual_of((nu @ flat).reshape(1, 4, 5))
    # then   each lower bound is below the other's upper bound, and both enclosures are narrow
    upper, slack = NAMED[name].of(fitted), rounding(2000 * factorization(8, 20), ours.upper)
    assert_at_most(ours.lower, upper + slack, why="our dual against Clarabel's primal")
    assert_at_most(lower, ours.upper + slack, why="Clarabel's dual against our primal")
    assert_at_most(upper - lower, 100 * 1e-8 * upper, why="width of Clarabel's enclosure, at its tolerance of 1e-8")
    assert_at_most(ours.upper - ours.lower, upper / 1000, why="width of our enclosure")
