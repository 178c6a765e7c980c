"""Gaussian layers of Proposition 4.3: how far their singular values spread, and bounds on the condition number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from theorems.section_04_deep_linear_networks.deep_products.conditioning import layered_condition

T = 7.5
FALSE_ALARM = 1e-9
HIDDEN_WIDTHS = ((128,), (512,), (100, 160), (2048,))


def spread(n: int, t: float = T) -> float:
    """A bound on the distance of the singular values from sqrt(m), n samples; it fails with chance 2 exp(-t^2/2)."""
    return np.sqrt(n) + t


def gaussian_condition(hidden: Sequence[int], n: int, t: float = T) -> float:
    """The bound on cond(M) in probability for n samples: a layer of width m has the ratio (1 + d)/(1 - d) at most."""
    d = spread(n, t) / np.sqrt(hidden)
    return float(layered_condition((1 + d) / (1 - d)))


def tail_probability(condition: float | np.ndarray, m: int) -> float | np.ndarray:
    """P(lambda_1/lambda_2 of W'W > condition) for a Gaussian W of shape (m, 2), m >= 2: (2x/(1 + x^2))^(m - 1)."""
    x = np.sqrt(condition)
    return (2 * x / (1 + x * x)) ** (m - 1)
