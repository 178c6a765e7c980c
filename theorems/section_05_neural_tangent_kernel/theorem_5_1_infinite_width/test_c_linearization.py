r"""Theorem 5.1 (c) - how near a network is to its linearization.

Setting     The linearized network is $f_0 + J_0 (\theta - \theta_0)$, so its function-space equation has the fixed
            kernel $K_0$. Loss $\frac12 \|r\|^2$ with $r = f(X) - y$; $r^{\mathrm{lin}}$ is the residual of the
            linearized network. $J$ is the Jacobian of $f(X)$ in the trained weights (all, or the hidden weights $W$
            alone), $K = J J^\top$, $k_x = K_0(x, X)$, and $d$ the distance of the weights from their start.
            $\mathrm{Lip}$ bounds $\|J - J_0\|/d$ up to this $d$, as `turning_rate` and `deep_turning_rate` compute it.
Corrected   (C3) For tanh or erf with $W$ trained alone, or two hidden layers of tanh, and descent with
            $\eta \|K_0\| \le 2$: $\|r_t - r_t^{\mathrm{lin}}\| \le \eta \sum_{s<t} \mathrm{Lip}\, [\frac{d_s +
            d_{s+1}}{2} \|J_s\| + d_s \|J_0\|] \|r_s\|$.
            (C4) After $t$ steps of any size the linearized network is $f_0(x) + k_x V \operatorname{diag}((1 - (1 -
            \eta w)^t)/w) V^\top (y - f_0(X))$, for $K_0 = V \operatorname{diag}(w) V^\top$; at $w = 0$ the quotient is
            $\eta t$.
Idea        (C3) Step $s$ adds at most $\eta \|\bar J J_s^\top - K_0\| \|r_s\|$ to the distance of the two residuals,
            where $\bar J$ is the mean Jacobian along the step. For $\eta \|K_0\| \le 2$ the matrix $I - \eta K_0$ does
            not expand what earlier steps have added. (C4) In the eigenvectors of $K_0$ the steps decouple.
Tolerance   The rounding of $t$ steps in weights, and of the kernel; exact where fractions are used.
"""

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.two_layer import network_path
from fixtures.kernels.regression import descent_filter
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from properties.lazy_training import kernel_rounding, linearization_gap, linearization_sum, spectral
from theorems.ledger import corrected
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import (
    DIRECTION,
    ONE_NEURON,
    POINTS,
    SMOOTH,
    drawn_network,
)
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.runs import deep_run
from theorems.section_05_neural_tangent_kernel.wide_networks.deep_kernel import deep_turning_rate
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import trainings
from theorems.section_05_neural_tangent_kernel.wide_networks.network_rounding import value_rounding


@corrected("C4")
@given_batches(problem=trainings(log_widths=range(2, 6)))
def test_the_linearized_network_follows_its_closed_form_at_all_times_and_off_the_data(problem):
    # given  tanh, both layers trained; the drawn step h < 2/|K_0| and the drawn time
    start, X, Z, t = drawn_network(problem, "tanh"), problem.X, problem.Z, problem.t
    J, J_Z, r_0 = start.jacobian(X), start.jacobian(Z), problem.y - start.predict(X)
    h = problem.step / spectral(start.kernel(X))
    # when   gradient descent in the weights of f_0 + J (theta - theta_0)
    run = gradient_descent(J, r_0, np.zeros((len(J), J.shape[-1])), h, t)
    # then   f_0(x) + k_x V diag((1 - (1 - hw)^t)/w) V'(y - f_0), by the eigenvectors of the kernel
    w, V = np.linalg.eigh(start.kernel(X))
    filtered = np.matvec(start.kernel(Z, X), np.matvec(V, descent_filter(w, h, t) * np.vecmat(r_0, V)))
    error = norm(np.matvec(J_Z, run.w) - filtered, axis=-1)
    # rounding: the derivative of the filter in K is at most (ht)^2/2; K sums over m neurons with d entries, and a step
    #           over p weights and n inputs, each of size |J|^2
    size, reach = norm(J, axis=(-2, -1)), norm(J_Z, axis=(-2, -1))
    units = rounding(start.width + sum(X.shape[1:]) + 8 + J.shape[-1], (1 + h * t * size**2) * (1 + t))
    assert_at_most(error, units * h * reach * size * norm(r_0, axis=-1), why="linearized network", instance=problem)


@corrected("C4")
def test_the_closed_form_holds_for_steps_that_diverge_too():
    # given  K_0 = [[2, 1], [1, 2]] with eigenvalues w = 3 and 1, and P the projections on its eigenvectors; eta |K_0| =
    #        6
    X, x, y, eta, t = fractions([[1, 0], [0, 1]]), fractions([[2, 1]]), fractions([3, -1]), Fraction(2), 4
    J, r_0, moved = ONE_NEURON.jacobian(X), y - ONE_NEURON.predict(X), fractions([0, 0, 0])
    # when
    for _ in range(t):
        moved = moved + eta * (r_0 - J @ moved) @ J
    # then   the sum of (1 - (1 - eta w)^t)/w P over both w
    modes = {3: fractions([["1/2", "1/2"], ["1/2", "1/2"]]), 1: fractions([["1/2", "-1/2"], ["-1/2", "1/2"]])}
    filtered = sum((1 - (1 - eta * w) ** t) / w * P @ r_0 for w, P in modes.items())
    assert_identical(ONE_NEURON.jacobian(x) @ moved, ONE_NEURON.kernel(x, X) @ filtered, why="beside the inputs")


@corrected("C3")
@given_batches(problem=trainings(log_widths=range(4, 9)))
def test_a_finite_network_is_no_further_from_its_linearization_than_its_own_path_shows(problem):
    # given  tanh and the drawn step, below 2/|K_0|
    start, X, y = drawn_network(problem, "tanh", signs=True), problem.X, problem.y
    K_0 = start.kernel(X, train="hidden")
    eta = problem.step / spectral(K_0)
    # when   twenty steps of the network, and of its linearization
    states = list(islice(network_path(start, X, y, eta, "hidden"), 21))
    linear = start.predict(X) - y
    contraction = np.eye(X.shape[-2]) - eta[:, None, None] * K_0
    linear = np.matvec(np.linalg.matrix_power(contraction, 20), linear)
    # then
    gap = norm(states[-1].predict(X) - y - linear, axis=-1)
    rounding = 40 * kernel_rounding(start, X) / spectral(K_0) * norm(start.predict(X) - y, axis=-1)
    bound = linearization_gap(states, X, y, eta) + rounding + 2 * value_rounding(states[-1], X)
    assert_at_most(gap, bound, why="network against its linearization", instance=problem)


@corrected("C3")
def test_beyond_twice_the_inverse_kernel_the_distance_from_the_linearization_outgrows_that_sum():
    # given  one tanh neuron, |r_0| = 1/10, eta |K_0| = 3: each step of the linearization doubles earlier differences
    X, start = np.ones((1, 1)), TwoLayer(np.arctanh([[3**-0.5]]), np.ones(1), "tanh", 1.0)
    y, K_0 = start.predict(X) + 0.1, start.kernel(X, train="hidden")[0, 0]
    eta = 3 / K_0
    states = list(islice(network_path(start, X, y, eta, "hidden"), 4))
    # then   r_3^lin = (1 - eta K_0)^3 r_0
    gap = np.abs(states[-1].predict(X) - y - (1 - eta * K_0) ** 3 * (start.predict(X) - y))
    assert_at_most(2 * linearization_gap(states, X, y, eta), gap, why="twice the sum, after three steps")


@corrected("C3")
def test_a_wide_network_is_certified_to_follow_its_linearization_within_a_tenth_of_the_residual():
    # given  2^14 erf neurons, f_0 = 0
    X, y = POINTS[:2], np.array([0.3, -0.4])
    start = two_layer("ntk", 2**14, 2, 14, **{**SMOOTH, "activation": "erf"})
    eta = 1 / spectral(start.kernel(X, train="hidden"))
    states = list(islice(network_path(start, X, y, eta, "hidden"), 30))
    # then   the distance is certified. The linearization contracts by 1 - lambda_min/lambda_max a step, to a twentieth
    gap, w = linearization_gap(states, X, y, eta), np.linalg.eigvalsh(start.kernel(X, train="hidden"))
    left = (1 - w[0] / w[-1]) ** (len(states) - 1) * norm(y)
    assert_at_most(gap, norm(y) / 10, why="certified distance over thirty steps")
    assert_at_most(left, norm(y) / 20, why="residual of the linearization after thirty steps")
    assert_at_most(norm(states[-1].predict(X) - y), left + gap, why="residual of the network")


def linearization_gap_of_two_hidden_layers(width, size):
    """The final distance of a tanh network from its linearization and its bound by C3; all layers, eta |K_0| = 1."""
    X = POINTS[:2]
    states, eta = deep_run(width, size, step=1.0)
    start, r = states[0], [net.predict(X) - states[0].predict(X) - size * DIRECTION for net in states]
    linear = np.linalg.matrix_power(np.eye(2) - eta * start.kernel(X), len(states) - 1) @ r[0]
    d, J = np.array([net.distance(start) for net in states]), [np.sqrt(spectral(net.kernel(X))) for net in states]
    gap = linearization_sum(deep_turning_rate(start, X, d.max()), eta, d, np.array(J), norm(r, axis=1))
    return norm(r[-1] - linear), gap


@corrected("C3")
@pytest.mark.parametrize(("width", "size"), [(64, 1.0), (512, 1 / 100)], ids=["far targets", "near targets"])
def test_two_hidden_layers_are_no_further_from_their_linearization_than_their_path_shows(width, size):
    distance, gap = linearization_gap_of_two_hidden_layers(width, size)
    # rounding: thirty steps of sums over both layers, whose errors the linearization does not expand
    slack = 30 * rounding(2 * 3 * (2 * width + 8), size)
    assert_at_most(distance, gap + slack, why="deep network, linearization")
    if size < 1:
        assert_at_most(gap, size / 5, why="the certified distance for near targets")
