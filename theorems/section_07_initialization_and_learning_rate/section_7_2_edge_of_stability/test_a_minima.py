r"""Section 7.2: edge of stability (a) - which minima the runs of the minimal model reach.

Setting     Gradient descent on $L = \frac12 (uv - 1)^2$. Write $r = uv - 1$, $D = u^2 - v^2$, $S = u^2 + v^2$; at a
            minimum $S$ is the largest eigenvalue of the Hessian. $\lambda_{\max}$ is this eigenvalue at any point
Hypotheses  (H1) of C6: $r_t \ne 0$ at all times.
Corrected   (C4) In the minimal model $r_{t+1} = r_t (1 - \eta S_t + \eta^2 r_t (r_t + 1))$ and
            $D_{t+1} = D_t (1 - \eta^2 r_t^2)$, for all $u$, $v$, $\eta$.
            (C6) Under H1 a run of the minimal model that converges to a minimum has $S \le 2/\eta$ there; for
            $\eta > 1$ none converges, as $S \ge 2$ at all minima.
            (C7) A run of the minimal model with $0 < u_0 v_0 < 1$, $u_0 > 0$ and $\theta + \theta^2/16 \le 1$,
            $\theta = \eta (4 + D_0^2)^{1/2}$, has $\eta \lambda_{\max} \le \theta < 1$ all the way and converges.
            Beyond this range a run that starts with $\eta \lambda_{\max} < 2$ may leave: from (2, 1/50) with
            $\eta = 11/25$, where $\theta < 2$, $\eta \lambda_{\max} > 2$ after a step.
Idea        Gradient flow conserves $D$, so it ends at a minimum with $S^2 = 4 + D_0^2$. Descent with small steps lowers
            $|D|$. Where $r_t$ goes to 0 and never is 0, $|r|$ falls again and again. A step lowers $|r|$ only if
            $\eta S_t < 2 + \eta^2 r_t (r_t + 1)$
Tolerance   Rational arithmetic; in floats the rounding of one step, times the number of steps
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.factored_descent import product_descent, product_step
from fixtures.dynamics.gradient_descent import steps_to_contract
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, record_series
from theorems.ledger import corrected, observed
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.gentle_products import gentle_products
from theorems.section_07_initialization_and_learning_rate.section_7_2_edge_of_stability.minimal_model import (
    CONVERGED,
    SETTLED,
    dyadic_starts,
    just_above_the_edge,
    product_path,
    settle,
    sharpness_at,
)


@corrected("C7")
@given_batches(start=gentle_products())
def test_a_step_that_keeps_gradient_flow_inside_stability_never_meets_the_edge(start):
    # when   at the drawn time, and converged
    t = np.array([start.t, steps_to_contract(start.contraction, CONVERGED)])
    u, v = product_descent(start.u, start.v, 1.0, start.eta, t)
    # then   eta S <= theta < 1 on the way and at the end, where it is more than half of theta
    # then   a step costs six roundings in u and in v, and a Hessian of 2 x 2 is decomposed
    slack, edge = rounding(12 * (1 + t) + factorization(2)), start.eta * sharpness_at(u, v)
    assert_at_most(edge, start.theta + slack, why="eta S", instance=start)
    assert_at_most(np.abs(u * v - 1)[1], CONVERGED + slack[1], why="the run converges", instance=start)
    assert_at_most(start.theta / 2, edge[1], why="the bound is near at the end", instance=start)


@corrected("C7")
def test_beyond_that_range_a_start_inside_may_be_outside_after_a_step():
    # given  0 < u_0 v_0 < 1 and theta^2 = eta^2 (4 + D_0^2) < 4, but theta + theta^2/16 > 1
    u, v, eta = Fraction(2), Fraction(1, 50), Fraction(11, 25)
    assert_at_most(eta**2 * (4 + (u * u - v * v) ** 2), 4, why="the minimum that gradient flow finds is inside")

    def below(u, v):  # det(2/eta - H): positive where both eigenvalues are below 2/eta, negative between them
        return (2 / eta - v * v) * (2 / eta - u * u) - (2 * u * v - 1) ** 2

    # when
    after = product_step(u, v, 1, eta)
    # then
    assert_at_most([1 / 2, u * u], [below(u, v), 2 / eta], why="the start is inside")
    assert_at_most(4, -below(*after), why="after a step eta lambda_max > 2")


@corrected("C4", "C6")
@given(tapes(4))
def test_a_step_lowers_the_residual_exactly_where_the_sharpness_is_below_two_over_eta(tape):
    # given  0 < |r| <= 1/4, and eta S in 32nds between 1 and 3
    u, r = Fraction(1 + tape.below(12), 4), Fraction((1 + tape.below(16)) * tape.choice((1, -1)), 64)
    v, edge = (1 + r) / u, Fraction(33 + tape.below(63), 32)
    eta = edge / (u**2 + v**2)
    # when
    after = math.prod(product_step(u, v, 1, eta)) - 1
    # then
    excess = edge - eta**2 * r * (r + 1) - 2
    assert_identical(after, -r * (1 + excess), why="r after a step")
    assert_identical(np.sign(abs(after) - abs(r)), np.sign(excess * (2 + excess)), why="|r| grows beyond the edge")


@corrected("C6")
@given(tapes(4))
def test_for_eta_above_one_every_step_near_the_minima_multiplies_the_residual_by_eta_at_least(tape):
    # given  0 < |r| <= (eta - 1)/eta^2, where eta (1 + r)(2 - eta r) >= 1 + eta, and S >= 2uv = 2(1 + r)
    eta, u = 1 + Fraction(1 + tape.below(24), 8), Fraction(1 + tape.below(12), 4)
    r = Fraction((1 + tape.below(8)) * tape.choice((1, -1)), 8) * (eta - 1) / eta**2
    # when
    after = math.prod(product_step(u, (1 + r) / u, 1, eta)) - 1
    # then
    assert_at_most(eta * abs(r), abs(after), why="|r| after a step: no minimum is reached but at once")


@corrected("C6")
def test_every_run_that_converges_ends_at_or_below_two_over_eta():
    # given  all dyadic starts, moved by an offset of no algebraic relation to them, and starts just above the edge
    pairs = zip(dyadic_starts(offset=1e-3), just_above_the_edge(1e-2), strict=False)
    u, v, eta = (np.concatenate(pair) for pair in pairs)
    # when
    last, end, converged = settle(u, v, eta, 600)
    assert_at_most(1000, converged.sum(), why="of 2509 runs so many converge")
    # then   the last step from |r| >= SETTLED lowers |r|. So S < 2/eta + eta r(r + 1) there, up to rounding of |r|.
    #        Afterwards |D| falls, and S^2 = D^2 + 4(uv)^2, so that S rises by no more than 2|uv| does
    (u, v), edge, S = (z[converged] for z in last), 2 / eta[converged], sum(z[converged] ** 2 for z in end)
    r, relative = u * v - 1, rounding(6 + 2, (u**2 + v**2) / SETTLED)  # a step, and uv - 1
    assert_at_most(np.abs(r), 1e-3, why="none of them lands")
    assert_at_most(S, edge * (1 + relative + r * (r + 1) * 2 / edge**2) + 3 * np.abs(r), why="S <= 2/eta")
    assert_at_most(1, (0.97 * edge <= S).sum(), why="runs that end within 3 per cent of it")


@corrected("C6", "C7")
@pytest.mark.slow
def test_over_many_decades_no_run_leaves_its_range_and_none_ends_beyond_the_edge():
    # given  C7: u from 1e-4 to 1e4, uv from 1e-12 to 1 - 1e-9, theta up to 4 sqrt 5 - 8, the largest in its range
    rng, size = np.random.default_rng(721), 20_000
    u = 10 ** rng.uniform(-4, 4, size)
    v, theta = rng.choice([1e-12, 1e-6, 0.5, 1 - 1e-9], size) / u, rng.choice([4 * 5**0.5 - 8, 0.5, 1e-3], size)
    eta = theta / np.sqrt(4 + (u**2 - v**2) ** 2)
    for _ in range(300):
        u, v = product_step(u, v, 1.0, eta)
        top = (u**2 + v**2 + np.hypot(u**2 - v**2, 2 * (2 * u * v - 1))) / 2
        assert_at_most(eta * top, theta * (1 + rounding(12 * 300 + 8)), why="eta lambda_max")
    # given  C6: starts over four decades and eta from 1e-3 to 4
    u, v = rng.normal(size=(2, size)) * 10 ** rng.uniform(-2, 2, size)
    eta = 10 ** rng.uniform(-3, 0.6, size)
    _, (u, v), converged = settle(u, v, eta, 2000)
    # then
    assert_at_most((eta * (u**2 + v**2))[converged], 2, why="eta S at the minimum")
    assert_at_most([size / 4, eta[converged].max()], [converged.sum(), 1], why="many converge, and none for eta > 1")


@corrected("C4")
@given(tapes(3))
def test_three_steps_shrink_the_imbalance_by_one_minus_the_square_of_eta_r_each(tape):
    u, v, eta = fractions(tape.integers(3, 16).astype(int)) / 8
    # when
    path = product_path(u, v, eta, 3)
    # then
    D = [a * a - b * b for a, b in path]
    kept = math.prod(1 - (eta * (a * b - 1)) ** 2 for a, b in path[:-1])
    assert_identical(D[-1], D[0] * kept, why="D after three steps")


@observed
def test_runs_that_start_near_a_minimum_beyond_the_edge_leave_it_for_one_inside():
    # given  eta = 2/5, so that 2/eta = 5: two starts near minima beyond the edge, and one near a minimum inside
    starts = {"right": (2.5, 0.45), "top": (0.3, 2.6), "inside": (1.6, 0.1)}
    # when
    path = np.array(product_path(*np.array([*starts.values()]).T, 0.4, 200))
    for name, run in zip(starts, np.round(path[:60], 4).transpose(2, 1, 0), strict=True):
        record_series(f"run from {name}", u=run[0], v=run[1])
    # then
    assert_identical(np.abs(path[-1].prod(0) - 1) <= CONVERGED, [True] * 3, why="the runs converge")
    assert_at_most((path[-1] ** 2).sum(0), 5, why="S at the end")
    assert_at_most(6, (path[0, :, :2] ** 2).sum(0), why="S near two starts")
