r"""Section 8.1: stochastic differential equation - the fluctuation of SGD at a fixed time.

Setting     $L = \frac12 \theta^\top H \theta$, $H$ positive definite, with noise of constant covariance $C$. Indices
            are those of an eigenbasis of $H$, and $s = h_i + h_j$. $k$ steps of SGD take the time $T = k\eta$
Hypotheses  (H1) the minibatches of different steps are independent.  (H2) $\eta \lambda_{\max}(H) \le \frac12$, for the
            constants; some bound below 2 is needed.
Corrected   (C2) With H1, H2, $\theta_0 = 0$ and $V = \int_0^T e^{-Hu} C e^{-Hu} du$ the covariance of SGD after
            $k = T/\eta$ steps lies, entry by entry, between $\frac{\eta V_{ij}}{1 - \eta h_i h_j/s}$ and $\frac{(1 +
            \eta h_{\max}) \eta V_{ij}}{1 - \eta h_i h_j/s}$, so that, divided by $\eta$, it tends to $V$
Tolerance   SGD by its recursion, diffusions by scipy's exponential of the linear system that the moments solve; slack
            is rounding (`stationary_noise.stationary.recursion_rounding`,
            `stationary_noise.diffusion.diffused_rounding`)
Findings    Without H1, in shuffled epochs of two samples with the gradients $\theta \mp 1$, the fluctuation of order
            $\sqrt\eta$ cancels
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.minibatch_law import mean_and_covariance
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_within
from theorems.ledger import corrected, necessity
from theorems.section_08_stochastic_gradient_descent.section_8_1_stochastic_differential_equation.moments import (
    in_eigenbasis,
    pairs,
    problems,
    rounding_ceiling,
    second_moment_of_sgd,
    turning_rounding,
)
from theorems.section_08_stochastic_gradient_descent.stationary_noise.diffusion import diffused, diffused_rounding
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import covariance_after


def bounds_over_v(s, product, eta, largest):
    """The bounds of Var/eta over V that C2 states: s = h_i + h_j, product = h_i h_j, largest = the largest h."""
    least = 1 / (1 - eta * product / s)
    return least, (1 + eta * largest) * least


@corrected("C2", "H1", "H2")
@given_batches(problem=problems)
def test_the_fluctuation_over_eta_is_enclosed_by_that_of_the_diffusion(problem):
    # given  H1: the recursion adds the noises of the steps;  H2 by the choice of eta; theta_0 = 0
    sgd, sgd_error = second_moment_of_sgd(problem)
    # when
    T = problem.eta * problem.steps
    V, size = diffused(problem.H, problem.C, T), T * norm(problem.C, axis=(-2, -1))
    V_error = diffused_rounding(problem.H, problem.C, T) + turning_rounding(problem) * size
    # then   Var_ij = eta C_ij (1 - a^k)/(s - eta h_i h_j), a = (1 - x_i)(1 - x_j), V_ij = C_ij (1 - e^-sT)/s, and
    #        e^(-x-y) >= a >= e^(-(x+y)(1 + max x)) for x, y <= 1/2, where 1 - e^-(1+d)z <= (1 + d)(1 - e^-z)
    s, product, _, eta, _ = pairs(problem)
    V, found = in_eigenbasis(problem, V), in_eigenbasis(problem, sgd) / eta
    least, most = bounds_over_v(s, product, eta, problem.h.max(-1)[:, None, None])
    # and    the bounds are at most 2V, and have 8 operations
    slack = sgd_error / eta + 2 * (V_error + rounding(8, size))[:, None, None]
    value, V = np.sign(V) * found, np.abs(V)
    assert_within(least * V, value, most * V, slack=slack, why="Var/eta against V", instance=problem)
    assert_at_most(most, 2, why="the upper bound under H2", instance=problem)
    assert_at_most(slack, rounding_ceiling(problem, problem.C), why="ceiling", instance=problem)


@corrected("C2")
def test_the_bounds_over_v_by_hand():
    # given  h_i = 1, h_j = 3, eta = 1/4: 1/(1 - 3/16) = 16/13, and 1 + 3/4 times that
    assert_identical(
        bounds_over_v(4, 3, Fraction(1, 4), 3), fractions(["16/13", "28/13"]), why="bounds of Var/eta over V"
    )


@corrected("C2")
def test_one_step_has_more_than_half_of_the_excess_that_the_upper_end_allows():
    # given  h = (1, 2^-20), eta = 1/2, c_12 = 1: the covariance eta^2 after one step, and V_12 = (1 - e^-sT)/s, T = eta
    eta, h = Fraction(1, 2), fractions([1, Fraction(1, 2**20)])
    sgd = covariance_after(np.diag(h), fractions([[1, 1], [1, 1]]), eta, 1)[0, 1]
    found = [sgd / eta / ((1 - decay) / h.sum()) for decay in exponential_of_minus(h.sum() * eta)]
    # then
    least, most = bounds_over_v(h.sum(), h.prod(), eta, 1)
    assert_within(float((least + most) / 2), np.array(found, float), float(most), why="Var/eta over V")


@corrected("C2")
def test_after_a_long_time_the_fluctuation_is_at_the_lower_end():
    # given  h = c = 1, eta = 1/2: after 12 steps 2^-24 and e^-12 of the covariances are missing
    sgd = covariance_after(*fractions([[[1]], [[1]]]), Fraction(1, 2), 12)[0, 0]
    V = (1 - exponential_of_minus(12, terms=60)[0]) / 2
    # then
    least, _ = bounds_over_v(2, 1, Fraction(1, 2), 1)
    assert_within(float(least), float(2 * sgd / V), float(least) * (1 + 2.0**-16), why="Var/eta over V")


@necessity("H1")
@pytest.mark.parametrize("epochs", [1, 8, 64])
def test_without_H1_in_shuffled_epochs_the_fluctuation_is_of_a_smaller_order(epochs):
    # given  gradients theta - b_i, b = (1, -1), c = h = 1, each once per epoch: theta_2 = a^2 theta_0 -+ eta^2
    eta = Fraction(1, 2 * epochs)
    assert_keeps(H2=eta <= Fraction(1, 2))
    a = 1 - eta
    _, per_epoch = mean_and_covariance(fractions([[eta * (a * b - b)] for b in (1, -1)]))
    # when   epochs are independent of each other
    variance = sum(a ** (4 * epoch) * per_epoch[0, 0] for epoch in range(epochs))
    # then   T = 1: Var/eta <= eta^2/2, and not V = (1 - e^-2)/2 > 2/5 or more
    assert_at_most(variance / eta, eta**2 / 2, why="Var/eta of shuffled epochs")
    assert_at_most(Fraction(2, 5), (1 - exponential_of_minus(2)[1]) / 2, why="V")


@necessity("H2")
@given(st.integers(3, 40))
def test_without_H2_the_fluctuation_of_sgd_grows_with_time_and_that_of_the_diffusion_does_not(k):
    # given  eta h = 3, c = h = 1: V <= c/(2h) = 1/2; the recursion adds the noises of the steps
    H, C = fractions([[1]]), fractions([[1]])
    assert_keeps(H1=True)
    # when
    sgd = covariance_after(H, C, Fraction(3), k)[0, 0] / 3
    # then   (4^k - 1) eta c/3
    assert_identical(sgd, Fraction(4**k - 1), why="Var/eta of SGD")
    assert_at_most(2 ** (k + 1) * Fraction(1, 2), sgd, why="above 2^(k+1) V")
