"""Self-tests: derivatives, the integrals of what steps miss, and the powers of the step, each against a closed form."""

from fractions import Fraction

import numpy as np

from fixtures.precision import rounding
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.section_07_initialization_and_learning_rate.modified_flow import (
    RidgeSum,
    flow_in_powers_of_the_step,
    flow_of_order,
    logistic,
    second_order,
)

X = np.array([[[1.0, 2, 0], [0, 1, -1]]])


def quartic(s):
    """The derivatives of s^2 + s^3/2 + s^4/8."""
    return 2 * s + 3 * s**2 / 2 + s**3 / 2, 2 + 3 * s + 3 * s**2 / 2, 3 + 3 * s


def test_the_third_derivative_is_the_difference_of_hessians_and_the_second_that_of_gradients():
    # given  integers: nothing is rounded, and symmetric differences are exact up to the fourth derivative
    loss, w, v, z = RidgeSum(X, quartic), *np.array([[[1.0, -1, 2]], [[0, 2, 1]], [[1, 1, -3]]])
    (H, T), (ahead, _), (behind, _) = loss.along(w), loss.along(w + z), loss.along(w - z)
    assert_identical(2 * T(v, z), ahead(v) - behind(v), why="T(v, z)")
    # the gradient is cubic along v: its difference has a third order term, phi'''' = 3 times s(v)^3/6 on both sides
    cubes = np.vecmat(np.matvec(X, v) ** 3, X)
    assert_identical(2 * H(v), loss.gradient(w + v) - loss.gradient(w - v) - cubes, why="Hv")


def test_the_logistic_derivatives_are_those_of_the_softplus():
    s, h = np.linspace(-3, 3, 7)[None], 1e-30
    present, rows = np.ones((1, 7), bool), np.array([7])
    derivatives = logistic(X, present, rows).derivatives
    # when   Im f(s + ih)/h is f'(s) to rounding
    steps = [np.log1p(np.exp(-(s + 1j * h))) / 7, *derivatives(s + 1j * h)[:2]]
    found = np.stack(derivatives(s))
    error = np.abs(found - np.stack([step.imag / h for step in steps]))
    assert_at_most(error.max(), rounding(16), why="phi', phi'', phi'''")


def test_what_steps_miss_of_a_quadratic_mode_is_integrated():
    # given  L = w^2 from 1: h = 2, g = 2w, and eta = 1/4, so that x = 1/2
    eta, h, loss = 0.25, 2.0, RidgeSum(np.ones((1, 1, 1)), lambda s: (2 * s, np.full_like(s, 2.0), np.zeros_like(s)))
    k = np.arange(5)
    for order, rate, q in [
        (1, h, h**2),
        (2, h + eta * h**2 / 2, np.hypot(h**3 + eta * h**4 / 4, 2) + np.hypot(h**2 * (h + eta * h**2 / 2), 2) / 2),
    ]:
        flow = flow_of_order(order, loss, np.ones((1, 1)), np.array([eta]), 4)
        decay = np.exp(-rate * k * eta)
        missed = eta**order * q * (1 - decay) / rate
        assert_at_most(np.abs(flow.w[:, 0, 0] - decay), 2 * flow.error, why="the flow")
        assert_at_most(np.abs(flow.missed[:, 0] - missed), 2 * flow.error, why="what steps miss")


def test_what_steps_miss_of_a_quartic_is_the_change_of_the_flow_along_itself():
    # given  F and Hg of degree five: three symmetric differences give their rates along F exactly
    loss, w, eta = RidgeSum(fractions(X), quartic), fractions([[1, "-1/2", 2]]), Fraction(1, 3)
    F, _, change, drift = second_order(loss, w, eta)

    def fields(k):
        at = w + k * F
        Hg = loss.along(at)[0](loss.gradient(at))
        return np.stack([-(loss.gradient(at) + eta / 2 * Hg), Hg])

    rates = sum(c * (fields(k) - fields(-k)) for k, c in [(1, 45), (2, -9), (3, 1)]) / Fraction(60)
    # then
    assert_identical(rates[0], fields(0)[1] + eta * change, why="w''")
    assert_identical(rates[1], drift, why="the rate of Hg")


def test_the_powers_of_the_step_are_those_of_an_exponential():
    # given  L = w^2/2: the flow is exp(-eta(1 + 2 c eta))
    one, zero, c = fractions([1]), fractions([0]), Fraction(1, 7)
    found = flow_in_powers_of_the_step(one[None], one, zero, zero, one, c)
    assert_identical(found[:, 0], [1, -1, Fraction(1, 2) - 2 * c, 2 * c - Fraction(1, 6)], why="powers of eta")


def test_the_powers_of_the_step_see_the_cubic_and_the_quartic_term():
    # given  L = b w^3/6 and L = c w^4/24 from 1, whose gradient flows are 1/(1 + bt/2) and (1 + ct/3)^(-1/2)
    one, zero = fractions([1]), fractions([0])
    cubic = flow_in_powers_of_the_step(one[None], zero, 2 * one, zero, one, Fraction(0))
    quartic_term = flow_in_powers_of_the_step(one[None], zero, zero, 3 * one, one, Fraction(0))
    assert_identical(cubic[:, 0], [1, -1, 1, -1], why="1/(1 + t)")
    assert_identical(quartic_term[:, 0], fractions([1, "-1/2", "3/8", "-5/16"]), why="(1 + t)^(-1/2)")
