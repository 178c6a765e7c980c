r"""Section 9.2: effects of normalization (c) - loss landscape smoothing.

Printed     Normalization smooths the loss landscape by reducing the sharpness of minima (item 3)
Reading     "Reducing" compares with training without normalization: the minimum found with it is no sharper than the
            minimum of the plain model which computes the same function. Sharpness is the $\lambda_{\max}$ of Definition
            6.1
Setting     One linear neuron $f = \gamma \hat z$ against $f = \beta^\top x$. $\Sigma$ is the covariance of the inputs,
            $r$ its least eigenvalue that is not zero, $P$ the projection onto its range, $\operatorname{var}(y)$ the
            variance of the targets
Hypotheses  (H1) Long weights at the start: $r |P w_0|^2 \ge \operatorname{var}(y)$.
            (H2) The scale $\gamma$ is not trained, or $\lambda_{\max}(\Sigma) \ge 1$.
Idea        At a fit the Hessian in $w$ is $\gamma^2 (\Sigma/s^2 - \Sigma w w^\top \Sigma/s^4)$, which is at most
            $\gamma^2/s^2$ times the plain one, and the Hessian in $\gamma$ is 1. There $\gamma^2$ is
            $\operatorname{var}(y)$. Steps lengthen $P w$, so that $s^2 \ge r |P w|^2 \ge r |P w_0|^2$, which is at
            least $\operatorname{var}(y)$ under H1
Tolerance   Minima and their sharpness are rational, or enclosed by torch and Lanczos. Runs end at a residual that is
            asserted, and the bound carries it
Findings    A short start can end sharper than the plain model. Second derivatives through torch's `weight_norm` are
            wrong in torch 2.13, their first are right: there $H$ is not symmetric
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
)
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity, observed, under_hypotheses
from theorems.section_09_architectures.normalization.dynamics import batch_norm_slopes, normalized_descent, polar_step
from theorems.section_09_architectures.normalization.model import standardize
from theorems.section_09_architectures.normalization.problems import directed_regressions
from theorems.section_09_architectures.section_9_2_normalization.curvature import (
    WHITE_INPUTS,
    exact_sharpness_at_fit,
    fitted_sharpness_by_torch,
    sharpness_at_fit,
)


@counterexample
def test_a_normalized_minimum_is_four_times_as_sharp_as_that_of_the_plain_model():
    r"""Inputs $(\pm 1, \pm 1)$, $\Sigma = I$; $y = x_1$ is fitted by $\gamma = 1$, $w = (\frac12, 0)$, with $s^2 =
    w^\top \Sigma w = \frac14$. The Hessian in $w$ is $\Sigma/s^2 - \Sigma w w^\top \Sigma/s^4 = \operatorname{diag}(0,
    4)$: sharpness 4. That of $\beta^\top x$ is $\Sigma$: sharpness 1. By the print $4 \le 1$."""
    normalized, s2, Sigma = exact_sharpness_at_fit(WHITE_INPUTS, ["1/2", 0])
    assert_identical([*Sigma.ravel(), s2], [1, 0, 0, 1, Fraction(1, 4)], why="Sigma = I, s = 1/2")
    assert_identical(normalized, 4, why="1/|w|^2")
    reads = "sharpness {value} with normalization > {limit} without"
    assert_violates(normalized, 1, reads=reads, X=WHITE_INPUTS, w=["1/2", 0], y="x_1")


@counterexample
def test_hypothesis_finds_a_normalized_minimum_that_is_sharper():
    # given  any three samples of two inputs and any weights: tr Sigma is at least the plain model's sharpness
    def sides(instance):
        X, w = instance
        normalized, _, Sigma = exact_sharpness_at_fit(X, [Fraction(entry, 2) for entry in w])
        return normalized, np.trace(Sigma)

    pair = st.tuples(st.integers(-3, 3), st.integers(-3, 3))
    found = smallest_violation(st.tuples(st.tuples(pair, pair, pair), pair), lambda i: np.greater(*sides(i)))
    value, limit = sides(found)
    assert_violates(value, limit, reads="sharpness {value} > {limit} >= that without", X=found[0], twice_w=found[1])
    # and   torch finds the same sharpness
    X, w = (np.array(data, float) for data in found)
    enclosed = fitted_sharpness_by_torch(X, w / 2)
    assert_within(enclosed.lower, float(value), enclosed.upper, why="sharpness with torch's layer")


@under_hypotheses("H1", "H2")
@given_batches(size=100, problem=directed_regressions())
def test_from_long_weights_descent_ends_no_sharper_than_the_plain_model(problem):
    # given  inputs kX, with k so large that H1 and H2 hold at the drawn start, |y| = 1, and a scale that is trained
    N, start = problem.rows + 1, norm(problem.in_row_space(problem.v), axis=-1)
    k = np.maximum(1 / (problem.sigma_min * start), np.sqrt(N) / problem.sigma_min)
    problem = dataclasses.replace(problem, X=k[:, None, None] * problem.X)
    # when
    run = normalized_descent(batch_norm_slopes, problem, problem.v, problem.gamma, np.ones(len(k)), 700)
    zhat = np.matvec(problem.X, run.v) / norm(np.matvec(problem.X, run.v), axis=-1, keepdims=True)
    residual = norm((run.gamma * np.sqrt(N))[:, None] * zhat - problem.y, axis=-1)
    assert_at_most(residual, 1 / 1000, why="convergence within the budget", instance=problem)
    # then   s has not fallen, and gamma^2 is var(y) = 1/N up to the residual; eigenvalues by LAPACK, of up to six
    normalized, plain = sharpness_at_fit(problem.X, run.v, run.gamma, N)
    bound = plain * ((1 + residual) ** 2 + rounding(2 * factorization(6, 6) + 30))
    assert_at_most(normalized, bound, why="sharpness with normalization", instance=problem)


@under_hypotheses("H1", "H2")
def test_with_a_scale_that_is_not_trained_long_weights_end_flat_as_well():
    # given  inputs of covariance I, targets of variance 1, |w_0|^2 = 1 and 4, five angles, the step 1
    angle, square = (grid.ravel() for grid in np.meshgrid(np.arange(1, 6) / 2, [1.0, 4.0]))
    start = square
    for _ in range(100):
        angle, square = polar_step(angle, square, 1.0)
    # then   the sharpness is 1/|w|^2, and that of the plain model is 1
    assert_at_most(2 * np.sin(angle / 2) ** 2, 1e-15, why="the loss 1 - cos at the end")
    assert_at_most(1 / square, 1 / start, why="sharpness, at most 1")


@necessity("H1")
def test_without_H1_descent_with_normalization_ends_sharper_than_without():
    # given  inputs of covariance I, a scale that is not trained; |w_0|^2 = 15/16, 1 from the target, step 1/16
    assert_keeps(H2=True)
    angle, square = np.array(1.0), np.array(15 / 16)
    for _ in range(200):
        angle, square = polar_step(angle, square, 1 / 16)
    assert_at_most(2 * np.sin(angle / 2) ** 2, 1e-11, why="the loss 1 - cos at the end")
    # then   the sharpness is 1/|w|^2, and 1 for the plain model; |w|^2 grows by about 1/16 (1 - cos 1) only
    assert_at_most(103 / 100, 1 / square, why="sharpness at the end, above 1")


@necessity("H2")
def test_without_H2_a_trained_scale_is_sharper_than_a_plain_model_of_small_inputs():
    # given  inputs of covariance I/4, w = (4, 0) and gamma = 1: r |w|^2 = 4 exceeds the variance 1 of y
    X, w = np.array(WHITE_INPUTS) / 2, [4.0, 0.0]
    assert_keeps(H1=np.var(X @ w) >= np.var(standardize(X @ w, -1)[0]))
    found = fitted_sharpness_by_torch(X, w, trains_scale=True)
    assert_within(found.lower, 1, found.upper, why="sharpness with normalization, against 1/4")


@observed
def test_the_sharpness_at_a_fit_is_that_of_exact_arithmetic():
    # given  three samples of unequal variances, w = (1, 2)/8 and gamma = 1, and gamma = 2
    X, w = [[0, 1], [3, -1], [1, 0]], ["1/8", "1/4"]
    exact, s2, Sigma = exact_sharpness_at_fit(X, w)
    # and    Sigma = [[14, -9], [-9, 6]]/9, Sigma w = (-4, 3)/72, s^2 = 1/288: 640 - 400
    assert_identical([*Sigma.ravel() * 9, s2 * 288, exact], [14, -9, -9, 6, 1, 240], why="by hand")
    centered = (np.array(X) - np.mean(X, 0))[None]
    found = [sharpness_at_fit(centered, np.array([[1 / 8, 1 / 4]]), np.array(g), np.array([3])) for g in (1.0, 2.0)]
    # then   30 operations and LAPACK, on Sigma/s^2; s^2 is small by the cancellation of w'Sigma w
    cancelled = float(abs(fractions(w)) @ abs(Sigma) @ abs(fractions(w)) / s2)
    slack = rounding(30 + factorization(2, 2), cancelled * float(np.trace(Sigma) / s2))
    assert_equal_within(found[0][0], float(exact), slack, why="with normalization")
    assert_equal_within(found[1][0], 4 * float(exact), 4 * slack, why="four times with twice the scale")
    plain = np.linalg.eigvalsh(Sigma.astype(float))[-1]
    assert_equal_within(found[0][1], plain, rounding(10 + factorization(2, 2), plain), why="without")
