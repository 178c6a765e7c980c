"""Minimizers computed by somebody else's solver, independent of our dynamics and closed forms."""

from __future__ import annotations

import numpy as np
import scipy.linalg


def nearest_interpolant(X: np.ndarray, y: np.ndarray, w0: np.ndarray) -> np.ndarray:
    """The point of {w : Xw = y} nearest to w0, by LAPACK's least squares; of shape (p,) or (B, p).

    With w0 = 0 it is the min-norm interpolant. Singular values below max(n, p) eps s_1 count as zero, so a
    rank-deficient X gives the nearest least-squares solution.
    """
    if X.ndim == 2:
        return w0 + scipy.linalg.lstsq(X, y - X @ w0, cond=max(X.shape) * np.finfo(float).eps)[0]
    return np.stack([nearest_interpolant(*problem) for problem in zip(X, y, w0, strict=True)])


def ridge(X: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Argmin |Xw - y|^2 + penalty |w|^2 by scikit-learn's SVD solver; of shape (p,) or (B, p)."""
    from sklearn.linear_model import Ridge

    if X.ndim == 2:
        return Ridge(alpha=penalty, fit_intercept=False, solver="svd").fit(X, y).coef_
    return np.stack([ridge(rows, targets, penalty) for rows, targets in zip(X, y, strict=True)])
