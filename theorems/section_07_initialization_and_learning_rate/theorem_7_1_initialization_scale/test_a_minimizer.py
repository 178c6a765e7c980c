r"""Theorem 7.1 (a) - there is an R whose minimizer is the limit.

Printed     $\theta^*(\alpha) = \operatorname{argmin}_\theta R(\theta)\ \text{s.t.}\ L(\theta) = 0$, where $R$ depends
            on $\alpha$
Reading     $R$ depends on the network and on $\alpha$, as printed. So it does not depend on the data, which enter
            through $L$. And $\theta^*$ is the only minimizer: with $R = \|\theta - \theta^*\|^2$, or a constant, the
            print would say nothing
Setting     $L = \frac12 \|Xw - y\|^2$ with $p \ge n$ columns. Under H1 to H6, $R$ is a potential $Q$ of $w$.
            $z = Q'(w)$ is the dual variable; entrywise $w$ is $2\alpha^2 \sinh z$ for $D = 2$, and
            $\alpha^D ((1-z)^{-D/(D-2)} - (1+z)^{-D/(D-2)})$ for $D > 2$
Hypotheses  (H1) $u_0 = v_0$. (H2) one $\alpha$ for all coordinates. (H3) some $w$ solves $Xw = y$. (H4) $u$ and $v$ are
            moved at one rate. (H5) gradient flow. (H6) the network is diagonal, $w = u^D - v^D$ entrywise, $u_0$,
            $v_0 > 0$
Idea        A ReLU neuron has no $R$: a rescaled input moves the limit and leaves $\{\theta : L(\theta) = 0\}$ as it is.
            In the diagonal network $\frac{d}{dt} u^{2-D}$ is a combination of rows of $X$, and for $v$ it is the
            opposite one. So the dual point $\nu$, $z = X^\top \nu$, follows gradient flow on the strictly convex dual
            of $Q$, at the rate $2 D^2 \alpha^{2D-2} s_n^2$ at least
Tolerance   The minimizer by Newton's method on the dual, certified by its own duality gap (`hyperbolic_entropy`). Flows
            by the error estimate of two tolerances, within horizons known beforehand. Neurons in rational arithmetic
Expected    holds under added hypotheses
"""

from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.diagonal import diagonal_flow
from fixtures.models.diagonal import DiagonalNetwork
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_not_negative,
    assert_not_positive,
    assert_violates,
)
from properties.search import smallest_violation
from theorems.ledger import counterexample, under_hypotheses
from theorems.section_07_initialization_and_learning_rate.hyperbolic_entropy import DiagonalPotential
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.minimizer import (
    CONVERGED,
    assert_ends_at_the_minimizer,
    slack_in_dual,
)
from theorems.section_07_initialization_and_learning_rate.theorem_7_1_initialization_scale.problems import (
    DEPTHS,
    problems,
    start_of_the_flow,
)


def relu_step(X, theta, eta):
    """One exact step on (1/2) sum max(0, theta.x_i)^2: a ReLU neuron whose targets are zero."""
    return theta - eta * (np.maximum(X @ theta, 0) @ X)


def relu_path(X, theta, eta, steps):
    """The states after 0, 1, ..., `steps` exact steps, (steps + 1, d)."""
    return np.array(list(accumulate(range(steps), lambda at, _: relu_step(X, at, eta), initial=theta)))


@counterexample
def test_two_data_sets_with_the_same_interpolants_lead_one_neuron_to_two_limits():
    r"""$f = \max(0, \theta \cdot x)$, targets $0$, from $(4, -2)$, $\eta = \frac12$. With $x = (1, 0)$ and $(1, 1)$ a
    step leads to $(1, -3)$, where the second is inactive, and on to $(0, -3)$. With $(2, 2)$ for $(1, 1)$, which leaves
    $\{L = 0\}$ as it is, a step leads to $(-2, -6)$, where $L = 0$. No $R$ has both for its only minimizer."""
    few, more, start, eta = fractions([[1, 0], [1, 1]]), fractions([[1, 0], [2, 2]]), fractions([4, -2]), Fraction(1, 2)
    assert_identical(more, few * fractions([[1], [2]]), why="multiples by 1 and 2: one set {L = 0}, n = p = 2")
    # when   after one step only x_1 is active: theta_1 is halved, theta_2 rests
    halved, once = relu_path(few, start, eta, 3), relu_path(more, start, eta, 1)[1]
    assert_identical(halved[1:], fractions([[1, -3], ["1/2", -3], ["1/4", -3]]), why="theta_2 rests")
    assert_identical([once, np.maximum(more @ once, 0)], fractions([[-2, -6], [0, 0]]), why="one step, and L = 0")
    # then
    reads = "theta_2 = {value} > {limit} in two limits over one set"
    assert_violates(halved[1, 1], once[1], reads=reads, x=few, rescaled=more, start=start, eta=eta)


@counterexample
@given(st.integers(1, 100), st.integers(4, 8))
def test_at_every_scale_and_every_step_the_rescaled_input_moves_the_limit(scale, k):
    # given  the start alpha (4, -2), alpha = scale/10, and a step 1/k
    few, alpha = fractions([[1, 0], [1, 1]]), Fraction(scale, 10)
    # when   by then x_2 is inactive in both and stays so, as theta_1 > 0 only falls: theta_2 rests
    ends = [relu_path(X, alpha * fractions([4, -2]), Fraction(1, k), 4)[-1] for X in (few, few * fractions([[1], [2]]))]
    assert_not_positive([end.sum() for end in ends], why="x_2 is inactive")
    assert_not_negative(min(end[0] for end in ends), why="x_1 is not")
    # then
    assert_at_most(alpha / 2, ends[0][1] - ends[1][1], why="theta_2 in the two limits")


@counterexample
def test_hypothesis_finds_a_neuron_with_two_limits():
    def limits_apart(start):
        # given  the inputs (1, 0) and (1, 1), or (1, 0) and (2, 2), and one step of 1/6. Settled are starts after
        #        which x_2 is inactive in both: it stays so, and theta_2 rests
        (few, slow), (more, fast) = (
            (theta - s / 6 - k * k * x / 6, other - k * k * x / 6)
            for k in (1, 2)
            for theta, other in [start]
            for s, x in [(max(theta, 0), max(theta + other, 0))]
        )
        is_settled = few + slow <= 0 <= few and more + fast <= 0 <= more
        return abs(slow - fast) if is_settled else 0

    found = smallest_violation(st.tuples(*[st.integers(-9, 9).map(Fraction)] * 2), limits_apart)
    reads = "two limits over one set {{L = 0}} are {value} > {limit} apart in theta_2"
    assert_violates(limits_apart(found), 0, reads=reads, start=found, x=[[1, 0], [1, 1]], rescaled=[2, 2])


@under_hypotheses("H1", "H2", "H3", "H4", "H5", "H6")
@pytest.mark.parametrize("depth", DEPTHS)
@given_batches(problem=problems)
def test_the_flow_converges_to_the_minimizer_of_the_potential(depth, problem):
    alpha, start, pace = start_of_the_flow(problem, depth)
    # given  the horizon at which |r| has shrunk by CONVERGED: d|r|^2/dt <= -4 D^2 alpha^{2D-2} s_n^2 |r|^2
    rate = 2 * depth**2 * alpha ** (2 * depth - 2) * problem.sigma_min**2 * pace
    horizon, size = np.array([-np.log(CONVERGED) / rate.min()]), norm(problem.y, axis=-1)

    def left(state):
        r = np.matvec(problem.X, DiagonalNetwork(*state, depth).w) - problem.y
        return np.max(norm(r, axis=-1) / size) - CONVERGED

    # when   an error unless it is reached by then
    flow = diagonal_flow(problem.X, problem.y, start, horizon, until=left, rate=pace)
    network = DiagonalNetwork(*flow.states[-1], depth)
    # then
    potential = DiagonalPotential(depth, alpha[:, None])
    assert_ends_at_the_minimizer(problem, potential, network, slack_in_dual(network, alpha, flow.error[-1]))
