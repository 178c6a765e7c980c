"""The network f = uvx with one sample (1, y): starts, bounds that hold on a whole run, and descent to convergence."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.factored_descent import product_descent
from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.precision import rounding
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from properties.linear_models.limits import CONVERGED


@expects(positive="u, y", nonnegative="v")
@dataclasses.dataclass(frozen=True)
class Product:
    """The network uvx with the sample (1, y): u > v >= 0 and uv < y, so that both parameters only grow."""

    u: float | np.ndarray
    v: float | np.ndarray
    y: float | np.ndarray

    @property
    def residual(self) -> float | np.ndarray:
        """r_0 = uv - y, negative."""
        return self.u * self.v - self.y

    @property
    def size(self) -> float | np.ndarray:
        """The initial m = u^2 + v^2, the smallest value of u^2 + v^2 in a run."""
        return self.u**2 + self.v**2

    @property
    def largest(self) -> float | np.ndarray:
        """An upper bound on u^2 + v^2 = sqrt((u^2 - v^2)^2 + 4 (uv)^2) while uv <= y and u^2 - v^2 falls."""
        return np.sqrt((self.u**2 - self.v**2) ** 2 + 4 * self.y**2)


@st.composite
def products(draw: st.DrawFn, *, balanced: bool = False) -> Product:
    """Starts with u in 1..2 and y - uv in 1/4..1, in quarters; v < u, or v = u. Shrinks to u = 1, v = 0, y = 1/4."""
    tape = draw(tapes(3))
    u = 1 + tape.below(5) / 4
    v = u if balanced else tape.below(round(4 * u)) / 4
    return Product(u, v, u * v + (1 + tape.below(4)) / 4)


@dataclasses.dataclass(frozen=True)
class Start:
    """A start (u, v) of the network uvx with the sample (1, y), off M = {uv = y} and not balanced: u^2 != v^2."""

    u: float | np.ndarray
    v: float | np.ndarray
    y: float | np.ndarray


@st.composite
def wide_products(draw: st.DrawFn) -> Start:
    """Starts with u, v, y in halves of [-2, 2], any signs, |u| != |v|, uv != y. Shrinks to u = 1/2, v = 0, y = 1/2."""
    tape = draw(tapes(3))
    u, v, y = (tape.integers(3, 4) / 2).tolist()
    u += (abs(u) == abs(v)) / 2
    return Start(u, v, y + (u * v == y) / 2)


def kept_between(eta: Any, r: Any, m: Any) -> tuple[Any, Any]:
    """The two bounds of C2 on what a run keeps of u^2 - v^2, as shares of its initial value.

    They are 1 - eta r^2/m and 1 - (eta r)^2, for the residual r and m = u^2 + v^2 of the start, in their arithmetic.
    """
    return 1 - eta * r**2 / m, 1 - (eta * r) ** 2


def descent_rounding(largest: float | np.ndarray, steps: int | np.ndarray) -> float | np.ndarray:
    """A bound on the rounding of u^2 - v^2 after a run with u^2 + v^2 <= largest and eta |r| <= 1/4.

    A step rounds u by u |u| in the update, and by at most 4 u (eta |r| |v|) in its slope; v likewise. So it moves
    u^2 - v^2 by at most 2 u (|u| + |v|)^2 <= 4 u largest. The last evaluation counts as one step more. A run that has
    converged knows its residual to the same accuracy, since a step only shrinks an error of uv.
    """
    return rounding(4 * (steps + 1), largest)


def descend(product: Product, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Descent until |r| <= CONVERGED |r_0|: the end u, v, and the number of steps, which is known beforehand.

    A step takes r to r(1 - eta(u^2 + v^2) + eta^2 r uv). This is between 0 and (1 - eta m)r as eta |w|^2 <= 1/2.
    """
    steps = steps_to_contract(1 - eta * product.size, CONVERGED)
    return *product_descent(product.u, product.v, product.y, eta, steps), steps
