"""Three measures of the effective rank of a matrix, computed from its singular values."""

from __future__ import annotations

import numpy as np


def nuclear_rank(s: np.ndarray) -> np.ndarray:
    """The nuclear over the operator norm, for values (..., r)."""
    return s.sum(-1) / s.max(-1)


def stable_rank(s: np.ndarray) -> np.ndarray:
    """The squared Frobenius over the squared operator norm, for values (..., r)."""
    return nuclear_rank(s**2)


def entropic_rank(s: np.ndarray) -> float:
    """The exponential of the entropy of s/sum(s)."""
    share = s / s.sum()
    return np.exp(-(share * np.log(share)).sum())
