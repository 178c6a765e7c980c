"""Gradient descent on the loss (uv - y)^2/2 of one sample: starts, and runs until they settle."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.factored_descent import product_step
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes

SETTLED, CONVERGED = 1e-6, 1e-9
"""Sizes of eta |r|: where a run is stopped for its sharpness, and where it counts as converged."""
BUDGET = 3000
"""The number of steps of a run."""


@expects(positive="u, y, eta")
@dataclasses.dataclass(frozen=True)
class ProductRun:
    """A start (u, v) of gradient descent on (1/2)(uv - y)^2 with the step eta; one run, or a batch."""

    u: float
    v: float
    y: float
    eta: float


@st.composite
def product_runs(draw: st.DrawFn) -> ProductRun:
    """Starts with eta(u^2 + v^2) in {1/2, 1.9, 2.5, 3}, off the lines |u| = |v| that lead to a saddle or to balance.

    u : v in small integers, eta y in {1/4, 1/8, 1/16}, eta in {1, 1/4, 1/100}. All 288 runs of eta = 1 were tried: they
    converge within BUDGET steps. Shrinks to u : v = 1 : 2.
    """
    tape = draw(tapes(4))
    u, v = tape.choice([(u, sign * v) for u in range(1, 6) for v in range(1, 4) for sign in (1, -1) if u != v])
    sharpness, y, eta = tape.choice((0.5, 1.9, 2.5, 3.0)), tape.choice((4, 8, 16)), tape.choice((1.0, 0.25, 0.01))
    scale = np.sqrt(sharpness / (eta * (u**2 + v**2)))
    return ProductRun(u * scale, v * scale, 1 / (y * eta), eta)


def settle(runs: ProductRun) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """The states (u, v) one step before eta |r| first falls below SETTLED; and eta |r| after BUDGET steps."""
    u, v = runs.u, runs.v
    at = before = (u, v)
    open_ = np.full(np.shape(u), True)
    for _ in range(BUDGET):
        at = tuple(np.where(open_, now, kept) for now, kept in zip(before, at, strict=True))
        open_ &= np.abs(u * v - runs.y) * runs.eta > SETTLED
        before, (u, v) = (u, v), product_step(u, v, runs.y, runs.eta)
    return at, runs.eta * np.abs(u * v - runs.y)


def sharpness_bound(r: Any, y: Any, eta: Any) -> Any:
    """2/eta + eta r (r + y): u^2 + v^2 is less than this in a step that lowers |r|, r = uv - y. 2/eta at a minimum."""
    return 2 / eta + eta * r * (r + y)


def sharpness_of_product(u: Any, v: Any) -> Any:
    """U^2 + v^2: the sharpness of (1/2)(uv - y)^2 where uv = y."""
    return u * u + v * v
