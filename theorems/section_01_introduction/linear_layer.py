"""One linear layer f(x) = Wx on rational data: descent, its limit, and the rank of a matrix, all exact."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expecting
from fixtures.problems.tapes import tapes
from fixtures.rational import leading_pivots, solve, to_fractions


def rank(M: np.ndarray) -> int:
    """The exact rank of an array of rational numbers: the number of positive pivots of MM'."""
    return sum(pivot > 0 for pivot in leading_pivots(M @ M.T))


def descend(W: np.ndarray, X: np.ndarray, Y: np.ndarray, eta: Fraction, steps: int) -> np.ndarray:
    """Exact descent of one linear layer on (1/2)|WX' - Y'|_F^2."""
    for _ in range(steps):
        W = W - eta * (W @ X.T - Y.T) @ X
    return W


def limit(W: np.ndarray, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The limit of descent from W: the solution of WX' = Y' nearest to W, exact; X of full row rank."""
    return W - solve(X @ X.T, X @ W.T - Y).T @ X


def rationals(*shape: int, bound: int = 2) -> st.SearchStrategy[np.ndarray]:
    """Arrays of small integers over 1, 2 or 3, in fractions; read off one tape."""
    size = int(np.prod(shape))
    return tapes(size + 1).map(lambda tape: to_fractions(tape.integers(shape, bound).astype(int)) / (1 + tape.below(3)))


columns = expecting(rationals(2, 1).filter(lambda z: z.any()), single="")
"""Columns (2, 1), not zero."""

one_sample = expecting(st.tuples(rationals(1, 2).filter(lambda X: X.any()), rationals(1, 2)), single="[0], [1]")
"""X (1, 2), not zero, and Y (1, 2)."""
