r"""Section 5.2: kernel objective (b) - the printed coefficients have the same limit.

Printed     the minimizer of $\frac1n \sum_i (f(x_i) - y_i)^2 + \lambda \|f\|_{H_K}^2$ for $\lambda \to 0^+$ (Section
            5.2, display) has the coefficients $\alpha = (K + \lambda I)^{-1} y$, $\lambda \to 0^+$ (Theorem 5.2)
Reading     The paper attaches $\lambda \to 0^+$ to both displays, so two limits are compared.
Readings    [every penalty] the two displays share one symbol, so at each $\lambda > 0$ the coefficients
            $(K + \lambda I)^{-1} y$ minimize the objective - refuted
Setting     $K(X, X)$ positive semidefinite, singular or not; $f$ in $H_K$ given by coefficients, $f(X) = K \alpha$,
            $\|f\|_{H_K}^2 = \alpha^\top K \alpha$.
Idea        The minimizer at $\lambda$ has the coefficients $(K + n \lambda I)^{-1} y$. The print has $\lambda$ in place
            of $n \lambda$: this minimizes the sum of squares with the same $\lambda$, or the mean with $\lambda/n$. For
            $n = 1$ there is no difference, and in the limit there is none either: $c \lambda/(w + c \lambda)$ vanishes
            for $c = 1$ and for $c = n$.
Tolerance   Witnesses are rational. Elsewhere the rounding of a positive definite solve.
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.kernels.infinite_width import relu_ntk
from fixtures.kernels.regression import interpolant_coefficients, ridge_coefficients
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs, singular_inputs
from fixtures.rational import fractions, inverse, to_fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import as_printed, counterexample
from theorems.section_05_neural_tangent_kernel.section_5_2_kernel_objective.objectives import (
    KERNELS,
    objective,
    solve_rounding,
)


def excess_of_the_print(K, y, penalty):
    """The objective at (K + lambda I)^-1 y less the objective at (K + n lambda I)^-1 y, exactly."""
    identity = to_fractions(np.eye(len(y), dtype=int))
    printed, least = (inverse(K + c * penalty * identity) @ y for c in (1, len(y)))
    return objective(K, y, printed, penalty, len(y)) - objective(K, y, least, penalty, len(y))


@counterexample(reading="every penalty")
def test_the_printed_coefficients_do_not_minimize_the_printed_objective():
    r"""$K$ has 2 on its diagonal and 1 beside it, $y = (1, 0)$, $n = 2$, $\lambda = 1/2$. $\alpha = (K + \lambda
    I)^{-1} y = (10, -4)/21$ has the residual $(-5, 2)/21$ and $\alpha^\top K \alpha = 152/441$, and the objective
    $29/882 + 152/882 = 181/882$. At $(K + n \lambda I)^{-1} y = (3, -1)/8$ it is $10/128 + 14/128 = 3/16$, less."""
    K, y, penalty = fractions([[2, 1], [1, 2]]), fractions([1, 0]), Fraction(1, 2)
    printed, better = fractions(["10/21", "-4/21"]), fractions(["3/8", "-1/8"])
    value, least = (objective(K, y, alpha, penalty, 2) for alpha in (printed, better))
    assert_identical([value, least], [Fraction(181, 882), Fraction(3, 16)], why="the two objectives")
    # then
    assert_violates(value, least, reads="objective {value} > {limit} at (3, -1)/8", K=K, y=y, penalty=penalty)


@counterexample(reading="every penalty")
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


@as_printed
@KERNELS
@pytest.mark.parametrize("formula", ["objective", "coefficients"])
@given_batches(problem=kernel_inputs())
def test_both_formulas_tend_to_the_interpolant_of_least_norm(problem, kernel, formula):
    # given  c = n in the objective and 1 in the coefficients; lambda = w_1, ..., w_1/10^6
    K, c = problem.gram(kernel), problem.rows if formula == "objective" else 1
    w, alpha = np.linalg.eigvalsh(K), interpolant_coefficients(K, problem.y)
    penalty = 10.0 ** -(problem.t % 7) * w[:, 0]
    # when
    path = alpha - ridge_coefficients(K, problem.y, c * penalty / K.shape[-1])
    # then   |f_lambda - f*|_H: a mode of eigenvalue w lacks the share c lambda/(w + c lambda), which tends to 0
    length = np.sqrt(np.vecdot(alpha, problem.y))
    slack = 2 * solve_rounding(problem, K, 0) * (w[:, -1] / w[:, 0]) ** 0.5 * length
    slowest, fastest = (c * penalty / (own + c * penalty) * length for own in (w[:, -1], w[:, 0]))
    distance = np.sqrt(np.vecdot(path, np.matvec(K, path)))
    assert_within(slowest, distance, fastest, slack=slack, why="distance from f*", instance=problem)


@as_printed
@pytest.mark.parametrize("formula", ["objective", "coefficients"])
@given_batches(problem=singular_inputs())
def test_on_parallel_inputs_both_formulas_tend_to_the_targets_less_their_part_off_the_range(problem, formula):
    # given  c = n in the objective and 1 in the coefficients; y is not in the range of K; v spans the null space of K
    K, c = problem.gram(relu_ntk), problem.rows if formula == "objective" else 1
    w, v = np.linalg.eigvalsh(K), problem.null
    penalty = 10.0 ** -(problem.t % 7) * w[:, 1]
    limit = problem.y - (np.vecdot(v, problem.y) / np.vecdot(v, v))[:, None] * v
    # when
    alpha = ridge_coefficients(K, problem.y, c * penalty / K.shape[-1])
    # then   the values on the inputs converge, though alpha grows like 1/lambda. A solve and a product with K round
    left = c * penalty / (w[:, 1] + c * penalty) * norm(limit, axis=-1)
    slack = rounding(factorization(*K.shape[-2:]) + K.shape[-1], w[:, -1] * norm(alpha, axis=-1))
    assert_at_most(norm(np.matvec(K, alpha) - limit, axis=-1), left + slack, why="distance to y", instance=problem)
