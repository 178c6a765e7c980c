r"""Theorem 9.1 (c) - directions in which there is no sample.

Setting     Linear branches $F_\ell(h) = cA_\ell h$ are trained on $\mathcal{L}(A) = \frac12 \|\prod_\ell (I + c A_\ell)
            X - Y\|_F^2$; $R$ is the target $Y$ for $X = I$; $\operatorname{Lip}$ is the Lipschitz constant of the
            network
Hypotheses  (H1) The branches are small: bounds $\epsilon_\ell$ of their Lipschitz constants sum to at most $\frac12$,
            as $\epsilon_\ell = 1/(2L)$ do. Branches of random signs have $E|F_\ell(h)|^2 \le |h|^2/L$.
            (H2) Training starts at zero branches.
            (H4) Gradient flow, or a step $\eta \le 1/\beta$ with $\beta = (2L - 1) \max(1, |\lambda|)^{(2L-2)/L}$ over
            the eigenvalues $\lambda$ of the target $R$. In early training $\beta$ is a bound on the curvature of the
            loss in the ball that the run can reach.
Corrected   (C10) Linear branches under H2 stay the identity on directions to which samples and targets are orthogonal,
            at any step, so that $\operatorname{Lip} \ge 1$ as long as they train; a target in such a direction can move
            two layers there.
            (C11) Linear branches fitted to the one sample $(e_1, \frac23 e_1)$ from zero at $\eta = 1/(2L - 1)$ end at
            $\operatorname{diag}(\frac23, 1)$, which meets H1 and is half as steep again as
            $\operatorname{diag}(\frac23, 0)$, the smoothest interpolant
Idea        Every gradient is an error times samples, between products of layers. Where samples and targets have no
            part, no gradient has one, and a branch stays what it was at the start.
Tolerance   Zeros are exact in floating point. The fit is off by the rate of its steps, after a budget fixed before the
            run
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.dynamics.paths import at_time
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_keeps
from theorems.ledger import corrected, necessity
from theorems.section_09_architectures.residual.dynamics import residual_descent_path, residual_layers
from theorems.section_09_architectures.residual.problems import linear_residual_problems
from theorems.section_09_architectures.theorem_9_1_identity_bias.early_training import early_run
from theorems.section_09_architectures.theorem_9_1_identity_bias.shared_layers import ROOT_ACCURACY


@corrected("C10")
@given_batches(problem=linear_residual_problems())
def test_where_no_sample_points_training_leaves_the_identity_bit_for_bit(problem):
    # given  H2, samples and targets in the first coordinates, and one more coordinate that they do not have
    extra = ((0, 0), (0, 1), (0, 0))
    X, Y, A = np.pad(problem.X, extra), np.pad(problem.Y, extra), np.pad(problem.A, ((0, 0), (0, 0), (0, 1), (0, 1)))
    wider = dataclasses.replace(problem, A=A, X=X, Y=Y)
    # when   small steps, and two of the rate 1, which blow up
    far = at_time(residual_descent_path(0 * A, X, Y, np.ones(len(A)), problem.scale, problem.depth), 2)
    W = np.stack([end_to_end(residual_layers(run, problem.scale)) for run in (early_run(wider).A[-1], far)])
    # then   Lip >= 1, whatever the samples are
    unseen = np.broadcast_to(np.eye(X.shape[1])[-1], W.shape[:-1])
    assert_identical(W[..., -1], unseen, why="W n = n")
    assert_identical(W[..., -1, :], unseen, why="n' W = n'")


@corrected("C10")
def test_a_target_in_a_direction_without_samples_moves_two_layers_there():
    # given  the sample e_1 with the target e_2, H2, eta = 1/8
    x, y, zero = fractions([[1], [0]]), fractions([[0], [1]]), fractions(np.zeros((2, 2, 2), int))
    # when   two steps
    W = end_to_end(residual_layers(at_time(residual_descent_path(zero, x, y, Fraction(1, 8)), 2), 1))
    assert_at_most(Fraction(1, 128), abs(W[0, 1]), why="the e_1-part of W e_2")


@corrected("C11")
@pytest.mark.parametrize("L", [1, 2, 5])
def test_fitted_from_zero_branches_a_network_is_half_as_steep_again_as_the_smoothest_interpolant(L):
    # given  one sample (e_1, 2 e_1/3), H2, eta = 1/beta, and the steps after which |b - r| <= ROOT_ACCURACY |1 - r|
    x, y, root = np.eye(2)[:, :1], np.eye(2)[:, :1] * 2 / 3, (2 / 3) ** (1 / L)
    eta = 1 / (2 * L - 1)
    steps = steps_to_contract(1 - eta * L * root ** (2 * L - 2), ROOT_ACCURACY)
    # when
    A = at_time(residual_descent_path(np.zeros((L, 2, 2)), x, y, eta), int(steps))
    W = end_to_end(residual_layers(A, 1))
    # then   small branches that fit by diag(2/3, 1), where diag(2/3, 0) fits as well
    assert_at_most(norm(A, 2, (-2, -1)).sum(), 1 / 2, why="H1")
    # and    a step has 2 (L + 2) products of two entries and 4 operations; the errors of 1/(eta L) steps add up
    fit = L * ROOT_ACCURACY * (1 - root) + rounding((4 * (L + 2) + 4) * 2 * L)
    assert_equal_within(W[0, 0], 2 / 3, fit, why="the fit")
    assert_at_most(fit, 1e-8, why="ceiling")
    assert_identical([W[0, 1], W[1, 0], W[1, 1]], [0, 0, 1], why="the identity where there is no sample")


@necessity("H2")
@given(a=st.integers(1, 1000), steps=st.integers(0, 5))
def test_without_H2_a_steep_branch_stays_where_no_sample_points(a, steps):
    # given  one layer diag(1, 1 + a), the sample (e_1, e_1/2); beta is |x|^2 for one layer
    x, y, eta = fractions([[1], [0]]), fractions([["1/2"], [0]]), Fraction(1, 2)
    assert_keeps(H4=eta * (x * x).sum() <= 1)
    path = residual_descent_path(fractions([[[0, 0], [0, a]]]), x, y, eta)
    # when
    (W,) = residual_layers(at_time(path, steps), 1)
    # then
    assert_identical(W[1, 1], 1 + a, why="as steep as at the start, however much it is")
