r"""Theorem 8.1 (b) - regions of more variance that have more mass.

Setting     $L$ is the loss; $D$ holds the variances of the gradient, along one axis or two. $\pi$ is the stationary law
Hypotheses  (H4) there is one parameter, or the noise is isotropic.  (H5) Steps are short: SGD walks to a neighbor on a
            lattice, or stays; or, with one parameter and $L$ flat, its steps are of any law, at most a sixth of a
            region long, and the variance at every point of one region is at least twice that at every point of the
            other.  (H6) $L$ is flat; or, with one parameter, it rises from both regions to one top by the same slopes,
            and on the way up too the noise is less on the side of the region that has less.
Idea        On a torus whose variances depend on $x$ alone, the variance along $x$ decides the mass, and the variance
            along $y$ does not, though it counts for the total. With a barrier between two wells the variance on the
            barrier may decide
Tolerance   Exact: all walks are in fractions, and each law is checked by $\pi P = \pi$
Findings    The counterexamples are strict inequalities, which persist for variances nearby
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.search import smallest_violation
from theorems.ledger import counterexample, necessity
from theorems.section_08_stochastic_gradient_descent.finite_chains.birth_death import (
    stationary_weights,
    three_point_descent,
    torus_walk,
    transition_matrix,
)
from theorems.section_08_stochastic_gradient_descent.theorem_8_1_stationary_distribution.walks import mass_across

MOVES = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
"""The moves of a walk on a torus: it stays, or goes to one of four neighbors."""


@counterexample
def test_a_region_of_more_variance_has_twice_the_mass_where_the_noise_is_not_isotropic():
    r"""$L = 0$, a walk on $x, y \in \{0, 1, 2\}$ modulo 3. At $x = 0$ its steps have the variances $\frac14$ along $x$,
    $\frac12$ along $y$, elsewhere $\frac12$, $\frac18$: in all $\frac34 > \frac58$. Printed: less mass at $x = 0$. But
    each $x$ is left at the rate of the variance along $x$: the masses are $\frac12, \frac14, \frac14$."""
    first, second = fractions(["1/4", "1/2", "1/2"]), fractions(["1/2", "1/8", "1/8"])
    law, total = mass_across(first, second), first + second
    assert_identical(total, fractions(["3/4", "5/8", "5/8"]), why="total variance")
    # then
    reads = "mass {value} where the variance is 3/4 > mass {limit} where it is 5/8"
    assert_violates(law[0], law[1], reads=reads, L=0, along_x=first, along_y=second)


@counterexample
def test_hypothesis_finds_a_flat_loss_on_which_the_larger_variance_has_the_larger_mass():
    # given  variances in sixteenths
    def at_zero_and_one(instance):
        first, second = (fractions(side) / 16 for side in instance)
        return mass_across(first, second)[:2], (first + second)[:2]

    def violated(instance):
        mass, total = at_zero_and_one(instance)
        return total[0] > total[1] and mass[0] > mass[1]

    sixteenths = st.tuples(*[st.integers(1, 8)] * 3)
    found = smallest_violation(st.tuples(sixteenths, sixteenths), violated)
    # then
    mass, total = at_zero_and_one(found)
    reads = "mass {value} at x = 0 > {limit} at x = 1"
    assert_violates(mass[0], mass[1], reads=reads, along_x=found[0], along_y=found[1], total=total, unit="1/16")


@necessity("H4")
@given(tapes(2))
def test_without_H4_the_variance_along_the_boundary_counts_for_the_total_and_not_for_the_mass(tape):
    # given  L = 0; at x = 0 the variance along x is half of that elsewhere, but the total variance is larger
    unit, more = Fraction(1, 16 + tape.below(16)), 3 + tape.below(8)
    first, second = fractions([1, 2, 2]) * unit, fractions([more, 1, 1]) * unit
    P = torus_walk(np.stack([np.repeat(side[:, None], 3, axis=1) for side in (first, second)])).reshape([3] * 4)
    moves = np.array([[P[x, y, (x + a) % 3, (y + b) % 3] for a, b in MOVES] for x, y in np.ndindex(3, 3)])
    assert_keeps(H5=moves.sum(1) == 1, H6=(moves @ MOVES == 0).all())
    law, total = mass_across(first, second), first + second
    # then
    assert_at_most(total[1] + unit, total[0], why="the total variance, larger at x = 0")
    assert_identical(law[0], 2 * law[1], why="the mass, larger at x = 0")


@necessity("H5")
@given(st.integers(1, 19))
def test_without_H5_where_steps_are_longer_the_larger_variance_has_the_larger_mass(twentieths):
    # given  L = 0 on a ring of six. Steps are -+1 where x is odd; where x is even, -+1 with probability r, else -+2
    r, ring = Fraction(twentieths, 20), np.eye(6, dtype=int)
    near, far = ((np.roll(ring, move, axis=1) + np.roll(ring, -move, axis=1)) for move in (1, 2))
    P = fractions(near) / 2
    P[::2] = (r * near[::2] + (1 - r) * far[::2]) / 2
    drift = sum(move * P[range(6), (np.arange(6) + move) % 6] for move in (-2, -1, 1, 2))
    assert_keeps(H4=True, H6=drift == 0)
    # then   variances 4 - 3r and 1, masses 1 and r
    pi = np.resize([1, r], 6) / (3 + 3 * r)
    assert_identical(pi @ P, pi, why="pi P = pi")
    assert_at_most(pi[1] + (1 - r) / 6, pi[0], why="the mass where the variance is 1")


@necessity("H6")
def test_without_H6_the_variance_on_the_barrier_decides_between_two_wells():
    # given  wells at 0 and 4 of equal depth, L' = 1/8 at 1 and -1/8 at 3. The variance is 1/4 at 0 and 1/2 at 4, but
    #        on the slope at 3 it is less than on the slope at 1
    slope = fractions([0, "1/8", 0, "-1/8", 0])
    D = fractions(["1/4", "1", "1/2", "1/4", "1/2"]) - slope**2
    P = transition_matrix(*three_point_descent(slope, D, 1))
    assert_keeps(H4=True, H5=not (np.triu(P, 2).any() or np.tril(P, -2).any()))
    # when
    pi = stationary_weights(*three_point_descent(slope, D, 1))
    assert_identical(pi @ P, pi, why="pi P = pi")
    # then   the well of twice the variance has more mass
    assert_identical(pi[4] / pi[0], Fraction(7, 6), why="mass of the noisier well over that of the other")
