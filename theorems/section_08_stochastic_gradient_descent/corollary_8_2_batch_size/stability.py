"""Certified enclosures of the spectral radius of T_B, which says whether SGD can stay at an interpolated minimum."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.minibatch_law import moment_operator, noise_share
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.tapes import tapes


@st.composite
def rows_and_steps(draw: st.DrawFn) -> RowsAndStep:
    """Four rows of small integers in three dimensions, and a step."""
    tape = draw(tapes(14))
    X = tape.integers((4, 3), 3)
    X[0, 0] += not X.any()
    return RowsAndStep(X, tape.choice((1.0, 0.5, 2.0, 4.0)) / np.square(X).sum(1).max())


@dataclasses.dataclass(frozen=True)
class RowsAndStep:
    """Interpolated least squares: rows X (4, 3) and a step eta, eta max |x_i|^2 in 1/2 ... 4; or a batch of these."""

    X: np.ndarray
    eta: np.ndarray


def spectral_radii(problem: RowsAndStep, replacement: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper bounds of rho(T_B) for B = 1 ... 4, and the certificate of the upper ones: (4, batch) each.

    Lower bound: the Rayleigh quotient of the self-adjoint T_B at any vector. Upper bound: lambda is one if some S > 0
    has lambda S - T_B(S) > 0. S is the solution of lambda S - T_B(S) = I; the certificate is the smaller one of the
    least eigenvalues of lambda S and of lambda S - T_B(S), and has to be positive. As lambda we take the largest
    eigenvalue of LAPACK, plus 2^-30 of the scale (1 + eta max |x|^2)^2 of T_B. T_B itself is computed up to 64 p^2 u of
    that scale.
    """
    scale = (1 + problem.eta * np.square(problem.X).sum(-1).max(-1)) ** 2
    slack = 64 * 9 * UNIT_ROUNDOFF * scale
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
