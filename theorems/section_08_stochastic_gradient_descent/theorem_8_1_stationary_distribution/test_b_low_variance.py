r"""Theorem 8.1 (b) - low gradient variance is favored.

Printed     The stationary distribution shows that SGD favors regions with low gradient variance (the last sentence of
            the theorem)
Reading     Two regions of equal loss and size are compared, point by point; they differ in the noise alone. If the
            total variance of the gradient is less at every point of one region, that region has at least as much mass
            as the other
Setting     $L$ is the loss. With one parameter, $D(x)$ is the variance of the gradient at $x$ and $g$ the slope of $L$.
            In the plane $D$ holds the variances along the two axes
Hypotheses  (H4) there is one parameter, or the noise is isotropic.  (H5) Steps are short: SGD walks to a neighbor on a
            lattice, or stays; or, with one parameter and $L$ flat, its steps are of any law, at most a sixth of a
            region long, and the variance at every point of one region is at least twice that at every point of the
            other.  (H6) $L$ is flat; or, with one parameter, it rises from both regions to one top by the same slopes,
            and on the way up too the noise is less on the side of the region that has less.
Idea        Where $L$ is flat, a walk to neighbors stays at a point for a time proportional to $1/D$, so that $\pi D$ is
            constant. Down a slope $g$ the mass grows by $(V + g)/(V - g)$, $V = D + g^2$, by detailed balance: by less
            where the noise is more. For longer steps, take a function that is concave on the noisier region and convex
            on the calmer one; its mean change bounds the mass
Tolerance   Fractions; for walks in floating point, GTH up to its rounding
Expected    holds under added hypotheses
"""

import itertools
from fractions import Fraction

import numpy as np
from hypothesis import given

from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import under_hypotheses
from theorems.section_08_stochastic_gradient_descent.finite_chains.birth_death import (
    stationary_weights,
    three_point_descent,
    torus_walk,
    transition_matrix,
)
from theorems.section_08_stochastic_gradient_descent.finite_chains.markov_chains import gth_rounding, stationary_law
from theorems.section_08_stochastic_gradient_descent.theorem_8_1_stationary_distribution.walks import ring_walk


@under_hypotheses("H4", "H5", "H6")
@given(tapes(9))
def test_where_the_loss_is_flat_the_mass_of_a_state_is_the_inverse_of_its_variance(tape):
    # given  H4: one parameter; H5: gradients -1, 0, 1 of variance D in sixteenths; H6: L = 0
    D = fractions(1 + tape.naturals(2 + tape.below(7), 16)) / 16
    # when
    up, down = three_point_descent(0 * D, D, 1)
    pi = stationary_weights(up, down)
    # then
    assert_identical(pi @ transition_matrix(up, down), pi, why="pi P = pi")
    assert_identical(pi * D, np.full(len(D), 1 / sum(1 / D)), why="pi D is constant")


@under_hypotheses("H4", "H5", "H6")
@given(tapes(120))
def test_with_short_steps_of_any_law_the_calmer_half_of_a_ring_has_more_mass(tape):
    # given  H4: one parameter; H6: mean gradients 0; H5: steps up to 2 of 12 points, variances below 1/4 and above 1/2;
    #        the laws are drawn from an open set, and the mass depends continuously on them
    shares = 1.0 + tape.naturals((24, 4), 64) ** 2
    calm, wild = (1 + tape.naturals(12, 8)) / 32, (16 + tape.naturals(12, 17)) / 32
    P = ring_walk(shares / shares.sum(-1, keepdims=True), np.concatenate([calm, wild]))
    # when   by GTH
    pi = stationary_law(P)
    # then
    more, less = pi[:12].sum(), pi[12:].sum()
    assert_at_most(less * (1 + 4 * gth_rounding(24)), more, why="mass of the noisier half, of the calmer half")


@under_hypotheses("H4", "H5", "H6")
def test_one_function_bounds_the_mass_of_the_noisier_half_for_all_laws_of_short_steps():
    # given  a ring of 24 points, of which 0 ... 11 are calm. phi has the second difference -1 at the noisy points and
    #        up to two points beside them, and 2 elsewhere. For regions of n points and steps up to m <= n/6 the 2 would
    #        be (n + 2m)/(n - 2m) <= 2
    bend = np.where((np.arange(24) - 2) % 24 < 8, 2, -1).astype(object)
    slope = fractions(np.cumsum(bend))
    phi = np.roll(np.cumsum(slope - sum(slope) / 24), 1)
    # when   steps are -j or i, with mean 0 and variance ij: all laws of mean 0 on -2 ... 2 are mixtures of these
    for j, i in itertools.product((1, 2), repeat=2):
        gain = (i * np.roll(phi, j) + j * np.roll(phi, -i)) / (i + j) - phi
        # then   as sum pi gain = 0, the sum of pi D/2 over noisy points is at most the sum of pi D over calm points
        assert_identical(gain[12:], [Fraction(-i * j, 2)] * 12, why="mean change of phi at a noisy point")
        assert_at_most(gain[:12], i * j, why="mean change of phi at a calm point")


@under_hypotheses("H4", "H5", "H6")
@given(tapes(16))
def test_with_isotropic_noise_in_the_plane_the_mass_of_a_state_is_the_inverse_of_its_variance(tape):
    # given  H4: variances D(x, y) along both axes of a torus; H5: steps to neighbors; H6: L = 0
    D = fractions(1 + tape.naturals((4, 4), 8)) / 16
    pi = ((1 / D) / sum((1 / D).ravel())).ravel()
    # then   pi is the only stationary law, as the walk reaches every state
    assert_identical(pi @ torus_walk(np.stack([D, D])), pi, why="pi P = pi")


@under_hypotheses("H4", "H5", "H6")
@given(tapes(19))
def test_of_two_wells_of_one_shape_the_less_noisy_has_more_mass_at_every_height(tape):
    # given  H4: one parameter; H5: gradients -1, 0, 1 of second moment V = D + g^2 in (g, 1]; H6: from the top at 0 the
    #        same slopes g to both sides
    depth = 1 + tape.below(6)
    g, less, more = (fractions(tape.naturals(6, 8))[:depth] / 16 for _ in range(3))
    calm = g + (1 + less) / 4
    wild = np.minimum(calm + more / 2, fractions([1]))
    V = np.concatenate([calm[::-1], fractions(["1/2"]), wild])
    slope = np.concatenate([g[::-1], fractions([0]), -g])
    # when
    pi = stationary_weights(*three_point_descent(slope, V - slope**2, 1))
    # then
    assert_at_most(pi[depth:], pi[depth::-1], why="mass on the noisier side, height by height")
