"""The minimum of a quadratic over a norm ball of matrices, and a bound on the distance from it.

The loss is L(W) = (1/2) tr (W - A) H (W - A)' for W (k, d), with H (d, d) symmetric and its least eigenvalue mu > 0. A
ball is {W : N(W) <= radius} for one of three norms N, named by NORMS: the largest entry, the spectral norm and the
Frobenius norm. All functions take one problem or a batch with leading axes.
"""

from __future__ import annotations

import numpy as np

from fixtures.entries import in_float64

NORMS = ("l-infinity", "spectral", "l2")


def ball_norm(W: np.ndarray, norm: str) -> np.ndarray:
    """The largest |entry|, the largest singular value, or the Frobenius norm of W; shape () or (...)."""
    if norm == "l-infinity":
        return np.abs(W).max((-2, -1))
    return np.linalg.norm(W, 2 if norm == "spectral" else "fro", axis=(-2, -1))


def dual_norm(G: np.ndarray, norm: str) -> np.ndarray:
    """Max <G, W> over N(W) <= 1: the sum of |entries|, the nuclear norm, or the Frobenius norm."""
    if norm == "l-infinity":
        return np.abs(G).sum((-2, -1))
    return np.linalg.norm(G, "nuc" if norm == "spectral" else "fro", axis=(-2, -1))


def project(W: np.ndarray, radius: float, norm: str) -> np.ndarray:
    """The nearest point of the ball in the Frobenius norm: clipped entries, clipped singular values, or scaled."""
    if norm == "l-infinity":
        return np.clip(W, -radius, radius)
    if norm == "spectral":
        left, s, right = np.linalg.svd(W, full_matrices=False)
        return (left * np.minimum(s, radius)[..., None, :]) @ right
    return W * (radius / np.maximum(ball_norm(W, norm), radius))[..., None, None]


def minimum_in_ball(A: np.ndarray, H: np.ndarray, radius: float, norm: str) -> tuple[np.ndarray, np.ndarray]:
    """The minimum over the ball, and a bound on its distance from the true one, both as `distance_bound` has it.

    Projected gradient descent with the step 1/|H| contracts by 1 - mu/|H|; it takes as many steps as bring 1 below
    the unit roundoff. Nothing rests on this: the bound is computed at the point that is returned.
    """
    A, H = in_float64(A, "entries"), in_float64(H, "entries")
    h = np.linalg.eigvalsh(H)
    step = 1 / h[..., -1]
    count = int(np.ceil(37 / (h[..., 0] * step).min()))
    W = project(A, radius, norm)
    for _ in range(count):
        W = project(W - step[..., None, None] * ((W - A) @ H), radius, norm)
    return W, distance_bound(W, A, H, radius, norm)


def distance_bound(W: np.ndarray, A: np.ndarray, H: np.ndarray, radius: float, norm: str) -> np.ndarray:
    """A bound on the Frobenius distance of W, scaled into the ball, from the minimum W* over the ball.

    With G = (W - A)H and the dual norm N', gap = <G, W> + radius N'(G) = max <G, W - Z> over the ball. As <G*, W - W*>
    >= 0 at W*, mu |W - W*|^2 <= <G - G*, W - W*> <= gap, so that |W - W*| <= sqrt(gap/mu).
    What W is scaled by is added. A gap has the rounding of its kd terms, by which the bound may be too
    small: of the order sqrt(kd u |G||W|/mu).
    """
    inside = W * (radius / np.maximum(ball_norm(W, norm), radius))[..., None, None]
    G = (inside - A) @ H
    gap = (G * inside).sum((-2, -1)) + radius * dual_norm(G, norm)
    moved = np.linalg.norm(W - inside, axis=(-2, -1))
    return moved + np.sqrt(np.maximum(gap, 0) / np.linalg.eigvalsh(H)[..., 0])


def ridge_map(A: np.ndarray, H: np.ndarray, penalty: float) -> np.ndarray:
    """The minimum of L(W) + (penalty/2)|W|_F^2, W = AH (H + penalty I)^-1, by LAPACK's solver."""
    A, H = in_float64(A, "entries"), in_float64(H, "entries")
    return np.linalg.solve(H + penalty * np.eye(H.shape[-1]), (A @ H).mT).mT
