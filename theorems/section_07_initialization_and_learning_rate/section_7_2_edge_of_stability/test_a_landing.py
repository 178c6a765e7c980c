r"""Section 7.2: edge of stability (a) - a run that lands exactly on a minimum may stay beyond 2/eta.

Setting     Gradient descent on $L = \frac12 (uv - 1)^2$. Write $r = uv - 1$; at a minimum the sharpness is
            $S = u^2 + v^2$. C6 says: under H1 a run that converges to a minimum has $S \le 2/\eta$ there
Hypotheses  (H1) of C6: $r_t \ne 0$ at all times.
Idea        A run that hits a minimum in one step rests there, whatever its sharpness. Such starts have measure zero:
            $r_t$ is a polynomial in the start, and it is $-1$ at (0, 0)
Tolerance   Rational arithmetic
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import necessity
from theorems.section_07_initialization_and_learning_rate.section_7_2_edge_of_stability.minimal_model import (
    dyadic_starts,
    product_path,
    settle,
)


@necessity("H1")
def test_one_step_may_land_on_a_minimum_beyond_the_edge():
    # given
    u, v, eta = Fraction(-2), Fraction(1), Fraction(1, 2)
    # when
    end = product_path(u, v, eta, 2)
    # then
    assert_identical(end[1:], [(Fraction(-1, 2), -2)] * 2, why="the minimum in which it rests")
    assert_violates(sum(z * z for z in end[-1]), 2 / eta, reads="S = {value} > {limit}", u=u, v=v, eta=eta)


@necessity("H1")
def test_hypothesis_finds_a_run_that_ends_beyond_the_edge():
    # given  integers u, v and eta = 1/k; a minimum is reached exactly, by a step that moves
    def end(instance):
        u, v, k = instance
        return product_path(Fraction(u), Fraction(v), Fraction(1, k), 2)[-1]

    def beyond(instance):
        u, v = end(instance)
        return instance[0] * instance[1] != 1 and u * v == 1 and u * u + v * v > 2 * instance[2]

    found = smallest_violation(st.tuples(st.integers(-4, 4), st.integers(-4, 4), st.integers(1, 8)), beyond)
    u, v = end(found)
    assert_violates(u * u + v * v, 2 * found[2], reads="S = {value} > {limit}", u=found[0], v=found[1], k=found[2])


@necessity("H1")
def test_without_H1_dyadic_starts_end_on_minima_beyond_the_edge_all_by_landing_exactly():
    u, v, eta = dyadic_starts(offset=0)
    # when
    _, end, converged = settle(u, v, eta)
    beyond = np.flatnonzero(converged)[(eta * sum(z**2 for z in end))[converged] > 2]
    assert_at_most(1, len(beyond), why="runs that end there")
    # then   in fractions
    u, v, eta = (fractions(z[beyond]) for z in (u, v, eta))
    u, v = product_path(u, v, eta, 4)[-1]
    assert_identical(u * v, 1 + 0 * u, why="uv after four steps")
