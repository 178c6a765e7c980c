r"""Theorem 9.1 (a) - gradual feature changes, identity-like in early training.

Printed     In early training the layers are near the identity, and features change more gradually across them (opening
            words and item 1)
Reading     "Identity-like in early training" says: the relative changes $|h_{\ell+1} - h_\ell|/|h_\ell|$ sum to at most
            $\frac12$, and random layers stretch the mean square at most threefold. "More gradual" says: no layer
            changes its input more than the plain layer $h \mapsto F_\ell(h)$ of the same branch does
Hypotheses  (H1) The branches are small: bounds $\epsilon_\ell$ of their Lipschitz constants sum to at most $\frac12$,
            as $\epsilon_\ell = 1/(2L)$ do. Branches of random signs have $E|F_\ell(h)|^2 \le |h|^2/L$.
Corrected   (C4) Branches $F(h) = sAh$ of random signs $A$ change their input less in the mean square than their plain
            layers do, at any scale $s$: $E|F(h)|^2 = E|F(h) - h|^2 - |h|^2$, as $E F(h) = 0$.
            (C6) A branch $F(h) = wh$ with $w > \frac12$ changes its input by $w$ with the skip connection, and only by
            $|w - 1|$ without
Idea        A branch moves its input by at most $\epsilon_\ell|h|$. Its plain layer moves the input by at least
            $(1 - \epsilon_\ell)|h|$. For $\epsilon_\ell \le \frac12$ the second is at least the first. Without a bound
            of the branches the print fails: $F_\ell(h) = -h + G_\ell(h)$ makes the residual network any plain network
Tolerance   Random branches are sums over all signs, in fractions. Scalar branches are exact in fractions. Other states
            carry the rounding of a layer
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.signs import every_sign_network
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_identical, assert_violates
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample, necessity, observed, under_hypotheses
from theorems.section_09_architectures.residual.problems import residual_problems
from theorems.section_09_architectures.residual.rounding import branch_operations
from theorems.section_09_architectures.theorem_9_1_identity_bias.branches import (
    LARGEST_STRETCH,
    fifths,
    small_branches,
    total_change,
)
from theorems.section_09_architectures.theorem_9_1_identity_bias.random_signs import (
    mean_square_of_signs,
    random_branches,
)


@counterexample
def test_a_branch_that_copies_its_input_changes_it_and_its_plain_layer_does_not():
    r"""$F(h) = h$: the residual layer takes $h$ to $2h$, a relative change of 1. The plain layer takes $h$ to $h$, a
    change of 0. By the print $1 \le 0$. Every branch $F(h) = wh$ with $w > \frac12$ does the same, as $w > |1 - w|$."""
    w = Fraction(1)
    reads = "relative change {value} with the skip connection > {limit} without"
    assert_violates(total_change([w]), abs(w - 1), reads=reads, F="h -> h")


@counterexample
def test_ten_random_layers_of_variance_one_stretch_the_mean_square_a_thousandfold():
    # given  the start of training: branches of independent random signs
    last, _ = mean_square_of_signs(1, 10, Fraction(1), np.array([1]))
    assert_violates(last, LARGEST_STRETCH, reads="E|h_L|^2 {value} > {limit}", F="h -> +-h", L=10, h_0=1)


@counterexample
def test_hypothesis_finds_branches_that_change_their_input_more_than_their_plain_layers_do():
    # given  two scalar branches, at least one of which changes its input
    nonzero = fifths.filter(lambda w: w != -1)

    def changes(slopes):
        return total_change(slopes), sum(abs(w - 1) for w in slopes)

    found = smallest_violation(st.tuples(nonzero, nonzero), lambda slopes: np.greater(*changes(slopes)))
    assert_violates(*changes(found), reads="sum of relative changes {value} > {limit} without", slopes=found)


@under_hypotheses("H1")
@pytest.mark.parametrize("activation", ["identity", "tanh"])
@given_batches(problem=residual_problems())
def test_small_branches_change_their_input_by_eps_and_less_than_plain_layers_do(problem, activation):
    # given  H1
    net = small_branches(problem, activation)
    states, eps = net.states(problem.x), net.branch_lipschitz()
    # when   the same layers at the same states, without the skip connection
    change, size = norm(np.diff(states, axis=-2), axis=-1), norm(states[..., :-1, :], axis=-1)
    plain = norm(np.diff(states, axis=-2) - states[..., :-1, :], axis=-1)
    # then
    assert_at_most(eps.sum(-1), 1 / 2 + rounding(net.depth + 4), why="relative changes sum to 1/2 at most")
    # a layer, a difference and a norm; two norms by LAPACK in eps_l
    slack = rounding(branch_operations(net) + 6 + 2 * factorization(3, 3), (1 + eps) * size)
    assert_at_most(change, eps * size + slack, why="|h_{l+1} - h_l| <= eps_l |h_l|", instance=problem)
    assert_at_most((1 - eps) * size, plain + slack, why="the plain layer changes 1 - eps_l", instance=problem)
    assert_at_most(change, plain + 2 * slack, why="more gradual than the plain layer", instance=problem)


@under_hypotheses("H1")
@given(branches=random_branches())
def test_random_branches_of_mean_square_c2_over_L_stretch_the_mean_square_by_at_most_exp_c2(branches):
    # given  H1: c^2 = L d s^2 <= 1
    d, L, s, x = branches
    assert_at_most(L * d * s**2, 1, why="c <= 1")
    # when   all signs are summed over
    last, change = mean_square_of_signs(d, L, s, x)
    # then   exact; (1 + c^2/L)^L < exp(c^2) < 3 whatever the depth
    start = Fraction(int(x @ x))
    assert_identical(change, s**2 * d * start, why="E|h_1 - h_0|^2 = (c^2/L)|h_0|^2")
    assert_identical(last, (1 + s**2 * d) ** L * start, why="E|h_L|^2 = (1 + c^2/L)^L |h_0|^2")
    assert_at_most(last, LARGEST_STRETCH * start, why="at most threefold")


@necessity("H1")
@pytest.mark.parametrize("L", [2, 5, 9])
def test_without_H1_random_branches_of_variance_one_double_the_mean_square_in_every_layer(L):
    last, change = mean_square_of_signs(1, L, Fraction(1), np.array([1]))
    assert_identical([last, change], [2**L, 1], why="E|h_L|^2 = 2^L, and a layer changes its input by its own size")


@corrected("C6")
@given(p=st.integers(1, 10**6), q=st.integers(1, 1000))
def test_every_scalar_branch_above_one_half_changes_its_input_more_with_the_skip_connection(p, q):
    w = Fraction(1, 2) + Fraction(p, q)
    assert_identical(total_change([w]), w, why="relative change with the skip connection")
    assert_at_most(abs(w - 1) + min(2 * w - 1, 1), w, why="and less without, by the smaller of 2w - 1 and 1")


@corrected("C4")
@given(d=st.integers(1, 3), tape=tapes(5))
def test_in_the_mean_square_branches_of_random_signs_change_less_with_the_skip_connection_at_any_scale(d, tape):
    # given  branches F(h) = (p/q) A h of random signs A, of any scale
    (A,), p, q, x = every_sign_network((d, d)), tape.below(256), 1 + tape.below(8), tape.integers(3, 3)[:d]
    # when   all signs are summed over, in integers
    F, h = p * np.matvec(A, x), q * x
    # then
    assert_identical(((F - h) ** 2).sum() - (F**2).sum(), len(F) * (h @ h), why="E|F - h|^2 = E|F|^2 + |h|^2")


@observed
def test_one_layer_of_random_signs_and_nine_come_near_the_constants_of_the_reading():
    # given  c = 1
    last = [mean_square_of_signs(1, L, Fraction(1, root), np.array([1]))[0] for L, root in ((1, 1), (9, 3))]
    assert_identical(last, [2, Fraction(10, 9) ** 9], why="(1 + 1/L)^L")
    assert_at_most(Fraction(4, 5) * LARGEST_STRETCH, last[1], why="against threefold")
    assert_identical(total_change(["1/2"]), Fraction(1, 2), why="a branch h/2 alone has the sum 1/2")
