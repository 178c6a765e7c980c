"""Kernel descent on clusters with noisy labels: its path, its implied weights, and how far another kernel moves it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from theorems.section_08_stochastic_gradient_descent.label_noise.clusters import Clusters
from theorems.section_08_stochastic_gradient_descent.label_noise.kernel_descent import implied_weights, kernel_descent

STEPS = 8


def descent(problem: Clusters, steps: int = STEPS) -> list[np.ndarray]:
    """The predictions f_0 = 0, ..., f_steps (n,) of `kernel_descent` on the noisy labels. Exact."""
    return kernel_descent(problem.kernel, problem.noisy, problem.step, steps)


def weights(problem: Clusters, steps: int = STEPS) -> list[np.ndarray]:
    """The implied weights (n,) after 1 ... steps steps, for the kernel blockdiag(11') + epsilon I. Exact."""
    scaled = implied_weights(descent(problem, steps), problem.noisy, problem.step)
    return [problem.epsilon.denominator * w for w in scaled]


def displacement_and_bound(
    K: np.ndarray, E: np.ndarray, y: np.ndarray, step: Fraction, t: int
) -> tuple[Fraction, Fraction]:
    """|f'_t - f_t|^2 for the kernels K + E and K, and its bound (t step |E| |y|)^2. Exact.

    As |E| we take its largest row sum, which the spectral norm does not exceed.
    """
    f, g = (kernel_descent(kernel, y, step, t)[t] for kernel in (K, K + E))
    return ((f - g) ** 2).sum(), (t * step * max(np.abs(E).sum(1))) ** 2 * (y @ y)
