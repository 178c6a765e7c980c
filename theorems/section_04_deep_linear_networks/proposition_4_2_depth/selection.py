"""The velocity of the end-to-end matrix, and the selection exponent of a depth; exact on fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from fixtures.dynamics.deep_linear import end_to_end, layer_gradients
from fixtures.rational import fractions


def end_to_end_velocity(layers: Sequence[np.ndarray], velocities: Sequence[np.ndarray]) -> np.ndarray:
    """dW/dt = sum_l W_L ... W_{l+1} V_l W_{l-1} ... W_1; exact on Fractions."""
    one_moving = ([*layers[:index], V, *layers[index + 1 :]] for index, V in enumerate(velocities))
    return sum(end_to_end(product) for product in one_moving)


def selection_exponent(L: int) -> Fraction:
    """The exponent p in s_1'/s_2' = (s_1/s_2)^p under equal forces, computed at W_l = diag(1, 2^(-12/L))."""
    layers = [fractions([[1, 0], [0, Fraction(1, 2 ** (12 // L))]])] * L
    velocities = [-g for g in layer_gradients(layers, lambda W: 0 * W - np.eye(2, dtype=int))]
    moving = end_to_end_velocity(layers, velocities)
    return Fraction((moving[0, 0] / moving[1, 1]).numerator.bit_length() - 1, 12)
