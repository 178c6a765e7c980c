r"""Section 1.2: dependence on initialization, learning rate and algorithm (b) - learning rate.

Printed     The limit $\theta^* \in M = \{\theta : L(\theta) = 0\}$ of gradient descent depends on the learning rate
            $\eta$
Reading     "Given a training loss" admits every loss with several global minima. The limit depends on the rate if two
            rates lead from one start to two limits. The start is off $M$, and descent converges at both rates
Setting     Least squares $L(w) = \frac12 \|Xw - y\|^2$ with $\operatorname{rank} X = n < p$; and two networks with the
            squared loss: $f = uvx$ with one sample $(1, y)$, and $f = (u^2 - v^2)^\top x$ with entrywise squares, $u_0$
            and $v_0$ without zeros, and one sample $x > 0$. $r = f - y$, and $g = X^\top r$
Hypotheses  (H2) The model is not linear in its parameters: $f = uvx$, or $f = (u^2 - v^2)^\top x$.
            (H3) The start is off $M$, and in the model $f = uvx$ not balanced: $u_0^2 \ne v_0^2$.
Corrected   (C1) For every start and every rate: a step of descent on $f = uvx$ multiplies $u^2 - v^2$ by
            $1 - \eta^2 r_t^2$; a step on $f = (u^2 - v^2)^\top x$ multiplies $uv$, entry by entry, by
            $1 - 4 \eta^2 g_t^2$. Gradient flow keeps $u^2 - v^2$ in the first model, and $uv$ in the second.
Idea        On least squares every gradient lies in $\operatorname{row}(X)$, and the limit is the interpolant nearest to
            $w_0$, which does not depend on $\eta$. In the networks a step of descent shrinks what gradient flow keeps,
            by a factor that depends on $\eta$. Two rates that are far enough apart end with two values of it, and so at
            two minima
Tolerance   Witnesses and single steps are rational numbers. Limits on least squares are enclosed in balls
            (`properties.linear_models.limits`). A run on $f = uvx$ takes a number of steps that is known beforehand;
            their rounding is its slack
Findings    For least squares, the model of the paper's own Section 3, the limit does not depend on the learning rate:
            see the test without H2
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.diagonal import diagonal_step
from fixtures.dynamics.factored_descent import product_step
from fixtures.dynamics.gradient_descent import exact_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.expectations import expecting
from fixtures.problems.lines import line, lines
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, record_series
from properties.linear_models.limits import CONVERGED, limit_of_descent
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses
from theorems.section_01_introduction.section_1_2_dependence.product_network import (
    descend,
    descent_rounding,
    products,
)


def extrapolated(iterates):
    """The limit of a geometric sequence of vectors of fractions from its first three terms (Aitken); exact."""
    first, second = iterates[1] - iterates[0], iterates[2] - iterates[1]
    return tuple(w + (a * a / (a - b) if a else 0) for w, a, b in zip(iterates[0], first, second, strict=True))


@counterexample
def test_two_learning_rates_find_one_minimum_of_least_squares():
    r"""From $w_0 = 0$ on $w_1 + 2 w_2 = 1$ a step of the rate $\frac15$ ends at $(\frac15, \frac25)$, as its gradient
    is $-(1, 2)$. The rate $\frac1{10}$ halves the distance to the same point in every step, since
    $1 - 5 \eta = \frac12$. The print says that the limit depends on the rate. Here two rates have one limit."""
    problem = line([[1, 2]], [1], [0, 0], [0, 0], ["1/5", "1/10"])
    runs = [exact_descent(problem.X, problem.y, problem.w0, eta, 8) for eta in problem.legal]
    limits = {extrapolated(run) for run in runs}
    # then
    end = fractions(["1/5", "2/5"])
    assert_identical([runs[0][1], runs[1][8] - end], [end, -end / 2**8], why="one step, and eight halvings")
    assert_violates(
        2, len(limits), reads="{value} learning rates > {limit} minimum, (1/5, 2/5)", x=[1, 2], y=1, eta=problem.legal
    )


@counterexample
def test_hypothesis_finds_two_learning_rates_with_one_minimum():
    # given  least squares with integer data, a start off M and two legal rates
    def limits(problem):
        return {extrapolated(exact_descent(problem.X, problem.y, problem.w0, eta, 2)) for eta in problem.legal}

    found = smallest_violation(lines(), lambda problem: problem.residual(problem.w0) and len(limits(problem)) == 1)
    # then
    assert_violates(
        2, len(limits(found)), reads="{value} learning rates > {limit} minimum", x=found.X[0], y=found.y, w0=found.w0
    )


@under_hypotheses("H2", "H3")
def test_two_learning_rates_find_two_minima_of_a_product():
    # given  f = uvx, the sample (1, -1), the start (3, 2); one step at the rate 1/7, and one at the rate 1/6
    ends = [product_step(Fraction(3), Fraction(2), -1, Fraction(1, denominator)) for denominator in (7, 6)]
    # then   both ends are minima, and descent is stable at each of them: eta (u^2 + v^2) < 2
    assert_identical(ends, [(1, -1), (Fraction(2, 3), Fraction(-3, 2))], why="where a step leads")
    curvatures = [(u**2 + v**2) / denominator for (u, v), denominator in zip(ends, (7, 6), strict=True)]
    assert_at_most(max(curvatures), Fraction(1, 2), why="eta times the curvature at the minimum")
    u, v = zip((3, 2), *ends, strict=True)
    record_series("start, and ends of two rates", eta=[0, 1 / 7, 1 / 6], u=u, v=v)


@corrected("C1")
@given(st.tuples(*[st.integers(-4, 4)] * 3), st.integers(1, 20))
def test_every_step_on_a_product_multiplies_what_the_flow_keeps(start, k):
    # given  f = uvx and any learning rate, in exact arithmetic
    u, v, y = map(Fraction, start)
    (u1, v1), eta = product_step(u, v, y, Fraction(1, k)), Fraction(1, k)
    # then
    kept = (1 - eta**2 * (u * v - y) ** 2) * (u**2 - v**2)
    assert_identical(u1**2 - v1**2, kept, why="u^2 - v^2 after a step")


@corrected("C1")
@given(tapes(6 + 2 + 3 + 3 + 1))
def test_every_step_on_a_difference_of_squares_multiplies_what_the_flow_keeps(tape):
    # given  two samples of three features, and any learning rate, in exact arithmetic
    X, y, u, v = (fractions(tape.integers(shape, 3).astype(int).tolist()) for shape in ((2, 3), 2, 3, 3))
    eta = Fraction(1, 1 + tape.below(20))
    # when
    u1, v1 = diagonal_step(X, y, u, v, eta)
    # then   with g = X'r from its definition
    g = X.T @ (X @ (u * u - v * v) - y)
    assert_identical(u1 * v1, (1 - 4 * eta**2 * g * g) * u * v, why="uv after a step")
    assert_identical(v * u1 - u * v1, -4 * eta * g * u * v, why="u shrinks where v grows")


@necessity("H2")
@given_batches(problem=regressions())
def test_without_H2_all_learning_rates_find_one_minimum(problem):
    # given  a start off M
    problem = off_the_minima(problem)
    assert_keeps(H3=norm(np.matvec(problem.X, problem.w0) - problem.y, axis=-1) > 1 / 2)
    limits = [limit_of_descent(problem, problem.w0, step) for step in (1.9, 1.5)]
    # then
    slack = limits[0].radius + limits[1].radius
    assert_at_most(norm(limits[0].w - limits[1].w, axis=-1), slack, why="one limit", instance=problem)


@necessity("H3")
@given_batches(product=expecting(products(balanced=True), related="u v"))
def test_without_H3_all_learning_rates_find_one_minimum_of_a_product(product):
    # given  f = uvx with u = v; a rate and half of it. The start is off M, which is the other half of H3
    assert_keeps(H2=True)
    assert_at_most(1 / 4, -product.residual, why="off M", instance=product)
    eta = 1 / (2 * product.largest)
    ends = [descend(product, eta), descend(product, eta / 2)]
    # then   u = v at every step, bit for bit. So u^2 = y in the limit, and |u - sqrt(y)| = |uv - y|/(u + sqrt(y))
    assert_identical([u - v for u, v, _ in ends], np.zeros((2, len(eta))), why="u = v is kept")
    error = np.max([abs(u - np.sqrt(product.y)) for u, _, _ in ends], axis=0)
    slack = descent_rounding(product.largest, ends[1][2])
    assert_at_most(error, CONVERGED * -product.residual + slack, why="both end at sqrt(y)", instance=product)
