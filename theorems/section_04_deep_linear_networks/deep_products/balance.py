"""Balancedness of adjacent layers, D_l = W_{l+1}' W_{l+1} - W_l W_l', and its change during training."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np

from fixtures.dynamics.deep_linear import Layers, descent_path, layer_gradients, regression_gradient
from fixtures.precision import rounding
from properties.deep_linear import frobenius, gradient_rounding


def imbalances(layers: Layers) -> list[np.ndarray]:
    """D_1, ..., D_{L-1}, where D_l = W_{l+1}' W_{l+1} - W_l W_l' is (d_l, d_l); all zero when balanced."""
    return [above.mT @ above - below @ below.mT for below, above in pairwise(layers)]


def imbalance_velocities(layers: Layers, velocities: Layers) -> list[np.ndarray]:
    """dD_l/dt when every layer moves with the velocity dW_l/dt; exact on Fractions."""
    halves = [
        above.mT @ rising - falling @ below.mT
        for (below, above), (falling, rising) in zip(pairwise(layers), pairwise(velocities), strict=True)
    ]
    return [half + half.mT for half in halves]


@dataclasses.dataclass(frozen=True)
class Drift:
    """The change of the imbalances under gradient descent; lists run over the L - 1 pairs of layers.

    Norms are Frobenius norms.
    observed: D_l(T) - D_l(0).
    predicted: eta^2 sum_t (g_{l+1}' g_{l+1} - g_l g_l').
    rounding: a bound on the difference of the two in floating point.
    squared_steps: eta^2 sum_t |g(t)|^2 over all layers.
    end: the layers at time T.
    descent_rounding: 2 sum_t (eta |g_t| |e_t| + |e_t|^2), where e_t is the error of step t. The descent lemma bounds
    squared_steps by 2 eta (loss_0 - loss_T) plus this term.
    """

    observed: list[np.ndarray]
    predicted: list[np.ndarray]
    rounding: list[np.ndarray]
    squared_steps: np.ndarray
    descent_rounding: np.ndarray
    end: list[np.ndarray]


def drift_of_descent(layers: Layers, X: np.ndarray, Y: np.ndarray, eta: np.ndarray, steps: int) -> Drift:
    """Follow D_l through gradient descent on (1/2)|WX - Y|^2, with the learning rate eta, a number or (B,)."""
    gradient_of_loss = regression_gradient(X, Y)
    path = descent_path(layers, gradient_of_loss, eta)
    before, start = layers, imbalances(next(path))
    seconds, rounding, lengths, losses = [], [], [], []
    for after in (next(path) for _ in range(steps)):
        slopes = layer_gradients(before, gradient_of_loss)
        missed = step_errors(before, after, slopes, X, Y, eta)
        moved = [eta * frobenius(slope) for slope in slopes]
        seconds.append(imbalances(slopes))
        rounding.append(step_rounding(before, after, slopes, X, Y, eta))
        lengths.append(sum(length**2 for length in moved))
        losses.append(2 * sum(error * (length + error) for error, length in zip(missed, moved, strict=True)))
        before = after
    return Drift(
        observed=[end - first for end, first in zip(imbalances(before), start, strict=True)],
        predicted=[np.asarray(eta)[..., None, None] ** 2 * sum(terms) for terms in zip(*seconds, strict=True)],
        rounding=[sum(terms) for terms in zip(*rounding, strict=True)],
        squared_steps=sum(lengths),
        descent_rounding=sum(losses),
        end=before,
    )


def step_rounding(
    before: Layers, after: Layers, slopes: Layers, X: np.ndarray, Y: np.ndarray, eta: np.ndarray
) -> list[np.ndarray]:
    """A bound on the difference between the change of D_l in one computed step and eta^2 (g_{l+1}' g_{l+1} - g_l g_l').

    To first order in u. A layer that ends at a distance a_l from W_l - eta g_l moves D_l by 2|W_l| a_l. D_l is formed
    before the step, after it, and from the gradients. Each time an entry is a difference of sums of m products. Two
    differences, two products with eta and one term of a sum over steps follow. So an entry goes through 3(m + 1) + 5
    roundings. Their size is at most (|W_l before| + |W_l after|)^2, because |eta g_l| is at most this sum.
    """
    widest = max(dimension for layer in before for dimension in layer.shape[-2:])
    operations, costs = 3 * (widest + 1) + 5, []
    for start, end, missed in zip(before, after, step_errors(before, after, slopes, X, Y, eta), strict=True):
        size = frobenius(start) + frobenius(end)
        costs.append(4 * size * missed + rounding(operations, size**2))
    return [below + above for below, above in pairwise(costs)]


def step_errors(
    before: Layers, after: Layers, slopes: Layers, X: np.ndarray, Y: np.ndarray, eta: np.ndarray
) -> list[np.ndarray]:
    """Bounds on the distance of each layer from W_l - eta g_l.

    They bound the rounding of the gradient, of its product with eta and of the difference.
    """
    errors = gradient_rounding(before, X, Y)
    sizes = [frobenius(start) + frobenius(end) for start, end in zip(before, after, strict=True)]
    return [
        eta * error + rounding(1, eta * frobenius(slope) + size)
        for error, slope, size in zip(errors, slopes, sizes, strict=True)
    ]
