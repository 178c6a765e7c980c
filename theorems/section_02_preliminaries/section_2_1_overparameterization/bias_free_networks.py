"""Networks without biases from one input to one output, and the least loss that such a ReLU network can have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions

Activation = Callable[[np.ndarray], np.ndarray]
rationals = st.builds(Fraction, st.integers(-99, 99), st.integers(1, 99))


def relu(z: np.ndarray) -> np.ndarray:
    """max(z, 0), in the arithmetic of its argument."""
    return np.where(z > 0, z, 0 * z)


def identity(z: np.ndarray) -> np.ndarray:
    """The activation of a linear network."""
    return z


# one input and one output
@expects(single="[0], [3]")
@st.composite
def networks(draw: st.DrawFn) -> list[np.ndarray]:
    """Weights (W_1, ..., W_L) from one input to one output: L in 2..4, widths 1..6, integers in [-3, 3]; exact."""
    tape = draw(tapes(1 + 3 + 6 + 36 + 36 + 6))
    widths = [1, *(1 + tape.below(6) for _ in range(1 + tape.below(3))), 1]
    return [tape.integers(shape, 3).astype(int) for shape in zip(widths[1:], widths[:-1], strict=True)]


def features(weights: list[np.ndarray], x: Sequence, activation: Activation = relu) -> np.ndarray:
    """The last hidden layer at scalar inputs x (n,), in the arithmetic of its arguments; (m, n)."""
    hidden = np.asarray(x)[None]
    for W in weights[:-1]:
        hidden = activation(W @ hidden)
    return hidden


def outputs(weights: list[np.ndarray], x: Sequence, activation: Activation = relu) -> np.ndarray:
    """f(x_i; theta), (n,)."""
    return (weights[-1] @ features(weights, x, activation))[0]


def loss(predictions: Sequence, y: Sequence) -> Fraction:
    """L = |f - y|^2/(2n), exact for exact arguments."""
    return sum((Fraction(f) - Fraction(target)) ** 2 for f, target in zip(predictions, y, strict=True)) / (2 * len(y))


def least_loss(x: Sequence[int], y: Sequence[int]) -> tuple[Fraction, list[np.ndarray]]:
    """The least loss of all ReLU networks without biases that have two hidden units or more, and such a network.

    For scalar x such a network computes a relu(x) + b relu(-x) with any a and b. So the least loss is found by two
    least-squares problems of one unknown each.
    """
    rays = [[(abs(xi), yi) for xi, yi in zip(x, y, strict=True) if xi * sign > 0] for sign in (1, -1)]
    fits = [Fraction(sum(u * v for u, v in ray), sum(u * u for u, _ in ray) or 1) for ray in rays]
    best = [np.array([[1], [-1]]), fractions([fits])]
    return loss(outputs(best, x), y), best
