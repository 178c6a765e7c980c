"""A network of two modes whose layers have frames that do not commute, and its second singular value by the flow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.linalg import svd

from fixtures.dynamics.deep_linear import end_to_end, layer_flow
from fixtures.precision import factorization, rounding
from fixtures.problems.deep_linear import SpectralNetwork


def rotated_network(start: Sequence[float], L: int) -> SpectralNetwork:
    """A network of rank two with targets 2 and 1; its L <= 3 layers (3, 3) have reflections as frames.

    The reflections do not commute. The first and the last frame are the same at every depth, and so are W(0) and the
    target.
    """
    vectors = np.array([[1.0, 2, 2], [2, 1, 0], [1, 0, 1], [0, 1, 3]])[[*range(L), 3]]
    frames = np.eye(3) - 2 * vectors[:, :, None] * vectors[:, None, :] / (vectors**2).sum(1)[:, None, None]
    return SpectralNetwork(frames[..., :2], np.array(start), np.array([2.0, 1]))


def second_singular_value(network: SpectralNetwork, L: int) -> tuple[float, float]:
    """s_2 by LAPACK when the flow of all layers has brought s_1 to 1, and a bound on its error.

    The operator norms of the layers stay below 2^(1/L), and that of W below 2. A singular value changes by at most the
    change of the matrix. A layer is made by two products of three entries from frames of four roundings each; the
    layers are multiplied, and the product is decomposed.
    """
    layers, T = network.layers(L), network.target_matrix(L)

    def ahead(moving: list[np.ndarray]) -> float:
        return 1 - network.modes(end_to_end(moving), L)[0]

    run = layer_flow(layers, lambda W: W - T, np.array([10.0]), until=ahead)
    end = end_to_end([W[-1] for W in run.layers])
    return svd(end, compute_uv=False)[1], 2 * L * run.error[-1] + rounding(15 * L + factorization(3, 3), 2)
