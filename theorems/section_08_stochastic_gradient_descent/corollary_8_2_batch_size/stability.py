"""Certified enclosures of the spectral radius of T_B, which says whether SGD can stay at an interpolated minimum."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.minibatch_law import moment_operator, noise_share
from fixtures.precision import rounding
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes


@st.composite
def rows_and_steps(draw: st.DrawFn) -> RowsAndStep:
    """Four rows of small integers in three dimensions, and a step."""
    tape = draw(tapes(14))
    X = tape.integers((4, 3), 3)
    X[0, 0] += not X.any()
    return RowsAndStep(X, tape.choice((1.0, 0.5, 2.0, 4.0)) / np.square(X).sum(1).max())


@expects(positive="eta", integer="X")
@dataclasses.dataclass(frozen=True)
class RowsAndStep:
    """Interpolated least squares: rows X (4, 3) and a step eta, eta max |x_i|^2 in 1/2 ... 4; or a batch of these."""

    X: np.ndarray
    eta: np.ndarray


def operator_rounding(X: np.ndarray, eta: np.ndarray, share: float) -> np.ndarray:
    """How far `moment_operator` is off in floats, in the Frobenius norm. X (..., n, p), eta (...,).

    With A = I - eta H an entry of kron(A) has 2(n + 4) + 1 operations, n + 1 for the mean of the products x x'. The
    other term has as many, and three factors and a sum more. They are sums on absolute values of at most (|x|^2)^2.
    """
    n, p = X.shape[-2:]
    longest = np.square(X).sum(-1).max(-1)
    scale = p * (1 + eta * longest) ** 2 + 2 * share * (eta * longest) ** 2
    return rounding(2 * n + 13, scale)


def spectral_radius(X: np.ndarray, eta: float, share: float) -> tuple[float, float]:
    """rho(T_B) for one problem, as LAPACK's largest eigenvalue, and its error: all eigenvalues are within |T - VDV'|.

    V is off an orthogonal matrix by |V'V - I| at most. The three products are of p^2 entries, on absolute values of at
    most p |T|.
    """
    T = moment_operator(X, eta, share)
    values, V = np.linalg.eigh(T)
    left = np.linalg.norm(T - (V * values) @ V.T) + np.linalg.norm(V.T @ V - np.eye(len(T))) * np.abs(values).max()
    slack = rounding(3 * len(T) + 2, np.sqrt(len(T)) * np.linalg.norm(T))
    return float(values[-1]), float(left + slack + operator_rounding(X, np.asarray(eta), share))


def spectral_radii(problem: RowsAndStep, replacement: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper bounds of rho(T_B) for B = 1 ... 4, and the certificate of the upper ones: (4, batch) each.

    Lower bound: the Rayleigh quotient of the self-adjoint T_B at any vector. Upper bound: lambda is one if some S > 0
    has lambda S - T_B(S) > 0. S is the solution of lambda S - T_B(S) = I; the certificate is the smaller one of the
    least eigenvalues of lambda S and of lambda S - T_B(S), and has to be positive. As lambda we take the largest
    eigenvalue of LAPACK, plus 2^-30 of the scale (1 + eta max |x|^2)^2 of T_B. T_B itself is off by
    `operator_rounding`, and the quotient has products of p^2 entries.
    """
    scale = (1 + problem.eta * np.square(problem.X).sum(-1).max(-1)) ** 2
    slack = operator_rounding(problem.X, problem.eta, 1) + rounding(3 * 9, 3 * scale)
    shares = [float(noise_share(4, batch, replacement)) for batch in range(1, 5)]
    T = np.stack([moment_operator(problem.X, problem.eta[:, None, None], f) for f in shares])
    values, vectors = np.linalg.eigh(T)
    top = vectors[..., -1]
    lower = np.vecdot(top, np.matvec(T, top)) / np.vecdot(top, top) - slack
    upper = values[..., -1] + scale * 2.0**-30
    one = np.broadcast_to(np.eye(3).ravel()[:, None], (*T.shape[:-1], 1))
    S = np.linalg.solve(upper[..., None, None] * np.eye(9) - T, one)
    rest = (upper[..., None, None] * S - T @ S).reshape(*T.shape[:-2], 3, 3)
    least = [np.linalg.eigvalsh((M + M.mT) / 2)[..., 0] for M in (S.reshape(rest.shape), rest)]
    return lower, upper + slack, np.minimum(least[0] * upper, least[1])
