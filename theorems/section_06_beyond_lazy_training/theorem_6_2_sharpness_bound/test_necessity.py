r"""Theorem 6.2 - without any one of its hypotheses the PAC-Bayes bound fails.

Setting     The bound is $E_q R \le E_q L + \sqrt{(\mathrm{KL}(q \| p) + \ln(2\sqrt{n}/\delta))/(2n)}$, with probability
            at least $1 - \delta$; $q$ is the posterior and $p$ the prior over weights. In each test $\delta$ is 1/20
Hypotheses  (H1) the loss lies in [0, 1]. (H2) the samples are independent. (H3) the center of the prior is fixed before
            the data. (H4) the width $s$ of the prior is fixed before the data too, or a union bound pays for its
            choice.
Idea        A rare large loss is missed; copies count as samples; a prior that has seen the sample hides the divergence
Tolerance   Rational risks and probabilities; bounds enclosed from above
"""

import math
from fractions import Fraction

import numpy as np
from scipy.special import ndtr

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_keeps, assert_violates
from theorems.ledger import necessity
from theorems.section_06_beyond_lazy_training.information.pac_bayes import (
    CLIPPED_ROUNDINGS,
    clipped_gaussian_loss,
    complexity,
    gaussian_bound,
)
from theorems.section_06_beyond_lazy_training.theorem_6_2_sharpness_bound.bounds import DELTA, maurer_bound


@necessity("H1")
def test_without_H1_a_rare_and_large_loss_is_missed():
    # given  one hypothesis, so that q = p: any prior is fixed; its loss is 16 with probability 1/4, else 0; n = 1
    n, risk, missed = 1, Fraction(16, 4), Fraction(3, 4)
    assert_keeps(H2=n == 1, H3=True, H4=True)
    # then   with probability 3/4, more than delta, L = 0
    assert_at_most(DELTA, missed, why="chance of missing the loss")
    assert_violates(risk, maurer_bound(0, n), reads="risk {value} > bound {limit}", losses=[0, 16], n=n)


@necessity("H2")
def test_without_H2_a_hundred_copies_of_one_sample_say_no_more_than_one():
    # given  one hypothesis, so that q = p, with loss 0 or 1 by a fair coin, tossed once and counted n = 100 times
    losses, risk, empty = np.array([0, 1]), Fraction(1, 2), Fraction(1, 2)
    assert_keeps(H1=(losses >= 0) & (losses <= 1), H3=True, H4=True)
    # then   with probability 1/2, more than delta, L = 0
    assert_at_most(DELTA, empty, why="chance of no loss")
    assert_violates(risk, maurer_bound(0, 100), reads="risk {value} > bound {limit}", n=100, copies=100)


@necessity("H3")
def test_without_H3_a_prior_around_the_minimum_hides_the_divergence():
    # given  the witness of the print, N = 1000 and n = 50 independent samples, the loss clipped at 1, and
    #        p = q = N(w, s^2 I) with s epsilon = 1/10, whatever the sample: KL = 0
    n, N, s = 50, 1000, 0.1
    losses = np.array([clipped_gaussian_loss(offset, s) for offset in (0, 1)])
    assert_keeps(H1=(losses >= 0) & (losses <= 1), H2=True, H4=True)
    seen = np.arange(1, n + 1)
    # then   on every sample, tr H = epsilon^2 and L = 0
    risk = (seen * losses[0] + (N - seen) * losses[1]) / N
    claimed = gaussian_bound(0, 1, 0, s, n, float(DELTA))
    slack = rounding(CLIPPED_ROUNDINGS + 4 + 12, 2)  # a closed form, a mean and a bound
    assert_violates(risk.min(), claimed, reads="risk {value} > bound {limit}", slack=slack, n=n, N=N)


@necessity("H4")
def test_without_H4_the_width_of_the_prior_can_carry_the_sample():
    # given  N = 1000, n = 50 independent samples, and theta that is right on the j-th set of n atoms only when
    #        100^(2j-1) <= |theta| < 100^(2j+1). Once the sample is seen, s = 100^(2j) for a set that holds it; q = p =
    #        N(0, s^2), which is centered at 0 whatever the sample, so KL = 0
    n, N, losses, center = 50, 1000, np.array([0, 1]), 0
    assert_keeps(H1=(losses >= 0) & (losses <= 1), H2=True, H3=center == 0)
    share = 2 * (ndtr(100) - ndtr(0.01))
    assert_at_most(0.99, share, why="q is right on the sample")
    # then
    risk = Fraction(99, 100) * (1 - Fraction(n, N))
    bound = Fraction(1, 100) + maurer_bound(0, n)
    assert_violates(risk, bound, reads="risk {value} > bound {limit}", n=n, N=N, p="N(0, s^2), s from the sample")
    # and    a union bound over the sets pays for the choice
    pays = complexity(math.log(math.comb(N, n)), n, float(DELTA))
    assert_at_most(1, pays, why="ln of the number of widths in place of KL")
