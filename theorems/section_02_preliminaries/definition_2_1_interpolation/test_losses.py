r"""Definition 2.1 - the squared loss and the cross-entropy: which of them vanishes at an interpolant.

Readings    [labels] for cross-entropy $f(x_i) = y_i$ says that the label is predicted correctly - refuted
Setting     The squared loss is $L = \frac{1}{2n} \sum_i (f(x_i) - y_i)^2$. The cross-entropy is
            $-\frac1n \sum_i \ln q_i$ with the probability $q_i$ that the model gives to the label $y_i$
Corrected   (C1) For the squared loss $L = 0$ if and only if $f(x_i) = y_i$ for all $i$: $r^2/(2n) \le L \le r^2/2$ with
            $r = \max_i |f(x_i) - y_i|$.
            (C2) The cross-entropy of a linear classifier at the margin $\ln k$ is between $1/(k + 1)$ and $1/k$, so
            that it vanishes nowhere, and $M = \{L = 0\}$ is empty.
Idea        A sum of squares lies between its largest term and $n$ times that. $-\ln q \ge 1 - q$, and a softmax gives
            no label the probability one
Tolerance   Rational numbers are exact. The logarithm of (C2) is computed up to a few roundings
Findings    A softmax gives no label the probability one, so that with cross-entropy $M$ is empty
"""

from fractions import Fraction

import numpy as np
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample


@counterexample(reading="labels")
def test_a_classifier_that_is_right_has_a_positive_cross_entropy():
    r"""The model gives the label of the only sample the probability $q = \frac34 > \frac12$, so the label is predicted
    correctly. But the cross-entropy is $-\ln q \ge 1 - q = \frac14$, and not $0$."""
    likelihood = Fraction(3, 4)
    assert_at_most(1 - likelihood, -np.log(float(likelihood)), why="-ln(q) >= 1 - q")
    assert_violates(1 - likelihood, 0, reads="cross-entropy >= {value} > {limit}", label=1, likelihood=likelihood)


@counterexample(reading="labels")
def test_a_search_finds_a_classifier_that_is_right_at_a_positive_loss():
    # given  two labels with probabilities in the ratio of two integers; the loss is at least 1 - q
    ratios = st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(any)
    right, wrong = smallest_violation(ratios, lambda pair: pair[0] > pair[1] > 0)
    missing = Fraction(wrong, right + wrong)
    assert_violates(missing, 0, reads="cross-entropy >= {value} > {limit}", likelihood=1 - missing)


@corrected("C1")
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=8))
def test_the_squared_loss_vanishes_just_where_every_sample_is_met(pairs):
    # given  predictions and targets
    residuals = [prediction - target for prediction, target in pairs]
    loss = Fraction(sum(r * r for r in residuals), 2 * len(residuals))
    # then
    assert_identical(loss == 0, not any(residuals), why="L = 0 iff f(x_i) = y_i for all i")
    largest = max(r * r for r in residuals)
    least = Fraction(largest, 2 * len(residuals))
    assert_within(least, loss, Fraction(largest, 2), slack=0, why="loss and largest residual")


@corrected("C2")
@given(st.integers(1, 10**6))
def test_the_cross_entropy_of_a_linear_classifier_vanishes_nowhere(k):
    # given  the margin ln(k); it grows without bound with w, for which p = 2 parameters would be enough
    loss = -scipy.special.log_expit(np.log(k))
    # then   the loss is ln(1 + 1/k), which lies between 1/(k + 1) and 1/k, up to the rounding of the margin
    slack = rounding(4, 1 + np.log(k))  # the margin, an exponential, a sum, a logarithm; each to 1/k of its own
    assert_within(Fraction(1, k + 1), loss, Fraction(1, k), slack=slack / k, why="cross-entropy at the margin ln k")
