"""Information of weights and of representations: exact on finite alphabets and for Gaussians. The unit is the nat.

Distributions on finite alphabets are arrays (..., k). Channels and joint laws are (..., k, l): the first axis is the
data, the second what is made of the data. Zero entries in the padding of a batch contribute nothing. The Gibbs law of a
prior pi, a loss L and an inverse temperature gamma is pi exp(-gamma L), normalized.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.linalg import slogdet
from scipy.special import entr, logsumexp, rel_entr

from fixtures.dynamics.langevin import GaussianLaw
from fixtures.precision import rounding


def entropy(p: np.ndarray) -> np.ndarray:
    """H(p) = -sum p ln p, shape (...,)."""
    return entr(p).sum(-1)


def divergence(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """KL(q || p) = sum q ln(q/p) of distributions (..., k); infinite where p = 0 < q."""
    return rel_entr(q, p).sum(-1)


def joint_law(weights: np.ndarray, channel: np.ndarray) -> np.ndarray:
    """P(x, z) = P(x) p(z|x), (..., k, l), from weights (..., k) and a channel (..., k, l)."""
    return weights[..., None] * channel


def product_of_marginals(joint: np.ndarray) -> np.ndarray:
    """P(x) P(z) of a joint law (..., k, l)."""
    return joint.sum(-1, keepdims=True) * joint.sum(-2, keepdims=True)


def mutual_information(joint: np.ndarray) -> np.ndarray:
    """I(X; Z) = KL(P(x, z) || P(x) P(z)) of a joint law (..., k, l)."""
    return rel_entr(joint, product_of_marginals(joint)).sum((-2, -1))


def lautum_information(joint: np.ndarray) -> np.ndarray:
    """KL(P(x) P(z) || P(x, z)): the divergence in I(X; Z) with its arguments exchanged (Palomar, Verdu 2008).

    It is infinite when two possible values never occur together.
    """
    return rel_entr(product_of_marginals(joint), joint).sum((-2, -1))


def pushforward_joint_law(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The joint law (k, l) of X and Z = f(X) for one distribution (k,), from the values f(x).

    values: (k, ...), compared exactly. The columns are the distinct values, in the order of their first occurrence.
    Works in floats and in fractions.
    """
    flat = np.asarray(values).reshape(len(weights), -1)
    first = (flat[:, None] == flat).all(-1).argmax(1)
    return np.asarray(weights)[:, None] * (first[:, None] == np.unique(first))


def information_rounding(
    terms: int | np.ndarray, spread: float | np.ndarray, total: float | np.ndarray = 1.0
) -> np.ndarray:
    """A bound on the error of a computed divergence or information, first order in u.

    terms: the number of terms of the sum. total: the mass of the terms. spread: a bound on |ln q/p| and on |gamma L|.
    A probability costs at most `terms` roundings for its normalization, as many for a marginal law, and eight more; its
    relative error grows with the spread, because a computed exp(x) is exact for some x(1 + 2u). A relative error e of
    each q moves sum q ln(q/p) by at most e sum q (|ln q/p| + 1). The sum itself costs `terms` roundings.
    """
    spread = np.asarray(spread, float)
    return rounding(3 * np.asarray(terms) + 8, (1 + spread) * (total + 2 * spread))


def gibbs(prior: np.ndarray, loss: np.ndarray, gamma: float | np.ndarray) -> np.ndarray:
    """The Gibbs law pi exp(-gamma L)/Z on a finite alphabet: prior and loss (..., l), gamma a number or (...,)."""
    exponent = np.where(np.asarray(prior) > 0, -np.asarray(gamma, float)[..., None] * loss, -np.inf)
    weight = prior * np.exp(exponent - exponent.max(-1, keepdims=True))
    return weight / weight.sum(-1, keepdims=True)


def log_partition(prior: np.ndarray, loss: np.ndarray, gamma: float | np.ndarray) -> np.ndarray:
    """The logarithm ln Z = ln sum pi exp(-gamma L), shape (...,), by scipy's logsumexp."""
    return logsumexp(-np.asarray(gamma, float)[..., None] * loss, b=prior, axis=-1)


def free_energy(q: np.ndarray, prior: np.ndarray, loss: np.ndarray, gamma: float | np.ndarray) -> np.ndarray:
    """J(q) = E_q L + KL(q || pi)/gamma, shape (...,).

    J(q) - J(Gibbs) = KL(q || Gibbs)/gamma and J(Gibbs) = -ln Z/gamma: the variational formula of Donsker and Varadhan.
    """
    return (q * loss).sum(-1) + divergence(q, prior) / gamma


def enumerate_samples(weights: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """All samples of `size` independent draws from weights (..., k), in order.

    Returns the indices (k^size, size) and the probabilities (..., k^size).
    """
    index = np.array(list(itertools.product(range(np.shape(weights)[-1]), repeat=size)), int)
    return index, np.asarray(weights)[..., index].prod(-1)


def gaussian_divergence(q: GaussianLaw, p: GaussianLaw) -> np.ndarray:
    """KL(q || p) of two Gaussians, (1/2)[tr(P^-1 Q) - d + (m_q - m_p)'P^-1(m_q - m_p) + ln det P - ln det Q]."""
    shift = q.mean - p.mean
    solved = np.linalg.solve(p.covariance, np.concatenate([q.covariance, shift[..., None]], axis=-1))
    trace = np.trace(solved[..., :-1], axis1=-2, axis2=-1) - q.mean.shape[-1]
    logarithms = slogdet(p.covariance)[1] - slogdet(q.covariance)[1]
    return (trace + np.vecdot(shift, solved[..., -1]) + logarithms) / 2


def gaussian_entropy(law: GaussianLaw) -> np.ndarray:
    """-E ln q = (1/2) ln det(2 pi e C)."""
    return (law.mean.shape[-1] * (1 + np.log(2 * np.pi)) + slogdet(law.covariance)[1]) / 2


def affinity(q: GaussianLaw, p: GaussianLaw) -> np.ndarray:
    """Bhattacharyya's integral of sqrt(q p), in (0, 1]: 1 for equal laws, near 0 for laws that are easily told apart.

    With M = (Q + P)/2 it is |Q|^(1/4) |P|^(1/4) |M|^(-1/2) exp(-(m_q - m_p)'M^-1(m_q - m_p)/8).
    """
    middle, shift = (q.covariance + p.covariance) / 2, q.mean - p.mean
    distance = np.vecdot(shift, np.linalg.solve(middle, shift[..., None])[..., 0])
    logarithms = slogdet(q.covariance)[1] / 4 + slogdet(p.covariance)[1] / 4 - slogdet(middle)[1] / 2
    return np.exp(logarithms - distance / 8)


def binary_entropy(p: np.ndarray) -> np.ndarray:
    """H(p, 1 - p)."""
    return entr(p) + entr(1 - np.asarray(p))


def gaussian_bottleneck(beta: float | np.ndarray, unexplained: float | np.ndarray) -> np.ndarray:
    """The s >= 0 that minimizes I(X; Z) - beta I(Z; Y) over Z = aX + N(0, 1), for scalar jointly Gaussian X and Y.

    s = a^2 var X is the signal-to-noise ratio of Z; unexplained = var(X | Y)/var X in (0, 1]. The minimizer is
    s = max(0, (beta(1 - unexplained) - 1)/unexplained) (Chechik, Globerson, Tishby, Weiss 2005), because
    2 df/ds = [1 - beta(1 - unexplained) + s unexplained]/((1 + s)(1 + s unexplained)) changes its sign at this s.
    """
    return np.maximum(0, (np.asarray(beta) * (1 - np.asarray(unexplained)) - 1) / unexplained)


def gaussian_bottleneck_terms(s: float | np.ndarray, unexplained: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """I(X; Z) = (1/2) ln(1 + s) and I(Z; Y) = (1/2) ln((1 + s)/(1 + s unexplained)), as for `gaussian_bottleneck`."""
    s = np.asarray(s, float)
    return np.log1p(s) / 2, (np.log1p(s) - np.log1p(s * unexplained)) / 2
