"""SGD beside one of two minima: which runs on single samples leave it, where the full batch stays. Exact.

A sample's loss is f_i(x) = min(left_i x^2, right_i (x - 1)^2)/2, so that every sample is fitted at 0 and at 1. The
numbers of `escapes` are short binary fractions, so that eight steps round nothing.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical
from theorems.section_08_stochastic_gradient_descent.finite_chains.landscapes import TwoMinima

LEAST_SHARE = 2.0**-8
"""One of the 256 orders of eight samples. In some instances of `escapes` only one order leaves the start."""


def single_sample_ends(minima: TwoMinima, eta: float, start: float, steps: int) -> np.ndarray:
    """The end points (2^steps,) of SGD from `start`, for all orders of two samples, one sample a step."""
    x = np.array([start])
    for _ in range(steps):
        x = (x[:, None] - eta * minima.gradients(x)).ravel()
    return x


@expects(positive="eta, start, minima.left, minima.right")
@dataclasses.dataclass(frozen=True)
class Escape:
    """Two samples with minima at 0 and 1, a step eta, and a start beside the minimum at 1."""

    minima: TwoMinima
    eta: float
    start: float

    @property
    def sharpness(self) -> tuple[float, float]:
        """The curvature of the mean loss at 0, and at 1."""
        return self.minima.left.mean(), self.minima.right.mean()


@st.composite
def escapes(draw: st.DrawFn) -> Escape:
    """An `Escape` beside the sharper minimum: eta h_i is in 1/8 ... 1 at 0; at 1 it is in 1/4 ... 3/4 and 5/2 ... 3.

    No sample leaves |x| < 1/3: there 4 right_i >= left_i puts all samples on their left branch, and eta h_i <= 1.
    Shrinks to eta h_i = (1/8, 1/8) at 0 and (1/4, 5/2) at 1.
    """
    tape = draw(tapes(6))
    left, right = 1.0 + tape.naturals(2, 8), np.array([2.0 + tape.below(5), 20 + tape.below(5)])
    eta = tape.choice((1.0, 1 / 2, 1 / 4))
    return Escape(TwoMinima(left / 8 / eta, right / 8 / eta), eta, 1 + tape.choice((1, -1)) / 8)


def share_that_leaves(escape: Escape, steps: int = 8) -> Fraction:
    """The share of all orders of single samples after which SGD is at the minimum 0 for good. Exact.

    Asserts that the full batch approaches the minimum 1, and that no sample leaves |x| < 1/3.
    """
    full = escape.start
    for _ in range(steps):
        full = full - escape.eta * escape.minima.gradients(full).mean()
    rate = 1 - escape.eta * escape.sharpness[1]
    assert_identical(full - 1, rate**steps * (escape.start - 1), why="full batches stay: (1 - eta h)^k of the start")
    assert_at_most(abs(rate), 1 - 1 / 16, why="H6: full batches approach 1")
    assert_at_most(np.abs(1 - escape.eta * escape.minima.left), 1.0, why="H6: no sample leaves |x| < 1/3")
    assert_at_most(escape.minima.left, 4 * escape.minima.right, why="H6: there all samples are at their left branch")
    ends = single_sample_ends(escape.minima, escape.eta, escape.start, steps)
    return Fraction(int((np.abs(ends) < 1 / 3).sum()), len(ends))
