"""Rounding error of the values, derivatives and gradients of a residual network: bounds with their derivation."""

from __future__ import annotations

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from theorems.section_09_architectures.residual.model import ResidualNetwork


def branch_operations(net: ResidualNetwork) -> int:
    """The operations of a layer h + c U s(W h), or of its slope: inner products of d and m entries and 8 more.

    tanh has four of them, its slope two more.
    """
    m, d = net.W.shape[-2:]
    return d + m + 8


def derivative_rounding(net: ResidualNetwork) -> np.ndarray:
    """How far the values and both derivatives along a unit direction may be off, (...,), at an input of length one.

    A layer of the second derivative has six operations more than a value. An error of a state moves the derivatives by
    less than (1 + steep)^2 (1 + M), with the bounds of `derivative_bounds`.
    """
    steep, M = net.derivative_bounds()
    return rounding(net.depth * (branch_operations(net) + 6), (1 + steep) ** 2 * (1 + M))


def gradient_rounding(net: ResidualNetwork, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A bound on the error of each computed gradient of (1/2)|h_L - y|^2, to first order in u, shape (...,).

    Notation: P = prod (1 + eps_l) with eps_l of `branch_lipschitz`. A state is at most P|x|, and a signal (a gradient
    in a state) at most G = P(P|x| + |y|). A layer rounds by `unit` of its input, where the products are on absolute
    values, of the size c |U|_F |W|_F.

    Forward: the layers multiply the error of a state by P in all, so it is at most e = L unit P|x|. Backward: the
    residual is off by e, and rounds. A layer of a signal rounds like one of a state; and its slope s', taken at a state
    that is off by e, is off by |W_l| e, as |s''| < 1. A gradient is c U's'(W h) times a signal and a state: its factors
    are off by what was said, and it rounds by a layer and six more operations.
    """
    L, c = net.depth, np.asarray(net.scale)
    size_W, size_U = norm(net.W, axis=(-2, -1)), norm(net.U, axis=(-2, -1))
    operations, eps = branch_operations(net), net.branch_lipschitz()
    P, unit = np.prod(1 + eps, axis=-1), rounding(operations, 1 + c * (size_U * size_W).max(-1))
    reach = P * norm(x, axis=-1)
    G, state = P * (reach + norm(y, axis=-1)), L * unit * reach
    signal = P * state + ((L + 1) * unit + L * (eps * size_W).max(-1) * state) * G
    moved = signal * reach + G * (state * (1 + size_W.max(-1) * reach) + rounding(operations + 6, reach))
    return np.maximum(signal, c * np.maximum(size_U, size_W).max(-1) * moved)
