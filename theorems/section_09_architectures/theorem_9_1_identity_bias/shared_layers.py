"""Linear residual layers that are equal at all times: every eigenvalue b of a layer follows a scalar recursion.

Training starts at zero branches, which is b = 1, and the target has the eigenvalue lambda.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from fixtures.precision import rounding
from properties.certificates import assert_within
from theorems.section_09_architectures.residual.dynamics import shared_layer_descent, shared_layer_step
from theorems.section_09_architectures.residual.problems import PositiveTarget

ROOT_ACCURACY = 1e-9
"""Runs to the limit take as many steps as bring |b - r| below this share of |1 - r|."""


def target_of(problem: PositiveTarget) -> np.ndarray:
    """The target R = Q diag(spectrum) Q', (B, 3, 3)."""
    return (problem.Q * problem.spectrum[:, None, :]) @ problem.Q.mT


def step_factors(problem: PositiveTarget) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The root r = lambda^(1/L) (B, 3), eta = 1/beta (B, 1), and the least and largest factor of a step (B, 3) each.

    beta is that of H4, over all eigenvalues. A step multiplies b - r by 1 - eta s, s = b^{L-1} sum_k b^k r^{L-1-k},
    and b stays between 1 and r.
    """
    L, lam = problem.depth[:, None], problem.spectrum
    eta = 1 / ((2 * L - 1) * np.maximum(1, lam.max(-1, keepdims=True)) ** ((2 * L - 2) / L))
    slow, fast = (L * bound(1, lam) ** ((2 * L - 2) / L) for bound in (np.minimum, np.maximum))
    return lam ** (1 / L), eta, 1 - eta * fast, 1 - eta * slow


def shared_rounding(problem: PositiveTarget, slow: np.ndarray) -> np.ndarray:
    """The rounding of b along a run, (B, 3), for steps that multiply an earlier error by at most `slow`.

    A step has eight operations, with two powers, on numbers up to max(1, lambda). The errors of all steps sum to that
    over 1 - slow.
    """
    return rounding(8, np.maximum(1, problem.spectrum) / (1 - slow))


def exact_iterates(b: Fraction, target: Fraction, L: int, eta: Fraction) -> Iterator[Fraction]:
    """The iterates of `shared_layer_step` from b, without end. Exact."""
    while True:
        yield b
        b = shared_layer_step(b, target, L, eta)


def certify_decay_to_zero(eta: float) -> None:
    """Certify that three layers towards the target -1 tend to b = 0 at a step eta < 1/2.

    A step is b <- b (1 - eta b (1 + b^3)), so that 1/b grows by between eta and 2 eta/(1 - 2 eta).
    """
    t = np.array([1, 10, 100, 1000, 4000])
    b = shared_layer_descent(np.ones(5), -1.0, 3, eta, t)
    slack = rounding(8 * t)  # eight operations a step
    assert_within(1 / (1 + 2 * eta * t / (1 - 2 * eta)), b, 1 / (1 + eta * t), slack=slack, why="A_l = b - 1 -> -1")
