r"""Section 1.2: dependence on initialization, learning rate and algorithm (b) - rates on a difference of squares.

Setting     $f = (u^2 - v^2)^\top x$ with entrywise squares, $u_0$ and $v_0$ without zeros:
            $L(u, v) = \frac12 (x^\top w - y)^2$ with one sample $x > 0$ and $w = u^2 - v^2$; $g = (x^\top w - y) x$. A
            step of descent multiplies $uv$ by $1 - 4 \eta^2 g_t^2$, entry by entry
Hypotheses  (H2) The model is not linear in its parameters: $f = uvx$, or $f = (u^2 - v^2)^\top x$.
            (H3) The start is off $M$, and in the model $f = uvx$ not balanced: $u_0^2 \ne v_0^2$.
Corrected   (C3) On $f = (u^2 - v^2)^\top x$ let $u_0 \ge v_0 > 0$, $x > 0$ and $x^\top w_0 < y$, so that $u$ only grows
            and $v$ only shrinks, and let $2 \eta (k + 4 \max_j x_j (y - x^\top w_0)) \le 1$ with
            $k = 4 \sum_j x_j^2 (u_j^2 + v_j^2)$ at the start. Then from the first step on, $uv$ and its limit lie
            between $1 - 4 \eta g_0^2 / k$ and $1 - 4 \eta^2 g_0^2$ times the initial value.
Idea        By (C3) two rates with $\eta' < \eta^2 k$ end with two values of $uv$, and so at two minima
Tolerance   Steps in rational arithmetic are exact. A run in floating point has a number of steps that is known
            beforehand; a few roundings a step are its slack
Source      (C3) is proved here
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.diagonal import diagonal_step
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.limits import CONVERGED
from theorems.ledger import corrected, under_hypotheses
from theorems.section_01_introduction.section_1_2_dependence.squares_difference import (
    SquaresDifference,
    descend,
    descent_rounding,
    kept_between,
    squares_differences,
)


@under_hypotheses("H2", "H3")
@given_batches(network=squares_differences())
def test_learning_rates_far_enough_apart_find_differences_of_squares_that_are_apart(network):
    # given  a large rate with eta K <= 1/2 at every step, and a small one, eta' = eta^2 k/4
    large = 1 / (2 * network.largest)
    small = large**2 * network.kernel / 4
    # when
    (u, v, _), (u_small, v_small, steps) = descend(network, large), descend(network, small)
    # then   both runs interpolate after the number of steps that was known beforehand
    slack = descent_rounding(steps)
    ends = np.stack([u**2 - v**2, u_small**2 - v_small**2])
    residual = np.abs(np.vecdot(ends, network.x) - network.y[:, 0]).max(0)
    assert_at_most(residual, CONVERGED * network.missing + slack * network.largest, why="residuals", instance=network)
    # and    every entry of uv ends below 1 - 4 eta^2 g^2 times its start at the large rate, and above
    #        1 - 4 eta' g^2/k = 1 - eta^2 g^2 times it at the small rate
    kept, kept_small = u * v / (network.u * network.v), u_small * v_small / (network.u * network.v)
    fall, slack = (large[:, None] * network.g) ** 2, slack[:, None]
    _, most = kept_between(large[:, None], network.g, network.kernel[:, None])
    least, _ = kept_between(small[:, None], network.g, network.kernel[:, None])
    assert_at_most(kept, most + slack, why="large rate", instance=network)
    assert_at_most(least, kept_small + slack, why="small rate", instance=network)
    assert_at_most(3 * fall, kept_small - kept + 2 * slack, why="difference of the two limits", instance=network)


@corrected("C3")
def test_the_two_bounds_on_a_difference_of_squares_are_nearly_attained():
    # given  x = 1, u = v = 10 and y = 1/8: the kernel hardly grows from k = 800, and eta is about 1/(2 k)
    network = SquaresDifference(np.ones((1, 1)), np.full((1, 1), 10.0), np.full((1, 1), 10.0), np.array([1 / 8]))
    eta = 1 / (2 * network.largest)
    # when   g_t halves at every step
    u, v, steps = descend(network, eta)
    loss = 1 - u * v / (network.u * network.v)
    # then
    upper, lower = (1 - kept for kept in kept_between(eta, network.g[0], network.kernel))
    slack = descent_rounding(steps)
    assert_within(lower, loss[0], upper, slack=slack, why="what uv loses")
    assert_at_most(upper / 2, loss[0] + slack, why="more than half of the larger bound")
    assert_at_most(loss[0] / 2, lower + slack, why="less than twice the smaller bound")


@pytest.mark.slow
@corrected("C3")
@given(tapes(12), st.integers(1, 3))
def test_at_every_scale_the_bounds_on_a_difference_of_squares_hold_from_the_first_step_on(tape, t):
    # given  exact arithmetic; x, u and y - x'w from 2^-20 to 2^20; the longest step of C3, or one 2^20 times shorter
    def powers(count):
        return np.array([Fraction(2) ** (tape.below(41) - 20) for _ in range(count)])

    x, u = powers(2), powers(2)
    v = u * np.array([tape.choice((Fraction(1), Fraction(1, 2), Fraction(1, 2**20))) for _ in u])
    missing, k = powers(1)[0], 4 * (x**2) @ (u**2 + v**2)
    X, y = x[None], np.array([x @ (u**2 - v**2) + missing])
    eta = tape.choice((Fraction(1), Fraction(1, 2**20))) / (2 * (k + 4 * x.max() * missing))
    # when
    end = u, v
    for _ in range(t):
        end = diagonal_step(X, y, *end, eta)
    # then
    kept, g = end[0] * end[1] / (u * v), missing * x
    least, most = kept_between(eta, g, k)
    assert_within(least, kept, most, why="what is kept of uv")
