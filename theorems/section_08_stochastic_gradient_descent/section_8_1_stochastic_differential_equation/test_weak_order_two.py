r"""Section 8.1: stochastic differential equation - the modified drift, with which moments agree to second order.

Setting     First $L = \frac12 \theta^\top H \theta$, $H$ positive definite, with noise of constant covariance $C$, in
            an eigenbasis of $H$; then least squares, $L = \frac{1}{2n} \|Xw - y\|^2$, with the noise of its
            minibatches, whatever the residuals
Hypotheses  (H1) the minibatches of different steps are independent.  (H2) $\eta \lambda_{\max}(H) \le \frac12$, for the
            constants; some bound below 2 is needed.
Corrected   (C4) With H1, H2 and the drift $-\nabla(L + \frac\eta4 |\nabla L|^2)$ the second moments agree to second
            order; so they do on least squares with the noise of minibatches
Tolerance   SGD by its recursion, diffusions by scipy's exponential of the linear system that the moments solve; slack
            is rounding (`stationary_noise.stationary.recursion_rounding`,
            `stationary_noise.diffusion.diffused_rounding`)
"""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.minibatch_law import noise_share, second_moments
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import corrected
from theorems.section_08_stochastic_gradient_descent.section_8_1_stochastic_differential_equation.moments import (
    in_eigenbasis,
    pairs,
    problems,
    second_moment_of_diffusion,
    second_moment_of_sgd,
)
from theorems.section_08_stochastic_gradient_descent.stationary_noise.diffusion import moment_generators


def second_order_bound(x, y, s, eta, k, M, c):
    """A bound on the difference of an entry of the second moments after k steps; x = eta h_i, y = eta h_j.

    s = h_i + h_j. Let a = (1 - x)(1 - y), E = e^-(s + eta q/2)T, q = h_i^2 + h_j^2. Then 0 <= E - a^k <= decay = E k
    sum x^3/(3(1 - x)), and 1/(s - eta h_i h_j) - 1/(s + eta q/2) = eta s^2/2 /((s - eta h_i h_j)(s + eta q/2)) = gap.
    """
    rate = s + (x**2 + y**2) / (2 * eta)
    E = np.exp(-rate * k * eta)
    decay = E * k * (x**3 / (3 * (1 - x)) + y**3 / (3 * (1 - y)))
    gap = eta * s**2 / 2 / ((s - x * y / eta) * rate)
    return decay * M + eta * c * ((1 - E) * gap + decay * (gap + 1 / rate))


@corrected("C4")
@pytest.mark.parametrize(("M", "c", "sgd"), [(1, 0, 1 / 4), (0, 1, 1 / 4)])
def test_after_one_step_more_than_half_of_the_second_order_bound_is_attained(M, c, sgd):
    # given  h = 1, eta = 1/2: (1 - eta)^2 M + eta^2 c for SGD; the drift 1 + eta/2 has the rate 5/2 for the diffusion
    E = np.exp(-5 / 4)
    sde = E * M + 1 / 2 * c * (1 - E) / (5 / 2)
    bound = second_order_bound(1 / 2, 1 / 2, 2.0, 1 / 2, 1, M, c)
    # then
    assert_within(bound / 2, abs(sgd - sde), bound, why="order two")


@corrected("C4", "H1", "H2")
@given_batches(problem=problems)
def test_with_the_modified_drift_the_second_moments_agree_to_second_order(problem):
    # given  L + (eta/4)|grad L|^2 = (1/2) theta'(H + eta H^2/2) theta
    start = problem.start[:, :, None] * problem.start[:, None, :]
    s, _, _, eta, T = pairs(problem)
    # when
    sgd, sgd_rounding = second_moment_of_sgd(problem, start)
    sde, sde_rounding = second_moment_of_diffusion(problem, problem.H + eta / 2 * problem.H @ problem.H, problem.C)
    # then
    x = problem.eta[:, None] * problem.h
    M, c = (np.abs(in_eigenbasis(problem, matrix)) for matrix in (start, problem.C))
    bound = second_order_bound(x[:, :, None], x[:, None, :], s, eta, T / eta, M, c)
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
    # a step of SGD has 30 operations on three entries a row; the exponential, of norm e^2 and size 9, those of
    # `diffused_rounding`, and G is a mean of three products of two
    slack = rounding(30 * k, 3 * scale) + rounding(factorization(9, 9) + 7 * 9 + 8, 3 * scale)
    bound = k * r * scale + slack
    assert_at_most(norm(sgd[-1].ravel() - sde), bound, why="order two", instance=(X, y, w0, eta))
    assert_at_most(bound, 5 / k**2 * norm(sgd[0]), why="the bound is of order 1/k^2", instance=(X, y, w0, eta))
