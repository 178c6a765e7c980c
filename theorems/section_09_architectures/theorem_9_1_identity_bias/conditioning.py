"""Condition numbers of linear networks with and without skip connections, and the bounds of them under H1.

Two linear maps are measured. The first is K = J'J, for the map J from the gradient G in the end-to-end matrix to the
gradients in the layers. The second is the Jacobian of the network in its input, which is the product of its layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.rational import fractions
from properties.certificates import assert_violates
from properties.search import smallest_violation
from theorems.section_09_architectures.residual.dynamics import residual_gradients
from theorems.section_09_architectures.theorem_9_1_identity_bias.branches import fifths

Enclosure = tuple[np.ndarray, np.ndarray]
"""The least and the largest value (B,) that a number may have, by the rounding of its computation."""


def enclosed_condition(largest: np.ndarray, least: np.ndarray, error: np.ndarray) -> Enclosure:
    """largest/least of numbers (B,) that are off by `error`: at least 1, and perhaps infinite where `least` is lost."""
    seen, above = least > error, largest > error
    lower = np.where(above, (largest - error) / np.where(above, least + error, 1), 1)
    upper = np.where(seen, (largest + error) / np.where(seen, least - error, 1), np.inf)
    return np.maximum(lower, 1), upper


def tangent_condition(layers: np.ndarray, real: np.ndarray) -> Enclosure:
    """The condition number of K = J'J for J: G -> (dL/dA_l)_l, G = dL/dW, with the product W of layers (B, L, d, d).

    real (B, L): which layers are trained; the others are I. K is the sum over l of (A_l A_l') x (B_l'B_l), with A_l and
    B_l the products above and below layer l: at most L - 1 factors in all, twice.
    A product rounds by d operations in the Frobenius norm, which is sqrt(d) times the spectral one for each factor.
    """
    B, L, d, _ = layers.shape
    below, above, K = [np.eye(d) + 0 * layers[:, 0]], [np.eye(d) + 0 * layers[:, 0]], 0
    for layer in range(L - 1):
        below.append(layers[:, layer] @ below[-1])
        above.append(above[-1] @ layers[:, L - 1 - layer])
    for layer, (left, right) in enumerate(zip(above[::-1], below, strict=True)):
        both = np.einsum("bij,bkl->bikjl", left @ left.mT, right.mT @ right).reshape(B, d * d, d * d)
        K = K + real[:, layer, None, None] * both
    eigenvalues, sizes = np.linalg.eigvalsh(K), norm(layers, 2, (-2, -1))
    others = np.stack([np.delete(sizes, layer, axis=1).prod(-1) for layer in range(L)], axis=1)
    formed = rounding(2 * L * d * d + L + 1, (others**2 * real).sum(-1))
    found = rounding(factorization(d * d, d * d), eigenvalues[:, -1])
    return enclosed_condition(eigenvalues[:, -1], eigenvalues[:, 0], formed + found)


def jacobian_condition(diagonal: Sequence[Fraction], skip: int) -> Fraction | float:
    """The condition number of the product of two equal layers skip I + diag(diagonal). Exact."""
    stretch = [abs(skip + w) ** 2 for w in diagonal]
    return max(stretch) / min(stretch) if min(stretch) else math.inf


def kernel_condition(diagonal: Sequence[Fraction], skip: int) -> Fraction | float:
    """The condition number of `tangent_condition` at two equal layers skip I + diag(diagonal). Exact.

    The layers are diagonal, so that the matrices G = E_ij are eigenvectors, with the eigenvalues sum_l |gradient_l|^2.
    """
    A = fractions([np.diag(diagonal)] * 2) + (skip - 1) * fractions(np.eye(2, dtype=int))
    W, X = np.prod([np.diag(layer) + 1 for layer in A], axis=0), fractions(np.eye(2, dtype=int))
    errors = [np.outer(left, right) for left in X for right in X]
    squares = [(residual_gradients(A, X, np.diag(W) - G) ** 2).sum() for G in errors]
    return max(squares) / min(squares) if min(squares) else math.inf


WORSE_CONDITIONED = "condition number {value} with the skip connection > {limit} without"


def certify_search_finds_worse(condition: Callable[[Sequence[Fraction], int], Fraction | float]) -> None:
    """Search two equal diagonal branches whose condition number is larger with the skip connection than without."""

    def conditions(pair: Sequence[Fraction]) -> list[Fraction | float]:
        return [condition(pair, skip) for skip in (1, 0)]

    pairs = st.tuples(fifths, fifths).filter(lambda pair: -1 not in pair and 0 not in pair)
    found = smallest_violation(pairs, lambda pair: np.greater(*conditions(pair)))
    assert_violates(*conditions(found), reads=WORSE_CONDITIONED, diagonal=found, L=2)


def jacobian_bound(eps: float | np.ndarray) -> float | np.ndarray:
    """9^eps, rounded up as a power. For eps = sum eps_l <= 1/2 it is at least prod (1 + eps_l)/(1 - eps_l)."""
    return 9**eps * (1 + rounding(4))


def condition_of_product(layers: np.ndarray) -> Enclosure:
    """The condition number of the product of layers (B, L, d, d), each of which rounds by d^2 operations."""
    L, d = layers.shape[1:3]
    s = np.linalg.svdvals(reduce(lambda W, layer: layer @ W, np.moveaxis(layers, 1, 0)))
    error = rounding(L * d * d + factorization(d, d), norm(layers, 2, (-2, -1)).prod(-1))
    return enclosed_condition(s[:, 0], s[:, -1], error)


def share_of_H1(total: np.ndarray, branches: np.ndarray) -> np.ndarray:
    """The factor c (B,) for which the c|A_l| of branches A (B, L, d, d) sum to `total`, or to less by its rounding.

    Norms by LAPACK, their sum and a quotient. Branches of zeros keep their size.
    """
    L, d = branches.shape[1:3]
    size = np.maximum(norm(branches, 2, (-2, -1)).sum(-1), 1 / 2**20)
    return total / size * (1 - rounding(factorization(d, d) + L + 2))


def condition_bound(eps: float | np.ndarray) -> float | np.ndarray:
    """81^eps, rounded up as a power. For eps = sum eps_l <= 1/2 it is at least prod ((1 + eps_l)/(1 - eps_l))^2."""
    return 81**eps * (1 + rounding(4))
