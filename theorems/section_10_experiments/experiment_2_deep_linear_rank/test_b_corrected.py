r"""Experiment 2 (b) - where every mode moves towards its target.

Setting     $W = W_L \cdots W_1$, gradient descent on half the squared distance to a target that is observed in full
Corrected   (C1) Let $X = I$, $W_\ell(0) = \alpha I$, and let the target be symmetric with eigenvalues
            $\lambda_j \ge 0$; let $L \ge 2$ and $\eta L \max(\lambda_j, \alpha^L)^{2 - 2/L} \le 1$ for all $j$. Then
            singular values below their targets rise, those above fall, none crosses its target, and the number above
            any $c \ge \alpha^L$ never decreases
Tolerance   Each step adds its own rounding: the bound is the number of steps times the rounding of one. The pinned
            instance is exact
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.deep_linear import deep_linear_descent, descent_path, end_to_end
from fixtures.dynamics.paths import snapshots
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.expectations import expects
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import corrected, observed
from theorems.section_10_experiments.experiment_2_deep_linear_rank.completions import DEPTH


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """A fully observed target basis diag(lam) basis'; lam (d,) in [0, 1]."""

    lam: np.ndarray
    basis: np.ndarray


@expects(nonnegative="lam", unit="basis")
@st.composite
def spectra(draw):
    """Targets of dimension 3, eigenvalues multiples of 1/4."""
    tape = draw(tapes(3 + 9))
    return Spectrum(tape.naturals(3, 5) / 4, tape.rotation(3))


@corrected("C1")
@given_batches(target=spectra())
def test_every_mode_moves_towards_its_target_so_that_none_is_lost(target):
    # given  alpha^5 = 1/1024, between the targets 0 and 1/4; five layers at a mode of 1 shrink its distance by 1/4
    identity, lam = np.eye(3) + 0 * target.basis, target.lam[:, None]
    Y = (target.basis * lam) @ target.basis.mT
    # when   modes (B, time, d) at t = 0, 150 and 300, when modes of 1 have just risen and others have not
    path = descent_path([identity / 4] * DEPTH, lambda W: W - Y, 0.15)
    W = snapshots(path, end_to_end, period=150, count=3)
    modes = np.diagonal(target.basis.mT @ W @ target.basis, axis1=-2, axis2=-1).swapaxes(0, 1)
    # then   a step adds its own rounding only, of L + 2 products of three entries and 4 operations; the basis is
    #        orthogonal to 54, on either side. Which has risen above a threshold stays above it
    (early, late), rises = (modes[:, :-1], modes[:, 1:]), lam > 0
    slack = rounding(300 * (3 * (DEPTH + 2) + 4) + 2 * (54 + 3), np.sqrt(3))
    assert_at_most(np.abs(late - lam), np.abs(early - lam) + slack, why="distance to the target", instance=target)
    low, high = np.where(rises, early, late), np.where(rises, late, early)
    assert_at_most(low, high + slack, why="a mode rises, or falls to a target of zero", instance=target)
    low, high = np.where(rises, late, lam), np.where(rises, lam, late)
    assert_at_most(low, high + slack, why="no mode crosses", instance=target)
    assert_at_most(np.where(lam == 1, 1 - late, 0), 1 / 100, why="a mode of 1 fits within 150 steps", instance=target)


@observed
def test_a_step_beyond_the_limit_of_C1_loses_a_mode_again():
    # given  one mode, two layers 1/2, target 1 and eta = 2, so that eta L lambda = 4 > 1
    one = fractions([[1]])
    # when
    first, second = (end_to_end(deep_linear_descent([one / 2] * 2, one, one, 2, t))[0, 0] for t in (1, 2))
    # then   above a threshold of 1/2 there are no modes, one mode, and none
    assert_identical([first, second], [Fraction(25, 16), Fraction(25, 1024)], why="W after one and two steps, from 1/4")


@expects(positive="[0], [1], [3]", nonnegative="[2]")
@st.composite
def extreme_modes(draw):
    """(L, alpha, targets, eta): targets 0, tiny, large and at the start; eta at its limit or below."""
    L, alpha = draw(st.integers(2, 7)), draw(st.sampled_from([1.0, 0.1, 0.5, 1.5, 0.01]))
    lam = np.array(draw(st.lists(st.sampled_from([0.0, 1.0, 1e-12, 1e-3, 100.0, alpha**L]), min_size=1, max_size=5)))
    eta = 1 / (L * np.maximum(lam, alpha**L).max() ** (2 - 2 / L))
    return L, alpha, lam, eta * draw(st.sampled_from([1.0, 0.5, 0.01]))


@pytest.mark.slow
@corrected("C1")
@given(instance=extreme_modes())
def test_at_the_largest_steps_no_mode_turns_back_or_crosses_its_target(instance):
    L, alpha, lam, eta = instance
    # when   100 steps of every mode
    path = descent_path([np.full((len(lam), 1, 1), alpha)] * L, lambda W: W - lam[:, None, None], eta)
    s = snapshots(path, end_to_end, period=1, count=101)[..., 0, 0]
    # then   a step changes L layers by a product of the others, and s is a product of all, before and after it
    rises, slack = lam > alpha**L, rounding(4 * L + 3, np.maximum(lam, alpha**L))
    low, high = np.where(rises, s[:-1], s[1:]), np.where(rises, s[1:], s[:-1])
    assert_at_most(low, high + slack, why="a mode moves towards its target", instance=instance)
    low, high = np.where(rises, s, lam), np.where(rises, lam, s)
    assert_at_most(low, high + slack, why="no mode crosses its target", instance=instance)
