"""Step lengths for steepest descent, and the norms and losses that several tests of this claim are run with."""

from __future__ import annotations

import numpy as np
import pytest

from fixtures.dynamics.steepest_descent import EXPONENTIAL, LOGISTIC
from fixtures.problems.separable import Separable
from properties.linear_models.margins import Order, radius

in_both_norms = pytest.mark.parametrize("order", [2, 1], ids=["l2", "l1"])
for_both_losses = pytest.mark.parametrize("loss", [EXPONENTIAL, LOGISTIC], ids=["exponential", "logistic"])


def short_steps(problem: Separable, order: Order) -> np.ndarray:
    """The short lengths of H3 up to time t: e_k = 1/(R sqrt(k + 1)) for k < t, then 0; (B, 200)."""
    k = np.arange(200)
    return np.where(k < problem.t[:, None], 1 / (radius(problem, order)[:, None] * np.sqrt(k + 1)), 0)


def equal_steps(problem: Separable, order: Order, steps: int) -> np.ndarray:
    """The T equal lengths, (B, T), that minimize (R^2 sum e^2 / 2 + ln(n + 1)) / S for a T that is known beforehand."""
    length = np.sqrt(2 * np.log(problem.rows + 1) / steps) / radius(problem, order)
    return np.repeat(np.asarray(length)[..., None], steps, axis=-1)
