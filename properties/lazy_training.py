"""Lazy training: bounds on the change of Jacobian, kernel, residual and path, in terms of the movement of the weights.

Setting: f(x) = scale * sum_j a_j s(w_j . x) with a smooth s, |s'| <= S and |s''| <= L. The Jacobian J of f(X) turns by
at most C times the distance in weights. C (`turning_rate`) is of order 1/sqrt(m) for scale 1/sqrt(m). All other bounds
of this module follow from this one. They are deterministic: each inequality holds for every network, at every width.

Notation: loss (1/2)|f(X) - y|^2, residual r = f(X) - y, K = JJ', d_t = |theta_t - theta_0|. Norms of matrices are
spectral unless marked F.

Sources of such bounds: Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming; Oymak,
Soltanolkotabi (2019), Overparameterized Nonlinear Learning: Gradient Descent Takes the Shortest Path?
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import rounding

LAZY_STEP = 1 / 3
"""The largest eta |K_0| for which `lazy_radius` is proved."""


def spectral(matrix: np.ndarray) -> np.ndarray:
    """The largest singular value of each matrix (..., n, k), shape (...)."""
    return norm(matrix, 2, axis=(-2, -1))


def turning_rate(start: TwoLayer, X: np.ndarray, train: str = "both") -> np.ndarray:
    """A constant C with |J(theta) - J(theta_0)| <= C |theta - theta_0| for every theta, shape (...,).

    C = scale |X| q, with r = L max_i |x_i| max_j |a_j| at the start. q = r where only the hidden weights are trained.
    q = (r + sqrt(r^2 + 4 S^2))/2, the norm of [[S, r], [0, S]], where both layers are trained. X (..., n, d): in these
    formulas X stands for the inputs that the network makes of it (`start.inputs`). Rows of zeros are the padding of a
    batch and have no effect. For the hidden layer alone, C is a Lipschitz constant of J between any two points, also in
    the Frobenius norm.

    Proof: neuron j turns the hidden block by scale diag_i(g_ij) X with |g_ij| <= S |da_j| + |a_j| L |x_i| |dw_j|. So
    the hidden block turns by at most scale |X| (S |da| + r |dW|), and the output block by at most scale S |X| |dW|. For
    the hidden layer alone |g_ij| <= |a_j| L |dw_j . x_i|, and the sum over i, j of (dw_j . x_i)^2 |x_i|^2 is at most
    max |x_i|^2 |X|^2 |dW|^2.

    Raises ValueError for an activation whose slope jumps, because then the Jacobian jumps too.
    """
    s = start.nonlinearity
    if not np.isfinite(s.curvature):
        raise ValueError(f"the slope of {s.name} jumps, and the Jacobian with it")
    X, steepest = start.inputs(X), float(s.slope(np.zeros(())))
    r = s.curvature * norm(X, axis=-1).max(-1) * np.abs(start.a).max(-1)
    q = r if train == "hidden" else (r + np.sqrt(r**2 + 4 * steepest**2)) / 2
    return np.asarray(start.scale) * spectral(X) * q


def displacement(net: TwoLayer, start: TwoLayer) -> np.ndarray:
    """|W - W_0|_F, shape (...)."""
    return norm(net.W - start.W, axis=(-2, -1))


def kernel_drift(start: TwoLayer, X: np.ndarray, moved: np.ndarray, train: str = "both") -> np.ndarray:
    """A bound on |K - K_0| for every network within `moved` of `start` in the trained weights: 2 |J_0| C d + (C d)^2.

    moved: (...,), or with an axis of time before it. Proof: JJ' - J_0 J_0' is the sum of (J - J_0)J_0', its transpose,
    and (J - J_0)(J - J_0)'.
    """
    change = turning_rate(start, X, train) * moved
    return 2 * spectral(start.jacobian(X, train)) * change + change**2


def kernel_rounding(net: TwoLayer, X: np.ndarray, train: str = "hidden") -> np.ndarray:
    """A bound on the error of the computed kernel of the trained layers, in the spectral norm.

    An entry sums m products of a few factors, whose d products and activations round too: m + d + 32 roundings of size
    |J|_F^2. In addition, w . x goes through d roundings of size |w||x|. This moves the slopes as a displacement of
    that size of |W|_F does, which changes the kernel by 2|J| C times that.
    """
    m, d = net.W.shape[-2:]
    J = norm(net.jacobian(X, train), axis=(-2, -1))
    moved = 2 * J * turning_rate(net, X, train) * norm(net.W, axis=(-2, -1))
    return rounding(m + d + 32, J**2) + rounding(d, moved)


@dataclasses.dataclass(frozen=True)
class LazyRadius:
    """What is known before training, from J_0 and r_0 alone.

    radius: 4|r_0|/s_0, where s_0 is the least singular value of J_0. |theta_t - theta_0| stays below it at all times.
    laziness: C radius/(s_0/2). The theorem of `lazy_radius` applies if it is at most 1. It is of order 1/sqrt(m) in the
    NTK parameterization, because f_0 and y are of order 1.
    least: s_0.
    """

    radius: np.ndarray
    laziness: np.ndarray
    least: np.ndarray

    def residual_factor(self, eta: np.ndarray, steps: int) -> np.ndarray:
        """A bound on |r_t|/|r_0| after `steps` steps: (1 - (6/5) eta s_0^2/4)^(t/2)."""
        return (1 - 0.3 * np.asarray(eta) * self.least**2) ** (steps / 2)


def lazy_radius(start: TwoLayer, X: np.ndarray, y: np.ndarray, train: str = "hidden") -> LazyRadius:
    """A bound on the movement of the trained weights in gradient descent on (1/2)|f(X) - y|^2 with eta |K_0| <= 1/3.

    Theorem: if laziness <= 1, then |theta_t - theta_0| <= R = 4|r_0|/s_0 at all times. Laziness uses a turning rate C
    that holds at every theta within R of the start; where both layers are trained, max|a_j| grows by at most R.

    Proof: while |theta - theta_0| <= R, the singular values of J lie in [s_0/2, |J_0| + s_0/2]. A step along g = J'r
    gives r+ = r - eta J^ g, where J^ is the mean Jacobian over the step and |J^ - J| <= C eta|g|/2. Hence
    |r+|^2 <= |r|^2 - eta|g|^2 (2 - eta C|r| - eta|J^|^2). With eta|J_0|^2 <= 1/3 the bracket is at least
    2 - 1/24 - 3/4 > 6/5, so |r+| <= |r| - (3/5) eta|g|^2/|r| <= |r| - (3/10) s_0 eta|g|. Summed over the steps, the
    path is no longer than (10/3)|r_0|/s_0. One more step is at most |r|/(2 s_0) long and stays inside R. (After Oymak,
    Soltanolkotabi 2019, whose constant 4 is kept.)

    X (..., n, d): rows of zeros are padding and come last. y (..., n): 0 in the padding. Raises ValueError where K_0 is
    singular to working precision, because then no radius exists.
    """
    J = start.jacobian(X, train)
    values = np.linalg.svd(J, compute_uv=False)
    missing = max(0, J.shape[-2] - J.shape[-1])  # the kernel has the eigenvalue 0 if there are fewer weights than rows
    values = np.concatenate([values, np.zeros((*values.shape[:-1], missing))], axis=-1)
    rows = np.broadcast_to(X.any(-1).sum(-1), values.shape[:-1])
    least, largest = np.take_along_axis(values, rows[..., None] - 1, -1)[..., 0], values[..., 0]
    if np.any(least <= rounding(max(X.shape[-2:]), largest)):
        where = int(np.argmin(np.atleast_1d(least / largest)))
        raise ValueError(f"the kernel of instance {where} is singular at the start: its descent has no radius")
    radius = 4 * norm(start.predict(X) - y, axis=-1) / least
    reached = np.abs(start.a) + (train == "both") * radius[..., None]
    rate = turning_rate(dataclasses.replace(start, a=reached), X, train)
    return LazyRadius(radius, rate * radius / (least / 2), least)


def linearization_gap(states: Iterable[TwoLayer], X: np.ndarray, y: np.ndarray, eta: float | np.ndarray) -> np.ndarray:
    """A bound on |r_t - r_t^lin| from the run alone, for gradient descent from the first of `states` to the last.

    r^lin is the residual of the linearized network: r_{s+1}^lin = (I - eta K_0) r_s^lin. For the network itself,
    r_{s+1} = (I - eta K^_s) r_s with K^_s = J^_s J_s', where J^_s is the mean Jacobian over step s. Since
    |I - eta K_0| <= 1 for eta|K_0| <= 2,

        |r_t - r_t^lin| <= eta sum_{s<t} [C (d_s + d_{s+1})/2 |J_s| + |J_0| C d_s] |r_s|,    d_s = |W_s - W_0|_F.

    This uses that the distance from W_0 is convex along a step. One neuron attains the bound in the limit of a short
    time.

    states: all iterates in their order, with W trained alone. eta: a number or (...).
    """
    states = list(states)
    moved = np.stack([displacement(net, states[0]) for net in states])
    sizes = np.stack([spectral(net.jacobian(X, "hidden")) for net in states])
    misfit = np.stack([norm(net.predict(X) - y, axis=-1) for net in states])
    return linearization_sum(turning_rate(states[0], X, "hidden"), eta, moved, sizes, misfit)


def linearization_sum(
    rate: float | np.ndarray, eta: float | np.ndarray, moved: np.ndarray, sizes: np.ndarray, misfit: np.ndarray
) -> np.ndarray:
    """The sum of `linearization_gap`, for any network whose Jacobian turns at most at the given rate, shape (...).

    moved, sizes, misfit (T + 1, ...): d_s, |J_s| and |r_s|.
    """
    terms = (moved[:-1] + moved[1:]) / 2 * sizes[:-1] + moved[:-1] * sizes[0]
    return np.asarray(eta) * rate * np.sum(terms * misfit[:-1], axis=0)


def movement_error(
    rate: np.ndarray, least_singular_value: np.ndarray, eta: np.ndarray, moved: np.ndarray, misfit: np.ndarray
) -> np.ndarray:
    """A bound on the difference of |theta_t - theta_0| and sqrt(v' K_0^-1 v), v = f_t - f_0, at t = 0, ..., T.

    Shape (T + 1, ...). It is C (d_t^2/(2 sigma) + eta sum_{s < t} d_s |r_s|) for gradient descent on (1/2)|r|^2, where
    sigma is the least singular value of J_0. moved, misfit (T + 1, ...): d_t = |theta_t - theta_0| and |r_t|. Proof:
    v = J_0 D + e for the displacement D, with |e| <= C d^2/2 (mean value theorem). The part of D off row(J_0) is a sum
    of terms eta (J_s - J_0)' r_s.
    """
    return rate * (moved**2 / (2 * least_singular_value) + _before(eta * moved * misfit))


def path_error(
    rate: np.ndarray,
    least_singular_value: np.ndarray,
    eta: np.ndarray,
    moved: np.ndarray,
    lengths: np.ndarray,
    misfit: np.ndarray,
) -> np.ndarray:
    """A bound on the distance of theta_t from the weights of the linearized network, t = 0, ..., T, shape (T + 1, ...).

    It is C (sum_{s < t - 1} (d_s + d_{s+1}) l_s/(2 sigma) + eta sum_{s < t} d_s |r_s|) for gradient descent on
    (1/2)|r|^2 with eta <= 1/|K_0|. sigma: the least singular value of J_0. moved, misfit (T + 1, ...): as in
    `movement_error`. lengths (T, ...): l_s = |theta_{s+1} - theta_s|. The bound is zero at t = 1. Both sums converge
    with the run, so the bound is useful at any time: where `lazy_radius` applies, it is at most (5/2) C
    radius^2/sigma = (5/4) laziness radius.

    Proof: write f_s = f_0 + J_0 (theta_s - theta_0) + e_s. The difference D obeys D <- (I - eta J_0'J_0) D - eta J_0'
    e_s - eta (J_s - J_0)' r_s. The e_s change by at most C (d_s + d_{s+1}) l_s/2 in a step (mean value theorem). q
    steps after such a change, its effects have added up to J_0^+ (I - (I - eta K_0)^q) times the change, and this
    operator has norm at most 1/sigma. The last remark follows from d <= radius, a path no longer than
    (10/3)|r_0|/sigma, and eta sum |r_s| <= |r_0|/(0.15 sigma^2).
    """
    turns = (moved[1:] + moved[:-1]) / 2 * lengths / least_singular_value
    waited = np.concatenate([np.zeros_like(moved[:1]), _before(turns)])
    return rate * (waited + _before(eta * moved * misfit))


def _before(terms: np.ndarray) -> np.ndarray:
    """The sums over s < t of terms (T + 1, ...)."""
    return np.cumsum(terms, axis=0) - terms
