r"""Section 6.1: feature learning regime - how far linearized and lazy networks move.

Setting     $f(x) = c \sum_j a_j s(w_j \cdot x)$ of width $m$, gradient descent on $\frac12 \|f(X) - y\|^2$,
            $D = \|\theta_t - \theta_0\|$. The kernel $K_0 = J_0 J_0^\top$ has the eigenvalues $k_i$ and eigenvectors
            $v_i$; $r_0 = y - f_0$. The turning rate $C$ bounds how fast $J$ turns, $\|J(\theta) - J_0\| \le C \|\theta
            - \theta_0\|$. A linearized network has the Jacobian $J_0$ throughout
Hypotheses  (H4) $c = m^{-1/2}$. (H6) The slope $s'$ is Lipschitz.
Corrected   (C3) Linearized networks, from 0 in $\theta - \theta_0$, move after $t$ steps by $\sqrt{\sum_i (v_i \cdot
            r_0)^2 (1 - (1 - \eta k_i)^t)^2/k_i}$.
            (C4) Under H4 and H6, at every step and width: $D$ differs from the movement of C3 by `path_error` at most
            where $\eta \|K_0\| \le 1$. From $\sqrt{v^\top K_0^{-1} v}$, $v = f_t - f_0$, $D$ differs by
            `movement_error` at most (`properties.lazy_training`); both are $C$ times quantities of the run. The kernel
            drifts by $2 \|J_0\| C D + (C D)^2$ at most. Where $8 C \|r_0\| \le \lambda_{\min}(K_0)$,
            $\eta \|K_0\| \le \frac13$ and hidden weights alone are trained, bounds on $D$ and on the drift are known
            from the start (`lazy_radius`).
Idea        A linearized network moves within the rows of $J_0$, mode by mode. $J$ turns by $C D$ at most, and $C$ is
            proportional to $c$, which is small where $m$ is large (H4).
Tolerance   The bounds are deterministic (`properties.lazy_training`) and asserted at every step. Beside them there is
            only rounding
"""

import numpy as np
import pytest
import scipy.linalg
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.models.fully_connected import fully_connected, linearized, symmetrized
from fixtures.models.two_layer import TwoLayer, two_layer
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_within
from properties.lazy_training import (
    LAZY_STEP,
    kernel_drift,
    lazy_radius,
    movement_error,
    path_error,
    spectral,
    turning_rate,
)
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.features.layer_rates import descend_at_layer_rates
from theorems.section_06_beyond_lazy_training.features.movement import relative_kernel_change
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import (
    largest_kernel,
    linear_movement,
    residual_scale,
    run_descent,
    run_rounding,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.tasks import WIDE_X, WIDE_Y, tasks


@corrected("C3")
@given_batches(task=tasks())
def test_linearized_networks_move_by_the_filtered_norm_of_their_target(task):
    # given  J_0 of a ReLU network with both layers trained: linear descent from 0 in theta - theta_0
    net = two_layer("ntk", task.width, 4, task.seed, antisymmetric=True)
    J, r_0, t = net.jacobian(task.X), task.y - net.predict(task.X), 12
    eta = task.step / largest_kernel(net, task.X)
    # when
    w = gradient_descent(J, r_0, np.zeros_like(J[:, 0]), eta, t).w
    # then   |theta_t - theta_0|^2 = sum_i (v_i.r_0)^2 (1 - (1 - eta k_i)^t)^2/k_i
    k, V = np.linalg.eigh(J @ J.mT)
    exact = linear_movement(np.maximum(k, 0), np.vecmat(r_0, V), eta, t)[t] ** 2
    scale = largest_kernel(net, task.X) * (eta * t * norm(r_0, axis=-1)) ** 2
    error, slack = np.abs(norm(w, axis=-1) ** 2 - exact), run_rounding(net, task.X, t) * scale
    assert_at_most(error, slack, why="movement", instance=task)


@corrected("C3")
def test_torch_users_see_the_linearized_network_move_by_the_filtered_norm_of_their_target():
    import torch

    # given  a symmetrized ntk network of 32 ReLU neurons, f_0 = 0, and its linearization
    network = fully_connected((4, 32, 1), torch.Generator().manual_seed(6), parameterization="ntk")
    module, X, y = linearized(symmetrized(network)), torch.as_tensor(WIDE_X), torch.as_tensor(WIDE_Y)
    W, a = (layer.weight.detach().numpy() for layer in network.layers)
    k, V = np.linalg.eigh(TwoLayer(W, a[0], "relu", 32**-0.5).kernel(WIDE_X))
    # when   40 steps with eta = 1/|K_0|
    descend_at_layer_rates(module, X, y, 1 / k[-1], 40)
    # then   |theta_t - theta_0|^2 = sum_i (v_i.y)^2 (1 - (1 - eta k_i)^t)^2/k_i, and the limit is y' K^-1 y
    squared = sum(float(theta.detach().square().sum()) for theta in module.parameters())
    left = (1 - k / k[-1]) ** 40
    exact = np.sum((WIDE_Y @ V) ** 2 * (1 - left) ** 2 / k)
    # then   counted as in run_rounding, and the eigenvalues of K, whose least one divides
    slack = rounding(2 * (32 + 4 + 3) * 41 + factorization(3, 3), k[-1] / k[0] * exact)
    assert_at_most(abs(squared - exact), slack, why="squared movement after 40 steps")
    limit = WIDE_Y @ scipy.linalg.cho_solve(scipy.linalg.cho_factor(V * k @ V.T), WIDE_Y)
    assert_within((1 - left.max()) ** 2 * limit, squared, limit, slack=slack, why="squared movement at its limit")


@corrected("C4", "H4", "H6")
@pytest.mark.parametrize("train", ["hidden", "both"])
@given_batches(task=tasks())
def test_finite_networks_move_like_their_linearization_up_to_the_turn_of_the_jacobian(task, train):
    # given  H4, H6: ntk, tanh, a = +-1
    net = task.lazy_network()
    k, V = np.linalg.eigh(net.kernel(task.X, train=train))
    eta, modes = task.step / k[:, -1], np.vecmat(task.y - net.predict(task.X), V)
    # when
    run = run_descent(net, task.X, task.y, eta, 12, train)
    # then   at every step; after the first step both movements are equal up to rounding
    exact = linear_movement(np.maximum(k, 0), modes, eta, 12)
    C, sigma = turning_rate(net, task.X, train), np.sqrt(k[:, 0])
    bound = path_error(C, sigma, eta, run.moved, run.lengths, run.misfit)
    slack = run_rounding(net, task.X, 12) * residual_scale(net, task.X, task.y) / np.sqrt(k[:, -1]) * 12
    assert_at_most(np.abs(run.moved - exact).T, (bound + slack).T, why="movement of a finite network", instance=task)


@corrected("C4", "H4", "H6")
@pytest.mark.parametrize("train", ["hidden", "both"])
@given_batches(task=tasks())
def test_finite_networks_move_by_the_rkhs_norm_of_what_they_learned_up_to_the_turn_of_the_jacobian(task, train):
    # given  H4, H6: ntk, tanh, a = +-1
    net = task.lazy_network()
    k, V = np.linalg.eigh(net.kernel(task.X, train=train))
    eta = task.step / k[:, -1]
    # when
    run = run_descent(net, task.X, task.y, eta, 12, train)
    # then   near sqrt(v' K_0^-1 v), v = f_t - f_0, at every step, and so when the target is fitted
    learned = np.array([np.vecmat(at.predict(task.X) - net.predict(task.X), V) for at in run.networks])
    exact = np.sqrt(np.sum(learned**2 / k, axis=-1))
    sigma = np.sqrt(k[:, 0])
    bound = movement_error(turning_rate(net, task.X, train), sigma, eta, run.moved, run.misfit)
    scale = k[:, -1] / k[:, 0] * exact + residual_scale(net, task.X, task.y) / sigma
    slack = run_rounding(net, task.X, 12) * scale
    assert_at_most(np.abs(run.moved - exact).T, (bound + slack).T, why="movement and RKHS norm", instance=task)


@corrected("C4", "H4", "H6")
@pytest.mark.parametrize("train", ["hidden", "both"])
@given_batches(task=tasks())
def test_the_kernel_of_a_lazy_network_drifts_no_further_than_its_certificate(task, train):
    net = task.lazy_network()
    K = net.kernel(task.X, train=train)
    # when
    run = run_descent(net, task.X, task.y, task.step / spectral(K), 12, train)
    # then   at every step
    drift = np.array([spectral(at.kernel(task.X, train=train) - K) for at in run.networks])
    bound = kernel_drift(net, task.X, run.moved, train)
    slack = run_rounding(net, task.X, 12) * spectral(K)  # the rounding of K = J J' is relative to |K|
    assert_at_most(drift.T, (bound + slack).T, why="kernel drift", instance=task)


@corrected("C4", "H4", "H6")
@given_batches(task=tasks())
def test_how_far_a_lazy_network_will_move_is_known_before_it_is_trained(task):
    # given  H4, H6; hidden weights alone are trained; y is scaled by sigma^2/(8 C), so that 8 C |y| <= sigma^2
    net = task.lazy_network()
    k, C = np.linalg.eigvalsh(net.kernel(task.X, train="hidden")), turning_rate(net, task.X, "hidden")
    y = (k[:, 0] / (8 * C))[:, None] * task.y
    # when   eta |K_0| = 1/3 or less
    run = run_descent(net, task.X, y, LAZY_STEP * task.step / k[:, -1], 12, "hidden")
    # then   at every step, in movement and in kernel
    ahead, relative = lazy_radius(net, task.X, y).radius, run_rounding(net, task.X, 12)
    slack = relative * residual_scale(net, task.X, task.y) / np.sqrt(k[:, 0])
    assert_at_most(run.moved.T, (ahead + slack)[:, None], why="movement, known beforehand", instance=task)
    changed = relative_kernel_change(net, run.networks[-1], task.X, "hidden")
    bound = kernel_drift(net, task.X, ahead + slack, "hidden") / k[:, -1] + relative
    assert_at_most(changed, bound, why="relative kernel change, known beforehand", instance=task)
