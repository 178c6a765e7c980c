r"""Theorem 9.1 (b) - conditioning.

Printed     Residual connections lead to a better conditioning of the optimization problem (item 2)
Reading     As in Proposition 4.3, optimization is conditioned like the Gram matrix of the gradients, $M^\top M$ for the
            map $M$ from the gradient in the end-to-end matrix to the gradients in the layers, $G \mapsto (\partial
            \mathcal{L}/\partial A_\ell)_\ell$. "Better" says: its condition number is at most that of the plain network
            $h_{\ell+1} = F_\ell(h_\ell)$ of the same branches
Setting     Linear branches $F_\ell(h) = cA_\ell h$ are trained on $\mathcal{L}(A) = \frac12 \|\prod_\ell (I + c A_\ell)
            X - Y\|_F^2$; $R$ is the target $Y$ for $X = I$; $\epsilon_\ell$ bounds the Lipschitz constant of $F_\ell$
Hypotheses  (H1) The branches are small: bounds $\epsilon_\ell$ of their Lipschitz constants sum to at most $\frac12$,
            as $\epsilon_\ell = 1/(2L)$ do. Branches of random signs have $E|F_\ell(h)|^2 \le |h|^2/L$.
            (H2) Training starts at zero branches.
            (H4) Gradient flow, or a step $\eta \le 1/\beta$ with $\beta = (2L - 1) \max(1, |\lambda|)^{(2L-2)/L}$ over
            the eigenvalues $\lambda$ of the target $R$. In early training $\beta$ is a bound on the curvature of the
            loss in the ball that the run can reach.
            (H5) The branches are small for their direction: $81^{\sum_\ell \epsilon_\ell} \le \kappa$, where $\kappa$
            is the condition number of $M^\top M$ for their plain network, $M$ the map from the gradient in the
            end-to-end matrix to the gradients in the layers; it does not depend on the common scale of the branches.
            For the Jacobian, $9^{\sum_\ell \epsilon_\ell}$ is at most the condition number of the Jacobian of the plain
            network.
Idea        A gradient is the error $G$ between products of layers, whose singular values lie in $1 \pm \epsilon_\ell$.
            As $\log((1 + \epsilon)/(1 - \epsilon)) \le 2 \epsilon \log 3$ for $\epsilon \le \frac12$, the condition
            number is at most $81^{\sum_\ell \epsilon_\ell}$. That of a plain network does not change when all its
            layers are scaled together. So branches that are small enough are conditioned better, except against a plain
            network that is perfectly conditioned
Tolerance   Diagonal branches are exact in fractions. Other condition numbers are enclosed by the rounding of the
            eigenvalues
Findings    The counterexample persists on an open set: all drawn pairs of layers within $\frac1{16}$ of
            $\frac12 \operatorname{diag}(1, -1, 1)$ are conditioned worse with the skip connection
Expected    holds under added hypotheses
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import layer_gradients, regression_gradient
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches, stack
from fixtures.problems.expectations import expecting
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_09_architectures.residual.dynamics import residual_layers
from theorems.section_09_architectures.residual.problems import linear_residual_problems, start_directions
from theorems.section_09_architectures.theorem_9_1_identity_bias.conditioning import (
    WORSE_CONDITIONED,
    certify_search_finds_worse,
    condition_bound,
    kernel_condition,
    share_of_H1,
    tangent_condition,
)
from theorems.section_09_architectures.theorem_9_1_identity_bias.early_training import early_run


@counterexample
def test_two_small_branches_of_an_orthogonal_plain_network_are_conditioned_worse_with_the_skip_connection():
    r"""Two layers, $F(h) = Ah$, $A = \frac12 \operatorname{diag}(1, -1)$. Equal diagonal layers $D$ make of an error
    $G$ the gradients $GD$, $DG$. For $D = I + A$ their squares sum to $2 (\frac32)^2$ at $G = E_{11}$, $2 (\frac12)^2$
    at $E_{22}$: condition 9. For $D = A$ they sum to $\frac12$ at all $E_{ij}$: condition 1. By the print $9 \le 1$."""
    branches = fractions(["1/2", "-1/2"])
    residual, plain = (kernel_condition(branches, skip) for skip in (1, 0))
    assert_violates(residual, plain, reads=WORSE_CONDITIONED, A="diag(1/2,-1/2)", L=2)


@counterexample
@given_batches(start=start_directions())
def test_an_open_set_of_branches_is_conditioned_worse_with_the_skip_connection(start):
    # given  A_l = diag(1, -1, 1)/2 + E_l, |E_l| <= 1/16, two layers
    E, real = start.A[:, :2] / np.maximum(16 * norm(start.A[:, :2], 2, (-2, -1)), 1)[..., None, None], np.ones((1, 2))
    A = np.diag([1, -1, 1]) / 2 + E
    # when   singular values of plain layers are within 1/16 of 1/2, of residual layers within 1/16 of 3/2 and 1/2
    residual, plain = (tangent_condition(skip * np.eye(3) + A, real + 0 * A[..., 0, 0]) for skip in (1, 0))
    # then   by the ends of both enclosures
    assert_at_most(plain[0], (9 / 7) ** 2, why="without the skip connection", instance=start)
    assert_at_most((23 / 9) ** 2, residual[1], why="with it", instance=start)


@counterexample
def test_hypothesis_finds_branches_that_are_conditioned_worse_with_the_skip_connection():
    certify_search_finds_worse(kernel_condition)


def certify_better_conditioning(start):
    """Certify that branches of these directions are conditioned no worse than their plain network.

    Their common scale is the largest that H1 and H5 allow.
    """
    identity, real = np.eye(start.A.shape[-1]), np.arange(start.A.shape[1]) < start.depth[:, None]
    plain = tangent_condition(np.where(real[..., None, None], start.A, identity), real)
    total = np.minimum(1 / 2, np.log(plain[0]) / np.log(81))
    c = share_of_H1(total, start.A)
    residual = tangent_condition(identity + c[:, None, None, None] * start.A, real)
    assert_at_most(residual[0], condition_bound(total), why="by the sum of eps_l", instance=start)
    assert_at_most(residual[0], plain[1], why="conditioned better", instance=start)
    assert_at_most(residual[1] - residual[0], rounding(200_000), why="ceiling of the rounding", instance=start)


@under_hypotheses("H1", "H5")
@given_batches(start=start_directions())
def test_a_start_that_is_small_for_its_direction_is_conditioned_better_with_the_skip_connection(start):
    certify_better_conditioning(start)


@under_hypotheses("H1", "H5")
@pytest.mark.slow
@given(
    line=expecting(start_directions(1, most=8, octaves=8), single="A"),
    plane=start_directions(2, most=8, octaves=8),
    wide=start_directions(5, most=8, octaves=8),
)
def test_up_to_eight_small_layers_with_scales_far_apart_are_conditioned_better_with_skip_connections(line, plane, wide):
    for start in (line, plane, wide):
        certify_better_conditioning(stack([start]))


@under_hypotheses("H2", "H4")
@given_batches(problem=linear_residual_problems())
def test_early_in_training_the_condition_number_is_at_most_nine_and_the_plain_network_has_no_gradient(problem):
    run, real = early_run(problem), np.arange(problem.A.shape[1]) < problem.depth[:, None]
    # when
    layers = np.stack(residual_layers(run.A[-1], problem.scale), 1)
    # then   the residual network is conditioned as under H1; a plain network of two zero layers or more has no gradient
    eps = problem.scale * norm(run.A[-1], 2, (-2, -1)).sum(-1)
    assert_at_most(eps, 1 / 2, why="early, so that H1 holds", instance=problem)
    condition, _ = tangent_condition(layers, real)
    assert_at_most(condition, condition_bound(eps), why="condition number", instance=problem)
    slopes = layer_gradients([0 * problem.A[:, 0]] * 2, regression_gradient(problem.X, problem.Y))
    assert_identical(slopes, np.zeros(np.shape(slopes)), why="no gradient without the skip connection")


@necessity("H1")
def test_without_H1_branches_that_cancel_the_skip_connection_along_one_axis_have_no_gradient_there():
    # given  two branches diag(-1, 1/100): 81^2 <= 10^4
    branches = fractions([-1, "1/100"])
    residual, plain = (kernel_condition(branches, skip) for skip in (1, 0))
    assert_identical(plain, 10**4, why="condition number of the plain network")
    assert_keeps(H5=81 ** (2 * max(abs(branches))) <= plain)
    assert_identical(residual, math.inf, why="with the skip connection")


@necessity("H5")
def test_without_H5_small_branches_of_a_perfectly_conditioned_plain_network_are_conditioned_worse():
    # given  two branches diag(1, -1)/4
    branches = fractions(["1/4", "-1/4"])
    assert_keeps(H1=2 * max(abs(branches)) <= Fraction(1, 2))
    residual, plain = (kernel_condition(branches, skip) for skip in (1, 0))
    assert_identical([residual, plain], [Fraction(25, 9), 1], why="condition numbers with and without")
