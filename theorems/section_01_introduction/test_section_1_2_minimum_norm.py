r"""Section 1.2: minimum norm - the selected minimum has the least l2 norm, if the model is linear and starts in row(X).

Section     1.2, item 1 of the list
Printed     $\theta^* = \operatorname{argmin} \{\|\theta\|_2 : L(\theta) = 0\}$, "often"
Reading     The list belongs to what "can be formalized": it reports no measurement, and "often" names no population. So
            it says that this happens under some conditions, and we supply them. The comparison is with all other minima
            of the same loss
Setting     $L = \frac12 \|F(\theta)\|^2$ with $F(\theta) = (f(x_i; \theta) - y_i)_i$. $J$ is the Jacobian of $F$ at the
            start, and $s_1(J)$ its largest singular value. For a linear model $f = w \cdot x$ it is $X$, of rank
            $n < p$. $P$ is the projection on $\operatorname{null}(X)$
Hypotheses  (H1) $f$ is linear in $\theta$.  (H2) $\theta_0$ lies in $\operatorname{row}(J)$.  (H3)
            $0 < \eta < 2/s_1(J)^2$.
Corrected   (C1) For a linear model of rank $n$, any $w_0$ and $0 < \eta < 2/s_1(X)^2$, the limit has
            $\|w^*\|^2 = \|X^+ y\|^2 + \|P w_0\|^2$.
            (C2) Let $f = w_L \cdots w_1 x$ with scalar layers that start equal. At every step and for every $\eta$ the
            layers are equal, so that no other layers with the same product have a smaller norm.
Idea        Gradients of a linear model lie in $\operatorname{row}(X)$. So the part of $w_0$ in $\operatorname{null}(X)$
            stays, and it is orthogonal to the rest of the limit. For a product of scalars, the arithmetic mean of the
            $w_l^2$ is least where all $w_l^2$ are equal
Source      Gunasekar, Lee, Soudry, Srebro (2018), Characterizing Implicit Bias in Terms of Optimization Geometry, ICML
Tolerance   Limits are compared with LAPACK's minimum-norm solution, within a ball that encloses the limit
            (`properties.linear_models.limits`) and the rounding of that solution. Everything else is exact
Findings    With the start at $0$ this is Theorem 3.1. Section 3.3 has algorithms whose minimum is least in another norm
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes, times
from fixtures.rational import fractions, to_fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.linear_models.limits import interpolant_rounding, limit_of_descent
from properties.oracles import nearest_interpolant
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

READS = "squared norm {value} of the limit > {limit} of another minimum"


def one_equation(x, y, w0):
    """The limit of exact descent on w . x = y, reached in one step of 1/|x|^2, and the least minimum y x/|x|^2."""
    x, w0 = fractions([x]), fractions(w0)
    length = (x @ x.T)[0, 0]
    _, limit = exact_descent(x, fractions([y]), w0, 1 / length, 1)
    return limit, x[0] * Fraction(y) / length


def squared(w):
    """|w|^2."""
    return w @ w


def descend_on_layers(layers, y, eta, steps):
    """Exact descent on (1/2)(w_L ... w_1 - y)^2 over scalar layers, all moved at once."""
    for _ in range(steps):
        others = [np.prod(np.delete(layers, index)) for index in range(len(layers))]
        layers = layers - eta * (np.prod(layers) - y) * fractions(others)
    return layers


@counterexample
def test_a_start_off_the_row_space_ends_at_a_longer_minimum():
    r"""On $w_1 + 2 w_2 = 5$ from $w_0 = (2, -1)$ the gradient is $-5 (1, 2)$, and a step of $\eta = \frac15$ ends at
    the minimum $(3, 1)$, with $\|w\|^2 = 10$. The printed limit is the minimum of least norm, $(1, 2)$, with
    $\|w\|^2 = 5$."""
    limit, least = one_equation([1, 2], 5, [2, -1])
    assert_identical(limit, fractions([3, 1]), why="one step of 1/5")
    assert_violates(squared(limit), squared(least), reads=READS, X=[[1, 2]], y=[5], w0=[2, -1])


def starts():
    """One equation: x (2,), not zero, y, and w_0 (2,), small integers."""
    numbers = tapes(5).map(lambda tape: tape.integers(5, 3).astype(int).tolist())
    return numbers.map(lambda n: (n[:2], n[2], n[3:])).filter(lambda problem: any(problem[0]))


@counterexample
def test_a_search_finds_a_start_that_does_not_end_at_the_least_norm():
    def longer(problem):
        limit, least = one_equation(*problem)
        return squared(limit) > squared(least)

    x, y, w0 = smallest_violation(starts(), longer)
    limit, least = one_equation(x, y, w0)
    assert_violates(squared(limit), squared(least), reads=READS, X=[x], y=[y], w0=w0)


@under_hypotheses("H1", "H2", "H3")
@given_batches(problem=regressions())
def test_from_the_row_space_the_limit_is_no_longer_than_the_least_interpolant(problem):
    # given  H1; H2: the row part of any start; H3: the step 2/(s_1^2 + s_n^2)
    start = problem.in_row_space(problem.w0)
    # when
    limit = limit_of_descent(problem, start)
    # then
    least = nearest_interpolant(problem.X, problem.y, np.zeros_like(start))
    slack = limit.radius + interpolant_rounding(problem, start)
    assert_at_most(norm(limit.w, axis=-1), norm(least, axis=-1) + slack, why="the least norm", instance=problem)
    assert_at_most(norm(limit.w - least, axis=-1), slack, why="the one minimum of least norm", instance=problem)


@under_hypotheses("H1", "H2", "H3")
@given(problem=starts(), scale=st.integers(-3, 3))
def test_on_one_equation_a_start_along_the_input_ends_at_the_least_norm_exactly(problem, scale):
    x, y, _ = problem
    # given  H2: w_0 = scale x
    limit, least = one_equation(x, y, scale * np.array(x))
    # then
    assert_identical(limit, least, why="the least minimum")


@corrected("C1")
@given_batches(problem=regressions())
def test_the_squared_norm_of_the_limit_is_the_least_one_plus_that_of_the_null_part_of_the_start(problem):
    # when   from any start
    limit = limit_of_descent(problem, problem.w0)
    # then   |w|^2 = |X^+ y|^2 + |P w_0|^2; an error of `off` in w changes |w|^2 by at most (2|w| + off) off
    least = nearest_interpolant(problem.X, problem.y, np.zeros_like(problem.w0))
    parts = norm(least, axis=-1) ** 2 + norm(problem.in_null_space(problem.w0), axis=-1) ** 2
    off = limit.radius + interpolant_rounding(problem, problem.w0)
    error = np.abs(norm(limit.w, axis=-1) ** 2 - parts)
    assert_at_most(error, (2 * norm(limit.w, axis=-1) + off) * off, why="Pythagoras", instance=problem)


@corrected("C2")
@given(depth=st.integers(2, 4), quarters=st.integers(-8, 8), steps=st.integers(1, 3))
def test_equal_scalar_layers_stay_equal_for_any_step(depth, quarters, steps):
    # given  any target and a step that need not be small
    start = Fraction(quarters, 4)
    layers = descend_on_layers(np.full(depth, start), Fraction(3, 2), Fraction(1, 3), steps)
    # then   sum w_l^2 >= L |prod w_l|^(2/L), and equal layers attain it
    assert_identical(layers, np.full(depth, layers[0]), why="equal layers")
    assert_identical(squared(layers) ** depth, depth**depth * np.prod(layers) ** 2, why="equality of the two means")


@corrected("C2")
@given(tape=tapes(4), depth=st.integers(2, 4))
def test_unequal_scalar_layers_with_the_same_product_are_longer(tape, depth):
    layers = to_fractions(tape.integers(depth, 8).astype(int)) / 4
    # then   the inequality of the arithmetic and the geometric mean, to the power of the depth
    assert_at_most(depth**depth * np.prod(layers) ** 2, squared(layers) ** depth, why="arithmetic against geometric")


@necessity("H1")
def test_without_H1_descent_from_zero_can_end_at_a_longer_minimum():
    # given  f = a + b^2 on one sample, y = 1, from zero; J = (1, 2b)
    a, b, y, eta = Fraction(0), Fraction(0), Fraction(1), Fraction(1)
    assert_keeps(H2=a * 2 * b == b, H3=0 < eta < 2 / (1 + (2 * b) ** 2))
    # when   one step, which interpolates
    residual = a + b**2 - y
    a, b = a - eta * residual, b - eta * residual * 2 * b
    assert_identical(a + b**2, y, why="a minimum")
    # then   a = 1/2, b^2 = 1/2 is a minimum too
    shorter = Fraction(1, 4) + Fraction(1, 2)
    assert_at_most(shorter + Fraction(1, 4), a**2 + b**2, why="a quarter longer than another minimum")


@necessity("H2")
@given_batches(problem=regressions())
def test_without_H2_the_limit_is_longer_by_the_null_part_of_the_start(problem):
    # given  a start with a null part of length 1; the step 2/(s_1^2 + s_n^2) of a linear model
    start = problem.in_row_space(problem.w0) + problem.N[..., 0]
    assert_keeps(H1=True, H3=problem.sigma_min > 0)
    # when
    limit = limit_of_descent(problem, start)
    # then   |w|^2 = |X^+ y|^2 + 1
    least = norm(nearest_interpolant(problem.X, problem.y, np.zeros_like(start)), axis=-1)
    slack = limit.radius + interpolant_rounding(problem, start)
    assert_at_most(np.hypot(least, 1), norm(limit.w, axis=-1) + slack, why="longer by a null part", instance=problem)


@necessity("H3")
@given(t=times(21))
def test_without_H3_descent_reaches_no_minimum(t):
    # given  the equation w_1 = 1 in two unknowns, from zero, at eta = 2/s_1^2
    X, y, start = fractions([[1, 0]]), fractions([1]), fractions([0, 0])
    assert_keeps(H1=True, H2=not start.any())
    # when
    w = exact_descent(X, y, start, Fraction(2), t)[-1]
    # then   w_1 alternates between 0 and 2
    assert_identical(np.abs(X @ w - y), fractions([1]), why="the residual keeps its length")
