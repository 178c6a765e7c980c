"""Means under the stationary law of SGD on least squares with one parameter: gradient variance and square weight."""

from __future__ import annotations

import operator
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.minibatch_law import mean_and_covariance, noise_share, sample_gradients, stationary_covariance
from fixtures.rational import fractions
from properties.search import smallest_violation

TWO_SAMPLES = st.tuples(st.tuples(*[st.integers(1, 3)] * 2), st.tuples(*[st.integers(-3, 3)] * 2))
"""The inputs and the targets of two samples of one parameter."""


def stationary_means(X: np.ndarray, y: np.ndarray, eta: Fraction, batch: int) -> tuple[Fraction, Fraction]:
    """E D(w) and E w^2 under the stationary law of SGD on minibatches of distinct samples. Exact.

    D(w) is the variance of the samples' gradients at w, a quadratic function: E D(w) = D(w*) + D'' S/2, where the law
    has the mean w* and the variance S.
    """
    w, S = stationary_covariance(X, y, eta, noise_share(len(X), batch, False))
    left, at, right = (mean_and_covariance(sample_gradients(X, y, w + d))[1].item() for d in (-1, 0, 1))
    return at + (left + right - 2 * at) * S.item() / 2, w.item() ** 2 + S.item()


def samples_with_a_larger_mean_at_batch_one(number: int) -> tuple[tuple, Fraction, Fraction]:
    """The simplest of TWO_SAMPLES on which one mean is larger at B = 1 than at B = 2, and both values of that mean.

    number: which of the means of `stationary_means`, 0 for the variance of a gradient, 1 for E w^2.
    """

    def values(instance: tuple) -> list[Fraction]:
        (a, b), y = instance
        return [stationary_means(fractions([[a], [b]]), fractions(y), Fraction(1, 9), B)[number] for B in (1, 2)]

    found = smallest_violation(TWO_SAMPLES, lambda instance: operator.gt(*values(instance)))
    return found, *values(found)
