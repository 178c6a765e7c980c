r"""Theorem 9.1 (a) - branches that are trained from zero are small in early training.

Setting     Linear branches $F_\ell(h) = cA_\ell h$ are trained on $\mathcal{L}(A) = \frac12 \|\prod_\ell (I + c A_\ell)
            X - Y\|_F^2$; $R$ is the target $Y$ for $X = I$, $\mathcal{L}_t$ is the loss at the time $t$, $T$ the number
            of steps, $\theta$ all weights. Branches that are not linear are $F_\ell(h) = c\, U_\ell \tanh(W_\ell h)$,
            with $\mathcal{L} = \frac12 |h_L - y|^2$
Hypotheses  (H1) The branches are small: bounds $\epsilon_\ell$ of their Lipschitz constants sum to at most $\frac12$,
            as $\epsilon_\ell = 1/(2L)$ do. Branches of random signs have $E|F_\ell(h)|^2 \le |h|^2/L$.
            (H2) Training starts at zero branches.
            (H4) Gradient flow, or a step $\eta \le 1/\beta$ with $\beta = (2L - 1) \max(1, |\lambda|)^{(2L-2)/L}$ over
            the eigenvalues $\lambda$ of the target $R$. In early training $\beta$ is a bound on the curvature of the
            loss in the ball that the run can reach.
Corrected   (C1) Along the gradient flow, from any start, all weights together have moved by $\|\theta_t - \theta_0\|^2
            \le t (\mathcal{L}_0 - \mathcal{L}_t)$.
            (C5) The bias belongs to the start: descent on $A$ from 0 at the rate $\eta$ is descent of the plain network
            from $W_\ell = I$ at the rate $c^2 \eta$
Idea        Gradient flow moves by at most $\int |\nabla \mathcal{L}|$, and a step of gradient descent lowers the loss
            by $\eta (1 - \eta\beta/2) |\nabla \mathcal{L}|^2$ at least. By Cauchy and Schwarz $\sum_\ell |A_\ell(T)|^2$
            is at most $\eta T (\mathcal{L}_0 - \mathcal{L}_T)/(1 - \eta\beta/2)$. So $\sum_\ell \epsilon_\ell$ is below
            $\frac12$ in early training, which is what H1 asks. All branches grow alike, along the first gradient $c (X
            - Y) X^\top$
Tolerance   Steps are certified up to rounding. Flows carry the estimate of two tolerances, to first order
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import descent_path, regression_gradient
from fixtures.dynamics.paths import at_time
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from theorems.ledger import corrected, under_hypotheses
from theorems.section_09_architectures.residual.dynamics import network_flow, residual_descent_path, residual_layers
from theorems.section_09_architectures.residual.model import ResidualNetwork
from theorems.section_09_architectures.residual.problems import linear_residual_problems, residual_problems
from theorems.section_09_architectures.residual.rounding import branch_operations
from theorems.section_09_architectures.theorem_9_1_identity_bias.early_training import (
    STEP_DIVISOR,
    STEPS,
    early_run,
    movement_bound,
    path_length_bound,
    path_rounding,
    relative_drift,
)


@under_hypotheses("H2", "H4")
@given_batches(problem=linear_residual_problems())
def test_in_early_training_branches_are_at_most_as_large_as_the_loss_that_fell(problem):
    run = early_run(problem)
    # given  H4, checked on the run: every step lowers the loss by at least eta (1 - eta beta/2) |gradient|^2
    moved = (np.diff(run.A, axis=0) ** 2).sum((-3, -2, -1))
    due = (1 - 0.5 / STEP_DIVISOR) * moved / run.eta
    assert_at_most(due, -np.diff(run.losses, axis=0) + 2 * run.loss_error, why="descent in every step")
    # then   above by Cauchy and Schwarz over the steps; below because the gradient has hardly changed (next test)
    bound, slack = movement_bound(problem, run)
    size, q = (run.A[-1] ** 2).sum((-3, -2, -1)), 1 / STEP_DIVISOR
    least = (1 - relative_drift(q)) ** 2 * (1 - q / 2) / ((1 + q / 2) * (1 + q) ** (2 * STEPS)) * bound
    why = "sum |A_l|^2 <= eta T (L_0 - L_T)/(1 - eta beta/2)"
    assert_within(least, size, bound, slack=slack, why=why, instance=problem)
    # then   sum eps_l <= c sum |A_l| <= c sqrt(L sum |A_l|^2)
    rate = problem.scale * np.sqrt(problem.depth * (bound + slack))
    eps = problem.scale * norm(run.A[-1], 2, (-2, -1)).sum(-1)
    by_lapack = 1 + rounding(factorization(3, 3) + problem.depth + 6)
    assert_at_most(eps, rate * by_lapack, why="sum eps_l", instance=problem)
    assert_at_most(rate, 1 / 2, why="early, so that H1 holds", instance=problem)


@under_hypotheses("H2", "H4")
@given_batches(problem=linear_residual_problems())
def test_in_early_training_every_branch_grows_alike_along_the_error_of_the_identity(problem):
    run = early_run(problem)
    # when   at zero branches the gradient in every A_l is c (X - Y) X'
    slope = problem.scale[:, None, None] * (problem.X - problem.Y) @ problem.X.mT
    trained = np.arange(problem.A.shape[-3]) < problem.depth[:, None]
    line = -STEPS * run.eta[:, None, None, None] * slope[:, None] * trained[..., None, None]
    # then   |g_s - g_0| <= beta |A(s)|, so that |A| grows by at most a factor 1 + eta beta <= 1 + q in a step
    drift = np.sqrt((line**2).sum((-3, -2, -1)))
    off = np.sqrt(((run.A[-1] - line) ** 2).sum((-3, -2, -1)))
    bound = relative_drift(1 / STEP_DIVISOR) * drift + 2 * problem.depth * path_rounding(problem, run)
    assert_at_most(off, bound, why="A_l(T) + T eta c (X - Y) X'", instance=problem)
    assert_at_most(path_rounding(problem, run), 1e-14 * path_length_bound(problem, run), why="ceiling")


@corrected("C5")
def test_a_gradient_that_grows_by_a_factor_a_step_attains_the_bound_of_the_drift():
    # given  gradients 1, 1 + q, (1 + q)^2, ...: T steps go further than T times the first by this share
    q = 1 / STEP_DIVISOR
    share = sum((1 + q) ** t for t in range(STEPS)) / STEPS - 1
    assert_equal_within(relative_drift(q), share, rounding(3 * STEPS), why="((1 + q)^T - 1)/(qT) - 1")


@corrected("C1")
@given_batches(size=50, problem=residual_problems())
def test_along_the_flow_from_any_start_tanh_weights_move_by_at_most_the_loss_that_fell(problem):
    start = ResidualNetwork(problem.W, problem.U, problem.scale, "tanh")
    times = np.array([0.02, 0.1])
    # when
    networks, error = network_flow(start, problem.x, problem.y, times)
    losses = [norm(net.states(problem.x)[:, -1] - problem.y, axis=-1) ** 2 / 2 for net in (start, *networks)]
    moved = [((net.W - start.W) ** 2 + ((net.U - start.U) ** 2).mT).sum((-3, -2, -1)) for net in networks]
    slopes = [net.gradients(problem.x, problem.y) for net in networks]
    steep = [np.sqrt((s.in_W**2).sum((-3, -2, -1)) + (s.in_U**2).sum((-3, -2, -1))) for s in slopes]
    # then   |theta_t - theta_0|^2 and the loss are off by the error of the flow times their slopes, to first order
    error, times = error[:, None], times[:, None]
    slack = 2 * error * (2 * np.sqrt(moved) + error) + 2 * times * error * steep
    # and    a loss has the operations of the layers, a residual and its square
    scale = (np.prod(1 + start.branch_lipschitz(), -1) * norm(problem.x, axis=-1) + norm(problem.y, axis=-1)) ** 2
    slack += 2 * times * rounding(start.depth * branch_operations(start) + 6, scale)
    bound = times * (losses[0] - np.stack(losses[1:])) + slack
    assert_at_most(np.stack(moved), bound, why="|theta_t - theta_0|^2 <= t (L_0 - L_t)")


@corrected("C5")
@pytest.mark.parametrize("c", [Fraction(1), Fraction(1, 2), Fraction(-2)])
def test_descent_from_zero_branches_is_descent_of_the_plain_network_from_the_identity(c):
    # given  three layers, two samples that are not orthogonal
    X, Y, eta = fractions([[1, 2], [0, -1]]), fractions([[3, 1], [1, 0]]), Fraction(1, 64)
    plain = [fractions(np.eye(2, dtype=int))] * 3
    # when   four steps at eta, and at c^2 eta
    A = at_time(residual_descent_path(fractions(np.zeros((3, 2, 2), int)), X, Y, eta, c), 4)
    W = at_time(descent_path(plain, regression_gradient(X, Y), c**2 * eta), 4)
    assert_identical(residual_layers(A, c), W, why="I + c A_l, layer by layer")
