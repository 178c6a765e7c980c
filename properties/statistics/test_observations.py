"""Self-tests: the share of runs has the tabulated interval of Clopper and Pearson."""

import pytest

from properties.certificates import assert_within
from properties.statistics.observations import share_interval


@pytest.mark.parametrize(("successes", "lower", "upper"), [(24, 0.8575, 1), (12, 0.2912, 0.7088), (0, 0, 0.1425)])
def test_shares_of_twenty_four_runs_have_the_intervals_of_the_tables(successes, lower, upper):
    found = share_interval(successes, 24)
    # then   in tables of four digits: 1 - 0.025^(1/24) = 0.1425
    assert_within([lower, upper], [found.lower, found.upper], [lower, upper], slack=5e-5, why="ends of the interval")
    assert found.estimate == successes / 24


def test_more_successes_than_runs_are_refused():
    with pytest.raises(ValueError, match="25 successes in 24 trials"):
        share_interval(25, 24)
