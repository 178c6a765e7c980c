"""When the modes of a two-layer network are learned from a small start."""

from __future__ import annotations

import dataclasses

import numpy as np

from fixtures.problems.linear_layers import TwoLayers
from probes.measures.factored import two_layers
from probes.measures.factored_runs import fitted
from probes.measures.unhurried import search_unhurried
from probes.running.candidate import Candidate
from probes.running.run import Trained

RESOLVED = 20
"""The fewest steps to half of a mode: linear interpolation then errs by at most a twentieth of the time."""

SMALL = 1e-3
"""The size of the start from which modes are learned."""


@dataclasses.dataclass(frozen=True)
class Learned:
    """When modes are learned: times (B, 3) in steps to 1/10, 1/2 and 9/10 of each, the strongest first; inf if never.

    s (B, 3): the modes.
    """

    run: Trained
    s: np.ndarray
    tenth: np.ndarray
    half: np.ndarray
    most: np.ndarray

    @property
    def powers(self) -> np.ndarray:
        """The p (B, 2) with half times ~ s^(-p) for neighbors; nan where a half comes never, or before RESOLVED."""
        known = np.isfinite(self.half) & (self.half >= RESOLVED)
        logs = np.log(self.half, out=np.full_like(self.half, np.nan), where=known)
        return np.diff(logs) / -np.diff(np.log(self.s))

    @property
    def resolution(self) -> float:
        """What the grid of times leaves of a power: a half time errs by at most 1/RESOLVED of itself."""
        return 2 / RESOLVED / np.log(2)


def learn_modes(candidate: Candidate, drawn: TwoLayers, steps: int) -> Learned:
    """Run from SMALL, with the largest step that fits and is resolved."""
    problem = two_layers(drawn, SMALL)
    times = np.unique([*range(min(64, steps)), *np.geomspace(1, steps, 250).astype(int)])

    def shares(factors: list[np.ndarray]) -> np.ndarray:
        return drawn.modes(factors[1] @ factors[0]) / drawn.s

    def is_hurried(run: Trained) -> bool:
        return not first_times(run, 1 / 2).min() > RESOLVED

    rules = {"reached": fitted, "early": RESOLVED, "watch": shares, "is_hurried": is_hurried}
    run = search_unhurried(candidate, problem, steps=steps, times=times.tolist(), **rules)
    return Learned(run, drawn.s, *(first_times(run, level) for level in (1 / 10, 1 / 2, 9 / 10)))


def first_times(run: Trained, level: float) -> np.ndarray:
    """When each watched share (B, r) first reaches the level, by linear interpolation in time; inf if never."""
    times = np.array(sorted(run.watched))
    shares = np.stack([run.watched[time] for time in times])
    reached = shares >= level
    after = np.argmax(reached, axis=0)
    before = np.maximum(after - 1, 0)
    low, high = (np.take_along_axis(shares, index[None], axis=0)[0] for index in (before, after))
    part = np.divide(level - low, high - low, out=np.ones_like(low), where=high > low)
    return np.where(reached.any(axis=0), times[before] + part * (times[after] - times[before]), np.inf)
