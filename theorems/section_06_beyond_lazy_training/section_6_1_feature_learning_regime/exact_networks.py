"""ReLU and linear networks of one input in fractions: half of the neurons (u, u), half (u, -u), trained by one step."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.rational import fractions

ONE = fractions([[1]])


def exact_network(width: int, unit: Fraction | int, c: Fraction | int) -> ExactReluNetwork:
    """A network with f_0 = 0: half of the neurons have (w, a) = (unit, unit), half (unit, -unit). Exact."""
    signs = fractions([1] * (width // 2) + [-1] * (width // 2))
    return ExactReluNetwork(unit * fractions([[1]] * width), unit * signs, c)


def squared_movement(net: ExactReluNetwork, end: ExactReluNetwork) -> np.ndarray:
    """|W_T - W_0|^2 and |a_T - a_0|^2, exact."""
    return np.array([((end.W - net.W) ** 2).sum(), ((end.a - net.a) ** 2).sum()])


def exact_fit(width: int, unit: Fraction | int, c: Fraction | int, y: Fraction | int) -> tuple:
    """Train `exact_network` at x = 1 by one step with eta = 1/K_0, which fits y.

    Returns the squared movement |theta_1 - theta_0|^2, the relative kernel change K_1/K_0 - 1 and f_1 - y, exact.
    """
    net = exact_network(width, unit, c)
    K = net.kernel(ONE)[0, 0]
    end = net.descend(ONE, fractions([y]), 1 / K)
    return squared_movement(net, end).sum(), end.kernel(ONE)[0, 0] / K - 1, end.predict(ONE)[0] - y


def exact_linear_fit(width: int, unit: Fraction | int, c: Fraction | int, y: Fraction | int) -> tuple:
    """What `exact_fit` returns, for the identity in place of ReLU.

    The fractions are the same, because all neurons of `exact_fit` are on. The slope of the identity is Lipschitz.
    """
    signs = fractions([1] * (width // 2) + [-1] * (width // 2))
    w, a = unit * fractions([1] * width), unit * signs
    K = c**2 * (w @ w + a @ a)
    dw, da = c * y / K * a, c * y / K * w
    after = c**2 * ((w + dw) @ (w + dw) + (a + da) @ (a + da))
    return dw @ dw + da @ da, after / K - 1, c * (w + dw) @ (a + da) - y


def is_silent(net: ExactReluNetwork) -> bool:
    """Whether sum_j a_j w_j = 0."""
    return not (net.a @ net.W).any()


def has_equal_norms(net: ExactReluNetwork) -> bool:
    """Whether |W_0| = |a_0|, so that rho = 1; for a network of one input."""
    return (net.W**2).sum() == net.a @ net.a


def all_neurons_are_on(*networks: ExactReluNetwork) -> bool:
    """Whether all hidden weights are positive, so that all neurons are on at x = 1 (H3)."""
    return all((net.W > 0).all() for net in networks)
