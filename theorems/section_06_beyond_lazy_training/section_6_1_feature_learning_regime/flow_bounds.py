"""Two bounds of gradient flow on linear networks f = XW'a, and how far the steps of descent may violate them."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from properties.lazy_training import spectral
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import Run


def charge_of_steps(
    run: Run, X: np.ndarray, y: np.ndarray, eta: float | np.ndarray, s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far descent may violate the two bounds of the flow, because its steps have a length: rho and e, (B,).

    First bound, s |theta_T - theta_0| (1 - rho) <= |r_0| - |r_T|. A step changes the residual r by -eta K r +
    eta^2 X dW'da. With |grad| >= s |r|, a step of length l satisfies l s (1 - eta |K|/2 - s_1 l/(2s)) <= |r_t| -
    |r_{t+1}|, and rho is an upper bound on what is subtracted from 1 in any step.

    Second bound, |W'a|^2 <= `growth_allowed` + e. A step changes Delta = WW' - aa' by eta^2 (|g|^2 aa' - Wgg'W'), where
    g = X'(y - f). This adds at most A_T sum eta^2 |g|^2 A to a'Delta a. The product of the matrices I + eta [[0, g],
    [g', 0]] stands for the Lorentz matrix of the flow. In a = gamma a_0 + W_0 lambda the product gives |lambda|^2 =
    gamma^2 - 1 + L, and L adds at most A_0 |W_0|^2 L.
    """
    top = np.max([spectral(at.kernel(X)) for at in run.networks], axis=0)
    rho = eta * top / 2 + norm(X, 2, axis=(-2, -1)) * run.lengths.max(0) / (2 * s)
    A, d, eta = [np.square(at.a).sum(-1) for at in run.networks], X.shape[-1], np.asarray(eta)[..., None]
    moved, drift = np.broadcast_to(np.eye(d + 1), (len(A[0]), d + 1, d + 1)), 0.0
    for at, size in zip(run.networks, A[:-1], strict=False):
        boost, pull = np.zeros(moved.shape), eta * np.vecmat(y - at.predict(X), X)
        boost[:, :d, d] = boost[:, d, :d] = pull
        moved, drift = moved + moved @ boost, drift + np.square(pull).sum(-1) * size
    loss = np.square(moved[:, :d, d]).sum(-1) - moved[:, d, d] ** 2 + 1
    return rho, A[-1] * drift + A[0] * spectral(run.networks[0].W) ** 2 * np.maximum(loss, 0)


def growth_allowed(A_0: np.ndarray, A_T: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The largest |W'a|^2 under the flow, from A = |a|^2 at the start and at the end and from w = |W_0|."""
    return (A_T - A_0) * (A_T + w**2)
