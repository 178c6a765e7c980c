r"""Theorem 9.1 (b) - the condition number of small branches, and examples on both sides.

Setting     $h_{\ell+1} = h_\ell + F_\ell(h_\ell)$, with linear branches $F_\ell(h) = cA_\ell h$ unless a clause says
            otherwise; the plain network is $h_{\ell+1} = F_\ell(h_\ell)$
Hypotheses  (H1) The branches are small: bounds $\epsilon_\ell$ of their Lipschitz constants sum to at most $\frac12$,
            as $\epsilon_\ell = 1/(2L)$ do. Branches of random signs have $E|F_\ell(h)|^2 \le |h|^2/L$.
Corrected   (C7) Two layers of branches $c \operatorname{diag}(1, -1)$, $0 < c < 1$, have the condition number
            $((1 + c)/(1 - c))^2$, and their plain network has 1.
            (C8) Twenty branches $\frac1{40} \operatorname{diag}(1, \frac12)$, which meet H1, have a Jacobian of
            condition number below 2, and that of their plain network is $2^{20}$.
            (C13) Under H1 the condition number of linear branches is at most 9, and that of the Jacobian of branches
            with the identity or tanh at most 3
Idea        The condition number is that of $M^\top M$, $M$ the map from the gradient $G$ in the end-to-end matrix to
            the gradients in the layers, $G \mapsto (\partial \mathcal{L}/\partial A_\ell)_\ell$. The gradient in
            $A_\ell$ is $c$ times $G$ between two products of layers, whose singular values lie in $1 \pm
            \epsilon_\ell$. So $\sum_\ell |\partial \mathcal{L}/\partial A_\ell|^2$ lies between two multiples of
            $|G|^2$, and the ratio of these is at most 9
Tolerance   Diagonal branches are exact in fractions. The operations of gradients are counted
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_within, record_series
from theorems.ledger import corrected, observed
from theorems.section_09_architectures.residual.dynamics import residual_gradients, residual_layers
from theorems.section_09_architectures.residual.problems import linear_residual_problems, residual_problems
from theorems.section_09_architectures.residual.rounding import branch_operations
from theorems.section_09_architectures.theorem_9_1_identity_bias.branches import small_branches
from theorems.section_09_architectures.theorem_9_1_identity_bias.conditioning import (
    condition_bound,
    condition_of_product,
    jacobian_bound,
    jacobian_condition,
    kernel_condition,
    tangent_condition,
)


def error_map(problem):
    """The two sides of the map G -> (dL/dA_l)_l at X = I, where G = prod (I + c A_l) - Y.

    Returns eps_l = |c A_l| (B, L), |G|^2 (B,), sum_l |dL/dA_l|^2 (B,), and which layers are no padding (B, L).
    """
    d = problem.A.shape[-1]
    samples = np.eye(d) * np.ones((len(problem.A), 1, 1))
    Y = np.zeros_like(samples)
    kept = min(d, problem.Y.shape[-1])
    Y[..., :kept] = problem.Y[..., :kept]
    G = end_to_end(residual_layers(problem.A, problem.scale)) - Y
    slopes = residual_gradients(problem.A, samples, Y, problem.scale)
    real = np.arange(problem.A.shape[-3]) < problem.depth[:, None]
    eps = problem.scale[:, None] * norm(problem.A, 2, (-2, -1))
    return eps, (G**2).sum((-2, -1)), ((slopes**2).sum((-2, -1)) * real).sum(-1), real


@corrected("C13", "H1")
@given_batches(problem=linear_residual_problems())
def test_small_branches_keep_the_gradient_between_two_multiples_of_the_error(problem):
    # given  H1: branches scaled until eps_l sum to 1/2, 1/4 or 1/8
    total = np.maximum(norm(problem.A, 2, (-2, -1)).sum(-1), 1 / 16)
    problem = dataclasses.replace(problem, scale=problem.scale / 4 / total)
    eps, G, gradient, real = error_map(problem)
    # when   dL/dA_l is c G between the other layers
    lower, upper = (
        problem.scale**2 * G * (np.prod(b, axis=-1, keepdims=True) ** 2 / b**2 * real).sum(-1)
        for b in (1 - eps, 1 + eps)
    )
    # then   gradients take L + 2 products of three entries and 4 operations, on terms of at most c (1 + |Y|); their
    #        squares sum 9L of them; eps_l are by LAPACK, and their factors enter twice
    L = problem.depth
    operations = 2 * (3 * (L + 2) + 4) + 9 * L + 2 * (factorization(3, 3) + L)
    slack = rounding(operations, upper + problem.scale**2 * 4.0**L * (1 + G))
    assert_within(lower, gradient, upper, slack=slack, why="sum |gradient_l|^2", instance=problem)
    assert_at_most(upper, condition_bound(1 / 2) * lower + slack, why="condition number", instance=problem)


@corrected("C13", "H1", reading="Jacobian")
@pytest.mark.parametrize("activation", ["identity", "tanh"])
@given_batches(problem=residual_problems())
def test_small_branches_keep_the_jacobian_conditioned(problem, activation):
    # given  H1
    net = small_branches(problem, activation)
    eps = net.branch_lipschitz()
    # when   the padding of a batch is the identity, whose singular value 1 lies between the bounds too
    s = np.linalg.svdvals(net.jacobian(problem.x))
    # then   products of at most three entries; singular values and eps_l by LAPACK
    operations = net.depth * (branch_operations(net) + 3) + 3 * factorization(3, 3)
    slack = rounding(operations, np.prod(1 + eps, axis=-1))
    assert_at_most(np.prod(1 - eps, axis=-1), s[:, -1] + slack, why="prod (1 - eps_l) <= s_min", instance=problem)
    assert_at_most(s[:, 0], np.prod(1 + eps, axis=-1) + slack, why="s_max <= prod (1 + eps_l)", instance=problem)
    # and   log((1 + eps)/(1 - eps)) is convex, so that the product is largest where one layer has all of the sum
    assert_at_most(s[:, 0], jacobian_bound(1 / 2) * s[:, -1] + 4 * slack, why="condition number", instance=problem)


@corrected("C13", "H1")
@pytest.mark.parametrize("sign", [1, -1])
@given(L=st.integers(1, 8), tenths=st.integers(0, 10))
def test_both_bounds_of_the_gradient_are_attained(sign, L, tenths):
    # given  A_l = +-eps I, eps <= 1/(2L), and any error
    eps, X = Fraction(sign * tenths, 20 * L), fractions([[1, 0], [0, 1]])
    A, G = fractions(np.stack([eps * X] * L)), fractions([[1, 2], [0, -3]])
    # when
    slopes = residual_gradients(A, X, (1 + eps) ** L * X - G)
    # then
    assert_identical((slopes**2).sum(), L * (1 + eps) ** (2 * L - 2) * (G**2).sum(), why="L (1 + eps)^(2L-2) |G|^2")


@corrected("C7")
@given(tenths=st.integers(1, 9))
def test_branches_of_an_orthogonal_plain_network_are_better_conditioned_without_skip_connections(tenths):
    # given  two layers of branches c diag(1, -1), however small
    c = Fraction(tenths, 10)
    residual, plain = (kernel_condition([c, -c], skip) for skip in (1, 0))
    assert_identical([residual, plain], [((1 + c) / (1 - c)) ** 2, 1], why="condition numbers")


@corrected("C8")
def test_twenty_small_branches_are_conditioned_by_less_than_two_where_twenty_layers_are_by_a_million():
    # given  A = diag(1, 1/2): the plain network A^20, and the residual one of branches A/40, which has H1
    A, identity = fractions([[1, 0], [0, "1/2"]]), fractions([[1, 0], [0, 1]])
    nets = (np.stack([A - identity] * 20), np.stack([A / 40] * 20))
    depths = range(1, 21)
    products = [[end_to_end(residual_layers(net[:L], Fraction(1))) for L in depths] for net in nets]
    conditions = [[W[0, 0] / W[1, 1] for W in of_net] for of_net in products]
    record_series("condition number of the Jacobian", layers=depths, plain=conditions[0], residual=conditions[1])
    plain, residual = (of_net[-1] for of_net in conditions)
    # then
    assert_identical(20 * Fraction(1, 40), Fraction(1, 2), why="H1: sum eps_l")
    assert_identical([plain, residual], [2**20, Fraction(82, 81) ** 20], why="condition numbers")
    assert_at_most(residual, 2, why="less than two")


@observed
def test_at_small_branches_a_layer_keeps_its_gradient_at_every_depth_and_without_skip_connections_it_vanishes():
    # given  L layers of branches I/(2L), which meet H1, X = I and an error G = I
    X, depths = fractions(np.eye(2, dtype=int)), range(1, 11)
    branches = [fractions(np.stack([np.eye(2, dtype=int)] * L)) / (2 * L) for L in depths]
    # when   the gradient in the first layer, G times the other layers
    with_skip, without = (
        [
            residual_gradients(A - shift * X, X, end_to_end(residual_layers(A - shift * X, 1)) - X)[0, 0, 0]
            for A in branches
        ]
        for shift in (0, 1)
    )
    record_series("gradient of the first layer", layers=depths, with_skip=with_skip, without=without)
    # then
    assert_identical(with_skip, [(1 + Fraction(1, 2 * L)) ** (L - 1) for L in depths], why="with skip connections")
    assert_identical(without, [Fraction(1, 2 * L) ** (L - 1) for L in depths], why="without")


@observed
def test_the_constants_three_and_nine_are_nearly_attained_within_H1():
    # given  one steep branch diag(1/2, -1/2), alone, and as the first of nine branches, the others zero
    D, none = fractions([["1/2", 0], [0, "-1/2"]]), fractions([[0, 0], [0, 0]])
    assert_identical(jacobian_condition([Fraction(1, 2), Fraction(-1, 2)], 1), 9, why="the Jacobian of two layers")
    alone = condition_of_product(np.diag([3 / 2, 1 / 2])[None, None])
    assert_within(alone[0], jacobian_bound(1 / 2), alone[1], why="9^(1/2) is attained")
    nine = np.stack(residual_layers(np.stack([D] + [none] * 8), Fraction(1)))[None].astype(float)
    least, most = tangent_condition(nine, np.ones((1, 9)))
    assert_within(condition_bound(1 / 2) / 2, most, condition_bound(1 / 2), why="81^(1/2) is attained but for a third")
    # then   19/3, as eight layers have the squares 9/4 and 1/4, and the steep one has 1
    assert_within(least, 19 / 3, most, why="condition number of nine layers, against 9")
    assert_at_most(most - least, rounding(20_000), why="ceiling of the rounding")
