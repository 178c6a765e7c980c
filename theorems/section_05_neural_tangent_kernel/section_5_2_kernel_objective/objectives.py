"""The objective of Section 5.2, its minimizer, and the rounding of the solve that computes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.kernels.infinite_width import erf_ntk, relu_ntk
from fixtures.kernels.regression import ridge_coefficients
from fixtures.precision import factorization, rounding
from fixtures.problems.kernel_inputs import KernelInputs

KERNELS = pytest.mark.parametrize("kernel", [relu_ntk, erf_ntk], ids=["ReLU", "erf"])


def objective(K: np.ndarray, y: np.ndarray, alpha: np.ndarray, penalty: Any, n: int | np.ndarray) -> Any:
    """(1/n)|f(X) - y|^2 + lambda |f|_H^2 as printed, for f of coefficients alpha; exact on Fractions.

    K (..., N, N) is the kernel matrix of the inputs, one for each entry of y, followed by other centers of f.
    """
    residual = np.matvec(K[..., : y.shape[-1], :], alpha) - y
    return np.vecdot(residual, residual) / n + penalty * np.vecdot(alpha, np.matvec(K, alpha))


def minimizer(problem: KernelInputs, K: np.ndarray, penalty: float) -> np.ndarray:
    """(K + n lambda I)^-1 y with n the number of inputs before padding."""
    return ridge_coefficients(K, problem.y, penalty * problem.rows / K.shape[-1])


def solve_rounding(problem: KernelInputs, K: np.ndarray, penalty: float) -> np.ndarray:
    """The relative error of a solve with K + n lambda I: a decomposition times the condition number."""
    w = np.linalg.eigvalsh(K) + penalty * problem.rows[:, None]
    return rounding(factorization(*K.shape[-2:]), w[:, -1] / w[:, 0])


def stationarity_rounding(problem: KernelInputs, K: np.ndarray, alpha: np.ndarray, penalty: float) -> np.ndarray:
    """The residual (K + n lambda I)alpha - y of a backward stable solve: a decomposition, of the size of K alpha."""
    largest = np.linalg.eigvalsh(K)[:, -1] + penalty * problem.rows
    return rounding(factorization(*K.shape[-2:]), largest * norm(alpha, axis=-1))
