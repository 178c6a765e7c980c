r"""Theorem 7.2 (b) - a larger learning rate regularizes more strongly.

Printed     The effective strength of the regularization grows with $\eta$
Reading     The strength of a regularizer is its weight in the objective, here $\eta/2$. Its effect is on what the
            theorem is about, the limit $\theta^*(\eta)$
Readings    [distance on the way] what is regularized is $\|\theta - \theta_0\|$, the other printed term, before the
            limit: the larger rate is nearer to the start after as many steps, or at the same time - refuted
Setting     $L(\theta) = \frac12 \|X\theta - y\|^2$, $H = X^\top X$. The printed objective is $\|\theta - \theta_0\|^2 +
            \frac\eta2 \theta^\top H \theta$ over $\{\theta : L(\theta) = 0\}$. $\lambda$ are the nonzero eigenvalues of
            $H$. In C4 and C5 $u = v = \alpha$ at the start, there is one sample $x$ with the target $y \ne 0$, $Q$ is
            the potential that the limit of gradient flow minimizes, and
            $K = 8 \alpha^2 \|x\|^2 + 4 |y| \max_i |x_i|$
Idea        On $\{\theta : X \theta = y\}$ the quadratic form is $\|y\|^2$, a constant. So its weight $\eta/2$ has no
            effect on the limit
Tolerance   Limits in balls of known radius (`properties.linear_models.limits`), or all in rational arithmetic
Expected    vacuous
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.lines import lines
from fixtures.rational import fractions, solve
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.linear_models.limits import limit_of_descent
from properties.search import smallest_violation
from theorems.ledger import counterexample, vacuous
from theorems.section_07_initialization_and_learning_rate.theorem_7_2_learning_rate.printed_program import (
    optimality_system,
    problems,
    programs,
)


@counterexample(reading="distance on the way")
def test_twice_the_rate_goes_twice_as_far_in_a_step():
    r"""$X = (1, 2)$, $y = 1$, from $\theta_0 = 0$: $\theta_1 = \eta (1, 2)$, so $\|\theta_1 - \theta_0\|^2 = 5 \eta^2$.
    This is $\frac1{20}$ at the rate $\frac1{10}$ and $\frac15$ at $\frac15$: the larger rate is farther from the
    start."""
    X, y, start = fractions([[1, 2]]), fractions([1]), fractions([0, 0])
    small, large = (exact_descent(X, y, start, Fraction(1, k), 1)[1] for k in (10, 5))
    # then
    reads = "|theta_1 - theta_0|^2 = {value} at the rate 1/5 > {limit} at the rate 1/10"
    assert_violates(large @ large, small @ small, reads=reads, X=[[1, 2]], y=[1], theta0=[0, 0])


@counterexample(reading="distance on the way")
def test_one_step_goes_farther_than_two_of_half_the_rate():
    # given  X = [1], y = 1 from zero
    X, y, start = fractions([[1]]), fractions([1]), fractions([0])
    once, twice = (exact_descent(X, y, start, Fraction(1, 2 * t), t)[t, 0] for t in (1, 2))
    # then
    reads = "theta = {value} after one step of 1/2 > {limit} after two of 1/4"
    assert_violates(once, twice, reads=reads, X=[[1]], y=[1], theta0=[0])


@counterexample(reading="distance on the way")
def test_hypothesis_finds_a_larger_rate_that_goes_farther():
    def squares(line):
        runs = [exact_descent(line.X, line.y, line.w0, eta, 3)[3] - line.w0 for eta in sorted(line.legal)]
        return [moved @ moved for moved in runs]

    found = smallest_violation(lines(), lambda line: squares(line)[1] > squares(line)[0])
    small, large = squares(found)
    reads = "|theta_3 - theta_0|^2 = {value} at the larger rate > {limit} at the smaller"
    assert_violates(large, small, reads=reads, X=found.X, y=found.y, theta0=found.w0, eta=sorted(found.legal))


@vacuous
@given(programs(), st.integers(2, 1000))
def test_a_term_of_many_times_the_weight_has_the_same_minimizer(program, times):
    X, y, theta0, weight = program
    # when   the printed program at two rates, the larger one of so many times the weight
    small, large = (solve(*optimality_system(X, y, theta0, k * abs(weight)))[:3] for k in (1, times))
    # then
    assert_identical(large, small, why="theta^*(eta)")


@vacuous
@given_batches(problem=problems)
def test_in_the_limit_no_rate_has_an_effect(problem):
    # given  rates that differ by a factor of nineteen
    limits = [limit_of_descent(problem, problem.w0, step) for step in (0.1, 0.9, 1.9)]
    moved = norm(np.diff([limit.w for limit in limits], axis=0), axis=-1)
    # then
    radii = [limits[0].radius + limits[1].radius, limits[1].radius + limits[2].radius]
    assert_at_most(np.transpose(moved), np.transpose(radii), why="one limit", instance=problem)
