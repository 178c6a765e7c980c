r"""Theorem 5.2 - a start other than zero is not forgotten.

Setting     A network linearized at its start $f_0$ with features of a kernel $K$, trained by descent with step $\eta$
            on $\frac12 \sum_i (f(x_i) - y_i)^2$; $f^*$ is the function of coefficients $K^{-1} y$.
Hypotheses  (H1) $y$ is in the range of $K(X, X)$. This holds if $K(X, X)$ is positive definite, and it is positive
            definite if no input is zero and no two inputs are parallel or opposite.
            (H2) $f_0 = 0$.
            (H3) $0 < \eta < 2/\lambda_{\max}(K)$.
Idea        A step adds to $f$ a combination of the $K(\cdot, x_i)$. So descent ends at $f^*$ plus the part of $f_0$
            that no such combination can correct, $f_0 - K(\cdot, X) K^{-1} f_0(X)$.
Tolerance   The rounding of $t$ steps (`Space.rounding`); witnesses are rational.
Findings    The print does not mention $f_0$, and a random network has one at every width.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.kernels.infinite_width import relu_nngp, relu_ntk
from fixtures.models.two_layer import two_layer
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import KernelInputs, kernel_inputs
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_violates,
)
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity
from theorems.section_05_neural_tangent_kernel.theorem_5_2_minimum_rkhs_norm.feature_space import KERNELS, Space


@counterexample
def test_what_the_start_is_opposite_the_only_input_stays_for_ever():
    # given  one input of length 1 and one hidden ReLU layer: K(x, x) = k_1(1) + k_0(1) = 1, K(-x, x) = 0
    x = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert_identical(relu_ntk(x), [[1, 0], [0, 1]], why="the kernel at x and -x")
    # when   every step changes f by a multiple of K(., x), which is 0 at -x. So f_inf(-x) - f*(-x) = f_0(-x)
    # then   in the limit of infinite width f_0(-x) is Gaussian with the variance k_1(1) = 1/2
    assert_identical(relu_nngp(x)[1, 1], 0.5, why="variance of f_0(-x)")
    reads = "mean square of f_inf(-x) - f*(-x) {value} > {limit}"
    assert_violates(Fraction(1, 2), 0, reads=reads, n=1, x=x[0], K="[[1, 0], [0, 1]] at x, -x")


def deviation(instance):
    """The largest |f_t - f*| at x and three other inputs after t = 60 steps from f_0 = c K(., z), less its rounding."""
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
    # given  one small integer input x and target y, a start c K(., z), and a stable step
    entry, nonzero = st.integers(-2, 2), st.tuples(st.integers(-2, 2), st.integers(-2, 2)).filter(any)
    instances = st.tuples(nonzero, st.tuples(entry, entry), entry, entry, st.sampled_from([1.0, 0.5, 1.5]))
    # when
    found = smallest_violation(instances, lambda instance: deviation(instance) > 0)
    # then
    named = dict(zip(("x", "z", "y", "c", "step"), found, strict=True))
    assert_violates(deviation(found), 0.0, reads="distance of the limit from f* {value} > {limit}", **named)


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
    # then   f_t = f_0 + sum_i h_t(K)(y - f_0(X))_i K(., x_i). It tends to f* only where f_0 - K(., X) K^-1 f_0(X) = 0
    at_start = np.matvec(space.joint[:, :, -3:], f_0)
    residual = problem.y - np.where(problem.present, at_start[:, :-3], 0)
    error = norm(space.predict(omega) - at_start - space.values(space.filtered(residual, eta, problem.t)), axis=-1)
    bound = space.rounding(residual, eta, problem.t, f_0)
    assert_at_most(error, bound, why="offset by the start", instance=problem)
    # and    this offset is not 0 beside the inputs, because K(., z_1) is not in the span of the others
    offset = at_start - space.values(space.least_norm(problem.y - residual))
    assert_at_most(bound, norm(offset[:, -3:], axis=-1), why="f_inf - f* beside the inputs", instance=problem)


@necessity("H2")
@pytest.mark.parametrize("width", [16, 4096])
def test_without_H2_a_network_keeps_its_random_value_opposite_the_only_input(width):
    # given  a linearized network of random weights, fitted to y = 2 at x. K_m(-x, x) = 0 at every width, so f*(-x) = 0
    x, y = np.array([[0.6, 0.8]]), np.array([2.0])
    net = two_layer("ntk", width, 2, seeds=0)
    J, start, K = net.jacobian(x), net.predict(-x)[0], net.kernel(x)[0, 0]
    eta = 1 / K
    assert_keeps(H1=K > 0, H3=eta > 0 and eta * K < 2)
    assert_identical(net.kernel(x, -x), [[0]], why="no neuron is active at both")
    # when   one step fits y
    omega = gradient_descent(J, y - net.predict(x), np.zeros(J.shape[1]), eta, 1).w
    # then   three sums over the weights: K, the gradient and the values
    slack = rounding(3 * J.shape[1], norm(y - net.predict(x)) + norm(y))
    assert_equal_within(net.predict(x) + J @ omega, y, slack, why="the input is fitted")
    # then   f_inf(-x) = f_0(-x), a draw from a law of variance 1/2 at every width
    limit = start + (net.jacobian(-x) @ omega)[0]
    assert_identical(limit, start, why="value at -x")
    assert_violates(abs(limit), 0.0, reads="|f_inf(-x) - f*(-x)| {value} > {limit}", width=width, seed=0)
