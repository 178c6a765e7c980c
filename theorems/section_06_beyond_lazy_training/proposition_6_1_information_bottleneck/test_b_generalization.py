r"""Proposition 6.1 (b) - what the weights know of the data bounds the generalization gap.

Setting     A learner draws $W$ given the data set $D$ of $n$ samples, with loss $L(W, D)$ and risk $R(W)$; the gap is
            $E R(W) - E L(W, D)$. The Gibbs law of a prior $\pi$ is $q_D \propto \pi e^{-\beta L}$. $P_D$, $q_W$ and
            $q_{WD}$ are the laws of $D$, of $W$ and of the pair. Alphabets are finite, so that all data sets are
            enumerated
Hypotheses  (H3) Every training sample has the law of a fresh one. (H4) The training samples are independent. (H5) The
            loss lies in [0, 1].
Corrected   (C4) Under H3 the Gibbs law has the generalization gap $[I(W;D) +\mathrm{KL}(q_W \otimes P_D\|
            q_{WD})]/\beta$, with dependent samples too.
            (C5) Under H3 to H5 no learner has a gap above $\sqrt{I(W;D)/(2n)}$, which learners that know little come
            near to at $n = 1$.
Idea        For every hypothesis $w$, $\ln E_D e^{\lambda (R(w) - L(w, D))} \le \lambda^2/(8n)$ (Hoeffding), and
            $\lambda$ times the gap is at most $I(W;D)$ plus the largest of these (Donsker, Varadhan).
Tolerance   Identities hold up to the rounding of their sums (`information_rounding`)
Findings    H3 does not need H4
Source      Aminian, Bu, Toni, Rodrigues, Wornell (2021), An Exact Characterization of the Generalization Error for the
            Gibbs Algorithm, NeurIPS 34; Xu, Raginsky (2017), Information-theoretic analysis of generalization
            capability of learning algorithms, NIPS 30
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_keeps, assert_within
from theorems.ledger import corrected, necessity
from theorems.section_06_beyond_lazy_training.information.measures import (
    enumerate_samples,
    gibbs,
    information_rounding,
    joint_law,
    lautum_information,
    mutual_information,
)
from theorems.section_06_beyond_lazy_training.proposition_6_1_information_bottleneck.learners import (
    generalization_gap,
    learners,
    train_on_samples,
)


def gap_allowed(information, size):
    """The bound sqrt(I/(2n)) on the generalization gap, for n independent samples and a loss in [0, 1]."""
    return np.sqrt(np.maximum(information, 0) / (2 * size))


@corrected("C4", "H3")
@pytest.mark.parametrize("size", [1, 3])
@given_batches(learner=learners)
def test_the_gibbs_law_generalizes_by_its_symmetrized_information(learner, size):
    # given  H3: every data set of independent samples, by enumeration
    losses, joint, spread = train_on_samples(learner, size)
    # then   gamma gap = I + lautum
    both = mutual_information(joint) + lautum_information(joint)
    slack = information_rounding(joint[0].size, spread)
    gamma_gap = learner.gamma * generalization_gap(learner, losses, joint)
    assert_at_most(np.abs(gamma_gap - both), slack, why="gamma times the gap", instance=learner)


@corrected("C4", "H3")
@given_batches(learner=learners)
def test_the_gibbs_law_generalizes_by_its_information_from_dependent_samples_too(learner):
    # given  H3 but not H4: the second sample is a copy of the first with probability 1/2
    (index, chances), again = enumerate_samples(learner.weights, 2), np.eye(learner.weights.shape[-1])
    copied = learner.weights[:, index[:, 0]] * again[index[:, 0], index[:, 1]]
    losses = learner.loss[:, index].mean(-2)
    # when
    channel = gibbs(learner.prior[:, None], losses, learner.gamma[:, None])
    joint = joint_law((chances + copied) / 2, channel)
    # then
    both, value = mutual_information(joint) + lautum_information(joint), generalization_gap(learner, losses, joint)
    slack = information_rounding(joint[0].size, 2 * learner.gamma)
    assert_at_most(np.abs(learner.gamma * value - both), slack, why="gamma times the gap", instance=learner)


@corrected("C5", "H3", "H4", "H5")
@pytest.mark.parametrize("size", [1, 3])
@given_batches(learner=learners)
def test_no_learner_has_a_gap_above_the_root_of_its_information_by_hoeffdings_lemma(learner, size):
    # given  H4 and H5. For every learner lambda gap <= I(W;D) + max_w ln E_D exp(lambda (R(w) - L(w, D))), by Donsker
    #        and Varadhan. If the maximum is at most lambda^2/8n, the best lambda, 4n gap, gives gap <= sqrt(I/2n)
    index, chances = enumerate_samples(learner.weights, size)
    excess = np.vecmat(learner.weights, learner.loss)[:, None] - learner.loss[:, index].mean(-2)
    rates = 4 * size * np.linspace(-1, 1, 17)[:, None, None]
    # then   the maximum is at most lambda^2/8n, Hoeffding's lemma; every data set is enumerated
    moments = np.log((chances[:, None, :, None] * np.exp(rates * excess[:, None])).sum(2))
    slack = information_rounding(len(index), 4 * size)
    assert_at_most(moments, (rates**2)[..., 0] / (8 * size) + slack, why="ln E exp(lambda (R - L)) of each hypothesis")


@corrected("C5", "H3", "H4", "H5")
@pytest.mark.parametrize("size", [1, 3])
@given_batches(learner=learners)
def test_neither_the_gibbs_nor_the_greedy_learner_has_a_gap_above_the_root_of_its_information(learner, size):
    # given  H4 and H5; the Gibbs learner, and the greedy learner, which chooses the hypothesis of least loss
    losses, joint, spread = train_on_samples(learner, size)
    greedy = joint_law(
        joint.sum(-1), 1.0 * (losses + (learner.prior[:, None] == 0)).argmin(-1)[..., None] == range(losses.shape[-1])
    )
    # then
    for_both = np.array(
        [[generalization_gap(learner, losses, law), mutual_information(law)] for law in (joint, greedy)]
    )
    slack = gap_allowed(information_rounding(joint[0].size, spread + np.log(64)), size)
    bound = gap_allowed(for_both[:, 1], size) + slack
    assert_at_most(np.abs(for_both[:, 0]), bound, why="|gap| <= sqrt(I/2n)", adversarial=True)


@corrected("C5", "H3", "H4", "H5")
def test_the_root_of_the_information_is_attained_by_learners_that_know_little():
    # given  a fair coin, loss 1 if wrong, one sample, and the Gibbs learner with gamma from 1 to 2^-12
    gamma, loss = 2.0 ** -np.arange(13), 1 - np.eye(2)
    joint = np.full((2, 1), 1 / 2) * gibbs(np.full(2, 1 / 2), loss, gamma[:, None])
    value, information = (joint * (1 / 2 - loss)).sum((1, 2)), mutual_information(joint)
    # then   the gap is g = tanh(gamma/2)/2, and 2 g^2 <= I = ln 2 - h(1/2 + g) <= 2 g^2 (1 + g^2)^2
    slack, bound = gap_allowed(information_rounding(4, gamma), 1), gap_allowed(information, 1)
    assert_at_most(np.abs(value - np.tanh(gamma / 2) / 2), information_rounding(4, gamma), why="the gap")
    assert_within(bound / (1 + value**2) - slack, value, bound + slack, why="the gap at its bound")


@necessity("H3")
@given(gamma=st.integers(1, 8))
def test_without_H3_a_law_that_ignores_its_data_has_a_gap(gamma):
    # given  a fair coin z, the hypotheses "heads" and "tails", loss 1 if wrong. All training samples are heads: they
    #        are independent, but of another law
    loss = np.array([[0.0, 1.0]])
    assert_keeps(H4=True, H5=(loss >= 0) & (loss <= 1))
    channel = gibbs(np.full(2, 1 / 2), loss, np.array([gamma]))
    joint = joint_law(np.ones(1), channel)
    # then   there is one data set, so both informations are zero, while the risk is 1/2 and the loss 1/(1 + e^gamma)
    both = mutual_information(joint) + lautum_information(joint)
    slack = information_rounding(2, gamma)
    assert_at_most(both, slack, why="no information")
    assert_at_most(1 / 2 - 1 / (1 + np.e), 1 / 2 - channel[0, 1] + slack, why="the gap is not zero")


def coin_learner(copies, scale):
    """The learner that answers the coin it has seen: samples (2, copies), losses, gap and I(W;D).

    A data set has copies of one throw of a fair coin. The loss is 0, or `scale` if the answer is wrong.
    """
    samples, joint = np.repeat(np.arange(2)[:, None], copies, axis=1), np.eye(2) / 2
    loss = scale * (1 - np.eye(2))
    return samples, loss, (joint * (loss.mean(0) - loss[samples].mean(1))).sum(), mutual_information(joint)


@necessity("H4")
@given(copies=st.integers(2, 9))
def test_without_H4_copies_of_one_sample_break_the_bound(copies):
    # given  each sample is heads in one of the two equally likely data sets
    samples, loss, value, information = coin_learner(copies, 1)
    assert_keeps(H3=samples.mean(0) == 1 / 2, H5=(loss >= 0) & (loss <= 1))
    # then   sqrt(ln 2/2n) < 1/2 for n >= 2, by a sixth at least
    assert_at_most(gap_allowed(information, copies), 5 / 6 * value, why="the bound below the gap")


@necessity("H5")
@given(scale=st.integers(2, 9))
def test_without_H5_a_change_of_units_breaks_the_bound(scale):
    # given  one sample
    samples, _, value, information = coin_learner(1, scale)
    assert_keeps(H3=samples.mean(0) == 1 / 2, H4=samples.shape[1] == 1)
    # then   sqrt(ln 2/2) < 3/5, scale/2 >= 1
    assert_at_most(gap_allowed(information, 1), 3 / 5 * value, why="the bound below the gap")
