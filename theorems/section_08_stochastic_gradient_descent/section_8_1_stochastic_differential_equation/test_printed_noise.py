r"""Section 8.1: stochastic differential equation - the noise of a step, as printed and with the square root.

Reading     The sentence says what the noise of SGD is, as the section is about it: a step of Euler's scheme,
            $dt = \eta$, has the covariance of a step of SGD; or the covariance at a fixed time, divided by $\eta$, is
            that of SGD in the limit of small $\eta$. $\Sigma$ is the covariance of the minibatch gradient, by the
            print's own words, not a root of it. The weak order one, a sense of "approximates" that an equation without
            noise meets as well, says nothing of the noise
Setting     Least squares, $L = \frac{1}{2n} \|Xw - y\|^2$, whatever the residuals, unless a test says otherwise. In C1
            $\Sigma$ is the covariance of the gradient of one row, and $f\Sigma$ that of a minibatch of $b$ out of $n$
            rows: $f = \frac1b$ with replacement, $\frac{n-b}{b(n-1)}$ without. In C2 to C4
            $L = \frac12 \theta^\top H \theta$ with noise of constant covariance $C$; indices are those of an eigenbasis
            of $H$, with the eigenvalues $h_i$, $s = h_i + h_j$, $M = \theta_0 \theta_0^\top$, and $k$ steps take the
            time $T = k\eta$
Corrected   (C1) $d\theta = -\nabla L\, dt + \sqrt{\eta f}\, \Sigma(\theta)^{1/2} dW$: an Euler step has the mean and
            the covariance of a step of SGD, exactly and in all units of the loss
Differs     The factor of $\sqrt\eta\, dW$ is $(f\Sigma)^{1/2}$, the square root of the noise covariance, and not the
            noise covariance
Idea        The noise of a step is $\eta$ times that of the gradient, with the covariance $\eta^2 \Sigma$. Brownian
            motion of the amplitude $A$ gives $dt\, A A^\top = \eta A A^\top$ in the same time, so that
            $A = \sqrt\eta\, \Sigma^{1/2}$. $\Sigma$ itself has the wrong units: with $L \to cL$, $\eta \to \eta/c$
            nothing changes for SGD, but the printed variance grows by $c^2$. Both are the same where
            $\Sigma^2 = \Sigma$
Tolerance   Exact: every minibatch is enumerated, in fractions; the exponential is enclosed by partial sums
Expected    refuted
"""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import given

from fixtures.dynamics.minibatch_law import mean_and_covariance, minibatch_gradients, sample_gradients
from fixtures.rational import exponential_of_minus, fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, record_series
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_08_stochastic_gradient_descent.section_8_1_stochastic_differential_equation.minibatch import (
    minibatches,
)
from theorems.section_08_stochastic_gradient_descent.stationary_noise.stationary import covariance_after


def euler_step(drift, amplitude_squared, dt):
    """Mean and covariance of theta' - theta for one step dt of Euler's scheme: drift dt, A A' dt."""
    return drift * dt, amplitude_squared * dt


@counterexample
def test_a_step_of_the_printed_equation_has_four_times_the_variance_of_a_step_of_sgd():
    r"""Rows $x = 1$, $y = \pm 2$ at $w = 0$ have the gradients $\mp 2$, so $\Sigma = 4$; $\eta = \frac1{10}$. A step of
    SGD on one row has the variance $\eta^2 \Sigma = \frac1{25}$. The printed equation has $\eta \cdot \Sigma^2 \cdot
    \eta = \frac4{25}$ in the time $\eta$."""
    X, y, w, eta = fractions([[1], [1]]), fractions([2, -2]), fractions([0]), Fraction(1, 10)
    _, sgd = mean_and_covariance(-eta * minibatch_gradients(X, y, w, 1, True))
    mean, Sigma = mean_and_covariance(sample_gradients(X, y, w))
    # when
    _, printed = euler_step(-mean, eta * Sigma @ Sigma, eta)
    # then
    reads = "variance {value} of the printed step > variance {limit} of SGD's"
    assert_violates(printed[0, 0], sgd[0, 0], reads=reads, X=X, y=y, w=w, eta=eta)


@counterexample
def test_in_two_directions_the_printed_step_has_seven_times_the_total_variance_and_more():
    # given  gradients (4, 1), (-2, 1), (-2, -2) at w = 0, so that 3 Sigma = [[24, 6], [6, 6]]; b = 1, eta = 1/10
    X, y, w, eta = fractions([[4, 1], [2, -1], [2, 2]]), fractions([-1, 1, 1]), fractions([0, 0]), Fraction(1, 10)
    mean, Sigma = mean_and_covariance(sample_gradients(X, y, w))
    # when
    _, sgd = mean_and_covariance(-eta * minibatch_gradients(X, y, w, 1, True))
    _, printed = euler_step(-mean, eta * Sigma @ Sigma, eta)
    # then
    assert_identical(100 * sgd, [[8, 2], [2, 2]], why="eta^2 Sigma")
    assert_identical(100 * printed, [[68, 20], [20, 8]], why="eta^2 Sigma Sigma'")
    reads = "total variance {value} of the printed step > {limit} of SGD's"
    assert_violates(np.trace(printed), np.trace(sgd), reads=reads, X=X, y=y, w=w, eta=eta)


@counterexample
def test_hypothesis_finds_a_minibatch_whose_printed_step_varies_more():
    def variances(instance):
        Sigma, eta = instance.noise()[1], instance.eta
        sgd = mean_and_covariance(-eta * minibatch_gradients(instance.X, instance.y, instance.w, 1, True))[1]
        return np.trace(euler_step(0, eta * Sigma @ Sigma, eta)[1]), np.trace(sgd)

    found = smallest_violation(minibatches(), lambda instance: np.greater(*variances(instance)))
    value, limit = variances(found)
    reads = "total variance {value} of the printed step > {limit} of SGD's"
    assert_violates(value, limit, reads=reads, X=found.X, y=found.y, w=found.w, eta=found.eta)


@counterexample
def test_in_other_units_of_the_loss_the_printed_variance_is_another_one():
    # given  the gradient covariance diag(1, 4), c = 10, eta = 1/10
    Sigma, eta, c = fractions([[1, 0], [0, 4]]), Fraction(1, 10), 10
    _, before = euler_step(0, eta * Sigma @ Sigma, eta)
    # when   L -> cL, so that Sigma -> c^2 Sigma, and eta -> eta/c
    _, after = euler_step(0, eta / c * (c**2 * Sigma) @ (c**2 * Sigma), eta / c)
    assert_identical(eta**2 * Sigma, (eta / c) ** 2 * c**2 * Sigma, why="the covariance of SGD's step")
    # then
    reads = "printed variance {value} in the new units > {limit} in the old"
    assert_violates(after[1, 1], before[1, 1], reads=reads, Sigma=Sigma, eta=eta, c=c)


@counterexample
def test_at_a_fixed_time_the_printed_fluctuation_is_above_that_of_sgd_by_a_factor_that_stays():
    # given  h = 1, c = 4, T = 1: the printed Var/eta = c^2 (1 - e^-2)/2 at every eta
    printed, reads = 16 * (1 - exponential_of_minus(2)[1]) / 2, "printed Var/eta {value} > {limit}, three times SGD's"
    assert_at_most(Fraction(69, 10), printed, why="Var/eta as printed")
    # when   eta = 1/10 ... 1/1000
    steps = np.array([10, 30, 100, 300, 1000])
    found = [covariance_after(*fractions([[[1]], [[4]]]), Fraction(1, k), k)[0, 0] * k for k in steps.tolist()]
    record_series("Var/eta at the time 1", eta=1 / steps, sgd=found, printed=[printed] * len(steps))
    # then   1.85 at 1/10 and 1.73 at 1/1000
    coarse, *_, fine = found
    assert_at_most(found, coarse, why="Var/eta of SGD at smaller steps")
    assert_at_most([3 * coarse, 3 * fine], [Fraction(56, 10), Fraction(52, 10)], why="three times Var/eta of SGD")
    assert_violates(Fraction(69, 10), Fraction(56, 10), reads=reads, h=1, c=4, T=1, eta="1/10")
    assert_violates(Fraction(69, 10), Fraction(52, 10), reads=f"{reads}, small step", h=1, c=4, T=1, eta="1/1000")


@corrected("C1")
@given(instance=minibatches())
def test_an_euler_step_with_the_square_root_has_the_mean_and_the_covariance_of_every_step_of_sgd(instance):
    # given  A = sqrt(eta f) Sigma^(1/2), dt = eta
    gradient, Sigma = instance.noise()
    expected = euler_step(-gradient, instance.eta * instance.share * Sigma, instance.eta)
    # when   every minibatch takes its step
    mean, covariance = mean_and_covariance(-instance.eta * instance.gradients())
    # then
    assert_identical(mean, expected[0], why="the mean of a step")
    assert_identical(covariance, expected[1], why="the covariance of a step")


@corrected("C1")
@given(instance=minibatches())
def test_steps_of_sgd_and_of_euler_are_the_same_in_all_units_of_the_loss(instance):
    # given  L -> c^2 L by X -> cX and y -> cy, and eta -> eta/c^2
    c = instance.c
    other = dataclasses.replace(instance, X=c * instance.X, y=c * instance.y, eta=instance.eta / c**2)
    # then   every step of SGD is the same, and so is the amplitude's eta Sigma per step
    assert_identical(other.eta * other.gradients(), instance.eta * instance.gradients(), why="steps of SGD")
    (_, before), (_, after) = instance.noise(), other.noise()
    assert_identical(other.eta**2 * after, instance.eta**2 * before, why="covariance of an Euler step")
