"""Condition numbers of linear networks with and without skip connections, and the bounds of them under H1.

Two linear maps are measured. The first is the map from the gradient G in the end-to-end matrix to the gradients in the
layers. The second is the Jacobian of the network in its input, which is the product of its layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import UNIT_ROUNDOFF
from fixtures.rational import fractions
from properties.certificates import assert_violates
from properties.search import smallest_violation
from theorems.section_09_architectures.residual.dynamics import residual_gradients
from theorems.section_09_architectures.theorem_9_1_identity_bias.branches import fifths


def tangent_condition(layers: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The condition number, (B,), of the map J: G -> (dL/dA_l)_l, G = dL/dW, for the product W of layers (B, L, d, d).

    real (B, L): which layers are trained; the others are I. The number is that of K = J'J, which is the sum over l of
    (A_l A_l') x (B_l'B_l), with A_l and B_l the products above and below layer l. It is infinite where the least
    eigenvalue is lost in the rounding of K.
    """
    B, L, d, _ = layers.shape
    below, above, K = [np.eye(d) + 0 * layers[:, 0]], [np.eye(d) + 0 * layers[:, 0]], 0
    for layer in range(L - 1):
        below.append(layers[:, layer] @ below[-1])
        above.append(above[-1] @ layers[:, L - 1 - layer])
    for layer, (left, right) in enumerate(zip(above[::-1], below, strict=True)):
        both = np.einsum("bij,bkl->bikjl", left @ left.mT, right.mT @ right).reshape(B, d * d, d * d)
        K = K + real[:, layer, None, None] * both
    eigenvalues = np.linalg.eigvalsh(K)
    seen = eigenvalues[:, 0] > 64 * d * d * (L + 1) * UNIT_ROUNDOFF * eigenvalues[:, -1]
    return np.where(seen, eigenvalues[:, -1] / np.where(seen, eigenvalues[:, 0], 1), np.inf)


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
    """9^eps and its rounding. For eps = sum eps_l <= 1/2 it is at least prod (1 + eps_l)/(1 - eps_l)."""
    return 9**eps * (1 + 4096 * UNIT_ROUNDOFF)


def condition_of_product(layers: np.ndarray) -> np.ndarray:
    """The condition number, (B,), of the product of layers (B, L, d, d); infinite where it is lost in rounding."""
    s = np.linalg.svdvals(reduce(lambda W, layer: layer @ W, np.moveaxis(layers, 1, 0)))
    seen = s[:, -1] > 64 * layers.shape[1] * UNIT_ROUNDOFF * norm(layers, 2, (-2, -1)).prod(-1)
    return np.where(seen, np.maximum(s[:, 0] / np.where(seen, s[:, -1], 1), 1), np.inf)


def condition_bound(eps: float | np.ndarray) -> float | np.ndarray:
    """81^eps and its rounding. For eps = sum eps_l <= 1/2 it is at least prod ((1 + eps_l)/(1 - eps_l))^2."""
    return 81**eps * (1 + 4096 * UNIT_ROUNDOFF)
