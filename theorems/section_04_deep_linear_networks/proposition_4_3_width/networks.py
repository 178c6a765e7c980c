"""Two-layer networks for Proposition 4.3: given neurons, and starts near an interpolant with known contraction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import deep_linear_descent, end_to_end
from fixtures.precision import rounding
from fixtures.problems.deep_linear import WideNetwork
from fixtures.rational import fractions
from theorems.section_04_deep_linear_networks.deep_products.conditioning import tangent_gram, tangent_rounding

DRIFT = 1 / 200
"""The share of 1 - rho by which a step from a near interpolant may contract less than by rho."""


def slowed(rate: float) -> float:
    """The factor of a step that contracts by `rate` less the share DRIFT of 1 - rate."""
    return rate + (1 - rate) * DRIFT


def two_layers(neurons: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """W_1 with these neurons as rows, and W_2 of ones."""
    return [fractions(neurons), fractions([[1] * len(neurons)])]


@dataclasses.dataclass(frozen=True)
class NearInterpolant:
    """A two-layer network in NTK scaling, X/sqrt(m). Its residual lies in the slowest and the fastest mode of K.

    modes (n, 2): these two modes, of length one. eta: 2/(lambda_max + lambda_min). kappa = lambda_max/lambda_min.
    rho = (kappa - 1)/(kappa + 1). size: |e_0|, the length of the residual; `near_interpolant` chooses it.
    """

    layers: list[np.ndarray]
    X: np.ndarray
    modes: np.ndarray
    eta: float
    rho: float
    size: float

    @property
    def Y(self) -> np.ndarray:
        """The targets: the outputs of the network less the residual."""
        return end_to_end(self.layers) @ self.X - self.residual_for_constant_kernel(0)

    def residual_for_constant_kernel(self, t: int) -> np.ndarray:
        """The residual after t steps if K stays constant: rho^t of the slowest mode, (-rho)^t of the fastest."""
        return self.modes @ np.array([self.rho, -self.rho]) ** t * self.size / np.sqrt(2)

    def residual_after(self, t: int) -> np.ndarray:
        """The residual after a run of t steps, (n,)."""
        return (end_to_end(deep_linear_descent(self.layers, self.X, self.Y, self.eta, t)) @ self.X - self.Y)[0]

    def drift(self, t: int) -> float:
        """How far the residual after t steps may be from that for a constant K: it contracts by rho up to DRIFT."""
        return (slowed(self.rho) ** t - self.rho**t) * self.size

    def rounding(self, t: int) -> float:
        """The rounding of the residual after t steps, to first order: one evaluation of f and one update a step.

        f goes through m + d roundings of size |W_2||W_1 X|, in the network and in its gradient. A gradient of d terms
        and an update move f by |X||theta| for each rounding of theta, 2d in all. `tangent_rounding` is that of eta.
        """
        (W, a), (d, _) = self.layers, self.X.shape
        weights = norm(W) ** 2 + norm(a) ** 2
        outputs = rounding(2 * (len(W) + d), norm(a) * norm(W @ self.X) + norm(self.Y))
        spectrum = t * self.eta * tangent_rounding(self.layers, self.X) * self.size
        return (t + 2) * (outputs + rounding(4 * d, norm(self.X) * weights)) + spectrum


def near_interpolant(network: WideNetwork) -> NearInterpolant:
    """A start from which descent contracts by rho at every step, up to (1 - rho) DRIFT.

    f is bilinear in (W_1, W_2), with second derivative at most x = |X/sqrt(m)|. Within R of the start |K_t - K_0| is at
    most 3 j x R for j^2 = lambda_max and x R <= j, and a step errs by 2 x (eta j |e|)^2 more. The run moves the weights
    by at most R = 2.2 eta j |e_0|/(1 - rho), so both together change the factor by less than 8.6 x eta^2 j^2
    |e_0|/(1 - rho): that is (1 - rho) DRIFT at the |e_0| chosen here.
    """
    layers, X = network.layers(), network.X / np.sqrt(network.hidden[0])
    eigenvalues, vectors = np.linalg.eigh(tangent_gram(layers, X))
    eta, kappa = 2 / (eigenvalues[0] + eigenvalues[-1]), eigenvalues[-1] / eigenvalues[0]
    rho = (kappa - 1) / (kappa + 1)
    size = (1 - rho) ** 2 * DRIFT / (8.6 * norm(X, 2) * eta**2 * eigenvalues[-1])
    return NearInterpolant(layers, X, vectors[:, [0, -1]], eta, rho, size)
