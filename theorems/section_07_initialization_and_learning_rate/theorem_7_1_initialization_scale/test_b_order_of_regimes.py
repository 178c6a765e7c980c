r"""Theorem 7.1 (b) - small alpha is the kernel regime, large alpha learns features.

Printed     For small $\alpha$ training stays near the kernel regime and hardly learns features. For large $\alpha$ it
            learns more of them
Reading     Feature learning is the relative change of the tangent kernel from the start to the limit, as the print sets
            $L = 0$. The print says that the smaller of two scales has no more of it. The kernel regime's own limit is
            the interpolant of least $\ell_2$ norm
Readings    [movement of the parameters] feature learning is $\|\theta_T - \theta_0\|$, by which section 6.1
            characterizes its regime, and the larger scale has more of it - refuted
Setting     $L = \frac12 \|Xw - y\|^2$. The network is diagonal, $w = u^D - v^D$ entrywise with $u = v = \alpha$ at the
            start, and follows gradient flow to the minimizer of its potential $Q$ over $\{w : Xw = y\}$. Its tangent
            kernel is $K = D^2 X \operatorname{diag}(u^{2D-2} + v^{2D-2}) X^\top$. In C3 to C6 $w$ is the limit, of $p$
            entries, $\theta = (u, v)$, $z = Q'(w)$, $m = X^+ y$, and $M$ is the least $\ell_1$ norm of an interpolant;
            $q_i$ is the growth of $u_i^{2D-2} + v_i^{2D-2}$ over its start
Differs     The order of the two regimes is the reverse of the printed one
Idea        For one sample the limit is a function of one dual number $\nu$, and so are the scale $\alpha$ and the
            change of $K$. On the instances shown, the smaller scale has the larger change
Tolerance   Rational arithmetic. Flows by the error estimate of two tolerances, at a minimizer certified by its duality
            gap
Findings    Nothing is claimed here of a single weight of the kernel. On $X = [1, 2]$, $y = 1$ the change of the kernel
            was below $10^{-9}$ at $\alpha = 100$ and above 49,999 at $\alpha = \frac1{1000}$
Expected    refuted
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from fixtures.dynamics.diagonal import diagonal_flow
from fixtures.models.diagonal import DiagonalNetwork, uniform
from fixtures.precision import rounding
from fixtures.problems.batches import stack
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.minimizer import (
    assert_ends_at_the_minimizer,
    slack_in_dual,
)


def exact_limit(q):
    """X = [1, 2], y = 46, exactly at z = (ln q, 2 ln q), D = 2: alpha^2, the limit w, and the relative change of K."""
    s = [(q**x - 1 / q**x) / 2 for x in (1, 2)]
    alpha_squared = 46 / (2 * s[0] + 4 * s[1])
    change = sum(x**2 * ((q**x + 1 / q**x) / 2 - 1) for x in (1, 2)) / 5
    return alpha_squared, [2 * alpha_squared * value for value in s], change


def squared_movement(root):
    """X = [1, 2], y = 46, D = 2, at u/alpha = alpha/v = (root, root^2): alpha^2, and |theta - theta_0|^2."""
    alpha_squared = exact_limit(Fraction(root) ** 2)[0]
    return alpha_squared, alpha_squared * sum((Fraction(root) ** k - 1) ** 2 for k in (-2, -1, 1, 2))


@counterexample
def test_the_kernel_changes_more_from_three_halves_than_from_a_larger_scale():
    r"""$D = 2$, $X = (1, 2)$, $y = 46$: $w = 2\alpha^2 (\sinh \nu, \sinh 2\nu)$, $K/K_0 = (\cosh \nu + 4 \cosh 2\nu)/5$
    at the limit. From $\alpha = \frac32$, $\nu = \ln 3$, $w = (6, 20)$: $K$ grows by $\frac{134}{45} = 2.98$ of itself.
    From $\alpha = \frac{112}{57}$, $\nu = \ln\frac{16}7$: by $1.44$ only."""
    small, large = exact_limit(Fraction(3)), exact_limit(Fraction(16, 7))
    assert_identical([small[0], large[0]], [Fraction(3, 2) ** 2, Fraction(112, 57) ** 2], why="alpha^2")
    assert_identical([w[0] + 2 * w[1] for _, w, _ in (small, large)], [46, 46], why="Xw = y")
    # then
    reads = "kernel change {value} from alpha = 3/2 > {limit} from alpha = 112/57"
    assert_violates(small[2], large[2], reads=reads, X=[[1, 2]], y=[46])


@counterexample
def test_the_smaller_scale_ends_farther_from_the_limit_of_the_kernel_regime():
    # given  m = X^+ y = 46 (1/5, 2/5)
    miss = [sum((exact_limit(q)[1][i] - Fraction(46 * (i + 1), 5)) ** 2 for i in (0, 1)) for q in (3, Fraction(16, 7))]
    # then
    reads = "|w - X^+ y|^2 = {value} from alpha = 3/2 > {limit} from alpha = 112/57"
    assert_violates(*miss, reads=reads, X=[[1, 2]], y=[46])


@counterexample
def test_hypothesis_finds_a_smaller_scale_that_changes_the_kernel_more():
    # given  two dual points q = e^nu, each of which belongs to one scale
    def alphas(pair):
        return [exact_limit(Fraction(q))[0] for q in pair]

    def changes(pair):
        return [exact_limit(Fraction(q))[2] for q in pair]

    found = smallest_violation(
        st.tuples(st.integers(2, 9), st.integers(2, 9)),
        lambda pair: alphas(pair)[0] < alphas(pair)[1] and changes(pair)[0] > changes(pair)[1],
    )
    (small, _, value), (large, _, limit) = (exact_limit(Fraction(q)) for q in found)
    reads = "kernel change {value} from the smaller > {limit} from the larger"
    assert_violates(value, limit, reads=reads, X=[[1, 2]], y=[46], squared_scales=[small, large])


@counterexample(reading="movement of the parameters")
def test_the_parameters_move_farther_from_the_smaller_scale():
    r"""$D = 2$, $X = (1, 2)$, $y = 46$: the limit has $u = \alpha(k, k^2)$, $v = \alpha(1/k, 1/k^2)$. At $\alpha^2 =
    \frac{1863}{6920}$, $k = 3$: $\|\theta - \theta_0\|^2 = \alpha^2 (4 + 64 + \frac49 + \frac{64}{81}) = 18.6$. At
    $\alpha^2 = \frac{368}{285}$, a larger scale, $k = 2$: $\alpha^2 (1 + 9 + \frac14 + \frac9{16}) = 14.0$."""
    (small, far), (large, near) = squared_movement(3), squared_movement(2)
    # then
    assert_at_most(small, large, why="the scales")
    reads = "|theta - theta_0|^2 = {value} from the smaller scale > {limit} from the larger"
    assert_violates(far, near, reads=reads, X=[[1, 2]], y=[46], squared_scales=[small, large])


@counterexample(reading="movement of the parameters")
def test_hypothesis_finds_a_smaller_scale_that_moves_the_parameters_farther():
    roots = st.tuples(st.integers(2, 9), st.integers(2, 9))
    found = smallest_violation(
        roots, lambda pair: all(np.subtract(squared_movement(pair[0]), squared_movement(pair[1])) * [-1, 1] > 0)
    )
    (small, far), (large, near) = map(squared_movement, found)
    reads = "|theta - theta_0|^2 = {value} from the smaller scale > {limit} from the larger"
    assert_violates(far, near, reads=reads, X=[[1, 2]], y=[46], squared_scales=[small, large])


@counterexample
def test_the_flow_itself_learns_features_from_one_thousandth_and_none_from_one_hundred():
    # given  X = [1, 2], y = 1, twice
    problem, alpha = stack([regression_of_design(np.array([[1.0, 2.0]]), np.ones(1))] * 2), np.array([1e-3, 100.0])
    start = uniform(alpha, problem.w0)
    # when
    flow = diagonal_flow(problem.X, problem.y, start, np.array([30.0]), rate=1 / np.maximum(1, 2 * alpha**2))
    network = DiagonalNetwork(*flow.states[0])
    # then   each run is at the minimizer of its potential, nearly (0, 1/2) and (1/5, 2/5)
    potential = DiagonalPotential(2, alpha[:, None])
    assert_ends_at_the_minimizer(problem, potential, network, slack_in_dual(network, alpha, flow.error[0]))
    # and    K = 4 sum x^2 (u^2 + v^2), off by at most 8 sum x^2 (u + v) times the error of u and v, and rounding
    kernels = [net.kernel(problem.X)[:, 0, 0] for net in (start, network)]
    change = kernels[1] / kernels[0] - 1
    slack = 40 * flow.error[0] * (network.u + network.v).max(-1) / kernels[0] + rounding(12, 1 + change)
    # and    sum q lies between sqrt(p^2 + (M/2 alpha^2)^2) - p and |m|^2/(8 alpha^4), with M = 1/2 and |m|^2 = 1/5
    least, most = (0.25 / alpha[0] ** 2 - 2) / 5, 1 / (40 * alpha[1] ** 4)
    assert_at_most(least, change[0] + slack[0], why="what it changes at least, from 1/1000")
    assert_at_most(change[1], most + slack[1], why="what it changes at most, from 100")
    reads = "kernel change {value} from 1/1000 > {limit} from 100"
    assert_violates(change[0], change[1], slack=slack.sum(), reads=reads, X=[[1, 2]], y=[1])
