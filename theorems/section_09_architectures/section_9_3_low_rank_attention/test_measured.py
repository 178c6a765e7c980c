r"""Section 9.3: low-rank attention - transformers trained on digits.

Kind        observation: "often"
Reading     The matrices are the attention weights $P = \operatorname{softmax}(A)$: the sentence explains them as
            patterns of interaction between tokens, and $P$ has a row and a column for each token. The population:
            transformers trained on digits, 16 patches of an image, two layers of one head as wide as there are tokens.
            Low: the effective rank, by entropy, is at most a quarter of the largest possible one. Often: of more than
            half of the matrices, one for each layer and unseen image, in the mean over seeds. That a low rank is a
            simpler pattern is taken as what "simpler" means
Idea        The rank of $P$ is at most the number of its different rows. With a linear loss, orthonormal tokens and one
            best token for each query, every query selects its own best token. The number of selected tokens, which is
            the rank, can then be any number up to that of the tokens
Tolerance   The rule, the quarter, the population and its five seeds were fixed before they were run: 95 % intervals,
            Student's over seeds; reproduced above one half, not below, else inconclusive
Chance      The interval misses with probability 5 % if effects of seeds are normal, which five seeds cannot show
Findings    On digits a share of 0.87 [0.60, 1.13] of the attention weights ends at a low rank, 0.57 before training.
            The mean effective ranks of $P$ were 2.9 and 4.6 of 16 in the two layers at the start, where attention is
            nearly uniform, and 3.5 and 2.1 at the end. The weights $W$ of the logits have no rows for tokens, so that
            the words of the print do not admit them. A first version of this claim took them as a second reading, by
            the same rule: the mean effective rank of the ten $W$ fell from 10.5 to 6.4, and none ended at a quarter
Expected    reproduced
"""

import numpy as np
import pytest

from properties.certificates import assert_at_most, record_finding
from properties.spectra.effective_rank import entropic_rank
from theorems.ledger import measured, observed
from theorems.section_09_architectures.attention_runs import (
    LOSS,
    POPULATION,
    SEEDS,
    often,
    share_of_low_rank,
    trained_transformer,
)


@measured
def test_of_trained_transformers_more_than_half_of_the_attention_matrices_have_a_low_rank():
    # given  transformers trained to a mean loss of LOSS, and images that they have not seen
    runs = [trained_transformer(seed) for seed in SEEDS]
    assert_at_most(np.array([run.loss for run in runs]), LOSS, why="the training loss was reached")
    # when   the share of low ranks at the end, and at the start
    end, start = [share_of_low_rank(r.P) for r in runs], [share_of_low_rank(r.P_start) for r in runs]
    finding, interval = often(end)
    # then
    reads = (
        f"share of low-rank attention weights {{estimate}} [{{lower}}, {{upper}}], {np.mean(start):.2g} at the start"
    )
    record_finding(finding, interval, where=POPULATION, trials=len(runs), reads=reads)


@observed
@pytest.mark.slow
def test_the_weights_of_the_logits_lose_rank_in_training_and_none_ends_at_a_quarter():
    # given  the effective ranks of W, both layers of every seed, at the start and at the end
    runs = [trained_transformer(seed) for seed in SEEDS]
    start, end = (
        np.stack([entropic_rank(np.linalg.svd(W, compute_uv=False)) for W in pair])
        for pair in zip(*((run.W_start, run.W) for run in runs), strict=True)
    )
    # then
    assert_at_most(end, start - 3, why="every one has fallen by 3")
    assert_at_most(5, end.min(), why="where a low one is at most 4")
