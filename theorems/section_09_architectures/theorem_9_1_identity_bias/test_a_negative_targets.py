r"""Theorem 9.1 (a) - towards a negative target the layers are driven to zero, away from the identity.

Setting     Linear branches $F_\ell(h) = cA_\ell h$ are trained on $\mathcal{L}(A) = \frac12 \|\prod_\ell (I + c A_\ell)
            X - Y\|_F^2$; $R$ is the target $Y$ for $X = I$, here a number $-|\lambda| < 0$
Hypotheses  (H2) Training starts at zero branches.
            (H3) The branches are linear, and the target $R$ is positive definite.
            (H4) Gradient flow, or a step $\eta \le 1/\beta$ with $\beta = (2L - 1) \max(1, |\lambda|)^{(2L-2)/L}$ over
            the eigenvalues $\lambda$ of the target $R$. In early training $\beta$ is a bound on the curvature of the
            loss in the ball that the run can reach.
Corrected   (C3) Under H2, three layers towards the target $-1$ end at layers of 0 under gradient flow and at
            $\eta \le \frac12$, with the loss $\frac12$; but $\eta = \frac35$ and $\eta = 1$ jump over this saddle to
            $A_\ell = -2$, with the loss 0
Idea        Equal layers $b$ follow $b' = -b^{L-1}(b^L - \lambda)$ from $b = 1$. For $L \ge 2$ and a negative $\lambda$
            they fall towards the stationary point $b = 0$, which is a saddle of the loss in all weights. Flow and small
            steps do not pass it, so that the loss stays at least $\lambda^2/2$
Tolerance   Bounds of $1/b$ are exact inequalities of one step, summed. Runs carry the rounding of their steps. Single
            steps are exact in fractions
Findings    A target $-1$ shows what H3 is for: in our runs the flow from zero branches never fitted it
"""

from fractions import Fraction

import numpy as np
import pytest

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_keeps,
    assert_not_negative,
    assert_within,
    record_series,
)
from theorems.ledger import corrected, necessity
from theorems.section_09_architectures.residual.dynamics import (
    shared_layer_descent,
    shared_layer_flow,
    shared_layer_step,
)
from theorems.section_09_architectures.residual.problems import negative_targets
from theorems.section_09_architectures.theorem_9_1_identity_bias.shared_layers import certify_decay_to_zero


@necessity("H3")
@given_batches(problem=negative_targets())
def test_without_H3_a_negative_target_is_never_approached_beyond_zero(problem):
    # given  X = I, and a step that makes eta (1 + |lambda|) < 1
    L, one = problem.depth, np.ones_like(problem.lam)
    beta = (2 * L - 1) * np.maximum(1, problem.lam) ** ((2 * L - 2) / L)
    eta = problem.share / beta
    assert_keeps(H2=one - 1 == 0, H4=eta * beta <= 1)
    assert_at_most(eta * (1 + problem.lam), problem.share, why="b = 1 is not moved below 0")
    # when
    b = shared_layer_descent(one, -problem.lam, problem.depth, eta, problem.t)
    # then   so that |b^L - lambda| >= |lambda|, and the loss is at least lambda^2/2
    assert_not_negative(b, why="b_t >= 0", instance=problem)


@necessity("H3")
@pytest.mark.parametrize("eta", [0.05, 0.2])
def test_without_H3_three_layers_towards_minus_one_creep_to_zero(eta):
    # given  X = I and lambda = -1, from b = 1
    assert_keeps(H2=True, H4=eta * (2 * 3 - 1) <= 1)
    certify_decay_to_zero(eta)


@corrected("C3")
@pytest.mark.parametrize("eta", [0.25, 0.45])
def test_steps_beyond_H4_creep_to_zero_as_well_below_one_half(eta):
    certify_decay_to_zero(eta)


@corrected("C3")
def test_the_flow_towards_minus_one_creeps_to_zero():
    # given  b' = -b^2 (1 + b^3) from b = 1, so that 1/b grows at a rate between 1 and 2
    t = np.array([0.5, 5.0, 50.0])
    run = shared_layer_flow(np.ones(1), -np.ones(1), np.array([3]), t)
    assert_within(1 / (1 + 2 * t), run.states[:, 0], 1 / (1 + t), slack=run.error, why="A_l = b - 1 -> -1")


@corrected("C3")
def test_a_step_of_one_jumps_over_the_saddle_that_a_step_of_one_half_ends_in():
    # given  three layers towards -1 from A = 0; 1/beta is 1/5
    half, one = (shared_layer_step(Fraction(1), Fraction(-1), 3, eta) for eta in (Fraction(1, 2), Fraction(1)))
    # then   b = 0 is the saddle, and b = -1 fits with A = -2
    assert_identical([half, one], [0, -1], why="one step of 1/2, and of 1")
    assert_identical([half**2 * (half**3 + 1), one**3 + 1], [0, 0], why="no gradient, and no loss")


@corrected("C3")
def test_a_step_of_three_fifths_jumps_over_the_saddle():
    # given  eta = 3/5; within 1/100 of b = -1 the slope 1 - (3/5)(5b^4 + 2b) of a step is between -11/12 and -2/3
    times = np.arange(31)
    shorter, b = (shared_layer_descent(np.ones(31), -1.0, 3, eta, times) for eta in (0.45, 0.6))
    record_series("equal layers towards -1", step=times, eta_0_45=shorter, eta_0_6=b)
    assert_not_negative(shorter, why="a step of 0.45 does not pass the saddle")
    caught, later = np.abs(b[[10, 30]] + 1)
    assert_at_most(caught, 1 / 100, why="caught by A = -2")
    # and    a step has eight operations, whose errors shrink by 11/12
    slack = rounding(8 * 12)
    assert_within((2 / 3) ** 20 * caught, later, (11 / 12) ** 20 * caught, slack=slack, why="and led to it")
