r"""Proposition 9.2 (a) - descent on the normalized space.

Printed     Gradient descent with batch normalization optimizes implicitly over the normalized parameter space (first
            half of the sentence)
Reading     The normalized space is the product of unit spheres, one for each group of weights that a normalization
            takes together. The directions $\omega = \theta/|\theta|$ follow gradient descent of $L$ on it, each sphere
            at the step $\eta/\rho^2$, $\rho = |\theta|$, which the run adapts by $\rho'^2 = \rho^2 + \eta^2 \|g\|^2$,
            $g$ the gradient. As in Section 9.2 the print states no $\epsilon$ and no penalty, and where a feature is
            constant it is not normalized
Corrected   (C1) Each group has a clock of its own: neurons at the scales $c_j$ move as at the rates $\eta/c_j^2$, and
            the gradient flow is that of the metric $\sum_\ell \rho_\ell^2 |d\omega_\ell|^2$, not that of the product of
            unit spheres
Idea        $L$ depends on $\omega$ alone. So $g$ is tangential to the sphere, and $g(\theta) = g(\omega)/\rho$
Tolerance   Powers of two are exact in floating point. Other steps carry a first-order rounding analysis; normalizing a
            vector of length at least 1 does not expand errors. The flow is compared with its closed form, within the
            estimate of two tolerances
Expected    holds
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import as_printed, corrected
from theorems.section_09_architectures.normalization.certificates import gradient_rounding
from theorems.section_09_architectures.normalization.model import autograd, pull_back, standardize
from theorems.section_09_architectures.normalization.problems import normalized_problems


def as_group(kind, W):
    """The groups that a normalization takes together, as vectors (B, groups, size)."""
    return W.reshape(len(W), 1, -1) if kind == "layer" else W


@as_printed
@pytest.mark.parametrize("kind", ["batch", "layer", "weight"])
@given_batches(size=100, problem=normalized_problems())
def test_directions_descend_on_their_spheres_at_steps_over_the_square_of_their_lengths(kind, problem):
    # given  torch's gradients at theta and at omega, all groups at length 1
    W, eta = as_group(kind, problem.W), np.reshape(problem.step, (-1, 1, 1))
    rho = norm(W, axis=-1, keepdims=True)
    omega = (W / rho).reshape(problem.W.shape)
    g, g_omega = (as_group(kind, autograd(kind, problem, at)[1]) for at in (problem.W, omega))
    # when   a step of gradient descent on theta, and one on the spheres at eta/rho^2 with the retraction to length 1
    after, ahead = W - eta * g, as_group(kind, omega) - eta / rho**2 * g_omega
    length, ahead_length = (norm(v, axis=-1, keepdims=True) for v in (after, ahead))
    # then   as |ahead| >= 1, normalizing does not expand errors; two norms and 8 operations on either side
    dg, dg_omega = (gradient_rounding(kind, problem, at)[1] for at in (problem.W, omega))
    least, rate = rho.min((-2, -1)), eta[:, 0, 0]
    error = 2 * rate * (dg / least + dg_omega / least**2)
    error += rounding(2 * (2 * W.shape[-1] + 8), ahead_length.max((-2, -1)))
    distance = norm(after / length - ahead / ahead_length, axis=-1).max(-1)
    assert_at_most(distance, error, why="directions after a step", instance=problem)
    # and   the length grows by what the step has on the sphere
    growth = np.abs(length / rho - np.sqrt(1 + (eta / rho**2 * norm(g_omega, axis=-1, keepdims=True)) ** 2))
    assert_at_most(growth.max((-2, -1)), error, why="lengths after a step", instance=problem)


@corrected("C1")
@pytest.mark.parametrize("kind", ["batch", "weight"])
@given_batches(size=100, problem=normalized_problems())
def test_every_neuron_has_a_clock_of_its_own_to_the_last_bit(kind, problem):
    # given  neurons at four scales c_j, powers of two
    c = 2.0 ** (problem.k[:, None] * [1, -1, 0, 2])[..., None]
    eta = np.reshape(problem.step, (-1, 1, 1))
    # when   one step of gradient descent on torch's layers, at the one rate eta, and at the rates eta/c_j^2 from W
    after = c * problem.W - eta * autograd(kind, problem, c * problem.W)[1]
    ahead = problem.W - eta / c**2 * autograd(kind, problem, problem.W)[1]
    # then
    assert_identical(after / c, ahead, why="directions at their own rates")


@corrected("C1")
def test_the_flow_is_the_flow_of_the_sphere_at_the_time_over_the_square_of_the_length():
    # given  whitened inputs, y = zhat of the direction e_1, 36 starts at 12 angles and three lengths
    X = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    angles, rho = (grid.ravel() for grid in np.meshgrid(np.arange(1, 13) / 4, [0.5, 1.0, 3.0]))
    start, times = rho[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1), np.array([0.05, 0.3, 1.0])

    def field(w):
        zhat, s = standardize(w @ X.T, -1)
        return -pull_back(zhat, s, (zhat - X[:, 0]) / 4, -1) @ X

    # when   L = 1 - cos(angle), so that on the unit circle tan(angle/2) decays as exp(-t)
    flow = gradient_flow(field, start, times)
    at = 2 * np.arctan(np.tan(angles / 2) * np.exp(-times[:, None] / rho**2))
    expected = rho[:, None] * np.stack([np.cos(at), np.sin(at)], axis=-1)
    # then   so does it at t/rho^2, and |w| stays; five functions of four operations
    error = np.broadcast_to(flow.error[:, None], at.shape) + rounding(5 * 4, rho)
    assert_at_most(norm(flow.states - expected, axis=-1), error, why="the flow on the sphere at t/rho^2")
    assert_at_most(np.abs(norm(flow.states, axis=-1) - rho), error, why="|w|")
