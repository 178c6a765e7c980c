r"""Corollary 8.2 (b) - the products of a diagonal network shrink more at a smaller batch.

Setting     Least squares in $w = u^2 - v^2$, squares entry by entry, with SGD on $u$ and $v$. $g_i$ is the gradient of
            sample $i$ with respect to $w$, $g_B$ its mean over a minibatch
Hypotheses  (H2) $|2 \eta g_{ij}| < 1$ for the gradients of all samples.
Corrected   (C3) For $w = u^2 - v^2$ with H2 one step multiplies $u_j v_j$ by $1 - (2 \eta g_{Bj})^2$, and the mean of
            the logarithm of this factor does not decrease as $B$ grows: the smaller batch shrinks the products more, or
            as much
Idea        The logarithm of $1 - a^2$ is concave in $a$, and the gradient of a larger batch is a mean of those of
            smaller ones
Tolerance   Exact: products of fractions over all minibatches, raised to powers that give all batch sizes the same
            number of factors
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.diagonal import diagonal_step
from fixtures.dynamics.minibatch_law import sample_gradients
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import corrected, necessity
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.least_squares import (
    SmallLeastSquares,
    small_least_squares,
)


def product_factors(problem, u, v, eta, batch):
    """The factors (K, 2) by which a step multiplies u_j v_j, one row for each minibatch."""
    chosen = problem.minibatches(batch)
    U, V = (np.broadcast_to(factor, (len(chosen), 2)) for factor in (u, v))
    rates = np.full((len(chosen), 1), eta / batch, object)
    after_u, after_v = diagonal_step(problem.X[chosen], problem.y[chosen], U, V, rates)
    return after_u * after_v / (u * v)


@pytest.mark.slow
@corrected("C3", "H2")
@given(problem=small_least_squares(rows=(3, 2)), tape=tapes(5))
def test_in_a_diagonal_net_a_step_shrinks_the_products_more_the_smaller_the_batch(problem, tape):
    # given  H2: the largest |2 eta g_ij| is 1/2, 1/4 or 7/8
    u, v = fractions(1 + tape.naturals((2, 2), 5)) / 2
    largest = np.abs(sample_gradients(problem.X, problem.y, u**2 - v**2)).max()
    eta = tape.choice((Fraction(1, 2), Fraction(1, 4), Fraction(7, 8))) / (2 * max(largest, Fraction(1)))
    # when   for each batch size the product of its factors, to a power that gives all sizes equally many factors
    kept = [product_factors(problem, u, v, eta, batch) for batch in range(1, len(problem.X) + 1)]
    common = math.lcm(*map(len, kept))
    means = [factors.prod(0) ** (common // len(factors)) for factors in kept]
    # then   exp(common E log(|uv|_1/|uv|_0)) does not fall as B grows, and is at most 1
    kept_by = np.array([*means, fractions([1, 1])], float)
    assert_at_most(kept_by[:-1], kept_by[1:], why="E log of the products as batches grow")


@corrected("C3", "H2")
def test_in_a_diagonal_net_the_products_of_a_smaller_batch_are_strictly_smaller():
    # given  x = (1, 0), (0, 1), y = 0, u = 2, v = 1, eta = 1/24: a = 2 eta g = 1/4 for one sample, 1/8 for their mean
    problem = SmallLeastSquares(fractions([[1, 0], [0, 1]]), fractions([0, 0]), None, None, False)
    one, both = (product_factors(problem, fractions([2, 2]), fractions([1, 1]), Fraction(1, 24), B) for B in (1, 2))
    # then   the product over the two single samples is less than the square of the factor of the pair
    assert_identical(one.prod(0), fractions(["15/16"] * 2), why="(1 - a^2) * 1")
    assert_identical(both[0] ** 2, fractions([Fraction(63, 64) ** 2] * 2), why="(1 - a^2/4)^2")
    assert_at_most(15 / 16, 63**2 / 64**2, why="the smaller batch keeps less")


@necessity("H2")
def test_without_H2_the_products_of_the_smaller_batch_grow():
    # given  x = 1 twice, y = 2 and -2, u = v = 1 and eta = 1/2: a = -2 and 2
    problem = SmallLeastSquares(fractions([[1, 0], [1, 0]]), fractions([2, -2]), None, None, False)
    one, both = (product_factors(problem, fractions([1, 1]), fractions([1, 1]), Fraction(1, 2), B) for B in (1, 2))
    # then
    assert_identical(one, [[-3, 1], [-3, 1]], why="1 - a^2")
    assert_identical(both, [[1, 1]], why="the pair has no gradient")
