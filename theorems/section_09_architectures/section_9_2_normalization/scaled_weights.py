"""Weights at two scales: the drawn factor between them, and the loss of one normalized neuron in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from theorems.section_09_architectures.normalization.problems import NormalizedProblem


def scale_factor(problem: NormalizedProblem) -> np.ndarray:
    """The factor c = 2^k between two scales of the weights, (B, 1, 1)."""
    return 2.0 ** problem.k[:, None, None]


def loss_of_one_neuron(w: Fraction | int, eps: Fraction | int, output: int = 1, penalty: int = 0) -> Fraction:
    """The loss (1/2n) sum_i (output zhat_i)^2 + penalty w^2/2 for the inputs x = (1, -1) and targets y = 0. Exact.

    The feature is zhat = (w, -w)/sqrt(w^2 + eps), so that the first term is output^2 w^2/(2 (w^2 + eps)).
    """
    return Fraction(output) ** 2 * w**2 / (2 * (w**2 + eps)) + penalty * Fraction(w) ** 2 / 2
