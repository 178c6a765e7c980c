r"""Proposition 4.2 (a) - regularization proportional to depth.

Printed     Effective regularization $\propto L$ (display)
Reading     The strength is the selection exponent: the power of a singular value at which it learns. It makes large
            singular values run ahead of small ones. A factor $L$ in front of the whole velocity is no regularization
            towards low rank, because it speeds up all modes alike.
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, gradient flow; a mode is a singular value $s_r$ of
            $W = W_L \cdots W_1$ with its singular vectors $u_r$ and $v_r$, and its force is $-u_r^\top \nabla v_r$,
            where $\nabla$ is the gradient of the loss in $W$.
Corrected   (C2) Two modes under equal forces move in the ratio $(s_1/s_2)^p$ with the selection exponent $p = 2 - 2/L$,
            that is $0, 1, \frac43, \frac32, \dots$, which stays below 2.
Differs     The exponent is bounded by 2 and each mode from below by its start at any depth, while $L$ has no bound: the
            corrected bias saturates where the print lets it grow in proportion.
Idea        A singular value moves at the rate $L s^{2 - 2/L}$ times its force. The factor $L$ cancels in a ratio of two
            modes, and the exponent $2 - 2/L$ grows with $L$ but stays below 2. Twice the depth does not double it.
Tolerance   Exact: the layer gradients run on fractions.
Expected    refuted
"""

from fractions import Fraction

import pytest
from hypothesis import strategies as st

from properties.certificates import assert_identical, assert_violates, record_series
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.selection import selection_exponent


def out_of_proportion(depth, factor):
    """`factor` times the selection exponent at this depth, less the exponent at the depth times `factor`."""
    return factor * selection_exponent(depth) - selection_exponent(factor * depth)


@counterexample
def test_twice_the_depth_is_less_than_twice_the_selection():
    r"""$s_1 = 1$, $s_2 = 2^{-12}$ under equal forces: $\dot s_1 / \dot s_2 = (s_1/s_2)^{2 - 2/L}$ is $2^{12}$ at depth
    2, so the exponent is 1. In proportion to the depth it would be 2 at depth 4. There the ratio is $2^{18}$, so the
    exponent is $\frac32 < 2$."""
    twice, deeper = 2 * selection_exponent(2), selection_exponent(4)
    # then
    names = {"p_2": selection_exponent(2), "p_4": deeper}
    assert_violates(
        twice, deeper, reads="twice the selection exponent of depth 2, {value} > {limit} of depth 4", **names
    )


@counterexample
def test_hypothesis_finds_two_depths_out_of_proportion():
    # given  depths L and kL that divide 12. The pair (12, 1) is no violation
    pairs = st.sampled_from([(6, 2), (4, 3), (3, 4), (3, 2), (2, 6), (2, 3), (2, 2), (12, 1)])
    # when
    L, k = smallest_violation(pairs, lambda pair: out_of_proportion(*pair) > 0)
    # then
    assert_violates(out_of_proportion(L, k), 0, reads="k p_L - p_kL = {value} > {limit}", L=L, k=k)


@corrected("C2")
@pytest.mark.parametrize("L", [1, 2, 3, 4, 6, 12])
def test_the_selection_exponent_is_two_less_two_over_the_depth(L):
    exponent = selection_exponent(L)
    assert_identical(exponent, 2 - Fraction(2, L), why="selection exponent, from the layer gradients")
    record_series(f"depth {L}", L=[L], exponent=[exponent])
