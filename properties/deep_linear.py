"""Deep linear networks: rounding error of their gradients and losses, and a step that provably lowers the loss."""

from __future__ import annotations

import numpy as np

from fixtures.dynamics.deep_linear import Layers, regression_loss
from fixtures.precision import rounding


def frobenius(matrix: np.ndarray) -> np.ndarray:
    """The Frobenius norm over the last two axes."""
    return np.sqrt((np.asarray(matrix, float) ** 2).sum((-2, -1)))


def gradient_rounding(layers: Layers, X: np.ndarray, Y: np.ndarray) -> list[np.ndarray]:
    """A bound on the error of each computed gradient of (1/2)|WX - Y|^2, in the Frobenius norm, to first order in u.

    A product with inner dimension at most m rounds by m u |A|_F |B|_F, in any order of summation. The gradient of a
    layer takes L products and one subtraction for the residual, which is at most r = |X| prod |W_k| + |Y|, and L + 1
    further products. So an entry goes through at most 2(L + 1) m roundings of size |X| r prod_{k != l} |W_k|, for any
    association of the products.
    """
    sizes = [frobenius(layer) for layer in layers]
    operations = 2 * (len(layers) + 1) * _inner(layers, X)
    scale = rounding(operations, frobenius(X) * _residual_scale(layers, X, Y))
    return [scale * np.prod(sizes[:index] + sizes[index + 1 :], axis=0) for index in range(len(layers))]


def loss_rounding(layers: Layers, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """A bound on the error of the computed loss: |R| e + e^2 for a residual R that rounds by e, plus the summation.

    The residual takes L products and a subtraction; the sum has at most m^2 terms.
    """
    inner = _inner(layers, X)
    error = rounding((len(layers) + 1) * inner, _residual_scale(layers, X, Y))
    loss = regression_loss(layers, X, Y)
    return error * (np.sqrt(2 * loss) + error) + rounding(inner**2, loss)


def _inner(layers: Layers, X: np.ndarray) -> int:
    """The largest inner dimension of any product of layers, data and residuals."""
    return max(*np.shape(X)[-2:], *(dimension for layer in layers for dimension in layer.shape[-2:]))


def _residual_scale(layers: Layers, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """|X| prod |W_k| + |Y|, which bounds the residual and is the scale of its rounding."""
    return frobenius(X) * np.prod([frobenius(layer) for layer in layers], axis=0) + frobenius(Y)


def monotone_rate(layers: Layers, X: np.ndarray, Y: np.ndarray, steps: int, radius: float = 1.0) -> np.ndarray:
    """A step size at which each of `steps` steps of gradient descent lowers the loss by at least (eta/2)|gradient|^2.

    Within `radius` of the start every |W_l| is at most M. There the second derivative along a unit direction is at most
    beta = L M^(2L-2) |X|^2 + (L-1) M^(L-2) |X| (M^L |X| + |Y|). The first term is |dW X|^2, and the second is the
    curvature of the product times the residual. While eta <= 1/beta, the steps satisfy sum eta |g|^2 <= 2 loss_0. By
    Cauchy-Schwarz the sum of their lengths is at most (2 steps eta loss_0)^(1/2), which is at most `radius` when
    eta <= radius^2/(2 steps loss_0).
    """
    L = len(layers)
    M = np.max([frobenius(layer) for layer in layers], axis=0) + radius
    x, y = frobenius(X), frobenius(Y)
    beta = L * M ** (2 * L - 2) * x**2 + (L - 1) * M ** (L - 2) * x * (M**L * x + y)
    reach = 2 * steps * np.asarray(regression_loss(layers, X, Y), float) / radius**2
    return 1 / np.maximum(np.maximum(beta, reach), 1.0)
