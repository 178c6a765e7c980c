"""The largest eigenvalue of a symmetric operator between two certified numbers: Lanczos, and what proves it right.

Lanczos with full re-orthogonalization gives, from products Av alone, orthonormal v_1, ..., v_{k+1} and

    A V = V T + b_k v_{k+1} e_k' + F,    T tridiagonal with diagonal a_j and off-diagonal b_j > 0,

where F holds the rounding of the run and is measured column by column. k is the Krylov dimension, the number of
products. The largest Ritz value theta = lambda_max(T) is a Rayleigh quotient, so it is a lower bound. The residual
|Ay - theta y| only says that SOME eigenvalue is that near, so theta + residual is no upper bound. Two are:

Cholesky    If the factorization of the floating-point matrix M = (theta + tau)I - A runs to completion, then M + E is
            positive semidefinite for some |E| <= g/(1 - g) tr M, g = (p + 1)u/(1 - (p + 1)u) (Higham 2002, Accuracy and
            Stability of Numerical Algorithms, the chapter on Cholesky; Rump 2006, Verification of Positive
            Definiteness). No probability, but p^2 numbers.

Christoffel Let z be a unit eigenvector for lambda_max. c_j = <z, v_j> obeys the recurrence of T,
            b_j c_{j+1} = (lambda - a_j) c_j - b_{j-1} c_{j-1} - z'F e_j, and sum c_j^2 <= |V|^2. For lambda > theta
            its solutions grow, so the sum bounds lambda once |c_1| >= t is known. A start uniform on the sphere has
            c_1^2 ~ Beta(1/2, (p - 1)/2), whatever A is: one event of a known probability, the same for every k, so
            the run may stop when it likes. Without F this is the largest mass that a measure with the moments of the
            run can have at lambda, the Christoffel function (van Dorsselaer, Hochstenbach, van der Vorst 2000,
            Computing Probabilistic Bounds for Extreme Eigenvalues of Symmetric Matrices with the Lanczos Method, for
            the single polynomial c_{k+1}). No shift, no sign of A, no knowledge of the spectrum is needed.

How many products the run may take is known before it starts. On the same event, for A + c positive semidefinite,
lambda_max + c <= (theta + c)/(1 - eps) after k products, with cosh((2k - 1) artanh sqrt(eps)) = 1/t. Proof: were it
false, then for every polynomial P of degree k - 1 with P(1) = 1, on the spectrum scaled to x in [0, 1], eps c_1^2 would
be less than the sum of (1 - eps - x_i) P(x_i)^2 c_i^2 over x_i < 1 - eps. With 1 - eps - x = (1 - eps)s^2 take sP
proportional to the Chebyshev polynomial T_{2k-1}(s), which is odd: (1 - eps - x)P^2 is at most
eps / sinh^2((2k - 1) artanh sqrt(eps)), hence c_1^2 < 1/cosh^2. Kuczynski and Wozniakowski (1992), Estimating the
Largest Eigenvalue by the Power and Lanczos Algorithms with a Random Start, prove a bound of this kind. After the run it
is never below Christoffel, which is the optimum for the moments that both know: enclosures are by Christoffel.

Enclosures are computed for the operator over a power of two, so that no square under- or overflows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import scipy.linalg
import scipy.special

from fixtures.precision import UNIT_ROUNDOFF

Product = Callable[[np.ndarray], np.ndarray]
ORTHOGONAL = 2.0**-20
"""How far V'V may be from I before a run is refused; full re-orthogonalization keeps it near p u."""

PATIENCE = 4
"""A run is given up after this many times the products it took theta to come to rest: rounding is in the way."""


class UncertifiedError(RuntimeError):
    """An eigenvalue could not be enclosed: a product is not finite or not symmetric, or the budget is spent."""


@dataclasses.dataclass(frozen=True)
class Enclosure:
    """Lower <= lambda_max <= upper, the first always, the second but for `probability` over the random start.

    iterations: the Krylov dimension k. method: what bounds from above, "Cholesky" or "Christoffel".
    """

    lower: float
    upper: float
    probability: float
    iterations: int
    method: str

    @property
    def width(self) -> float:
        """Upper less lower."""
        return self.upper - self.lower

    def times(self, unit: float) -> Enclosure:
        """The enclosure of `unit` times the operator, a power of two. Raises UncertifiedError where it overflows."""
        lower, upper = math.nextafter(self.lower * unit, -math.inf), math.nextafter(self.upper * unit, math.inf)
        if not (math.isfinite(lower) and math.isfinite(upper)):
            raise UncertifiedError("the largest eigenvalue is not finite in float64")
        return dataclasses.replace(self, lower=lower, upper=upper)


def products_needed(size: int, eps: float, probability: float) -> int:
    """The least Krylov dimension k after which lambda_max - theta <= eps lambda_max but for this probability.

    For every positive semidefinite matrix of this size: the least k with 1/cosh((2k - 1) artanh sqrt(eps)) at most
    `least_component`, and never more than the size.
    """
    angle = math.acosh(1 / least_component(size, probability)) / math.atanh(math.sqrt(eps))
    return max(1, min(size, math.ceil((angle + 1) / 2)))


def least_component(size: int, probability: float) -> float:
    """The t with P(|c_1| < t) = probability, for c uniform on the unit sphere in this dimension; 1 in dimension 1."""
    return math.sqrt(scipy.special.betaincinv(0.5, (size - 1) / 2, probability)) if size > 1 else 1.0


class Krylov:
    """A Lanczos run that grows by one product at a time.

    product: v (p,) -> Av (p,), float64. start (p,): not zero. rounding: how far a computed Av may be from the exact
    one, in units of the largest |Av_j| seen, |v| = 1. a, b: the diagonal of T and its off-diagonal, of length k both,
    the last b leading out of the space; it is zero where the space is invariant.
    """

    def __init__(self, product: Product, start: np.ndarray, rounding: float) -> None:
        self._product, self._rounding = product, rounding
        self._basis = np.empty((8, len(start)))
        self._basis[0] = start / np.linalg.norm(start)
        self.a: list[float] = []
        self.b: list[float] = []
        self._measured: list[float] = []
        self._largest = 0.0

    @property
    def misfits(self) -> np.ndarray:
        """|F e_j|, (k,): as measured, with the rounding of measuring it and that of the product."""
        return np.array(self._measured) + (8 * UNIT_ROUNDOFF + self._rounding) * self._largest

    @property
    def exhausted(self) -> bool:
        """Whether the space is invariant, to the rounding of the run."""
        return self.b[-1] <= self.misfits[-1]

    def extend(self) -> None:
        """One more product. Raises UncertifiedError when it is not finite."""
        k = len(self.a)
        if k + 2 > len(self._basis):
            self._basis = np.concatenate([self._basis, np.empty_like(self._basis)])
        V, v = self._basis[: k + 1], self._basis[k]
        image = self._product(v)
        size = math.sqrt(image @ image)
        if not math.isfinite(size):
            raise UncertifiedError("the product of the operator with a vector is not finite")
        a = float(v @ image)
        image = image - a * v - (self.b[-1] * V[-2] if k else 0.0)
        rest, b = _orthogonalized(image, V)
        misfit = image - rest
        self._basis[k + 1] = rest / (b if b > 0 else 1.0)
        self.a.append(a)
        self.b.append(b)
        self._measured.append(math.sqrt(misfit @ misfit))
        self._largest = max(self._largest, size)

    def ends(self) -> tuple[float, float]:
        """The least and the largest Ritz value, to 8k u |T|."""
        values = scipy.linalg.eigvalsh_tridiagonal(np.array(self.a), np.array(self.b[:-1]), check_finite=False)
        return float(values[0]), float(values[-1])

    def ritz_vector(self) -> tuple[np.ndarray, np.ndarray]:
        """The unit vector y = Vs (p,) of the largest Ritz value, Ts = theta s, and Ay (p,) but for F.

        The latter is theta y + b_k s_k v_{k+1}.
        """
        k = len(self.a)
        theta, s = scipy.linalg.eigh_tridiagonal(np.array(self.a), np.array(self.b[:-1]), check_finite=False)
        y = s[:, -1] @ self._basis[:k]
        size = math.sqrt(y @ y)
        return y / size, (theta[-1] * y + self.b[-1] * s[-1, -1] * self._basis[k]) / size

    def lower_bound(self) -> float:
        """A number below lambda_max: theta less the rounding of the run.

        For y = Vs, Ts = theta s, |s| = 1: y'Ay/y'y >= theta - (eta (2|theta| + b_k) + |F|)/(1 - eta), where eta is
        |V'V - I|. Raises UncertifiedError when V is not orthonormal.
        """
        k, p = len(self.a), self._basis.shape[1]
        low, theta = self.ends()
        basis = self._basis[: k + (self.b[-1] > 0)]
        defect = np.linalg.norm(basis @ basis.T - np.eye(len(basis))) + k * p * UNIT_ROUNDOFF
        if defect > ORTHOGONAL:
            raise UncertifiedError(f"the basis of {k} vectors is orthonormal to {defect:.1g} only")
        rounding = defect * (2 * abs(theta) + self.b[-1]) + np.linalg.norm(self.misfits)
        return float(theta - 2 * rounding - 8 * k * UNIT_ROUNDOFF * max(abs(low), abs(theta)))

    def excludes(self, x: float, component: float, sign: int = 1) -> bool:
        """Whether x cannot be an eigenvalue of sign * A, x >= theta, with an eigenvector of |c_1| >= component.

        The forcing z'F e_j is taken at its worst, |F e_j|, which only delays the growth, because the Green's function
        of the recurrence is positive right of theta. What is excluded for x is excluded for every larger x.
        """
        # The start is a unit vector to rounding, which moves c_1 by as much.
        before, c, coupling, total = 0.0, component - 4 * UNIT_ROUNDOFF, 0.0, 0.0
        for a, b, misfit in zip(self.a, self.b, self.misfits.tolist(), strict=True):
            total += c * c
            ahead = (x - sign * a) * c - coupling * before - misfit
            if ahead <= 0:
                return False
            if ahead * ahead > (1 + ORTHOGONAL - total) * b * b:
                return True
            before, c, coupling = c, ahead / b, b
        return False


def _orthogonalized(vector: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, float]:
    """The part of a vector orthogonal to the rows of V, and its norm; zero where only rounding is left of it."""
    left = math.sqrt(vector @ vector)
    for _ in range(3):
        vector = vector - (V @ vector) @ V
        before, left = left, math.sqrt(vector @ vector)
        if 2 * left > before:
            return vector, left
    return np.zeros_like(vector), 0.0


def christoffel_upper(run: Krylov, component: float, sign: int = 1) -> float:
    """The Christoffel bound of lambda_max(sign * A), given |c_1| >= component; infinite where nothing is excluded."""
    low, high = run.ends()
    theta, reach = high if sign > 0 else -low, max(abs(low), abs(high))
    # Beyond 2^60 times the spectrum nothing is of use.
    for doubling in range(60):
        if run.excludes(theta + reach * 2.0**doubling, component, sign):
            return _bisect(lambda x: run.excludes(x, component, sign), theta, theta + reach * 2.0**doubling)
    return math.inf


def power_of_two(image: np.ndarray) -> float:
    """The power of two, from 2^-1000 to 2^1000, that brings the largest entry nearest to [1/2, 1)."""
    exponent = math.frexp(float(np.abs(image).max()))[1]
    return 2.0 ** max(-1000, min(1000, exponent))


class _Scaled:
    """An operator over the power of two of its first image, `unit`, which is known from then on."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.unit = 0.0

    def __call__(self, v: np.ndarray) -> np.ndarray:
        image = self._product(v)
        self.unit = self.unit or power_of_two(image)
        return image / self.unit


def _bisect(excluded: Callable[[float], bool], inside: float, outside: float) -> float:
    """A number that is excluded, not far above one that is not: the bracket is halved forty times."""
    for _ in range(40):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if excluded(middle) else (middle, outside)
    return outside


def largest_eigenvalue(
    product: Product,
    size: int,
    *,
    rounding: float,
    seed: int = 0,
    accuracy: float = 1e-4,
    probability: float = 1e-9,
) -> Enclosure:
    """Enclose lambda_max of a symmetric operator, given by its products, to `accuracy` times its largest Ritz value.

    size: p. rounding: as in `Krylov`. seed: of the start, a standard normal vector scaled to length one. probability:
    of an upper bound that is too low, at most. Stops as soon as the enclosure is narrow enough; `products_needed` says
    how late that can be. Raises ValueError for a size, an accuracy or a probability that makes no sense, or that
    rounding would drown; UncertifiedError for a product that is not finite, or when rounding keeps the enclosure wide.
    """
    if not (size >= 1 and 0 < accuracy < 1 and 0 < probability < 1):
        raise ValueError(f"size {size} below 1, or accuracy {accuracy:g} or probability {probability:g} not in (0, 1)")
    component = least_component(size, probability)
    if component <= 8 * UNIT_ROUNDOFF:
        raise ValueError(f"a probability of {probability:g} asks for components of {component:.1g}, below rounding")
    scaled = _Scaled(product)
    run = Krylov(scaled, np.random.default_rng(seed).standard_normal(size), rounding)
    converged = 1, -math.inf
    # By the Kuczynski bound: its shift at most doubles what eps is relative to, and the goal is half the accuracy.
    for k in range(1, products_needed(size, accuracy / 4, probability) + 1):
        run.extend()
        low, theta = run.ends()
        goal = theta + accuracy / 2 * max(abs(low), abs(theta))
        # A random vector is mapped to zero: lambda_max c_1 = 0.
        if not run.misfits.any():
            return Enclosure(0.0, 0.0, probability, k, "Christoffel")
        if run.excludes(goal, component):
            upper = _bisect(lambda x: run.excludes(x, component), theta, goal)
            found = Enclosure(run.lower_bound(), upper, probability, k, "Christoffel")
            if found.width <= 2 * (goal - theta):
                return found.times(scaled.unit)
        if theta > converged[1] + run.misfits[-1]:
            converged = k, theta
        if run.exhausted or k > PATIENCE * converged[0]:
            break
    found = Enclosure(run.lower_bound(), christoffel_upper(run, component), probability, len(run.a), "Christoffel")
    if found.width > accuracy * max(map(abs, run.ends())):
        lower, upper = found.lower * scaled.unit, found.upper * scaled.unit
        raise UncertifiedError(
            f"after {found.iterations} products the largest eigenvalue is only known to be in [{lower:.9g}, "
            f"{upper:.9g}], and an accuracy of {accuracy:.1g} was asked for"
        )
    return found.times(scaled.unit)


def cholesky_upper(A: np.ndarray, theta: float, tau: float) -> float:
    """An upper bound of lambda_max of a symmetric A (p, p) that Cholesky certifies; infinite where it does not.

    theta + tau + g/(1 - g) tr M + 2u max |M_ii|, M = (theta + tau)I - A as computed, whose diagonal rounds by the last
    term; rounded up. The lower triangle of A is read.
    """
    M = (theta + tau) * np.eye(len(A)) - A
    try:
        np.linalg.cholesky(M)
    except np.linalg.LinAlgError:
        return math.inf
    g = (len(A) + 2) * UNIT_ROUNDOFF
    excess = g / (1 - g) * np.trace(M) * (1 + g) + 2 * UNIT_ROUNDOFF * np.diag(M).max()
    return math.nextafter(theta + tau + excess * (1 + g), math.inf)


def largest_eigenvalue_of_matrix(A: np.ndarray, *, seed: int = 0, accuracy: float = 1e-9) -> Enclosure:
    """Enclose lambda_max of a symmetric matrix A (p, p) for certain, to `accuracy` times its largest Ritz value.

    Lanczos on the matrix, until Cholesky certifies theta + tau with tau = accuracy/4 of the spectrum, or
    4p(p + 2)u of it where that is more: the factorization of M succeeds when lambda_min(M) >= p(p + 2)u max M_ii
    (Higham 2002), and max M_ii is at most twice the spectrum. Raises UncertifiedError where A is not finite or not
    symmetric, ValueError where it is empty.
    """
    if A.size == 0:
        raise ValueError("a matrix without entries has no largest eigenvalue")
    if not np.isfinite(A).all() or (A != A.T).any():
        raise UncertifiedError("the matrix is not finite, or not symmetric")
    if not A.any():
        return Enclosure(0.0, 0.0, 0.0, 0, "Cholesky")
    p, unit = len(A), power_of_two(A)
    A = A / unit
    # A product of a row with a vector rounds by p u |row| |v|, and |A|_F is at most sqrt(p) times |A|.
    rounding = p**1.5 * UNIT_ROUNDOFF
    run = Krylov(lambda v: A @ v, np.random.default_rng(seed).standard_normal(p), rounding)
    previous = -math.inf
    for k in range(1, p + 1):
        run.extend()
        low, theta = run.ends()
        tau = max(accuracy / 4, 4 * p * (p + 2) * UNIT_ROUNDOFF) * max(abs(low), abs(theta))
        if theta - previous <= tau or k == p or run.exhausted:
            upper = cholesky_upper(A, theta, tau)
            if math.isfinite(upper):
                return Enclosure(run.lower_bound(), upper, 0.0, k, "Cholesky").times(unit)
        previous = theta
    raise UncertifiedError(f"Cholesky does not certify that the largest of {p} eigenvalues is {theta * unit:.9g}")
