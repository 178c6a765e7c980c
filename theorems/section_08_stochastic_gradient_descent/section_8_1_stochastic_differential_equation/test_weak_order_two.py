r"""Section 8.1: stochastic differential equation - the modified drift, with which moments agree to second order.

Setting     First $L = \frac12 \theta^\top H \theta$, H positive definite, with noise of constant covariance C, in an
            eigenbasis of H; then least squares, $L = \frac{1}{2n} \|Xw - y\|^2$, with the noise of its minibatches,
            whatever the residuals
Hypotheses  (H1) the minibatches of different steps are independent.  (H2) eta lambda_max(H) <= 1/2, for the constants;
            some bound below 2 is needed.
Corrected   (C4) With H1, H2 and the drift $-\nabla(L + \frac\eta4 |\nabla L|^2)$ the second moments agree to second
            order; so they do on least squares with the noise of minibatches
Tolerance   SGD by its recursion, diffusions by scipy's exponential of the linear system that the moments solve; slack
            is rounding (stationary_noise.stationary.recursion_rounding, stationary_noise.diffusion.diffused_rounding)
"""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.minibatch_law import noise_share, second_moments
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most
from theorems.ledger import corrected
from theorems.section_08_stochastic_gradient_descent.section_8_1_stochastic_differential_equation.moments import (
    in_eigenbasis,
    pairs,
    problems,
    second_moment_of_diffusion,
    second_moment_of_sgd,
)
from theorems.section_08_stochastic_gradient_descent.stationary_noise.diffusion import moment_generators


@corrected("C4", "H1", "H2")
@given_batches(problem=problems)
def test_with_the_modified_drift_the_second_moments_agree_to_second_order(problem):
    # given  L + (eta/4)|grad L|^2 = (1/2) theta'(H + eta H^2/2) theta
    start = problem.start[:, :, None] * problem.start[:, None, :]
    s, product, squares, eta, T = pairs(problem)
    # when
    sgd, sgd_rounding = second_moment_of_sgd(problem, start)
    sde, sde_rounding = second_moment_of_diffusion(problem, problem.H + eta / 2 * problem.H @ problem.H, problem.C)
    # then   E = e^-(s + eta q/2)T, q = h_i^2 + h_j^2, has 0 <= E - a^k <= E (T/eta) sum x^3/(3(1 - x)) = decay_error,
    #        and 1/(s - eta h_i h_j) - 1/(s + eta q/2) = eta s^2/2 /((s - eta h_i h_j)(s + eta q/2)) = rate_error
    rate, x = s + eta * squares / 2, problem.eta[:, None] * problem.h
    E, cubes = np.exp(-rate * T), x**3 / (3 * (1 - x))
    decay_error, rate_error = (
        E * T / eta * (cubes[:, :, None] + cubes[:, None, :]),
        eta * s**2 / 2 / ((s - eta * product) * rate),
    )
    M, c = (np.abs(in_eigenbasis(problem, matrix)) for matrix in (start, problem.C))
    bound = decay_error * M + eta * c * ((1 - E) * rate_error + decay_error * (rate_error + 1 / rate))
    error = np.abs(in_eigenbasis(problem, sgd - sde))
    assert_at_most(error, bound + sgd_rounding + sde_rounding, why="order two", instance=problem)
    # and    decay_error <= x^2/(3 e (1 - x)) at the largest x, as k s eta e^(-k s eta) <= 1/e, and rate_error (1 +
    #        decay_error) <= eta
    top = x.max(-1)[:, None, None]
    second = top**2 / (3 * np.e * (1 - top)) * (M + eta * c / s) + eta**2 * c
    assert_at_most(bound, second, why="the bound is of order eta^2", instance=problem)


@pytest.mark.slow
@corrected("C4")
@given(tapes(16))
def test_with_the_noise_of_its_minibatches_sgd_on_least_squares_is_second_order_too(tape):
    # given  three rows in two dimensions, minibatches of one or two, residuals and noise that change along the way
    X, y, w0 = tape.integers((3, 2), 2), tape.integers(3, 2), tape.integers(2, 2)
    share = float(noise_share(3, 1 + tape.below(2), bool(tape.below(2))))
    G, correction = moment_generators(X, y, share)
    g, g1, k = norm(G), norm(correction), 2 ** tape.choice([3, 5, 7])
    eta = 1 / (k * max(g, g1, 1))
    # when
    sgd = second_moments(X, y, w0, eta, k, share)
    sde = scipy.linalg.expm(k * eta * (G + eta * correction)) @ sgd[0].ravel()
    # then   a step is I + eta G + eta^2 (G' + G^2/2) = exp(eta G + eta^2 G') but for r, both of norm e^(eta g) at most
    rate = g + eta * g1
    r = eta**3 * g * g1 + eta**4 * g1**2 / 2 + (eta * rate) ** 3 * np.exp(eta * rate) / 6
    scale = np.exp(k * eta * rate) * norm(sgd[0])
    rounding = 64 * 9 * k * UNIT_ROUNDOFF * scale
    bound = k * r * scale + rounding
    assert_at_most(norm(sgd[-1].ravel() - sde), bound, why="order two", instance=(X, y, w0, eta))
    assert_at_most(bound, 5 / k**2 * norm(sgd[0]), why="the bound is of order 1/k^2", instance=(X, y, w0, eta))
