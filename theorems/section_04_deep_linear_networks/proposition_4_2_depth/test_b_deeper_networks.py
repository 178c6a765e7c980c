r"""Proposition 4.2 (b) - deeper networks are biased more.

Printed     (The sentence after the display) more depth, more implicit bias towards simple solutions
Reading     The deeper of two networks has the lower effective rank when both have learnt their first singular value
            equally well.
Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, gradient flow. A mode is a singular value $s_j$ of
            $W = W_L \cdots W_1$, its target is $\lambda_j$; $p = 2 - 2/L$.
Hypotheses  (H1) $X = I$, and $W(0)$ lies in the singular frames of the target, so that modes decouple.
            (H2) No mode starts larger than the first mode, which has the largest target $\lambda_1$.
            (H3) Networks of all depths start from the same end-to-end matrix, whose singular values are positive.
            (H4) Each mode starts below its target.
            (H5) Networks are compared when the first mode has reached the same size $c < \lambda_1$.
Idea        Mode $j$ starts at $e_j$ and passes $s$ at time $T_j(s) = \int_{e_j}^s \frac{r^{-p}}{\lambda_j - r}\, dr$,
            up to the factor $1/L$. Compare the law of density $\propto r^{-p} / (\lambda_j - r)$ on $(e_j, s_j)$ with
            that of the first mode at the common time. It is stochastically smaller, because it starts no later and its
            density is larger on the common part. So a larger $p$ lengthens $T_j$ at a fixed $s_j$ more than $T_1$ at
            $c$, and $s_j$ must drop.
Tolerance   Witnesses are rational: closed forms at depths one and two are rational for targets in the ratio two. Flows
            carry the integrator's error, and their finish is checked against the time laws of depths 1, 2, 4 and
            infinity, which are elementary functions.
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.deep_linear import ModeRace, mode_races
from properties.certificates import assert_at_most, assert_violates, record_series
from properties.search import smallest_violation
from theorems.ledger import counterexample, under_hypotheses
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.effective_ranks import nuclear_rank, stable_rank
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.races import (
    DEPTHS,
    exact_power,
    extreme_races,
    race,
    second_mode_at_depth_one,
    second_mode_at_depth_two,
    time_law,
    time_law_rounding,
)
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.rotated_layers import (
    rotated_network,
    second_singular_value,
)

HEAD_START = [Fraction(2), Fraction(1)], [Fraction(1, 5), Fraction(1, 2)], Fraction(1)
"""Targets 2 and 1. The first mode starts at 1/5 and the second at 1/2. They are compared when s_1 = 1."""


@counterexample
def test_a_head_start_of_the_second_mode_lasts_longer_in_the_deeper_network():
    r"""Targets 2 and 1, starts $1/5$ and $1/2$, until $s_1 = 1$. Depth 1: distances to the target shrink by $1/(9/5) =
    5/9$, so $s_2 = 1 - 5/18 = 13/18$. Depth 2: odds $s/(\lambda - s)$ grow like $e^{2 \lambda t}$, 9-fold for $s_1$, so
    3-fold for $s_2$, from 1 to 3: $s_2 = 3/4$. The rank $(s_1 + s_2)/s_1$ is $7/4$ at depth 2, $31/18$ at depth 1."""
    target, start, goal = HEAD_START
    shallow = second_mode_at_depth_one(*HEAD_START)
    deep = second_mode_at_depth_two(*HEAD_START, power=exact_power)
    # then   the nuclear over the operator norm is 1 + s_2
    names = {"lambda": target, "s(0)": start, "s_1": goal}
    assert_violates(1 + deep, 1 + shallow, reads="effective rank {value} at L = 2 > {limit} at L = 1", **names)


@counterexample
def test_hypothesis_finds_a_target_and_a_start_for_which_depth_raises_the_rank():
    # given  targets lambda_1 >= lambda_2, and starts and a goal in eighths. The strategy does not prefer unequal starts
    eighths = st.integers(1, 7)
    targets = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda pair: (max(pair), min(pair)))

    def race_of(instance):
        (first, second), a, b, k = instance
        start = second * a / 8, second * b / 8
        return (first, second), start, start[0] + (first - start[0]) * k / 8

    def excess(instance):
        deep, shallow = (law(*race_of(instance)) for law in (second_mode_at_depth_two, second_mode_at_depth_one))
        return deep - shallow if deep < race_of(instance)[2] else 0.0

    # when   the excess is more than the rounding of the closed forms
    slack = rounding(12, 4)  # twelve operations of size at most lambda_1 = 4
    found = smallest_violation(st.tuples(targets, eighths, eighths, eighths), lambda found: excess(found) > slack)
    # then
    target, start, goal = race_of(found)
    names = {"lambda": target, "s(0)": start, "s_1": goal}
    assert_violates(excess(found), 0, slack=slack, reads="s_2 at L = 2 less s_2 at L = 1 {value} > {limit}", **names)


@under_hypotheses("H1", "H2", "H3", "H4", "H5")
@given_batches(problem=mode_races())
def test_at_a_matched_first_singular_value_the_others_are_smaller_the_deeper_the_network(problem):
    # given  H1 to H4: the same three starts at every depth; H5: s_1 = c; depths 1, 2, 3, 4, 6, 12 and the limit
    s, error = race(problem)
    # then   no s_j rises with depth. Where lambda_j < lambda_1 it falls, by more than a hundred times the error
    rise, off = np.diff(s, axis=1), error.max((1, 2))
    fall = np.where((problem.target < problem.target[:, :1])[:, None], -rise, np.inf).min((1, 2))
    assert_at_most(rise.max((1, 2)), 2 * off, why="s_j does not rise with depth", instance=problem)
    assert_at_most(100 * off, fall, why="s_j falls with depth", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5")
def test_from_equal_starts_the_second_mode_waits_the_longer_the_deeper_the_network():
    # given  targets 2 and 1, and starts 1/25 at every depth; compared at 37 sizes c of the first mode
    goal, ones = np.linspace(0.1, 1.9, 37), np.ones((37, 1))
    s, error = race(ModeRace(target=ones * [2, 1, 1], start=0.04 * np.ones((37, 3)), goal=goal))
    # then   at each size the second mode falls from each depth to the next
    assert_at_most(100 * error.max(), -np.diff(s[..., 1], axis=1).max(1), why="s_2 falls with depth")
    columns = {f"L={L}": s[:, DEPTHS.index(L), 1].round(4) for L in (1, 2, 3, np.inf)}
    record_series("second mode", first_mode=goal.round(3), **columns)


@under_hypotheses("H1", "H2", "H3", "H4", "H5")
@given_batches(problem=mode_races())
def test_effective_ranks_fall_with_depth(problem):
    s, error = race(problem)
    # when
    ranks = np.stack([nuclear_rank(s), stable_rank(s)])
    # then   s_2/s_1 and s_3/s_1 move by 2 errors over c each, and their squares by twice that
    slack = 2 * 8 * error.max((1, 2)) / problem.goal
    deeper, before = (np.moveaxis(part, 1, 0) for part in (ranks[..., 1:], ranks[..., :-1]))
    bound = before + slack[:, None, None]
    assert_at_most(deeper, bound, why="effective rank does not rise with depth", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5")
@given_batches(problem=mode_races())
def test_at_depths_one_and_two_the_other_modes_have_closed_forms(problem):
    s, error = (values[:, :2, 2] for values in race(problem))
    # when   the closed forms, for the third mode in the place of the second
    target, start = problem.target[:, [0, 2]].T, problem.start[:, [0, 2]].T
    laws = (second_mode_at_depth_one, second_mode_at_depth_two)
    exact = np.stack([law(target, start, problem.goal) for law in laws], axis=-1)
    # then
    bound = error + rounding(12, problem.target[:, :1])
    assert_at_most(np.abs(s - exact).max(-1), bound.max(-1), why="third mode at depths one and two", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5")
@pytest.mark.parametrize("L", [1, 2, 4, np.inf])
@given_batches(problem=mode_races())
def test_all_modes_finish_at_the_same_time(L, problem):
    s, error = (values[:, DEPTHS.index(L)] for values in race(problem))
    # when   the time from the start to s_j, by the elementary time law of this depth
    p, start = 2 - 2 / L, problem.start
    times = time_law(p, problem.target, s) - time_law(p, problem.target, start)
    # then   a difference in time, times the speed of the mode, is a difference in s_j
    speed, laws = s**p * (problem.target - s), time_law_rounding(p, problem.target, start, s)
    missed, bound = np.abs(times - times[:, :1]) * speed, error + (laws + laws[:, :1]) * speed
    assert_at_most(missed.max(-1), bound.max(-1), why="common finish", instance=problem)


@under_hypotheses("H1", "H2", "H3", "H4", "H5")
@pytest.mark.parametrize(("L", "law"), [(1, second_mode_at_depth_one), (2, second_mode_at_depth_two)])
def test_layers_in_rotated_frames_run_the_same_race(L, law):
    # given  H1 to H4: both modes start at 1/4 at either depth, below the targets
    reached, error = second_singular_value(rotated_network([0.25, 0.25], L), L)
    # then
    gap = abs(reached - law((2, 1), (0.25, 0.25), 1))
    assert_at_most(gap, error, why="second singular value at s_1 = 1")
    assert_at_most(10**9 * error, reached, why="the allowed error against the value")


@pytest.mark.slow
@under_hypotheses("H1", "H2", "H3", "H4", "H5")
@given(instance=extreme_races())
def test_from_depth_one_to_two_the_second_mode_falls_at_every_extreme(instance):
    # given  H1 to H5 in rational arithmetic; growth^(lambda_2/lambda_1) is rational by construction
    second, start, goal, power = instance
    # when
    shallow = second_mode_at_depth_one([1, second], start, goal)
    deep = second_mode_at_depth_two([1, second], start, goal, power=lambda *_: power)
    # then
    assert_at_most(deep / shallow, 1, why="s_2 at L = 2 over s_2 at L = 1", instance=instance)
