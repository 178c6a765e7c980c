"""Potentials that diagonal networks u^D - v^D minimize, their duals, and a bound on the distance from a minimizer.

From u = v = alpha, gradient flow moves w = u^D - v^D along w = to_primal(z) with z = X'nu, where

    to_primal(z) = 2 alpha^2 sinh z at D = 2,    alpha^D ((1-z)^{-D/(D-2)} - (1+z)^{-D/(D-2)}), |z| < 1, for D > 2.

This function is the inverse of the slope of a potential Q. So a limit that interpolates minimizes Q over {w : Xw = y}.
The dual problem is max y'nu - Q*(X'nu). At depth 2, Q is the hyperbolic entropy with beta = 2 alpha^2. The potentials
are from Woodworth et al. (2020), Kernel and Rich Regimes in Overparametrized Models. Vectors are (p,) or (B, p).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from fixtures.problems.regression import Regression
from properties.linear_models.divergences import residual_with_rounding, weighted_gram

# The scales alpha decrease by SCALE_FACTOR; before the last, Newton stops at a residual of COARSE_TOLERANCE |y|.
SCALE_FACTOR, COARSE_TOLERANCE, NEWTON_STEPS, HALVINGS = 4.0, 1e-2, 40, 40
PRIMAL_ROUNDINGS = 8  # the operations of `DiagonalPotential.to_primal`, with two for an elementary function


@dataclasses.dataclass(frozen=True)
class DiagonalPotential:
    """The potential Q at depth D >= 2 and scale alpha > 0.

    alpha: a number, or an array that broadcasts against (B, p), such as (B, 1). An alpha of shape (B, p) gives each
    coordinate its own scale. Raises ValueError for another depth or scale.
    """

    depth: int
    alpha: float | np.ndarray

    def __post_init__(self) -> None:
        if self.depth < 2 or not np.all(np.asarray(self.alpha) > 0):
            raise ValueError(f"a diagonal network has depth >= 2 and alpha > 0, not {self.depth} and {self.alpha}")

    @property
    def scale(self) -> float | np.ndarray:
        """The scale alpha^D, in the unit of w."""
        return np.asarray(self.alpha, float) ** self.depth

    def factors(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u/alpha and v/alpha at z: exp(+-z/2) at depth 2, (1 -+ z)^{-1/(D-2)} above."""
        if self.depth == 2:
            return np.exp(z / 2), np.exp(-z / 2)
        return (1 - z) ** (-1 / (self.depth - 2)), (1 + z) ** (-1 / (self.depth - 2))

    def to_dual(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The z of a network's factors: ln(u/v) at depth 2, ((alpha/v)^{D-2} - (alpha/u)^{D-2})/2 above."""
        if self.depth == 2:
            return np.log(u / v)
        return ((self.alpha / v) ** (self.depth - 2) - (self.alpha / u) ** (self.depth - 2)) / 2

    def to_primal(self, z: np.ndarray) -> np.ndarray:
        """The weights w = u^D - v^D at z, after PRIMAL_ROUNDINGS roundings at the scale (1 + |z|) |w|."""
        if self.depth == 2:
            return 2 * self.scale * np.sinh(z)
        power = self.depth / (self.depth - 2)
        return self.scale * (np.expm1(-power * np.log1p(-z)) - np.expm1(-power * np.log1p(z)))

    def slope(self, z: np.ndarray) -> np.ndarray:
        """The derivative of `to_primal`, 1/Q''.

        2 alpha^2 cosh z at depth 2, alpha^D D/(D-2) (U^{2D-2} + V^{2D-2}) above, with U = u/alpha and V = v/alpha.
        """
        U, V = self.factors(2 * z if self.depth == 2 else z)
        if self.depth == 2:
            return self.scale * (U + V)
        return self.scale * self.depth / (self.depth - 2) * (U ** (2 * self.depth - 2) + V ** (2 * self.depth - 2))

    def slope_between(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounds on `slope` where to_primal(z) = +-w.

        At D = 2 both are sqrt(w^2 + 4 alpha^4). For D > 2 and x = |w|/alpha^D, max(x, 1) <= U^D <= x + 1 and V <= 1,
        and the slope is least at x = 0. The slope grows with |w|, and its upper bound grows more slowly than w^2.
        """
        x = np.abs(w) / self.scale
        if self.depth == 2:
            both = self.scale * np.hypot(x, 2)
            return both, both
        unit, power = self.scale * self.depth / (self.depth - 2), 2 - 2 / self.depth
        return unit * np.maximum(x**power, 2), unit * ((x + 1) ** power + 1)

    def growth(self, z: np.ndarray) -> np.ndarray:
        """(u^2 + v^2)/(2 alpha^2) - 1 >= 0 at z: the relative growth of the two factors, without cancellation."""
        return self._excess(z, 1)

    def kernel_change(self, z: np.ndarray) -> np.ndarray:
        """(u^{2D-2} + v^{2D-2})/(2 alpha^{2D-2}) - 1 >= 0 at z: the growth of a coordinate's kernel weight."""
        return self._excess(z, self.depth - 1)

    def _excess(self, z: np.ndarray, power: int) -> np.ndarray:
        if self.depth == 2:
            return 2 * np.sinh(power * z / 2) ** 2
        share = power / (self.depth - 2)
        near_zero = np.abs(z) < 1 / 2
        logarithm = np.where(near_zero, np.log1p(-np.where(near_zero, z * z, 0)), np.log1p(-z) + np.log1p(z))
        both = -share * logarithm  # ln of (UV)^power
        return 2 * np.exp(both) * np.sinh(share * np.arctanh(z)) ** 2 + np.expm1(both)

    def conjugate(self, z: np.ndarray) -> np.ndarray:
        """Q*(z) >= 0, summed: 2 alpha^2 sum (cosh z - 1) at depth 2, alpha^D (D-2)/2 sum (U^2 + V^2 - 2) above."""
        return (self.scale * (2 if self.depth == 2 else self.depth - 2) * self.growth(z)).sum(-1)


@dataclasses.dataclass(frozen=True)
class Interpolant:
    """An interpolant w (p,) made from a dual point z = X'nu, and what z shows about the minimizer of Q over {Xw = y}.

    gap: a bound on the duality gap Q(w) - (y'nu - Q*(z)). radius: a bound on |w - argmin|; inf where z shows no bound.
    miss: |w - to_primal(z)|.
    """

    w: np.ndarray
    z: np.ndarray
    gap: np.ndarray
    radius: np.ndarray
    miss: np.ndarray


def near_minimizer(potential: DiagonalPotential, problem: Regression, z: np.ndarray) -> Interpolant:
    """The interpolant that belongs to the part of z in row(X), and a bound on its distance from the minimizer of Q.

    Let z = X'nu, C = diag(slope(z)) and w_z = to_primal(z). Then w = w_z + CX'(XCX')^-1 (y - X w_z) interpolates. The
    duality gap is the divergence sum Q(w) - Q(w_z) - z(w - w_z). It is at most sum (w - w_z)^2 / (2 min slope), with
    the slope at the end of the segment that is nearer to zero. The terms do not cancel.

    Radius: Q(w) - Q(w*) is at most the gap. It is the divergence of w from the minimizer w*, so it is at least
    |w - w*|^2 over twice the slope S at max(|w|, |w*|). Let R = max |w_i|. S grows more slowly than a square, so 2 gap
    S(2R) <= R^2 shows |w - w*| <= R, and then |w - w*|^2 <= 2 gap S(2R).

    Rounding: of z, 8(n + p) for projection and construction, times the slope; of w_z; of w, the residual over s_n.
    """
    z = problem.in_row_space(z)
    start, C = potential.to_primal(z), potential.slope(z)
    w, gram = start, weighted_gram(problem, C)
    for _ in range(2):  # the second pass removes the rounding of the first
        solved = np.linalg.solve(gram, (problem.y - np.matvec(problem.X, w))[..., None])[..., 0]
        w = w + C * np.vecmat(solved, problem.X)
    projected = rounding(8 * np.asarray(problem.rows + problem.columns), norm(z, axis=-1))[..., None]
    hidden = rounding(PRIMAL_ROUNDINGS, (1 + np.abs(z)) * np.abs(start)) + projected * C
    hidden += (residual_with_rounding(problem, w) / problem.sigma_min)[..., None]
    moved = np.abs(w - start) + hidden
    least, _ = potential.slope_between(np.maximum(np.minimum(np.abs(w), np.abs(start)) - moved, 0))
    gap = (moved**2 / (2 * least)).sum(-1)
    R = np.abs(w).max(-1, keepdims=True)
    _, most = potential.slope_between(2 * R)
    radius = np.sqrt(2 * gap * most.max(-1))
    return Interpolant(w, z, gap, np.where(radius <= R[..., 0], radius, np.inf), norm(moved, axis=-1))


def minimize(potential: DiagonalPotential, problem: Regression) -> Interpolant:
    """Argmin Q over {w : Xw = y}, by Newton's method on the dual, at scales alpha that decrease by factors of 4.

    A step is halved until, at its end, the objective rises along it at most half as fast as it fell at its start. So
    neither cosh overflows nor |z| reaches 1. Only the `radius` of the result is to be believed. For alpha^D below 1e-10
    and degenerate targets (a minimizer of the l1 norm has fewer than n nonzeros), the Hessian of the dual is singular
    in double precision.
    """
    nu = np.zeros_like(problem.y)
    size = (norm(problem.y, axis=-1) / problem.sigma_min).max() ** (1 / potential.depth)
    levels = np.ceil(np.log(max(size / np.min(potential.alpha), 1)) / np.log(SCALE_FACTOR))
    for level in np.arange(levels, -1, -1):
        within = COARSE_TOLERANCE if level else rounding(2 * (problem.rows + problem.columns))
        at_level = DiagonalPotential(potential.depth, potential.alpha * SCALE_FACTOR**level)
        nu = _newton(at_level, problem, nu, within * norm(problem.y, axis=-1))
    return near_minimizer(potential, problem, np.vecmat(nu, problem.X))


def _newton(potential: DiagonalPotential, problem: Regression, nu: np.ndarray, converged: np.ndarray) -> np.ndarray:
    def gradient(nu: np.ndarray) -> np.ndarray:
        z = np.vecmat(nu, problem.X)
        outside = (potential.depth > 2) & (np.abs(z) >= 1)
        return np.matvec(problem.X, np.where(outside, np.inf, potential.to_primal(z))) - problem.y

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        g = gradient(nu)
        for _ in range(NEWTON_STEPS):
            if np.all(norm(g, axis=-1) <= converged):
                break
            curvature = weighted_gram(problem, potential.slope(np.vecmat(nu, problem.X)))
            step = -np.linalg.solve(curvature, g[..., None])[..., 0]
            fall, length = np.vecdot(g, step), np.ones_like(norm(g, axis=-1))
            for _ in range(HALVINGS):
                tried = gradient(nu + length[..., None] * step)
                good = np.isfinite(tried).all(-1) & (np.vecdot(tried, step) <= np.abs(fall) / 2)
                if np.all(good):
                    break
                length = np.where(good, length, length / 2)
            moved = nu + np.where(good, length, 0)[..., None] * step
            if np.array_equal(moved, nu):
                break
            nu, g = moved, gradient(moved)
    return nu
