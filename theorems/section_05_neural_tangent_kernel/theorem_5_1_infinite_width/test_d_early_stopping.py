r"""Theorem 5.1 (d) - the fit at a finite time against ridge regression.

Setting     The network is linearized at its start with $f_0 = 0$, and all weights are trained by the flow or by descent
            with $\eta \|K\| < 2$ on the loss $\frac12 \sum_i (f(x_i) - y_i)^2$. $K$ is its kernel, $w$ an eigenvalue of
            $K$, and a mode the part of the targets along the eigenvector of $w$. Ridge regression fits
            $K (K + \lambda I)^{-1} y$ on the inputs.
Corrected   (C7) From $f_0 = 0$, the share of mode $w$ that $t$ steps fit, less the share that ridge fits, is
            $\lambda/(w + \lambda) - (1 - \eta w)^t$.
            (C8) From $f_0 = 0$, for every true function and centred noise of any covariance, the expected in-sample
            risk of the flow at time $t$ is at most 1.6861 times that of ridge at $\lambda = 1/t$; no constant below
            1.6858 will do.
Idea        (C7) Descent leaves the factor $(1 - \eta w)^t$ of a mode, and ridge leaves $\lambda/(w + \lambda)$. (C8) At
            $\lambda = 1/t$ and $s = w t$ the flow leaves $e^{-s}$, at most the $1/(1 + s)$ of ridge, so its bias is no
            larger. The ratio of the fits is $\phi(s) = (1 - e^{-s})(1 + s)/s$, and the ratio of the variances is at
            most the maximum of $\phi^2$.
Tolerance   (C7) rounding of $t$ steps. (C8) exponentials are enclosed by fractions; for drawn kernels the rounding of
            expm and of a solve.
"""

from fractions import Fraction

import numpy as np
import scipy.linalg
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.kernels.infinite_width import relu_ntk
from fixtures.kernels.regression import ridge_coefficients
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs
from fixtures.rational import exponential_of_minus
from properties.certificates import (
    assert_at_most,
    assert_not_negative,
    assert_violates,
    assert_within,
    record_series,
)
from theorems.ledger import corrected
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import drawn_network
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import trainings

SUPREMUM = Fraction(16861, 10000)


@corrected("C7")
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_from_an_antisymmetric_start_descent_is_off_ridge_by_the_difference_of_their_filters(problem):
    # given  f_0 = 0; the drawn time t, and lambda = 1/(ht) for ridge in the loss without 1/n
    start, X, y = drawn_network(problem, "relu", antisymmetric=True), problem.X, problem.y
    J, K, t = start.jacobian(X), problem.gram(lambda inputs: start.kernel(inputs)), problem.t + 1
    w = np.linalg.eigvalsh(K)
    h = problem.step / w[:, -1]
    penalty = 1 / (h * t)
    # when
    fitted = np.matvec(J, gradient_descent(J, y, np.zeros((len(J), J.shape[-1])), h, t).w)
    ridge = np.matvec(K, ridge_coefficients(K, y, penalty / K.shape[-1]))
    # then   the distance lies between the least and the largest difference of a mode. Both tend to 0 as t -> infinity
    #        and lambda -> 0
    p, n = J.shape[-1], K.shape[-1]
    modes = np.abs((1 - h[:, None] * w) ** t[:, None] - penalty[:, None] / (w + penalty[:, None]))
    # rounding: a step sums over p weights and n inputs; K sums over p weights and is solved, and lambda falls with t
    slack = rounding(2 * p + n + 8 + factorization(n, n), (1 + t) ** 2 * norm(y, axis=-1))
    lower, upper = modes.min(-1) * norm(y, axis=-1), modes.max(-1) * norm(y, axis=-1)
    error = norm(fitted - ridge, axis=-1)
    assert_within(lower, error, upper, slack=slack, why="descent against ridge", instance=problem)


def largest_variance_ratio(flow, ridge, moved):
    """The largest z'flow'flow z/z'(ridge'ridge + moved I)z over z, (B,), for fits of targets (B, n, n)."""
    L = np.linalg.cholesky(ridge.mT @ ridge + moved[:, None, None] * np.eye(ridge.shape[-1]))
    return norm(np.linalg.solve(L, flow.mT), 2, axis=(-2, -1)) ** 2


@corrected("C8")
def test_one_mode_of_two_attains_the_supremum_of_the_variances():
    # given  s = kt = 1.7933 and 0.1 in a basis that is no axis, and lambda = 1/t
    V, s = np.array([[0.6, -0.8], [0.8, 0.6]]), np.array([1.7933, 0.1])
    flow, ridge = (((V * fit) @ V.T)[None] for fit in (1 - np.exp(-s), s / (1 + s)))
    # then
    ratio = largest_variance_ratio(flow, ridge, np.zeros(1))
    assert_within(1.6858, ratio, float(SUPREMUM), why="the largest ratio of the variances")


def excess(s, bound):
    """An enclosure of bound * s - (1 + s)(1 - e^{-s}), which is positive where the ratio of fits is below `bound`."""
    low, high = exponential_of_minus(s)
    return bound * s - (1 + s) * (1 - low), bound * s - (1 + s) * (1 - high)


@corrected("C8")
def test_the_ratio_of_the_variances_of_flow_and_ridge_has_its_supremum_enclosed():
    # given  s = kt for an eigenvalue k, lambda = 1/t: the ratio is phi^2, phi = (1 - e^{-s})(1 + s)/s; bound^2 < 1.6861
    bound, s = Fraction(129848, 100000), Fraction(17933, 10000)
    low, high = exponential_of_minus(s)
    assert_at_most(bound**2, SUPREMUM, why="square of the bound on phi")
    ratio, nearly = ((1 - high) * (1 + s) / s) ** 2, SUPREMUM - Fraction(3, 10000)
    assert_violates(ratio, nearly, reads="phi(s)^2 {value} > {limit}", s=s)
    # then   g = bound s - (1 + s)(1 - e^{-s}) has g'' = (s - 1)e^{-s}: concave up to 1 with g(0) = 0 and g(1) >= 0
    assert_not_negative(excess(Fraction(1), bound)[0], why="g(1)")
    # and    g is convex from 1 on, and g' = bound - 1 - s e^{-s} changes its sign between 1.79 and 1.80. So the least
    #        value of g beyond 1 is at least g(s) - |g'(s)| (1.80 - 1.79) at s = 1.7933
    near, far = Fraction(179, 100), Fraction(180, 100)
    assert_at_most(bound - 1, near * exponential_of_minus(near)[0], why="g' < 0 at 1.79")
    assert_at_most(far * exponential_of_minus(far)[1], bound - 1, why="g' > 0 at 1.80")
    slope = max(abs(bound - 1 - s * low), abs(bound - 1 - s * high))
    assert_at_most(slope * (far - near), excess(s, bound)[0], why="g at 1.7933 against its slope")
    s = np.geomspace(0.01, 100, 81)
    columns = {"variance": ((1 - np.exp(-s)) * (1 + s) / s) ** 2, "squared_bias": (np.exp(-s) * (1 + s)) ** 2}
    record_series("flow over ridge", s=s.round(5), **{name: column.round(5) for name, column in columns.items()})


@corrected("C8")
@given_batches(problem=kernel_inputs())
def test_flow_at_time_t_risks_at_most_the_supremum_times_ridge_at_one_over_t(problem):
    # given  f_0 = 0, a true function with values y at X, centred noise; t K_11 from 2^-10 to 2^5
    K = problem.gram(relu_ntk)
    t = 2.0 ** (problem.t % 32 / 2 - 10) / K[:, 0, 0]
    # when   the matrices that take targets to fits, by scipy's expm and by a solve
    identity = np.eye(K.shape[-1])
    flow_rest = scipy.linalg.expm(-t[:, None, None] * K)
    ridge_rest = np.linalg.solve(identity + t[:, None, None] * K, np.broadcast_to(identity, K.shape))
    bias, ridge_bias = (norm(np.matvec(rest, problem.y), axis=-1) for rest in (flow_rest, ridge_rest))
    flow, ridge = identity - flow_rest, identity - ridge_rest
    # then   the bias of flow is at most that of ridge, and for every covariance C the variance tr(flow C flow) is at
    #        most SUPREMUM times tr(ridge C ridge)
    # rounding: expm and the solve are decompositions whose condition is that of I + tK; two products of n terms follow
    n = K.shape[-1]
    units = rounding(2 * factorization(n, n), 1 + t * norm(K, axis=(-2, -1)))
    assert_at_most(bias, ridge_bias + units * norm(problem.y, axis=-1), why="bias of flow", instance=problem)
    moved = units * (1 + 4 * norm(flow, axis=(-2, -1)) ** 2) / float(SUPREMUM)
    largest = largest_variance_ratio(flow, ridge, moved)
    assert_at_most(largest, float(SUPREMUM), why="variance of flow over that of ridge", instance=problem)
