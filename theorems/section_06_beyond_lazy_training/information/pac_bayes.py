"""PAC-Bayes bounds: how far a posterior's risk may exceed its training loss, and the three steps of the proof.

Theorem: for a loss in [0, 1], n independent samples and a prior p that does not depend on them, with probability at
least 1 - delta, for all q at once, E_q R <= E_q L + sqrt((KL(q || p) + ln(2 sqrt(n)/delta))/(2n)) (McAllester 1999,
PAC-Bayesian Model Averaging; in this form Maurer 2004, A Note on the PAC Bayesian Theorem).

The proof has three steps; each is a function here. (1) E_D E_p exp(n kl(L || R)) <= xi(n) <= 2 sqrt(n). (2) Markov's
inequality. (3) E_q f <= KL(q || p) + ln E_p exp(f) (Donsker, Varadhan 1975).
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
from scipy.special import ndtr

from theorems.section_06_beyond_lazy_training.information.finite_learning import FiniteLearning


def complexity(divergence: float | np.ndarray, n: int, delta: float) -> float | np.ndarray:
    """sqrt((divergence + ln(2 sqrt(n)/delta))/(2n)), which the bound adds to E_q L; divergence = KL(q || p) in nats.

    Raises ValueError unless n is 1, 2, ..., 0 < delta < 1 and divergence >= 0.
    """
    if not (n >= 1 and n % 1 == 0 and 0 < delta < 1 and np.all(np.asarray(divergence) >= 0)):
        raise ValueError(f"n = {n}, delta = {delta} and the divergence must be 1, 2, ..., in (0, 1) and at least 0")
    return np.sqrt((divergence + np.log(2 * np.sqrt(n) / delta)) / (2 * n))


def maurer_moment(n: int) -> Fraction:
    """xi(n) = sum_k C(n, k) (k/n)^k (1 - k/n)^(n - k), exact.

    It is E exp(n kl(L || R)) of n coins with any bias in (0, 1). It lies between sqrt(n) and 2 sqrt(n), and equals 2
    sqrt(n) at n = 1. Proof for every n: by Abel's identity xi(n) is n! n^-n sum_{j <= n} n^j/j!, the mean number of
    draws from n urns until one urn is drawn twice. By Ramanujan's sum_{j < n} n^j/j! + theta n^n/n! = e^n/2 with theta
    in [1/3, 1/2] (Choi 1994, On the Medians of Gamma Distributions and an Equation of Ramanujan), it is n!
    (e/n)^n/2 + 1 - theta. Stirling's formula gives the rest.
    """
    return Fraction(sum(math.comb(n, k) * k**k * (n - k) ** (n - k) for k in range(n + 1)), n**n)


def exponential_moment(problem: FiniteLearning) -> np.ndarray:
    """E_p exp(n kl(L || R)) for every data set of a problem with losses 0 and 1, (D,), exact fractions.

    exp(n kl(k/n || R)) = (k/(nR))^k ((n - k)/(n(1 - R)))^(n - k) is rational. Raises ValueError for other losses.
    """
    if set(problem.losses.flat) - {0, 1}:
        raise ValueError("exp(n kl(L || R)) is rational for losses 0 and 1 only")
    n, errors = problem.n, problem.counts @ problem.losses.T
    table = [_coin_moments(n, risk) for risk in problem.risks]
    return np.array([sum(p * t[int(k)] for p, t, k in zip(problem.prior, table, row, strict=True)) for row in errors])


def _coin_moments(n: int, risk: Fraction) -> dict[int, Fraction]:
    """exp(n kl(k/n || risk)) for each k that occurs: k = 0 at risk zero, k = n at risk one, all of 0..n otherwise."""
    if risk in (0, 1):
        return {int(n * risk): Fraction(1)}
    return {k: (Fraction(k, n) / risk) ** k * (Fraction(n - k, n) / (1 - risk)) ** (n - k) for k in range(n + 1)}


@dataclasses.dataclass(frozen=True)
class PosteriorFamily:
    """The posteriors q = p exp(lambda gap)/E_p exp(lambda gap) on a grid of lambda >= 0, for each data set.

    lambdas, log_moment = ln E_p exp(lambda gap), gap = E_q(R - L), divergence = KL(q || p): all (D, G).
    lower, upper (D,): enclose the supremum over lambda >= 0 of ln E_p exp(lambda gap) - lambda^2/(8n).
    """

    lambdas: np.ndarray
    log_moment: np.ndarray
    gap: np.ndarray
    divergence: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def worst_case_posteriors(prior: np.ndarray, gap: np.ndarray, n: int, points: int = 48) -> PosteriorFamily:
    """The most optimistic posteriors, for a prior (H,) and gaps R - L (D, H) in [-1, 1].

    Each of them has the largest E_q(R - L) among all q with the same divergence. The PAC-Bayes bound fails for some q
    if and only if the supremum, over lambda >= 0, of ln E_p exp(lambda gap) - lambda^2/(8n) exceeds ln(2
    sqrt(n)/delta). Proof: the square root in the bound is the minimum over lambda of lambda/(8n) + (KL + ln(2
    sqrt(n)/delta))/lambda, and the best q for a lambda is the one computed here. The supremum is attained in [0, 4n max
    gap], because the function falls beyond. The function plus lambda^2/(8n) is convex, so on a cell of width h it
    exceeds its larger end by at most h^2/(32n).
    """
    largest = gap.max(-1, keepdims=True)
    lambdas = np.linspace(0, 1, points) * 4 * n * np.maximum(largest, 0)
    weights = prior * np.exp(lambdas[..., None] * (gap - largest)[:, None, :])
    total = weights.sum(-1)
    log_moment = np.log(total) + lambdas * largest
    mean = (weights @ gap[..., None])[..., 0] / total
    divergence = np.maximum(lambdas * mean - log_moment, 0)
    lower = (log_moment - lambdas**2 / (8 * n)).max(-1)
    return PosteriorFamily(lambdas, log_moment, mean, divergence, lower, lower + lambdas[:, 1] ** 2 / (32 * n))


def violation_probability(problem: FiniteLearning, delta: float) -> float:
    """An upper bound, up to 1e-12, on the probability over all data sets that some posterior q violates the bound.

    A data set counts in three cases: a posterior of the grid violates the bound as `complexity` computes it; a point
    mass does; or the supremum of `worst_case_posteriors` does not exclude it.
    """
    prior, n = problem.prior.astype(float), problem.n
    gap = (problem.risks - problem.empirical_risks).astype(float)
    family = worst_case_posteriors(prior, gap, n)
    violated = (family.gap > complexity(family.divergence, n, delta)).any(-1)
    violated |= (gap > complexity(-np.log(prior), n, delta)).any(-1)
    violated |= family.upper > np.log(2 * np.sqrt(n) / delta)
    return float(problem.chances.astype(float)[violated].sum())


def divergence_of_shift(theta: np.ndarray, center: np.ndarray, s: float | Fraction) -> float | Fraction:
    """KL(N(theta, s^2 I) || N(center, s^2 I)) = |theta - center|^2/(2 s^2) in nats; exact on fractions."""
    return (theta - center) @ (theta - center) / (2 * s**2)


def gaussian_bound(loss: float, trace: float, divergence: float, s: float, n: int, delta: float) -> float:
    """L + s^2 tr(H)/2 + complexity, which bounds the risk of N(theta, s^2 I) in a model that is linear in theta.

    loss: L(theta) >= 0, the mean of (f - y)^2/2 on the sample. trace: tr H of its Hessian, in units of 1/theta^2. The
    risk is that of the loss clipped at one.
    """
    return loss + s**2 * trace / 2 + complexity(divergence, n, delta)


CLIPPED_ROUNDINGS = 24
"""The number of operations of `clipped_gaussian_loss`."""


def clipped_gaussian_loss(mean: np.ndarray, deviation: np.ndarray | float) -> np.ndarray:
    """E min((mean + deviation Z)^2/2, 1) for standard normal Z, deviation > 0.

    The parabola is integrated between the two z at which it reaches one. It costs CLIPPED_ROUNDINGS roundings, at the
    scale 1 + mean^2 + deviation^2.
    """
    low, high = (-np.sqrt(2) - mean) / deviation, (np.sqrt(2) - mean) / deviation
    density_low, density_high = (np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) for z in (low, high))
    mass = ndtr(high) - ndtr(low)
    second = mass + low * density_low - high * density_high
    inside = mean**2 * mass + 2 * mean * deviation * (density_low - density_high) + deviation**2 * second
    return inside / 2 + (1 - mass)
