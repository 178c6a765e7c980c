r"""Theorem 5.2 - in the kernel regime gradient descent finds the interpolant of least RKHS norm.

Section     5.2
Printed     (Theorem 5.2) On an infinitely wide network gradient descent ends at $f^*(x) = \sum_i \alpha_i K(x, x_i)$
            with $\alpha = (K + \lambda I)^{-1} y$, $\lambda \to 0^+$; no interpolant has a smaller norm in $H_K$
Reading     Loss, limit and start are those of the section (its __init__): $\lambda \to 0^+$ is taken in f*; the step
            is one for which descent converges
Setting     Networks linearized at their start, $f_\theta(x) = f_0(x) + \phi(x) \cdot (\theta - \theta_0)$ with
            $\phi(x) \cdot \phi(z) = K(x, z)$; Theorem 5.1 (b) says how near they are to wide networks. K: ReLU of one
            or three hidden layers, erf of one. Under the loss with 1/(2n), (H3) reads eta < 2n/lambda_max
Hypotheses  (H1) y is in the range of K(X, X). For that it suffices that K is positive definite, and for this that no
            input is zero and no two are parallel or opposite.  (H2) f_0 = 0.  (H3) 0 < eta < 2/lambda_max(K)
Idea        Steps stay in the span of the K(., x_i), so with $K = V \operatorname{diag}(w) V^\top$ the coefficients at
            time t are $V \operatorname{diag}((1 - (1 - \eta w)^t)/w) V^\top y$. In that span only one function fits,
            and it is orthogonal to whatever vanishes on the inputs: $\|g\|^2 = \|f^*\|^2 + \|g - f^*\|^2$ for every
            interpolant g. Ridge shrinks the mode of w by exactly $\lambda/(w + \lambda)$: the printed limit, with its
            rate
Source      Jacot, Gabriel, Hongler (2018), Neural Tangent Kernel: Convergence and Generalization in Neural Networks,
            NeurIPS 31; Du, Zhai, Poczos, Singh (2019), Gradient Descent Provably Optimizes Over-parameterized Neural
            Networks, ICLR, for parallel inputs and ReLU; Du, Lee, Li, Wang, Zhai (2019), Gradient Descent Finds Global
            Minima of Deep Neural Networks, ICML, for analytic activations; Lee, Xiao, Schoenholz, Bahri, Novak,
            Sohl-Dickstein, Pennington (2019), Wide Neural Networks of Any Depth Evolve as Linear Models Under Gradient
            Descent, NeurIPS 32, for what remains of f_0; Chizat, Oyallon, Bach (2019), On Lazy Training in
            Differentiable Programming, NeurIPS 32, for its removal; Kimeldorf, Wahba (1971), Some Results on
            Tchebycheffian Spline Functions, Journal of Mathematical Analysis and Applications 33
Tolerance   Descent runs on features that factor the kernel matrix, the oracle on the spectrum of K: they differ by the
            backward errors of two symmetric eigensolvers and by the rounding of t steps (`rounding`). A network that is
            not linearized: the distance that its own path certifies (properties.lazy_training)
Findings    The print has no f_0, which a random network has at every width; what H2 costs is in its necessity tests.
            Which inputs make K singular depends on the kernel. Equal inputs do; x and 2x do for ReLU, not for erf.
            Three opposite pairs in the plane do for one hidden ReLU layer; at 0, 50 and 120 degrees they do not for two
            or three, and two of these pairs do not for one
Expected    holds under added hypotheses
"""

import functools
from fractions import Fraction
from itertools import islice, pairwise

import numpy as np
import pytest
import scipy.linalg
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent, steps_to_contract
from fixtures.dynamics.two_layer import network_path
from fixtures.kernels.infinite_width import erf_ntk, erf_rounding, relu_nngp, relu_ntk, relu_rounding
from fixtures.kernels.regression import (
    descent_filter,
    interpolant_coefficients,
    ridge_coefficients,
    working_precision,
)
from fixtures.models.two_layer import two_layer
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import KernelInputs, kernel_inputs, singular_inputs
from fixtures.rational import fractions, inverse
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.lazy_training import displacement, path_error, turning_rate
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, under_hypotheses

NEARLY_THERE = 1e-9
DEEP = functools.partial(relu_ntk, hidden_layers=3)
KERNELS = pytest.mark.parametrize("kernel", [relu_ntk, DEEP, erf_ntk], ids=["ReLU", "3 x ReLU", "erf"])


def ridge_rate(w, penalty):
    """The part of a mode of w that ridge leaves, lambda/(w + lambda)."""
    return penalty / (w + penalty)


class Space:
    """What a kernel makes of a batch of problems: features of X and of Z, and the spectrum of K(X, X).

    joint (B, n + 3, n + 3): the kernel matrix of X and Z together; at_X and at_Z its features, phi phi' = joint.
    K (B, n, n): that of X, with padding inside the spectrum; its eigenvalues w ascending and eigenvectors V.
    k (B, 3, n) = K(Z, X). least: the smallest eigenvalue above `rank_deficit` of them.
    """

    def __init__(self, problem, kernel, rank_deficit=0):
        n = problem.X.shape[-2]
        self.joint = kernel(np.concatenate([problem.X, problem.Z], axis=-2))
        squares, axes = np.linalg.eigh(self.joint)
        features = axes * np.sqrt(np.maximum(squares, 0))[:, None]
        self.at_X, self.at_Z = features[:, :n], features[:, n:]
        self.K, self.k = problem.gram(lambda _: self.joint[:, :n, :n]), self.joint[:, n:, :n]
        self.w, self.V = np.linalg.eigh(self.K)
        self.trace, self.least = squares.sum(-1), self.w[:, rank_deficit]
        self.size = features.shape[-1]

    def is_definite(self, problem):
        """Whether K(X, X) is positive definite beyond the rounding of its entries, which is largest for erf."""
        return self.w[:, 0] > working_precision(self.K, erf_rounding(problem.X).max((1, 2)))

    def is_stable(self, eta):
        """Whether 0 < eta < 2/lambda_max(K)."""
        return (eta > 0) & (eta * self.w[:, -1] < 2)

    def descend(self, y, start, eta, t):
        """Weights after t steps of gradient descent on (1/2)|phi(X) omega - y|^2, omega = theta - theta_0."""
        return gradient_descent(self.at_X, y, start, eta, t).w

    def filtered(self, y, eta, t):
        """The coefficients V diag((1 - (1 - eta w)^t)/w) V'y after t steps from zero; exact but for rounding."""
        return np.matvec(self.V, descent_filter(self.w, eta, t) * np.vecmat(y, self.V))

    def values(self, coefficients):
        """Sum_i alpha_i K(., x_i) at X and at Z, (B, n + 3)."""
        return np.matvec(self.joint[:, :, : coefficients.shape[-1]], coefficients)

    def predict(self, omega):
        """The linearized network at X and at Z, (B, n + 3), less f_0."""
        return np.concatenate([np.matvec(self.at_X, omega), np.matvec(self.at_Z, omega)], axis=-1)

    def least_norm(self, y):
        """The coefficients K^-1 y by LAPACK's Cholesky factors."""
        pairs = zip(self.K, y, strict=True)
        return np.stack([scipy.linalg.cho_solve(scipy.linalg.cho_factor(K), targets) for K, targets in pairs])

    def norm(self, coefficients):
        """|f|_H of a function given by its coefficients at X, or at X and Z."""
        own = self.K if coefficients.shape[-1] == self.K.shape[-1] else self.joint
        return np.sqrt(np.maximum(np.vecdot(coefficients, np.matvec(own, coefficients)), 0))

    def rounding(self, y, eta, t, f_0=0):
        """How far values of the computed path and of its oracle may be apart after t steps; y is the residual at 0.

        Features and spectrum are exact for kernel matrices that are off by |E| <= 64(n + 3)u tr(joint) together, and
        the coefficients are beta = h_t(K)y = K^-1(I - P)y with P = (I - eta K)^t. With E, values k beta move by
        E beta, by k K^-1 E beta and by k K^-1 dP y, where |dP| <= t eta |E|, eta <= 2.02/w_n; and k K^-1 is I on the
        inputs and at most sqrt(tr(joint)/w_1) beside them, as k_z'K^-1 k_z <= K(z, z). The steps themselves round by
        2 sqrt(n)(2n + 9)u(W + Y), W, Y <= |y|/sqrt(w_1), do not expand, and are seen through sqrt(tr(joint)): less
        than the part in t again; 1 + t for what is done to y itself. f_0 (3,): coefficients of a start, which move
        values by E f_0 and k K^-1 E f_0.
        """
        moved = norm(self.filtered(y, eta, t), axis=-1) + norm(np.atleast_1d(f_0), axis=-1)
        moved += 2.02 * (1 + t) / self.w[:, -1] * norm(y, axis=-1)
        return 128 * self.size * UNIT_ROUNDOFF * self.trace * (2 + (self.trace / self.least) ** 0.5) * moved


@under_hypotheses("H1")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_inputs_of_which_no_two_are_parallel_make_the_kernel_positive_definite(problem, kernel):
    K = problem.gram(kernel)
    # then   every y is in the range; the threshold includes the rounding of the entries, which is largest for erf
    entries = erf_rounding(problem.X).max((1, 2))
    least = np.linalg.eigvalsh(K)[:, 0]
    assert_at_most(working_precision(K, entries), least, why="least eigenvalue", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_at_every_time_descent_is_the_interpolant_seen_through_a_filter(problem, kernel):
    # given  H1: no two inputs parallel. H3: the drawn step
    space = Space(problem, kernel)
    eta = problem.step / space.w[:, -1]
    # when   H2: the linearized network starts at 0
    omega = space.descend(problem.y, np.zeros(space.at_X.shape[::2]), eta, problem.t)
    # then   on the inputs and beside them
    error = norm(space.predict(omega) - space.values(space.filtered(problem.y, eta, problem.t)), axis=-1)
    assert_at_most(error, space.rounding(problem.y, eta, problem.t), why="path of descent", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@given_batches(problem=kernel_inputs(max_rows=3), size=100)
def test_descent_converges_to_the_function_that_a_cholesky_solve_gives(problem):
    # given
    space = Space(problem, relu_ntk)
    eta = 2 / (space.w[:, 0] + space.w[:, -1])
    steps = steps_to_contract(1 - eta * space.w[:, 0], NEARLY_THERE)
    # when   for a number of steps fixed beforehand
    omega = space.descend(problem.y, np.zeros(space.at_X.shape[::2]), eta, steps)
    # then   |f_t - f*|_H <= rho^t |f*|_H, and |f(x)| <= sqrt(K(x, x)) |f|_H
    alpha = space.least_norm(problem.y)
    left = NEARLY_THERE * space.norm(alpha) * np.sqrt(space.trace)
    error = norm(space.predict(omega) - space.values(alpha), axis=-1)
    assert_at_most(error, left + space.rounding(problem.y, eta, steps), why="limit of descent", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@given_batches(problem=kernel_inputs(max_rows=4), size=25)
def test_a_finite_linearized_network_does_the_same_with_its_own_kernel(problem, activation):
    # given  300 neurons in opposite pairs, so that f_0 = 0; the Jacobian as features
    width, dimension = 300, problem.X.shape[-1]
    net = two_layer("ntk", width, dimension, seeds=width, activation=activation, antisymmetric=True)
    space = Space(problem, net.kernel)
    eta = problem.step / space.w[:, -1]
    # when
    J = net.jacobian(problem.X)
    omega = gradient_descent(J, problem.y, np.zeros(J.shape[::2]), eta, problem.t).w
    # then   and the sum over p features instead of n + 3 rounds p/(n + 3) times as much
    values = np.matvec(net.jacobian(np.concatenate([problem.X, problem.Z], axis=-2)), omega)
    error = norm(values - space.values(space.filtered(problem.y, eta, problem.t)), axis=-1)
    bound = J.shape[-1] / space.size * space.rounding(problem.y, eta, problem.t)
    assert_at_most(error, bound, why="path of a linearized network", instance=problem)


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
    # then   |g|^2 - |f*|^2 - |g - f*|^2 = 2 alpha'(g(X) - f*(X)): 0 but for what the fits leave
    n = problem.X.shape[-2]
    error = space.norm(g) ** 2 - space.norm(f) ** 2 - space.norm(g - f) ** 2
    misfit = norm(space.values(g)[:, :n] - problem.y, axis=-1) + norm(space.values(f)[:, :n] - problem.y, axis=-1)
    entries = np.vecdot(np.abs(g) + np.abs(f), np.matvec(np.abs(space.joint), np.abs(g) + np.abs(f)))
    fit = 64 * space.size * UNIT_ROUNDOFF * space.w[:, -1] / space.w[:, 0] * (norm(problem.y, axis=-1) + entries**0.5)
    assert_at_most(misfit, fit * (1 + space.trace**0.5), why="both fit", instance=problem)
    slack = 2 * norm(alpha, axis=-1) * misfit + 8 * space.size * UNIT_ROUNDOFF * entries
    assert_at_most(np.abs(error), slack, why="Pythagoras in H", instance=problem)
    assert_at_most(slack, space.norm(g - f) ** 2, why="g is another function", instance=problem)


@under_hypotheses("H1")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_no_interpolant_is_shorter_than_any_dual_point_says(problem, kernel):
    space, y = Space(problem, kernel), problem.y
    alpha = interpolant_coefficients(space.K, y)
    # then   |g|^2 >= 2 nu'y - nu'K nu for every nu and interpolant g; here nu = c y at its best c, without a solve
    squared = space.norm(alpha) ** 2
    slack = 64 * space.size * UNIT_ROUNDOFF * space.w[:, -1] / space.w[:, 0] * squared
    best_multiple = np.vecdot(y, y) ** 2 / np.vecdot(y, np.matvec(space.K, y))
    assert_at_most(best_multiple, squared + slack, why="weak duality", instance=problem)
    # and    at nu = alpha nothing is left between the two
    gap = np.abs(squared - (2 * np.vecdot(alpha, y) - np.vecdot(alpha, np.matvec(space.K, alpha))))
    assert_at_most(gap, slack, why="duality gap", instance=problem)


@pytest.mark.slow
@under_hypotheses("H1")
@KERNELS
@pytest.mark.parametrize("relative_penalty", [1.0, 1e-2, 1e-5])
@given_batches(problem=kernel_inputs())
def test_ridge_approaches_the_interpolant_at_a_rate_known_from_both_sides(problem, kernel, relative_penalty):
    # given  lambda in units of the largest eigenvalue, in (K + lambda I)^-1 y as printed
    space = Space(problem, kernel)
    penalty, alpha = relative_penalty * space.w[:, -1], space.least_norm(problem.y)
    # when
    ridge = ridge_coefficients(space.K, problem.y, penalty / space.K.shape[-1])
    # then   lambda/(w_n + lambda) <= |f_lambda - f*|/|f*| <= lambda/(w_1 + lambda), in H
    length, condition = space.norm(alpha), space.w[:, -1] / space.w[:, 0]
    slowest, fastest = ridge_rate(space.w[:, -1], penalty), ridge_rate(space.w[:, 0], penalty)
    slack = 64 * space.size * UNIT_ROUNDOFF * condition**1.5 * length
    distance = space.norm(ridge - alpha)
    assert_within(slowest * length, distance, fastest * length, slack=slack, why="ridge rate", instance=problem)


@under_hypotheses("H1")
@pytest.mark.parametrize(("y", "w"), [([1, 1], 3), ([1, -1], 1)])
def test_ridge_is_off_in_each_mode_by_exactly_its_rate(y, w):
    # given  K = [[2, 1], [1, 2]], an eigenvector y of w, lambda = 1/2: both ends of the rate above are attained
    K, y, penalty = fractions([[2, 1], [1, 2]]), fractions(y), Fraction(1, 2)
    ridge = inverse(K + fractions([[penalty, 0], [0, penalty]])) @ y
    assert_identical(y - K @ ridge, ridge_rate(w, penalty) * y, why="f* - f_lambda on the inputs")


@necessity("H1")
@KERNELS
def test_without_H1_an_input_at_zero_keeps_its_value(kernel):
    # given  one input at 0, so that no two inputs are parallel, and y = 1
    K, alpha, y, eta = kernel(np.zeros((1, 2)))[0, 0], 0.0, 1.0, 1.0
    assert_keeps(H2=K * alpha == 0, H3=eta > 0 and eta * K < 2)
    # when
    for _ in range(5):
        alpha -= eta * (K * alpha - y)
    # then
    assert_identical([K, K * alpha - y], [0, -y], why="K(0, 0), and the residual")


@under_hypotheses("H1", "H2", "H3")
@given_batches(problem=singular_inputs())
def test_a_singular_kernel_does_no_harm_to_targets_in_its_range(problem):
    # given  a duplicate, a double, or three opposite pairs; y = K a
    space = Space(problem, relu_ntk, rank_deficit=1)
    y = np.matvec(space.K, np.where(problem.present, problem.fits, 0))
    eta = problem.step / space.w[:, -1]
    # when
    omega = space.descend(y, np.zeros(space.at_X.shape[::2]), eta, problem.t)
    # then   f_t is the filtered K^+ y, since (1 - (1 - eta w)^t) K^+ = h_t(K) on the range
    alpha = interpolant_coefficients(space.K, y, pseudo_inverse=True)
    left = (1 - eta[:, None] * space.w) ** problem.t[:, None] * np.vecmat(np.matvec(space.K, alpha), space.V)
    error = norm(np.matvec(space.at_X, omega) - (y - np.matvec(space.V, left)), axis=-1)
    oracle = 64 * space.size * UNIT_ROUNDOFF * space.w[:, -1] / space.least * norm(y, axis=-1)
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


@under_hypotheses("H1", "H2", "H3")
def test_a_wide_network_trained_without_linearization_ends_near_the_interpolant_beside_the_inputs_too():
    # given  16384 erf neurons in opposite pairs, of which the hidden weights are trained; z at -37 and 90 degrees
    X, y, z = np.array([[1.0, 0], [0.6, 0.8]]), np.array([0.03, -0.04]), np.array([[0.8, -0.6], [0, 1]])
    net = two_layer("ntk", 2**14, 2, seeds=14, activation="erf", signs=True, antisymmetric=True)
    K, J, J_z = net.kernel(X, train="hidden"), net.jacobian(X, "hidden"), net.jacobian(z, "hidden")
    w = np.linalg.eigvalsh(K)
    eta = 1 / w[-1]
    # when
    path = list(islice(network_path(net, X, y, eta, "hidden"), 61))
    # then   weights near those of the linearization, which are left with rho^60 of their own way |f*|_H
    moved, misfit = np.array([(displacement(state, net), norm(state.predict(X) - y)) for state in path]).T
    lengths = np.array([displacement(after, before) for before, after in pairwise(path)])
    alpha = np.linalg.solve(K, y)
    off = path_error(turning_rate(net, X, "hidden"), np.sqrt(w[0]), eta, moved, lengths, misfit)[-1]
    off += (1 - eta * w[0]) ** 60 * np.sqrt(y @ alpha)
    bound = norm(J_z, axis=1) * off + turning_rate(net, z, "hidden") * moved[-1] ** 2 / 2
    # and    f* of the kernel of the start, which Theorem 5.1 (a) takes to its limit
    limit = J_z @ (J.T @ alpha)
    assert_at_most(np.abs(path[-1].predict(z) - limit), bound, why="network against f*, beside the inputs")
    assert_at_most(bound, np.abs(limit) / 20, why="what is certified")


@counterexample
def test_what_the_start_is_opposite_the_only_input_stays_for_ever():
    # given  one input of length 1 and one hidden ReLU layer: K(x, x) = k_1(1) + k_0(1) = 1, K(-x, x) = 0
    x = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert_identical(relu_ntk(x), [[1, 0], [0, 1]], why="the kernel at x and -x")
    # when   every step moves f along K(., x), which vanishes at -x: f_inf(-x) - f*(-x) = f_0(-x)
    # then   a Gaussian, in the limit of infinite width, of variance k_1(1) = 1/2
    assert_identical(relu_nngp(x)[1, 1], 0.5, why="variance of f_0(-x)")
    reads = "mean square of f_inf(-x) - f*(-x) {value} > {limit}"
    assert_violates(Fraction(1, 2), 0, reads=reads, n=1, x=x[0], K="[[1, 0], [0, 1]] at x, -x")


@counterexample
def test_equal_inputs_with_different_targets_are_not_interpolated():
    # given  K = [[1, 1], [1, 1]], y = (1, -1): (K + lambda I)^-1 y = y/lambda, and K y = 0
    K, y = relu_ntk(np.array([[1.0, 0.0], [1.0, 0.0]])), np.array([1, -1])
    assert_identical(K, [[1, 1], [1, 1]], why="the kernel of x and x")
    assert_identical(K @ y, [0, 0], why="f_lambda(X) lambda, for every lambda > 0")
    # then
    error = Fraction(int(np.abs(y).max()))
    assert_violates(error, 0, reads="training error {value} of f* > {limit}", K=K, y=y)


def deviation(instance):
    """|f_T - f*| at x and three probes after 60 steps from f_0 = c K(., z), less its rounding; x, z in the plane."""
    x, z, label, c, step = instance
    problem = KernelInputs(
        X=np.array([[x]], float),
        y=np.array([[label]], float),
        Z=np.array([[z, [-entry for entry in x], [1, 1]]], float),
        f0=np.array([[c, 0, 0]], float),
        step=np.array([step]),
        t=np.array([60]),
        rows=np.array([1]),
    )
    space = Space(problem, relu_ntk)
    start = np.vecmat(problem.f0, space.at_Z)
    eta = problem.step / space.w[:, -1]
    omega = space.descend(problem.y, start, eta, problem.t)
    excess = np.abs(space.predict(omega) - space.values(space.least_norm(problem.y))).max()
    residual = problem.y - np.matvec(space.at_X, start)
    return excess - space.rounding(residual, eta, problem.t, problem.f0)[0]


@counterexample
def test_hypothesis_finds_a_start_that_is_not_forgotten_by_itself():
    # given  one small integer input and target, a start c K(., z), steps inside and outside the stable range
    entry, nonzero = st.integers(-2, 2), st.tuples(st.integers(-2, 2), st.integers(-2, 2)).filter(any)
    instances = st.tuples(nonzero, st.tuples(entry, entry), entry, entry, st.sampled_from([1.0, 0.5, 1.5]))
    # when
    found = smallest_violation(instances, lambda instance: deviation(instance) > 0)
    # then
    named = dict(zip(("x", "z", "y", "c", "step"), found, strict=True))
    assert_violates(deviation(found), 0.0, reads="distance of the limit from f* {value} > {limit}", **named)


@necessity("H1")
@given_batches(problem=singular_inputs())
def test_without_H1_the_part_of_the_targets_off_the_range_is_never_fitted(problem):
    # given  y = K a + v with K v = 0, for instance conflicting targets of one input
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
    rounding = 64 * UNIT_ROUNDOFF * (3 / penalty) * (norm(y) / penalty)
    assert_at_most(abs(alpha[0] - alpha[2] - 2 / penalty), rounding, why="1/lambda")
    # and    f_lambda is that of the averaged target 2 on the distinct inputs, whose weight is doubled
    merged = np.linalg.solve(K[:2, :2] + penalty * np.diag([0.5, 1.0]), np.array([2.0, 1.0]))
    assert_at_most(abs(K[0] @ alpha - K[0, :2] @ merged), 3 * rounding, why="averaged targets")


@necessity("H2")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_without_H2_the_start_is_kept_and_only_its_values_on_the_inputs_are_corrected(problem, kernel):
    # given  f_0 = sum_k (f0_k + 5) K(., z_k)
    space = Space(problem, kernel)
    f_0 = problem.f0 + 5
    eta, start = problem.step / space.w[:, -1], np.vecmat(f_0, space.at_Z)
    assert_keeps(H1=space.is_definite(problem), H3=space.is_stable(eta))
    # when
    omega = space.descend(problem.y, start, eta, problem.t)
    # then   f_t = f_0 + sum_i h_t(K)(y - f_0(X))_i K(., x_i), which tends to f* only where f_0 - K(., X)K^-1 f_0(X) = 0
    at_start = np.matvec(space.joint[:, :, -3:], f_0)
    residual = problem.y - np.where(problem.present, at_start[:, :-3], 0)
    error = norm(space.predict(omega) - at_start - space.values(space.filtered(residual, eta, problem.t)), axis=-1)
    bound = space.rounding(residual, eta, problem.t, f_0)
    assert_at_most(error, bound, why="offset by the start", instance=problem)
    # and    that is nowhere the case here: K(., z_1) is in the span of no others
    offset = at_start - space.values(space.least_norm(problem.y - residual))
    assert_at_most(bound, norm(offset[:, -3:], axis=-1), why="f_inf - f* beside the inputs", instance=problem)


@necessity("H2")
@pytest.mark.parametrize("width", [16, 4096])
def test_without_H2_a_network_keeps_its_random_value_opposite_the_only_input(width):
    # given  a linearized network of random weights, fitted to y = 2 at x; K_m(-x, x) = 0 at every width, so f*(-x) = 0
    x, y = np.array([[0.6, 0.8]]), np.array([2.0])
    net = two_layer("ntk", width, 2, seeds=0)
    J, start, K = net.jacobian(x), net.predict(-x)[0], net.kernel(x)[0, 0]
    eta = 1 / K
    assert_keeps(H1=K > 0, H3=eta > 0 and eta * K < 2)
    assert_identical(net.kernel(x, -x), [[0]], why="no neuron is active at both")
    # when   one step fits
    omega = gradient_descent(J, y - net.predict(x), np.zeros(J.shape[1]), eta, 1).w
    slack = 8 * J.shape[1] * UNIT_ROUNDOFF * (norm(y - net.predict(x)) + norm(y))
    assert_at_most(abs(net.predict(x) + J @ omega - y), slack, why="the input is fitted")
    # then   f_inf(-x) is what it was, a draw from a law of variance 1/2 that no width narrows
    limit = start + (net.jacobian(-x) @ omega)[0]
    assert_identical(limit, start, why="value at -x")
    assert_violates(abs(limit), 0.0, reads="|f_inf(-x) - f*(-x)| {value} > {limit}", width=width, seed=0)


@necessity("H3")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_without_H3_the_top_mode_of_the_residual_grows(problem, kernel):
    # given  a step beyond the boundary by one percent of it; the residual at the start has a top mode of length 1
    space = Space(problem, kernel)
    n = problem.X.shape[-2]
    y = np.linalg.eigh(space.joint[:, :n, :n])[1][:, :, -1]
    eta, t, start = 2.02 / space.w[:, -1], 1 + problem.t, np.zeros(space.at_X.shape[::2])
    assert_keeps(H1=space.is_definite(problem), H2=space.predict(start) == 0)
    # when
    omega = space.descend(y, start, eta, t)
    # then   (1 - eta w_n)^t = (-1.02)^t; rounding grows with it
    kept = np.vecdot(y - np.matvec(space.at_X, omega), y)
    slack = 1.02**t * space.rounding(y, eta, t)
    assert_at_most(np.abs(kept - (-1.02) ** t), slack, why="top mode", instance=problem)
    assert_at_most(1.02, np.abs(kept) + slack, why="no convergence", instance=problem)
