"""The distance from YX^+ of a deep linear network that starts at alpha I: an exact split, and a modal oracle."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.precision import factorization, rounding
from fixtures.problems.interpolable import Interpolable
from properties.spectra.nuclear_norm import operator_norm

MATRIX = (-2, -1)


@dataclasses.dataclass(frozen=True)
class Split:
    """The distance of W = W_L ... W_1 from YX^+ in two orthogonal parts, for W_l that start at alpha I, at any time.

    Numbers or (B,), all in the unit of W. fitted = |(WX - Y)X^+|_F: the part on the data.
    unseen = alpha |W_L ... W_2 (I - P)|_F: the part off the data. The rows of the two parts are orthogonal, so exactly
    |W - YX^+|_F^2 = fitted^2 + unseen^2. rounding: how far the computed layers may be from this equation.
    ceiling: alpha |W_L ... W_2|_op, the norm per dimension off the data.
    """

    fitted: np.ndarray
    unseen: np.ndarray
    ceiling: np.ndarray
    rounding: np.ndarray

    @property
    def distance(self) -> np.ndarray:
        """|W - YX^+|_F, computed from the two parts."""
        return np.hypot(self.fitted, self.unseen)


def split_distance(
    layers: Sequence[np.ndarray], X: np.ndarray, Y: np.ndarray, alpha: float | np.ndarray, drift: np.ndarray
) -> Split:
    """The split of the distance to YX^+. `drift` is a bound on |W_1 (I - P) - alpha (I - P)|_F.

    The rounding of the split is the sum of three terms: drift times |W_L ... W_2|_F; the L products of size
    prod |W_l|_F, which are formed twice; and the decomposition of X in either of two oracles for least squares, of size
    cond(X) (|YX^+|_F + prod |W_l|_F).
    """
    depth, d = len(layers), X.shape[-2]
    inverse = np.linalg.pinv(X)
    later = end_to_end(layers[1:])
    off_data = np.eye(d) - X @ inverse
    sizes = np.prod([norm(layer, axis=MATRIX) for layer in layers], axis=0)
    least = norm(Y @ inverse, axis=MATRIX) + sizes
    return Split(
        fitted=norm((end_to_end(layers) @ X - Y) @ inverse, axis=MATRIX),
        unseen=alpha * norm(later @ off_data, axis=MATRIX),
        ceiling=alpha * operator_norm(later),
        rounding=norm(later, axis=MATRIX) * drift
        + rounding(2 * depth * d, sizes)
        + rounding(2 * factorization(*X.shape[-2:]), condition(X) * least),
    )


def condition(X: np.ndarray) -> np.ndarray:
    """The ratio of the largest to the least nonzero singular value of X (d, n). Zero columns are padding."""
    s = np.linalg.svd(X, compute_uv=False)
    zero = rounding(factorization(*X.shape[-2:]), s.max(-1, keepdims=True))
    return s.max(-1) / np.where(s > zero, s, np.inf).min(-1)


def null_drift(
    X: np.ndarray, Y: np.ndarray, alpha: float | np.ndarray, depth: int, eta: float | np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """A bound on how far rounding may move W_1 (I - P) from alpha (I - P) in `steps` steps of gradient descent.

    In exact arithmetic it does not move, because each gradient ends in X'. A step has one subtraction of size |W_1|_F.
    The product with X' leaves col(X) by n roundings and by the 80 d with which X was made from its factors, each of
    size cond(X) times the length of the step. The projection adds d roundings of size 1. While the loss falls, eta sum
    |g|^2 <= 2 L_0. This bounds the path: |W_1|_F <= alpha sqrt(d) + sqrt(2 eta t L_0), and the lengths of the steps add
    up to at most sqrt(2 eta t L_0).
    """
    d, n = X.shape[-2:]
    loss = norm(np.asarray(alpha)[..., None, None] ** depth * X - Y, axis=MATRIX) ** 2 / 2
    path_length = np.sqrt(2 * np.asarray(eta) * steps * loss)
    largest = np.asarray(alpha) * np.sqrt(d) + path_length
    return rounding(steps + 1, largest) + rounding(n + 80 * d, condition(X) * path_length) + rounding(d)


@dataclasses.dataclass(frozen=True)
class Modes:
    """Gradient descent from alpha I when S, XX' and the start commute: v (d,), the common eigenvalues of the layers.

    error: a bound on the distance of the computed W from basis diag(v^L) basis', in the Frobenius norm.
    """

    v: np.ndarray
    error: np.ndarray


def modes_of_descent(problem: Interpolable, depth: int, eta: np.ndarray, steps: np.ndarray) -> Modes:
    """Iterate v <- v - eta s^2 (v^L - lam) v^(L-1) in every mode; s = 0 in the modes that no sample shows.

    For a batch. Rounding, to first order in u: a layer goes through at most 4 L^2 d^2 + 120 d roundings in a step, the
    latter for factors of X and S that are known to 80 d u. L layers together have sqrt(L) times the size max(1,
    rho)^(2L-1) of one, where rho = max_j v_j. Only negative curvature amplifies this error: a step multiplies
    differences by at most 1 + eta (L-1) rho^(L-2) max_j s_j^2 |v_j^L - lam_j|. The reason is that the second derivative
    of the product in a direction Delta has nuclear norm at most (L-1) rho^(L-2) sum_l |Delta_l|_F^2.
    """
    d = problem.dimension
    s = np.zeros_like(problem.lam)
    s[..., : problem.s.shape[-1]] = problem.s
    v = np.broadcast_to(np.asarray(problem.alpha)[..., None], s.shape).copy()
    amplification, largest = np.ones(v.shape[:-1]), v.max(-1)
    for t in range(int(np.max(steps))):
        moving = t < steps
        slope = s**2 * (v**depth - problem.lam)
        growth = 1 + eta * (depth - 1) * v.max(-1) ** (depth - 2) * np.abs(slope).max(-1)
        amplification = np.where(moving, amplification * growth, amplification)
        v = np.where(moving[..., None], v - eta[..., None] * slope * v ** (depth - 1), v)
        largest = np.maximum(largest, v.max(-1))
    size = np.maximum(1, largest)
    local = rounding(4 * depth**2 * d**2 + 120 * d, np.sqrt(depth) * size ** (2 * depth - 1))
    return Modes(v=v, error=(steps + 1) * local * amplification * depth * size ** (depth - 1))
