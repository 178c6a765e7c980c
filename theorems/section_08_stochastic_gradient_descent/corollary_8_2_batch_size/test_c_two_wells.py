r"""Corollary 8.2 (c) - how often SGD with constant noise is in the sharper of two wells.

Setting     One parameter and a loss with two quadratic wells, a sharp and a flat one, of one depth. The noise of a
            sample's gradient does not depend on the parameter; that of a minibatch has $\frac1B$ of its variance
Idea        In these chains much noise leaves both wells, and evens out their shares
Tolerance   Laws and times of finite chains, which GTH finds up to the rounding of some $\frac43 k^3$ operations for $k$
            states, entry by entry
Findings    Of constant noise in two wells both orders were observed: in whole numbers ($x - \eta L'$ is rounded), with
            noise 2, steps $\eta h = \frac54, \frac32, \frac74$ and $\frac12, \frac23, \frac34$ and the wells 2 to 8
            apart, batches of one are more often in the sharp well than batches of two on 21 of 63 chains, less often on
            11. With $h = 8$ and $h = 1$ and Gaussian noise of variance $4/B$, $\eta = \frac1{10}$, the shares of the
            sharp well at $B = 1, 2, 4, 8$ are $3.0 \cdot 10^{-2}$, $1.8 \cdot 10^{-3}$, $5.0 \cdot 10^{-6}$,
            $3.4 \cdot 10^{-11}$. A chain on 160 nodes, which has $3.5 \cdot 10^{-11}$ for the last, leaves it once in
            $1.5 \cdot 10^3$, $3.3 \cdot 10^5$, $1.3 \cdot 10^{10}$, $1.4 \cdot 10^{19}$ steps
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_identical, assert_within, record_series
from theorems.ledger import counterexample, observed
from theorems.section_08_stochastic_gradient_descent.finite_chains.landscapes import TwoWells
from theorems.section_08_stochastic_gradient_descent.finite_chains.markov_chains import (
    escape_time,
    gth_rounding,
    stationary_law,
)
from theorems.section_08_stochastic_gradient_descent.finite_chains.two_well_chains import (
    fixed_point_chain,
    gaussian_chain,
)

GAUSSIAN_WELLS = TwoWells(1.0, 8.0, -1.5, 1.0)
BATCHES = np.array([1, 2, 4, 8])
SHARP = [Fraction(5, 4), Fraction(3, 2), Fraction(7, 4)]
FLAT = [Fraction(1, 2), Fraction(2, 3), Fraction(3, 4)]


def mass_in_sharp_well(wells, noise, batch):
    """The stationary probability of the sharp well, for SGD in whole numbers with the step 1; exact, pi P = pi."""
    states, P = fixed_point_chain(wells, noise, batch)
    pi = stationary_law(P)
    assert (pi @ P == pi).all()
    return pi[wells.in_sharp(states)].sum()


@counterexample
def test_under_gaussian_noise_of_either_step_the_sharp_well_gains_as_batches_shrink():
    # given  h = 8 at 1 and h = 1 at -3/2, equal temperature eta Var/B: variances 4 and 20 of a sample's gradient
    steps = {0.1: 4.0, 0.02: 20.0}
    # when   the laws of the chains on 16 panels
    chains = [gaussian_chain(GAUSSIAN_WELLS, eta, variance / BATCHES, 8) for eta, variance in steps.items()]
    laws = [stationary_law(P) for _, P in chains]
    masses = [pi[:, GAUSSIAN_WELLS.in_sharp(x)].sum(-1) for pi, (x, _) in zip(laws, chains, strict=True)]
    record_series(
        "stationary mass in the sharp well against batch size", batch=BATCHES, eta_0_1=masses[0], eta_0_02=masses[1]
    )
    # then   each halving of B multiplies the mass by 1.4 to 1e5, which is far beyond the rounding of GTH
    states = len(chains[0][0])
    slack = gth_rounding(states) + rounding(states)  # of an entry, and of a sum of positive entries
    moved = [np.abs(np.vecmat(pi, P) / pi - 1).max() for pi, (_, P) in zip(laws, chains, strict=True)]
    # and    rows of P sum to one up to their rounding
    assert_at_most(moved, 2 * slack + rounding(states + 1), why="pi P against pi, entry by entry")
    larger, smaller = np.array(masses)[:, 1:], np.array(masses)[:, :-1]
    assert_at_most(larger * (1 + slack), smaller * (1 - slack), why="mass of the sharp well at 2B and at B")


@observed
@pytest.mark.slow
def test_more_panels_hardly_move_the_shares_of_the_sharp_well():
    # given  60 panels for the 16 of the fast run
    steps = {0.1: 4.0, 0.02: 20.0}
    chains = [gaussian_chain(GAUSSIAN_WELLS, eta, variance / BATCHES, 30) for eta, variance in steps.items()]
    # when
    masses = [stationary_law(P)[:, GAUSSIAN_WELLS.in_sharp(x)].sum(-1) for x, P in chains]
    # then   the measured digits, rounded down
    measured = np.array([[2.988e-2, 1.801e-3, 5.026e-6, 3.381e-11], [2.035e-1, 1.424e-1, 5.777e-2, 6.709e-3]])
    assert_within(measured, np.array(masses), 1.001 * measured, why="mass of the sharp well")


@observed
def test_the_logarithm_of_the_time_to_leave_the_sharp_well_grows_as_the_batch_does():
    # given  the chains of eta = 1/10, cut to the sharp well
    x, P = gaussian_chain(GAUSSIAN_WELLS, 0.1, 4.0 / BATCHES, 8)
    inside = GAUSSIAN_WELLS.in_sharp(x)
    # when
    lower, upper = escape_time(P[:, inside][:, :, inside], P[:, inside][:, :, ~inside].sum(-1))
    # then   as B doubles the logarithm grows by 5.42, 10.56 and 20.85, about twice as much each time
    measured = np.array([1458, 3.299e5, 1.272e10, 1.437e19])
    assert_within(measured, lower, upper, why="the measured digits, rounded down")
    assert_at_most(upper, 1.001 * measured, why="the enclosure does not exceed them by one in a thousand")


@observed
@pytest.mark.slow
def test_the_order_of_the_masses_depends_on_the_wells():
    # given  wells 2 to 8 apart
    wells = [TwoWells(apart, h, 0, k) for apart, h, k in itertools.product(range(2, 9), SHARP, FLAT)]
    # when
    orders = [np.sign(mass_in_sharp_well(pair, 2, 1) - mass_in_sharp_well(pair, 2, 2)) for pair in wells]
    # then
    assert_identical([orders.count(sign) for sign in (1, 0, -1)], [21, 31, 11], why="more, as often, less often at B=1")
