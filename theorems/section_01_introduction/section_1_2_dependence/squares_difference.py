"""The network f = (u^2 - v^2)'x with one sample: starts, bounds that hold on a whole run, descent to convergence."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.diagonal import diagonal_descent
from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.precision import rounding
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from properties.linear_models.limits import CONVERGED


@expects(positive="x, u, v, missing", integer="x")
@dataclasses.dataclass(frozen=True)
class SquaresDifference:
    """The network (u^2 - v^2)'x with one sample, x > 0 (3,), u >= v > 0 (3,) and f < y: u only grows, v only shrinks.

    Proof, by induction over steps with eta * largest <= 1/2. Let r < 0; then m_j = -2 eta r x_j is at most 1/4. A step
    adds 2m(u^2 + v^2) + m^2(u^2 - v^2) to u^2 - v^2, and 2m(u^2 - v^2) + m^2(u^2 + v^2) to u^2 + v^2; neither is
    negative. So the kernel K = 4 sum_j x_j^2 (u_j^2 + v_j^2) grows as well. The step takes r to
    r(1 - eta K + 4 eta^2 r sum_j x_j^3 w_j), which is between 0 and (1 - eta K)r; so r < 0 still holds.
    """

    x: np.ndarray
    u: np.ndarray
    v: np.ndarray
    missing: float | np.ndarray

    @property
    def X(self) -> np.ndarray:
        """The design (B, 1, 3)."""
        return self.x[:, None, :]

    @property
    def y(self) -> np.ndarray:
        """The target (B, 1), which is f plus `missing`."""
        return (np.vecdot(self.x, self.u**2 - self.v**2) + self.missing)[:, None]

    @property
    def g(self) -> np.ndarray:
        """The initial X'r (B, 3)."""
        return -self.missing[:, None] * self.x

    @property
    def kernel(self) -> np.ndarray:
        """The initial K, the smallest K of a run."""
        return 4 * np.vecdot(self.x**2, self.u**2 + self.v**2)

    @property
    def largest(self) -> np.ndarray:
        """An upper bound on K: u^2 + v^2 = sqrt(w^2 + 4 (uv)^2) grows no more than w, and x'w by at most `missing`."""
        return self.kernel + 4 * self.x.max(-1) * self.missing


@st.composite
def squares_differences(draw: st.DrawFn) -> SquaresDifference:
    """Starts with x in 1..3, u in 1..2, v in 1/4..u and y - f in 1/4..1, in quarters. Shrinks to x = u = 1, v = 1/4."""
    tape = draw(tapes(3 * 3 + 1))
    x, u = 1.0 + tape.naturals(3, 3), 1 + tape.naturals(3, 5) / 4
    v = np.array([1 + tape.below(round(4 * most)) for most in u]) / 4
    return SquaresDifference(x, u, v, (1 + tape.below(4)) / 4)


def kept_between(eta: Any, g: Any, k: Any) -> tuple[Any, Any]:
    """The two bounds of C3 on what a run keeps of uv, as shares of its initial value, entry by entry.

    They are 1 - 4 eta g^2/k and 1 - 4 (eta g)^2, for the gradient g and the kernel k of the start, in their arithmetic.
    """
    return 1 - 4 * eta * g**2 / k, 1 - 4 * (eta * g) ** 2


def descent_rounding(steps: int | np.ndarray) -> float | np.ndarray:
    """A bound on the rounding of uv after a run, relative to uv, for eta * largest <= 1/2.

    A step takes u to u + mu and v to v - mv with |m| <= 1/4. The two updates and the two products round uv by at most
    2 + 2/4 units. An error d of m changes (1 + m)(1 - m) by 2 |m| d. From the dozen roundings of x'w - y, of which
    2 eta x is at most 1/8 a unit, it is below two units. The last evaluation counts as one step more. A run that has
    converged knows its residual to the same accuracy, in units of `largest`, since a step only shrinks it.
    """
    return rounding(5 * (steps + 1))


def descend(network: SquaresDifference, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descent until |r| <= CONVERGED |r_0|: the end u, v, and the number of steps, which is known beforehand.

    A step multiplies r by a factor between 0 and 1 - eta K, as the docstring of SquaresDifference proves.
    """
    steps = steps_to_contract(1 - eta * network.kernel, CONVERGED)
    return *diagonal_descent(network.X, network.y, network.u, network.v, eta, steps), steps
