r"""Theorem 5.2 - the least norm among interpolants, and ridge regression on the way to it.

Setting     $f^*$ is the function of coefficients $K^{-1} y$ in the space $H_K$ of a kernel $K$; $w_1 \le \dots \le w_n$
            are the eigenvalues of $K(X, X)$. Ridge regression has the coefficients $(K + \lambda I)^{-1} y$.
Hypotheses  (H1) $y$ is in the range of $K(X, X)$. This holds if $K(X, X)$ is positive definite, and it is positive
            definite if no input is zero and no two inputs are parallel or opposite.
Idea        $f^*$ is in the span of the $K(\cdot, x_i)$, and it is the only interpolant there. It is orthogonal to every
            function that vanishes on the inputs, so $\|g\|^2 = \|f^*\|^2 + \|g - f^*\|^2$ for every interpolant $g$.
            Ridge shrinks the mode of $w$ by exactly $\lambda/(w + \lambda)$. This gives the printed limit, with its
            rate.
Tolerance   The misfit of the computed interpolants, and the rounding of a solve with $K$ and of quadratic forms.
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.kernels.regression import interpolant_coefficients, ridge_coefficients
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs
from fixtures.rational import fractions, inverse
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.ledger import under_hypotheses
from theorems.section_05_neural_tangent_kernel.theorem_5_2_minimum_rkhs_norm.feature_space import KERNELS, Space


def ridge_rate(w, penalty):
    """The share of a mode of eigenvalue w that ridge does not fit, lambda/(w + lambda)."""
    return penalty / (w + penalty)


@under_hypotheses("H1")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_any_other_interpolant_is_longer_by_the_square_of_its_distance(problem, kernel):
    space = Space(problem, kernel)
    alpha = space.least_norm(problem.y)
    # given  g = sum_i a_i K(., x_i) + sum_k b_k K(., z_k) with drawn b, and a such that g fits
    b = problem.f0 + 5
    a = space.least_norm(problem.y - np.vecmat(b, space.k))
    g, f = np.concatenate([a, b], axis=-1), np.concatenate([alpha, 0 * b], axis=-1)
    # then   |g|^2 - |f*|^2 - |g - f*|^2 = 2 alpha'(g(X) - f*(X)), which is 0 up to the misfits of g and f*
    n = problem.X.shape[-2]
    error = space.norm(g) ** 2 - space.norm(f) ** 2 - space.norm(g - f) ** 2
    misfit = norm(space.values(g)[:, :n] - problem.y, axis=-1) + norm(space.values(f)[:, :n] - problem.y, axis=-1)
    entries = np.vecdot(np.abs(g) + np.abs(f), np.matvec(np.abs(space.joint), np.abs(g) + np.abs(f)))
    solve = rounding(factorization(space.size, space.size) + space.size, space.w[:, -1] / space.w[:, 0])
    fit = solve * (norm(problem.y, axis=-1) + entries**0.5)
    assert_at_most(misfit, fit * (1 + space.trace**0.5), why="both fit", instance=problem)
    slack = 2 * norm(alpha, axis=-1) * misfit + rounding(3 * (2 * space.size + 4), entries)
    assert_at_most(np.abs(error), slack, why="Pythagoras in H", instance=problem)
    assert_at_most(slack, space.norm(g - f) ** 2, why="g is another function", instance=problem)


@under_hypotheses("H1")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_no_interpolant_is_shorter_than_any_dual_point_says(problem, kernel):
    space, y = Space(problem, kernel), problem.y
    alpha = interpolant_coefficients(space.K, y)
    # then   |g|^2 >= 2 nu'y - nu'K nu for every nu and every interpolant g. Here nu = c y with the best c; this needs
    #        no solve
    squared = space.norm(alpha) ** 2
    slack = rounding(factorization(space.size, space.size), space.w[:, -1] / space.w[:, 0] * squared)
    best_multiple = np.vecdot(y, y) ** 2 / np.vecdot(y, np.matvec(space.K, y))
    assert_at_most(best_multiple, squared + slack, why="weak duality", instance=problem)
    # and    at nu = alpha the two sides are equal
    gap = np.abs(squared - (2 * np.vecdot(alpha, y) - np.vecdot(alpha, np.matvec(space.K, alpha))))
    assert_at_most(gap, slack, why="duality gap", instance=problem)


@pytest.mark.slow
@under_hypotheses("H1")
@KERNELS
@pytest.mark.parametrize("relative_penalty", [1.0, 1e-2, 1e-5])
@given_batches(problem=kernel_inputs())
def test_ridge_approaches_the_interpolant_at_a_rate_known_from_both_sides(problem, kernel, relative_penalty):
    # given  the printed coefficients (K + lambda I)^-1 y, with lambda relative to the largest eigenvalue
    space = Space(problem, kernel)
    penalty, alpha = relative_penalty * space.w[:, -1], space.least_norm(problem.y)
    # when
    ridge = ridge_coefficients(space.K, problem.y, penalty / space.K.shape[-1])
    # then   lambda/(w_n + lambda) <= |f_lambda - f*|/|f*| <= lambda/(w_1 + lambda), in H
    length, condition = space.norm(alpha), space.w[:, -1] / space.w[:, 0]
    slowest, fastest = ridge_rate(space.w[:, -1], penalty), ridge_rate(space.w[:, 0], penalty)
    slack = rounding(2 * factorization(space.size, space.size), condition**1.5 * length)
    distance = space.norm(ridge - alpha)
    assert_within(slowest * length, distance, fastest * length, slack=slack, why="ridge rate", instance=problem)


@under_hypotheses("H1")
@pytest.mark.parametrize(("y", "w"), [([1, 1], 3), ([1, -1], 1)])
def test_ridge_is_off_in_each_mode_by_exactly_its_rate(y, w):
    # given  K = [[2, 1], [1, 2]], y an eigenvector of eigenvalue w, lambda = 1/2. Both ends of the rate, lambda/(w_n +
    #        lambda) and lambda/(w_1 + lambda), are attained
    K, y, penalty = fractions([[2, 1], [1, 2]]), fractions(y), Fraction(1, 2)
    ridge = inverse(K + fractions([[penalty, 0], [0, penalty]])) @ y
    assert_identical(y - K @ ridge, ridge_rate(w, penalty) * y, why="f* - f_lambda on the inputs")
