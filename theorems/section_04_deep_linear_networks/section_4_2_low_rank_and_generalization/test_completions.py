"""Self-tests: errors count unobserved entries, a share counts strict wins, and a half is neither more nor less."""

import numpy as np

from properties.certificates import assert_identical, assert_within
from theorems.section_04_deep_linear_networks.section_4_2_low_rank_and_generalization.completions import (
    PROBLEMS,
    hidden_errors,
    judge_share,
    share_ahead,
)


def test_the_error_is_the_mean_over_the_unobserved_entries_alone():
    # given  two unobserved entries, off by 1 and 3; one observed entry is off by 10, the other by 0
    W, mask = np.array([[11.0, 1], [3, 0]]), np.array([[1, 0], [0, 1]])
    pattern = np.array([[1.0, 2], [6, 0]])
    assert_identical(hidden_errors(W, pattern, mask), 5, why="the mean of 1 and 9")


def ahead_in(count):
    """Values (2, PROBLEMS) of which the first is lower in `count` problems, and equal in one of the others."""
    first = np.where(np.arange(PROBLEMS) < count, 0.9, 1.1)
    first[-1] = 1.0
    return np.stack([first, np.ones(PROBLEMS)])


def test_a_share_counts_the_problems_in_which_the_first_value_is_strictly_lower():
    share = share_ahead(ahead_in(10))
    assert_identical(share.estimate, 10 / PROBLEMS, why="a quarter of the problems")
    assert_within(share.lower, 1 / 4, share.upper, why="the interval holds the share")


def test_the_rule_compares_the_interval_with_one_half():
    found = [str(judge_share(share_ahead(ahead_in(count)))) for count in (8, 20, 32)]
    assert_identical(found, ["not reproduced", "inconclusive", "reproduced"], why="shares of 1/5, 1/2 and 4/5")
