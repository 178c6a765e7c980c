r"""Section 1.2: dependence on initialization, learning rate and algorithm (b) - learning rates on the network uvx.

Setting     $f = uvx$ with one sample $(1, y)$: $L(u, v) = \frac12 r^2$ with the residual $r = uv - y$; the minima are
            $M = \{uv = y\}$. A step of descent multiplies $u^2 - v^2$ by $1 - \eta^2 r_t^2$
Hypotheses  (H2) The model is not linear in its parameters: $f = uvx$, or $f = (u^2 - v^2)^\top x$.
            (H3) The start is off $M$, and in the model $f = uvx$ not balanced: $u_0^2 \ne v_0^2$.
Corrected   (C2) On $f = uvx$ let $u_0 > v_0 \ge 0$ and $u_0 v_0 < y$, so that both only grow, and let
            $2 \eta ((u_0^2 - v_0^2)^2 + 4 y^2)^{1/2} \le 1$. Then from the first step on, $u^2 - v^2$ and its limit lie
            between $1 - \eta r_0^2 / m$ and $1 - \eta^2 r_0^2$ times the initial value, with $m = u_0^2 + v_0^2$. Where
            $v_0 < 0$ the lower bound can fail.
Idea        By (C2) two rates with $\eta' < \eta^2 m$ end with two values of $u^2 - v^2$, and so at two minima
Tolerance   Steps in rational arithmetic are exact. A run in floating point has a number of steps that is known
            beforehand; a few roundings a step, relative to the largest $u^2 + v^2$, are its slack
Source      (C2) is proved here
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.factored_descent import product_descent, product_step
from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_within
from properties.linear_models.limits import CONVERGED
from theorems.ledger import corrected, under_hypotheses
from theorems.section_01_introduction.section_1_2_dependence.product_network import (
    Product,
    descend,
    descent_rounding,
    kept_between,
    products,
    wide_products,
)


@under_hypotheses("H2", "H3")
@given_batches(product=products())
def test_learning_rates_far_enough_apart_find_minima_that_are_apart(product):
    # given  a large rate with eta (u^2 + v^2) <= 1/2 at every step, and a small one, eta' = eta^2 m/4
    large = 1 / (2 * product.largest)
    small = large**2 * product.size / 4
    # when
    (u, v, _), (u_small, v_small, steps) = descend(product, large), descend(product, small)
    # then   both runs interpolate after the number of steps that was known beforehand
    slack = descent_rounding(product.largest, steps)
    residual = np.maximum(abs(u * v - product.y), abs(u_small * v_small - product.y))
    assert_at_most(residual, CONVERGED * -product.residual + slack, why="residuals", instance=product)
    # and    u^2 - v^2 ends below 1 - eta^2 r^2 times its start at the large rate, and above 1 - eta' r^2/m times it at
    #        the small rate: the two ends differ by at least 3/4 eta^2 r^2 times the start
    before, r2 = product.u**2 - product.v**2, product.residual**2
    most = kept_between(large, product.residual, product.size)[1] * before
    least = kept_between(small, product.residual, product.size)[0] * before
    assert_at_most(u**2 - v**2, most + slack, why="large rate", instance=product)
    assert_at_most(least, u_small**2 - v_small**2 + slack, why="small rate", instance=product)
    difference = u_small**2 - v_small**2 - (u**2 - v**2)
    assert_at_most(
        0.75 * large**2 * r2 * before, difference + 2 * slack, why="difference of the two limits", instance=product
    )


@corrected("C2")
@pytest.mark.parametrize("K", [10, 1000])
def test_the_two_bounds_on_a_product_are_nearly_attained(K):
    # given  the start (K, 0) and y = 1: u^2 + v^2 hardly grows from m = K^2, and eta is about 1/(2 m)
    product = Product(np.array([float(K)]), np.array([0.0]), np.array([1.0]))
    eta = 1 / (2 * product.largest)
    # when   r_t halves at every step, so that sum r_t^2 = 4/3
    u, v, steps = descend(product, eta)
    loss = 1 - (u**2 - v**2) / product.size
    # then   u^2 - v^2 loses 4/3 eta^2. The bounds of C2 say at least eta^2, and at most eta/m, which is 2 eta^2
    upper, lower = (1 - kept for kept in kept_between(eta, product.residual, product.size))
    slack = descent_rounding(product.largest, steps) / product.size
    assert_within(lower, loss, upper, slack=slack, why="what u^2 - v^2 loses")
    assert_at_most(upper / 2, loss + slack, why="more than half of the larger bound")
    assert_at_most(loss / 2, lower + slack, why="less than twice the smaller bound")


@pytest.mark.slow
@corrected("C2")
@given(tapes(6), st.integers(1, 4))
def test_at_every_scale_the_bounds_on_a_product_hold_from_the_first_step_on(tape, t):
    # given  exact arithmetic; u and y - uv from 2^-20 to 2^20; a step near the longest of C2, or one 2^20 times shorter
    u = Fraction(2) ** (tape.below(41) - 20)
    v = u * tape.choice((Fraction(0), Fraction(1, 2), 1 - Fraction(1, 2**20)))
    missing = Fraction(2) ** (tape.below(41) - 20)
    y, m = u * v + missing, u**2 + v**2
    eta = tape.choice((Fraction(1), Fraction(1, 2**20))) / (2 * (u**2 - v**2 + 2 * y))
    # when
    end = u, v
    for _ in range(t):
        end = product_step(*end, y, eta)
    # then
    kept = (end[0] ** 2 - end[1] ** 2) / (u**2 - v**2)
    least, most = kept_between(eta, missing, m)
    assert_within(least, kept, most, why="what is kept of u^2 - v^2")


@corrected("C2")
def test_a_start_of_two_signs_shrinks_first_and_breaks_the_lower_bound():
    # given  the start (1, -9/10), y = 1, eta = 1/1000. u and -v shrink until uv = 0, so that u^2 + v^2 falls below m
    u, v, eta = np.array([1.0]), np.array([-0.9]), np.array([1e-3])
    # when   16,000 steps
    end_u, end_v = product_descent(u, v, 1.0, eta, np.array([16_000]))
    kept, (promise, _) = (end_u**2 - end_v**2) / (u**2 - v**2), kept_between(eta, 1.9, u**2 + v**2)
    # then   u^2 + v^2 <= ((u^2 - v^2)^2 + 4)^(1/2), as |uv| <= 1; what is kept only falls, so far and from here on
    slack = descent_rounding(2.01, 16_000) / (u**2 - v**2)
    assert_at_most(abs(end_u * end_v - 1), CONVERGED, why="the run interpolates")
    assert_at_most(kept + slack, promise, why="less is kept than the lower bound would say")


@pytest.mark.slow
@under_hypotheses("H2", "H3")
@given_batches(start=wide_products())
def test_from_any_start_that_is_not_balanced_two_rates_find_two_minima_of_a_product(start):
    # given  every sign and order of u, v, y. S bounds u^2 + v^2 while |r| falls, and eta (S + |r_0|) <= 1/4
    u, v, y = start.u, start.v, start.y
    kept, r = u**2 - v**2, np.abs(u * v - y)
    S = np.sqrt(kept**2 + 4 * (np.abs(y) + r) ** 2)
    eta = 1 / (4 * (S + r))
    # when   two runs to convergence. A step has |r'| <= (1 - 7/8 eta |u^2 - v^2|)|r|, where at least half of the
    #        initial u^2 - v^2 is kept
    steps = steps_to_contract(1 - 7 / 16 * eta / 2 * np.abs(kept), CONVERGED)
    ends = [product_descent(u, v, y, rate, steps) for rate in (eta, eta / 2)]
    # then   what remains of a run, a move of length |r|/sqrt(|u^2 - v^2|) to an interpolant, is too short to make the
    #        two values of u^2 - v^2 equal
    residual = np.max([np.abs(a * b - y) for a, b in ends], axis=0)
    slack = descent_rounding(S, steps)
    assert_at_most(residual, CONVERGED * r + slack, why="both interpolate", instance=start)
    invariants = [np.abs(a**2 - b**2) for a, b in ends]
    assert_at_most(np.abs(kept) / 2, np.min(invariants, axis=0), why="half is kept", instance=start)
    bridge = 4 * np.sqrt(S) * residual / np.sqrt(np.abs(kept) / 2) + slack
    assert_at_most(bridge, invariants[1] - invariants[0], why="the smaller rate keeps more", instance=start)
