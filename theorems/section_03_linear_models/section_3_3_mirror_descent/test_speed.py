r"""Section 3.3: mirror descent - how far the iterates are from the flow, and how slow convergence can be.

Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $\mathrm{KL}(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; $\operatorname{rank} X = n$, and $s_1$ is the
            largest singular value; $\mathbf 1$ is the vector of ones
Corrected   (C4) Let the rows of $X$ be constants $c_i$ on disjoint blocks, and let $\eta c_i^2 S \le 1$ for the masses
            $S$ of block $i$ at the start and in the limit. Then $\ln w_t$ runs ahead of the flow's logistic curve by at
            most two thirds of $\eta c_i^2$ times the difference of the two masses.
            (C7) Where no interpolant is strictly positive, convergence can be as slow as $1/t$: for $X = 1$, $y = 0$
            and $\theta = \eta w_0 \le 1$, $1/w_0 + \eta t \le 1/w_t \le 1/w_0 + \eta t (e^\theta - 1)/\theta$.
Idea        Under the flow the mass $S$ of a block follows a logistic curve. One step of mirror descent is one step of
            Euler's method for $\ln S$. Its error has one sign, and later steps do not enlarge it.
Tolerance   First-order rounding of every step.
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.mirror_descent import ENTROPY, mirror_descent
from fixtures.precision import rounding
from fixtures.problems.tapes import times
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from theorems.ledger import corrected
from theorems.section_03_linear_models.section_3_3_mirror_descent.systems import disjoint_blocks


def ways_towards_the_limit(w, w0, c, block, initial, final, T):
    """How far ln(w/w_0) has gone towards the limit, and ln(S(T)/S_0) of S(T) = S*/(1 + (S*/S_0 - 1) exp(-c^2 S* T))."""
    curve = final / (1 + (final / initial - 1) * np.exp(-(c**2) * final * T))
    sign = np.sign(final - initial)[block]
    return np.log(w / w0) * sign, np.log(curve / initial)[block] * sign


def bound_on_the_lead(eta, c, initial, final):
    """The bound of C4, for each block."""
    return 2 * eta * c**2 * np.abs(final - initial) / 3


def bounds_on_the_inverse(w0, eta, t):
    """The two bounds of C7 on 1/w_t."""
    theta = eta * w0
    return 1 / w0 + eta * t, 1 / w0 + eta * t * np.expm1(theta) / theta


@corrected("C4")
def test_the_bound_on_the_lead_of_two_blocks_by_hand():
    # given  eta = 1/4, rates 1 and 2, masses from 1 to 4 and from 2 to 1
    bound = bound_on_the_lead(Fraction(1, 4), fractions([1, 2]), fractions([1, 2]), fractions([4, 1]))
    assert_identical(bound, fractions(["1/2", "2/3"]), why="(2/3)(1/4)(1)(3) and (2/3)(1/4)(4)(1)")


@corrected("C4")
@given(problem=disjoint_blocks(), step=st.sampled_from([1.0, 1 / 4, 1 / 16]), t=times(101))
def test_on_disjoint_blocks_the_iterates_lead_the_logistic_curve_by_at_most_a_step(problem, step, t):
    # given  block i has mass S_0, and S* = y_i/c_i at the limit; eta c^2 S <= 1, so that Euler's method is monotone
    X, c, block, w0, final = problem
    initial = (X / c[:, None]) @ w0
    eta = step / (c**2 * np.maximum(initial, final)).max()
    # when
    run = mirror_descent(ENTROPY, X, c * final, w0, eta, t)
    # then   one step of Euler errs by eta times the change of the slope (ln S)' on the way, times the mean of 1 - s
    #        over that change, s in [0, 1] being the time in steps. The change has a density whose logarithm falls by
    #        2 at most, so that the mean is at most 0.66. Errors have one sign, and steps do not expand them
    descent, flow = ways_towards_the_limit(run.w, w0, c, block, initial, final, eta * t)
    limit = bound_on_the_lead(eta, c, initial, final)[block]
    # a step in ln w: p + 4 in its gradient, of at most 2 as eta c^2 S <= 1, and 8 in the update, as |ln w| < 8
    slack = rounding((1 + t) * (len(w0) + 8), 2)
    assert_at_most(flow, descent + slack, why="descent is ahead", instance=(X, w0, t))
    assert_at_most(descent - flow, limit + slack, why="by the bound at most", instance=(X, w0, t))


@corrected("C4")
def test_just_below_the_limit_one_step_attains_more_than_half_of_the_bound_on_the_lead():
    # given  X = [1], y = 1, w_0 = 15/16, eta = 1: at time 1 the flow has 1/e of the way to go, and descent almost none
    w0, one, block = np.array([15 / 16]), np.ones(1), np.zeros(1, int)
    run = mirror_descent(ENTROPY, np.ones((1, 1)), one, w0, 1.0, 1)
    # then
    descent, flow = ways_towards_the_limit(run.w, w0, one, block, w0, one, 1.0)
    limit = bound_on_the_lead(1, one, w0, one)
    assert_within(limit / 2, descent - flow, limit, why="descent against flow")


@corrected("C7")
@given(start=st.integers(-2, 2), step=st.sampled_from([1.0, 0.5, 0.01]), t=times(101))
def test_without_a_strictly_positive_interpolant_convergence_is_no_faster_than_one_over_t(start, step, t):
    # given  X = [1], y = 0: the only interpolant is w = 0, on the boundary
    w0, eta, X = 2.0**start, step / 2.0**start, np.ones((1, 1))
    # when   w_{t+1} = w_t exp(-eta w_t)
    run = mirror_descent(ENTROPY, X, np.zeros(1), np.array([w0]), eta, t)
    # then   1/w_t + eta <= 1/w_{t+1} <= 1/w_t + eta (e^step - 1)/step
    # a step in ln w: 3 in its length eta w <= 1, and one in ln w; the last exponential and the quotient
    slack = rounding(4 * (1 + t), (1 + np.log1p(t)) / run.w[0])
    slowest, fastest = bounds_on_the_inverse(w0, eta, t)
    assert_within(slowest, 1 / run.w[0], fastest, slack=slack, why="1/w_t grows linearly", instance=(w0, eta, t))


@corrected("C7")
def test_the_bounds_on_the_inverse_are_attained_by_a_short_and_nearly_by_a_long_step():
    # given  X = [1], y = 0, w_0 = 1: after one step 1/w is exp(eta), which is the upper bound
    for eta in (2.0**-20, 1.0):
        run = mirror_descent(ENTROPY, np.ones((1, 1)), np.zeros(1), np.ones(1), eta, 1)
        slowest, fastest = bounds_on_the_inverse(1.0, eta, 1)
        assert_equal_within(1 / run.w[0], fastest, rounding(8, np.e), why="1 + eta (e^eta - 1)/eta")
        assert_at_most(fastest - slowest, eta**2, why="and the lower bound is near for a short step")
