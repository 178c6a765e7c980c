r"""Section 5.2: kernel objective - the minimizer of the mean squared error plus an RKHS penalty.

Section     5.2
Printed     training corresponds to $\min_{f \in H_K} \frac1n \sum_i (f(x_i) - y_i)^2 + \lambda \|f\|_{H_K}^2$ with
            $\lambda \to 0^+$ (Section 5.2, display); by Theorem 5.2 the result has the coefficients $\alpha = (K +
            \lambda I)^{-1} y$, $\lambda \to 0^+$
Reading     The paper attaches $\lambda \to 0^+$ to both displays, so that both speak of a limit: training ends at the
            limit of the minimizers (a), and the printed coefficients give that limit as well (b). Loss and start are
            those of the section (its __init__)
Readings    (b) [every lambda] the two displays share one symbol, so at each lambda > 0 the coefficients (K + lambda
            I)^-1 y minimize the objective - refuted
Setting     K(X, X) positive semidefinite, singular or not; f in H_K given by coefficients, f(X) = K alpha, |f|^2 =
            alpha'K alpha. (a) gradient descent on a network that is linearized at its start, K its kernel
Hypotheses  (a) (H1) f_0 = 0.  (H2) 0 < eta < 2/lambda_max(K)
Corrected   (C1) (b) At every $\lambda > 0$ the minimizer has $\alpha = (K + n \lambda I)^{-1} y$: for every g in H_K
            the objective at g exceeds that at f by $\frac1n |g(X) - f(X)|^2 + \lambda \|g - f\|_{H_K}^2$. (C2) (b) If K
            is positive definite with least eigenvalue w_1, the distance in H_K from f* to the minimizer at lambda is
            that to the printed function at lambda, times a factor between n(w_1 + lambda)/(w_1 + n lambda) and n. (C3)
            (b) The minimizer stays the same if the whole data set is repeated
Parts       (a) training ends at the limit of the minimizers - holds under added hypotheses
            (b) the printed coefficients have the same limit - holds
Idea        (a) Training leaves $(1 - \eta w)^t$ of mode w of the targets, and the minimizer leaves $n \lambda/(w + n
            \lambda)$. Both vanish for w > 0, and both are 1 for w = 0. (b) The gradient over alpha is $\frac2n K
            ((K + n \lambda I) \alpha - y)$. What is printed minimizes the sum of squares with the same lambda, or the
            mean with lambda/n; for n = 1 there is no difference
Source      Kimeldorf, Wahba (1971), Some Results on Tchebycheffian Spline Functions, Journal of Mathematical Analysis
            and Applications 33, for the finite sum; Scholkopf, Smola (2002), Learning with Kernels, MIT Press;
            scikit-learn's KernelRidge as oracle, which takes n lambda
Tolerance   Witnesses are rational. Elsewhere the residual of a positive definite solve, cond (K + n lambda I) n u, the
            rounding of quadratic forms, and for (a) that of t steps of descent
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.kernels.infinite_width import erf_ntk, relu_ntk
from fixtures.kernels.regression import interpolant_coefficients, kernel_predictions, ridge_coefficients
from fixtures.models.two_layer import two_layer
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs, singular_inputs
from fixtures.problems.network_inputs import trainings
from fixtures.rational import fractions, inverse, to_fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import as_printed, corrected, counterexample, necessity, under_hypotheses

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


def drawn_network(problem, **options):
    """The ReLU networks of the drawn widths and seeds, in the NTK parameterization."""
    return two_layer("ntk", problem.width, problem.X.shape[-1], problem.seed, **options)


def minimizer(problem, K, penalty):
    """(K + n lambda I)^-1 y with n the number of inputs before padding."""
    return ridge_coefficients(K, problem.y, penalty * problem.rows / K.shape[-1])


def factor(w, penalty, n):
    """What the minimizer loses of a mode of w, n lambda/(w + n lambda), over that of the print, lambda/(w + lambda)."""
    return n * (w + penalty) / (w + n * penalty)


def solve_rounding(problem, K, penalty):
    """The relative error of a solve with K + n lambda I: 32 n u cond."""
    w = np.linalg.eigvalsh(K) + penalty * problem.rows[:, None]
    return 32 * K.shape[-1] * UNIT_ROUNDOFF * w[:, -1] / w[:, 0]


def stationarity_rounding(problem, K, alpha, penalty):
    """What a backward stable solve leaves of (K + n lambda I)alpha - y: 32 n u (w_n + n lambda)|alpha|."""
    largest = np.linalg.eigvalsh(K)[:, -1] + penalty * problem.rows
    return 32 * K.shape[-1] * UNIT_ROUNDOFF * largest * norm(alpha, axis=-1)


@under_hypotheses("H1", "H2", part="(a)")
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
    # then   |f_t - f*|_H <= rho^t |f*|_H and |f_lambda - f*|_H <= n lambda/(w_1 + n lambda) |f*|_H: both vanish
    left = np.abs(1 - eta[:, None] * w).max(-1) ** t + penalty / (w[:, 0] + penalty)
    length, reach = np.sqrt(np.vecdot(interpolant_coefficients(K, y), y)), norm(J_Z, axis=(-2, -1))
    units = 16 * (J.shape[-1] + K.shape[-1] + 32) * UNIT_ROUNDOFF * (t + (w[:, -1] / w[:, 0]) ** 1.5)
    bound = reach * (left * length + units * norm(y, axis=-1) / np.sqrt(w[:, 0]))
    assert_at_most(norm(trained - regressed, axis=-1), bound, why="training against the minimizer", instance=problem)


@under_hypotheses("H1", "H2", part="(a)")
@given_batches(problem=singular_inputs())
def test_on_parallel_inputs_training_ends_at_the_limit_of_the_minimizers_too(problem):
    # given  targets off the range of K, whose complement v spans; H1, and H2 by the drawn step
    K, v, y = problem.gram(relu_ntk), problem.null, problem.y
    w, V = np.linalg.eigh(K)
    features, eta = V * np.sqrt(np.maximum(w, 0))[:, None], problem.step / w[:, -1]
    # when
    omega = gradient_descent(features, y, np.zeros(y.shape), eta, problem.t).w
    # then   values on the inputs near y less its part along v, the limit of the minimizers by (b)
    limit = y - (np.vecdot(v, y) / np.vecdot(v, v))[:, None] * v
    rate = np.maximum(np.abs(1 - eta * w[:, 1]), np.abs(1 - eta * w[:, -1]))
    units = 64 * K.shape[-1] * UNIT_ROUNDOFF * (1 + problem.t) * w[:, -1] / w[:, 1] * norm(y, axis=-1)
    error = norm(np.matvec(features, omega) - limit, axis=-1)
    assert_at_most(error, rate**problem.t * norm(limit, axis=-1) + units, why="training, K singular", instance=problem)


@counterexample(part="(a)")
def test_a_start_that_vanishes_on_the_only_input_is_kept_where_every_minimizer_is_zero():
    # given  x = (1, 0) with K(x, x) = K(-x, -x) = 1 and K(x, -x) = 0, one hidden ReLU layer; f_0 = K(., -x), y = 1
    x = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert_identical(relu_ntk(x), [[1, 0], [0, 1]], why="the kernel at x and -x")
    # when   one step of eta = 1 adds K(., x): the input is fitted, and training ends
    K, start, fitted = fractions([[1, 0], [0, 1]]), fractions([0, 1]), fractions([1, 1])
    assert_identical(start + K[:, 0] * (1 - start[0]), fitted, why="values at x and -x after the step")
    # then   every minimizer is a multiple of K(., x), which is 0 at -x
    reads = "trained value {value} at -x > value {limit} of every minimizer"
    assert_violates(fitted[1], 0, reads=reads, x=[1, 0], y=1, f_0="K(., -x)")


@counterexample(part="(a)")
def test_a_search_finds_a_start_that_training_does_not_forget():
    # given  one integer input x of the plane, target y, and the kernel x.z: f_0 = w . x is trained to fit
    def kept(instance):
        w, x, y = (fractions(list(entry)) for entry in instance)
        trained = w + x * (y[0] - w @ x) / (x @ x)
        return np.any(trained != x * y[0] / (x @ x))

    entry = st.integers(-2, 2)
    pair = st.tuples(entry, entry)
    found = smallest_violation(st.tuples(pair, pair.filter(any), st.tuples(entry)), kept, budget=200)
    assert_identical(np.dot(found[0], [-found[1][1], found[1][0]]) != 0, True, why="w_0 is no multiple of x")


@necessity("H1", part="(a)")
@given_batches(problem=trainings(log_widths=range(5, 8)), size=20)
def test_without_H1_training_keeps_what_the_start_has_beside_the_inputs(problem):
    # given  a random start, and targets that it fits already
    start = drawn_network(problem)
    K, J, y = problem.gram(start.kernel), start.jacobian(problem.X), start.predict(problem.X)
    w = np.linalg.eigvalsh(K)
    eta = 1 / w[:, -1]
    assert_keeps(H2=(eta > 0) & (eta * w[:, -1] < 2))
    # when
    omega = gradient_descent(J, 0 * y, np.zeros((len(J), J.shape[-1])), eta, problem.t).w
    # then   nothing moves, while the minimizers tend to f*, which is not f_0 at z_1
    assert_identical(omega, 0 * omega, why="displacement of weights that fit")
    f_star = np.matvec(start.kernel(problem.Z, problem.X), interpolant_coefficients(K, y))[:, 0]
    units = 64 * J.shape[-1] * UNIT_ROUNDOFF * (w[:, -1] / w[:, 0]) ** 1.5
    rounding = units * norm(start.jacobian(problem.Z)[:, 0], axis=-1) * norm(y, axis=-1) / np.sqrt(w[:, 0])
    gap = np.abs(start.predict(problem.Z)[:, 0] - f_star)
    assert_at_most(rounding, gap, why="f_0 - f* at z_1", instance=problem)


@necessity("H2", part="(a)")
def test_without_H2_training_diverges():
    # given  eta = 3/K for one input: the residual is (-2)^t y
    K, y, eta = fractions([[2]]), fractions([1]), Fraction(3, 2)
    alpha = fractions([0])
    assert_keeps(H1=K @ alpha == 0)
    for _ in range(5):
        alpha = alpha - eta * (K @ alpha - y)
    assert_identical(K @ alpha - y, [32], why="residual after five steps")


@counterexample(part="(b)", reading="every lambda")
def test_the_printed_coefficients_do_not_minimize_the_printed_objective():
    # given  n = 2, where (K + lambda I)^-1 y = (10, -4)/21 and (K + 2 lambda I)^-1 y = (3, -1)/8
    K, y, penalty = fractions([[2, 1], [1, 2]]), fractions([1, 0]), Fraction(1, 2)
    printed, better = fractions(["10/21", "-4/21"]), fractions(["3/8", "-1/8"])
    value, least = (objective(K, y, alpha, penalty, 2) for alpha in (printed, better))
    assert_identical([value, least], [Fraction(181, 882), Fraction(3, 16)], why="the two objectives")
    # then
    assert_violates(value, least, reads="objective {value} > {limit} at (3, -1)/8", K=K, y=y, penalty=penalty)


@counterexample(part="(b)", reading="every lambda")
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


@corrected("C1", part="(b)")
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


@corrected("C1", part="(b)")
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


@corrected("C1", part="(b)")
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


@corrected("C3", part="(b)")
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


@corrected("C1", part="(b)")
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
@pytest.mark.parametrize("formula", ["objective", "coefficients"])
@given_batches(problem=kernel_inputs())
def test_both_formulas_tend_to_the_interpolant_of_least_norm(problem, kernel, formula):
    # given  c = n in the objective and 1 in the coefficients; lambda = w_1, ..., w_1/10^6
    K, c = problem.gram(kernel), problem.rows if formula == "objective" else 1
    w, alpha = np.linalg.eigvalsh(K), interpolant_coefficients(K, problem.y)
    penalty = 10.0 ** -(problem.t % 7) * w[:, 0]
    # when
    path = alpha - ridge_coefficients(K, problem.y, c * penalty / K.shape[-1])
    # then   |f_lambda - f*|_H: the mode of w is off by c lambda/(w + c lambda) of itself, which vanishes
    length = np.sqrt(np.vecdot(alpha, problem.y))
    slack = 2 * solve_rounding(problem, K, 0) * (w[:, -1] / w[:, 0]) ** 0.5 * length
    slowest, fastest = (c * penalty / (own + c * penalty) * length for own in (w[:, -1], w[:, 0]))
    distance = np.sqrt(np.vecdot(path, np.matvec(K, path)))
    assert_within(slowest, distance, fastest, slack=slack, why="distance from f*", instance=problem)


@corrected("C2", part="(b)")
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
    # then   n(w + lambda)/(w + n lambda) in the mode of w
    length = np.sqrt(np.vecdot(alpha, problem.y))
    slack = 2 * solve_rounding(problem, K, 0) * (w[:, -1] / least) ** 0.5 * length * n
    lower = factor(least, penalty, n) * printed
    assert_within(lower, right, n * printed, slack=slack, why="ratio of distances", instance=problem)


@corrected("C2", part="(b)")
def test_both_ends_of_that_factor_are_attained_or_nearly_so():
    # given  K = [[2, 1], [1, 2]] with w_1 = 1 and w_2 = 3; f* - f_lambda has the coefficients lambda (K + c lambda)^-1
    #        c K^-1 y: those of an eigenvector of w are c lambda/(w + c lambda) of its own
    K, off = fractions([[2, 1], [1, 2]]), []
    for y, penalty in (([1, -1], Fraction(1, 2)), ([1, 1], Fraction(1, 1000))):
        y, identity = fractions(y), to_fractions(np.eye(2, dtype=int))
        printed, right = (inverse(K) @ y - inverse(K + c * penalty * identity) @ y for c in (1, 2))
        off.append(right[0] / printed[0])
    assert_identical(off[0], factor(1, Fraction(1, 2), 2), why="the lower end, at w_1")
    assert_within(Fraction(199, 100), off[1], 2, why="near n = 2")


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
