"""The bounds of Theorem 7.1 (b): the growth of the parameters, and the distances to the least l2 and l1 norms."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential


def bounds_on_growth(
    depth: int, alpha: np.ndarray, p: np.ndarray, M: np.ndarray, m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of C4 on G, for M = min |w|_1 and m = min |w|_2, without cancellation at depth 2."""
    t = M / (2 * p * alpha**2)
    lower = t**2 / (1 + np.hypot(1, t)) if depth == 2 else M ** (2 / depth) / (2 * p * alpha**2) - 1
    return lower, m**2 / (4 * depth * p * alpha ** (2 * depth))


def stretch(potential: DiagonalPotential, z: np.ndarray) -> np.ndarray:
    """Rho of C5: the largest w_i/z_i divided by its least possible value, 1/Q''(0), (B,); 1 where z = 0."""
    ratio = np.divide(potential.to_primal(z), z, out=np.zeros_like(z), where=z != 0) / potential.slope(0 * z)
    return np.maximum(ratio.max(-1), 1)


def most_l1(depth: int, alpha: np.ndarray, p: np.ndarray, N: np.ndarray, M: np.ndarray) -> np.ndarray:
    """The bound on N = |w|_1 of C6. Proof: <z, w> = <z, u> <= M max|z| for the u of least l1 norm.

    D = 2: |z| <= arsinh(N/(2 alpha^2)) <= ln(1 + N/alpha^2), and <z, w> >= sum |w_i| ln(|w_i|/alpha^2) >= N ln(N/(p
    alpha^2)). D > 2: max|z| < 1, and |w_i|/alpha^D <= (1 - |z_i|)^{-D/(D-2)}, so that N - <z, w> is at most
    alpha^{D-2} sum |w_i|^{2/D}.
    """
    if depth == 2:
        return M * (1 + np.log(p * (1 + alpha**2 / N)) / np.log(N / (p * alpha**2)))
    return M + alpha ** (depth - 2) * p ** (1 - 2 / depth) * N ** (2 / depth)


def relative_kernel_change(X: np.ndarray, depth: int, alpha: float, z: np.ndarray) -> float:
    """|K - K_0|_F/|K_0|_F of the network whose dual point is z."""
    return norm((X * DiagonalPotential(depth, alpha).kernel_change(z)) @ X.T) / norm(X @ X.T)
