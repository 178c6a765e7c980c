r"""Corollary 8.2 (d) - generalization.

Printed     A smaller batch size leads to better generalization, up to a point
Reading     Some batch finds a minimum of less risk than all samples at once do. How small it may be, "up to a point"
            leaves open. Batch sizes are compared on one problem, with one step, start and number of steps, in the mean
            over the minibatches
Setting     The counterexamples are least squares: $S_B$ is the stationary covariance of SGD with the batch $B$, and
            $T_B$ is what a step makes of a second moment: $T_B(S) = E[(I - \eta H_B) S (I - \eta H_B)]$, with $H_B$ the
            mean of $x_i x_i^\top$ over a minibatch. Under the hypotheses there are one parameter, two samples, minima
            at 0 and 1 of one depth, and $B = 1$ against $B = 2$, with the losses
            $f_i = \frac12 \min(a_i x^2, b_i (x - 1)^2)$. The worse of the two minima is the one of the larger risk
Hypotheses  (H5) SGD starts at or beside the worse of two minima.  (H6) At this step all samples at once stay at that
            minimum. Single samples may leave it for the other minimum, where they stay.
Corrected   (C6) On least squares, with $\rho(T_B) < 1$ at the smaller of two batches, the mean excess of a quadratic
            risk with the Hessian $G$, over the risk of the least squares solution, is
            $\frac12 \operatorname{tr}(G S_B)$, which does not grow with $B$
Idea        On least squares more noise is more variance, and no bias, so that it can only add to the risk. In the
            models of H5 and H6 single samples leave the minimum at which they are unstable, and the risk may be less or
            more at the other one
Tolerance   Exact: fractions, and short binary fractions in which nothing is rounded
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.minibatch_law import stationary_covariance
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_keeps, assert_violates
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.escapes import (
    LEAST_SHARE,
    Escape,
    escapes,
    share_that_leaves,
    single_sample_ends,
)
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.least_squares import small_least_squares
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.stationary_means import (
    samples_with_a_larger_mean_at_batch_one,
    stationary_means,
)
from theorems.section_08_stochastic_gradient_descent.finite_chains.landscapes import TwoMinima


@counterexample
def test_on_three_samples_no_minibatch_has_less_risk_than_all_of_them():
    r"""$x = (1, 2, 2)$, $y = (3, 0, 0)$, $\eta = \frac19$; fresh $x = \pm 1$, $y = 0$. Gradients vary by $2(w + 1)^2$,
    means of $B = 1, 2, 3$ by $f = 1, \frac14, 0$ of it. At rest $E w = \frac13$, the variance is $S = \frac49 S +
    \frac{f}{81}(\frac{32}9 + 2S)$, the risk $\frac1{18} + \frac12 S = \frac{25}{258} > \frac{35}{534} > \frac1{18}$."""
    X, y, eta = fractions([[1], [2], [2]]), fractions([3, 0, 0]), Fraction(1, 9)
    # when   the risk E w^2/2 of the stationary law, batches of distinct samples
    one, two, three = (stationary_means(X, y, eta, batch)[1] / 2 for batch in (1, 2, 3))
    reads = "risk {value} at best of B=1, 2 > {limit} at B=3"
    assert_violates(min(one, two), three, reads=reads, x=[1, 2, 2], y=[3, 0, 0], target=0, eta=eta)


@counterexample
def test_hypothesis_finds_samples_on_which_the_smaller_batch_is_worse():
    found, one, both = samples_with_a_larger_mean_at_batch_one(1)
    assert_violates(one, both, reads="twice the risk, {value} at B=1 > {limit} at B=2", xy=found)


@under_hypotheses("H5", "H6")
@given(escape=escapes(), target=st.integers(-4, 6))
def test_beside_the_minimum_of_more_risk_batches_of_one_find_less_risk(escape, target):
    # given  the risk (x - target)^2/2, target in -1/4 ... 3/8: less at 0 than at 1 (H5); H6 by the strategy
    less, more = ((minimum - Fraction(target, 16)) ** 2 / 2 for minimum in (0, 1))
    assert_at_most(float(less), float(more) / 2, why="H5: the start is beside the minimum of more risk")
    # then
    p = share_that_leaves(escape)
    found = p * less + (1 - p) * more
    assert_at_most(float(found), (1 - LEAST_SHARE / 2) * float(more), why="mean risk of B = 1, of B = 2")


@necessity("H5")
def test_without_H5_batches_of_one_find_the_minimum_of_more_risk():
    # given  eta h = (1/4, 1/2) at 0 and (1/2, 11/4) at 1, beside which SGD starts, and the risk (x - 3/4)^2/2
    escape = Escape(TwoMinima(np.array([1 / 4, 1 / 2]), np.array([1 / 2, 11 / 4])), 1.0, 9 / 8)
    at_zero, at_one = Fraction(9, 32), Fraction(1, 32)
    p = share_that_leaves(escape)
    assert_keeps(H6=p > 0)
    # then
    assert_at_most(float(at_one + p / 8), float(p * at_zero + (1 - p) * at_one), why="mean risk of B = 2, of B = 1")
    assert_at_most(1 / 16, float(p), why="share of orders that leave")


@necessity("H6")
def test_without_H6_at_a_small_step_all_batches_have_the_risk_of_the_minimum_beside_which_they_start():
    # given  eta h = (1/8, 1/8) at 0 and (1/4, 2) at 1, beside which SGD starts, and the risk x^2/2
    escape = Escape(TwoMinima(np.array([1 / 8, 1 / 8]), np.array([1 / 4, 2.0])), 1.0, 9 / 8)
    at_zero, at_one = (Fraction(minimum) ** 2 / 2 for minimum in (0, 1))
    assert_keeps(H5=at_zero < at_one)
    # then   no order of eight single samples leaves the minimum at 1
    ends = single_sample_ends(escape.minima, escape.eta, escape.start, 8)
    assert_at_most(np.abs(ends - 1), 1 / 8, why="distance to the minimum of more risk")


@pytest.mark.slow
@corrected("C6")
@given(problem=small_least_squares(rows=(3, 2)))
def test_with_noisy_labels_no_batch_has_a_larger_risk_than_a_smaller_one(problem):
    # given  a quadratic risk of the Hessian G = ww'. As E e = 0 its mean excess is tr(GS)/2, wherever its minimum is
    S = [stationary_covariance(problem.X, problem.y, problem.eta, f)[1] for f in problem.shares]
    excess = [problem.w @ covariance @ problem.w / 2 for covariance in S]
    # then
    assert_at_most([float(e) for e in excess[1:]], [float(e) for e in excess[:-1]], why="excess risk at B + 1 and at B")
