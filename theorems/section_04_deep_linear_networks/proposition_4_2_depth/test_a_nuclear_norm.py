r"""Proposition 4.2 (a) - the strength read as the nearness to the least nuclear norm.

Readings    [nuclear norm] the quantity that the paper names next to the sentence, in Theorem 4.1: the strength is the
            logarithm of how near the solution comes to the least nuclear norm, here the least trace - refuted
Setting     The loss is $\frac12 (\langle \operatorname{diag}(1, 2), W \rangle - y)^2$ with $W = W_L \cdots W_1$, and
            the flow starts at $W_\ell = \alpha I$. $W$ stays diagonal and positive definite, so its nuclear norm is its
            trace.
Corrected   (C5) Read as [nuclear norm]: let $\langle \operatorname{diag}(1, 2), W \rangle$ be measured, and let the
            flow from $W_\ell = \alpha I$, $\alpha < 1$, have come to $W_{22} = 1$. At $L \ge 3$ the trace exceeds the
            least by $\alpha^L / 2$ at least and $4 \alpha^L$ at most; at depth two it exceeds it by $\alpha/2$. So the
            order in $\alpha$ is $L$ from depth three on, in proportion to the depth, and 1 at depth two.
Idea        The flow conserves $v_1^{-m} - v_2^{-m}/2$ for the entries $v_1, v_2$ of a layer and $m = L - 2$. At depth
            two the trace exceeds the least by $\alpha/2$, at depth four by about $2 \alpha^4$. Proportion would make it
            of order $\alpha^2$ at depth four.
Tolerance   Exact: all values are rational at depths 2, 3 and 4.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from fixtures.dynamics.deep_linear import layer_gradients
from fixtures.rational import fractions
from properties.certificates import assert_identical, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample


def excess_of_trace(alpha, L):
    """How much the trace exceeds the least when the flow from W_l = alpha I has W_22 = 1; exact at L = 2, 3 and 4.

    <diag(1, 2), W> is measured. The flow keeps w_1 = alpha^2 x, w_2 = alpha^2 x^2 for two layers, and for L = m + 2
    (v_1^-m - alpha^-m) = (v_2^-m - alpha^-m)/2 with w = v^L. The least trace is (w_1 + 2 w_2)/2, so w_1/2 is too much.
    """
    m = L - 2
    w_1 = alpha if L == 2 else (2 / (alpha**-m + 1)) ** Fraction(L, m)
    return w_1 / 2


@counterexample(reading="nuclear norm")
def test_at_twice_the_depth_the_trace_comes_nearer_to_the_least_than_in_proportion():
    r"""$\alpha = 1/10$, until $W_{22} = 1$: the trace exceeds the least by $W_{11}/2$. Two layers keep
    $W_{11}^2 = \alpha^2 W_{22}$: excess $1/20$. Four keep $2 v_1^{-2} - v_2^{-2} = \alpha^{-2}$, $W_{jj} = v_j^4$:
    $v_1^2 = 2/101$, excess $2/10201$. In proportion it would be $(1/20)^2 = 1/400$, which is larger."""
    alpha = Fraction(1, 10)
    shallow, deep = excess_of_trace(alpha, 2), excess_of_trace(alpha, 4)
    assert_identical([shallow, deep], [Fraction(1, 20), Fraction(2, 10201)], why="excess at depths two and four")
    reads = "(excess at L = 2)^2 = {value} > {limit} at L = 4, equal if in proportion"
    assert_violates(shallow**2, deep, reads=reads, a=[1, 2], W_22=1, alpha=alpha)


@counterexample(reading="nuclear norm")
def test_hypothesis_finds_a_start_from_which_the_nearness_is_out_of_proportion():
    def surplus(k):
        return excess_of_trace(Fraction(1, k), 2) ** 2 - excess_of_trace(Fraction(1, k), 4)

    k = smallest_violation(st.integers(1, 20), lambda k: surplus(k) > 0, budget=40)
    assert_violates(surplus(k), 0, reads="surplus {value} > {limit}", alpha=Fraction(1, k))


@corrected("C5", reading="nuclear norm")
@pytest.mark.parametrize("L", [3, 4, 6])
def test_from_depth_three_on_the_order_of_the_excess_in_the_start_is_the_depth(L):
    # given  layers diag(1/2, 2/3) and the measurement <diag(1, 2), W> = 1, in rational arithmetic
    v, a, m = fractions(["1/2", "2/3"]), np.array([1, 2]), L - 2
    residual = a @ v**L - 1
    velocity = -np.diag(layer_gradients([np.diag(v)] * L, lambda _: residual * np.diag(a))[0])
    # then   d(v_j^-m)/dt = m a_j residual, so that v_1^-m - v_2^-m/2 is conserved
    assert_identical(-m * velocity / v ** (m + 1), m * residual * a, why="d(v^-m)/dt")
    excess = [excess_of_trace(Fraction(1, k), L) * k**L for k in (2, 10, 1000)]
    assert_within(1 / 2, np.array(excess, float), 4, why="trace above the least over alpha^L")
    assert_identical(excess_of_trace(Fraction(1, 10), 2), Fraction(1, 20), why="trace above the least at depth two")


@corrected("C5", reading="nuclear norm")
def test_both_constants_of_the_order_are_nearly_attained():
    # given  alpha = 1/1000 at depth three for the constant 4, and alpha = 99/100 for the constant 1/2
    small, large = Fraction(1, 1000), Fraction(99, 100)
    # then
    assert_within(3.98, float(excess_of_trace(small, 3) / small**3), 4, why="excess over alpha^3, small start")
    above = [float(excess_of_trace(large, L) / large**L) for L in (3, 4, 6)]
    assert_within(1 / 2, np.array(above), 0.54, why="excess over alpha^L, large start")
