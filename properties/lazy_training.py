r"""Lazy training: what a small movement of the hidden weights can do to Jacobian, kernel and residual.

For f(x) = scale sum_j a_j s(w_j . x) with the output weights a fixed, W trained and |s''| <= L2, row i of the Jacobian
changes in neuron j by scale a_j (s'(w_j . x_i) - s'(v_j . x_i)) x_i, so that for every two W, V

    |J(W) - J(V)|_F <= Lip |W - V|_F,    Lip = scale max|a| L2 |X|_2 max|x_i|,

which is of order 1/sqrt(m) for scale 1/sqrt(m), and of order 1/m times the rate m for the mean field. Nothing here is
probable: the inequalities hold for every network, at every width. Loss (1/2)|f(X) - y|^2, residual r = f(X) - y,
J = J(W) of shape (n, m d), K = JJ'. Norms of matrices are spectral unless marked F.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import UNIT_ROUNDOFF

LAZY_STEP = 1 / 3
"""The largest eta |K_0| for which `lazy_radius` is proved."""


def spectral(matrix: np.ndarray) -> np.ndarray:
    """The largest singular value of each matrix (..., n, k), shape (...)."""
    return norm(matrix, 2, axis=(-2, -1))


def jacobian_lipschitz(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """Lip above, for the inputs X (..., n, d): a Lipschitz constant of W -> J(W) in the Frobenius norm, shape (...).

    Rows of zeros, the padding of a batch, count for nothing. Raises ValueError for an activation whose slope jumps:
    the Jacobian of a ReLU network is not continuous.
    """
    curvature = net.nonlinearity.curvature
    if not np.isfinite(curvature):
        raise ValueError(f"the slope of {net.activation} jumps: no Lipschitz constant of the Jacobian exists")
    longest = norm(X, axis=-1).max(-1)
    return np.asarray(net.scale) * np.abs(net.a).max(-1) * curvature * spectral(X) * longest


def displacement(net: TwoLayer, start: TwoLayer) -> np.ndarray:
    """|W - W_0|_F, shape (...)."""
    return norm(net.W - start.W, axis=(-2, -1))


def kernel_drift(start: TwoLayer, X: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """A bound on |K - K_0| for every network within `distance` of `start` in hidden weights: 2|J_0|D + D^2, D = Lip d.

    From JJ' - J_0J_0' = (J - J_0)J_0' + J_0(J - J_0)' + (J - J_0)(J - J_0)', for K of the hidden layer alone.
    """
    change = jacobian_lipschitz(start, X) * distance
    return 2 * spectral(start.jacobian(X, "hidden")) * change + change**2


def kernel_rounding(net: TwoLayer, X: np.ndarray) -> np.ndarray:
    """How far the computed kernel of the hidden layer may be from the exact one, in the spectral norm.

    An entry sums m products of a few factors, (m + d + 32)u |J|_F^2 in all; and w . x is off by d u |w||x|, which
    moves the slopes like a displacement of d u |W|_F does, 2|J| Lip times that.
    """
    m, d = net.W.shape[-2:]
    J = norm(net.jacobian(X, "hidden"), axis=(-2, -1))
    moved = 2 * J * jacobian_lipschitz(net, X) * d * norm(net.W, axis=(-2, -1))
    return UNIT_ROUNDOFF * ((m + d + 32) * J**2 + 2 * moved)


@dataclasses.dataclass(frozen=True)
class LazyRadius:
    """What is known before training, from J_0 and r_0 alone.

    radius: 4|r_0|/s_0, with s_0 the least singular value of J_0; |W_t - W_0|_F stays below it for ever.
    laziness: Lip radius/(s_0/2), which has to be at most 1 for the theorem to apply; of order 1/sqrt(m).
    """

    radius: np.ndarray
    laziness: np.ndarray
    least: np.ndarray

    def residual_factor(self, eta: np.ndarray, steps: int) -> np.ndarray:
        """A bound on |r_t|/|r_0| after `steps` steps: (1 - (6/5) eta s_0^2/4)^(t/2)."""
        return (1 - 0.3 * np.asarray(eta) * self.least**2) ** (steps / 2)


def lazy_radius(start: TwoLayer, X: np.ndarray, y: np.ndarray) -> LazyRadius:
    """How far gradient descent on (1/2)|f(X) - y|^2 with eta |K_0| <= 1/3 can ever move the hidden weights.

    Theorem, for laziness <= 1. While |W - W_0|_F <= R = 4|r_0|/s_0, the singular values of J lie in
    [s_0/2, |J_0| + s_0/2]. A step g = J'r gives r+ = r - eta J^ g with J^ the mean Jacobian over the step,
    |J^ - J| <= Lip eta|g|/2, hence |r+|^2 <= |r|^2 - eta|g|^2 (2 - eta Lip|r| - eta|J^|^2). With eta|J_0|^2 <= 1/3
    the bracket is at least 2 - 1/24 - 3/4 > 6/5, so that |r+| <= |r| - (3/5) eta|g|^2/|r| <= |r| - (3/10) s_0 eta|g|.
    Summed, the path is no longer than (10/3)|r_0|/s_0, and one more step, at most |r|/(2 s_0), stays inside R. (After
    Oymak, Soltanolkotabi 2019, whose constant 4 is kept.)

    X (..., n, d), whose rows of zeros are padding and come last; y (..., n), 0 in the padding. Raises ValueError where
    K_0 is singular to working precision, since no radius exists.
    """
    values = np.linalg.svd(start.jacobian(X, "hidden"), compute_uv=False)
    rows = np.broadcast_to(X.any(-1).sum(-1), values.shape[:-1])
    least, largest = np.take_along_axis(values, rows[..., None] - 1, -1)[..., 0], values[..., 0]
    if np.any(least <= max(X.shape[-2:]) * UNIT_ROUNDOFF * largest):
        where = int(np.argmin(np.atleast_1d(least / largest)))
        raise ValueError(f"the kernel of instance {where} is singular at the start: its descent has no radius")
    radius = 4 * norm(start.predict(X) - y, axis=-1) / least
    return LazyRadius(radius, jacobian_lipschitz(start, X) * radius / (least / 2), least)


def linearization_gap(states: Iterable[TwoLayer], X: np.ndarray, y: np.ndarray, eta: float | np.ndarray) -> np.ndarray:
    """A bound on |r_t - r_t^lin| from the run alone, for gradient descent from the first of `states` to the last.

    r^lin follows the linearized network, r_{s+1}^lin = (I - eta K_0) r_s^lin. Since r_{s+1} = (I - eta K^_s) r_s with
    K^_s = J^_s J_s', J^_s the mean Jacobian over step s, and |I - eta K_0| <= 1 for eta|K_0| <= 2,

        |r_t - r_t^lin| <= eta sum_{s<t} [Lip (d_s + d_{s+1})/2 |J_s| + |J_0| Lip d_s] |r_s|,    d_s = |W_s - W_0|_F,

    as the distance from W_0 is convex along a step. One neuron attains it in the limit of a short time.

    states: all iterates in their order, W trained alone. eta: a number or (...).
    """
    states = iter(states)
    start = now = next(states)
    lip, first, total = jacobian_lipschitz(start, X), spectral(start.jacobian(X, "hidden")), 0.0
    for after in states:
        here, there = displacement(now, start), displacement(after, start)
        change = lip * (here + there) / 2 * spectral(now.jacobian(X, "hidden")) + first * lip * here
        total = total + np.asarray(eta) * change * norm(now.predict(X) - y, axis=-1)
        now = after
    return total
