"""ReLU networks with rational weights, and the map that divides hidden weights and multiplies output weights by c."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions


# rescaling leaves the scale of a network alone, so that it may be 1
@expects(constant="[0].scale", positive="[2]", integer="[0].W, [0].a, [1]")
@st.composite
def relu_networks(draw: st.DrawFn) -> tuple[ExactReluNetwork, np.ndarray, Fraction]:
    """A ReLU network with integer weights, m and d and n of 1 to 3, its inputs, and a rational factor c > 0.

    Shrinks to zero weights; neurons may be dead.
    """
    tape = draw(tapes(5 + 9 + 3 + 9))
    m, d, n = 1 + tape.below(3), 1 + tape.below(3), 1 + tape.below(3)
    c = Fraction(1 + tape.below(12), 1 + tape.below(12))
    W, a, X = (fractions(tape.integers(shape, 3).astype(int)) for shape in ((m, d), m, (n, d)))
    return ExactReluNetwork(W, a, Fraction(1)), X, c


def rescaled(net: ExactReluNetwork, c: Fraction) -> ExactReluNetwork:
    """The network with hidden weights divided by c and output weights multiplied by c."""
    return ExactReluNetwork(net.W / c, net.a * c, net.scale)


def kernels_of_layers(net: ExactReluNetwork, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """K_W and K_a, the tangent kernels of the two layers alone; exact."""
    J, split = net.jacobian(X), net.W.size
    return J[:, :split] @ J[:, :split].T, J[:, split:] @ J[:, split:].T
