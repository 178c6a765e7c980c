"""How far the Jacobian and the tangent kernel of a two-layer network can turn while its weights move a given distance.

f(x) = scale * sum_j a_j s(w_j . x) with a smooth s: |s'| <= S, |s''| <= L. Every bound is deterministic, for one
network at a time (a batch has leading axes), in spectral norms. Sources of the kind: Chizat, Oyallon, Bach (2019), On
Lazy Training in Differentiable Programming; Oymak, Soltanolkotabi (2019), Overparameterized Nonlinear Learning.
"""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer


def turning_rate(start: TwoLayer, X: np.ndarray, train: str = "both") -> np.ndarray:
    """A constant C with |J(theta) - J(theta_0)| <= C |theta - theta_0| for every theta, shape (...,).

    C = scale |X| q, with r = L max_i |x_i| max_j |a_j| at the start: q = r where only the hidden weights are trained,
    and (r + sqrt(r^2 + 4 S^2))/2, the norm of [[S, r], [0, S]], where both layers are. For X (..., n, d). For the
    hidden layer alone C is a Lipschitz constant of J between any two points.

    Proof: neuron j turns the hidden block by scale diag_i(g_ij) X with |g_ij| <= S |da_j| + |a_j| L |x_i| |dw_j|, so
    the block by at most scale |X| (S |da| + r |dW|), and the output block by at most scale S |X| |dW|.

    Raises ValueError for an activation whose slope jumps: its Jacobian does too.
    """
    s = start.nonlinearity
    if not np.isfinite(s.curvature):
        raise ValueError(f"the slope of {s.name} jumps, and the Jacobian with it")
    steepest = float(s.slope(np.zeros(())))
    r = s.curvature * norm(X, axis=-1).max(-1) * np.abs(start.a).max(-1)
    q = r if train == "hidden" else (r + np.sqrt(r**2 + 4 * steepest**2)) / 2
    return np.asarray(start.scale) * norm(X, 2, axis=(-2, -1)) * q


def kernel_drift(rate: np.ndarray, J_norm: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """A bound on |K - K_0| = |JJ' - J_0 J_0'| after moving: 2 |J_0| C d + (C d)^2, for a turning rate C."""
    return (2 * J_norm + rate * moved) * rate * moved


def movement_error(
    rate: np.ndarray, least_singular_value: np.ndarray, eta: np.ndarray, moved: np.ndarray, misfit: np.ndarray
) -> np.ndarray:
    """How far |theta_t - theta_0| may be from sqrt(v' K_0^-1 v), v = f_t - f_0, at t = 0, ..., T, shape (T + 1, ...).

    C (d_t^2/(2 sigma) + eta sum_{s < t} d_s |r_s|) for gradient descent on (1/2)|r|^2; sigma: the least singular value
    of J_0. moved, misfit (T + 1, ...): d_t = |theta_t - theta_0| and |r_t|. Proof: v = J_0 D + e for the displacement
    D, |e| <= C d^2/2 (mean value), and the part of D off row(J_0) is a sum of eta (J_s - J_0)' r_s.
    """
    return rate * (moved**2 / (2 * least_singular_value) + _before(eta * moved * misfit))


def path_error(
    rate: np.ndarray, J_norm: np.ndarray, eta: np.ndarray, moved: np.ndarray, misfit: np.ndarray
) -> np.ndarray:
    """How far theta_t may be from the weights of the linearized network at t = 0, ..., T, shape (T + 1, ...).

    eta C sum_{s < t} d_s (|J_0| d_s/2 + |r_s|), for gradient descent on (1/2)|r|^2 with eta <= 2/|K_0|: zero at t = 1.
    Proof: the difference D obeys D <- (I - eta J_0'J_0) D - eta J_0' e_s - eta (J_s - J_0)' r_s, |e_s| <= C d_s^2/2.
    """
    return rate * _before(eta * moved * (J_norm * moved / 2 + misfit))


def _before(terms: np.ndarray) -> np.ndarray:
    """The sums over s < t of terms (T + 1, ...)."""
    return np.cumsum(terms, axis=0) - terms


def movement_ahead(least_singular_value: np.ndarray, misfit: np.ndarray) -> np.ndarray:
    """A bound on |theta_t - theta_0| for all t, known before training: (17/4) |r_0| / sigma.

    For gradient descent on (1/2)|r|^2 over weights in which C is a Lipschitz constant of J, under 9 C |r_0| <= sigma^2
    and eta <= 4/(9 |J_0|^2). Proof: within the radius R = (17/4)|r_0|/sigma, C R <= sigma/2, so that the singular
    values of J lie between sigma/2 and (3/2)|J_0| and eta |J|^2 <= 1. With g = |J'r|, |(I - eta JJ')r| <= |r| -
    eta g^2/(2|r|), and the turn of J along a step adds at most eta^2 C g^2/2; since eta C |r_0| <= 4/81, the residual
    falls by at least (77/162) eta g^2/|r| in a step of length eta g, g >= sigma |r|/2. So d <= (324/77) |r_0|/sigma,
    which is less than R: no step leaves the ball.
    """
    return 17 / 4 * misfit / least_singular_value
