r"""Theorem 5.2 - which inputs make the kernel singular, and what then becomes of the targets.

Setting     A network linearized at its start $f_0$ with features of a kernel $K$, trained by descent with step $\eta$
            on $\frac12 \sum_i (f(x_i) - y_i)^2$; $w$ are the eigenvalues of $K = K(X, X)$, $\lambda_{\max}$ the
            largest.
Hypotheses  (H1) $y$ is in the range of $K(X, X)$. This holds if $K(X, X)$ is positive definite, and it is positive
            definite if no input is zero and no two inputs are parallel or opposite.
            (H2) $f_0 = 0$.
            (H3) $0 < \eta < 2/\lambda_{\max}(K)$.
Idea        Descent moves the values on the inputs only within the range of $K$. A part of $y$ in the null space of $K$
            is never fitted, and the coefficients $(K + \lambda I)^{-1} y$ grow like $1/\lambda$ along it.
Tolerance   Positive definite means above the rounding of the entries and of the eigensolver (`working_precision`).
            Paths of descent: the rounding of $t$ steps (`Space.rounding`).
Findings    Which inputs make $K$ singular depends on the kernel. Equal inputs make it singular; $x$ and $2x$ make it
            singular for ReLU, but not for erf. Three opposite pairs in the plane make $K$ singular for one hidden ReLU
            layer. With opposite pairs at 0, 50 and 120 degrees $K$ is positive definite for two and three hidden
            layers, and with two of these pairs for one hidden layer.
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.kernels.infinite_width import erf_ntk, erf_rounding, relu_ntk, relu_rounding
from fixtures.kernels.regression import interpolant_coefficients, ridge_coefficients, working_precision
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs, singular_inputs
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_violates,
)
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_05_neural_tangent_kernel.theorem_5_2_minimum_rkhs_norm.feature_space import KERNELS, Space


@under_hypotheses("H1")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_inputs_of_which_no_two_are_parallel_make_the_kernel_positive_definite(problem, kernel):
    K = problem.gram(kernel)
    # then   K is positive definite, so every y is in the range. The threshold includes the rounding of the entries,
    #        which is largest for erf
    entries = erf_rounding(problem.X).max((1, 2))
    least = np.linalg.eigvalsh(K)[:, 0]
    assert_at_most(working_precision(K, entries), least, why="least eigenvalue", instance=problem)


@necessity("H1")
@KERNELS
def test_without_H1_an_input_at_zero_keeps_its_value(kernel):
    # given  one input at 0 and y = 1; no two inputs are parallel
    K, alpha, y, eta = kernel(np.zeros((1, 2)))[0, 0], 0.0, 1.0, 1.0
    assert_keeps(H2=K * alpha == 0, H3=eta > 0 and eta * K < 2)
    # when
    for _ in range(5):
        alpha -= eta * (K * alpha - y)
    # then   K(0, 0) = 0, so the residual stays
    assert_identical([K, K * alpha - y], [0, -y], why="K(0, 0), and the residual")


@under_hypotheses("H1", "H2", "H3")
@given_batches(problem=singular_inputs())
def test_a_singular_kernel_does_no_harm_to_targets_in_its_range(problem):
    # given  an input that is repeated or doubled, or three opposite pairs; y = K a
    space = Space(problem, relu_ntk, rank_deficit=1)
    y = np.matvec(space.K, np.where(problem.present, problem.fits, 0))
    eta = problem.step / space.w[:, -1]
    # when
    omega = space.descend(y, np.zeros(space.at_X.shape[::2]), eta, problem.t)
    # then   mode w of the values is fitted but for (1 - eta w)^t, because h_t(K) = (1 - (1 - eta w)^t) K^+ on the range
    alpha = interpolant_coefficients(space.K, y, pseudo_inverse=True)
    left = (1 - eta[:, None] * space.w) ** problem.t[:, None] * np.vecmat(np.matvec(space.K, alpha), space.V)
    error = norm(np.matvec(space.at_X, omega) - (y - np.matvec(space.V, left)), axis=-1)
    oracle = rounding(factorization(space.size, space.size), space.w[:, -1] / space.least * norm(y, axis=-1))
    assert_at_most(error, space.rounding(y, eta, problem.t) + oracle, why="path on the range", instance=problem)


@under_hypotheses("H1")
@pytest.mark.parametrize(("hidden_layers", "count"), [(1, 2), (2, 3), (3, 3)])
def test_two_opposite_pairs_in_the_plane_are_no_obstacle_nor_three_to_more_layers(hidden_layers, count):
    # given  inputs at 0, 50 and 120 degrees and their opposites
    directions = np.exp(1j * np.radians([0, 50, 120][:count]))
    X = np.stack([directions.real, directions.imag], axis=1)
    X = np.concatenate([X, -X])
    K = relu_ntk(X, hidden_layers=hidden_layers)
    # then   the least eigenvalues are 0.36, 0.16 and 0.16
    threshold = working_precision(K, relu_rounding(X, hidden_layers=hidden_layers).max())
    assert_at_most(threshold, np.linalg.eigvalsh(K)[0], why="positive definite")


@under_hypotheses("H1")
def test_an_input_and_its_double_are_no_obstacle_to_erf():
    x = np.array([[1.0, 0.0], [2.0, 0.0]])
    K = erf_ntk(x)
    # then   the least eigenvalue is 0.08; for ReLU it is zero
    assert_at_most(working_precision(K, erf_rounding(x).max()), np.linalg.eigvalsh(K)[0], why="positive definite")


@counterexample
def test_equal_inputs_with_different_targets_are_not_interpolated():
    r"""$x_1 = x_2$ of length 1, $y = (1, -1)$: all entries of $K$ are 1, so $K y = 0$ and
    $\alpha = (K + \lambda I)^{-1} y = \frac1\lambda y$. Then $f_\lambda(X) = K \alpha = 0$ for every $\lambda > 0$, and
    so is $f^*(X)$. It is off by 1 at both targets. An interpolant would be off by 0."""
    K, y = relu_ntk(np.array([[1.0, 0.0], [1.0, 0.0]])), np.array([1, -1])
    assert_identical(K, [[1, 1], [1, 1]], why="the kernel of x and x")
    assert_identical(K @ y, [0, 0], why="f_lambda(X) lambda, for every lambda > 0")
    # then
    error = Fraction(int(np.abs(y).max()))
    assert_violates(error, 0, reads="training error {value} of f* > {limit}", K=K, y=y)


@necessity("H1")
@given_batches(problem=singular_inputs())
def test_without_H1_the_part_of_the_targets_off_the_range_is_never_fitted(problem):
    # given  y = K a + v with K v = 0, for instance two different targets of one input
    space = Space(problem, relu_ntk, rank_deficit=1)
    y = np.matvec(space.K, np.where(problem.present, problem.fits, 0)) + problem.null
    eta, start = problem.step / space.w[:, -1], np.zeros(space.at_X.shape[::2])
    assert_keeps(H2=space.predict(start) == 0, H3=space.is_stable(eta))
    # when
    omega = space.descend(y, start, eta, problem.t)
    # then   the residual keeps its component v
    residual = y - np.matvec(space.at_X, omega)
    kept = np.vecdot(residual, problem.null) / norm(problem.null, axis=-1)
    slack = space.rounding(y, eta, problem.t)
    assert_at_most(np.abs(kept - norm(problem.null, axis=-1)), slack, why="the unfitted part", instance=problem)
    assert_at_most(norm(problem.null, axis=-1), norm(residual, axis=-1) + slack, why="residual", instance=problem)


@necessity("H1")
@pytest.mark.parametrize("penalty", [1e-1, 1e-3, 1e-6])
def test_without_H1_the_coefficients_grow_without_bound_and_the_function_averages_the_targets(penalty):
    # given  x_1 = x_3 with targets 3 and 1, x_2 at a right angle with target 1
    K, y = relu_ntk(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])), np.array([3.0, 1.0, 1.0])
    alpha = ridge_coefficients(K, y, penalty / 3)
    # then   alpha_1 - alpha_3 = (y_1 - y_3)/lambda, exactly
    slack = rounding(factorization(3, 3), (3 / penalty) * (norm(y) / penalty))
    assert_equal_within(alpha[0] - alpha[2], 2 / penalty, slack, why="1/lambda")
    # and    f_lambda is the ridge solution on the two distinct inputs, where x_1 has the mean target 2 and twice the
    #        weight
    merged = np.linalg.solve(K[:2, :2] + penalty * np.diag([0.5, 1.0]), np.array([2.0, 1.0]))
    # and    K (K + lambda)^-1 does not expand what LAPACK leaves of (K + lambda) alpha = y; 3 products beside it
    left = rounding(factorization(3, 3) + 3, (norm(K) + 3 * penalty) * norm(alpha))
    assert_equal_within(K[0] @ alpha, K[0, :2] @ merged, left, why="averaged targets")
