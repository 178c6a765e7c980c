r"""Section 6.3: flat minima (a) - for f = uv the step bounds the final sharpness; below it the start decides.

Setting     One sample and $f = uv$, $L = \frac12 (uv - y)^2$, with minima $uv = y$, of sharpness $S = u^2 + v^2$ there;
            $r = uv - y$. Gradient descent with the step $\eta$
Hypotheses  (H1) $|r|$ falls in the step. (H2) No residual of the run is zero: gradient descent does not hit a minimum
            in finitely many steps.
Corrected   (C1) A step of $f = uv$ multiplies $r$ by $1 - \eta(u^2 + v^2) + \eta^2 r (r + y)$ and $u^2 - v^2$ by
            $1 - \eta^2 r^2$, exactly.
            (C2) In a step under H1, $u^2 + v^2 < 2/\eta + \eta r (r + y)$.
            (C3) A run of $f = uv$ that converges to a minimum under H2 ends with $S \le 2/\eta$.
            (C4) The bound of C3 cannot be lowered: with $\eta = 1$ and $y = 1/16$ there are runs to the sharpness 1,
            1.9 and 1.99, up to $6 \cdot 10^{-4}$.
            (C5) At every step $(u^2 + v^2)^2 = 4 (y + r)^2 + (u_0^2 - v_0^2)^2 \prod_t (1 - \eta^2 r_t^2)^2$. Of two
            starts of one norm the less balanced one can end sharper ($\eta = \frac1{100}$, $y = 1$, (3, 3) and (21/5,
            3/5): 2 and 17.4) or, with a long step, flatter ($\eta = \frac9{10}$, $y = \frac12$, (7/5, -1/5) and (23/17,
            7/17): 1.2403 and 1.9301).
Idea        Near a minimum sharper than $2/\eta$ a step multiplies $r$ by less than -1. That binds only where the step
            is large. Where it is small, the start decides
Tolerance   Rational arithmetic. In floats the bound holds exactly at every step that lowers $|r|$, so that only
            rounding is allowed for
Findings    Observed: 24 tanh networks that start at $\eta S/2 = 1.1$ or more end below 1
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.factored_descent import product_step
from fixtures.dynamics.two_layer import fit
from fixtures.models.two_layer import two_layer
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
)
from theorems.ledger import corrected, necessity, observed
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.product_loss import (
    CONVERGED,
    ProductRun,
    product_runs,
    settle,
    sharpness_bound,
    sharpness_of_product,
)
from theorems.section_06_beyond_lazy_training.section_6_3_flat_minima.scalar_regression import (
    sharpness_of_network,
)


@corrected("C3", "H2")
@given_batches(runs=product_runs())
def test_where_gradient_descent_settles_the_sharpness_is_at_most_two_over_eta(runs):
    # given  H2: starts that hit no minimum, some of them with eta(u^2 + v^2) > 2
    (u, v), left = settle(runs)
    assert_at_most(left, CONVERGED, why="the run has converged within its budget", instance=runs)
    # then   the next step lowers |r| below SETTLED/eta for the first time; every run that converges has such a step
    r = np.abs(u * v - runs.y)
    after = product_step(u, v, runs.y, runs.eta)
    assert_at_most(np.abs(after[0] * after[1] - runs.y), r, why="the residual falls")
    # then
    bound = sharpness_bound(r, runs.y, runs.eta)
    slack = rounding(3 + 8, bound)  # u^2 + v^2, and the bound with its r
    assert_at_most(sharpness_of_product(u, v), bound + slack, why="S <= 2/eta", instance=runs)


@corrected("C4")
@pytest.mark.parametrize("target", [1.0, 1.9, 1.99])
def test_any_sharpness_below_two_over_eta_is_the_limit_of_a_run(target):
    # given  eta = 1, y = 1/16 and a start at r = 10^-5 from a minimum of this sharpness
    y, r = 1 / 16, 1e-5
    u = np.sqrt((target + np.sqrt(target**2 - 4 * y**2)) / 2)
    start = ProductRun(*(np.array([value]) for value in (u, (y + r) / u, y, 1.0)))
    # when
    (u, v), left = settle(start)
    assert_at_most(left, CONVERGED, why="the run has converged within its budget")
    # then   u^2 + v^2 changes by -4 r(r + y) + r^2 (u^2 + v^2) in a step, and r shrinks by 0.995 at least
    drift = (4 * r * (r + y) + 2 * r**2) / 0.005 + 2 * r
    S = sharpness_of_product(u, v)
    assert_within(target - drift, S, target + drift, why="the sharpness of the start")
    assert_at_most(target / 2 * sharpness_bound(0.0, y, 1.0), S + drift, why="its share of the bound of C3")


@corrected("C1")
@given(tapes(4))
def test_a_step_multiplies_the_residual_by_what_the_sharpness_says(tape):
    u, v, y, eta = fractions(tape.integers(4, 16).astype(int)) / 4
    # when
    r, (after_u, after_v) = u * v - y, product_step(u, v, y, eta)
    # then
    factor = 1 - eta * sharpness_of_product(u, v) + eta**2 * r * (r + y)
    assert_identical(after_u * after_v - y, factor * r, why="residual after one step")
    balance = (1 - eta**2 * r**2) * (u**2 - v**2)
    assert_identical(after_u**2 - after_v**2, balance, why="u^2 - v^2 after one step")


@corrected("C2", "H1")
def test_every_step_that_lowers_the_residual_is_within_the_bound_and_some_need_all_of_it():
    # given  eta = 1/4 and u, v, y in quarters up to 4: no number here is rounded
    u, v, y = (grid.ravel() / 4 for grid in np.meshgrid(np.arange(-16, 17), np.arange(-16, 17), np.arange(1, 17)))
    r, after, eta = u * v - y, product_step(u, v, y, 1 / 4), 1 / 4
    falls, S = np.abs(after[0] * after[1] - y) < np.abs(r), sharpness_of_product(u, v)
    # then
    assert_at_most(S[falls], sharpness_bound(r, y, eta)[falls], why="u^2 + v^2 in a step that lowers |r|")
    assert_at_most(1, np.sum(falls & (2 / eta < S)), why="such steps above 2/eta")


@corrected("C5")
@given(tapes(4), st.integers(0, 4))
def test_the_sharpness_at_every_step_is_that_of_the_start_and_of_its_residuals(tape, steps):
    u, v, y, eta = fractions(tape.integers(4, 8).astype(int)) / 8
    kept = u**2 - v**2
    # when
    for _ in range(steps):
        kept, (u, v) = kept * (1 - eta**2 * (u * v - y) ** 2), product_step(u, v, y, eta)
    # then   4(y + r)^2 = (2uv)^2
    assert_identical(sharpness_of_product(u, v) ** 2, 4 * (u * v) ** 2 + kept**2, why="(u^2 + v^2)^2")


@corrected("C5")
@pytest.mark.parametrize(
    ("balanced", "unbalanced", "y", "eta", "ends"),
    [((3, 3), (21 / 5, 3 / 5), 1.0, 0.01, (2, 17.4)), ((23 / 17, 7 / 17), (7 / 5, -1 / 5), 0.5, 0.9, (1.9301, 1.2403))],
    ids=["sharper", "flatter"],
)
def test_of_two_starts_of_one_norm_the_unbalanced_one_can_end_sharper_or_flatter(balanced, unbalanced, y, eta, ends):
    u, v = np.array([balanced, unbalanced], float).T
    first, second = u**2 + v**2
    assert_equal_within(first, second, rounding(3 + 3, first), why="one norm")
    assert_at_most(np.abs(u * v)[1], np.abs(u * v)[0], why="the second start is the less balanced one")
    # when
    for _ in range(2000):
        u, v = product_step(u, v, y, eta)
    # then   in the digits that are printed; eta S < 2, so that r shrinks and the last steps change nothing
    assert_at_most(np.abs(u * v - y), CONVERGED, why="the residual")
    slack = [0.005, 0.05] if eta < 0.5 else [5e-5, 5e-5]
    assert_at_most(np.abs(sharpness_of_product(u, v) - ends), slack, why="the sharpness at the end")


@observed
def test_tanh_networks_that_start_outside_stability_end_inside():
    # given  24 networks of 10 neurons, 4 samples in R^3, eta lambda_max(K_0) = 2.2, the loss (1/2) sum r^2
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((24, 4, 3)), rng.integers(0, 2, (24, 4)) - 0.5
    start = two_layer("ntk", 10, 3, np.arange(24), activation="tanh")
    eta = 2.2 / np.linalg.eigvalsh(start.kernel(X))[:, -1]
    assert_at_most(1.0, eta * 4 * sharpness_of_network(start, X) / 2, why="eta S/2 before training")
    # when   to a loss of 1e-12
    found = fit(start, X, y, eta, loss=1e-12, budget=40_000, period=100)
    # then   the largest eta S/2 measured is 0.9962
    assert_at_most(eta * 4 * sharpness_of_network(found, X) / 2, 1.0, why="eta S/2 after training")


@necessity("H1")
def test_without_H1_the_sharpness_is_whatever_the_start_had():
    # given  u = 3/2, v = 1/2, y = 1/8, eta = 1, where |r| = 5/8 rises
    u, v, y = Fraction(3, 2), Fraction(1, 2), Fraction(1, 8)
    after = product_step(u, v, y, Fraction(1))
    assert_keeps(H2=[u * v != y, after[0] * after[1] != y])
    assert_identical(after[0] * after[1] - y, Fraction(-33, 32) * (u * v - y), why="residual after one step")
    # then   5/2 exceeds 2/eta + eta |r| |r + y| = 2 + 15/32
    bound = sharpness_bound(u * v - y, y, Fraction(1))
    assert_identical(bound, 2 + Fraction(15, 32), why="the bound")
    assert_at_most(bound, sharpness_of_product(u, v), why="the sharpness exceeds the bound")


@necessity("H2")
@given(st.integers(1, 1000))
def test_without_H2_gradient_descent_hits_a_sharp_minimum_that_its_neighbors_leave(k):
    # given  the start (1, 0), y = 2, eta = 1
    u, v = product_step(Fraction(1), Fraction(0), 2, Fraction(1))
    assert_keeps(H1=abs(u * v - 2) < abs(1 * 0 - 2))
    assert_identical([u, v, u * v - 2], [1, 2, 0], why="one step ends at a minimum, where gradient descent rests")
    # then
    assert_violates(sharpness_of_product(u, v), 2, reads="sharpness {value} > {limit} = 2/eta", start=[1, 0], y=2)
    # and    with v off by 1/(8k) the residual more than doubles
    v += Fraction(1, 8 * k)
    after = product_step(u, v, 2, Fraction(1))
    assert_at_most(2 * abs(u * v - 2), abs(after[0] * after[1] - 2), why="residual after one step")
