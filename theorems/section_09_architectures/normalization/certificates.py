"""Rounding error of the loss and gradient of a normalized network: bounds with their derivation."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from theorems.section_09_architectures.normalization.model import reference
from theorems.section_09_architectures.normalization.problems import NormalizedProblem


def feature_rounding(kind: str, problem: NormalizedProblem, W: np.ndarray, eps: float | np.ndarray = 0.0) -> np.ndarray:
    """A bound on the error of each computed entry of zhat, (B,), to first order in u.

    c: the number of values that are standardized together. kappa = max |x||w_j|/s: the cancellation in z - mean. z has
    p operations on kappa s, the centered z has 2p + c + 3. s is off by the same amount, and has c + 3 operations on s
    more. zhat has size sqrt(c), so that the scale is (1 + sqrt(c)) kappa. Weight normalization has no cancellation:
    2p + 6 operations on max |x|.
    """
    lengths, p = norm(problem.X, axis=-1)[:, :, None], problem.X.shape[-1]
    if kind == "weight":
        return rounding(2 * p + 6, lengths.max((-2, -1)))
    count = problem.X.shape[-2] if kind == "batch" else W.shape[-2]
    s = reference(kind, problem, W, eps).s
    kappa = np.maximum(lengths * norm(W, axis=-1)[:, None, :] / s, 1).max((-2, -1))
    return rounding(2 * p + 2 * count + 7, (1 + np.sqrt(count)) * kappa)


def gradient_rounding(
    kind: str, problem: NormalizedProblem, W: np.ndarray, eps: float | np.ndarray = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds on the errors of a computed loss and of its gradient in W (Frobenius norm): two (B,), to first order in u.

    Notation: E is the error of zhat, tanh and its two derivatives are below 1, c values are standardized together,
    A = sum |a_j|, R = max |r|. A residual is off by F = A E and m + 4 operations on A, the loss by R F and n + 4
    operations on R^2. dL/dzhat has norm U = |a|R/sqrt(n) and is off by dU = |a|(F + R E)/sqrt(n), with six operations
    on R in the bracket. Its pullback through the normalization is at most U/s, and is off by (2 dU + 4 U E)/s, with
    2c + 8 operations on U/s. The sum over samples multiplies this by |X|, and has 2(n + 1) operations more.
    """
    n, p = problem.X.shape[-2:]
    m = W.shape[-2]
    at = reference(kind, problem, W, eps)
    count, E = {"batch": n, "layer": m, "weight": p}[kind], feature_rounding(kind, problem, W, eps)
    A, length = np.abs(problem.a).sum(-1), norm(problem.a, axis=-1)
    R = A + np.abs(problem.y).max(-1)
    F = A * E + rounding(m + 4, A)
    U, dU = length * R / np.sqrt(n), length * (F + R * E + rounding(6, R)) / np.sqrt(n)
    pulled = 2 * dU + U * 4 * E + rounding(2 * count + 2 * n + 10, U)
    return R * F + rounding(n + 4, R**2), norm(problem.X, axis=(-2, -1)) * pulled / at.s.min((-2, -1))


def radial_rounding(kind: str, problem: NormalizedProblem, W: np.ndarray, eps: float | np.ndarray = 0.0) -> np.ndarray:
    """A bound on the errors of a computed <W, g> and of a computed eps/s^2 <zhat, dL/dzhat>: (B,).

    It is |W| times the error of g, plus the rounding of the product, mp operations on |W||g|. For the second quantity:
    |z - mean| <= |X||W|, so at eps = 0 sqrt(nm) = |zhat| is at most |X||W|/s. With the larger of the two in place of
    |W|, the bound covers the second quantity as well.
    """
    at, (_, dg) = reference(kind, problem, W, eps), gradient_rounding(kind, problem, W, eps)
    size = norm(W, axis=(-2, -1))
    spread = np.sqrt(np.prod(at.zhat.shape[1:])) * at.s.max((-2, -1)) / norm(problem.X, axis=(-2, -1))
    product = rounding(np.prod(W.shape[1:]), size * norm(at.gradient, axis=(-2, -1)))
    return 2 * np.maximum(size, spread) * dg + product
