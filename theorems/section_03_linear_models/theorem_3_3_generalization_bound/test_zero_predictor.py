r"""Theorem 3.3 - the mean of the printed bound, compared with the risk of predicting zero.

Setting     $\hat w = X^+ y$ is the $w^*$ of the print, with the pseudo-inverse $X^+$ of $X$;
            $\operatorname{rank} X = n$; $\Sigma = E[x x^\top]$; risk $R(w) = (w - w_*)^\top\Sigma(w - w_*) + \sigma^2$,
            or half of it; (A) is the printed bound with the trace of the inverse,
            $\|w_*\|_2^2\, E[\|x\|_2^2]\, \operatorname{tr}((X X^\top)^{-1}) / n + \sigma^2$; (B) has
            $1/\operatorname{tr}(X X^\top)$ in place of $\operatorname{tr}((X X^\top)^{-1})$
Corrected   (C4) Where each row is distributed as $x$, the mean of (A) is at least $\|w_*\|^2 + \sigma^2$. With
            $\|\Sigma\|_{op} \le 1$ this is at least the risk of predicting zero. Without this condition the mean of (A)
            can be less than that risk.
Idea        Predicting zero, $w = 0$, has the risk $w_*^\top \Sigma w_* + \sigma^2$. The harmonic mean of the
            eigenvalues of $X X^\top$ is at most their arithmetic mean, so $\operatorname{tr}((X X^\top)^{-1}) \ge
            n^2/\operatorname{tr}(X X^\top)$. By Jensen the mean of $\operatorname{tr}((X X^\top)^{-1})/n$ is then at
            least $1/E\|x\|^2$.
Tolerance   Rational, except for one inequality on floats, whose slack is the rounding of the singular values.
Findings    Where $\|\Sigma\|_{op} \le 1$, the printed bound guarantees no more than $w = 0$ achieves, so there it
            cannot explain generalization. Rows $N(0, 4I)$ with $n = 50$, $p = 100$, $\sigma = 0$ and $\|w_*\| = 1$ show
            that the condition is needed: the risk is $2$, the bound $100/49$, and $w = 0$ has the risk $4$.
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from properties.certificates import assert_at_most, assert_identical, assert_violates
from theorems.ledger import corrected
from theorems.section_03_linear_models.theorem_3_3_generalization_bound.risk import mean_inverse_trace


@corrected("C4")
@given_batches(problem=regressions())
def test_the_printed_factor_is_at_least_one_over_the_mean_square_of_a_row(problem):
    # then   tr(G^-1) >= n^2/tr(G) for every design; with Jensen, E tr(G^-1)/n >= n/E tr(G) = 1/E|x|^2, so that the
    #        factor of |w_*|^2 in the mean of (A) is at least 1
    squares = np.where(problem.s > 0, problem.s, np.nan) ** 2
    traces = np.nansum(squares, axis=-1) * np.nansum(1 / squares, axis=-1)
    slack = rounding(2 * problem.rows + 6, traces)  # two sums of n squares, one of them of quotients, and a product
    assert_at_most(problem.rows**2, traces + slack, why="harmonic mean below arithmetic mean", instance=problem)


@corrected("C4")
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=5), st.integers(0, 4))
def test_for_one_sample_and_features_of_size_at_most_one_the_averaged_bound_never_beats_predicting_zero(atoms, sigma):
    # given  x = sqrt(k_j/c) e_j with probabilities in proportion to the drawn weights, n = 1, |w_*| = 1, w_* = e_j for
    # the j of the largest Sigma_jj, which the choice of c makes 1
    total = sum(weight for _, weight in atoms)
    c = max(Fraction(weight * k, total) for k, weight in atoms)
    mean_square = sum(Fraction(weight, total) * k / c for k, weight in atoms)
    mean_inverse = sum(Fraction(weight, total) * c / k for k, weight in atoms)
    # then   the risk of w = 0 is w_*'Sigma w_* + sigma^2, at most 1 + sigma^2
    bound = mean_square * mean_inverse + sigma**2
    assert_at_most(1 + sigma**2, bound, why="bound (A) against the zero predictor", instance=atoms)


@corrected("C4")
def test_with_larger_features_the_averaged_bound_can_beat_predicting_zero():
    # given  rows N(0, 4I), n = 50, p = 100, |w_*| = 1, no noise
    n, p = 50, 100
    risk = 4 * (1 - Fraction(n, p))
    bound = (4 * p) * (mean_inverse_trace(n, p) / 4) / n
    # then   risk 2, bound 100/49, and w_*'Sigma w_* = 4 for w = 0
    assert_identical([risk, bound], [2, Fraction(100, 49)], why="risk and bound")
    assert_violates(4, bound, reads="risk {value} of w = 0 > {limit} = bound (A)", n=n, p=p, x="N(0, 4I)", sigma=0)
