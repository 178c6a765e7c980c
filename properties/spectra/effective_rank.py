"""Three definitions of numerical rank: by entropy, and by counting singular values above a threshold."""

from __future__ import annotations

import numpy as np

from fixtures.entries import in_float64


def entropic_rank(s: np.ndarray) -> np.ndarray:
    """Exp of the Shannon entropy of s/sum(s). It lies between 1 and the number of nonzero s.

    Roy, Vetterli (2007), The Effective Rank: A Measure of Effective Dimensionality, EUSIPCO.
    s (..., d): singular values, not all zero.
    """
    s = in_float64(s, "singular values")
    shares = s / s.sum(-1, keepdims=True)
    return np.exp(-(shares * np.log(np.where(shares > 0, shares, 1))).sum(-1))


def absolute_rank(s: np.ndarray, threshold: float) -> np.ndarray:
    """How many singular values s (..., d) exceed `threshold`, which has the unit of s."""
    return (in_float64(s, "singular values") > threshold).sum(-1)


def relative_rank(s: np.ndarray, threshold: float) -> np.ndarray:
    """How many singular values s (..., d) exceed `threshold` times the largest one."""
    s = in_float64(s, "singular values")
    return (s > threshold * s.max(-1, keepdims=True)).sum(-1)
