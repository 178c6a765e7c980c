"""Branches of residual networks: small ones, which meet the hypothesis H1, and scalar ones in exact arithmetic."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.rational import fractions
from theorems.section_09_architectures.residual.model import ResidualNetwork
from theorems.section_09_architectures.residual.problems import ResidualProblem

LARGEST_SLOPE = 5 / 3
"""What the Lipschitz constant of small branches is below: prod (1 + eps_l) <= e^(1/2) for sum eps_l <= 1/2."""
LARGEST_STRETCH = 3
"""What the mean square of random small branches is stretched by at most: (1 + c^2/L)^L < e for c <= 1."""

fifths = st.integers(-9, 9).map(lambda numerator: Fraction(numerator, 5))


def small_branches(problem: ResidualProblem, activation: str) -> ResidualNetwork:
    """The network of a problem, with its branches scaled so that they meet H1.

    The sum of eps_l is c/2 for the drawn c in (0, 1], or zero where all branches are zero.
    """
    net = ResidualNetwork(problem.W, problem.U, 1.0, activation)
    return dataclasses.replace(net, scale=problem.scale / 2 / np.maximum(net.branch_lipschitz().sum(-1), 1e-3))


def curvature_of_small_branches(net: ResidualNetwork) -> np.ndarray:
    """The bound e sum beta_l of the second derivative under H1, (...,): M_L <= e^(2 sum eps_l) sum beta_l."""
    return np.e * net.branch_curvature().sum(-1)


def scalar_states(slopes: Sequence[Fraction | int | str]) -> np.ndarray:
    """The states h_0 = 1, h_1, ..., h_L of a scalar network with branches F_l(h) = w_l h. Exact."""
    w = fractions(slopes)[:, None, None]
    return ResidualNetwork(w, w**0, Fraction(1), "identity").states(fractions([1]))[:, 0]


def total_change(slopes: Sequence[Fraction | int | str]) -> Fraction:
    """The sum over the layers of |h_{l+1} - h_l|/|h_l|, for a scalar network whose states are not zero. Exact."""
    h = scalar_states(slopes)
    return (abs(np.diff(h)) / abs(h[:-1])).sum()
