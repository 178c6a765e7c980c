r"""Section 5.2: kernel objective (b) - the minimizer at a penalty that is not zero.

Setting     $K(X, X)$ positive semidefinite, singular or not; $f$ in $H_K$ given by coefficients, $f(X) = K \alpha$,
            $\|f\|_{H_K}^2 = \alpha^\top K \alpha$. The objective is
            $\frac1n \sum_i (f(x_i) - y_i)^2 + \lambda \|f\|_{H_K}^2$, and the printed function has the coefficients
            $(K + \lambda I)^{-1} y$. Both tend to $f^*$, with $f^*(X) = y$, where $K$ is positive definite; then $f^*$
            has the coefficients $K^{-1} y$.
Corrected   (C1) At every $\lambda > 0$ the minimizer has $\alpha = (K + n \lambda I)^{-1} y$: for every $g$ in $H_K$
            the objective at $g$ exceeds that at $f$ by $\frac1n \|g(X) - f(X)\|^2 + \lambda \|g - f\|_{H_K}^2$.
            (C2) If $K$ is positive definite with least eigenvalue $w_1$, the distance in $H_K$ from $f^*$ to the
            minimizer at $\lambda$ is the distance from $f^*$ to the printed function at $\lambda$, times a factor
            between $n (w_1 + \lambda)/(w_1 + n \lambda)$ and $n$.
            (C3) The minimizer stays the same if the whole data set is repeated.
Idea        The gradient over $\alpha$ is $\frac2n K ((K + n \lambda I) \alpha - y)$. (C2) The minimizer loses
            $n \lambda/(w + n \lambda)$ of a mode $w$, and the printed function $\lambda/(w + \lambda)$. (C3) The mean
            over the data is the same function of $f$.
Tolerance   The residual of a positive definite solve, $n u \operatorname{cond}(K + n \lambda I)$ with the unit roundoff
            $u$, and the rounding of quadratic forms.
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.kernels.infinite_width import relu_ntk
from fixtures.kernels.regression import interpolant_coefficients, kernel_predictions, ridge_coefficients
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs, singular_inputs
from fixtures.rational import fractions, inverse, to_fractions
from properties.certificates import assert_at_most, assert_identical, assert_within
from theorems.ledger import corrected
from theorems.section_05_neural_tangent_kernel.section_5_2_kernel_objective.objectives import (
    KERNELS,
    minimizer,
    objective,
    solve_rounding,
    stationarity_rounding,
)

PENALTIES = pytest.mark.parametrize("penalty", [1.0, 0.03])


def ratio_of_shrinkage(w, penalty, n):
    """The share n lambda/(w + n lambda) that the minimizer lacks of a mode, over lambda/(w + lambda) of the print."""
    return n * (w + penalty) / (w + n * penalty)


@corrected("C1")
@KERNELS
@PENALTIES
@given_batches(problem=kernel_inputs())
def test_n_times_the_penalty_makes_the_gradient_vanish(problem, kernel, penalty):
    K = problem.gram(kernel)
    alpha = minimizer(problem, K, penalty)
    # then   K alpha + n lambda alpha = y, up to the residual of a backward stable solve
    left = norm(np.matvec(K, alpha) + (penalty * problem.rows)[:, None] * alpha - problem.y, axis=-1)
    bound = stationarity_rounding(problem, K, alpha, penalty)
    assert_at_most(left, bound, why="stationarity", instance=problem)


@corrected("C1")
@KERNELS
@PENALTIES
@given_batches(problem=kernel_inputs())
def test_every_other_function_of_the_space_pays_by_its_distance(problem, kernel, penalty):
    # given  g = sum_i a_i K(., x_i) + sum_k b_k K(., z_k) with a = y and drawn b, so also centers beside the inputs
    y, n, K = problem.y, problem.rows, problem.gram(kernel)
    joint = kernel(np.concatenate([problem.X, problem.Z], axis=-2))
    alpha = minimizer(problem, K, penalty)
    f, g = np.concatenate([alpha, 0 * problem.f0], axis=-1), np.concatenate([y, problem.f0], axis=-1)
    # when   the distance in C1 is the objective at g - f for the targets 0
    excess = objective(joint, y, g, penalty, n) - objective(joint, y, f, penalty, n)
    distance = objective(joint, 0 * y, g - f, penalty, n)
    # then   up to the residual of the solve, (2/n)((K + n lambda I)alpha - y)'(g - f)(X), and the rounding of three
    #        forms
    left = stationarity_rounding(problem, K, alpha, penalty) * np.sqrt(distance / n)
    forms = objective(np.abs(joint), -np.abs(y), np.abs(g) + np.abs(f), penalty, n)
    slack = 2 * left + rounding(3 * (2 * joint.shape[-1] + 4), forms)
    assert_at_most(np.abs(excess - distance), slack, why="excess of the objective", instance=problem)


@corrected("C1")
@KERNELS
@given_batches(problem=kernel_inputs(), size=25)
def test_the_minimizer_is_what_scikit_learn_calls_kernel_ridge(problem, kernel):
    from sklearn.kernel_ridge import KernelRidge

    K, penalty = problem.gram(kernel), 0.1
    alpha = minimizer(problem, K, penalty)
    # when   scikit-learn's parameter alpha is n lambda
    fits = zip(K, problem.y, problem.rows, strict=True)
    duals = [KernelRidge(alpha=penalty * n, kernel="precomputed").fit(own, y).dual_coef_ for own, y, n in fits]
    # then
    bound = 2 * solve_rounding(problem, K, penalty) * norm(alpha, axis=-1)
    assert_at_most(norm(alpha - np.stack(duals), axis=-1), bound, why="scikit-learn's KernelRidge", instance=problem)


@corrected("C3")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_repeating_the_data_set_leaves_the_minimizer_alone(problem, kernel):
    # given  every sample twice. The objective is the same function of f, because it has a mean. The kernel is singular
    K, penalty = problem.gram(kernel), 0.1
    alpha = minimizer(problem, K, penalty)
    twice = ridge_coefficients(np.tile(K, (1, 2, 2)), np.tile(problem.y, 2), penalty * problem.rows / K.shape[-1])
    # then   the values on the inputs agree
    values = kernel_predictions(np.tile(K, (1, 1, 2)), twice)
    error = norm(values - kernel_predictions(K, alpha), axis=-1)
    bound = 8 * solve_rounding(problem, 2 * K, penalty) * np.linalg.eigvalsh(K)[:, -1] * norm(alpha, axis=-1)
    assert_at_most(error, bound, why="a repeated data set", instance=problem)


@corrected("C1")
@given_batches(problem=singular_inputs())
def test_ridge_needs_no_invertible_kernel(problem):
    # given  parallel inputs, and targets that are not in the range of K
    K, penalty = problem.gram(relu_ntk), 0.1
    alpha = minimizer(problem, K, penalty)
    # then   the coefficient along the null vector v is v'y/(n lambda)
    along = np.vecdot(alpha, problem.null) - np.vecdot(problem.y, problem.null) / (problem.rows * penalty)
    bound = solve_rounding(problem, K, penalty) * norm(alpha, axis=-1) * norm(problem.null, axis=-1)
    assert_at_most(np.abs(along), 2 * bound, why="null part of the coefficients", instance=problem)


@corrected("C2")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_the_minimizer_is_up_to_n_times_as_far_from_the_limit_as_the_print(problem, kernel):
    # given  lambda = w_1, ..., w_1/10^6 in both; distances from f* in H
    K, n = problem.gram(kernel), problem.rows
    w, alpha = np.linalg.eigvalsh(K), interpolant_coefficients(K, problem.y)
    penalty, least = 10.0 ** -(problem.t % 7) * w[:, 0], w[:, 0]
    # when
    paths = [alpha - ridge_coefficients(K, problem.y, c * penalty / K.shape[-1]) for c in (1, n)]
    printed, right = (np.sqrt(np.vecdot(path, np.matvec(K, path))) for path in paths)
    # then   the ratio is n(w + lambda)/(w + n lambda) in a mode of eigenvalue w
    length = np.sqrt(np.vecdot(alpha, problem.y))
    slack = 2 * solve_rounding(problem, K, 0) * (w[:, -1] / least) ** 0.5 * length * n
    lower = ratio_of_shrinkage(least, penalty, n) * printed
    assert_within(lower, right, n * printed, slack=slack, why="ratio of distances", instance=problem)


@corrected("C2")
def test_both_ends_of_that_factor_are_attained_or_nearly_so():
    # given  K = [[2, 1], [1, 2]] with w_1 = 1 and w_2 = 3. f* - f_lambda has the coefficients c lambda (K + c lambda
    #        I)^-1 K^-1 y. Where y is an eigenvector, this is c lambda/(w + c lambda) times K^-1 y
    K, off = fractions([[2, 1], [1, 2]]), []
    for y, penalty in (([1, -1], Fraction(1, 2)), ([1, 1], Fraction(1, 1000))):
        y, identity = fractions(y), to_fractions(np.eye(2, dtype=int))
        printed, right = (inverse(K) @ y - inverse(K + c * penalty * identity) @ y for c in (1, 2))
        off.append(right[0] / printed[0])
    assert_identical(off[0], ratio_of_shrinkage(1, Fraction(1, 2), 2), why="the lower end, at w_1")
    assert_within(Fraction(199, 100), off[1], 2, why="near n = 2")
