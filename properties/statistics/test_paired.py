"""Self-tests: intervals against closed forms, correlations of few points by enumeration, and the rule of `judge`."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical, assert_within
from properties.statistics.paired import (
    Finding,
    Interval,
    common,
    correlation_interval,
    fisher_interval,
    judge,
    log_slopes,
    minimizer_interval,
    paired_slope,
    spearman_values,
    student_interval,
)

integers = st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=8)
NORMAL = scipy.stats.norm.ppf(0.975)


def ends(interval):
    return np.array([interval.lower, interval.estimate, interval.upper])


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.999])
def test_the_coverage_for_two_normal_differences_is_exactly_the_level(level):
    # given  z_1, z_2 normal: the mean is covered when |z_1 + z_2| <= t|z_1 - z_2|, with probability 2 arctan(t)/pi
    found = student_interval([0.0, 2.0], level=level)
    coverage = 2 * math.atan(found.upper - 1) / math.pi
    assert_within(level, coverage, level, slack=8 * UNIT_ROUNDOFF, why="the probability of |z_1 + z_2| <= t|z_1 - z_2|")


def test_an_interval_of_three_differences_has_rational_ends():
    # given  two degrees of freedom: t = L sqrt(2/(1 - L^2)) is 1/2 at L = 1/3; s^2 = 3 for 0, 0, 3, so s/sqrt(3) = 1
    differences, level = [Fraction(0), Fraction(0), Fraction(3)], Fraction(1, 3)
    mean = sum(differences) / 3
    assert_identical(sum((d - mean) ** 2 for d in differences) / 2 / 3, Fraction(1), why="s^2/n")
    assert_identical(level**2 * 2 / (1 - level**2), Fraction(1, 4), why="t^2")
    found = student_interval([*map(float, differences)], level=float(level))
    error = np.abs(ends(found) - [0.5, 1.0, 1.5])
    assert_at_most(error, 8 * UNIT_ROUNDOFF, why="mean -+ 1/2")
    assert_identical([found.count, found.level, found.method], [3, float(level), "Student"], why="what it is")


@pytest.mark.slow
@settings(max_examples=25)
@given(integers.filter(lambda values: len(set(values)) > 1))
def test_student_interval_is_that_of_scipy(values):
    theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.9)
    ours = student_interval(values, level=0.9)
    slack = 64 * len(values) * UNIT_ROUNDOFF * (abs(ours.lower) + abs(ours.upper) + max(map(abs, values)))
    assert_at_most(np.abs([ours.lower - theirs.low, ours.upper - theirs.high]), slack, why="both ends")


@pytest.mark.slow
@settings(max_examples=25)
@given(integers, st.integers(-30, 30))
def test_unit_sign_and_order_of_differences_do_not_matter(values, power):
    found = ends(student_interval(values))
    assert_identical(ends(student_interval([v * 2.0**power for v in values])), found * 2.0**power, why="unit")
    assert_identical(-ends(student_interval([-v for v in values]))[::-1], found, why="sign")
    assert_identical(ends(student_interval(values[::-1])), found, why="order")


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300, 1e-300])
def test_differences_that_agree_have_an_interval_of_one_point(value):
    assert_identical(ends(student_interval([value] * 7)), [value] * 3, why="mean of seven equal numbers")


def test_a_slope_is_taken_within_each_seed():
    # given  values 2^s step^b, b = -1, -2, -3 in the three seeds s
    steps, powers = [0.25, 1.0, 2.0, 16.0], [-1, -2, -3]
    values = np.array([[2.0**seed * step**power for step in steps] for seed, power in enumerate(powers)])
    slopes, found = log_slopes(steps, values), paired_slope(steps, values, level=0.9)
    assert_at_most(np.abs(slopes - powers), 64 * UNIT_ROUNDOFF, why="least squares through points on a line")
    assert_identical(ends(found), ends(student_interval(slopes, level=0.9)), why="Student's interval of the slopes")


def test_slopes_are_least_squares_slopes():
    # given  log2 of the values 0, 1, 5 at log2 of the steps 0, 1, 2: the slope is 5/2
    found = log_slopes([1.0, 2.0, 4.0], [[1.0, 2.0, 32.0]])
    assert_at_most(np.abs(found - 2.5), 16 * UNIT_ROUNDOFF, why="(5 - 0)/2")


@pytest.mark.parametrize(("r", "count", "level"), [(-0.89, 4, 0.95), (0.5, 28, 0.9), (0.0, 12, 0.99)])
def test_fishers_interval_follows_from_the_addition_theorem_of_tanh(r, count, level):
    # given  tanh(artanh r + a) = (r + tanh a)/(1 + r tanh a), which needs no artanh
    half = math.tanh(scipy.stats.norm.ppf((1 + level) / 2) / math.sqrt(count - 3))
    found = fisher_interval(r, count, level=level)
    expected = [(r - half) / (1 - r * half), r, (r + half) / (1 + r * half)]
    assert_at_most(np.abs(ends(found) - expected), 64 * UNIT_ROUNDOFF, why="both ends")


def test_the_interval_of_four_points_is_almost_all_of_minus_one_to_one():
    found = fisher_interval(-0.89, 4)
    assert_identical([round(found.lower, 3), round(found.upper, 2)], [-0.998, 0.49], why="r = -0.89")
    # then   zero is excluded for correlations above tanh(1.96)
    edge = math.tanh(NORMAL)
    assert_identical(round(edge, 3), 0.961, why="the least correlation that excludes zero")
    below, above = (fisher_interval(r, 4).contains(0) for r in (math.nextafter(edge, 0) - 2.0**-50, edge + 2.0**-50))
    assert_identical([below, above], [True, False], why="on both sides of it")


def test_a_perfect_correlation_has_an_interval_of_one_point():
    assert_identical([ends(fisher_interval(r, 4)) for r in (-1, 1)], [[-1] * 3, [1] * 3], why="the limit")


def test_spearman_correlations_of_four_points_without_ties_are_multiples_of_one_fifth():
    fifths = [Fraction(k * abs(k), 25) for k in range(-5, 6)]
    assert_identical(spearman_values(4) == tuple(fifths), True, why="rho|rho| of all 24 permutations")


@pytest.mark.slow
def test_only_two_patterns_of_ties_round_to_the_printed_correlation():
    low, high = Fraction(885, 1000) ** 2, Fraction(895, 1000) ** 2
    found = [value for value in spearman_values(4, ties=True) if low <= -value <= high]
    assert_identical(found, [Fraction(-4, 5), Fraction(-64, 81)], why="rho^2 of -2/sqrt(5) and -8/9")
    # then   the witnesses: two pairs of ties on one side, one pair on each
    pairs = ([1, 2, 3, 4], [2, 2, 1, 1]), ([1, 1, 2, 3], [3, 2, 1, 1])
    first, second = (scipy.stats.spearmanr(*pair).statistic for pair in pairs)
    assert_at_most(np.abs([first + 2 / math.sqrt(5), second + 8 / 9]), 8 * UNIT_ROUNDOFF, why="-0.894 and -0.889")


def test_a_correlation_is_taken_within_each_seed():
    # given  five seeds and four arms; the arms differ by constants, with small noise
    generator = np.random.default_rng(0)
    x = np.array([1.0, 2, 3, 5]) + generator.normal(size=(5, 4)) / 8
    y = np.array([4.0, 3, 3.5, 1]) + generator.normal(size=(5, 4)) / 8
    found = correlation_interval(x, y)
    assert_identical([found.count, found.contains(0)], [5, False], why="the sample are the seeds, whose signs agree")
    # then   Student's interval of the Fisher transforms; the correlations by another formula
    each = student_interval(np.arctanh([np.corrcoef(*pair)[0, 1] for pair in zip(x, y, strict=True)]))
    error = np.abs(ends(found) - np.tanh(ends(each)))
    # |r| < 1 - 1/50, so the rounding of r grows by 1/(1 - r^2) < 50, and by Student's t
    assert_at_most(np.abs(np.tanh(ends(each))), 1 - 1 / 50, why="no correlation is near -1")
    assert_at_most(error, 2**14 * UNIT_ROUNDOFF, why="both ends and the estimate")


def test_a_point_is_a_candidate_if_no_other_point_is_significantly_better():
    # given  the second point is better than the first by 2 -+ 1/4, than the third by -1/4 to 1/4, than the fourth by 1
    seeds = np.array([[0.0], [10], [20], [30]])
    values = seeds + np.array([[2.25, 0, 0.25, 1], [1.75, 0, -0.25, 1], [2.25, 0, 0.25, 1], [1.75, 0, 0, 1]])
    found = minimizer_interval([0.001, 0.01, 0.1, 0.5], values)
    assert_identical(found.candidates, [0.01, 0.1], why="what may be the minimum")
    assert_identical(ends(found), [0.01, 0.01, 0.1], why="their hull, and the best")


@pytest.mark.parametrize("points", [2, 3, 4, 5])
@pytest.mark.parametrize("shift", [0.95, 1.05])
def test_a_point_is_dropped_at_the_shared_level(shift, points):
    # given  k points; the last is better than the others by `shift` times the one-sided Student bound at 0.05/(k - 1)
    needed = scipy.stats.t.isf(0.05 / (points - 1), 2) * math.sqrt(1 / 3)
    difference = shift * needed + np.array([-1.0, 0, 1])
    values = np.stack([difference] * (points - 1) + [0 * difference], axis=1)
    grid = [1.0 * k for k in range(1, points + 1)]
    found = minimizer_interval(grid, values, level=0.95)
    assert_identical(found.candidates, grid[-1:] if shift > 1 else grid, why="candidates")


@pytest.mark.slow
@settings(max_examples=25)
@given(st.integers(2, 5).flatmap(lambda k: st.lists(st.lists(st.integers(-3, 3), min_size=k, max_size=k), min_size=2)))
def test_the_best_mean_is_always_a_candidate_and_seeds_may_shift(rows):
    values, grid = np.array(rows, float), np.arange(len(rows[0]), dtype=float)
    found = minimizer_interval(grid, values)
    best = int(np.argmin(values.sum(0)))
    assert_identical(found.estimate, grid[best], why="the first of the best means")
    assert_identical(found.estimate in found.candidates, True, why="a candidate")
    moved = minimizer_interval(grid, values + 64.0 * np.arange(len(rows))[:, None])
    assert_identical(moved.candidates, found.candidates, why="pairing removes what a seed adds everywhere")


def interval(lower, upper):
    return Interval((lower + upper) / 2, lower, upper, 0.95, 5)


@pytest.mark.parametrize(
    ("ends_of_it", "printed", "verdict", "reason"),
    [
        ((1, 4), 3, "reproduced", "excludes 0"),
        ((1, 2), 3, "reproduced", "short of the printed size"),
        ((4, 5), 3, "reproduced", "beyond the printed size"),
        ((-1, 2), 3, "not reproduced", "contains 0, not the printed effect"),
        ((-2, -1), 3, "not reproduced", "on the other side"),
        ((-1, 4), 3, "inconclusive", "contains 0 and a printed effect"),
        ((0, 4), 3, "inconclusive", "contains 0"),
        ((-1, 3), 3, "inconclusive", "contains 0"),
        ((0, 0), 3, "not reproduced", "contains 0"),
        ((1, 6), (5, 8), "reproduced", "excludes 0"),
        ((9, 10), (5, 8), "reproduced", "beyond the printed size"),
        ((-1, 5), (5, 8), "inconclusive", "contains 0"),
        ((-1, 4), (5, 8), "not reproduced", "contains 0"),
    ],
)
def test_one_rule_judges_effects_of_either_sign(ends_of_it, printed, verdict, reason):
    lower, upper = ends_of_it
    found = judge(interval(lower, upper), null=0, printed=printed)
    assert_identical([found, reason in found.reason], [verdict, True], why=found.reason)
    # then   the same holds for the mirror image and for another null
    mirrored = tuple(-end for end in printed) if isinstance(printed, tuple) else -printed
    moved = tuple(end + 2 for end in printed) if isinstance(printed, tuple) else printed + 2
    assert_identical(judge(interval(-upper, -lower), null=0, printed=mirrored), verdict, why="mirrored")
    assert_identical(judge(interval(lower + 2, upper + 2), null=2, printed=moved), verdict, why="another null")


@pytest.mark.parametrize(
    ("ends_of_it", "verdict"), [((1, 2), "not reproduced"), ((-2, -1), "reproduced"), ((-2, 1), "inconclusive")]
)
def test_a_direction_is_judged_without_a_size(ends_of_it, verdict):
    assert_identical(judge(interval(*ends_of_it), null=0, direction=-1), verdict, why="falls")
    assert_identical(judge(interval(*(-end for end in ends_of_it[::-1])), null=0, direction=1), verdict, why="rises")


def test_the_common_finding_of_several_choices_is_inconclusive_unless_all_agree():
    yes, no, other = Finding("reproduced", "x"), Finding("not reproduced", "y"), Finding("reproduced", "z")
    agreed, told, clash = common({"a": yes, "b": yes}), common({"a": yes, "b": other}), common({"a": yes, "b": no})
    assert (agreed, agreed.reason) == ("reproduced", "x")
    assert (told, told.reason) == ("reproduced", "a: reproduced, x; b: reproduced, z")
    assert (clash, clash.reason) == ("inconclusive", "a: reproduced, x; b: not reproduced, y")
    assert common({"a": yes, "b": Finding("inconclusive", "x")}).reason == "a: reproduced, x; b: inconclusive, x"


GRID, TABLE = [0.1, 0.2], [[1.0, 2.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: student_interval([1.0]), "1 differences are too few for an interval, which takes 2: run more seeds"),
        (lambda: student_interval([1.0, math.nan]), "differences nan at position 1"),
        (lambda: student_interval(TABLE), r"not an array of shape \(2, 2\)"),
        (lambda: student_interval([1.0, 2.0], level=95), "lies between 0 and 1, not at 95"),
        (lambda: paired_slope([0.1, 0.1], TABLE), "takes two steps at least"),
        (lambda: paired_slope([0.1, 0.2, 0.3], TABLE), r"steps \(3,\), values \(2, 2\)"),
        (lambda: paired_slope(GRID, [[1.0, 0.0], [1.0, 1.0]]), "positive and finite"),
        (lambda: paired_slope(GRID, [[1.0, math.inf], [1.0, 1.0]]), "positive and finite"),
        (lambda: fisher_interval(0.5, 3), "takes four points or more, and there are 3"),
        (lambda: fisher_interval(1.5, 9), "not at 1.5"),
        (lambda: correlation_interval(TABLE, [1.0]), "two arrays of one shape"),
        (lambda: correlation_interval(TABLE, [[1.0, 2.0], [3.0, 3.0]]), "a correlation with a constant does not exist"),
        (lambda: correlation_interval(TABLE, TABLE), "whose Fisher transform is infinite"),
        (lambda: minimizer_interval([0.2, 0.1], TABLE), "a grid increases"),
        (lambda: minimizer_interval([0.2], [[1.0], [2.0]]), "takes two points at least"),
        (lambda: judge(interval(0, math.inf), null=0, printed=1), "no interval to judge by"),
        (lambda: judge(interval(0, 1), null=0), "judged by its printed effect or"),
        (lambda: judge(interval(0, 1), null=0, printed=1, direction=1), "judged by its printed effect or"),
        (lambda: judge(interval(0, 1), null=0, direction=2), "a direction is 1 or -1, not 2"),
        (lambda: judge(interval(0, 1), null=1, printed=1), "does not lie on one side of 1"),
        (lambda: judge(interval(0, 1), null=0, printed=(-1, 1)), "does not lie on one side of 0"),
    ],
)
def test_bad_input_is_an_error_of_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert_at_most(str(caught.value).count("\n"), 0, why="lines after the first")
