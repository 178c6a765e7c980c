r"""Section 7.2: edge of stability (a) - eta S = 2 is an edge of stability.

Printed     The value $\eta \lambda_{\max}(H) = 2$ is given the name "edge of stability"
Reading     The name says that the dynamics are stable on one side and unstable on the other. On quadratic losses the
            top mode decays for $\eta S < 2$ and grows for $\eta S > 2$; $S$ is the largest eigenvalue of the Hessian
Setting     Gradient descent on $L = \frac12 \|Xw - y\|^2$. Minimal model: $L = \frac12 (uv - 1)^2$, with the gradient
            $g$ and the Hessian $H$
Corrected   (C1) Beyond the edge a quadratic loss still converges from a start without the top mode: with the
            eigenvalues 4 and 1 and $\eta S = 3$, where the other mode is divided by 4 in every step.
            (C5) A step of the minimal model that changes the loss by $\Delta L$, $g \ne 0$, meets a curvature $g^\top H
            g/\|g\|^2 \ge 2/\eta + 2 \Delta L/(\eta \|g\|)^2$ on its way: beyond $2/\eta$ where it raises the loss.
Idea        On a quadratic loss a step multiplies the top mode by $1 - \eta S$. C5 is Taylor's formula with the
            remainder as an integral
Tolerance   Rational arithmetic; in floats the rounding of one step, times the number of steps
Expected    holds
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.factored_descent import product_step
from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.problems.tapes import tapes, times
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_within, record_series
from properties.linear_models.least_squares import iterate_rounding, spectral_iterate
from theorems.ledger import as_printed, corrected, observed
from theorems.section_07_initialization_and_learning_rate.section_7_2_edge_of_stability.quadratic_losses import rotated


@as_printed
@given(tapes(6))
def test_the_top_mode_decays_rests_or_grows_as_eta_S_is_below_at_or_above_two(tape):
    # given  X = diag(a, b) V', a > b; eta a^2 = k/8; a start whose top mode c_1 is not zero
    b, gap, k, t = 1 + tape.below(3), 1 + tape.below(3), 1 + tape.below(24), tape.below(6)
    a, c = b + gap, fractions([1 + tape.below(4), tape.below(4)])
    X, V, eta = rotated(a, b), rotated(1, 1), Fraction(k, 8 * a * a)
    # when
    w = exact_descent(X, fractions([0, 0]), c @ V, eta, t + 1)
    # then   both modes exactly
    modes = w @ V.T
    assert_identical(modes[t], c * fractions([(1 - eta * a * a) ** t, (1 - eta * b * b) ** t]), why="(1 - eta S)^t")
    growth = np.sign(abs(modes[t + 1, 0]) - abs(modes[t, 0]))
    assert_identical(growth, np.sign(k - 16) * (modes[t, 0] != 0), why="growth of the top mode against eta S - 2")
    turn = np.sign(modes[t + 1, 0] * modes[t, 0])
    assert_identical(turn, np.sign(8 - k) * (modes[t, 0] != 0), why="it changes sign in every step, for eta S > 1")


@as_printed
def test_a_thousand_steps_tell_steps_a_five_hundredth_apart():
    # given  S = 4 and eta = 499/1000, 1/2, 501/1000
    etas = [Fraction(499, 1000), Fraction(1, 2), Fraction(501, 1000)]
    below, at, above = (exact_descent(fractions([[2]]), fractions([0]), fractions([1]), eta, 1000) for eta in etas)
    # then   decay to 0.018, period two, growth to 54.2
    assert_identical([at[2, 0], at[999, 0], at[1000, 0]], [1, -1, 1], why="period two at the edge")
    assert_within(Fraction(18, 1000), below[-1, 0], Fraction(19, 1000), why="0.996^1000")
    assert_within(54, above[-1, 0], 55, why="1.004^1000")


@as_printed
@given_batches(problem=regressions())
def test_below_the_edge_gradient_descent_follows_the_powers_of_its_modes(problem):
    run = gradient_descent(problem.X, problem.y, problem.w0, problem.eta, problem.t)
    closed = spectral_iterate(problem, problem.w0, problem.eta, problem.t)
    # then
    assert_at_most(norm(run.w - closed, axis=-1), iterate_rounding(problem, run), why="w_t", instance=problem)


@corrected("C1")
@given(t=times(41))
def test_a_start_without_the_top_mode_converges_beyond_the_edge(t):
    # given  eta S = 3, and a start along the other eigenvector, of eigenvalue 1
    X, eta = rotated(2, 1), Fraction(3, 4)
    start = rotated(1, 1)[1]
    # when
    w = exact_descent(X, fractions([0, 0]), start, eta, t)[-1]
    # then
    assert_identical(w, start / 4**t, why="the other mode decays by 1 - eta = 1/4")


@corrected("C5")
@given(tapes(3))
def test_a_step_that_raises_the_loss_meets_curvature_beyond_two_over_eta(tape):
    u, v, eta = fractions(tape.integers(3, 16).astype(int)) / 8 + fractions(["1/3", "-1/5", "17/8"])
    g = (u * v - 1) * fractions([v, u])

    def curvature(s):  # g'Hg on the step
        at, to = fractions([u, v]) - s * eta * g
        return (g[0] * to) ** 2 + (g[1] * at) ** 2 + 2 * g[0] * g[1] * (2 * at * to - 1)

    # when
    after = product_step(u, v, 1, eta)
    rise = ((after[0] * after[1] - 1) ** 2 - (u * v - 1) ** 2) / 2
    # then   two nodes integrate (1 - s) q(s) exactly, q of degree 2, with the weights 1/6 and 1/3
    nodes = curvature(Fraction(0)), curvature(Fraction(1, 2))
    assert_identical(rise + eta * (g @ g), eta**2 * (nodes[0] / 6 + nodes[1] / 3), why="mean value of the curvature")
    assert_at_most(2 * (g @ g) / eta + 2 * rise / eta**2, max(nodes), why="curvature along g at one of the nodes")


@observed
def test_the_loss_falls_below_the_edge_stays_on_it_and_grows_beyond_it_unless_the_top_mode_is_zero():
    # given  eigenvalues 4 and 1, from (1, 1); and eta S = 3 from (0, 1)
    runs = {"below": (Fraction(9, 20), 1), "at": (Fraction(1, 2), 1), "above": (Fraction(11, 20), 1)}
    runs["without"] = (Fraction(3, 4), 0)
    X, y = fractions([[2, 0], [0, 1]]), fractions([0, 0])
    # when   (1/2) |Xw|^2
    paths = {name: exact_descent(X, y, fractions([top, 1]), eta, 20) for name, (eta, top) in runs.items()}
    loss = {name: ((path @ X.T) ** 2).sum(1) / 2 for name, path in paths.items()}
    columns = {name: values.astype(float) for name, values in loss.items()}
    record_series("loss against step", step=np.arange(21), **columns)
    # then
    assert_at_most(40 * loss["below"][-1], loss["below"][0], why="the loss at eta S = 9/5")
    assert_within(2, loss["at"][1:], Fraction(5, 2), why="the loss at eta S = 2")
    assert_at_most(40 * loss["above"][0], loss["above"][-1], why="the loss at eta S = 11/5")
    assert_at_most(10**20 * loss["without"][-1], loss["without"][0], why="the loss without the top mode")
