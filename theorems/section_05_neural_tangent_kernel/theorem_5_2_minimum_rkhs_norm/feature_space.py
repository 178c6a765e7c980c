"""Kernels of Theorem 5.2, and descent in the features of a batch of kernel matrices."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest
import scipy.linalg
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.kernels.infinite_width import erf_ntk, erf_rounding, relu_ntk
from fixtures.kernels.regression import descent_filter, working_precision
from fixtures.precision import factorization, rounding
from fixtures.problems.kernel_inputs import KernelInputs

DEEP = functools.partial(relu_ntk, hidden_layers=3)
KERNELS = pytest.mark.parametrize("kernel", [relu_ntk, DEEP, erf_ntk], ids=["ReLU", "3 x ReLU", "erf"])


class Space:
    """Features of X and Z for a kernel, for a batch of problems, and the spectrum of K(X, X).

    joint (B, n + 3, n + 3): the kernel matrix of X and Z together; at_X and at_Z: features phi with phi phi' = joint.
    K (B, n, n): the kernel matrix of X, with padding inside the spectrum; w: its eigenvalues, ascending; V: its
    eigenvectors. k (B, 3, n) = K(Z, X). least: the smallest eigenvalue after the first `rank_deficit`, which are zero.
    """

    def __init__(
        self, problem: KernelInputs, kernel: Callable[[np.ndarray], np.ndarray], rank_deficit: int = 0
    ) -> None:
        n = problem.X.shape[-2]
        self.joint = kernel(np.concatenate([problem.X, problem.Z], axis=-2))
        squares, axes = np.linalg.eigh(self.joint)
        features = axes * np.sqrt(np.maximum(squares, 0))[:, None]
        self.at_X, self.at_Z = features[:, :n], features[:, n:]
        self.K, self.k = problem.gram(lambda _: self.joint[:, :n, :n]), self.joint[:, n:, :n]
        self.w, self.V = np.linalg.eigh(self.K)
        self.trace, self.least = squares.sum(-1), self.w[:, rank_deficit]
        self.size = features.shape[-1]

    def is_definite(self, problem: KernelInputs) -> np.ndarray:
        """Whether K(X, X) is positive definite beyond the rounding of its entries, which is largest for erf."""
        return self.w[:, 0] > working_precision(self.K, erf_rounding(problem.X).max((1, 2)))

    def is_stable(self, eta: np.ndarray) -> np.ndarray:
        """Whether 0 < eta < 2/lambda_max(K)."""
        return (eta > 0) & (eta * self.w[:, -1] < 2)

    def descend(self, y: np.ndarray, start: np.ndarray, eta: np.ndarray, t: int | np.ndarray) -> np.ndarray:
        """Weights after t steps of gradient descent on (1/2)|phi(X) omega - y|^2, omega = theta - theta_0."""
        return gradient_descent(self.at_X, y, start, eta, t).w

    def filtered(self, y: np.ndarray, eta: np.ndarray, t: int | np.ndarray) -> np.ndarray:
        """The coefficients V diag((1 - (1 - eta w)^t)/w) V'y after t steps from zero; exact but for rounding."""
        return np.matvec(self.V, descent_filter(self.w, eta, t) * np.vecmat(y, self.V))

    def values(self, coefficients: np.ndarray) -> np.ndarray:
        """Sum_i alpha_i K(., x_i) at X and at Z, (B, n + 3)."""
        return np.matvec(self.joint[:, :, : coefficients.shape[-1]], coefficients)

    def predict(self, omega: np.ndarray) -> np.ndarray:
        """The linearized network at X and at Z, (B, n + 3), less f_0."""
        return np.concatenate([np.matvec(self.at_X, omega), np.matvec(self.at_Z, omega)], axis=-1)

    def least_norm(self, y: np.ndarray) -> np.ndarray:
        """The coefficients K^-1 y by LAPACK's Cholesky factors."""
        pairs = zip(self.K, y, strict=True)
        return np.stack([scipy.linalg.cho_solve(scipy.linalg.cho_factor(K), targets) for K, targets in pairs])

    def norm(self, coefficients: np.ndarray) -> np.ndarray:
        """|f|_H of a function given by its coefficients at X, or at X and Z."""
        own = self.K if coefficients.shape[-1] == self.K.shape[-1] else self.joint
        return np.sqrt(np.maximum(np.vecdot(coefficients, np.matvec(own, coefficients)), 0))

    def rounding(self, y: np.ndarray, eta: np.ndarray, t: int | np.ndarray, f_0: np.ndarray | int = 0) -> np.ndarray:
        """A bound on the distance between the values of the computed path and of its oracle after t steps.

        y: the residual at the start. f_0 (3,): the coefficients of a start that is not zero.

        Features and spectrum are exact for kernel matrices that the two eigensolvers have moved, by |E| in all. The
        coefficients are beta = h_t(K)y = K^-1(I - P)y with P = (I - eta K)^t. E changes the values k beta by E beta, by
        k K^-1 E beta and by k K^-1 dP y, where |dP| <= t eta |E| and eta <= 2.02/w_n. k K^-1 is I on the inputs; beside
        them it is at most sqrt(tr(joint)/w_1), because k_z'K^-1 k_z <= K(z, z). A start changes the values by E f_0 and
        k K^-1 E f_0 as well. The steps round by 2 sqrt(n)(2n + 9)u(W + Y), where W, Y <= |y|/sqrt(w_1). They do not
        expand earlier errors, and sqrt(tr(joint)) takes weights to values: this is less than the part in t. The factor
        1 + t, not t, covers the rounding of y.
        """
        moved = norm(self.filtered(y, eta, t), axis=-1) + norm(np.atleast_1d(f_0), axis=-1)
        moved += 2.02 * (1 + t) / self.w[:, -1] * norm(y, axis=-1)
        error = rounding(2 * factorization(self.size, self.size), self.trace)
        return error * (2 + (self.trace / self.least) ** 0.5) * moved
