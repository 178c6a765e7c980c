"""Self-tests: minima over norm balls against other solvers, and a bound that holds at points that are not minima."""

import numpy as np
import pytest
import scipy.optimize

from fixtures.problems.batches import given_batches, stack
from fixtures.problems.outlying import DECAY, LENGTH, outlying, read_outlying
from fixtures.problems.tapes import Tape
from properties.certificates import assert_at_most
from properties.linear_models.norm_balls import (
    NORMS,
    ball_norm,
    distance_bound,
    dual_norm,
    minimum_in_ball,
    project,
    ridge_map,
)
from properties.oracles import ridge

RADIUS = 1 / DECAY
RNG = np.random.default_rng(0)
SAMPLE = stack([read_outlying(Tape(RNG.bytes(LENGTH))) for _ in range(20)])


def size(W):
    return np.linalg.norm(W, axis=(-2, -1))


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS)
def test_the_minimum_lies_on_the_boundary_and_its_gap_is_of_the_size_of_rounding(norm):
    W, bound = minimum_in_ball(SAMPLE.A, SAMPLE.H, RADIUS, norm)
    # a gap is a sum of 48 products that cancel, so that its rounding is about 48 u |G||W|; |G| <= 8|A|
    gap = 2 * 48 * 2.0**-53 * 8 * size(SAMPLE.A) * size(W)
    assert_at_most(bound, np.sqrt(gap / SAMPLE.h.min(-1)), why="sqrt(gap/mu)")
    assert_at_most(np.abs(ball_norm(W, norm) - RADIUS), 1e-14 * RADIUS, why="active constraint")


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS)
def test_the_bound_holds_at_points_inside_and_outside_the_ball(norm):
    W, error = minimum_in_ball(SAMPLE.A, SAMPLE.H, RADIUS, norm)
    for length in (0.01, 0.1, 1.0, 10.0):
        moved = W + length * RADIUS * RNG.standard_normal(W.shape)
        for point in (moved, project(moved, RADIUS, norm), SAMPLE.A):
            bound = distance_bound(point, SAMPLE.A, SAMPLE.H, RADIUS, norm)
            assert_at_most(size(point - W), bound + error, why="distance from the minimum")


@pytest.mark.parametrize("norm", NORMS)
def test_the_dual_norm_is_attained_on_the_boundary_and_never_exceeded(norm):
    G = SAMPLE.A
    left, _, right = np.linalg.svd(G, full_matrices=False)
    best = {"l-infinity": np.sign(G), "spectral": left @ right, "l2": G / size(G)[:, None, None]}[norm]
    np.testing.assert_allclose((best * G).sum((-2, -1)), dual_norm(G, norm), rtol=1e-13)
    other = project(RNG.standard_normal(G.shape), 1.0, norm)
    assert_at_most((other * G).sum((-2, -1)), dual_norm(G, norm), why="<G, W> <= N'(G) for N(W) <= 1")


def test_the_box_has_the_minimum_of_bounded_least_squares():
    W, bound = minimum_in_ball(SAMPLE.A, SAMPLE.H, RADIUS, "l-infinity")
    for found, A, X, error in zip(W[:5], SAMPLE.A, SAMPLE.X, bound, strict=False):
        rows = [scipy.optimize.lsq_linear(X, X @ a, (-RADIUS, RADIUS), method="bvls", tol=1e-14).x for a in A]
        assert_at_most(size(found - rows), error + 1e-7, why="scipy's bounded least squares")


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS[1:])
def test_a_cone_solver_finds_the_same_minimum(norm):
    cvxpy = pytest.importorskip("cvxpy", reason="needs the extra 'oracles'")
    W, bound = minimum_in_ball(SAMPLE.A, SAMPLE.H, RADIUS, norm)
    A, X, H = SAMPLE.A[0], SAMPLE.X[0], SAMPLE.H[0]
    V = cvxpy.Variable(A.shape)
    constraint = cvxpy.norm(V, 2 if norm == "spectral" else "fro") <= RADIUS
    cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares((V - A) @ X.T)), [constraint]).solve(solver="CLARABEL")
    assert_at_most(
        size(W[0] - V.value), bound[0] + distance_bound(V.value, A, H, RADIUS, norm), why="Clarabel, by its own gap"
    )
    assert_at_most(distance_bound(V.value, A, H, RADIUS, norm), 1e-3, why="Clarabel's point is near too")


@pytest.mark.slow
@given_batches(problem=outlying)
def test_the_ridge_solution_is_that_of_scikit_learn(problem):
    W = ridge_map(problem.A, problem.H, DECAY)
    targets = problem.X @ problem.A.mT
    other = np.stack([ridge(problem.X, targets[..., k], DECAY) for k in range(targets.shape[-1])], axis=1)
    # backward stable solvers of systems with a condition number of at most 12/(4 + 8/3) < 2
    assert_at_most(size(W - other), 1e-13 * size(W), why="ridge")
