r"""Section 5.2: kernel objective - the minimizer of the mean squared error plus an RKHS penalty.

Section     5.2
Printed     training corresponds to $\min_{f \in H_K} \frac1n \sum_i (f(x_i) - y_i)^2 + \lambda \|f\|_{H_K}^2$ with
            $\lambda \to 0^+$; by Theorem 5.2 $f = \sum_i \alpha_i K(\cdot, x_i)$, $\alpha = (K + \lambda I)^{-1} y$
Reading     The two formulas speak of one lambda, so at every lambda > 0 the alpha should minimize the objective. That
            training leads to their common limit is Theorem 5.2; that stopped training is no ridge is Theorem 5.1 (d)
Setting     K(X, X) positive semidefinite; f in H_K given by coefficients, f(X) = K alpha, |f|^2 = alpha'K alpha
Corrected   $\alpha = (K + n \lambda I)^{-1} y$, and for every g in H_K the objective at g exceeds that at f by
            $\frac1n |g(X) - f(X)|^2 + \lambda \|g - f\|_{H_K}^2$
Idea        The gradient over alpha is $\frac2n K ((K + n \lambda I) \alpha - y)$. What is printed minimizes the sum of
            squares with the same lambda, or the mean with lambda/n; for n = 1 there is no difference.
Source      Kimeldorf, Wahba (1971), Some Results on Tchebycheffian Spline Functions, for the finite sum; Scholkopf,
            Smola (2002), Learning with Kernels; scikit-learn's KernelRidge as oracle, which takes n lambda
Tolerance   The witness is rational. Elsewhere the residual of a positive definite solve, cond (K + n lambda I) n u, and
            the rounding of quadratic forms
Findings    Both alphas have the limit K^-1 y as lambda -> 0+, but in H the printed one is up to n times as near to it
            at the same lambda. Only the corrected one leaves f alone when the whole data set is repeated
Expected    refuted
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.kernels.infinite_width import erf_ntk, relu_ntk
from fixtures.kernels.regression import interpolant_coefficients, kernel_predictions, ridge_coefficients
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs, singular_inputs
from fixtures.rational import fractions, inverse, to_fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample

KERNELS = pytest.mark.parametrize("kernel", [relu_ntk, erf_ntk], ids=["ReLU", "erf"])
PENALTIES = pytest.mark.parametrize("penalty", [1.0, 0.03])


def objective(K, y, alpha, penalty):
    """(1/n)|K alpha - y|^2 + lambda alpha'K alpha, as printed; exact on Fractions."""
    residual = K @ alpha - y
    return residual @ residual / Fraction(len(y)) + penalty * (alpha @ K @ alpha)


def excess_of_the_print(K, y, penalty):
    """How much larger the objective is at (K + lambda I)^-1 y than at (K + n lambda I)^-1 y, exactly."""
    identity = to_fractions(np.eye(len(y), dtype=int))
    printed, least = (inverse(K + c * penalty * identity) @ y for c in (1, len(y)))
    return objective(K, y, printed, penalty) - objective(K, y, least, penalty)


def minimizer(problem, K, penalty):
    """(K + n lambda I)^-1 y with n the number of inputs before padding."""
    return ridge_coefficients(K, problem.y, penalty * problem.rows / K.shape[-1])


def solve_rounding(problem, K, penalty):
    """The relative error of a solve with K + n lambda I: 32 n u cond."""
    w = np.linalg.eigvalsh(K) + penalty * problem.rows[:, None]
    return 32 * K.shape[-1] * UNIT_ROUNDOFF * w[:, -1] / w[:, 0]


def stationarity_rounding(problem, K, alpha, penalty):
    """What a backward stable solve leaves of (K + n lambda I)alpha - y: 32 n u (w_n + n lambda)|alpha|."""
    largest = np.linalg.eigvalsh(K)[:, -1] + penalty * problem.rows
    return 32 * K.shape[-1] * UNIT_ROUNDOFF * largest * norm(alpha, axis=-1)


@counterexample
def test_the_printed_coefficients_do_not_minimize_the_printed_objective():
    # given  n = 2, where (K + lambda I)^-1 y = (10, -4)/21 and (K + 2 lambda I)^-1 y = (3, -1)/8
    K, y, penalty = fractions([[2, 1], [1, 2]]), fractions([1, 0]), Fraction(1, 2)
    printed, better = fractions(["10/21", "-4/21"]), fractions(["3/8", "-1/8"])
    value, least = (objective(K, y, alpha, penalty) for alpha in (printed, better))
    assert_identical([value, least], [Fraction(181, 882), Fraction(3, 16)], why="the two objectives")
    # then
    assert_violates(value, least, reads="objective {value} > {limit} at (3, -1)/8", K=K, y=y, penalty=penalty)


@counterexample
def test_hypothesis_finds_a_better_function_by_itself():
    # given  Gram matrices of one or two integer points, integer targets, a penalty
    point, label = st.tuples(st.integers(-2, 2), st.integers(-2, 2)), st.integers(-2, 2)
    samples = st.lists(st.tuples(point, label), min_size=1, max_size=2)
    instances = st.tuples(samples, st.sampled_from([Fraction(1), Fraction(1, 2)]))

    def excess(instance):
        X, y = (fractions([sample[i] for sample in instance[0]]) for i in (0, 1))
        return excess_of_the_print(X @ X.T, y, instance[1])

    # when
    found = smallest_violation(instances, lambda instance: excess(instance) > 0)
    # then
    assert_violates(excess(found), 0, reads="objective above its minimum by {value} > {limit}", samples=found[0])


@corrected
@KERNELS
@PENALTIES
@given_batches(problem=kernel_inputs())
def test_n_times_the_penalty_makes_the_gradient_vanish(problem, kernel, penalty):
    K = problem.gram(kernel)
    alpha = minimizer(problem, K, penalty)
    # then   K alpha + n lambda alpha = y: the residual of the solve is backward stable
    left = norm(np.matvec(K, alpha) + (penalty * problem.rows)[:, None] * alpha - problem.y, axis=-1)
    bound = stationarity_rounding(problem, K, alpha, penalty)
    assert_at_most(left, bound, why="stationarity", instance=problem)


@corrected
@KERNELS
@PENALTIES
@given_batches(problem=kernel_inputs())
def test_every_other_function_of_the_space_pays_by_its_distance(problem, kernel, penalty):
    # given  g = sum_i a_i K(., x_i) + sum_k b_k K(., z_k), with a = y and drawn b: centers beside the inputs as well
    n, y = problem.X.shape[-2], problem.y
    J = kernel(np.concatenate([problem.X, problem.Z], axis=-2))
    alpha = minimizer(problem, problem.gram(kernel), penalty)
    f = np.concatenate([alpha, 0 * problem.f0], axis=-1)
    g = np.concatenate([y, problem.f0], axis=-1)

    def squares(values):
        return np.vecdot(values, values) / problem.rows

    def value(h):
        return squares(np.matvec(J[:, :n], h) - y) + penalty * np.vecdot(h, np.matvec(J, h))

    # when
    apart = np.matvec(J[:, :n], g - f)
    distance = squares(apart) + penalty * np.vecdot(g - f, np.matvec(J, g - f))
    # then   what the solve leaves, (2/n)((K + n lambda I)alpha - y)'(g - f)(X), and the rounding of the three forms
    left = stationarity_rounding(problem, problem.gram(kernel), alpha, penalty)
    sizes = np.abs(g) + np.abs(f)
    forms = squares(np.matvec(np.abs(J[:, :n]), sizes) + np.abs(y)) + penalty * np.vecdot(
        sizes, np.matvec(np.abs(J), sizes)
    )
    slack = 2 / problem.rows * left * norm(apart, axis=-1) + 16 * J.shape[-1] * UNIT_ROUNDOFF * forms
    assert_at_most(np.abs(value(g) - value(f) - distance), slack, why="excess of the objective", instance=problem)


@corrected
@KERNELS
@PENALTIES
@given_batches(problem=kernel_inputs(), size=25)
def test_the_minimizer_is_what_scikit_learn_calls_kernel_ridge(problem, kernel, penalty):
    from sklearn.kernel_ridge import KernelRidge

    K = problem.gram(kernel)
    alpha = minimizer(problem, K, penalty)
    # when   its alpha is our n lambda
    fits = zip(K, problem.y, problem.rows, strict=True)
    duals = [KernelRidge(alpha=penalty * n, kernel="precomputed").fit(own, y).dual_coef_ for own, y, n in fits]
    # then
    bound = 2 * solve_rounding(problem, K, penalty) * norm(alpha, axis=-1)
    assert_at_most(norm(alpha - np.stack(duals), axis=-1), bound, why="scikit-learn's KernelRidge", instance=problem)


@corrected
@KERNELS
@given_batches(problem=kernel_inputs())
def test_repeating_the_data_set_leaves_the_minimizer_alone(problem, kernel):
    # given  every sample twice: the mean, and so the objective, is the same function of f; the kernel is singular
    K, penalty = problem.gram(kernel), 0.1
    alpha = minimizer(problem, K, penalty)
    twice = ridge_coefficients(np.tile(K, (1, 2, 2)), np.tile(problem.y, 2), penalty * problem.rows / K.shape[-1])
    # then   values on the inputs
    values = kernel_predictions(np.tile(K, (1, 1, 2)), twice)
    error = norm(values - kernel_predictions(K, alpha), axis=-1)
    bound = 8 * solve_rounding(problem, 2 * K, penalty) * np.linalg.eigvalsh(K)[:, -1] * norm(alpha, axis=-1)
    assert_at_most(error, bound, why="a repeated data set", instance=problem)


@corrected
@KERNELS
@given_batches(problem=kernel_inputs())
def test_both_formulas_have_one_limit_at_rates_that_differ_by_n(problem, kernel):
    # given  a small penalty; H-norm distances from the interpolant
    K = problem.gram(kernel)
    w = np.linalg.eigvalsh(K)
    penalty, alpha = 1e-4 * w[:, 0], interpolant_coefficients(K, problem.y)
    # when
    paths = [ridge_coefficients(K, problem.y, c * penalty / K.shape[-1]) - alpha for c in (1, problem.rows)]
    printed, right = (np.sqrt(np.vecdot(path, np.matvec(K, path))) for path in paths)
    # then   each mode's ratio is n(w + lambda)/(w + n lambda), between n(1 + 1e-4)/(1 + 1e-4 n) and n
    n = problem.rows
    slack = 2 * solve_rounding(problem, K, 0) * (w[:, -1] / w[:, 0]) ** 0.5 * np.sqrt(np.vecdot(alpha, problem.y)) * n
    lower = n * (1 + 1e-4) / (1 + 1e-4 * n) * printed
    assert_within(lower, right, n * printed, slack=slack, why="ratio of distances", instance=problem)


@corrected
@given_batches(problem=singular_inputs())
def test_ridge_needs_no_invertible_kernel(problem):
    # given  parallel inputs, and targets off the range of K
    K, penalty = problem.gram(relu_ntk), 0.1
    alpha = minimizer(problem, K, penalty)
    # then   the coefficient along the null vector v is v'y/(n lambda)
    along = np.vecdot(alpha, problem.null) - np.vecdot(problem.y, problem.null) / (problem.rows * penalty)
    bound = solve_rounding(problem, K, penalty) * norm(alpha, axis=-1) * norm(problem.null, axis=-1)
    assert_at_most(np.abs(along), 2 * bound, why="null part of the coefficients", instance=problem)
