r"""Experiment 2 (b) - rank decreases as training progresses.

Printed     The rank of deep linear networks with $L = 5$ decreases as training progresses
Reading     The paper gives no data, no start, no step and no definition of rank. Tests without a named reading are
            about noiseless completions of a matrix of low rank and about fully observed targets, from
            $W_\ell(0) = \alpha I$ with $\alpha < 1$, the start of the proof of Theorem 4.1. Rank is the number of
            singular values above a threshold, absolute or relative to the largest one, or it is the exponential of an
            entropy
Readings    [start I] "balanced initialization" with $\alpha = 1$: $W_\ell(0) = I$, $X = I$ and a positive semidefinite
            target of rank 8 in dimension 50; rank by all three definitions - reproduced
            [nine tenths observed] completions of rank 1 in dimension 12 with 90 % of the entries observed, from
            $0.2 I$; rank by entropy - reproduced
Setting     $W = W_5 \cdots W_1$, gradient descent on half the squared misfit. Completions have dimension 12 in the fast
            tests. The slow tests train at $d = 50$ on rank 8, with 50 % and with 35 % of the entries observed
Idea        From a small start, depth makes large modes grow first: a counted rank is built up one mode at a time. From
            a large start, the modes without data decay
Tolerance   Exact where an instance is pinned. Ranks of a sample are compared as they are computed
Chance      Every sample comes from one fixed seed, and what is asserted is about that sample
Findings    What was observed, with the seeds of this file. On 20 completions of rank 1 with 90 % of the entries
            observed, from $0.2 I$, the effective rank falls at every snapshot. On 20 completions of rank 2 with 40 %
            observed, from $0.3 I$, the mean effective rank falls from 12 to below 2, and then rises to the end
Expected    inconclusive
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from fixtures.dynamics.deep_linear import deep_linear_descent, descent_path, end_to_end
from fixtures.dynamics.paths import snapshots, until_fitted
from fixtures.precision import rounding
from fixtures.rational import leading_pivots
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_not_negative,
    assert_violates,
    record_series,
)
from properties.search import smallest_violation
from properties.spectra.effective_rank import absolute_rank, entropic_rank
from theorems.ledger import as_printed, counterexample
from theorems.section_10_experiments.experiment_2_deep_linear_rank.completions import (
    DEPTH,
    SHARES,
    TRIALS,
    printed_training,
    small_training,
)
from theorems.section_10_experiments.experiment_2_deep_linear_rank.fully_observed import DEFINITIONS, two_modes


@as_printed(reading="start I")
def test_from_the_identity_every_rank_falls_to_eight():
    # given  X = I and targets 1/4, 1/2, ..., 2 and 42 times 0: W_l stays diagonal, in the basis of the target
    target = np.concatenate([np.arange(1, 9) / 4, np.zeros(42)])[:, None, None]
    # when   2100 steps of 1/10 from five layers I, looked at every thirty
    path = descent_path([np.ones((50, 1, 1))] * DEPTH, lambda W: W - target, 0.1)
    spectra = snapshots(path, end_to_end, period=30, count=71)[..., 0, 0]
    # then   both counts and the entropy never rise, up to the rounding of a sum of fifty logarithms, which is at most
    #        4, and whose exponential is at most 50
    ranks = np.stack([rank(spectra) for rank in DEFINITIONS.values()])
    assert_at_most(ranks[:, 1:], ranks[:, :-1] + rounding(50 + 4, 4 * 50), why="ranks do not rise")
    assert_identical(ranks[1:, [0, -1]], [[50, 8], [50, 8]], why="counts at the start and at the end")
    assert_identical(ranks[0, 0], entropic_rank(np.ones(50)), why="effective rank 50 at the start")
    assert_at_most(ranks[0, -1], 9.0, why="effective rank at the end")
    record_series("ranks from the identity", step=range(0, 2101, 30), **dict(zip(DEFINITIONS, ranks, strict=True)))


@as_printed(reading="nine tenths observed")
def test_on_completions_that_are_nearly_determined_the_effective_rank_falls_to_the_last_step():
    run = small_training(DEPTH, rank=1, share=0.9, alpha=0.2)
    ranks = entropic_rank(run.spectra)
    # then   of each of twenty completions, at every fiftieth step
    assert_at_most(ranks[1:], ranks[:-1], why="effective rank from snapshot to snapshot")
    assert_at_most(ranks[-1].mean(), 2.0, why="mean effective rank at the end, from 12")


@counterexample
def test_the_number_of_singular_values_above_a_twentieth_rises_from_none_to_one():
    r"""$X = I$, $Y = \operatorname{diag}(1, 0)$, layers $\frac12 I$, $\eta = \frac{3}{10}$: layers stay diagonal, by
    $u \leftarrow u + \eta u^4 (1 - u^5)$ and $v \leftarrow v - \eta v^9$. From $W = \frac{1}{32} I$, with none above
    $\frac{1}{20}$, three steps lead to $W_{11} = u^5 \approx 0.057$, $W_{22} = v^5 \approx 0.031$: one is above."""
    start, W = two_modes(0), two_modes(3)
    # then   the rank itself is 2, as it was
    assert_identical([W[0, 1], W[1, 0]], [0, 0], why="W is diagonal")
    assert_identical([pivot > 0 for pivot in leading_pivots(W)], [True, True], why="W has full rank")
    before, after = (int((np.diag(M) > Fraction(1, 20)).sum()) for M in (start, W))
    reads = "rank above 1/20 after three steps {value} > {limit} at the start"
    assert_violates(after, before, reads=reads, L=DEPTH, X="I", Y=[[1, 0], [0, 0]], alpha=Fraction(1, 2))


@counterexample
def test_the_singular_value_that_rises_ends_at_its_target():
    # given  X = I, Y = diag(1, 0), five layers I/2, eta = 3/10, in floating point
    path = descent_path([np.eye(2) / 2] * DEPTH, lambda W: W - np.diag([1.0, 0.0]), 3 / 10)
    # when   until W_11 fits
    W = end_to_end(until_fitted(path, lambda layers: abs(end_to_end(layers)[0, 0] - 1), 1e-6, 100))
    # then   W_22 = v^5 with v <- v - eta v^9: it still falls, below its start
    reads = "singular values above 1/20 at the end {value} > {limit} at the start"
    assert_at_most(abs(W[0, 0] - 1), 1e-6, why="W_11 at the end")
    assert_not_negative(W[1, 1], why="W_22 at the end")
    assert_at_most(W[1, 1], 1 / 32, why="W_22 at the end, against its start")
    assert_violates(absolute_rank(np.diag(W), 1 / 20), 0, reads=reads, L=DEPTH)


@counterexample
def test_a_search_finds_a_target_on_which_rank_grows():
    def grows(quarters):
        target = np.diag([1.0, *(entry / 4 for entry in quarters)])
        start = [np.eye(3) / 2] * DEPTH
        ends = (end_to_end(deep_linear_descent(start, np.eye(3), target, 0.1, t)) for t in (50, 500))
        early, late = (absolute_rank(np.diag(W), 1 / 10) for W in ends)
        return late > early

    found = smallest_violation(st.tuples(st.integers(0, 4), st.integers(0, 4)), grows, budget=60)
    assert_identical(found, (0, 1), why="the smallest target on which a second mode arrives later")


@counterexample
def test_while_twenty_completions_are_fitted_both_kinds_of_rank_grow():
    run = small_training(DEPTH)
    ranks = absolute_rank(run.spectra, 0.01).mean(-1)
    # then   it has not begun to fall either: snapshot 10 is step 500 of 2000
    assert_at_most(ranks[0] + 1, ranks[10], why="rank at the start and after 500 steps")
    reads = "mean rank above 0.01 after 2000 steps {value} > {limit} after 500"
    assert_violates(ranks[-1], ranks[10], reads=reads, L=DEPTH, d=12)
    # then   the mean effective rank falls below 2, and rises at every snapshot from its lowest on
    effective = entropic_rank(run.spectra).mean(-1)
    rising = effective[effective.argmin() :]
    assert_at_most(effective.min(), 2.0, why="effective rank at its lowest, of 12 at the start")
    assert_at_most(rising[:-1], rising[1:], why="effective rank from its lowest on")
    assert_at_most(5 / 4 * effective.min(), effective[-1], why="effective rank at the end")
    each = entropic_rank(run.spectra)
    columns = {"effective": effective, "lower": each.min(-1), "upper": each.max(-1), "counted": ranks}
    record_series("ranks of twenty completions", step=range(0, 2001, 50), **columns)


@pytest.mark.slow
@counterexample
@pytest.mark.parametrize("share", SHARES)
def test_at_the_printed_size_rank_rises_from_its_lowest_value_on(share, scale):
    run = printed_training(TRIALS[scale], share)
    effective, counted = entropic_rank(run.spectra).mean(-1), absolute_rank(run.spectra, 1e-2).mean(-1)
    # then   from alpha = 0.2, by entropy and by count; from Gaussian layers, by entropy
    reads = "mean effective rank at the end {value} > 3 times its lowest, {limit}"
    assert_violates(effective[-1, 0], 3 * effective[:, 0].min(), reads=reads, d=50, L=DEPTH, alpha=0.2, observed=share)
    assert_at_most(counted[0, 0] + 5, counted[-1, 0], why="singular values above 0.01, start and end")
    assert_at_most(effective[0, 4], effective[-1, 4], why="effective rank from Gaussian layers, start and end")
