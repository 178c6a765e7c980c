r"""Section 5.2: kernel objective (a) - training ends at the limit of the minimizers.

Printed     training corresponds to $\min_{f \in H_K} \frac1n \sum_i (f(x_i) - y_i)^2 + \lambda \|f\|_{H_K}^2$ with
            $\lambda \to 0^+$ (Section 5.2, display)
Reading     The paper attaches $\lambda \to 0^+$ to the display: training is followed to its end, and this end is
            compared with the limit of the minimizers.
Setting     Gradient descent on $\frac12 \sum_i (f(x_i) - y_i)^2$ for a network that is linearized at its start $f_0$,
            $K$ its kernel, which may be singular. At $\lambda$ the minimizer has the coefficients
            $(K + n \lambda I)^{-1} y$.
Hypotheses  (H1) $f_0 = 0$.
            (H2) $0 < \eta < 2/\lambda_{\max}(K)$.
Idea        Training leaves $(1 - \eta w)^t$ of mode $w$ of the targets, and the minimizer leaves
            $n \lambda/(w + n \lambda)$. Both vanish for $w > 0$, and both are 1 for $w = 0$. A start other than 0
            leaves a part of itself beside the inputs.
Tolerance   Witnesses are rational. Elsewhere the rounding of $t$ steps of descent and of a solve with $K$.
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.kernels.infinite_width import relu_ntk
from fixtures.kernels.regression import interpolant_coefficients, ridge_coefficients
from fixtures.models.two_layer import two_layer
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import singular_inputs
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import trainings


def drawn_network(problem, **options):
    """The ReLU networks of the drawn widths and seeds, in the NTK parameterization."""
    return two_layer("ntk", problem.width, problem.X.shape[-1], problem.seed, **options)


@under_hypotheses("H1", "H2")
@given_batches(problem=trainings(log_widths=range(5, 8)))
def test_training_nears_the_limit_of_the_minimizers_beside_the_inputs_too(problem):
    # given  H1: neurons in opposite pairs; H2: the drawn step, and n lambda = w_1/(t + 1)^4
    start, t, y = drawn_network(problem, antisymmetric=True), problem.t, problem.y
    K, J, J_Z = problem.gram(start.kernel), start.jacobian(problem.X), start.jacobian(problem.Z)
    w = np.linalg.eigvalsh(K)
    eta, penalty = problem.step / w[:, -1], w[:, 0] / (1.0 + t) ** 4
    # when
    trained = np.matvec(J_Z, gradient_descent(J, y, np.zeros((len(J), J.shape[-1])), eta, t).w)
    regressed = np.matvec(start.kernel(problem.Z, problem.X), ridge_coefficients(K, y, penalty / K.shape[-1]))
    # then   |f_t - f*|_H <= rho^t |f*|_H and |f_lambda - f*|_H <= n lambda/(w_1 + n lambda) |f*|_H; both tend to 0
    left = np.abs(1 - eta[:, None] * w).max(-1) ** t + penalty / (w[:, 0] + penalty)
    length, reach = np.sqrt(np.vecdot(interpolant_coefficients(K, y), y)), norm(J_Z, axis=(-2, -1))
    # rounding: t steps of sums over p weights and n inputs; K sums over p weights, and a solve with K
    p, n = J.shape[-1], K.shape[-1]
    units = rounding(p + n + 32, t) + rounding(p + factorization(n, n), (w[:, -1] / w[:, 0]) ** 1.5)
    bound = reach * (left * length + units * norm(y, axis=-1) / np.sqrt(w[:, 0]))
    assert_at_most(norm(trained - regressed, axis=-1), bound, why="training against the minimizer", instance=problem)


@under_hypotheses("H1", "H2")
@given_batches(problem=singular_inputs())
def test_on_parallel_inputs_training_ends_at_the_limit_of_the_minimizers_too(problem):
    # given  targets that are not in the range of K; v spans the null space of K. H1, and H2 by the drawn step
    K, v, y = problem.gram(relu_ntk), problem.null, problem.y
    w, V = np.linalg.eigh(K)
    features, eta = V * np.sqrt(np.maximum(w, 0))[:, None], problem.step / w[:, -1]
    # when
    omega = gradient_descent(features, y, np.zeros(y.shape), eta, problem.t).w
    # then   the values on the inputs tend to y less its part along v, which is the limit of the minimizers
    limit = y - (np.vecdot(v, y) / np.vecdot(v, v))[:, None] * v
    rate = np.maximum(np.abs(1 - eta * w[:, 1]), np.abs(1 - eta * w[:, -1]))
    n = K.shape[-1]  # features by an eigensolver, and t steps of two sums over n terms
    units = rounding(factorization(n, n) + 2 * n + 4, (1 + problem.t) * w[:, -1] / w[:, 1] * norm(y, axis=-1))
    error = norm(np.matvec(features, omega) - limit, axis=-1)
    assert_at_most(error, rate**problem.t * norm(limit, axis=-1) + units, why="training, K singular", instance=problem)


@counterexample
def test_a_start_that_vanishes_on_the_only_input_is_kept_where_every_minimizer_is_zero():
    r"""One hidden ReLU layer of infinite width, $x = (1, 0)$, $y = 1$: $K(x, x) = K(-x, -x) = 1$ and $K(x, -x) = 0$.
    From $f_0 = K(\cdot, -x)$ one step of $\eta = 1$ adds $K(\cdot, x)$, which fits the input and ends training. The
    value at $-x$ stays 1. Every minimizer is a multiple of $K(\cdot, x)$, with the value 0 at $-x$."""
    x = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert_identical(relu_ntk(x), [[1, 0], [0, 1]], why="the kernel at x and -x")
    # when
    K, start, fitted = fractions([[1, 0], [0, 1]]), fractions([0, 1]), fractions([1, 1])
    assert_identical(start + K[:, 0] * (1 - start[0]), fitted, why="values at x and -x after the step")
    # then
    reads = "trained value {value} at -x > value {limit} of every minimizer"
    assert_violates(fitted[1], 0, reads=reads, x=[1, 0], y=1, f_0="K(., -x)")


@counterexample
def test_a_search_finds_a_start_that_training_does_not_forget():
    # given  one integer input x of the plane, a target y, and the linear kernel x . z; the start is f_0(x) = w . x
    def kept(instance):
        w, x, y = (fractions(list(entry)) for entry in instance)
        trained = w + x * (y[0] - w @ x) / (x @ x)
        return np.any(trained != x * y[0] / (x @ x))

    entry = st.integers(-2, 2)
    pair = st.tuples(entry, entry)
    found = smallest_violation(st.tuples(pair, pair.filter(any), st.tuples(entry)), kept, budget=200)
    assert_identical(np.dot(found[0], [-found[1][1], found[1][0]]) != 0, True, why="w_0 is no multiple of x")


@necessity("H1")
@given_batches(problem=trainings(log_widths=range(5, 8)), size=20)
def test_without_H1_training_keeps_what_the_start_has_beside_the_inputs(problem):
    # given  a random start, and targets that this start fits
    start = drawn_network(problem)
    K, J, y = problem.gram(start.kernel), start.jacobian(problem.X), start.predict(problem.X)
    w = np.linalg.eigvalsh(K)
    eta = 1 / w[:, -1]
    assert_keeps(H2=(eta > 0) & (eta * w[:, -1] < 2))
    # when
    omega = gradient_descent(J, 0 * y, np.zeros((len(J), J.shape[-1])), eta, problem.t).w
    # then   the weights do not move, and the minimizers tend to f*, which differs from f_0 at z_1
    assert_identical(omega, 0 * omega, why="displacement of weights that fit")
    f_star = np.matvec(start.kernel(problem.Z, problem.X), interpolant_coefficients(K, y))[:, 0]
    units = rounding(J.shape[-1] + factorization(*K.shape[-2:]), (w[:, -1] / w[:, 0]) ** 1.5)
    slack = units * norm(start.jacobian(problem.Z)[:, 0], axis=-1) * norm(y, axis=-1) / np.sqrt(w[:, 0])
    gap = np.abs(start.predict(problem.Z)[:, 0] - f_star)
    assert_at_most(slack, gap, why="f_0 - f* at z_1", instance=problem)


@necessity("H2")
def test_without_H2_training_diverges():
    # given  eta = 3/K for one input: the residual is (-2)^t y
    K, y, eta = fractions([[2]]), fractions([1]), Fraction(3, 2)
    alpha = fractions([0])
    assert_keeps(H1=K @ alpha == 0)
    for _ in range(5):
        alpha = alpha - eta * (K @ alpha - y)
    assert_identical(K @ alpha - y, [32], why="residual after five steps")
