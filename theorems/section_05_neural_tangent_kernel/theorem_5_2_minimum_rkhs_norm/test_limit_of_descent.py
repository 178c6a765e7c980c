r"""Theorem 5.2 - where descent goes, and at which rate.

Reading     $\lambda \to 0^+$ is taken in $f^*$, as Theorem 5.2 says of its coefficients. The step is one for which
            descent converges.
Setting     A network linearized at its start $f_0$, with features of a kernel $K$, trained by descent with step $\eta$
            on $\frac12 \sum_i (f(x_i) - y_i)^2$. $f^*(x) = \sum_i \alpha_i K(x, x_i)$ with
            $\alpha = (K + \lambda I)^{-1} y$ for $\lambda \to 0^+$, where $K = K(X, X)$; if $K$ is invertible,
            $\alpha = K^{-1} y$.
Hypotheses  (H1) $y$ is in the range of $K(X, X)$. This holds if $K(X, X)$ is positive definite, and it is positive
            definite if no input is zero and no two inputs are parallel or opposite.
            (H2) $f_0 = 0$.
            (H3) $0 < \eta < 2/\lambda_{\max}(K)$.
Idea        Steps stay in the span of the $K(\cdot, x_i)$. So with $K = V \operatorname{diag}(w) V^\top$ the
            coefficients at time $t$ are $V \operatorname{diag}((1 - (1 - \eta w)^t)/w) V^\top y$, which tends to
            $K^{-1} y$. Counterexamples: equal inputs with different targets, which no function fits; and a start that
            is not 0 where $K(\cdot, x_i)$ is 0 for every input $x_i$.
Tolerance   Descent runs on features that factor the kernel matrix, and the oracle on the spectrum of $K$. They differ
            by the backward errors of two symmetric eigensolvers and by the rounding of $t$ steps (`Space.rounding`).
            For a network that is not linearized the bound is the distance that its own path certifies
            (`properties.lazy_training`).
Findings    Under the loss with $\frac{1}{2n}$, H3 reads $\eta < 2n/\lambda_{\max}(K)$.
Expected    holds under added hypotheses
"""

from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent, steps_to_contract
from fixtures.dynamics.two_layer import network_path
from fixtures.kernels.infinite_width import relu_ntk
from fixtures.models.two_layer import two_layer
from fixtures.problems.batches import given_batches
from fixtures.problems.kernel_inputs import kernel_inputs
from properties.certificates import assert_at_most, assert_keeps, record_series
from properties.lazy_training import displacement, path_error, turning_rate
from theorems.ledger import necessity, under_hypotheses
from theorems.section_05_neural_tangent_kernel.theorem_5_2_minimum_rkhs_norm.feature_space import KERNELS, Space

REMAINING_SHARE = 1e-9


@under_hypotheses("H1", "H2", "H3")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_at_every_time_descent_is_the_interpolant_seen_through_a_filter(problem, kernel):
    # given  H1: no two inputs are parallel. H3: the drawn step
    space = Space(problem, kernel)
    eta = problem.step / space.w[:, -1]
    # when   H2: the linearized network starts at 0
    omega = space.descend(problem.y, np.zeros(space.at_X.shape[::2]), eta, problem.t)
    # then   the values agree on the inputs and beside them
    error = norm(space.predict(omega) - space.values(space.filtered(problem.y, eta, problem.t)), axis=-1)
    assert_at_most(error, space.rounding(problem.y, eta, problem.t), why="path of descent", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@given_batches(problem=kernel_inputs(max_rows=3), size=100)
def test_descent_converges_to_the_function_that_a_cholesky_solve_gives(problem):
    # given
    space = Space(problem, relu_ntk)
    eta = 2 / (space.w[:, 0] + space.w[:, -1])
    steps = steps_to_contract(1 - eta * space.w[:, 0], REMAINING_SHARE)
    # when   descent takes a number of steps that is fixed beforehand
    omega = space.descend(problem.y, np.zeros(space.at_X.shape[::2]), eta, steps)
    # then   |f_t - f*|_H <= rho^t |f*|_H, and |f(x)| <= sqrt(K(x, x)) |f|_H
    alpha = space.least_norm(problem.y)
    left = REMAINING_SHARE * space.norm(alpha) * np.sqrt(space.trace)
    limit, bound = space.values(alpha), left + space.rounding(problem.y, eta, steps)
    assert_at_most(norm(space.predict(omega) - limit, axis=-1), bound, why="limit of descent", instance=problem)
    assert_at_most(10**6 * bound, norm(limit, axis=-1), why="distance that is left, against f*", instance=problem)


@under_hypotheses("H1", "H2", "H3")
def test_on_the_circle_descent_nears_the_interpolant_at_every_angle():
    # given  five inputs of length 1, of which no two are opposite, and 73 angles beside them; f_0 = 0
    inputs, degrees, y = np.array([-150, -80, 0, 70, 120]), np.linspace(-180, 180, 73), np.array([1, -1, 2, 0, 1.5])
    angles = np.radians(np.concatenate([inputs, degrees]))
    joint = relu_ntk(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    K, k = joint[:5, :5], joint[5:, :5]
    w, alpha, times = np.linalg.eigvalsh(K), np.linalg.solve(K, y), (1, 4, 10)
    # when   descent on features phi phi' = K adds a multiple of K(., x_i) in every step
    paths = {t: gradient_descent(np.linalg.cholesky(K), y, np.zeros(5), 1 / w[-1], t).w for t in times}
    values = {t: k @ np.linalg.solve(np.linalg.cholesky(K).T, omega) for t, omega in paths.items()}
    # then   |f_t - f*|_H <= rho^t |f*|_H, and K(x, x) = 1
    for t, found in values.items():
        bound = (1 - w[0] / w[-1]) ** t * np.sqrt(y @ alpha)
        assert_at_most(np.abs(found - k @ alpha).max(), bound, why=f"distance from f* after {t} steps")
    record_series("inputs", angle=inputs, y=y)
    columns = {f"t={t}": found for t, found in values.items()} | {"limit": k @ alpha}
    record_series("functions", angle=degrees, **{name: column.round(4) for name, column in columns.items()})


@under_hypotheses("H1", "H2", "H3")
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@given_batches(problem=kernel_inputs(max_rows=4), size=25)
def test_a_finite_linearized_network_does_the_same_with_its_own_kernel(problem, activation):
    # given  300 neurons in opposite pairs, so f_0 = 0; the features are the Jacobian
    width, dimension = 300, problem.X.shape[-1]
    net = two_layer("ntk", width, dimension, seeds=width, activation=activation, antisymmetric=True)
    space = Space(problem, net.kernel)
    eta = problem.step / space.w[:, -1]
    # when
    J = net.jacobian(problem.X)
    omega = gradient_descent(J, problem.y, np.zeros(J.shape[::2]), eta, problem.t).w
    # then   a sum over p features instead of n + 3 has a rounding p/(n + 3) times as large
    values = np.matvec(net.jacobian(np.concatenate([problem.X, problem.Z], axis=-2)), omega)
    error = norm(values - space.values(space.filtered(problem.y, eta, problem.t)), axis=-1)
    bound = J.shape[-1] / space.size * space.rounding(problem.y, eta, problem.t)
    assert_at_most(error, bound, why="path of a linearized network", instance=problem)


@under_hypotheses("H1", "H2", "H3")
def test_a_wide_network_trained_without_linearization_ends_near_the_interpolant_beside_the_inputs_too():
    # given  16384 erf neurons in opposite pairs; the hidden weights are trained; inputs z at -37 and 90 degrees
    X, y, z = np.array([[1.0, 0], [0.6, 0.8]]), np.array([0.03, -0.04]), np.array([[0.8, -0.6], [0, 1]])
    net = two_layer("ntk", 2**14, 2, seeds=14, activation="erf", signs=True, antisymmetric=True)
    K, J, J_z = net.kernel(X, train="hidden"), net.jacobian(X, "hidden"), net.jacobian(z, "hidden")
    w = np.linalg.eigvalsh(K)
    eta = 1 / w[-1]
    # when
    path = list(islice(network_path(net, X, y, eta, "hidden"), 61))
    # then   the weights are near those of the linearization, and these are within rho^60 |f*|_H of their limit
    moved, misfit = np.array([(displacement(state, net), norm(state.predict(X) - y)) for state in path]).T
    lengths = np.array([displacement(after, before) for before, after in pairwise(path)])
    alpha = np.linalg.solve(K, y)
    off = path_error(turning_rate(net, X, "hidden"), np.sqrt(w[0]), eta, moved, lengths, misfit)[-1]
    off += (1 - eta * w[0]) ** 60 * np.sqrt(y @ alpha)
    bound = norm(J_z, axis=1) * off + turning_rate(net, z, "hidden") * moved[-1] ** 2 / 2
    # and    f* for the kernel of the start; Theorem 5.1 (a) says how near this kernel is to its limit
    limit = J_z @ (J.T @ alpha)
    assert_at_most(np.abs(path[-1].predict(z) - limit), bound, why="network against f*, beside the inputs")
    assert_at_most(bound, np.abs(limit) / 20, why="certified distance, against |f*|")


@necessity("H3")
@KERNELS
@given_batches(problem=kernel_inputs())
def test_without_H3_the_top_mode_of_the_residual_grows(problem, kernel):
    # given  a step of 1.01 times 2/lambda_max; the residual at the start is the top eigenvector, of length 1
    space = Space(problem, kernel)
    n = problem.X.shape[-2]
    y = np.linalg.eigh(space.joint[:, :n, :n])[1][:, :, -1]
    eta, t, start = 2.02 / space.w[:, -1], 1 + problem.t, np.zeros(space.at_X.shape[::2])
    assert_keeps(H1=space.is_definite(problem), H2=space.predict(start) == 0)
    # when
    omega = space.descend(y, start, eta, t)
    # then   the top mode of the residual is (1 - eta w_n)^t = (-1.02)^t, and rounding grows by the same factor
    kept = np.vecdot(y - np.matvec(space.at_X, omega), y)
    slack = 1.02**t * space.rounding(y, eta, t)
    assert_at_most(np.abs(kept - (-1.02) ** t), slack, why="top mode", instance=problem)
    assert_at_most(1.02, np.abs(kept) + slack, why="no convergence", instance=problem)
