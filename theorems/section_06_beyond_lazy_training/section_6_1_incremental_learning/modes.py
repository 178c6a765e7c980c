"""Two-layer linear networks that are trained on three modes, and the steps until each mode is half learned."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.deep_linear import descent_path, end_to_end
from fixtures.dynamics.paths import UnfittedError
from fixtures.problems.deep_linear import SpectralNetwork
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import SCALES, tapes

RELATIVE_STEP = 0.02
"""Eta times the strongest mode, for steps that follow the flow closely."""


# by H1 all modes start at one size
@expects(level="start", unit="frames")
@st.composite
def three_modes(draw: st.DrawFn, gaps: tuple[float, ...], margins: tuple[float, ...]) -> SpectralNetwork:
    """A two-layer network of width 4 with three modes s_1 > s_2 > s_3, all of which start at s_0; s_1 one of SCALES.

    gaps: the ratios of neighboring modes to choose from. margins: the ratios s_3/s_0 to choose from. Shrinks to the
    first of each, in frames of the identity.
    """
    tape = draw(tapes(4 + 3 * 12))
    s = tape.choice(SCALES) / np.cumprod([1.0, tape.choice(gaps), tape.choice(gaps)])
    start = np.full(3, s[-1] / tape.choice(margins))
    return SpectralNetwork(np.stack([tape.rotation(4)[:, :3] for _ in range(3)]), start, s)


small_starts = three_modes(gaps=(1.5, 2.0, 1.1, 1.25), margins=(8, 4.6, 30, 300))
spread_starts = three_modes(gaps=(1.5, 2.0, 1.75), margins=(8, 30, 300))
large_starts = three_modes(gaps=(1.25, 1.4, 1.3), margins=(2.05, 2.2, 2.3))


def step_roundings(networks: SpectralNetwork) -> int:
    """How many roundings a step of the layers costs: three products, six more operations, and those of the frames.

    The frames are orthonormal up to 36 D u, for matrices of D rows.
    """
    width = networks.frames.shape[-2]
    return 3 * width + 6 + 36 * width


def gradient_towards(target: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The gradient W -> W - T of (1/2) |W - T|_F^2."""
    return lambda W: W - target


def steps_to_half(
    layers: list[np.ndarray],
    T: np.ndarray,
    s: np.ndarray,
    modes: Callable[[np.ndarray], np.ndarray],
    eta: float | np.ndarray,
    budget: int = 4000,
) -> tuple[np.ndarray, np.ndarray]:
    """Run gradient descent on W_2 W_1 until every mode is half learned.

    s (..., r): the modes of the target T. modes: maps the product W_2 W_1 to the modes of the network (..., r). Returns
    the number of steps until each mode is at s/2, and all modes at the step at which the first one is. Raises
    UnfittedError when a mode is not half learned after `budget` steps.
    """
    steps, at_first = np.full(s.shape, -1), np.zeros(s.shape)
    for t, moved in enumerate(islice(descent_path(layers, gradient_towards(T), eta), budget)):
        now = modes(end_to_end(moved))
        at_first = np.where(steps[..., :1] < 0, now, at_first)
        steps = np.where((now >= s / 2) & (steps < 0), t, steps)
        if np.all(steps >= 0):
            return steps, at_first
    raise UnfittedError(f"modes {np.argwhere(steps < 0)[0]} are not half learned after {budget} steps")


def spectral_steps_to_half(networks: SpectralNetwork, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `steps_to_half` returns for spectral networks; eta (B,)."""
    modes = lambda W: networks.modes(W, 2)  # noqa: E731
    return steps_to_half(networks.layers(2), networks.target_matrix(2), networks.target, modes, eta)
