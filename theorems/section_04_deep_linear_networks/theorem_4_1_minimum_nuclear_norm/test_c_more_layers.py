r"""Theorem 4.1 (c) - three and more layers and measurements that commute.

Setting     Gradient descent on $\frac12 \sum_i (\langle A_i, W \rangle - y_i)^2$ with $W = W_L \cdots W_1$ and
            $W_\ell(0) = \alpha I$; $G$ is the gradient in $W$. In the common basis of the $A_i$ all layers are equal
            and diagonal.
Hypotheses  (H1) Descent starts at $\alpha I$: $U(0) = \alpha I$ for $W = U U^\top$, or $W_\ell(0) = \alpha I$ for every
            layer.
            (H2) The $A_i$ are symmetric and commute.
Corrected   (C6) $L = m + 2 \ge 3$ layers under H1 and H2, while no mode is multiplied by less than $1 - z$ in a step:
            the trace exceeds the least by at most
            $\alpha^m [\frac{L}{2} (\sum x^{2/L} - \sum \mu^{2/L}) + \|E\| \sum \mu]$, $x$ the eigenvalues of $W$, $v$
            those of a layer, $g$ those of $G$, and $0 \le E \le \frac{m(m+1)}{2} (1 - z)^{-m-2} \eta^2 \sum_t g^2 v^m$.
            Here $\mu$ holds the eigenvalues of a matrix that has the least trace among the positive semidefinite
            matrices with the same measurements.
Idea        For the flow $v^{-m} - \alpha^{-m}$ is a linear combination of the rows that hold the eigenvalues of the
            $A_i$. $E$ is what finite steps add to it.
Tolerance   Least traces: HiGHS, its dual made feasible by us. The rounding of the steps stays below the bounds that
            each test states.
Findings    The conclusion about the least trace does not need depth two: for
            $\langle \operatorname{diag}(1, 2), W \rangle = 2$ and $\alpha = 0.1$ the trace is 1.0488, 1.0030 and 1.0002
            at depths 2, 3 and 4, where 1 is the least.
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import descent_path, end_to_end
from fixtures.dynamics.paths import until_fitted
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.sensing import Sensing, commuting_sensing
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_violates,
    assert_within,
)
from properties.spectra.nuclear_norm import least_trace
from theorems.ledger import corrected
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.starts import FIT_TOLERANCE


def modes_of_layers(a, y, alpha, eta, depth, steps):
    """The eigenvalues v (B, d) that all `depth` layers share under commuting measurements, and the bound of E in C6."""
    m, v = depth - 2, alpha[:, None] * np.ones(a.shape[::2])
    z, added = np.zeros(len(a)), np.zeros_like(v)
    for _ in range(steps):
        slope = eta[:, None] * np.vecmat(np.matvec(a, v**depth) - y, a)
        share = slope * v**m
        z, added = np.maximum(z, share.max(-1)), added + slope * share
        v = v * (1 - share)
    return v, (m * (m + 1) / 2 * (1 - z)[:, None] ** (-m - 2) * added).max(-1)


def trace_bound_of_layers(w_1, x, alpha, E, depth):
    """The bound of C6 on the trace of x less that of w_1, for eigenvalues (B, d)."""
    powers = (x ** (2 / depth)).sum(-1) - (w_1 ** (2 / depth)).sum(-1)
    return alpha ** (depth - 2) * (depth / 2 * powers + E * w_1.sum(-1))


@corrected("C6")
def test_the_bound_of_the_trace_by_hand():
    # given  four layers, m = 2, two modes, one step: a = (1, 2), v = 1/2, y = 1/16 (1 + 2) - 1/2, eta = 1/4
    v, E = modes_of_layers(np.array([[[1.0, 2]]]), np.full((1, 1), -5 / 16), np.array([0.5]), np.array([0.25]), 4, 1)
    # then   g = (1/2, 1), so a step multiplies v by 1 - (1/8, 1/4)/4, z = 1/16 and E = 3 (16/15)^4 eta^2 g_2^2 v^2
    assert_identical(v, [[31 / 64, 15 / 32]], why="modes after one step")
    assert_equal_within(E[0], 3 * (16 / 15) ** 4 / 64, rounding(10), why="E")
    # then   for w_1 = (0, 4), x = (1, 16) and E = 1/8: alpha^2 [2 (1 + 4 - 2) + 4/8]
    bound = trace_bound_of_layers(np.array([0.0, 4]), np.array([1.0, 16]), 0.5, 1 / 8, 4)
    assert_identical(bound, 13 / 8, why="alpha^m [(L/2) (sum x^(2/L) - sum w_1^(2/L)) + |E| tr w_1]")


@corrected("C6")
def test_three_layers_exceed_the_least_trace_by_more_than_half_of_their_bound():
    # given  <diag(1, 2), W> = 2, so that the least trace is 1, at diag(0, 1); alpha = 1/5 and 1/10
    a, y, alpha = np.array([[[1.0, 2.0]]] * 2), np.full((2, 1), 2.0), np.array([0.2, 0.1])
    # when   5000 steps of 1/1000, to a misfit below 1e-6
    v, E = modes_of_layers(a, y, alpha, np.full(2, 0.001), 3, 5000)
    x = v**3
    assert_at_most(np.abs(x @ [1, 2] - 2), FIT_TOLERANCE, why="the misfit")
    # then   the bound holds and is attained to one half. The rounding of 5000 steps is below FIT_TOLERANCE
    bound = trace_bound_of_layers(np.array([[0.0, 1.0]] * 2), x, alpha, E, 3)
    assert_within(bound / 2, x.sum(-1) - 1, bound, slack=FIT_TOLERANCE, why="trace above the least at depth three")


@corrected("C6")
def test_the_least_trace_is_approached_at_depths_two_three_and_four():
    # given  <diag(1, 2), W> = 2 and alpha = 1/10, with full 2 x 2 layers
    problem = Sensing(A=np.diag([1.0, 2])[None], y=np.array([2.0]))
    paths = [descent_path([np.eye(2) / 10] * depth, problem.gradient, 0.02) for depth in (2, 3, 4)]
    # when
    ends = [
        until_fitted(path, lambda W: norm(problem.measure(end_to_end(W)) - 2), FIT_TOLERANCE, 8000) for path in paths
    ]
    # then   the trace exceeds 1 by half of the first mode. In the flow this mode is 0.0976, (11/2)^-3 and (101/2)^-2
    excess = np.array([np.trace(end_to_end(layers)) for layers in ends]) - 1
    assert_within([0.045, 0.0028, 0.00018], excess, [0.052, 0.0032, 0.00022], why="trace above the least")


@pytest.mark.slow
@corrected("C6")
@pytest.mark.parametrize("depth", [3, 4, 6])
@given_batches(problem=commuting_sensing(scales=(0.3, 0.9, 0.05)))
def test_more_layers_exceed_the_least_trace_by_a_power_of_the_start(problem, depth):
    # when   W need not fit: it is compared with the least trace among matrices with the same measurements as W
    v, E = modes_of_layers(problem.a, problem.y, problem.alpha, problem.step(), depth, 3000)
    x = v**depth * problem.inside
    total = x.sum(-1)
    least = [least_trace(a, a @ share) for a, share in zip(problem.a, x / total[:, None], strict=True)]
    w_1 = np.stack([program.w for program in least]) * total[:, None]
    lower = np.array([program.lower for program in least]) * total
    # then   if the primal point of HiGHS is infeasible by e, this costs |nu||e|, with |nu| <= |a^+'| |v^-m - alpha^-m|
    m = depth - 2
    powers = np.where(problem.inside, v**-m - problem.alpha[:, None] ** -m, 0)
    nu = norm(np.vecmat(powers, np.linalg.pinv(problem.a)), axis=-1) * problem.alpha**m
    wrong = nu * total * norm(np.stack([program.infeasibility for program in least]), axis=-1)
    # rounding: a step of a mode sums d terms twice and m terms once, and takes two powers
    steps = rounding(3000 * (2 * problem.dimension + 6), 1 + nu)
    slack = wrong + steps * (1 + x.sum(-1) + w_1.sum(-1))
    bound = lower + trace_bound_of_layers(w_1, x, problem.alpha, E, depth)
    assert_within(lower, x.sum(-1), bound, slack=slack, why="trace of W, more layers", instance=problem)


@corrected("C6")
def test_three_layers_follow_another_law_than_the_exponential():
    # given  <diag(2, 1), W> = 2, alpha = 1/4. The flow of L layers conserves (v_1^(2-L) - alpha^(2-L))/2 - (v_2^(2-L) -
    #        alpha^(2-L)) = 0
    problem = Sensing(A=np.diag([2.0, 1])[None], y=np.array([2.0]))
    path = descent_path([np.eye(2) / 4] * 3, problem.gradient, 0.001)
    # when
    layers = until_fitted(path, lambda moving: norm(problem.measure(end_to_end(moving)) - 2), FIT_TOLERANCE, 30_000)
    x_1, x_2 = 4 * np.diag(layers[0])
    # then   x_j: the growth of mode j of a layer. At L = 3 x_2 = 2 x_1/(1 + x_1) to first order in eta. This is below
    #        sqrt(x_1), the value for two layers by C4
    slack, reads = (np.sqrt(x_1) - 2 * x_1 / (1 + x_1)) / 2, "mode 2 grows {value}-fold by C4 > {limit}-fold"
    assert_violates(np.sqrt(x_1), x_2, slack=slack, reads=reads, L=3, alpha=1 / 4)
