"""Sums of quartics of linear functions: how much a step of descent expands, and what it misses of a flow."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from theorems.section_07_initialization_and_learning_rate.modified_flow import RidgeSum, flow_in_powers_of_the_step


@expects(positive="c", integer="a, b, c")
@dataclasses.dataclass(frozen=True)
class Quartic:
    """L(w) = sum_i a_i s_i^2/2 + b_i s_i^3/6 + c_i s_i^4/24, s = Xw, from w0; X (n, d), one loss or a batch."""

    X: np.ndarray
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    w0: np.ndarray

    def loss(self) -> RidgeSum:
        """As a RidgeSum."""

        def derivatives(s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            slope = self.a * s + self.b * s**2 / 2 + self.c * s**3 / 6
            return slope, self.second(s), self.b + self.c * s

        return RidgeSum(self.X, derivatives)

    def second(self, s: np.ndarray) -> np.ndarray:
        """The second derivatives phi'' at s, (n,)."""
        return self.a + self.b * s + self.c * s**2 / 2


@st.composite
def quartics(draw: st.DrawFn) -> Quartic:
    """Three rows in R^2, a in -3..3, b in -3..3, c in 1..3 (bounded below), halves in X and quarters in w0.

    The second entries are moved by 1/2 and 1/4, off the axes. Shrinks to a = b = 0, c = 1.
    """
    tape = draw(tapes(17))
    X, w0 = tape.integers((3, 2), 2) / 2, tape.integers(2, 3) / 4
    X[:, 1], w0[1] = X[:, 1] + 1 / 2, w0[1] + 1 / 4
    return Quartic(X, tape.integers(3, 3), tape.integers(3, 3), 1.0 + tape.naturals(3, 3), w0)


def expansion(problem: Quartic, eta: np.ndarray, w: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The factor by which a step may move w and `other` apart, (B,): |I - eta H| on the segment between them.

    Where s changes by D, phi'' changes by at most |phi'''| D + c D^2/2. So the eigenvalues of H change by at most the
    sum of these, each times |x_i|^2 (Weyl).
    """
    s, D = np.matvec(problem.X, w), np.abs(np.matvec(problem.X, other - w))
    moves = ((np.abs(problem.b + problem.c * s) * D + problem.c * D**2 / 2) * np.square(problem.X).sum(-1)).sum(-1)
    spectrum = np.linalg.eigvalsh(np.einsum("bi,bij,bik->bjk", problem.second(s), problem.X, problem.X))
    return np.maximum(1 - eta * (spectrum[:, 0] - moves), eta * (spectrum[:, -1] + moves) - 1)


def one_step(problem: Quartic, coefficient: Fraction) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The local error: one step of descent, minus the flow of F = -(g + 2 coefficient eta Hg) at the time eta.

    Returns its coefficients of the powers 0 to 3 of eta, (4, 2), then Hg and HHg/3 + T(g, g)/12. All in fractions, for
    the first two rows of the problem.
    """
    X, a, b, c, w0 = (fractions(part[:2]) for part in (problem.X, problem.a, problem.b, problem.c, problem.w0))
    s = X @ w0
    second = a + b * s + c * s**2 / 2
    g = X.T @ (a * s + b * s**2 / 2 + c * s**3 / 6)
    Hg = X.T @ (second * (X @ g))
    step = np.stack([w0, -g, 0 * g, 0 * g])
    f = X.T @ (second * (X @ Hg)) / 3 + X.T @ ((b + c * s) * (X @ g) ** 2) / 12
    return step - flow_in_powers_of_the_step(X, a, b, c, w0, coefficient), Hg, f
