r"""Section 9.3: sparse attention - transformers trained on digits.

Kind        observation: "often"
Reading     Transformers trained on digits: 16 patches of an image, two layers of one head as wide as there are tokens.
            Sparse: a query attends effectively, by $1/\sum_j s_j^2$, to at most a quarter of the tokens, 4 of 16.
            Often: more than half of the queries, over layers and unseen images, in the mean over seeds. Which tokens
            are relevant the print does not say, so that sparseness alone is measured
Idea        Softmax weights are positive at every finite time, so that sparse can only be a limit, or a number
Tolerance   The rule, the quarter, the population and its five seeds were fixed before they were run: 95 % intervals,
            Student's over seeds; reproduced above one half, not below, else inconclusive
Chance      The interval misses with probability 5 % if effects of seeds are normal, which five seeds cannot show
Findings    On digits a share of 0.73 [0.50, 0.95] of the queries ends sparse, none of them at the start, where
            attention is nearly uniform: training made attention sparser for every seed, but for one seed half of the
            queries stay dense, and five seeds cannot say whether more than half is the rule. The lower end is so near
            to one half that the rounding of another machine may decide
Expected    inconclusive
"""

import numpy as np

from properties.certificates import assert_at_most, assert_identical, record_finding
from theorems.ledger import measured, observed
from theorems.section_09_architectures.attention_runs import (
    LOSS,
    POPULATION,
    SEEDS,
    often,
    share_of_low_rank,
    share_of_sparse_rows,
    trained_transformer,
)


@measured
def test_of_trained_transformers_more_than_half_of_the_queries_attend_to_a_quarter_of_the_tokens():
    # given  transformers trained to a mean loss of LOSS, and images that they have not seen
    runs = [trained_transformer(seed) for seed in SEEDS]
    assert_at_most(np.array([run.loss for run in runs]), LOSS, why="the training loss was reached")
    # when   the share of sparse queries at the end, and at the start
    end, start = (
        [share_of_sparse_rows(P) for P in pair] for pair in zip(*((r.P, r.P_start) for r in runs), strict=True)
    )
    finding, interval = often(end)
    # then
    reads = f"share of sparse queries {{estimate}} [{{lower}}, {{upper}}], {np.mean(start):.2g} at the start"
    record_finding(finding, interval, where=POPULATION, trials=len(runs), reads=reads)


@observed
def test_three_of_sixteen_count_as_low_and_five_do_not_for_tokens_and_for_ranks():
    # given  queries that attend to blocks of equal tokens: 16 in blocks of 3 and a rest of 1, of 5 and a rest of 1
    def shares(size):
        blocks = np.arange(15) // size
        P = np.zeros((16, 16))
        P[:15, :15] = (blocks[:, None] == blocks) / size
        P[15] = P[0]
        return share_of_sparse_rows(P), share_of_low_rank(P)

    # then   blocks of 3 make five dimensions, and blocks of 5 make three
    assert_identical([shares(3), shares(5)], [[1, 0], [0, 1]], why="shares of sparse queries, and of low-rank matrices")
    # then   a quarter on one token and the rest on twelve is effectively 256/28 tokens
    spread = np.repeat([1 / 4, 1 / 16, 0], [1, 12, 3])
    assert_identical(share_of_sparse_rows(np.tile(spread, (16, 1))), 0, why="one heavy token is not sparse")
    assert_identical([often([0.5, 0.6, 0.7])[0], often([0.6, 0.61])[0]], ["inconclusive", "reproduced"], why="often")
