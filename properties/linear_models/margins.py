"""The margin of a classifier that was trained by steepest descent, and certificates that do not need the best margin.

Notation: z_i are the signed points. The margin of w is min_i z_i . w; its normalized margin is margin / |w|. The
largest normalized margin is gamma* = max_{|w| <= 1} min_i z_i . w = min_{q in simplex} |Z'q|_* (minimax theorem). The
norm is l1 or l2, and |.|_* is its dual norm.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from fixtures.dynamics.steepest_descent import MarginLoss, Steepest
from fixtures.entries import in_float64
from fixtures.precision import rounding
from fixtures.problems.separable import Separable
from properties.oracles import largest_l1_margin, nearest_point_of_hull

Order = Literal[1, 2]
Array = np.ndarray


def dual_norm(vector: Array, order: Order) -> Array:
    """The norm dual to l1 or l2 along the last axis: the maximum norm for l1, and l2 for l2."""
    return np.linalg.norm(vector, np.inf if order == 1 else 2, axis=-1)


def margin(problem: Separable, w: Array) -> Array:
    """min_i z_i . w over the rows that are present."""
    return np.where(problem.present, np.matvec(problem.Z, w), np.inf).min(-1)


def normalized_margin(problem: Separable, w: Array, order: Order) -> Array:
    """min_i z_i . w / |w|; undefined at w = 0."""
    return margin(problem, w) / np.linalg.norm(w, order, axis=-1)


def radius(problem: Separable, order: Order) -> Array:
    """R = max_i |z_i|_*. So |z_i . u| <= R for every unit step u."""
    return dual_norm(problem.Z, order).max(-1)


def cost_of_steps(problem: Separable, run: Steepest, order: Order) -> Array:
    """R^2 sum e_t^2 / 2: what the margin bound of a run loses because its steps are finite."""
    return radius(problem, order) ** 2 * run.squares / 2


def shortfall(problem: Separable, run: Steepest, loss: MarginLoss, order: Order) -> Array:
    """A in the inequality margin(w_T) >= |Z' q_bar|_* sum e_t rho_t - A >= gamma* sum e_t rho_t - A.

    Let G = sum_i phi(z_i . w). Along a unit direction u, (ln G)'' <= sum phi'' (z_i . u)^2 / G <= R^2, since
    phi'' <= phi for both losses. (For the exponential loss this is Hoeffding's lemma.) So a step of length e changes ln
    G by at most -e rho |Z'q|_* + e^2 R^2 / 2. Summed over the steps: ln G_T <= ln G_0 - sum e rho |Z'q|_* + R^2 sum
    e^2 / 2. No single loss exceeds the sum, so the margin is at least phi^-1(G_T) = -ln G_T - tail. The tail is zero
    for the exponential loss, and ln((exp(G_T) - 1)/G_T) <= G_T for the logistic loss. Because the norm is convex, the
    weights move inside it. Finally |Z'q|_* >= gamma* for every q in the simplex.
    """
    tail = -run.last - loss.from_log_sum(run.last)
    return run.first + cost_of_steps(problem, run, order) + tail


def run_rounding(problem: Separable, run: Steepest, order: Order) -> Array:
    """A bound on the rounding of the inequality of `shortfall` for the computed run: 8 (n+d+3)(1 + T + SR) of 1 + M.

    S is the length of the run, and M = R (S + |w_0|) >= |z_i . w_t|. A computed margin is off by d u M. So q is off by
    (4d + 4) u M + (n + 8) u relatively. Z'q is off by R times this and n u more. u_t misses the maximum by
    R u (8 (d+1) M + 4 n + d + 20). The update rounds by u |w| + u e, and ln G has slope R. Over T steps the sum is
    u [S R (8 (d+1) M + 4n + d + 20) + 2 T M + d M], which is less than the bound.
    """
    n, d = problem.rows, problem.columns
    scale = radius(problem, order)
    start = np.linalg.norm(run.w, order, axis=-1) + run.length
    reach = scale * (run.length + start)
    return rounding(8 * (n + d + 3) * (1 + run.steps + run.length * scale), 1 + reach)


def dual_bound(problem: Separable, q: Array, order: Order) -> Array:
    """|Z'q|_*, an upper bound on gamma* by weak duality, for any q in the simplex; q is normalized here.

    The value is raised by its own rounding, so it stays a bound: n + 1 for q, n for an entry of Z'q, d/2 + 1 for the
    norm, each of R. Raises ValueError for a negative q.
    """
    if np.any(q < 0):
        raise ValueError("a point outside the simplex bounds no margin")
    n, d = problem.rows, problem.columns
    raised = rounding(2 * n + d / 2 + 2, radius(problem, order))
    return dual_norm(np.vecmat(q / q.sum(-1, keepdims=True), problem.Z), order) + raised


@dataclasses.dataclass(frozen=True)
class LargestMargin:
    """Gamma* enclosed by a primal and a dual point of an external solver, and the primal direction (d,), |w| = 1.

    lower: the normalized margin of w less its rounding. upper: |Z'q|_* plus its rounding. The solver's status and
    optimality are not believed: a bad solution gives a wide enclosure, never a false one.
    """

    direction: Array
    lower: Array
    upper: Array


def largest_margin(problem: Separable, order: Order) -> LargestMargin:
    """The largest normalized margin: in l2 by nonnegative least squares, in l1 by linear programming.

    The points are scaled by a power of two to a length of about one, because the tolerances of the solvers are
    absolute, and squares of very long or short points under- or overflow. A power of two causes no rounding. Where a
    solver returns w = 0, the direction is the coordinate vector of largest <Z'q, w>: the enclosure is wide, and true.
    Raises OracleError where all points are zero, and ValueError where they are not finite.
    """
    Z = in_float64(problem.Z if problem.Z.ndim == 3 else problem.Z[None], "points")
    unit = np.frexp(np.abs(Z).max((1, 2)))[1] - 1
    Z = np.ldexp(Z, -unit[:, None, None])
    if order == 2:
        q = nearest_point_of_hull(Z)
        w = np.vecmat(q, Z)
    else:
        w, q = largest_l1_margin(Z)
    w = np.where(w.any(-1, keepdims=True), w, _steepest(np.vecmat(q, Z)))
    direction = w / np.linalg.norm(w, order, axis=-1, keepdims=True)
    single = problem.Z.ndim == 2
    direction, q, Z, unit = (each[0] if single else each for each in (direction, q, Z, unit))
    scaled = dataclasses.replace(problem, Z=Z)
    slack = rounding(3 * problem.columns / 2 + 2, radius(scaled, order))  # the direction, and d for its margin
    lower, upper = margin(scaled, direction) - slack, dual_bound(scaled, q, order)
    return LargestMargin(direction, _scaled_back(lower, unit, -np.inf), _scaled_back(upper, unit, np.inf))


def _scaled_back(bound: Array, unit: Array, outwards: float) -> Array:
    """The bound times 2^unit, moved outwards by one float where that is not exact (under- or overflow)."""
    with np.errstate(over="ignore", under="ignore"):
        value = np.ldexp(bound, unit)
        return np.where(np.ldexp(value, -unit) == bound, value, np.nextafter(value, outwards))[()]


def _steepest(pull: Array) -> Array:
    """The coordinate vector (B, d) of the largest entry of |pull| (B, d), with its sign; e_1 where pull is 0."""
    best = np.abs(pull).argmax(-1)[..., None]
    sign = np.where(np.take_along_axis(pull, best, -1) < 0, -1.0, 1.0)
    return sign * (np.arange(pull.shape[-1]) == best)


def angle_bound(gap: Array, best: LargestMargin) -> Array:
    """A bound on the l2 distance of a unit vector with margin gamma* - gap from `best.direction`.

    Let u* = Z'q*/gamma* be the best direction. A unit w has <w, u*> = q*'Zw/gamma* >= margin(w)/gamma*, so
    |w - u*|^2 = 2 - 2<w, u*> <= 2 gap/gamma*. The computed direction is a unit vector too, with gap = upper - lower.
    Raises ValueError where no positive margin is certified.
    """
    if not np.all(np.asarray(best.lower) > 0):
        raise ValueError("no positive margin is certified, so directions are not bounded by margins")
    return np.sqrt(2 * gap / best.lower) + np.sqrt(2 * (best.upper - best.lower) / best.lower)
