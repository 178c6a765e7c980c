r"""Section 4.2: low rank and generalization (a) - the least nuclear norm has the lower effective rank.

Printed     The nuclear norm promotes solutions of low rank
Kind        observation: "promotes"
Setting     The completions of least nuclear norm and of least Frobenius norm are compared: each is the least among all
            matrices with the same observed entries. The one of least Frobenius norm is zero elsewhere. Population: a
            pattern of rank 2 in dimension 12 with half of the entries observed, each with Gaussian noise of half the
            size of an entry.
Reading     The effective ranks are compared. "Promotes" means in more than half of the problems.
Idea        A matrix that is zero off its observed entries has many singular values of one size. The least nuclear norm
            suppresses the small ones.
Tolerance   The least nuclear norm is enclosed by an exact completion and a dual certificate, to one percent.
Findings    For the constraint $Wx = y$ both norms are least at one matrix, of the lowest rank (Theorem 4.1, part (a)).
Expected    reproduced
"""

import pytest

from properties.certificates import record_finding
from theorems.ledger import measured
from theorems.section_04_deep_linear_networks.section_4_2_low_rank_and_generalization.completions import (
    POPULATION,
    PROBLEMS,
    SEED,
    compare,
    judge_share,
    share_ahead,
)


@pytest.mark.fast
@measured
def test_the_effective_rank_is_lower_in_more_than_half_of_the_problems():
    share = share_ahead(compare(2, 0.5, SEED).ranks)
    reads = "share of lower effective ranks {estimate} [{lower}, {upper}]"
    record_finding(judge_share(share), share, where=POPULATION, trials=PROBLEMS, reads=reads)
