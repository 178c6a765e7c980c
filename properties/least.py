"""A least value that is enclosed: by a point that attains the upper end, and by a dual point for the lower end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass(frozen=True)
class Least:
    """lower <= min value(w) <= upper over the feasible w, all (B,); `upper` is the value at the feasible w (B, ...).

    name: what is least. value: a function of points (B, ...) that returns (B,), nan where it is not defined. slope: a
    bound on the l2 length of its gradient, (B,). lower: from a dual point, so that no solver's status is believed.
    """

    name: str
    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    w: np.ndarray
    upper: np.ndarray
    lower: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """(upper - lower)/upper, (B,)."""
        return (self.upper - self.lower) / self.upper

    def excess(self, w: np.ndarray) -> np.ndarray:
        """value(w)/upper - 1, (B,)."""
        return self.value(w) / self.upper - 1

    def resolution(self, w: np.ndarray, error: np.ndarray) -> np.ndarray:
        """What the gap and an error of this l2 length in w, (B,), leave of the excess, (B,)."""
        return np.abs(self.gap) + self.slope(w) * error / self.upper
