"""The largest margin of signed vectors or matrices in seven norms, enclosed by a primal and a dual point.

gamma* = max_{|W| <= 1} min_i <Z_i, W> = min_{q in simplex} |sum_i q_i Z_i|_* by the minimax theorem. Any W gives a
lower bound, any q an upper one. No solver's status is believed: a bad point gives a wide enclosure, never a false one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from fixtures.entries import in_float64
from fixtures.precision import factorization, rounding
from properties.oracles import (
    OracleError,
    largest_l1_margin,
    largest_max_norm_margin,
    largest_schatten_margin,
    nearest_point_of_hull,
)

Array = np.ndarray


@dataclasses.dataclass(frozen=True)
class Norm:
    """A norm of vectors (p,) or matrices (k, p), with its dual, both of arrays with a leading axis B.

    maximize: a function of points (B, n, *shape) that returns a W (B, *shape) of large margin and weights q (B, n) of
    the dual, both of any positive scale.
    """

    name: str
    of: Callable[[Array], Array]
    dual: Callable[[Array], Array]
    maximize: Callable[[Array], tuple[Array, Array]]


@dataclasses.dataclass(frozen=True)
class LargestMargins:
    """W (B, *shape), a point of large margin, and lower, upper (B,): bounds of the largest margin over |W| <= 1."""

    W: Array
    lower: Array
    upper: Array


def margin(Z: Array, W: Array) -> Array:
    """min_i <Z_i, W>, (B,), of points Z (B, n, *shape) and weights W (B, *shape)."""
    return np.matvec(_flat(Z, 2), _flat(W, 1)).min(-1)


def largest_margins(norm: Norm, Z: Array) -> LargestMargins:
    """The largest margins of points Z (B, n, *shape) in a norm, with their own rounding inside the bounds.

    The points are divided by a power of two first, because the tolerances of the solvers are absolute. The rounding of
    a norm of m entries: m for a sum, a decomposition for singular values. Those of an inner product and of the sum of n
    points are m and 2n, and |E|_* <= m max|E|. Raises OracleError where a solver has no point, and where it returns
    W = 0, as for points that are not separable.
    """
    Z = in_float64(Z, "points")
    unit = np.exp2(np.floor(np.log2(np.abs(Z).max())))
    W, q = norm.maximize(Z / unit)
    if not norm.of(W).all():
        raise OracleError(f"the largest {norm.name} margin has no direction: the points are not separable")
    W = W / norm.of(W)[_broadcast(W)]
    entries, (count, n) = W[0].size, Z.shape[:2]
    steps = entries + min(W.shape[1:]) * factorization(*W.shape[1:])
    largest = entries * np.abs(Z).reshape(count, -1).max(1)
    pull = np.vecmat(q / q.sum(1, keepdims=True), _flat(Z, 2)).reshape(W.shape)
    return LargestMargins(
        W=W,
        lower=margin(Z, W) - rounding(steps + entries, largest),
        upper=norm.dual(pull) + rounding(steps + 2 * n, largest),
    )


def _flat(array: Array, leading: int) -> Array:
    return array.reshape(*array.shape[:leading], -1)


def _broadcast(W: Array) -> tuple:
    return (slice(None), *(None,) * (W.ndim - 1))


def _l1(W: Array) -> Array:
    return np.abs(_flat(W, 1)).sum(1)


def _l2(W: Array) -> Array:
    return np.linalg.norm(_flat(W, 1), axis=1)


def _maximum(W: Array) -> Array:
    return np.abs(_flat(W, 1)).max(1)


def _spectral(W: Array) -> Array:
    return np.linalg.norm(W, 2, axis=(-2, -1))


def _nuclear(W: Array) -> Array:
    return np.linalg.norm(W, "nuc", axis=(-2, -1))


def _in_l2(Z: Array) -> tuple[Array, Array]:
    flat = _flat(Z, 2)
    q = nearest_point_of_hull(flat)
    return np.vecmat(q, flat).reshape(len(Z), *Z.shape[2:]), q


def _in_maximum(Z: Array) -> tuple[Array, Array]:
    w, q = largest_max_norm_margin(_flat(Z, 2))
    return w.reshape(len(Z), *Z.shape[2:]), q


def _in_l1(Z: Array) -> tuple[Array, Array]:
    w, q = largest_l1_margin(_flat(Z, 2))
    return w.reshape(len(Z), *Z.shape[2:]), q


NORMS = {
    norm.name: norm
    for norm in (
        Norm("l1", _l1, _maximum, _in_l1),
        Norm("l2", _l2, _l2, _in_l2),
        Norm("l-infinity", _maximum, _l1, _in_maximum),
        Norm("max", _maximum, _l1, _in_maximum),
        Norm("Frobenius", _l2, _l2, _in_l2),
        Norm("spectral", _spectral, _nuclear, lambda Z: largest_schatten_margin(Z, np.inf)),
        Norm("nuclear", _nuclear, _spectral, lambda Z: largest_schatten_margin(Z, 1)),
    )
}
"""The norms by name: three of vectors and, from `max` on, four of matrices."""
