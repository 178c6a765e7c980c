r"""Theorem 4.1 (c) - what the least trace needs.

Setting     Gradient descent on $\frac12 \sum_i (\langle A_i, W \rangle - y_i)^2$ with $W = U U^\top$. The conclusion
            that is tested: as $\alpha$ tends to 0, the limit tends to a matrix of the least trace among the positive
            semidefinite matrices that fit.
Hypotheses  (H1) Descent starts at $\alpha I$: $U(0) = \alpha I$ for $W = U U^\top$, or $W_\ell(0) = \alpha I$ for every
            layer.
            (H2) The $A_i$ are symmetric and commute.
            (H3) $\alpha \to 0$.
            (H4) Some positive semidefinite $W$ fits.
Idea        Each test drops one hypothesis and asserts that the instance satisfies the other three. Then the trace stays
            above the least by a margin, or no matrix fits.
Tolerance   The misfit of the run, and the rounding of a spectrum.
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.paths import at_time, until_fitted
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.sensing import Sensing, commuting_sensing
from properties.certificates import assert_at_most, assert_keeps, assert_violates
from properties.spectra.nuclear_norm import spectrum_rounding
from theorems.ledger import necessity
from theorems.section_04_deep_linear_networks.deep_products.matrix_sensing import factored_path
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.measurements import (
    NON_COMMUTING,
    commute,
)
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.starts import (
    ALPHAS,
    FIT_TOLERANCE,
    shrinking,
)


@necessity("H1")
def test_without_H1_an_uneven_start_chooses_another_matrix():
    # given  <diag(1, 2), W> = 2. The least trace is 1, at W = diag(0, 1). Two starts run at once
    alpha, problem = np.array([0.1, 0.03]), Sensing(A=np.diag([1.0, 2])[None], y=np.array([2.0]))
    assert_keeps(H2=commute(problem.A), H3=shrinking(alpha), H4=problem.measure(np.diag([0.0, 1])) == problem.y)
    # when   U(0) = diag(alpha, alpha^4), so the entropy weights W_22 four times as much as W_11
    start = np.stack([alpha, alpha**4], axis=-1)[:, None] * np.eye(2)
    path = factored_path(problem.gradient, start, np.full(2, 0.01))
    W = until_fitted(path, lambda state: np.abs(problem.measure(state.W) - 2)[:, 0], FIT_TOLERANCE, 10_000).W
    # then   W tends to diag(2, 0)
    least = np.trace(W, axis1=-2, axis2=-1).min()
    assert_violates(least, 3 / 2, slack=FIT_TOLERANCE, reads="trace {value} > 3/2 times the least 1", alpha=alpha)


@necessity("H2")
def test_without_H2_no_smaller_start_comes_nearer_to_the_least_trace():
    # given  three measurements that do not commute, and three starts at once; W = uu' fits
    u, start = np.array([-2, 2, 2]), ALPHAS[:, None, None] * np.eye(3)
    fits = NON_COMMUTING.measure(np.outer(u, u)) == NON_COMMUTING.y
    assert_keeps(H1=start == start[:, :1, :1] * np.eye(3), H3=shrinking(ALPHAS), H4=fits)
    path = factored_path(NON_COMMUTING.gradient, start, np.full(3, 5e-4))
    # when
    end = until_fitted(
        path, lambda s: norm(NON_COMMUTING.measure(s.W) - NON_COMMUTING.y, axis=-1), FIT_TOLERANCE, 30_000
    )
    traces = np.trace(end.W, axis1=-2, axis2=-1)
    # then   the traces of the limits rise towards 12 = |u|^2, and the least trace is at most 204/25
    assert_at_most(204 / 25 * 7 / 5 + 2 * FIT_TOLERANCE, traces, why="7/5 of the least trace")
    assert_at_most(traces[:-1], traces[1:], why="traces, from start to smaller start")


@necessity("H3")
@given_batches(problem=commuting_sensing())
def test_without_H3_a_start_that_fits_already_stays_above_the_least_trace(problem):
    # given  one measurement with a_1 > a_j, and y = <A, alpha^2 I>, so that alpha^2 I fits. The least trace is y/a_1
    A = problem.A[:, :1] + 4 * (problem.Q[:, :, :1] * problem.Q[:, None, :, 0])[:, None]
    a_1, d = problem.a[:, 0, 0] + 4, problem.dimension
    y = problem.alpha**2 * np.trace(A[:, 0], axis1=-2, axis2=-1)
    one, U = Sensing(A, y[:, None]), problem.start()
    start = problem.alpha[:, None, None] * (problem.inside[:, None] * np.eye(A.shape[-1]))
    # given  a measurement sums d^2 products, and a trace d entries, of size |A| |alpha^2 I|
    summed = rounding(d**2 + d + 4, norm(A[:, 0], axis=(-2, -1)) * norm(U @ U.mT, axis=(-2, -1)))
    fits = np.abs(one.measure(U @ U.mT) - one.y)[:, 0] <= summed
    assert_keeps(H1=start == U, H2=commute(A), H4=fits)
    # when
    end = at_time(factored_path(one.gradient, U, problem.step() / 25), 20)
    # then   alpha^2 I stays, and the other eigenvalues of A satisfy a_j <= 3 a_1/5
    excess = np.trace(end.W, axis1=-2, axis2=-1) - y / a_1
    floor = problem.alpha**2 * (d - 1) * 2 / 5 - 40 * spectrum_rounding(end.W)
    assert_at_most(floor, excess, why="trace above the least", instance=problem)


@necessity("H4")
@given_batches(problem=commuting_sensing())
def test_without_H4_every_residual_stays(problem):
    # given  <A_i^2, W> = -1, which holds for no positive semidefinite W; three starts
    squares = Sensing(problem.A @ problem.A, -np.ones_like(problem.y))
    scales = np.array([1, 0.1, 0.01])[:, None, None, None]
    alpha, U = scales * problem.alpha[:, None, None], scales * problem.start()
    one = problem.inside[:, None] * np.eye(U.shape[-1])
    assert_keeps(H1=alpha * one == U, H2=commute(squares.A), H3=shrinking(alpha))
    # when
    end = at_time(factored_path(squares.gradient, U, np.full_like(alpha[..., 0, 0], 1e-3)), 100)
    # then
    residual = (squares.measure(end.W) - squares.y).min((0, -1))
    assert_at_most(1.0, residual + spectrum_rounding(end.W), why="residual of a negative square", instance=problem)
