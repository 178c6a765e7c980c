"""The largest eigenvalue of a symmetric operator, enclosed by Lanczos between two certified numbers.

Lanczos with full re-orthogonalization gives, from products Av alone, orthonormal v_1, ..., v_{k+1} and

    A V = V T + b_k v_{k+1} e_k' + F,    T tridiagonal with diagonal a_j and off-diagonal b_j > 0.

F holds the rounding of the run and is measured column by column. k is the Krylov dimension, the number of products. The
largest Ritz value theta = lambda_max(T) is a Rayleigh quotient, so it is a lower bound. The residual |Ay - theta y|
only says that SOME eigenvalue is that near, so theta + residual is no upper bound. Two upper bounds are used:

Cholesky    If the factorization of the floating-point matrix M = (theta + tau)I - A runs to completion, then M + E is
            positive semidefinite for some |E| <= g/(1 - g) tr M, g = (p + 1)u/(1 - (p + 1)u) (Higham 2002, Accuracy and
            Stability of Numerical Algorithms, the chapter on Cholesky; Rump 2006, Verification of Positive
            Definiteness). It needs no probability, but it needs all p^2 entries of A.

Christoffel Let z be a unit eigenvector for lambda_max. c_j = <z, v_j> obeys the recurrence of T,
            b_j c_{j+1} = (lambda - a_j) c_j - b_{j-1} c_{j-1} - z'F e_j, and sum c_j^2 <= |V|^2. For lambda > theta
            its solutions grow, so the sum bounds lambda once |c_1| >= t is known. A start uniform on the sphere has
            c_1^2 ~ Beta(1/2, (p - 1)/2), whatever A is. So |c_1| >= t is one event of a known probability. It is the
            same event for every k, so the run may stop at any k. Without F the sum gives the largest mass that a
            measure with the moments of the run can have at lambda. This is the Christoffel function (van Dorsselaer,
            Hochstenbach, van der Vorst 2000, Computing Probabilistic Bounds for Extreme Eigenvalues of Symmetric
            Matrices with the Lanczos Method, for the single polynomial c_{k+1}). No shift, no sign of A, and no
            knowledge of the spectrum is needed.

The number of products that a run may take is known before it starts. On the same event, for A + c positive
semidefinite, lambda_max + c <= (theta + c)/(1 - eps) after k products, with cosh((2k - 1) artanh sqrt(eps)) = 1/t.
Proof: suppose it is false. Scale the spectrum to x in [0, 1]. Then for every polynomial P of degree k - 1 with
P(1) = 1, eps c_1^2 would be less than the sum of (1 - eps - x_i) P(x_i)^2 c_i^2 over x_i < 1 - eps. Write
1 - eps - x = (1 - eps)s^2 and take sP proportional to the Chebyshev polynomial T_{2k-1}(s), which is odd. Then
(1 - eps - x)P^2 is at most eps / sinh^2((2k - 1) artanh sqrt(eps)), hence c_1^2 < 1/cosh^2. Kuczynski and Wozniakowski
(1992), Estimating the Largest Eigenvalue by the Power and Lanczos Algorithms with a Random Start, prove a bound of this
kind. After the run it is never below the Christoffel bound, which is optimal for the moments that both use. So
enclosures use the Christoffel bound.

Enclosures are computed for the operator divided by a power of two, so that no square under- or overflows.
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
"""The largest distance of V'V from I that is accepted. Full re-orthogonalization keeps the distance near p u."""

PATIENCE = 4
"""A run is given up after this many times the products that theta took to come to rest: rounding is in the way."""


class UncertifiedError(RuntimeError):
    """An eigenvalue could not be enclosed: a product is not finite or not symmetric, or the budget is spent."""


@dataclasses.dataclass(frozen=True)
class Enclosure:
    """Lower <= lambda_max <= upper.

    The lower bound always holds. The upper bound holds except with at most `probability` over the random start.
    iterations: the Krylov dimension k. method: the method of the upper bound, "Cholesky" or "Christoffel".
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
        """The enclosure of the operator times `unit`, a power of two. Raises UncertifiedError where it overflows."""
        lower, upper = math.nextafter(self.lower * unit, -math.inf), math.nextafter(self.upper * unit, math.inf)
        if not (math.isfinite(lower) and math.isfinite(upper)):
            raise UncertifiedError("the largest eigenvalue is not finite in float64")
        return dataclasses.replace(self, lower=lower, upper=upper)


def products_needed(size: int, eps: float, probability: float) -> int:
    """The least Krylov dimension k after which lambda_max - theta <= eps lambda_max, except with this probability.

    It holds for every positive semidefinite matrix of this size. It is the least k with 1/cosh((2k - 1) artanh
    sqrt(eps)) at most `least_component`, and never more than the size.
    """
    angle = math.acosh(1 / least_component(size, probability)) / math.atanh(math.sqrt(eps))
    return max(1, min(size, math.ceil((angle + 1) / 2)))


def least_component(size: int, probability: float) -> float:
    """The t with P(|c_1| < t) = probability, for c uniform on the unit sphere in R^size; 1 if the size is 1."""
    return math.sqrt(scipy.special.betaincinv(0.5, (size - 1) / 2, probability)) if size > 1 else 1.0


class Krylov:
    """A Lanczos run that grows by one product at a time.

    product: v (p,) -> Av (p,), float64.
    start (p,): not zero.
    rounding: a bound on the error of a computed Av, in units of the largest |Av_j| seen, |v| = 1.
    a, b: the diagonal and the off-diagonal of T, both of length k. The last b couples the space to the next vector
        v_{k+1}; it is zero where the space is invariant.
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
        """Bounds on |F e_j|, (k,): the measured value, plus the rounding of the measurement and that of the product."""
        return np.array(self._measured) + (8 * UNIT_ROUNDOFF + self._rounding) * self._largest

    @property
    def exhausted(self) -> bool:
        """Whether the Krylov space is invariant, up to the rounding of the run."""
        return self.b[-1] <= self.misfits[-1]

    def extend(self) -> None:
        """Extend the run by one product. Raises UncertifiedError when the product is not finite."""
        k = len(self.a)
        if k + 2 > len(self._basis):
            self._basis = np.concatenate([self._basis, np.empty_like(self._basis)])
        V, v = self._basis[: k + 1], self._basis[k]
        image = np.asarray(self._product(v), float)
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
        """The least and the largest Ritz value, accurate to 8k u |T|."""
        values = scipy.linalg.eigvalsh_tridiagonal(np.array(self.a), np.array(self.b[:-1]), check_finite=False)
        return float(values[0]), float(values[-1])

    def ritz_vector(self) -> tuple[np.ndarray, np.ndarray]:
        """The unit Ritz vector y = Vs (p,) of the largest Ritz value theta, Ts = theta s, and Ay (p,) without F.

        Without F, Ay = theta y + b_k s_k v_{k+1}.
        """
        k = len(self.a)
        theta, s = scipy.linalg.eigh_tridiagonal(np.array(self.a), np.array(self.b[:-1]), check_finite=False)
        y = s[:, -1] @ self._basis[:k]
        size = math.sqrt(y @ y)
        return y / size, (theta[-1] * y + self.b[-1] * s[-1, -1] * self._basis[k]) / size

    def lower_bound(self) -> float:
        """A lower bound on lambda_max: theta less the rounding of the run.

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
        """Whether x >= theta cannot be an eigenvalue of sign * A with an eigenvector of |c_1| >= component.

        The term z'F e_j is taken at its worst, |F e_j|. This only delays the growth, because the Green's function of
        the recurrence is positive to the right of theta. If x is excluded, every larger x is excluded.
        """
        # The start is a unit vector up to rounding, and c_1 is off by the same amount.
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
    """The part of a vector orthogonal to the rows of V, and its norm. Zero if only rounding remains of the vector."""
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
    # A bound beyond 2^60 times the spectrum is useless.
    for doubling in range(60):
        if run.excludes(theta + reach * 2.0**doubling, component, sign):
            return _bisect(lambda x: run.excludes(x, component, sign), theta, theta + reach * 2.0**doubling)
    return math.inf


def power_of_two(image: np.ndarray) -> float:
    """The power of two, from 2^-1000 to 2^1000, that brings the largest entry nearest to [1/2, 1)."""
    exponent = math.frexp(float(np.abs(image).max()))[1]
    return 2.0 ** max(-1000, min(1000, exponent))


class _Scaled:
    """An operator divided by `unit`, the power of two of its first image. `unit` is 0 before the first product."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.unit = 0.0

    def __call__(self, v: np.ndarray) -> np.ndarray:
        image = np.asarray(self._product(v), float)
        self.unit = self.unit or power_of_two(image)
        return image / self.unit


def _bisect(excluded: Callable[[float], bool], inside: float, outside: float) -> float:
    """A number that is excluded, close above one that is not: the bracket is halved forty times."""
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
    """Enclose lambda_max of a symmetric operator, given by its products, to `accuracy` times its largest Ritz modulus.

    size: p.
    rounding: as in `Krylov`.
    seed: of the start, a standard normal vector scaled to length one.
    probability: the largest probability that the upper bound is too low.

    The run stops as soon as the enclosure is narrow enough; `products_needed` limits the number of products. Raises
    ValueError for a size, an accuracy or a probability that makes no sense, and for a probability that rounding would
    drown. Raises UncertifiedError for a product that is not finite, and when rounding keeps the enclosure wide.
    """
    if not (size >= 1 and 0 < accuracy < 1 and 0 < probability < 1):
        raise ValueError(f"size {size} below 1, or accuracy {accuracy:g} or probability {probability:g} not in (0, 1)")
    component = least_component(size, probability)
    if component <= 8 * UNIT_ROUNDOFF:
        raise ValueError(f"a probability of {probability:g} asks for components of {component:.1g}, below rounding")
    scaled = _Scaled(product)
    run = Krylov(scaled, np.random.default_rng(seed).standard_normal(size), rounding)
    converged = 1, -math.inf
    # By the bound of the module docstring. Its shift at most doubles the scale of eps; the goal is half the accuracy.
    for k in range(1, products_needed(size, accuracy / 4, probability) + 1):
        run.extend()
        low, theta = run.ends()
        goal = theta + accuracy / 2 * max(abs(low), abs(theta))
        # The operator maps a random vector to zero: lambda_max c_1 = 0.
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
    """An upper bound of lambda_max of a symmetric A (p, p), certified by Cholesky; infinite where Cholesky fails.

    The bound is theta + tau + g/(1 - g) tr M + 2u max |M_ii|, rounded up. M = (theta + tau)I - A as computed; its
    diagonal rounds by the last term. The lower triangle of A is read.
    """
    A = np.asarray(A, float)
    M = (theta + tau) * np.eye(len(A)) - A
    try:
        np.linalg.cholesky(M)
    except np.linalg.LinAlgError:
        return math.inf
    g = (len(A) + 2) * UNIT_ROUNDOFF
    excess = g / (1 - g) * np.trace(M) * (1 + g) + 2 * UNIT_ROUNDOFF * np.diag(M).max()
    return math.nextafter(theta + tau + excess * (1 + g), math.inf)


def largest_eigenvalue_of_matrix(A: np.ndarray, *, seed: int = 0, accuracy: float = 1e-9) -> Enclosure:
    """Enclose lambda_max of a symmetric matrix A (p, p) with certainty, to `accuracy` times its largest Ritz modulus.

    Lanczos runs on the matrix until Cholesky certifies theta + tau. tau is accuracy/4 of the spectrum, or 4p(p + 2)u of
    it where that is more. The reason for the second value: the factorization of M succeeds when
    lambda_min(M) >= p(p + 2)u max M_ii (Higham 2002), and max M_ii is at most twice the spectrum. Raises
    UncertifiedError where A is not finite or not symmetric, and ValueError where it is empty.
    """
    if A.size == 0:
        raise ValueError("a matrix without entries has no largest eigenvalue")
    A = np.asarray(A, float)
    if not np.isfinite(A).all() or (A != A.T).any():
        raise UncertifiedError("the matrix is not finite, or not symmetric")
    if not A.any():
        return Enclosure(0.0, 0.0, 0.0, 0, "Cholesky")
    p, unit = len(A), power_of_two(A)
    A = A / unit
    # The product of a row with a vector rounds by p u |row| |v|, and |A|_F is at most sqrt(p) times |A|.
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
