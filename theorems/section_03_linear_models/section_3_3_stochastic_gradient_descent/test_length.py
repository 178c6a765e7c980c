r"""Section 3.3: stochastic gradient descent - in the mean the noise does not make the weights shorter.

Setting     $L(w) = \frac1{2n} \|Xw - y\|^2$; $w_{t+1} = w_t - \frac\eta b \sum_{i \in B_t} x_i (x_i^\top w_t - y_i)$,
            minibatches $B_t$ of $b$ rows drawn with replacement, or without it in shuffled epochs; GD takes all rows in
            every step. $e_t = w_t - w_\infty$, $w_\infty$ the interpolant nearest $w_0$; $\ell = \max_i \|x_i\|^2$
Readings    [shorter weights] "regularization" is that of the l2 norm, as in Section 3.1, at every time: in the mean
            over the samples the noise makes $\|w_t\|^2$ less than it is under GD - refuted
Corrected   (C5) With replacement the mean of $w_t$ is the iterate of GD. So the mean of $\|w_t\|^2$ is $\|w_t\|^2$ of
            GD plus the trace of the covariance of $w_t$.
Idea        The gradient is linear in $w$, and the rows of a minibatch are independent of $w_t$. So the mean of a step
            is a step of GD from the mean.
Tolerance   All orders of the samples are run: in exact arithmetic, or up to the rounding of their steps.
"""

from fractions import Fraction
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.stochastic import all_rows, every_order, stochastic_gradient_descent
from fixtures.precision import rounding
from fixtures.problems.regression import regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_03_linear_models.section_3_3_stochastic_gradient_descent.runs import descend, steps_rounding


def mean_square_and_square_of_the_mean(X, y, start, eta, steps):
    """The mean of |w_t|^2 over all orders of single rows, and |w_t|^2 of GD; exact on fractions."""
    orders = product(range(len(X)), repeat=steps)
    ends = [descend(X, y, start, eta, [[row] for row in order])[-1] for order in orders]
    gd = descend(X, y, start, eta, [tuple(range(len(X)))] * steps)[-1]
    return sum(w @ w for w in ends) / Fraction(len(ends)), gd @ gd


@counterexample(reading="shorter weights")
def test_one_step_from_zero_is_twice_as_long_in_the_mean_of_squares_as_that_of_gradient_descent():
    r"""For the rows $e_1$ and $e_2$ with the targets 1, from $w_0 = 0$ and with $\eta = \frac12$, a step of SGD leads
    to $\frac12 e_i$ with $\|w_1\|^2 = \frac14$. A step of GD leads to $\frac14 (e_1 + e_2)$ with $\|w_1\|^2 = \frac18$,
    which is less."""
    X, y = fractions([[1, 0, 0], [0, 1, 0]]), fractions([1, 1])
    sgd, gd = mean_square_and_square_of_the_mean(X, y, fractions([0, 0, 0]), Fraction(1, 2), 1)
    assert_violates(sgd, gd, reads="E|w_1|^2 = {value} > {limit} of GD", X=X, y=y, w0=0, eta="1/2")


@counterexample(reading="shorter weights")
def test_a_search_finds_data_on_which_the_noise_lengthens_the_weights():
    # given  two rows in R^3 of rank two by their first columns, integer targets, two steps of 1/8 from zero
    numbers = st.integers(-2, 2)
    instances = st.tuples(numbers, numbers, numbers, numbers)

    def sides(instance):
        a, b, *y = instance
        X = fractions([[1, 0, a], [0, 1, b]])
        return mean_square_and_square_of_the_mean(X, fractions(y), fractions([0, 0, 0]), Fraction(1, 8), 2)

    found = smallest_violation(instances, lambda instance: sides(instance)[0] > sides(instance)[1])
    sgd, gd = sides(found)
    assert_violates(sgd, gd, reads="E|w_2|^2 = {value} > {limit} of GD", x_13=found[0], x_23=found[1], y=found[2:])


@corrected("C5")
@given(problem=regressions(max_rows=3, max_excess=2), t=st.integers(0, 3))
def test_the_mean_over_all_orders_is_the_iterate_of_gradient_descent(problem, t):
    # given  every order of t single rows, and GD on the mean loss
    order = every_order(problem.rows, t, 1, replacement=True)
    X, y, w0 = (np.broadcast_to(data, (len(order), *data.shape)) for data in (problem.X, problem.y, problem.w0))
    # when
    run = stochastic_gradient_descent(X, y, w0, problem.eta, order)
    w, largest = run.w, run.largest.max()
    gd = stochastic_gradient_descent(problem.X, problem.y, problem.w0, problem.eta, all_rows(problem.rows, t)).w
    # then   E|w|^2 - |Ew|^2 is the trace of the covariance; both runs are rounded, and so are the means of all orders
    slack = 2 * steps_rounding(problem, t, largest) + rounding(len(order), largest)
    assert_at_most(norm(w.mean(0) - gd), slack, why="mean of the iterates", instance=problem)
    longer, trace = np.square(w).sum(-1).mean() - gd @ gd, w.var(0).sum()
    assert_at_most(abs(longer - trace), 4 * slack * largest, why="E|w|^2 - |w_GD|^2", instance=problem)
