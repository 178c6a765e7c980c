r"""Corollary 8.2 (c) - flatter.

Printed     A smaller batch size leads to flatter minima
Reading     The minimum that the smaller batch finds is flatter, in the mean over the minibatches, where both batch
            sizes have one problem, step, start and number of steps
Setting     One parameter, two samples, minima at 0 and 1 of one depth, and $B = 1$ against $B = 2$. The losses are
            $f_i = \frac12 \min(a_i x^2, b_i (x - 1)^2)$: each sample is fitted at both minima, with the curvatures
            $a_i$ at 0 and $b_i$ at 1. The worse of the two minima is the one at which the loss is sharper
Hypotheses  (H5) SGD starts at or beside the worse of two minima.  (H6) At this step all samples at once stay at that
            minimum. Single samples may leave it for the other minimum, where they stay.
Idea        In the models of H5 and H6 single samples leave the minimum at which they are unstable, be it the sharper or
            the flatter one
Tolerance   Exact: the orders of single samples are enumerated, in short binary fractions. At two thirds of a step,
            which is rounded, the slack is counted
Findings    In the counterexample that is worked out by hand the samples differ more at the flatter of two minima, and
            batches of one leave it for the sharper
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.escapes import (
    LEAST_SHARE,
    Escape,
    escapes,
    share_that_leaves,
    single_sample_ends,
)
from theorems.section_08_stochastic_gradient_descent.finite_chains.landscapes import TwoMinima


@counterexample
def test_batches_of_one_leave_the_flatter_of_two_minima_for_the_sharper():
    r"""$f_i = \frac12 \min(\frac94 x^2, b_i (x - 1)^2)$, $b = (\frac14, \frac{15}4)$: sharpness $\frac94$ at 0, 2 at 1.
    $x_0 = \frac54$, $\eta = \frac34$. At $B = 2$ steps halve $|x - 1|$. At $B = 1$ sample 2, four times, leads by 0.55,
    $-0.38$, 0.26 to $-0.18$, and all steps on to 0, as do $p = \frac{401}{512}$ of ten draws: $2 + \frac p4 > 2$."""
    minima, eta, steps = TwoMinima(np.array([9 / 4, 9 / 4]), np.array([1 / 4, 15 / 4])), 3 / 4, 10
    # when   all 1024 orders, and full batches; a step adds four bits to the two of 5/4, so that nothing is rounded
    ends = single_sample_ends(minima, eta, 5 / 4, steps)
    full = 5 / 4
    for _ in range(steps):
        full = full - eta * minima.gradients(full).mean()
    assert_identical(full - 1, 2.0**-12, why="full batches approach 1: (1 - eta h)^10/4")
    # then   no order leaves |x| < 1/4: there all samples are on their left branch, and 1 - eta h = -11/16
    p = Fraction(int((np.abs(ends) < 1 / 4).sum()), len(ends))
    assert_identical(p, Fraction(401, 512), why="orders that have ended at the sharper minimum")
    reads = "mean sharpness of the minimum found, at least {value} at B=1 > {limit} at B=2"
    assert_violates(2 + p / 4, 2, reads=reads, left=["9/4", "9/4"], right=["1/4", "15/4"], eta="3/4", start="5/4")


@counterexample
def test_hypothesis_finds_two_minima_of_which_batches_of_one_find_the_sharper():
    def share_and_sharpnesses(instance):
        a, b, c = (curvature / 4 for curvature in instance)
        ends = single_sample_ends(TwoMinima(np.array([a, a]), np.array([b, c])), 3 / 4, 5 / 4, 6)
        return Fraction(int((np.abs(ends) < 1 / 4).sum()), 64), Fraction(a), Fraction(b + c) / 2

    def violates(instance):
        # eta h < 2 at both minima; |x| < 1/4 is never left, nor is |x - 1| <= 1/4 by full batches
        a, b, c = instance
        return b + c < 2 * a and a <= 9 * min(b, c) and share_and_sharpnesses(instance)[0] > 0

    found = smallest_violation(st.tuples(st.integers(1, 10), *[st.integers(1, 16)] * 2), violates)
    p, sharp, flat = share_and_sharpnesses(found)
    reads = "mean sharpness of the minimum found, at least {value} at B=1 > {limit} at B=2"
    assert_violates(flat + p * (sharp - flat), flat, reads=reads, quarters_left_right_right=found)


@under_hypotheses("H5", "H6")
@given(escape=escapes())
def test_beside_the_sharper_of_two_minima_batches_of_one_find_the_flatter_and_full_batches_do_not(escape):
    # given  H5, H6 by the strategy
    flat, sharp = escape.sharpness
    assert_at_most(flat, sharp - 1 / 4, why="H5: the start is beside the sharper minimum")
    # when
    p = share_that_leaves(escape)
    # then   orders that do not end at the flatter minimum have at most the sharpness of the other one
    assert_at_most(LEAST_SHARE, float(p), why="share of orders that end at the flatter minimum")
    assert_at_most(flat * p + sharp * (1 - p), (1 - LEAST_SHARE / 8) * sharp, why="mean sharpness of B = 1, of B = 2")


@under_hypotheses("H5", "H6")
def test_of_the_256_orders_of_eight_samples_a_single_one_may_leave():
    # given  eta h = (6/8, 1/8) at 0 and (2/8, 20/8) at 1, from 7/8
    escape = Escape(TwoMinima(np.array([6 / 8, 1 / 8]), np.array([2 / 8, 20 / 8])), 1.0, 7 / 8)
    assert_at_most(escape.sharpness[0], escape.sharpness[1] - 1 / 4, why="H5: the start is beside the sharper minimum")
    # then
    assert_identical(share_that_leaves(escape), Fraction(LEAST_SHARE), why="share of orders that leave")


@necessity("H5")
def test_without_H5_batches_of_one_leave_the_flatter_minimum_and_full_batches_do_not():
    # given  eta h = (3/8, 5/2) at 1, beside which SGD starts, but 3/2 for both samples at 0
    escape = Escape(TwoMinima(np.array([3 / 2, 3 / 2]), np.array([3 / 8, 5 / 2])), 1.0, 9 / 8)
    p = share_that_leaves(escape)
    assert_keeps(H6=p > 0)
    # then   H5 fails, as the start is beside the flatter minimum; at least 2^-8 of the orders end at the sharper one
    assert_identical(escape.sharpness, (3 / 2, 23 / 16), why="sharper at 0")
    assert_at_most(LEAST_SHARE, float(p), why="share of orders that end at the sharper minimum")


@necessity("H6")
@given(escape=escapes())
def test_without_H6_at_two_thirds_of_the_step_no_order_leaves_the_sharper_minimum(escape):
    # given  eta h_i at most 2 for both samples at 1, beside which SGD starts
    gentle = dataclasses.replace(escape, eta=escape.eta * 2 / 3)
    assert_keeps(H5=gentle.sharpness[0] < gentle.sharpness[1])
    # and    three operations on numbers up to 2 make eta h_i, and six on numbers up to 9/8 a step
    stays = 1 + rounding(3, 2)
    assert_at_most(np.abs(1 - gentle.eta * gentle.minima.right), stays, why="no single sample leaves")
    # then   all orders of B = 1 approach the sharper minimum, as all samples at once do
    ends = single_sample_ends(gentle.minima, gentle.eta, gentle.start, 8)
    assert_at_most(np.abs(ends - 1), 1 / 8 + rounding(8 * 6, 9 / 8), why="distance to the sharper minimum")
