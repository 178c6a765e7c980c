r"""Theorem 9.1 (a) - towards a positive definite target all layers stay alike and near the identity.

Setting     Linear branches $F_\ell(h) = cA_\ell h$ are trained on $\mathcal{L}(A) = \frac12 \|\prod_\ell (I + c A_\ell)
            X - Y\|_F^2$; $R$ is the target $Y$ for $X = I$
Hypotheses  (H2) Training starts at zero branches.
            (H3) The branches are linear, and the target $R$ is positive definite.
            (H4) Gradient flow, or a step $\eta \le 1/\beta$ with $\beta = (2L - 1) \max(1, |\lambda|)^{(2L-2)/L}$ over
            the eigenvalues $\lambda$ of the target $R$. In early training $\beta$ is a bound on the curvature of the
            loss in the ball that the run can reach.
Corrected   (C2) Under H2, H3 and H4 and for $X = I$ and $c = 1$ all layers are alike at all times,
            $Q \operatorname{diag}(b) Q^\top$ for $R = Q \operatorname{diag}(\lambda) Q^\top$, and $b$ moves as
            $b' = -b^{L-1}(b^L - \lambda)$, in steps or in time, to $\lambda^{1/L}$: the branches end at $R^{1/L} - I$
Idea        From equal layers all gradients are equal, and they share the eigenvectors of $R$. Every eigenvalue $b$
            therefore follows a scalar recursion. A step multiplies $b - \lambda^{1/L}$ by a factor between
            $1 - \eta L \max(1, \lambda)^{2(L-1)/L}$ and $1 - \eta \mu$, $\mu = L \min(1, \lambda)^{2(L-1)/L}$. At the
            end every layer changes its input by about $|\log \lambda|/L$ of its size
Tolerance   Budgets are $\log(10^9)/(-\log(1 - \eta \mu))$ steps, fixed before the run. The rounding of a step is
            multiplied by the factors of the later steps. Flows carry the estimate of two tolerances
"""

from fractions import Fraction
from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.dynamics.paths import at_time
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_keeps, assert_within
from theorems.ledger import corrected, necessity
from theorems.section_09_architectures.residual.dynamics import (
    residual_descent_path,
    shared_layer_descent,
    shared_layer_flow,
)
from theorems.section_09_architectures.residual.problems import PositiveTarget, positive_targets
from theorems.section_09_architectures.theorem_9_1_identity_bias.shared_layers import (
    ROOT_ACCURACY,
    exact_iterates,
    shared_rounding,
    step_factors,
    target_of,
)


@corrected("C2")
def test_roots_step_and_factors_of_two_layers_by_hand():
    # given  lambda = 4, 1 and 1/4: 1/beta = 1/(3 * 4), and a factor is 1 - eta 2 lambda in one or the other
    problem = PositiveTarget(np.array([[4, 1, 1 / 4]]), np.eye(3)[None], np.array([2]), np.array([0]))
    found = np.concatenate(step_factors(problem), axis=1)[0]
    # then   roots, step, least and largest factors
    expected = [2, 1, 1 / 2, 1 / 12, 1 / 3, 5 / 6, 5 / 6, 5 / 6, 5 / 6, 23 / 24]
    assert_equal_within(found, expected, rounding(10), why="r, eta, 1 - eta s_max, 1 - eta s_min")


@corrected("C2", "H2", "H3", "H4")
@given_batches(problem=positive_targets())
def test_from_zero_branches_every_layer_follows_the_same_scalar_map(problem):
    # given  H2, eta = 1/beta, and X = I, so that the target of the end-to-end matrix is R
    _, eta, _, _ = step_factors(problem)
    R, start = target_of(problem), np.zeros((len(problem.t), problem.depth.max(), 3, 3))
    X = np.broadcast_to(np.eye(3), R.shape)
    # when
    path = residual_descent_path(start, X, R, eta[:, 0], 1.0, problem.depth)
    A = np.stack(list(islice(path, problem.t.max() + 1)))[problem.t, np.arange(len(problem.t))]
    # then   A_l = Q diag(b - 1) Q' for all l
    L, one = problem.depth[:, None], np.ones_like(problem.spectrum)
    b = shared_layer_descent(one, problem.spectrum, L, eta, problem.t[:, None])
    mode = (problem.Q * (b - 1)[:, None, :]) @ problem.Q.mT
    real = (np.arange(A.shape[1]) < L)[..., None, None]
    off = norm(A - mode[:, None] * real, axis=(-2, -1)).max(-1)
    # a step takes L + 2 products of three entries of norm at most lam, and 4 operations; a difference between layers,
    # made by rounding, grows by at most max(lambda, 1/lambda) <= lam, as lambda >= 1/2; Q is orthogonal to 54 of them
    lam = np.maximum(problem.spectrum.max(-1), 2)
    operations = (1 + problem.t) * (3 * (problem.depth + 2) + 4) + 2 * 54
    assert_at_most(off, rounding(operations, lam**2), why="A_l(t) against the scalar map", instance=problem)


@corrected("C2", "H2", "H3", "H4")
@given_batches(problem=positive_targets())
def test_trained_branches_are_the_root_of_the_target_less_the_identity(problem):
    # given  the steps after which |b - r| <= ROOT_ACCURACY |1 - r|
    r, eta, fast, slow = step_factors(problem)
    steps = steps_to_contract(slow.max(-1), ROOT_ACCURACY)[:, None]
    L, lam = problem.depth[:, None], problem.spectrum
    # when
    early, late = (shared_layer_descent(np.ones_like(r), lam, L, eta, t) for t in (problem.t[:, None], steps))
    # then   between the two rates at every time, and at the root in the end
    initial, error = np.abs(1 - r), shared_rounding(problem, slow)
    t = problem.t[:, None]
    assert_within(
        np.maximum(fast, 0) ** t * initial, np.abs(early - r), slow**t * initial, slack=error, why="|b_t - r|"
    )
    assert_at_most(np.abs(late - r), ROOT_ACCURACY * initial + error, why="A_l = R^{1/L} - I within the budget")
    assert_at_most(ROOT_ACCURACY * initial, 1e-8, why="ceiling: the budget leaves a difference from I")
    assert_at_most(error, 1e-12, why="ceiling of the rounding")
    # then   every layer changes its input by about |log lambda|/L
    share, slack = np.abs(np.log(lam)), L * (ROOT_ACCURACY * initial + error)
    lower, upper = np.minimum(1, r) * share, np.maximum(1, r) * share
    assert_within(lower, L * np.abs(late - 1), upper, slack=slack, why="L |relative change|", instance=problem)


@corrected("C2", "H2", "H3", "H4")
@given_batches(problem=positive_targets())
def test_along_the_flow_every_layer_approaches_the_root_of_the_target(problem):
    L, times = problem.depth[:, None], np.array([0.25, 1.0, 3.0])
    r, eta, fast, slow = step_factors(problem)
    # when   from b = 1, which is A = 0, at the speed 1/beta
    run = shared_layer_flow(np.ones_like(r), problem.spectrum, L, times, eta)
    # then   d|b - r|/dt is between -eta s_max and -eta s_min times |b - r|
    t, initial = times[:, None, None], np.abs(1 - r)
    lower, upper = (np.exp(-t * (1 - factor)) * initial for factor in (fast, slow))
    error = run.error[:, None, None] + rounding(8, np.maximum(1, r))  # a root, an exponential, a difference
    assert_within(lower, np.abs(run.states - r), upper, slack=error, why="|b(t) - r| along the flow")


@necessity("H2")
@given(lam=st.integers(1, 16), half=st.integers(1, 3), steps=st.integers(0, 3))
def test_without_H2_layers_that_start_at_minus_the_identity_mirror_those_that_start_at_it(lam, half, steps):
    # given  an even depth and b_0 = -1, A = -2: the same function at the start, and at all times
    target, L, eta = Fraction(lam, 4), 2 * half, Fraction(1, 128)
    assert_keeps(H3=target > 0, H4=((2 * L - 1) * eta) ** L * max(1, target) ** (2 * L - 2) <= 1)
    # when
    near, far = Fraction(1), Fraction(-1)
    near, far = (at_time(exact_iterates(b, target, L, eta), steps) for b in (near, far))
    # then   the same end-to-end matrix, but every layer reverses its input: relative change 1 + b > 1
    assert_identical(far, -near, why="b_t from -1 is minus b_t from 1")
    assert_at_most(1, abs(far - 1), why="no layer is near the identity")


@necessity("H4")
def test_without_H4_two_layers_leave_a_positive_target():
    # given  L = 2 and lambda = 4, where 1/beta is 1/12, and eta = 1
    start, target = Fraction(1), Fraction(4)
    assert_keeps(H2=start - 1 == 0, H3=target > 0)
    b = [at_time(exact_iterates(start, target, 2, Fraction(1)), t) for t in range(3)]
    losses = [(at**2 - 4) ** 2 / 2 for at in b]
    assert_identical(b, [1, 4, -44], why="exact iterates")
    assert_at_most(losses[0], losses[1] / 10, why="the loss rises tenfold")
    assert_at_most(losses[1], losses[2] / 10, why="and again")
