"""Tanh networks planted at an interpolant, with a lower bound on sigma_n(J), and Kantorovich's theorem at them."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.linalg
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes

LEAST_SINGULAR_VALUE = 0.4
"""A lower bound on sigma_n(J) at the planted interpolants."""
TANH_CURVATURE = 4 / (3 * np.sqrt(3))
"""The maximum of |tanh''|."""


@expects(unit="direction")
@dataclasses.dataclass(frozen=True)
class PlantedNetwork:
    """f(x) = a . tanh(Bx) at an interpolant theta = (a, B), a zero of F(theta) = (f(x_i) - y_i)_i.

    X (n, n): the samples, near the identity. theta (p,), p = m(n + 1): m > n units; the first n rows of B are near the
    coordinate axes. direction (p - n,): a unit vector, in coordinates of null(J). step: its length h, with a sign.
    """

    X: np.ndarray
    theta: np.ndarray
    direction: np.ndarray
    step: float

    def layers(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The parameters a (m,) and B (m, n)."""
        m = len(theta) // (len(self.X) + 1)
        return theta[:m], theta[m:].reshape(m, -1)

    def F(self, theta: np.ndarray) -> np.ndarray:
        """Residuals (n,); the targets are what the network computes at the planted parameters."""
        (a, B), (planted, planted_B) = self.layers(theta), self.layers(self.theta)
        return np.tanh(self.X @ B.T) @ a - np.tanh(self.X @ planted_B.T) @ planted

    def J(self, theta: np.ndarray) -> np.ndarray:
        """The Jacobian of F, (n, p)."""
        a, B = self.layers(theta)
        hidden = np.tanh(self.X @ B.T)
        inner = (a * (1 - hidden**2))[:, :, None] * self.X[:, None, :]
        return np.concatenate([hidden, inner.reshape(len(self.X), -1)], axis=1)

    def curvature(self, theta: np.ndarray, radius: float) -> float:
        """A Lipschitz constant of J within `radius` of theta, from |tanh'| <= 1 and |tanh''| <= 4/(3 sqrt 3).

        The Hessian of f(x_i) is block diagonal. Each unit has a block of norm at most |x_i| + |a_j| |tanh''| |x_i|^2.
        """
        lengths = norm(self.X, axis=1)
        return norm(lengths + (np.abs(self.layers(theta)[0]).max() + radius) * TANH_CURVATURE * lengths**2)

    def residual_rounding(self, theta: np.ndarray) -> float:
        """A bound on the rounding of F: n in Bx, two in tanh, m in the sum over the units, one in the difference.

        The results on the way to an output are at most |a| . (1 + |B||x|), since |tanh'| <= 1.
        """

        def size(parameters: np.ndarray) -> np.ndarray:
            a, B = (np.abs(layer) for layer in self.layers(parameters))
            return (1 + np.abs(self.X) @ B.T) @ a

        n = len(self.X)
        return rounding(n + len(theta) // (n + 1) + 3, norm(size(theta) + size(self.theta)))


@st.composite
def planted_networks(draw: st.DrawFn) -> PlantedNetwork:
    """Networks of 1..3 samples and one or two units more than samples, at which sigma_n(J) >= 0.4.

    The outputs of the first n hidden units at the samples form a matrix. Its diagonal is at least 0.7, and the other
    entries of a row or a column add up to at most 0.28 in absolute value. So its least singular value is at least 0.4
    (Johnson). J contains this matrix as a block of columns, so that sigma_n(J) is at least as large.
    Shrinks to one sample x = 1 and two units with a = (0, 0), b = (1, 0).
    """
    tape = draw(tapes(2 + 9 + 15 + 5 + 17 + 1))
    n, excess = 1 + tape.below(3), 1 + tape.below(2)
    X = np.eye(n) + tape.integers((n, n), 1) / 16
    B = np.concatenate([np.eye(n) + tape.integers((n, n), 1) / 16, tape.integers((excess, n), 2) / 2])
    theta = np.concatenate([tape.integers(n + excess, 3), B.ravel()])
    direction = tape.integers(len(theta) - n, 3)
    direction[0] += not direction.any()
    return PlantedNetwork(X, theta, direction / norm(direction), tape.choice((1 / 64, -1 / 64, 1 / 256)))


def slice_at(network: PlantedNetwork) -> tuple[np.ndarray, np.ndarray]:
    """The point theta + h d with d in null(J), and an orthonormal basis Q (p, n) of row(J), which spans the slice."""
    rows = scipy.linalg.orth(network.J(network.theta).T)
    null = scipy.linalg.null_space(network.J(network.theta))
    return network.theta + network.step * (null @ network.direction), rows


def newton(network: PlantedNetwork, theta: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """Six steps of Newton's method on z -> F(theta + Qz); each step doubles the number of correct digits."""
    for _ in range(6):
        theta = theta - Q @ np.linalg.solve(network.J(theta) @ Q, network.F(theta))
    return theta


def kantorovich(network: PlantedNetwork, theta: np.ndarray, Q: np.ndarray) -> tuple[float, float, float]:
    """Kantorovich's constants beta, eta, K for Newton's method on the slice from theta; K holds within 1 of theta."""
    slice_jacobian = network.J(theta) @ Q
    eta = norm(np.linalg.solve(slice_jacobian, network.F(theta)))
    return 1 / np.linalg.svd(slice_jacobian)[1][-1], eta, network.curvature(theta, 1)
