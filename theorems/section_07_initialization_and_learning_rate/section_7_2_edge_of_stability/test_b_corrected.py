r"""Section 7.2: edge of stability (b) - where training does not approach the edge, or ends far below it.

Setting     $S$ is the largest eigenvalue of the Hessian. Quadratic losses $\frac12 \|Xw - y\|^2$; the logistic loss;
            and the minimal model $L = \frac12 (uv - 1)^2$ with $r = uv - 1$, $D = u^2 - v^2$, $S = u^2 + v^2$ at its
            minima. The edge turns a run back if gradient flow from its start would end at a minimum with $S > 2/\eta$
Corrected   (C2) Training need not approach the edge. With $\eta S < 1$ on a quadratic loss every mode of the residual
            keeps its sign and is multiplied by at most $(1 - \eta \sigma_n^2)^t$ in $t$ steps, and $\eta S$ is
            constant; with the eigenvalues 1 and 4 at $\eta S = 1/2$ the loss falls by a million in 60 steps.
            (C3) With the logistic loss $L = \frac1n \sum \ln(1 + e^{-z_i w})$ of a linear model
            $S \le L \max_i \|z_i\|^2$ everywhere, so that the edge is left as the loss vanishes.
            (C8) A run that the edge turns back may end at half of the edge, $\eta S = 1$: from (2, -1/2) with
            $\eta = 1/2$.
Idea        What pushes training up to $2/\eta$ is sharpening along gradient flow. Quadratic losses have none. In the
            minimal model it stops at $S^2 = 4 + D_0^2$. Above $2/\eta$ the oscillation lowers $|D|$ until the run can
            converge, near the edge or far below it
Tolerance   Rational arithmetic; in floats the rounding of one step, times the number of steps
Findings    Observed in the minimal model: from nine starts just above the edge, next to a minimum, the run ends as far
            below it, to a tenth. Of 2500 starts on a grid, 244 converge for which gradient flow would end beyond the
            edge; 21 of them end near it
"""

from fractions import Fraction

import numpy as np

from fixtures.dynamics.factored_descent import product_descent, product_step
from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent, iterate
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.problems.separable import separable_data
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from properties.linear_models.least_squares import iterate_rounding
from theorems.ledger import corrected, observed
from theorems.section_07_initialization_and_learning_rate.modified_flow import logistic
from theorems.section_07_initialization_and_learning_rate.section_7_2_edge_of_stability.minimal_model import (
    CONVERGED,
    dyadic_starts,
    just_above_the_edge,
    settle,
)
from theorems.section_07_initialization_and_learning_rate.section_7_2_edge_of_stability.quadratic_losses import rotated

EDGE_WIDTH = Fraction(3, 10)
"""How far eta S may be from 2 at the edge: what the rule for networks allows above it."""


@corrected("C2")
def test_half_of_the_stable_range_is_far_from_the_edge_and_trains_as_well():
    # given  eigenvalues 1 and 4 of the Hessian, eta = 1/8, so that eta S = 1/2
    X, y, eta = rotated(1, 2), fractions([1, 1]), Fraction(1, 8)
    # when
    r = (exact_descent(X, y, fractions([0, 0]), eta, 60) @ X.T - y)[[0, 60]]
    # then   the loss falls by a million, and the sharpness is what it was
    assert_at_most(10**6 * (r[1] @ r[1]), r[0] @ r[0], why="the loss falls")
    top = X[1] / 2
    assert_identical(X.T @ (X @ top), 4 * top, why="S = 4 at every w")
    assert_at_most(EDGE_WIDTH, abs(eta * 4 - 2), why="the distance to the edge, always")


@corrected("C2")
@given_batches(problem=regressions().map(off_the_minima))
def test_up_to_half_the_edge_every_mode_decays_without_oscillation_and_the_distance_to_the_edge_stays(problem):
    # given  eta S < 1
    eta, start = problem.eta / 2, problem.w0
    S = np.linalg.eigvalsh(problem.X.mT @ problem.X)[:, -1]
    # when   the modes of the residual, at the start and at the drawn time
    run = gradient_descent(problem.X, problem.y, start, eta, problem.t)
    first, now = (problem.modes(np.matvec(problem.X, w) - problem.y) for w in (start, run.w))
    # then
    slack = problem.sigma_max * iterate_rounding(problem, run) * np.sqrt(problem.rows)
    slowest = (1 - eta * problem.sigma_min**2) ** problem.t
    signed, most = np.sign(first) * now, np.abs(first) * slowest[:, None]
    assert_at_most(signed, most + slack[:, None], why="a mode decays", instance=problem)
    assert_at_most(np.abs(first) - signed, np.abs(first) + slack[:, None], why="it keeps its sign", instance=problem)
    assert_at_most(1, 2 - eta * S, why="the distance to the edge", instance=problem)


@corrected("C8")
def test_a_run_that_the_edge_turns_back_ends_at_half_of_it():
    # given  eta = 1/2 and D_0 = 15/4: gradient flow would end at S = 17/4 > 2/eta
    u, v, eta = Fraction(2), Fraction(-1, 2), Fraction(1, 2)
    assert_identical(4 + (u * u - v * v) ** 2, Fraction(17, 4) ** 2, why="the sharpness that gradient flow finds")
    # when   two steps reach the line u = v = x, where 1 - x is multiplied by 1 - x(1 + x)/2
    x, t = product_step(*product_step(u, v, 1, eta), 1, eta), 60
    assert_identical(x, [Fraction(9, 16)] * 2, why="u = v = 9/16 after two steps")
    end = product_descent(*(np.array([float(z)]) for z in (u, v)), 1.0, 0.5, t + 2)
    left = (1 - 9 / 16 * 25 / 32) ** t + rounding(6 * t)
    assert_equal_within(np.array(end)[:, 0], np.ones(2), left, why="the run ends in (1, 1), of sharpness 2")
    # then
    assert_at_most(EDGE_WIDTH, abs(eta * 2 - 2), why="its distance to the edge")


@observed
def test_of_the_runs_that_the_edge_turns_back_fewer_than_a_tenth_end_near_it():
    u, v, eta = dyadic_starts(offset=1e-3)
    flow = eta * np.sqrt(4 + (u**2 - v**2) ** 2)
    # when
    _, (u, v), converged = settle(u, v, eta)
    turned_back = converged & (flow > 2)
    near = np.abs(eta * (u**2 + v**2) - 2)[turned_back] <= EDGE_WIDTH
    # then
    assert_identical(
        [near.sum(), turned_back.sum()], [21, 244], why="runs that end with |eta S - 2| <= 3/10, of how many"
    )


@observed
def test_from_just_above_the_edge_the_minimal_model_ends_as_far_below_it():
    u, v, eta, delta = just_above_the_edge(1e-3)
    # when
    u, v = product_descent(u, v, 1.0, eta, 4000)
    # then   measured: 2 - eta S is 0.97 to 1.07 delta
    assert_at_most(np.abs(u * v - 1), CONVERGED, why="the run converges")
    assert_within(0.9 * delta, 2 - eta * (u**2 + v**2), 1.1 * delta, why="the distance below the edge")


@corrected("C3")
@given_batches(problem=separable_data())
def test_with_the_logistic_loss_of_a_linear_model_the_sharpness_is_at_most_the_loss(problem):
    # given  eta max |x_i|^2 = 16, beyond the edge where all margins are small
    loss, largest = logistic(problem.Z, problem.present, problem.rows), np.square(problem.Z).sum(-1).max(-1)
    # when
    w = iterate(problem.w0, problem.t, lambda w, _: w - (16 / largest)[:, None] * loss.gradient(w)).w
    # then   p(1 - p) <= p <= -ln(1 - p) for the probability p of the wrong label
    margins = np.matvec(problem.Z, w)
    L = np.where(problem.present, np.logaddexp(0, -margins), 0).sum(-1) / problem.rows
    H = np.einsum("bi,bij,bik->bjk", loss.derivatives(margins)[1], problem.Z, problem.Z)
    relative = rounding(factorization(problem.columns) + problem.rows + problem.columns + 8)
    assert_at_most(np.linalg.eigvalsh(H)[:, -1], largest * L * (1 + relative), why="S <= max |x|^2 L", instance=problem)


@corrected("C3")
def test_of_one_point_with_a_large_margin_the_sharpness_is_nearly_the_loss():
    # given  z = 2, w = 3, and p = 1/(1 + e^6): S = 4 p(1 - p), L = -ln(1 - p) <= p/(1 - p)
    p = 1 / (1 + np.exp(6.0))
    assert_at_most(0.99 * 4 * -np.log1p(-p), 4 * p * (1 - p), why="S >= 0.99 max |z|^2 L")
