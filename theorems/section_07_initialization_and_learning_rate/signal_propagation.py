"""How a random network carries the size of its signal: statistics of known law at widths that need not be equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fixtures.models.activations import ACTIVATIONS


def chi_square_pivot(weights: Sequence[np.ndarray], x: np.ndarray, factor: float, activation: str) -> tuple[float, int]:
    """The sum of m_{l-1}|h_l|^2/(factor |a_l|^2) over layers and networks, and its degrees of freedom.

    h_l = W_l a_l, a_1 = x and a_{l+1} = s(h_l), for W_l (N, m_l, m_{l-1}) of independent entries N(0, factor/m_{l-1}).
    Given a_l, a term is a chi-square variable of m_l degrees. It depends on the length of h_l, while whether the next
    layer receives anything depends on its direction, which is independent of the length: so the sum over the layers
    that do receive something (a_l != 0) is exactly chi-square of their degrees together, at any widths and even where
    ReLU layers die. x (m_0,) is not zero. Power: at 1e-9, a variance that is 5/4 or 4/5 of the claimed one is missed
    with a probability below 1e-6 from 4788 degrees on, and 2 or 1/2 from 510 (`concentration.chi_square_power`).
    """
    received = np.broadcast_to(x, (len(weights[0]), len(x)))
    total, freedom = 0.0, 0
    for W in weights:
        h, size = np.matvec(W, received), np.square(received).sum(-1)
        alive = size > 0
        total += float((W.shape[-1] * np.square(h).sum(-1)[alive] / (factor * size[alive])).sum())
        freedom += W.shape[-2] * int(alive.sum())
        received = ACTIVATIONS[activation].value(h)
    return total, freedom
