r"""Theorem 4.1 (c) - the sum of the losses of two tied layers.

Setting     Gradient descent on $\mathcal{L} = \frac12 \sum_i (\langle A_i, W \rangle - y_i)^2$ with $W = U U^\top$ and
            $U(0) = \alpha I$; $G$ is the gradient in $W$, and $\mathcal{L}_t$ the loss after $t$ steps. In the common
            basis of the $A_i$, row $i$ of $a$ has the eigenvalues of $A_i$, and $w$ has those of $W$.
Hypotheses  (H1) Descent starts at $\alpha I$: $U(0) = \alpha I$ for $W = U U^\top$, or $W_\ell(0) = \alpha I$ for every
            layer.
            (H2) The $A_i$ are symmetric and commute.
            (H4) Some positive semidefinite $W$ fits.
Corrected   (C7) Two tied layers, $W = U U^\top$, under H1, H2 and H4, while $2\eta \|G_t\|_F \le \frac12$: let row $i$
            of $a$ have the eigenvalues of $A_i$ in the common basis, and $w$ those of $W$. If the eigenvalues $p \ge 0$
            fit and $\eta$ meets $\eta\, \lambda_{\max}(a\, \operatorname{diag}(2p + w)\, a^\top) \le \frac12$ at every
            step, the losses of all steps add up to at most $\mathrm{KL}(p, \alpha^2)/(4\eta)$, where
            $\mathrm{KL}(p, q) = \sum p\, \ln(p/q) - p + q$.
Idea        $\mathrm{KL}(p, w)$ falls by at least $4 \eta \mathcal{L}_t$ in step $t$, and it is not negative.
Tolerance   The rounding of $t$ steps on the eigenvalues, times $1 + \mathrm{KL}$.
"""

import numpy as np

from fixtures.dynamics.paths import at_time, snapshots
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.sensing import Sensing, commuting_sensing
from properties.certificates import assert_at_most, assert_equal_within, assert_within
from theorems.ledger import corrected, observed
from theorems.section_04_deep_linear_networks.deep_products.matrix_sensing import factored_path
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.tied_layers import descend_tied_layers


def divergence_of(p, q):
    """KL(p, q) = sum p ln(p/q) - p + q over the last axis, with 0 ln 0 = 0."""
    return (p * np.log(np.where(p > 0, p, 1) / q) * (p > 0) - p + q).sum(-1)


def bound_on_losses(divergence, eta):
    """The bound of C7 on the sum of the losses, KL(p, alpha^2)/(4 eta)."""
    return divergence / (4 * eta)


@corrected("C7")
def test_the_bound_of_two_modes_by_hand():
    # given  p = (2, 0), q = (2/e, 1/2) and eta = 1/8: KL = 2 - 2 + 2/e + 1/2
    divergence = divergence_of(np.array([2.0, 0]), np.array([2 / np.e, 0.5]))
    # then
    exact = 2 * (2 / np.e + 1 / 2)
    assert_equal_within(bound_on_losses(divergence, 1 / 8), exact, rounding(10, 4), why="KL(p, q)/(4 eta)")


@corrected("C7")
@given_batches(problem=commuting_sensing())
def test_the_losses_of_all_steps_add_up_to_at_most_the_divergence_from_the_start_over_4_eta(problem):
    # given  H4: p = planted fits. KL(p, w) falls by at least 4 eta L_t in step t while eta lmax(a diag(2p + w) a') <=
    #        1/2
    t, p, start = 300, problem.planted, problem.alpha[:, None] ** 2
    path = factored_path(problem.gradient, problem.start(), problem.step())
    # when
    W = snapshots(path, lambda state: state.W, period=1, count=t)
    # then   the condition holds at every step, so the sum of the losses is at most KL(p, alpha^2)/(4 eta)
    curvature = (problem.a**2).sum((-2, -1)) * (2 * p + problem.eigenvalues(W)).max((0, -1))
    assert_at_most(problem.step() * curvature, 1 / 2, why="eta times the curvature on the way", instance=problem)
    assert_at_most(at_time(path, 0).largest, 1 / 2, why="2 eta |G|_F", instance=problem)
    losses = ((problem.measure(W) - problem.y) ** 2).sum((0, -1)) / 2
    divergence = divergence_of(p, start) - (p.shape[-1] - problem.dimension) * start[:, 0]
    slack = t * descend_tied_layers(problem, t)[1] * (1 + divergence)
    bound = bound_on_losses(divergence, problem.step()) + slack
    assert_at_most(losses, bound, why="sum of the losses of W = UU' against its a priori bound", instance=problem)


@observed
def test_beyond_the_steps_of_C4_the_first_loss_alone_exceeds_the_bound_of_C7():
    # given  one mode, p = 1/30 and alpha = 1, with eta (2p + w) = 1/2 at the start; 2 eta |G| = 29/32 > 1/2
    p, eta = 1 / 30, 15 / 32
    # then
    bound, first = bound_on_losses(divergence_of(np.array([p]), 1.0), eta), (1 - p) ** 2 / 2
    assert_at_most(1.01 * bound, first, why="KL(p, alpha^2)/(4 eta) against the loss at the start")


@corrected("C7")
def test_at_the_largest_step_the_losses_use_up_more_than_half_of_their_bound():
    # given  one mode, a = p = 1 and alpha^2 = 9/10; eta (2p + w) = 1/2 at w = 1, and w stays at or below 1
    problem, eta = Sensing(A=np.ones((1, 1, 1)), y=np.ones(1)), 1 / 6
    path = factored_path(problem.gradient, np.full((1, 1), np.sqrt(0.9)), eta)
    # when
    W = snapshots(path, lambda state: state.W.ravel(), period=1, count=60)
    assert_at_most(eta * (2 + W), 1 / 2 + rounding(4), why="eta times the curvature on the way")
    # then
    bound = bound_on_losses(divergence_of(np.ones(1), 0.9), eta)
    assert_within(bound / 2, ((W - 1) ** 2).sum() / 2, bound, why="sum of the losses against KL(p, alpha^2)/(4 eta)")
