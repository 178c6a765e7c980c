r"""Section 5.2: kernel objective - the minimizer of the mean squared error plus an RKHS penalty.

Section     5.2
Printed     training corresponds to $\min_{f \in H_K} \frac1n \sum_i (f(x_i) - y_i)^2 + \lambda \|f\|_{H_K}^2$ with
            $\lambda \to 0^+$; by Theorem 5.2 $f = \sum_i \alpha_i K(\cdot, x_i)$, $\alpha = (K + \lambda I)^{-1} y$
Reading     The two formulas speak of one lambda, so at every lambda > 0 the alpha should minimize the objective. That
            training leads to their common limit is Theorem 5.2; that stopped training is no ridge is Theorem 5.1 (d).
            Read as a statement about that limit alone, the two agree: part (b)
Setting     K(X, X) positive semidefinite; f in H_K given by coefficients, f(X) = K alpha, |f|^2 = alpha'K alpha
Corrected   (a) $\alpha = (K + n \lambda I)^{-1} y$, and for every g in H_K the objective at g exceeds that at f by
            $\frac1n |g(X) - f(X)|^2 + \lambda \|g - f\|_{H_K}^2$
Parts       (a) alpha minimizes the objective at every lambda - refuted
            (b) alpha and the minimizer have one limit as lambda -> 0+ - holds
Idea        The gradient over alpha is $\frac2n K ((K + n \lambda I) \alpha - y)$. What is printed minimizes the sum of
            squares with the same lambda, or the mean with lambda/n; for n = 1 there is no difference.
Source      Kimeldorf, Wahba (1971), Some Results on Tchebycheffian Spline Functions, for the finite sum; Scholkopf,
            Smola (2002), Learning with Kernels; scikit-learn's KernelRidge as oracle, which takes n lambda
Tolerance   The witness is rational. Elsewhere the residual of a positive definite solve, cond (K + n lambda I) n u, and
            the rounding of quadratic forms
Findings    In H the printed function is up to n times as near to the limit at the same lambda. The limit needs no
            invertible K: then both alphas may grow without bound, but their functions converge. Only the corrected
            alpha leaves f alone when the whole data set is repeated
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
from theorems.ledger import as_printed, corrected, counterexample

KERNELS = pytest.mark.parametrize("kernel", [relu_ntk, erf_ntk], ids=["ReLU", "erf"])
PENALTIES = pytest.mark.parametrize("penalty", [1.0, 0.03])


def objective(K, y, alpha, penalty, n):
    """(1/n)|f(X) - y|^2 + lambda |f|_H^2 as printed, for f of coefficients alpha; exact on Fractions.

    K (..., N, N) belongs to the inputs, as many as y has entries, and to other centers of f that follow them.
    """
    residual = np.matvec(K[..., : y.shape[-1], :], alpha) - y
    return np.vecdot(residual, residual) / n + penalty * np.vecdot(alpha, np.matvec(K, alpha))


def excess_of_the_print(K, y, penalty):
    """How much larger the objective is at (K + lambda I)^-1 y than at (K + n lambda I)^-1 y, exactly."""
    identity = to_fractions(np.eye(len(y), dtype=int))
    printed, least = (inverse(K + c * penalty * identity) @ y for c in (1, len(y)))
    return objective(K, y, printed, penalty, len(y)) - objective(K, y, least, penalty, len(y))


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


@counterexample(part="(a)")
def test_the_printed_coefficients_do_not_minimize_the_printed_objective():
    # given  n = 2, where (K + lambda I)^-1 y = (10, -4)/21 and (K + 2 lambda I)^-1 y = (3, -1)/8
    K, y, penalty = fractions([[2, 1], [1, 2]]), fractions([1, 0]), Fraction(1, 2)
    printed, better = fractions(["10/21", "-4/21"]), fractions(["3/8", "-1/8"])
    value, least = (objective(K, y, alpha, penalty, 2) for alpha in (printed, better))
    assert_identical([value, least], [Fraction(181, 882), Fraction(3, 16)], why="the two objectives")
    # then
    assert_violates(value, least, reads="objective {value} > {limit} at (3, -1)/8", K=K, y=y, penalty=penalty)


@counterexample(part="(a)")
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


@corrected(part="(a)")
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


@corrected(part="(a)")
@KERNELS
@PENALTIES
@given_batches(problem=kernel_inputs())
def test_every_other_function_of_the_space_pays_by_its_distance(problem, kernel, penalty):
    # given  g = sum_i a_i K(., x_i) + sum_k b_k K(., z_k), with a = y and drawn b: centers beside the inputs as well
    y, n, K = problem.y, problem.rows, problem.gram(kernel)
    joint = kernel(np.concatenate([problem.X, problem.Z], axis=-2))
    alpha = minimizer(problem, K, penalty)
    f, g = np.concatenate([alpha, 0 * problem.f0], axis=-1), np.concatenate([y, problem.f0], axis=-1)
    # when   the distance is the objective of g - f for the targets 0
    excess = objective(joint, y, g, penalty, n) - objective(joint, y, f, penalty, n)
    distance = objective(joint, 0 * y, g - f, penalty, n)
    # then   what the solve leaves, (2/n)((K + n lambda I)alpha - y)'(g - f)(X), and the rounding of the three forms
    left = stationarity_rounding(problem, K, alpha, penalty) * np.sqrt(distance / n)
    forms = objective(np.abs(joint), -np.abs(y), np.abs(g) + np.abs(f), penalty, n)
    slack = 2 * left + 16 * joint.shape[-1] * UNIT_ROUNDOFF * forms
    assert_at_most(np.abs(excess - distance), slack, why="excess of the objective", instance=problem)


@corrected(part="(a)")
@KERNELS
@given_batches(problem=kernel_inputs(), size=25)
def test_the_minimizer_is_what_scikit_learn_calls_kernel_ridge(problem, kernel):
    from sklearn.kernel_ridge import KernelRidge

    K, penalty = problem.gram(kernel), 0.1
    alpha = minimizer(problem, K, penalty)
    # when   its alpha is our n lambda
    fits = zip(K, problem.y, problem.rows, strict=True)
    duals = [KernelRidge(alpha=penalty * n, kernel="precomputed").fit(own, y).dual_coef_ for own, y, n in fits]
    # then
    bound = 2 * solve_rounding(problem, K, penalty) * norm(alpha, axis=-1)
    assert_at_most(norm(alpha - np.stack(duals), axis=-1), bound, why="scikit-learn's KernelRidge", instance=problem)


@corrected(part="(a)")
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


@corrected(part="(a)")
@given_batches(problem=singular_inputs())
def test_ridge_needs_no_invertible_kernel(problem):
    # given  parallel inputs, and targets off the range of K
    K, penalty = problem.gram(relu_ntk), 0.1
    alpha = minimizer(problem, K, penalty)
    # then   the coefficient along the null vector v is v'y/(n lambda)
    along = np.vecdot(alpha, problem.null) - np.vecdot(problem.y, problem.null) / (problem.rows * penalty)
    bound = solve_rounding(problem, K, penalty) * norm(alpha, axis=-1) * norm(problem.null, axis=-1)
    assert_at_most(np.abs(along), 2 * bound, why="null part of the coefficients", instance=problem)


@as_printed(part="(b)")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_both_formulas_have_one_limit_at_rates_that_differ_by_n(problem, kernel):
    # given  lambda = w_1, ..., w_1/10^6 in the objective and in the printed coefficients; distances from f* in H
    K, n = problem.gram(kernel), problem.rows
    w = np.linalg.eigvalsh(K)
    penalty, alpha = 10.0 ** -(problem.t % 7) * w[:, 0], interpolant_coefficients(K, problem.y)
    # when
    paths = [alpha - ridge_coefficients(K, problem.y, c * penalty / K.shape[-1]) for c in (1, n)]
    printed, right = (np.sqrt(np.vecdot(path, np.matvec(K, path))) for path in paths)
    # then   the mode of w is off by n lambda/(w + n lambda) of itself, which is n(w + lambda)/(w + n lambda) times what
    #        the print leaves: both vanish, and the ratio is between its value at w_1 and n
    length, least = np.sqrt(np.vecdot(alpha, problem.y)), w[:, 0]
    slack = 2 * solve_rounding(problem, K, 0) * (w[:, -1] / least) ** 0.5 * length * n
    lower = n * (least + penalty) / (least + n * penalty) * printed
    assert_within(lower, right, n * printed, slack=slack, why="ratio of distances", instance=problem)
    vanishing = n * penalty / (least + n * penalty) * length
    assert_at_most(right, vanishing + slack, why="distance of the minimizer from f*", instance=problem)


@as_printed(part="(b)")
@pytest.mark.parametrize("formula", ["objective", "coefficients"])
@given_batches(problem=singular_inputs())
def test_on_parallel_inputs_both_formulas_tend_to_the_targets_less_their_part_off_the_range(problem, formula):
    # given  c = n in the objective and 1 in the coefficients; y off the range of K, which v spans the complement of
    K, c = problem.gram(relu_ntk), problem.rows if formula == "objective" else 1
    w, v = np.linalg.eigvalsh(K), problem.null
    penalty = 10.0 ** -(problem.t % 7) * w[:, 1]
    limit = problem.y - (np.vecdot(v, problem.y) / np.vecdot(v, v))[:, None] * v
    # when
    alpha = ridge_coefficients(K, problem.y, c * penalty / K.shape[-1])
    # then   values on the inputs; alpha itself grows like 1/lambda
    left = c * penalty / (w[:, 1] + c * penalty) * norm(limit, axis=-1)
    slack = 64 * K.shape[-1] * UNIT_ROUNDOFF * w[:, -1] * norm(alpha, axis=-1)
    assert_at_most(norm(np.matvec(K, alpha) - limit, axis=-1), left + slack, why="distance to y", instance=problem)
