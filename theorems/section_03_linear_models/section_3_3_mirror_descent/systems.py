"""Strategies: positive systems of wide range, and designs whose rows have disjoint supports."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fixtures.problems.expectations import expects
from fixtures.problems.positive import PositiveSystem
from fixtures.problems.regression import STEPS, regression_of_design
from fixtures.problems.tapes import tapes


@st.composite
def wide_positive_systems(draw: st.DrawFn) -> PositiveSystem:
    """Systems with w_p and w_0 from 2^-20 to 2^20, integer rows of scale 2^k, |k| in {0, 20, 100}, and any spectrum.

    The start lies on any side of w_p, a million times beyond it or below. Shrinks to X = [[1, 0]], w_p = w_0 = (1, 1).
    """
    tape = draw(tapes(2 + 2 + 8 + 5 + 5 + 2 + 3))
    n, scale = 1 + tape.below(2), 2.0 ** tape.choice((0, 20, -20, 100, -100))
    p = n + 1 + tape.below(2)
    X = scale * np.hstack([np.eye(n) + np.triu(tape.integers((n, n), 3), 1), tape.integers((n, p - n), 3)])
    w_p, w0 = (2.0 ** tape.integers(p, 20) for _ in range(2))
    design = vars(regression_of_design(X, X @ w_p)) | {
        "w0": w0,
        "step": tape.choice(STEPS),
        "t": tape.choice((0, 5, 1, 2, 3)),
    }
    mu = tape.integers(n, 4) / (4 * design["s"][0])
    return PositiveSystem(**design, w_p=w_p, mu=mu, exponent=tape.below(12))


@expects(nonnegative="[2]", positive="[3], [4]", integer="[0], [1]")
@st.composite
def disjoint_blocks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows c_i on disjoint blocks of coordinates: the flow is logistic in each. Shrinks to X = [[1]], w_0 = y = 1."""
    sizes, rates = st.integers(1, 3), st.sampled_from([1, 2, 3, -1, -2, -3])
    blocks = draw(st.lists(st.tuples(sizes, rates, st.integers(-2, 2)), min_size=1, max_size=3))
    columns = sum(size for size, _, _ in blocks)
    w0 = 2.0 ** np.array(draw(st.lists(st.integers(-2, 2), min_size=columns, max_size=columns)))
    block = np.repeat(np.arange(len(blocks)), [size for size, _, _ in blocks])
    c = np.array([rate for _, rate, _ in blocks], float)
    X = np.where(block == np.arange(len(blocks))[:, None], c[:, None], 0)
    return X, c, block, w0, 2.0 ** np.array([exponent for _, _, exponent in blocks])
